"""The picker in the repository finds clear onsets of simulated windows, and its card is complete."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.inference import open_models
from kensoku.picking import Pick, pick_records, read_card
from kensoku.simulation.windows import Window, simulate_window

REPOSITORY = Path(__file__).parents[2] / "model_repository"
CLEAR_SNR = 20.0


@pytest.fixture(scope="module")
def clear_windows() -> list[Window]:
    """Of one earthquake whose P and S both stand out."""
    windows = (simulate_window(np.random.default_rng([7, seed])) for seed in range(300))
    return [
        window
        for window in windows
        if window.kinds == ("earthquake",)
        and all(len(window.picks(wave)) == 1 and window.picks(wave)[0].snr > CLEAR_SNR for wave in ("P", "S"))
        and window.recorded().all()
    ]


def ask(windows: list[Window]) -> list[list[Pick]]:
    counts: npt.NDArray[np.float32] = np.stack([window.counts for window in windows]).astype(np.float32)
    card = read_card(REPOSITORY, "picker")
    with open_models(f"local:{REPOSITORY}") as models:
        return pick_records(counts, lambda each: models.infer("picker", {"counts": each})["probabilities"], card)


def test_clear_onsets_are_found_near_their_time(clear_windows: list[Window]) -> None:
    assert len(clear_windows) > 10
    picked = ask(clear_windows)
    for wave, share in (("P", 0.8), ("S", 0.6)):
        errors_s = [
            min(
                (abs(pick.sample - window.picks(wave)[0].sample) / 100 for pick in picks if pick.phase == wave),
                default=9,
            )
            for window, picks in zip(clear_windows, picked, strict=True)
        ]
        assert np.mean(np.array(errors_s) < 0.2) > share, wave


def test_the_card_says_what_it_was_judged_by() -> None:
    card = read_card(REPOSITORY, "picker")
    assert card.metrics["quiet_hours"] > 2
    assert card.metrics["false_picks_per_hour"] <= 3.9
    assert card.intended_use
    assert card.limits
    assert card.licence
