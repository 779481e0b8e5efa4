"""From records to picks, in one call."""

import numpy as np

from kensoku.picking._annotate import Model, annotate
from kensoku.picking._card import ModelCard
from kensoku.picking._missing import apart_from_gaps, with_missing
from kensoku.picking._picks import FloatArray, Pick, find_picks


def pick_records(records: FloatArray, model: Model, card: ModelCard, start: int = 0) -> list[list[Pick]]:
    """The picks of each of (records, 3, samples): raw counts at 100 Hz, the first of which has the number `start`."""
    shown = np.stack([with_missing(counts, is_causal=card.look_ahead_s is not None) for counts in records])
    answers = annotate(shown, model, card.geometry, start)
    return [
        # A gap filled with zeros is told 0.4 s after its start, in time for a pick 0.5 s before it.
        find_picks(card.aligned(said), card.rule, apart_from_gaps(with_missing(counts, is_causal=False)))
        for said, counts in zip(answers, records, strict=True)
    ]
