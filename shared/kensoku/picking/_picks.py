"""Find the onsets in the probabilities of P and S: one pick a lobe, decided from a short stretch around it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int8]
Counts = TypeVar("Counts", npt.NDArray[np.float32], npt.NDArray[np.float64])
Phase = Literal["P", "S"]

PHASES: tuple[Phase, Phase] = ("P", "S")
RATE_HZ = 100
AHEAD_LIVE = 20  # samples in which a live lobe must be told
AROUND = 80  # samples: 0.8 s, over which the probabilities of one onset spread when its time is hard to tell
LOWEST_PEAK = 0.1  # a lobe below it is none, however wide, unless the threshold is lower still
HALF_LOBE = 20  # samples: what lies further from a peak does not move the pick
MOST_SHIFT = 10.0  # samples from the peak, so that it is known how far ahead of a pick was looked


@dataclass(frozen=True, slots=True)
class Pick:
    phase: Phase
    sample: float  # fractional, counted from the first of the probabilities
    score: float  # probability that an onset is in the lobe; or, where labels have no width, its largest value
    width_s: float  # of the lobe at half its height, 0.2 s to each side at the most
    is_faint: bool = False  # below the threshold: told to whoever can weigh it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What makes a lobe a pick; lengths are samples.

    A pick depends on the probabilities from 2 `behind` + 1 before its peak to `ahead` after it, and `rival` further
    where it yields to the other phase.
    """

    p_threshold: float
    s_threshold: float
    p_faint: float = math.inf  # from so much on up to the threshold a lobe is a faint pick; it changes no other
    s_faint: float = math.inf
    behind: int = AROUND  # the score adds up so much before the peak; no pick so soon after a higher one
    ahead: int = AROUND  # and so much after it; a peak is one when nothing in this stretch is higher
    label: float = 10.0  # standard deviation of the curve taught around an onset; 0: scores are peaks
    rival: int = 20  # P and S this near to each other are the same wave: the larger score wins
    p_yields: bool = True  # False where S is told later than P must be decided
    p_later: float = 0.0  # samples by which picks are moved, as the model tells onsets so much too early
    s_later: float = 0.0

    def later(self, phase: Phase) -> float:
        return self.p_later if phase == "P" else self.s_later

    def threshold(self, phase: Phase) -> float:
        return self.p_threshold if phase == "P" else self.s_threshold

    def lowest(self, phase: Phase) -> float:
        """Score of what is told at all."""
        return min(self.threshold(phase), self.p_faint if phase == "P" else self.s_faint)


def find_picks(probabilities: FloatArray, rule: Rule, allowed: BoolArray | None = None) -> list[Pick]:
    """Picks in (3, samples) or (2, samples): noise, P and S or P and S; ordered by time.

    NaN is a sample of which nothing is said (yet): nothing is picked there, nor where it lies within `ahead` after.
    `allowed` is False where no peak may be: near gaps.
    """
    rows = dict(zip(PHASES, probabilities[-2:], strict=True))
    scored = {phase: _scored(rows[phase], rule.lowest(phase), rule) for phase in PHASES}
    strong = {phase: [lobe for lobe in scored[phase] if _is_strong(rows[phase], lobe, phase, rule)] for phase in PHASES}
    lobes = {phase: list(_told(rows[phase], strong[phase], strong[phase], rule)) for phase in PHASES}
    faint = {phase: [lobe for lobe in scored[phase] if lobe not in strong[phase]] for phase in PHASES}
    weighed = {phase: list(_told(rows[phase], faint[phase], scored[phase], rule)) for phase in PHASES}
    every = {phase: lobes[phase] + weighed[phase] for phase in PHASES}
    found = [
        pick
        for phase, other in (PHASES, PHASES[::-1])
        for is_faint, told, rivals in ((False, lobes, lobes), (True, weighed, every))
        for lobe in told[phase]
        if not (_yields(phase, rule) and _is_rivalled(lobe, rivals[other], rule))
        for pick in [_measured(phase, rows[phase], lobe, rule.later(phase), is_faint)]
        if allowed is None
        or (allowed[lobe.peak] and allowed[math.floor(pick.sample)] and allowed[math.ceil(pick.sample)])
    ]
    return sorted(found, key=lambda pick: (pick.sample, pick.phase))


