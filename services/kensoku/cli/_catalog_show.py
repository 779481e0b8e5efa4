"""The catalogue for people: one event a line, or one event whole."""

import argparse
from collections.abc import Sequence

from google.protobuf import json_format

from kensoku.catalogue_store import Revision, Store
from kensoku.cli._catalog_select import (
    LINE_HEAD,
    add_database_flags,
    add_selection_flags,
    database_settings,
    line,
    open_catalogue,
    printable,
    selection_of,
    size,
)
from kensoku.errors import SettingInvalid
from kensoku.events import PHASES, has_depth, has_depth_interval, is_known, quality_name, status_name
from kensoku.messages import LONGEST_LATENCY_NS
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.event_pb2 import Event, Origin
from kensoku.v1.pick_pb2 import POLARITY_DOWN, POLARITY_UP

STEPS = {
    "last_sample_ns": "last sample",
    "packet_arrival_ns": "its packet",
    "window_ready_ns": "window ready",
    "pick_published_ns": "pick told",
    "associated_ns": "associated",
    "located_ns": "located",
    "published_ns": "published",
}
MOTIONS = {POLARITY_UP: "up", POLARITY_DOWN: "down"}


def configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="this many, the newest last (default: 20)")
    add_selection_flags(parser)
    add_database_flags(parser)
    parser.set_defaults(execute=list_events)


def list_events(options: argparse.Namespace) -> int:
    if options.limit < 1:
        raise SettingInvalid(f"found --limit {options.limit}, expected 1 or more")
    selection = selection_of(options)
    with open_catalogue(database_settings(options)) as store:
        events, count = store.newest(options.limit, selection), store.count(selection)
    if events:
        print(LINE_HEAD)
    for event in events:
        print(line(event))
    print(f"{len(events)} of {count} events" if len(events) < count else f"{count} events")
    return 0


def configure_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event_id", metavar="ID", help="of the event, or its beginning")
    parser.add_argument("--revision", type=int, metavar="N", help="as it was then; default: as it stands")
    parser.add_argument("--json", action="store_true", help="the message, as protobuf's JSON")
    add_database_flags(parser)
    parser.set_defaults(execute=show)


def show(options: argparse.Namespace) -> int:
    with open_catalogue(database_settings(options)) as store:
        revisions = store.revisions(whole_id(store, options.event_id))
    event = chosen(revisions, options.revision)
    if options.json:
        print(json_format.MessageToJson(event, preserving_proto_field_name=True))
        return 0
    for text in describe(event):
        print(text)
    print("\nrevisions")
    for revision in revisions:
        print(f"  {'*' if revision.is_current else ' '} {history(revision.event)}")
    return 0


def whole_id(store: Store, beginning: str) -> str:
    if store.event(beginning) is not None:
        return beginning
    found = store.beginning_with(beginning) if beginning else []
    if len(found) == 1:
        return found[0]
    if found:
        raise SettingInvalid(
            f"found {len(found)} ids that begin with {beginning!r}, expected one: {', '.join(found[:5])}"
        )
    raise SettingInvalid(f"found no event {beginning!r}, expected one of those that `kensoku catalog list` shows")


def chosen(revisions: Sequence[Revision], number: int | None) -> Event:
    found = [one.event for one in revisions if (one.is_current if number is None else one.event.revision == number)]
    if not found:
        known = ", ".join(sorted({str(one.event.revision) for one in revisions}))
        raise SettingInvalid(f"found no revision {number}, expected one of {known}")
    return found[-1]  # of two owners the later


def describe(event: Event) -> list[str]:
    lines = [LINE_HEAD, line(event), ""]
    if event.HasField("origin"):
        lines += _origin(event)
    for magnitude in event.magnitudes:
        value = f"{magnitude.value:.2f} +- {magnitude.uncertainty:.2f}, {magnitude.stations} stations"
        text = f"no value: {magnitude.absent_reason}" if magnitude.absent_reason else value
        lines.append(printable(f"magnitude   {magnitude.type} {text}  {magnitude.formula}".rstrip()))
    if event.HasField("type_probabilities"):
        kinds = [(field.name, value) for field, value in event.type_probabilities.ListFields()]
        lines.append("type        " + ", ".join(f"{name} {value:.3f}" for name, value in kinds))
    for name in ("region", "reason", "merged_into", "split_from"):
        if text := getattr(event, name):
            lines.append(f"{name.replace('_', ' '):<11} {printable(text)}")
    if steps := _steps(event):
        lines.append(f"latency     {steps}")
    for comment in event.comments:
        lines.append(printable(f"comment     {iso_time(comment.time_ns)} {comment.author}: {comment.text}"))
    return lines + _arrivals(event)


