"""Polygons on the Earth: whether they hold a place, and how far it is from their edge."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from kensoku.sphere import EARTH_RADIUS_KM

PIECE_DEG = 0.5  # of a side; a great circle leaves a parallel by 30 m at most in between
NEARLY_A_POLE = 90 - 1e-9  # a side at 90 degrees is above it

FloatArray = npt.NDArray[np.float64]
Place = tuple[float, float]  # longitude and latitude, degrees
Side = tuple[Place, Place]


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """Sides are straight in longitude and latitude and go the shorter way around, or all around where they are of
    exactly 360 degrees. A ring that goes around the Earth holds the pole that it is nearer to."""

    ring: FloatArray  # closed (vertex, 2): longitudes go on beyond 180 degrees
    ends: FloatArray  # of the pieces of its edge (piece, 2, 3): on a sphere of radius 1
    bounds: FloatArray  # of each piece (3, piece, 3): planes at both ends, between which it lies, and its own

    def holds(self, latitude_deg: float, longitude_deg: float) -> bool:
        """A ray to the east crosses an odd number of sides."""
        latitude_deg = min(latitude_deg, NEARLY_A_POLE)
        (x, y), (next_x, next_y) = self.ring[:-1].T, self.ring[1:].T
        crosses = (y > latitude_deg) != (next_y > latitude_deg)
        x, y, next_x, next_y = x[crosses], y[crosses], next_x[crosses], next_y[crosses]
        met = x + (latitude_deg - y) * (next_x - x) / (next_y - y)
        east = longitude_deg + 360 * np.ceil((self.ring[:, 0].min() - longitude_deg) / 360)
        return any(np.count_nonzero(met > each) % 2 for each in (east, east + 360))

    def edge_km(self, latitude_deg: float, longitude_deg: float) -> float:
        """From the nearest place of its edge; infinity where it has none, since it holds the whole Earth."""
        here = _vectors(np.array([longitude_deg, latitude_deg]))
        to_ends = 2 * np.arcsin(np.minimum(np.sqrt(((self.ends - here) ** 2).sum(axis=-1)) / 2, 1))
        from_first, from_last, away = self.bounds @ here
        beside = np.arcsin(np.minimum(np.abs(away[(from_first >= 0) & (from_last >= 0)]), 1))
        return EARTH_RADIUS_KM * float(min(np.min(to_ends, initial=np.inf), np.min(beside, initial=np.inf)))


@lru_cache(maxsize=4096)
def polygon(vertices: tuple[Place, ...]) -> Polygon:
    """Whether the last is the first again does not matter. A ValueError where it goes around the Earth twice."""
    ring = unrolled(vertices)
    pieces = [piece for side in _edge(ring) for piece in _cut(*side)]
    ends = _vectors(np.array(pieces).reshape(-1, 2, 2))
    first, last = ends.swapaxes(0, 1)
    across = np.cross(first, last)
    length = np.linalg.norm(across, axis=-1, keepdims=True)
    across /= np.where(length > 0, length, np.nan)  # nothing is beside a side of no length
    return Polygon(np.array(ring), ends, np.stack([np.cross(across, first), np.cross(last, across), across]))


def unrolled(vertices: Sequence[Place]) -> list[Place]:
    """On a plane of longitude and latitude and closed there, over a pole if it must be."""
    following = [*vertices[1:], vertices[0]]
    steps = [last[0] - first[0] for first, last in zip(vertices, following, strict=True)]
    turns = [step if abs(step) == 180 else step - 360 * round(step / 360) for step in steps]
    around = round(sum(turns) / 360)
    if abs(around) > 1:
        raise ValueError(f"a ring that goes {abs(around)} times around the Earth")
    if not around:  # or it would be there already
        turns = [step if abs(step) == 360 else turn for step, turn in zip(steps, turns, strict=True)]
    longitudes = accumulate(turns, initial=vertices[0][0])
    ring = [(east, north) for east, (_, north) in zip(longitudes, [*vertices, vertices[0]], strict=True)]
    if around:
        pole = math.copysign(90.0, sum(latitude for _, latitude in vertices))
        ring += [(ring[-1][0], pole), (ring[0][0], pole), ring[0]]
    return ring


def _edge(ring: Sequence[Place]) -> Iterator[Side]:
    """The sides that part inside from outside: none within a pole, none along which the ring comes back."""
    sides = list(zip(ring, ring[1:], strict=False))
    times = Counter(_key(*side) for side in sides)
    for first, last in sides:
        is_within_pole = abs(first[1]) == 90 == abs(last[1])
        if not is_within_pole and (first == last or times[_key(first, last)] % 2):
            yield first, last


def _key(*side: Place) -> tuple[Place, ...]:
    return tuple(sorted((round(longitude % 360, 9) % 360, latitude) for longitude, latitude in side))


def _cut(first: Place, last: Place) -> Iterator[FloatArray]:
    count = int(max(abs(last[0] - first[0]), abs(last[1] - first[1])) / PIECE_DEG) + 1
    places = np.linspace(first, last, count + 1)
    yield from zip(places, places[1:], strict=False)


def _vectors(places: FloatArray) -> FloatArray:
    longitude, latitude = np.radians(places[..., 0]), np.radians(places[..., 1])
    level = np.cos(latitude)
    return np.stack([level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)], axis=-1)
