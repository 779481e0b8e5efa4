"""Where the regions of the map lie, and which events each of them tells."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kensoku.v1.control_pb2 import Region

KM_A_DEGREE = 111.19  # of a great circle, on a sphere of 6,371 km
SEAM_KM = 20.0  # on either side of an edge: both regions may tell an event there

Place = tuple[float, float]  # km east and north of where one looks from


@dataclass(frozen=True)
class Ground:
    """One region among all of them. One that is not on the map, or has no polygon, is the whole Earth."""

    name: str
    regions: Mapping[str, Region] = field(default_factory=dict)

    def outside_km(self, latitude_deg: float, longitude_deg: float) -> float:
        """Of the edge; negative inside."""
        region = self.regions.get(self.name)
        return outside_km(region, latitude_deg, longitude_deg) if region else -math.inf

    def holders(self, latitude_deg: float, longitude_deg: float, within_km: float = 0.0) -> list[tuple[float, str]]:
        """Other regions that the place lies in, or so near to; the nearest first."""
        found = [
            (outside_km(region, latitude_deg, longitude_deg), name)
            for name, region in self.regions.items()
            if name != self.name
        ]
        return sorted(each for each in found if each[0] <= within_km)

    def seam(self, latitude_deg: float, longitude_deg: float) -> str:
        """`A|B` where another region tells events as well; of several the one that the place lies deepest in."""
        others = self.holders(latitude_deg, longitude_deg, SEAM_KM)
        return "|".join(sorted((self.name, others[0][1]))) if others and self.name in self.regions else ""


def outside_km(region: Region, latitude_deg: float, longitude_deg: float) -> float:
    """How far from the edge of a region a place lies, negative inside. On a plane around the place, which is right to a
    percent within the reach of regions."""
    if not region.polygon:
        return -math.inf
    scale = math.cos(math.radians(latitude_deg))
    corners = [
        (
            ((vertex.longitude_deg - longitude_deg + 180) % 360 - 180) * scale * KM_A_DEGREE,
            (vertex.latitude_deg - latitude_deg) * KM_A_DEGREE,
        )
        for vertex in region.polygon
    ]
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    nearest_km = min(_distance_km(*side) for side in sides)
    return -nearest_km if _is_inside(sides) else nearest_km


def _is_inside(sides: Iterable[tuple[Place, Place]]) -> bool:
    """Whether the origin is: a ray to the east crosses an odd number of sides."""
    crossings = 0
    for (east_1, north_1), (east_2, north_2) in sides:
        if (north_1 > 0) != (north_2 > 0):
            crossings += east_1 - north_1 * (east_2 - east_1) / (north_2 - north_1) > 0
    return crossings % 2 == 1


def _distance_km(first: Place, last: Place) -> float:
    """Of the origin from a side."""
    east, north = last[0] - first[0], last[1] - first[1]
    length = east * east + north * north
    share = 0.0 if not length else min(max(-(first[0] * east + first[1] * north) / length, 0.0), 1.0)
    return math.hypot(first[0] + share * east, first[1] + share * north)
