"""A second network looks at what a live picker has found: cuts that end as long after each pick as may be waited.

It hears what the first one heard, from both sides of the onset, and is asked about few places; so it can tell more of
what is right from what is not. The score joins what both say.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kensoku.errors import InputInvalid
from kensoku.picking._annotate import Model
from kensoku.picking._card import ModelCard
from kensoku.picking._missing import with_missing
from kensoku.picking._picks import PHASES, FloatArray, Phase, Pick, Rule, highest_lobe

SAME = 50  # samples: a lobe of the reviewer so near to a pick is about the same onset
SUREST = 0.999  # no score counts for more, or for less than the rest


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A network of that kind, and who answers for it."""

    card: ModelCard
    model: Model

    def __post_init__(self) -> None:
        refuse_other(self.card)


def refuse_other(card: ModelCard) -> None:
    terms, window = card.review, card.geometry.window
    if card.kind != "reviewer" or terms is None or card.look_ahead_s is None or not card.geometry.is_fixed:
        what = "expected a reviewer of cuts of one length, with its terms `review` and a look-ahead"
        raise InputInvalid(f"found a {card.kind}, {what}")
    if SAME + max(terms.after.p, terms.after.s) > window:
        raise InputInvalid(f"reviewer: found cuts of {window} samples, expected more than end after a pick")


def rule_of_lobes(rule: Rule, card: ModelCard) -> Rule:
    """The picker's; what is faint as well, from as low on as it is reviewed."""
    assert card.review is not None
    return replace(rule, p_faint=card.review.lowest, s_faint=card.review.lowest)


def cut_end(pick: Pick, card: ModelCard) -> int:
    """The sample before which the reviewer's cut ends."""
    assert card.review is not None
    return _nearest(pick) + card.review.after.of(pick.phase)


def _nearest(pick: Pick) -> int:
    """The same wherever a record begins."""
    return math.floor(pick.sample + 0.5)


def shown(counts: FloatArray) -> FloatArray:
    """A cut as a reviewer is given it."""
    return with_missing(counts, is_causal=False)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What comes of a pick."""

    pick: Pick
    own_score: float  # of the reviewer alone
    likely: tuple[float, float, float]  # noise, P and S as the reviewer says them at the onset

    def is_kept(self, card: ModelCard) -> bool:
        return self.pick.score >= _threshold(card, self.pick.phase)


def reviewed(pick: Pick, said: FloatArray, card: ModelCard) -> Reviewed:
    """`said`: noise, P and S (3, samples) of the cut, or of the end of it."""
    terms = card.review
    assert terms is not None
    phase, place = pick.phase, said.shape[1] - terms.after.of(pick.phase)  # of the pick's nearest sample
    row = said[1 + PHASES.index(phase)]
    own = highest_lobe(phase, row, range(place - SAME, min(place + SAME + 1, len(row))), card.rule)
    own_score = own.score if own else 0.0
    noise, p, s = (float(each[round(own.sample) if own else place]) for each in said)
    most = terms.move.of(phase)
    sample = _nearest(pick) + min(max(own.sample - place, -most), most) if own else pick.sample
    score = joined(pick.score, own_score, terms.own_share)
    width_s = own.width_s if own else pick.width_s
    found = Pick(phase, sample, score, width_s, _is_faint(score, phase, card))
    return Reviewed(found, own_score, (noise, p, s))


def review_records(
    records: FloatArray, found: Sequence[Sequence[Pick]], reviewer: Reviewer
) -> list[list[tuple[Pick, Reviewed]]]:
    """What comes of the picks of each of (records, 3, samples), in their order."""
    card, window = reviewer.card, reviewer.card.geometry.window
    asked = [(record, pick) for record, picks in enumerate(found) for pick in picks]
    answered: list[list[tuple[Pick, Reviewed]]] = [[] for _ in found]
    for place in range(0, len(asked), card.geometry.batch):
        some = asked[place : place + card.geometry.batch]
        cuts = np.stack([shown(_cut(records[record], cut_end(pick, card), window)) for record, pick in some])
        for (record, pick), said in zip(some, reviewer.model(cuts), strict=True):
            answered[record].append((pick, reviewed(pick, said, card)))
    return answered


def joined(score: float, other: float, share: float) -> float:
    """From the mean of their log odds, of which the first has that share."""
    log_odds = share * _log_odds(score) + (1 - share) * _log_odds(other)
    return 1 / (1 + math.exp(-log_odds))


def _log_odds(score: float) -> float:
    limited = min(max(score, 1 - SUREST), SUREST)
    return math.log(limited / (1 - limited))


def _threshold(card: ModelCard, phase: Phase) -> float:
    return card.threshold.p if phase == "P" else card.threshold.s


def _is_faint(score: float, phase: Phase, card: ModelCard) -> bool:
    if card.faint is None:
        return False
    return (card.faint.p if phase == "P" else card.faint.s) <= score < _threshold(card, phase)


def _cut(counts: FloatArray, end: int, window: int) -> FloatArray:
    """So many samples before one of them; NaN beyond the record."""
    cut = np.full((3, window), np.nan, dtype=np.float32)
    first, last = max(end - window, 0), min(end, counts.shape[1])
    if last > first:
        cut[:, first - (end - window) : last - (end - window)] = counts[:, first:last]
    return cut
