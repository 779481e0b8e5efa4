"""Places on the globe: from kilometres to degrees, along great circles, and inside an outline."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator

from kensoku.simulation.quantities import Place
from kensoku.simulation.randomness import FloatArray

KM_PER_DEG = 6371.0 * np.pi / 180


def _require_area(outline: tuple[Place, ...]) -> tuple[Place, ...]:
    """An outline that holds nothing would be searched for ever; one over the date line would hold the wrong places."""
    places = np.array(outline or [(0, 0)], dtype=np.float64)
    if np.ptp(places[:, 1]) > 180:
        raise ValueError("corners within 180 degrees of longitude, on one side of the date line")
    following = np.roll(places, -1, axis=0)
    area = 0.5 * abs(np.sum(places[:, 1] * following[:, 0] - following[:, 1] * places[:, 0]))
    if not area > 0.01 * np.prod(np.ptp(places, axis=0)):
        raise ValueError("corners [latitude, longitude] in their order, with an area between them")
    return outline


Outline = Annotated[tuple[Place, ...], AfterValidator(_require_area)]


def move(
    latitude_deg: npt.ArrayLike, longitude_deg: npt.ArrayLike, north_km: npt.ArrayLike, east_km: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """The places so many kilometres away: good to a thousandth over 100 km, and not for the poles."""
    latitude = np.asarray(latitude_deg, dtype=np.float64)
    moved = np.clip(latitude + np.asarray(north_km) / KM_PER_DEG, -90, 90)
    longitude = longitude_deg + np.asarray(east_km) / (KM_PER_DEG * np.cos(np.radians(latitude)))
    return moved, (longitude + 180) % 360 - 180


def travel(place: Place, distance_deg: FloatArray, azimuth_deg: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where great circles from a place lead."""
    latitude, longitude = np.radians(place)
    distance, azimuth = np.radians(distance_deg), np.radians(azimuth_deg)
    sine = np.sin(latitude) * np.cos(distance) + np.cos(latitude) * np.sin(distance) * np.cos(azimuth)
    east = np.arctan2(np.sin(azimuth) * np.sin(distance) * np.cos(latitude), np.cos(distance) - np.sin(latitude) * sine)
    return np.degrees(np.arcsin(sine)), (np.degrees(longitude + east) + 180) % 360 - 180


def is_inside(outline: Sequence[Place], latitude_deg: FloatArray, longitude_deg: FloatArray) -> npt.NDArray[np.bool_]:
    """Even-odd rule; an outline must not cross the date line."""
    inside = np.zeros(np.shape(latitude_deg), dtype=np.bool_)
    for (lat1, lon1), (lat2, lon2) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if lat1 != lat2:
            crosses = (lat1 > latitude_deg) != (lat2 > latitude_deg)
            inside ^= crosses & (longitude_deg < lon1 + (latitude_deg - lat1) * (lon2 - lon1) / (lat2 - lat1))
    return inside


def scatter_inside(outline: Sequence[Place], count: int, chance: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Places spread evenly over the area of an outline."""
    (south, west), (north, east) = np.min(outline, axis=0), np.max(outline, axis=0)
    found = np.empty((0, 2))
    while len(found) < count:
        sine = chance.uniform(np.sin(np.radians(south)), np.sin(np.radians(north)), count + 16)
        places = np.column_stack([np.degrees(np.arcsin(sine)), chance.uniform(west, east, count + 16)])
        found = np.concatenate([found, places[is_inside(outline, places[:, 0], places[:, 1])]])
    return found[:count, 0], found[:count, 1]
