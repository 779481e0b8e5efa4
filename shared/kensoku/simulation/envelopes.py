"""What scattering makes of a pulse: onsets that soften with distance, and codas, as noise under physical envelopes.

Waves that are scattered forwards arrive a little late: the wave train swells to its peak after a delay that grows with
distance (Takahashi et al., 2007). What is scattered widely is the coda, as single scattering has it (Sato, 1977), and
layers below the station ring for a second. All of it starts at the onset: an envelope multiplies noise that is already
of its band, so nothing comes before.
"""

import functools
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft

from kensoku.simulation.quantities import NotNegative, Positive, Share
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.traveltime import Wave

Float32Array = npt.NDArray[np.float32]

BANDS_HZ = (1.0, 4.0, 16.0)  # two octaves apart; beyond the ends as at the ends
MIDDLE = 1  # of them
BAND_OCTAVES = 2.0
KNOTS = 160  # of an envelope
LOCAL_HZ, LOCAL_POWER = 4.0, 0.7
BANK = 2**19  # samples of noise from which all wave trains of a sampling rate are cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Scattering:
    """S peaks `peak_delay_s` (distance / 100 km)^growth after its onset; single scattering makes the coda."""

    strength: NotNegative = 1.0  # 0: only direct pulses, as in a perfect crystal
    peak_delay_s: Positive = 0.7
    growth: Positive = 1.1
    p_share: Positive = 0.3  # of P's delay over that of S
    coda_per_km: NotNegative = 0.05
    p_coda: NotNegative = 2.0  # of P's coda over that of S
    mixed: NotNegative = 0.035  # of the energy of S, that comes between P and S, having been P on a part of the way
    absorbed: Share = 1.0  # of what the direct wave loses to Q; the rest is scattered, and not lost to the coda
    local_share: NotNegative = 0.45  # of the energy that rings below the station
    local_s: Positive = 0.3  # at 4 Hz; a layer rings for a number of periods rather than for a time
    turned: Share = 0.45  # share of the scattered energy of S that leaves the polarisation of the ray at once
    p_turned: Share = 0.3
    turned_s: Positive = 0.6  # after which half of the rest has
    split_s: NotNegative = 0.05  # median delay of the slow S behind the fast one, in anisotropic crust
    late_share: Share = 0.4  # of direct S, at most, that takes a detour of about as long
    uneven_amplitude: NotNegative = 0.3  # standard deviations between paths, of natural logarithms: of P, of S,
    uneven_delay: NotNegative = 0.8  # of peak delays,
    uneven_coda: NotNegative = 0.7  # and of the codas of P and of S


@dataclass(frozen=True, slots=True)
class Luck:
    """What one path has over the average of its length: sources of one place share it."""

    p_amplitude: float = 1.0
    s_amplitude: float = 1.0
    delay: float = 1.0
    p_coda: float = 1.0
    s_coda: float = 1.0
    split_s: float = 0.0
    fast_deg: float = 0.0  # from north
    detour_s: float = 0.0
    late_share: float = 0.0

    def amplitude(self, wave: Wave) -> float:
        return self.p_amplitude if wave == "P" else self.s_amplitude

    def coda(self, wave: Wave) -> float:
        return self.p_coda if wave == "P" else self.s_coda


def draw_luck(scattering: Scattering, chance: np.random.Generator) -> Luck:
    if not scattering.strength:
        return Luck()
    amplitude, coda = scattering.uneven_amplitude, scattering.uneven_coda
    spreads = np.array([amplitude, amplitude, scattering.uneven_delay, coda, coda, 0.5])
    p, s, delay, p_coda, s_coda, split = np.exp(spreads * np.clip(chance.standard_normal(6), -2.5, 2.5)).tolist()
    fast_deg, detour, late = chance.random(3).tolist()
    split_s = scattering.split_s * split
    return Luck(
        p,
        s,
        delay,
        p_coda,
        s_coda,
        split_s,
        180 * fast_deg,
        3 * scattering.split_s * detour,
        scattering.late_share * late,
    )


@dataclass(frozen=True, slots=True)
class Onset:
    """How one phase is scattered; or many, where each is a column."""

    delay_s: float | FloatArray  # to the peak
    travel_s: float | FloatArray
    coda_per_s: float | FloatArray
    mixed: float | FloatArray  # energy over that of the direct wave, before `mixed_s`, when S arrives
    mixed_s: float | FloatArray
    local_s: float | FloatArray  # at LOCAL_HZ
    local_share: float | FloatArray
    turned: float | FloatArray
    turned_s: float | FloatArray


def stack_onsets(onsets: Sequence[Onset]) -> Onset:
    return Onset(*np.array([astuple(onset) for onset in onsets]).T[:, :, np.newaxis, np.newaxis])


