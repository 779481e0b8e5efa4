"""Whether a record was cut off at the limit of its digitiser or its sensor."""

import numpy as np

from kensoku.measuring._peaks import starts_of_half_cycles
from kensoku.measuring._stretch import FloatArray

AT_LIMIT = 0.98  # of the largest count that the inventory states
COMMON_LIMITS = (2.0**23 - 1, 2.0**31 - 1)  # of converters, where the inventory states none; a hundredth below them
LEAST_COUNTS = 1000.0  # from the offset: whole numbers make steps of what is smaller
TOP = 0.85  # of the largest: the filters of digitisers overshoot by 9 % where a sensor was clipped
FLAT_SHARE = 0.65  # of a half cycle within its top: of a sine it is 0.35
SEVERAL, LONG = 2, 25  # so many half cycles, or one of so many samples: a short one alone is like that by chance
ALIKE, STEEP = 3, 0.02  # so many samples of the very largest count, beside one that is smaller by that share of it
LEAST_SAMPLES = 6  # in a half cycle of which the shape can be told


def is_clipped(counts: FloatArray, offset: float, limit_counts: float) -> bool:
    """A limit of 0 is unknown, then flat tops tell."""
    largest = float(np.abs(counts).max())
    if limit_counts > 0:
        return largest >= AT_LIMIT * limit_counts
    if any(0.99 * limit <= largest <= limit + 1 for limit in COMMON_LIMITS):
        return True
    return _has_plateau(counts, offset) or _has_flat_top(counts - offset)


def _has_plateau(counts: FloatArray, offset: float) -> bool:
    """A limit on either side, where a steep wave stops at once; one that turns by itself is slow there."""
    largest = float(np.abs(counts - offset).max())
    if largest < LEAST_COUNTS:
        return False
    for limit in (counts.max(), counts.min()):
        begins, ends = np.flatnonzero(np.diff(counts == limit, prepend=False, append=False)).reshape(-1, 2).T
        before = np.abs(counts[np.maximum(begins - 1, 0)] - limit)
        if ((ends - begins >= ALIKE) & (before >= STEEP * largest)).any():
            return True
    return False


def _has_flat_top(motion: FloatArray) -> bool:
    """Half cycles of nearly the largest size that stay there for most of their length."""
    largest = float(np.abs(motion).max())
    if largest < LEAST_COUNTS:
        return False
    starts = starts_of_half_cycles(motion)
    lengths = np.diff(np.append(starts, len(motion)))
    high = np.add.reduceat(np.abs(motion) >= TOP * largest, starts, dtype=np.int64)
    flat = (lengths >= LEAST_SAMPLES) & (high >= FLAT_SHARE * lengths)
    return int(flat.sum()) >= SEVERAL or bool((flat & (lengths >= LONG)).any())
