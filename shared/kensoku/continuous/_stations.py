"""What is held of a station: its instruments, and from where on each is still needed."""

from collections import deque

from kensoku.continuous._completeness import Completeness
from kensoku.continuous._instruments import Instrument
from kensoku.continuous._timeline import Timeline

Position = tuple[str, int]  # where in a log a packet stood; batch commands have one only
NOT_HELD = 1 << 62


class Station:
    __slots__ = ("instruments", "key", "position", "stamp_ns")

    def __init__(self, key: str, position: Position) -> None:
        self.key = key
        self.position = position
        self.stamp_ns = 0
        self.instruments: dict[Instrument, Listened] = {}


class Listened:
    __slots__ = ("completeness", "held_from", "kept_from", "marks", "stamp_ns", "timeline")

    def __init__(self, instrument: Instrument, hold_ns: int, known_to: int) -> None:
        self.timeline = Timeline(instrument)
        self.completeness = Completeness(self.timeline, hold_ns, known_to)
        self.stamp_ns = 0  # of its newest packet
        self.held_from = NOT_HELD  # nothing that a step from here on needs may go
        self.kept_from = NOT_HELD  # nor this, which does not count as not looked at
        self.marks: deque[tuple[int, int]] = deque()  # offsets of packets, and the ends of their samples

    def mark(self, offset: int, end: int) -> None:
        if self.marks and self.marks[-1][0] == offset:
            end = max(end, self.marks.pop()[1])
        self.marks.append((offset, end))
