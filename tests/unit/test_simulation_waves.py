"""Simulated wave trains: absolute amplitudes, spectra, times, polarities and polarisations, against closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from kensoku.simulation import sources
from kensoku.simulation.envelopes import Scattering
from kensoku.simulation.events import Event
from kensoku.simulation.networks import SiteResponse, Station
from kensoku.simulation.propagation import Earth, load_earth, surface_motion
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.scenario import Attenuation
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.waves import WaveTrain, wave_train, wave_trains
from kensoku.traveltime import load_model

START_NS = 1_700_000_000_123_456_789
HARD_ROCK = SiteResponse(
    "rock", kappa_s_s=0.0, kappa_p_s=0.0, amplification=1.0, resonance_hz=10.0, resonance=1.0, vs_m_s=3464.1016,
    sediment_sp_s=0.0,
)  # fmt: skip
SOIL = SiteResponse(
    "soft", kappa_s_s=0.04, kappa_p_s=0.02, amplification=2.0, resonance_hz=2.5, resonance=2.5, vs_m_s=250.0,
    sediment_sp_s=0.4,
)  # fmt: skip
CRYSTAL = Earth(
    load_model("homogeneous"),
    Attenuation(far_km=1000.0, q_p_1hz=1e9, q_s_1hz=1e9),
    Scattering(strength=0.0),
)
JAPAN = load_earth("japan")


def place_station(north_km: float, site: SiteResponse = SOIL, borehole_m: float = 0.0) -> Station:
    return Station("XX", f"N{north_km:.0f}", 36 + north_km / 111.19493, 137.0, 0.0, borehole_m, "x", 100, 3, site)


def make_event(mw: float, depth_km: float = 10.0, kind: SourceKind = SourceKind.EARTHQUAKE) -> Event:
    corner = float(sources.corner_hz(sources.moment_nm(mw), 3.0, 3.5))
    return Event(
        time_ns=START_NS, latitude_deg=36.0, longitude_deg=137.0, depth_km=depth_km, mw=mw, corner_hz=corner, kind=kind,
        strike_deg=20.0, dip_deg=70.0, rake_deg=15.0,
    )  # fmt: skip


def record(event: Event, station: Station, earth: Earth = JAPAN, seed: int = 1) -> WaveTrain:
    train = wave_train(event, station, earth, station.rate_hz, seed)
    assert train
    return train


def cut(train: WaveTrain, phase: str, lasts_s: float) -> FloatArray:
    start = next(round((a.time_ns - train.start_ns) / 1e7) for a in train.arrivals if a.phase == phase)
    return train.velocity_m_s[:, start : start + round(lasts_s * 100)].astype(np.float64)


def displacement_spectrum(velocity: FloatArray) -> tuple[FloatArray, FloatArray]:
    count = 8192
    hz = np.fft.rfftfreq(count, 0.01)[1:]
    spectrum = np.linalg.norm(np.abs(np.fft.rfft(velocity, count)[:, 1:]), axis=0) / 100
    return hz, spectrum / (2 * np.pi * hz)


@pytest.mark.parametrize("phase", ["Pg", "Sg"])
def test_a_half_space_gives_the_moment_of_the_far_field(phase: str) -> None:
    event = make_event(3.0)
    _, displacement = displacement_spectrum(cut(record(event, place_station(20, HARD_ROCK), CRYSTAL), phase, 2.2))
    distance_m, alpha, beta = 1e3 * np.hypot(20, 10), 6000.0, 3464.1016
    take_off = 180 - np.degrees(np.arctan2(20, 10))
    tensor = sources.moment_tensor(20.0, 70.0, 15.0)
    p, sv, sh = (float(amplitude) for amplitude in sources.radiate(tensor, take_off, 0.0))
    sine = np.sin(np.radians(take_off))
    surface = surface_motion(sine / (6.0 if phase == "Pg" else 3.4641016), 6.0, 3.4641016)
    seen = (
        abs(p) * np.hypot(surface.p_up, surface.p_away)
        if phase == "Pg"
        else np.hypot(sv * np.hypot(surface.sv_up, surface.sv_away), 2 * sh)
    )
    speed = alpha if phase == "Pg" else beta
    moment = displacement[2:5].mean() * 4 * np.pi * 2700 * speed**3 * distance_m / seen
    assert moment == pytest.approx(float(sources.moment_nm(3.0)), rel=0.1)


def test_the_corner_can_be_read_from_the_spectrum() -> None:
    event = make_event(3.5)
    hz, displacement = displacement_spectrum(cut(record(event, place_station(30, HARD_ROCK), CRYSTAL), "Sg", 8.0))
    plateau = displacement[2:5].mean()
    assert hz[np.argmax(displacement < plateau / 2)] == pytest.approx(event.corner_hz, rel=0.05)


def test_a_free_surface_doubles_what_comes_straight_up() -> None:
    motion = surface_motion(0.0, 6.0, 3.5)
    assert (motion.p_up, motion.p_away, motion.sv_up, motion.sv_away) == pytest.approx((2, 0, 0, -2))


@pytest.mark.parametrize("mw", [1.5, 4.0, 6.8])
def test_nothing_moves_before_p(mw: float) -> None:
    train = record(make_event(mw), place_station(25))
    first = train.arrivals[0].time_ns
    times_ns = train.start_ns + 10_000_000 * np.arange(train.velocity_m_s.shape[1])
    assert not train.velocity_m_s[:, times_ns < first].any()
    assert np.abs(train.velocity_m_s[:, times_ns >= first][:, :10]).max() > 0
    assert train.start_ns % 10_000_000 == 0
    assert 0 <= first - train.start_ns < 10_000_000


def test_p_starts_the_way_the_radiation_says() -> None:
    for strike in range(0, 360, 30):
        event = replace(make_event(3.0), strike_deg=float(strike))
        train = record(event, place_station(20))
        p, _, _ = sources.radiate(sources.moment_tensor(strike, 70, 15), 90 + np.degrees(np.arctan2(10, 20)), 0.0)
        if abs(p) > 0.3:
            assert np.sign(train.velocity_m_s[0, 1:4].sum()) == np.sign(p)


def test_p_is_vertical_and_s_horizontal_on_soft_ground() -> None:
    over: dict[str, list[float]] = {"Pg": [], "Sg": []}
    for seed in range(9):
        train = record(make_event(3.0), place_station(20), seed=seed)
        for phase, lasts_s in (("Pg", 0.1), ("Sg", 0.4)):
            vertical, *horizontals = np.square(cut(train, phase, lasts_s)).sum(axis=1)
            over[phase].append(float(vertical / sum(horizontals)))
    assert np.median(over["Pg"]) > 1.5
    assert np.median(over["Sg"]) < 0.33


def test_waves_are_the_same_whatever_is_made_with_them() -> None:
    station = place_station(30)
    events = [
        replace(make_event(mw), time_ns=START_NS + 10**10 * number)
        for number, mw in enumerate((1.5, 2.0, 1.2, 3.1, 1.4))
    ]
    together = list(wave_trains(events, station, JAPAN, seed=1))
    for event, train in zip(events, together, strict=True):
        alone = wave_train(event, station, JAPAN, station.rate_hz, seed=1)
        assert train
        assert alone
        assert np.array_equal(alone.velocity_m_s, train.velocity_m_s)


def test_a_seed_gives_the_same_bytes_and_another_station_others() -> None:
    event, station = make_event(2.5), place_station(30)
    first, again = (record(event, station) for _ in range(2))
    assert first.velocity_m_s.tobytes() == again.velocity_m_s.tobytes()
    other = record(event, replace(station, code="OTHER"))
    coda = cut(first, "Sg", 30)[:, 300:], cut(other, "Sg", 30)[:, 300:]
    assert abs(np.corrcoef(coda[0].ravel(), coda[1].ravel())[0, 1]) < 0.2


def test_nobody_records_what_is_too_small() -> None:
    assert wave_train(make_event(-1.0), place_station(200), JAPAN, 100, 1) is None


def test_blasts_push_up_everywhere_and_have_little_s() -> None:
    blast = make_event(2.3, depth_km=0.05, kind=SourceKind.BLAST)
    crystal = replace(JAPAN, scattering=Scattering(strength=0.0))
    for north_km in (10.0, 30.0, -20.0):
        train = record(blast, place_station(north_km), crystal)
        assert cut(train, "Pg", 0.05)[0].sum() > 0

    def s_over_p(event: Event) -> float:
        """Median over stations, for each has its own luck."""
        ratios = []
        for north_km in np.linspace(15, 40, 12).tolist():
            train = record(event, place_station(north_km))
            ratios.append(np.divide(*(np.abs(cut(train, phase, 1.0)).max() for phase in ("Sg", "Pg"))))
        return float(np.median(ratios))

    quakes = [replace(make_event(2.3, depth_km=0.5), strike_deg=strike) for strike in (0.0, 30.0, 60.0, 90.0)]
    assert s_over_p(blast) < 0.5 * np.mean([s_over_p(quake) for quake in quakes])


def test_long_period_events_ring_at_their_own_frequency() -> None:
    event = replace(make_event(2.0, depth_km=1.0, kind=SourceKind.LONG_PERIOD), resonance_hz=2.2)
    velocity = record(event, place_station(10.0, HARD_ROCK)).velocity_m_s[0, :4096]
    loudest = np.argmax(np.abs(np.fft.rfft(velocity, 4096)))
    assert np.fft.rfftfreq(4096, 0.01)[loudest] == pytest.approx(2.2, abs=0.1)


def test_a_teleseism_sends_what_taup_says() -> None:
    from obspy.taup import TauPyModel

    far = replace(make_event(7.0, 30.3, SourceKind.TELESEISM), latitude_deg=-10.3, longitude_deg=137.0)
    train = record(far, place_station(0.0))
    times_s = {arrival.phase: (arrival.time_ns - far.time_ns) / 1e9 for arrival in train.arrivals}
    assert times_s.pop("Sp") < times_s["S"]  # of the sediment
    assert list(times_s) == ["P", "pP", "sP", "S"]
    for phase, time_s in times_s.items():
        assert time_s == pytest.approx(TauPyModel("iasp91").get_travel_times(30.3, 46.3, [phase])[0].time, abs=0.05)
    p, s = (np.abs(cut(train, phase, 60.0)).max() for phase in ("P", "S"))
    assert 0.1 * p < s < 10 * p


def test_below_ground_the_surface_answers_a_little_later() -> None:
    deep = place_station(1.0, replace(HARD_ROCK, vs_m_s=500.0), borehole_m=100.0)
    pulse = np.abs(cut(record(make_event(1.0), deep, CRYSTAL), "Sg", 1.0)[1:]).max(axis=0)
    going_up, coming_down = pulse[:35], pulse[35:]
    assert np.argmax(coming_down) + 35 - np.argmax(going_up) == 40  # samples: 2 x 100 m at 500 m/s
    assert coming_down.max() == pytest.approx(0.85 * going_up.max(), rel=0.02)


def test_large_earthquakes_last_and_onsets_soften_with_distance() -> None:
    def swell_s(event: Event, north_km: float) -> float:
        delays = []
        for number in range(8):
            station = replace(place_station(north_km), code=f"S{number}")
            envelope = np.abs(cut(record(event, station), "Sg", 15.0)).max(axis=0)
            delays.append(np.argmax(np.convolve(envelope, np.ones(20), "same")) / 100)
        return float(np.median(delays))

    assert swell_s(make_event(3.0), 10.0) < 0.6
    assert swell_s(make_event(3.0), 120.0) > 1.5 * swell_s(make_event(3.0), 10.0)
    assert swell_s(make_event(7.0), 40.0) > 2.0


def test_sediments_send_sp_ahead_of_s() -> None:
    train = record(make_event(3.0), place_station(30.0))
    times = {arrival.phase: arrival.time_ns for arrival in train.arrivals}
    assert (times["Sg"] - times["Sp"]) / 1e9 == pytest.approx(SOIL.sediment_sp_s, abs=1e-3)
