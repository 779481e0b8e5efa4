"""The life of an event: which group goes on which event, what became of the others, and when nothing can change."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from kensoku.associating._associate import Candidate
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL


class Fate(Enum):
    """Of an event whose picks no group holds any more."""

    MERGED = "merged"
    RETRACTED = "retracted"


@dataclass(slots=True)
class Event:
    """As it was last told."""

    association: Association
    first: frozenset[str]

    @property
    def picks(self) -> frozenset[str]:
        return frozenset(each.pick.id for each in self.association.picks)

    @property
    def time_ns(self) -> int:
        return int(self.association.trial.time_ns)

    @property
    def is_final(self) -> bool:
        return bool(self.association.status == EVENT_STATUS_FINAL)


@dataclass(frozen=True, slots=True)
class Known:
    """An event that was declared, by the ids of its picks."""

    id: str
    first: frozenset[str]  # of its first declaration
    picks: frozenset[str]  # as last told
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    goes_on: Mapping[str, Candidate]  # by event
    new: tuple[tuple[Candidate, str], ...]  # and the event that it was split from, or ""
    gone: Mapping[str, tuple[Fate, str]]  # by event; what it was merged into


def match(groups: Sequence[Candidate], known: Iterable[Known]) -> Matched:
    """An event goes on with the group that holds most of its first declaration's picks, then of its last ones."""
    picks = [frozenset(member[0] for member in group.members) for group in groups]
    holders = {pick: number for number, each in enumerate(picks) for pick in each}
    known = sorted(known, key=lambda each: each.id)
    pairs = []
    for event in known:
        for number in {holders[pick] for pick in event.first | event.picks if pick in holders}:
            shared = len(picks[number] & event.first), len(picks[number] & event.picks)
            pairs.append((event.is_final, *shared, event.id, number))
    goes_on: dict[str, Candidate] = {}
    of_group: dict[int, str] = {}
    for _, _, _, event_id, number in sorted(
        pairs, key=lambda pair: (not pair[0], -pair[1], -pair[2], pair[3], pair[4])
    ):
        if event_id not in goes_on and number not in of_group:
            goes_on[event_id], of_group[number] = groups[number], event_id
    gone = {
        event.id: _fate(event, holders, of_group) for event in known if event.id not in goes_on and not event.is_final
    }
    new = [
        (group, _origin(picks[number], known, goes_on)) for number, group in enumerate(groups) if number not in of_group
    ]
    return Matched(goes_on, tuple(new), gone)


def _fate(event: Known, holders: Mapping[str, int], of_group: Mapping[int, str]) -> tuple[Fate, str]:
    """Merged into the event that has most of its first declaration's picks or of its last ones, if that is half."""
    for own in (event.first, event.picks):
        counts = Counter(of_group[holders[pick]] for pick in own if holders.get(pick) in of_group)
        most = min(counts, key=lambda other: (-counts[other], other), default="")
        if most and 2 * counts[most] >= len(own):
            return Fate.MERGED, most
    return Fate.RETRACTED, ""


def _origin(picks: Collection[str], known: Iterable[Known], goes_on: Mapping[str, Candidate]) -> str:
    """The event that had some of these picks, of those that go on with others."""
    shared = {event.id: len(event.picks.intersection(picks)) for event in known if event.id in goes_on}
    most = min(shared, key=lambda event: (-shared[event], event), default="")
    return most if most and shared[most] else ""


def event_id(region: str, anchor: str) -> str:
    """For life: of the region and the earliest P of the first declaration, which is the same in whichever order picks
    come as long as that one is among them; the smallest of all ids would change with each."""
    return hashlib.sha256(f"{region}/{anchor}".encode()).hexdigest()[:16]


def content_of(association: Association) -> tuple[object, ...]:
    """What makes a new revision when it changes."""
    return tuple((each.pick.id, each.phase) for each in association.picks)
