"""What may not change a pick: where the record begins, and how large its counts are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.picking import ModelCard, Pick
from kensoku.training.evaluation.asking import Ask, again, is_sure
from kensoku.training.examples import RATE_HZ, FloatArray

STRIDES = (1, 2, 7)  # shifts by a multiple of the model's stride
SHIFTS = (1, 2, 3, 5, 7, 11, 13)  # samples
CUTS = (5, 16)  # samples off the start: what is left is seen with less before it
POWERS_OF_TWO = (2.0**-10, 2.0**-3, 2.0**5, 2.0**13, 2.0**20)
FACTORS = (1e-3, 1e-2, 0.1, 3.0, 1e3, 1e6)
ABOVE = 0.1  # picks that stand so much above the threshold should not be lost
FAR_S = 0.02
SCORE_MAY_CHANGE, SAMPLES_MAY_CHANGE = 0.001, 1.0
ALIKE = 1e-6  # samples: a sum of a large and a small number


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of the picks of all records."""

    name: str
    must_be_identical: bool
    picks: int
    records_identical: float  # share of records all of whose picks have the same bits
    median_s: float  # of absolute changes of time
    p95_s: float
    far: float  # share that moved by more than 0.02 s
    sure: int  # picks 0.1 or more above the threshold
    lost: float  # share of these
    beyond: float  # share of all that are gone, moved by more than a sample, or whose score changed by more than 0.001


def shifted(ask: Ask, ask_low: Ask, card: ModelCard, records: Sequence[FloatArray]) -> list[Change]:
    """In a longer stretch of nothing, by whole strides and by less; and with some samples cut off the start.

    So much is missing before all of them that the picker never sees what lies before that.
    """
    stride = card.geometry.stride
    margin = -(-card.geometry.before // stride) * stride
    wide = [_begun_later(each, margin) for each in records]
    before, changes = ask(wide), []
    for shift, is_whole in [*((n * stride, True) for n in STRIDES), *((n, False) for n in SHIFTS if n % stride)]:
        moved = [_begun_later(each, shift) for each in wide]
        name = f"{shift} samples later"
        changes.append(_change(name, is_whole, card, before, ask(moved), ask_low(moved), shift))
    before = ask(records)
    for cut in CUTS:
        left = [each[:, cut:] for each in records]
        changes.append(_change(f"{cut} samples cut off", False, card, before, ask(left), ask_low(left), -cut))
    return changes


def _begun_later(counts: FloatArray, samples: int) -> FloatArray:
    return np.pad(counts, ((0, 0), (samples, 0)), constant_values=np.nan)


def scaled(ask: Ask, ask_low: Ask, card: ModelCard, records: Sequence[FloatArray]) -> list[Change]:
    before, changes = ask(records), []
    for factor, is_exact in [*((each, True) for each in POWERS_OF_TWO), *((each, False) for each in FACTORS)]:
        sized = [np.asarray(each * np.float32(factor)) for each in records]
        name = f"times 2^{round(math.log2(factor))}" if is_exact else f"times {factor:g}"
        changes.append(_change(name, is_exact, card, before, ask(sized), ask_low(sized), 0))
    return changes


def _change(
    name: str,
    must_be_identical: bool,
    card: ModelCard,
    before: Sequence[Sequence[Pick]],
    after: Sequence[Sequence[Pick]],
    after_low: Sequence[Sequence[Pick]],
    shift: int,
) -> Change:
    pairs = [(pick, again(pick, low, shift)) for picks, low in zip(before, after_low, strict=True) for pick in picks]
    moves_s = np.array([abs(new.sample - shift - old.sample) / RATE_HZ for old, new in pairs if new is not None])
    sure = [new for old, new in pairs if is_sure(old, card, ABOVE)]
    return Change(
        name=name,
        must_be_identical=must_be_identical,
        picks=len(pairs),
        records_identical=_share([_is_same(a, b, shift) for a, b in zip(before, after, strict=True)]),
        median_s=float(np.median(moves_s)) if len(moves_s) else math.nan,
        p95_s=float(np.quantile(moves_s, 0.95)) if len(moves_s) else math.nan,
        far=_share((moves_s > FAR_S).tolist()),
        sure=len(sure),
        lost=_share([new is None or not is_sure(new, card) for new in sure]),
        beyond=_share([new is None or _is_beyond(old, new, shift) for old, new in pairs]),
    )


def _is_same(before: Sequence[Pick], after: Sequence[Pick], shift: int) -> bool:
    return len(before) == len(after) and all(
        old.phase == new.phase and old.score == new.score and abs(new.sample - shift - old.sample) < ALIKE
        for old, new in zip(before, after, strict=True)
    )


def _is_beyond(old: Pick, new: Pick, shift: int) -> bool:
    is_late = abs(new.sample - shift - old.sample) > SAMPLES_MAY_CHANGE
    return is_late or abs(new.score - old.score) > SCORE_MAY_CHANGE


def _share(claims: Sequence[bool]) -> float:
    return sum(claims) / len(claims) if claims else math.nan
