"""Locate where the earth has no layers: with travel times from 3-D grids, in turns with those of layers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kensoku.errors import LocationError
from kensoku.locating._locate import DEFAULTS, locate_many
from kensoku.locating._sphere import EARTH_RADIUS_KM
from kensoku.locating._values import Arrival, Hypocentre, Location, LocationSettings, Stations, Tables, site_code
from kensoku.traveltime import TimeGrid, Wave

Grids = Mapping[tuple[str, Wave], TimeGrid]  # by NET.STA and wave
Shifts = dict[int, float]  # s, by number of the arrival

ROUNDS = 15
SETTLED_KM = 0.003


def locate_many_in_grids(
    events: Sequence[Sequence[Arrival]],
    stations: Stations,
    tables: Tables,
    grids: Grids,
    settings: LocationSettings = DEFAULTS,
) -> list[Location | LocationError]:
    """As `locate_many`, with the layers' times made those of the grids at the place where the event is, again and again
    until it stays there. Stations without a grid, and places outside of it, keep the times of the layers."""
    found = locate_many(events, stations, tables, settings)
    shifts: list[Shifts] = [{} for _ in events]
    moving = [number for number, each in enumerate(found) if isinstance(each, Location)]
    for _ in range(ROUNDS):
        for number in moving:
            shifts[number] = _shifts(found[number], shifts[number], grids)
        again = locate_many([_shifted(events[n], shifts[n]) for n in moving], stations, tables, settings)
        still = [n for n, new in zip(moving, again, strict=True) if _has_moved(found[n], new)]
        for number, new in zip(moving, again, strict=True):
            found[number] = new
        moving = still
        if not moving:
            break
    return [_told(each, events[number]) for number, each in enumerate(found)]


def _shifts(location: Location | LocationError, before: Shifts, grids: Grids) -> Shifts:
    """By how much later than in the layers each arrival comes."""
    if not isinstance(location, Location):
        return before
    at, shifts = location.maximum, {}
    for each in location.arrivals:
        grid = grids.get((site_code(each.station), each.phase))
        if grid is None:
            continue
        layers_s = each.onset_s - at.time_s - each.residual_s - each.station_correction_s
        time_s = float(grid.lookup(at.latitude_deg, at.longitude_deg, at.depth_km).time_s)
        if math.isfinite(time_s):
            shifts[each.index] = time_s - layers_s
    return shifts


def _shifted(arrivals: Sequence[Arrival], shifts: Shifts) -> list[Arrival]:
    return [replace(each, onset_s=each.onset_s - shifts.get(k, 0.0)) for k, each in enumerate(arrivals)]


def _has_moved(before: Location | LocationError, after: Location | LocationError) -> bool:
    if not (isinstance(before, Location) and isinstance(after, Location)):
        return False
    return _away_km(before.maximum, after.maximum) > SETTLED_KM


def _away_km(one: Hypocentre, other: Hypocentre) -> float:
    north = np.radians(other.latitude_deg - one.latitude_deg)
    east = np.radians(other.longitude_deg - one.longitude_deg) * np.cos(np.radians(one.latitude_deg))
    return math.hypot(EARTH_RADIUS_KM * north, EARTH_RADIUS_KM * east, other.depth_km - one.depth_km)


def _told(location: Location | LocationError, arrivals: Sequence[Arrival]) -> Location | LocationError:
    """With the onsets as they were picked."""
    if not isinstance(location, Location):
        return location
    own = tuple(replace(each, onset_s=arrivals[each.index].onset_s) for each in location.arrivals)
    return replace(location, arrivals=own)
