"""To which regions a station sends its picks: those whose polygon it lies in, or near enough to."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from kensoku.v1.control_pb2 import Control, Region
from kensoku.v1.inventory_pb2 import Station

PREFIX = "region/"
KM_A_DEGREE = 111.19  # of a great circle, on a sphere of 6,371 km

Place = tuple[float, float]  # km east and north of the station


@dataclass(frozen=True, slots=True)
class Destination:
    """A region's key and its partition of `picks.by-region`."""

    name: str
    partition: int


WHOLE_EARTH = Destination("default", 0)  # where nobody has decided about regions


def read_regions(values: Mapping[str, bytes]) -> tuple[Region, ...]:
    """The regions that operators have decided on; what cannot be read is none."""
    regions = []
    for key in sorted(values):
        if key.startswith(PREFIX):
            try:
                decision = Control.FromString(values[key])
            except DecodeError:
                continue
            if decision.WhichOneof("decision") == "region":
                regions.append(decision.region)
    return tuple(regions)


def destinations(regions: Sequence[Region], station: Station | None) -> tuple[Destination, ...]:
    """Of a station that nobody knows every region hears."""
    if not regions:
        return (WHOLE_EARTH,)
    epochs = station.epochs if station else ()
    places = [(epoch.latitude_deg, epoch.longitude_deg) for epoch in epochs][-1:]
    return tuple(
        Destination(region.name, region.partition) for region in regions if not places or _reaches(region, *places[0])
    )


def _reaches(region: Region, latitude_deg: float, longitude_deg: float) -> bool:
    """On a plane around the station, which is right to a percent within the reach of regions."""
    if not region.polygon:
        return True
    scale = math.cos(math.radians(latitude_deg))
    corners = [
        (
            ((vertex.longitude_deg - longitude_deg + 180) % 360 - 180) * scale * KM_A_DEGREE,
            (vertex.latitude_deg - latitude_deg) * KM_A_DEGREE,
        )
        for vertex in region.polygon
    ]
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    return _is_inside(sides) or min(_distance_km(*side) for side in sides) <= region.reach_km


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
