"""What publishing an inventory would change, field by field."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Contract

from kensoku.inventory._stations import Stations, channel_name, content_hash, span
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station

log = logging.getLogger("kensoku.inventory")

EpochKey = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """One station that would be published, or taken out."""

    key: str
    kind: Literal["add", "change", "remove"]
    station: Station | None  # None: take it out
    details: tuple[str, ...]


def decode_station(key: str, value: bytes) -> Station | None:
    """A published station, or None, with a warning, if it cannot be read."""
    try:
        station = Station.FromString(value)
    except DecodeError:
        station = Station()
    if f"{station.network}.{station.station}" == key:
        return station
    log.warning("left out %s: found %d bytes that are no such station; apply its inventory again", key, len(value))
    return None


def decode_stations(values: Mapping[str, bytes]) -> dict[str, Station]:
    """The published inventory."""
    found = {key: decode_station(key, values[key]) for key in sorted(values)}
    return {key: station for key, station in found.items() if station is not None}


def compare(published: Stations, wanted: Stations, *, prune: bool = False) -> list[Change]:
    """What must happen until the wanted stations are published; with `prune`, until no others are."""
    changes = []
    for key, station in sorted(wanted.items()):
        before = published.get(key)
        if before is None:
            changes.append(Change(key, "add", station, tuple(map(_describe, station.epochs))))
        elif content_hash(before) != station.hash:
            changes.append(Change(key, "change", station, tuple(_differences(before, station))))
    if prune:
        changes += [Change(key, "remove", None, ()) for key in sorted(published.keys() - wanted.keys())]
    return changes


def _describe(epoch: ChannelEpoch) -> str:
    return f"{channel_name(epoch)} {span(epoch)}"


def _differences(before: Station, after: Station) -> Iterator[str]:
    old, new = _by_start(before), _by_start(after)
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            yield f"without {_describe(old[key])}"
        elif key not in old:
            yield f"with {_describe(new[key])}"
        else:
            was, becomes = dict(_fields(old[key])), dict(_fields(new[key]))
            for name in sorted(was.keys() | becomes.keys()):
                if was.get(name) != becomes.get(name):
                    values = f"{was.get(name, 'nothing')} -> {becomes.get(name, 'nothing')}"
                    yield f"{channel_name(new[key])} {name}: {values}"


def _by_start(station: Station) -> dict[EpochKey, ChannelEpoch]:
    return {(epoch.location, epoch.code, epoch.start_ns): epoch for epoch in station.epochs}


def _fields(message: Contract, prefix: str = "") -> Iterator[tuple[str, str]]:
    """`response.sensitivity`, `299639000.0`; a list as one text."""
    for field, value in message.ListFields():
        name = prefix + field.name
        if field.is_repeated:
            yield name, "[" + ", ".join(_one_line(part) for part in value) + "]"
        elif field.message_type is not None:
            yield from _fields(value, f"{name}.")
        elif field.enum_type is not None:
            yield name, field.enum_type.values_by_number[value].name
        else:
            yield name, str(value)


def _one_line(part: object) -> str:
    return " ".join(str(part).split())
