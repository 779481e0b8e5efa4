"""Times of first arrivals from a table over distance and depth, built once for a model and kept in a cache."""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.traveltime._arrivals import Arrivals, first_arrivals
from kensoku.traveltime._model import EarthModel, FloatArray, Wave

Float32Array = npt.NDArray[np.float32]
Values = Float32Array | FloatArray

FORMAT = 2  # of the cached file; count up when nodes would differ for the same model and grid
SAME_KM = 1e-9
SIDES_KM = (-1e-6, 1e-6, 0.06, 0.2)  # from an interface to the nodes around it
CHUNK = 16_384  # lookups at a time, so that what is in between stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Grid:
    """Where times are known; between elevations they are interpolated (with one, all stations are at that height)."""

    farthest_km: float = 1000.0
    distance_step_km: float = 0.5
    highest_km: float = -4.0  # sources above sea level
    deepest_km: float = 100.0
    depth_step_km: float = 0.5
    elevations_km: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        steps = min(self.distance_step_km, self.depth_step_km) > 0 and list(self.elevations_km) == sorted(
            self.elevations_km
        )
        if not (steps and self.elevations_km and self.farthest_km > 0 and self.highest_km < self.deepest_km):
            raise InputInvalid(f"found {self}; expected steps > 0, highest < deepest and elevations that rise")

    @property
    def distances_km(self) -> FloatArray:
        return np.arange(int(np.ceil(self.farthest_km / self.distance_step_km)) + 1) * self.distance_step_km

    def depths_km(self, interfaces: FloatArray) -> FloatArray:
        """Evenly spaced, with a node on either side of every interface, and more below, where rays bend most."""
        count = int(np.ceil((self.deepest_km - self.highest_km) / self.depth_step_km)) + 1
        even = self.highest_km + self.depth_step_km * np.arange(count)
        sides = (interfaces[:, None] + SIDES_KM).ravel()
        far = np.abs(even[:, None] - interfaces).min(axis=1, initial=np.inf) > 1e-3
        return np.asarray(np.unique(np.concatenate([even[far], sides[(sides > even[0]) & (sides < even[-1])]])))


@dataclass(frozen=True, slots=True)
class Times:
    time_s: FloatArray
    time_per_distance_s_km: FloatArray  # dT/dx: the ray parameter
    time_per_depth_s_km: FloatArray  # dT/d(depth of the source)


