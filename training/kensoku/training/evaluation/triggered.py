"""A picker that is given nothing but the 4 s around a trigger, as after a classic detector."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.picking import Pick
from kensoku.training.datasets.conditions import onset_snr
from kensoku.training.evaluation.asking import Ask
from kensoku.training.evaluation.summary import interval, mean
from kensoku.training.examples import PHASES, RATE_HZ, Example, FloatArray, Phase
from kensoku.training.scores import TOLERANCE_S

WINDOW_S, JITTER_S = 4.0, 1.0
EACH = 4  # triggers a label


@dataclass(frozen=True, slots=True)
class Answer:
    """The strongest pick of a label's phase in the cut."""

    record: int
    phase: Phase
    weight: float  # of the label
    snr: float
    residual_s: float  # NaN without a pick

    @property
    def is_hit(self) -> bool:
        return abs(self.residual_s) <= TOLERANCE_S

    @property
    def is_missed(self) -> bool:
        return math.isnan(self.residual_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggeredFigures:
    cuts: int
    hits: float
    low: float  # 90 % interval of hits by drawing records again
    high: float
    mae_s: float  # of hits
    missed: float  # no pick of the phase
    outliers: float  # picked more than 0.5 s off


def judge_triggered(ask: Ask, examples: Sequence[Example]) -> list[Answer]:
    """The onset lies anywhere in the middle 2 s; the other phase may lie in the cut too, as it does after a trigger."""
    chance, length = np.random.default_rng(0), round(WINDOW_S * RATE_HZ)
    asked: list[tuple[int, Phase, float, float, float]] = []
    cuts: list[FloatArray] = []
    for record, example in enumerate(examples):
        for onset in example.onsets:
            for jitter_s in chance.uniform(-JITTER_S, JITTER_S, EACH):
                first = round(onset.sample + jitter_s * RATE_HZ) - length // 2
                if first >= 0 and first + length <= example.length:
                    snr = onset_snr(example.counts, onset)
                    asked.append((record, onset.phase, onset.weight, snr, onset.sample - first))
                    cuts.append(example.counts[:, first : first + length])
    return [
        Answer(record, phase, weight, snr, _residual_s(picks, phase, sample))
        for (record, phase, weight, snr, sample), picks in zip(asked, ask(cuts), strict=True)
    ]


def _residual_s(picks: Sequence[Pick], phase: Phase, sample: float) -> float:
    strongest = max((pick for pick in picks if pick.phase == phase), key=lambda pick: pick.score, default=None)
    return (strongest.sample - sample) / RATE_HZ if strongest else math.nan


def figures_of(answers: Sequence[Answer]) -> TriggeredFigures:
    low, high = interval([each.record for each in answers], [each.is_hit for each in answers])
    return TriggeredFigures(
        cuts=len(answers),
        hits=mean([each.is_hit for each in answers]),
        low=low,
        high=high,
        mae_s=mean([abs(each.residual_s) for each in answers if each.is_hit]),
        missed=mean([each.is_missed for each in answers]),
        outliers=mean([not each.is_hit and not each.is_missed for each in answers]),
    )


def by_phase_and_weight(answers: Sequence[Answer]) -> Mapping[str, TriggeredFigures]:
    groups: dict[str, list[Answer]] = {}
    for phase in PHASES:
        own = [each for each in answers if each.phase == phase]
        groups[f"{phase}, all"] = own
        for weight in sorted({each.weight for each in own}, reverse=True):
            groups[f"{phase}, weight {weight:g}"] = [each for each in own if each.weight == weight]
    return {name: figures_of(group) for name, group in groups.items() if group}
