"""What no earthquake makes: faults of instruments, gaps, and what people do beside a station."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from kensoku.training.augment import hide, rms, without_slow
from kensoku.training.examples import RATE_HZ, BoolArray, Example, FloatArray, Onset, Span

Chance = np.random.Generator

SIZED, DROWNED = 2000, 0.03  # samples from which a network takes a record's size; of their mean, what it cannot see


def spikes(example: Example, chance: Chance) -> Example:
    """One to twelve samples, or pairs of them, on one component or on all."""
    counts = example.counts.copy()
    rows = _rows(chance)
    for at in chance.integers(0, example.length - 3, size=chance.integers(1, 13)):
        height = _size(example, chance, 3, 100) * chance.choice([-1, 1])
        counts[rows, at : at + chance.integers(1, 3)] += height
        if chance.random() < 0.3:
            counts[rows, at + 1] -= height
    return replace(example, counts=counts)


def step(example: Example, chance: Chance) -> Example:
    """An offset that stays, or that the sensor forgets within seconds."""
    at = int(chance.integers(example.length))
    after_s = np.arange(example.length - at) / RATE_HZ
    shape = np.ones(len(after_s)) if chance.random() < 0.5 else np.exp(-after_s / chance.uniform(0.5, 10))
    return _add(example, at, shape * _size(example, chance, 2, 50) * chance.choice([-1, 1]), _rows(chance))


def calibration_pulse(example: Example, chance: Chance) -> Example:
    """A sensor's answer to a step: swings out and returns."""
    at, length = int(chance.integers(example.length)), int(chance.integers(100, 1500))
    time_s = np.arange(length) / RATE_HZ
    hz, damping = chance.uniform(0.2, 5), chance.uniform(0.3, 1.0)
    shape = np.exp(-2 * np.pi * hz * damping * time_s) * np.sin(2 * np.pi * hz * time_s)
    return _add(example, at, shape * _size(example, chance, 2, 50) * chance.choice([-1, 1]), _rows(chance))


def transient(example: Example, chance: Chance) -> Example:
    """Footsteps, a vehicle, a machine: bursts of some frequency that swell and fade without P and S."""
    found = example
    at, apart = float(chance.integers(example.length)), chance.uniform(30, 100)
    count = int(chance.integers(3, 20)) if chance.random() < 0.5 else 1
    length = int(chance.integers(15, 60)) if count > 1 else int(chance.integers(200, 1500))
    hz, size = chance.uniform(5, 40), _size(example, chance, 2, 30)
    for number in range(count):
        phase = chance.uniform(0, 2 * np.pi)
        time_s = np.arange(length) / RATE_HZ
        shape = np.hanning(length) * np.sin(2 * np.pi * hz * time_s + phase + chance.normal(scale=0.3, size=length))
        place = round(at + number * apart)
        if place < example.length:
            found = _add(found, place, shape * size * chance.uniform(0.6, 1.4), slice(None), chance)
    onsets, spans = hide(example.onsets, example.counts, found.counts - example.counts)
    return replace(found, onsets=onsets, unknown=example.unknown + spans)


def gaps(example: Example, chance: Chance) -> Example:
    """One to three of 0.05 to 8 s, missing; as some files have them, zeros."""
    rows = slice(None) if chance.random() < 0.7 else _rows(chance)
    value = np.nan if chance.random() < 0.75 else 0.0
    gone = np.zeros(example.counts.shape, dtype=np.bool_)
    for _ in range(chance.integers(1, 4)):
        length = round(RATE_HZ * np.exp(chance.uniform(np.log(0.05), np.log(8))))
        at = int(chance.integers(example.length))
        gone[rows, at : at + length] = True
    return _lose(example, gone, value)


def padding(example: Example, chance: Chance) -> Example:
    """The record begins or ends inside: missing from there, or zeros."""
    gone = np.zeros(example.counts.shape, dtype=np.bool_)
    at = int(chance.integers(50, example.length // 2))
    part = slice(0, at) if chance.random() < 0.5 else slice(example.length - at, None)
    value = np.nan if chance.random() < 0.6 else 0.0
    gone[:, part] = True
    return _lose(example, gone, value)


FAULTS: Mapping[str, Callable[[Example, Chance], Example]] = {
    "spikes": spikes,
    "step": step,
    "calibration_pulse": calibration_pulse,
    "transient": transient,
    "gaps": gaps,
    "padding": padding,
}


def forget_missing(example: Example) -> Example:
    """Onsets of whose first moments no component has anything are unknown."""
    return forget(example, np.isnan(example.counts))


def forget_drowned(example: Example) -> Example:
    """Onsets of which a network sees nothing, as it takes the size of a record from its last seconds, are unknown."""
    waves = np.abs(without_slow(example.counts))
    seen: list[Onset] = []
    lost: list[Span] = []
    for onset in example.onsets:
        at = round(onset.sample)
        before = waves[:, max(at - SIZED, 0) : max(at, 0)]
        is_drowned = before.size and waves[:, at : at + 50].max(initial=0) < DROWNED * before.sum(axis=0).mean()
        if is_drowned:
            lost.append(Span(onset.phase, at - 50, at + 200))
        else:
            seen.append(onset)
    return replace(example, onsets=tuple(seen), unknown=example.unknown + tuple(lost)) if lost else example


def _lose(example: Example, gone: BoolArray, value: float) -> Example:
    missing = np.isnan(example.counts)
    counts = np.where(gone & ~missing, np.float32(value), example.counts)
    return forget(replace(example, counts=counts), gone | missing)


def forget(example: Example, gone: BoolArray) -> Example:
    """Onsets at whose place all components are gone are unknown."""
    everywhere = gone.all(axis=0)
    if not everywhere.any():
        return example
    kept: list[Onset] = []
    lost: list[Span] = []
    for onset in example.onsets:
        at = round(onset.sample)
        beside = everywhere[max(at - 5, 0) : max(at + 30, 0)]
        if beside.size and beside.any():
            lost.append(Span(onset.phase, onset.sample - 50, onset.sample + 50))
        else:
            kept.append(onset)
    return replace(example, onsets=tuple(kept), unknown=example.unknown + tuple(lost))


def _rows(chance: Chance) -> slice:
    """All components, or one."""
    if chance.random() < 0.5:
        return slice(None)
    row = int(chance.integers(3))
    return slice(row, row + 1)


def _size(example: Example, chance: Chance, least: float, most: float) -> float:
    """Log-uniform, in the record's rms."""
    return rms(without_slow(example.counts)) * float(np.exp(chance.uniform(np.log(least), np.log(most))))


def _add(example: Example, at: int, shape: FloatArray, rows: slice, chance: Chance | None = None) -> Example:
    """On the rows, each with a factor of its own if there is chance."""
    counts = example.counts.copy()
    part = counts[rows, at : at + len(shape)]
    factors = chance.uniform(0.3, 1, size=(len(part), 1)) if chance else np.ones((len(part), 1))
    part += (factors * shape[: part.shape[1]]).astype(np.float32)
    return replace(example, counts=counts)
