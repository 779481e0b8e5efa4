"""Where to begin: cells over a wide region, the most promising split again and again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kensoku.locating._batch import WAVES, Batch, errors_of
from kensoku.locating._kernels import make_desk
from kensoku.locating._kernels_cells import RoughTable, score_cells
from kensoku.locating._sphere import Frame, frames_at
from kensoku.locating._values import FloatArray, IntArray, LocationSettings, Tables
from kensoku.sphere import EARTH_RADIUS_KM
from kensoku.traveltime import TravelTimeTable, Wave

Limits = tuple[FloatArray, FloatArray]

STEP_KM = 1.0  # of the rough table
INNER_CELLS = 8  # across the stations
OUTER_SHARES = (1 / 4, 1.0)  # of the margin: edges of the cells around them
DEPTH_SHARES = (0.0, 0.15, 0.4, 1.0)  # of the allowed depths: edges
CRUST_KM, DEEP_STEP_KM = 60.0, 80.0  # where much deeper ones are allowed, those shares are of the crust
LEAST_WIDTH_KM = 30.0
LEVELS = 3
SLOWNESS_S_KM: Mapping[Wave, float] = {"P": 1 / 6.0, "S": 1 / 3.5}  # of the crust: turns the size of a cell into time
CHILDREN = np.array([(i, j, k) for i in (-0.5, 0.5) for j in (-0.5, 0.5) for k in (-0.5, 0.5)]).T


@dataclass(frozen=True, slots=True)
class Effort:
    cells: int  # that are split
    starts: int


QUICK, THOROUGH = Effort(8, 3), Effort(48, 12)


@dataclass(frozen=True, slots=True)
class Starts:
    """(event, start)."""

    places: FloatArray  # (3, event, start)
    depth: FloatArray
    half_width_km: FloatArray


@dataclass(frozen=True, slots=True)
class _Cells:
    """(event, cell), in kilometres."""

    north: FloatArray
    east: FloatArray
    depth: FloatArray
    half_north: FloatArray
    half_east: FloatArray
    half_depth: FloatArray

    def take(self, chosen: IntArray) -> "_Cells":
        return _Cells(*(np.take_along_axis(values, chosen, axis=1) for values in self.arrays))

    @property
    def arrays(self) -> tuple[FloatArray, ...]:
        return self.north, self.east, self.depth, self.half_north, self.half_east, self.half_depth

    @property
    def layers(self) -> int:
        """That lie above one another, before anything is split."""
        return len(np.unique(self.depth[0]))

    def split(self) -> "_Cells":
        centres, halves = self.arrays[:3], self.arrays[3:]
        count = len(self.north)
        parts = [
            (centre[:, :, None] + half[:, :, None] * side).reshape(count, -1)
            for centre, half, side in zip(centres, halves, CHILDREN, strict=True)
        ]
        return _Cells(*parts, *(np.repeat(half / 2, 8, axis=1) for half in halves))


def find_starts(batch: Batch, tables: Tables, settings: LocationSettings, limits: Limits, effort: Effort) -> Starts:
    """A few places apart from one another in which the event may lie, between the least and the greatest depths."""
    frame = _frame_over_stations(batch)
    cells = _cover(batch, frame, settings, *limits)
    score = _score(batch, tables, settings, frame, cells, cells.layers)
    for _ in range(LEVELS):
        best = np.argpartition(-score, effort.cells, axis=1)[:, : effort.cells]
        cells = cells.take(np.sort(best, axis=1)).split()
        score = _score(batch, tables, settings, frame, cells)
    chosen = cells.take(_apart(cells, score, effort.starts))
    width = np.maximum(chosen.half_north, chosen.half_east)
    return Starts(frame.place(chosen.north, chosen.east), chosen.depth, width)


def _frame_over_stations(batch: Batch) -> Frame:
    return frames_at(np.stack([batch.sums(component) for component in batch.site]))


def _cover(batch: Batch, frame: Frame, settings: LocationSettings, top: FloatArray, bottom: FloatArray) -> _Cells:
    edges = [_edges(batch, axis, settings.margin_km) for axis in (frame.north, frame.east)]
    edges.append(top[:, None] + _depth_shares(float(bottom[0])) * (bottom - top)[:, None])
    centres = [(edge[:, 1:] + edge[:, :-1]) / 2 for edge in edges]
    halves = [np.diff(edge, axis=1) / 2 for edge in edges]
    shape = len(top), *(values.shape[1] for values in centres)

    def spread(values: FloatArray, axis: int) -> FloatArray:
        aligned = values.reshape([len(top), *(values.shape[1] if axis == i else 1 for i in range(3))])
        return np.broadcast_to(aligned, shape).reshape(len(top), -1)

    return _Cells(*(spread(values, axis) for part in (centres, halves) for axis, values in enumerate(part)))


def _depth_shares(deepest_km: float) -> FloatArray:
    """The same of all events of a batch."""
    shares, deeper = np.array(DEPTH_SHARES), round((deepest_km - CRUST_KM) / DEEP_STEP_KM)
    if deeper < 1:
        return shares
    crust = CRUST_KM / deepest_km
    return np.concatenate([shares[:-1] * crust, np.linspace(crust, 1, deeper + 1)])


def _edges(batch: Batch, axis: FloatArray, margin_km: float) -> FloatArray:
    along = EARTH_RADIUS_KM * np.einsum("cr,cr->r", axis[:, batch.event], batch.site)
    least, most = (function.reduceat(along, batch.first) for function in (np.minimum, np.maximum))
    more = np.maximum(LEAST_WIDTH_KM - (most - least), 0) / 2
    least, most = least - more, most + more
    inner = np.linspace(least, most, INNER_CELLS + 1, axis=1)
    away = margin_km * np.array(OUTER_SHARES)
    return np.concatenate([least[:, None] - away[::-1], inner, most[:, None] + away], axis=1)


def _score(
    batch: Batch, tables: Tables, settings: LocationSettings, frame: Frame, cells: _Cells, layers: int = 1
) -> FloatArray:
    """About the logarithm of the probability that a cell holds, the times within it blurred by its size; as many cells
    as there are layers lie above one another."""
    found = np.empty(cells.depth.shape)
    one = next(iter(tables.values()))
    p, s = (_rough_table(_Same(tables.get(wave, one)), wave) for wave in WAVES)
    rows, errors = batch.arrays, errors_of(settings)
    score_cells(p, s, rows, errors, frame.arrays, np.stack(cells.arrays), layers, make_desk(rows), found)
    return found


@lru_cache(maxsize=8)
def _rough_table(table: "_Same", wave: Wave) -> RoughTable:
    grid = table.of.grid
    distances = np.arange(0, grid.farthest_km + STEP_KM / 2, STEP_KM)
    depths = np.arange(grid.highest_km, grid.deepest_km + STEP_KM / 2, STEP_KM)
    x, z = np.meshgrid(np.minimum(distances, grid.farthest_km), np.minimum(depths, grid.deepest_km))
    level = min(max(0.0, grid.elevations_km[0]), grid.elevations_km[-1])
    times = table.of.lookup(x, z, level).time_s.astype(np.float32)
    return RoughTable(times, float(grid.highest_km), STEP_KM, SLOWNESS_S_KM[wave])


class _Same:
    """A table that is itself alone, so that what is made of it can be kept."""

    def __init__(self, of: TravelTimeTable) -> None:
        self.of = of

    def __hash__(self) -> int:
        return id(self.of.nodes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.of.nodes is other.of.nodes


def _apart(cells: _Cells, score: FloatArray, starts: int) -> IntArray:
    """The best, then the best of those that are not beside it, and so on."""
    score, events, chosen = score.copy(), np.arange(len(score)), []
    for _ in range(starts):
        best = score.argmax(axis=1)
        chosen.append(best)
        near = np.ones(score.shape, np.bool_)
        for centre, half in zip(cells.arrays[:3], cells.arrays[3:], strict=True):
            near &= abs(centre - centre[events, best][:, None]) < 3 * half[events, best][:, None] + half
        score[near] -= 1e6
    return np.stack(chosen, axis=1)
