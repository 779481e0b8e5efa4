"""Times from every place of a volume to one station, where the earth has no layers: a grid of NonLinLoc's."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.traveltime._model import FloatArray, Wave
from kensoku.traveltime._projection import Projection

LATEST_S = 1e5  # a node with more, or with less than nothing, was not reached
LEAST_R_KM = 1e-6
Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class GridTimes:
    """NaN outside of the grid and where no wave came."""

    time_s: FloatArray
    per_north_s_km: FloatArray  # slopes over the place of the source
    per_east_s_km: FloatArray
    per_depth_s_km: FloatArray


@dataclass(frozen=True, eq=False)
class TimeGrid:
    """Between nodes T / r, smooth down to the station, changes in a straight line along each axis."""

    station: str  # as NonLinLoc calls it
    wave: Wave
    station_km: Three  # in the grid
    origin_km: Three
    step_km: Three
    projection: Projection
    times_s: npt.NDArray[np.floating[Any]]  # x, y, z; `is_flat`: one plane of distance and z
    is_flat: bool = False

    def lookup(self, latitude_deg: npt.ArrayLike, longitude_deg: npt.ArrayLike, depth_km: npt.ArrayLike) -> GridTimes:
        """Of sources anywhere."""
        given = (np.asarray(each, np.float64) for each in (latitude_deg, longitude_deg, depth_km))
        latitude, longitude, depth = np.broadcast_arrays(*given)
        x, y = self.projection.project(latitude, longitude)
        away = x - self.station_km[0], y - self.station_km[1], depth - self.station_km[2]
        time, slopes = self._flat(*away) if self.is_flat else self._solid(*away)
        (north_x, north_y), (east_x, east_y) = self.projection.axes(latitude, longitude)
        per_x, per_y, per_z = slopes
        return GridTimes(time, per_x * north_x + per_y * north_y, per_x * east_x + per_y * east_y, per_z)

    def _solid(self, x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        low = np.array(self.origin_km) - self.station_km
        return _interpolate(self.times_s, np.stack([x, y, z]), low, np.array(self.step_km))

    def _flat(self, x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        distance = np.hypot(x, y)
        low = np.array([self.origin_km[1], self.origin_km[2] - self.station_km[2]])
        plane = self.times_s[0]
        time, (across, down) = _interpolate(plane, np.stack([distance, z]), low, np.array(self.step_km[1:]))
        along = np.maximum(distance, LEAST_R_KM)
        return time, np.stack([across * x / along, across * y / along, down])


def _interpolate(
    times: npt.NDArray[np.floating[Any]], place: FloatArray, low: FloatArray, step: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Time and its slopes along the axes, at places (axis, ...) relative to the station, as are the nodes."""
    axes, shape = len(place), place.shape[1:]
    flat = place.reshape(axes, -1)
    at = (flat - low[:, None]) / step[:, None]
    last = np.array(times.shape) - 1
    inside = ((at >= 0) & (at <= last[:, None])).all(axis=0)
    cell = np.clip(np.where(np.isfinite(at), at, 0).astype(np.intp), 0, last[:, None] - 1)
    share = at - cell
    slowness, slope = np.zeros(flat.shape[1]), np.zeros(flat.shape)
    for corner in np.ndindex(*(2,) * axes):
        side = np.array(corner)[:, None]
        node = cell + side
        value = _slowness(times, node, low, step)
        factors = np.where(side == 1, share, 1 - share)
        slowness += value * factors.prod(axis=0)
        for axis in range(axes):
            others = np.delete(factors, axis, axis=0).prod(axis=0)
            slope[axis] += (2 * corner[axis] - 1) * value * others / step[axis]
    r = np.maximum(np.sqrt((flat**2).sum(axis=0)), LEAST_R_KM)
    time, slopes = slowness * r, slowness * flat / r + r * slope
    time[~inside], slopes[:, ~inside] = np.nan, np.nan
    return time.reshape(shape), slopes.reshape(place.shape)


def _slowness(
    times: npt.NDArray[np.floating[Any]], node: npt.NDArray[np.intp], low: FloatArray, step: FloatArray
) -> FloatArray:
    """T / r of nodes (axis, ...); that of the next one where a node is the station."""
    r = _distance(node, low, step)
    if (at_station := r < LEAST_R_KM + 1e-3 * step.min()).any():
        beside = node[:, at_station]
        beside[-1] += np.where(beside[-1] + 1 < times.shape[-1], 1, -1)
        node = node.copy()
        node[:, at_station] = beside
        r = _distance(node, low, step)
    time = np.asarray(times[tuple(node)], np.float64)
    return np.where((time >= 0) & (time < LATEST_S), time, np.nan) / r


def _distance(node: npt.NDArray[np.intp], low: FloatArray, step: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(((low[:, None] + node * step[:, None]) ** 2).sum(axis=0)))
