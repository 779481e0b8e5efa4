"""Local SNR: the peak of the waves over the noise before them, the same for tables of truth and for training labels."""

import numpy as np
import pytest

from kensoku.simulation.instruments import Digitiser, Instrument, find_sensor
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.truth import judge_arrival
from kensoku.simulation.visibility import judge

RATE_HZ = 100
NOISE_COUNTS = 100
SEEN_RMS = NOISE_COUNTS * np.sqrt(18 / 50)  # of white noise up to 50 Hz, between 2 and 20


def noise(seed: int = 3) -> FloatArray:
    return np.asarray(np.rint(NOISE_COUNTS * np.random.default_rng(seed).standard_normal((3, 6000))))


def waves(counts: float, onset: int) -> FloatArray:
    """7 Hz on the vertical."""
    made = np.zeros((3, 6000))
    made[0, onset:] = counts * np.sin(2 * np.pi * 7 * np.arange(6000 - onset) / RATE_HZ)
    return made


@pytest.mark.parametrize("snr", [0.5, 2.5, 20.0])
def test_local_snr_is_the_peak_of_the_waves_over_the_rms_before(snr: float) -> None:
    made = waves(snr * SEEN_RMS, 3000)
    assert judge(noise() + made, made, 3000, RATE_HZ).snr == pytest.approx(snr, rel=0.3)


@pytest.mark.parametrize("rate_hz", [50, 100, 250])
def test_the_band_holds_at_every_sampling_rate(rate_hz: int) -> None:
    times_s = np.arange(10 * rate_hz) / rate_hz
    tone = np.tile(np.sin(2 * np.pi * 10 * times_s), (3, 1))
    assert judge(tone, tone, 5 * rate_hz, rate_hz).snr == pytest.approx(np.sqrt(2), rel=0.05)


def test_noise_alone_is_never_visible_but_by_the_letter_nearly_always() -> None:
    silence = np.zeros((3, 6000))
    judged = [judge(noise(seed), silence, onset, RATE_HZ) for seed in range(10) for onset in range(600, 5900, 100)]
    assert {each.snr for each in judged} == {0.0}
    assert np.mean([each.record_snr > 2 for each in judged]) > 0.95
    assert np.median([each.record_snr for each in judged]) == pytest.approx(2.8, abs=0.2)


def test_both_agree_where_waves_are_loud() -> None:
    made = waves(50 * SEEN_RMS, 3000)
    seen = judge(noise() + made, made, 3000, RATE_HZ)
    assert seen.record_snr == pytest.approx(seen.snr, rel=0.05)


@pytest.mark.parametrize(("own", "least", "most"), [(0.0, 0.0, 0.5), (1.0, 0.4, 2.2), (10.0, 8.0, 15.0)])
def test_waves_of_earlier_arrivals_are_not_an_arrivals_own(own: float, least: float, most: float) -> None:
    """Over a tone of an earlier earthquake; SNR of the waves over that tone's rms."""
    earlier = waves(5000, 1000)
    made = earlier + waves(own * 5000 / np.sqrt(2), 3000)
    assert judge(noise() + made, made, 3000, RATE_HZ).snr >= 1.3
    assert least <= judge(noise() + made, made, 3000, RATE_HZ, are_mixed=True).snr <= most


def test_local_snr_does_not_see_what_comes_later() -> None:
    made = waves(5000, 3050)
    assert judge(noise() + made, made, 3000, RATE_HZ).snr < 0.1


def test_an_arrival_without_a_second_before_it_is_not_judged() -> None:
    seen = judge(noise(), waves(3000, 50), 50, RATE_HZ)
    assert np.isnan(seen.snr)
    assert not seen.is_visible


def test_silence_counts_as_what_rounding_makes_of_it() -> None:
    made = waves(3.0, 3000)
    assert judge(made, made, 3000, RATE_HZ).snr == pytest.approx(3.0 / 0.3, rel=0.15)


@pytest.mark.parametrize("sensor", ["geophone-1hz", "accelerometer"])
def test_tables_of_truth_judge_what_the_instrument_makes_of_the_ground(sensor: str) -> None:
    instrument = Instrument(find_sensor(sensor), Digitiser(RATE_HZ))
    counts_per_m_s = float(abs(instrument.response(np.array([7.0]))[0]))
    made = waves(20 * SEEN_RMS, 3000)
    told = judge_arrival(noise().astype(np.int32), made / counts_per_m_s, instrument, 3000)
    assert told.snr == pytest.approx(20, rel=0.3)
