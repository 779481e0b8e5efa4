"""`kensoku inventory`: publish where the stations are, see first what that would change, and look up what is known."""

import argparse
import sys
from pathlib import Path

from kensoku.cli._bus import add_bus_flags, open_running_bus
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.inventory import Change, Reading, changes, publish, published, read_inventory
from kensoku.inventory import describe_epoch as describe
from kensoku.times import iso_time
from kensoku.v1.inventory_pb2 import Station


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, execute, text in (
        ("apply", apply, "publish the stations of StationXML or csv files"),
        ("diff", diff, "say what apply would change, and change nothing"),
    ):
        action = actions.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")
        action.add_argument(
            "files",
            nargs="+",
            type=Path,
            metavar="FILE",
            help="StationXML, or a table with a line id,lat,lon,elev_m[,channel,gain,unit,start,end] and ids such as "
            "NZ.WEL or NZ.WEL.10; a station's lines replace all that was published of it",
        )
        action.add_argument("--prune", action="store_true", help="also remove stations that no file has")
        action.set_defaults(execute=execute)
        add_bus_flags(action)
    show_action = actions.add_parser("show", help="what is published")
    show_action.add_argument("code", nargs="?", metavar="CODE", help="one station, such as NZ.WEL; default: all")
    show_action.set_defaults(execute=show)
    add_bus_flags(show_action)


def diff(options: argparse.Namespace) -> int:
    reading = read_files(options.files)
    with open_running_bus(options) as bus:
        found = changes(published(bus), reading.stations, options.prune)
    tell(found, reading)
    return 0


def apply(options: argparse.Namespace) -> int:
    reading = read_files(options.files)
    with open_running_bus(options) as bus:
        found = publish(bus, reading.stations, options.prune)
    tell(found, reading)
    removed = sum(change.after is None for change in found)
    print(f"published {len(found) - removed} stations, removed {removed}")
    return 0


def tell(found: list[Change], reading: Reading) -> None:
    for note in reading.notes:
        print(f"note: {note}", file=sys.stderr)
    for change in found:
        print(change)
    differing = sum(change.after is not None for change in found)
    print(f"{len(reading.stations) - differing} of {len(reading.stations)} stations are published already")


def read_files(paths: list[Path]) -> Reading:
    files: dict[str, bytes] = {}
    mistakes = []
    for path in dict.fromkeys(paths):
        try:
            files[str(path)] = path.read_bytes()
        except OSError as error:
            mistakes.append(f"{path}: {error.strerror}")
    if mistakes:
        raise InputInvalid(f"cannot read {'; '.join(mistakes)}; expected StationXML or csv files, check the paths")
    return read_inventory(files)


def show(options: argparse.Namespace) -> int:
    with open_running_bus(options) as bus:
        stations = published(bus)
    if options.code is not None and options.code not in stations:
        known = ", ".join(sorted(stations)[:20]) or "none; publish some with `kensoku inventory apply`"
        raise SettingInvalid(f"found station {options.code!r}, expected one that is published: {known}")
    if options.code is None:
        show_all(stations)
    else:
        show_one(stations[options.code])
    return 0


def show_all(stations: dict[str, Station]) -> None:
    if not stations:
        print("no station is published; publish some with `kensoku inventory apply FILE`")
        return
    print(f"{'STATION':<12} {'EPOCHS':>6} {'RESPONSES':>9}  {'HASH':<12}  {'PUBLISHED':<24}  SOURCE")
    for key, station in sorted(stations.items()):
        responses = sum(epoch.HasField("response") for epoch in station.epochs)
        counts = f"{len(station.epochs):>6} {responses:>9}"
        print(f"{key:<12} {counts}  {station.hash[:12]}  {iso_time(station.published_ns)}  {station.source}")


def show_one(station: Station) -> None:
    print(f"{station.network}.{station.station}  {station.hash}")
    print(f"published {iso_time(station.published_ns)} from {station.source}")
    for epoch in station.epochs:
        print(f"  {describe(epoch)}" + (f", {epoch.sensor}" if epoch.sensor else ""))
