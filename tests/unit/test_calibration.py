"""What is stated of a pick holds for picks of the kind on which it was measured."""

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.picking import Pick
from kensoku.training.calibration import Judged, fit_calibration, quantile_regression, rising_steps


def judged(count: int, seed: int) -> list[Judged]:
    """Right as often as the square of the score says; wide lobes of low score are further off."""
    chance, made = np.random.default_rng(seed), []
    for _ in range(count):
        phase = "P" if chance.random() < 0.5 else "S"
        score, width_s = float(chance.uniform(0.1, 1)), float(chance.uniform(0.1, 0.4))
        spread_s = (0.2 if phase == "P" else 0.4) * width_s * (1.5 - score)
        error_s = float(chance.normal(0, spread_s)) if chance.random() < score**2 else float("inf")
        made.append(Judged(Pick(phase, 0.0, score, width_s), error_s))  # type: ignore[arg-type]  # it is one of both
    return made


def test_probability_and_uncertainty_hold_for_other_picks_too() -> None:
    calibration = fit_calibration(judged(3000, seed=1))
    others = judged(6000, seed=2)
    for low, high in ((0.2, 0.4), (0.4, 0.7), (0.7, 1.0)):
        for phase in "PS":
            part = [j for j in others if low < j.pick.score <= high and j.pick.phase == phase]
            stated = np.mean([calibration.probability(j.pick) for j in part])
            assert np.mean([j.is_right for j in part]) == pytest.approx(stated, abs=0.06)
            right = [j for j in part if j.is_right]
            held = np.mean([abs(j.error_s) <= calibration.uncertainty_s(j.pick) for j in right])
            assert 0.60 < held < 0.76


def test_what_is_stated_holds_where_components_are_missing_as_well() -> None:
    """Without one horizontal errors are twice as large, without both four times; more would be one that is smaller."""
    larger = {2: 1.0, 1: 2.0, 0: 4.0}

    def without(horizontals: int, seed: int) -> list[Judged]:
        return [Judged(j.pick, larger[horizontals] * j.error_s, horizontals) for j in judged(1500, seed)]

    calibration = fit_calibration(judged(1500, seed=1), [*without(1, seed=2), *without(0, seed=3)])
    for horizontals in larger:
        others = [j for j in without(horizontals, seed=4) if j.is_right]
        held = np.mean([abs(j.error_s) <= calibration.uncertainty_s(j.pick, horizontals) for j in others])
        assert 0.62 < held < 0.74
    smaller = [Judged(j.pick, j.error_s / 2, 0) for j in judged(1500, seed=2)]
    assert fit_calibration(judged(1500, seed=1), smaller).p.log_without == (0.0, 0.0)


def test_a_share_that_falls_is_evened_out() -> None:
    scores = np.linspace(0.1, 0.9, 450)
    right = (np.arange(450) % 10 < np.where(scores < 0.5, 6, 4)).astype(float)
    _, probabilities = rising_steps(scores, right)
    assert np.all(np.diff(probabilities) >= 0)
    assert probabilities == pytest.approx(np.full(15, 0.5), abs=0.03)


def test_quantile_regression_finds_a_line_through_the_share() -> None:
    x = np.linspace(0, 1, 401)
    targets = 2 + 3 * x + np.tile([-1.0, 0.0, 1.0, 4.0], 101)[:401]
    weights = quantile_regression(np.stack([np.ones(401), x], axis=1), targets, 0.68)
    assert weights == pytest.approx([3, 3], abs=0.05)


def test_too_few_picks_are_refused() -> None:
    with pytest.raises(InputInvalid, match="right picks of P, expected at least 30"):
        fit_calibration(judged(50, seed=1))
