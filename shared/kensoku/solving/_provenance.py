"""What made a revision, and when each step of it was done."""

from collections.abc import Iterable, Iterator, Sequence

from kensoku.solving._context import METHOD, Context
from kensoku.traveltime import name_of
from kensoku.v1.association_pb2 import AssociatedPick, Association
from kensoku.v1.event_pb2 import Arrival, EventLatency, Provenance
from kensoku.v1.pick_pb2 import ModelReference, PickLatency


def provenance_of(association: Association, arrivals: Iterable[Arrival], context: Context) -> Provenance:
    codes = {f"{each.instrument.network}.{each.instrument.station}" for each in arrivals}
    earth, earth_hash = name_of(context.model, context.grids_sha256)
    return Provenance(
        software_version=context.software_version,
        velocity_model=earth,
        velocity_model_hash=earth_hash,
        models=_unique(_models(association.picks)),
        inventory_hashes=sorted({context.stations[code].hash for code in codes if code in context.stations}),
        association_method=context.association_method,
        location_method=METHOD,
        association_revision=association.revision,
    )


def _models(picks: Iterable[AssociatedPick]) -> Iterator[ModelReference]:
    for associated in picks:
        if associated.pick.HasField("model"):
            yield associated.pick.model
        yield from associated.pick.judges
        yield from associated.measurement.models


def _unique(models: Iterable[ModelReference]) -> list[ModelReference]:
    found = {(model.name, model.version, model.sha256): model for model in models}
    return [found[key] for key in sorted(found)]


def latency_of(association: Association, located_ns: int) -> EventLatency:
    """Of the pick or measurement that came last, since it completed this state of the candidate."""
    newest = max(_stamps(association.picks), key=lambda stamp: (stamp.published_ns, stamp.last_sample_ns))
    return EventLatency(
        last_sample_ns=newest.last_sample_ns,
        packet_arrival_ns=newest.packet_arrival_ns,
        window_ready_ns=newest.window_ready_ns,
        pick_published_ns=newest.published_ns,
        associated_ns=association.decided_ns,
        located_ns=located_ns,
    )


def _stamps(picks: Sequence[AssociatedPick]) -> Iterator[PickLatency]:
    for associated in picks:
        yield associated.pick.latency
        if associated.HasField("measurement"):
            yield associated.measurement.latency
