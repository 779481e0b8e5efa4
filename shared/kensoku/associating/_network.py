"""Where earthquakes are sought, and what follows from how the stations stand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kensoku.associating._arrays import Earth, Floats, Ints, Nodes, Singles, Stations
from kensoku.associating._turn import Turn, turn_of
from kensoku.associating._values import AssociationSettings
from kensoku.errors import InputInvalid
from kensoku.locating import Site
from kensoku.sphere import KM_PER_DEG
from kensoku.traveltime import DEEPEST_KM, TravelTimeTable, Wave

WAVES: tuple[Wave, Wave] = ("P", "S")
DELAY_AT_KM = (30.0, 10.0)  # distance and depth at which the delay by a station's height is taken
USUAL_SPREADS = 3.0  # below the usual depth a search begins nowhere, unless earthquakes of great depth are asked for


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a setting has its value, for people."""

    name: str
    value: float
    why: str


@dataclass(frozen=True)
class Network:
    codes: tuple[str, ...]  # "NET.STA", sorted
    turn: Turn  # from where stations are to where they and the nodes are reckoned with
    stations: Stations
    earth: Earth
    nodes: Nodes
    settings: AssociationSettings
    reasons: tuple[Reason, ...]
    reach_km: float
    area_km2: float
    volume_km3: float

    @cached_property
    def number(self) -> Mapping[str, int]:
        return {code: number for number, code in enumerate(self.codes)}

    @cached_property
    def longest_s(self) -> float:
        """From an origin to the last pick that can belong to it."""
        within = int(min(self.reach_km + 1, self.earth.times.shape[2] - 1))
        return float(self.earth.times[1, :, within].max()) + self.settings.widest_s


def network_of(
    sites: Mapping[str, Site], tables: Mapping[Wave, TravelTimeTable], settings: AssociationSettings | None = None
) -> Network:
    """The places that will be searched, with the travel times to every station."""
    settings = settings or AssociationSettings()
    known_km = min(tables[wave].grid.deepest_km for wave in WAVES)
    settings = replace(settings, deepest_km=min(settings.deepest_km, known_km))
    if len(sites) < settings.least_stations:
        raise InputInvalid(f"found {len(sites)} stations, expected {settings.least_stations} at least; add stations")
    codes = tuple(sorted(sites))
    latitude, longitude, elevation = (
        np.array([getattr(sites[code], name) for code in codes])
        for name in ("latitude_deg", "longitude_deg", "elevation_km")
    )
    turn = turn_of(latitude, longitude)
    latitude, longitude = turn.there(latitude, longitude)
    reasons = _reasons(latitude, longitude, settings)
    reach_km, spacing_km, margin_km = (reason.value for reason in reasons)
    corrections: Floats = np.array([[sites[code].p_correction_s, sites[code].s_correction_s] for code in codes]).T
    delay: Floats = corrections + np.stack([_delay(tables[wave], elevation) for wave in WAVES])
    no_gaps = np.zeros(len(codes) + 1, np.int64), np.empty((2, 0))
    stations = Stations(latitude, longitude, delay, np.full(len(codes), np.inf), *no_gaps)
    times = _times(tables, reach_km + margin_km, settings.deepest_km)
    usual, spread = settings.usual_depth_km, settings.depth_spread_km
    error = settings.error_s, settings.error_share
    deepest_km = float(settings.deepest_km)  # an integer would have the loops compiled once more
    earth = Earth(times, *error, 0.0, deepest_km, min(usual, deepest_km), spread)
    nodes, area_km2, thickness_km = _nodes(stations, times, reach_km, spacing_km, margin_km, settings)
    return Network(codes, turn, stations, earth, nodes, settings, reasons, reach_km, area_km2, area_km2 * thickness_km)


def _reasons(latitude: Floats, longitude: Floats, settings: AssociationSettings) -> tuple[Reason, Reason, Reason]:
    distance = _distances(latitude, longitude, latitude[:, None], longitude[:, None])
    neighbour = float(np.median(np.partition(distance, 1, axis=1)[:, 1]))
    fourth = float(np.median(np.partition(distance, min(4, len(latitude) - 1), axis=1)[:, min(4, len(latitude) - 1)]))
    found = f"stations stand {neighbour:.0f} km apart (median of the nearest), {fourth:.0f} km to the fourth"
    return (
        _reason("reach_km", settings.reach_km, 5 * fourth, (100, 250), found),
        _reason("spacing_km", settings.spacing_km, neighbour / 2, (4, 10), found),
        _reason("margin_km", settings.margin_km, 2 * neighbour, (20, 80), found),
    )


def _reason(name: str, given: float | None, wished: float, limits: tuple[float, float], found: str) -> Reason:
    if given is not None:
        return Reason(name, given, "given")
    return Reason(name, float(np.clip(wished, *limits)), f"{found}; between {limits[0]} and {limits[1]} km")


