"""Other instruments and other ground: filters, turned sensors, lost components, coarse and full digitisers."""

import functools
from dataclasses import replace

import numpy as np
from scipy.signal import butter, lfilter, oaconvolve

from kensoku.training.augment import fill, hide, quiet, without_offset
from kensoku.training.examples import RATE_HZ, Example, FloatArray, Onset, Span

PULSE = 4096  # samples over which the pulse of attenuation is worked out


def flip_polarity(example: Example) -> Example:
    return replace(example, counts=-example.counts)


def rotate_horizontals(example: Example, angle: float) -> Example:
    """By radians, from north over east; where one of both is missing nothing can be turned."""
    north, east = example.counts[1], example.counts[2]
    if np.isnan(north).all() or np.isnan(east).all():
        return example
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return replace(
        example, counts=np.stack([example.counts[0], cosine * north + sine * east, cosine * east - sine * north])
    )


def drop_components(example: Example, lost: tuple[int, ...], is_dead: bool = False) -> Example:
    """Missing, or dead: one value throughout. The last that is live is kept."""
    live = set(np.flatnonzero(np.isfinite(example.counts).any(axis=1)).tolist())
    if not live - set(lost):
        return example
    counts = example.counts.copy()
    counts[list(lost)] = np.where(np.isnan(counts[list(lost)]), np.nan, 0) if is_dead else np.nan
    return replace(example, counts=counts)


def filter_band(example: Example, low_hz: float, high_hz: float) -> Example:
    """As a recorder with such a causal filter; what it delays, its labels follow. `high_hz` 50: none."""
    counts, missing = fill(example.counts)
    counts = counts - counts[:, :1]
    counts = _causal(low_hz, "highpass", counts)
    delay = 0.0
    if high_hz < RATE_HZ / 2:
        counts = _causal(high_hz, "lowpass", counts)
        delay = RATE_HZ * np.sqrt(2) / (2 * np.pi * high_hz)  # of slow waves, Butterworth of second order
    counts[missing] = np.nan
    return _later(replace(example, counts=counts.astype(np.float32)), delay)


def _later(example: Example, delay: float) -> Example:
    """Labels that many samples on."""
    return replace(
        example,
        onsets=tuple(Onset(each.phase, each.sample + delay, each.weight) for each in example.onsets),
        unknown=tuple(Span(each.phase, each.first + delay, each.last + delay) for each in example.unknown),
    )


def _causal(hz: float, kind: str, counts: FloatArray) -> FloatArray:
    b, a = _butter(round(hz, 2), kind)
    found: FloatArray = lfilter(b, a, counts, axis=1)
    return found


@functools.lru_cache(maxsize=4096)
def _butter(hz: float, kind: str) -> tuple[FloatArray, FloatArray]:
    b, a = butter(2, hz, kind, fs=RATE_HZ)
    return b, a


def attenuate(example: Example, t_star_s: float) -> Example:
    """exp(-pi f t*): what more way through the ground takes from the high frequencies.

    Of minimum phase, since ground disperses: nothing is felt before the onset. Labels lie where the pulse begins.
    """
    kernel, delay = _attenuation(round(t_star_s, 4))
    counts, missing = fill(example.counts)
    first = counts[:, :1]
    found = (oaconvolve(counts - first, kernel[None, :], axes=1)[:, : example.length] + first).astype(np.float32)
    found[missing] = np.nan
    return _later(replace(example, counts=found), delay)


@functools.lru_cache(maxsize=1024)
def _attenuation(t_star_s: float) -> tuple[FloatArray, float]:
    """The pulse, and the samples after which it has a tenth of its height.

    -pi f t* up to the Nyquist frequency is a triangle; the terms of its series, all taken as later, give the phase.
    """
    lag = np.arange(1, PULSE, 2)
    later = np.zeros(PULSE)
    later[0] = -np.pi * RATE_HZ * t_star_s / 4
    later[lag] = 2 * RATE_HZ * t_star_s / (np.pi * lag**2)
    pulse = np.fft.irfft(np.exp(np.fft.rfft(later)), PULSE)[: PULSE // 2]
    return pulse.astype(np.float32), float(np.argmax(pulse > pulse.max() / 10))


def limit_rate(example: Example, rate_hz: float) -> Example:
    """As a digitiser of fewer samples, brought to 100 Hz: nothing above four fifths of its Nyquist frequency."""
    counts, missing = fill(example.counts)
    first, length = counts[:, :1], example.length
    padded = np.pad(counts - first, ((0, 0), (0, length // 4)), mode="linear_ramp")
    hz = np.fft.rfftfreq(padded.shape[1], 1 / RATE_HZ)
    spectrum = np.fft.rfft(padded, axis=1) / (1 + np.power(hz / (0.4 * rate_hz), 24))
    found = (np.fft.irfft(spectrum, padded.shape[1], axis=1)[:, :length] + first).astype(np.float32)
    found[missing] = np.nan
    return replace(example, counts=found)


def scale(example: Example, factors: tuple[float, float, float]) -> Example:
    """Other gains, also between components."""
    return replace(example, counts=example.counts * np.array(factors, dtype=np.float32)[:, None])


def coarsen(example: Example, noise_counts: float) -> Example:
    """As whole counts, with this rms between the loud parts; what is lost in the rounding becomes unknown."""
    size = quiet(example.counts)
    if not size > 0:
        return example
    counts = example.counts * np.float32(noise_counts / size)
    found = np.rint(counts)
    onsets, spans = hide(example.onsets, found, found - counts)
    return replace(example, counts=found, onsets=onsets, unknown=example.unknown + spans)


def clip(example: Example, share: float) -> Example:
    """No sample is farther from its component's median than this share of the farthest."""
    waves = without_offset(example.counts)
    most = np.float32(share * np.abs(np.nan_to_num(waves)).max())
    return replace(example, counts=example.counts - waves + np.clip(waves, -most, most)) if most > 0 else example
