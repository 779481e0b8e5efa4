"""Newton's method to a maximum of the posterior, compiled: each start of each event by itself."""

from typing import Any

import numpy as np

from kensoku.compiled import inlined, lean
from kensoku.locating._kernels import (
    ACROSS,
    DISTANCE,
    DOWN,
    LEAD,
    PRECISION,
    RESIDUAL,
    SLOPES,
    TIME,
    VARIANCE,
    WEIGHT,
    fit_rows,
    moved,
    predict_rows,
    solve_time,
    weigh_variances,
)
from kensoku.sphere import EARTH_RADIUS_KM

BLURS = (1.0, 0.3, 0.1, 0.0, 0.0, 0.0, 0.0)  # of the uncertainty of the start, step by step
ROBUST_ROUNDS, ROBUST_WIDTH = 6, 1.5  # standard deviations
STEP_ROUNDS, LAST_ROUNDS = 2, 3  # of weighing arrivals and finding the origin time
LONGEST_STEP_KM, SHORTEST_LIMIT_KM = 30.0, 3.0
SETTLED_KM = 1e-4
P_SLOWNESS, S_SLOWNESS = 1 / 6.0, 1 / 3.5
LEAST_INFORMATION = 1e-6  # per km²: nothing is more than 1,000 km uncertain
DAMPING = 1e-3
LEAST_TOTAL = 1e-12


@lean
def climb(
    p_table: Any, s_table: Any, rows: Any, errors: Any, top: Any, bottom: Any, blur_km: Any, places: Any, depth: Any,
    desk: Any, small: Any, of_events: Any, of_rows: Any, information: Any,
) -> None:  # fmt: skip
    """From places (event, start, 3) and depths to the maxima, in place; then what is found there: logarithm of the
    posterior, time, its variance and stretch (4, event, start); residual, variance, weight, time, its slopes and
    distance (7, row, start); information (event, start, 3, 3). `small` is room of (12, 5)."""
    frame, products, gain, system = small[0:3], small[3:8], small[8], small[9:12]
    for event in range(depth.shape[0]):
        first, n = rows.first[event], rows.first[event + 1] - rows.first[event]
        for start in range(depth.shape[1]):
            place, matrix = places[event, start], information[event, start]
            here = min(max(depth[event, start], top[event]), bottom[event])
            number = 0
            while True:
                is_last = number == len(BLURS)
                _stand_at(place, frame)
                predict_rows(p_table, s_table, rows, first, first + n, place[0], place[1], place[2], here, desk)
                weigh_variances(rows, first, n, errors, desk)
                blur = 0.0 if is_last else BLURS[number] * blur_km[event, start]
                for i in range(n if blur > 0 else 0):
                    slowness = S_SLOWNESS if rows.is_s[first + i] else P_SLOWNESS
                    desk[VARIANCE, i] += (blur * slowness) ** 2
                if number == 0:
                    _weigh_roughly(rows, first, n, errors.velocity_error, desk)
                rounds = LAST_ROUNDS if is_last else STEP_ROUNDS
                fitted = fit_rows(rows, first, n, rounds, errors.outlier_span_s, errors.velocity_error, desk)
                _normal_equations(rows, first, n, errors.velocity_error, frame, desk, products, matrix, gain)
                if is_last:
                    break
                limit = blur_km[event, start]
                north, east, down = _step(matrix, gain, system, here, top[event], bottom[event], limit)
                place[0], place[1], place[2] = moved(frame, north, east)
                before, here = here, min(max(here + down, top[event]), bottom[event])
                is_settled = blur == 0 and max(abs(north), abs(east), abs(here - before)) < SETTLED_KM
                number = len(BLURS) if is_settled else number + 1
            depth[event, start] = here
            for k in range(4):
                of_events[k, event, start] = fitted[k]
            for i in range(n):
                row = first + i
                of_rows[0, row, start], of_rows[1, row, start] = desk[RESIDUAL, i], desk[VARIANCE, i]
                of_rows[2, row, start], of_rows[3, row, start] = desk[WEIGHT, i], desk[TIME, i]
                of_rows[4, row, start], of_rows[5, row, start] = desk[ACROSS, i], desk[DOWN, i]
                of_rows[6, row, start] = desk[DISTANCE, i]


