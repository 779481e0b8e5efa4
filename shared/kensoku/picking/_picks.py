"""Find the onsets in the probabilities of P and S: one pick a lobe, decided from a short stretch around it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Phase = Literal["P", "S"]

PHASES: tuple[Phase, Phase] = ("P", "S")
RATE_HZ = 100
AHEAD = 20  # samples: 0.2 s in which a peak is recognised
HALF_LOBE = 20  # samples: what lies further from a peak does not move the pick
MOST_SHIFT = 10.0  # samples from the peak, so that it is known how far ahead of a pick was looked


@dataclass(frozen=True, slots=True)
class Pick:
    phase: Phase
    sample: float  # fractional, counted from the first of the probabilities
    score: float  # the lobe's largest probability
    width_s: float  # of the lobe at half its height, 0.2 s to each side at the most


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What makes a lobe a pick; lengths are samples.

    A pick depends on the probabilities from `behind` + 1 before its peak to `ahead`, at least 20, after it.
    """

    p_threshold: float
    s_threshold: float
    behind: int = 50  # no pick so soon after a higher one, or on the flank of one
    ahead: int = AHEAD  # a peak is one when nothing within this stretch after it is higher
    rival: int = 20  # P and S this near to each other are the same wave: the larger probability wins
    p_yields: bool = True  # False where S is told later than P must be decided

    def threshold(self, phase: Phase) -> float:
        return self.p_threshold if phase == "P" else self.s_threshold


def find_picks(probabilities: FloatArray, rule: Rule, allowed: BoolArray | None = None) -> list[Pick]:
    """Picks in (3, samples) or (2, samples): noise, P and S or P and S; ordered by time.

    NaN is a sample of which nothing is said (yet): nothing is picked there, nor where it lies within `ahead` after.
    `allowed` is False where no peak may be: near gaps.
    """
    rows = dict(zip(PHASES, probabilities[-2:], strict=True))
    found = [
        pick
        for phase, other in (PHASES, PHASES[::-1])
        for peak in _peaks(rows[phase], rule.threshold(phase), rule)
        if not (
            _yields(phase, rule) and _is_rivalled(rows[phase][peak], rows[other], peak, rule, rule.threshold(other))
        )
        for pick in [_measured(phase, rows[phase], peak)]
        if allowed is None or (allowed[peak] and allowed[math.floor(pick.sample)] and allowed[math.ceil(pick.sample)])
    ]
    return sorted(found, key=lambda pick: (pick.sample, pick.phase))


def _yields(phase: Phase, rule: Rule) -> bool:
    return phase == "S" or rule.p_yields


def _peaks(row: FloatArray, threshold: float, rule: Rule) -> Iterator[int]:
    """One peak a lobe: the first of two on one lobe, the higher of two near each other."""
    tops = [top for top in _tops(row, threshold) if _is_highest_ahead(row, top, rule.ahead)]
    for place, top in enumerate(tops):
        before = [other for other in tops[max(0, place - rule.behind) : place] if other >= top - rule.behind]
        if not any(row[other] >= row[top] or _is_one_lobe(row, other, top) for other in before):
            yield top


def _tops(row: FloatArray, threshold: float) -> list[int]:
    """Samples at or above the threshold, above the one before, and not below the one after."""
    high = np.flatnonzero(row >= threshold)  # few of all
    before, after = row[np.maximum(high - 1, 0)], row[np.minimum(high + 1, len(row) - 1)]
    is_top = (~(row[high] <= before) | (high == 0)) & ~(row[high] < after)
    return [int(top) for top in high[is_top]]


def _is_highest_ahead(row: FloatArray, top: int, ahead: int) -> bool:
    after = row[top + 1 : top + 1 + ahead]
    return len(after) == ahead and bool(np.all(after <= row[top]))  # NaN compares as False


def _is_one_lobe(row: FloatArray, first: int, last: int) -> bool:
    """Whether the probability stays above half of the lower peak in between."""
    return bool(np.min(row[first : last + 1]) > min(row[first], row[last]) / 2)


def _is_rivalled(score: np.float32, other: FloatArray, peak: int, rule: Rule, threshold: float) -> bool:
    near = other[max(0, peak - rule.rival) : peak + rule.rival + 1]
    with np.errstate(invalid="ignore"):
        return bool(np.any((near >= threshold) & (near > score)))


def _measured(phase: Phase, row: FloatArray, peak: int) -> Pick:
    """The pick at the centre of its lobe, as far as that stands above half of its height."""
    first, last = max(0, peak - HALF_LOBE), min(len(row) - 1, peak + HALF_LOBE)
    heights = (row[first : last + 1].astype(np.float64) - float(row[peak]) / 2).tolist()
    low = high = peak - first
    while low > 0 and heights[low - 1] > 0:
        low -= 1
    while high + 1 < len(heights) and heights[high + 1] > 0:
        high += 1
    inside, weights = range(first + low, first + high + 1), heights[low : high + 1]
    # Relative to the peak and summed exactly: the fraction is the same wherever in a record the lobe lies.
    shift = math.fsum(w * (i - peak) for w, i in zip(weights, inside, strict=True)) / math.fsum(weights)
    shift = min(max(shift, -MOST_SHIFT), MOST_SHIFT)
    return Pick(phase, peak + shift, float(row[peak]), len(inside) / RATE_HZ)
