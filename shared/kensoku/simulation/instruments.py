"""From ground velocity to counts: sensor, clipping, anti-alias filter, noise of the electronics, whole numbers.

The sensor's corner is a recursive filter, which never forgets; here it does, after a stated number of blocks. The state
at a block's start is the sum of what each of the blocks before it left behind, and older ones have decayed below a
millionth. What the recursion gets wrong near the Nyquist frequency is put right in the digitiser's filter, so that
below it the whole chain has exactly the response of poles, zeros and coefficients that `stationxml` writes.
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

from kensoku.errors import SettingInvalid
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
from kensoku.simulation.randomness import BLOCK_S, FloatArray, draw

ComplexArray = npt.NDArray[np.complex128]
Ground = npt.NDArray[np.floating[Any]]  # velocity in m/s, (components, samples)
Int32Array = npt.NDArray[np.int32]

OVERSAMPLING = 4  # the anti-alias filter works at this multiple of the sampling rate
MEMORY_S = 3  # that the digitiser's filter has; with LOOK_AHEAD_S the length of its impulse response
FORGOTTEN = 1e-6
LARGEST_COUNT = 2**23 - 1


@dataclass(frozen=True, slots=True)
class Sensor:
    """A pendulum and its electronics. Sensitivities are V per m/s, or per m/s2 for an accelerometer (corner_hz = 0)."""

    name: str
    band_code: str  # band and instrument of the channel code, at 80 Hz and more
    corner_hz: float
    damping: float
    sensitivity: float
    clip: float  # m/s or m/s2
    noise_v_rthz: float = 20e-9
    fast_poles: tuple[complex, ...] = ()  # rad/s

    @property
    def is_accelerometer(self) -> bool:
        return not self.corner_hz

    @property
    def is_broadband(self) -> bool:
        """Whether a motor centres its mass."""
        return 0 < self.corner_hz < 0.1

    @property
    def zeros(self) -> tuple[complex, ...]:
        return () if self.is_accelerometer else (0j, 0j)

    @property
    def poles(self) -> tuple[complex, ...]:
        if self.is_accelerometer:
            return self.fast_poles
        angular = 2 * np.pi * self.corner_hz
        real, imaginary = -self.damping * angular, np.sqrt(1 - self.damping**2) * angular
        return (complex(real, imaginary), complex(real, -imaginary), *self.fast_poles)

    @property
    def reference_hz(self) -> float:
        """Where the sensitivity is stated: in the flat part."""
        return 1.0 if self.corner_hz < 0.1 else max(5.0, 3 * self.corner_hz)

    def response(self, hz: FloatArray) -> ComplexArray:
        """Volts per m/s (m/s2), where the sensitivity at `reference_hz` is the amplitude."""
        shape, reference = self._shape(hz), self._shape(np.array([self.reference_hz]))
        response: ComplexArray = self.sensitivity / np.abs(reference) * shape
        return response

    def _shape(self, hz: FloatArray) -> ComplexArray:
        s = 2j * np.pi * hz
        numerator = np.prod([s - zero for zero in self.zeros], axis=0) if self.zeros else np.ones_like(s)
        shape: ComplexArray = numerator / np.prod([s - pole for pole in self.poles], axis=0)
        return shape


# Corners, dampings and sensitivities as makers state them for common models of each class.
SENSORS = {
    sensor.name: sensor
    for sensor in (
        Sensor("geophone-4.5hz", "EH", 4.5, 0.6, 28.8, 0.15),
        Sensor("geophone-2hz", "EH", 2.0, 0.7, 80.0, 0.1),
        Sensor("geophone-1hz", "EH", 1.0, 0.7, 171.0, 0.08),
        Sensor("borehole-1hz", "EH", 1.0, 0.7, 200.0, 0.05),
        Sensor("broadband-30s", "HH", 1 / 30, 0.707, 800.0, 0.0125, fast_poles=(-314.0 + 0j,)),
        Sensor("broadband-60s", "HH", 1 / 60, 0.707, 2000.0, 0.005, fast_poles=(-502.0 + 0j,)),
        Sensor("broadband-120s", "HH", 1 / 120, 0.707, 1500.0, 0.013, fast_poles=(-444 + 444j, -444 - 444j)),
        Sensor("accelerometer", "HN", 0.0, 0.7, 1.02, 19.6, 120e-9, (-981 + 1009j, -981 - 1009j)),
        Sensor("accelerometer-mems", "HN", 0.0, 0.7, 1.02, 19.6, 12e-6, (-900 + 900j, -900 - 900j)),
    )
}


def find_sensor(name: str) -> Sensor:
    if name not in SENSORS:
        raise SettingInvalid(f"sensor {name!r}; expected one of {', '.join(SENSORS)}; choose one of these")
    return SENSORS[name]


@dataclass(frozen=True, slots=True)
class Digitiser:
    rate_hz: int = 100
    full_scale_v: float = 20.0
    gain: float = 1.0
    noise_counts: float = 1.0  # rms, of the converter alone
    is_causal: bool = False  # a minimum-phase anti-alias filter rings after an onset only; the usual one also before

    @property
    def counts_per_v(self) -> float:
        return self.gain * 2**23 / self.full_scale_v

    def coefficients(self) -> FloatArray:
        """The anti-alias filter at OVERSAMPLING times the rate: flat to 0.4 of the rate, 110 dB down at half of it."""
        return _anti_alias(self.is_causal)

    def response(self, hz: FloatArray) -> ComplexArray:
        """Of the anti-alias filter, its time stamps corrected by `delay_s`."""
        coefficients = self.coefficients()
        angle = 2 * np.pi * hz / (OVERSAMPLING * self.rate_hz)
        _, response = scipy.signal.freqz(coefficients, worN=angle)
        corrected: ComplexArray = response * np.exp(2j * np.pi * hz * self.delay_s)
        return corrected

    @property
    def delay_s(self) -> float:
        return 0.0 if self.is_causal else (self.coefficients().size - 1) / 2 / (OVERSAMPLING * self.rate_hz)


@functools.cache
def _anti_alias(is_causal: bool) -> FloatArray:
    taps, beta = scipy.signal.kaiserord(110.0, 0.1 * 2 / OVERSAMPLING)
    linear = scipy.signal.firwin(taps | 1, 0.45 * 2 / OVERSAMPLING, window=("kaiser", beta))
    if not is_causal:
        return np.asarray(linear)
    causal = scipy.signal.minimum_phase(linear, method="homomorphic", n_fft=2**16, half=False)
    return np.asarray(causal / causal.sum())


@dataclass(frozen=True, slots=True)
class Instrument:
    sensor: Sensor
    digitiser: Digitiser = Digitiser()
    gain_errors: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of Z, N, E: what nobody knows and no metadata say

    @property
    def sensitivity(self) -> float:
        """Nominal counts per m/s, or per m/s2."""
        return self.sensor.sensitivity * self.digitiser.counts_per_v

    @property
    def full_scale(self) -> float:
        """Where the record clips, in m/s or m/s2: what the sensor or the converter can hold, whichever is less."""
        return min(self.sensor.clip, self.digitiser.full_scale_v / self.digitiser.gain / self.sensor.sensitivity)

    @property
    def noise_counts(self) -> float:
        electronics = self.sensor.noise_v_rthz * self.digitiser.counts_per_v * np.sqrt(self.digitiser.rate_hz / 2)
        return float(np.hypot(electronics, self.digitiser.noise_counts))

    def response(self, hz: FloatArray) -> ComplexArray:
        """Counts per m/s of ground velocity, at frequencies above 0."""
        volts = self.sensor.response(hz) * (2j * np.pi * hz if self.sensor.is_accelerometer else 1.0)
        return volts * self.digitiser.counts_per_v * self.digitiser.response(hz)

    @property
    def memory_blocks(self) -> int:
        """How long the sensor remembers."""
        if self.sensor.is_accelerometer:
            return 1
        decay_s = 1 / (self.sensor.damping * 2 * np.pi * self.sensor.corner_hz)
        return int(np.ceil(-np.log(FORGOTTEN) * decay_s / BLOCK_S))

    @property
    def warm_up_blocks(self) -> int:
        """Blocks of ground before its own on which a block of counts depends: the digitiser needs the sensor's last."""
        return self.memory_blocks + 1


