"""What models make of classic picks: whether each is noise, and where and which its onset is.

A model is a callable that takes counts (cuts, 3, samples), NaN where missing, as `kensoku.picking` has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kensoku.classic._picks import PASSED, ClassicPick
from kensoku.classic._settings import RATE_HZ, FloatArray
from kensoku.picking import Model, ModelCard, Phase, Pick, annotate, apart_from_gaps, find_picks, horizontals_at

ONSET = 1  # in what a denoiser says: noise, onset
REFINED_S = 0.5  # how far a picker may move a classic pick
LEAST_SCORE = 0.1  # of a picker's pick, where a classic one has told that something is there
LOUD = 1000.0  # rise from the rms before to the peak after, beyond nearly all that a denoiser has been taught
LATER = 35  # samples by which the onset comes later in a loud cut when it is shown again: well within REFINED_S
SETTLED, PEAK = 20, 50  # samples before the middle of a cut that are not of its quiet; and after it, for the peak


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPick:
    classic: ClassicPick
    phase: Phase
    sample: float  # absolute
    uncertainty_s: float  # 68 %
    score: float  # of the picker; 0 where it has no onset there
    noise_probability: float  # of the denoiser; 0 without one
    is_noise: bool  # less probable an onset than the denoiser's threshold


def judge_noise(
    picks: Sequence[ClassicPick], counts: FloatArray, first: int, model: Model, card: ModelCard
) -> list[JudgedPick]:
    """Each with the probability that nothing begins within half a second of it, from the 4 s around it."""
    said = noise_probabilities([pick.sample for pick in picks], counts, first, model, card)
    return [judged(pick, noise, card.threshold.p) for pick, noise in zip(picks, said, strict=True)]


def judged(pick: ClassicPick, noise_probability: float, threshold: float) -> JudgedPick:
    return JudgedPick(
        classic=pick,
        phase=pick.phase,
        sample=pick.sample,
        uncertainty_s=pick.width_s,
        score=0.0,
        noise_probability=noise_probability,
        is_noise=1 - noise_probability < threshold,
    )


def noise_probabilities(
    samples: Sequence[float], counts: FloatArray, first: int, model: Model, card: ModelCard
) -> list[float]:
    """Of the cuts around these samples of a record that begins with number `first`."""
    if not samples:
        return []
    cuts = np.stack([cut_around(counts, first, sample, card.geometry.window) for sample in samples])
    at_once = card.geometry.batch
    ask = also_loud(model)
    said = np.concatenate([ask(cuts[place : place + at_once]) for place in range(0, len(cuts), at_once)])
    return [float(1 - row[ONSET]) for row in said.reshape(len(cuts), -1)]


def also_loud(denoiser: Model) -> Model:
    """The denoiser, shown cuts that rise a thousandfold twice, the second time with more of the quiet before them.

    An onset so strong looks like a step in the middle of a cut. Of its two answers the one counts that is for an onset.
    """

    def ask(cuts: FloatArray) -> FloatArray:
        said = np.array(denoiser(cuts))
        if len(loud := np.flatnonzero(_rises(cuts) > LOUD)):
            later = np.full_like(cuts[loud], np.nan)
            later[..., LATER:] = cuts[loud, :, :-LATER]
            again = denoiser(later)
            said[loud] = np.where(again[:, ONSET:] > said[loud, ONSET:], again, said[loud])
        return said

    return ask


def _rises(cuts: FloatArray) -> FloatArray:
    """Of each cut, on its best component: the peak just after the middle over the rms before it."""
    middle = cuts.shape[2] // 2
    recorded = ~np.isnan(cuts[..., : middle - SETTLED])
    count = np.maximum(recorded.sum(axis=2, keepdims=True), 1)
    quiet = np.where(recorded, cuts[..., : middle - SETTLED], 0).astype(np.float64)
    mean = quiet.sum(axis=2, keepdims=True) / count
    rms = np.sqrt((np.square(quiet - mean) * recorded).sum(axis=2) / count[..., 0])
    peak = np.nan_to_num(np.abs(cuts[..., middle : middle + PEAK] - mean)).max(axis=2)
    return np.asarray(np.divide(peak, rms, out=np.zeros_like(peak), where=rms > 0).max(axis=1))


def cut_around(counts: FloatArray, first: int, sample: float, length: int) -> FloatArray:
    """(3, length) with the sample in the middle; NaN outside of the record."""
    return _stretch(counts, first, round(sample) - length // 2, length)


def refine(pick: JudgedPick, counts: FloatArray, first: int, model: Model, card: ModelCard) -> JudgedPick:
    """With phase, time and uncertainty of the best onset that a picker sees near it, if it sees one."""
    begin, length = refining_stretch(pick.classic.sample, card)
    shown = _stretch(counts, first, begin, length)
    said = card.aligned(annotate(shown, model, card.geometry, begin))
    rule = replace(card.rule, p_threshold=LEAST_SCORE, s_threshold=LEAST_SCORE)
    found = find_picks(said, rule, apart_from_gaps(shown))
    near = [each for each in found if _is_of(pick.classic, begin + each.sample)]
    best = max(near, key=_by_score, default=None)
    if best is None:
        return pick
    are_live = horizontals_at(shown, best.sample)
    return replace(
        pick,
        phase=best.phase,
        sample=begin + best.sample,
        score=best.score,
        uncertainty_s=card.calibration.uncertainty_s(best, are_live),
    )


def _is_of(pick: ClassicPick, sample: float) -> bool:
    """Near it, and of no other trigger."""
    is_own = pick.trigger.previous + PASSED < sample <= pick.trigger.sample + PASSED
    return is_own and abs(sample - pick.sample) <= REFINED_S * RATE_HZ


def refining_stretch(sample: float, card: ModelCard) -> tuple[int, int]:
    """First sample and length of what a picker is shown: all that its answers near the pick depend on."""
    rule, geometry = card.rule, card.geometry
    middle, aside = round(sample), round(REFINED_S * RATE_HZ)
    latest = max(card.delay.p, card.delay.s) + geometry.after + rule.ahead + rule.rival + geometry.stride
    begin = middle - aside - 2 * rule.behind - geometry.before - geometry.stride
    return begin, middle + aside + latest - begin


def _stretch(counts: FloatArray, first: int, begin: int, length: int) -> FloatArray:
    stretch = np.full((3, length), np.nan, dtype=np.float32)
    low, high = max(begin, first), min(begin + length, first + counts.shape[1])
    if high > low:
        stretch[:, low - begin : high - begin] = counts[:, low - first : high - first]
    return stretch


def _by_score(pick: Pick) -> float:
    return pick.score
