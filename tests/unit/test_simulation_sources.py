"""Sources: closed forms, published figures and ObsPy's radiation patterns."""

import numpy as np
import pytest
from obspy.core.event.source import farfield

from kensoku.simulation import sources
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.sources import Ripple, StressDrop


def fibonacci_sphere(count: int) -> tuple[FloatArray, FloatArray]:
    """Take-off angles and azimuths of points spread evenly."""
    index = np.arange(count)
    return np.degrees(np.arccos(1 - 2 * (index + 0.5) / count)), np.degrees(index * np.pi * (3 - 5**0.5)) % 360


def test_kumamotos_moment_is_the_published_one() -> None:
    assert sources.moment_nm(7.0) == pytest.approx(4.0e19, rel=0.01)  # Global CMT: 4.4e19 for Mw 7.0


def test_corner_of_a_magnitude_3_at_3_mpa_is_seven_hertz() -> None:
    # fc = 0.49 beta (stress drop / M0)^(1/3), in SI, as in most textbooks
    expected = 0.4906 * 3500 * (3e6 / 3.98e13) ** (1 / 3)
    assert sources.corner_hz(sources.moment_nm(3.0), 3.0, 3.5) == pytest.approx(expected, rel=1e-3)


def test_spectrum_is_flat_then_falls_with_the_square() -> None:
    hz = np.array([1e-3, 5.0, 5e3])
    flat, half, fallen = sources.source_spectrum(hz, 5.0)
    assert (flat, half, fallen) == pytest.approx((1.0, 0.5, 1e-6), rel=1e-3)
    acceleration = sources.source_spectrum(hz, 5.0, "acceleration")
    assert acceleration[2] == pytest.approx((2 * np.pi * 5.0) ** 2, rel=1e-3)


def test_stress_drops_have_the_median_and_scatter_asked_for() -> None:
    drawn = np.log10(
        StressDrop(median_mpa=5.0, deviation_log10=0.25).draw_mpa(np.full(20_000, 2.0), draw(1, "", "", 0))
    )
    assert np.median(drawn) == pytest.approx(np.log10(5.0), abs=0.01)
    assert drawn.std() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("mechanism", [(0, 90, 0), (30, 60, 90), (215, 45, -100), (340, 15, 37)])
