"""What simulated and recorded seismograms are compared by: closed forms of each number, and what a classifier finds."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.realism_classifier import Records, match, separate
from benchmarks.realism_features import (
    NAMES,
    RATE_HZ,
    Portrait,
    centroid_hz,
    filtered,
    is_spoilt,
    levels,
    portray,
    rectilinearity,
    rise_s,
)
from kensoku.simulation.randomness import FloatArray

TIME_S = np.arange(3000) / RATE_HZ
P, S = 800, 1200


def earthquake(s_over_p: float = 3.0, coda_s: float = 2.0, p_hz: float = 10.0, noise: float = 1e-3) -> FloatArray:
    """P on the vertical and S on the horizontals; both swell for 0.2 s and 0.4 s, S fades by e in `coda_s`."""
    chance = np.random.default_rng(1)
    samples = noise * chance.standard_normal((3, TIME_S.size))
    samples[0] += swell(P, 0.2, 0.5) * np.sin(2 * np.pi * p_hz * TIME_S)
    samples[1:] += s_over_p / np.sqrt(2) * swell(S, 0.4, coda_s) * np.sin(2 * np.pi * 20 * TIME_S)
    return samples


def swell(onset: int, rise_s: float, fade_s: float) -> FloatArray:
    after_s = (np.arange(TIME_S.size) - onset) / RATE_HZ
    rising = np.clip(after_s / rise_s, 0, 1)
    return np.asarray(rising * np.exp(-np.maximum(after_s - rise_s, 0) / fade_s))


def portrait(samples: FloatArray) -> Portrait:
    found = portray(samples, P, S)
    assert found is not None
    return found


def test_numbers_are_those_that_a_record_was_made_with() -> None:
    found = portrait(earthquake()).summary
    assert 10**found.s_over_p == pytest.approx(3, rel=0.1)
    assert 10**found.p_centroid_hz == pytest.approx(10, rel=0.05)
    assert 10**found.s_centroid_hz == pytest.approx(20, rel=0.05)
    assert 10**found.p_rise_s == pytest.approx(0.25, abs=0.08)  # the filter and the smoothing take some hundredths
    assert 10**found.s_rise_s == pytest.approx(0.45, abs=0.1)
    assert found.p_rectilinearity == pytest.approx(1, abs=0.01)
    assert found.p_h_over_v < -1.5
    assert found.s_h_over_v > 1.0


def test_coda_fades_as_it_was_made_to() -> None:
    found = portrait(earthquake(coda_s=2.0)).summary
    per_s = (found.coda_2s - found.coda_5s) / 3
    assert per_s == pytest.approx(np.log10(np.e) / 2, rel=0.03)
    slow = portrait(earthquake(coda_s=8.0)).summary
    assert slow.coda_2s - slow.coda_5s == pytest.approx(3 * np.log10(np.e) / 8, rel=0.1)


def test_snr_and_kurtosis_grow_as_noise_falls() -> None:
    loud, quiet = (portrait(earthquake(noise=noise)).summary for noise in (0.05, 0.005))
    assert quiet.p_snr - loud.p_snr == pytest.approx(1, abs=0.1)
    assert quiet.p_kurtosis > loud.p_kurtosis


def test_amplitude_does_not_matter() -> None:
    once, thousandfold = (portrait(factor * earthquake()).summary.array for factor in (1e-7, 1e3))
    np.testing.assert_allclose(once, thousandfold, rtol=1e-6)


def test_single_stretches() -> None:
    chance = np.random.default_rng(2)
    line = np.outer([1.0, 0.5, -0.3], chance.standard_normal(50))
    assert rectilinearity(line) == pytest.approx(1)
    assert rectilinearity(chance.standard_normal((3, 5000))) < 0.1
    assert centroid_hz(np.sin(2 * np.pi * 7 * TIME_S[:300])[np.newaxis]) == pytest.approx(7, rel=0.01)
    assert centroid_hz(chance.standard_normal((3, 5000))) == pytest.approx(16, rel=0.05)  # middle of 2 to 30 Hz
    assert rise_s(np.array([0.1, 0.5, 1.0, 0.7])) == pytest.approx(0.03)
    assert np.argmax(levels(filtered(np.eye(1, 500, 250)))) >= 250  # nothing is seen before it comes


def test_spoilt_records_are_left_out() -> None:
    whole = earthquake()
    assert not is_spoilt(whole)
    assert portray(whole[:, 500:], P - 500, S - 500) is None  # three seconds before P
    dead, clipped = whole.copy(), np.clip(whole, -0.2, 0.2)
    dead[1] = 0.0
    assert is_spoilt(dead)
    assert is_spoilt(clipped)


# --- classifier -------------------------------------------------------------------------------------------------------


def records(count: int, seed: int, shift: float = 0.0) -> Records:
    chance = np.random.default_rng(seed)
    numbers = chance.standard_normal((count, len(NAMES)))
    numbers[:, 0] += shift
    stations = np.array([f"{seed}.{index // 4}" for index in range(count)])
    return Records(numbers, stations, 10 ** chance.normal(0, 0.3, count), np.zeros((count, 2)), np.zeros((count, 2)))


def test_what_is_alike_is_not_told_apart() -> None:
    found = separate(records(150, 1), records(150, 5), repeats=1)
    assert found.auc == pytest.approx(0.5, abs=0.1)
    assert found.low < 0.53 < found.high
    assert np.abs(found.importance).max() < 0.08


def test_what_differs_in_one_number_is_told_apart_by_it() -> None:
    found = separate(records(150, 1), records(150, 2, shift=4.0), repeats=1)
    assert found.auc > 0.97
    assert np.argmax(found.importance) == 0
    assert found.low > 0.9


def test_stations_are_never_asked_about_that_were_seen() -> None:
    """Each station has a number of its own, which tells nothing of stations that are not known."""
    numbered = [replace(each, numbers=each.numbers.copy()) for each in (records(120, 1), records(120, 2))]
    for each in numbered:
        _, station = np.unique(each.stations, return_inverse=True)
        each.numbers[:, 0] = np.random.default_rng(len(each.stations[0])).permutation(1000)[station]
    first, second = numbered
    assert separate(first, second, repeats=1).auc < 0.65


def test_matching_takes_away_what_is_matched() -> None:
    first, second = records(60, 1), records(900, 2, shift=1.0)
    matched = match(first, second, columns=(0,))
    assert len(matched.first) == len(matched.second) == 60
    assert np.abs(matched.offsets).max() < 0.1
    assert len(set(matched.second.numbers[:, 1])) == 60  # none is taken twice
    near = match(first, records(60, 3, shift=5.0), columns=(0,), farthest=1.0)
    assert len(near.first) < 20
