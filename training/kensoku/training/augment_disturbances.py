"""More of what no earthquake makes: tones, swelling noise, garbled packets, bits that flip, values that hang."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from kensoku.training.augment import hide, rms, without_slow
from kensoku.training.augment_faults import forget
from kensoku.training.examples import RATE_HZ, Example

Chance = np.random.Generator
Shape = npt.NDArray[np.float64]  # (samples,) or (3, samples)

ELECTRONIC, OF_GROUND = (2.0, 1000.0), (2.0, 100.0)  # least and largest size, in the record's rms
SHORTEST_EDGE_S = 0.01
FULL_SCALE = 2.0**23


def tone(example: Example, chance: Chance) -> Example:
    """A calibration, a motor, a generator: begins and ends at once or slowly, may glide."""
    length = _length(example, chance, 0.5, 15)
    time_s = np.arange(length) / RATE_HZ
    hz = _log_uniform(chance, 0.3, 30) * np.exp(chance.normal(scale=0.1) * time_s / time_s[-1])
    turns = np.cumsum(hz) / RATE_HZ + chance.random()
    wave = sum(np.sin(2 * np.pi * n * turns) / n for n in range(1, int(chance.integers(2, 5))))
    return _laid(example, wave * _edges(length, chance), ELECTRONIC, _factors(chance), chance)


def swell(example: Example, chance: Chance) -> Example:
    """A vehicle, wind, a machine: noise of some band that grows and fades, on each component its own."""
    length = _length(example, chance, 1, 20)
    hz = _log_uniform(chance, 0.3, 35)
    noise = _coloured(chance, (3, length), hz, width=_log_uniform(chance, 0.05, 1.5))
    place = np.linspace(-1, 1, length) - chance.uniform(-0.5, 0.5)
    envelope = np.exp(-np.square(place) * _log_uniform(chance, 3, 30)) * np.hanning(length) ** chance.uniform(0.3, 1.5)
    return _laid(example, noise * envelope, OF_GROUND, chance.uniform(0.3, 1, size=3), chance)


def passing(example: Example, chance: Chance) -> Example:
    """A helicopter, a train, a motor on its way: a tone and its harmonics, which swell and sink as it goes by."""
    length = _length(example, chance, 3, 25)
    from_nearest_s = (np.arange(length) - length * chance.uniform(0.2, 0.8)) / RATE_HZ
    near_s = _log_uniform(chance, 0.5, 6)  # for which it is beside the station
    hz = _log_uniform(chance, 3, 25) * (1 - chance.uniform(0, 0.2) * np.tanh(from_nearest_s / near_s))
    turns = np.cumsum(hz) / RATE_HZ
    wave = np.zeros(length)
    for number in range(1, int(chance.integers(2, 6))):
        wave += np.sin(2 * np.pi * (number * turns + chance.random())) * chance.uniform(0.2, 1) / number
    wave *= (1 + np.square(from_nearest_s / near_s)) ** -chance.uniform(0.5, 1.5)
    return _laid(example, wave, OF_GROUND, chance.uniform(0.3, 1, size=3), chance)


def garbled(example: Example, chance: Chance) -> Example:
    """A packet of other numbers, white to strongly coloured, added or in the place of what was there."""
    length = _length(example, chance, 0.2, 6)
    steepness, jumps = chance.uniform(0, 2), chance.normal(size=length) / np.sqrt(chance.chisquare(3, size=length))
    spectrum = np.fft.rfft(jumps, 2 * length)
    spectrum[1:] /= np.arange(1, len(spectrum)) ** steepness
    return _laid(example, np.fft.irfft(spectrum)[:length], ELECTRONIC, _factors(chance), chance)


def flipped_bits(example: Example, chance: Chance) -> Example:
    """One bit set wrongly in some samples, one after the other or within two seconds."""
    shape = np.zeros(_length(example, chance, 0.05, 2))
    shape[chance.integers(0, len(shape), size=int(chance.integers(2, 12)))] = chance.choice([-1, 1])
    return _laid(example, shape, ELECTRONIC, _factors(chance), chance)


def ramp(example: Example, chance: Chance) -> Example:
    """Masses that are centred, somebody beside a tiltmeter: away, a while there, and back, each fast or slowly."""
    away, there, back = (_length(example, chance, *limits) for limits in ((0.05, 5), (0.05, 6), (0.05, 10)))
    falls = np.linspace(1, 0, back) if chance.random() < 0.5 else np.exp(-np.arange(back) * chance.uniform(2, 6) / back)
    shape = np.concatenate([np.linspace(0, 1, away), np.ones(there), falls])
    return _laid(example, shape * chance.choice([-1, 1]), ELECTRONIC, _factors(chance), chance)


def hung(example: Example, chance: Chance) -> Example:
    """Samples of which something else was written: the last value, the packet before, a straight line, full scale."""
    length = _length(example, chance, 0.05, 8)
    first = int(chance.integers(length, max(length + 1, example.length - length)))
    end = min(first + length, example.length - 1)
    counts, kind = example.counts.copy(), int(chance.integers(4))
    part = counts[:, first:end]
    is_missing = np.isnan(part)
    if kind == 0:
        part[:] = part[:, :1]
    elif kind == 1:
        part[:] = counts[:, first - (end - first) : first].copy()
    elif kind == 2:
        part[:] = np.linspace(counts[:, first], counts[:, end], end - first, axis=1)
    else:
        part[:] = chance.choice([-1, 1]) * FULL_SCALE
    part[is_missing] = np.nan
    gone = np.zeros(counts.shape, dtype=np.bool_)
    gone[:, first:end] = True
    return forget(replace(example, counts=counts), gone)


BESIDE: Mapping[str, Callable[[Example, Chance], Example]] = {"swell": swell, "passing": passing}
DISTURBANCES: Mapping[str, Callable[[Example, Chance], Example]] = {
    "tone": tone,
    **BESIDE,
    "garbled": garbled,
    "flipped_bits": flipped_bits,
    "ramp": ramp,
    "hung": hung,
}


def _laid(example: Example, shape: Shape, sizes: tuple[float, float], factors: Shape, chance: Chance) -> Example:
    """Somewhere over the record, its largest value of that size; what it hides becomes unknown."""
    largest, size = np.abs(shape).max(), rms(without_slow(example.counts))
    if not (largest > 0 and size > 0):
        return example
    counts, at = example.counts.copy(), int(chance.integers(example.length))
    part = counts[:, at : at + shape.shape[-1]]
    scaled = factors[:, None] * np.atleast_2d(shape) * (size * _log_uniform(chance, *sizes) / largest)
    part += scaled[:, : part.shape[1]].astype(np.float32)
    onsets, spans = hide(example.onsets, example.counts, counts - example.counts)
    return replace(example, counts=counts, onsets=onsets, unknown=example.unknown + spans)


def _factors(chance: Chance) -> Shape:
    """Of electronics: alike on all components, or on one alone."""
    return np.ones(3) if chance.random() < 0.5 else np.asarray(np.arange(3) == chance.integers(3), dtype=np.float64)


def _edges(length: int, chance: Chance) -> Shape:
    """1, with a rise and a fall that take between a sample and half of it all."""
    least = SHORTEST_EDGE_S * RATE_HZ
    rise, fall = (_log_uniform(chance, least, max(length / 2, 2 * least)) for _ in range(2))
    place = np.arange(length)
    shape = np.minimum(np.minimum(1, (place + 1) / rise), (length - place) / fall)
    return np.asarray(np.sin(shape * np.pi / 2) ** 2)


def _coloured(chance: Chance, shape: tuple[int, int], hz: float, width: float) -> Shape:
    """Noise around a frequency; `width` in natural logarithms."""
    spectrum = np.fft.rfft(chance.normal(size=shape), axis=1)
    of = np.fft.rfftfreq(shape[1], 1 / RATE_HZ)
    of[0] = of[1] / 2
    return np.asarray(np.fft.irfft(spectrum * np.exp(-0.5 * np.square(np.log(of / hz) / width)), shape[1], axis=1))


def _length(example: Example, chance: Chance, least_s: float, most_s: float) -> int:
    return min(max(2, round(RATE_HZ * _log_uniform(chance, least_s, most_s))), example.length // 2)


def _log_uniform(chance: Chance, least: float, most: float) -> float:
    return float(np.exp(chance.uniform(np.log(least), np.log(most))))
