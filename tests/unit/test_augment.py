"""What augmentation does to waves is what it says, and labels stay with their onsets."""

from dataclasses import replace

import numpy as np
import pytest

from kensoku.training import augment, augment_faults, augment_waves
from kensoku.training.balancing import shares
from kensoku.training.examples import Example, FloatArray, Onset, Origin, Span

ORIGIN = Origin(source="a", region="b", station="XX.A", kind="earthquake")
LENGTH = 6000


def wavelet(at: float, hz: float = 8.0, length: int = LENGTH) -> FloatArray:
    """Rises from nothing at a sample that need not be whole, on all components."""
    time_s = (np.arange(length) - at) / 100
    later = np.maximum(time_s, 0)
    row = np.sin(2 * np.pi * hz * later) * np.exp(-3 * later) * (1 - np.exp(-20 * later))
    found: FloatArray = np.stack([row, 0.5 * row, -0.7 * row]).astype(np.float32)
    return found


def example(at: float = 2000.0, noise: float = 0.0, phase: str = "P") -> Example:
    counts = wavelet(at) + np.random.default_rng(1).normal(scale=noise, size=(3, LENGTH)).astype(np.float32)
    onset = Onset("P" if phase == "P" else "S", at)
    return Example(counts, (onset,), (Span("S", 2100, 2200),), ORIGIN)


def begins(counts: FloatArray, share: float = 0.02) -> int:
    vertical = np.abs(np.nan_to_num(counts[0]))
    return int(np.flatnonzero(vertical > share * vertical.max())[0])


# --- cuts -------------------------------------------------------------------------------------------------------------


def test_a_cut_beyond_the_record_is_missing_there() -> None:
    found = augment.cut(example(), 3000, -500)
    assert np.isnan(found.counts[:, :500]).all()
    assert np.isfinite(found.counts[:, 500:]).all()
    assert found.onsets[0].sample == 2500
    assert (found.unknown[0].first, found.unknown[0].last) == (2600, 2700)


def test_labels_out_of_the_cut_are_dropped() -> None:
    found = augment.cut(example(), 1000, 3000)
    assert (found.onsets, found.unknown) == ((), ())


def test_onsets_lie_anywhere_in_cuts() -> None:
    chance = np.random.default_rng(1)
    starts = [augment.random_start(example(), 1000, chance, anywhere=0) for _ in range(400)]
    places = [2000 - start for start in starts]
    assert min(places) < 50
    assert max(places) > 950
    assert np.mean(places) == pytest.approx(500, abs=50)


def test_a_record_that_is_too_short_stays_whole() -> None:
    chance = np.random.default_rng(1)
    assert all(-2000 <= augment.random_start(example(), 8000, chance) <= 0 for _ in range(100))


# --- stretching -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("twentieths", [12, 17, 20, 23, 30, 47, 80])
def test_stretched_onsets_stay_at_their_labels(twentieths: int) -> None:
    found = augment.stretch(example(2000.4), twentieths)
    factor = twentieths / 20
    assert found.length == pytest.approx(LENGTH * factor, abs=1)
    assert found.onsets[0].sample == pytest.approx(2000.4 * factor)
    assert found.unknown[0].last == pytest.approx(2200 * factor)
    expected = wavelet(2000.4 * factor, 8 / factor, found.length)
    assert begins(found.counts) == pytest.approx(found.onsets[0].sample, abs=2 + 2 * factor)
    if twentieths % 20 == 0:
        np.testing.assert_allclose(found.counts[0, 100:2000], expected[0, 100:2000], atol=0.05)


@pytest.mark.parametrize("twentieths", [12, 23, 47, 80])
def test_stretching_moves_nothing_within_a_sample(twentieths: int) -> None:
    sample = np.arange(LENGTH)
    slow = np.exp(-np.square((sample - 3000.3) / 50)).astype(np.float32)
    found = augment.stretch(Example(np.stack([slow] * 3), (), (), ORIGIN), twentieths)
    centre = np.sum(np.arange(found.length) * found.counts[0].astype(np.float64)) / found.counts[0].sum()
    assert centre == pytest.approx(3000.3 * twentieths / 20, abs=0.05)


