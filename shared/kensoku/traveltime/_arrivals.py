"""The ray that comes first, and what it brings: time, angles, amplitude and attenuation."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.sphere import EARTH_RADIUS_KM
from kensoku.traveltime._integrals import RISING, IntArray, cut, gather
from kensoku.traveltime._model import HIGHEST_KM, Column, EarthModel, FloatArray, Wave
from kensoku.traveltime._search import Found, Kind, search

AnyNumber = TypeVar("AnyNumber", np.float64, np.intp)

DEEPEST_KM, FARTHEST_KM = 1000.0, 3000.0
APART_KM = 1e-6  # of a source and a station at one depth, so that every ray has a length
CHUNK = 4096  # pairs at a time, so that memory stays flat


@dataclass(frozen=True, slots=True)
class Arrivals:
    """One ray for each pair of source and station; NaN where there is none."""

    time_s: FloatArray
    ray_parameter_s_km: FloatArray  # dT/dx, at sea level
    take_off_deg: FloatArray  # at the source, from straight down
    incidence_deg: FloatArray  # at the station, from straight up: below 90 comes from below
    spreading_per_km: FloatArray  # of amplitude: 1 / r where velocity is constant; along an interface as 1 / f, at 1 Hz
    t_star_s: FloatArray
    path_km: FloatArray
    deepest_km: FloatArray
    time_per_depth_s_km: FloatArray  # dT/d(depth of the source)
    time_per_elevation_s_km: FloatArray
    kind: IntArray  # of Kind; -1 where there is none
    layer: IntArray  # of the model, that holds the lowest point or along whose top it goes; -1


def first_arrivals(
    model: EarthModel,
    wave: Wave,
    distance_km: npt.ArrayLike,
    depth_km: npt.ArrayLike,
    elevation_km: npt.ArrayLike = 0.0,
    *,
    kinds: Collection[Kind] = tuple(Kind),
    layers: range | None = None,
) -> Arrivals:
    """The first ray of those kinds whose lowest point is in those layers of the model (all by default)."""
    given = (np.asarray(values, dtype=np.float64) for values in (distance_km, depth_km, elevation_km))
    distance, depth, elevation = np.broadcast_arrays(*given)
    _require("distance_km", distance, 0, FARTHEST_KM)
    _require("depth_km", depth, HIGHEST_KM, DEEPEST_KM)
    _require("elevation_km", elevation, -DEEPEST_KM, -HIGHEST_KM)
    column = model.column(wave)
    wanted = np.array([layers is None or number in layers for number in column.layer.tolist()])
    pairs = np.stack([distance.ravel(), column.flatten(depth.ravel()), column.flatten(-elevation.ravel())])
    chunks = np.split(pairs, range(CHUNK, pairs.shape[1], CHUNK), axis=1)
    with np.errstate(all="ignore"):  # rays that graze, and layers without a gradient
        parts = [_trace(model, wave, chunk, set(kinds), wanted) for chunk in chunks]
    names = [field.name for field in fields(Arrivals)]
    return Arrivals(*(np.concatenate([getattr(p, n) for p in parts]).reshape(distance.shape) for n in names))


def _require(name: str, values: FloatArray, least: float, most: float) -> None:
    wrong = values[~((values >= least) & (values <= most))]
    if wrong.size:
        raise InputInvalid(f"found {name} {wrong.flat[0]:g}; expected {least:g} to {most:g}")


def _trace(
    model: EarthModel, wave: Wave, pairs: FloatArray, kinds: Collection[Kind], wanted: npt.NDArray[np.bool_]
) -> Arrivals:
    distance, source, station = pairs
    upper, lower = np.minimum(source, station), np.maximum(source, station)
    lower = np.maximum(lower, upper + APART_KM)
    first = search(model, wave, upper, lower, distance, kinds, wanted)
    return _describe(model.column(wave), first, distance, source, station)


def _describe(
    column: Column, first: Found, all_distances: FloatArray, source: FloatArray, station: FloatArray
) -> Arrivals:
    rays, kind, pair, p, y = first.rays, first.kind, first.pair, first.p, first.y
    distance, source, station = all_distances[pair], source[pair], station[pair]
    gathered = gather(column, cut(column, rays), p, y)
    lacking = distance - gathered.distance_km
    along = np.where(kind >= Kind.HEAD, lacking, 0)
    source_layer, rises = column.above(rays.lower), rays.lowest == RISING
    lowest = np.where(kind == Kind.TURNING, gathered.turning, np.where(rises, source_layer, rays.lowest))
    bottom = np.where(rises, rays.lower, column.bottom[lowest])
    bottom = np.where(kind == Kind.TURNING, np.minimum(column.turning_depth(p, lowest), bottom), bottom)
    lowest = lowest + (kind == Kind.HEAD)

    source_is_lower = source >= station
    u_lower = column.slowness(rays.lower, np.where(rises, source_layer, column.below(rays.lower)))
    u_upper = column.slowness(rays.upper, column.below(rays.upper))
    u_source, u_station = np.where(source_is_lower, (u_lower, u_upper), (u_upper, u_lower))
    q_source = rays.q(u_source, y) * np.where(rises & source_is_lower, -1, 1)
    q_station = rays.q(u_station, y) * np.where(rises & ~source_is_lower, -1, 1)

    around = EARTH_RADIUS_KM * np.sin(distance / EARTH_RADIUS_KM) if column.spherical else distance
    spread = np.abs(gathered.spread)
    tube = np.where(p > 1e-9 * u_source, around / p, spread) * spread * np.abs(q_source * q_station)
    tube *= u_source / u_station * column.radius_ratio(station) ** 2
    spreading = np.where(kind >= Kind.HEAD, _head_spreading(p, around, along), 1 / np.sqrt(tube))

    def spot(values: npt.NDArray[AnyNumber], absent: float = np.nan) -> npt.NDArray[AnyNumber]:
        spotted = np.full(len(all_distances), absent, values.dtype)
        spotted[pair] = values
        return spotted

    return Arrivals(
        time_s=spot(gathered.time_s + p * lacking),
        ray_parameter_s_km=spot(p),
        take_off_deg=spot(np.degrees(np.arctan2(p, q_source))),
        incidence_deg=spot(np.degrees(np.arctan2(p, q_station))),
        spreading_per_km=spot(spreading),
        t_star_s=spot(gathered.t_star_s + along * p * column.inverse_q[lowest]),
        path_km=spot(gathered.path_km + along * column.radius_ratio(bottom)),
        deepest_km=spot(column.depth_km(bottom)),
        time_per_depth_s_km=spot(-q_source / column.radius_ratio(source)),
        time_per_elevation_s_km=spot(q_station / column.radius_ratio(station)),
        kind=spot(kind, -1),
        layer=spot(column.layer[lowest], -1),
    )


def _head_spreading(p: FloatArray, around: FloatArray, along: FloatArray) -> FloatArray:
    """At 1 Hz, after Cerveny & Ravindra (1971) but for the coefficient of the interface, which is near 1; within a
    wavelength of the critical distance, as there."""
    wavelength = 1 / p
    far, along = np.maximum(around, wavelength), np.maximum(along, wavelength)
    return np.asarray(wavelength / (2 * np.pi) / np.sqrt(far * along**3))
