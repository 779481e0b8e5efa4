"""What a picker did with each label and what each of its picks was, as rows that can be grouped and counted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.picking import Model, ModelCard, Pick
from kensoku.training.calibration import RIGHT_WITHIN_S
from kensoku.training.datasets.conditions import onset_snr
from kensoku.training.examples import PHASES, RATE_HZ, Example, Onset, Phase, known
from kensoku.training.release import tell
from kensoku.training.scores import FLOOR, Told, labels_of, quiet_of

SURROUNDINGS_S = (1.0, 5.0)  # before P and after S, where a pick that matches no label is in excess


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """An onset that somebody picked, and what the model made of it."""

    record: int  # its number among the examples
    phase: Phase
    sample: float
    snr: float
    residual_s: float  # of the nearest pick at the threshold; infinite without one within 0.5 s
    uncertainty_s: float  # that the model states for it; NaN without one
    best_score: float  # of any pick within 0.5 s; 0 without one
    is_swapped: bool  # only the other phase was picked there

    @property
    def is_found(self) -> bool:
        return math.isfinite(self.residual_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A pick, down to the lowest score, where it is known whether it is right."""

    record: int
    pick: Pick
    probability: float  # as calibrated
    is_right: bool
    is_in_quiet: bool
    is_excess: bool


@dataclass(frozen=True, slots=True)
class Results:
    examples: Sequence[Example]
    labels: Sequence[Label]
    made: Sequence[Made]
    quiet_s: Sequence[float]  # of each record
    threshold: tuple[float, float]  # of P and S


def judge_picker(card: ModelCard, model: Model, examples: Sequence[Example], stretch: int = 1) -> Results:
    """Every trusted label and every pick of the examples, which may be played so many times slower."""
    labels: list[Label] = []
    made: list[Made] = []
    quiet_s = []
    for record, told in enumerate(tell(card, model, examples, stretch)):
        picks = told.picks(FLOOR)
        labels += [_label(record, onset, told, picks, card) for onset in labels_of(told.example)]
        made += _made(record, told, picks, card)
        quiet_s.append(float(quiet_of(told.example).sum()) / RATE_HZ)
    return Results(examples, labels, made, quiet_s, (card.threshold.p, card.threshold.s))


def _label(record: int, onset: Onset, told: Told, picks: Sequence[Pick], card: ModelCard) -> Label:
    rate = RATE_HZ * told.stretch
    near = [pick for pick in picks if abs(pick.sample - onset.sample) <= RIGHT_WITHIN_S * rate]
    strong = [pick for pick in near if pick.score >= getattr(card.threshold, pick.phase.lower())]
    own = [pick for pick in strong if pick.phase == onset.phase]
    nearest = min(own, key=lambda pick: abs(pick.sample - onset.sample), default=None)
    return Label(
        record=record,
        phase=onset.phase,
        sample=onset.sample,
        snr=onset_snr(told.example.counts, onset),
        residual_s=(nearest.sample - onset.sample) / rate if nearest else math.inf,
        uncertainty_s=card.calibration.uncertainty_s(nearest, told.horizontals(nearest)) / told.stretch
        if nearest
        else math.nan,
        best_score=max((pick.score for pick in near if pick.phase == onset.phase), default=0.0),
        is_swapped=bool(strong) and not own,
    )


def _made(record: int, told: Told, picks: Sequence[Pick], card: ModelCard) -> list[Made]:
    example, labels = told.example, labels_of(told.example)
    is_known, is_quiet = known(example.unknown, example.length), quiet_of(example)
    made = []
    for pick in picks:
        place = min(example.length - 1, max(0, round(pick.sample)))
        own = [abs(pick.sample - label.sample) for label in labels if label.phase == pick.phase]
        is_right = min(own, default=np.inf) <= RIGHT_WITHIN_S * RATE_HZ * told.stretch
        if is_right or is_known[PHASES.index(pick.phase), place]:
            made.append(
                Made(
                    record=record,
                    pick=pick,
                    probability=card.calibration.probability(pick),
                    is_right=is_right,
                    is_in_quiet=bool(is_quiet[place]),
                    is_excess=not is_right and _is_near(pick, labels, RATE_HZ * told.stretch),
                )
            )
    return made


def _is_near(pick: Pick, labels: Sequence[Onset], rate: int) -> bool:
    """Between P - 1 s and S + 5 s of a record with one of each."""
    if sorted(label.phase for label in labels) != ["P", "S"]:
        return False
    at = {label.phase: label.sample for label in labels}
    return at["P"] - SURROUNDINGS_S[0] * rate <= pick.sample <= at["S"] + SURROUNDINGS_S[1] * rate
