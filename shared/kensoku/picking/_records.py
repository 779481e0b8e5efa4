"""From records to picks, in one call."""

import numpy as np

from kensoku.picking._annotate import Model, annotate
from kensoku.picking._card import ModelCard
from kensoku.picking._missing import apart_from_gaps, with_missing
from kensoku.picking._picks import FloatArray, Pick, find_picks, is_apart
from kensoku.picking._review import Reviewer, review_records, rule_of_lobes


def pick_records(
    records: FloatArray, model: Model, card: ModelCard, start: int = 0, reviewer: Reviewer | None = None
) -> list[list[Pick]]:
    """The picks of each of (records, 3, samples): raw counts at 100 Hz, the first of which has the number `start`."""
    # A gap filled with zeros is told 0.4 s after its start, in time for a pick 0.5 s before it.
    allowed = [apart_from_gaps(with_missing(counts, is_causal=False)) for counts in records]
    is_live = card.look_ahead_s is not None
    shown = [with_missing(counts, is_causal=is_live) for counts in records]
    answers = annotate(shown[0][np.newaxis] if len(shown) == 1 else np.stack(shown), model, card.geometry, start)
    rule = rule_of_lobes(card.rule, reviewer.card) if reviewer else card.rule
    found = [find_picks(card.aligned(said), rule, near) for said, near in zip(answers, allowed, strict=True)]
    if reviewer is None:
        return found
    return [
        sorted(
            (one.pick for _, one in some if one.is_kept(reviewer.card) and is_apart(one.pick, near)),
            key=lambda pick: (pick.sample, pick.phase),
        )
        for some, near in zip(review_records(records, found, reviewer), allowed, strict=True)
    ]
