"""What turns ground velocity into counts: sensors, digitisers, and the response of both together."""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.signal

from kensoku.errors import SettingInvalid
from kensoku.simulation.quantities import Count, NotNegative, Positive
from kensoku.simulation.randomness import BLOCK_S, FloatArray

ComplexArray = npt.NDArray[np.complex128]

OVERSAMPLING = 4  # the anti-alias filter works at this multiple of the sampling rate
FORGOTTEN = 1e-6
CREEP_BLOCKS = 4  # after which a shifted baseline is back; real ones stay until somebody comes


@dataclass(frozen=True, slots=True)
class Sensor:
    """A pendulum and its electronics. Sensitivities are V per m/s, or per m/s2 for an accelerometer (corner_hz = 0)."""

    name: str
    band_code: str  # band and instrument of the channel code, at 80 Hz and more
    corner_hz: NotNegative
    damping: Positive
    sensitivity: Positive
    clip: Positive  # m/s or m/s2
    noise_v_rthz: NotNegative = 20e-9
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
    rate_hz: Count = 100
    full_scale_v: Positive = 20.0
    gain: Positive = 1.0
    noise_counts: NotNegative = 1.0  # rms, of the converter alone
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
        """Of low frequencies, by which the time stamps are corrected."""
        coefficients = self.coefficients()
        place = np.arange(coefficients.size) @ coefficients / coefficients.sum()
        return float(place / (OVERSAMPLING * self.rate_hz))


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
        """How long the sensor remembers; an accelerometer, that it was shaken until its baseline shifted."""
        if self.sensor.is_accelerometer:
            return CREEP_BLOCKS
        decay_s = 1 / (self.sensor.damping * 2 * np.pi * self.sensor.corner_hz)
        return int(np.ceil(-np.log(FORGOTTEN) * decay_s / BLOCK_S))

    @property
    def warm_up_blocks(self) -> int:
        """Blocks of ground before its own on which a block of counts depends: the digitiser needs the sensor's last."""
        return self.memory_blocks + 1
