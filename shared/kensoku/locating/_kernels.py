"""The sums in which location spends its time, compiled: the travel times from one place, and how well they fit.

Event by event and place by place, so that an event's answer has the same bits in any company.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kensoku.compiled import inlined, lean
from kensoku.sphere import EARTH_RADIUS_KM
from kensoku.traveltime._kernels import row_of, time_in_row

Floats = npt.NDArray[np.float64]

NEAR = 0.025  # square of half the chord, up to which the series of an arc is exact to a micrometre
LEAST_PRECISION = 1e-12  # per s², so that a time is a number where nothing belongs
MOST_SQUARES = 80.0  # beyond nine standard deviations a normal distribution is nothing
SMALL, LARGE = 1e-200, 1e200  # of a product of densities, before its logarithm is taken

DISTANCE, TIME, ACROSS, DOWN, LEAD, VARIANCE, WEIGHT, RESIDUAL, PRECISION, DENSITY, SLOPES = range(11)  # of a desk


COLUMNS = SLOPES + 5  # three slopes, the residual and the time, their means taken off


STEPS = 32  # of the exponential's table, a unit
EXPONENTIALS = np.exp(-np.arange(int(MOST_SQUARES / 2 * STEPS) + 2) / STEPS)


class RowArrays(NamedTuple):
    """Of a batch, for compiled code."""

    onset: Floats
    uncertainty: Floats
    belongs: Floats
    station: npt.NDArray[np.int64]
    site: Floats  # unit vectors (row, 3)
    elevation: Floats
    correction: Floats
    is_s: npt.NDArray[np.bool_]
    first: npt.NDArray[np.int64]  # row of each event, and the end


class Errors(NamedTuple):
    """Of settings, for compiled code."""

    outlier_span_s: float
    model_error: float
    model_error_s: float
    velocity_error: float


def make_desk(rows: RowArrays) -> Floats:
    """Room for the rows of one event."""
    return np.zeros((COLUMNS, int(np.diff(rows.first).max())))


@inlined
def exp_of_minus(x: float) -> float:
    """For 0 to 40, within 2e-12 of itself, five times faster than the library's."""
    step = int(x * STEPS)
    f = x - step / STEPS
    return float(EXPONENTIALS[step] * (1 - f * (1 - f * (1 / 2 - f * (1 / 6 - f * (1 / 24 - f / 120))))))


@inlined
def arc_of(cosine: float) -> float:
    square = max((1 - cosine) * 0.5, 0.0)  # of half the chord
    half = np.sqrt(square)
    if square > NEAR:
        return float(2 * EARTH_RADIUS_KM * np.arcsin(min(half, 1.0)))
    series = 1 + square * (1 / 6 + square * (3 / 40 + square * (15 / 336 + square * (105 / 3456))))
    return float(2 * EARTH_RADIUS_KM * half * series)


@inlined
def risen_time(table: Any, row: int, distance: float, depth: float, elevation: float) -> tuple[float, float, float]:
    """Beyond the table the wave goes on as it left it, and rises to stations above its highest level."""
    near, last = min(distance, table.farthest_km), table.elevations_km.size - 1
    level = min(max(elevation, table.elevations_km[0]), table.elevations_km[last])
    time, p, down = time_in_row(table, row, near, depth, level)
    time += p * (distance - near)
    if elevation != level:
        slowness = table.station_slowness[0 if elevation < level else last]
        time += (elevation - level) * np.sqrt(max(slowness * slowness - p * p, 0.0))
    return time, p, down


@inlined
def clipped(table: Any, depth: float) -> float:
    return float(min(max(depth, table.highest_km), table.deepest_km))


@lean
def predict_rows(
    p_table: Any, s_table: Any, rows: Any, first: int, last: int, x: float, y: float, z: float, depth: float, desk: Any
) -> None:
    """Distance, time with corrections, and its slopes of an event's rows, from a place (a unit vector)."""
    distance, p_depth, s_depth = 0.0, clipped(p_table, depth), clipped(s_table, depth)
    p_row, s_row = row_of(p_table, p_depth), row_of(s_table, s_depth)
    for row in range(first, last):
        if row == first or rows.station[row] != rows.station[row - 1]:
            distance = arc_of(x * rows.site[row, 0] + y * rows.site[row, 1] + z * rows.site[row, 2])
        if rows.is_s[row]:
            time, across, down = risen_time(s_table, s_row, distance, s_depth, rows.elevation[row])
        else:
            time, across, down = risen_time(p_table, p_row, distance, p_depth, rows.elevation[row])
        desk[DISTANCE, row - first], desk[TIME, row - first] = distance, time + rows.correction[row]
        desk[ACROSS, row - first], desk[DOWN, row - first] = across, down


@inlined
def weigh_variances(rows: Any, first: int, n: int, errors: Any, desk: Any) -> None:
    for i in range(n):
        model = max(errors.model_error * desk[TIME, i], errors.model_error_s)
        desk[VARIANCE, i] = rows.uncertainty[first + i] ** 2 + model * model


