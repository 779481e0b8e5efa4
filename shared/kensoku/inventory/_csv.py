"""Read station epochs from csv: a line a place (id,lat,lon,elev_m), or a channel (then channel,gain,unit as well)."""

import csv
import math
from collections.abc import Mapping

from kensoku.errors import InputInvalid
from kensoku.inventory._stations import ChannelPart, Uncalibrated, channel_name, check_part
from kensoku.v1.inventory_pb2 import (
    GROUND_MOTION_ACCELERATION,
    GROUND_MOTION_DISPLACEMENT,
    GROUND_MOTION_VELOCITY,
    ChannelEpoch,
    Response,
)

REQUIRED = ("id", "lat", "lon", "elev_m")
OPTIONAL = ("channel", "gain", "unit")
UNITS = {"m": GROUND_MOTION_DISPLACEMENT, "m/s": GROUND_MOTION_VELOCITY, "m/s**2": GROUND_MOTION_ACCELERATION}
SHOWN_MISTAKES = 10


def read_csv(content: bytes, source: str) -> tuple[list[ChannelPart], list[Uncalibrated]]:
    """Every wrong line is named, with what was found and expected."""
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputInvalid(
            f"{source}: found a byte at {error.start} that is no UTF-8, expected StationXML or csv; save it as UTF-8"
        ) from None
    rows = csv.DictReader(lines, skipinitialspace=True)
    _check_header(rows.fieldnames or (), source)
    parts: list[ChannelPart] = []
    mistakes: list[str] = []
    for row in rows:
        if not any(row.values()):
            continue
        try:
            part = _read_row(row, f"{source}:{rows.line_num}")
            check_part(part)
        except InputInvalid as error:
            mistakes.append(str(error))
        else:
            parts.append(ChannelPart(part.network, part.station, part.epoch, source))
    if mistakes:
        more = [f"and {len(mistakes) - SHOWN_MISTAKES} more"] if len(mistakes) > SHOWN_MISTAKES else []
        raise InputInvalid("\n  ".join([f"{len(mistakes)} wrong lines:", *mistakes[:SHOWN_MISTAKES], *more]))
    if not parts:
        raise InputInvalid(f"{source}: found a header and no station, expected a line a station or channel")
    return parts, [
        Uncalibrated(f"{part.key} {channel_name(part.epoch)}", "no gain")
        for part in parts
        if not part.epoch.HasField("response")
    ]


def _check_header(found: object, source: str) -> None:
    names = [str(name).strip() for name in found] if isinstance(found, list | tuple) else []
    missing = [name for name in REQUIRED if name not in names]
    unknown = [name for name in names if name not in (*REQUIRED, *OPTIONAL)]
    if missing or unknown or len(set(names)) < len(names):
        raise InputInvalid(
            f"{source}:1: found the columns {','.join(names)!r}, expected {','.join(REQUIRED)!r} and, where known, "
            f"{','.join(OPTIONAL)!r}; correct the first line"
        )


def _read_row(row: Mapping[str | None, str | list[str] | None], source: str) -> ChannelPart:
    cells = {name: (value or "").strip() for name, value in row.items() if not isinstance(value, list)}
    if None in row:
        raise InputInvalid(f"{source}: found more cells than columns, expected {len(row) - 1}; correct the line")
    network, dot, station = cells["id"].partition(".")
    if not dot:
        raise InputInvalid(f"{source}: found id {cells['id']!r}, expected network and station such as NZ.WEL")
    location, _, code = cells.get("channel", "").rpartition(".")
    epoch = ChannelEpoch(
        location=location,
        code=code,
        latitude_deg=_number(cells["lat"], "lat", source),
        longitude_deg=_number(cells["lon"], "lon", source),
        elevation_m=_number(cells["elev_m"], "elev_m", source),
        response=_response(cells.get("gain", ""), cells.get("unit", ""), source),
    )
    return ChannelPart(network, station, epoch, source)


def _response(gain: str, unit: str, source: str) -> Response | None:
    """Flat, as csv knows no poles."""
    if not gain and not unit:
        return None
    if (motion := UNITS.get(unit)) is None:
        raise InputInvalid(f"{source}: found unit {unit!r}, expected one of {', '.join(UNITS)} for the gain {gain!r}")
    sensitivity = _number(gain, "gain", source)
    if sensitivity <= 0:
        raise InputInvalid(f"{source}: found gain {gain}, expected counts per {unit} above 0")
    return Response(input=motion, sensitivity=sensitivity, normalisation=1.0)


def _number(text: str, name: str, source: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputInvalid(f"{source}: found {name} {text!r}, expected a number; correct the line")
    return value + 0.0  # no -0.0, which would be another content
