"""Short-period Rayleigh waves of shallow sources: dispersed, retrograde, after S, and strongest of blasts."""

import numpy as np
import scipy.fft

from kensoku.simulation.audible import HZ, VISIBLE, Floor
from kensoku.simulation.envelopes import Float32Array
from kensoku.simulation.propagation import Ray
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.spectra import Shots, Way, log_spectrum, minimum_phase, round_up

DEEPEST_KM = 8.0
QUALITY = 45.0
OF_BLASTS = 4.0  # over a buried source's: spall works on the surface itself
GUIDED = 0.4
ELLIPTICITY = 0.75  # radial over vertical
FAST_SHARE = 0.92  # of the uppermost layer's S
ECHOES_S = 6.0  # paths beside the straight one bring the same waves again, later and weaker


def rayleigh(
    way: Way, shear: Ray, shots: Shots | None, rate_hz: int, floor: Floor, chance: np.random.Generator
) -> Float32Array | None:
    """Vertical and radial velocity from S on, (2, samples); None where nobody would see it."""
    if way.path.is_teleseismic or way.event.depth_km > DEEPEST_KM:
        return None
    if (_velocity(way, HZ, log_spectrum(way, _at_source(shear), HZ)) * HZ / floor.rms_m_s).max() < VISIBLE:
        return None
    lasts_s = way.path.distance_km / _group_km_s(way, np.array([20.0]))[0] - shear.time_s + 2 * ECHOES_S
    count = round_up(max(lasts_s, 2 * ECHOES_S) * rate_hz)
    size = scipy.fft.next_fast_len(2 * count, real=True)
    size += size % 2
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    log = log_spectrum(way, _at_source(shear), hz)
    amplitude = minimum_phase(log) * _velocity(way, hz, np.zeros(hz.size))
    late_s = np.maximum(way.path.distance_km / _group_km_s(way, hz) - shear.time_s, 0.0)
    phase = -2 * np.pi * np.cumsum(late_s) * hz[1] + chance.uniform(0, 2 * np.pi)
    vertical = amplitude * np.exp(1j * phase) * scipy.fft.rfft(_echoes(rate_hz, chance), size)
    if shots:
        vertical *= shots.spectrum(size, rate_hz)
    waves = scipy.fft.irfft(np.array([vertical, ELLIPTICITY * 1j * vertical]), size)[:, :count] * rate_hz
    ramp = np.clip(np.arange(count) / (0.5 * rate_hz), 0, 1) * np.clip((count - np.arange(count)) / rate_hz, 0, 1)
    tapered: Float32Array = (waves * ramp).astype(np.float32)
    return tapered


def _at_source(shear: Ray) -> Ray:
    return Ray(shear.phase, "S", 0.0, shear.take_off_deg, shear.ray_parameter_s_km, 1.0)


def _fastest_km_s(way: Way) -> float:
    return FAST_SHARE * way.earth.model.layers[0].vs_km_s[0]


def _group_km_s(way: Way, hz: FloatArray) -> FloatArray:
    speed: FloatArray = _fastest_km_s(way) * (0.7 + 0.3 / (1 + hz))
    return speed


def _velocity(way: Way, hz: FloatArray, log: FloatArray) -> FloatArray:
    """Spectrum of the vertical; `log` is that of body waves before any of it was lost on the way."""
    wavelength_km = _fastest_km_s(way) / np.maximum(hz, 0.1)
    excited = np.exp(-2 * np.pi * 0.8 * max(way.event.depth_km, 0.0) / wavelength_km)
    lost = np.exp(-np.pi * hz * way.path.distance_km / (_group_km_s(way, hz) * QUALITY))
    guided = GUIDED * np.sqrt(way.path.hypocentral_km / wavelength_km)
    strong = OF_BLASTS if way.event.kind is SourceKind.BLAST else 1.0
    velocity: FloatArray = strong * np.exp(log) * excited * lost * guided * 2 * np.pi * hz
    return velocity


def _echoes(rate_hz: int, chance: np.random.Generator) -> FloatArray:
    times_s = np.arange(int(ECHOES_S * rate_hz)) / rate_hz
    noise: FloatArray = chance.standard_normal(times_s.size) * np.exp(-times_s / 1.5) / np.sqrt(0.75 * rate_hz)
    noise[0] = 1.0
    return noise
