"""To which regions a station sends its picks: those whose polygon it lies in, or near enough to."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from kensoku.polygons import unrolled
from kensoku.regions._ground import outside_km
from kensoku.v1.control_pb2 import Control, Region
from kensoku.v1.inventory_pb2 import Station

log = logging.getLogger("kensoku.regions")

PREFIX = "region/"


@dataclass(frozen=True, slots=True)
class Destination:
    """A region's key and its partition of `picks.by-region`."""

    name: str
    partition: int


WHOLE_EARTH = Destination("default", 0)  # where nobody has decided about regions
ALL_GIVEN = "batch"  # of which commands associate picks: all that they are given


def read_regions(values: Mapping[str, bytes]) -> tuple[Region, ...]:
    """The regions that operators have decided on; one that cannot be used is none, and told."""
    regions = []
    for key in sorted(values):
        if key.startswith(PREFIX):
            try:
                regions.append(_region(values[key]))
            except (DecodeError, ValueError) as error:
                log.warning(
                    "left out %s: found %s, expected what `kensoku regions apply` writes; apply it again", key, error
                )
    return tuple(regions)


def _region(value: bytes) -> Region:
    """A ValueError of one that would end whoever asks how far it is."""
    decision = Control.FromString(value)
    if decision.WhichOneof("decision") != "region":
        raise ValueError("no region")
    region = decision.region
    corners = [(vertex.longitude_deg, vertex.latitude_deg) for vertex in region.polygon]
    if region.partition < 0:
        raise ValueError(f"partition {region.partition}")
    if beyond := [corner for corner in corners if not (abs(corner[0]) <= 360 and abs(corner[1]) <= 90)]:
        raise ValueError("a corner at longitude {}, latitude {}".format(*beyond[0]))
    unrolled(corners or [(0.0, 0.0)])
    return region


def destinations(regions: Sequence[Region], station: Station | None) -> tuple[Destination, ...]:
    """Of a station that nobody knows every region hears; of one that has moved all that hear one of its places."""
    if not regions:
        return (WHOLE_EARTH,)
    epochs = station.epochs if station else ()
    places = {(epoch.latitude_deg, epoch.longitude_deg) for epoch in epochs}
    return tuple(
        Destination(region.name, region.partition)
        for region in regions
        if not places or any(_reaches(region, *place) for place in places)
    )


def _reaches(region: Region, latitude_deg: float, longitude_deg: float) -> bool:
    return outside_km(region, latitude_deg, longitude_deg) <= region.reach_km
