"""Events, and their arrivals, as tables for spreadsheets and scripts; and tables of events as events."""

import csv
import math
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from kensoku.catalogue_files._words import NOT_EXISTING, time_text
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.events import (
    PHASES,
    has_depth,
    has_depth_interval,
    is_known,
    preferred_magnitude,
    quality_name,
    status_name,
    type_name,
)
from kensoku.times import parse_time_ns
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_TYPE_EARTHQUAKE,
    EVENT_TYPE_UNKNOWN,
    Creation,
    Event,
    EventStatus,
    EventType,
    Origin,
    Quality,
)
from kensoku.v1.pick_pb2 import POLARITY_DOWN, POLARITY_UP

COLUMNS = (
    *("event_id", "time", "latitude", "longitude", "depth_km", "magnitude", "magnitude_type", "magnitude_uncertainty"),
    *("type", "status", "quality", "time_uncertainty_s", "horizontal_uncertainty_km", "depth_lower_km"),
    *("depth_upper_km", "depth_is_fixed", "azimuthal_gap_deg", "nearest_station_km", "rms_s", "phases", "stations"),
    *("earthquake_probability", "blast_probability", "region", "revision", "merged_into", "reason"),
    *("velocity_model", "magnitude_reason", "agency", "author", "magnitude_author", "magnitude_stations"),
    "split_from",
)
ARRIVAL_COLUMNS = (
    *("event_id", "pick_id", "network", "station", "location", "channel", "phase", "time", "uncertainty_s"),
    *("residual_s", "weight", "is_outlier", "distance_km", "azimuth_deg", "takeoff_deg", "polarity"),
)
ALIASES = {  # as other catalogues call them
    "event_id": ("id", "eventid", "publicid"),
    "time": ("origin_time", "datetime"),
    "latitude": ("lat",),
    "longitude": ("lon",),
    "depth_km": ("depth",),
    "magnitude": ("mag",),
    "magnitude_type": ("magtype",),
    "magnitude_uncertainty": ("magerror",),
    "magnitude_stations": ("magnst",),
    "type": ("event_type", "eventtype"),
    "rms_s": ("rms",),
    "azimuthal_gap_deg": ("gap",),
    "region": ("eventlocationname", "place"),
    "agency": ("contributor", "net"),
    "magnitude_author": ("magauthor", "magsource"),
}
TYPE_WORDS = {"quarry blast": "BLAST", "explosion": "BLAST", "mining explosion": "BLAST", "": "EARTHQUAKE"}
SIZES = ("time_uncertainty_s", "horizontal_uncertainty_km", "azimuthal_gap_deg", "nearest_station_km", "rms_s")
MOST = 2**32 - 1  # of what is counted
MOST_MISTAKES = 20
POLARITIES = {POLARITY_UP: "up", POLARITY_DOWN: "down"}
Row = Mapping[str, str]


# --- writing ----------------------------------------------------------------------------------------------------------


def write_events(file: IO[str], events: Iterable[Event]) -> None:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for event in events:
        table.writerow(event_cells(event))


def event_cells(event: Event) -> Sequence[str]:
    origin, magnitude, kinds = event.origin, preferred_magnitude(event), event.type_probabilities
    has_origin, has_kinds = event.HasField("origin"), event.HasField("type_probabilities")
    cells = {
        "event_id": event.id,
        "type": type_name(event),
        "status": status_name(event),
        "region": event.region,
        "revision": str(event.revision),
        "merged_into": event.merged_into,
        "split_from": event.split_from,
        "reason": event.reason,
        "velocity_model": event.provenance.velocity_model,
        "magnitude_reason": "" if magnitude else absent_reason(event),
        "agency": event.creation.agency,
        "author": event.creation.author or event.provenance.author,
    }
    if magnitude:
        cells["magnitude_author"] = maker(magnitude.creation)
        cells["magnitude"] = decimal(magnitude.value, 2)
        cells["magnitude_type"] = magnitude.type
        cells["magnitude_stations"] = str(magnitude.stations) if magnitude.stations else ""
        cells["magnitude_uncertainty"] = decimal(magnitude.uncertainty, 2) if magnitude.uncertainty else ""
    if has_origin:
        cells |= {"time": time_text(origin.time_ns), "depth_is_fixed": str(origin.depth_is_fixed).lower()}
        cells |= {"latitude": decimal(origin.latitude_deg, 5), "longitude": decimal(origin.longitude_deg, 5)}
        for name, digits in (("azimuthal_gap_deg", 1), ("nearest_station_km", 2), ("rms_s", 3)):
            cells[name] = decimal(getattr(origin, name), digits) if is_known(origin, name) else ""
        for name, count in (("phases", origin.phases_used), ("stations", origin.stations_used)):
            cells[name] = str(count) if count or origin.phases_used else ""
        for name in ("time_uncertainty_s", "horizontal_uncertainty_km"):
            cells[name] = decimal(getattr(origin, name), 3) if getattr(origin, name) else ""
        if has_depth(origin):
            cells["depth_km"] = decimal(origin.depth_km, 3)
        if has_depth_interval(origin):
            cells["depth_lower_km"] = decimal(origin.depth_lower_km, 3)
            cells["depth_upper_km"] = decimal(origin.depth_upper_km, 3)
        cells["quality"] = quality_name(event)
    if has_kinds:
        cells["earthquake_probability"] = decimal(kinds.earthquake, 4)
        cells["blast_probability"] = decimal(kinds.blast, 4)
    return [cells.get(name, "") for name in COLUMNS]


