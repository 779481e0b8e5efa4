"""Find the rays of a source and a station: straight up, turning below them, or along an interface."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np

from kensoku.traveltime._integrals import Gathered, IntArray, Rays, gather
from kensoku.traveltime._model import Column, FloatArray
from kensoku.traveltime._turning import fans

ITERATIONS = 60  # two to eight are usual


class Kind(IntEnum):
    DIRECT = 0  # rises all the way from the deeper end to the other
    TURNING = 1  # goes down, turns and comes up
    HEAD = 2  # goes along an interface, at or below the deeper end
    CREEPING = 3  # goes on where a fast layer's last ray grazes its bottom: counts only where nothing else arrives


@dataclass(frozen=True, slots=True)
class Found:
    pair: IntArray
    time_s: FloatArray
    rays: Rays
    kind: IntArray
    sublayer: IntArray  # of the lowest point, or along whose edge it goes

    def take(self, index: IntArray) -> "Found":
        return Found(
            self.pair[index], self.time_s[index], self.rays.take(index), self.kind[index], self.sublayer[index]
        )


def search(column: Column, upper: FloatArray, lower: FloatArray, distance: FloatArray) -> Found:
    """Every ray between two flattened depths, upper < lower, that can be the first of its kind."""
    ways = (_direct, _turning, _along_interfaces)
    parts = [found for way in ways for found in way(column, upper, lower, distance)]
    rays = Rays(*(np.concatenate([getattr(f.rays, field.name) for f in parts]) for field in fields(Rays)))
    pair, kind, sublayer = (np.concatenate([getattr(f, name) for f in parts]) for name in ("pair", "kind", "sublayer"))
    return Found(pair, np.concatenate([f.time_s for f in parts]), rays, kind, sublayer)


def _direct(column: Column, upper: FloatArray, lower: FloatArray, distance: FloatArray) -> Iterator[Found]:
    """Rays that only rise. X grows with t = tan of the angle where the ray is flattest, ever more slowly: from a t that
    is too small Newton's method never goes too far."""
    limit = column.limits(upper, lower)[:, 0]
    rays = Rays(upper, lower, lower, np.full(len(lower), -1), limit, np.zeros_like(limit))
    last = gather(column, rays)
    pair = np.arange(len(distance))
    beyond = np.flatnonzero(distance > last.distance_km)
    time = last.time_s[beyond] + limit[beyond] * (distance[beyond] - last.distance_km[beyond])
    fastest = column.above(lower)[beyond]
    yield Found(beyond, time, rays.take(beyond), np.full(len(beyond), Kind.CREEPING, np.intp), fastest)

    within = np.flatnonzero(~(distance > last.distance_km))
    rays, wished = rays.take(within), distance[within]

    def bend(t: FloatArray, index: IntArray) -> Rays:
        part = rays.take(index)
        return part.bend(part.limit / np.sqrt(1 + t**2))

    def slope(gathered: Gathered, part: Rays) -> FloatArray:
        return np.asarray(gathered.spread * part.y**3 / part.limit**2)  # dX/dp dp/dt

    start = wished / (rays.lower - rays.upper)
    t = _newton(column, bend, slope, wished, start, np.zeros_like(start), np.full_like(start, 1e12))
    rays = bend(t, np.arange(len(within)))
    kind = np.full(len(within), Kind.DIRECT, np.intp)
    yield Found(pair[within], _time(gather(column, rays), rays, wished), rays, kind, column.above(rays.lower))


def _turning(column: Column, upper: FloatArray, lower: FloatArray, distance: FloatArray) -> Iterator[Found]:
    ends, row = np.unique(np.column_stack([upper, lower]), axis=0, return_inverse=True)
    for fan in fans(column, *ends.T):
        ray = fan.between(upper, lower, distance, row.reshape(-1))
        bottom, wished = np.maximum(lower[ray.pair], column.top[ray.sublayer]), distance[ray.pair]
        rays = Rays(upper[ray.pair], lower[ray.pair], bottom, ray.sublayer, ray.limit, ray.start)

        def bend(y: FloatArray, index: IntArray, rays: Rays = rays) -> Rays:
            return rays.take(index).bend(y)

        def slope(gathered: Gathered, part: Rays) -> FloatArray:
            return -gathered.spread * part.y / part.p

        bent = rays.bend(_newton(column, bend, slope, wished, ray.start, ray.low, ray.high))
        kind = np.full(len(wished), Kind.TURNING, np.intp)
        yield Found(ray.pair, _time(gather(column, bent), bent, wished), bent, kind, ray.sublayer)


def _along_interfaces(column: Column, upper: FloatArray, lower: FloatArray, distance: FloatArray) -> Iterator[Found]:
    """Head waves; where velocity falls at an interface, the wave that creeps along its upper side into the shadow."""
    interfaces = 1 + np.flatnonzero(np.diff(column.zone))
    pair, which = np.nonzero(lower[:, None] <= column.top[interfaces])
    below = interfaces[which]
    is_head = column.u_top[below] < column.u_bottom[below - 1]
    sublayer, kind = np.where(
        is_head, (below, np.full_like(below, Kind.HEAD)), (below - 1, np.full_like(below, Kind.CREEPING))
    )
    limit = np.minimum(column.u_top[below], column.u_bottom[below - 1])
    rays = Rays(upper[pair], lower[pair], column.top[below], np.full(len(pair), -1), limit, np.zeros(len(pair)))
    critical, wished = gather(column, rays), distance[pair]
    reaches = column.limits(upper, lower)[pair, below] >= limit * (1 - 1e-12)
    exists = np.flatnonzero(reaches & (critical.distance_km <= wished))
    with np.errstate(invalid="ignore"):
        yield Found(pair, _time(critical, rays, wished), rays, kind, sublayer).take(exists)


def _time(gathered: Gathered, rays: Rays, distance: FloatArray) -> FloatArray:
    """To the distance itself: along an interface, or the little that Newton's method left, which p makes exact."""
    return np.asarray(gathered.time_s + rays.p * (distance - gathered.distance_km))


def _newton(
    column: Column,
    bend: Callable[[FloatArray, IntArray], Rays],
    slope: Callable[[Gathered, Rays], FloatArray],
    wished: FloatArray,
    start: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """How far to bend each ray to meet the wished distance, which grows with it; a step that would leave the bracket
    halves it."""
    at, low, high = start.copy(), low.copy(), high.copy()
    left = np.arange(len(at))
    for _ in range(ITERATIONS):
        rays = bend(at[left], left)
        gathered = gather(column, rays)
        lacking = wished[left] - gathered.distance_km
        low[left] = np.where(lacking >= 0, at[left], low[left])
        high[left] = np.where(lacking <= 0, at[left], high[left])
        with np.errstate(all="ignore"):
            step = at[left] + lacking / slope(gathered, rays)
        inside = (step >= low[left]) & (step <= high[left])
        at[left] = np.where(inside, step, (low[left] + high[left]) / 2)
        left = left[~(np.abs(lacking) < 1e-9 * (1 + wished[left]))]
        if not len(left):
            break
    return at
