"""Regions of association from GeoJSON: polygons with a name and how far around them stations are heard."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kensoku.errors import InputInvalid
from kensoku.polygons import unrolled
from kensoku.v1.control_pb2 import Region, Vertex

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30})")
REACH_KM = 100.0
MOST_KM = 2000.0
EXPECTED = (
    "expected GeoJSON: features that are a Polygon without holes, with the properties name (lower case letters, "
    f"digits, -) and, if not {REACH_KM:g}, reach_km"
)
MOST_TOLD = 20


def read_regions_file(text: str, file: str) -> list[Region]:
    """Without partitions, which `with_partitions` gives; one error names all that is wrong."""
    try:
        features = list(_features(json.loads(text)))
    except json.JSONDecodeError as error:
        raise InputInvalid(f"{file}: found {error}; {EXPECTED}") from None
    regions: list[Region] = []
    mistakes = [] if features else [f"found no feature; {EXPECTED}"]
    for number, feature in enumerate(features, 1):
        try:
            region = _region(feature)
            if region.name in {known.name for known in regions}:
                raise ValueError(f"the name {region.name!r} twice")
            regions.append(region)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            mistakes.append(f"feature {number}: found {_words(error)}; {EXPECTED}")
    if mistakes:
        raise InputInvalid("\n  ".join(f"{file}, {mistake}" for mistake in mistakes[:MOST_TOLD]))
    return regions


def with_partitions(regions: Sequence[Region], published: Mapping[str, Region], partitions: int) -> list[Region]:
    """Each its own of `picks.by-region`: the one that it has, or the first that no region has."""
    taken = {region.partition for region in published.values()}
    free = iter([number for number in range(partitions) if number not in taken])
    placed = []
    for region in regions:
        known = published.get(region.name)
        number = known.partition if known else next(free, None)
        if number is None:
            raise InputInvalid(
                f"found no partition of picks.by-region for region {region.name!r}: it has {partitions}, and "
                f"{len(taken)} regions are published; give it more with `kensoku topics apply --regions N`, or remove "
                "some"
            )
        placed.append(Region(name=region.name, polygon=region.polygon, reach_km=region.reach_km, partition=number))
    return placed


def _features(content: Any) -> Iterator[Any]:
    if isinstance(content, dict) and isinstance(content.get("features"), list):
        yield from content["features"]
    elif isinstance(content, dict) and content.get("type") == "Feature":
        yield content


def _region(feature: Any) -> Region:
    properties, geometry = feature.get("properties") or {}, feature["geometry"]
    name = properties.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"the name {name!r}")
    reach_km = float(properties.get("reach_km", REACH_KM))
    if not 0 <= reach_km <= MOST_KM:
        raise ValueError(f"reach_km {reach_km:g}")
    if geometry["type"] != "Polygon":
        raise ValueError(f"a {geometry['type']}")
    if len(geometry["coordinates"]) != 1:
        raise ValueError(f"{len(geometry['coordinates']) - 1} holes")
    return Region(name=name, polygon=_vertices(geometry["coordinates"][0]), reach_km=reach_km)


def _vertices(ring: Sequence[Sequence[float]]) -> list[Vertex]:
    """Counter-clockwise and not closed, as the contract has them."""
    points = [(float(longitude), float(latitude)) for longitude, latitude, *_ in ring]
    if len(points) > 1 and points[0] == points[-1]:
        points = points[:-1]
    if len(set(points)) < 3:
        raise ValueError(f"{len(set(points))} corners")
    for longitude, latitude in points:
        if not (abs(longitude) <= 360 and abs(latitude) <= 90):  # also where one is no number
            raise ValueError(f"a corner at {longitude:g} {latitude:g}")
    ring = unrolled(points)
    area = sum((a[0] * b[1] - b[0] * a[1]) for a, b in zip(ring, ring[1:], strict=False))
    if math.isclose(area, 0.0, abs_tol=1e-12):
        raise ValueError("corners on one line")
    ordered = points if area > 0 else points[::-1]
    return [Vertex(latitude_deg=latitude, longitude_deg=longitude) for longitude, latitude in ordered]


def _words(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)
