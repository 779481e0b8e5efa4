"""Known quarries, from GeoJSON, and how far an epicentre is from them."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kensoku.errors import InputInvalid

KM_A_DEGREE = 111.195
POINT_KM = 1.0  # the radius of a quarry that is given as a point
EXPECTED = "expected GeoJSON: Point, Polygon and MultiPolygon, alone or in features"
MOST_TOLD = 20

Ring = tuple[tuple[float, float], ...]  # longitude and latitude, degrees


@dataclass(frozen=True, slots=True)
class Quarry:
    name: str
    rings: tuple[Ring, ...]  # outer ones and holes alike: what is in an odd number of them is inside
    around_km: float = 0.0  # of the rings that still belongs to it

    def distance_km(self, latitude_deg: float, longitude_deg: float) -> float:
        """0 inside."""
        rings = [_flatten(ring, latitude_deg, longitude_deg) for ring in self.rings]
        if sum(_surrounds(ring) for ring in rings) % 2:
            return 0.0
        return max(0.0, min(map(_beside_km, rings)) - self.around_km)


def load_quarries(path: str | Path) -> tuple[Quarry, ...]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(f"quarries {str(path)!r} cannot be read: found {error}; {EXPECTED}") from None
    return read_quarries(text, str(path))


def read_quarries(text: str, file: str) -> tuple[Quarry, ...]:
    """A feature's `name` is the quarry's; a point's `radius_km` its size."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputInvalid(f"{file}: found {error}; {EXPECTED}") from None
    quarries, mistakes = [], []
    for number, (geometry, properties) in enumerate(_features(content), 1):
        try:
            quarries.append(_quarry(geometry, properties, number))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            mistakes.append(f"{file}, feature {number}: found {_words(error)}; {EXPECTED}, [longitude, latitude]")
    if mistakes:
        raise InputInvalid("\n".join(mistakes[:MOST_TOLD]))
    return tuple(quarries)


def _features(content: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(content, dict) and isinstance(content.get("features"), list):
        for feature in content["features"]:
            yield from _features(feature)
    elif isinstance(content, dict) and content.get("type") == "Feature":
        yield content.get("geometry"), content.get("properties") or {}
    else:
        yield content, {}


def _quarry(geometry: Any, properties: Any, number: int) -> Quarry:
    kind, coordinates = geometry["type"], geometry["coordinates"]
    name = str(properties.get("name") or f"quarry {number}")
    if kind == "Point":
        return Quarry(name, ((_place(coordinates),),), float(properties.get("radius_km", POINT_KM)))
    if kind not in {"Polygon", "MultiPolygon"}:
        raise ValueError(f"a {kind}")
    polygons = coordinates if kind == "MultiPolygon" else [coordinates]
    rings = tuple(tuple(_place(vertex) for vertex in ring) for polygon in polygons for ring in polygon)
    if not rings or min(map(len, rings)) < 3:
        raise ValueError("a ring of fewer than three vertices")
    return Quarry(name, rings)


def _place(vertex: Sequence[float]) -> tuple[float, float]:
    longitude, latitude = float(vertex[0]), float(vertex[1])
    if not (-360 <= longitude <= 360 and -90 <= latitude <= 90):
        raise ValueError(f"{list(vertex)}, which is no place")
    return longitude, latitude


def _words(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)


# --- on the plane around an epicentre ---------------------------------------------------------------------------------


def _flatten(ring: Ring, latitude_deg: float, longitude_deg: float) -> list[tuple[float, float]]:
    """East and north in km."""
    east_km = KM_A_DEGREE * math.cos(math.radians(latitude_deg))
    return [(((x - longitude_deg + 180) % 360 - 180) * east_km, (y - latitude_deg) * KM_A_DEGREE) for x, y in ring]


def _sides(ring: Sequence[tuple[float, float]]) -> Iterable[tuple[tuple[float, float], tuple[float, float]]]:
    return zip(ring, [*ring[1:], ring[0]], strict=True)


def _surrounds(ring: Sequence[tuple[float, float]]) -> bool:
    """Whether the ring goes around the origin: a ray to the east crosses it an odd number of times."""
    crossings = 0
    for (x, y), (next_x, next_y) in _sides(ring):
        if (y > 0) != (next_y > 0):
            crossings += x - y * (next_x - x) / (next_y - y) > 0
    return crossings % 2 == 1


def _beside_km(ring: Sequence[tuple[float, float]]) -> float:
    return min(_to_side_km(first, second) for first, second in _sides(ring))


def _to_side_km(first: tuple[float, float], second: tuple[float, float]) -> float:
    (x, y), (dx, dy) = first, (second[0] - first[0], second[1] - first[1])
    squared = dx * dx + dy * dy
    along = min(1.0, max(0.0, -(x * dx + y * dy) / squared)) if squared else 0.0
    return math.hypot(x + along * dx, y + along * dy)
