"""What the actions of `kensoku catalog` share: which database, which events of it, and how an event is a line."""

import argparse
import math
from collections.abc import Iterator
from contextlib import contextmanager

from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_store import Area, Selection, Store, open_store
from kensoku.errors import SettingInvalid
from kensoku.events import has_depth, preferred_magnitude, status_name, type_name
from kensoku.settings import add_flags, load_settings, overrides
from kensoku.times import iso_time, parse_time_ns
from kensoku.v1.event_pb2 import Event, EventStatus, EventType

STATUSES = [name.removeprefix("EVENT_STATUS_") for name in EventStatus.keys()[1:]]
TYPES = [name.removeprefix("EVENT_TYPE_") for name in EventType.keys()[1:]]
LINE_HEAD = f"{'TIME':<24} {'LAT':>8} {'LON':>9} {'DEPTH':>6} {'MAG':>9}  {'TYPE':<10} {'STATUS':<11} {'REV':>3}  ID"


def add_database_flags(parser: argparse.ArgumentParser) -> None:
    add_flags(parser, CatalogSettings, only=["database", "namespace", "home"])


def database_settings(options: argparse.Namespace) -> CatalogSettings:
    return load_settings(CatalogSettings, overrides(options, CatalogSettings))


@contextmanager
def open_catalogue(settings: CatalogSettings) -> Iterator[Store]:
    """To read it."""
    with open_store(settings.database_address, settings.namespace, must_exist=True) as store:
        yield store


def add_selection_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which events")
    group.add_argument("--from", dest="start", metavar="TIME", help="from this origin time on, ISO 8601, UTC")
    group.add_argument("--to", dest="end", metavar="TIME", help="before this origin time")
    group.add_argument("--min-magnitude", type=float, default=-math.inf, metavar="M")
    group.add_argument("--max-magnitude", type=float, default=math.inf, metavar="M")
    group.add_argument("--min-depth", type=float, default=-math.inf, metavar="KM")
    group.add_argument("--max-depth", type=float, default=math.inf, metavar="KM")
    group.add_argument(
        "--box",
        nargs=4,
        type=float,
        metavar=("SOUTH", "WEST", "NORTH", "EAST"),
        help="degrees; it crosses the date line where WEST is greater than EAST",
    )
    group.add_argument("--type", action="append", default=[], type=str.upper, choices=TYPES, help="may be repeated")
    group.add_argument(
        "--status", action="append", default=[], type=str.upper, choices=STATUSES, help="may be repeated"
    )
    group.add_argument("--region", action="append", default=[], metavar="NAME", help="may be repeated")
    group.add_argument("--with-gone", action="store_true", help="also retracted events and those merged into another")


def selection_of(options: argparse.Namespace) -> Selection:
    start_ns = None if options.start is None else parse_time_ns(options.start)
    end_ns = None if options.end is None else parse_time_ns(options.end)
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        raise SettingInvalid(f"found --from {options.start} and --to {options.end}, expected --from before --to")
    for name in ("magnitude", "depth"):
        least, most = (vars(options)[f"{side}_{name}"] for side in ("min", "max"))
        if not least <= most:  # also where one is no number
            raise SettingInvalid(f"found --min-{name} {least:g} and --max-{name} {most:g}, expected the lesser first")
    return Selection(
        start_ns=start_ns,
        end_ns=end_ns,
        min_magnitude=options.min_magnitude,
        max_magnitude=options.max_magnitude,
        min_depth_km=options.min_depth,
        max_depth_km=options.max_depth,
        area=None if options.box is None else _area(options.box),
        statuses=options.status,
        types=options.type,
        regions=options.region,
        with_gone=options.with_gone,
    )


def _area(box: list[float]) -> Area:
    south, west, north, east = box
    if not (-90 <= south <= north <= 90 and abs(west) <= 180 and abs(east) <= 180):
        shown = " ".join(f"{side:g}" for side in box)
        raise SettingInvalid(
            f"found --box {shown}, expected SOUTH WEST NORTH EAST: from -90 to 90 with SOUTH <= NORTH, and -180 to 180"
        )
    return Area(south, west, north, east)


def line(event: Event) -> str:
    """An event among others, for people."""
    place = f"{'-':<24} {'-':>8} {'-':>9} {'-':>6}"
    if event.HasField("origin"):
        origin = event.origin
        depth = f"{origin.depth_km:.1f}" if has_depth(origin) else "-"
        place = f"{iso_time(origin.time_ns)} {origin.latitude_deg:8.4f} {origin.longitude_deg:9.4f} {depth:>6}"
    kind = type_name(event).lower()
    status = status_name(event).lower()
    return f"{place} {size(event):>9}  {kind[:10]:<10} {status:<11} {event.revision:>3}  {printable(event.id)}"


def size(event: Event) -> str:
    """`2.31 ML`"""
    magnitude = preferred_magnitude(event)
    return f"{magnitude.value:.2f} {printable(magnitude.type)}" if magnitude else "-"


def printable(text: str) -> str:
    """What a sender put into a message must not steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
