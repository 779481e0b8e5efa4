"""Put the epochs of channels together to stations that make sense, each with a hash of what is known."""

import hashlib
import logging
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from pathlib import PurePath

from google.protobuf.message import DecodeError

from kensoku.errors import InputInvalid
from kensoku.names import text_of
from kensoku.packets import check_station
from kensoku.times import iso_time
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station

log = logging.getLogger("kensoku.inventory")

LOWEST_M, HIGHEST_M = -12_000.0, 9_000.0  # the deepest trench and the highest mountain, with some room
CODES = re.compile(r"([A-Z0-9-]{1,8}\.)?([A-Z0-9_]{1,8}|\*)")  # FDSN source identifiers, 2.0


def location_of(code: str) -> str:
    """Without blanks; `--` is how FDSN web services write a location without a code."""
    return "" if code.strip() == "--" else code.strip()


@dataclass(frozen=True, slots=True)
class Entry:
    """An epoch as a file has it, and where in it: "line 3"."""

    network: str
    station: str
    epoch: ChannelEpoch
    file: str
    place: str

    @property
    def where(self) -> str:
        return f"{self.file} {self.place}"


def assemble(entries: Iterable[Entry]) -> tuple[dict[str, Station], list[str]]:
    """The stations by NET.STA, and every mistake."""
    stations: dict[str, Station] = {}
    mistakes: list[str] = []
    by_code = sorted(entries, key=_codes)
    for (network, station), group in groupby(by_code, key=_codes):
        mine = sorted(group, key=lambda entry: _order(entry.epoch))
        mistakes += [f"{entry.where}: {mistake}" for entry in mine for mistake in _mistakes(entry)]
        mistakes += _overlaps(mine)
        epochs, files = [entry.epoch for entry in mine], sorted({text_of(PurePath(entry.file).name) for entry in mine})
        stations[f"{network}.{station}"] = _with_hash(
            Station(network=network, station=station, epochs=epochs, source=", ".join(files))
        )
    return stations, mistakes


def _codes(entry: Entry) -> tuple[str, str]:
    return entry.network, entry.station


def _order(epoch: ChannelEpoch) -> tuple[str, str, int, bytes]:
    return epoch.location, epoch.code, epoch.start_ns, epoch.SerializeToString(deterministic=True)


def _with_hash(station: Station) -> Station:
    content = Station(network=station.network, station=station.station, epochs=station.epochs)
    station.hash = hashlib.sha256(content.SerializeToString(deterministic=True)).hexdigest()
    return station


def published_stations(values: Mapping[str, bytes]) -> dict[str, Station]:
    """What the compacted topic holds; what cannot be read, or cannot be, counts as absent, so that applying mends it:
    one place that is nowhere would end who works out a network."""
    stations = {}
    for key, value in values.items():
        try:
            station = Station.FromString(value)
            mistakes = [mistake for epoch in station.epochs for mistake in _impossible(epoch)]
        except DecodeError:
            mistakes = [f"found {len(value)} bytes, expected a Station of protos/kensoku/v1/inventory.proto"]
        if mistakes:
            log.warning("left out %s of the inventory: %s; apply its inventory again", key, mistakes[0])
        else:
            stations[key] = station
    return stations


def has_epoch(station: Station, location: str, code: str, start_ns: int, end_ns: int) -> bool:
    """Whether that time has anything of a channel; without any response, of the station."""
    own: Iterable[ChannelEpoch] = station.epochs
    if any(epoch.HasField("response") for epoch in station.epochs):
        own = (epoch for epoch in station.epochs if epoch.location == location and epoch.code in ("", code))
    return any(epoch.start_ns < end_ns and (not epoch.end_ns or start_ns < epoch.end_ns) for epoch in own)


# --- for people -------------------------------------------------------------------------------------------------------


def epoch_name(epoch: ChannelEpoch) -> str:
    """`10.HHZ`, `HHZ` without a location, `*` for every channel."""
    code = epoch.code or "*"
    return f"{epoch.location}.{code}" if epoch.location else code


def describe_span(epoch: ChannelEpoch) -> str:
    start = f"from {iso_time(epoch.start_ns)}" if epoch.start_ns else "from ever"
    return f"{start} to {iso_time(epoch.end_ns)}" if epoch.end_ns else f"{start} on"


# --- what cannot be ---------------------------------------------------------------------------------------------------


def _mistakes(entry: Entry) -> Iterator[str]:
    epoch = entry.epoch
    try:
        check_station(entry.network, entry.station)
    except InputInvalid as error:
        yield str(error)
    if not CODES.fullmatch(epoch_name(epoch)):
        yield f"found channel {epoch_name(epoch)!r}, expected codes of A-Z and 0-9 such as HHZ or 10.HHZ"
    yield from _impossible(epoch)
    if epoch.end_ns and epoch.end_ns <= epoch.start_ns:
        yield f"found an end at {iso_time(epoch.end_ns)}, expected one after the start at {iso_time(epoch.start_ns)}"


def _impossible(epoch: ChannelEpoch) -> Iterator[str]:
    limits = (
        ("latitude", epoch.latitude_deg, -90.0, 90.0, "degrees"),
        ("longitude", epoch.longitude_deg, -180.0, 180.0, "degrees"),
        ("elevation", epoch.elevation_m, LOWEST_M, HIGHEST_M, "m"),
        ("azimuth", epoch.azimuth_deg, 0.0, 360.0, "degrees"),
        ("dip", epoch.dip_deg, -90.0, 90.0, "degrees"),
        ("rate", epoch.rate_hz, 0.0, 100_000.0, "Hz"),
    )
    for name, value, low, high, unit in limits:
        if not low <= value <= high:  # so that NaN fails too
            yield f"found {name} {value:g}, expected {low:g} to {high:g} {unit}"
    sensitivity = epoch.response.sensitivity
    if epoch.HasField("response") and not (sensitivity > 0 and math.isfinite(sensitivity)):
        yield f"found sensitivity {sensitivity:g}, expected counts per unit of ground motion, above 0"


def _overlaps(entries: Sequence[Entry]) -> Iterator[str]:
    for earlier, later in combinations(entries, 2):
        if not (_is_same_channel(earlier.epoch, later.epoch) and _do_touch(earlier.epoch, later.epoch)):
            continue
        name = f"{later.network}.{later.station} {epoch_name(later.epoch)}"
        if earlier.epoch == later.epoch:
            yield f"{later.where}: found {name} a second time, expected it once; {earlier.where} says the same"
        else:
            yield (
                f"{later.where}: found {name} {describe_span(later.epoch)}, expected no overlap with "
                f"{epoch_name(earlier.epoch)} {describe_span(earlier.epoch)} of {earlier.where}"
            )


def _is_same_channel(one: ChannelEpoch, other: ChannelEpoch) -> bool:
    """A channel without a code stands for every one at its location."""
    return one.location == other.location and (one.code == other.code or not one.code or not other.code)


def _do_touch(one: ChannelEpoch, other: ChannelEpoch) -> bool:
    return (not one.end_ns or other.start_ns < one.end_ns) and (not other.end_ns or one.start_ns < other.end_ns)
