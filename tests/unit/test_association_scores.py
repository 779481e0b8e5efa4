"""Groups of picks are scored by the rule that is stated, and the cases are what they are said to be."""

import struct
from pathlib import Path

import numpy as np
import pytest

from benchmarks import association
from benchmarks._association_cases import FALSE, SIMULATED, IntArray, lay_out, noise, spoil
from benchmarks._association_engines import write_pyocto_times
from benchmarks._association_runs import Failed, Run
from benchmarks._association_scores import agreement, changed, match, own_share, planted_only, score, separated
from kensoku.traveltime import Grid, Wave, build_table, load_model

EVENT = np.array([0] * 10 + [1] * 10 + [2] * 4 + [FALSE] * 6)


def group(*picks: int) -> IntArray:
    return np.array(picks, dtype=np.int64)


def test_an_event_is_found_by_a_group_that_holds_60_percent_of_its_picks() -> None:
    assert match([group(*range(6))], EVENT).is_found.tolist() == [True, False]
    assert match([group(*range(5))], EVENT).is_found.tolist() == [False, False]


def test_a_group_half_of_whose_picks_are_of_others_is_wrong() -> None:
    assert match([group(0, 1, 2, 3, 4, 5, 24, 25, 26, 27, 28)], EVENT).is_right.tolist() == [True]
    assert match([group(0, 1, 2, 3, 4, 5, 24, 25, 26, 27, 28, 29)], EVENT).is_right.tolist() == [False]


def test_of_two_groups_of_one_event_one_is_right() -> None:
    found = match([group(*range(6)), group(*range(3, 10))], EVENT)
    assert found.is_right.tolist() == [False, True]


def test_an_event_of_four_picks_need_not_be_found_but_its_group_is_right() -> None:
    found = match([group(20, 21, 22)], EVENT)
    assert found.is_found.tolist() == [False, False]
    assert found.is_right.tolist() == [True]


def test_noise_alone_is_a_wrong_group() -> None:
    assert match([group(24, 25, 26)], EVENT).is_right.tolist() == [False]


def test_the_mean_of_recall_and_precision_is_harmonic_and_lies_within_its_limits() -> None:
    result = score(match([group(*range(10)), group(24, 25, 26)], EVENT), np.random.default_rng(1))
    assert (result.recall, result.precision, result.f1) == (0.5, 0.5, 0.5)
    assert result.f1_95[0] <= 0.5 <= result.f1_95[1]


def test_limits_hold_95_percent_of_binomial_draws() -> None:
    event = np.repeat(np.arange(1000), 8)
    groups = [np.arange(8 * k, 8 * k + 8) for k in range(900)]
    result = score(match(groups, event), np.random.default_rng(1))
    assert result.recall_95 == pytest.approx((0.881, 0.919), abs=0.003)  # 1.96 sqrt(0.9 0.1 / 1000)
    assert result.precision_95 == (1.0, 1.0)


def test_groups_of_background_are_not_judged() -> None:
    kept = planted_only([group(*range(6)), group(24, 25, 26), group(0, 24)], EVENT)
    assert [each.tolist() for each in kept] == [[0, 1, 2, 3, 4, 5]]


def test_a_pair_is_separated_when_both_are_found() -> None:
    assert separated(np.array([True, True, True, False, False, False])) == pytest.approx(1 / 3)


def test_a_group_of_four_with_a_strange_pick_has_three_quarters_of_its_own() -> None:
    event = np.array([0, 0, 0, 1, 1, FALSE])
    assert own_share([np.array([0, 1, 2, 3])], event) == 0.75
    assert own_share([np.array([4, 5]), np.array([0])], event) == 0.75
    assert own_share([], event) == 0.0


def test_agreement_is_the_share_of_groups_mostly_in_one_of_the_others() -> None:
    groups = [group(0, 1, 2), group(3, 4, 5), group(6, 7)]
    assert agreement(groups, [group(0, 1, 9), group(3, 4, 5), group(6)], 10) == pytest.approx(2 / 3)
    assert agreement([], groups, 10) == 0


