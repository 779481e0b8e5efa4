"""Record: ground velocity goes through sensor, clipping, anti-alias filter and converter, and whole numbers come out.

The sensor's corner is a recursive filter, which never forgets; here it does, after a stated number of blocks. The state
at a block's start is the sum of what each of the blocks before it left behind, and older ones have decayed below a
millionth. What the recursion gets wrong near the Nyquist frequency is put right in the digitiser's filter, so that
below it the whole chain has exactly the response of poles, zeros and coefficients that `stationxml` writes.

Strong shaking shifts the baseline of an accelerometer, which integrates to metres: nobody sees it in the acceleration.
"""

import functools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.signal

from kensoku.simulation.disturbances import (
    BLOCK_NS,
    IN_SENSOR,
    LOOK_AHEAD_S,
    TELEMETRY,
    Disturbance,
    Rates,
    add_to_sensor,
    corrupt,
    list_disturbances,
    list_touching,
)
from kensoku.simulation.instruments import ComplexArray, Digitiser, Instrument, Sensor
from kensoku.simulation.randomness import BLOCK_S, FloatArray, draw

Ground = npt.NDArray[np.floating[Any]]  # velocity in m/s, (components, samples)
Int32Array = npt.NDArray[np.int32]

MEMORY_S = 3  # that the digitiser's filter has; with LOOK_AHEAD_S the length of its impulse response
LARGEST_COUNT = 2**23 - 1

# Accelerometers shift when shaken by more than 50 cm/s2 (Iwan et al., 1985), to tenths of 1 cm/s2 in strong earthquakes
# (Boore, 2001): by tilt, so the vertical less.
SHIFTS_FROM_M_S2 = 0.5
SHIFT_A_S = 4e-3  # standard deviation of the shift, over what was above and for how long
SHIFT_WEIGHTS = np.array([0.3, 1.0, 1.0])[:, np.newaxis]


@dataclass(frozen=True, slots=True)
class _Recursion:
    """A second-order section, what a unit of each of its two states becomes in a block, and the digitiser's filter."""

    section: FloatArray
    ringing: FloatArray  # (states, samples)
    transition: FloatArray  # (states after, states before)
    filter: ComplexArray  # on the frequencies of MEMORY_S + LOOK_AHEAD_S + BLOCK_S


@functools.lru_cache(maxsize=64)
def _recursion(sensor: Sensor, digitiser: Digitiser) -> _Recursion:
    rate_hz = digitiser.rate_hz
    section = _corner_section(sensor, rate_hz)
    ringing, states = scipy.signal.sosfilt(section, np.zeros((2, BLOCK_S * rate_hz)), zi=np.eye(2)[np.newaxis])
    return _Recursion(section, ringing, states[0].T, _correcting_filter(sensor, digitiser, section))


def _corner_section(sensor: Sensor, rate_hz: int) -> FloatArray:
    """Two zeros at 0 and the pole pair of the corner, or the difference that makes acceleration of velocity."""
    if sensor.is_accelerometer:
        return np.array([[rate_hz, -rate_hz, 0.0, 1.0, 0.0, 0.0]])
    corner = sensor.poles[:2]
    section: FloatArray = scipy.signal.zpk2sos(*scipy.signal.bilinear_zpk([0, 0], corner, 1.0, rate_hz))
    return section


def _correcting_filter(sensor: Sensor, digitiser: Digitiser, section: FloatArray) -> ComplexArray:
    """What is left of the instrument's response after the section, as an impulse response of a few seconds."""
    rate_hz = digitiser.rate_hz
    count = (BLOCK_S + MEMORY_S + LOOK_AHEAD_S) * rate_hz
    hz = np.fft.rfftfreq(count, 1 / rate_hz)[1:]
    _, done = scipy.signal.sosfreqz(section, worN=hz, fs=rate_hz)
    left = Instrument(sensor, digitiser).response(hz) / done
    impulse = np.fft.irfft(np.concatenate([left[:1].real, left]), count)
    impulse[MEMORY_S * rate_hz : -LOOK_AHEAD_S * rate_hz] = 0.0
    return np.fft.rfft(impulse)


@dataclass(slots=True)
class _Memory:
    """What blocks leave to those after them; as many as the instrument remembers."""

    states: deque[FloatArray]  # of the sensor, from each block alone
    shifts: deque[FloatArray]  # of the baseline, (components, 1)
    tail: FloatArray | None = None  # of the last block's output, for the digitiser


