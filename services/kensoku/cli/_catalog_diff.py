"""How two catalogues differ: events that only one has, those that moved, those of another magnitude."""

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_files import Comparison, Limits, Pair, compare, read_catalogue
from kensoku.catalogue_store import Selection, open_store
from kensoku.cli._catalog_select import (
    LINE_HEAD,
    add_database_flags,
    add_selection_flags,
    database_settings,
    line,
    open_catalogue,
    printable,
    selection_of,
)
from kensoku.errors import SettingInvalid
from kensoku.settings import load_settings, mask, overrides
from kensoku.v1.event_pb2 import Event

HERE = "database"
SHOWN = 20
LONGEST_S = 2e10  # more than there is between any two events: times reach from 1678 to 2262


def configure_diff(parser: argparse.ArgumentParser) -> None:
    for name in ("a", "b"):
        parser.add_argument(
            name,
            metavar=name.upper(),
            help=f"QuakeML, csv, FDSN text or HypoDD, sqlite:///... or postgresql://..., {HERE}, or {HERE}:NAMESPACE",
        )
    parser.add_argument("--seconds", type=float, default=3.0, help="two events may be one within this (default: 3)")
    parser.add_argument("--km", type=float, default=30.0, help="and within this, by epicentre (default: 30)")
    parser.add_argument("--moved-km", type=float, default=5.0, help="tell what moved farther (default: 5)")
    parser.add_argument("--moved-seconds", type=float, default=1.0, help="or in time (default: 1)")
    parser.add_argument("--magnitude", type=float, default=0.3, help="tell what differs by more (default: 0.3)")
    parser.add_argument("--all", action="store_true", help=f"tell every event, not the first {SHOWN} of a kind")
    parser.add_argument("--json", action="store_true", help="for programs; all of it")
    add_selection_flags(parser)
    add_database_flags(parser)
    parser.set_defaults(execute=diff)


def diff(options: argparse.Namespace) -> int:
    for name in ("seconds", "km", "moved_km", "moved_seconds", "magnitude"):
        if not vars(options)[name] >= 0:
            raise SettingInvalid(f"found --{name.replace('_', '-')} {vars(options)[name]}, expected 0 or more")
    if options.seconds > LONGEST_S:
        raise SettingInvalid(f"found --seconds {options.seconds:g}, expected {LONGEST_S:g} at the most")
    selection = selection_of(options)
    a, b = (list(map(compared, events_of(place, selection, options))) for place in (options.a, options.b))
    found = compare(a, b, Limits(options.seconds, options.km))
    if options.json:
        print(json.dumps(as_json(found, options), indent=1))
    else:
        print(f"a: {mask(options.a)}, {len(a)} events")
        print(f"b: {mask(options.b)}, {len(b)} events")
        tell(found, options)
    return 0


def events_of(place: str, selection: Selection, options: argparse.Namespace) -> Iterator[Event]:
    """Of a database few are in memory at once."""
    if place == HERE or place.startswith(f"{HERE}:"):
        settings = database_settings(options)
        if namespace := place.removeprefix(HERE).removeprefix(":"):
            settings = load_settings(CatalogSettings, overrides(options, CatalogSettings) | {"namespace": namespace})
        with open_catalogue(settings) as store:
            yield from store.events(selection)
    elif "://" in place:
        with open_store(place, database_settings(options).namespace, must_exist=True) as store:
            yield from store.events(selection)
    else:
        yield from filter(selection.holds, read_catalogue(Path(place)).events)


def compared(event: Event) -> Event:
    """What counts of it, made anew, as a message keeps the room of what is taken out: 3 kB in the place of 10."""
    for name in ("arrivals", "latency", "provenance"):
        event.ClearField(name)
    for magnitude in event.magnitudes:
        magnitude.ClearField("contributions")
    return Event.FromString(event.SerializeToString())


