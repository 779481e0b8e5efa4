"""The next revision of an event: what its candidate has become, located, sized and judged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kensoku.errors import LocationError
from kensoku.events import status_name
from kensoku.locating import arrival_messages, origin_message
from kensoku.magnitudes import judge
from kensoku.solving._book import Book
from kensoku.solving._changes import changes
from kensoku.solving._check import GONE
from kensoku.solving._context import Context
from kensoku.solving._places import Placed, place
from kensoku.solving._provenance import latency_of, provenance_of
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_UPDATED,
    Event,
    EventStatus,
)

BACKFILL = "backfill"
NS_PER_DAY = 86_400 * 10**9
NO_OTHERS: Mapping[str, Sequence[int]] = {}


class Outcome(StrEnum):
    PUBLISHED = "published"
    UNCHANGED = "unchanged"  # nothing that matters
    KNOWN = "known"  # this state of the candidate or a later one was looked at before
    NEVER_SHOWN = "never shown"  # merged or retracted before it was an event
    NOT_LOCATED = "not located"
    NOT_ACCEPTABLE = "not acceptable"  # located too badly for a first solution
    AFTER_FINAL = "after final"  # without picks that were filled in, or too late


@dataclass(frozen=True, slots=True)
class Solved:
    association: Association
    outcome: Outcome
    event: Event | None = None  # the revision to publish
    error: LocationError | None = None


def solve(
    association: Association,
    context: Context,
    before: Event | None = None,
    *,
    others_ns: Mapping[str, Sequence[int]] = NO_OTHERS,
    located_ns: int = 0,
) -> Event | None:
    """The next revision, after `before`; by "NET.STA", `others_ns` are onsets of picks of other events."""
    (placed,) = place([association], context) if _is_alive(association) else (None,)
    return _next(association, placed, context, before, others_ns, located_ns).event


def solve_many(
    associations: Sequence[Association], context: Context, book: Book, *, located_ns: int = 0
) -> list[Solved]:
    """As one by one in this order, each revision kept in the book; locating them together is ten times cheaper."""
    wanted = [each for each in associations if _is_alive(each) and not book.is_known(each)]
    placed = dict(zip(map(id, wanted), place(wanted, context), strict=True))
    return [*_one_by_one(associations, placed, context, book, located_ns)]


def _one_by_one(
    associations: Sequence[Association], placed: Mapping[int, Placed], context: Context, book: Book, located_ns: int
) -> Iterator[Solved]:
    for association in associations:
        if book.is_known(association):
            yield Solved(association, Outcome.KNOWN)
            continue
        before = book.before(association.event_id)
        others_ns = book.others_ns(association)
        solved = _next(association, placed.get(id(association)), context, before, others_ns, located_ns)
        book.note(association)
        if solved.event is not None:
            book.keep(solved.event)
        yield solved


def _is_alive(association: Association) -> bool:
    return association.status not in GONE


def _next(
    association: Association,
    placed: Placed | None,
    context: Context,
    before: Event | None,
    others_ns: Mapping[str, Sequence[int]],
    located_ns: int,
) -> Solved:
    if placed is None:
        return _end(association, before, located_ns)
    if before is not None and before.status == EVENT_STATUS_FINAL and not _fills_in(association, before, context):
        return Solved(association, Outcome.AFTER_FINAL)
    if isinstance(placed.answer, LocationError):
        return _without_location(association, placed.answer, before, located_ns)
    event = _event(association, placed, context, others_ns, located_ns)
    if before is None:
        if not _is_acceptable(event, context):
            return Solved(association, Outcome.NOT_ACCEPTABLE)
        event.reason = association.reason
    elif (reason := _why(association, before, event, context)) is not None:
        event.reason = reason
    else:
        return Solved(association, Outcome.UNCHANGED)
    return _revision(association, event, before)


def _why(association: Association, before: Event, event: Event, context: Context) -> str | None:
    """In words, why there is a new revision; None where none is needed."""
    if before.status == EVENT_STATUS_FINAL:
        return BACKFILL if _has_late_news(association, before) or changes(before, event, context.changes) else None
    if before.status in GONE:
        return association.reason or f"it was {status_name(before).lower()}, and is an event again"
    if sentences := changes(before, event, context.changes):
        return association.reason or "; ".join(sentences)
    return association.reason if event.status == EVENT_STATUS_FINAL else None


def _is_acceptable(event: Event, context: Context) -> bool:
    return event.status == EVENT_STATUS_FINAL or event.origin.horizontal_uncertainty_km <= context.acceptable_km


def _fills_in(association: Association, before: Event, context: Context) -> bool:
    """Whether late picks have come, or were measured since, and in time."""
    is_late = any(associated.pick.late for associated in association.picks)
    return is_late and association.decided_ns - _final_ns(before) <= context.backfill_days * NS_PER_DAY


def _has_late_news(association: Association, before: Event) -> bool:
    """Whether late picks have come that the last revision knew nothing of."""
    known = {arrival.pick_id for arrival in before.arrivals}
    return any(associated.pick.late and associated.pick.id not in known for associated in association.picks)


def _final_ns(event: Event) -> int:
    """When an event that is FINAL became so, however often it has been revised since."""
    return event.latency.final_ns or event.latency.published_ns or event.latency.associated_ns


def _event(
    association: Association, placed: Placed, context: Context, others_ns: Mapping[str, Sequence[int]], located_ns: int
) -> Event:
    assert not isinstance(placed.answer, LocationError)
    origin = origin_message(placed.answer, placed.reference_ns)
    arrivals = arrival_messages(placed.answer, association.picks)
    judged = judge(origin, arrivals, association.picks, context.rules, placed.elevations_km, others_ns)
    return Event(
        status=association.status,
        type=judged.decision.type,
        type_probabilities=judged.decision.probabilities,
        origin=origin,
        magnitudes=judged.magnitudes,
        preferred_magnitude=judged.preferred,
        arrivals=arrivals,
        provenance=provenance_of(association, arrivals, context),
        latency=latency_of(association, located_ns),
    )


def _without_location(association: Association, error: LocationError, before: Event | None, located_ns: int) -> Solved:
    """What was published stays, with the reason once."""
    reason = f"not located again, this is the last origin: {error}"
    is_told = before is None or (association.status != EVENT_STATUS_FINAL and before.reason.startswith(reason[:30]))
    if before is None or is_told:
        return Solved(association, Outcome.NOT_LOCATED, error=error)
    event = _copy(before, association, located_ns)
    event.reason = reason
    solved = _revision(association, event, before)
    return Solved(association, Outcome.NOT_LOCATED, solved.event, error)


def _end(association: Association, before: Event | None, located_ns: int) -> Solved:
    """Merged or retracted: the last origin, and why."""
    if before is None:
        return Solved(association, Outcome.NEVER_SHOWN)
    if before.status == association.status and before.merged_into == association.merged_into:
        return Solved(association, Outcome.UNCHANGED)
    event = _copy(before, association, located_ns)
    event.reason = association.reason
    return _revision(association, event, before)


def _copy(before: Event, association: Association, located_ns: int) -> Event:
    event = Event()
    event.CopyFrom(before)
    event.status = association.status
    event.provenance.association_revision = association.revision
    event.latency.associated_ns, event.latency.located_ns = association.decided_ns, located_ns
    event.latency.published_ns = 0
    return event


def _revision(association: Association, event: Event, before: Event | None) -> Solved:
    event.id = association.event_id
    event.revision = before.revision + 1 if before else 1
    event.owner_epoch = association.owner_epoch
    if before is not None and before.status == EVENT_STATUS_FINAL:
        event.latency.final_ns = _final_ns(before)
    event.status = _status(association.status, before)
    event.region = association.region or association.seam
    event.merged_into, event.split_from = association.merged_into, association.split_from
    return Solved(association, Outcome.PUBLISHED, event)


def _status(wanted: EventStatus, before: Event | None) -> EventStatus:
    if wanted in (EVENT_STATUS_PRELIMINARY, EVENT_STATUS_UPDATED):
        return EVENT_STATUS_UPDATED if before else EVENT_STATUS_PRELIMINARY
    return wanted
