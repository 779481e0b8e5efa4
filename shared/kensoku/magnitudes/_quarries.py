"""Known quarries, from GeoJSON, and how far an epicentre is from them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kensoku.errors import InputInvalid
from kensoku.polygons import Place, Polygon, polygon

POINT_KM = 1.0  # the radius of a quarry that is given as a point
EXPECTED = "expected GeoJSON: Point, Polygon and MultiPolygon, alone or in features"
MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Quarry:
    name: str
    rings: tuple[Polygon, ...]  # outer ones and holes alike: what is in an odd number of them is inside
    around_km: float = 0.0  # of the rings that still belongs to it

    def distance_km(self, latitude_deg: float, longitude_deg: float) -> float:
        """0 inside."""
        if sum(ring.holds(latitude_deg, longitude_deg) for ring in self.rings) % 2:
            return 0.0
        return max(0.0, min(ring.edge_km(latitude_deg, longitude_deg) for ring in self.rings) - self.around_km)


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
        return Quarry(name, (polygon((_place(coordinates),)),), float(properties.get("radius_km", POINT_KM)))
    if kind not in {"Polygon", "MultiPolygon"}:
        raise ValueError(f"a {kind}")
    polygons = coordinates if kind == "MultiPolygon" else [coordinates]
    rings = [tuple(map(_place, ring)) for rings in polygons for ring in rings]
    if not rings or min(map(len, rings)) < 3:
        raise ValueError("a ring of fewer than three vertices")
    return Quarry(name, tuple(map(polygon, rings)))


def _place(vertex: Sequence[float]) -> Place:
    longitude, latitude = float(vertex[0]), float(vertex[1])
    if not (-360 <= longitude <= 360 and -90 <= latitude <= 90):
        raise ValueError(f"{list(vertex)}, which is no place")
    return longitude, latitude


def _words(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)
