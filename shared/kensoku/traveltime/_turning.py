"""Rays that go down, turn and come up: a fan of them for each pair of depths shows which reach a distance."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kensoku.traveltime._integrals import IntArray, Rays, cross, gather
from kensoku.traveltime._model import Column, FloatArray

PIECES = 4  # of the rays that turn in one sub-layer, to catch distances that two of them reach


@dataclass(frozen=True, slots=True)
class Fan:
    """From the flattest ray of a sub-layer to the steepest; a row for each pair of depths, NaN for no ray."""

    sublayer: IntArray
    limit: FloatArray
    y: FloatArray
    distance_km: FloatArray

    def between(self, upper: FloatArray, lower: FloatArray, distance: FloatArray, row: IntArray) -> "Bracketed":
        """Where neighbours lie on either side of a distance, the deeper one farther: rays that come nearer as they go
        deeper are left out, since another is always earlier."""
        near, far, wished = self.distance_km[row, :-1], self.distance_km[row, 1:], distance[:, None]
        pair, ray = np.nonzero((near < wished) & (wished <= far) & (self.sublayer[row, :-1] == self.sublayer[row, 1:]))
        from_row = row[pair]
        sublayer, limit = self.sublayer[from_row, ray], self.limit[from_row, ray]
        low, high = self.y[from_row, ray], self.y[from_row, ray + 1]
        share = (distance[pair] - near[pair, ray]) / (far - near)[pair, ray]
        return Bracketed(pair, sublayer, limit, low, high, low + share * (high - low))


@dataclass(frozen=True, slots=True)
class Bracketed:
    pair: IntArray
    sublayer: IntArray
    limit: FloatArray
    low: FloatArray  # y
    high: FloatArray
    start: FloatArray


def fans(column: Column, upper: FloatArray, lower: FloatArray) -> Iterator[Fan]:
    """Of every sub-layer in which a ray between these depths can turn."""
    limit = column.limits(upper, lower)
    yield _fan_under_limit(column, upper, lower, column.below(lower), limit)
    yield _free_fan(column, upper, lower, limit)
    capped = (limit < column.u_top * (1 - 1e-12)) & (limit > column.u_bottom) & (lower[:, None] <= column.top)
    for sublayer in np.flatnonzero(capped.any(axis=0)):
        yield _fan_under_limit(column, upper, lower, np.where(capped[:, sublayer], sublayer, -1), limit)


def _fan_under_limit(
    column: Column, upper: FloatArray, lower: FloatArray, sublayer: IntArray, limits: FloatArray
) -> Fan:
    """Where a slowness above keeps rays from grazing the sub-layer's top: that of the source inside it, or of a fast
    layer; rays are dense there, since there they come nearer at first."""
    top = np.maximum(lower, column.top[sublayer])
    limit = np.minimum(limits[np.arange(len(lower)), sublayer], column.slowness(top, sublayer))
    able = (sublayer >= 0) & (column.decay[sublayer] > 0) & (limit > column.u_bottom[sublayer])
    deepest_y = np.sqrt(np.where(able, limit**2 - column.u_bottom[sublayer] ** 2, np.nan))
    y = deepest_y[:, None] * (np.arange(2 * PIECES + 1) / (2 * PIECES)) ** 3
    shape = y.shape
    every = np.repeat(np.arange(len(lower)), shape[1])
    rays = Rays(upper, lower, top, sublayer, limit, limit).take(every).bend(y.ravel())
    distance = gather(column, rays).distance_km.reshape(shape)
    return Fan(np.broadcast_to(sublayer[:, None], shape), np.broadcast_to(limit[:, None], shape), y, distance)


def _free_fan(column: Column, upper: FloatArray, lower: FloatArray, limits: FloatArray) -> Fan:
    """All others: the same rays for all depths, of which only the way above the source and the station is taken off."""
    sublayer = np.repeat(np.flatnonzero(column.decay > 0), PIECES + 1)
    limit, u_bottom = column.u_top[sublayer], column.u_bottom[sublayer]
    y = np.sqrt(limit**2 - u_bottom**2) * np.tile(np.arange(PIECES + 1) / PIECES, len(sublayer) // (PIECES + 1))
    p = np.sqrt(limit**2 - y**2)

    def q(u: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(np.maximum((u - limit) * (u + limit) + y**2, 0)))

    thickness = column.bottom - column.top
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        crossed = [
            cross(column.decay[i], np.full_like(p, thickness[i]), np.full_like(p, column.u_top[i]),
                  q(column.u_top[i]), q(column.u_bottom[i]), p)[0]
            for i in range(len(thickness))
        ]  # fmt: skip
        to_top = np.concatenate([np.zeros((1, len(p))), np.cumsum(crossed, axis=0)])
        to_turning = to_top[sublayer, np.arange(len(p))] + np.arctan2(y, p) / column.decay[sublayer]

        def to(depth: FloatArray) -> FloatArray:
            which = column.below(depth)
            u_top, u = column.u_top[which][:, None], column.slowness(depth, which)[:, None]
            part = (depth - column.top[which])[:, None]
            return np.asarray(to_top[which] + cross(column.decay[which][:, None], part, u_top, q(u_top), q(u), p)[0])

        distance = 2 * to_turning - to(upper) - to(lower)
    free = (limits[:, sublayer] >= limit * (1 - 1e-12)) & (lower[:, None] <= column.top[sublayer])
    shape = distance.shape
    return Fan(
        np.broadcast_to(sublayer, shape), np.broadcast_to(limit, shape), np.broadcast_to(y, shape),
        np.where(free, distance, np.nan),
    )  # fmt: skip
