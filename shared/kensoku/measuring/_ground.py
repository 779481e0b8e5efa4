"""From counts to ground motion, sample by sample: recursive filters made of poles and zeros, and a short correction.

A response is divided out in time, not in the spectrum of a stretch, so that what comes later changes nothing before.
The recursion has the sensor's slow poles and zeros and a high-pass, by the bilinear transform; what that gets wrong at
high frequencies, and what faster poles do, 17 coefficients put right to within half a percent, up to BLIND_ABOVE_HZ.
"""

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

from kensoku.inventory import response_at
from kensoku.measuring._stretch import RATE_HZ, FloatArray
from kensoku.v1.inventory_pb2 import (
    GROUND_MOTION_ACCELERATION,
    GROUND_MOTION_DISPLACEMENT,
    GROUND_MOTION_VELOCITY,
    Complex,
    Response,
)

ComplexArray = npt.NDArray[np.complex128]

DISPLACEMENT, VELOCITY, ACCELERATION = 0, 1, 2  # derivatives of displacement
DERIVATIVE = {
    GROUND_MOTION_DISPLACEMENT: DISPLACEMENT,
    GROUND_MOTION_VELOCITY: VELOCITY,
    GROUND_MOTION_ACCELERATION: ACCELERATION,
}
HIGH_PASSES_HZ = (0.075, 0.15, 0.3, 0.6, 1.2)  # the first is that of Wu & Kanamori (2005)
ORDER = 4  # of the high-pass, Butterworth: of two integrations something must be left that takes an offset away
SETTLES = 2.24  # high-pass times seconds: then 0.5 % is left of what was there at the start of the stretch
SLOW_HZ = 10.0  # poles and zeros below it are in the recursion
BELOW_CORNER = 12.0  # a high-pass so far below a sensor's corner: further down its own noise would be all
AROUND = 8  # samples: of the correction, to each side
BLIND_ABOVE_HZ = 35.0
TAPER = 2 * RATE_HZ
LEAST_DAMPING = 0.05  # of a zero of a response, which would ring for ever otherwise

_FITTED_HZ = np.concatenate([np.geomspace(0.03, 1, 20), np.arange(1.5, BLIND_ABOVE_HZ + 0.1, 0.5)])
_STOPPED_HZ = np.arange(46.0, 50.1)
STOPPED_WEIGHT = 0.02


def high_pass_hz(responses: Iterable[bytes], before: int) -> float | None:
    """Of ground motion, for sensors with such responses and as many samples before the onset; None: too few."""
    least = max([SETTLES * RATE_HZ / max(before, 1), *(_corner_hz(response) / BELOW_CORNER for response in responses)])
    return next((hz for hz in HIGH_PASSES_HZ if hz >= least * (1 - 1e-6)), None)


def has_inverse(response: bytes, high_pass: float) -> bool:
    """False for one that shows nothing at some frequency, or numbers that no sensor has."""
    return all(
        np.isfinite(each.sections).all() and np.isfinite(each.correction).all()
        for each in _inverses(response, high_pass)
    )