def has_moved(pair: Pair, options: argparse.Namespace) -> bool:
    return bool(pair.moved_km > options.moved_km or abs(pair.later_s) > options.moved_seconds)


def has_grown(pair: Pair, options: argparse.Namespace) -> bool:
    return pair.larger is not None and abs(pair.larger) > options.magnitude


# --- for people -------------------------------------------------------------------------------------------------------


def tell(found: Comparison, options: argparse.Namespace) -> None:
    print(f"in both {len(found.pairs)}, only in a {len(found.only_a)}, only in b {len(found.only_b)}")
    if found.without_origin:
        print(f"not compared: {found.without_origin} without an origin")
    if found.pairs:
        print(f"\n{'b minus a':<14} {'median':>9} {'5 %':>9} {'95 %':>9} {'events':>7}")
        for name, values in differences(found.pairs).items():
            print(spread(name, values))
    if other := sum(pair.has_other_scale for pair in found.pairs):
        print(f"magnitudes of {other} not compared: on other scales, as ML and Mw")
    limit = None if options.all else SHOWN
    moved = [pair for pair in found.pairs if has_moved(pair, options)]
    grown = [pair for pair in found.pairs if has_grown(pair, options)]
    for title, events in (("only in a", found.only_a), ("only in b", found.only_b)):
        tell_all(title, [line(event) for event in events], limit)
    tell_all(f"moved by more than {options.moved_km:g} km or {options.moved_seconds:g} s", lines(moved), limit)
    tell_all(f"of another magnitude by more than {options.magnitude:g}", lines(grown), limit)


def differences(pairs: Sequence[Pair]) -> dict[str, list[float]]:
    return {
        "time s": [pair.later_s for pair in pairs],
        "epicentre km": [pair.moved_km for pair in pairs],
        "depth km": [pair.deeper_km for pair in pairs],
        "magnitude": [pair.larger for pair in pairs if pair.larger is not None],
    }


def spread(name: str, values: list[float]) -> str:
    if not values:
        return f"{name:<14} {'-':>9} {'-':>9} {'-':>9} {0:>7}"
    cuts = statistics.quantiles(values, n=20, method="inclusive") if len(values) > 1 else values * 19
    return f"{name:<14} {statistics.median(values):9.3f} {cuts[0]:9.3f} {cuts[-1]:9.3f} {len(values):>7}"


def lines(pairs: Sequence[Pair]) -> list[str]:
    return [
        f"{line(pair.a)}\n  b: {pair.later_s:+.2f} s, {pair.moved_km:.1f} km away, {pair.deeper_km:+.1f} km in depth"
        + (f", {pair.larger:+.2f} {pair.magnitude_type}" if pair.larger is not None else "")
        + f"  {printable(pair.b.id)}"
        for pair in pairs
    ]


def tell_all(title: str, texts: Sequence[str], limit: int | None) -> None:
    if not texts:
        return
    print(f"\n{title}: {len(texts)}\n{LINE_HEAD}")
    for text in texts[:limit]:
        print(text)
    if limit is not None and len(texts) > limit:
        print(f"and {len(texts) - limit} more; --all shows them")


# --- for programs -----------------------------------------------------------------------------------------------------


def as_json(found: Comparison, options: argparse.Namespace) -> dict[str, object]:
    return {
        "in_both": len(found.pairs),
        "only_in_a": [event.id for event in found.only_a],
        "only_in_b": [event.id for event in found.only_b],
        "without_origin": found.without_origin,
        "pairs": [
            {
                "a": pair.a.id,
                "b": pair.b.id,
                "later_s": round(pair.later_s, 6),
                "moved_km": round(pair.moved_km, 4),
                "deeper_km": round(pair.deeper_km, 4),
                "magnitude_type": pair.magnitude_type,
                "larger": None if pair.larger is None else round(pair.larger, 4),
                "has_moved": has_moved(pair, options),
                "has_other_magnitude": has_grown(pair, options),
            }
            for pair in found.pairs
        ],
    }
