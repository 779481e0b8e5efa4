"""A model's card is read as it was written, and what is wrong with it is told."""

import math
from pathlib import Path

import pytest

from kensoku.errors import InputInvalid, ModelUnknown
from kensoku.picking import Calibration, Delay, PhaseCalibration, PhasePair, Pick, read_card
from tests.tiny_models import card


def written(folder: Path, text: str) -> Path:
    (folder / "picker").mkdir(exist_ok=True)
    (folder / "picker" / "model.json").write_text(text)
    return folder


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    shown = card(
        delay=Delay(p=50, s=140),
        look_ahead_s=PhasePair(p=1.0, s=2.0),
        p_yields=False,
        calibration=Calibration(p=PhaseCalibration(scores=(0.1, 0.9), probabilities=(0.2, 0.99))),
        metrics={"p.recall": 0.9},
    )
    assert read_card(written(tmp_path, shown.to_json()), "picker") == shown


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"kind": "picker"', '"kind": "picket"', r"kind: found 'picket'.*'picker' or 'classifier'"),
        ('"description": "pulses",', "", "description: found nothing, expected a value"),
        ('"description"', '"descriptio": "", "description"', "descriptio: found a name that no card has"),
        ('"window": 1024', '"window": "1024"', r"geometry.window: found '1024'.*integer"),
        ('"window": 1024', '"window": 1025', "found windows of 1025 samples"),
        ('"window": 1024', '"windo": 1024', "geometry.window: found nothing"),
        ('"format": 1', '"format": 2', "format: found 2"),
        ("{", "", "text: found"),
    ],
)
def test_what_is_wrong_with_a_card_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = card().to_json()
    assert old in text
    with pytest.raises(InputInvalid, match=f"model.json: .*{told}"):
        read_card(written(tmp_path, text.replace(old, new, 1)), "picker")


def test_models_with_a_card_are_named_where_one_has_none(tmp_path: Path) -> None:
    with pytest.raises(ModelUnknown, match="expected the card of the model 'phase'; models with one: picker"):
        read_card(written(tmp_path, card().to_json()), "phase")


def test_probabilities_are_moved_to_the_samples_they_are_about() -> None:
    import numpy as np

    said = np.arange(30, dtype=np.float32).reshape(3, 10)
    aligned = card(delay=Delay(p=1, s=3)).aligned(said)
    assert np.array_equal(aligned[0], [*range(11, 20), np.nan], equal_nan=True)
    assert np.array_equal(aligned[1], [*range(23, 30), np.nan, np.nan, np.nan], equal_nan=True)


def test_a_score_is_worth_what_lies_between_the_nearest_that_were_measured() -> None:
    measured = PhaseCalibration(scores=(0.2, 0.6), probabilities=(0.5, 0.9), log_uncertainty=(-3.0, -1.0, 0.5))
    calibration = Calibration(p=measured)
    assert [measured.probability(score) for score in (0.1, 0.4, 0.9)] == pytest.approx([0.5, 0.7, 0.9])
    assert calibration.uncertainty_s(Pick("P", 100.0, 0.5, 0.25)) == pytest.approx(0.0151, abs=0.0001)
    assert calibration.uncertainty_s(Pick("S", 100.0, 0.5, 0.25)) == pytest.approx(0.05)


def test_where_horizontals_are_missing_a_pick_is_less_certain() -> None:
    calibration = Calibration(s=PhaseCalibration(log_without=(math.log(2.0), math.log(3.0))))
    pick = Pick("S", 100.0, 0.5, 0.25)
    assert [calibration.uncertainty_s(pick, horizontals) for horizontals in (2, 1, 0)] == pytest.approx(
        [0.05, 0.1, 0.15]
    )


@pytest.mark.parametrize("scores", [(0.5, 0.5), (0.9, 0.1), ()])
def test_scores_that_do_not_rise_are_refused(scores: tuple[float, ...]) -> None:
    with pytest.raises(InputInvalid, match="expected rising scores"):
        PhaseCalibration(scores=scores, probabilities=(0.0, 1.0)[: len(scores)])