def ground_motion(counts: FloatArray, before: int, response: bytes, high_pass: float, begin: int) -> FloatArray:
    """Displacement, velocity and acceleration, (components, 3, samples), of components with the same response.

    They begin at the sample `begin` of (components, samples), whose mean is 0, and end AROUND samples before these do.
    """
    rise = min(TAPER, before // 2)
    counts = counts.copy()
    counts[:, :rise] *= np.sin(np.linspace(0, np.pi / 2, rise, endpoint=False)) ** 2
    motions = np.empty((len(counts), 3, counts.shape[1] - begin - AROUND))
    skipped = max(0, begin - AROUND)
    for motion, inverse in enumerate(_inverses(response, high_pass)):
        recursed = scipy.signal.sosfilt(inverse.sections, counts)[:, skipped:]
        corrected = scipy.ndimage.correlate1d(recursed, inverse.correction, mode="nearest")
        motions[:, motion] = corrected[:, begin - skipped : recursed.shape[1] - AROUND]
    return motions


# --- design -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Inverse:
    sections: FloatArray
    correction: FloatArray  # 2 AROUND + 1


@functools.lru_cache(maxsize=4096)
def _corner_hz(response: bytes) -> float:
    """Below which less than half is left of what the sensor shows at the best; of its own kind of motion."""
    frequencies_hz = np.geomspace(0.01, 10.0, 200)
    with np.errstate(all="ignore"):  # `has_inverse` tells of numbers that no sensor has
        shown = np.abs(response_at(Response.FromString(response), frequencies_hz))
    return float(frequencies_hz[np.argmax(shown >= shown.max() / 2)])


@functools.lru_cache(maxsize=4096)
def _inverses(response: bytes, high_pass: float) -> tuple[_Inverse, _Inverse, _Inverse]:
    known = Response.FromString(response)
    return _inverse(known, high_pass, 0), _inverse(known, high_pass, 1), _inverse(known, high_pass, 2)


def _inverse(response: Response, high_pass: float, motion: int) -> _Inverse:
    slow_poles = _left(_slow(response.poles))
    slow_zeros = _left([zero for zero in _slow(response.zeros) if zero])
    at_origin = sum(not _complex(zero) for zero in response.zeros)
    order = max(ORDER, at_origin + 2)
    given = DERIVATIVE[response.input]
    poles = [*_butterworth(order, high_pass), *slow_zeros]
    zeros = _first_of(slow_poles, len(poles))  # of more than that the correction takes care
    power = max(0, min(order + motion - given - at_origin, len(poles) - len(zeros)))
    digital = scipy.signal.bilinear_zpk([0.0] * power + zeros, poles, 1.0, RATE_HZ)
    try:
        sections = scipy.signal.zpk2sos(*digital)
    except ValueError:  # a pole or zero without its conjugate
        return _Inverse(np.full((1, 6), np.nan), np.full(2 * AROUND + 1, np.nan))

    def wanted(hz: FloatArray) -> ComplexArray:
        s = 2j * np.pi * hz
        passed = s**order / np.prod([s - pole for pole in _butterworth(order, high_pass)], axis=0)
        whole: ComplexArray = s ** (motion - given) * passed / response_at(response, hz)
        done: ComplexArray = scipy.signal.sosfreqz(sections, worN=hz, fs=RATE_HZ)[1]
        return whole / done

    return _Inverse(sections, _correction(wanted))


def _correction(wanted: Callable[[FloatArray], ComplexArray]) -> FloatArray:
    """Least squares of the relative error, and little of what is above BLIND_ABOVE_HZ."""
    with np.errstate(all="ignore"):
        ratio = wanted(_FITTED_HZ)
    size = np.abs(ratio)
    if not (np.isfinite(size).all() and size.min() > 0):
        return np.full(2 * AROUND + 1, np.nan)
    fitted = _turns(_FITTED_HZ) / size[:, np.newaxis]
    stopped = STOPPED_WEIGHT / size.max() * _turns(_STOPPED_HZ)
    equations = np.concatenate([fitted, stopped])
    answers = np.concatenate([ratio / size, np.zeros(len(_STOPPED_HZ))])
    coefficients: FloatArray = np.linalg.lstsq(
        np.concatenate([equations.real, equations.imag]), np.concatenate([answers.real, answers.imag]), rcond=None
    )[0]
    return coefficients


def _turns(hz: FloatArray) -> ComplexArray:
    turns: ComplexArray = np.exp(2j * np.pi / RATE_HZ * np.outer(hz, np.arange(-AROUND, AROUND + 1)))
    return turns


def _butterworth(order: int, corner_hz: float) -> list[complex]:
    poles = scipy.signal.butter(order, 2 * math.pi * corner_hz, "highpass", analog=True, output="zpk")[1]
    return [complex(pole) for pole in poles]


def _slow(values: Iterable[Complex]) -> list[complex]:
    slow = [_complex(value) for value in values if abs(_complex(value)) < 2 * math.pi * SLOW_HZ]
    return sorted(slow, key=lambda value: (abs(value), value.real, abs(value.imag)))  # pairs beside each other


def _first_of(values: list[complex], most: int) -> list[complex]:
    """So many at the most, and no half of a pair."""
    first = values[:most]
    is_pair_cut = len(values) > most and sum(value.imag != 0 for value in first) % 2
    return first[:-1] if is_pair_cut else first


def _left(values: list[complex]) -> list[complex]:
    """In the half of the plane where what is recursed fades; the amplitude is the same."""
    return [complex(-max(abs(value.real), LEAST_DAMPING * abs(value)), value.imag) for value in values]


def _complex(value: Complex) -> complex:
    return complex(value.real, value.imaginary)
