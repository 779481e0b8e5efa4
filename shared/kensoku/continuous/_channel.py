"""What one channel has recorded lately, each sample at its place, whatever pieces it came in."""

from bisect import bisect_right
from typing import NamedTuple

import numpy as np

from kensoku.continuous._grid import RATE_HZ
from kensoku.continuous._rate import NS_PER_S, FloatArray, Rate, rate_of
from kensoku.packets import ChannelSamples

ROOM_S = 64  # seconds that are made room for at a time
SAME_CLOCK_S = 60  # for so long the next sample is expected where the last ones were
GAP = 750  # thousandths of a sample after which a piece does not go on where the one before it ended
NEVER = 1 << 62
CLOCK_PIECES = 16  # whose mean says how far the clock is beside the grid

Ranges = list[tuple[int, int]]  # first sample, and the one after the last


class Clock(NamedTuple):
    """What the newest pieces say: start of the newest one, number of the sample after it, and how much later than the
    grid their mean is."""

    start_ns: int
    end: int
    beside_ns: int
    pieces: int

    def is_same(self, start_ns: int) -> bool:
        return abs(start_ns - self.start_ns) < SAME_CLOCK_S * NS_PER_S


class Channel:
    """Of one code and rate. Samples are numbered from 1970 at the channel's own rate, and asked for at 100 Hz."""

    __slots__ = (
        "_base", "_blocks", "_clock", "_covered", "_floor", "_offsets", "_values", "begin", "code", "end", "rate",
        "rate_hz",
    )  # fmt: skip

    def __init__(self, code: str, rate_hz: float) -> None:
        self.code = code
        self.rate: Rate = rate_of(rate_hz)
        self.rate_hz = rate_hz  # as the first piece had it
        self.begin = NEVER  # the first sample at 100 Hz
        self.end = 0  # the one after the newest
        self._values: FloatArray = np.empty(0, dtype=np.float32)
        self._base = 0  # number of the first of the values
        self._floor = 0  # what comes before it is needed no more
        self._covered: Ranges = []
        self._offsets: list[tuple[int, int]] = []  # from which sample on the clock is how far beside the grid, ns
        self._clock: Clock | None = None
        self._blocks: dict[int, FloatArray] = {}  # at 100 Hz, where that is not the own rate

    def is_of(self, piece: ChannelSamples) -> bool:
        return self.code == piece.code and (self.rate_hz == piece.rate_hz or self.rate.is_same(rate_of(piece.rate_hz)))

    @property
    def is_in_use(self) -> bool:
        return bool(self._covered)

    def place(self, start_ns: int) -> int:
        """The number of a piece's first sample. Jitter of up to half a sample around the clock makes no gap, one of a
        whole sample is one."""
        number, clock = self.rate.index_of(start_ns), self._clock
        if clock is not None and clock.is_same(start_ns):
            later = self.rate.thousandths_in(start_ns - clock.beside_ns - self.rate.time_of(clock.end))
            expected = clock.end + (0 if abs(later) < GAP else round(later / 1000))
            if abs(expected - number) == 1:
                return expected
        return number

    def write(self, piece: ChannelSamples, oldest: int, until: int) -> Ranges:
        """New samples from `oldest` to before `until` take their places; where there were none, at 100 Hz."""
        first = self.place(piece.start_ns)
        last = first + piece.samples.size
        free = self._free(max(first, self._own(oldest)), min(last, self._own(until)))
        if not free:
            return []
        self._make_room(free[0][0], free[-1][1])
        values = piece.samples.astype(np.float32)
        if piece.samples.dtype.kind == "f":
            values[~np.isfinite(values)] = np.nan
        for low, high in free:
            self._values[low - self._base : high - self._base] = values[low - first : high - first]
            self._cover(low, high)
            self._set_offset(low, piece.start_ns - self.rate.time_of(first))
        self._follow(piece.start_ns, first, last)
        self.begin = min(self.begin, self.rate.at_100_hz(free[0][0]))
        self.end = self.rate.at_100_hz(self._covered[-1][1])
        self._outdate(free)
        return [(self.rate.at_100_hz(low), self.rate.at_100_hz(high)) for low, high in free]

    def _follow(self, start_ns: int, first: int, end: int) -> None:
        clock, beside_ns, pieces = self._clock, start_ns - self.rate.time_of(first), 1
        if clock is not None and start_ns <= clock.start_ns:
            return
        if clock is not None and clock.is_same(start_ns):
            moved_ns = beside_ns - clock.beside_ns
            if abs(self.rate.thousandths_in(moved_ns)) <= GAP:  # else it was set
                pieces = min(clock.pieces + 1, CLOCK_PIECES)
                beside_ns = clock.beside_ns + moved_ns // pieces
        self._clock = Clock(start_ns, end, beside_ns, pieces)

    def is_covered(self, first: int, last: int) -> bool:
        """Whether all of these samples, at 100 Hz, have come; or the channel has said that it has none."""
        low, high = self._own(first), self.rate.newest_for(last - 1) + 1
        place = bisect_right(self._covered, (low, 1 << 62)) - 1
        return place >= 0 and self._covered[place][1] >= high

    def has_any(self, first: int, last: int) -> bool:
        """Whether any of these samples, at 100 Hz, has come."""
        low, high = self._own(first), self.rate.newest_for(last - 1) + 1
        return any(start < high and end > low for start, end in self._covered)

    def read_into(self, row: FloatArray, first: int) -> None:
        """Fill a row of NaN with the samples from `first` on, at 100 Hz."""
        if self.rate.is_own:
            self._copy(row, first)
            return
        size = self.rate.block
        for number in range(first // size, (first + len(row) - 1) // size + 1):
            start = number * size - first
            low, high = max(start, 0), min(start + size, len(row))
            row[low:high] = self._block(number)[low - start : high - start]

    def as_recorded(self, first: int, last: int) -> FloatArray:
        """At its own rate: the samples that those at 100 Hz from `first` to before `last` are made of."""
        low = self._own(first)
        row = np.full(max(self._own(last) - low, 0), np.nan, dtype=np.float32)
        self._copy(row, low)
        return row

    def offset_ns(self, index: int) -> int:
        """How much later than the grid says the clock took this sample."""
        place = bisect_right(self._offsets, (self.rate.newest_for(index), 1 << 62)) - 1
        return self._offsets[max(place, 0)][1] if self._offsets else 0

    def forget(self, before: int) -> None:
        """What is older may go."""
        self._floor = max(self._floor, self._own(before) - self.rate.memory)
        while self._covered and self._covered[0][1] <= self._floor:
            del self._covered[0]
        while len(self._offsets) > 1 and self._offsets[1][0] <= self._floor:
            del self._offsets[0]
        for number in [number for number in self._blocks if (number + 1) * self.rate.block <= before]:
            del self._blocks[number]

    def _own(self, index: int) -> int:
        """The first own sample that is not before this one at 100 Hz."""
        return -(-index * self.rate.down // self.rate.up)

    def _free(self, first: int, last: int) -> Ranges:
        """The parts of a stretch that no piece has filled yet."""
        if first >= last:
            return []
        if not self._covered or first >= self._covered[-1][1]:
            return [(first, last)]
        free = []
        for start, end in self._covered:
            if first < start:
                free.append((first, min(start, last)))
            first = max(first, end)
            if first >= last:
                return [part for part in free if part[0] < part[1]]
        return [part for part in [*free, (first, last)] if part[0] < part[1]]

    def _cover(self, first: int, last: int) -> None:
        if self._covered and self._covered[-1][1] == first:
            self._covered[-1] = (self._covered[-1][0], last)
            return
        joined: Ranges = []
        for start, end in sorted([*self._covered, (first, last)]):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))
        self._covered = joined

    def _set_offset(self, first: int, offset_ns: int) -> None:
        place = bisect_right(self._offsets, (first, 1 << 62))
        if place and self._offsets[place - 1][1] == offset_ns:
            return
        self._offsets.insert(place, (first, offset_ns))

    def _make_room(self, first: int, last: int) -> None:
        if len(self._values) and self._base <= first and last <= self._base + len(self._values):
            return
        kept_from = max(self._base, self._floor) if len(self._values) else first
        base = min(first, kept_from)
        end = max(last, self._covered[-1][1] if self._covered else last)
        room = ROOM_S * RATE_HZ * self.rate.down // self.rate.up
        values = np.full(end - base + room, np.nan, dtype=np.float32)
        kept = self._values[kept_from - self._base : max(end - self._base, 0)]
        values[kept_from - base : kept_from - base + len(kept)] = kept
        self._values, self._base = values, base

    def _copy(self, row: FloatArray, first: int) -> None:
        low = max(first, self._base)
        high = min(first + len(row), self._base + len(self._values))
        if low < high:
            row[low - first : high - first] = self._values[low - self._base : high - self._base]

    def _block(self, number: int) -> FloatArray:
        if (block := self._blocks.get(number)) is None:
            first = number * self.rate.block * self.rate.down // self.rate.up
            size = self.rate.block * self.rate.down // self.rate.up
            given = np.full(self.rate.memory + size, np.nan, dtype=np.float32)
            self._copy(given, first - self.rate.memory)
            block = self._blocks[number] = self.rate.resample(given)
        return block

    def _outdate(self, ranges: Ranges) -> None:
        """Blocks that were computed from what has changed."""
        if not self._blocks:
            return
        size = self.rate.block * self.rate.down // self.rate.up
        for low, high in ranges:
            for number in range(low // size, (high - 1 + self.rate.memory) // size + 1):
                self._blocks.pop(number, None)