def energy(onset: Onset, time_s: FloatArray, hz: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A second, over that of the direct wave, without absorption; `time_s` after the onset."""
    scale, local_s = 2.5 * onset.delay_s, onset.local_s * (LOCAL_HZ / hz) ** LOCAL_POWER
    forward = np.exp(-scale / time_s) * (time_s / scale) ** -2.5 / (0.8862 * scale)  # Gamma(3/2) makes it 1
    faded = np.exp(-time_s / local_s)
    ringing = 13 / 12 / local_s * faded * (1 - faded**12)
    late = 1 + np.maximum(time_s, 0.2) / onset.travel_s
    coda = onset.coda_per_s * np.log((late + 1) / (late - 1)) / late * (1 - np.exp(-time_s / (onset.delay_s + 0.3)))
    return (1 - onset.local_share) * forward + onset.local_share * ringing, coda


def mixed_energy(onset: Onset, time_s: FloatArray) -> FloatArray:
    """What S loses on its way as P, a second: nothing when P arrives, most when S does."""
    ahead = time_s / onset.mixed_s
    shape = (0.05 + 4.75 * ahead**4) * (ahead < 1) * (1 - np.exp(-time_s / 0.1))
    growing: FloatArray = onset.mixed / onset.mixed_s * shape
    return growing


# --- noise ------------------------------------------------------------------------------------------------------------


def band_weights(hz: FloatArray) -> FloatArray:
    """(bands, frequencies); they add up to 1, for the bands of one noise are in step."""
    octaves = np.log2(np.maximum(hz, 1e-3)[np.newaxis] / np.array(BANDS_HZ)[:, np.newaxis])
    octaves[0] = np.maximum(octaves[0], 0)
    octaves[-1] = np.minimum(octaves[-1], 0)
    weights: FloatArray = np.cos(np.pi / 2 * np.minimum(np.abs(octaves) / BAND_OCTAVES, 1)) ** 2
    return weights


@functools.lru_cache(maxsize=4)
def noise_bank(rate_hz: int) -> Float32Array:
    """White noise of variance 1, in bands, (bands, samples); drawn once, for it costs more than all the rest."""
    white = draw(0, "scattering", "bank", rate_hz).standard_normal(BANK, dtype=np.float32)
    weights = band_weights(np.fft.rfftfreq(BANK, 1 / rate_hz)).astype(np.float32)
    bands: Float32Array = scipy.fft.irfft(scipy.fft.rfft(white) * weights, BANK)
    return bands


def scatter(
    polarised: Float32Array, isotropic: Float32Array, along: Float32Array, shares: Float32Array, rate_hz: int,
    chance: np.random.Generator,
) -> Float32Array:  # fmt: skip
    """Noise (ZNE, samples) under envelopes (bands, samples): first along the ray's polarisations, later everywhere."""
    bank, count = noise_bank(rate_hz), polarised.shape[1]
    begins = chance.integers(0, BANK - count, len(along) + 3).tolist()

    scattered = np.zeros((3, count), dtype=np.float32)
    for component, begin in enumerate(begins[-3:]):
        for envelope, noise in zip(isotropic, bank, strict=True):
            scattered[component] += envelope * noise[begin : begin + count]
        scattered[component] *= shares[component]
    for direction, begin in zip(along, begins, strict=False):
        moved = polarised[0] * bank[0, begin : begin + count]
        for envelope, noise in zip(polarised[1:], bank[1:], strict=True):
            moved += envelope * noise[begin : begin + count]
        scattered += direction[:, np.newaxis] * moved
    return scattered


# --- envelopes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Knots:
    """Of a length: few at the end, where envelopes are smooth."""

    time_s: FloatArray
    width_s: FloatArray
    samples: npt.NDArray[np.intp]  # from each knot to the next
    share: Float32Array  # of the knot after, of each sample


@functools.lru_cache(maxsize=128)
def _knots(count: int, rate_hz: int) -> _Knots:
    times_s = (np.arange(count) + 0.5) / rate_hz
    knots_s = np.geomspace(times_s[0], times_s[-1], KNOTS)
    before = np.clip(np.searchsorted(knots_s, times_s, side="right") - 1, 0, KNOTS - 2)
    share = (times_s - knots_s[before]) / np.diff(knots_s)[before]
    edges = np.concatenate([[0.0], np.sqrt(knots_s[1:] * knots_s[:-1]), knots_s[-1:]])
    samples = np.bincount(before, minlength=KNOTS - 1)
    return _Knots(knots_s, np.diff(edges), samples, share.astype(np.float32))


def shape(
    onsets: Sequence[Onset], decays_per_s: FloatArray, count: int, rate_hz: int, strength: float
) -> tuple[Float32Array, Float32Array]:
    """Envelopes of what keeps the ray's polarisation and of what has left it, (onsets, 2, bands, samples).

    Amplitudes fade by `decays_per_s` (onsets, bands). Scattering moves energy and makes none: the other array is what
    the direct wave keeps of its amplitude, for the coda is made of it. That is the same in all bands, as spectra of
    onsets show the source.
    """
    knots, onset, hz = _knots(count, rate_hz), stack_onsets(onsets), np.array(BANDS_HZ)[:, np.newaxis]
    fading = np.exp(-2 * decays_per_s[..., np.newaxis] * knots.time_s)
    early, coda = (part * fading for part in energy(onset, knots.time_s, hz))
    coherent = 1 / (1 + (2 * np.pi * hz * onset.delay_s) ** 2)
    made = np.maximum((early + coda)[:, MIDDLE] @ knots.width_s, 1.0)
    scattered = (early * (1 - coherent) + coda) / made[:, np.newaxis, np.newaxis]
    level = np.sqrt((scattered + mixed_energy(onset, knots.time_s)) * (strength / rate_hz))
    kept = (1 - onset.turned) * np.exp(-knots.time_s * (np.log(2) / onset.turned_s))
    at_knots = np.stack([level * np.sqrt(kept), level * np.sqrt(1 - kept)], axis=1).astype(np.float32)
    envelopes = np.repeat(np.diff(at_knots), knots.samples, axis=-1)
    envelopes *= knots.share
    envelopes += np.repeat(at_knots[..., :-1], knots.samples, axis=-1)
    return envelopes, (made**-0.5).astype(np.float32)
