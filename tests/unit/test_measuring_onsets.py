"""First motions, periods and the messages that carry what was measured of a pick."""

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.measuring import FULL, Channel, Channels, Measured, describe_pick, measure, pick_measurement
from kensoku.v1.inventory_pb2 import GROUND_MOTION_VELOCITY, Response
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_PEAK_RAW,
    AMPLITUDE_KIND_WOOD_ANDERSON,
    AMPLITUDE_UNIT_COUNT,
    AMPLITUDE_UNIT_M,
    PHASE_P,
    POLARITY_DOWN,
    POLARITY_UNSPECIFIED,
    Instrument,
    PhaseProbabilities,
    Pick,
)

FloatArray = npt.NDArray[np.float64]

ONSET, LENGTH = 4000, 8000
NOISE = 20.0  # counts, rms
FLAT = Response(input=GROUND_MOTION_VELOCITY, sensitivity=1e8).SerializeToString(deterministic=True)
PULSE = np.array([0.5, 1.0, 0.7, -0.2, -0.9, -0.6, 0.3, 0.8, 0.2, -0.5])  # of velocity; each for two samples


EMERGENT = np.array([0.1, 0.2, 0.1, -0.3, -0.6, -0.3, 0.5, 1.0, 0.5, -0.4, -0.9, -0.4])


def record(sense: float, snr: float, seed: int, delay: int = 0, pulse: FloatArray = PULSE) -> FloatArray:
    """A wave that begins with half a cycle of `sense`, whose peak is `snr` times the rms of the noise."""
    counts = np.random.default_rng(seed).normal(size=(3, LENGTH)) * NOISE
    wave = sense * snr * NOISE * np.repeat(pulse, 2)
    counts[:, ONSET + delay : ONSET + delay + len(wave)] += wave
    return counts


def channels(dip_deg: float | None = None, response: bytes = FLAT) -> Channels:
    return Channels(Channel("HHZ", response, dip_deg=dip_deg), Channel("HHN", response), Channel("HHE", response))


def measured_of(counts: FloatArray, known: Channels, phase: str = "P", uncertainty_s: float = 0.03) -> Measured:
    return measure(counts, ONSET, ONSET + FULL, known, "P" if phase == "P" else "S", uncertainty_s)


def sense_of(counts: FloatArray, uncertainty_s: float = 0.03, dip_deg: float | None = None) -> str:
    motion = measured_of(counts, channels(dip_deg), uncertainty_s=uncertainty_s).first_motion
    return motion.sense if motion else ""


# --- first motion -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sense", "name"), [(1.0, "up"), (-1.0, "down")])
def test_a_clear_first_motion_is_told(sense: float, name: str) -> None:
    told = [sense_of(record(sense, 30.0, seed, delay=seed % 5 - 2)) for seed in range(20)]
    assert told.count(name) >= 19


@pytest.mark.parametrize("dead_from", [0, ONSET - 1000, ONSET - 50])
def test_of_a_vertical_that_does_not_move_nothing_is_told(dead_from: int) -> None:
    """Its onset is that of the horizontals."""
    counts = record(1.0, 30.0, 0)
    counts[0, dead_from:] = 17.0
    assert sense_of(counts) in ("", "undecidable")


def test_a_sensor_upside_down_shows_the_other_sense() -> None:
    assert sense_of(record(1.0, 30.0, 3), dip_deg=-90.0) == "up"
    assert sense_of(record(1.0, 30.0, 3), dip_deg=90.0) == "down"


def test_in_noise_the_first_motion_is_hardly_ever_told() -> None:
    told = [sense_of(record(0.0, 0.0, seed)) for seed in range(60)]
    assert told.count("undecidable") >= 54


def test_the_less_is_known_of_the_onset_the_less_is_told() -> None:
    told = {
        uncertainty_s: [sense_of(record(1.0, 6.0, seed), uncertainty_s) for seed in range(30)]
        for uncertainty_s in (0.02, 0.25)
    }
    assert told[0.02].count("up") > told[0.25].count("up")


