"""One pick a lobe, from a short stretch around it, and none that a gap has made."""

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.picking import PHASES, Pick, Rule, apart_from_gaps, find_picks, may_hide_gaps, may_hold_picks, with_missing

RULE = Rule(p_threshold=0.3, s_threshold=0.4)
FloatArray = npt.NDArray[np.float32]


def said(*lobes: tuple[str, float, float], length: int = 1000, width: float = 10.0) -> FloatArray:
    """Probabilities of noise, P and S with Gaussian lobes: phase, sample, height."""
    rows = np.zeros((3, length), np.float32)
    for phase, sample, height in lobes:
        shape = height * np.exp(-0.5 * ((np.arange(length) - sample) / width) ** 2)
        row = rows["-PS".index(phase)]
        np.maximum(row, shape, out=row)
    rows[0] = 1 - rows[1] - rows[2]
    return rows


def found(picks: list[Pick]) -> list[tuple[str, float]]:
    return [(pick.phase, round(pick.sample, 1)) for pick in picks]


def test_a_lobe_of_each_phase_is_a_pick_between_samples() -> None:
    picks = find_picks(said(("P", 300.3, 0.8), ("S", 520.75, 0.6)), RULE)
    assert [pick.phase for pick in picks] == ["P", "S"]
    assert [pick.sample for pick in picks] == pytest.approx([300.3, 520.75], abs=0.05)
    assert [pick.score for pick in picks] == pytest.approx([0.8, 0.6], abs=0.001)
    assert [pick.width_s for pick in picks] == pytest.approx([0.24, 0.24], abs=0.01)


def test_an_onset_whose_time_is_hard_to_tell_is_as_probable_as_one_that_is_sharp() -> None:
    """The network spreads one onset over the times at which it may be; the sum stays."""
    sharp, blurred = said(("S", 500, 0.6)), said(("S", 500, 0.3), width=20)
    (first,), (second,) = find_picks(sharp, RULE), find_picks(blurred, RULE)
    assert second.score == pytest.approx(first.score, abs=0.005)
    assert second.width_s > first.width_s
    assert find_picks(blurred, Rule(p_threshold=0.4, s_threshold=0.4, label=0.0)) == []


def test_no_score_is_above_one() -> None:
    (pick,) = find_picks(said(("P", 300, 0.95), width=25), RULE)
    assert pick.score == 1.0


def test_each_phase_has_a_threshold_of_its_own() -> None:
    assert found(find_picks(said(("P", 300, 0.35), ("S", 600, 0.35)), RULE)) == [("P", 300)]


def test_noise_may_be_left_out() -> None:
    probabilities = said(("P", 300, 0.8), ("S", 520, 0.6))
    assert find_picks(probabilities[1:], RULE) == find_picks(probabilities, RULE)


def test_two_maxima_of_one_lobe_are_one_pick() -> None:
    (pick,) = find_picks(said(("P", 300, 0.9), ("P", 315, 0.8)), RULE)
    assert pick.sample == pytest.approx(304, abs=4)


def test_of_two_lobes_close_to_each_other_the_higher_is_picked() -> None:
    assert found(find_picks(said(("P", 300, 0.9), ("P", 340, 0.5), width=4), RULE)) == [("P", 300)]
    assert found(find_picks(said(("P", 300, 0.5), ("P", 315, 0.9), width=4), RULE)) == [("P", 315)]


def test_two_lobes_of_one_phase_a_second_apart_are_two_picks() -> None:
    assert found(find_picks(said(("P", 300, 0.9), ("P", 400, 0.8)), RULE)) == [("P", 300), ("P", 400)]


def test_a_flat_top_is_one_pick_in_its_middle() -> None:
    probabilities = np.zeros((3, 400), np.float32)
    probabilities[1, 200:211] = 0.7
    assert found(find_picks(probabilities, RULE)) == [("P", 205)]


