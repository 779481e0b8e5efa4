"""From records to picks, in one call."""

import numpy as np

from kensoku.picking._annotate import Model, annotate
from kensoku.picking._card import ModelCard
from kensoku.picking._missing import apart_from_gaps, less_offset, with_missing
from kensoku.picking._picks import Counts, Pick, find_picks


def pick_records(records: Counts, model: Model, card: ModelCard, start: int = 0) -> list[list[Pick]]:
    """The picks of each of (records, 3, samples): raw counts at 100 Hz, the first of which has the number `start`.

    Waves on an offset beyond what single precision holds, 16 million counts, need double.
    """
    is_live = card.look_ahead_s is not None
    shown = [less_offset(with_missing(counts, is_causal=is_live)) for counts in records]
    answers = annotate(shown[0][np.newaxis] if len(shown) == 1 else np.stack(shown), model, card.geometry, start)
    # A gap filled with zeros is told 0.4 s after its start, in time for a pick 0.5 s before it.
    told = [less_offset(with_missing(counts, is_causal=False)) for counts in records] if is_live else shown
    return [
        find_picks(card.aligned(said), card.rule, apart_from_gaps(counts))
        for said, counts in zip(answers, told, strict=True)
    ]
