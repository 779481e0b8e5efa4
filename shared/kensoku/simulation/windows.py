"""Training examples: 30 s of a station nobody has seen, with P and S where they can be seen.

What the dice say is in `window_draws`; here waves, noise and instrument become counts, and arrivals become labels.
"""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.signal

from kensoku.simulation.instruments import SENSORS, Digitiser, Instrument
from kensoku.simulation.networks import Station
from kensoku.simulation.propagation import ComplexArray
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sites import OCEAN_END_HZ, Site, ocean_db, site_db, wind_db
from kensoku.simulation.waves import WaveTrain, render
from kensoku.simulation.window_draws import (
    RATE_HZ,
    Draw,
    draw_earth,
    draw_event,
    draw_instrument,
    draw_noise,
    draw_path,
    draw_window,
)

WINDOW_S = 30
VISIBLE_SNR = 2.0
SEEN_HZ = (2.0, 20.0)
UNSEEN_S = (0.5, 2.0)  # before and after an arrival that cannot be seen
FAINTEST = 0.3  # counts: nobody sees less

_WARM_UP = 400  # samples before the window
_COUNT = 3600  # samples that are made
_LENGTH = RATE_HZ * WINDOW_S
_LARGEST_COUNT = 2**23 - 1


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
    draw = draw_window(chance)
    borehole_m = float(chance.choice([0.0, 0.0, 0.0, 100.0]))
    station = Station("XX", "WINDO", 0.0, 0.0, 0.0, borehole_m, draw.sensor, RATE_HZ, 3, draw.site)
    path, earth = draw_path(draw, chance), draw_earth(chance)
    event = draw_event(draw, path, chance)
    seen_s = chance.uniform(1.0, WINDOW_S - 1.0) + _WARM_UP / RATE_HZ  # after the start of what is made
    anchor = path.rays[0] if chance.random() < 0.6 else path.rays[-1]
    start = round((event.time_ns / 1e9 + anchor.time_s - seen_s) * RATE_HZ)
    lasts_s = _COUNT / RATE_HZ + max(start / RATE_HZ - event.time_ns / 1e9 - path.rays[0].time_s, 0.0)
    train = render(event, station, path, earth, RATE_HZ, int(chance.integers(2**31)), lasts_s)
    instrument = draw_instrument(draw.sensor, chance)
    noise = _make_noise(*draw_noise(chance, borehole=borehole_m > 0), chance)
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


def _make_noise(site: Site, busy_db: float, chance: np.random.Generator) -> ComplexArray:
    """Spectrum of ground velocity, (3, frequencies)."""
    hz = _hz()
    power = 10 ** (ocean_db(site, hz) / 10)
    if site.wind_db is None:
        above = 10 ** (site_db(site, hz) / 10)
    else:
        above = 10 ** (site_db(site, hz) / 10) * (1 + 10 ** ((site.wind_db + wind_db(hz)) / 10))
    density = power + above * 10 ** (busy_db * (hz > OCEAN_END_HZ) / 10)
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
