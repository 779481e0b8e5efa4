"""Earthquakes of known places under a network, what its stations hear of them, and how far a location is from them."""

import functools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kensoku.locating import Arrival, Location, LocationSettings, Site
from kensoku.traveltime import Grid, TravelTimeTable, Wave, build_table, load_model

FloatArray = npt.NDArray[np.float64]
KM_PER_DEG = 6371 * math.pi / 180
EXACT = LocationSettings(model_error=0.0, model_error_s=0.0, shallowest_km=0.0)  # picking errors and nothing else
LATITUDE_DEG, LONGITUDE_DEG = 0.0, 140.0  # on the equator a degree is as long both ways


@functools.cache
def tables(model: str = "homogeneous", deepest_km: float = 60) -> dict[Wave, TravelTimeTable]:
    step_km = deepest_km / 60
    grid = Grid(farthest_km=5 * deepest_km, deepest_km=deepest_km, distance_step_km=step_km, depth_step_km=step_km)
    return {wave: build_table(load_model(model), wave, grid) for wave in ("P", "S")}


def site(north_km: float, east_km: float, **more: float) -> Site:
    return Site(LATITUDE_DEG + north_km / KM_PER_DEG, LONGITUDE_DEG + east_km / KM_PER_DEG, **more)


NETWORK = {
    f"XX.S{i}{j}": site(30.0 * i - 45 + 4 * math.sin(7 * i + j), 30.0 * j - 45 + 4 * math.cos(5 * i + 3 * j))
    for i in range(4)
    for j in range(4)
}


def distances_km(latitude_deg: float, longitude_deg: float, stations: Sequence[Site]) -> FloatArray:
    """By haversine, of which the code knows nothing."""
    lat = np.radians([s.latitude_deg for s in stations])
    lon = np.radians([s.longitude_deg for s in stations])
    here = math.radians(latitude_deg), math.radians(longitude_deg)
    half = np.sin((lat - here[0]) / 2) ** 2 + np.cos(lat) * math.cos(here[0]) * np.sin((lon - here[1]) / 2) ** 2
    return np.asarray(2 * 6371 * np.arcsin(np.sqrt(half)))


def shake(
    source: tuple[float, float, float],
    codes: Sequence[str],
    chance: np.random.Generator | None = None,
    model: str = "homogeneous",
    stations: dict[str, Site] = NETWORK,
    deepest_km: float = 60,
) -> list[Arrival]:
    """P and S of an earthquake at (north km, east km, depth km) and 50 s, with errors of 0.05 s and 0.1 s."""
    place = site(*source[:2])
    distance = distances_km(place.latitude_deg, place.longitude_deg, [stations[code] for code in codes])
    arrivals = []
    for wave, error in (("P", 0.05), ("S", 0.1)):
        times = tables(model, deepest_km)["P" if wave == "P" else "S"].lookup(distance, source[2]).time_s
        noise = chance.normal(0, error, len(codes)) if chance else np.zeros(len(codes))
        arrivals += [
            Arrival(code, "P" if wave == "P" else "S", 50 + float(time), error)
            for code, time in zip(codes, times + noise, strict=True)
        ]
    return arrivals


def miss_km(found: Location, source: tuple[float, float, float]) -> float:
    place = site(*source[:2])
    (across,) = distances_km(
        place.latitude_deg, place.longitude_deg, [Site(found.maximum.latitude_deg, found.maximum.longitude_deg)]
    )
    return math.hypot(across, found.maximum.depth_km - source[2])


ALL, TEN = tuple(NETWORK), tuple(NETWORK)[:10]
SIX = ("XX.S11", "XX.S12", "XX.S21", "XX.S22", "XX.S10", "XX.S03")
