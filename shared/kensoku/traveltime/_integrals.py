"""What a ray gathers on its way: distance, time, attenuation and the opening of the ray tube, in closed form by layer.

A ray is known by the most that its p can be, `limit`, and y = sqrt(limit² - p²), so that rays that graze a layer are as
exact as others. With q = sqrt(u² - p²) a sub-layer gives T = (q1 - q2) / decay, dX/dp = T / (q1 q2) and
X = (acos(p / u1) - acos(p / u2)) / decay, which have finite limits where the decay is 0; q2 is 0 where the ray turns.

Every ray's sums are its own: the same bits, whichever other rays are traced with it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.traveltime._model import Column, FloatArray, fall_of_square

IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]
TINY = 1e-300
RISING = -1  # the lowest sub-layer of a ray that only rises


@dataclass(frozen=True, slots=True)
class Rays:
    """Many rays between two depths (flattened): once between `upper` and `lower`, and twice from there down to the
    bottom of the sub-layer `lowest`, or to where they turn above it."""

    upper: FloatArray
    lower: FloatArray
    lowest: IntArray
    limit: FloatArray

    def take(self, index: IntArray) -> "Rays":
        return Rays(self.upper[index], self.lower[index], self.lowest[index], self.limit[index])

    def q(self, u: FloatArray, y: FloatArray) -> FloatArray:
        """Vertical slowness where the slowness is u."""
        return np.asarray(np.sqrt(np.maximum((u - self.limit) * (u + self.limit) + y * y, 0)))


@dataclass(frozen=True, slots=True)
class Gathered:
    """A value a ray."""

    distance_km: FloatArray
    time_s: FloatArray
    spread: FloatArray  # dX/dp
    t_star_s: FloatArray
    path_km: FloatArray
    turning: IntArray  # the sub-layer it turns in, or the lowest that it crosses


@dataclass(frozen=True, slots=True)
class Stretches:
    """The parts of sub-layers that rays cross, all those of a ray in a row."""

    ray: IntArray
    sublayer: IntArray
    times: FloatArray  # one or two
    square_above: FloatArray  # u² - limit² at the upper end
    square_below: FloatArray
    fall: FloatArray  # of u², over the decay
    decay: FloatArray  # never 0

    def keep(self, rays: IntArray, count: int) -> "Stretches":
        """Those of some rays, in their order, which are counted anew."""
        number = np.full(count, -1)
        number[rays] = np.arange(len(rays))
        kept = np.flatnonzero(number[self.ray] >= 0)
        square_above, square_below, fall, decay = (
            values[kept] for values in (self.square_above, self.square_below, self.fall, self.decay)
        )
        ray, sublayer, times = number[self.ray[kept]], self.sublayer[kept], self.times[kept]
        return Stretches(ray, sublayer, times, square_above, square_below, fall, decay)


def cut(column: Column, rays: Rays) -> Stretches:
    upper, lower = rays.upper, rays.lower
    first, last, under = column.below(upper), column.above(lower), column.below(lower)
    once = last - first + 1
    twice = np.maximum(rays.lowest - under + 1, 0)
    end = np.cumsum(once + twice)
    begin = end - once - twice
    ray = np.repeat(np.arange(len(end)), once + twice)
    is_twice = np.arange(len(ray)) >= (begin + once)[ray]
    sublayer = np.arange(len(ray)) + np.where(is_twice, (under - begin - once)[ray], (first - begin)[ray])

    above, below, fall = column.u_top[sublayer], column.u_bottom[sublayer], column.fall[sublayer]
    on = np.flatnonzero(twice)  # what begins or ends within a sub-layer: the last and the first, the first below
    where = np.concatenate([begin + once - 1, begin, (begin + once)[on]])
    of = np.concatenate([last, first, under[on]])
    start = np.concatenate([column.top[last], upper, lower[on]])
    thickness = np.concatenate([lower, np.minimum(column.bottom[first], lower), column.bottom[under[on]]]) - start
    u_start = column.slowness(start, of)
    begins = where[len(end) :]
    above[begins] = u_start[len(end) :]
    below[begin + once - 1] = column.slowness(lower, last)
    fall[where] = fall_of_square(u_start, thickness, column.decay[of])

    limit = rays.limit[ray]
    return Stretches(
        ray, sublayer, 1.0 + is_twice, (above - limit) * (above + limit), (below - limit) * (below + limit), fall,
        column.bend[sublayer],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Crossed:
    """By stretch, as often as it is crossed."""

    q_above: FloatArray
    distance_km: FloatArray
    time_s: FloatArray
    spread: FloatArray


def _cross(stretches: Stretches, p: FloatArray, y: FloatArray) -> _Crossed:
    s, p, square = stretches, p[stretches.ray], (y * y)[stretches.ray]
    q1 = np.sqrt(np.maximum(s.square_above + square, 0))
    below = s.square_below + square
    q2 = np.sqrt(np.maximum(below, 0))
    turned = np.flatnonzero((below <= 0) & (s.times == 2))
    q1_turned, decay = q1[turned], s.decay[turned]
    product = q1 * q2
    time = s.fall / (q1 + q2)
    time[turned] = np.where(q1_turned > 0, q1_turned / decay, 0)
    distance = np.arctan(s.decay * p * time / (p * p + product)) * s.times / s.decay
    time *= s.times
    spread = time / np.maximum(product, TINY)
    spread[turned] = np.where(q1_turned > 0, -2 / (decay * q1_turned), 0)
    return _Crossed(q1, distance, time, spread)


def reach(stretches: Stretches, p: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distance, time and dX/dp: what the search needs."""
    crossed, count = _cross(stretches, p, y), len(p)
    return (
        _sum(stretches, crossed.distance_km, count),
        _sum(stretches, crossed.time_s, count),
        _sum(stretches, crossed.spread, count),
    )


def gather(column: Column, stretches: Stretches, p: FloatArray, y: FloatArray) -> Gathered:
    s, crossed, count = stretches, _cross(stretches, p, y), len(p)
    turning = np.full(count, -1)
    entered = np.flatnonzero((s.times == 2) & (crossed.q_above > 0))
    turning[s.ray[entered]] = s.sublayer[entered]  # the last of a ray's, which is the lowest
    return Gathered(
        distance_km=_sum(s, crossed.distance_km, count),
        time_s=_sum(s, crossed.time_s, count),
        spread=_sum(s, crossed.spread, count),
        t_star_s=_sum(s, crossed.time_s * column.inverse_q[s.sublayer], count),
        path_km=_sum(s, crossed.time_s * column.velocity[s.sublayer], count),
        turning=turning,
    )


def _sum(stretches: Stretches, parts: FloatArray, count: int) -> FloatArray:
    """One after the other, so that a ray's sum is the same whatever stands beside it."""
    return np.bincount(stretches.ray, parts, count).astype(np.float64, copy=False)
