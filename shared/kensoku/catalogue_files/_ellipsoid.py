"""The axes of an uncertainty ellipsoid as QuakeML's three angles, and back.

QuakeML turns north, east and down into the major, minor and intermediate axis by azimuth, plunge and a rotation about
the major axis: with no rotation the minor axis is horizontal, to the right of where the major axis points.
"""

import math

import numpy as np
import numpy.typing as npt

from kensoku.v1.event_pb2 import Ellipsoid

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
    found = Ellipsoid(semi_axis_km=lengths_km)
    for vector in (_vector(azimuth_deg, plunge_deg), intermediate, minor):
        azimuth, plunge = _angles(vector)
        found.azimuth_deg.append(azimuth)
        found.plunge_deg.append(plunge)
    return found


def _vector(azimuth_deg: float, plunge_deg: float) -> Vector:
    """North, east, down."""
    azimuth, plunge = math.radians(azimuth_deg), math.radians(plunge_deg)
    return np.array([math.cos(plunge) * math.cos(azimuth), math.cos(plunge) * math.sin(azimuth), math.sin(plunge)])


def _beside(azimuth_deg: float, plunge_deg: float) -> tuple[Vector, Vector]:
    """Horizontally to the right of an axis, and below it."""
    right = _vector(azimuth_deg + 90.0, 0.0)
    return right, np.cross(_vector(azimuth_deg, plunge_deg), right)


def _angles(vector: Vector) -> tuple[float, float]:
    """Azimuth and plunge of the end that points down."""
    north, east, down = vector if vector[2] >= 0 else -vector
    return math.degrees(math.atan2(east, north)) % 360.0, math.degrees(math.atan2(down, math.hypot(north, east)))
