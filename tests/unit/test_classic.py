"""Classic picks: ratios and onsets as ObsPy has them, from a stated stretch, and none made by gaps."""

import numpy as np
import pytest
from obspy.signal.trigger import ar_pick
from obspy.signal.trigger import recursive_sta_lta as obspy_recursive_sta_lta

from kensoku.classic import ClassicSettings, find_onset, find_triggers, pick_classic, ratios, recursive_sta_lta
from kensoku.classic._triggers import _coincident
from kensoku.errors import SettingInvalid

SETTINGS = ClassicSettings()
P, S = 15_000, 15_800


def earthquake(
    seed: int = 1, length: int = 30_000, snr: float = 20.0
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Noise, a P that is stronger on the vertical and an S that is stronger on the horizontals."""
    chance = np.random.default_rng(seed)
    counts = chance.normal(0, 100, (3, length))
    for onset, sizes in ((P, (1.0, 0.5, 0.5)), (S, (1.0, 3.0, 3.0))):
        after_s = np.arange(length - onset) / 100
        wave = np.exp(-after_s / 2) * chance.normal(size=(3, len(after_s)))
        counts[:, onset:] += 100 * snr * np.array(sizes)[:, np.newaxis] * wave
    return counts.astype(np.float32)


def test_ratios_are_those_of_obspy() -> None:
    energy = np.square(np.random.default_rng(1).normal(size=5000))
    energy[0] = 0  # which ObsPy leaves out
    theirs = obspy_recursive_sta_lta(np.sqrt(energy), 40, 1000)
    assert recursive_sta_lta(energy, 40, 1000)[1000:] == pytest.approx(theirs[1000:], rel=1e-9)


def test_onsets_are_found_where_obspy_finds_them() -> None:
    for seed in range(5):
        counts = earthquake(seed)
        window = counts[:, P - 1000 : S + 600].astype(np.float64)
        p_s, s_s = ar_pick(*window, 100, 1.0, 20.0, 1.0, 0.1, 4.0, 1.0, 2, 8, 0.1, 0.2)
        ours = {pick.phase: pick.sample for pick in pick_classic(counts, SETTINGS) if pick.snr > 8}
        assert [ours["P"], ours["S"]] == pytest.approx([P, S], abs=1)
        assert P - 1000 + 100 * p_s == pytest.approx(ours["P"], abs=35)  # ObsPy's are off by that much here
        assert P - 1000 + 100 * s_s == pytest.approx(ours["S"], abs=35)


def test_a_p_and_an_s_are_picked_where_they_begin() -> None:
    picks = pick_classic(earthquake(), SETTINGS)
    strong = [pick for pick in picks if pick.snr > 2]
    assert [pick.phase for pick in strong] == ["P", "S"]
    assert [pick.sample for pick in strong] == [pytest.approx(P, abs=3), pytest.approx(S, abs=10)]
    assert strong[0].snr > 8
    assert strong[0].width_s < 0.08


def test_an_onset_that_is_hard_to_see_is_less_sure() -> None:
    clear, weak = (find_onset(earthquake(3, snr=snr)[:1, P - 300 : P + 70]) for snr in (20.0, 2.0))
    assert clear is not None
    assert weak is not None
    assert weak.width_s > 2 * clear.width_s


def test_a_record_that_begins_at_any_sample_has_the_same_picks_after_the_warm_up() -> None:
    counts, first = earthquake(), 1_234_567
    whole = pick_classic(counts, SETTINGS, first)
    for cut in (1, 99, 2_345):
        later = first + cut + SETTINGS.block + SETTINGS.warm_up
        expected = [pick for pick in whole if pick.trigger.sample >= later]
        found = pick_classic(counts[:, cut:], SETTINGS, first + cut)
        assert [pick for pick in found if pick.trigger.sample >= later] == expected
        assert len(expected) >= 2


def test_what_comes_after_the_decision_changes_no_pick() -> None:
    counts = earthquake()
    pick = next(pick for pick in pick_classic(counts, SETTINGS) if pick.snr > 8)
    for later in (0.0, 1e9, np.nan):
        changed = counts.copy()
        changed[:, pick.decided :] = later
        assert pick in pick_classic(changed[:, : pick.decided], SETTINGS)
        assert pick in pick_classic(changed, SETTINGS)


@pytest.mark.parametrize("rows", [slice(None), slice(0, 1), slice(1, 2)])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_gaps_make_no_triggers(rows: slice, offset: float) -> None:
    quiet = np.random.default_rng(7).normal(offset, 100, (3, 60_000)).astype(np.float32)
    changed = quiet.copy()
    for at in (9_000, 20_050, 33_333):
        changed[rows, at : at + 700] = np.nan
    strict = ClassicSettings(ratio=8.0)
    assert find_triggers(quiet, strict) == []
    assert find_triggers(changed, strict) == []


def test_a_component_that_is_missing_leaves_the_others_as_they_are() -> None:
    counts = earthquake()
    alone = counts.copy()
    alone[1:] = np.nan
    samples = [pick.sample for pick in pick_classic(counts, SETTINGS) if pick.phase == "P" and pick.snr > 5]
    assert set(samples) <= {pick.sample for pick in pick_classic(alone, SETTINGS)}
    np.testing.assert_array_equal(ratios(counts, SETTINGS)[:, 0], ratios(alone, SETTINGS)[:, 0])


def test_a_flat_record_has_no_triggers() -> None:
    assert pick_classic(np.full((3, 20_000), 1e6, np.float32), SETTINGS) == []
    assert pick_classic(np.full((3, 20_000), np.nan, np.float32), SETTINGS) == []
    assert pick_classic(np.zeros((3, 10), np.float32), SETTINGS) == []


def test_rises_that_follow_each_other_are_one_trigger_only_as_long_as_the_first_says() -> None:
    rises = [(0, 0, 0), (40, 0, 1), (80, 0, 2), (130, 0, 0)]
    assert [[sample for sample, _, _ in some] for some in _coincident(rises, 50)] == [[0, 40], [80, 130]]


@pytest.mark.parametrize("row", [0, 2])
def test_an_onset_within_half_a_second_of_where_a_component_stops_is_none(row: int) -> None:
    for stops, is_picked in ((P + 40, False), (P + 60, True)):
        counts = earthquake()
        counts[row, stops:] = np.nan
        near = [pick for pick in pick_classic(counts, SETTINGS) if abs(pick.sample - P) < 10]
        assert bool(near) == is_picked


def test_a_wave_is_picked_on_the_horizontals_alone() -> None:
    counts = earthquake()
    counts[0] = np.nan
    assert any(abs(pick.sample - P) < 5 for pick in pick_classic(counts, SETTINGS))


def test_two_triggers_of_one_onset_make_one_pick() -> None:
    """The wave is heard in a low band first, louder in a high one 0.6 s later; each trigger finds the louder one."""
    counts = np.random.default_rng(2).normal(0, 10, (3, 6000))
    for size, hz, onset in ((60, 2.5, 4000), (400, 14, 4062)):
        after_s = np.maximum(np.arange(6000) - onset, 0) / 100
        counts += size * np.sin(2 * np.pi * hz * after_s) * np.exp(-after_s / 2)
    wave = np.round(counts).astype(np.float32)
    assert [each.sample for each in find_triggers(wave, SETTINGS) if 4000 < each.sample < 4100] == [4009, 4064]
    assert [pick.sample for pick in pick_classic(wave, SETTINGS) if 4050 < pick.sample < 4080] == [4063]


def test_more_bands_at_once_make_fewer_triggers() -> None:
    noise = np.random.default_rng(3).normal(0, 100, (3, 50_000)).astype(np.float32)
    counts = [
        len(find_triggers(noise, ClassicSettings(least_bands=bands, ratio=1.6, growth=1.4))) for bands in (1, 2, 3)
    ]
    assert counts[0] > counts[1] > counts[2]


@pytest.mark.parametrize(
    "changes",
    [{"bands_hz": ((5.0, 60.0),)}, {"least_bands": 4}, {"sta_s": 20.0}, {"ratio": 0.5}, {"before_s": 1.0}],
)
def test_settings_that_cannot_be_are_told(changes: dict[str, object]) -> None:
    with pytest.raises(SettingInvalid, match="found|expected"):
        ClassicSettings(**changes)  # type: ignore[arg-type]  # wrong on purpose
