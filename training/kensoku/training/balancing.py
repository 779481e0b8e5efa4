"""How often each example of a source is taken, so that rare sizes, distances and SNRs are not rare to a network."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from kensoku.training.datasets.conditions import best_snr
from kensoku.training.examples import Example

Trait = Literal["magnitude", "distance_km", "snr"]

Floats = npt.NDArray[np.float64]

CLASSES = 6  # between the source's smallest and largest, of distance and SNR in logarithms
MOST = 5.0  # by which an example may be taken more often than without


def shares(examples: Sequence[Example], traits: Sequence[Trait]) -> Floats:
    """They add up to 1; an example of which a trait is not known counts as the average of it."""
    weights = np.ones(len(examples))
    for trait in traits:
        values = np.array([_value(example, trait) for example in examples])
        weights *= _even_out(values)
    return _capped(weights / weights.sum(), MOST / len(examples))


def _capped(shares: Floats, most: float) -> Floats:
    """What is above goes to those below, in proportion."""
    is_full = np.zeros(len(shares), dtype=np.bool_)
    while (is_over := ~is_full & (shares > most)).any():
        is_full |= is_over
        left = 1 - most * is_full.sum()
        shares = np.where(is_full, most, shares * left / shares[~is_full].sum())
    return shares


def _value(example: Example, trait: Trait) -> float:
    if trait == "magnitude":
        return example.origin.magnitude
    value = best_snr(example) if trait == "snr" else example.origin.distance_km
    return float(np.log(value)) if value > 0 else np.nan


def _even_out(values: Floats) -> Floats:
    known = np.isfinite(values)
    weights = np.ones(len(values))
    if known.sum() < 2 or np.ptp(values[known]) == 0:
        return weights
    edges = np.linspace(values[known].min(), values[known].max(), CLASSES + 1)
    classes = np.clip(np.searchsorted(edges, values[known], side="right") - 1, 0, CLASSES - 1)
    counts = np.bincount(classes, minlength=CLASSES)
    even = known.sum() / (counts[classes] * np.count_nonzero(counts))
    weights[known] = even
    return weights
