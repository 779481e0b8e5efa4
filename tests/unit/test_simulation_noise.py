import itertools
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import scipy.signal

from kensoku.simulation.disturbances import Kind, Rates, activity
from kensoku.simulation.networks import draw_site_response
from kensoku.simulation.noise import GroundNoise
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sites import Machine, Site, draw_site, noise_models_db, ocean_db, site_db

SUNDAY_02 = 1_602_381_600 // 60  # 2020-10-11 02:00 UTC
MONDAY_12 = 1_602_504_000 // 60

CENTRES_HZ = np.geomspace(0.15, 20.0, 60)
STEADY = Site(storm_db=0.0, burst_db=0.0, culture_db=0.0, wind_db=None, tilt_db=-100.0, horizontal_db=0.0)


def make(
    site: Site, first: int, minutes: int, *, seed: int = 1, station: str = "XX.A", rate_hz: int = 100
) -> FloatArray:
    blocks = GroundNoise(site, seed, station, rate_hz).blocks(first)
    return np.concatenate(list(itertools.islice(blocks, minutes)), axis=1).astype(np.float64)


def acceleration_db(velocity: FloatArray, rate_hz: int = 100) -> tuple[FloatArray, FloatArray]:
    hz, density = scipy.signal.welch(velocity, rate_hz, "hann", nperseg=82 * rate_hz)
    return hz[1:], 10 * np.log10(density[..., 1:] * (2 * np.pi * hz[1:]) ** 2)


def test_the_noise_models_are_those_peterson_published() -> None:
    low, high = noise_models_db(np.array([0.1, 0.2, 1.0, 10.0]))
    assert low == pytest.approx([-163.7, -141.1, -166.4, -168.0], abs=0.15)
    assert high == pytest.approx([-115.8, -97.7, -116.9, -91.5], abs=0.15)


@pytest.mark.parametrize("rate_hz", [50, 100, 200, 250])
def test_noise_has_the_spectrum_of_its_site(rate_hz: int) -> None:
    hz, found = acceleration_db(make(STEADY, MONDAY_12, 60, rate_hz=rate_hz), rate_hz)
    expected = 10 * np.log10(10 ** (ocean_db(STEADY, hz) / 10) + 10 ** (site_db(STEADY, hz) / 10))
    for low_hz in np.geomspace(0.07, 0.35 * rate_hz, 12):
        band = (hz >= low_hz) & (hz < 1.25 * low_hz)
        uncertainty_db = (
            4.34 * 3 / np.sqrt(1.3 * 43 * band.sum() * 0.5)
        )  # three standard deviations of Welch's estimate
        assert (found[:, band] - expected[band]).mean(axis=1) == pytest.approx(0.0, abs=0.25 + uncertainty_db)


def test_the_variance_is_the_integral_of_the_spectrum() -> None:
    hz = np.arange(0.017, 50, 0.002)
    density = (10 ** (ocean_db(STEADY, hz) / 10) + 10 ** (site_db(STEADY, hz) / 10)) / (2 * np.pi * hz) ** 2
    variance = make(STEADY, MONDAY_12, 240).var()
    assert variance == pytest.approx(density.sum() * 0.002, rel=0.03)


def test_there_are_no_seams_between_blocks() -> None:
    power = np.diff(make(replace(STEADY, ocean_level=0.0), MONDAY_12, 400), 2, append=np.zeros((3, 2))) ** 2
    by_place = power.reshape(3, 400, 6000).mean(axis=(0, 1))  # in a block; the last two cross into the next
    edge = np.r_[-40:40]
    assert by_place[edge].mean() == pytest.approx(by_place.mean(), rel=0.03)
    assert by_place[-2:].mean() == pytest.approx(by_place.mean(), rel=0.15)
    assert by_place.reshape(12, 500).mean(axis=1) == pytest.approx(by_place.mean(), rel=0.02)
    slow = make(STEADY, MONDAY_12, 400).reshape(3, 400, 6, 1000)  # the microseism
    assert slow.var(axis=(0, 1, 3)) == pytest.approx(slow.var(), rel=0.05)


