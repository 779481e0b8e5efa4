"""How well a picker picks labelled records: what it finds, how near, and how often it picks where nothing begins."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from scipy.signal import resample_poly

from kensoku.picking import AHEAD_LIVE, AROUND, Pick, Rule, apart_from_gaps, find_picks, horizontals_at, with_missing
from kensoku.training.examples import PHASES, RATE_HZ, BoolArray, Example, FloatArray, Onset, Phase, Span, known

Probabilities = Callable[[FloatArray], FloatArray]  # counts (records, 3, n) to noise, P and S (records, 3, n)

TOLERANCE_S, NEAR_S = 0.5, 0.1
START_S, BEFORE_S = (
    1.0,
    2.0,
)  # of a record: no quiet is counted in its first second, nor so short before the first onset
EXCESS_BEFORE_S, EXCESS_AFTER_S = 1.0, 5.0  # of P and S
FLOOR = 0.1  # no threshold is lower
LEAST_QUIET = 2000  # samples: shorter records without a label are no quiet records of a network, and judge nothing
LEAST_QUIET_S = 360.0  # from which on a region has a say in the threshold
TRUSTED = 0.5  # labels of less weight are not scored
MULTIPLE = 16  # samples; networks halve the rate up to four times
BATCH_SAMPLES = 100_000


@dataclass(frozen=True, slots=True)
class PhaseScore:
    labels: int
    recall: float  # share of labels with a pick of the phase within 0.5 s
    recall_near: float  # within 0.1 s
    swapped: float  # share with a pick of the other phase only
    mae_s: float  # of what was found; NaN where nothing was
    bias_s: float  # median of pick - label
    excess: float  # share of the picks around P and S that match no label


@dataclass(frozen=True, slots=True)
class Scores:
    stretch: int  # how many times slower the records were played
    threshold: float
    false_picks_per_hour: float  # of quiet, as played; NaN without any
    quiet_hours: float
    p: PhaseScore
    s: PhaseScore

    @property
    def merit(self) -> float:
        """0 to 1; the mean of both recalls within both distances, of phases that have labels."""
        scored = [phase for phase in (self.p, self.s) if phase.labels]
        return float(np.mean([(each.recall + each.recall_near) / 2 for each in scored])) if scored else math.nan


@dataclass(frozen=True, slots=True)
class Told:
    """What a network said of an example: probabilities, each at the sample that it speaks of."""

    example: Example
    probabilities: FloatArray
    stretch: int = 1
    p_yields: bool = True  # False where P had to be told before S could be

    def picks(self, threshold: float) -> list[Pick]:
        ahead = AROUND if self.p_yields else AHEAD_LIVE
        rule = Rule(p_threshold=threshold, s_threshold=threshold, ahead=ahead, p_yields=self.p_yields)
        return find_picks(self.probabilities, rule, apart_from_gaps(self.example.counts))

    def horizontals(self, pick: Pick) -> int:
        """Components that were recorded there."""
        shown = with_missing(self.example.counts, is_causal=False)
        return horizontals_at(shown, pick.sample)


def score_stretched(
    model: Probabilities,
    examples: Sequence[Example],
    false_per_hour: float,
    stretches: Sequence[int] = (1, 2, 3, 4),
    delay: tuple[int, int] = (0, 0),
) -> list[Scores]:
    """Scores of the records as they are and played slower, all at the threshold that suits the first of them.

    Records without a label say only how often nothing is picked, and are not played slower.
    """
    scores: list[Scores] = []
    labelled = [each for each in examples if labels_of(each)]
    for stretch in stretches:
        played = (stretched(each, stretch) for each in (labelled if stretch > 1 else examples))
        told = list(tell(model, played, stretch, delay))
        threshold = scores[0].threshold if scores else threshold_for(told, false_per_hour)
        scores.append(score(told, threshold))
    return scores


# --- what the network says --------------------------------------------------------------------------------------------


def tell(
    model: Probabilities, examples: Iterable[Example], stretch: int = 1, delay: tuple[int, int] = (0, 0)
) -> Iterator[Told]:
    for length, same in groupby(sorted(examples, key=lambda each: each.length), key=lambda each: each.length):
        alike = list(same)
        at_once = max(1, BATCH_SAMPLES // max(length, 1))
        for first in range(0, len(alike), at_once):
            batch = alike[first : first + at_once]
            for example, said in zip(batch, model(_padded(batch)), strict=True):
                yield Told(example, _aligned(said, length, delay), stretch, p_yields=not any(delay))


def _padded(batch: Sequence[Example]) -> FloatArray:
    length = batch[0].length
    counts = np.full((len(batch), 3, math.ceil(length / MULTIPLE) * MULTIPLE), np.nan, dtype=np.float32)
    counts[:, :, :length] = [each.counts for each in batch]
    return counts


def _aligned(said: FloatArray, length: int, delay: tuple[int, int]) -> FloatArray:
    """Where the network would speak after the record's end, nothing is said."""
    aligned = np.full((3, length), np.nan, dtype=np.float32)
    for row, late in enumerate((0, *delay)):
        aligned[row, : max(0, length - late)] = said[row, late:length]
    return aligned


