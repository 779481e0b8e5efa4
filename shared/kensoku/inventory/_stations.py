"""Put channel epochs from any number of files together to stations, each with a hash of its content."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kensoku.errors import InputInvalid
from kensoku.packets import check_channel, check_station
from kensoku.times import iso_time
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station

Stations = Mapping[str, Station]  # by NET.STA

HIGHEST_M, DEEPEST_M = 9_000.0, -12_000.0


@dataclass(frozen=True, slots=True)
class ChannelPart:
    """One epoch of one channel, and where it was read."""

    network: str
    station: str
    epoch: ChannelEpoch
    source: str

    @property
    def key(self) -> str:
        return f"{self.network}.{self.station}"


@dataclass(frozen=True, slots=True)
class Uncalibrated:
    """A channel whose amplitudes stay in counts."""

    channel: str
    reason: str


def assemble(parts: Iterable[ChannelPart]) -> dict[str, Station]:
    """Stations by NET.STA, the same whatever the order of the parts; what two files say alike counts once."""
    by_station: defaultdict[str, list[ChannelPart]] = defaultdict(list)
    for part in parts:
        check_part(part)
        by_station[part.key].append(part)
    return {key: _assemble_station(by_station[key]) for key in sorted(by_station)}


def check_part(part: ChannelPart) -> None:
    """Whether an epoch can be true, whichever file says so."""
    epoch = part.epoch
    try:
        check_station(part.network, part.station)
        if epoch.code:
            check_channel(epoch.location, epoch.code)
    except InputInvalid as error:
        raise InputInvalid(f"{part.source}: {error}") from None
    for name, value, low, high in (
        ("latitude", epoch.latitude_deg, -90.0, 90.0),
        ("longitude", epoch.longitude_deg, -180.0, 180.0),
        ("elevation", epoch.elevation_m, DEEPEST_M, HIGHEST_M),
    ):
        if not low <= value <= high:
            unit = "m" if name == "elevation" else "degrees"
            raise InputInvalid(
                f"{part.source}: {part.key} {channel_name(epoch)}: found {name} {value:g}, expected {low:g} to "
                f"{high:g} {unit}; correct it"
            )
    if epoch.end_ns and epoch.end_ns <= epoch.start_ns:
        raise InputInvalid(
            f"{part.source}: {part.key} {channel_name(epoch)}: found an epoch {span(epoch)}, expected its end after "
            "its start; correct the dates"
        )


def _assemble_station(parts: Sequence[ChannelPart]) -> Station:
    unique = {part.epoch.SerializeToString(deterministic=True): part for part in parts}
    ordered = sorted(unique.values(), key=lambda part: _order(part.epoch))
    for earlier, later in pairwise(ordered):
        _check_apart(earlier, later)
    first = ordered[0]
    station = Station(network=first.network, station=first.station, epochs=[part.epoch for part in ordered])
    station.hash = content_hash(station)
    station.source = ", ".join(sorted({part.source for part in parts}))
    return station


def _order(epoch: ChannelEpoch) -> tuple[str, str, int]:
    return epoch.location, epoch.code, epoch.start_ns or -(2**63)  # 0: since ever


def _check_apart(earlier: ChannelPart, later: ChannelPart) -> None:
    first, second = earlier.epoch, later.epoch
    is_same_channel = (first.location, first.code) == (second.location, second.code)
    if is_same_channel and (not first.end_ns or not second.start_ns or second.start_ns < first.end_ns):
        raise InputInvalid(
            f"{earlier.key} {channel_name(first)}: found epochs {span(first)} ({earlier.source}) and {span(second)} "
            f"({later.source}), expected ones that do not overlap; correct their dates or leave one out"
        )


def content_hash(station: Station) -> str:
    """SHA-256 of what is known of a station, not of where and when it was read."""
    content = Station()
    content.CopyFrom(station)
    for name in ("hash", "source", "published_ns"):
        content.ClearField(name)  # type: ignore[arg-type]
    return hashlib.sha256(content.SerializeToString(deterministic=True)).hexdigest()


def channel_name(epoch: ChannelEpoch) -> str:
    """`10.HHZ`, `HHZ` where the location is empty, `all channels` where only the place is known."""
    if not epoch.code:
        return "all channels"
    return f"{epoch.location}.{epoch.code}" if epoch.location else epoch.code


def span(epoch: ChannelEpoch) -> str:
    """`from 2019-01-01T00:00:00.000Z to today`"""
    start = f"from {iso_time(epoch.start_ns)}" if epoch.start_ns else "from ever"
    return f"{start} to {iso_time(epoch.end_ns) if epoch.end_ns else 'today'}"
