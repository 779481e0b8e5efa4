"""Faults and disturbances to test with: other shapes than those that training and the simulator make.

Each is a function of time in units of its own largest value; NaN is a sample that a fault replaces by what came before.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from kensoku.training.evaluation.planted import Planted
from kensoku.training.examples import RATE_HZ, FloatArray

Chance = np.random.Generator
Shape = npt.NDArray[np.float64]


def boxcar(chance: Chance) -> Shape:
    """An offset that comes and goes at once: a loose connector."""
    return np.concatenate([np.ones(int(chance.integers(20, 500))), np.zeros(50)])


def calibration(chance: Chance) -> Shape:
    """A tapered tone, as digitisers play it into coils; frequency rises through some."""
    time_s = np.arange(int(chance.uniform(1, 8) * RATE_HZ)) / RATE_HZ
    start_hz, rise = chance.uniform(1, 15), chance.choice([0.0, chance.uniform(0.2, 2)])
    taper = np.clip(np.minimum(time_s, time_s[::-1]) / 0.1, 0, 1)
    return np.asarray(taper * np.sin(2 * np.pi * (start_hz * time_s + rise * time_s**2 / 2)))


def thunder(chance: Chance) -> Shape:
    """Rumble of several claps, each of which begins at once and dies away within a second or two."""
    shape = np.zeros(int(chance.uniform(4, 12) * RATE_HZ))
    for at in np.sort(chance.uniform(0, 0.6, size=chance.integers(2, 6))) * len(shape):
        after_s = np.arange(len(shape) - int(at)) / RATE_HZ
        noise = np.convolve(chance.normal(size=len(after_s) + 4), [0.1, 0.25, 0.3, 0.25, 0.1], "valid")
        shape[int(at) :] += chance.uniform(0.3, 1) * np.exp(-after_s / chance.uniform(0.3, 1.5)) * noise
    return np.asarray(shape / np.abs(shape).max())


def footsteps(chance: Chance) -> Shape:
    """Damped thuds at a walking pace, which come nearer and go away."""
    pace = chance.uniform(0.45, 0.7) * RATE_HZ
    count = int(chance.integers(8, 20))
    shape = np.zeros(int(count * pace) + 100)
    for step in range(count):
        time_s = np.arange(60) / RATE_HZ
        thud = np.exp(-time_s / chance.uniform(0.03, 0.08)) * np.sin(2 * np.pi * chance.uniform(12, 35) * time_s)
        at = int(step * pace + chance.normal(0, 3))
        nearness = 1 / (1 + ((step - count / 2) / (count / 6)) ** 2)
        shape[max(at, 0) : max(at, 0) + 60] += nearness * thud
    return np.asarray(shape / np.abs(shape).max())


def logger_spike(chance: Chance) -> Shape:
    """One wrong sample before the digitiser's filter: it rings to both sides, at 0.8 of the Nyquist frequency."""
    time = np.arange(-30, 31) + chance.uniform(-0.5, 0.5)
    ring = np.sinc(0.8 * time) * np.hanning(61)
    again = int(chance.integers(1, 4))
    return np.concatenate([part for _ in range(again) for part in (ring, np.zeros(int(chance.integers(5, 100))))])


def bit_error(chance: Chance) -> Shape:
    """Single samples with a wrong high bit, minutes or tenths of a second apart."""
    shape = np.zeros(int(chance.integers(10, 300)))
    shape[chance.integers(0, len(shape), size=chance.integers(1, 8))] = chance.choice([-1.0, 1.0])
    shape[0] = 1
    return shape


def dropout(chance: Chance) -> Shape:
    """The last value stands for a while."""
    return np.full(int(np.exp(chance.uniform(np.log(8), np.log(90)))), np.nan)


def tear(chance: Chance) -> Shape:
    """The clock is set: from there on the record is that of some time later, and slow waves do not fit."""
    return np.concatenate([np.full(int(chance.integers(1, 4)), np.nan), np.full(400, chance.choice([-1.0, 1.0]))])


def recentring(chance: Chance) -> Shape:
    """A motor moves the mass: ticks, then a slow return from full scale."""
    after_s = np.arange(15 * RATE_HZ) / RATE_HZ
    ticks = (np.arange(len(after_s)) % int(chance.integers(10, 30)) < 2) * (after_s < chance.uniform(0.5, 3))
    return np.asarray(0.2 * ticks + np.exp(-after_s / chance.uniform(1, 6)) * np.clip(after_s / 0.1, 0, 1))


def tap(chance: Chance) -> Shape:
    """Somebody knocks against the vault: one damped oscillation of its cover."""
    time_s = np.arange(150) / RATE_HZ
    hz, damping = chance.uniform(8, 40), chance.uniform(0.05, 0.3)
    return np.asarray(np.exp(-2 * np.pi * hz * damping * time_s) * np.sin(2 * np.pi * hz * time_s))


SHAPES: Mapping[str, Callable[[Chance], Shape]] = {
    "boxcar": boxcar,
    "calibration": calibration,
    "thunder": thunder,
    "footsteps": footsteps,
    "logger_spike": logger_spike,
    "bit_error": bit_error,
    "dropout": dropout,
    "tear": tear,
    "recentring": recentring,
    "tap": tap,
}
MECHANICAL = ("thunder", "footsteps", "tap", "calibration")  # on all components, each with a size of its own
SIZES = (3.0, 300.0)  # in rms of the record's steps from sample to sample


def plant(name: str, counts: FloatArray, at: int, chance: Chance) -> Planted:
    """A fault, as large as chance will have it, from a sample of a record on."""
    shape = SHAPES[name](chance)[: counts.shape[1] - at]
    steps = np.diff(counts.astype(np.float64), axis=1)
    size = np.nanstd(steps[~np.isnan(steps).all(axis=1)], axis=1).max() * np.exp(chance.uniform(*np.log(SIZES)))
    if name in MECHANICAL:
        factors = chance.uniform(0.3, 1, size=3) * chance.choice([-1, 1], size=3)
    elif name in ("dropout", "tear") or chance.random() < 0.5:
        factors = np.full(3, 1.0 if name == "tear" else chance.choice([-1.0, 1.0]))
    else:
        factors = np.eye(3)[chance.integers(3)] * chance.choice([-1, 1])
    changed = counts.copy()
    part = changed[:, at : at + len(shape)]
    held = np.isnan(shape)
    part += (factors[:, np.newaxis] * np.where(held, 0, shape) * size).astype(np.float32)
    part[np.ix_(factors != 0, held)] = counts[factors != 0, max(at - 1, 0)][:, np.newaxis]
    return Planted(changed, at, at + len(shape))
