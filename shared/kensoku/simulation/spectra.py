"""The pulse that a source sends along a ray: its spectrum at the station, and the causal wave that has it."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from kensoku.simulation import sources
from kensoku.simulation.attenuation import Attenuation, quality
from kensoku.simulation.envelopes import Float32Array, Luck
from kensoku.simulation.events import Event
from kensoku.simulation.networks import SiteResponse, Station
from kensoku.simulation.propagation import (
    ComplexArray,
    Earth,
    Path,
    Ray,
    amplify,
    far_field_m_per_nm,
    reverberate,
    spreading_per_m,
)
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sources import SourceKind
from kensoku.traveltime import Wave

NYQUIST_LOSS = 5.0  # in the logarithm; a digitiser cuts more
FINE_HZ = 400  # a pulse is made at a multiple of the rate of about this, so that it may begin between two samples
ONSET = 0.01  # of a pulse's peak: before, causal absorption lets nobody see it, and travel times are those of onsets
RMS_RADIATION = {"P": 0.516, "S": 0.632}  # of double couples, Aki & Richards (2002)
MIXED_HZ = np.array([3.0, 6.0])
FAINTEST_LOG = -23.0  # of a spectrum's largest value: single precision has no more
STEPS = 4  # lengths of arrays an octave: few lengths, so that many waves are made at once


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """From one source to one station."""

    event: Event
    station: Station
    path: Path
    earth: Earth
    luck: Luck


def round_up(count: float) -> int:
    """To one of a few even lengths that are fast to transform."""
    octave: int = 1 << max(math.frexp(count)[1] - 1, 5)
    return octave * math.ceil(STEPS * count / octave) // STEPS


def log_spectrum(way: Way, ray: Ray, hz: FloatArray) -> FloatArray:
    """Of displacement (m s) in rock for a radiation of 1, before the free surface and the ground."""
    shape = source_shape(way.event, ray.wave, hz)
    log: FloatArray = np.log(shape) + math.log(_plateau(way, ray))
    return log + _absorbed(way, ray, absorption(way.earth.attenuation, ray.wave, hz), hz)


def s_over_p(way: Way, p: Ray, s: Ray) -> float:
    """Energy of S over that of P around MIXED_HZ, for all radiation."""
    ratio = log_spectrum(way, s, MIXED_HZ) - log_spectrum(way, p, MIXED_HZ)
    return float(np.exp(2 * ratio).mean()) * (RMS_RADIATION["S"] / RMS_RADIATION["P"]) ** 2


def source_shape(event: Event, wave: Wave, hz: FloatArray) -> FloatArray:
    """Moment rate of the event, or of its largest part, over its moment."""
    if event.kind is SourceKind.LONG_PERIOD:
        return np.abs(sources.resonance_spectrum(hz, event.resonance_hz, event.quality))
    return sources.source_spectrum(hz, corner_hz(event) * (event.p_over_s_corner if wave == "P" else 1.0))


def corner_hz(event: Event) -> float:
    """Of S, of the sub-events that an earthquake consists of."""
    return float(sources.part_corner_hz(event.corner_hz, event.mw))


def absorption(attenuation: Attenuation, wave: Wave, hz: FloatArray) -> FloatArray:
    """What a second of travelling takes from the logarithm of an amplitude."""
    lost: FloatArray = np.pi * hz / quality(attenuation, wave, hz)
    return lost


def _plateau(way: Way, ray: Ray) -> float:
    at_source = far_field_m_per_nm(way.earth, ray.leaves_as or ray.wave, way.event.depth_km) * float(
        sources.moment_nm(way.event.mw)
    )
    return at_source * spreading_per_m(way.path, way.earth.attenuation) * abs(ray.share) * way.luck.amplitude(ray.wave)


def _absorbed(way: Way, ray: Ray, a_second: FloatArray, hz: FloatArray) -> FloatArray:
    site = way.station.site
    t_star = ray.t_star_s if way.path.is_teleseismic else 0.0
    left: FloatArray = (-np.pi * (t_star + (site.kappa_p_s if ray.wave == "P" else site.kappa_s_s))) * hz
    return left if way.path.is_teleseismic else left - ray.time_s * a_second


# --- pulses -----------------------------------------------------------------------------------------------------------


def _finer(rate_hz: int) -> int:
    return max(FINE_HZ // rate_hz, 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    hz: FloatArray
    log: FloatArray  # the digitiser's end, and what the difference of two samples, which is causal, lacks as derivative


@functools.lru_cache(maxsize=64)
def _grid(count: int, rate_hz: int) -> _Grid:
    fine_hz = _finer(rate_hz) * rate_hz
    hz = np.fft.rfftfreq(count, 1 / fine_hz)
    angle = np.pi * hz / fine_hz
    lacking = np.log(np.where(angle > 0, angle / np.sin(np.maximum(angle, 1e-9)), 1.0))
    return _Grid(hz, lacking - NYQUIST_LOSS * np.minimum(2 * hz / rate_hz, 2.0) ** 12)


@functools.lru_cache(maxsize=128)
def _log_ground(site: SiteResponse, count: int, rate_hz: int) -> FloatArray:
    return np.log(np.array(amplify(site, _grid(count, rate_hz).hz)))


@functools.lru_cache(maxsize=128)
def _absorption(attenuation: Attenuation, wave: Wave, count: int, rate_hz: int) -> FloatArray:
    return absorption(attenuation, wave, _grid(count, rate_hz).hz)


@dataclass(frozen=True, slots=True, eq=False)
class Shots:
    """A source's parts, one after the other: the holes of a blast, the sub-events of a rupture."""

    delay_s: FloatArray
    weight: FloatArray  # 1 in all

    def spectrum(self, count: int, rate_hz: int) -> ComplexArray:
        """Of as many samples, to the nearest of them."""
        samples = np.minimum(np.rint(self.delay_s * rate_hz).astype(np.intp), count - 1)
        modulation: ComplexArray = scipy.fft.rfft(np.bincount(samples, self.weight, count))
        return modulation


