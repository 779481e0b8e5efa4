"""Where a file holds zeros, one value or no count at all in the place of samples that nobody recorded."""

import numpy as np

from kensoku.picking import LARGEST
from kensoku.training.examples import RATE_HZ, BoolArray, FloatArray

FLAT_S = 1.0  # one value on every component for this long was not recorded


def mark_missing(counts: FloatArray) -> FloatArray:
    """(3, samples), with NaN for dead components, for stretches in which nothing moves on any, and beyond counts."""
    real = np.where(np.abs(counts) > LARGEST, np.nan, counts)
    marked = real.astype(np.float32)
    still = np.diff(real, axis=1, prepend=np.nan) == 0
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
