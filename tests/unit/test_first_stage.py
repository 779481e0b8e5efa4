"""A first stage lets through what the live picker gets right, and of the rest as little as it can."""

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.training.examples import Example, Onset, Origin
from kensoku.training.first_stage import settle
from tests.streams import FloatArray, card, onsets

ORIGIN = Origin(source="made", region="nowhere", station="XX.ABC")
ONSETS = (Onset("P", 1500.0), Onset("S", 1900.0))


def examples(count: int) -> list[Example]:
    """Waves that differ in size, and as many records without any."""
    made, chance = [], np.random.default_rng(1)
    for number in range(count):
        counts = chance.normal(0, 10, (2, 3, 3200))
        for component, onset in enumerate(ONSETS):
            counts[0, component, int(onset.sample) :] += chance.normal(0, 60 + 6 * number, 3200 - int(onset.sample))
        made += [
            Example(each.astype(np.float32), of, (), ORIGIN) for each, of in zip(counts, (ONSETS, ()), strict=True)
        ]
    return made


def faint(counts: FloatArray) -> FloatArray:
    """Half as sure."""
    return 0.5 * onsets(counts)


def test_the_threshold_is_the_highest_that_keeps_what_is_right() -> None:
    first, final = card(0.5), card(0.4)
    all_kept = settle(first, faint, final, onsets, examples(30), 1.0)
    most_kept = settle(first, faint, final, onsets, examples(30), 0.9)
    assert all_kept.right == most_kept.right > 50
    assert all_kept.kept == 1.0
    assert 0.9 <= most_kept.kept < 1.0
    assert 0.2 < all_kept.threshold < most_kept.threshold < 0.5
    assert all_kept.passing < 0.05


def test_a_first_stage_that_sees_nothing_lets_all_through() -> None:
    blind = settle(card(0.5), lambda counts: np.zeros_like(counts), card(0.4), onsets, examples(5), 0.99)
    assert (blind.threshold, blind.kept, blind.passing) == (0.0, 1.0, 1.0)


def test_without_a_right_pick_nothing_can_be_settled() -> None:
    with pytest.raises(InputInvalid, match="expected some to keep"):
        settle(card(0.5), faint, card(0.999), onsets, examples(3), 0.99)
