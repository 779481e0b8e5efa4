"""Records of other rates come to 100 Hz without looking ahead, with a known delay."""

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.picking import to_100_hz

RATES_HZ = [40.0, 50.0, 80.0, 125.0, 200.0, 250.0, 500.0]


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_wave_arrives_when_it_did_less_the_delay(rate_hz: float) -> None:
    time_s = np.arange(round(20 * rate_hz)) / rate_hz
    wavelet = np.exp(-(((time_s - 10) / 0.15) ** 2)) * 1000 + 20_000
    found, delay = to_100_hz(wavelet[np.newaxis].astype(np.float32), rate_hz)
    assert found.shape == (1, 2000)
    risen = found[0].astype(float) - 20_000
    assert (np.sum(np.arange(2000) * risen) / risen.sum() - delay) / 100 == pytest.approx(10, abs=0.01)
    assert risen.max() == pytest.approx(1000, rel=0.02)
    assert 0 < delay < 6


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_nothing_is_seen_before_it_came(rate_hz: float) -> None:
    counts = np.random.default_rng(0).normal(0, 100, (3, 1000)).astype(np.float32)
    later = counts.copy()
    later[:, 600:] = 1e7
    plain, changed = to_100_hz(counts, rate_hz)[0], to_100_hz(later, rate_hz)[0]
    end = int(np.ceil(600 * 100 / rate_hz))
    assert np.array_equal(plain[:, :end], changed[:, :end])
    assert not np.array_equal(plain[:, : end + 3], changed[:, : end + 3])


def test_what_is_above_the_new_band_is_gone() -> None:
    time_s = np.arange(8000) / 200
    for frequency_hz, expected in ((10, 1.0), (30, 1.0), (60, 0.0), (90, 0.0)):
        found, _ = to_100_hz(np.sin(2 * np.pi * frequency_hz * time_s)[np.newaxis].astype(np.float32), 200)
        assert np.sqrt(2) * found[0, 500:].std() == pytest.approx(expected, abs=0.03)


def test_a_gap_stays_a_gap_and_makes_no_wave() -> None:
    counts = np.full((2, 3, 2000), 50_000, np.float32)
    counts[0, 1, 500:700] = np.nan
    counts[1, 2] = np.nan
    found, _ = to_100_hz(counts, 200)
    assert found.shape == (2, 3, 1000)
    assert np.flatnonzero(np.isnan(found[0, 1])).tolist() == list(range(250, 350))
    assert np.isnan(found[1, 2]).all()
    assert np.nanmax(np.abs(found - 50_000)) < 0.01


@pytest.mark.parametrize("rate_hz", [100, 1 / float(np.float32(0.01)), 99.9999999])
def test_100_hz_stay_as_they_are_as_nearly_as_a_file_says_them(rate_hz: float) -> None:
    counts = np.ones((3, 10), np.float32)
    found, delay = to_100_hz(counts, rate_hz)
    assert found is counts
    assert delay == 0


@pytest.mark.parametrize("rate_hz", [10.0, 2000.0, 99.87, float("nan")])
def test_other_rates_are_refused(rate_hz: float) -> None:
    with pytest.raises(InputInvalid, match="samples a second, expected 100 or a rate from 20 to 1000"):
        to_100_hz(np.ones((3, 10), np.float32), rate_hz)
