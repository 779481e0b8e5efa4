"""Times of first arrivals from a table over distance and depth, built once for a model and kept in a cache."""

import hashlib
import io
import logging
import os
import re
import tempfile
import zipfile
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.traveltime._arrivals import Arrivals, first_arrivals
from kensoku.traveltime._kernels import TableArrays, look_up
from kensoku.traveltime._model import EarthModel, FloatArray, Wave

log = logging.getLogger("kensoku.traveltime")

Float32Array = npt.NDArray[np.float32]
Values = Float32Array | FloatArray

FORMAT = 2  # of the cached file; count up when nodes would differ for the same model and grid
SAME_KM = 1e-9
SIDES_KM = (-1e-6, 1e-6, 0.06, 0.2)  # from an interface to the nodes around it
DEEPEST_KM = 60.0  # of earthquakes, where nobody says otherwise
BELOW_KM = 2.0  # the deepest, so that slopes are known there too
LONGEST_NAME = 40  # characters in a file's name, at most 160 of its 255 bytes
HEIGHTS_KM = (-4.0, -2.0, 0.0, 1.0, 2.0, 3.0, 6.0)  # of stations, on the sea floor, in boreholes, on volcanoes


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


def grid_for(deepest_km: float = DEEPEST_KM) -> Grid:
    """The one that association and location share, so that both see the same earth."""
    return Grid(deepest_km=deepest_km + BELOW_KM, elevations_km=HEIGHTS_KM)


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
    def arrays(self) -> TableArrays:
        """For compiled code."""
        grid = self.grid
        return TableArrays(
            nodes=np.stack([*self.nodes, self._kinked.astype(np.float32)], axis=-1),
            dips=np.ascontiguousarray(self.dips),
            depths_km=np.asarray(self.depths_km, np.float64),
            elevations_km=np.asarray(grid.elevations_km, np.float64),
            station_slowness=self._station_slowness,
            first_row=self._rows[0].astype(np.int64),
            has_more_rows=self._rows[1],
            farthest_km=float(grid.farthest_km),
            distance_step_km=float(grid.distance_step_km),
            steps_per_km=1 / float(grid.distance_step_km),
            highest_km=float(grid.highest_km),
            deepest_km=float(grid.deepest_km),
            depth_step_km=float(grid.depth_step_km),
        )

    @cached_property
    def _kinked(self) -> npt.NDArray[np.bool_]:
        """By the first node of a cell: different waves reach its corners, or those at the next elevation."""
        kinked = np.zeros(self.dips.shape, np.bool_)
        corners = np.stack([self.dips[:, i : i - 1 or None, j : j - 1 or None] for i in (0, 1) for j in (0, 1)])
        least, most = corners.min(axis=0), corners.max(axis=0)
        kinked[:, :-1, :-1] = least != most
        kinked[:-1, :-1, :-1] |= np.minimum(least[:-1], least[1:]) != np.maximum(most[:-1], most[1:])
        return kinked

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
        look_up(self.arrays, distance.flatten(), depth.flatten(), elevation.flatten(), found)
        return Times(*(values.reshape(distance.shape) for values in found))

    def _require(self, name: str, values: FloatArray, least: float, most: float) -> None:
        if values.size and not (values.min() >= least and values.max() <= most):
            wrong = values[~((values >= least) & (values <= most))].flat[0]
            raise InputInvalid(f"found {name} {wrong:g}; expected {least:g} to {most:g}, which the table spans")


def build_table(model: EarthModel, wave: Wave, grid: Grid, cache: Path | None = None) -> TravelTimeTable:
    """Read it from the folder `cache` if it is there and whole; otherwise trace it, and keep it there."""
    column = model.column(wave)
    interfaces = column.depth_km(column.top[1 + np.flatnonzero(np.diff(column.zone))])
    depths = grid.depths_km(interfaces)
    key = hashlib.sha256(repr((FORMAT, model.sha256, wave, astuple(grid))).encode()).hexdigest()
    file = cache / f"traveltime-{_file_name(model.name)}-{wave}-{key[:16]}.npz" if cache else None
    arrays = _read(file, key) if file else None
    if arrays is None:
        levels = [_trace_level(model, wave, grid.distances_km, depths, elevation) for elevation in grid.elevations_km]
        arrays = np.stack([nodes for nodes, _ in levels], axis=1), np.stack([dips for _, dips in levels])
        if file:
            _keep(file, key, *arrays)
    return TravelTimeTable(model, wave, grid, depths, *arrays)


def _file_name(name: str) -> str:
    """A model's file may call it anything, also a path out of the cache."""
    return re.sub(r"[^\w .-]", "_", name)[:LONGEST_NAME]


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
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError):
        return None
    return (nodes, dips) if digest == _digest(key, nodes, dips) else None


def _keep(file: Path, key: str, nodes: npt.NDArray[np.float32], dips: npt.NDArray[np.int8]) -> None:
    """Where there is no room for it the table does all the same, and is traced again at the next start."""
    content = io.BytesIO()  # and not the file: numpy's writer complains by itself when a full disk has closed it
    np.savez(content, nodes=nodes, dips=dips, digest=np.array(_digest(key, nodes, dips)))
    try:
        _write(file, content.getbuffer())
    except OSError as error:
        log.warning(
            "travel times are not kept: cannot write to %s: %s; give a place where they can be",
            file.parent,
            error.strerror,
        )


def _write(file: Path, content: memoryview) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(temporary, 0o644)  # others of a cache that is shared need not trace it again
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


def _digest(key: str, nodes: npt.NDArray[np.float32], dips: npt.NDArray[np.int8]) -> str:
    return hashlib.sha256(key.encode() + nodes.tobytes() + dips.tobytes()).hexdigest()
