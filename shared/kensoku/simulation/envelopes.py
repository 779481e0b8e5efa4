"""What scattering makes of a pulse: onsets that soften with distance, and codas, as noise under physical envelopes.

Waves that are scattered forwards arrive a little late: the wave train swells to its peak after a delay that grows with
distance (Takahashi et al., 2007). What is scattered widely is the coda, as single scattering has it (Sato, 1977), and
layers below the station ring for a second. All of it starts at the onset: an envelope multiplies noise that is already
of its band, so nothing comes before.
"""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from kensoku.simulation.quantities import NotNegative, Positive
from kensoku.simulation.randomness import FloatArray

Float32Array = npt.NDArray[np.float32]

BANDS_HZ = (1.0, 4.0, 16.0)  # two octaves apart; beyond the ends as at the ends
BAND_OCTAVES = 2.0
KNOTS = 200  # of an envelope
CHUNK = 512  # samples of noise are drawn in multiples of it, so that few lengths occur


@dataclass(frozen=True, slots=True, kw_only=True)
class Scattering:
    """S peaks `peak_delay_s` (distance / 100 km)^growth after its onset; single scattering makes the coda."""

    strength: NotNegative = 1.0  # 0: only direct pulses, as in a perfect crystal
    peak_delay_s: Positive = 0.6
    growth: Positive = 1.4
    p_share: Positive = 0.4  # of P's delay over that of S
    coda_per_km: NotNegative = 0.04
    p_coda: NotNegative = 3.0  # of P's coda over that of S: it is made of S as well
    local_share: NotNegative = 0.65  # of the energy that rings below the station
    local_s: Positive = 0.5
    turned: NotNegative = 0.25  # share of the scattered energy that leaves the polarisation of the ray at once
    turned_s: Positive = 0.8  # after which half of the rest has


@dataclass(frozen=True, slots=True)
class Onset:
    """How one phase is scattered."""

    delay_s: float  # to the peak
    travel_s: float
    coda_per_s: float
    local_s: float
    local_share: float
    turned: float
    turned_s: float


def energy(onset: Onset, time_s: FloatArray) -> FloatArray:
    """A second, over that of the direct wave, without absorption; `time_s` after the onset."""
    scale = 2.5 * onset.delay_s
    forward = np.exp(-scale / time_s) * (time_s / scale) ** -2.5 / (0.8862 * scale)  # Gamma(3/2) makes it 1
    ringing = 1.25 / onset.local_s * np.exp(-time_s / onset.local_s) * (1 - np.exp(-4 * time_s / onset.local_s))
    late = 1 + np.maximum(time_s, 0.2) / onset.travel_s
    coda = onset.coda_per_s * np.log((late + 1) / (late - 1)) / late * (1 - np.exp(-time_s / (onset.delay_s + 0.3)))
    total: FloatArray = (1 - onset.local_share) * forward + onset.local_share * ringing + coda
    return total


def band_weights(hz: FloatArray) -> FloatArray:
    """(bands, frequencies); their squares add up to 1."""
    octaves = np.log2(np.maximum(hz, 1e-3)[np.newaxis] / np.array(BANDS_HZ)[:, np.newaxis])
    octaves[0] = np.maximum(octaves[0], 0)
    octaves[-1] = np.minimum(octaves[-1], 0)
    weights: FloatArray = np.cos(np.pi / 2 * np.minimum(np.abs(octaves) / BAND_OCTAVES, 1))
    return weights


@functools.lru_cache(maxsize=64)
def _weights(length: int, rate_hz: float) -> Float32Array:
    return band_weights(np.fft.rfftfreq(length, 1 / rate_hz)).astype(np.float32)


def draw_bands(kinds: int, count: int, rate_hz: float, chance: np.random.Generator) -> Float32Array:
    """Noise of variance 1 in all, (bands, kinds, samples)."""
    length = scipy.fft.next_fast_len(-(-count // CHUNK) * CHUNK, real=True)
    white = scipy.fft.rfft(chance.standard_normal((kinds, length), dtype=np.float32))
    weights = _weights(length, rate_hz)
    bands: Float32Array = scipy.fft.irfft(white[np.newaxis] * weights[:, np.newaxis], length)[..., :count]
    return bands


def shape(
    onset: Onset, qualities: FloatArray, count: int, rate_hz: float, strength: float
) -> tuple[Float32Array, Float32Array]:
    """The envelope of each band (bands, samples), and the share of energy that left the ray's polarisation."""
    time_s = (np.arange(count) + 0.5) / rate_hz
    knots_s = np.geomspace(time_s[0], time_s[-1], KNOTS)
    decay = np.pi * np.array(BANDS_HZ) / qualities
    coherent = 1 / (1 + (2 * np.pi * np.array(BANDS_HZ) * onset.delay_s) ** 2)
    amplitude = np.sqrt(energy(onset, knots_s) * (strength / rate_hz))
    at_knots = amplitude * np.exp(-np.outer(decay, knots_s))
    envelopes = np.array([np.interp(time_s, knots_s, band) for band in at_knots])
    made = np.maximum(np.square(envelopes).sum(axis=1) / strength, 1.0)
    envelopes *= np.sqrt((1 - coherent) / made)[:, np.newaxis]  # scattering moves energy, and makes none
    turned = np.interp(time_s, knots_s, 1 - (1 - onset.turned) * np.exp(-knots_s * (np.log(2) / onset.turned_s)))
    return envelopes.astype(np.float32), turned.astype(np.float32)
