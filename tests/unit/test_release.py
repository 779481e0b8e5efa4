"""A card says how its model did on records that were not trained on, by the rule that is shipped."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.errors import InputInvalid
from kensoku.picking import Geometry, Pick
from kensoku.training.examples import Example, Onset, Origin, Span
from kensoku.training.release import Shipped, complete, judged, tell
from tests.tiny_models import card

FloatArray = npt.NDArray[np.float32]
ORIGIN = Origin(source="made", region="nowhere", station="XX.ABC")
GEOMETRY = Geometry(window=2048, before=64, after=64)


def examples(count: int) -> list[Example]:
    """Waves on the vertical and on a horizontal of random size, labelled half a sample to two samples off."""
    made, chance = [], np.random.default_rng(1)
    for _ in range(count):
        p = float(chance.uniform(800, 1000))
        s = p + float(chance.uniform(200, 500))
        counts = chance.normal(0, 10, (3, 2000))
        for component, onset in ((0, p), (1, s)):
            height = 10 ** chance.uniform(1.2, 3)
            counts[component] += height * np.exp(-0.5 * ((np.arange(2000) - onset) / 4) ** 2)
        onsets = (Onset("P", p + chance.normal(0, 2)), Onset("S", s + chance.normal(0, 2)))
        made.append(Example(counts.astype(np.float32), onsets, (), ORIGIN))
    return made


def model(counts: FloatArray) -> FloatArray:
    """Larger waves are more probable; noise is at times as large as the smallest of them."""
    heard = np.abs(np.nan_to_num(counts))
    taps = np.exp(-0.5 * (np.arange(-30, 31) / 8) ** 2)
    said = np.zeros_like(counts)
    for row, component in ((1, 0), (2, 1)):
        said[:, row] = [np.convolve(each, taps / taps.sum(), "same") for each in heard[:, component]]
    return np.asarray(said / (said + 30), dtype=np.float32)


def test_a_card_is_completed_by_what_was_found() -> None:
    plain = card(geometry=GEOMETRY, label_s=0.0)  # its probabilities are no curves of labels
    done = complete(plain, model, examples(80), false_per_hour=100.0, stretches=(1, 2))
    assert done.threshold.p == done.threshold.s == pytest.approx(round(done.threshold.p, 3))
    assert done.metrics["false_picks_per_hour"] <= 100
    assert done.metrics["p.labels"] == done.metrics["slower_2.s.labels"] == 80
    assert 0.5 < done.metrics["p.recall"] < 1
    assert done.metrics["p.mae_s"] == pytest.approx(0.016, abs=0.005)
    sure = done.calibration.probability(Pick("P", 0.0, 0.9, 0.3))
    assert sure > 0.9 > done.calibration.probability(Pick("P", 0.0, 0.2, 0.3))
    assert done.calibration.uncertainty_s(Pick("P", 0.0, 0.7, 0.38)) == pytest.approx(0.02, abs=0.01)
    assert (done.geometry, done.kind, done.description) == (plain.geometry, plain.kind, plain.description)


def test_a_model_that_is_always_early_is_moved() -> None:
    def early(counts: FloatArray) -> FloatArray:
        said = model(counts)
        said[:, :, :-4] = said[:, :, 4:]
        return said

    plain = card(geometry=GEOMETRY, label_s=0.0)
    for told, moved in ((early, 4.0), (model, 0.0)):
        done = complete(plain, told, examples(80), false_per_hour=100.0, stretches=(1,))
        assert (done.later.p, done.later.s) == pytest.approx((moved, moved), abs=1.2)
        assert done.metrics["p.bias_s"] == pytest.approx(0.0, abs=0.008)
        assert done.metrics["s.bias_s"] == pytest.approx(0.0, abs=0.008)


def test_picks_of_which_nobody_knows_are_left_out() -> None:
    (example,) = examples(1)
    unknown = replace(example, onsets=example.onsets[:1], unknown=(Span("S", 0, 2000),))
    (told,) = tell(card(geometry=GEOMETRY), model, [unknown])
    assert {each.pick.phase for each in judged(told)} == {"P"}
    assert {each.pick.phase for each in judged(replace(told, example=example))} == {"P", "S"}


def test_a_wrong_pick_is_infinitely_far_off() -> None:
    (example,) = examples(1)
    (told,) = tell(card(geometry=GEOMETRY), model, [replace(example, onsets=())])
    assert isinstance(told, Shipped)
    assert {each.error_s for each in judged(told)} == {float("inf")}


def test_nothing_to_judge_by_is_told() -> None:
    with pytest.raises(InputInvalid, match="found no example to judge by"):
        complete(card(), model, [], false_per_hour=1.0)
