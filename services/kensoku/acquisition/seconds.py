"""From stretches of many files to what each station recorded in each second, all stations in the order of time.

Seconds are those of the clock, so one network's packets begin and end together whatever the files look like. The order
(second, station) is the same in every run over the same files, which is what makes the saved position exact.
"""

import math
from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from kensoku.acquisition.waveform_files import Fault, Piece, Segment, Stretch
from kensoku.packets import EARLIEST_NS, LATEST_NS, ChannelSamples

SECOND_NS = 10**9
Reader = Callable[[Stretch], Iterator[Piece]]


@dataclass(frozen=True, slots=True)
class StationSecond:
    """What one station recorded in one second; gaps and overlaps are left as they are."""

    second: int  # since 1970-01-01 UTC
    network: str
    station: str
    channels: tuple[ChannelSamples, ...]

    @property
    def key(self) -> str:
        return f"{self.network}.{self.station}"

    @property
    def end_ns(self) -> int:
        return (self.second + 1) * SECOND_NS


@dataclass(frozen=True, slots=True)
class Span:
    """The times that are wanted: from the first, up to but without the second."""

    start_ns: int = EARLIEST_NS
    end_ns: int = LATEST_NS

    def touches(self, start_ns: int, end_ns: int) -> bool:
        return end_ns >= self.start_ns and start_ns < self.end_ns


def station_seconds(stretches: Iterable[Stretch], read: Reader, span: Span) -> Iterator[StationSecond | Fault]:
    """Merge all stretches. In memory are at any time two pieces of each stretch that is being read."""
    wanted = [s for s in stretches if span.touches(s.start_ns, s.end_ns)]
    waiting = sorted(wanted, key=lambda s: (s.start_ns, s.path, s.offset), reverse=True)
    reading: list[_Reading] = []
    stations: dict[str, list[_Cursor]] = {}
    while True:
        next_ns = max(_earliest_ns(waiting, reading, stations), span.start_ns)
        if next_ns >= span.end_ns:
            return
        second = next_ns // SECOND_NS
        end_ns = min((second + 1) * SECOND_NS, span.end_ns)
        while waiting and waiting[-1].start_ns < end_ns:
            reading.append(_Reading(read(waiting.pop())))
        for source in reading:
            yield from _take_pieces(source, end_ns, span, stations)
        reading = [source for source in reading if not source.is_done]
        yield from _cut(stations, second, end_ns)


@dataclass(slots=True)
class _Cursor:
    """A segment and how many of its samples were taken."""

    order: tuple[str, str, int]  # location, code, start
    segment: Segment
    taken: int
    next_ns: int  # the time of the first that was not

    def __lt__(self, other: "_Cursor") -> bool:
        return self.order < other.order

    def take_until(self, end_ns: int) -> ChannelSamples | None:
        if self.next_ns >= end_ns:
            return None
        segment, first, start_ns = self.segment, self.taken, self.next_ns
        self.taken = index_at(segment, end_ns)
        self.next_ns = segment.time_ns(self.taken)
        samples = segment.samples[first : self.taken]
        return ChannelSamples(segment.location, segment.code, start_ns, segment.rate_hz, samples)


@dataclass(slots=True)
class _Reading:
    """A stretch that is being read, and the start of what was read last: nothing that follows begins earlier."""

    pieces: Iterator[Piece]
    frontier_ns: int = EARLIEST_NS
    is_done: bool = False


def _cursor(segment: Segment, taken: int) -> _Cursor:
    order = (segment.location, segment.code, segment.start_ns)
    return _Cursor(order, segment, taken, segment.time_ns(taken))


def index_at(segment: Segment, time_ns: int) -> int:
    """The first sample that is not before a time, by the same rounding to nanoseconds that gives samples their time."""
    index = math.ceil((time_ns - segment.start_ns) * segment.rate_hz / 1e9)
    index += segment.time_ns(index) < time_ns
    index -= segment.time_ns(index - 1) >= time_ns
    return min(max(index, 0), segment.samples.size)


def _take_pieces(source: _Reading, end_ns: int, span: Span, stations: dict[str, list[_Cursor]]) -> Iterator[Fault]:
    """Read on until what comes next cannot begin before `end_ns`."""
    while not source.is_done and source.frontier_ns < end_ns:
        piece = next(source.pieces, None)
        if piece is None:
            source.is_done = True
            return
        yield from (part for part in piece if isinstance(part, Fault))
        segments = [part for part in piece if isinstance(part, Segment)]
        if segments:
            source.frontier_ns = min(segment.start_ns for segment in segments)
        for segment in segments:
            taken = index_at(segment, span.start_ns)
            if taken < segment.samples.size and segment.start_ns < span.end_ns:
                cursor = _cursor(segment, taken)
                insort(stations.setdefault(f"{segment.network}.{segment.station}", []), cursor)


def _cut(stations: dict[str, list[_Cursor]], second: int, end_ns: int) -> Iterator[StationSecond]:
    for key in sorted(stations):
        cursors = stations[key]
        channels: list[ChannelSamples] = []
        for cursor in cursors:
            if (part := cursor.take_until(end_ns)) is not None:
                _join_or_append(channels, part)
        if not channels:
            continue
        yield StationSecond(second, cursors[0].segment.network, cursors[0].segment.station, tuple(channels))
        stations[key] = [cursor for cursor in cursors if cursor.taken < cursor.segment.samples.size]
        if not stations[key]:
            del stations[key]


def _join_or_append(channels: list[ChannelSamples], part: ChannelSamples) -> None:
    """Where one piece of a file ends and the next begins is nobody's business, if no sample lies between."""
    if channels and follows(channels[-1], part):
        last = channels.pop()
        samples = np.concatenate((last.samples, part.samples))
        part = ChannelSamples(last.location, last.code, last.start_ns, last.rate_hz, samples)
    channels.append(part)


def follows(first: ChannelSamples, then: ChannelSamples) -> bool:
    """Whether the next sample is where it should be; half a sample of jitter is no gap."""
    is_same = (first.location, first.code, first.rate_hz) == (then.location, then.code, then.rate_hz)
    if not is_same or first.samples.dtype != then.samples.dtype:
        return False
    expected_ns = first.start_ns + round(first.samples.size * 1e9 / first.rate_hz)
    return abs(then.start_ns - expected_ns) < 0.5e9 / first.rate_hz


def _earliest_ns(waiting: list[Stretch], reading: list[_Reading], stations: dict[str, list[_Cursor]]) -> int:
    times = [cursor.next_ns for cursors in stations.values() for cursor in cursors]
    times += [source.frontier_ns for source in reading]
    times += [stretch.start_ns for stretch in waiting[-1:]]
    return min(times, default=LATEST_NS)