def stretched(example: Example, times: int) -> Example:
    """The record played so many times slower: earthquakes seem to be of lower frequency and further away."""
    if times == 1:
        return example
    missing = np.isnan(example.counts)
    live = ~missing.all(axis=1, keepdims=True)
    level = np.divide(
        np.nansum(example.counts, axis=1, keepdims=True, dtype=np.float64),
        (~missing).sum(axis=1, keepdims=True),
        out=np.zeros((3, 1)),
        where=live,
    )
    slow = resample_poly(np.where(missing, 0, example.counts - level), times, 1, axis=1)
    return replace(
        example,
        counts=np.where(np.repeat(missing, times, axis=1), np.nan, slow + level).astype(np.float32),
        onsets=tuple(Onset(each.phase, each.sample * times, each.weight) for each in example.onsets),
        unknown=tuple(Span(each.phase, each.first * times, each.last * times) for each in example.unknown),
    )


# --- where it was right -----------------------------------------------------------------------------------------------


def threshold_for(told: Sequence[Told], false_per_hour: float) -> float:
    """The lowest at which no more than so many picks an hour lie where nothing begins."""
    quiet = [quiet_of(each.example) for each in told]
    allowed = int(false_per_hour * sum(int(each.sum()) for each in quiet) / RATE_HZ / 3600)
    threshold = FLOOR
    while True:  # a higher threshold can bring forth a pick beside one that is gone
        false = sorted(
            pick.score
            for each, is_quiet in zip(told, quiet, strict=True)
            for pick in each.picks(threshold)
            if is_quiet[_place(pick, is_quiet)]
        )
        if len(false) <= allowed:
            return threshold
        threshold = float(np.nextafter(np.float32(false[-allowed - 1]), np.float32(2)))


def threshold_alike(told: Sequence[Told], false_per_hour: float) -> float:
    """The same of the mean over regions, each of which counts alike, however many hours and stations it has."""
    of: dict[str, list[tuple[Told, BoolArray]]] = defaultdict(list)
    for each in told:
        of[each.example.origin.region].append((each, quiet_of(each.example)))
    seconds = {name: sum(int(quiet.sum()) for _, quiet in group) / RATE_HZ for name, group in of.items()}
    regions = {name: group for name, group in of.items() if seconds[name] >= LEAST_QUIET_S}
    threshold = FLOOR
    while regions:
        false = sorted(
            (pick.score, 3600 / seconds[name] / len(regions))
            for name, group in regions.items()
            for each, is_quiet in group
            for pick in each.picks(threshold)
            if is_quiet[_place(pick, is_quiet)]
        )
        above, rate = None, 0.0
        for score, share in reversed(false):  # from the surest down, as many as are allowed
            rate += share
            if rate > false_per_hour:
                above = score
                break
        if above is None:
            return threshold
        threshold = float(np.nextafter(np.float32(above), np.float32(2)))
    return threshold_for(told, false_per_hour)


