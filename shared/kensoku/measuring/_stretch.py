"""The finite stretch of a record on which all measurements of a pick depend, component by component."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.number[Any]]

RATE_HZ = 100
LEAD = 30 * RATE_HZ  # samples before the onset, in which filters settle
FULL = 30 * RATE_HZ  # samples after the onset that a measurement for magnitudes looks at
EARLY = 3 * RATE_HZ  # samples after P that early magnitudes are made of
BRIDGED = 20  # samples: over shorter gaps before the onset a line is drawn; longer ones end the stretch
MEAN_OVER = 10 * RATE_HZ


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """One component around an onset, without gaps."""

    counts: FloatArray  # as recorded
    before: int  # samples of it that are before the onset

    @property
    def after(self) -> int:
        return len(self.counts) - self.before

    @property
    def offset(self) -> float:
        """The mean of what was there before the onset, or else the first sample."""
        quiet = self.counts[max(0, self.before - MEAN_OVER) : self.before]
        return float(quiet.mean() if len(quiet) else self.counts[0])

    @property
    def centred(self) -> FloatArray:
        return self.counts - self.offset

    def cut(self, before: int, after: int) -> "Stretch":
        """Shorter, at the most."""
        before, after = min(before, self.before), min(after, self.after)
        return Stretch(self.counts[self.before - before : self.before + after], before)


def first_sample(onset: float) -> int:
    """The first that is not before the onset."""
    return math.ceil(round(onset, 4))  # times in ns make 3000.0000001 of a whole number


def stretch_around(counts: Counts, onset: int, end: int) -> Stretch | None:
    """Of one component, up to the first missing sample after the onset; None where the onset's sample is missing."""
    begin, end = max(0, onset - LEAD), min(end, len(counts))
    found = np.asarray(counts[begin:end], dtype=np.float64)
    before = onset - begin
    missing = np.isnan(found)
    if before < 0 or before >= len(found) or missing[before]:
        return None
    last = _first(missing[before:], len(found) - before) + before
    found, missing = found[:last], missing[:last]
    start = _after_last_gap(missing[:before])
    found, missing = found[start:], missing[start:]
    if missing.any():
        places = np.arange(len(found))
        found = np.where(missing, np.interp(places, places[~missing], found[~missing]), found)
    return Stretch(found, before - start)


def _first(flags: npt.NDArray[np.bool_], otherwise: int) -> int:
    return int(flags.argmax()) if flags.any() else otherwise


def _after_last_gap(missing: npt.NDArray[np.bool_]) -> int:
    """Where samples begin that only short gaps interrupt."""
    if not missing.any():
        return 0
    recorded = np.flatnonzero(~missing)
    if not len(recorded):
        return len(missing)
    edges = np.append(recorded, len(missing))
    wide = np.flatnonzero(np.diff(edges) > BRIDGED + 1)
    if not len(wide):
        return int(recorded[0])
    return int(edges[wide[-1] + 1])