# --- the recursive part -----------------------------------------------------------------------------------------------


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
        left_behind: deque[FloatArray] = deque(maxlen=self._instrument.memory_blocks)
        tails: list[FloatArray] = []
        for block, ground in enumerate(grounds, first):
            counts = self._next_block(block, ground, left_behind, tails)
            del ground  # a network has thousands of these waiting
            if block - first >= self._instrument.warm_up_blocks:
                yield block * BLOCK_NS - LOOK_AHEAD_S * 10**9, counts

    def disturbances(self, first: int, last: int) -> Iterator[Disturbance]:
        """Truth: those of the instrument and its telemetry that are drawn in these blocks, both included."""
        return list_disturbances(self._seed, self._station, self._rates, first, last, IN_SENSOR | TELEMETRY)

    def _next_block(
        self, block: int, ground: Ground, left_behind: deque[FloatArray], tails: list[FloatArray]
    ) -> Int32Array:
        output = self._sense(ground, block, left_behind)
        needed = (MEMORY_S + LOOK_AHEAD_S) * self._rate_hz
        tail = tails.pop() if tails else np.zeros((output.shape[0], needed))
        tails.append(output[:, -needed:].copy())
        return self._digitise(np.concatenate([tail, output], axis=1), block)

    def _sense(self, ground: Ground, block: int, left_behind: deque[FloatArray]) -> FloatArray:
        """The sensor's output; appends the two states per component that this block alone leaves behind."""
        recursion, count = self._recursion, ground.shape[0]
        if ground.shape[1] != self._count:
            raise ValueError(f"{ground.shape[1]} samples of ground; expected a block of {self._count}")
        output: FloatArray
        output, left = scipy.signal.sosfilt(
            recursion.section, ground.astype(np.float64, copy=False), zi=np.zeros((1, count, 2))
        )
        state = np.zeros((count, 2))
        for older in left_behind:
            state = _advance(state, recursion.transition) + older
        output += state[:, :1] * recursion.ringing[0]
        output += state[:, 1:] * recursion.ringing[1]
        left_behind.append(left[0])
        self._disturb(output, block)
        full = self._instrument.full_scale
        np.clip(output, -full, full, out=output)
        return output

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
        volts = scipy.fft.irfft(spectrum, stretch.shape[1], overwrite_x=True)[:, first : first + self._count]
        volts *= 1 + np.array(self._instrument.gain_errors)[: volts.shape[0], np.newaxis]
        noise = draw(self._seed, self._station, "digitiser", block).standard_normal(volts.shape, dtype=np.float32)
        noise *= np.float32(self._instrument.noise_counts)
        volts += noise
        np.rint(volts, out=volts)
        counts: Int32Array = np.clip(volts, -LARGEST_COUNT - 1, LARGEST_COUNT, out=volts).astype(np.int32)
        start_ns = block * BLOCK_NS - LOOK_AHEAD_S * 10**9
        for disturbance in list_disturbances(self._seed, self._station, self._rates, block, block, TELEMETRY):
            corrupt(counts, start_ns, self._rate_hz, disturbance)
        return counts


def _advance(state: FloatArray, transition: FloatArray) -> FloatArray:
    """The states a block later; written out, because a matrix product may round differently from call to call."""
    return np.stack([state[:, 0] * row[0] + state[:, 1] * row[1] for row in transition], axis=1)
