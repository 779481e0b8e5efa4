"""Where measuring stops: at limits of converters, beside the first seconds of P, and where directions tell nothing."""

import math

import numpy as np
import pytest
import scipy.signal

from kensoku.inventory._response import flat_response, with_poles_and_zeros
from kensoku.measuring import Channel, Channels
from kensoku.measuring._amplitudes import _clearer
from kensoku.measuring._clipping import is_clipped
from kensoku.measuring._traces import Trace
from kensoku.v1.inventory_pb2 import GROUND_MOTION_VELOCITY, ChannelEpoch, Station
from tests.unit.test_measuring import ONSET, TIMES_S, channels_with, counts_of, measured_of, response_of, wave_m


@pytest.mark.parametrize(("largest", "expected"), [(0.985e5, True), (0.975e5, False)])
def test_a_record_is_clipped_just_below_the_limit_that_the_inventory_states(largest: float, expected: bool) -> None:
    assert is_clipped(largest * np.sin(np.arange(1000) / 7), 0.0, 1e5) == expected


@pytest.mark.parametrize("seed", range(5))
def test_an_irregular_wave_is_clipped_where_it_stops_at_one_count(seed: int) -> None:
    band = scipy.signal.butter(2, (1, 10), "bandpass", fs=100, output="sos")
    wave = np.round(2e4 * scipy.signal.sosfilt(band, np.random.default_rng(seed).standard_normal(3000)))
    limit = 0.7 * np.abs(wave).max()
    assert is_clipped(np.clip(wave, -limit, limit), 0.0, 0.0)
    assert not is_clipped(wave, 0.0, 0.0)


def test_a_slow_wave_of_whole_counts_is_not_clipped() -> None:
    assert not is_clipped(np.round(1500 * np.sin(np.arange(3000) / 150)), 0.0, 0.0)


def test_a_sensor_that_lies_flat_is_not_upside_down() -> None:
    assert [Channel("HHZ", dip_deg=dip).is_upside_down for dip in (-90.0, 0.0, 90.0)] == [False, False, True]


@pytest.mark.parametrize(("apart_deg", "is_turned"), [(25.0, False), (35.0, True), (145.0, True), (155.0, False)])
def test_horizontals_that_are_nearly_parallel_stay_as_they_are(apart_deg: float, is_turned: bool) -> None:
    first, second = (Channel(f"HH{n}", b"known", azimuth_deg=10.0 + n * apart_deg) for n in range(2))
    assert (Channels(Channel("HHZ"), first, second).rotation is not None) == is_turned


PAIRS = [complex(*each) for real, up in ((-0.2, 0.2), (-0.3, 0.3)) for each in ((real, up), (real, -up))]


@pytest.mark.parametrize(("poles", "kinds"), [([-0.1, *PAIRS], 6), (PAIRS[:3], 1)], ids=["a-pair-is-cut", "unpaired"])
def test_conjugates_are_taken_together(poles: list[complex], kinds: int) -> None:
    """Five slow poles are more than the recursion has; what lacks its conjugate is measured in counts alone."""
    response = with_poles_and_zeros(flat_response(GROUND_MOTION_VELOCITY, 1e9, 1.0), poles, [0, 0])
    assert response is not None
    measured = measured_of(np.tile(counts_of(wave_m(1.7), response), (3, 1)), channels_with(response))
    assert len({amplitude.kind for amplitude in measured.amplitudes}) == kinds


@pytest.mark.parametrize("change_s", [-5, 5])
def test_samples_of_another_gain_are_not_measured(change_s: int) -> None:
    """Of the same ground motion, whose counts are ten times as large before or after a change."""
    response, louder = response_of("broadband-120s"), response_of("broadband-120s")
    louder.sensitivity *= 10
    own, other = ChannelEpoch(response=response), ChannelEpoch(response=louder)
    first_ns = 10**18
    change_ns = first_ns + round((ONSET / 100 + change_s) * 1e9)
    (own if change_s < 0 else other).start_ns = (other if change_s < 0 else own).end_ns = change_ns
    channels = Channels.of(Station(epochs=[own, other]), "", "HH", first_ns + ONSET * 10_000_000)
    counts = np.tile(counts_of(wave_m(1.7), response), (3, 1))
    changed = counts.copy()
    changed[:, slice(ONSET - 500) if change_s < 0 else slice(ONSET + 500, None)] *= 10
    cut = counts.copy()
    cut[:, slice(ONSET - 500) if change_s < 0 else slice(ONSET + 500, None)] = np.nan
    measured = measured_of(channels.within_epochs(changed, first_ns).astype(np.float64), channels)
    assert measured.amplitudes == measured_of(cut, channels).amplitudes
    assert max(each.window_s for each in measured.amplitudes) == pytest.approx(5.0 if change_s > 0 else 30.0, abs=0.1)
    still = Channels.of(Station(epochs=[ChannelEpoch(response=response)]), "", "HH", first_ns)
    assert still.within_epochs(counts, first_ns).tobytes() == counts.tobytes()


@pytest.mark.parametrize(("seconds", "is_measured"), [(2, False), (4, True)])
def test_periods_are_of_three_seconds_of_p_or_not_measured(seconds: int, is_measured: bool) -> None:
    response = response_of("broadband-120s")
    counts = np.tile(counts_of(wave_m(1.7), response), (3, 1))
    measured = measured_of(counts, channels_with(response), end=ONSET + 100 * seconds)
    assert (measured.tau_c_s > 0) == (measured.tau_p_max_s > 0) == is_measured


def test_a_wood_anderson_is_never_said_to_have_a_lower_high_pass_than_the_ground_motion() -> None:
    microseism = np.sin(2 * math.pi * 0.1 * TIMES_S) + np.where(TIMES_S > 0, np.sin(2 * math.pi * 6 * TIMES_S), 0.0)
    trace = Trace("HHZ", np.tile(microseism, (4, 1)), ONSET, ONSET - 1100, 0.6, is_clipped=False)
    assert [hz for _, hz, _ in _clearer(trace)] == [1.0, 2.0]
