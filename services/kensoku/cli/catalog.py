"""`kensoku catalog`: list and show what the database holds, hand it out, take catalogues in, and compare two."""

import argparse
from pathlib import Path

from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_files import FORMATS, Place, PlaceOf, Signature, format_of, nowhere, write_catalogue
from kensoku.catalogue_store import migrate
from kensoku.cli._catalog_diff import configure_diff
from kensoku.cli._catalog_import import configure_import
from kensoku.cli._catalog_select import (
    add_database_flags,
    add_selection_flags,
    database_settings,
    open_catalogue,
    selection_of,
)
from kensoku.cli._catalog_show import configure_list, configure_show
from kensoku.settings import add_flags


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    configure_list(actions.add_parser("list", help="the newest events, one a line"))
    configure_show(actions.add_parser("show", help="all that is known of one event"))
    configure_export(actions.add_parser("export", help="write events to a file"))
    configure_import(actions.add_parser("import", help="take the events of files into the database"))
    configure_diff(actions.add_parser("diff", help="how two catalogues differ"))
    action = actions.add_parser("migrate", help="bring the database's tables to this version")
    add_database_flags(action)
    action.set_defaults(execute=migrate_tables)


def configure_export(parser: argparse.ArgumentParser) -> None:
    endings = ", ".join(f"{name} {'/'.join(known)}" for name, known in FORMATS.items() if known)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help=f"its ending says the format: {endings}"
    )
    parser.add_argument("--format", choices=list(FORMATS), help="whatever the ending; arrivals is a table of them")
    parser.add_argument(
        "--with-network", action="store_true", help="stations as network and station together, in phase files"
    )
    parser.add_argument(
        "--inventory",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="StationXML or csv, repeatable: where stations stand, beside phase files; default: where arrivals say",
    )
    add_selection_flags(parser)
    add_database_flags(parser)
    add_flags(parser, CatalogSettings, only=["catalog_agency", "catalog_author"])
    parser.set_defaults(execute=export)


def export(options: argparse.Namespace) -> int:
    settings, selection = database_settings(options), selection_of(options)
    format_of(options.out, options.format)
    signature = Signature(settings.catalog_agency, settings.catalog_author)
    place_of = places_in(options.inventory)
    with open_catalogue(settings) as store:
        count, notes = write_catalogue(
            options.out,
            store.events(selection),
            signature,
            options.format,
            with_network=options.with_network,
            place_of=place_of,
        )
    print(f"wrote {count} events to {options.out}")
    for note in notes:
        print(note)
    return 0


def places_in(inventory: list[Path]) -> PlaceOf:
    if not inventory:
        return nowhere
    from kensoku.cli.pick import read_stations  # here: two seconds, and most exports need neither
    from kensoku.locating import epoch_at

    stations = read_stations(inventory)

    def place_of(code: str, at_ns: int) -> Place | None:
        if code not in stations or not stations[code].epochs:
            return None
        epoch = epoch_at(stations[code], at_ns)
        return Place(epoch.latitude_deg, epoch.longitude_deg, epoch.elevation_m - epoch.burial_depth_m)

    return place_of


def migrate_tables(options: argparse.Namespace) -> int:
    settings = database_settings(options)
    before, after = migrate(settings.database_address, settings.namespace)
    print(f"the tables are of version {after}" + ("" if before == after else f", before: {before or 'none'}"))
    return 0
