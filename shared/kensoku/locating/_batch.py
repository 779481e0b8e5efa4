"""The arrivals of many events as arrays, one row an arrival, and their travel times from any places."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kensoku.locating._kernels import Errors, RowArrays
from kensoku.locating._sphere import arc_km, unit_vectors
from kensoku.locating._values import Arrival, BoolArray, FloatArray, IntArray, LocationSettings, Stations, Tables
from kensoku.traveltime import TravelTimeTable, Wave
from kensoku.traveltime._kernels import TableArrays

WAVES: tuple[Wave, Wave] = ("P", "S")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows are ordered by event; every event has at least one."""

    onset: FloatArray
    uncertainty: FloatArray
    belongs: FloatArray  # probability before the event is located
    station: IntArray
    site: FloatArray  # unit vectors (3, row)
    elevation: FloatArray
    corrections: FloatArray  # (wave, row)
    is_s: BoolArray
    event: IntArray  # of the row
    first: IntArray  # row of each event
    given: IntArray  # index among the arrivals of its event

    @property
    def arrays(self) -> RowArrays:
        """For compiled code."""
        return RowArrays(
            self.onset,
            self.uncertainty,
            self.belongs,
            self.station,
            np.ascontiguousarray(self.site.T),
            self.elevation,
            self.correction,
            self.is_s,
            np.append(self.first, len(self.onset)),
        )

    @property
    def correction(self) -> FloatArray:
        return np.where(self.is_s, self.corrections[1], self.corrections[0])

    def sums(self, rows: FloatArray) -> FloatArray:
        """By event."""
        return np.asarray(np.add.reduceat(rows, self.first, axis=0))

    def rows_of(self, event: int) -> slice:
        last = self.first[event + 1] if event + 1 < len(self.first) else len(self.onset)
        return slice(int(self.first[event]), int(last))

    @property
    def counts(self) -> IntArray:
        return np.diff(self.first, append=len(self.onset))

    def rows(self, events: IntArray) -> IntArray:
        """Of some of the events, in that order."""
        counts = self.counts[events]
        starts = np.cumsum(counts) - counts
        return np.asarray(np.arange(counts.sum()) + np.repeat(self.first[events] - starts, counts))

    def take(self, events: IntArray) -> "Batch":
        rows, counts = self.rows(events), self.counts[events]
        return Batch(
            self.onset[rows],
            self.uncertainty[rows],
            self.belongs[rows],
            self.station[rows],
            self.site[:, rows],
            self.elevation[rows],
            self.corrections[:, rows],
            self.is_s[rows],
            np.repeat(np.arange(len(counts)), counts),
            np.cumsum(counts) - counts,
            self.given[rows],
        )

    def with_waves(self, is_s: BoolArray) -> "Batch":
        return replace(self, is_s=is_s)


def gather(events: Sequence[Sequence[tuple[int, Arrival]]], stations: Stations, settings: LocationSettings) -> Batch:
    """In an order that does not depend on that of the arrivals."""
    codes = {code: number for number, code in enumerate(sorted({a.station for event in events for _, a in event}))}
    sites = [stations[code] for code in codes]
    rows = [
        (number, index, arrival)
        for number, event in enumerate(events)
        for index, arrival in sorted(event, key=lambda given: _order(given[1]))
    ]
    station = np.array([codes[arrival.station] for _, _, arrival in rows], dtype=np.intp)
    vectors = unit_vectors([site.latitude_deg for site in sites], [site.longitude_deg for site in sites])
    counts = np.array([len(event) for event in events], dtype=np.intp)
    belongs = np.array([arrival.probability for _, _, arrival in rows]) * (1 - settings.outlier_share)
    return Batch(
        onset=np.array([arrival.onset_s for _, _, arrival in rows]),
        uncertainty=np.array([arrival.uncertainty_s for _, _, arrival in rows]),
        belongs=np.clip(belongs, 1e-6, 1 - 1e-6),
        station=station,
        site=vectors[:, station],
        elevation=np.array([site.elevation_km for site in sites])[station],
        corrections=np.array([[site.p_correction_s, site.s_correction_s] for site in sites]).T[:, station],
        is_s=np.array([arrival.phase == "S" for _, _, arrival in rows]),
        event=np.repeat(np.arange(len(counts)), counts),
        first=np.cumsum(counts) - counts,
        given=np.array([index for _, index, _ in rows], dtype=np.intp),
    )


def _order(arrival: Arrival) -> tuple[str, str, float, float, float]:
    return arrival.station, arrival.phase, arrival.onset_s, arrival.uncertainty_s, arrival.probability


def errors_of(settings: LocationSettings) -> Errors:
    return Errors(
        float(settings.outlier_span_s),
        float(settings.model_error),
        float(settings.model_error_s),
        float(settings.velocity_error),
    )


def arrays_of(tables: Tables) -> tuple[TableArrays, TableArrays]:
    """Of P and S; where there is one alone, no arrival asks for the other."""
    one = next(iter(tables.values()))
    p, s = (tables.get(wave, one).arrays for wave in WAVES)
    return p, s


def distances_km(batch: Batch, places: FloatArray) -> FloatArray:
    """(row, node) from places (3, event, node)."""
    cosine = places[0][batch.event] * batch.site[0, :, None]
    cosine += places[1][batch.event] * batch.site[1, :, None]
    cosine += places[2][batch.event] * batch.site[2, :, None]
    return arc_km(cosine)


@dataclass(frozen=True, slots=True)
class Predicted:
    """(row, node); corrections included."""

    time: FloatArray
    per_distance: FloatArray
    per_depth: FloatArray


def predict(batch: Batch, tables: Tables, distance_km: FloatArray, depth_km: FloatArray) -> Predicted:
    """Depths are (event, node)."""
    found = np.empty((3, *distance_km.shape))
    depth = depth_km[batch.event]
    for wave, is_wave in zip(WAVES, (~batch.is_s, batch.is_s), strict=True):
        rows = np.flatnonzero(is_wave)
        if len(rows):
            found[:, rows] = _look_up(tables[wave], distance_km[rows], depth[rows], batch.elevation[rows, None])
    found[0] += batch.correction[:, None]
    return Predicted(*found)


def _look_up(table: TravelTimeTable, distance: FloatArray, depth: FloatArray, elevation: FloatArray) -> FloatArray:
    """Beyond the table the wave goes on as it left it, and rises to stations above its highest level."""
    grid = table.grid
    near = np.minimum(distance, grid.farthest_km)
    within = np.clip(depth, grid.highest_km, grid.deepest_km)
    level = np.clip(elevation, grid.elevations_km[0], grid.elevations_km[-1])
    times = table.lookup(near, within, level)
    p = times.time_per_distance_s_km
    time = times.time_s + p * (distance - near)
    if np.any(climb := elevation - level):
        slowness = 1 / table.model.velocity(table.wave, -level)
        time = time + climb * np.sqrt(np.maximum(slowness**2 - p**2, 0))
    return np.stack([time, p, times.time_per_depth_s_km])
