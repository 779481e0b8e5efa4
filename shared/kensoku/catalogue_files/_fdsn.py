"""FDSN's event text: one line an event, cells between |."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO

from kensoku.catalogue_files._naming import Signature
from kensoku.catalogue_files._table import decimal, events_of_rows, maker
from kensoku.catalogue_files._words import region_name, time_text, type_word
from kensoku.errors import InputInvalid
from kensoku.events import has_depth, preferred_magnitude
from kensoku.v1.event_pb2 import Creation, Event, Magnitude

HEAD = (
    *("EventID", "Time", "Latitude", "Longitude", "Depth/km", "Author", "Catalog", "Contributor", "ContributorID"),
    *("MagType", "Magnitude", "MagAuthor", "EventLocationName", "EventType"),
)
OURS = {"depth/km": "depth_km", "eventid": "event_id", "magtype": "magnitude_type", "eventtype": "type"}


def write_fdsn(file: IO[str], events: Iterable[Event], signature: Signature) -> int:
    """How many have no origin and so no line."""
    file.write("#" + "|".join(HEAD) + "\n")
    left_out = 0
    for event in events:
        if event.HasField("origin"):
            file.write("|".join(_clean(cell) for cell in _cells(event, signature)) + "\n")
        else:
            left_out += 1
    return left_out


def _cells(event: Event, signature: Signature) -> list[str]:
    origin, magnitude = event.origin, preferred_magnitude(event)
    ours = Creation(agency=signature.agency, author=event.provenance.author or signature.author)
    made = event.creation if event.HasField("creation") else ours
    return [
        *(event.id, time_text(round(origin.time_ns, -3)).removesuffix("Z")),  # the standard's times have microseconds
        *(decimal(origin.latitude_deg, 5), decimal(origin.longitude_deg, 5)),
        decimal(origin.depth_km, 3) if has_depth(origin) else "",
        *(maker(made), made.agency, made.agency, event.id),
        *((magnitude.type, decimal(magnitude.value, 2), _maker(magnitude, made)) if magnitude else ("", "", "")),
        *(region_name(event)[0], type_word(event) or ""),
    ]


def _maker(magnitude: Magnitude, made: Creation) -> str:
    return maker(magnitude.creation) or maker(made)


def _clean(cell: str) -> str:
    return " ".join(cell.replace("|", "/").split())


def read_fdsn(path: Path) -> list[Event]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputInvalid(f"{path}: cannot be read as FDSN event text ({error}); expected UTF-8") from None
    head = next((line for line in lines if line.strip()), "")
    if not head.startswith("#") or "|" not in head:
        raise InputInvalid(f"{path}: found {head[:60]!r}, expected FDSN's line of names: #{'|'.join(HEAD[:4])}|...")
    said = [name.strip().lower() for name in head.lstrip("#").split("|")]
    names = [OURS.get(name, name) for name in said]
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            rows.append((number, line.split("|")))
    return events_of_rows(path, names, rows)