def maker(creation: Creation) -> str:
    return creation.author or creation.agency


def absent_reason(event: Event) -> str:
    """Why it has no magnitude, one word of each kind that was tried."""
    return "; ".join(dict.fromkeys(each.absent_reason for each in event.magnitudes if each.absent_reason))


def write_arrivals(file: IO[str], events: Iterable[Event]) -> None:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(ARRIVAL_COLUMNS)
    for event in events:
        for arrival in event.arrivals:
            sensor = arrival.instrument
            table.writerow(
                (
                    *(event.id, arrival.pick_id, sensor.network, sensor.station, sensor.location),
                    *(sensor.band_instrument, PHASES.get(arrival.phase, ""), time_text(arrival.onset_ns)),
                    *(_error_cell(arrival.onset_uncertainty_s), decimal(arrival.residual_s, 3)),
                    *(decimal(arrival.weight, 3), str(arrival.is_outlier).lower(), decimal(arrival.distance_km, 2)),
                    *(decimal(arrival.azimuth_deg, 1), decimal(arrival.takeoff_deg, 1)),
                    POLARITIES.get(arrival.polarity, ""),
                )
            )


def _error_cell(error_s: float) -> str:
    """Empty where none is known; `kensoku locate` reads it again, and takes none of 0."""
    return decimal(max(error_s, 0.001), 3) if error_s > 0 else ""


def decimal(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else ""


# --- reading ----------------------------------------------------------------------------------------------------------


def read_table(path: Path) -> list[Event]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        try:
            names = [name.strip().lower() for name in next(reader, [])]
            rows = [(reader.line_num, cells) for cells in reader if cells]
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputInvalid(f"{path}: cannot be read as a table ({error}); expected csv in UTF-8") from None
    return events_of_rows(path, names, rows)


def events_of_rows(path: Path, names: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]]) -> list[Event]:
    """All of them, or all that is wrong with them."""
    columns = _columns(path, names)
    events, mistakes = [], list[str]()
    for line, cells in rows:
        if len(cells) != len(names):
            mistakes.append(f"line {line}: found {len(cells)} cells, expected {len(names)}")
            continue
        try:
            events.append(_event({name: cells[index].strip() for name, index in columns.items()}))
        except (InputInvalid, SettingInvalid) as error:
            mistakes.append(f"line {line}: {error}")
    repeated = [name for name, count in Counter(event.id for event in events).items() if count > 1]
    mistakes += [f"found the id {name!r} more than once, expected one line an event" for name in repeated]
    if mistakes:
        more = [f"and {len(mistakes) - MOST_MISTAKES} more"] if len(mistakes) > MOST_MISTAKES else []
        raise InputInvalid("\n  ".join([f"{path}: {len(mistakes)} mistakes:", *mistakes[:MOST_MISTAKES], *more]))
    return events


def _columns(path: Path, names: Sequence[str]) -> dict[str, int]:
    found = {}
    for name in COLUMNS:
        for said in (name, *ALIASES.get(name, ())):
            if said in names:
                found[name] = names.index(said)
                break
    if missing := [name for name in ("time", "latitude", "longitude") if name not in found]:
        raise InputInvalid(
            f"{path}: found the columns {', '.join(names)[:200] or 'none'}, expected also {', '.join(missing)}"
        )
    return found


