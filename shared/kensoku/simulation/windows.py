"""Training examples: 30 s of a station nobody has seen, with P and S where they can be seen.

Everything is drawn independently and wider than any one network is, so that a picker learns what earthquakes have in
common: how far S is behind P, how high their corners are, what the ground, the sensor and the noise make of them.
"""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.signal

from kensoku.simulation.envelopes import Scattering
from kensoku.simulation.instruments import SENSORS, Digitiser, Instrument, Sensor
from kensoku.simulation.networks import GROUND_CLASSES, SiteResponse, Station, draw_site_response
from kensoku.simulation.propagation import ComplexArray, Earth, Path, Ray
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.scenario import Attenuation
from kensoku.simulation.sites import OCEAN_END_HZ, Site, draw_site, ocean_db, site_db, wind_db
from kensoku.simulation.waves import Event, WaveTrain, render
from kensoku.traveltime import EarthModel, load_model

RATE_HZ = 100
WINDOW_S = 30
VISIBLE_SNR = 2.0
SEEN_HZ = (2.0, 20.0)
UNSEEN_S = (0.5, 2.0)  # before and after an arrival that cannot be seen
S_MINUS_P_KM_S = 8.2  # distance over S-P in the crust
VP_KM_S, VS_KM_S = 6.0, 3.46

FAINTEST = 0.3  # counts: nobody sees less

_WARM_UP = 400  # samples before the window
_COUNT = 3600  # samples that are made
_LENGTH = RATE_HZ * WINDOW_S
_RECORDED_HZ = (50, 100, 100, 100, 200)  # of the digitiser, resampled to RATE_HZ
_LARGEST_COUNT = 2**23 - 1


@dataclass(frozen=True, slots=True)
class Draw:
    """What the dice said: for plots of coverage."""

    s_minus_p_s: float
    p_corner_hz: float
    s_over_p_corner: float
    mw: float
    incidence_deg: float
    sensor: str
    site: SiteResponse


@dataclass(frozen=True, slots=True)
class Label:
    phase: str  # P or S, whatever its path
    sample: float
    snr: float

    @property
    def is_visible(self) -> bool:
        return self.snr >= VISIBLE_SNR


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    counts: npt.NDArray[np.int32]  # (3, samples): Z, N, E
    labels: tuple[Label, ...]  # within the window, in order of time
    draw: Draw

    def first_visible(self, phase: str) -> float | None:
        """The sample at which this phase can first be seen."""
        return next((label.sample for label in self.labels if label.phase == phase and label.is_visible), None)

    def known(self, phase: str) -> npt.NDArray[np.bool_]:
        """False where an arrival hides in the noise: neither a pick nor noise."""
        known = np.ones(self.counts.shape[1], dtype=np.bool_)
        for label in self.labels:
            if label.phase == phase and not label.is_visible:
                start, stop = (
                    int(label.sample + sign * RATE_HZ * s) for sign, s in zip((-1, 1), UNSEEN_S, strict=True)
                )
                known[max(start, 0) : max(stop, 0)] = False
        return known


def simulate_window(chance: np.random.Generator) -> Window:
    draw = _draw(chance)
    borehole_m = float(chance.choice([0.0, 0.0, 0.0, 100.0]))
    station = Station("XX", "WINDO", 0.0, 0.0, 0.0, borehole_m, draw.sensor, RATE_HZ, 3, draw.site)
    path, earth = _draw_path(draw, chance), _draw_earth(chance)
    event = _draw_event(draw, path, chance)
    seen_s = chance.uniform(1.0, WINDOW_S - 1.0) + _WARM_UP / RATE_HZ  # after the start of what is made
    anchor = path.rays[0] if chance.random() < 0.6 else path.rays[-1]
    start = round((event.time_ns / 1e9 + anchor.time_s - seen_s) * RATE_HZ)
    lasts_s = _COUNT / RATE_HZ + max(start / RATE_HZ - event.time_ns / 1e9 - path.rays[0].time_s, 0.0)
    train = render(event, station, path, earth, RATE_HZ, int(chance.integers(2**31)), lasts_s)
    instrument = _draw_instrument(draw.sensor, chance)
    noise = _make_noise(draw_site(chance, chance.uniform(-12, 12), borehole=borehole_m > 0), instrument, chance)
    counts, signal = _record(_place(train, start), noise, instrument, chance)
    return Window(counts, _label(train, start, counts, signal), draw)


