"""What a ray gathers on its way: distance, time, attenuation and the opening of the ray tube, in closed form by layer.

A ray is known by the most that its p can be, `limit`, and y = sqrt(limit² - p²), so that rays that graze a layer are as
exact as others. With q = sqrt(u² - p²) a sub-layer gives T = (q1 - q2) / decay, dX/dp = T / (q1 q2) and
X = (acos(p / u1) - acos(p / u2)) / decay, which have finite limits where the decay is 0.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from kensoku.traveltime._model import Column, FloatArray

IntArray = npt.NDArray[np.intp]
TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Rays:
    """Many rays between two depths (flattened), by way of a third: `turning` is the sub-layer they turn in, or -1.

    `upper` and `lower` are the ends; rays run once between them and twice between `lower` and `bottom`.
    """

    upper: FloatArray
    lower: FloatArray
    bottom: FloatArray
    turning: IntArray
    limit: FloatArray
    y: FloatArray

    def take(self, index: IntArray) -> "Rays":
        return Rays(*(getattr(self, field.name)[index] for field in fields(self)))

    def bend(self, y: FloatArray) -> "Rays":
        return replace(self, y=y)

    @property
    def p(self) -> FloatArray:
        return np.asarray(np.sqrt(np.maximum((self.limit - self.y) * (self.limit + self.y), 0)))

    def q(self, u: FloatArray) -> FloatArray:
        """Vertical slowness where the slowness is u."""
        return np.asarray(np.sqrt(np.maximum((u - self.limit) * (u + self.limit) + self.y**2, 0)))


@dataclass(frozen=True, slots=True)
class Gathered:
    distance_km: FloatArray
    time_s: FloatArray
    spread: FloatArray  # dX/dp
    t_star_s: FloatArray
    path_km: FloatArray


def gather(column: Column, rays: Rays) -> Gathered:
    sums = np.zeros((5, len(rays.y)))
    lowest = np.max(rays.bottom, initial=-np.inf)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for sublayer in range(len(column.top)):
            if column.top[sublayer] >= lowest:
                break
            _cross(column, sublayer, rays, rays.upper, rays.lower, 1, sums)
            _cross(column, sublayer, rays, rays.lower, rays.bottom, 2, sums)
        _turn(column, rays, sums)
    return Gathered(*sums)


def cross(
    decay: npt.ArrayLike, thickness: FloatArray, u1: FloatArray, q1: FloatArray, q2: FloatArray, p: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Distance and time through a part of a sub-layer, without the differences of like numbers."""
    decay, twice = np.asarray(decay), 2 * np.asarray(decay) * thickness
    shrunk = np.divide(-np.expm1(-twice), twice, out=np.ones_like(twice), where=twice != 0)
    time = 2 * u1**2 * thickness * shrunk / (q1 + q2)  # (q1 - q2) / decay
    tangent = p * time / (p**2 + q1 * q2)
    distance = np.divide(np.arctan(decay * tangent), decay, out=tangent.copy(), where=decay != 0)
    return distance, time


def _cross(
    column: Column, sublayer: int, rays: Rays, upper: FloatArray, lower: FloatArray, times: int, sums: FloatArray
) -> None:
    """Add the part of a sub-layer between two depths."""
    top, bottom, decay = column.top[sublayer], column.bottom[sublayer], column.decay[sublayer]
    crossing = np.flatnonzero((upper < bottom) & (lower > top) & (lower > upper))
    if not len(crossing):
        return
    start, end = np.maximum(upper[crossing], top), np.minimum(lower[crossing], bottom)
    part = rays.take(crossing)
    u1 = column.u_top[sublayer] * np.exp(-decay * (start - top))
    q1, q2 = part.q(u1), part.q(u1 * np.exp(-decay * (end - start)))
    distance, time = cross(decay, end - start, u1, q1, q2, part.p)
    distance, time = times * distance, times * time
    _add(column, sublayer, sums, crossing, distance, time, time / np.maximum(q1 * q2, TINY))


def _turn(column: Column, rays: Rays, sums: FloatArray) -> None:
    """Add the way down to the turning point and up again."""
    turning = np.flatnonzero(rays.turning >= 0)
    if not len(turning):
        return
    part = rays.take(turning)
    decay = column.decay[part.turning]
    q = part.q(column.slowness(part.bottom, part.turning))
    distance = 2 * np.arctan2(q, part.p) / decay
    _add(column, part.turning, sums, turning, distance, 2 * q / decay, -2 / (decay * np.maximum(q, TINY)))


def _add(
    column: Column, sublayer: int | IntArray, sums: FloatArray, index: IntArray,
    distance: FloatArray, time: FloatArray, spread: FloatArray,
) -> None:  # fmt: skip
    parts = (distance, time, spread, time * column.inverse_q[sublayer], time * column.velocity[sublayer])
    for total, part in zip(sums, parts, strict=True):
        total[index] += part