@pytest.mark.parametrize(("p", "s", "phase"), [(0.5, 0.45, "P"), (0.45, 0.5, "S")])
def test_of_p_and_s_at_one_place_the_larger_is_picked(p: float, s: float, phase: str) -> None:
    picks = find_picks(said(("P", 300, p), ("S", 308, s)), RULE)
    assert [pick.phase for pick in picks] == [phase]


def test_a_p_that_was_told_already_stays_when_an_s_at_its_place_is_larger() -> None:
    rule = Rule(p_threshold=0.3, s_threshold=0.4, p_yields=False)
    picks = find_picks(said(("P", 300, 0.45), ("S", 308, 0.5)), rule)
    assert [pick.phase for pick in picks] == ["P", "S"]


def test_a_pick_depends_on_no_more_than_is_stated() -> None:
    chance = np.random.default_rng(1)
    probabilities = chance.dirichlet((1, 1, 1), 4000).T.astype(np.float32)
    probabilities = np.stack([np.convolve(row, np.hanning(9) / 4, "same") for row in probabilities]).astype(np.float32)
    rule = Rule(p_threshold=0.4, s_threshold=0.4)
    picks = find_picks(probabilities, rule)
    assert len(picks) > 20
    for pick in picks:
        peak = int(np.argmax(probabilities["-PS".index(pick.phase), int(pick.sample) - 20 : int(pick.sample) + 21]))
        peak += int(pick.sample) - 20
        cut = chance.random((3, 4000)).astype(np.float32)
        near = slice(max(0, peak - 2 * rule.behind - 1), peak + rule.ahead + rule.rival + 1)
        cut[:, near] = probabilities[:, near]
        assert pick in find_picks(cut, rule)


def test_nothing_is_picked_before_its_stretch_is_complete() -> None:
    probabilities = said(("P", 300, 0.8), ("S", 300, 0.1))
    assert find_picks(probabilities[:, :380], RULE) == []
    assert find_picks(probabilities[:, :381], RULE) == find_picks(probabilities, RULE)
    probabilities[:, 310:] = np.nan
    assert find_picks(probabilities, RULE) == []


def test_a_pick_lies_as_exactly_wherever_in_a_record_it_is() -> None:
    probabilities = said(("P", 300.3, 0.8))
    first, later = find_picks(probabilities, RULE), find_picks(np.roll(probabilities, 512, axis=1), RULE)
    assert later[0].sample - 512 == pytest.approx(first[0].sample, abs=1e-12)
    assert (later[0].score, later[0].width_s) == (first[0].score, first[0].width_s)


# --- gaps -------------------------------------------------------------------------------------------------------------


def record(length: int = 1000) -> FloatArray:
    return np.random.default_rng(0).normal(0, 100, (3, length)).astype(np.float32)


def test_nothing_may_be_picked_within_half_a_second_of_a_gap() -> None:
    counts = record()
    counts[:, 400:600] = np.nan
    allowed = apart_from_gaps(counts)
    assert np.flatnonzero(~allowed).tolist() == [*range(50), *range(350, 450), *range(550, 650)]
    assert found(find_picks(said(("P", 340, 0.8), ("P", 640, 0.9)), RULE, allowed)) == [("P", 340)]


def test_a_gap_of_one_component_counts_and_a_component_that_is_never_there_does_not() -> None:
    counts = record()
    counts[1] = np.nan
    counts[2, 700] = np.nan
    counts[0, :200] = np.nan
    assert np.flatnonzero(~apart_from_gaps(counts)).tolist() == [*range(50), *range(150, 250), *range(650, 751)]


def test_a_component_that_never_changes_is_missing() -> None:
    counts = record()
    counts[1] = 17
    shown = with_missing(counts, is_causal=True)
    assert np.isnan(shown[1]).all()
    assert np.array_equal(shown[[0, 2]], counts[[0, 2]])