def test_radiation_is_what_the_textbook_says(mechanism: tuple[float, float, float]) -> None:
    """Aki & Richards (2002), equations 4.89 to 4.91."""
    takeoff, azimuth = fibonacci_sphere(200)
    dip, rake = np.radians(mechanism[1:])
    i, difference = np.radians(takeoff), np.radians(azimuth - mechanism[0])
    cos, sin = np.cos, np.sin
    p = (
        cos(rake) * sin(dip) * sin(i) ** 2 * sin(2 * difference)
        - cos(rake) * cos(dip) * sin(2 * i) * cos(difference)
        + sin(rake) * sin(2 * dip) * (cos(i) ** 2 - sin(i) ** 2 * sin(difference) ** 2)
        + sin(rake) * cos(2 * dip) * sin(2 * i) * sin(difference)
    )
    sv = (
        sin(rake) * cos(2 * dip) * cos(2 * i) * sin(difference)
        - cos(rake) * cos(dip) * cos(2 * i) * cos(difference)
        + 0.5 * cos(rake) * sin(dip) * sin(2 * i) * sin(2 * difference)
        - 0.5 * sin(rake) * sin(2 * dip) * sin(2 * i) * (1 + sin(difference) ** 2)
    )
    sh = (
        cos(rake) * cos(dip) * cos(i) * sin(difference)
        + cos(rake) * sin(dip) * sin(i) * cos(2 * difference)
        + sin(rake) * cos(2 * dip) * cos(i) * cos(difference)
        - 0.5 * sin(rake) * sin(2 * dip) * sin(i) * sin(2 * difference)
    )
    radiated = sources.radiate(sources.moment_tensor(*mechanism), takeoff, azimuth)
    for found, expected in zip(radiated, (p, sv, sh), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_radiation_is_obspys() -> None:
    tensor = sources.moment_tensor(30, 60, 80)
    takeoff, azimuth = fibonacci_sphere(300)
    angles = np.radians([takeoff, azimuth])
    p, sv, sh = sources.radiate(tensor, takeoff, azimuth)
    six = [tensor[0, 0], tensor[1, 1], tensor[2, 2], tensor[0, 1], tensor[0, 2], tensor[1, 2]]
    for kind, expected in (("P", np.abs(p)), ("S", np.hypot(sv, sh))):
        found = np.linalg.norm(farfield(six, angles, kind), axis=0)
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_radiation_averages_over_the_focal_sphere() -> None:
    p, sv, sh = sources.radiate(sources.moment_tensor(47, 33, 121), *fibonacci_sphere(20_000))
    assert np.sqrt(np.mean(p**2)) == pytest.approx(np.sqrt(4 / 15), abs=1e-3)  # 0.52
    assert np.sqrt(np.mean(sv**2 + sh**2)) == pytest.approx(np.sqrt(2 / 5), abs=1e-3)  # 0.63


def test_a_thrust_pushes_up_above_and_a_blast_everywhere() -> None:
    thrust, normal = sources.moment_tensor([0, 0], [45, 45], [90, -90])
    assert sources.polarity([sources.radiate(tensor, 180, 0)[0] for tensor in (thrust, normal)]).tolist() == [1, -1]
    p, sv, sh = sources.radiate(sources.blast_tensor(), *fibonacci_sphere(500))
    assert (sources.polarity(p) == 1).all()
    assert np.abs(sh).max() == pytest.approx(0, abs=1e-12)
    assert np.abs(sv).max() < 0.15


def test_a_nodal_ray_has_no_polarity() -> None:
    assert sources.polarity(sources.radiate(sources.moment_tensor(0, 90, 0), 90, [0, 45])[0]).tolist() == [0, 1]


def test_a_ripple_fires_every_hole_in_its_turn() -> None:
    delays_s = Ripple(holes=5, hole_delay_ms=25, rows=2, row_delay_ms=400, scatter_ms=1).draw_delays_s(
        draw(1, "", "", 0)
    )
    nominal = np.array([0, 25, 50, 75, 100, 400, 425, 450, 475, 500]) / 1e3
    assert delays_s == pytest.approx(nominal, abs=6e-3)


def test_a_resonance_peaks_at_its_frequency_with_its_quality() -> None:
    hz = np.linspace(0.01, 5, 50_000)
    amplitude = np.abs(sources.resonance_spectrum(hz, 1.5, 20.0))
    assert hz[amplitude.argmax()] == pytest.approx(1.5, rel=0.01)
    band = hz[amplitude > amplitude.max() / np.sqrt(2)]
    assert 1.5 / np.ptp(band) == pytest.approx(20.0, rel=0.02)


def test_kumamotos_rupture_is_as_long_as_published_and_grows_without_a_step() -> None:
    length_km, width_km = sources.rupture_size_km(7.0)
    assert 35 < length_km < 60  # 44 to 60 km in published slip models
    assert 15 < width_km < 25
    steps = np.diff(np.log10(sources.rupture_size_km(np.linspace(3, 8, 501))[0]))
    assert steps.max() < 0.012


def test_duration_grows_with_magnitude_without_a_step() -> None:
    mw = np.linspace(3, 8, 501)
    duration_s = sources.rupture_duration_s(mw, sources.corner_hz(sources.moment_nm(mw), 3.0, 3.5), 3.5)
    assert duration_s[0] == pytest.approx(0.14, rel=0.05)  # one over the corner
    assert 10 < duration_s[400] < 25  # about 20 s for Kumamoto
    steps = np.diff(np.log10(duration_s))
    assert steps.min() >= 0.0049  # with the cube root of the moment at least
    assert steps.max() < 0.01


def split(mw: float, seed: int = 3) -> sources.Subevents:
    return sources.split_rupture(mw, 225, 70, 12.0, 3.4, draw(seed, "", "", 0))


@pytest.mark.parametrize(("mw", "count"), [(4.0, 1), (5.0, 1), (5.2, 2), (6.0, 4), (7.0, 16)])
def test_subevents_share_the_moment_along_the_plane_from_the_hypocentre_on(mw: float, count: int) -> None:
    parts = split(mw)
    assert parts.moment_nm.sum() == pytest.approx(sources.moment_nm(mw))
    assert parts.moment_nm.size == count
    assert parts.delay_s[0] == 0
    assert (np.diff(parts.delay_s) >= 0).all()
    assert (12.0 + parts.offset_km[:, 2] >= -1e-9).all()
    normal = np.cross(*sources.plane_axes(225, 70))
    np.testing.assert_allclose(parts.offset_km @ normal, 0, atol=1e-9)
    way_km = np.linalg.norm(parts.offset_km[1:], axis=1)
    assert (way_km < 3.4 * parts.delay_s[1:]).all()  # slower than S


def test_the_second_subevent_grows_from_nothing() -> None:
    seconds = [np.median([split(mw, seed).moment_nm[1] for seed in range(50)]) for mw in (5.01, 5.1, 5.2, 5.3)]
    shares = np.array(seconds) / sources.moment_nm([5.01, 5.1, 5.2, 5.3])
    assert shares[0] == pytest.approx(0.014, abs=0.005)
    assert (np.diff(shares) > 0.05).all()


@pytest.mark.parametrize("mw", [5.5, 6.0, 6.8, 7.5])
def test_a_rupture_shakes_as_strongly_at_high_frequencies_as_its_corner_says_and_lasts_as_long_as_stated(
    mw: float,
) -> None:
    corner_hz = float(sources.corner_hz(sources.moment_nm(mw), 10.0, 3.4))
    part_hz = float(sources.part_corner_hz(corner_hz, mw))
    ruptures = [split(mw, seed) for seed in range(100)]
    hz = np.geomspace(20, 40, 50)
    levels = []
    for parts in ruptures:
        shots = np.exp(-2j * np.pi * np.multiply.outer(hz, parts.delay_s)) @ parts.moment_nm / parts.moment_nm.sum()
        shape = np.abs(shots) * sources.source_spectrum(hz, part_hz) / sources.source_spectrum(hz, corner_hz)
        levels.append(np.sqrt(np.mean(shape**2)))
    assert np.median(levels) == pytest.approx(1.0, abs=0.15)
    lasts_s = np.median([parts.delay_s.max() + 1 / part_hz for parts in ruptures])
    assert lasts_s == pytest.approx(sources.rupture_duration_s(mw, corner_hz, 3.4), rel=0.25)


def test_a_rupture_that_runs_towards_a_station_is_shorter_there() -> None:
    """Ben-Menahem (1961): the front's way over its speed, less what its waves have gained."""
    along, _ = sources.plane_axes(225, 70)
    ahead, behind = [], []
    for seed in range(40):
        parts = split(7.0, seed)
        nearer_s = parts.offset_km @ along / 3.4
        ahead.append(np.ptp(parts.delay_s - nearer_s))
        behind.append(np.ptp(parts.delay_s + nearer_s))
    runs_km = sources.rupture_size_km(7.0)[0] * (1 - sources.NUCLEATION[0])
    assert np.median(behind) == pytest.approx(runs_km / 3.4 * (1 / sources.RUPTURE_SPEED + 1), rel=0.15)
    assert np.median(ahead) < 0.5 * np.median(behind)  # the part behind the hypocentre runs away
