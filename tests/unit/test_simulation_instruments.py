import io
import itertools

import numpy as np
import obspy
import pytest
import scipy.signal
from obspy.signal import PPSD

from kensoku.errors import SettingInvalid
from kensoku.simulation.disturbances import LOOK_AHEAD_S, Rates
from kensoku.simulation.instruments import SENSORS, Digitiser, Instrument, find_sensor
from kensoku.simulation.noise import GroundNoise
from kensoku.simulation.randomness import BLOCK_S, FloatArray
from kensoku.simulation.recorder import LARGEST_COUNT, Recorder
from kensoku.simulation.sites import Site, draw_site, ocean_db, site_db
from kensoku.simulation.stationxml import (
    StationPlace,
    channel_codes,
    describe_network,
    describe_response,
    describe_station,
)

SILENT = Digitiser(noise_counts=0.0)


def record(instrument: Instrument, ground: FloatArray, first: int = 0, rates: Rates | None = None) -> FloatArray:
    """Counts of whole blocks, from LOOK_AHEAD_S before the first block after the warm-up."""
    blocks = np.split(ground, ground.shape[1] // (BLOCK_S * instrument.digitiser.rate_hz), axis=1)
    recorded = Recorder(instrument, 1, "XX.A", rates).record(blocks, first)
    return np.concatenate([counts for _, counts in recorded], axis=1).astype(np.float64)


def ground_times(instrument: Instrument, blocks: int) -> FloatArray:
    return np.arange(blocks * BLOCK_S * instrument.digitiser.rate_hz) / instrument.digitiser.rate_hz


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("rate_hz", [50, 100, 200, 250])
@pytest.mark.parametrize("name", SENSORS)
def test_the_response_is_that_of_evalresp(name: str, rate_hz: int, is_causal: bool) -> None:
    instrument = Instrument(find_sensor(name), Digitiser(rate_hz, gain=4.0, is_causal=is_causal))
    hz = np.geomspace(0.005, 0.42 * rate_hz, 50)
    evalresp = describe_response(instrument).get_evalresp_response_for_frequencies(hz, "VEL")
    assert instrument.response(hz) == pytest.approx(evalresp, rel=1e-9)


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize(
    ("name", "rate_hz", "hz"),
    [
        ("geophone-4.5hz", 100, 4.5),
        ("geophone-4.5hz", 50, 15.0),
        ("geophone-1hz", 200, 60.0),
        ("broadband-120s", 100, 0.02),
        ("broadband-120s", 100, 39.0),
        ("broadband-30s", 250, 90.0),
        ("accelerometer", 100, 25.0),
    ],
)
def test_a_sine_is_recorded_with_the_amplitude_and_phase_of_the_response(
    name: str, rate_hz: int, hz: float, is_causal: bool
) -> None:
    instrument = Instrument(find_sensor(name), Digitiser(rate_hz, noise_counts=0.0, is_causal=is_causal))
    before = instrument.warm_up_blocks
    time_s = ground_times(instrument, before + 2)
    velocity = 0.3 * instrument.full_scale / (2 * np.pi * hz if instrument.sensor.is_accelerometer else 1.0)
    counts = record(instrument, velocity * np.sin(2 * np.pi * hz * time_s)[np.newaxis])[0]
    time_s = time_s[: counts.size] + before * BLOCK_S - LOOK_AHEAD_S
    basis = np.stack([np.sin(2 * np.pi * hz * time_s), np.cos(2 * np.pi * hz * time_s)], axis=1)
    (sine, cosine), *_ = np.linalg.lstsq(basis, counts, rcond=None)
    expected = complex(instrument.response(np.array([hz]))[0]) * velocity
    assert complex(sine, cosine) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", SENSORS)
def test_the_same_counts_come_whatever_the_start(name: str) -> None:
    instrument = Instrument(find_sensor(name), Digitiser(gain=8.0))
    noise = GroundNoise(draw_site(np.random.default_rng(1), 0.0), 1, "XX.A", 100)
    rates = Rates(lightning=2000.0, calibration=500.0, recentring=300.0, bit_error=3000.0, repeat=3000.0)

    def run(first: int, count: int) -> list[tuple[int, bytes]]:
        start, before = first - instrument.warm_up_blocks, instrument.warm_up_blocks
        grounds = itertools.islice(noise.blocks(start), before + count)
        recorder = Recorder(instrument, 1, "XX.A", rates)
        return [(start_ns, counts.tobytes()) for start_ns, counts in recorder.record(grounds, start)]

    whole = run(1000, 6)
    assert whole[0][0] == 1000 * BLOCK_S * 10**9 - LOOK_AHEAD_S * 10**9
    assert whole[2:] == run(1002, 4)
    assert whole[5:] == run(1005, 1)


def test_a_step_long_ago_is_forgotten_within_a_count() -> None:
    instrument = Instrument(find_sensor("broadband-120s"), SILENT)
    blocks = instrument.warm_up_blocks + 3
    ground = np.zeros((1, blocks * 6000))
    ground[0, :3000] = 0.1 * instrument.full_scale
    counts = record(instrument, ground)
    assert np.abs(counts[0, -6000:]).max() <= 1


def test_counts_are_whole_and_small_signals_vanish() -> None:
    instrument = Instrument(find_sensor("geophone-4.5hz"), SILENT)
    time_s = ground_times(instrument, 4)
    wave = np.sin(2 * np.pi * 10.0 * time_s)[np.newaxis]
    assert not record(instrument, 0.1 / instrument.sensitivity * wave).any()
    assert set(np.unique(record(instrument, 1.7 / instrument.sensitivity * wave))) == {-2.0, -1.0, 0.0, 1.0, 2.0}


def test_a_strong_wave_clips_at_full_scale() -> None:
    weak = Instrument(find_sensor("broadband-60s"), SILENT)  # the sensor clips, at 5 mm/s
    assert weak.full_scale == 0.005
    loud = Instrument(find_sensor("geophone-1hz"), Digitiser(gain=16.0, noise_counts=0.0))  # the converter clips
    assert loud.full_scale == pytest.approx(20.0 / 16 / 171.0)
    for instrument in (weak, loud):
        time_s = ground_times(instrument, 8)
        counts = record(instrument, 20 * instrument.full_scale * np.sin(2 * np.pi * 3.0 * time_s)[np.newaxis])
        plateau = np.median(np.abs(counts))
        assert plateau == pytest.approx(min(instrument.full_scale * instrument.sensitivity, LARGEST_COUNT), rel=0.02)
        assert np.abs(counts).max() <= LARGEST_COUNT + 1


def shaking(instrument: Instrument, peak_m_s2: float, blocks: int = 3) -> FloatArray:
    """Ground velocity: ten seconds of 3 Hz in the first block that is recorded, on all components, and none after."""
    since_s = ground_times(instrument, instrument.warm_up_blocks + blocks) - 60.0 * instrument.warm_up_blocks - 20.0
    swell = np.where((since_s > 0) & (since_s < 10), np.sin(np.pi * since_s / 10) ** 2, 0.0)
    velocity = peak_m_s2 / (6 * np.pi) * swell * np.sin(6 * np.pi * since_s)
    return np.repeat(velocity[np.newaxis], 3, axis=0)


def accelerations(peak_m_s2: float, blocks: int = 3) -> FloatArray:
    instrument = Instrument(find_sensor("accelerometer"), SILENT)
    return record(instrument, shaking(instrument, peak_m_s2, blocks)) / instrument.sensitivity


def test_strong_shaking_shifts_the_baseline_of_an_accelerometer() -> None:
    weak, strong, stronger = (accelerations(peak) for peak in (0.4, 3.0, 6.0))
    after = slice(4000, 6000)
    assert np.abs(weak[:, after]).max() < 1e-5
    shift = strong[:, after].mean(axis=1)
    assert np.all((np.abs(shift) > 1e-5) & (np.abs(shift) < 0.2))
    assert np.all(stronger[:, after].mean(axis=1) / shift > 2)  # more than in proportion
    assert strong[:, after].std(axis=1).max() < 1e-5  # a step, no ringing
    displacement_m = np.abs(strong[:, 2000:8000].cumsum(axis=1).cumsum(axis=1)[:, -1]) / 1e4
    assert displacement_m.max() > 1.0


def test_the_baseline_does_not_move_before_the_shaking_and_creeps_back() -> None:
    strong, weak = accelerations(3.0, blocks=7), accelerations(0.4, blocks=7)
    threshold = 2000 + 100 * LOOK_AHEAD_S + int(np.argmax(np.abs(strong[0, 2100:]) > 0.5))
    ratio = strong[:, 2100:threshold] / 3.0 - weak[:, 2100:threshold] / 0.4
    assert np.abs(ratio).max() < 1e-4
    assert np.abs(strong[:, -6000:]).max() < 1e-5


def test_a_shifted_baseline_is_the_same_whatever_the_start() -> None:
    instrument = Instrument(find_sensor("accelerometer"), Digitiser())
    ground = shaking(instrument, 4.0, blocks=6)
    blocks = np.split(ground, ground.shape[1] // 6000, axis=1)
    whole = dict(Recorder(instrument, 1, "XX.A").record(blocks, 100))
    for later in (1, 3, 5):
        for start_ns, counts in Recorder(instrument, 1, "XX.A").record(blocks[later:], 100 + later):
            assert counts.tobytes() == whole[start_ns].tobytes()


def test_a_velocity_sensor_keeps_its_baseline() -> None:
    instrument = Instrument(find_sensor("geophone-1hz"), SILENT)
    counts = record(instrument, shaking(instrument, 3.0, blocks=5))
    assert np.abs(counts[:, -6000:]).max() <= 1


def test_the_noise_of_the_electronics_is_as_stated() -> None:
    instrument = Instrument(find_sensor("accelerometer-mems"), Digitiser(noise_counts=3.0))
    counts = record(instrument, np.zeros((3, 20 * 6000)))
    volts_rms = 12e-6 * np.sqrt(50)
    assert counts.std() == pytest.approx(np.hypot(volts_rms * 2**23 / 20, 3.0), rel=0.01)
    assert np.corrcoef(counts) == pytest.approx(np.eye(3), abs=0.02)


def test_a_linear_phase_digitiser_rings_before_an_onset_and_a_causal_one_does_not() -> None:
    def ringing(is_causal: bool) -> float:
        instrument = Instrument(find_sensor("geophone-1hz"), Digitiser(noise_counts=0.0, is_causal=is_causal))
        onset = 6000 * instrument.warm_up_blocks + 3000
        ground = np.zeros((1, onset + 3000))
        ground[0, onset] = 0.01
        counts = record(instrument, ground)[0]
        peak = 3000 + LOOK_AHEAD_S * 100
        return float(np.abs(counts[: peak - 3]).max() / np.abs(counts).max())

    assert ringing(is_causal=False) > 0.05
    assert ringing(is_causal=True) < 1e-3


def test_time_stamps_are_those_of_the_ground_whatever_the_filter() -> None:
    def recorded(is_causal: bool) -> FloatArray:
        instrument = Instrument(find_sensor("geophone-1hz"), Digitiser(noise_counts=0.0, is_causal=is_causal))
        time_s = ground_times(instrument, instrument.warm_up_blocks + 2)
        pulse = band_limited_pulse(time_s, time_s[-1] - 60.0)
        return np.asarray(record(instrument, pulse[np.newaxis])[0])

    linear, causal = recorded(False), recorded(True)
    assert np.abs(causal - linear).max() < 0.05 * np.abs(linear).max()


def test_gain_errors_are_in_the_record_and_not_in_the_metadata() -> None:
    exact = Instrument(find_sensor("geophone-1hz"), SILENT)
    wrong = Instrument(find_sensor("geophone-1hz"), SILENT, gain_errors=(0.0, 0.1, -0.2))
    ground = np.repeat(1e-4 * np.sin(2 * np.pi * 5.0 * ground_times(exact, 4))[np.newaxis], 3, axis=0)
    ratio = record(wrong, ground).std(axis=1) / record(exact, ground).std(axis=1)
    assert ratio == pytest.approx([1.0, 1.1, 0.8], rel=1e-4)
    assert describe_response(wrong).instrument_sensitivity.value == exact.sensitivity


@pytest.mark.parametrize("name", ["geophone-4.5hz", "broadband-120s", "accelerometer"])
def test_obspy_gets_the_ground_motion_back_from_the_stationxml(name: str) -> None:
    instrument = Instrument(find_sensor(name), Digitiser(noise_counts=0.0, gain=4.0))
    before = instrument.warm_up_blocks
    motion = band_limited_pulse(ground_times(instrument, before + 4), 60.0 * before + 110.0)
    counts = record(instrument, motion[np.newaxis])[0]

    document = io.BytesIO()
    place = StationPlace("XX", "AAA", 35.0, 139.0)
    describe_network("XX", [describe_station(place, instrument)]).write(document, format="STATIONXML", validate=True)
    document.seek(0)

    trace = obspy.Trace(counts, {"network": "XX", "station": "AAA", "sampling_rate": 100.0})
    trace.stats.channel = channel_codes(instrument)[0]
    trace.stats.starttime = obspy.UTCDateTime(2020, 1, 1)
    trace.remove_response(obspy.read_inventory(document), "VEL", water_level=None, pre_filt=(0.3, 0.6, 40, 45))
    start = (60 * before - LOOK_AHEAD_S) * 100
    error = trace.data - motion[start : start + counts.size]
    assert np.abs(error).max() < 0.01 * np.abs(motion).max()


def band_limited_pulse(time_s: FloatArray, centre_s: float) -> FloatArray:
    """A 1 mm/s burst between about 3 and 13 Hz."""
    since_s = time_s - centre_s
    pulse: FloatArray = 1e-3 * np.exp(-((since_s / 0.15) ** 2)) * np.sin(2 * np.pi * 8.0 * since_s)
    return pulse


def test_obspys_ppsd_finds_the_spectrum_of_the_site_in_the_counts() -> None:
    instrument = Instrument(find_sensor("broadband-120s"))
    site = Site(wind_db=None, storm_db=0.0, culture_db=0.0)
    before = instrument.warm_up_blocks
    ground = itertools.islice(GroundNoise(site, 1, "XX.AAA", 100, components=1).blocks(26_000_000), before + 62)
    counts = np.concatenate([c[0] for _, c in Recorder(instrument, 1, "XX.AAA").record(ground, 26_000_000)])
    trace = obspy.Trace(counts, {"network": "XX", "station": "AAA", "channel": "HHZ", "sampling_rate": 100.0})
    inventory = describe_network("XX", [describe_station(StationPlace("XX", "AAA", 35.0, 139.0), instrument)])
    ppsd = PPSD(trace.stats, inventory)
    assert ppsd.add(obspy.Stream([trace]))
    period_s, found_db = np.array(ppsd.period_bin_centers), np.array(ppsd.psd_values[0])
    is_known = (period_s > 0.1) & (period_s < 8.0)
    expected_db = [mean_of_octave_db(site, period) for period in period_s[is_known]]
    assert found_db[is_known] == pytest.approx(expected_db, abs=1.0)


def mean_of_octave_db(site: Site, period_s: float) -> float:
    """As PPSD smooths: decibels at equal steps of frequency."""
    hz = np.linspace(1 / period_s / np.sqrt(2), np.sqrt(2) / period_s, 200)
    return float(np.mean(10 * np.log10(10 ** (ocean_db(site, hz) / 10) + 10 ** (site_db(site, hz) / 10))))


def test_channel_codes_follow_the_seed_manual() -> None:
    broadband, geophone = find_sensor("broadband-120s"), find_sensor("geophone-2hz")
    assert channel_codes(Instrument(broadband)) == ("HHZ", "HHN", "HHE")
    assert channel_codes(Instrument(broadband, Digitiser(50)), components=1) == ("BHZ",)
    assert channel_codes(Instrument(geophone, Digitiser(250)), components=1) == ("DHZ",)


def test_an_unknown_sensor_is_named_with_those_there_are() -> None:
    with pytest.raises(SettingInvalid, match="'geophone-9hz'; expected one of geophone-4.5hz, "):
        find_sensor("geophone-9hz")


def test_the_anti_alias_filter_passes_to_0_4_of_the_rate_and_stops_at_half() -> None:
    for is_causal in (False, True):
        hz, response = scipy.signal.freqz(Digitiser(is_causal=is_causal).coefficients(), worN=4096, fs=400)
        assert np.abs(response[hz <= 40]) == pytest.approx(1.0, abs=1e-3)
        assert np.abs(response[hz >= 50.5]).max() < 1e-4