def test_a_confidence_is_as_often_right_as_it_says() -> None:
    chance = np.random.default_rng(4)
    motions = [
        (sense, measured_of(record(sense, snr, seed, round(chance.normal(0, 3))), channels()).first_motion)
        for seed, (sense, snr) in enumerate(zip(chance.choice([-1.0, 1.0], 200), np.geomspace(2, 50, 200), strict=True))
    ]
    told = [(sense, motion) for sense, motion in motions if motion and motion.sense != "undecidable"]
    right = np.mean([motion.sense == ("up" if sense > 0 else "down") for sense, motion in told])
    assert len(told) > 60
    assert right == pytest.approx(np.mean([motion.confidence for _, motion in told]), abs=0.07)


def test_of_a_first_half_cycle_that_noise_hides_little_is_told() -> None:
    chance = np.random.default_rng(5)
    told = [
        (sense_of(record(sense, snr, seed, round(chance.normal(0, 2)), EMERGENT), 0.02), sense)
        for seed, (sense, snr) in enumerate(zip(chance.choice([-1.0, 1.0], 160), np.linspace(3, 5, 160), strict=True))
    ]
    wrong = [name for name, sense in told if name == ("down" if sense > 0 else "up")]
    assert len(wrong) <= 3


def test_a_first_half_cycle_well_above_the_noise_is_told_however_small_beside_the_rest() -> None:
    told = [sense_of(record(1.0, 40.0, seed, pulse=EMERGENT), 0.02) for seed in range(40)]
    assert told.count("up") >= 36


def test_of_s_no_first_motion_and_no_period_is_told() -> None:
    measured = measured_of(record(1.0, 30.0, 1), channels(), phase="S")
    assert measured.first_motion is None
    assert measured.tau_c_s == 0


# --- periods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hz", [0.5, 2.0, 7.0])
def test_tau_c_of_a_sine_is_its_period(hz: float) -> None:
    times_s = (np.arange(LENGTH) - ONSET) / 100
    counts = np.where(times_s < 0, 0.0, 1e5 * np.cos(2 * np.pi * hz * times_s))
    measured = measured_of(np.tile(counts, (3, 1)), channels())
    assert measured.tau_c_s == pytest.approx(1 / hz, rel=0.1)
    assert measured.tau_p_max_s == pytest.approx(1 / hz, rel=0.3)


def test_waves_that_noise_hides_have_no_period() -> None:
    assert measured_of(record(0.0, 0.0, 1), channels()).tau_c_s == 0


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_pick_and_its_measurement_carry_what_was_measured() -> None:
    first_sample_ns = 1_700_000_000 * 10**9 + 2_990_000
    pick = Pick(
        id="abc",
        instrument=Instrument(network="XX", station="AAA", band_instrument="HH"),
        phase=PHASE_P,
        onset_ns=first_sample_ns + ONSET * 10**7,
        onset_uncertainty_s=0.03,
        probabilities=PhaseProbabilities(noise=0.1, p=0.8, s=0.1),
        inventory_hash="def",
        late=True,
    )
    measured = measured_of(record(-1.0, 30.0, 1), channels())
    for _ in range(2):
        describe_pick(pick, measured, first_sample_ns)
    assert pick.snr == measured.snr
    assert pick.polarity == POLARITY_DOWN
    assert pick.polarity_confidence > 0.8
    assert len(pick.amplitudes) == len(measured.amplitudes) == 3 * 5 + 1
    raw = next(a for a in pick.amplitudes if a.kind == AMPLITUDE_KIND_PEAK_RAW and a.channel == "HHZ")
    assert raw.unit == AMPLITUDE_UNIT_COUNT
    assert 0 <= raw.time_ns - pick.onset_ns < 0.2e9
    assert next(a for a in pick.amplitudes if a.kind == AMPLITUDE_KIND_WOOD_ANDERSON).unit == AMPLITUDE_UNIT_M
    message = pick_measurement(pick, measured, first_sample_ns)
    assert message.characteristic_period_s == measured.tau_c_s > 0
    for field in ("id", "instrument", "phase", "onset_ns", "probabilities", "inventory_hash", "late", "snr"):
        assert getattr(message, field) == getattr(pick, field)
    assert list(message.amplitudes) == list(pick.amplitudes)
    assert not message.HasField("blast_probability")


def test_a_pick_of_s_has_no_polarity() -> None:
    pick = Pick()
    describe_pick(pick, measured_of(record(1.0, 30.0, 1), channels(), phase="S"), 0)
    assert pick.polarity == POLARITY_UNSPECIFIED