def _event(row: Row) -> Event:
    event = Event(revision=1, status=EVENT_STATUS_FINAL, type=EVENT_TYPE_EARTHQUAKE)
    if any(row.get(name) for name in ("time", "latitude", "longitude")) or not row.get("event_id"):
        _set_origin(event.origin, row)  # of an event that nobody has located there is but a name
    if row.get("magnitude"):
        kind = row.get("magnitude_type") or "M"
        value = _number(row, "magnitude", 12)
        magnitude = event.magnitudes.add(type=kind, value=value, uncertainty=_size(row, "magnitude_uncertainty"))
        magnitude.stations = int(_size(row, "magnitude_stations", MOST))
        event.preferred_magnitude = kind
    elif row.get("magnitude_reason"):
        event.magnitudes.add(absent_reason=row["magnitude_reason"])
    if row.get("earthquake_probability"):
        event.type_probabilities.earthquake = _number(row, "earthquake_probability", 1)
        event.type_probabilities.blast = _number(row, "blast_probability", 1)
    _set_words(event, row)
    event.id = row.get("event_id") or content_id(event)
    _set_makers(event, row)
    return event


def _set_origin(origin: Origin, row: Row) -> None:
    origin.time_ns = parse_time_ns(row["time"])
    origin.latitude_deg, origin.longitude_deg = _number(row, "latitude", 90), _number(row, "longitude", 360)
    if row.get("depth_km"):
        origin.depth_km = _number(row, "depth_km", 1000)
    origin.depth_is_fixed = not row.get("depth_km") or row.get("depth_is_fixed") == "true"
    origin.depth_lower_km, origin.depth_upper_km = _number(row, "depth_lower_km"), _number(row, "depth_upper_km")
    for name in SIZES:
        setattr(origin, name, _size(row, name))
    origin.phases_used, origin.stations_used = int(_size(row, "phases", MOST)), int(_size(row, "stations", MOST))
    origin.quality = _value(Quality, f"QUALITY_{row.get('quality', '')}", origin.quality)


def _set_words(event: Event, row: Row) -> None:
    said = row.get("type", "")
    word = TYPE_WORDS.get(said.lower(), said.upper())
    event.type = _value(EventType, f"EVENT_TYPE_{word}", EVENT_TYPE_UNKNOWN)
    status = row.get("status", "").upper()
    if said.lower() == NOT_EXISTING or status == "DELETED":  # as the USGS says it
        status = "RETRACTED"
    event.status = _value(EventStatus, f"EVENT_STATUS_{status}", event.status)
    for name in ("region", "merged_into", "split_from", "reason"):
        setattr(event, name, row.get(name, ""))
    event.provenance.velocity_model = row.get("velocity_model", "")
    if row.get("revision"):
        event.revision = int(_size(row, "revision", 2**31)) or 1


def _set_makers(event: Event, row: Row) -> None:
    agency, author, magnitude_author = (row.get(name, "") for name in ("agency", "author", "magnitude_author"))
    if agency or author:
        event.creation.agency, event.creation.author = agency, author
    if row.get("magnitude") and magnitude_author not in ("", author):
        event.magnitudes[0].creation.author = magnitude_author


def _value(enum: Any, name: str, otherwise: Any) -> Any:
    found = enum.DESCRIPTOR.values_by_name.get(name)
    return otherwise if found is None else found.number


def _number(row: Row, name: str, most: float = math.inf) -> float:
    """Zero where the table says nothing."""
    text = row.get(name, "")
    if not text:
        if name in ("latitude", "longitude"):
            raise InputInvalid(f"found no {name}, expected degrees")
        return 0.0
    try:
        value = float(text)
    except ValueError:
        raise InputInvalid(f"{name}: found {text!r}, expected a number") from None
    if not (math.isfinite(value) and abs(value) <= most):
        raise InputInvalid(f"{name}: found {text}, expected a number within {most:g}")
    return value


def _size(row: Row, name: str, most: float = math.inf) -> float:
    """Nothing where somebody wrote -1 for it."""
    return max(_number(row, name, most), 0.0)


def content_id(event: Event) -> str:
    """Of an event that nobody has named: the same content is the same event."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, event.SerializeToString(deterministic=True).hex()))