@dataclass(frozen=True)
class TravelTimeTable:
    """Between its nodes T / r, smooth down to the source, is a surface that has the rays' exact slopes at the nodes; in
    a cell that different waves reach, each is carried on from its own corners and the earliest counts."""

    model: EarthModel
    wave: Wave
    grid: Grid
    depths_km: FloatArray
    nodes: npt.NDArray[np.float32]  # T / r, its slope over distance, its slope over depth; elevation, depth, distance
    dips: npt.NDArray[np.int8]  # elevation, depth, distance: jumps of velocity from the source down to the lowest point

    @cached_property
    def _kinked(self) -> npt.NDArray[np.bool_]:
        """By the first node of a cell: different waves reach its corners, or those at the next elevation."""
        kinked = np.zeros(self.dips.shape, np.bool_)
        corners = np.stack([self.dips[:, i : i - 1 or None, j : j - 1 or None] for i in (0, 1) for j in (0, 1)])
        least, most = corners.min(axis=0), corners.max(axis=0)
        kinked[:, :-1, :-1] = least != most
        kinked[:-1, :-1, :-1] |= np.minimum(least[:-1], least[1:]) != np.maximum(most[:-1], most[1:])
        return kinked.ravel()

    @cached_property
    def _station_slowness(self) -> FloatArray:
        return 1 / self.model.velocity(self.wave, -np.asarray(self.grid.elevations_km))

    @cached_property
    def _rows(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """By step of depth: the row that it begins in, and whether other rows begin within it."""
        edges = self.grid.highest_km + self.grid.depth_step_km * np.arange(len(self.depths_km) + 1)
        first, last = (np.searchsorted(self.depths_km, edges + side) - 1 for side in (SAME_KM, -SAME_KM))
        is_edge = np.abs(self.depths_km[np.maximum(first, 0)] - edges) < SAME_KM
        return first[:-1], (last[1:] != first[:-1]) | ~is_edge[:-1]

    def lookup(self, distance_km: npt.ArrayLike, depth_km: npt.ArrayLike, elevation_km: npt.ArrayLike = 0.0) -> Times:
        given = (np.asarray(values, dtype=np.float64) for values in (distance_km, depth_km, elevation_km))
        distance, depth, elevation = np.broadcast_arrays(*given)
        self._require("distance_km", distance, 0, self.grid.farthest_km)
        self._require("depth_km", depth, self.grid.highest_km, self.grid.deepest_km)
        self._require("elevation_km", elevation, self.grid.elevations_km[0], self.grid.elevations_km[-1])
        found = np.empty((3, distance.size))
        flat = distance.ravel(), depth.ravel(), elevation.ravel()
        for start in range(0, distance.size, CHUNK):
            part = slice(start, start + CHUNK)
            self._interpolate(np.stack([values[part] for values in flat]), found[:, part])
        return Times(*(values.reshape(distance.shape) for values in found))

    def _require(self, name: str, values: FloatArray, least: float, most: float) -> None:
        if values.size and not (values.min() >= least and values.max() <= most):
            wrong = values[~((values >= least) & (values <= most))].flat[0]
            raise InputInvalid(f"found {name} {wrong:g}; expected {least:g} to {most:g}, which the table spans")

    def _interpolate(self, wished: FloatArray, found: FloatArray) -> None:
        elevations = np.asarray(self.grid.elevations_km)
        level = np.searchsorted(elevations[1:-1], wished[2], side="right")
        cell = self._find_cell(level, wished)
        found[:] = self._smooth(cell, wished)
        kinked = np.flatnonzero(self._kinked[cell.first])
        found_at_kinks = self._earliest(cell.take(kinked), wished[:, kinked])
        if len(elevations) > 1:
            share = (wished[2] - elevations[level]) / (elevations[level + 1] - elevations[level])
            above = self._find_cell(level + 1, wished)
            found += share * (self._smooth(above, wished) - found)
            at_kinks_above = self._earliest(above.take(kinked), wished[:, kinked])
            found_at_kinks = np.where(found_at_kinks[0] <= at_kinks_above[0], found_at_kinks, at_kinks_above)
        found[:, kinked] = found_at_kinks

    def _find_cell(self, level: npt.NDArray[np.intp], wished: FloatArray) -> "_Cells":
        distance, depth, _ = wished
        step, columns = self.grid.distance_step_km, self.nodes.shape[3]
        column = np.minimum((distance / step).astype(np.intp), columns - 2)
        firsts, are_many = self._rows
        of = ((depth - self.grid.highest_km) / self.grid.depth_step_km).astype(np.intp)
        row, many = firsts[of], np.flatnonzero(are_many[of])
        row[many] = np.searchsorted(self.depths_km, depth[many], side="right") - 1
        row = np.minimum(row, len(self.depths_km) - 2)
        return _Cells(level, row, column, (level * len(self.depths_km) + row) * columns + column)

    def _corners(self, cell: "_Cells", nodes: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Near and far on the upper edge, then on the lower."""
        columns = self.nodes.shape[3]
        return [nodes.take(cell.first + offset, axis=-1) for offset in (0, 1, columns, columns + 1)]

    def _smooth(self, cell: "_Cells", wished: FloatArray) -> FloatArray:
        distance, depth, elevation = wished
        step, top = self.grid.distance_step_km, self.depths_km[cell.row]
        height = self.depths_km[cell.row + 1] - top
        corners = self._corners(cell, self.nodes.reshape(3, -1))
        s, t = (distance / step - cell.column).astype(np.float32), ((depth - top) / height).astype(np.float32)
        slowness, across, down = _patch(corners, s, t, step, height.astype(np.float32))
        return _times(slowness, across, down, distance, depth + elevation)

    def _earliest(self, cell: "_Cells", wished: FloatArray) -> FloatArray:
        """Of the waves at the corners, each carried on as it changes least (T / r of one that comes straight, T of one
        that dips to an interface), with the curvature between corners that it reaches."""
        distance, depth, elevation = wished
        level, step = np.asarray(self.grid.elevations_km)[cell.level], self.grid.distance_step_km
        x = np.stack([cell.column, cell.column + 1] * 2) * step
        z = np.stack([self.depths_km[cell.row + i] for i in (0, 0, 1, 1)])
        dips = np.stack(self._corners(cell, self.dips.ravel()))
        straight = np.stack(self._corners(cell, self.nodes.reshape(3, -1)), axis=1)
        value, across, down = np.where(dips == 0, straight, _times(straight[0], straight[1], straight[2], x, z + level))
        dx, dz = distance - x, depth - z
        beside, under = [1, 0, 3, 2], [2, 3, 0, 1]
        bend_x = np.where(dips == dips[beside], (across[beside] - across) / (x[beside] - x), 0)
        bend_z = np.where(dips == dips[under], (down[under] - down) / (z[under] - z), 0)
        value = value + (across + bend_x * dx / 2) * dx + (down + bend_z * dz / 2) * dz
        across, down = across + bend_x * dx, down + bend_z * dz
        climb, height, r = elevation - level, depth + level, np.hypot(distance, depth + level)
        here = np.where(dips == 0, _times(value, across, down, distance, height), np.stack([value, across, down]))
        vertical = np.sqrt(np.maximum(self._station_slowness[cell.level] ** 2 - here[1] ** 2, 0))
        rising = value + climb * (vertical - value * height / r) / r
        straight = _times(rising, across, down, distance, depth + elevation)
        waves = np.where(dips == 0, straight, np.stack([value + vertical * climb, across, down]))
        first = waves[0].argmin(axis=0)
        return np.asarray(waves[:, first, np.arange(len(first))])


@dataclass(frozen=True, slots=True)
class _Cells:
    level: npt.NDArray[np.intp]
    row: npt.NDArray[np.intp]
    column: npt.NDArray[np.intp]
    first: npt.NDArray[np.intp]  # node

    def take(self, index: npt.NDArray[np.intp]) -> "_Cells":
        return _Cells(self.level[index], self.row[index], self.column[index], self.first[index])


def _times(slowness: Values, across: Values, down: Values, x: FloatArray, height: FloatArray) -> FloatArray:
    """T = slowness r and its slopes."""
    r = np.maximum(np.sqrt(x * x + height * height), 1e-9)
    over_r = slowness / r
    return np.stack([slowness * r, over_r * x + across * r, over_r * height + down * r])


def _patch(
    corners: Sequence[Float32Array], s: Float32Array, t: Float32Array, width: float, height: Float32Array
) -> tuple[FloatArray, Float32Array, Float32Array]:
    """Cubic along both edges of constant depth, then cubic between them: value and slopes.

    In single precision, but for the value itself: what it gains from the first corner on is small.
    """
    (f00, x00, z00), (f01, x01, z01), (f10, x10, z10), (f11, x11, z11) = corners
    near, near_across = _cubic(f01 - f00, x00, x01, s, width)
    far, far_across = _cubic(f11 - f10, x10, x11, s, width)
    near_turn, far_turn = z01 - z00, z11 - z10
    under, down = _cubic(f10 - f00 + (far - near), z00 + s * near_turn, z10 + s * far_turn, t, height)
    u = 1 - t
    bend = height * (t * u) * (u * near_turn - t * far_turn) / width
    across = near_across + t * t * (3 - 2 * t) * (far_across - near_across) + bend
    return f00.astype(np.float64) + (near + under), across, down


def _cubic(
    rise: Float32Array, d0: Float32Array, d1: Float32Array, s: Float32Array, width: float | Float32Array
) -> tuple[Float32Array, Float32Array]:
    """What Hermite's cubic has gained at s from 0 to 1 of the width, over which it rises; and its slope."""
    mean = rise / width
    a, b = d0 - mean, d1 - mean
    both, u = a + b, 1 - s
    inner = a - s * both
    return width * s * (mean + u * inner), mean + (u - s) * inner - s * u * both


def build_table(model: EarthModel, wave: Wave, grid: Grid, cache: Path | None = None) -> TravelTimeTable:
    """Read it from the folder `cache` if it is there and whole; otherwise trace it, and keep it there."""
    column = model.column(wave)
    interfaces = column.depth_km(column.top[1 + np.flatnonzero(np.diff(column.zone))])
    depths = grid.depths_km(interfaces)
    key = hashlib.sha256(repr((FORMAT, model.sha256, wave, astuple(grid))).encode()).hexdigest()
    file = cache / f"traveltime-{model.name}-{wave}-{key[:16]}.npz" if cache else None
    arrays = _read(file, key) if file else None
    if arrays is None:
        levels = [_trace_level(model, wave, grid.distances_km, depths, elevation) for elevation in grid.elevations_km]
        arrays = np.stack([nodes for nodes, _ in levels], axis=1), np.stack([dips for _, dips in levels])
        if file:
            _write(file, key, *arrays)
    return TravelTimeTable(model, wave, grid, depths, *arrays)


def _trace_level(
    model: EarthModel, wave: Wave, distances: FloatArray, depths: FloatArray, elevation: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    x, z = np.meshgrid(distances, depths)
    rays = first_arrivals(model, wave, x, z, elevation)
    height = z + elevation
    r = np.maximum(np.hypot(x, height), 1e-9)
    slowness = rays.time_s / r
    across = (rays.ray_parameter_s_km - slowness * x / r) / r
    down = (rays.time_per_depth_s_km - slowness * height / r) / r
    at_station = r < 1e-3
    slowness[at_station] = 1 / model.velocity(wave, -elevation)
    across[at_station] = down[at_station] = 0
    return np.stack([slowness, across, down]).astype(np.float32), _dips(model, wave, rays, np.maximum(z, -elevation))


def _dips(model: EarthModel, wave: Wave, rays: Arrivals, lower_km: FloatArray) -> npt.NDArray[np.int8]:
    """Jumps of velocity between the deeper end and the lowest point."""
    column = model.column(wave)
    lowest = column.zone[np.searchsorted(column.layer, rays.layer)]
    return (lowest - column.zone[column.below(column.flatten(lower_km))]).astype(np.int8)


def _read(file: Path, key: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]] | None:
    """None where there is no whole table of that key; then it is traced anew."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as content:
            nodes, dips, digest = content["nodes"], content["dips"], str(content["digest"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return (nodes, dips) if digest == _digest(key, nodes, dips) else None


def _write(file: Path, key: str, nodes: npt.NDArray[np.float32], dips: npt.NDArray[np.int8]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, nodes=nodes, dips=dips, digest=np.array(_digest(key, nodes, dips)))
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


def _digest(key: str, nodes: npt.NDArray[np.float32], dips: npt.NDArray[np.int8]) -> str:
    return hashlib.sha256(key.encode() + nodes.tobytes() + dips.tobytes()).hexdigest()
