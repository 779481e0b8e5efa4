"""The threshold of a first stage: as high as may be while what the live picker gets right still comes through."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.detection import LOOKED_BACK, decided_to
from kensoku.errors import InputInvalid
from kensoku.picking import Model, ModelCard, Pick
from kensoku.training.calibration import RIGHT_WITHIN_S
from kensoku.training.examples import RATE_HZ, Example, FloatArray
from kensoku.training.release import SETTLED, Shipped, tell
from kensoku.training.scores import labels_of, quiet_of

SECONDS = LOOKED_BACK + 1  # in any of which it may see an onset, so that the picker looks
STARTS = 10  # of records against the grid of seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStage:
    threshold: float
    right: int  # picks of the live picker
    kept: float  # share of them that come through
    passing: float  # share of quiet seconds in which the live picker is asked


def settle(
    first: ModelCard,
    first_model: Model,
    final: ModelCard,
    final_model: Model,
    examples: Sequence[Example],
    least: float,
) -> FirstStage:
    """The highest threshold, in thousandths, that keeps at least this share of the right picks."""
    told = list(zip(tell(final, final_model, examples), _highest(first, first_model, examples), strict=True))
    seen = sorted(height for one, highest in told for height in _seen(one, final, highest))
    if not seen:
        raise InputInvalid("found no pick that the live picker gets right, expected some to keep; take other records")
    lost = math.floor((1 - least) * len(seen))
    threshold = math.floor(seen[lost] * SETTLED) / SETTLED
    passing = [on for one, highest in told for on in _asked(one.example, highest, threshold)]
    return FirstStage(
        threshold=threshold,
        right=len(seen),
        kept=float(np.mean([height >= threshold for height in seen])),
        passing=float(np.mean(passing)) if passing else math.nan,
    )


def _highest(card: ModelCard, model: Model, examples: Sequence[Example]) -> Iterator[FloatArray]:
    """Of P and S, at each sample."""
    for one in tell(card, model, examples):
        yield np.nan_to_num(one.probabilities).max(axis=0)


def _seen(told: Shipped, final: ModelCard, highest: FloatArray) -> Iterator[float]:
    """How sure the first stage is in time, wherever in a second the record begins, of each pick that is right."""
    for pick in told.picks(final.threshold.p):
        if _is_right(pick, told.example) and (end := _decided(final, pick)) + RATE_HZ <= len(highest):
            ends = range(end, end + RATE_HZ, RATE_HZ // STARTS)
            yield min(float(highest[max(0, last - SECONDS * RATE_HZ) : last].max(initial=0)) for last in ends)


def _is_right(pick: Pick, example: Example) -> bool:
    near = RIGHT_WITHIN_S * RATE_HZ
    return any(label.phase == pick.phase and abs(label.sample - pick.sample) <= near for label in labels_of(example))


def _decided(card: ModelCard, pick: Pick) -> int:
    """The earliest end of a second that decides it."""
    end = math.ceil(pick.sample)
    while decided_to(card, pick.phase, end) < math.ceil(pick.sample):
        end += 1
    return end


def _asked(example: Example, highest: FloatArray, threshold: float) -> Iterator[bool]:
    """Of each second that is quiet throughout."""
    is_quiet = quiet_of(example)
    for end in range(SECONDS * RATE_HZ, len(highest) + 1, RATE_HZ):
        if is_quiet[end - RATE_HZ : end].all():
            yield bool(highest[end - SECONDS * RATE_HZ : end].max() >= threshold)
