"""From latitude and longitude to the kilometres of a NonLinLoc grid, and which way north is there."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.sphere import KM_PER_DEG

FloatArray = npt.NDArray[np.float64]
Plane = tuple[FloatArray, FloatArray]

SIMPLE_KM_PER_DEG = 10_000 / 90  # that of NonLinLoc
NEAR_DEG = 1e-3  # over which slopes are taken
ELLIPSOIDS = {  # equatorial radius in m, flattening: Snyder (1987), Map projections: a working manual, table 1
    "WGS-84": (6378137.0, 1 / 298.257),
    "GRS-80": (6378137.0, 1 / 298.257),
    "WGS-72": (6378135.0, 1 / 298.26),
    "Australian": (6378160.0, 1 / 298.25),
    "Krasovsky": (6378245.0, 1 / 298.3),
    "International": (6378388.0, 1 / 297.0),
    "Hayford-1909": (6378388.0, 1 / 297.0),
    "Clarke-1880": (6378249.1, 1 / 293.46),
    "Clarke-1866": (6378206.4, 1 / 294.98),
    "Airy": (6377563.4, 1 / 299.32),
    "Bessel": (6377397.2, 1 / 299.15),
    "Hayford-1830": (6377276.3, 1 / 300.8),
    "Sphere": (6371008.7714, 0.0),
}


@dataclass(frozen=True, slots=True)
class Projection:
    """`SIMPLE`, or with an ellipsoid and two parallels `LAMBERT` (conformal conic)."""

    latitude_deg: float  # of the origin
    longitude_deg: float
    rotation_deg: float = 0.0  # of north, clockwise from the grid's y axis
    ellipsoid: str = ""
    parallels_deg: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if self.ellipsoid and self.ellipsoid not in ELLIPSOIDS:
            raise InputInvalid(f"found the ellipsoid {self.ellipsoid!r}, expected one of {', '.join(ELLIPSOIDS)}")
        if abs(self.latitude_deg) >= 90 or (self.ellipsoid and not 0 < abs(sum(self.parallels_deg)) < 180):
            raise InputInvalid(
                f"found an origin at latitude {self.latitude_deg:g} and the parallels {self.parallels_deg}, expected a "
                "latitude between the poles and parallels that are not opposite"
            )

    def project(self, latitude_deg: npt.ArrayLike, longitude_deg: npt.ArrayLike) -> Plane:
        """Kilometres along the axes of the grid."""
        latitude = np.asarray(latitude_deg, np.float64)
        turn = (np.asarray(longitude_deg, np.float64) - self.longitude_deg + 540) % 360 - 180
        east, north = self._lambert(latitude, turn) if self.ellipsoid else self._simple(latitude, turn)
        angle = np.radians(self.rotation_deg)
        cosine, sine = np.cos(angle), np.sin(angle)
        return np.asarray(east * cosine + north * sine), np.asarray(north * cosine - east * sine)

    def axes(self, latitude_deg: npt.ArrayLike, longitude_deg: npt.ArrayLike) -> tuple[Plane, Plane]:
        """How far along both axes a kilometre to the north, and one to the east, leads."""
        latitude, longitude = np.asarray(latitude_deg, np.float64), np.asarray(longitude_deg, np.float64)
        ahead, behind = self.project(latitude + NEAR_DEG, longitude), self.project(latitude - NEAR_DEG, longitude)
        right, left = self.project(latitude, longitude + NEAR_DEG), self.project(latitude, longitude - NEAR_DEG)
        north_km = 2 * NEAR_DEG * KM_PER_DEG
        east_km = north_km * np.cos(np.radians(latitude))
        to_north = (ahead[0] - behind[0]) / north_km, (ahead[1] - behind[1]) / north_km
        return to_north, ((right[0] - left[0]) / east_km, (right[1] - left[1]) / east_km)

    def _simple(self, latitude: FloatArray, turn: FloatArray) -> Plane:
        east = turn * SIMPLE_KM_PER_DEG * np.cos(np.radians(latitude))
        return east, (latitude - self.latitude_deg) * SIMPLE_KM_PER_DEG

    def _lambert(self, latitude: FloatArray, turn: FloatArray) -> Plane:
        """Snyder (1987), equations 14-15, 15-7 to 15-11."""
        radius_m, flattening = ELLIPSOIDS[self.ellipsoid]
        e = np.sqrt(2 * flattening - flattening**2)
        first, second = np.radians(self.parallels_deg)
        m1, m2 = (np.cos(phi) / np.sqrt(1 - (e * np.sin(phi)) ** 2) for phi in (first, second))
        t1, t2 = _cone(first, e), _cone(second, e)
        n = np.sin(first) if first == second else np.log(m1 / m2) / np.log(t1 / t2)
        scale_km = radius_m / 1e3 * m1 / (n * t1**n)
        rho = scale_km * _cone(np.radians(latitude), e) ** n
        origin = scale_km * _cone(np.radians(self.latitude_deg), e) ** n
        theta = n * np.radians(turn)
        return rho * np.sin(theta), origin - rho * np.cos(theta)


def _cone(phi: FloatArray | float, e: float) -> FloatArray:
    sine = e * np.sin(phi)
    return np.asarray(np.tan(np.pi / 4 - np.asarray(phi) / 2) / ((1 - sine) / (1 + sine)) ** (e / 2))
