"""Where a file holds zeros, one value or no count at all in the place of samples that nobody recorded."""

from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.picking import LARGEST, less_offset
from kensoku.training.examples import RATE_HZ, BoolArray, FloatArray

FLAT_S = 1.0  # one value on every component for this long was not recorded
ROUNDING = 1e-12  # of a value: what resampling leaves of a difference of 0; a count of 32 bits is 4.7e-10


def mark_missing(counts: npt.NDArray[np.floating[Any]]) -> FloatArray:
    """(3, samples), with NaN for dead components, for stretches in which nothing moves on any, and beyond counts.

    A component of double precision that single precision does not hold comes less its first sample.
    """
    real = np.where(np.abs(counts) > LARGEST, np.nan, counts)
    marked = real.astype(np.float32)
    rounded = ((marked != real) & ~np.isnan(real)).any(axis=1)
    marked[rounded] = less_offset(real[rounded])
    still = np.abs(np.diff(real, axis=1, prepend=np.nan)) <= ROUNDING * np.abs(real)
    dead = still[:, 1:].all(axis=1)
    if not dead.all():
        marked[:, _long_runs(still[~dead].all(axis=0), round(FLAT_S * RATE_HZ))] = np.nan
    marked[dead] = np.nan
    return marked


def _long_runs(flags: BoolArray, shortest: int) -> BoolArray:
    """Of the flags, only those in runs of that length; with the sample before a run, whose value it keeps."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    kept = np.zeros_like(flags)
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= shortest:
            kept[max(first - 1, 0) : last] = True
    return kept