def _distances(latitude: Floats, longitude: Floats, to_latitude: Floats, to_longitude: Floats) -> Floats:
    turn = (to_longitude - longitude + 540) % 360 - 180
    east = turn * np.cos(np.radians(0.5 * (latitude + to_latitude)))
    return np.asarray(KM_PER_DEG * np.hypot(to_latitude - latitude, east))


def _within(latitude: Floats, longitude: Floats, stations: Stations, reach_km: float) -> tuple[Ints, Ints, Floats]:
    """Station, place and distance of all places that a station may hear; station by station, since a whole table of a
    country's would be gigabytes."""
    found = []
    for here in zip(stations.latitude, stations.longitude, strict=True):
        distance = _distances(latitude, longitude, *here)
        place = np.flatnonzero(distance <= reach_km)
        found.append((place, distance[place]))
    of = np.repeat(np.arange(len(found)), [len(place) for place, _ in found])
    return of, np.concatenate([place for place, _ in found]), np.concatenate([distance for _, distance in found])


def _delay(table: TravelTimeTable, elevation_km: Floats) -> Floats:
    """Of stations above or below sea level."""
    within = np.clip(elevation_km, table.grid.elevations_km[0], table.grid.elevations_km[-1])
    x, z = DELAY_AT_KM
    slowness = 1 / table.model.velocity(table.wave, np.zeros(1))[0]
    level = np.clip(0.0, table.grid.elevations_km[0], table.grid.elevations_km[-1])
    known = table.lookup(x, z, within).time_s - table.lookup(x, z, level).time_s
    return np.asarray(known + (elevation_km - within) * slowness)


def _times(tables: Mapping[Wave, TravelTimeTable], farthest_km: float, deepest_km: float) -> Singles:
    far = min(farthest_km + 3, *(tables[wave].grid.farthest_km for wave in WAVES))
    deep = min(deepest_km + 2, *(tables[wave].grid.deepest_km for wave in WAVES))
    x, z = np.meshgrid(np.arange(int(far) + 1.0), np.arange(int(deep) + 1.0))
    levels = [
        float(np.clip(0, tables[wave].grid.elevations_km[0], tables[wave].grid.elevations_km[-1])) for wave in WAVES
    ]
    times = [tables[wave].lookup(x, z, level).time_s for wave, level in zip(WAVES, levels, strict=True)]
    return np.stack(times).astype(np.float32)


def _nodes(
    stations: Stations,
    times: Singles,
    reach_km: float,
    spacing_km: float,
    margin_km: float,
    settings: AssociationSettings,
) -> tuple[Nodes, float, float]:
    south, north = stations.latitude.min() - margin_km / KM_PER_DEG, stations.latitude.max() + margin_km / KM_PER_DEG
    across = KM_PER_DEG * np.cos(np.radians((south + north) / 2))
    middle = stations.longitude[0]
    turn = (stations.longitude - middle + 540) % 360 - 180
    west, east = turn.min() - margin_km / across, turn.max() + margin_km / across
    rows = np.arange(south, north + spacing_km / KM_PER_DEG, spacing_km / KM_PER_DEG)
    columns = middle + np.arange(west, east + spacing_km / across, spacing_km / across)
    usual_km = settings.usual_depth_km + USUAL_SPREADS * settings.depth_spread_km
    start_km = min(settings.deepest_km, usual_km) if settings.deepest_km <= DEEPEST_KM else settings.deepest_km
    depths = np.arange(min(spacing_km / 2, start_km), start_km + 1e-9, 1.2 * spacing_km)
    latitude, longitude = (each.ravel() for each in np.meshgrid(rows, columns, indexing="ij"))
    of, place, x = _within(latitude, longitude, stations, reach_km)
    is_near = np.zeros(len(latitude), np.bool_)
    is_near[place[x <= min(margin_km + spacing_km, reach_km)]] = True
    is_kept = is_near & (np.bincount(place, minlength=len(latitude)) >= settings.least_stations)
    latitude, longitude = latitude[is_kept].repeat(len(depths)), longitude[is_kept].repeat(len(depths))
    depth = np.tile(depths, is_kept.sum())
    of, place, x = (each[is_kept[place]] for each in (of, place, x))
    node = ((np.cumsum(is_kept) - 1)[place, None] * len(depths) + np.arange(len(depths))).ravel()
    of, x = of.repeat(len(depths)), x.repeat(len(depths))
    z = np.rint(depth[node]).astype(np.intp)
    k = np.minimum(x.astype(np.intp), times.shape[2] - 2)
    time = times[:, z, k] + (x - k) * (times[:, z, k + 1] - times[:, z, k]) + stations.delay[:, of]
    first = np.searchsorted(of, np.arange(len(stations.latitude) + 1))
    blur_s = np.array([0.3 + 0.075 * spacing_km, 0.3 + 0.15 * spacing_km])  # half a diagonal at crustal velocities
    nodes = Nodes(latitude, longitude, depth, first, node, time.astype(np.float32), blur_s, 1.1 * spacing_km)
    return nodes, float(len(latitude) * spacing_km**2 / len(depths)), float(start_km)
