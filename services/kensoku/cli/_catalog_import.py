"""Take the events of files into the database: what is new is stored, what is known is left alone."""

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_files import Signature, read_catalogue, say_the_same
from kensoku.catalogue_store import check_event, open_store
from kensoku.cli._catalog_select import add_database_flags, database_settings, open_catalogue
from kensoku.errors import CatalogueMissing, InputInvalid
from kensoku.settings import add_flags
from kensoku.v1.event_pb2 import Event

AT_ONCE = 500
READABLE = ("quakeml", "csv", "fdsn", "hypodd")


def configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="QuakeML (.xml), csv, FDSN text (.txt), HypoDD (.pha)"
    )
    parser.add_argument("--format", choices=READABLE, help="whatever the ending")
    parser.add_argument("--update", action="store_true", help="store known events that differ as their next revision")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    add_database_flags(parser)
    add_flags(parser, CatalogSettings, only=["catalog_agency", "catalog_author"])
    parser.set_defaults(execute=take_in)


def take_in(options: argparse.Namespace) -> int:
    """Everything is read before anything is stored, so that a mistake in the last file refuses all."""
    events: dict[str, Event] = {}
    settings = database_settings(options)
    signature = Signature(settings.catalog_agency, settings.catalog_author)
    for path in options.files:
        reading = read_catalogue(path, options.format, signature)
        for note in reading.notes:
            print(f"{path}: {note}")
        for event in reading.events:
            check_event(event)
            if event.id in events and events[event.id] != event:
                raise InputInvalid(
                    f"{path}: found the event {event.id!r} a second time and different, expected it once"
                )
            events[event.id] = event
    outcome, would = Counter[str](), "would be " if options.dry_run else ""
    if options.dry_run:
        known = known_of(settings, events)
        due(events.values(), known, options.update, outcome)
    else:
        with open_store(settings.database_address, settings.namespace) as store:
            for some in chunks(list(events.values())):
                store.write(due(some, store.current(event.id for event in some), options.update, outcome))
    print(f"{outcome['new']} events {would}stored, {outcome['updated']} {would}stored as a new revision")
    print(f"{outcome['same']} are known already")
    if outcome["differ"]:
        print(f"{outcome['differ']} are known and differ; --update stores them as their next revision")
    return 0


def known_of(settings: CatalogSettings, event_ids: Iterable[str]) -> Mapping[str, Event]:
    """Without making a database where there is none."""
    try:
        with open_catalogue(settings) as store:
            return store.current(event_ids)
    except CatalogueMissing as error:
        print(f"as if it were empty: {error}")
        return {}


def due(events: Iterable[Event], known: Mapping[str, Event], update: bool, outcome: Counter[str]) -> list[Event]:
    """What of these is to be stored."""
    found = []
    for event in events:
        before = known.get(event.id)
        if before is None:
            outcome["new"] += 1
            found.append(event)
        elif say_the_same(said(event), said(before)):
            outcome["same"] += 1
        elif update:
            outcome["updated"] += 1
            found.append(revised(event, before))
        else:
            outcome["differ"] += 1
    return found


def revised(event: Event, before: Event) -> Event:
    """The next revision, of an owner of its own, as a live one may come with the same number: both are kept."""
    event.revision = before.revision + 1
    event.owner_epoch = event.latency.published_ns = time.time_ns()
    return event


def said(event: Event) -> Event:
    """What an event says, whatever its number."""
    content = Event()
    content.CopyFrom(event)
    for name in ("revision", "owner_epoch", "latency"):
        content.ClearField(name)
    return content


def chunks(events: Sequence[Event]) -> Iterable[Sequence[Event]]:
    return (events[start : start + AT_ONCE] for start in range(0, len(events), AT_ONCE))
