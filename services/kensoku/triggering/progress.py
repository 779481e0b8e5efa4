"""How far a partition of `waveforms` has been looked at, by instrument: where it stands, what is missing, how loud."""

from collections.abc import Iterable, Iterator

import numpy as np

from kensoku.continuous import RATE_HZ, Timeline, time_of
from kensoku.measuring import see
from kensoku.v1.pick_pb2 import AMPLITUDE_UNIT_COUNT, InstrumentProgress, Span

HEARD = 60 * RATE_HZ  # samples that the noise is measured in
LEAD = RATE_HZ  # for the filter to forget the beginning
EVERY = 30  # of an instrument the noise is measured so seldom, in seconds of its record

Evaluated = tuple[Timeline, int, bool]


class ProgressBook:
    """What was said last of every instrument, so that each gap is told once."""

    def __init__(self) -> None:
        self._told_to: dict[str, int] = {}
        self._noise: dict[str, float] = {}

    def instruments(self, evaluated: Iterable[Evaluated]) -> Iterator[InstrumentProgress]:
        for timeline, end, is_idle in evaluated:
            if not end:
                continue
            code = timeline.instrument.code
            told_to = self._told_to.get(code, end)
            self._told_to[code] = end
            if code not in self._noise or told_to // (EVERY * RATE_HZ) != end // (EVERY * RATE_HZ):
                self._noise[code] = noise_level(timeline.read(end - HEARD - LEAD, end))
            yield InstrumentProgress(
                instrument=timeline.instrument.to_message(),
                evaluated_to_ns=time_of(end) + timeline.offset_ns(end - 1),
                gaps=_gaps(timeline, told_to, end),
                noise_level=self._noise[code],
                noise_unit=AMPLITUDE_UNIT_COUNT,
                idle=is_idle,
            )

    def forget(self, codes: Iterable[str]) -> None:
        for code in codes:
            self._told_to.pop(code, None)
            self._noise.pop(code, None)


def noise_level(counts: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> float:
    """The rms of 2-20 Hz in the median second, which no pick of a few seconds changes; of the vertical if it is there.

    0 where nothing was recorded for ten seconds.
    """
    for row in counts:
        recorded = row[np.maximum.accumulate(~np.isnan(row[::-1]))[::-1]]
        recorded = recorded[~np.isnan(recorded)].astype(np.float64)
        if len(recorded) >= LEAD + 10 * RATE_HZ:
            seen = see(recorded - recorded[0], RATE_HZ)[LEAD:]
            seconds = seen[: len(seen) // RATE_HZ * RATE_HZ].reshape(-1, RATE_HZ)
            return float(np.median(np.sqrt(np.mean(np.square(seconds), axis=1))))
    return 0.0


def _gaps(timeline: Timeline, first: int, last: int) -> Iterator[Span]:
    """Stretches without any component."""
    if last <= first or any(timeline.is_covered((component,), first, last) for component in range(3)):
        return
    heard = max(first, last - HEARD)  # what is older has been forgotten
    missing = np.isnan(timeline.read(heard, last)).all(axis=0)
    turns = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False])).astype(np.int8)))
    changes = (turns + heard).tolist()
    silences = [(max(first, begin), min(end, heard)) for begin, end in timeline.silences]
    edges = [edge for begin, end in silences if begin < end for edge in (begin, end)]
    if edges[-1:] == changes[:1]:  # what is heard begins within a gap
        del edges[-1:], changes[:1]
    edges += changes
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        yield Span(start_ns=time_of(begin), end_ns=time_of(end))
