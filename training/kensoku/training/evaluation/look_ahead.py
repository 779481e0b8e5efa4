"""Whether a live picker keeps its promise: whatever comes later than its look-ahead changes no pick."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.picking import ModelCard, Pick
from kensoku.training.evaluation.asking import Ask
from kensoku.training.examples import RATE_HZ, FloatArray

LARGE = 1e4
EACH = 4  # picks of a record after which all is replaced
Chance = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAhead:
    replacement: str
    asked: int  # times that what follows a pick was replaced
    picks: int  # in all of them that may not change
    changed: int  # records with a pick that is gone, new or of other bits


def judge_look_ahead(ask: Ask, card: ModelCard, records: Sequence[FloatArray]) -> list[LookAhead]:
    """By nothing, zeros, noise and a far larger earthquake; none of a model of full context."""
    if card.look_ahead_s is None:
        return []
    before, chance = ask(records), np.random.default_rng(0)
    cuts = [
        (record, math.floor(pick.sample + _look_ahead(card, pick)) + 1)
        for record, picks in enumerate(before)
        for pick in _some(picks, chance)
    ]
    cuts = [(record, end) for record, end in cuts if end < records[record].shape[1]]
    found = []
    for name in ("the record ends", "missing", "zeros", "noise", "an earthquake"):
        after = ask([_replaced(records[record], end, name, chance) for record, end in cuts])
        kept = [_decided(before[record], end, card) for record, end in cuts]
        changed = sum(old != _decided(new, end, card) for old, new, (_, end) in zip(kept, after, cuts, strict=True))
        found.append(LookAhead(replacement=name, asked=len(cuts), picks=sum(map(len, kept)), changed=changed))
    return found


def _some(picks: Sequence[Pick], chance: Chance) -> list[Pick]:
    chosen = chance.permutation(len(picks))[:EACH]
    return [picks[place] for place in sorted(chosen.tolist())]


def _look_ahead(card: ModelCard, pick: Pick) -> float:
    stated = card.look_ahead_s
    return 0.0 if stated is None else RATE_HZ * (stated.p if pick.phase == "P" else stated.s)


def _decided(picks: Sequence[Pick], end: int, card: ModelCard) -> list[Pick]:
    """That depend on no sample from `end` on."""
    return [pick for pick in picks if pick.sample + _look_ahead(card, pick) < end]


def _replaced(counts: FloatArray, end: int, name: str, chance: Chance) -> FloatArray:
    if name == "the record ends":
        return counts[:, :end]
    changed, left = counts.copy(), counts.shape[1] - end
    size = max(float(np.nanmax(np.abs(counts))), 1e-20)
    swing = np.sin(np.arange(left) * 0.3) * np.exp(-np.arange(left) / 500)
    made: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {
        "missing": np.full((3, left), np.nan),
        "zeros": np.zeros((3, left)),
        "noise": chance.normal(scale=size, size=(3, left)),
        "an earthquake": LARGE * size * np.stack([swing, -swing, swing]),
    }
    changed[:, end:] = np.where(np.isnan(counts).all(axis=1, keepdims=True), np.nan, made[name])
    return changed
