"""Where the stations of a catalogue stand, for programs that want a list of them."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import IO

import numpy as np
import numpy.typing as npt

from kensoku.catalogue_files._stated import can_be_meant
from kensoku.sphere import EARTH_RADIUS_KM
from kensoku.v1.event_pb2 import Arrival, Origin

MOST_SEEN = 1000  # of a station, enough for a median

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    latitude_deg: float
    longitude_deg: float
    elevation_m: float


PlaceOf = Callable[[str, int], Place | None]  # of "NET.STA" at a time, ns UTC


def nowhere(_station: str, _at_ns: int) -> Place | None:
    """Nobody has told."""
    return None


class Places:
    """By the names that a file gives to stations: as told, or at sea level where arrivals place them."""

    def __init__(self, place_of: PlaceOf) -> None:
        self._place_of = place_of
        self._told: dict[str, Place | None] = {}
        self._seen: defaultdict[str, list[FloatArray]] = defaultdict(list)

    def add(self, name: str, origin: Origin, arrival: Arrival) -> None:
        code = f"{arrival.instrument.network}.{arrival.instrument.station}"
        self._told[name] = self._place_of(code, arrival.onset_ns) or self._told.get(name)
        is_seen = arrival.distance_km > 0 and can_be_meant((arrival.distance_km, arrival.azimuth_deg))
        if is_seen and self._told[name] is None and len(self._seen[name]) < MOST_SEEN:
            self._seen[name].append(_seen_from(origin.latitude_deg, origin.longitude_deg, arrival))

    def found(self) -> dict[str, Place]:
        places = {name: self._told[name] or self._median(name) for name in sorted(self._told)}
        return {name: place for name, place in places.items() if place}

    def unknown(self) -> Sequence[str]:
        return sorted(self._told.keys() - self.found().keys())

    def _median(self, name: str) -> Place | None:
        if name not in self._seen:
            return None
        x, y, z = (median(components) for components in zip(*self._seen[name], strict=True))
        return Place(math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)), 0.0)


def write_station_dat(file: IO[str], places: Places) -> None:
    """HypoDD's list: name, degrees, and metres, which its first version does not read."""
    for name, place in places.found().items():
        file.write(f"{name:<7} {_degrees(place)} {place.elevation_m:7.1f}\n")


def write_gtsrce(file: IO[str], places: Places) -> None:
    """Lines of NonLinLoc's control file, which may include them: depth, and elevation in km."""
    for name, place in places.found().items():
        file.write(f"GTSRCE {name:<6} LATLON {_degrees(place)} 0.0 {place.elevation_m / 1000:7.4f}\n")


def write_stlist(file: IO[str], places: Places) -> None:
    """GrowClust's."""
    for name, place in places.found().items():
        file.write(f"{name:<7} {_degrees(place)}\n")


def _degrees(place: Place) -> str:
    return f"{place.latitude_deg:10.5f} {place.longitude_deg:11.5f}"


def _seen_from(latitude_deg: float, longitude_deg: float, arrival: Arrival) -> FloatArray:
    """The station's unit vector, so far from the epicentre in its direction."""
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    away, azimuth = arrival.distance_km / EARTH_RADIUS_KM, math.radians(arrival.azimuth_deg)
    level = math.cos(latitude)
    centre = np.array([level * math.cos(longitude), level * math.sin(longitude), math.sin(latitude)])
    north = np.array(
        [-math.sin(latitude) * math.cos(longitude), -math.sin(latitude) * math.sin(longitude), math.cos(latitude)]
    )
    east = np.array([-math.sin(longitude), math.cos(longitude), 0.0])
    across = math.cos(azimuth) * north + math.sin(azimuth) * east
    return np.asarray(math.cos(away) * centre + math.sin(away) * across)