def test_what_is_missing_does_not_spread() -> None:
    broken = example()
    broken.counts[0, 1000:1100] = np.nan
    broken.counts[2] = np.nan
    found = augment.stretch(broken, 40)
    assert np.isnan(found.counts[2]).all()
    assert np.flatnonzero(np.isnan(found.counts[0]))[[0, -1]].tolist() == pytest.approx([2000, 2199], abs=2)


# --- one on the other -------------------------------------------------------------------------------------------------


def test_noise_has_the_snr_that_was_asked() -> None:
    noise = Example(np.random.default_rng(2).normal(size=(3, LENGTH)).astype(np.float32) + 1e4, (), (), ORIGIN)
    found = augment.add_noise(example(), noise, snr=10)
    added = augment.without_slow(found.counts - example().counts)
    assert augment.loudest(example().counts) / augment.rms(added) == pytest.approx(10, rel=0.05)
    assert found.onsets == example().onsets


def test_an_onset_that_noise_hides_is_unknown() -> None:
    noise = Example(np.random.default_rng(2).normal(size=(3, LENGTH)).astype(np.float32), (), (), ORIGIN)
    found = augment.add_noise(example(), noise, snr=1)
    assert found.onsets == ()
    assert any(span.phase == "P" and span.first < 2000 < span.last for span in found.unknown)


def test_another_earthquake_comes_with_its_labels_and_what_is_unknown_of_it() -> None:
    other = example(3000.0, phase="S")
    found = augment.superimpose(example(), other, ratio=0.5)
    assert [(each.phase, each.sample) for each in found.onsets] == [("P", 2000), ("S", 3000)]
    assert len(found.unknown) == 2
    assert augment.loudest(found.counts[:, 2900:3300]) == pytest.approx(
        0.5 * augment.loudest(example().counts), rel=0.05
    )


def test_the_fainter_of_two_at_once_is_unknown() -> None:
    found = augment.superimpose(example(), example(2030.0, phase="S"), ratio=0.01)
    assert [each.phase for each in found.onsets] == ["P"]
    assert any(span.phase == "S" and span.first < 2030 < span.last for span in found.unknown)


def test_what_only_missing_components_would_show_is_unknown() -> None:
    horizontal = example(3000.0, phase="S")
    horizontal.counts[0] *= 1e-3
    vertical = augment_waves.drop_components(example(noise=0.1), (1, 2))
    blank = Example(np.full((3, LENGTH), np.nan, np.float32), (), (), ORIGIN)
    deaf = Example(np.stack([blank.counts[0], *horizontal.counts[1:]]), horizontal.onsets, (), ORIGIN)
    assert augment.superimpose(vertical, deaf, ratio=1) is vertical
    weak = Example(horizontal.counts + 0.01 * wavelet(4500), horizontal.onsets, (), ORIGIN)
    found = augment.superimpose(vertical, weak, ratio=1)
    assert [each.phase for each in found.onsets] == ["P"]
    assert augment.loudest(found.counts[:, 4400:5000]) > 0.8 * augment.loudest(vertical.counts)


# --- instruments ------------------------------------------------------------------------------------------------------


def test_labels_follow_what_a_causal_filter_delays() -> None:
    slow = wavelet(2000, 3.0)
    found = augment_waves.filter_band(Example(slow, (Onset("P", 2000),), (), ORIGIN), 0.05, 10.0)
    shift = np.argmax(np.correlate(found.counts[0], slow[0], "full")) - (LENGTH - 1)
    assert found.onsets[0].sample - 2000 == pytest.approx(shift, abs=1)
    assert begins(found.counts, 1e-3) >= 1999  # nothing before the onset


