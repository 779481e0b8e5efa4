"""From ground motion to counts: sensitivity, poles and zeros."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kensoku.v1.inventory_pb2 import (
    GROUND_MOTION_ACCELERATION,
    GROUND_MOTION_DISPLACEMENT,
    GROUND_MOTION_VELOCITY,
    Complex,
    GroundMotion,
    Response,
)

PAIRED = 0.01  # of its size: so far may a value be from the conjugate of another, as by rounding or a slip of the pen
_LENGTHS = {"M": 1.0, "CM": 1e2, "MM": 1e3, "UM": 1e6, "NM": 1e9}  # in a metre
_MOTIONS = (
    (("",), GROUND_MOTION_DISPLACEMENT),
    (("/S", "/SEC"), GROUND_MOTION_VELOCITY),
    (("/S**2", "/S^2", "/S2", "/S/S", "/(S**2)", "/SEC**2", "/(SEC**2)"), GROUND_MOTION_ACCELERATION),
)
UNITS: dict[str, tuple[GroundMotion, float]] = {
    length + per: (motion, in_a_metre)
    for length, in_a_metre in _LENGTHS.items()
    for pers, motion in _MOTIONS
    for per in pers
} | {"GAL": (GROUND_MOTION_ACCELERATION, 1e2)}


def ground_motion(unit: str) -> tuple[GroundMotion, float] | None:
    """What is measured in this unit, and how many of it make one m, m/s or m/s^2."""
    return UNITS.get(unit.strip().upper())


def flat_response(motion: GroundMotion, sensitivity: float, frequency_hz: float = 0.0) -> Response:
    return Response(input=motion, sensitivity=sensitivity, frequency_hz=frequency_hz)


def in_pairs(values: Sequence[complex]) -> list[complex] | None:
    """Each with its exact conjugate, as every filter of real samples has them; None if one is without."""
    others = [value.conjugate() for value in values if value.imag < 0]
    paired = [value for value in values if not (value.imag > 0 or value.imag < 0)]
    for value in (value for value in values if value.imag > 0):
        other = min(others, key=lambda each: abs(each - value), default=0j)
        if abs(other - value) > PAIRED * abs(value):
            return None
        others.remove(other)
        mean = (value + other) / 2
        paired += [mean, mean.conjugate()]
    return None if others else paired


def with_poles_and_zeros(flat: Response, poles: Sequence[complex], zeros: Sequence[complex]) -> Response | None:
    """Normalised at the frequency of the sensitivity; None if the poles and zeros leave nothing there."""
    shaped = Response(poles=_sorted(poles), zeros=_sorted(zeros), normalisation=1.0)
    shaped.MergeFrom(flat)
    at_reference = abs(_shape(shaped, np.array([flat.frequency_hz]))[0])
    if not 0 < at_reference < math.inf:
        return None
    shaped.normalisation = float(1 / at_reference)
    return shaped


def response_at(response: Response, frequencies_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    """Counts per unit of the input, at each frequency."""
    if not response.poles and not response.zeros:
        return np.full(frequencies_hz.shape, response.sensitivity, dtype=np.complex128)
    return response.sensitivity * _shape(response, frequencies_hz)


def _shape(response: Response, frequencies_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.complex128]:
    s = 2j * np.pi * np.asarray(frequencies_hz, dtype=np.float64)
    value = np.full(s.shape, response.normalisation, dtype=np.complex128)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Alternating, so that the product of many large poles does not leave the range of numbers.
        for index in range(max(len(response.poles), len(response.zeros))):
            if index < len(response.zeros):
                value = value * (s - _complex(response.zeros[index]))
            if index < len(response.poles):
                value = value / (s - _complex(response.poles[index]))
    return value


def _complex(value: Complex) -> complex:
    return complex(value.real, value.imaginary)


def _sorted(values: Sequence[complex]) -> list[Complex]:
    """In one order whatever the file's, and without a negative zero, so that equal responses have equal bytes."""
    ordered = sorted((complex(v).real + 0.0, complex(v).imag + 0.0) for v in values)
    return [Complex(real=real, imaginary=imaginary) for real, imaginary in ordered]
