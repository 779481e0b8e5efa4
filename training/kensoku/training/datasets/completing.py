"""Picks of a model in the place of phases that nobody labelled: `window,phase,sample,score`, a row a pick."""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from kensoku.errors import InputInvalid
from kensoku.training.datasets.labels import LabelRule, Pick
from kensoku.training.examples import PHASES, RATE_HZ, Phase
from kensoku.training.scores import TRUSTED

PSEUDO = 0.49  # trust in a model's own picks at the most: labels of less than 0.5 judge nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How far a model's picks are trusted."""

    picks: str  # the table, which `kensoku dataset pick` or `kensoku models run` writes
    weight: Annotated[float, Field(gt=0, lt=TRUSTED)] = PSEUDO  # it may teach, it must never judge
    least_score: Annotated[float, Field(gt=0, le=1)] = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    phase: Phase
    sample: float
    score: float


def read_found(path: Path) -> Mapping[int, Sequence[Found]]:
    """By window, counted from 0."""
    of: dict[int, list[Found]] = defaultdict(list)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                phase = PHASES[PHASES.index(row["phase"])]
                of[int(row["window"])].append(Found(phase, float(row["sample"]), float(row["score"])))
    except OSError as error:
        raise InputInvalid(f"{path}: found {error.strerror}; expected a table of picks") from None
    except (KeyError, ValueError) as error:
        raise InputInvalid(f"{path}: found {error}; expected columns window, phase, sample and score") from None
    return of


def complete(picks: Sequence[Pick], found: Sequence[Found], rule: LabelRule, trust: Completion) -> list[Pick]:
    """The labels, and for a phase that they lack the best pick where it can lie; labels themselves never change."""
    labelled = {pick.phase for pick in picks}
    added = []
    for phase in PHASES:
        there = [each for each in found if each.phase == phase and each.score >= trust.least_score]
        there = [each for each in there if picks and _can_be(each, picks, rule)]
        if phase not in labelled and there:
            best = max(there, key=lambda each: each.score)
            shift, weight = _of_rule(rule, phase)
            added.append(Pick(phase, best.sample - shift, trust.weight * min(best.score, 1.0) / max(weight, 1e-9)))
    return [*picks, *added]


def _can_be(found: Found, picks: Sequence[Pick], rule: LabelRule) -> bool:
    """S behind P, P before S, no nearer and no farther than the rule says."""
    for pick in picks:
        shift, _ = _of_rule(rule, pick.phase)
        after_s = (found.sample - pick.sample - shift) / RATE_HZ * (1 if found.phase == "S" else -1)
        if not rule.missing_s <= after_s <= rule.longest_s_minus_p_s:
            return False
    return True


def _of_rule(rule: LabelRule, phase: Phase) -> tuple[float, float]:
    """Shift and weight, which a model's pick must not get."""
    return (rule.shift_p_samples, rule.weight_p) if phase == "P" else (rule.shift_s_samples, rule.weight_s)
