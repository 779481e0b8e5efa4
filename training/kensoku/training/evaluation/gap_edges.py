"""Whether gaps make picks, and how many onsets beside them they cost."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.picking import Pick
from kensoku.training.evaluation.asking import Ask, again
from kensoku.training.examples import RATE_HZ, Example, FloatArray
from kensoku.training.scores import TOLERANCE_S, labels_of, quiet_of

LENGTHS_S = (0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 1.0, 2.0, 5.0, 10.0)
EDGE_S, BESIDE_S = 0.5, 5.0
NEAR_S = (0.6, 3.0)  # from an onset to the gap before or after it
FILLS = {"missing": math.nan, "zeros": 0.0}
Chance = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class GapFigures:
    """Of gaps of one length and filling; a pick is new that has none of its phase within 0.5 s without the gap."""

    where: str  # quiet or near an onset
    length_s: float
    filling: str
    gaps: int
    new_at_edge: int  # within 0.5 s of an edge
    new_beside: int  # within 5 s
    labels: int  # found without the gap, and not in it
    lost: int  # of these


@dataclass(frozen=True, slots=True)
class _Gap:
    record: int
    first: int
    end: int


def judge_gaps(ask: Ask, examples: Sequence[Example]) -> list[GapFigures]:
    """In the quiet of records, and before and after their onsets, each on all components."""
    before = ask([each.counts for each in examples])
    found = []
    for length_s in LENGTHS_S:
        chance = np.random.default_rng([0, round(length_s * 1000)])
        places = {
            "quiet": [gap for n, each in enumerate(examples) for gap in _in_quiet(n, each, length_s, chance)],
            "onset": [gap for n, each in enumerate(examples) for gap in _near_onsets(n, each, length_s, chance)],
        }
        for where, gaps in places.items():
            for filling, value in FILLS.items():
                after = ask([_with_gap(examples[gap.record].counts, gap, value) for gap in gaps])
                pairs = list(zip(gaps, after, strict=True))
                new = [each for gap, picks in pairs for each in _new(gap, before[gap.record], picks)]
                labels = [each for gap, picks in pairs for each in _labels(examples[gap.record], gap, before, picks)]
                found.append(
                    GapFigures(
                        where=where,
                        length_s=length_s,
                        filling=filling,
                        gaps=len(gaps),
                        new_at_edge=sum(apart_s <= EDGE_S for apart_s in new),
                        new_beside=sum(apart_s <= BESIDE_S for apart_s in new),
                        labels=len(labels),
                        lost=labels.count(False),
                    )
                )
    return found


def _in_quiet(record: int, example: Example, length_s: float, chance: Chance) -> Iterator[_Gap]:
    length, margin = max(1, round(length_s * RATE_HZ)), round(EDGE_S * RATE_HZ)
    is_quiet = quiet_of(example).astype(np.int64)
    if len(is_quiet) < length + 2 * margin:
        return
    span = length + 2 * margin
    starts = np.flatnonzero(np.convolve(is_quiet, np.ones(span, dtype=np.int64), "valid") == span)
    if len(starts):
        first = int(chance.choice(starts)) + margin
        yield _Gap(record, first, first + length)


def _near_onsets(record: int, example: Example, length_s: float, chance: Chance) -> Iterator[_Gap]:
    length = max(1, round(length_s * RATE_HZ))
    for onset in labels_of(example):
        apart = round(chance.uniform(*NEAR_S) * RATE_HZ)
        first = round(onset.sample) + apart if chance.random() < 0.5 else round(onset.sample) - apart - length
        if first > 0 and first + length < example.length:
            yield _Gap(record, first, first + length)


def _with_gap(counts: FloatArray, gap: _Gap, value: float) -> FloatArray:
    changed = counts.copy()
    part = changed[:, gap.first : gap.end]
    part[~np.isnan(part)] = value
    return changed


def _new(gap: _Gap, before: Sequence[Pick], after: Sequence[Pick]) -> Iterator[float]:
    """How far from the gap each new pick lies, in seconds."""
    for pick in after:
        if again(pick, before) is None:
            yield min(abs(pick.sample - gap.first), abs(pick.sample - gap.end)) / RATE_HZ


def _labels(example: Example, gap: _Gap, before: Sequence[Sequence[Pick]], after: Sequence[Pick]) -> Iterator[bool]:
    """Whether each label that was found still is; those in the gap or at its edge aside."""
    margin, tolerance = EDGE_S * RATE_HZ, TOLERANCE_S * RATE_HZ

    def is_found(picks: Sequence[Pick], phase: str, sample: float) -> bool:
        return any(pick.phase == phase and abs(pick.sample - sample) <= tolerance for pick in picks)

    for label in labels_of(example):
        is_apart = not gap.first - margin <= label.sample <= gap.end + margin
        if is_apart and is_found(before[gap.record], label.phase, label.sample):
            yield is_found(after, label.phase, label.sample)
