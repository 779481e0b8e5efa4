"""Picks on which several looks agree: of every model, on several places of its grid, in both polarities.

What one look sees and another does not is a whim of where the record was cut; the mean of all is steadier than each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kensoku.errors import ModelRefused
from kensoku.picking import Model, ModelCard, Pick, Rule, annotate, apart_from_gaps, find_picks, with_missing
from kensoku.training.examples import FloatArray

PLACES = 3  # on the grid of each model


@dataclass(frozen=True, slots=True)
class Voter:
    card: ModelCard
    model: Model


def vote(records: FloatArray, voters: Sequence[Voter], threshold: float, places: int = PLACES) -> list[list[Pick]]:
    """The picks of each of (records, 3, samples): raw counts at 100 Hz, NaN where nothing was recorded."""
    said = agree(records, voters, places)
    rule = common_rule(voters, threshold)
    return [
        find_picks(each, rule, apart_from_gaps(with_missing(counts, is_causal=False)))
        for each, counts in zip(said, records, strict=True)
    ]


def agree(records: FloatArray, voters: Sequence[Voter], places: int = PLACES) -> FloatArray:
    """(records, 2, samples): mean probabilities of P and S over all looks."""
    total = np.zeros((len(records), 2, records.shape[2]), dtype=np.float64)
    for voter in voters:
        is_live = voter.card.look_ahead_s is not None
        shown = np.stack([with_missing(counts, is_causal=is_live) for counts in records])
        stride = voter.card.geometry.stride
        for place in range(places):
            for seen in (shown, -shown):
                answers = annotate(seen, voter.model, voter.card.geometry, start=round(place * stride / places))
                total += np.stack([voter.card.aligned(answer) for answer in answers])
    mean: FloatArray = (total / (2 * places * len(voters))).astype(np.float32)
    return mean


def common_rule(voters: Sequence[Voter], threshold: float) -> Rule:
    """Scores of models that were taught otherwise are no scores of one kind."""
    labels = {voter.card.label_s for voter in voters}
    if len(labels) != 1:
        raise ModelRefused(
            f"found models whose labels are {', '.join(f'{label:g}' for label in sorted(labels))} s wide; "
            "expected one width; ask them one by one"
        )
    return replace(voters[0].card.rule, p_threshold=threshold, s_threshold=threshold)