class Recorder:
    """One station's instrument: block after block of ground goes in, block after block of counts comes out."""

    def __init__(self, instrument: Instrument, seed: int, station: str, rates: Rates | None = None) -> None:
        self._instrument, self._seed, self._station = instrument, seed, station
        rates = rates or Rates()
        self._rates = rates if instrument.sensor.is_broadband else replace(rates, recentring=0.0)
        self._rate_hz = instrument.digitiser.rate_hz
        self._count = BLOCK_S * self._rate_hz
        self._recursion = _recursion(instrument.sensor, instrument.digitiser)

    def record(self, grounds: Iterable[Ground], first: int) -> Iterator[tuple[int, Int32Array]]:
        """Yields (start_ns, counts) for every block of `grounds`, ground velocity in m/s, from block `first` on.

        The first `warm_up_blocks` only warm up and give nothing. A block of counts starts LOOK_AHEAD_S before its
        block of ground, since the filter looks ahead by as much.
        """
        blocks = self._instrument.memory_blocks
        memory = _Memory(states=deque(maxlen=blocks), shifts=deque(maxlen=blocks))
        for block, ground in enumerate(grounds, first):
            counts = self._next_block(block, ground, memory)
            del ground  # a network has thousands of these waiting
            if block - first >= self._instrument.warm_up_blocks:
                yield block * BLOCK_NS - LOOK_AHEAD_S * 10**9, counts

    def disturbances(self, first: int, last: int) -> Iterator[Disturbance]:
        """Truth: those of the instrument and its telemetry that are drawn in these blocks, both included."""
        return list_disturbances(self._seed, self._station, self._rates, first, last, IN_SENSOR | TELEMETRY)

    def _next_block(self, block: int, ground: Ground, memory: _Memory) -> Int32Array:
        output = self._sense(ground, block, memory)
        needed = (MEMORY_S + LOOK_AHEAD_S) * self._rate_hz
        tail = np.zeros((output.shape[0], needed)) if memory.tail is None else memory.tail
        memory.tail = output[:, -needed:].copy()
        return self._digitise(np.concatenate([tail, output], axis=1), block)

    def _sense(self, ground: Ground, block: int, memory: _Memory) -> FloatArray:
        """The sensor's output; adds to the memory what this block alone leaves behind."""
        recursion, count = self._recursion, ground.shape[0]
        if ground.shape[1] != self._count:
            raise ValueError(f"{ground.shape[1]} samples of ground; expected a block of {self._count}")
        output: FloatArray
        output, left = scipy.signal.sosfilt(
            recursion.section, ground.astype(np.float64, copy=False), zi=np.zeros((1, count, 2))
        )
        state = np.zeros((count, 2))
        for older in memory.states:
            state = _advance(state, recursion.transition) + older
        output += state[:, :1] * recursion.ringing[0]
        output += state[:, 1:] * recursion.ringing[1]
        memory.states.append(left[0])
        if self._instrument.sensor.is_accelerometer:
            self._shift(output, block, memory.shifts)
        self._disturb(output, block)
        full = self._instrument.full_scale
        np.clip(output, -full, full, out=output)
        return output

    def _shift(self, acceleration: FloatArray, block: int, shifts: deque[FloatArray]) -> None:
        """Grows while the shaking is strong, stays to the block's end and creeps back in as many as are remembered."""
        moved = np.zeros((acceleration.shape[0], 1))
        shift: FloatArray | None = None
        if np.abs(acceleration).max() > SHIFTS_FROM_M_S2:
            direction = SHIFT_WEIGHTS * draw(self._seed, self._station, "shift", block).standard_normal((3, 1))
            above = np.maximum(np.abs(acceleration) - SHIFTS_FROM_M_S2, 0.0)
            shift = SHIFT_A_S / self._rate_hz * direction[: len(above)] * np.cumsum(above, axis=1)
            moved = shift[:, -1:]
        for age, older in enumerate(reversed(shifts)):
            if older.any():
                way = np.linspace(age, age + 1, self._count, endpoint=False) / self._instrument.memory_blocks
                acceleration += older * np.cos(np.pi / 2 * way) ** 2
        if shift is not None:
            acceleration += shift
        shifts.append(moved)

    def _disturb(self, output: FloatArray, block: int) -> None:
        sensor = self._instrument.sensor
        corner = (2 * np.pi * sensor.corner_hz, sensor.damping)
        for disturbance in list_touching(self._seed, self._station, self._rates, block, IN_SENSOR):
            full = self._instrument.full_scale
            add_to_sensor(output, block * BLOCK_NS, self._rate_hz, disturbance, corner, full)

    def _digitise(self, stretch: FloatArray, block: int) -> Int32Array:
        spectrum = scipy.fft.rfft(stretch)
        spectrum *= self._recursion.filter
        first = MEMORY_S * self._rate_hz
        exact = scipy.fft.irfft(spectrum, stretch.shape[1], overwrite_x=True)[:, first : first + self._count]
        exact *= 1 + np.array(self._instrument.gain_errors)[: exact.shape[0], np.newaxis]
        noise = draw(self._seed, self._station, "digitiser", block).standard_normal(exact.shape, dtype=np.float32)
        noise *= np.float32(self._instrument.noise_counts)
        exact += noise
        np.rint(exact, out=exact)
        counts: Int32Array = np.clip(exact, -LARGEST_COUNT - 1, LARGEST_COUNT, out=exact).astype(np.int32)
        start_ns = block * BLOCK_NS - LOOK_AHEAD_S * 10**9
        for disturbance in list_disturbances(self._seed, self._station, self._rates, block, block, TELEMETRY):
            corrupt(counts, start_ns, self._rate_hz, disturbance)
        return counts


def _advance(state: FloatArray, transition: FloatArray) -> FloatArray:
    """The states a block later; written out, because a matrix product may round differently from call to call."""
    return np.stack([state[:, 0] * row[0] + state[:, 1] * row[1] for row in transition], axis=1)