def test_the_same_samples_come_whatever_the_start() -> None:
    site = replace(draw_site(np.random.default_rng(3), 9.0), disturbances=Rates(footsteps=5000, vehicle=500))
    whole = make(site, MONDAY_12, 8)
    assert np.array_equal(whole[:, 18_000:], make(site, MONDAY_12 + 3, 5))
    assert np.array_equal(whole[:, 6000:12_000], GroundNoise(site, 1, "XX.A", 100).block(MONDAY_12 + 1))
    assert not np.array_equal(whole, make(site, MONDAY_12, 8, seed=2))


def test_a_vertical_sensor_alone_records_the_vertical_of_three() -> None:
    site = draw_site(np.random.default_rng(3), 9.0)
    alone = GroundNoise(site, 1, "XX.A", 100, components=1).block(MONDAY_12)
    assert np.array_equal(alone[0], GroundNoise(site, 1, "XX.A", 100).block(MONDAY_12)[0])


def test_stations_are_independent_and_microseisms_are_rayleigh_waves() -> None:
    site = replace(STEADY, rayleigh_share=0.8, ocean_azimuth_deg=0.0)
    z, n, e = make(site, MONDAY_12, 120)
    other = make(site, MONDAY_12, 120, station="XX.B")[0]

    def coherence(a: FloatArray, b: FloatArray) -> complex:
        hz, cross = scipy.signal.csd(a, b, 100, nperseg=8192)
        band = (hz > 0.12) & (hz < 0.4)
        power = [scipy.signal.welch(x, 100, nperseg=8192)[1][band].mean() for x in (a, b)]
        return complex(cross[band].mean() / np.sqrt(power[0] * power[1]))

    assert abs(coherence(z, other)) < 0.1
    assert abs(coherence(z, e)) < 0.1
    assert coherence(z, n) == pytest.approx(0.8j, abs=0.1)  # a quarter of a period apart


@pytest.mark.parametrize("number", range(3))
def test_drawn_sites_lie_between_the_noise_models_in_nearly_every_hour(number: int) -> None:
    site = draw_site(np.random.default_rng(number), 0.0)
    hours = [acceleration_db(make(site, SUNDAY_02 + 60 * hour, 6)) for hour in range(0, 48, 3)]
    inside = [is_between(hz, component) for hz, level in hours for component in level]
    assert np.mean(inside) >= 0.95


def test_above_10_hz_drawn_sites_rise_as_quiet_recorded_noise_does() -> None:
    """dB over 10 Hz, 10, 50 and 90 % of 31 stations of Ghana, Colombia and Ridgecrest."""
    recorded_db = {15.0: (1, 3, 8), 20.0: (-2, 5, 10), 30.0: (0, 9, 13), 38.0: (2, 11, 17)}
    hz = np.array([10.0, *recorded_db])
    levels_db = np.array([site_db(draw_site(np.random.default_rng(number), 0.0), hz) for number in range(300)])
    low, middle, high = np.quantile(levels_db[:, 1:] - levels_db[:, :1], [0.1, 0.5, 0.9], axis=0)
    expected_low, expected_middle, expected_high = zip(*recorded_db.values(), strict=True)
    assert middle == pytest.approx(expected_middle, abs=2.0)
    assert low == pytest.approx(expected_low, abs=6.0)
    assert high == pytest.approx(expected_high, abs=6.0)


def is_between(hz: FloatArray, level_db: FloatArray) -> bool:
    """In third octaves from 0.1 to 10 Hz."""
    centres = 0.1 * 2 ** (np.arange(21) / 3)
    bands = [(hz >= centre * 2 ** (-1 / 6)) & (hz < centre * 2 ** (1 / 6)) for centre in centres]
    levels = np.array([10 * np.log10(np.mean(10 ** (level_db[band] / 10))) for band in bands])
    low, high = noise_models_db(np.minimum(centres, 9.99))
    return bool(np.all((levels > low) & (levels < high)))


