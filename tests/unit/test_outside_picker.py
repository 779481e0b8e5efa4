"""A picker from elsewhere is scored alike on simulated records and on recorded ones."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.outside_picker import (
    RECORDED,
    SIMULATED,
    Arrival,
    Pick,
    Row,
    compare,
    cut,
    false_picks_an_hour,
    likeness,
    read_arrivals,
    read_picks,
    residuals_s,
    score,
    write,
)
from benchmarks.recorded import SETS, Picked

REAL_SET = next(iter(SETS))


def an_arrival(
    window: int, phase: str = "P", sample: float = 1000.0, origin: str = REAL_SET, s_minus_p_s: float = 2.0
) -> Arrival:
    return Arrival(window, origin, phase, sample, 8.0, s_minus_p_s, 10.0)


def test_the_nearest_pick_of_the_phase_counts_if_it_is_within_half_a_second() -> None:
    picks = [
        Pick(0, "P", 1004.0),
        Pick(0, "P", 990.0),
        Pick(0, "S", 1000.0),
        Pick(1, "P", 1051.0),
        Pick(2, "S", 1000.0),
    ]
    found_s = residuals_s([an_arrival(window) for window in range(3)], picks)
    np.testing.assert_allclose(found_s, [0.04, np.nan, np.nan])


def test_simulated_arrivals_are_weighted_to_be_spread_as_recorded_ones_are() -> None:
    recorded = [an_arrival(0), an_arrival(1), an_arrival(2, s_minus_p_s=1.0)]
    simulated = [an_arrival(window, s_minus_p_s=1.0) for window in (3, 4)] + [
        an_arrival(5),
        an_arrival(6, "P", 1e3, "", 9),
    ]
    np.testing.assert_allclose(likeness(simulated, recorded), [0.5, 0.5, 2.0, 0.0])


def test_recall_error_and_bias_mind_the_weights() -> None:
    found_s = np.array([0.1, 0.1, -0.3, np.nan, 0.4])
    scored = score(found_s, np.array([1.0, 1.0, 4.0, 2.0, 0.0]), np.random.default_rng(1))
    assert (scored.arrivals, scored.recall) == (4, 0.75)
    assert scored.mae_s == pytest.approx(1.4 / 6)
    assert scored.bias_s == -0.3


def test_intervals_hold_the_known_spread_of_a_share() -> None:
    found_s = np.where(np.arange(400) < 320, 0.0, np.nan)
    low, high = score(found_s, np.ones(400), np.random.default_rng(1)).recall_range
    assert (low, high) == pytest.approx((0.76, 0.84), abs=0.01)  # two standard errors of 0.02 around 0.8


def test_nothing_to_be_found_and_nothing_found_are_no_numbers() -> None:
    nobody = score(np.array([]), np.array([]), np.random.default_rng(1))
    assert nobody.arrivals == 0
    assert np.isnan([nobody.recall, nobody.mae_s]).all()
    blind = score(np.array([np.nan]), np.ones(1), np.random.default_rng(1))
    assert blind.recall == 0
    assert np.isnan([blind.mae_s, blind.bias_s, *blind.mae_range_s]).all()


def test_a_set_stands_beside_the_simulated_arrivals_that_are_like_it() -> None:
    arrivals = [an_arrival(0), an_arrival(1, origin=SIMULATED), an_arrival(2, origin=SIMULATED, s_minus_p_s=9.0)]
    rows = compare(arrivals, [Pick(0, "P", 1000.0), Pick(1, "P", 1005.0)])
    row: Row = next(row for row in rows if (row.origin, row.phase, row.snr_from) == (RECORDED, "P", 5.0))
    assert (row.recorded.recall, row.recorded.mae_s) == (1.0, 0.0)
    assert (row.simulated.arrivals, row.simulated.recall, row.simulated.bias_s) == (1, 1.0, 0.05)


def test_picks_are_false_only_where_nothing_arrives() -> None:
    arrivals = [an_arrival(0), an_arrival(0, "S", 1300.0)]
    picks = [Pick(0, "S", 500.0), Pick(0, "P", 850.0), Pick(0, "S", 2000.0)]
    assert false_picks_an_hour(arrivals, picks) == {REAL_SET: pytest.approx(3600 / 7)}  # from 1 to 8 s of the window


@pytest.mark.parametrize(("count", "p", "is_kept"), [(9000, 3000.0, True), (3000, 500.0, True), (3000, 2000.0, False)])
def test_windows_are_cut_around_p(count: int, p: float, is_kept: bool) -> None:
    chance = np.random.default_rng(3)
    picked = cut(Picked(chance.standard_normal((3, count)), p, p + 200), chance)
    assert (picked is not None) == is_kept
    if picked:
        assert picked.samples.shape == (3, 3000)
        assert 400 <= picked.p <= 1600
        assert picked.s - picked.p == 200


def test_what_is_written_can_be_picked_and_read_back(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    wholes = [Picked(chance.standard_normal((3, 3000)), p, 1900.0) for p in (500.0, 700.25, 1700.0)]
    assert write(tmp_path, [(SIMULATED, whole) for whole in wholes]) == {SIMULATED: 2}
    arrivals = read_arrivals(tmp_path / "truth.csv")
    assert [arrival.sample for arrival in arrivals] == [500.0, 1900.0, 700.25, 1900.0]
    with np.load(tmp_path / "records.npz") as file:
        assert np.abs(file["X"]).max(axis=(1, 2)) == pytest.approx([1, 1])
    rows = [f"{arrival.window},{arrival.phase},{arrival.sample},0.9" for arrival in arrivals]
    (tmp_path / "picks.csv").write_text("\n".join(["window,phase,sample,score", *rows, "0,P,1,0.1"]))
    np.testing.assert_allclose(residuals_s(arrivals, read_picks(tmp_path / "picks.csv", min_score=0.3)), 0.0)
