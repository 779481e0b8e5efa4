"""From stretches of many files to what each station recorded in each second, all stations in the order of time.

Seconds are those of the clock, so one network's packets begin and end together whatever the files look like. The order
(second, station) is the same in every run over the same files, which is what makes the saved position exact. Where
nobody waits for each second, several go together: then `second` is the first of them, a multiple of their number.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.acquisition.waveform_files import Fault, Piece, Segment, Stretch
from kensoku.packets import EARLIEST_NS, LATEST_NS, ChannelSamples

SECOND_NS = 10**9
END = LATEST_NS // SECOND_NS  # the second after all others
Int64Array = npt.NDArray[np.int64]
Reader = Callable[[Stretch], Iterator[Piece]]


@dataclass(frozen=True, slots=True)
class StationSecond:
    """What one station recorded in one second, or in several; gaps and overlaps are left as they are."""

    second: int  # since 1970-01-01 UTC
    network: str
    station: str
    channels: tuple[ChannelSamples, ...]
    seconds: int = 1
    delay_ns: int = 0  # how much later than its end it comes

    @property
    def key(self) -> str:
        return f"{self.network}.{self.station}"

    @property
    def end_ns(self) -> int:
        return (self.second + self.seconds) * SECOND_NS

    @property
    def due_ns(self) -> int:
        return self.end_ns + self.delay_ns

    @property
    def due_second(self) -> int:
        """That in which a packet without delay began that comes when this one does."""
        return self.due_ns // SECOND_NS - self.seconds


@dataclass(frozen=True, slots=True)
class Span:
    """The times that are wanted: from the first, up to but without the second."""

    start_ns: int = EARLIEST_NS
    end_ns: int = LATEST_NS

    def touches(self, start_ns: int, end_ns: int) -> bool:
        return end_ns >= self.start_ns and start_ns < self.end_ns


def station_seconds(
    stretches: Iterable[Stretch], read: Reader, span: Span, at_once: int = 1
) -> Iterator[StationSecond | Fault]:
    """Merge all stretches. In memory are at any time two pieces of each stretch that is being read."""
    wanted = [s.since(span.start_ns) for s in stretches if span.touches(s.start_ns, s.end_ns)]
    waiting = sorted(wanted, key=lambda s: (s.start_ns, s.path, s.offset), reverse=True)
    reading: list[_Reading] = []
    stations: dict[str, list[_Cursor]] = {}
    while True:
        second = max(_earliest(waiting, reading, stations), span.start_ns // SECOND_NS) // at_once * at_once
        if second * SECOND_NS >= span.end_ns:
            return
        end_ns = (second + at_once) * SECOND_NS
        while waiting and waiting[-1].start_ns < end_ns:
            reading.append(_Reading(read(waiting.pop())))
        for source in reading:
            yield from _take_pieces(source, end_ns, span, at_once, stations)
        reading = [source for source in reading if not source.is_done]
        yield from _cut(stations, second, at_once)


# --- one segment ------------------------------------------------------------------------------------------------------


def slices(segment: Segment, span: Span, at_once: int) -> Iterator[tuple[int, ChannelSamples]]:
    """The part of a segment in each so many seconds, and the first of them."""
    first, last = indices_at(segment, np.array([span.start_ns, span.end_ns])).tolist()
    if first >= last:
        return
    step_ns = at_once * SECOND_NS
    steps = np.arange(segment.time_ns(first) // step_ns, segment.time_ns(last - 1) // step_ns + 1)
    stops = np.minimum(indices_at(segment, (steps + 1) * step_ns), last)
    starts = np.concatenate(([first], stops[:-1]))
    starts_ns = _times_ns(segment, starts)
    location, code, rate_hz, samples = segment.location, segment.code, segment.rate_hz, segment.samples
    for second, start, stop, start_ns in zip(
        (steps * at_once).tolist(), starts.tolist(), stops.tolist(), starts_ns.tolist(), strict=True
    ):
        if start < stop:
            yield second, ChannelSamples(location, code, start_ns, rate_hz, samples[start:stop])


def indices_at(segment: Segment, times_ns: Int64Array) -> Int64Array:
    """The first sample that is not before each time, by the same rounding to nanoseconds that gives samples theirs."""
    size = segment.samples.size
    estimates = np.ceil((times_ns - segment.start_ns) * segment.rate_hz / 1e9)
    indices: Int64Array = np.clip(estimates, 0, size).astype(np.int64)
    indices += (indices < size) & (_times_ns(segment, indices) < times_ns)
    indices -= (indices > 0) & (_times_ns(segment, indices - 1) >= times_ns)
    return indices


def _times_ns(segment: Segment, indices: Int64Array) -> Int64Array:
    since_start: Int64Array = np.rint(indices * 1e9 / segment.rate_hz).astype(np.int64)
    return since_start + segment.start_ns


# --- all of them ------------------------------------------------------------------------------------------------------


class _Cursor:
    """A segment of which some seconds were taken: the next second, and what is in it."""

    __slots__ = ("_rest", "order", "part", "second")

    def __init__(self, segment: Segment, span: Span, at_once: int) -> None:
        self.order = (segment.location, segment.code, segment.start_ns)
        self._rest = slices(segment, span, at_once)
        self.part: ChannelSamples | None = None
        self.second = END
        self.advance()

    def advance(self) -> None:
        self.second, self.part = next(self._rest, (END, None))

    def __lt__(self, other: "_Cursor") -> bool:
        return self.order < other.order


@dataclass(slots=True)
class _Reading:
    """A stretch that is being read, and the start of what was read last: nothing that follows begins earlier."""

    pieces: Iterator[Piece]
    frontier_ns: int = EARLIEST_NS
    is_done: bool = False


def _earliest(waiting: list[Stretch], reading: list[_Reading], stations: dict[str, list[_Cursor]]) -> int:
    """The next second in which there may be samples."""
    seconds = [cursor.second for cursors in stations.values() for cursor in cursors]
    seconds += [source.frontier_ns // SECOND_NS for source in reading]
    seconds += [stretch.start_ns // SECOND_NS for stretch in waiting[-1:]]
    return min(seconds, default=END)


def _take_pieces(
    source: _Reading, end_ns: int, span: Span, at_once: int, stations: dict[str, list[_Cursor]]
) -> Iterator[Fault]:
    """Read on until what comes next cannot begin before `end_ns`."""
    while not source.is_done and source.frontier_ns < end_ns:
        piece = next(source.pieces, None)
        if piece is None:
            source.is_done = True
            return
        yield from (part for part in piece if isinstance(part, Fault))
        segments = [part for part in piece if isinstance(part, Segment)]
        source.frontier_ns = min((segment.start_ns for segment in segments), default=source.frontier_ns)
        for segment in segments:
            cursor = _Cursor(segment, span, at_once)
            if cursor.part is not None:
                insort(stations.setdefault(segment.station_key, []), cursor)


def _cut(stations: dict[str, list[_Cursor]], second: int, at_once: int) -> Iterator[StationSecond]:
    for key in sorted(stations):
        channels: list[ChannelSamples] = []
        for cursor in stations[key]:
            if cursor.second == second and cursor.part is not None:
                _join_or_append(channels, cursor.part)
                cursor.advance()
        if channels:
            network, _, station = key.partition(".")
            yield StationSecond(second, network, station, tuple(channels), at_once)
            stations[key] = [cursor for cursor in stations[key] if cursor.part is not None]
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
    if first.code != then.code or first.location != then.location or first.rate_hz != then.rate_hz:
        return False
    expected_ns = first.start_ns + round(first.samples.size * 1e9 / first.rate_hz)
    return first.samples.dtype == then.samples.dtype and abs(then.start_ns - expected_ns) < 0.5e9 / first.rate_hz