def test_a_component_that_begins_late_is_there_from_then_on() -> None:
    counts = record()
    counts[1, :300] = np.nan
    counts[:, 600:700] = np.nan
    assert np.array_equal(with_missing(counts, is_causal=True), counts, equal_nan=True)


def test_a_gap_that_somebody_filled_with_zeros_is_missing() -> None:
    counts = record()
    counts[:, 400:600] = 0
    assert np.flatnonzero(np.isnan(with_missing(counts, is_causal=False)[0])).tolist() == list(range(400, 600))
    assert np.flatnonzero(np.isnan(with_missing(counts, is_causal=True)[0])).tolist() == list(range(440, 600))


def dropping(first: int, end: int) -> FloatArray:
    """To zero from a crest."""
    counts = np.tile(1000 * np.sin(np.arange(2000) / 7), (3, 1)).astype(np.float32) + 3
    counts[:, first - 1] = 900
    counts[:, first:end] = 0
    return counts


def test_a_models_bias_is_taken_off_within_what_is_known_of_look_ahead() -> None:
    row = np.exp(-0.5 * ((np.arange(400) - 200.25) / 10) ** 2).astype(np.float32)
    said = np.stack([1 - row, row, np.zeros_like(row)])
    plain, moved, far = (
        find_picks(said, Rule(p_threshold=0.5, s_threshold=0.5, p_later=later))[0].sample for later in (0.0, 2.5, 50.0)
    )
    assert plain == pytest.approx(200.25, abs=0.05)
    assert moved - plain == pytest.approx(2.5)
    assert far == 210.0


def test_a_short_gap_of_zeros_is_missing_where_the_record_drops_to_them() -> None:
    counts = dropping(400, 415)
    assert np.flatnonzero(np.isnan(with_missing(counts, is_causal=False)[0])).tolist() == list(range(400, 415))
    assert np.flatnonzero(np.isnan(with_missing(counts, is_causal=True)[0])).tolist() == list(range(410, 415))
    assert not np.isnan(with_missing(dropping(400, 409), is_causal=False)).any()


def test_a_slow_wave_that_passes_through_zero_is_no_gap() -> None:
    counts = np.round(np.tile(3 * np.sin(np.arange(6000) / 80), (3, 1))).astype(np.float32)
    assert max(len(run) for run in "".join("0" if x == 0 else "1" for x in counts[0]).split("1")) >= 25
    assert not np.isnan(with_missing(counts, is_causal=False)).any()


def test_what_is_missing_live_does_not_depend_on_what_follows() -> None:
    counts = record()
    counts[:, 400:600] = 0
    counts[1, :300] = 5
    whole = with_missing(counts, is_causal=True)
    for end in (350, 420, 439, 441, 500, 650):
        changed = counts.copy()
        changed[:, end:] *= 1e7
        assert np.array_equal(with_missing(changed, is_causal=True)[:, :end], whole[:, :end], equal_nan=True)


def test_quiet_ground_of_a_coarse_digitizer_is_no_gap() -> None:
    counts = np.round(np.random.default_rng(2).normal(0, 0.3, (3, 3000))).astype(np.float32)
    assert (np.abs(counts[:, 100:200]).max(axis=0) == 0).sum() > 60
    assert not np.isnan(with_missing(counts, is_causal=False)).any()


def test_zeros_of_one_component_are_missing_where_it_never_stood_still() -> None:
    counts = record()
    counts[1, 400:600] = 0
    shown = with_missing(counts, is_causal=False)
    assert np.flatnonzero(np.isnan(shown[1])).tolist() == list(range(400, 600))
    assert np.flatnonzero(np.isnan(with_missing(counts, is_causal=True)[1])).tolist() == list(range(440, 600))
    assert np.array_equal(shown[[0, 2]], counts[[0, 2]])


