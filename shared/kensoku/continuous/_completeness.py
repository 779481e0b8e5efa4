"""When a second of an instrument is complete: decided from what arrived, and when, never from a clock of ours."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from kensoku.continuous._grid import RATE_HZ
from kensoku.continuous._timeline import Timeline

STEP = RATE_HZ  # samples: each second is looked at once
DECIDED_LATER = 3 * STEP  # than the second of an onset comes the one that decides it: 2 s at most, and one begun
ALL = (0, 1, 2)
MOST_WAITING = 10_000  # new ends under stamps that do not move on, before all that has come is complete


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A second of one instrument that is complete, or that waited long enough: what has not come by now is missing."""

    timeline: Timeline
    end: int  # sample after its last, a multiple of STEP
    arrival_ns: int = 0  # stamp of the packet that completed it
    is_again: bool = False  # late samples have come, so it is looked at again
    is_known: bool = False  # looked at before a restart: nothing of it needs to be told

    @property
    def start(self) -> int:
        return self.end - STEP


class Completeness:
    """Of one instrument. Its own channels, and the stamps on what its station sends, decide."""

    __slots__ = (
        "_first_arrival_ns", "_first_index", "_hold_ns", "_reached", "_reached_to", "evaluated_to", "known_to",
        "reached_ns", "timeline",
    )  # fmt: skip

    def __init__(self, timeline: Timeline, hold_ns: int, known_to: int = 0) -> None:
        self.timeline = timeline
        self.evaluated_to = 0  # the sample before which all steps were given out; 0 before the first
        self.known_to = known_to
        self._reached_to = 0
        self.reached_ns = 0  # stamp of the packet that reached this end, the newest
        self._hold_ns = hold_ns
        self._first_arrival_ns = 0
        self._first_index = 0
        self._reached: deque[tuple[int, int]] = deque()  # each new end, and the stamp of the packet that reached it

    def begin(self, first: int, arrival_ns: int) -> None:
        """The first samples ever, or after a gap so long that nothing before them is waited for."""
        self.evaluated_to = self._first_index = first // STEP * STEP
        self._first_arrival_ns = arrival_ns
        self._reached.clear()

    def arrived(self, first: int, arrival_ns: int) -> None:
        """Samples from `first` on were written."""
        if first < self.evaluated_to == self._first_index:
            self.evaluated_to = self._first_index = first // STEP * STEP  # nothing was given out yet
        end = self.timeline.end
        if end > self._reached_to:
            self._reached.append((end, arrival_ns))
            self._reached_to, self.reached_ns = end, arrival_ns

    def complete(self, arrival_ns: int) -> Iterator[Step]:
        """Steps that are complete once the newest stamp is this one."""
        while self._is_complete(self.evaluated_to + STEP, arrival_ns):
            yield self._next(arrival_ns)

    def rest(self, arrival_ns: int) -> Iterator[Step]:
        """All that has begun, when nothing more is waited for."""
        while self.evaluated_to < self.timeline.end:
            yield self._next(arrival_ns)

    def again(self, first: int, last: int, arrival_ns: int) -> Iterator[Step]:
        """Steps in which onsets of a stretch are decided, as far as they were given out before."""
        start = max(first // STEP * STEP, self._first_index)
        latest = min(-(-last // STEP) * STEP + DECIDED_LATER, self.evaluated_to)
        for end in range(start + STEP, latest + STEP, STEP):
            if end <= self.evaluated_to:
                yield Step(self.timeline, end, arrival_ns, is_again=True)

    def _next(self, arrival_ns: int) -> Step:
        self.evaluated_to += STEP
        while self._reached and self._reached[0][0] < self.evaluated_to + STEP:
            self._reached.popleft()
        return Step(self.timeline, self.evaluated_to, arrival_ns, is_known=self.evaluated_to <= self.known_to)

    def _is_complete(self, end: int, arrival_ns: int) -> bool:
        if self.timeline.end < end:
            return False
        first_reached_ns = next((stamp for reached, stamp in self._reached if reached >= end), arrival_ns)
        if arrival_ns > first_reached_ns + self._hold_ns or len(self._reached) > MOST_WAITING:
            return True
        if arrival_ns <= self._first_arrival_ns + self._hold_ns:
            return False  # of what was on its way first, something earlier may come
        return self.timeline.is_covered(self._awaited(end), end - STEP, end)

    def _awaited(self, end: int) -> tuple[int, ...]:
        """All that is live. Within the first minute nobody knows what will be, so all three."""
        live = self.timeline.live(end)
        return live if len(live) == len(ALL) or end - self._first_index > 60 * RATE_HZ else ALL
