"""Locate where the earth has no layers: with travel times from 3-D grids, in turns with those of layers."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kensoku.errors import LocationError
from kensoku.locating._locate import DEFAULTS, locate_many
from kensoku.locating._values import (
    Arrival,
    Hypocentre,
    LocatedArrival,
    Location,
    LocationSettings,
    Stations,
    Tables,
    site_code,
)
from kensoku.sphere import distance_km
from kensoku.traveltime import Grids, Wave

Shifts = dict[int, float]  # s, by number of the arrival

ROUNDS = 15
SETTLED_KM = 0.003


def locate_many_in_grids(
    events: Sequence[Sequence[Arrival]],
    stations: Stations,
    tables: Tables,
    grids: Grids,  # by NET.STA
    settings: LocationSettings = DEFAULTS,
) -> list[Location | LocationError]:
    """As `locate_many`, with the layers' times made those of the grids at the place where the event is, again and again
    until it stays there. Stations without a grid, and places outside of it, keep the times of the layers."""
    found = locate_many(events, stations, tables, settings)
    shifts = dict[int, Shifts]()
    known = {code for code, _ in grids}
    moving = [
        number
        for number, each in enumerate(found)
        if isinstance(each, Location) and any(site_code(arrival.station) in known for arrival in each.arrivals)
    ]
    for _ in range(ROUNDS):
        if not moving:
            break
        placed = [location for n in moving if isinstance(location := found[n], Location)]
        shifts |= zip(moving, _shifts(placed, grids), strict=True)
        again = locate_many([_shifted(events[n], shifts[n]) for n in moving], stations, tables, settings)
        still = [n for n, new in zip(moving, again, strict=True) if _has_moved(found[n], new)]
        for number, new in zip(moving, again, strict=True):
            found[number] = new
        moving = still
    return [_told(each, events[number]) for number, each in enumerate(found)]


def _shifts(found: Sequence[Location], grids: Grids) -> list[Shifts]:
    """By how much later than in the layers each arrival comes; all that ask one grid ask together."""
    heard = defaultdict[tuple[str, Wave], list[tuple[int, LocatedArrival]]](list)
    for number, location in enumerate(found):
        for each in location.arrivals:
            if (key := (site_code(each.station), each.phase)) in grids:
                heard[key].append((number, each))
    shifts: list[Shifts] = [{} for _ in found]
    for key, arrivals in heard.items():
        places = [found[number].maximum for number, _ in arrivals]
        at = [(place.latitude_deg, place.longitude_deg, place.depth_km) for place in places]
        times = grids[key].lookup(*np.array(at).T).time_s
        for (number, each), place, time_s in zip(arrivals, places, times.tolist(), strict=True):
            if math.isfinite(time_s):
                layers_s = each.onset_s - place.time_s - each.residual_s - each.station_correction_s
                shifts[number][each.index] = time_s - layers_s
    return shifts


def _shifted(arrivals: Sequence[Arrival], shifts: Shifts) -> list[Arrival]:
    return [replace(each, onset_s=each.onset_s - shifts.get(k, 0.0)) for k, each in enumerate(arrivals)]


def _has_moved(before: Location | LocationError, after: Location | LocationError) -> bool:
    if not (isinstance(before, Location) and isinstance(after, Location)):
        return False
    return _away_km(before.maximum, after.maximum) > SETTLED_KM


def _away_km(one: Hypocentre, other: Hypocentre) -> float:
    level_km = distance_km(one.latitude_deg, one.longitude_deg, other.latitude_deg, other.longitude_deg)
    return math.hypot(level_km, other.depth_km - one.depth_km)


def _told(location: Location | LocationError, arrivals: Sequence[Arrival]) -> Location | LocationError:
    """With the onsets as they were picked."""
    if not isinstance(location, Location):
        return location
    own = tuple(replace(each, onset_s=arrivals[each.index].onset_s) for each in location.arrivals)
    return replace(location, arrivals=own)