def score(told: Sequence[Told], threshold: float) -> Scores:
    quiet, false, residuals = 0, 0, defaultdict[Phase, list[float]](list)
    swapped, near, excess = (dict.fromkeys(PHASES, 0) for _ in range(3))
    for each in told:
        picks, is_quiet = each.picks(threshold), quiet_of(each.example)
        quiet += int(is_quiet.sum())
        false += sum(bool(is_quiet[_place(pick, is_quiet)]) for pick in picks)
        for onset in labels_of(each.example):
            residual = _nearest_s(onset, picks, onset.phase, each.stretch)
            residuals[onset.phase].append(residual)
            other = PHASES[1 - PHASES.index(onset.phase)]
            is_swapped = abs(residual) > TOLERANCE_S >= abs(_nearest_s(onset, picks, other, each.stretch))
            swapped[onset.phase] += is_swapped
        for phase, is_excess in _around(each, picks):
            near[phase] += 1
            excess[phase] += is_excess
    p, s = (_phase_score(residuals[each], swapped[each], near[each], excess[each]) for each in PHASES)
    hours = quiet / RATE_HZ / 3600
    return Scores(told[0].stretch if told else 1, threshold, false / hours if hours else math.nan, hours, p, s)


def labels_of(example: Example) -> list[Onset]:
    return [each for each in example.onsets if each.weight >= TRUSTED and 0 <= each.sample < example.length]


def judges_picking(example: Example) -> bool:
    """Recorded, and with a label or with enough quiet to count false picks in."""
    is_quiet = example.length >= LEAST_QUIET and bool(quiet_of(example).any())
    return not example.origin.is_simulated and (bool(labels_of(example)) or is_quiet)


def quiet_of(example: Example) -> BoolArray:
    """(samples,): True where it is known that nothing begins, well before the first onset."""
    quiet: BoolArray = known(example.unknown, example.length).all(axis=0)
    quiet &= ~np.isnan(example.counts).all(axis=0)
    quiet[: int(START_S * RATE_HZ)] = False
    first = min((each.sample for each in example.onsets), default=None)
    if first is not None:
        has_p = any(each.phase == "P" for each in example.onsets)
        quiet[max(0, int(first - BEFORE_S * RATE_HZ)) if has_p else 0 :] = False
    return quiet


def _place(pick: Pick, along: BoolArray) -> int:
    return min(len(along) - 1, max(0, round(pick.sample)))


def _nearest_s(onset: Onset, picks: Sequence[Pick], phase: Phase, stretch: int) -> float:
    """Signed, in seconds of the record before it was stretched; infinite without a pick."""
    apart = (pick.sample - onset.sample for pick in picks if pick.phase == phase)
    return min(apart, key=abs, default=math.inf) / RATE_HZ / stretch


def _around(told: Told, picks: Sequence[Pick]) -> Iterator[tuple[Phase, bool]]:
    """Picks between P - 1 s and S + 5 s of records with one of each, and whether they match no label of their phase."""
    labels = labels_of(told.example)
    if sorted(each.phase for each in labels) != ["P", "S"]:
        return
    second = RATE_HZ * told.stretch
    at = {each.phase: each.sample for each in labels}
    for pick in picks:
        if at["P"] - EXCESS_BEFORE_S * second <= pick.sample <= at["S"] + EXCESS_AFTER_S * second:
            yield pick.phase, abs(pick.sample - at[pick.phase]) > TOLERANCE_S * second


def _phase_score(residuals: Sequence[float], swapped: int, near: int, excess: int) -> PhaseScore:
    count, found = len(residuals), np.array([each for each in residuals if abs(each) <= TOLERANCE_S])
    return PhaseScore(
        labels=count,
        recall=len(found) / count if count else math.nan,
        recall_near=float((abs(found) <= NEAR_S).sum()) / count if count else math.nan,
        swapped=swapped / count if count else math.nan,
        mae_s=float(abs(found).mean()) if len(found) else math.nan,
        bias_s=float(np.median(found)) if len(found) else math.nan,
        excess=excess / near if near else math.nan,
    )