def local_snr(record: FloatArray, signal: FloatArray, sample: float, rate_hz: float) -> float:
    """Peak of the first half second over the rms of the second before, on the best component of (components, samples).

    The peak is that of the waves alone, so that no noise is called an arrival. 0 where the second before is not there.
    """
    at, second = int(np.ceil(sample)), round(rate_hz)
    before, after = record[:, max(at - second, 0) : at], signal[:, at : at + second // 2]
    if before.shape[1] < second or not after.size:
        return 0.0
    noise = np.sqrt(np.square(before).mean(axis=1))
    return float((np.abs(after).max(axis=1) / np.maximum(noise, FAINTEST)).max())


def see(counts: FloatArray, rate_hz: int) -> FloatArray:
    """The band in which arrivals are judged."""
    centred = counts - counts[:, :rate_hz].mean(axis=1, keepdims=True)
    filtered: FloatArray = scipy.signal.sosfilt(_seen_band(rate_hz), centred)
    return filtered


@functools.cache
def _seen_band(rate_hz: int) -> FloatArray:
    band: FloatArray = scipy.signal.butter(2, SEEN_HZ, "bandpass", fs=rate_hz, output="sos")
    return band


# --- draws ------------------------------------------------------------------------------------------------------------


def _log_uniform(low: float, high: float, chance: np.random.Generator) -> float:
    return float(np.exp(chance.uniform(np.log(low), np.log(high))))


def _draw(chance: np.random.Generator) -> Draw:
    s_minus_p_s = _log_uniform(0.3, 60.0, chance)
    sensor = list(SENSORS)[chance.integers(len(SENSORS))]
    least, most = _magnitudes(s_minus_p_s, SENSORS[sensor])
    ground = GROUND_CLASSES[chance.integers(len(GROUND_CLASSES))]
    return Draw(
        s_minus_p_s=s_minus_p_s,
        p_corner_hz=_log_uniform(1.0, 30.0, chance),
        s_over_p_corner=float(chance.uniform(0.4, 1.0)),
        mw=least + (most - least) * float(chance.random() ** 2),
        incidence_deg=float(chance.uniform(0.0, 60.0)),
        sensor=sensor,
        site=draw_site_response(ground, 0.0, chance),
    )


def _magnitudes(s_minus_p_s: float, sensor: Sensor) -> tuple[float, float]:
    """Smaller ones would mostly be noise on such a sensor, and larger ones clipped."""
    strong = sensor.is_accelerometer
    least = 0.3 + 1.9 * np.log10(s_minus_p_s) + (1.2 if strong else 0.0)
    most = (6.0 if strong else 4.3) + 1.8 * np.log10(s_minus_p_s)
    return float(np.clip(least, 0.0, 4.5)), float(np.clip(most, 3.5, 7.5))


def _draw_path(draw: Draw, chance: np.random.Generator) -> Path:
    """P, S and at times what goes before or after them, as far apart as drawn."""
    reach_km = draw.s_minus_p_s * S_MINUS_P_KM_S
    p_s, azimuth = reach_km / VP_KM_S, float(chance.uniform(0, 360))
    slow, take_off = float(np.sin(np.radians(draw.incidence_deg))), float(chance.uniform(30, 150))
    rays = [
        Ray("Pg", "P", p_s, take_off, slow / VP_KM_S, 1.0),
        Ray("Sg", "S", p_s + draw.s_minus_p_s, take_off, slow / VS_KM_S, 1.0),
    ]
    if reach_km > 130 and chance.random() < 0.7:  # then what is drawn is between the first of both
        ahead_s = float(chance.uniform(0.02, 0.06)) * reach_km / VP_KM_S
        rays[0], later = Ray("Pn", "P", p_s, 50.0, slow / VP_KM_S, 0.35), rays[0]
        rays.insert(1, Ray("Pg", "P", later.time_s + ahead_s, take_off, slow / VP_KM_S, 1.0))
    return Path(reach_km, reach_km, azimuth, azimuth, tuple(rays))


def _draw_earth(chance: np.random.Generator) -> Earth:
    q_s = _log_uniform(30.0, 400.0, chance)
    attenuation = Attenuation(
        q_s_1hz=q_s,
        q_s_exponent=float(chance.uniform(0.4, 0.9)),
        q_p_1hz=q_s * float(chance.uniform(0.5, 1.5)),
        q_p_exponent=float(chance.uniform(0.4, 0.9)),
    )
    scattering = Scattering(
        peak_delay_s=_log_uniform(0.2, 1.5, chance),
        growth=float(chance.uniform(0.9, 1.8)),
        coda_per_km=_log_uniform(0.01, 0.1, chance),
        local_share=float(chance.uniform(0.4, 0.8)),
        local_s=_log_uniform(0.2, 1.0, chance),
    )
    return Earth(_half_space(), attenuation, scattering)


@functools.cache
def _half_space() -> EarthModel:
    return load_model("homogeneous")


def _draw_event(draw: Draw, path: Path, chance: np.random.Generator) -> Event:
    return Event(
        time_ns=1_600_000_000_000_000_000 + int(chance.integers(10**9)),
        latitude_deg=0.0,
        longitude_deg=0.0,
        depth_km=float(min(chance.uniform(1.0, 20.0), 0.9 * path.hypocentral_km)),
        mw=draw.mw,
        corner_hz=draw.p_corner_hz * draw.s_over_p_corner,
        p_over_s_corner=1 / draw.s_over_p_corner,
        strike_deg=float(chance.uniform(0, 360)),
        dip_deg=float(chance.uniform(20, 90)),
        rake_deg=float(chance.uniform(-180, 180)),
    )


def _draw_instrument(sensor: str, chance: np.random.Generator) -> Instrument:
    mismatch = 0.5 if chance.random() < 0.1 else 0.05
    rate_hz = int(chance.choice(_RECORDED_HZ))
    gain = _log_uniform(0.3, 40.0, chance) * min(100 / SENSORS[sensor].sensitivity, 1.0)
    digitiser = Digitiser(min(rate_hz, RATE_HZ), gain=gain, is_causal=chance.random() < 0.2)
    z, n, e = (float(error) for error in np.clip(mismatch * chance.standard_normal(3), -0.9, 2))
    return Instrument(SENSORS[sensor], digitiser, (z, n, e))


# --- records ----------------------------------------------------------------------------------------------------------


@functools.cache
def _hz() -> FloatArray:
    hz = np.fft.rfftfreq(_COUNT, 1 / RATE_HZ)
    hz[0] = hz[1] / 2
    return hz


@functools.lru_cache(maxsize=64)
def _response(sensor: str, digitiser_hz: int, is_causal: bool) -> ComplexArray:
    """At gain 1; nothing at 0 Hz, where records are not looked at."""
    return Instrument(SENSORS[sensor], Digitiser(digitiser_hz, is_causal=is_causal)).response(_hz())


def _make_noise(site: Site, instrument: Instrument, chance: np.random.Generator) -> ComplexArray:
    """Spectrum of ground velocity, (3, frequencies)."""
    hz = _hz()
    power = 10 ** (ocean_db(site, hz) / 10)
    if site.wind_db is None:
        above = 10 ** (site_db(site, hz) / 10)
    else:
        above = 10 ** (site_db(site, hz) / 10) * (1 + 10 ** ((site.wind_db + wind_db(hz)) / 10))
    busy_db = chance.uniform(0, site.culture_db) * (hz > OCEAN_END_HZ)
    density = power + above * 10 ** (busy_db / 10)
    amplitude = np.sqrt(density * RATE_HZ / 2) / (2 * np.pi * hz)
    knots = np.exp(0.115 * site.burst_db * chance.standard_normal(_COUNT // 200 + 2))
    envelope = np.interp(np.arange(_COUNT) / 200, np.arange(knots.size), knots)
    white = chance.standard_normal((3, _COUNT), dtype=np.float32) * envelope.astype(np.float32)
    spectrum: ComplexArray = scipy.fft.rfft(white) * amplitude
    spectrum[1:] *= 10 ** (site.horizontal_db / 20)
    return spectrum


def _place(train: WaveTrain | None, start: int) -> FloatArray:
    """The train on the samples from `start` on; one that had begun before fades in."""
    ground = np.zeros((3, _COUNT))
    if train is None:
        return ground
    offset = train.start_ns * RATE_HZ // 10**9 - start
    skipped, velocity = max(-offset, 0), train.velocity_m_s
    placed = velocity[:, skipped : skipped + _COUNT - max(offset, 0)]
    ground[:, max(offset, 0) : max(offset, 0) + placed.shape[1]] = placed
    if skipped:
        ground[:, : _WARM_UP // 2] *= np.sin(np.linspace(0, np.pi / 2, _WARM_UP // 2)) ** 2
    return ground


def _record(
    ground: FloatArray, noise: ComplexArray, instrument: Instrument, chance: np.random.Generator
) -> tuple[npt.NDArray[np.int32], FloatArray]:
    """Counts: turned, unequal, clipped, rounded; and what they would be without noise."""
    digitiser = instrument.digitiser
    response = _response(instrument.sensor.name, digitiser.rate_hz, digitiser.is_causal) * digitiser.gain
    spectra = np.concatenate([scipy.fft.rfft(ground), noise]) * response
    recorded = scipy.fft.irfft(spectra, _COUNT)[:, _WARM_UP : _WARM_UP + _LENGTH]
    angle = chance.uniform(0, 2 * np.pi) if chance.random() < 0.5 else 0.0
    turn = np.array([[1, 0, 0], [0, np.cos(angle), np.sin(angle)], [0, -np.sin(angle), np.cos(angle)]])
    turn *= 1 + np.array(instrument.gain_errors)[:, np.newaxis]
    signal, noise_counts = turn @ recorded[:3], turn @ recorded[3:]
    noise_counts += instrument.noise_counts * chance.standard_normal(noise_counts.shape)
    limit = min(instrument.full_scale * instrument.sensitivity, _LARGEST_COUNT)
    counts: npt.NDArray[np.int32] = np.rint(np.clip(signal + noise_counts, -limit, limit)).astype(np.int32)
    return counts, np.clip(signal, -limit, limit)


def _label(train: WaveTrain | None, start: int, counts: npt.NDArray[np.int32], signal: FloatArray) -> tuple[Label, ...]:
    record, waves = np.split(see(np.concatenate([counts, signal]), RATE_HZ), 2)
    labels = []
    for arrival in train.arrivals if train else ():
        sample = arrival.time_ns * RATE_HZ / 1e9 - start - _WARM_UP
        if 0 <= sample < _LENGTH and arrival.phase != "Sp":
            labels.append(Label(arrival.phase[0], sample, local_snr(record, waves, sample, RATE_HZ)))
    return tuple(labels)
