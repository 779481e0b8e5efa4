"""Stations from a table: `id,lat,lon,elev_m` and, where they are known, `channel,gain,unit,start,end`."""

import csv
import io
import math
import re
from collections.abc import Mapping

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.inventory._response import flat_response, ground_motion
from kensoku.inventory._stations import Entry, location_of
from kensoku.times import parse_time_ns
from kensoku.v1.inventory_pb2 import ChannelEpoch, Response

REQUIRED = ("id", "lat", "lon", "elev_m")
EVERY = "*"  # how we name a channel without a code, which stands for every one at its location
OPTIONAL = ("channel", "gain", "unit", "start", "end")
FOREVER = re.compile(r"(2[3-9]|[3-9]\d)\d\d-\d\d-\d\d")


def read_csv(name: str, content: bytes) -> tuple[list[Entry], list[str]]:
    """The rows as epochs, and every mistake with its line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return [], [f"{name} line {line}: found bytes that are no UTF-8, expected text; save the table as UTF-8"]
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    entries: list[Entry] = []
    mistakes: list[str] = []
    header: list[str] = []
    try:
        for cells in reader:
            if not any(cells) or cells[0].startswith("#"):
                continue
            try:
                if header:
                    network, station, epoch = _row(header, cells)
                    entries.append(Entry(network, station, epoch, name, f"line {reader.line_num}"))
                else:
                    header = _header(cells)
            except InputInvalid as error:
                mistakes.append(f"{name} line {reader.line_num}: {error}")
            if not header:
                break
    except csv.Error as error:
        mistakes.append(f"{name} line {reader.line_num}: found {error}, expected cells separated by commas")
    if not entries and not mistakes:
        mistakes.append(f"{name}: found no station, expected a line {','.join(REQUIRED)} and one a station below it")
    return entries, mistakes


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if set(REQUIRED) <= set(names) <= {*REQUIRED, *OPTIONAL} and len(set(names)) == len(names):
        return names
    raise InputInvalid(
        f"found the columns {','.join(names)[:200]!r}, expected {','.join(REQUIRED)} and, as they are known, "
        f"{','.join(OPTIONAL)}, each once"
    )


def _row(header: list[str], cells: list[str]) -> tuple[str, str, ChannelEpoch]:
    if len(cells) != len(header):
        raise InputInvalid(f"found {len(cells)} cells, expected {len(header)}")
    row = dict(zip(header, map(str.strip, cells), strict=True))
    codes = row["id"].split(".")
    if len(codes) not in (2, 3):
        raise InputInvalid(f"found id {row['id']!r}, expected a network and station such as NZ.WEL, or NZ.WEL.10")
    epoch = ChannelEpoch(
        location=location_of(codes[2]) if len(codes) == 3 else "",
        code="" if (channel := row.get("channel", "")) == EVERY else channel,
        start_ns=_time(row, "start"),
        end_ns=_time(row, "end"),
        latitude_deg=_number(row, "lat"),
        longitude_deg=_number(row, "lon"),
        elevation_m=_number(row, "elev_m"),
        response=_response(row),
    )
    return codes[0], codes[1], epoch


def _number(row: Mapping[str, str], column: str) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputInvalid(f"found {column} {row[column]!r}, expected a number")
    return number + 0.0  # no negative zero, which would be other bytes for the same place


def _time(row: Mapping[str, str], column: str) -> int:
    """0 where it is open; as in StationXML years that nanoseconds do not reach, such as 2599, stand for open too."""
    if not row.get(column) or (column == "end" and FOREVER.match(row[column])):
        return 0
    try:
        return parse_time_ns(row[column])
    except SettingInvalid as error:
        raise InputInvalid(f"{column}: {error}") from None


def _response(row: Mapping[str, str]) -> Response | None:
    gain, unit = row.get("gain", ""), row.get("unit", "")
    if not gain and not unit:
        return None
    if not gain or not unit:
        raise InputInvalid(f"found gain {gain!r} and unit {unit!r}, expected both or neither")
    found = ground_motion(unit)
    if found is None:
        raise InputInvalid(f"found unit {unit!r}, expected that of the ground motion: m, m/s, m/s**2 or gal")
    motion, per_si_unit = found
    return flat_response(motion, _number(row, "gain") * per_si_unit)