def test_groups_that_begin_before_the_cut_are_not_compared() -> None:
    onset_s = np.arange(10.0)
    before = [group(0, 1), group(4, 5), group(7, 8)]
    assert changed(before, [group(4, 5), group(7, 9)], onset_s, from_s=2.0) == (2, 2)
    assert changed(before, before[1:], onset_s, from_s=2.0) == (0, 2)


def test_false_picks_and_swaps_come_as_often_as_asked() -> None:
    case = SIMULATED["every_3_s"]()
    spoilt = spoil(case.chosen(case.event >= 0), 3, 0.05)
    real = spoilt.event >= 0
    assert len(real) == 4 * real.sum()
    before = sorted(zip(case.onset_s[case.event >= 0], case.phase[case.event >= 0], strict=True))
    after = sorted(zip(spoilt.onset_s[real], spoilt.phase[real], strict=True))
    assert np.mean([one != other for one, other in zip(before, after, strict=True)]) == pytest.approx(0.05, abs=0.01)


def test_noise_has_16_picks_an_hour_and_station() -> None:
    chance = np.random.default_rng(2)
    sites = lay_out(chance)
    assert len(sites) == 60
    assert len(noise(sites, 0.0, 86400.0, chance)) / (60 * 24) == pytest.approx(16, abs=0.5)


def test_simulated_cases_are_the_same_each_time() -> None:
    one, other = SIMULATED["every_3_s"](), SIMULATED["every_3_s"]()
    np.testing.assert_array_equal(one.onset_s, other.onset_s)


def test_pairs_have_eight_picks_each_and_lie_5_seconds_apart_at_most() -> None:
    case = SIMULATED["pairs"]()
    assert np.bincount(case.event[case.event >= 0]).min() >= 8
    first = np.array([case.onset_s[case.event == event].min() for event in range(case.event.max() + 1)])
    assert np.abs(first[1::2] - first[::2]).max() < 5 + 10 / 3.0  # and the way of S over 10 km


def test_every_engine_of_a_case_has_its_figures_in_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    case = SIMULATED["every_60_s"]()
    groups = [np.flatnonzero(case.event == event) for event in range(case.event.max() + 1)]
    runs = {"kensoku": Run(groups, 2.5, 3.0, None), "pyocto": Run([], 1.0, 1.0, None), "gamma": Failed("too slow")}
    monkeypatch.setattr(association, "run", lambda engine, *_: runs[engine])
    told = association.measure(case, list(runs), tmp_path, 1, 600.0)
    assert told["name"] == "every_60_s"
    for engine in runs:
        assert {"f1", "recall", "precision", "seconds"} <= told[engine].keys()
    assert (told["kensoku"]["f1"], told["kensoku"]["seconds"], told["pyocto"]["f1"]) == (1.0, 2.5, 0.0)
    assert (told["gamma"]["f1"], told["gamma"]["dnf"]) == (None, "too slow")


def test_large_earthquakes_have_large_amplitudes() -> None:
    case = SIMULATED["pairs"]()
    assert case.amplitude is not None
    size = np.log10(case.amplitude)
    own = [size[(case.event == event) & (case.phase == 0)] for event in range(case.event.max() + 1)]
    assert 0.3 < np.median([np.std(each) for each in own]) < 0.8  # over distance; and each event by chance
    assert np.isfinite(size).all()


def test_pyocto_reads_our_travel_times(tmp_path: Path) -> None:
    model = load_model("homogeneous")
    waves: tuple[Wave, Wave] = ("P", "S")
    tables = {wave: build_table(model, wave, Grid(farthest_km=610, deepest_km=61)) for wave in waves}
    write_pyocto_times(tmp_path / "times", tables)
    written = (tmp_path / "times").read_bytes()
    across, down, step_km = struct.unpack("iid", written[:16])
    times = np.frombuffer(written[16:]).reshape(2, across, down)
    assert times[0, round(30 / step_km), round(40 / step_km)] == pytest.approx(
        float(tables["P"].lookup(30.0, 40.0).time_s), abs=1e-9
    )
