"""On recorded earthquakes, whatever comes later than a live picker may look changes none of its picks."""

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.drawing import REAL
from kensoku.inference import open_models
from kensoku.models import default_repository
from kensoku.picking import read_card
from kensoku.training.evaluation.asking import asker
from kensoku.training.evaluation.look_ahead import judge_look_ahead

MODEL = "picker_live"
WINDOWS = REAL / "windows" / "phasenet_ncedc_train.h5"
COUNT = 6

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not WINDOWS.exists(), reason="found no recorded windows beside the project"),
    pytest.mark.skipif(not (default_repository() / MODEL).exists(), reason=f"found no {MODEL} in the repository"),
]


def records() -> list[npt.NDArray[np.float32]]:
    with h5py.File(WINDOWS) as file:
        chosen = slice(None, None, len(file["X"]) // COUNT)
        return list(file["X"][chosen].astype(np.float32) * file["scale"][chosen][:, :, None])


def test_what_comes_later_changes_no_bit_of_a_live_pick() -> None:
    repository = default_repository()
    card = read_card(repository, MODEL)
    with open_models(f"local:{repository}") as models:
        ask = asker(card, lambda counts: models.infer(MODEL, {"counts": counts})["probabilities"])
        found = judge_look_ahead(ask, card, records())
    assert [each.changed for each in found] == [0] * 5
    assert found[0].picks > COUNT
