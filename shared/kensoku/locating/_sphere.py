"""Places on a sphere as unit vectors, and how far and which way they are from one another."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kensoku.locating._values import FloatArray, IntArray
from kensoku.sphere import EARTH_RADIUS_KM


@dataclass(frozen=True, slots=True)
class Frame:
    """Kilometres north and east of a centre, along great circles through it; any number of frames at once.

    The first axis of each array is the component of the vector; the others count frames.
    """

    centre: FloatArray
    north: FloatArray
    east: FloatArray

    @property
    def first(self) -> "Frame":
        """Of the frames along the last axis."""
        return Frame(self.centre[..., 0], self.north[..., 0], self.east[..., 0])

    def take(self, chosen: IntArray | slice) -> "Frame":
        """Along the first axis of the frames."""
        return Frame(self.centre[:, chosen], self.north[:, chosen], self.east[:, chosen])

    @property
    def arrays(self) -> FloatArray:
        """(..., axis, component): centre, north and east, for compiled code."""
        stacked = np.stack([self.centre, self.north, self.east])
        return np.ascontiguousarray(np.moveaxis(stacked, (0, 1), (-2, -1)))

    def place(self, north_km: FloatArray, east_km: FloatArray) -> FloatArray:
        """Unit vectors (3, ...); the coordinates may have axes after those of the frames."""
        more = (...,) + (None,) * (north_km.ndim - self.centre.ndim + 1)
        away = np.hypot(north_km, east_km) / EARTH_RADIUS_KM
        over_r = np.sinc(away / np.pi) / EARTH_RADIUS_KM
        return np.asarray(
            self.centre[more] * np.cos(away)
            + (over_r * north_km) * self.north[more]
            + (over_r * east_km) * self.east[more]
        )


def unit_vectors(latitude_deg: npt.ArrayLike, longitude_deg: npt.ArrayLike) -> FloatArray:
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    level = np.cos(latitude)
    return np.stack([level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)])


def degrees(places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Latitude and longitude."""
    x, y, z = places
    return np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


def frames_at(places: FloatArray) -> Frame:
    """At a pole, north is along the meridian of Greenwich."""
    x, y, z = places / np.sqrt((places**2).sum(axis=0))
    level = np.hypot(x, y)
    safe = np.where(level > 0, level, 1)
    cosine, sine = np.where(level > 0, x / safe, 1.0), np.where(level > 0, y / safe, 0.0)
    return Frame(
        np.stack([x, y, z]),
        np.stack([-z * cosine, -z * sine, level]),
        np.stack([-sine, cosine, np.zeros_like(sine)]),
    )


def arc_km(cosine: FloatArray) -> FloatArray:
    """The distance of places whose unit vectors have that product: exact to a micrometre within 2,000 km."""
    square = np.maximum((1 - cosine) / 2, 0)  # of half the chord
    half = np.sqrt(square)
    if square.max(initial=0) > 0.025:
        return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(half, 1)))
    series = 1 + square * (1 / 6 + square * (3 / 40 + square * (15 / 336 + square * 105 / 3456)))
    return np.asarray(2 * EARTH_RADIUS_KM * half * series)


def azimuths_deg(frame: Frame, places: FloatArray) -> FloatArray:
    """From the centres of frames to places, clockwise from north, 0 to 360."""
    north, east = (frame.north * places).sum(axis=0), (frame.east * places).sum(axis=0)
    return np.asarray(np.degrees(np.arctan2(east, north)) % 360)


def gaps_deg(azimuths_deg: Iterable[float]) -> tuple[float, float]:
    """The largest angle without a station, and the largest when any one station is removed."""
    around = sorted(set(azimuths_deg))
    if len(around) < 2:
        return 360.0, 360.0
    steps = [after - before for before, after in pairwise([*around, around[0] + 360])]
    secondary = (one + other for one, other in pairwise([*steps, steps[0]]))
    return max(steps), min(max(secondary), 360.0)