def may_hold_picks(probabilities: FloatArray, rule: Rule, within: Mapping[Phase, range]) -> bool:
    """Whether `find_picks` can find any whose sample, rounded up, is within; cheaper than looking for them."""
    reach = math.ceil(MOST_SHIFT) + 1
    return any(
        bool(np.any(row[max(span.start - reach, 0) : max(span.stop + reach, 0)] >= _lowest(rule.lowest(phase))))
        for phase, row in zip(PHASES, probabilities[-2:], strict=True)
        for span in (within[phase],)
    )


@dataclass(frozen=True, slots=True)
class _Lobe:
    peak: int
    score: float


def _yields(phase: Phase, rule: Rule) -> bool:
    return phase == "S" or rule.p_yields


def _scored(row: FloatArray, lowest: float, rule: Rule) -> list[_Lobe]:
    """All that may be told."""
    tops = [top for top in _tops(row, _lowest(lowest)) if _is_highest_ahead(row, top, rule.ahead)]
    lobes = [_Lobe(top, _score(row, top, rule)) for top in tops]
    return [lobe for lobe in lobes if lobe.score >= lowest]


def _is_strong(row: FloatArray, lobe: _Lobe, phase: Phase, rule: Rule) -> bool:
    threshold = rule.threshold(phase)
    return lobe.score >= threshold and bool(row[lobe.peak] >= _lowest(threshold))


def _told(row: FloatArray, lobes: Sequence[_Lobe], among: Sequence[_Lobe], rule: Rule) -> Iterator[_Lobe]:
    """One for an onset: the first of two peaks that the probability joins, the higher of two near each other."""
    for lobe in lobes:
        near = [other.peak for other in among if lobe.peak - rule.behind <= other.peak < lobe.peak]
        if not any(row[other] >= row[lobe.peak] or _is_one_lobe(row, other, lobe.peak) for other in near):
            yield lobe


def _lowest(threshold: float) -> float:
    return min(LOWEST_PEAK, threshold)


def _score(row: FloatArray, peak: int, rule: Rule) -> float:
    """The sum of the lobe over that of a sure onset, added up exactly: the same wherever in a record the lobe lies."""
    if not rule.label:
        return float(row[peak])
    around = row[max(0, peak - rule.behind) : peak + rule.ahead + 1].astype(np.float64)
    return min(math.fsum(around[~np.isnan(around)].tolist()) / (rule.label * math.sqrt(2 * math.pi)), 1.0)


def _tops(row: FloatArray, lowest: float) -> list[int]:
    """Samples above the one before, and not below the one after."""
    high = np.flatnonzero(row >= lowest)  # few of all
    before, after = row[np.maximum(high - 1, 0)], row[np.minimum(high + 1, len(row) - 1)]
    is_top = (~(row[high] <= before) | (high == 0)) & ~(row[high] < after)
    return [int(top) for top in high[is_top]]


def _is_highest_ahead(row: FloatArray, top: int, ahead: int) -> bool:
    after = row[top + 1 : top + 1 + ahead]
    return len(after) == ahead and bool(np.all(after <= row[top]))  # NaN compares as False


def _is_one_lobe(row: FloatArray, first: int, last: int) -> bool:
    """Whether the probability stays above half of the lower peak in between."""
    return bool(np.min(row[first : last + 1]) > min(row[first], row[last]) / 2)


def _is_rivalled(lobe: _Lobe, others: Sequence[_Lobe], rule: Rule) -> bool:
    return any(abs(other.peak - lobe.peak) <= rule.rival and other.score > lobe.score for other in others)


def _measured(phase: Phase, row: FloatArray, lobe: _Lobe, later: float, is_faint: bool) -> Pick:
    """The pick at the centre of its lobe, as far as that stands above half of its height; moved by the model's bias."""
    peak = lobe.peak
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
    shift = min(max(shift + later, -MOST_SHIFT), MOST_SHIFT)
    return Pick(phase, peak + shift, lobe.score, len(inside) / RATE_HZ, is_faint)