def test_turned_horizontals_keep_their_energy() -> None:
    found = augment_waves.rotate_horizontals(example(), 0.7)
    energy = np.square(found.counts).sum(axis=1)
    before = np.square(example().counts).sum(axis=1)
    assert energy[1:].sum() == pytest.approx(before[1:].sum(), rel=1e-4)
    assert energy[0] == before[0]
    back = augment_waves.rotate_horizontals(found, -0.7)
    np.testing.assert_allclose(back.counts, example().counts, atol=1e-6)


def test_the_last_live_component_is_kept() -> None:
    alone = augment_waves.drop_components(example(), (1, 2))
    assert np.isnan(alone.counts[1:]).all()
    assert augment_waves.drop_components(alone, (0,)) is alone
    dead = augment_waves.drop_components(example(), (0,), is_dead=True)
    assert (dead.counts[0] == 0).all()


def test_a_slow_digitiser_has_nothing_above_its_nyquist_frequency() -> None:
    found = augment_waves.limit_rate(example(noise=1.0), 50)
    hz = np.fft.rfftfreq(LENGTH, 0.01)
    spectrum = np.abs(np.fft.rfft(found.counts[0]))
    before = np.abs(np.fft.rfft(example(noise=1.0).counts[0]))
    assert spectrum[hz > 26].mean() < 0.05 * before[hz > 26].mean()
    assert spectrum[(hz > 5) & (hz < 15)].mean() == pytest.approx(before[(hz > 5) & (hz < 15)].mean(), rel=0.02)


def test_attenuation_takes_what_it_says() -> None:
    found = augment_waves.attenuate(example(noise=1.0), 0.03)
    hz = np.fft.rfftfreq(LENGTH, 0.01)
    ratio = np.abs(np.fft.rfft(found.counts[0])) / np.abs(np.fft.rfft(example(noise=1.0).counts[0]))
    for low in (5, 10, 20):
        near = (hz > low) & (hz < low + 0.5)
        assert np.median(ratio[near]) == pytest.approx(np.exp(-np.pi * (low + 0.25) * 0.03), rel=0.05)


@pytest.mark.parametrize("hz", [3.0, 6.0, 12.0])
@pytest.mark.parametrize("t_star_s", [0.005, 0.02, 0.04, 0.08])
def test_attenuated_waves_begin_at_their_labels(hz: float, t_star_s: float) -> None:
    time_s = np.maximum((np.arange(LENGTH) - 2000) / 100, 0)
    sudden = np.stack([np.sin(2 * np.pi * hz * time_s) * np.exp(-3 * time_s)] * 3).astype(np.float32)
    found = augment_waves.attenuate(Example(sudden, (Onset("P", 2000),), (), ORIGIN), t_star_s)
    assert begins(found.counts, 1e-4) >= 2000
    assert begins(found.counts) == pytest.approx(found.onsets[0].sample, abs=2)


def test_digitisers_have_steps_and_limits() -> None:
    coarse = augment_waves.coarsen(example(noise=1.0), 3.0).counts
    assert (coarse == np.rint(coarse)).all()
    assert np.std(coarse[:, :1900]) == pytest.approx(3, rel=0.1)
    clipped = augment_waves.clip(example(), 0.5).counts
    assert np.abs(clipped).max() == pytest.approx(0.5 * np.abs(example().counts).max(), rel=1e-3)


def test_clipping_leaves_the_offset_of_a_record_alone() -> None:
    plain, moved = example(noise=0.01), replace(example(noise=0.01), counts=example(noise=0.01).counts + 500)
    assert augment_waves.clip(moved, 0.5).counts - 500 == pytest.approx(augment_waves.clip(plain, 0.5).counts, abs=1e-3)
    assert begins(augment_waves.clip(moved, 0.5).counts - 500, share=0.3) == pytest.approx(2000, abs=5)


