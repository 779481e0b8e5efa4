"""A formula of one's own: the coefficients that make the amplitudes of a network read the magnitudes of a catalogue."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.magnitudes._estimate import amplitudes_of
from kensoku.magnitudes._formula import Formula
from kensoku.magnitudes._network import HUBER, MAD_SCALE
from kensoku.magnitudes._readings import Reading

FloatArray = npt.NDArray[np.float64]
Coefficient = Literal["slope", "log_distance", "per_km", "constant"]

FEWEST_ROWS, FEWEST_EVENTS = 30, 10
ROUNDS = 20  # of weights after Huber's rule
LEAST_SCATTER = 0.05
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Example:
    """An event of a catalogue."""

    readings: tuple[Reading, ...]
    depth_km: float
    magnitude: float


def calibrate(
    examples: Iterable[Example],
    formula: Formula,
    free: Sequence[Coefficient] = ("slope", "log_distance", "constant"),
) -> Formula:
    """Like `formula`, with other values of what is `free` and of the scatter; robust least squares over stations.

    Name, version and reference are those of the old one: who publishes magnitudes by the new one gives it its own.
    """
    known = list(examples)
    rows = np.array([row for example in known for row in _rows(example, formula)]).reshape(-1, 6)
    if len(rows) < FEWEST_ROWS or len(known) < FEWEST_EVENTS:
        raise InputInvalid(
            f"calibration of {formula}: found {len(rows)} amplitudes of {len(known)} events that stand out and did not "
            f"clip; expected {FEWEST_ROWS} of {FEWEST_EVENTS} or more"
        )
    terms = dict(zip(("slope", "log_distance", "per_km", "constant"), rows.T[:4], strict=True))
    magnitude, table = rows.T[4:]
    fixed = sum(getattr(formula, name) * column for name, column in terms.items() if name not in free)
    found, scatter = _fit(np.stack([terms[name] for name in free], axis=1), magnitude - table - fixed)
    values = {name: round(float(value), DIGITS) for name, value in zip(free, found, strict=True)}
    return replace(formula, **values, scatter=round(max(scatter, LEAST_SCATTER), DIGITS))  # type: ignore[arg-type]  # by name


def _rows(example: Example, formula: Formula) -> Iterator[tuple[float, ...]]:
    """What each coefficient multiplies, the magnitude, and what a table adds."""
    for distance_km, found in amplitudes_of(example.readings, formula):
        if found.bound == "none":
            table = formula.table.at(distance_km, example.depth_km) if formula.table else 0.0
            log_km, km = (0.0, 0.0) if formula.distance == "none" else (np.log10(max(distance_km, 0.1)), distance_km)
            yield np.log10(found.value / formula.unit), log_km, km, 1.0, example.magnitude, table


def _fit(design: FloatArray, wanted: FloatArray) -> tuple[FloatArray, float]:
    weight, found, scatter = np.ones(len(wanted)), np.zeros(design.shape[1]), 0.0
    for _ in range(ROUNDS):
        root = np.sqrt(weight)
        found, *_ = np.linalg.lstsq(design * root[:, np.newaxis], wanted * root, rcond=None)
        left = np.abs(wanted - design @ found)
        scatter = float(MAD_SCALE * np.median(left))
        weight = np.minimum(1.0, HUBER * max(scatter, LEAST_SCATTER) / np.maximum(left, 1e-9))
    return found, scatter
