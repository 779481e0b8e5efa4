"""`kensoku regions`: part the map, so that several consumers associate its picks side by side."""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from kensoku.bus import Bus
from kensoku.cli._bus import add_bus_flags, login_name, open_running_bus
from kensoku.cli._regions_file import read_regions_file, with_partitions
from kensoku.control import TOPIC
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.inventory import published_stations
from kensoku.regions import PREFIX, destinations, read_regions
from kensoku.times import iso_time
from kensoku.v1.control_pb2 import Control, Region

SHOWN = 10


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the regions that are published")
    listing.set_defaults(execute=show)
    add_bus_flags(listing)
    applying = actions.add_parser("apply", help="publish the regions of a GeoJSON file")
    applying.add_argument("file", type=Path, metavar="FILE", help="features: polygons with name and reach_km")
    applying.add_argument("--prune", action="store_true", help="also remove regions that the file does not have")
    applying.set_defaults(execute=apply)
    removing = actions.add_parser("remove", help="take regions back; without any, one region is the whole Earth")
    removing.add_argument("names", nargs="+", metavar="NAME")
    removing.set_defaults(execute=remove)
    for action in (applying, removing):
        action.add_argument("--reason", default="", help="for the log and the next shift")
        action.add_argument("--by", default=login_name(), metavar="NAME", help="who decides (default: %(default)s)")
        add_bus_flags(action)


def apply(options: argparse.Namespace) -> int:
    try:
        text = options.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(f"cannot read {options.file}: {error}; expected a GeoJSON file, check the path") from None
    regions = read_regions_file(text, str(options.file))
    with open_running_bus(options) as bus:
        before = published(bus)
        gone = before.keys() - {region.name for region in regions} if options.prune else frozenset()
        kept = {name: region for name, region in before.items() if name not in gone}
        placed = with_partitions(regions, kept, partitions(bus))
        changed = [region for region in placed if before.get(region.name) != region]
        for region in changed:
            publish(bus, region.name, region, options)
        for name in sorted(gone):
            publish(bus, name, None, options)
        bus.flush()
        unheard = unheard_stations(bus)
    for region in changed:
        print(f"{'changed' if region.name in before else 'new'} {region.name}, partition {region.partition}")
    print(f"published {len(changed)} regions, removed {len(gone)}, {len(placed) - len(changed)} were as they are")
    tell_unheard(unheard)
    return 0


def remove(options: argparse.Namespace) -> int:
    with open_running_bus(options) as bus:
        known = published(bus)
        if absent := [name for name in options.names if name not in known]:
            raise SettingInvalid(f"found {', '.join(absent)}, expected regions of {', '.join(known) or 'none'}")
        for name in options.names:
            publish(bus, name, None, options)
        bus.flush()
        unheard = unheard_stations(bus)
    print(f"removed {', '.join(options.names)}")
    tell_unheard(unheard)
    return 0


def show(options: argparse.Namespace) -> int:
    with open_running_bus(options) as bus:
        with bus.table(TOPIC) as table:
            table.refresh()
            decisions = {name: Control.FromString(table[PREFIX + name]) for name in published(bus)}
        counts = heard_by_region(bus)
    if not decisions:
        print("no region is published: one region, default, is the whole Earth")
        return 0
    print(f"{'REGION':<20} {'PART':>4} {'CORNERS':>7} {'REACH':>6} {'STATIONS':>8}  {'SINCE':<24} {'BY':<12} REASON")
    for name, decision in decisions.items():
        region = decision.region
        about = f"{region.partition:>4} {len(region.polygon):>7} {region.reach_km:>6g} {counts.get(name, 0):>8}"
        print(f"{name:<20} {about}  {iso_time(decision.decided_ns)} {decision.author:<12} {decision.reason}".rstrip())
    return 0


# --- what is published ------------------------------------------------------------------------------------------------


def published(bus: Bus) -> Mapping[str, Region]:
    with bus.table(TOPIC) as table:
        table.refresh()
        return {region.name: region for region in read_regions(table)}


def publish(bus: Bus, name: str, region: Region | None, options: argparse.Namespace) -> None:
    decision = Control(region=region, author=options.by, reason=options.reason, decided_ns=time.time_ns())
    bus.publish(TOPIC, PREFIX + name, decision.SerializeToString(deterministic=True) if region else None)


def partitions(bus: Bus) -> int:
    return {topic.name: topic.partitions for topic in bus.existing_topics()}.get("picks.by-region", 0)


def heard_by_region(bus: Bus) -> Mapping[str, int]:
    regions = list(published(bus).values())
    counts: dict[str, int] = {}
    with bus.table("inventory") as table:
        table.refresh()
        for station in published_stations(table).values():
            for destination in destinations(regions, station):
                counts[destination.name] = counts.get(destination.name, 0) + 1
    return counts


def unheard_stations(bus: Bus) -> list[str]:
    """Of which no region gets picks."""
    regions = list(published(bus).values())
    with bus.table("inventory") as table:
        table.refresh()
        return [key for key, station in sorted(published_stations(table).items()) if not destinations(regions, station)]


def tell_unheard(stations: list[str]) -> None:
    if stations:
        more = f" and {len(stations) - SHOWN} more" if len(stations) > SHOWN else ""
        print(
            f"note: no region hears {', '.join(stations[:SHOWN])}{more}: none of their picks is associated; enlarge "
            "reach_km or add a region",
            file=sys.stderr,
        )
