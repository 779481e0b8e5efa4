"""The axes of an uncertainty ellipsoid as QuakeML's three angles, and back.

QuakeML turns north, east and down into the major, minor and intermediate axis by azimuth, plunge and a rotation about
the major axis: with no rotation the minor axis is horizontal, to the right of where the major axis points.
"""

import math

import numpy as np
import numpy.typing as npt

from kensoku.v1.event_pb2 import Ellipsoid

DIGITS = 9  # of a degree: turning forth and back adds less
CLOSE = 1e-6
Vector = npt.NDArray[np.float64]


def rotation_deg(ellipsoid: Ellipsoid) -> float:
    """From 0 to 180: an axis has no direction."""
    right, below = _beside(ellipsoid.azimuth_deg[0], ellipsoid.plunge_deg[0])
    minor = _vector(ellipsoid.azimuth_deg[2], ellipsoid.plunge_deg[2])
    return math.degrees(math.atan2(float(minor @ below), float(minor @ right))) % 180.0


def ellipsoid(
    lengths_km: tuple[float, float, float], azimuth_deg: float, plunge_deg: float, turn_deg: float
) -> Ellipsoid:
    """Of the lengths of the major, intermediate and minor axis."""
    turn = math.radians(turn_deg)
    right, below = _beside(azimuth_deg, plunge_deg)
    minor = math.cos(turn) * right + math.sin(turn) * below
    intermediate = math.cos(turn) * below - math.sin(turn) * right
    found = Ellipsoid(semi_axis_km=lengths_km, azimuth_deg=[azimuth_deg], plunge_deg=[plunge_deg])
    for vector in (intermediate, minor):
        azimuth, plunge = _angles(vector)
        found.azimuth_deg.append(azimuth)
        found.plunge_deg.append(plunge)
    return found


def of_moments(axes: Ellipsoid, more_km2: npt.NDArray[np.float64]) -> Ellipsoid:
    """With squares of its axes that are larger by these, of north, east and down."""
    directions = np.array([_vector(*angles) for angles in zip(axes.azimuth_deg, axes.plunge_deg, strict=True)])
    squares = (directions.T * np.square(axes.semi_axis_km)) @ directions + more_km2
    values, vectors = np.linalg.eigh(squares)
    found = Ellipsoid(semi_axis_km=np.sqrt(np.maximum(values[::-1], 0.0)).tolist())
    for vector in vectors.T[::-1]:
        azimuth, plunge = _angles(vector)
        found.azimuth_deg.append(azimuth)
        found.plunge_deg.append(plunge)
    return found


def are_alike(a: Ellipsoid, b: Ellipsoid) -> bool:
    """Whether QuakeML would say the same of both."""
    if not len(a.semi_axis_km) == len(b.semi_axis_km) == 3:
        return False
    turn = (rotation_deg(a) - rotation_deg(b) + 90.0) % 180.0 - 90.0
    said = ((*one.semi_axis_km, one.azimuth_deg[0], one.plunge_deg[0]) for one in (a, b))
    return abs(turn) < CLOSE and all(abs(x - y) < CLOSE for x, y in zip(*said, strict=True))


def _vector(azimuth_deg: float, plunge_deg: float) -> Vector:
    """North, east, down."""
    azimuth, plunge = math.radians(azimuth_deg), math.radians(plunge_deg)
    return np.array([math.cos(plunge) * math.cos(azimuth), math.cos(plunge) * math.sin(azimuth), math.sin(plunge)])


def _beside(azimuth_deg: float, plunge_deg: float) -> tuple[Vector, Vector]:
    """Horizontally to the right of an axis, and below it."""
    right = _vector(azimuth_deg + 90.0, 0.0)
    return right, np.cross(_vector(azimuth_deg, plunge_deg), right)


def _angles(vector: Vector) -> tuple[float, float]:
    """Azimuth and plunge of the end that points down; of a horizontal axis, of the one that points east."""
    north, east, down = vector
    plunge_deg = round(math.degrees(math.atan2(down, math.hypot(north, east))), DIGITS)
    azimuth_deg = round(math.degrees(math.atan2(east, north)), DIGITS) % 360.0
    if plunge_deg < 0 or (plunge_deg == 0 and azimuth_deg >= 180):
        return (azimuth_deg + 180.0) % 360.0, abs(plunge_deg)
    return azimuth_deg, plunge_deg
