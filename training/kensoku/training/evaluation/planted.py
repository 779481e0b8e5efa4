"""Faults of instruments and telemetry, and what happens beside a station, to plant into quiet records.

No network was trained with these shapes: what training lays over records is made elsewhere, by other code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

RATE_HZ = 100
Chance = np.random.Generator
Shape = npt.NDArray[np.float64]  # (samples,), largest absolute value about 1
ELECTRONICS, GROUND = (5.0, 2000.0), (3.0, 100.0)  # least and largest size, in the record's rms


@dataclass(frozen=True, slots=True)
class Planted:
    counts: npt.NDArray[np.float32]  # (3, samples)
    first: int
    end: int  # of what was planted, exclusive


Plant = Callable[[npt.NDArray[np.float32], int, Chance], Planted]


def noise_rms(counts: npt.NDArray[np.float32]) -> float:
    """Of the component that moves most, without offsets."""
    with np.errstate(invalid="ignore"):
        live = counts[~np.isnan(counts).all(axis=1)].astype(np.float64)
    return float(np.nanstd(live, axis=1).max()) if len(live) else 0.0


# --- electronics ------------------------------------------------------------------------------------------------------


def _single_sample(chance: Chance) -> Shape:
    return np.array([chance.choice([-1.0, 1.0])])


def _bit_flips(chance: Chance) -> Shape:
    """The same high bit, set in some samples of a second."""
    shape = np.zeros(int(chance.integers(20, 100)))
    shape[chance.integers(0, len(shape), size=chance.integers(2, 8))] = chance.choice([-1.0, 1.0])
    return shape


def _lightning(chance: Chance) -> Shape:
    """A stroke, and some that follow within half a second; each overshoots as an anti-alias filter does."""
    ringing = np.sinc(np.arange(-6, 12) * 0.8) * np.exp(-np.abs(np.arange(-6, 12)) / 4)
    strokes = np.zeros(50)
    strokes[np.concatenate([[0], chance.integers(4, 50, size=chance.integers(0, 4))])] = chance.uniform(0.2, 1)
    return np.asarray(np.convolve(strokes, ringing))


def _offset(chance: Chance) -> Shape:
    """Jumps, and jumps back seconds later."""
    return np.asarray(np.full(int(chance.integers(80, 900)), chance.choice([-1.0, 1.0])))


def _recentring(chance: Chance) -> Shape:
    """The masses are driven against their stop, held there, and come back slowly."""
    drive, held = int(chance.integers(20, 120)), int(chance.integers(50, 400))
    back = np.exp(-np.arange(600) / chance.uniform(40, 250))
    return np.asarray(np.concatenate([np.linspace(0, 1, drive), np.ones(held), back]) * chance.choice([-1, 1]))


def _square_calibration(chance: Chance) -> Shape:
    """Current on, current off: the sensor answers each with a damped swing."""
    period_s, damping = chance.uniform(0.5, 10), chance.uniform(0.6, 0.8)
    omega = 2 * np.pi / period_s
    time_s = np.arange(700) / RATE_HZ
    swung = omega * np.sqrt(1 - damping**2)
    answer = np.exp(-damping * omega * time_s) * np.sin(swung * time_s)
    shape, off = answer.copy(), int(chance.integers(100, 500))
    shape[off:] -= answer[: len(answer) - off]
    return np.asarray(shape / np.abs(shape).max())


def _sine_calibration(chance: Chance) -> Shape:
    time_s = np.arange(int(chance.integers(200, 900))) / RATE_HZ
    return np.asarray(np.sin(2 * np.pi * chance.choice([0.5, 1.0, 2.0, 5.0, 10.0]) * time_s))


def _tilt(chance: Chance) -> Shape:
    """Somebody steps beside the vault: a broadband sensor drifts off and returns over seconds."""
    time_s = np.arange(1000) / RATE_HZ
    slow = chance.uniform(0.4, 1.2)
    shape = time_s / slow * np.exp(1 - time_s / slow)
    return np.asarray(shape / shape.max() * chance.choice([-1, 1]))


def _garbage(chance: Chance) -> Shape:
    """A packet that was decompressed wrongly: differences of another stream add up."""
    walk = np.cumsum(chance.standard_t(2, size=int(chance.integers(100, 500))))
    return np.asarray(walk / np.abs(walk).max())


# --- beside the station -----------------------------------------------------------------------------------------------


def _thud(length: int, hz: float, quality: float) -> Shape:
    time_s = np.arange(length) / RATE_HZ
    return np.asarray(np.exp(-np.pi * hz / quality * time_s) * np.sin(2 * np.pi * hz * time_s))


def _footsteps(chance: Chance) -> Shape:
    """Somebody comes, passes and goes, at a pace of about 1.8 a second."""
    count, pace = int(chance.integers(8, 18)), 1 / chance.uniform(1.6, 2.2)
    shape = np.zeros(round((count * pace + 1) * RATE_HZ))
    near = chance.uniform(0.3, 0.7) * count
    for number in range(count):
        at = round((number + chance.normal(scale=0.05)) * pace * RATE_HZ)
        thud = _thud(60, chance.uniform(12, 35), chance.uniform(2, 5)) / (1 + ((number - near) / 2) ** 2)
        shape[max(at, 0) : max(at, 0) + 60] += thud[: len(shape) - max(at, 0)]
    return np.asarray(shape / np.abs(shape).max())


def _vehicle(chance: Chance) -> Shape:
    """Noise of some band that swells and fades."""
    length, hz = int(chance.integers(400, 1000)), chance.uniform(4, 20)
    radius, turn = 0.97, 2 * np.pi * hz / RATE_HZ
    rumble = lfilter([1.0], [1.0, -2 * radius * np.cos(turn), radius**2], chance.normal(size=length))
    shape = rumble * np.sin(np.pi * np.arange(length) / length) ** 2
    return np.asarray(shape / np.abs(shape).max())


def _helicopter(chance: Chance) -> Shape:
    """Harmonics of the blades that glide down as it passes."""
    length, blades_hz = 1000, chance.uniform(10, 17)
    time_s = (np.arange(length) - length / 2) / RATE_HZ
    turns = np.cumsum(blades_hz * (1 - 0.15 * np.tanh(time_s / 1.5))) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * n * turns + chance.uniform(0, 6)) / n for n in range(1, 4))
    shape = tones / (1 + (time_s / 2) ** 2)
    return np.asarray(shape / np.abs(shape).max())


def _gust(chance: Chance) -> Shape:
    length = int(chance.integers(300, 1000))
    slow = np.cumsum(chance.normal(size=length))
    shape = (slow - np.linspace(slow[0], slow[-1], length)) * np.hanning(length)
    return np.asarray(shape / np.abs(shape).max())


# --- planting ---------------------------------------------------------------------------------------------------------


def _laid_over(make: Callable[[Chance], Shape], *, is_ground: bool) -> Plant:
    """What moves the ground is on all components, each in its own strength; electronics on one, or alike on all."""

    def plant(counts: npt.NDArray[np.float32], at: int, chance: Chance) -> Planted:
        shape = make(chance)
        size = noise_rms(counts) * np.exp(chance.uniform(*np.log(GROUND if is_ground else ELECTRONICS)))
        gains = chance.uniform(0.3, 1, size=3) if is_ground else _rows(counts, chance)
        found, end = counts.astype(np.float64), min(at + len(shape), counts.shape[1])
        found[:, at:end] += size * gains[:, None] * shape[: end - at]
        return Planted(found.astype(np.float32), at, end)

    return plant


def _rows(counts: npt.NDArray[np.float32], chance: Chance) -> Shape:
    if chance.random() < 0.5:
        return np.ones(3)
    live = np.flatnonzero(~np.isnan(counts).all(axis=1))
    return np.asarray(np.arange(3) == chance.choice(live), dtype=np.float64)


def _repeated(counts: npt.NDArray[np.float32], at: int, chance: Chance) -> Planted:
    """A packet that arrives twice stands in the place of the next."""
    length = min(int(chance.integers(40, 400)), at, counts.shape[1] - at)
    found = counts.copy()
    found[:, at : at + length] = counts[:, at - length : at]
    return Planted(found, at, at + length)


def _held(counts: npt.NDArray[np.float32], at: int, chance: Chance) -> Planted:
    """The last value, again and again."""
    end = min(at + int(chance.integers(20, 800)), counts.shape[1])
    found = counts.copy()
    found[:, at:end] = counts[:, at : at + 1]
    return Planted(found, at, end)


def _zeroed(counts: npt.NDArray[np.float32], at: int, chance: Chance) -> Planted:
    end = min(at + int(chance.integers(2, 800)), counts.shape[1])
    found = counts.copy()
    found[:, at:end] *= 0
    return Planted(found, at, end)


def _bridged(counts: npt.NDArray[np.float32], at: int, chance: Chance) -> Planted:
    """A gap that somebody has filled with a straight line."""
    end = min(at + int(chance.integers(20, 800)), counts.shape[1] - 1)
    found = counts.copy()
    found[:, at:end] = np.linspace(counts[:, at], counts[:, end], end - at, axis=1)
    return Planted(found, at, end)


def _saturated(counts: npt.NDArray[np.float32], at: int, chance: Chance) -> Planted:
    """The converter hangs at full scale."""
    end = min(at + int(chance.integers(5, 300)), counts.shape[1])
    found = counts.copy()
    found[:, at:end] = np.where(np.isnan(counts[:, at:end]), np.nan, chance.choice([-(2.0**23), 2.0**23 - 1]))
    return Planted(found, at, end)


OF_INSTRUMENTS: Mapping[str, Plant] = {
    "single sample": _laid_over(_single_sample, is_ground=False),
    "bit flips": _laid_over(_bit_flips, is_ground=False),
    "lightning": _laid_over(_lightning, is_ground=False),
    "offset": _laid_over(_offset, is_ground=False),
    "mass recentring": _laid_over(_recentring, is_ground=False),
    "square calibration": _laid_over(_square_calibration, is_ground=False),
    "sine calibration": _laid_over(_sine_calibration, is_ground=False),
    "tilt": _laid_over(_tilt, is_ground=False),
    "garbage packet": _laid_over(_garbage, is_ground=False),
    "repeated packet": _repeated,
    "held value": _held,
    "zeros": _zeroed,
    "straight line": _bridged,
    "full scale": _saturated,
}
BESIDE: Mapping[str, Plant] = {
    "footsteps": _laid_over(_footsteps, is_ground=True),
    "vehicle": _laid_over(_vehicle, is_ground=True),
    "helicopter": _laid_over(_helicopter, is_ground=True),
    "gust": _laid_over(_gust, is_ground=True),
}
PLANTED: Mapping[str, Plant] = {**OF_INSTRUMENTS, **BESIDE}
