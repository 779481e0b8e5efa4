"""The events that were published: the last revision of each, and whose waves were on the ground when."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kensoku.solving._check import GONE
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import Event
from kensoku.v1.pick_pb2 import Instrument

State = tuple[int, int]  # revision and owner_epoch of a candidate
MINUTE_NS = 60 * 10**9
FORGOTTEN = 20  # ids of forgotten events for each that is remembered: 30 MB beside 10,000
NEVER: State = (0, 0)


@dataclass(frozen=True, slots=True)
class Onset:
    pick_id: str
    station: str  # NET.STA
    onset_ns: int


@dataclass(slots=True)
class _Entry:
    state: State  # the last that was looked at
    message: bytes = b""  # of the last revision; empty: nothing was published
    onsets: tuple[Onset, ...] = ()


def _nothing(event_id: str) -> Event | None:
    return None


class Book:
    """Of so many events at the most; those that were not touched for longest are forgotten first, and asked for again
    (`recall`) when a later state of such a candidate comes."""

    def __init__(self, most: int = 10_000, recall: Callable[[str], Event | None] = _nothing) -> None:
        self._most, self._recall = most, recall
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._by_minute: defaultdict[int, set[str]] = defaultdict(set)
        self._forgotten: OrderedDict[str, None] = OrderedDict()  # ids of which the first state may come a second time

    def __len__(self) -> int:
        return len(self._entries)

    def is_known(self, association: Association) -> bool:
        """Whether this state of the candidate, or a later one, was looked at."""
        return state_of(association) <= self._entry(association).state

    def before(self, event_id: str) -> Event | None:
        entry = self._entries.get(event_id)
        return Event.FromString(entry.message) if entry and entry.message else None

    def note(self, association: Association) -> None:
        """This state was looked at."""
        entry = self._entry(association)
        entry.state = max(entry.state, state_of(association))
        self._entries.move_to_end(association.event_id)
        self._forget()

    def expect(self, association: Association) -> None:
        """This candidate will be looked at: its waves are on the ground for those that are before."""
        entry = self._entries.setdefault(association.event_id, _Entry(NEVER))
        self._enter_minutes(association.event_id, entry, _expected_onsets(association))

    def keep(self, event: Event) -> None:
        """This revision is published, unless a later one was."""
        old = self.before(event.id)
        if old is not None and (old.revision, old.owner_epoch) > (event.revision, event.owner_epoch):
            return
        state = event.provenance.association_revision, event.owner_epoch
        entry = self._entries.setdefault(event.id, _Entry(NEVER))
        entry.state, entry.message = max(entry.state, state), event.SerializeToString()
        self._enter_minutes(event.id, entry, () if event.status in GONE else _onsets(event))
        self._entries.move_to_end(event.id)
        self._forget()

    def others_ns(self, association: Association) -> Mapping[str, Sequence[int]]:
        """By station, onsets of other events within a minute or two of this candidate's picks; its own are not among
        them, also where another event has claimed them before."""
        own = {associated.pick.id for associated in association.picks}
        minutes = {associated.pick.onset_ns // MINUTE_NS for associated in association.picks}
        near = {minute + step for minute in minutes for step in (-1, 0, 1)}
        events = {event_id for minute in near for event_id in self._by_minute.get(minute, ())} - {association.event_id}
        found: dict[str, set[int]] = {}
        for event_id in events:
            for onset in self._entries[event_id].onsets:
                if onset.pick_id not in own and onset.onset_ns // MINUTE_NS in near:
                    found.setdefault(onset.station, set()).add(onset.onset_ns)
        return {station: sorted(onsets) for station, onsets in found.items()}

    def _entry(self, association: Association) -> _Entry:
        entry = self._entries.get(association.event_id)
        if entry is None:
            may_be_forgotten = association.revision > 1 or association.event_id in self._forgotten
            if may_be_forgotten and (event := self._recall(association.event_id)) is not None:
                self.keep(event)
            entry = self._entries.setdefault(association.event_id, _Entry(NEVER))
        return entry

    def _forget(self) -> None:
        while len(self._entries) > self._most:
            event_id, entry = self._entries.popitem(last=False)
            self._leave_minutes(event_id, entry)
            if entry.message:
                self._forgotten[event_id] = None
        while len(self._forgotten) > FORGOTTEN * self._most:
            self._forgotten.popitem(last=False)

    def _enter_minutes(self, event_id: str, entry: _Entry, onsets: tuple[Onset, ...]) -> None:
        self._leave_minutes(event_id, entry)
        entry.onsets = onsets
        for onset in onsets:
            self._by_minute[onset.onset_ns // MINUTE_NS].add(event_id)

    def _leave_minutes(self, event_id: str, entry: _Entry) -> None:
        for onset in entry.onsets:
            minute = onset.onset_ns // MINUTE_NS
            self._by_minute[minute].discard(event_id)
            if not self._by_minute[minute]:
                del self._by_minute[minute]


def state_of(association: Association) -> State:
    return association.revision, association.owner_epoch


def _onsets(event: Event) -> tuple[Onset, ...]:
    return tuple(
        Onset(arrival.pick_id, _station(arrival.instrument), arrival.onset_ns)
        for arrival in event.arrivals
        if not arrival.is_outlier
    )


def _expected_onsets(association: Association) -> tuple[Onset, ...]:
    return tuple(
        Onset(each.pick.id, _station(each.pick.instrument), each.measurement.onset_ns or each.pick.onset_ns)
        for each in association.picks
    )


def _station(instrument: Instrument) -> str:
    return f"{instrument.network}.{instrument.station}"
