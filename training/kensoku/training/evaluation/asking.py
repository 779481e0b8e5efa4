"""Ask a picker about changed records, and find its picks of before among those of after."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from kensoku.picking import Model, ModelCard, PhasePair, Pick, pick_records
from kensoku.training.examples import FloatArray
from kensoku.training.scores import FLOOR

Ask = Callable[[Sequence[FloatArray]], list[list[Pick]]]
AT_ONCE_SAMPLES = 400_000
SAME_WITHIN = 50  # samples: picks of one phase nearer than that are of one onset


def asker(card: ModelCard, model: Model, *, is_low: bool = False) -> Ask:
    """Records of any lengths to their picks, at the card's thresholds or at the lowest there are."""
    rule = replace(card, threshold=PhasePair(p=FLOOR, s=FLOOR)) if is_low else card

    def ask(records: Sequence[FloatArray]) -> list[list[Pick]]:
        found: list[list[Pick]] = [[] for _ in records]
        order = sorted(range(len(records)), key=lambda number: records[number].shape[1])
        for length, same in groupby(order, key=lambda number: records[number].shape[1]):
            alike, at_once = list(same), max(1, AT_ONCE_SAMPLES // length)
            for first in range(0, len(alike), at_once):
                some = alike[first : first + at_once]
                for number, picks in zip(
                    some, pick_records(np.stack([records[n] for n in some]), model, rule), strict=True
                ):
                    found[number] = picks
        return found

    return ask


def is_sure(pick: Pick, card: ModelCard, above: float = 0.0) -> bool:
    return pick.score >= card.rule.threshold(pick.phase) + above


def again(pick: Pick, others: Sequence[Pick], shift: float = 0.0) -> Pick | None:
    """The nearest of its phase, where the onset now lies so many samples later."""
    near = [other for other in others if other.phase == pick.phase and abs(_apart(pick, other, shift)) <= SAME_WITHIN]
    return min(near, key=lambda other: abs(_apart(pick, other, shift)), default=None)


def _apart(pick: Pick, other: Pick, shift: float) -> float:
    return other.sample - shift - pick.sample
