"""What all regions have told: one's own, to go on with it; the others', to tell no earthquake twice."""

from collections.abc import Callable, Iterable, Iterator

from google.protobuf.message import DecodeError

from kensoku.bus import Bus, Message
from kensoku.v1.association_pb2 import AssociatedPick, Association
from kensoku.v1.pick_pb2 import Pick

ASSOCIATIONS = "associations"
State = tuple[int, int]  # revision and owner_epoch
NEVER: State = (-1, 0)


class Memory:
    """Of each event its first and its last state, of those that were told since the last assignment the last alone."""

    def __init__(self, bus: Bus, most: int) -> None:
        self._bus, self._most = bus, most
        self._news = bus.news(ASSOCIATIONS)
        self._own: dict[str, dict[str, list[Association]]] = {}  # by region and event
        self._last: dict[str, tuple[State, bytes]] = {}  # by event, of its picks what neighbours need alone

    def read_back(self, since_ns: int, is_own: Callable[[str], bool]) -> None:
        """What was told up to now."""
        self._own, self._last = {}, {}
        for told in _decoded(self._bus.read(ASSOCIATIONS, start=since_ns)):
            self._note(told)
            if not is_own(told.region):
                continue
            states = self._own.setdefault(told.region, {}).setdefault(told.event_id, [])
            states[1:] = [told]

    def take_own(self, region: str) -> list[Association]:
        """Once: who asks keeps it."""
        return [state for states in self._own.pop(region, {}).values() for state in states]

    def all_last(self) -> Iterator[Association]:
        return (Association.FromString(short) for _, short in list(self._last.values()))

    def news(self) -> list[Association]:
        """What was told since one looked last."""
        return [self._note(told) for told in _decoded(self._news.read())]

    def _note(self, told: Association) -> Association:
        short, state = Association(), (told.revision, told.owner_epoch)
        short.CopyFrom(told)
        del short.picks[:], short.silent[:]
        short.picks.extend(map(_short, told.picks))
        if self._last.get(told.event_id, (NEVER, b""))[0] < state:
            self._last.pop(told.event_id, None)
            self._last[told.event_id] = state, short.SerializeToString()  # a message keeps room for what it has lost
        while len(self._last) > self._most:
            del self._last[next(iter(self._last))]
        return short


def _short(one: AssociatedPick) -> AssociatedPick:
    """By which it is heard, and how well it suits."""
    pick = Pick(id=one.pick.id, instrument=one.pick.instrument)
    return AssociatedPick(pick=pick, residual_s=one.residual_s, probability=one.probability)


def _decoded(messages: Iterable[Message]) -> Iterator[Association]:
    for message in messages:
        try:
            yield Association.FromString(message.value or b"")
        except DecodeError:
            continue  # somebody else's rubbish