@inlined
def _stand_at(place: Any, frame: Any) -> None:
    """Centre, north and east there; the place becomes a unit vector. At a pole, north is along the meridian of
    Greenwich."""
    length = np.sqrt(place[0] ** 2 + place[1] ** 2 + place[2] ** 2)
    for k in range(3):
        place[k] /= length
        frame[0, k] = place[k]
    level = np.sqrt(place[0] ** 2 + place[1] ** 2)
    cosine, sine = (place[0] / level, place[1] / level) if level > 0 else (1.0, 0.0)
    frame[1, 0], frame[1, 1], frame[1, 2] = -place[2] * cosine, -place[2] * sine, level
    frame[2, 0], frame[2, 1], frame[2, 2] = -sine, cosine, 0.0


@inlined
def _weigh_roughly(rows: Any, first: int, n: int, velocity_error: float, desk: Any) -> None:
    """To begin with, where no arrival is known to belong: far ones count less and less, and none is lost."""
    for i in range(n):
        desk[LEAD, i], desk[WEIGHT, i] = rows.onset[first + i] - desk[TIME, i], rows.belongs[first + i]
    for _ in range(ROBUST_ROUNDS):
        best = solve_time(n, velocity_error, desk)
        for i in range(n):
            residual = desk[LEAD, i] - best[0] - best[2] * desk[TIME, i]
            away = residual * residual / (ROBUST_WIDTH**2 * desk[VARIANCE, i])
            desk[WEIGHT, i] = rows.belongs[first + i] / (1 + away)


@lean
def _normal_equations(
    rows: Any, first: int, n: int, velocity_error: float, frame: Any, desk: Any, products: Any, information: Any,
    gain: Any,
) -> None:  # fmt: skip
    """Information and gain of north, east and depth, origin time and stretch eliminated."""
    for i in range(n):
        row = first + i
        desk[PRECISION, i] = desk[WEIGHT, i] / desk[VARIANCE, i]
        towards = -desk[ACROSS, i] / max(np.sin(desk[DISTANCE, i] / EARTH_RADIUS_KM), 1e-9)
        for k in range(2):
            along = 0.0
            for c in range(3):
                along += frame[1 + k, c] * rows.site[row, c]
            desk[SLOPES + k, i] = towards * along
        desk[SLOPES + 2, i], desk[SLOPES + 3, i] = desk[DOWN, i], desk[RESIDUAL, i]
        desk[SLOPES + 4, i] = desk[TIME, i]
    total = 0.0
    for i in range(n):
        total += desk[PRECISION, i]
    total = max(total, LEAST_TOTAL)
    for k in range(5):
        mean = 0.0
        for i in range(n):
            mean += desk[PRECISION, i] * desk[SLOPES + k, i]
        for i in range(n):
            desk[SLOPES + k, i] -= mean / total
    for k in range(5):
        for m in range(k + 1):
            products[k, m] = 0.0
            for i in range(n):
                products[k, m] += desk[PRECISION, i] * desk[SLOPES + k, i] * desk[SLOPES + m, i]
    spread = products[4, 4] + (1 / (velocity_error * velocity_error) if velocity_error > 0 else np.inf)
    for k in range(3):
        gain[k] = products[3, k]
        for m in range(k + 1):
            information[k, m] = information[m, k] = products[k, m] - products[4, k] * products[4, m] / spread


@inlined
def _step(
    information: Any, gain: Any, a: Any, depth: float, top: float, bottom: float, blur_km: float
) -> tuple[float, float, float]:
    """Towards the maximum, no farther than the start is uncertain; a depth that is held at its limit stays."""
    for k in range(3):
        for m in range(3):
            a[k, m] = information[k, m]
        a[k, k] += LEAST_INFORMATION
        a[k, k] += DAMPING * a[k, k]
        a[k, 3] = gain[k]
    if (depth <= top and gain[2] < 0) or (depth >= bottom and gain[2] > 0):
        a[0, 2] = a[1, 2] = a[2, 0] = a[2, 1] = a[2, 3] = 0.0
        a[2, 2] = 1.0
    for k in range(3):
        for m in range(k + 1, 3):
            ratio = a[m, k] / a[k, k]
            for c in range(k, 4):
                a[m, c] -= ratio * a[k, c]
    down = a[2, 3] / a[2, 2]
    east = (a[1, 3] - a[1, 2] * down) / a[1, 1]
    north = (a[0, 3] - a[0, 1] * east - a[0, 2] * down) / a[0, 0]
    length = np.sqrt(north * north + east * east + down * down)
    shorter = min(1.0, min(max(2 * blur_km, SHORTEST_LIMIT_KM), LONGEST_STEP_KM) / max(length, 1e-12))
    return north * shorter, east * shorter, down * shorter
