"""Continuous records of stations on the 100 Hz grid, whatever rate, order and gaps their files have."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from kensoku.training.examples import RATE_HZ

ROWS = {"Z": 0, "N": 1, "E": 2, "1": 1, "2": 2, "3": 0}
LARGEST_FACTOR = 1000  # of a change of rate


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One instrument's record."""

    station: str  # NET.STA
    start_s: float  # since 1970, of the first sample
    counts: npt.NDArray[np.floating[Any]]  # (3, samples), NaN where nothing was recorded

    def sample(self, time_s: float) -> float:
        return (time_s - self.start_s) * RATE_HZ


def to_tracks(traces: Iterable[Any]) -> list[Track]:
    """Traces of ObsPy, without masks, by instrument: NET.STA.LOC and band, in the order of their names."""
    of: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for trace in traces:
        if trace.stats.channel[-1:] in ROWS and trace.stats.npts > 1:
            name = f"{trace.stats.network}.{trace.stats.station}"
            of[name, f"{trace.stats.location}.{trace.stats.channel[:-1]}"].append(trace)
    return [_join(station, of[station, instrument]) for station, instrument in sorted(of)]


def _join(station: str, traces: Sequence[Any]) -> Track:
    start_s = min(float(trace.stats.starttime.timestamp) for trace in traces)
    end_s = max(float(trace.stats.endtime.timestamp) for trace in traces)
    counts = np.full((3, int((end_s - start_s) * RATE_HZ + 1e-3) + 1), np.nan)
    for trace in traces:
        samples = at_rate(trace.data.astype(np.float64), float(trace.stats.sampling_rate))
        first = round((float(trace.stats.starttime.timestamp) - start_s) * RATE_HZ)
        row = counts[ROWS[trace.stats.channel[-1]], first : first + len(samples)]
        row[:] = samples[: len(row)]
    return Track(station, start_s, counts)


def at_rate(samples: npt.NDArray[np.float64], rate_hz: float) -> npt.NDArray[np.float64]:
    """Resampled to 100 Hz without delay; gaps in it grow by the filter's reach."""
    factor = Fraction(RATE_HZ / rate_hz).limit_denominator(LARGEST_FACTOR)
    if factor == 1:
        return samples
    resampled: npt.NDArray[np.float64] = resample_poly(samples, factor.numerator, factor.denominator, padtype="line")
    return resampled
