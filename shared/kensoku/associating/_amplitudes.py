"""Whether picks are of one size: amplitudes of an earthquake fall with distance, and its picks tell about the same."""

import math

import numpy as np

from kensoku.associating._arrays import Floats, Ints, Picks
from kensoku.compiled import lean

DECAY = 1.7  # of the logarithm of an amplitude with that of the hypocentral distance
SPREAD = 0.4  # of log10: S of 5 July 2019 at Ridgecrest scatter by 0.24, P by their radiation more
FREEDOM = 4.0  # of Student's distribution: one wild amplitude does not lose a pick that fits in time
USUAL = 0.35  # so that what an earthquake's own picks gain and lose is nothing together
LEAST_PICKS = 2.5  # with an amplitude of a phase, in sum of their weights, else nobody knows the size
REFINED = 2
SIZE, WEIGHT = 8, 9  # rows of `values`
LEAST_WEIGHT = 0.2  # of a pick that has a say


@lean
def compare_sizes(depth_km: float, detected: float, picks: Picks, count: int, found: Ints, values: Floats) -> None:
    """Makes those picks less likely whose amplitudes are not of the size that most others of their phase tell. P and S
    are each compared among themselves, as the stretches in which they were measured differ."""
    for k in range(count):
        distance_km = math.hypot(values[7, k], depth_km) + 1.0
        values[SIZE, k] = picks.log_amplitude[found[0, k]] + DECAY * math.log10(distance_km)
        weight = values[0, k] / (values[0, k] + 1.0 - detected)
        is_known = weight >= LEAST_WEIGHT and not np.isnan(values[SIZE, k])
        values[WEIGHT, k] = weight if is_known else 0.0
    for phase in range(2):
        size, weight = find_size(phase, count, found, values)
        if weight < LEAST_PICKS:
            continue
        for k in range(count):
            if found[1, k] == phase and not np.isnan(values[SIZE, k]):
                away = (values[SIZE, k] - size) / SPREAD
                share = USUAL - 0.5 * (FREEDOM + 1.0) * math.log(1.0 + away * away / FREEDOM)
                values[0, k] *= math.exp(share)
                values[6, k] += share


@lean
def find_size(phase: int, count: int, found: Ints, values: Floats) -> tuple[float, float]:
    """Where most of them lie, by their weights in time, and how many agree there."""
    best, size = 0.0, 0.0
    for k in range(count):
        if values[WEIGHT, k] > 0.0 and found[1, k] == phase:
            weight, _ = _agreeing(values[SIZE, k], phase, count, found, values)
            if weight > best:
                best, size = weight, values[SIZE, k]
    for _ in range(REFINED):
        best, size = _agreeing(size, phase, count, found, values)
    return size, best


@lean
def _agreeing(size: float, phase: int, count: int, found: Ints, values: Floats) -> tuple[float, float]:
    """How many picks agree with a size, and their mean."""
    total, moment = 0.0, 0.0
    for k in range(count):
        if values[WEIGHT, k] > 0.0 and found[1, k] == phase:
            away = (values[SIZE, k] - size) / SPREAD
            weight = values[WEIGHT, k] / (1.0 + away * away)
            total += weight
            moment += weight * values[SIZE, k]
    return total, moment / max(total, 1e-12)
