"""Which offset is the oldest still needed: what a service passes to `Stream.commit`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kensoku.bus._interface import Position

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Need:
    position: Position
    offset: int  # the oldest message this key's state was built from
    event_ns: int  # event time of the newest


class NeededPositions:
    """Every key (a station, an open event) holds its position until it needs less, lets go, or falls silent too long.

    Times are event times, so a replay of old data gives the same commits as the live run did.
    """

    def __init__(self, lateness_s: float) -> None:
        self._lateness_ns = int(lateness_s * NS_PER_S)
        self._next: dict[Position, int] = {}
        self._needs: dict[str, Need] = {}

    def advance(self, position: Position, next_offset: int) -> None:
        """Everything before `next_offset` was read."""
        self._next[position] = max(next_offset, self._next.get(position, 0))

    def need(self, key: str, position: Position, offset: int, event_ns: int) -> None:
        """Replaces what the key needed before."""
        self._needs[key] = Need(position, offset, event_ns)

    def release(self, key: str) -> None:
        self._needs.pop(key, None)

    def forget(self, positions: Iterable[Position]) -> None:
        """They belong to another member now."""
        gone = frozenset(positions)
        self._next = {position: offset for position, offset in self._next.items() if position not in gone}
        self._needs = {key: need for key, need in self._needs.items() if need.position not in gone}

    def oldest(self, event_ns: int) -> Mapping[Position, int]:
        """By position, given the event time that the caller's watermark has reached.

        A key silent for longer than the lateness no longer counts: what it may still send is late anyway, and a dead
        station must not make every restart read for hours.
        """
        oldest = dict(self._next)
        for key in [key for key, need in self._needs.items() if need.event_ns < event_ns - self._lateness_ns]:
            del self._needs[key]
        for need in self._needs.values():
            oldest[need.position] = min(need.offset, oldest.get(need.position, need.offset))
        return oldest
