"""What all regions have told: one's own, to go on with it; the others', to tell no earthquake twice."""

from collections.abc import Callable, Iterable, Iterator

from google.protobuf.message import DecodeError

from kensoku.bus import Bus, Message
from kensoku.v1.association_pb2 import AssociatedPick, Association
from kensoku.v1.pick_pb2 import Pick

ASSOCIATIONS = "associations"
BEAT_EVERY = 1000  # messages
State = tuple[int, int]  # revision and owner_epoch
NEVER: State = (-1, 0)


class Memory:
    """Of each event its first and its last state, of those that were told since the last assignment the last alone; as
    bytes, since a message takes twice their room, and keeps that of what is taken out of it."""

    def __init__(self, bus: Bus, most: int, beat: Callable[[], None] = lambda: None) -> None:
        self._bus, self._most, self._beat = bus, most, beat
        self._news = bus.news(ASSOCIATIONS)
        self._own: dict[str, dict[str, tuple[bytes, bytes]]] = {}  # by region and event; the first is in short
        self._last: dict[str, tuple[State, bytes]] = {}  # by event, of its picks what neighbours need alone

    def read_back(self, since_ns: int, is_own: Callable[[str], bool]) -> None:
        """What was told up to now."""
        self._own, self._last = {}, {}
        for number, (told, whole) in enumerate(_decoded(self._bus.read(ASSOCIATIONS, start=since_ns))):
            self._beat_at(number)
            short = self._note(told)
            if is_own(told.region):
                events = self._own.setdefault(told.region, {})
                first = events[told.event_id][0] if told.event_id in events else short.SerializeToString()
                events[told.event_id] = first, whole

    def take_own(self, region: str) -> Iterator[Association]:
        """Once: who asks keeps it."""
        events = self._own.pop(region, {})
        for number, event_id in enumerate(list(events)):
            self._beat_at(number)
            first, last = map(Association.FromString, events.pop(event_id))
            yield from [first, last] if state_of(first) != state_of(last) else [last]

    def all_last(self) -> Iterator[Association]:
        for number, (_, short) in enumerate(list(self._last.values())):
            self._beat_at(number)
            yield Association.FromString(short)

    def news(self) -> list[Association]:
        """What was told since one looked last."""
        return [self._note(told) for told, _ in _decoded(self._news.read())]

    def _note(self, told: Association) -> Association:
        short, state = Association(), state_of(told)
        short.CopyFrom(told)
        del short.picks[:], short.silent[:]
        short.picks.extend(map(_short, told.picks))
        if self._last.get(told.event_id, (NEVER, b""))[0] < state:
            self._last.pop(told.event_id, None)
            self._last[told.event_id] = state, short.SerializeToString()
        while len(self._last) > self._most:
            del self._last[next(iter(self._last))]
        return short

    def _beat_at(self, number: int) -> None:
        if number % BEAT_EVERY == 0:
            self._beat()


def state_of(told: Association) -> State:
    return told.revision, told.owner_epoch


def _short(one: AssociatedPick) -> AssociatedPick:
    """By which it is heard, and how well it suits."""
    pick = Pick(id=one.pick.id, instrument=one.pick.instrument)
    return AssociatedPick(pick=pick, residual_s=one.residual_s, probability=one.probability)


def _decoded(messages: Iterable[Message]) -> Iterator[tuple[Association, bytes]]:
    for message in messages:
        whole = message.value or b""
        try:
            yield Association.FromString(whole), whole
        except DecodeError:
            continue  # somebody else's rubbish