def _origin(event: Event) -> list[str]:
    """Without what nobody said."""
    origin, provenance = event.origin, event.provenance
    sure = f" +- {origin.time_uncertainty_s:.3f} s" if origin.time_uncertainty_s else ""
    rms = f", rms {origin.rms_s:.3f} s" if is_known(origin, "rms_s") else ""
    radius_km = origin.horizontal_uncertainty_km
    depth = f"{origin.depth_km:.2f} km" if has_depth(origin) else "-"
    if has_depth_interval(origin):
        depth += f", 68 % from {origin.depth_lower_km:.2f} to {origin.depth_upper_km:.2f} km"
    texts = [
        f"time        {iso_time(origin.time_ns)}{sure}{rms}",
        f"epicentre   {origin.latitude_deg:.4f} {origin.longitude_deg:.4f}"
        + (f", 68 % within {radius_km:.2f} km" if radius_km else ""),
        f"depth       {depth}{', depth fixed' if origin.depth_is_fixed and has_depth(origin) else ''}",
        f"geometry    {_geometry(origin)}",
        f"quality     {quality_name(event) or '-'} {origin.quality_reason}".rstrip(),
        f"made by     {_maker(event)}, velocity model {provenance.velocity_model or '-'}, "
        f"version {provenance.software_version or '-'}",
    ]
    return [printable(text) for text in texts]


def _steps(event: Event) -> str:
    """When each step of this revision was done, in s after the origin; nothing of a replay, whose records are old."""
    begin_ns, stamps = event.origin.time_ns, {name: getattr(event.latency, name) for name in STEPS}
    if not begin_ns < stamps["published_ns"] < begin_ns + LONGEST_LATENCY_NS:
        return ""
    told = [f"{STEPS[name]} {(at_ns - begin_ns) / NS_PER_S:.2f}" for name, at_ns in stamps.items() if at_ns]
    return f"{', '.join(told)} s after the origin"


def _maker(event: Event) -> str:
    """Also of what another agency made."""
    made = event.origin.creation if event.origin.HasField("creation") else event.creation
    return " ".join(filter(None, (made.agency, made.author))) or event.provenance.author or "automatic"


def _geometry(origin: Origin) -> str:
    known = {
        "azimuthal_gap_deg": f"gap {origin.azimuthal_gap_deg:.0f}",
        "secondary_gap_deg": f"secondary {origin.secondary_gap_deg:.0f}",
        "nearest_station_km": f"nearest station {origin.nearest_station_km:.1f} km",
        "phases_used": f"{origin.phases_used} phases of {origin.stations_used} stations",
    }
    return ", ".join(text for name, text in known.items() if is_known(origin, name)) or "-"


def _arrivals(event: Event) -> list[str]:
    if not event.arrivals:
        return []
    columns = f"{'STATION':<14} {'PHASE':<5} {'ONSET':<24} {'RESIDUAL':>8} {'WEIGHT':>6} {'KM':>7} {'AZ':>4}"
    lines = ["", f"{columns}  NOTE"]
    for arrival in sorted(event.arrivals, key=lambda one: one.onset_ns):
        sensor = arrival.instrument
        name = printable(f"{sensor.network}.{sensor.station}.{sensor.location}.{sensor.band_instrument}")
        notes = [MOTIONS.get(arrival.polarity, ""), "outlier" if arrival.is_outlier else ""]
        notes.append("phase changed" if arrival.phase_was_changed else "")
        row = f"{name:<14} {PHASES.get(arrival.phase, '?'):<5} {iso_time(arrival.onset_ns)} {arrival.residual_s:8.3f} "
        row += f"{arrival.weight:6.2f} {arrival.distance_km:7.1f} {arrival.azimuth_deg:4.0f}"
        lines.append(f"{row}  {', '.join(filter(None, notes))}".rstrip())
    return lines


def history(event: Event) -> str:
    published = iso_time(event.latency.published_ns) if event.latency.published_ns else "-"
    reason = f"  {printable(event.reason)}" if event.reason else ""
    number, status = f"{event.revision:>3}", status_name(event).lower()
    counts = f"{size(event):>9} {len(event.arrivals):>3} arrivals"
    return f"{number} {status:<11} published {published:<24} {counts}, owner epoch {event.owner_epoch}{reason}"
