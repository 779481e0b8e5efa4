"""How probable it is that a wide cell holds the event, compiled: many cells, times from a rough table."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kensoku.compiled import inlined, lean
from kensoku.locating._kernels import (
    DISTANCE,
    LARGE,
    LEAD,
    MOST_SQUARES,
    PRECISION,
    RESIDUAL,
    SMALL,
    WEIGHT,
    arc_of,
    exp_of_minus,
    moved,
)

ROUNDS = 3


class RoughTable(NamedTuple):
    """Times at whole steps; slowness turns the size of a cell into time."""

    times: npt.NDArray[np.float32]  # depth, distance
    highest_km: float
    step_km: float
    slowness_s_km: float


@lean
def score_cells(
    p_table: Any, s_table: Any, rows: Any, errors: Any, frame: Any, cells: Any, layers: int, desk: Any, found: Any
) -> None:
    """`cells` (6, event, cell) are north, east, depth and half of their sizes, km; as many as there are layers lie
    above one another. About the logarithm of the probability, times blurred by the size of the cell."""
    for event in range(cells.shape[1]):
        first, n = rows.first[event], rows.first[event + 1] - rows.first[event]
        for cell in range(cells.shape[2]):
            here = cells[:, event, cell]
            if cell % layers == 0:
                x, y, z = moved(frame[event], here[0], here[1])
                for i in range(n):
                    row = first + i
                    if i and rows.station[row] == rows.station[row - 1]:
                        desk[DISTANCE, i] = desk[DISTANCE, i - 1]
                    else:
                        cosine = x * rows.site[row, 0] + y * rows.site[row, 1] + z * rows.site[row, 2]
                        desk[DISTANCE, i] = arc_of(cosine)
            size = ((here[3] ** 2 + here[4] ** 2) / 2 + here[5] ** 2) / 3
            _compare(p_table, s_table, rows, first, n, errors, here[2], size, desk)
            log_volume = np.log(here[3] * here[4] * here[5])
            found[event, cell] = _log_fit(rows, first, n, errors.outlier_span_s, desk) + log_volume


@inlined
def _compare(
    p_table: Any, s_table: Any, rows: Any, first: int, n: int, errors: Any, depth: float, size: float, desk: Any
) -> None:
    error = errors.model_error + errors.velocity_error
    for i in range(n):
        row = first + i
        if rows.is_s[row]:
            predicted, slowness = _rough(s_table, desk[DISTANCE, i], depth), s_table.slowness_s_km
        else:
            predicted, slowness = _rough(p_table, desk[DISTANCE, i], depth), p_table.slowness_s_km
        desk[LEAD, i] = rows.onset[row] - rows.correction[row] - rows.elevation[row] * slowness - predicted
        model = error * predicted
        variance = rows.uncertainty[row] ** 2 + errors.model_error_s**2 + model * model + slowness**2 * size
        desk[PRECISION, i] = desk[WEIGHT, i] = 1 / variance


@inlined
def _rough(table: Any, distance: float, depth: float) -> float:
    column = min(int(distance / table.step_km + 0.5), table.times.shape[1] - 1)
    row = min(max(int((depth - table.highest_km) / table.step_km + 0.5), 0), table.times.shape[0] - 1)
    return float(table.times[row, column])


@inlined
def _log_fit(rows: Any, first: int, n: int, span_s: float, desk: Any) -> float:
    for _ in range(ROUNDS):
        total = weighed = 0.0
        for i in range(n):
            total += desk[WEIGHT, i]
            weighed += desk[WEIGHT, i] * desk[LEAD, i]
        time = weighed / total
        for i in range(n):
            residual = desk[LEAD, i] - time
            squares = residual * residual * desk[PRECISION, i]
            desk[RESIDUAL, i] = squares
            desk[WEIGHT, i] = desk[PRECISION, i] / (1 + squares * squares / 16)
    product, log_sum = 1.0, 0.0
    for i in range(n):
        belongs, squares = rows.belongs[first + i], desk[RESIDUAL, i]
        product *= (1 - belongs) / span_s + (
            belongs * np.sqrt(desk[PRECISION, i] / (2 * np.pi)) * exp_of_minus(0.5 * squares)
            if squares < MOST_SQUARES
            else 0.0
        )
        if product < SMALL or product > LARGE:
            log_sum += np.log(product)
            product = 1.0
    return float(log_sum + np.log(product))
