"""`kensoku locate`: where and when the earthquakes were that picks were grouped by."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_files import Signature, write_catalogue
from kensoku.cli._earth_options import add_earth_options, tell_deepest
from kensoku.cli._locate_picks import PickedEvent, read_picks, without_repeats
from kensoku.cli._numbers import real
from kensoku.cli._outputs import refuse_folder
from kensoku.cli._time_grids import NamedGrids, open_grids, require_grids
from kensoku.cli.pick import read_stations
from kensoku.locating import (
    Arrival,
    Location,
    LocationSettings,
    Site,
    arrival_messages,
    arrivals_of,
    load_time_corrections,
    locate_many_in_grids,
    origin_message,
    site_code,
    sites_of,
)
from kensoku.settings import load_settings
from kensoku.traveltime import (
    EarthModel,
    TravelTimeTable,
    Wave,
    build_table,
    grid_for,
    load_model,
    name_of,
)
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, Event, Provenance
from kensoku.v1.inventory_pb2 import Station

WAVES: tuple[Wave, Wave] = ("P", "S")
METHOD = "kensoku.locating"
SHOWN = 5
Corrections = Mapping[tuple[str, str], float]  # by NET.STA and phase
FILES = (("events.csv", "csv"), ("arrivals.csv", "arrivals"), ("events.xml", "quakeml"))


def configure(parser: argparse.ArgumentParser) -> None:
    default = LocationSettings()
    parser.add_argument("picks", type=Path, metavar="FILE", help="csv: event_id,station,phase,time,uncertainty_s,...")
    parser.add_argument(
        "--inventory",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="StationXML or csv, may be repeated",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="gets events.csv, arrivals.csv, events.xml"
    )
    add_earth_options(parser, default.deepest_km)
    parser.add_argument(
        "--model-error",
        type=real(0, 0.49),
        default=default.model_error,
        metavar="SHARE",
        help="of the travel time, default: %(default)g",
    )
    parser.add_argument(
        "--time-grids",
        type=Path,
        metavar="FOLDER",
        help="NonLinLoc's 3-D grids, NAME.P.STATION.time.hdr and .buf; the velocity model serves where there are none",
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    refuse_folder(options.out)
    catalog = load_settings(CatalogSettings)
    signature = Signature(catalog.catalog_agency, catalog.catalog_author)
    given = read_picks(options.picks)
    picked = [without_repeats(event) for event in given]
    inventory = read_stations(options.inventory)
    grids = open_grids(options.time_grids, inventory)
    corrections = load_time_corrections(options.corrections) if options.corrections else {}
    model = load_model(options.velocity_model)
    grid = grid_for(options.deepest_km)
    tables: dict[Wave, TravelTimeTable] = {wave: build_table(model, wave, grid, options.cache) for wave in WAVES}
    settings = LocationSettings(
        deepest_km=options.deepest_km,
        model_error=options.model_error,
        assumed_depth_km=min(LocationSettings().assumed_depth_km, options.deepest_km),
    )
    arrivals, sites, unknown = _heard(picked, inventory, corrections)
    require_grids(grids, map(site_code, sites))
    found = locate_many_in_grids(arrivals, sites, tables, grids.by_station, settings)
    earth = _provenance(model, grids)
    events, refused = [], []
    for event, location in zip(picked, found, strict=True):
        if isinstance(location, Location):
            events.append(_event(event, location, earth))
        else:
            refused.append(f"{event.id}: {location}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, kind in FILES:
        write_catalogue(options.out / name, events, signature, kind)
    _tell(events, refused, options.out, earth.velocity_model)
    tell_deepest(events, options.deepest_km)
    _tell_unknown(unknown)
    if repeated := _count(given) - _count(picked):
        print(f"left out: {repeated:,} picks of arrivals that stand in the table more than once", file=sys.stderr)
    return 0


def _heard(
    events: Iterable[PickedEvent], inventory: Mapping[str, Station], corrections: Corrections
) -> tuple[list[list[Arrival]], dict[str, Site], Counter[str]]:
    """Arrivals by event; the sites, which have names of their own in each event, since stations move; and how many
    picks each station has whose place nobody knows."""
    heard, sites, unknown = [], dict[str, Site](), Counter[str]()
    for number, event in enumerate(events):
        own = sites_of([each.pick.instrument for each in event.picks], inventory, event.reference_ns, corrections)
        arrivals = arrivals_of(event.picks, event.reference_ns)
        unknown.update(site_code(each.station) for each in arrivals if each.station not in own)
        sites |= {f"{code}.{number}": site for code, site in own.items()}
        heard.append(
            [replace(each, station=f"{each.station}.{number}") if each.station in own else each for each in arrivals]
        )
    return heard, sites, unknown


def _count(events: Iterable[PickedEvent]) -> int:
    return sum(len(event.picks) for event in events)


def _provenance(model: EarthModel, grids: NamedGrids) -> Provenance:
    earth, earth_hash = name_of(model, grids.sha256)
    return Provenance(velocity_model=earth, velocity_model_hash=earth_hash, location_method=METHOD)


def _event(event: PickedEvent, location: Location, provenance: Provenance) -> Event:
    return Event(
        id=event.id,
        revision=1,
        status=EVENT_STATUS_FINAL,
        origin=origin_message(location, event.reference_ns),
        arrivals=arrival_messages(location, event.picks),
        provenance=provenance,
    )


def _tell(events: list[Event], refused: list[str], out: Path, earth: str) -> None:
    classes = Counter(event.origin.quality for event in events)
    counts = ", ".join(f"{count} {'?ABCD'[quality]}" for quality, count in sorted(classes.items()))
    print(f"{len(events)} events located with the velocity model {earth} ({counts or 'none'}); see {out}/events.csv")
    for sentence in refused[:SHOWN]:
        print(f"not located: {sentence}", file=sys.stderr)
    if len(refused) > SHOWN:
        print(f"not located: {len(refused) - SHOWN} more", file=sys.stderr)


def _tell_unknown(unknown: Counter[str]) -> None:
    if not unknown:
        return
    named = ", ".join(f"{count:,} of {code}" for code, count in unknown.most_common(SHOWN))
    more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
    print(
        f"left out: picks, {named}{more}: no place is known; name an --inventory that has it",
        file=sys.stderr,
    )
