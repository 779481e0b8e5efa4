"""Stations on the topic `inventory`: what is there, and what a new state of them changes."""

import time
from collections.abc import Mapping

from kensoku.bus import Bus
from kensoku.inventory._changes import Change, changes
from kensoku.inventory._stations import published_stations
from kensoku.v1.inventory_pb2 import Station

TOPIC = "inventory"  # key: NET.STA


def published(bus: Bus) -> dict[str, Station]:
    with bus.table(TOPIC) as table:
        table.refresh()
        return published_stations(table)


def publish(bus: Bus, stations: Mapping[str, Station], prune: bool = False) -> list[Change]:
    """What was not published so before, and now is."""
    found = changes(published(bus), stations, prune)
    for change in found:
        bus.publish(TOPIC, change.key, _encode(change))
    bus.flush()
    return found


def _encode(change: Change) -> bytes | None:
    if change.after is None:
        return None
    station = Station(published_ns=time.time_ns())
    station.MergeFrom(change.after)
    return station.SerializeToString(deterministic=True)
