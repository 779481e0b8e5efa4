"""What decides whether a picker trained on simulated records works abroad: each effect against its closed form."""

from dataclasses import replace

import numpy as np
import pytest

from kensoku.simulation.envelopes import Scattering
from kensoku.simulation.events import Event
from kensoku.simulation.networks import GroundClass, SiteResponse, Station, draw_site_response
from kensoku.simulation.propagation import Earth, load_earth
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.scenario import Attenuation
from kensoku.simulation.sources import corner_hz, moment_nm
from kensoku.simulation.waves import WaveTrain, wave_train
from kensoku.traveltime import load_model

HARD = SiteResponse("rock", 0.0, 0.0, 1.0, 10.0, 1.0, 3464.0, 0.0)
ATTENUATION = Attenuation(far_km=1e4, q_p_1hz=60.0, q_p_exponent=0.8, q_s_1hz=100.0, q_s_exponent=0.7)
CLEAN = Earth(load_model("homogeneous"), ATTENUATION, Scattering(strength=0.0))
CRYSTAL = replace(CLEAN, attenuation=Attenuation(far_km=1e4, q_p_1hz=1e9, q_s_1hz=1e9))
JAPAN = load_earth("japan")
CENTRES_HZ = np.geomspace(0.7, 20.0, 40)


def send(
    mw: float, north_km: float, site: SiteResponse = HARD, earth: Earth = CLEAN, *, borehole_m: float = 0.0,
    number: int = 0,
) -> WaveTrain:  # fmt: skip
    event = Event(
        time_ns=10**18 + number * 10**10, latitude_deg=36.0, longitude_deg=137.0, depth_km=8.0, mw=mw,
        corner_hz=float(corner_hz(moment_nm(mw), 3.0, 3.5)), strike_deg=20.0 + 31 * number, dip_deg=70.0, rake_deg=15.0,
    )  # fmt: skip
    station = Station("XX", f"N{north_km:.0f}", 36 + north_km / 111.19, 137.0, 0.0, borehole_m, "", 100, 3, site)
    train = wave_train(event, station, earth, 100, seed=1)
    assert train
    return train


def cut(train: WaveTrain, phase: str, begin_s: float, end_s: float) -> FloatArray:
    """(components, samples), in seconds after an arrival."""
    arrival = next(arrival for arrival in train.arrivals if arrival.phase == phase)
    first = round((arrival.time_ns - train.start_ns) / 1e7)
    stretch = train.velocity_m_s[:, first + round(100 * begin_s) : first + round(100 * end_s)]
    return stretch.astype(np.float64)


def amplitudes(velocity: FloatArray, hz: FloatArray) -> FloatArray:
    spectrum = np.linalg.norm(np.abs(np.fft.rfft(velocity, 4096)), axis=0)
    return np.asarray(np.interp(hz, np.fft.rfftfreq(4096, 0.01), spectrum))


@pytest.mark.parametrize(
    ("phase", "km_s", "q_1hz", "exponent"), [("Pg", 6.0, 60.0, 0.8), ("Sg", 3.4641016, 100.0, 0.7)]
)
def test_q_takes_more_from_high_frequencies_and_other_shares_from_p_and_s(
    phase: str, km_s: float, q_1hz: float, exponent: float
) -> None:
    hz = np.linspace(2.0, 30.0, 57)
    near, far = (amplitudes(cut(send(3.0, km), phase, 0.0, 2.0), hz) for km in (20.0, 100.0))
    loss = np.log(far / near)
    farther_s = (np.hypot(100, 8) - np.hypot(20, 8)) / km_s
    expected = -np.pi * hz * farther_s / (q_1hz * hz**exponent)
    assert loss - loss.mean() == pytest.approx(expected - expected.mean(), abs=0.05)


@pytest.mark.parametrize(("phase", "kappa_s"), [("Pg", 0.02), ("Sg", 0.05)])
def test_kappa_of_the_ground_is_apart_for_p_and_s(phase: str, kappa_s: float) -> None:
    hz = np.linspace(2.0, 30.0, 57)
    soft = replace(HARD, kappa_p_s=0.02, kappa_s_s=0.05)
    with_kappa, without = (amplitudes(cut(send(3.0, 20.0, site), phase, 0.0, 2.0), hz) for site in (soft, HARD))
    assert np.polyfit(hz, np.log(with_kappa / without), 1)[0] == pytest.approx(-np.pi * kappa_s, rel=0.03)


