"""Refuse associations that nobody can solve, before they spoil a batch."""

from collections.abc import Iterator

from kensoku.associating import LONGEST_UNCERTAINTY_S
from kensoku.errors import InputInvalid
from kensoku.v1.association_pb2 import AssociatedPick, Association
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UPDATED,
)
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S

GONE = (EVENT_STATUS_RETRACTED, EVENT_STATUS_MERGED)
ALIVE = (EVENT_STATUS_PRELIMINARY, EVENT_STATUS_UPDATED, EVENT_STATUS_FINAL)
LARGEST_EPOCH = 2**63 - 1  # that a database holds


def check_association(association: Association) -> None:
    """Raises InputInvalid with all that is wrong."""
    mistakes = [*_mistakes(association)]
    mistakes += [mistake for pick in association.picks for mistake in _mistakes_of(pick)]
    if mistakes:
        raise InputInvalid(f"association {association.event_id!r}: {'; '.join(mistakes[:5])}")


def _mistakes(association: Association) -> Iterator[str]:
    if not association.event_id or "\0" in association.event_id:
        yield "found no usable event_id, expected text"
    if association.revision < 1:
        yield f"found revision {association.revision}, expected 1 or more"
    if association.owner_epoch > LARGEST_EPOCH:
        yield f"found owner_epoch {association.owner_epoch}, expected less than 2**63"
    if association.status not in GONE + ALIVE:
        yield f"found status {association.status}, expected one that events have"
    if association.status in ALIVE and not association.picks:
        yield "found no picks, expected those of the candidate"


def _mistakes_of(associated: AssociatedPick) -> Iterator[str]:
    pick, measurement = associated.pick, associated.measurement
    if associated.phase not in (PHASE_P, PHASE_S):
        yield f"pick {pick.id!r}: found phase {associated.phase}, expected P or S"
    if not (pick.instrument.network and pick.instrument.station and pick.onset_ns):
        yield f"pick {pick.id!r}: found no station or no onset, expected both"
    for uncertainty_s in (pick.onset_uncertainty_s, measurement.onset_uncertainty_s):
        if not 0 <= uncertainty_s <= LONGEST_UNCERTAINTY_S:
            yield f"pick {pick.id!r}: found an onset uncertainty of {uncertainty_s} s, expected 0 to an hour"
    if not 0 <= associated.probability <= 1:
        yield f"pick {pick.id!r}: found probability {associated.probability}, expected 0 to 1"