@dataclass(frozen=True, slots=True, eq=False)
class Pulse:
    """What is asked for: the wave of one ray, which begins `late` of a sample after the sample before it."""

    way: Way
    ray: Ray
    shots: Shots | None
    late: float

    def fine_count(self, rate_hz: int) -> int:
        """Samples until source and ground are at rest."""
        event, site = self.way.event, self.way.station.site
        delays_s = float(self.shots.delay_s.max()) if self.shots else 0.0
        if event.kind is SourceKind.LONG_PERIOD:
            rests_s = 3.0 + 4.0 * event.quality / event.resonance_hz
        else:
            echo_s = 2 * self.way.station.borehole_m / site.vs_m_s
            rests_s = 1.0 + echo_s + max(2.0 / corner_hz(event), 3.0 / site.resonance_hz)
        return round_up(_finer(rate_hz) * rate_hz * (rests_s + delays_s))

    def count(self, rate_hz: int) -> int:
        return self.fine_count(rate_hz) // _finer(rate_hz) + 1


def make_pulses(pulses: Sequence[Pulse], rate_hz: int) -> Float32Array:
    """Velocity (m/s) on the vertical and the horizontals for motions of 1, (pulses, 2, samples); of one count all."""
    finer, count = _finer(rate_hz), pulses[0].fine_count(rate_hz)
    grid = _grid(count, rate_hz)
    log = np.stack([_log_pulse(pulse, grid, count, rate_hz) for pulse in pulses])
    spectra = minimum_phase(log)
    for spectrum, pulse in zip(spectra, pulses, strict=True):
        if pulse.way.station.borehole_m:
            spectrum *= reverberate(pulse.way.station, pulse.ray, grid.hz).astype(np.complex64)
        if pulse.shots:
            spectrum *= pulse.shots.spectrum(count, finer * rate_hz).astype(np.complex64)
    velocity = np.diff(scipy.fft.irfft(spectra, count), prepend=np.float32(0.0)) * np.float32((finer * rate_hz) ** 2)
    made = np.zeros((len(pulses), 2, count // finer + 1), dtype=np.float32)
    for row, wave, pulse in zip(made, velocity, pulses, strict=True):
        size = np.abs(wave).max(axis=0)
        begins = max(int(np.argmax(size > ONSET * size.max())) - 1, 0)
        starts = math.ceil(pulse.late * finer)
        first = -(-starts // finer)
        moved = wave[:, begins + first * finer - starts :: finer]
        row[:, first : first + moved.shape[1]] = moved[:, : row.shape[1] - first]
    return made


def _log_pulse(pulse: Pulse, grid: _Grid, count: int, rate_hz: int) -> Float32Array:
    """Logarithms of the spectra of displacement on the vertical and the horizontals."""
    way, ray = pulse.way, pulse.ray
    log = np.log(source_shape(way.event, ray.wave, grid.hz)) + (math.log(_plateau(way, ray)) + grid.log)
    log += _absorbed(way, ray, _absorption(way.earth.attenuation, ray.wave, count, rate_hz), grid.hz)
    with_ground: Float32Array = (log + _log_ground(way.station.site, count, rate_hz)).astype(np.float32)
    return with_ground


def minimum_phase(log_amplitude: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.complexfloating[Any, Any]]:
    """The spectra of the causal pulses that have these amplitudes and as much of their energy as early as can be."""
    count = 2 * (log_amplitude.shape[-1] - 1)
    faintest = log_amplitude.max(axis=-1, keepdims=True) + FAINTEST_LOG
    cepstrum = scipy.fft.irfft(np.maximum(log_amplitude, faintest), count)
    cepstrum[..., 1 : count // 2] *= 2
    cepstrum[..., count // 2 + 1 :] = 0
    pulse: npt.NDArray[np.complexfloating[Any, Any]] = np.exp(scipy.fft.rfft(cepstrum))
    return pulse