@inlined
def solve_time(n: int, velocity_error: float, desk: Any) -> tuple[float, float, float, float, float]:
    """The origin time that suits the weighed arrivals, its variance, the stretch of travel times, and the precisions of
    the time and of the stretch, its prior included."""
    total = weighed = 0.0
    for i in range(n):
        precision = desk[WEIGHT, i] / desk[VARIANCE, i]
        desk[PRECISION, i] = precision
        total += precision
        weighed += precision * desk[LEAD, i]
    total = max(total, LEAST_PRECISION)
    time = weighed / total
    if velocity_error == 0:
        return time, 1 / total, 0.0, total, 0.0
    mean = 0.0
    for i in range(n):
        mean += desk[PRECISION, i] * desk[TIME, i]
    mean /= total
    spread, along = 1 / (velocity_error * velocity_error), 0.0
    for i in range(n):
        centred = desk[TIME, i] - mean
        spread += desk[PRECISION, i] * centred * centred
        along += desk[PRECISION, i] * centred * desk[LEAD, i]
    stretch = along / spread
    return time - stretch * mean, 1 / total + mean * mean / spread, stretch, total, spread


@lean
def fit_rows(
    rows: Any, first: int, n: int, rounds: int, span_s: float, velocity_error: float, desk: Any
) -> tuple[float, float, float, float]:
    """By expectation and maximisation from the weights on the desk, which it changes: the logarithm of the posterior
    (the time integrated out as a normal distribution), the time, its variance, and the stretch."""
    one = 0.0
    for i in range(n):
        desk[LEAD, i] = rows.onset[first + i] - desk[TIME, i]
        one += 1 / desk[VARIANCE, i]
        desk[DENSITY, i] = rows.belongs[first + i] / np.sqrt(2 * np.pi * desk[VARIANCE, i])
    best, product, log_sum = (0.0, 0.0, 0.0, 0.0, 0.0), 1.0, 0.0
    for number in range(rounds):
        best = solve_time(n, velocity_error, desk)
        for i in range(n):
            residual = desk[LEAD, i] - best[0] - best[2] * desk[TIME, i]
            desk[RESIDUAL, i] = residual
            squares, right = residual * residual / desk[VARIANCE, i], 0.0
            if squares < MOST_SQUARES:
                right = desk[DENSITY, i] * exp_of_minus(0.5 * squares)
            both = right + (1 - rows.belongs[first + i]) / span_s
            desk[WEIGHT, i] = right / both
            if number == rounds - 1:
                product *= both
                if product < SMALL or product > LARGE:
                    log_sum += np.log(product)
                    product = 1.0
    # The time is never less known than from one arrival, or places that none belongs to would win.
    log_posterior = log_sum + np.log(product) - 0.5 * np.log(max(best[3], one / n))
    if velocity_error > 0:
        log_posterior -= 0.5 * (best[2] / velocity_error) ** 2 + 0.5 * np.log(best[4] * velocity_error**2)
    return log_posterior, best[0], best[1], best[2]


@lean
def evaluate_nodes(
    p_table: Any, s_table: Any, rows: Any, errors: Any, rounds: int, frame: Any, north: Any, east: Any, depth: Any,
    is_allowed: Any, start: Any, desk: Any, found: Any,
) -> None:  # fmt: skip
    """Logarithm of the posterior, time and its variance (3, event, node) at places north and east of the centre of each
    event's frame (event, axis, component), from the weights `start` of its rows."""
    for event in range(depth.shape[0]):
        first, n = rows.first[event], rows.first[event + 1] - rows.first[event]
        for node in range(depth.shape[1]):
            if not is_allowed[event, node]:
                continue
            x, y, z = moved(frame[event], north[event, node], east[event, node])
            predict_rows(p_table, s_table, rows, first, first + n, x, y, z, depth[event, node], desk)
            weigh_variances(rows, first, n, errors, desk)
            for i in range(n):
                desk[WEIGHT, i] = start[first + i]
            fitted = fit_rows(rows, first, n, rounds, errors.outlier_span_s, errors.velocity_error, desk)
            found[0, event, node], found[1, event, node], found[2, event, node] = fitted[0], fitted[1], fitted[2]


@inlined
def moved(frame: Any, north: float, east: float) -> tuple[float, float, float]:
    """The unit vector so many kilometres from the centre of a frame (axis, component)."""
    away = np.sqrt(north * north + east * east) / EARTH_RADIUS_KM
    level, per_km = np.cos(away), (np.sin(away) / away if away > 0 else 1.0) / EARTH_RADIUS_KM
    north, east = north * per_km, east * per_km
    return (
        level * frame[0, 0] + north * frame[1, 0] + east * frame[2, 0],
        level * frame[0, 1] + north * frame[1, 1] + east * frame[2, 1],
        level * frame[0, 2] + north * frame[1, 2] + east * frame[2, 2],
    )


@lean
def sum_moments(values: Any, share: Any, mean: Any, covariance: Any) -> None:
    """Of the values (event, kind, node), whose shares (event, node) add up to one."""
    for event in range(share.shape[0]):
        for kind in range(values.shape[1]):
            total = 0.0
            for node in range(share.shape[1]):
                total += share[event, node] * values[event, kind, node]
            mean[event, kind] = total
        for kind in range(values.shape[1]):
            for other in range(kind + 1):
                total = 0.0
                for node in range(share.shape[1]):
                    away = values[event, kind, node] - mean[event, kind]
                    total += share[event, node] * away * (values[event, other, node] - mean[event, other])
                covariance[event, kind, other] = covariance[event, other, kind] = total