@pytest.mark.parametrize("kind", ["soft", "stiff"])
def test_nakamuras_ratio_finds_the_resonance_of_the_ground(kind: GroundClass) -> None:
    site = draw_site_response(kind, 0.0, np.random.default_rng(5))
    ratio = h_over_v(site) / h_over_v(replace(HARD, vs_m_s=site.vs_m_s))
    assert CENTRES_HZ[ratio.argmax()] == pytest.approx(site.resonance_hz, rel=0.15)
    assert ratio.max() == pytest.approx(site.resonance * site.amplification**0.5, rel=0.4)
    below = ratio[: int(np.searchsorted(CENTRES_HZ, site.resonance_hz / 3))]
    assert below.max(initial=0.0) < 0.6 * ratio.max()


def h_over_v(site: SiteResponse) -> FloatArray:
    """Of S and its coda, at `CENTRES_HZ`: the median of twelve earthquakes."""
    hz = np.fft.rfftfreq(2400, 0.01)
    ratios = []
    for number in range(12):
        coda = cut(send(3.5, 25.0, site, JAPAN, number=number), "Sg", 0.0, 24.0)
        power = np.abs(np.fft.rfft(coda, 2400)) ** 2
        z, n, e = (np.array([part[(hz > at / 1.12) & (hz < at * 1.12)].mean() for at in CENTRES_HZ]) for part in power)
        ratios.append(np.sqrt((n + e) / 2 / z))
    return np.asarray(np.median(ratios, axis=0))


def test_a_borehole_hears_s_earlier_and_again_from_the_surface_with_a_notch_between() -> None:
    site = replace(HARD, vs_m_s=600.0)
    deep, surface = (send(2.0, 20.0, site, borehole_m=depth_m) for depth_m in (100.0, 0.0))
    times = [next(a.time_ns for a in train.arrivals if a.phase == "Sg") for train in (deep, surface)]
    assert 0 < times[1] - times[0] < 100 / 600.0 * 1e9
    hz = np.linspace(0.5, 6.0, 500)
    ratio = amplitudes(cut(deep, "Sg", 0.0, 3.0), hz) / amplitudes(cut(surface, "Sg", 0.0, 3.0), hz)
    for notch_hz in (1.5, 4.5):  # v / 4h, 3v / 4h
        near = np.abs(hz - notch_hz) < 1.0
        assert hz[near][ratio[near].argmin()] == pytest.approx(notch_hz, abs=0.1)
        assert ratio[near].min() < 0.3
    assert ratio[np.abs(hz - 3.0) < 0.3].max() > 0.7


def test_p_leaves_the_vertical_within_a_second() -> None:
    """On the component across its way, on which the ray itself has nothing."""
    site = draw_site_response("soft", 0.0, np.random.default_rng(5))
    early: list[float] = []
    late: list[float] = []
    for number in range(16):
        train = send(2.5, 40.0, site, JAPAN, number=number)
        for shares, begin_s, end_s in ((early, 0.0, 0.1), (late, 1.0, 2.0)):
            z, _, across = np.square(cut(train, "Pg", begin_s, end_s)).sum(axis=1)
            shares.append(across / z)
    assert np.median(early) < 0.2
    assert np.median(late) > 0.4


def test_a_magnitude_7_arrives_in_pieces_for_as_long_as_it_ruptures() -> None:
    def moment_rate(mw: float) -> FloatArray:
        velocity = cut(send(mw, 150.0, earth=CRYSTAL), "Sg", 0.0, 40.0)
        displacement = np.abs(np.cumsum(velocity[2]))
        return np.asarray(displacement / displacement.max())

    one, many = moment_rate(4.9), moment_rate(7.0)
    assert count_peaks(one) == 1
    assert count_peaks(many) >= 2
    assert np.sum(one > 0.1) < 300
    assert 600 < np.flatnonzero(many > 0.03).max() < 2000  # 40 km at 2.8 km/s, from the middle on


def count_peaks(rate: FloatArray) -> int:
    smooth = np.convolve(rate, np.ones(50) / 50, "same")
    rising = np.diff(smooth) > 0
    return int(np.sum(rising[:-1] & ~rising[1:] & (smooth[1:-1] > 0.03)))
