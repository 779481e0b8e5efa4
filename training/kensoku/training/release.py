"""Complete the card of a picker that is about to be shipped: threshold, calibration and scores on the develop split."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kensoku.errors import InputInvalid
from kensoku.picking import Model, ModelCard, PhasePair, Pick, Rule, annotate, apart_from_gaps, find_picks, with_missing
from kensoku.training.calibration import RIGHT_WITHIN_S, Judged, fit_calibration
from kensoku.training.examples import RATE_HZ, Example, known
from kensoku.training.scores import FLOOR, Scores, Told, labels_of, score, stretched, threshold_alike
from kensoku.training.variants import VARIANTS

STRETCHES = (1, 2, 3, 4)
CALIBRATED = (  # conditions of which stated uncertainties are learned as well
    "vertical only", "without N", "without E", "start cut by 150 samples", "start cut by 417 samples",
)  # fmt: skip
SETTLED = 1000  # thresholds are told apart by thousandths
FEWEST, SURE = 30, 2.0  # labels, and standard errors, from which a model's bias is taken off
MOST_LATER = 5.0  # samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped(Told):
    """What the model that is shipped says of an example, picked by the rule that is shipped with it."""

    rule: Rule

    def picks(self, threshold: float) -> list[Pick]:
        rule = replace(self.rule, p_threshold=threshold, s_threshold=threshold)
        return find_picks(self.probabilities, rule, apart_from_gaps(with_missing(self.example.counts, is_causal=False)))


def complete(
    card: ModelCard,
    model: Model,
    examples: Sequence[Example],
    *,
    false_per_hour: float,
    least_threshold: float = 0.0,
    stretches: Sequence[int] = STRETCHES,
) -> ModelCard:
    """The card with what the examples say: records with trusted labels, and quiet in which false picks are counted."""
    told = tell(card, model, examples)
    if not told:
        raise InputInvalid(
            "found no example to judge by, expected records of the split develop; build the data set anew"
        )
    threshold = max(math.ceil(threshold_alike(told, false_per_hour) * SETTLED) / SETTLED, least_threshold)
    card = replace(card, later=too_early(told, threshold))
    told = [replace(one, rule=card.rule) for one in told]
    metrics = figures(score(told, threshold))
    for stretch in stretches:
        if stretch != 1:
            slower = tell(card, model, [stretched(each, stretch) for each in examples], stretch)
            metrics |= {f"slower_{stretch}.{name}": value for name, value in figures(score(slower, threshold)).items()}
    # In hours that nobody has searched, the surest picks are earthquakes: they would count as wrong.
    labelled = [one for one in told if labels_of(one.example)]
    changed = [
        each for name in CALIBRATED for each in tell(card, model, [VARIANTS[name](one.example) for one in labelled])
    ]
    return replace(
        card,
        threshold=PhasePair(p=threshold, s=threshold),
        calibration=fit_calibration(*([each for one in some for each in judged(one)] for some in (labelled, changed))),
        metrics=metrics,
    )


def too_early(told: Sequence[Shipped], threshold: float) -> PhasePair:
    """By how many samples picks come before trusted labels, in the median; 0 where that may be chance."""
    errors: dict[str, list[float]] = {"P": [], "S": []}
    for one in told:
        plain = replace(one, rule=replace(one.rule, p_later=0.0, s_later=0.0))
        for each in judged(plain, threshold):
            if each.is_right:
                errors[each.pick.phase].append(each.error_s * RATE_HZ)
    return PhasePair(p=_median_if_sure(errors["P"]), s=_median_if_sure(errors["S"]))


def _median_if_sure(errors: Sequence[float]) -> float:
    """Its negative; its standard error as of a normal distribution with the errors' own width."""
    if len(errors) < FEWEST:
        return 0.0
    median = float(np.median(errors))
    width = 1.4826 * float(np.median(np.abs(np.array(errors) - median)))
    is_sure = abs(median) > SURE * 1.2533 * width / math.sqrt(len(errors))
    return round(min(max(-median, -MOST_LATER), MOST_LATER), 1) if is_sure else 0.0


def tell(card: ModelCard, model: Model, examples: Sequence[Example], stretch: int = 1) -> list[Shipped]:
    return [
        Shipped(each, card.aligned(annotate(_shown(each, card), model, card.geometry)), stretch, rule=card.rule)
        for each in examples
    ]


def _shown(example: Example, card: ModelCard) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return with_missing(example.counts, is_causal=card.look_ahead_s is not None)


def judged(told: Told, threshold: float = FLOOR) -> Iterator[Judged]:
    """Its picks and how far off they are; those of which nobody knows are left out."""
    labels, is_known = labels_of(told.example), known(told.example.unknown, told.example.length)
    for pick in told.picks(threshold):
        own = [pick.sample - label.sample for label in labels if label.phase == pick.phase]
        error_s = min(own, key=abs, default=math.inf) / RATE_HZ / told.stretch
        place = min(told.example.length - 1, max(0, round(pick.sample)))
        if abs(error_s) <= RIGHT_WITHIN_S or is_known["PS".index(pick.phase), place]:
            yield Judged(pick, error_s, told.horizontals(pick))


def figures(scores: Scores) -> dict[str, float]:
    """As a card has them; what cannot be said is left out."""
    found = {"false_picks_per_hour": scores.false_picks_per_hour, "quiet_hours": scores.quiet_hours}
    for name, phase in (("p", scores.p), ("s", scores.s)):
        for field in ("labels", "recall", "recall_near", "swapped", "mae_s", "bias_s", "excess"):
            found[f"{name}.{field}"] = float(getattr(phase, field))
    return {name: round(value, 4) for name, value in found.items() if math.isfinite(value)}