def test_people_are_busy_by_day_and_less_at_weekends() -> None:
    sunday, monday = 1_602_374_400, 1_602_460_800
    hours = np.array([sunday + 12 * 3600, monday + 2 * 3600, monday + 12 * 3600, monday + 23 * 3600.0])
    assert activity(hours) == pytest.approx([0.4, 0.0, 1.0, 0.0], abs=0.03)
    across_midnight = activity(np.array([monday - 1.0, monday]))
    assert abs(np.diff(across_midnight)[0]) < 0.01


def test_working_hours_are_louder_above_1_hz_only() -> None:
    site = replace(STEADY, culture_db=15.0, utc_offset_h=9.0)
    night, day = (acceleration_db(make(site, start, 30)) for start in (MONDAY_12 + 5 * 60, MONDAY_12 - 9 * 60))
    hz, louder_db = night[0], (day[1] - night[1])
    assert louder_db[:, (hz > 2) & (hz < 40)].mean() == pytest.approx(15.0, abs=0.6)
    assert louder_db[:, hz < 0.4].mean() == pytest.approx(0.0, abs=0.6)


def test_bursts_and_gusts_make_noise_heavy_tailed() -> None:
    def kurtosis(site: Site) -> float:
        fast = np.diff(make(site, MONDAY_12, 60)[0], 2)
        return float((fast**4).mean() / (fast**2).mean() ** 2)

    assert kurtosis(STEADY) == pytest.approx(3.0, abs=0.1)
    assert kurtosis(replace(STEADY, burst_db=4.0)) > 4.0


def test_a_machine_is_a_narrow_line_that_does_not_jump_at_blocks() -> None:
    silent = replace(STEADY, site_level=0.0, ocean_level=0.0)
    quiet = make(silent, MONDAY_12, 30)
    line = make(replace(silent, machines=(Machine(12.5, ((1e-7, 0.0, 0.0),)),)), MONDAY_12, 30) - quiet
    assert not line[1:].any()
    hz, density = scipy.signal.welch(line[0], 100, nperseg=8192)
    assert density[(hz > 12.3) & (hz < 12.7)].sum() > 0.999 * density.sum()
    assert np.abs(np.diff(line[0])).max() < 2 * np.pi * 12.55 / 100 * 1e-7  # amplitude never exceeds the line's own


def test_the_harmonics_of_a_machine_wander_with_it() -> None:
    silent = replace(STEADY, site_level=0.0, ocean_level=0.0)
    quiet = make(silent, MONDAY_12, 10)[0]
    machine = Machine(6.25, ((1e-7, 0.0, 0.0), (1e-7, 0.0, 0.0)))
    both = make(replace(silent, machines=(machine,)), MONDAY_12, 10)[0] - quiet
    once, twice = (np.unwrap(np.angle(_around(both, hz))) for hz in (6.25, 12.5))
    within = slice(1000, -1000)  # a band's edges are not its own
    assert np.ptp(once[within]) > 1.0
    assert twice[within] - twice[1000] == pytest.approx(2 * (once[within] - once[1000]), abs=0.1)


def _around(signal: FloatArray, hz: float) -> npt.NDArray[np.complex128]:
    """What a signal has within a hertz of a frequency, which is taken away."""
    turned = signal * np.exp(-2j * np.pi * hz * np.arange(signal.size) / 100)
    slow: npt.NDArray[np.complex128] = scipy.signal.sosfiltfilt(
        scipy.signal.butter(2, 1.0, fs=100, output="sos"), turned
    )
    return slow


