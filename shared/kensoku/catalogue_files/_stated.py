"""Uncertainties about the place and time that a file states: the maximum of the posterior, not the mean.

Second moments about another point than the mean are the covariance and the square of what lies between the two.
"""

import math
from collections.abc import Iterable
from itertools import chain

import numpy as np

from kensoku.catalogue_files._ellipsoid import of_moments
from kensoku.sphere import KM_PER_DEG
from kensoku.times import NS_PER_S
from kensoku.v1.event_pb2 import Ellipsoid, Origin

HOLDS_68 = 3.5267  # square of the axes, in deviations, of what holds 68 % of a normal distribution in three dimensions
LARGEST = 1e6  # of kilometres and degrees that anybody can mean


def can_be_meant(numbers: Iterable[float]) -> bool:
    """Not of what is no number either."""
    return all(abs(number) < LARGEST for number in numbers)


def km_per_deg_east(origin: Origin) -> float:
    return KM_PER_DEG * max(math.cos(math.radians(origin.latitude_deg)), 1e-6)


def deviations_km(origin: Origin) -> list[float]:
    """To the north, to the east and in depth; nothing if not known."""
    if len(origin.covariance) != 10:
        return [0.0, 0.0, 0.0]
    squares = (max(origin.covariance[index], 0.0) for index in (4, 7, 9))
    return [math.sqrt(square + km**2) for square, km in zip(squares, _to_the_mean_km(origin), strict=True)]


def time_deviation_s(origin: Origin) -> float:
    """Nothing if not known."""
    if not (origin.time_uncertainty_s > 0 and origin.HasField("mean")):
        return origin.time_uncertainty_s
    return math.hypot(origin.time_uncertainty_s, (origin.mean.time_ns - origin.time_ns) / NS_PER_S)


def ellipsoid(origin: Origin) -> Ellipsoid:
    """Empty if not known, or if nobody can mean it."""
    axes, off_km = origin.ellipsoid, np.array(_to_the_mean_km(origin))
    parts = axes.semi_axis_km, axes.azimuth_deg, axes.plunge_deg
    if any(len(part) != 3 for part in parts) or not can_be_meant(chain(*parts)):
        return Ellipsoid()
    return of_moments(axes, HOLDS_68 * np.outer(off_km, off_km)) if any(off_km) else axes


def _to_the_mean_km(origin: Origin) -> tuple[float, float, float]:
    mean = origin.mean if origin.HasField("mean") else origin
    if not can_be_meant((mean.latitude_deg, mean.longitude_deg, mean.depth_km, origin.depth_km)):
        return 0.0, 0.0, 0.0
    return (
        KM_PER_DEG * (mean.latitude_deg - origin.latitude_deg),
        km_per_deg_east(origin) * math.remainder(mean.longitude_deg - origin.longitude_deg, 360.0),
        mean.depth_km - origin.depth_km,
    )