def test_an_onset_that_is_lost_in_rounding_is_unknown() -> None:
    loud = example(3000, noise=1e-3, phase="S")
    faint = Example(loud.counts + 2e-3 * wavelet(2000), (Onset("P", 2000), *loud.onsets), (), ORIGIN)
    found = augment_waves.coarsen(faint, 0.1)
    assert [each.phase for each in found.onsets] == ["S"]
    assert any(span.phase == "P" and span.first < 2000 < span.last for span in found.unknown)
    assert augment_waves.coarsen(faint, 100).onsets == faint.onsets


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", augment_faults.FAULTS)
def test_faults_change_the_record_and_keep_what_is_missing(name: str) -> None:
    broken = augment_waves.drop_components(example(noise=1.0), (1,))
    for seed in range(20):
        found = augment_faults.FAULTS[name](broken, np.random.default_rng(seed))
        assert found.counts.shape == broken.counts.shape
        assert np.isnan(found.counts[1]).all()
        assert not np.isinf(found.counts).any()
        assert found.counts.dtype == np.float32
        for onset in found.onsets:
            assert onset.sample == 2000
    changed = [
        not np.array_equal(
            augment_faults.FAULTS[name](broken, np.random.default_rng(seed)).counts, broken.counts, equal_nan=True
        )
        for seed in range(20)
    ]
    assert np.mean(changed) > 0.5


def test_an_onset_that_a_transient_hides_is_unknown() -> None:
    record = Example(example(noise=1.0).counts, (Onset("P", 4000),), (), ORIGIN)
    found = [augment_faults.transient(record, np.random.default_rng(seed)) for seed in range(100)]
    added = [np.std((each.counts - record.counts)[:, 3900:4050], axis=1) for each in found]
    assert all(each.onsets == record.onsets for each, sizes in zip(found, added, strict=True) if sizes.max() < 0.5)
    hidden = [each for each, sizes in zip(found, added, strict=True) if sizes.min() > 3]
    assert hidden
    assert all(each.onsets == () and each.unknown == (Span("P", 3950, 4200),) for each in hidden)


def test_zeros_of_a_quiet_record_are_no_gap() -> None:
    quiet = augment_waves.drop_components(augment_waves.coarsen(example(noise=1.0), 0.3), (1, 2))
    for seed in range(40):
        found = augment_faults.gaps(quiet, np.random.default_rng(seed))
        changed = ~np.isclose(found.counts[0], quiet.counts[0])
        beside = changed[1900:2100].any()
        assert beside or [each.sample for each in found.onsets] == [2000]


def test_an_onset_in_a_gap_is_unknown() -> None:
    gone = example(noise=1.0)
    gone.counts[:, 1990:2100] = np.nan
    found = augment_faults.forget_missing(gone)
    assert found.onsets == ()
    assert found.unknown[-1] == Span("P", 1950, 2050)


# --- shares -----------------------------------------------------------------------------------------------------------


def test_rare_sizes_are_taken_more_often() -> None:
    sizes = [1.0] * 90 + [1.2] * 8 + [3.0, np.nan]
    origins = [Origin(source="a", region="b", station="c", magnitude=size) for size in sizes]
    examples = [Example(np.zeros((3, 10), np.float32), (), (), origin) for origin in origins]
    found = shares(examples, ["magnitude"])
    assert found.sum() == pytest.approx(1)
    assert found[98] == pytest.approx(5 / 100)
    assert found[0] < found[99]
    assert shares(examples, []).tolist() == pytest.approx([0.01] * 100)


def test_no_example_is_taken_more_than_five_times_as_often_whatever_is_rare_about_it() -> None:
    traits = [(1.0, 10.0)] * 990 + [(5.0, 10.0)] * 5 + [(5.0, 300.0)] * 5
    origins = [
        Origin(source="a", region="b", station="c", magnitude=size, distance_km=distance) for size, distance in traits
    ]
    examples = [Example(np.zeros((3, 10), np.float32), (), (), origin) for origin in origins]
    found = shares(examples, ["magnitude", "distance_km"])
    assert found.sum() == pytest.approx(1)
    assert found.max() * len(examples) == pytest.approx(5)
    assert found[0] == found.min()