@pytest.mark.parametrize("is_causal", [True, False])
def test_zeros_far_below_an_offset_are_missing_at_once(is_causal: bool) -> None:
    counts = record() + 1e5
    counts[:, 400:403] = counts[0, 700:900] = 0
    shown = with_missing(counts, is_causal=is_causal)
    assert np.flatnonzero(np.isnan(shown[0])).tolist() == [*range(400, 403), *range(700, 900)]
    assert np.flatnonzero(np.isnan(shown[1])).tolist() == [400, 401, 402]


def broken(random: np.random.Generator, length: int) -> FloatArray:
    """Noise of any size beside any offset, with zeros, holes and constant stretches on some components."""
    counts = np.round(random.normal(random.choice([0, 0, 1e5]), 10 ** random.uniform(-0.7, 3), (3, length)))
    for _ in range(random.integers(4)):
        first = random.choice([0, random.integers(length)])
        rows = random.choice(3, random.integers(1, 4), replace=False)
        counts[rows, first : first + int(10 ** random.uniform(0, 2.5))] = random.choice([0, 0, 0, 7, np.nan])
    return np.asarray(counts, dtype=np.float32)


def test_what_may_hide_no_gap_hides_none() -> None:
    random = np.random.default_rng(5)
    changed = 0
    for length in (30, 90, 130, 600):
        windows = np.stack([broken(random, length) for _ in range(200)])
        for window, may_hide in zip(windows, may_hide_gaps(windows), strict=True):
            for is_causal in (True, False):
                is_changed = not np.array_equal(with_missing(window, is_causal=is_causal), window, equal_nan=True)
                changed += is_changed
                assert may_hide or not is_changed
    assert changed > 400


def test_noise_of_few_counts_is_not_asked_for_gaps() -> None:
    windows = np.round(np.random.default_rng(5).normal(0, 3, (64, 3, 600))).astype(np.float32)
    windows[::2, 1:] = np.nan
    assert (windows[:, 0] == 0).any(axis=1).all()
    assert not may_hide_gaps(windows).any()


def test_no_pick_is_where_none_may_be() -> None:
    """What spares the search must never hide what it would find; and it must spare it, away from all lobes."""
    random, spared = np.random.default_rng(5), 0
    for _ in range(300):
        lobes = [
            (str(random.choice(PHASES)), float(random.uniform(50, 950)), float(random.beta(0.7, 2))) for _ in range(3)
        ]
        probabilities, first = said(*lobes, width=float(random.uniform(3, 25))), int(random.integers(0, 900))
        within = dict.fromkeys(PHASES, range(first, first + 100))
        rule = Rule(p_threshold=0.3, s_threshold=0.05, p_later=float(random.uniform(-12, 12)))
        is_there = any(int(np.ceil(pick.sample)) in within[pick.phase] for pick in find_picks(probabilities, rule))
        is_possible = may_hold_picks(probabilities, rule, within)
        assert is_possible or not is_there
        spared += not is_possible
    assert spared > 100


def test_gaps_are_counted_in_seconds_whatever_the_rate() -> None:
    counts = np.tile(1000 * np.sin(np.arange(400) / 1.4), (3, 1)).astype(np.float32) + 3
    counts[:, 100:110] = 0  # half a second at 20 Hz
    counts[2, :30] = 7  # one value for 1.5 s
    found = with_missing(counts, is_causal=False, rate_hz=20)
    assert np.flatnonzero(np.isnan(found[0])).tolist() == list(range(100, 110))
    assert np.flatnonzero(np.isnan(found[2, :100])).tolist() == list(range(30))
    assert np.flatnonzero(np.isnan(with_missing(counts, is_causal=True, rate_hz=20)[0]))[0] in range(101, 109)
    fast = np.repeat(dropping(400, 412), 5, axis=1)[:, :4000]
    assert not np.isnan(with_missing(np.repeat(dropping(400, 409), 5, axis=1), is_causal=False, rate_hz=500)).any()
    assert np.isnan(with_missing(fast, is_causal=False, rate_hz=500)[0]).sum() == 60
