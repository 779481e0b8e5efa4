"""Ground motion of closed form comes back from counts, whatever the sensor, and depends on a finite stretch alone."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.inventory import response_at
from kensoku.measuring import FULL, LEAD, Amplitude, Channel, Channels, Measured, measure
from kensoku.simulation.instruments import SENSORS, Digitiser, Instrument
from kensoku.simulation.visibility import judge
from kensoku.v1.inventory_pb2 import (
    GROUND_MOTION_ACCELERATION,
    GROUND_MOTION_VELOCITY,
    ChannelEpoch,
    Complex,
    Response,
    Station,
)
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_JMA_VELOCITY,
    AMPLITUDE_KIND_PEAK_ACCELERATION,
    AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    AMPLITUDE_KIND_PEAK_RAW,
    AMPLITUDE_KIND_PEAK_VELOCITY,
    AMPLITUDE_KIND_WOOD_ANDERSON,
    AmplitudeKind,
)

FloatArray = npt.NDArray[np.float64]

ONSET, LENGTH = 4000, 8000
TIMES_S = (np.arange(LENGTH) - ONSET) / 100
SIZE_M = 1e-5
HZ = np.fft.rfftfreq(4 * LENGTH, 0.01)


def response_of(name: str) -> Response:
    """Of a simulated instrument, but for its anti-alias filter, as an inventory has it."""
    instrument = Instrument(SENSORS[name], Digitiser())
    sensor = instrument.sensor
    shape = 2j * np.pi * sensor.reference_hz
    size = np.abs(np.prod([shape - z for z in sensor.zeros]) / np.prod([shape - p for p in sensor.poles]))
    return Response(
        input=GROUND_MOTION_ACCELERATION if sensor.is_accelerometer else GROUND_MOTION_VELOCITY,
        sensitivity=instrument.sensitivity,
        frequency_hz=sensor.reference_hz,
        poles=[Complex(real=complex(p).real, imaginary=complex(p).imag) for p in sensor.poles],
        zeros=[Complex(real=complex(z).real, imaginary=complex(z).imag) for z in sensor.zeros],
        normalisation=float(1 / size),
    )


def channels_with(response: Response | None, codes: str = "ZNE", **known: Any) -> Channels:
    content = response.SerializeToString(deterministic=True) if response else b""
    z, first, second = (Channel("HH" + letter, content, **known) for letter in codes)
    return Channels(z, first, second)


def counts_of(displacement_m: FloatArray, response: Response) -> FloatArray:
    derivative = 2 if response.input == GROUND_MOTION_ACCELERATION else 1
    spectrum = np.fft.rfft(displacement_m, 4 * LENGTH)
    spectrum[1:] *= (2j * np.pi * HZ[1:]) ** derivative * response_at(response, HZ[1:])
    spectrum[0] = 0.0
    counts: FloatArray = np.fft.irfft(spectrum, 4 * LENGTH)[:LENGTH]
    return counts


def wave_m(hz: float, begins_s: float = 0.0) -> FloatArray:
    """A sine that rises slowly, stays for some seconds and goes slowly."""
    since_s = np.maximum(TIMES_S - begins_s, 0.0)
    swelling = np.sin(np.pi / 2 * np.clip(np.minimum(since_s / 6, (25 - since_s) / 8), 0, 1)) ** 4
    return np.asarray(SIZE_M * swelling * np.sin(2 * np.pi * hz * since_s))


def measured_of(counts: FloatArray, channels: Channels, end: int = ONSET + FULL, onset: float = ONSET) -> Measured:
    return measure(counts, onset, end, channels, "P", 0.05)


def found(measured: Measured, kind: AmplitudeKind, channel: str = "HHZ") -> Amplitude:
    return next(a for a in measured.amplitudes if a.kind == kind and a.channel == channel)


# --- ground motion ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hz", [0.5, 1.7, 5.3, 11.7])
@pytest.mark.parametrize(
    "sensor", ["broadband-120s", "broadband-30s", "geophone-1hz", "geophone-4.5hz", "accelerometer"]
)
def test_a_sine_has_the_same_size_on_every_sensor(sensor: str, hz: float) -> None:
    response = response_of(sensor)
    counts = np.tile(counts_of(wave_m(hz), response), (3, 1)) + 777
    measured = measured_of(counts, channels_with(response))
    turn = 2 * math.pi * hz
    tolerance = 0.04 if sensor == "geophone-4.5hz" and hz < 1 else 0.02
    for kind, size in (
        (AMPLITUDE_KIND_PEAK_DISPLACEMENT, SIZE_M),
        (AMPLITUDE_KIND_PEAK_VELOCITY, SIZE_M * turn),
        (AMPLITUDE_KIND_PEAK_ACCELERATION, SIZE_M * turn**2),
    ):
        amplitude = found(measured, kind)
        assert amplitude.value == pytest.approx(size, rel=tolerance)
        assert amplitude.period_s == pytest.approx(1 / hz, rel=0.05)


@pytest.mark.parametrize("hz", [0.5, 1.25, 5.3])
def test_a_wood_anderson_shows_a_sine_as_its_formula_says(hz: float) -> None:
    response = response_of("broadband-120s")
    measured = measured_of(np.tile(counts_of(wave_m(hz), response), (3, 1)), channels_with(response))
    own = 1 / 0.8
    shown = hz**2 / math.hypot(own**2 - hz**2, 2 * 0.7 * own * hz)
    amplitude = found(measured, AMPLITUDE_KIND_WOOD_ANDERSON, "HHE")
    assert amplitude.value == pytest.approx(SIZE_M * shown, rel=0.02)
    assert amplitude.period_s == pytest.approx(1 / hz, rel=0.05)


def test_a_wood_anderson_measures_half_of_peak_to_peak() -> None:
    """A wave that swings further to one side than to the other."""
    response = response_of("broadband-120s")
    ground = wave_m(5.0) + 0.4 * wave_m(10.0)
    measured = measured_of(np.tile(counts_of(ground, response), (3, 1)), channels_with(response))
    both = found(measured, AMPLITUDE_KIND_WOOD_ANDERSON).value
    one = found(measured, AMPLITUDE_KIND_PEAK_DISPLACEMENT).value
    assert 0.7 * one < both < 0.99 * one


def test_jmas_amplitude_is_of_the_vertical_alone_and_leaves_out_long_waves() -> None:
    response = response_of("broadband-120s")
    sizes = {}
    for hz in (0.3, 5.3):
        measured = measured_of(np.tile(counts_of(wave_m(hz), response), (3, 1)), channels_with(response))
        assert [a.channel for a in measured.amplitudes if a.kind == AMPLITUDE_KIND_JMA_VELOCITY] == ["HHZ"]
        sizes[hz] = found(measured, AMPLITUDE_KIND_JMA_VELOCITY).value / (2 * math.pi * hz * SIZE_M)
    assert sizes[5.3] == pytest.approx(1.0, rel=0.03)
    assert sizes[0.3] < 0.15


def test_without_a_response_amplitudes_stay_in_counts() -> None:
    counts = np.tile(np.where(TIMES_S < 0, 50.0, 50 + 1000 * np.sin(2 * np.pi * 3 * TIMES_S)), (3, 1))
    measured = measured_of(counts, channels_with(None))
    assert {a.kind for a in measured.amplitudes} == {AMPLITUDE_KIND_PEAK_RAW}
    assert [a.channel for a in measured.amplitudes] == ["HHZ", "HHN", "HHE"]
    assert found(measured, AMPLITUDE_KIND_PEAK_RAW).value == pytest.approx(1000, rel=0.01)


@pytest.mark.parametrize("zeros", [(2j, -2j), (1e300, 1e300)])
def test_a_response_that_no_sensor_has_leaves_amplitudes_in_counts(zeros: tuple[complex, complex]) -> None:
    response = response_of("broadband-120s")
    response.zeros.extend(Complex(real=complex(z).real, imaginary=2 * math.pi * complex(z).imag) for z in zeros)
    measured = measured_of(noisy(), channels_with(response))
    assert {a.kind for a in measured.amplitudes} == {AMPLITUDE_KIND_PEAK_RAW}


def test_long_waves_that_hide_a_small_earthquake_are_taken_off_a_wood_anderson() -> None:
    response = response_of("broadband-120s")
    microseism = 2e-6 * np.sin(2 * np.pi * 0.2 * TIMES_S)
    ground = microseism + 1e-3 * wave_m(6.0)
    measured = measured_of(np.tile(counts_of(ground, response), (3, 1)), channels_with(response))
    amplitude = found(measured, AMPLITUDE_KIND_WOOD_ANDERSON)
    assert amplitude.high_pass_hz >= 0.5
    assert amplitude.value == pytest.approx(1e-3 * SIZE_M, rel=0.2)
    assert amplitude.noise < amplitude.value / 3
    displacement = found(measured, AMPLITUDE_KIND_PEAK_DISPLACEMENT)
    assert displacement.value == pytest.approx(displacement.noise, rel=0.1)  # which says that it is noise


# --- where, when, how long --------------------------------------------------------------------------------------------


def test_an_amplitude_says_when_it_was_and_how_long_was_looked() -> None:
    response = response_of("broadband-120s")
    pulse = SIZE_M * np.exp(-(((TIMES_S - 7.0) / 0.1) ** 2))
    measured = measured_of(np.tile(counts_of(pulse, response), (3, 1)), channels_with(response))
    displacement = found(measured, AMPLITUDE_KIND_PEAK_DISPLACEMENT)
    assert displacement.sample == pytest.approx(700, abs=1)
    assert displacement.window_s == pytest.approx(30.0, abs=0.1)
    early = measured_of(np.tile(counts_of(pulse, response), (3, 1)), channels_with(response), end=ONSET + 100)
    assert found(early, AMPLITUDE_KIND_PEAK_DISPLACEMENT).value < 1e-3 * SIZE_M
    assert found(early, AMPLITUDE_KIND_PEAK_DISPLACEMENT).window_s == pytest.approx(1.0, abs=0.1)


def noisy(seed: int = 1) -> FloatArray:
    noise = np.random.default_rng(seed).normal(size=(3, LENGTH)) * 40
    noise += np.random.default_rng(seed + 1).normal(size=(3, LENGTH)).cumsum(axis=1)
    noise[:, ONSET:] *= 20
    return np.asarray(np.rint(noise) + 1234)


def test_what_is_measured_depends_on_its_stretch_alone_bit_for_bit() -> None:
    channels = channels_with(response_of("broadband-120s"))
    counts = noisy()
    end = ONSET + 2500
    expected = measured_of(counts, channels, end)
    other = counts.copy()
    other[:, : ONSET - LEAD], other[:, end:] = 1e6, np.nan
    assert measured_of(other, channels, end) == expected
    assert measured_of(counts[:, :end].astype(np.float32), channels, end) == expected
    later = measure(counts[:, 500:], ONSET - 500, end - 500, channels, "P", 0.05)
    assert later.amplitudes == expected.amplitudes
    assert later.first_motion == expected.first_motion


def test_a_component_that_is_missing_changes_nothing_of_the_others() -> None:
    channels = channels_with(response_of("broadband-120s"))
    whole = measured_of(noisy(), channels)
    without = noisy()
    without[1] = np.nan
    measured = measured_of(without, channels)
    assert [a for a in whole.amplitudes if a.channel != "HHN"] == list(measured.amplitudes)
    assert measured.tau_c_s == whole.tau_c_s


def test_nothing_is_measured_beyond_a_gap_or_where_there_is_nothing() -> None:
    channels = channels_with(response_of("broadband-120s"))
    broken = noisy()
    broken[0, ONSET + 500] = np.nan
    broken[1:, ONSET - 10 : ONSET + 10] = np.nan
    measured = measured_of(broken, channels)
    assert {a.channel for a in measured.amplitudes} == {"HHZ"}
    assert {a.window_s for a in measured.amplitudes} == {5.0, 4.92}
    nothing = measured_of(np.full((3, LENGTH), np.nan), channels)
    assert nothing.amplitudes == ()
    assert nothing.snr == 0
    assert nothing.first_motion is None


@pytest.mark.parametrize(("recorded_s", "high_pass_hz"), [(30, 0.075), (20, 0.15), (5, 0.6), (1, None)])
def test_the_less_of_a_record_there_is_before_the_higher_is_the_high_pass(
    recorded_s: int, high_pass_hz: float | None
) -> None:
    response = response_of("broadband-120s")
    counts = np.tile(counts_of(wave_m(5.3), response), (3, 1))
    counts[:, : ONSET - 100 * recorded_s] = np.nan
    measured = measured_of(counts, channels_with(response))
    ground = [a for a in measured.amplitudes if a.kind == AMPLITUDE_KIND_PEAK_VELOCITY]
    assert {a.high_pass_hz for a in ground} == ({high_pass_hz} if high_pass_hz else set())
    for amplitude in ground:
        assert amplitude.value == pytest.approx(2 * math.pi * 5.3 * SIZE_M, rel=0.02)


def test_a_short_gap_long_before_the_onset_is_bridged() -> None:
    channels = channels_with(response_of("broadband-120s"))
    counts = noisy()
    counts[:, ONSET - 2000 : ONSET - 1990] = np.nan
    measured = measured_of(counts, channels)
    assert found(measured, AMPLITUDE_KIND_PEAK_VELOCITY).high_pass_hz == 0.075


# --- directions -------------------------------------------------------------------------------------------------------


def station_with(azimuths: tuple[float, float], codes: str = "12", dip: float = -90.0) -> Station:
    response = response_of("broadband-120s")
    known = {"Z": (0.0, dip), codes[0]: (azimuths[0], 0.0), codes[1]: (azimuths[1], 0.0)}
    epochs = [
        ChannelEpoch(code="HH" + letter, azimuth_deg=azimuth, dip_deg=tilt, response=response)
        for letter, (azimuth, tilt) in known.items()
    ]
    return Station(network="XX", station="AAA", epochs=epochs)


@pytest.mark.parametrize("azimuths", [(30.0, 120.0), (120.0, 30.0), (200.0, 285.0)])
def test_horizontals_are_turned_to_north_and_east(azimuths: tuple[float, float]) -> None:
    response = response_of("broadband-120s")
    north, east = counts_of(wave_m(5.3), response), counts_of(0.3 * wave_m(2.1, begins_s=1.0), response)
    turned = [math.cos(math.radians(a)) * north + math.sin(math.radians(a)) * east for a in azimuths]
    channels = Channels.of(station_with(azimuths), "", "HH", 1, components="Z12")
    measured = measured_of(np.stack([north, *turned]), channels)
    assert found(measured, AMPLITUDE_KIND_PEAK_DISPLACEMENT, "HHN").value == pytest.approx(SIZE_M, rel=0.02)
    assert found(measured, AMPLITUDE_KIND_PEAK_DISPLACEMENT, "HHE").value == pytest.approx(0.3 * SIZE_M, rel=0.02)
    assert found(measured, AMPLITUDE_KIND_PEAK_RAW, "HH1")
    lonely = np.stack([north, turned[0], np.full(LENGTH, np.nan)])
    assert found(measured_of(lonely, channels), AMPLITUDE_KIND_PEAK_DISPLACEMENT, "HH1")


def test_an_inventory_that_knows_no_such_moment_or_place_gives_codes_alone() -> None:
    station = station_with((0.0, 90.0), "NE")
    for epoch in station.epochs:
        epoch.end_ns = 100
    assert Channels.of(station, "", "HH", 99).vertical.response
    assert Channels.of(station, "", "HH", -(10**18)).vertical.response, "it is of ever, also before 1970"
    for unknown in (
        Channels.of(station, "", "HH", 100),
        Channels.of(station, "10", "HH", 99),
        Channels.of(station, "", "EH", 99),
        Channels.of(None, "", "HH", 99),
    ):
        assert not unknown.vertical.response
        assert unknown.vertical.code.endswith("HZ")


def test_an_epoch_without_a_code_stands_for_every_channel() -> None:
    everything = ChannelEpoch(response=response_of("geophone-1hz"))
    channels = Channels.of(Station(network="XX", station="AAA", epochs=[everything]), "", "EH", 1)
    assert [channel.code for channel in channels.channels] == ["EHZ", "EHN", "EHE"]
    assert all(channel.response for channel in channels.channels)


# --- SNR and clipping -------------------------------------------------------------------------------------------------


def test_the_snr_is_that_of_the_tables_of_truth() -> None:
    for seed in range(5):
        counts = noisy(seed)
        expected = judge(counts, np.zeros_like(counts), ONSET, 100).record_snr
        assert measured_of(counts, channels_with(None)).snr == expected
        assert measured_of(counts, channels_with(None), onset=ONSET - 0.4).snr == expected


def clipped_by(limit: float, hz: float = 3.0) -> FloatArray:
    swelling = 1e6 * np.clip(TIMES_S / 3, 0, 1) * np.exp(-np.maximum(TIMES_S, 0) / 8)
    wave = swelling * np.sin(2 * np.pi * hz * TIMES_S)
    return np.asarray(np.tile(np.clip(wave, -limit, limit), (3, 1)) + noisy() / 20)


def test_flat_tops_are_clipped_and_others_not() -> None:
    for hz in (0.4, 3.0, 8.0):
        assert found(measured_of(clipped_by(3e5, hz), channels_with(None)), AMPLITUDE_KIND_PEAK_RAW).is_clipped
        assert not found(measured_of(clipped_by(1e9, hz), channels_with(None)), AMPLITUDE_KIND_PEAK_RAW).is_clipped


def test_the_limit_that_the_inventory_states_is_believed() -> None:
    counts = clipped_by(1e9)
    largest = float(np.abs(counts).max())
    for limit, expected in ((largest, True), (2 * largest, False)):
        assert (
            found(measured_of(counts, channels_with(None, clip_counts=limit)), AMPLITUDE_KIND_PEAK_RAW).is_clipped
            is expected
        )


def test_every_amplitude_of_a_clipped_component_says_so() -> None:
    counts = clipped_by(1e9)
    counts[2] = clipped_by(3e5)[2]
    measured = measured_of(counts, channels_with(response_of("broadband-120s")))
    assert {a.is_clipped for a in measured.amplitudes if a.channel == "HHE"} == {True}
    assert {a.is_clipped for a in measured.amplitudes if a.channel != "HHE"} == {False}
