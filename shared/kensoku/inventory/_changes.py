"""What publishing an inventory would change, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from google.protobuf import text_format
from google.protobuf.message import Message

from kensoku.inventory._stations import describe_span, epoch_name
from kensoku.times import iso_time
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station


@dataclass(frozen=True, slots=True)
class Change:
    """One station that is new, different, or gone."""

    key: str
    before: Station | None
    after: Station | None  # None: a tombstone

    def __str__(self) -> str:
        if self.after is None:
            return f"- {self.key}"
        if self.before is None:
            return "\n".join([f"+ {self.key}", *(f"    + {describe_epoch(epoch)}" for epoch in self.after.epochs)])
        return "\n".join([f"~ {self.key}", *(f"    {line}" for line in _epoch_lines(self.before, self.after))])


def changes(published: Mapping[str, Station], wanted: Mapping[str, Station], prune: bool = False) -> list[Change]:
    """Stations that are published and not wanted stay, unless `prune`."""
    differing = [
        Change(key, published.get(key), station)
        for key, station in wanted.items()
        if key not in published or published[key].hash != station.hash
    ]
    gone = [Change(key, station, None) for key, station in published.items() if prune and key not in wanted]
    return sorted(differing + gone, key=lambda change: change.key)


def describe_epoch(epoch: ChannelEpoch) -> str:
    response = "with response" if epoch.HasField("response") else "without response"
    place = f"{epoch.latitude_deg:.5f} {epoch.longitude_deg:.5f} {epoch.elevation_m:g} m"
    return f"{epoch_name(epoch)} {describe_span(epoch)}: {place}, {response}"


def _epoch_lines(before: Station, after: Station) -> Iterator[str]:
    old, new = ({(e.location, e.code, e.start_ns): e for e in station.epochs} for station in (before, after))
    for place in sorted(old.keys() | new.keys()):
        if place not in new:
            yield f"- {describe_epoch(old[place])}"
        elif place not in old:
            yield f"+ {describe_epoch(new[place])}"
        else:
            for line in _field_lines(old[place], new[place]):
                yield f"~ {epoch_name(new[place])} {describe_span(new[place])}: {line}"


def _field_lines(before: Message, after: Message, prefix: str = "") -> Iterator[str]:
    """`response.sensitivity 629145000 -> 629146000` for every field that differs."""
    for field in after.DESCRIPTOR.fields:
        old, new = getattr(before, field.name), getattr(after, field.name)
        was_there, is_there = (not field.has_presence or m.HasField(field.name) for m in (before, after))
        if was_there != is_there:
            words = [
                _show(field.name, value) if there else "absent" for value, there in ((old, was_there), (new, is_there))
            ]
            yield f"{prefix}{field.name} {words[0]} -> {words[1]}"
        elif isinstance(new, Message):
            yield from _field_lines(old, new, f"{prefix}{field.name}.")
        elif old != new:
            yield f"{prefix}{field.name} {_show(field.name, old)} -> {_show(field.name, new)}"


def _show(name: str, value: object) -> str:
    if name in ("start_ns", "end_ns") and isinstance(value, int):
        return iso_time(value) if value else "open"
    if isinstance(value, Message):
        return "{" + text_format.MessageToString(value, as_one_line=True) + "}"
    if isinstance(value, str | float | int):
        return repr(value)
    return str(value)