@pytest.mark.parametrize("rate_hz", [50, 100, 250])
def test_electronics_that_pulse_make_lines_at_whole_hertz(rate_hz: int) -> None:
    silent = replace(STEADY, site_level=0.0, ocean_level=0.0)
    ticks = make(replace(silent, tick_m=1e-9), MONDAY_12, 2, rate_hz=rate_hz) - make(
        silent, MONDAY_12, 2, rate_hz=rate_hz
    )
    amplitude = np.abs(np.fft.rfft(ticks[0])) * 2 / ticks.shape[1]
    hz = np.fft.rfftfreq(ticks.shape[1], 1 / rate_hz)
    assert amplitude[(hz % 1.0 > 0.01) & (hz % 1.0 < 0.99)].max() < 1e-12
    assert amplitude[(hz > 1) & (hz % 2 == 0)][:10] == pytest.approx(2 * 1e-9 * 2.4, rel=0.01)
    assert amplitude[(hz > 1) & (hz % 2 == 1)][:10] == pytest.approx(2 * 1e-9 * 0.4, rel=0.01)


def test_noise_of_soft_ground_has_the_resonance_of_its_layer_on_the_horizontals() -> None:
    chance = np.random.default_rng(5)
    for kind in ("soft", "basin"):
        ground = draw_site_response(kind, 0.0, chance)
        hz, level_db = acceleration_db(make(replace(STEADY, ground=ground), MONDAY_12, 40))
        ratio_db = level_db[1:].mean(axis=0) - level_db[0]
        smooth_db = np.array([ratio_db[(hz > at / 1.2) & (hz < at * 1.2)].mean() for at in CENTRES_HZ])
        assert CENTRES_HZ[smooth_db.argmax()] == pytest.approx(ground.resonance_hz, rel=0.15)
        assert smooth_db.max() == pytest.approx(20 * np.log10(ground.resonance), abs=2.0)
        away = np.abs(np.log10(CENTRES_HZ / ground.resonance_hz) - 0.35) > 0.95
        assert np.abs(smooth_db[away]).max(initial=0.0) < 1.5


def test_stations_of_a_network_have_their_storms_and_windy_hours_together() -> None:
    stormy = replace(STEADY, storm_db=5.0, site_level=0.0, wind_db=20.0, gust_db=0.0)
    hours = range(MONDAY_12, MONDAY_12 + 60 * 24 * 20, 60 * 5)

    def levels_db(station: str) -> FloatArray:
        noise = GroundNoise(stormy, 1, station, 50, components=1)
        spectra = [np.abs(np.fft.rfft(noise.block(hour)[0].astype(np.float64))) ** 2 for hour in hours]
        ocean_and_wind = [(power[6:25].sum(), power[180:600].sum()) for power in spectra]  # 0.1-0.4 and 3-10 Hz
        return 10.0 * np.log10(ocean_and_wind).T

    here, near, far = (levels_db(station) for station in ("XX.A", "XX.B", "YY.A"))
    assert np.corrcoef(here[0], near[0])[0, 1] > 0.55  # storms; their level itself is uncertain within a minute
    assert 0.25 < np.corrcoef(here[1], near[1])[0, 1] < 0.75  # wind
    assert abs(np.corrcoef(here[0], far[0])[0, 1]) < 0.3
    assert abs(np.corrcoef(here[0], here[1])[0, 1]) < 0.3  # a storm at sea is not the wind at the station


def test_a_vehicle_is_heard_when_the_truth_says() -> None:
    site = replace(STEADY, disturbances=Rates(vehicle=400.0))
    quiet = make(STEADY, MONDAY_12, 60)[0]
    noisy = make(site, MONDAY_12, 60)[0]
    power = _power_5s(noisy) / _power_5s(quiet)
    vehicles = list(GroundNoise(site, 1, "XX.A", 100).disturbances(MONDAY_12 - 2, MONDAY_12 + 59))
    assert {vehicle.kind for vehicle in vehicles} == {Kind.VEHICLE}
    for vehicle in vehicles:
        middle = (vehicle.start_ns / 1e9 + 60 - MONDAY_12 * 60) / 5
        if 2 < middle < power.size - 2:
            assert power[int(middle)] > 0.6 * (1 + vehicle.size)


def _power_5s(velocity: FloatArray) -> FloatArray:
    power: FloatArray = (np.diff(velocity, 2, append=[0.0, 0.0]).reshape(-1, 500) ** 2).mean(axis=1)
    return power
