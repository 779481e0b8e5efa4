"""Training windows: the same dice give the same window, labels lie where the waves begin, and draws reach far."""

import numpy as np
import pytest

from kensoku.simulation.windows import RATE_HZ, WINDOW_S, Window, local_snr, simulate_window


@pytest.fixture(scope="module")
def windows() -> list[Window]:
    chance = np.random.default_rng(11)
    return [simulate_window(chance) for _ in range(300)]


def test_a_window_has_three_components_of_thirty_seconds(windows: list[Window]) -> None:
    assert {window.counts.shape for window in windows} == {(3, RATE_HZ * WINDOW_S)}
    assert all(0 <= label.sample < RATE_HZ * WINDOW_S for window in windows for label in window.labels)


def test_the_same_dice_give_the_same_bytes() -> None:
    first, again = (simulate_window(np.random.default_rng(3)) for _ in range(2))
    assert first.counts.tobytes() == again.counts.tobytes()
    assert first.labels == again.labels


def test_ground_moves_more_after_a_clear_p_than_before(windows: list[Window]) -> None:
    ratios = []
    for window in windows:
        label = next(iter(window.labels), None)
        if label and label.phase == "P" and label.snr > 20 and 200 < label.sample < 2900:
            at = int(label.sample)
            steps = np.abs(np.diff(window.counts.astype(float), 2))
            ratios.append(steps[:, at : at + 100].max() / steps[:, at - 150 : at - 30].max())
    assert len(ratios) > 20
    assert np.median(ratios) > 5


def test_what_cannot_be_seen_is_neither_pick_nor_noise(windows: list[Window]) -> None:
    hidden = [(w, label) for w in windows for label in w.labels if not label.is_visible]
    assert hidden
    for window, label in hidden:
        assert not window.known(label.phase)[int(label.sample)]
        assert window.first_visible(label.phase) != label.sample


def test_draws_reach_past_recorded_sets(windows: list[Window]) -> None:
    behind, corner = (np.array([getattr(w.draw, name) for w in windows]) for name in ("s_minus_p_s", "p_corner_hz"))
    assert behind.min() < 0.4
    assert behind.max() > 50
    assert corner.min() < 1.2
    assert corner.max() > 25
    assert len({w.draw.sensor for w in windows}) == 9


def test_noise_alone_is_no_arrival() -> None:
    noise = np.random.default_rng(1).standard_normal((3, 1000))
    assert local_snr(noise, np.zeros((3, 1000)), 500, 100) == 0
    pulse = np.zeros((3, 1000))
    pulse[1, 510] = 12.0
    assert local_snr(noise, pulse, 500, 100) == pytest.approx(12, rel=0.2)
