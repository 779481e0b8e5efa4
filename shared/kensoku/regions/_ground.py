"""Where the regions of the map lie, and which events each of them tells."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from kensoku.polygons import polygon
from kensoku.v1.control_pb2 import Region

SEAM_KM = 20.0  # on either side of an edge: both regions may tell an event there


@dataclass(frozen=True)
class Ground:
    """One region among all of them. One that is not on the map, or has no polygon, is the whole Earth."""

    name: str
    regions: Mapping[str, Region] = field(default_factory=dict)

    @property
    def is_off_the_map(self) -> bool:
        """Of a region that others have taken the place of."""
        return bool(self.regions) and self.name not in self.regions

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
    """How far from the edge of a region a place lies, negative inside."""
    if not region.polygon:
        return -math.inf
    shape = polygon(tuple((vertex.longitude_deg, vertex.latitude_deg) for vertex in region.polygon))
    edge_km = shape.edge_km(latitude_deg, longitude_deg)
    return -edge_km if shape.holds(latitude_deg, longitude_deg) else edge_km
