"""What a catalogue is worth beside the truth, and of what the time to a first event is made. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from kensoku.catalogue_files import Limits, Pair, compare
from kensoku.events import preferred_magnitude
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_MERGED,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    Event,
)
from kensoku.v1.pick_pb2 import Pick

NS_PER_S = 10**9
LIMITS = Limits(seconds=1.0, km=5.0)
GONE = (EVENT_STATUS_MERGED, EVENT_STATUS_RETRACTED)


# --- the life of events -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lives:
    """By event: what was told of it first, and last."""

    first: Mapping[str, tuple[int, Event]]
    last: Mapping[str, Event]

    @property
    def standing(self) -> list[Event]:
        return [event for event in self.last.values() if event.status not in GONE]

    @property
    def early(self) -> list[str]:
        """Those that were told while more was to come."""
        return [name for name, (_, event) in self.first.items() if event.status == EVENT_STATUS_PRELIMINARY]

    def became(self, status: int) -> list[str]:
        """Of the early ones those that ended so."""
        return [name for name in self.early if self.last[name].status == status]


def lives_of(events: Iterable[tuple[int, Event]]) -> Lives:
    """Revisions in the order in which they were told."""
    first: dict[str, tuple[int, Event]] = {}
    last: dict[str, Event] = {}
    for at_ns, event in events:
        first.setdefault(event.id, (at_ns, event))
        last[event.id] = event
    return Lives(first, last)


# --- beside the truth -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    recall: float
    precision: float
    events: int
    wanted: int
    pairs: Sequence[Pair]  # of found and true ones
    missed: Sequence[Event]  # of the wanted ones
    false: Sequence[Event]


def score(found: Sequence[Event], truth: Sequence[Event], wanted: frozenset[str], span_ns: tuple[int, int]) -> Score:
    """Recall of the wanted ones of the span, precision of what was found in it, beside all that happened."""

    def is_inside(event: Event) -> bool:
        return span_ns[0] <= event.origin.time_ns < span_ns[1]

    pairs = compare(found, truth, LIMITS).pairs
    of_found = {pair.a.id for pair in pairs}
    of_truth = {pair.b.id for pair in pairs}
    inside = [event for event in found if is_inside(event)]
    asked = [event for event in truth if event.id in wanted and is_inside(event)]
    missed = [event for event in asked if event.id not in of_truth]
    false = [event for event in inside if event.id not in of_found]
    return Score(
        recall=1 - len(missed) / max(len(asked), 1),
        precision=1 - len(false) / max(len(inside), 1),
        events=len(inside),
        wanted=len(asked),
        pairs=[pair for pair in pairs if is_inside(pair.b)],
        missed=missed,
        false=false,
    )


def larger(pair: Pair) -> float | None:
    """The found magnitude above the true one."""
    found, true = preferred_magnitude(pair.a), preferred_magnitude(pair.b)
    return found.value - true.value if found and true else None


# --- the time to a first event ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """From the first P anywhere in the network, s; the parts add up to the whole."""

    wave: float  # until P has reached a fourth station
    more: float  # until the onset of the pick that was waited for, where four P were not enough (or one was missing)
    look_ahead: float  # samples behind an onset that the picker needs
    packet: float  # until the packet with the last of them is full
    telemetry: float  # until it is here
    triggering: float
    association: float
    location: float

    @property
    def whole(self) -> float:
        return float(sum(astuple(self)))


PARTS = tuple(field.name for field in fields(Delay))


def delay_of(
    first_p_ns: Sequence[int],
    picks: Sequence[Pick],
    told_ns: Mapping[str, int],
    associated_ns: int,
    located_ns: int,
) -> Delay:
    """Of an event with these P at stations, declared with these picks; `told_ns`: when each was told. What was waited
    for is the pick that was told last."""
    p_ns = sorted(first_p_ns)
    fourth_ns = p_ns[min(3, len(p_ns) - 1)]
    decisive = max(picks, key=lambda pick: (told_ns[pick.id], pick.onset_ns, pick.id))
    last_ns, arrived_ns = decisive.latency.last_sample_ns, decisive.latency.packet_arrival_ns
    full_ns = min(-(-last_ns // NS_PER_S) * NS_PER_S, arrived_ns)
    steps = (
        p_ns[0],
        fourth_ns,
        decisive.onset_ns,
        last_ns,
        full_ns,
        arrived_ns,
        told_ns[decisive.id],
        associated_ns,
        located_ns,
    )
    parts = [(after - before) / NS_PER_S for before, after in zip(steps, steps[1:], strict=False)]
    return Delay(**dict(zip(PARTS, parts, strict=True)))


def declared(associations: Iterable[tuple[int, Association]]) -> dict[tuple[str, int], tuple[int, Association]]:
    """By event and revision."""
    return {(each.event_id, each.revision): (at_ns, each) for at_ns, each in associations}


def quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"median": float("nan"), "p95": float("nan"), "longest": float("nan")}
    return {
        "median": float(np.median(values)),
        "p95": float(np.quantile(values, 0.95)),
        "longest": float(np.max(values)),
    }
