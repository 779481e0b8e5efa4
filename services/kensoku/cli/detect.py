"""`kensoku detect`: from waveforms to a catalogue: picks, events, magnitudes, and a picture of each event."""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kensoku.acquisition.seconds import Span
from kensoku.acquisition.waveform_files import Stretch
from kensoku.associating import Network, Watch, station_of
from kensoku.batch import Heard, found_pick
from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_files import Signature, write_catalogue
from kensoku.cli._associating import WAVES, Earth, add_options, earth_of, open_network, parts_of, require_places
from kensoku.cli._earth_options import tell_deepest
from kensoku.cli._event_pictures import MOST_PICTURES, draw, remove_pictures
from kensoku.cli._models import AskSettings
from kensoku.cli._numbers import real, share, whole
from kensoku.cli._outputs import refuse_folder
from kensoku.cli._pick_files import Faults, Wanted, find, scan
from kensoku.cli._pick_output import told, write_picks
from kensoku.cli._pick_progress import Bar, tell_step
from kensoku.cli._time_grids import NamedGrids, open_grids, require_grids
from kensoku.cli.pick import (
    add_classic,
    messages,
    open_listener,
    read_stations,
    span_of,
    tell_faults,
    tell_unheard,
    tell_unknown,
    tell_unmet,
    with_context,
)
from kensoku.locating import LocationSettings, load_time_corrections
from kensoku.location.context import rules_of
from kensoku.location.settings import LocationServiceSettings
from kensoku.picking import Calibration
from kensoku.regions import ALL_GIVEN
from kensoku.settings import add_flags, load_settings, overrides
from kensoku.solving import Book, Context, Solved, solve_many
from kensoku.times import NS_PER_S, iso_time
from kensoku.traveltime import name_of
from kensoku.v1 import pick_pb2
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, Event
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT, Instrument, InstrumentProgress, Progress

PICKS = "picks.csv"
FILES = (("events.csv", "csv"), ("arrivals.csv", "arrivals"), ("events.xml", "quakeml"))
Records = Mapping[str, Sequence[Span]]  # of stations
RULES = (
    "location_formulas",
    "location_magnitude_corrections",
    "location_quarries",
    "location_utc_offset_h",
    "location_time_grids",
)
SHOWN = 10


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", nargs="+", metavar="FILE|FOLDER", help="whatever ObsPy reads, SDS trees, patterns")
    parser.add_argument(
        "--inventory", type=Path, action="append", required=True, metavar="FILE", help="StationXML or csv, repeatable"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="gets picks.csv, events.csv, arrivals.csv, events.xml and pictures",
    )
    parser.add_argument(
        "--stations", default="*", metavar="PATTERNS", help="such as 'NZ.*,CI.CLC' or 'NZ.WEL.10.HH?', default: all"
    )
    parser.add_argument(
        "--start", metavar="TIME", help="of the first picks, UTC, such as 2024-06-03T12:00, default: all"
    )
    parser.add_argument("--end", metavar="TIME", help="up to but without it, default: all")
    parser.add_argument("--model", metavar="NAME", help="folder in the model repository, default: picker")
    parser.add_argument("--live", action="store_true", help="look as little ahead as live picking: picker_live")
    add_classic(parser)
    parser.add_argument("--threshold", type=share, metavar="X", help="for both phases, in place of the model's own")
    parser.add_argument(
        "--jobs", type=whole(1), default=2, metavar="N", help="requests to the model at once, default: 2"
    )
    parser.add_argument(
        "--model-error",
        type=real(0, 0.49),
        default=LocationSettings().model_error,
        metavar="SHARE",
        help="of the travel time, default: %(default)g",
    )
    parser.add_argument(
        "--no-pictures", action="store_true", help=f"otherwise one of each event, {MOST_PICTURES} at most"
    )
    add_options(parser)
    add_flags(parser, LocationServiceSettings, only=RULES)
    add_flags(parser, AskSettings, only=["models", "model_repository"])
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    refuse_folder(options.out)  # before hours of picking
    stations, earth, faults = read_stations(options.inventory), earth_of(options), Faults()
    context, catalog = context_of(options, stations, earth), load_settings(CatalogSettings)
    options.out.mkdir(parents=True, exist_ok=True)
    signature = Signature(catalog.catalog_agency, catalog.catalog_author)
    picks, stretches, records, calibration = find_picks(options, context, faults)
    kept = sum(heard.pick.decision == DECISION_KEPT for heard in picks)
    # Now, since whatever comes from here on must not lose hours of picking.
    counts = start_results(options.out, picks, calibration)
    if not kept:
        write_catalogues(options.out, (), signature)
        print(f"{options.out / PICKS}: {told(counts)}")
        print(f"found no picks in {len(records)} stations; nothing to associate", file=sys.stderr)
        return tell_faults(faults)
    usable = [heard for heard in picks if heard.pick.decision in (DECISION_KEPT, DECISION_FAINT)]
    tell_step(f"associating {len(usable):,} picks")
    associations = associate_parts(usable, stations, records, earth, options)
    tell_step(f"locating {len(associations):,} events")
    solved = solve(associations, context)
    events = [each.event for each in solved if each.event is not None]
    counts = write_table(options.out / PICKS, picks, events, calibration)
    write_catalogues(options.out, events, signature)
    print(f"{options.out / PICKS}: {told(counts)}")
    tell(solved, kept, options.out, name_of(earth.model, context.grids_sha256)[0])
    tell_deepest(events, options.deepest_km)
    if not options.no_pictures:
        draw(events, options, stretches, stations, earth)
    return tell_faults(faults)


def find_picks(
    options: argparse.Namespace, context: Context, faults: Faults
) -> tuple[list[Heard], list[Stretch], Records, Calibration | None]:
    """All, in the order of their onsets; where the records lie; when each station has one; and how sure they are."""
    settings = load_settings(AskSettings, overrides(options, AskSettings))
    span = span_of(options)
    with open_listener(options, settings) as listener:
        wanted = Wanted(options.stations, with_context(span, listener))
        paths = find(options.sources, wanted)
        with Bar("reading headers", sum(path.stat().st_size for path in paths)) as bar:
            stretches = scan(paths, wanted, faults, bar.step)
        records = records_in(stretches, wanted, span)
        require_places(records, context.stations)  # before hours of picking
        require_grids(NamedGrids(context.grids, context.grids_sha256), records)
        tell_unknown(stretches, wanted, context.stations)
        tell_unheard(stretches, wanted, options.classic)
        with Bar("picking", sum(stretch.length for stretch in stretches)) as bar:
            found = messages(stretches, wanted, listener, context.stations, options.jobs, faults, bar)
            picks = [heard for heard in found if span.start_ns <= heard.pick.onset_ns < span.end_ns]
    tell_unmet(wanted)
    picks.sort(key=lambda heard: (heard.pick.onset_ns, heard.pick.id))
    return picks, stretches, records, listener.calibration


def records_in(stretches: Iterable[Stretch], wanted: Wanted, span: Span) -> Records:
    """As far as the headers of files tell, sorted; what is cut into files is one."""
    records = defaultdict[str, list[Span]](list)
    for stretch in sorted(stretches, key=lambda each: each.start_ns):
        begin_ns, end_ns = max(stretch.start_ns, span.start_ns), min(stretch.end_ns, span.end_ns)
        for code in filter(wanted.has_station, stretch.stations):
            known = records[code]
            if known and begin_ns <= known[-1].end_ns + NS_PER_S:
                known[-1] = Span(known[-1].start_ns, max(known[-1].end_ns, end_ns))
            elif begin_ns < end_ns:
                known.append(Span(begin_ns, end_ns))
    return records


def start_results(out: Path, picks: Sequence[Heard], calibration: Calibration | None) -> Counter[str]:
    """The picks and, until there is a catalogue of them, none: neither another run's nor one that holds nothing."""
    for name, _ in FILES:
        (out / name).unlink(missing_ok=True)
    remove_pictures(out)
    return write_table(out / PICKS, picks, (), calibration)


def write_catalogues(out: Path, events: Sequence[Event], signature: Signature) -> None:
    for name, kind in FILES:
        write_catalogue(out / name, events, signature, kind)


def write_table(
    path: Path, picks: Iterable[Heard], events: Iterable[Event], calibration: Calibration | None
) -> Counter[str]:
    """Of the faint ones those that an earthquake confirms."""
    confirmed = {arrival.pick_id for event in events for arrival in event.arrivals}
    told_picks = (each for each in picks if each.pick.decision != DECISION_FAINT or each.pick.id in confirmed)
    return write_picks(path, (found_pick(heard, calibration) for heard in told_picks))


def associate_parts(
    picks: Sequence[Heard],
    stations: Mapping[str, Station],
    records: Records,
    earth: Earth,
    options: argparse.Namespace,
) -> list[Association]:
    """Each with the stations where they stood then."""
    found = []
    for part in parts_of([heard.pick.onset_ns for heard in picks], records, stations):
        network = open_network(records, stations, picks[part[0]].pick.onset_ns, earth, options)
        found += associate([picks[number] for number in part], network, records)
    return found


def associate(picks: Iterable[Heard], network: Network, records: Records) -> list[Association]:
    """As the live service does once it has heard all records to their ends."""
    watch = Watch(ALL_GIVEN, network)
    known: dict[str, Instrument] = {}
    for heard in picks:
        watch.add(heard.pick)
        if heard.measurement is not None:
            watch.measure(heard.measurement)
        known.setdefault(station_of(heard.pick.instrument), heard.pick.instrument)
    watch.hear(Progress(instruments=[progress(known[code], spans) for code, spans in records.items() if code in known]))
    return [each for each in watch.finish() if each.status == EVENT_STATUS_FINAL]


def progress(instrument: Instrument, spans: Sequence[Span]) -> InstrumentProgress:
    edges_ns = [0, *(edge for span in spans for edge in (span.start_ns, span.end_ns))]
    gaps = [
        pick_pb2.Span(start_ns=begin, end_ns=end) for begin, end in zip(edges_ns[::2], edges_ns[1::2], strict=False)
    ]
    return InstrumentProgress(instrument=instrument, evaluated_to_ns=edges_ns[-1], gaps=gaps)


def context_of(options: argparse.Namespace, stations: Mapping[str, Station], earth: Earth) -> Context:
    try:
        software = version("kensoku")
    except PackageNotFoundError:
        software = ""
    usual = LocationSettings()
    rules = load_settings(LocationServiceSettings, overrides(options, LocationServiceSettings))
    grids = open_grids(rules.location_time_grids, stations)
    return Context(
        model=earth.model,
        tables={wave: earth.tables[wave] for wave in WAVES},
        stations=stations,
        location=LocationSettings(
            deepest_km=options.deepest_km,
            model_error=options.model_error,
            assumed_depth_km=min(usual.assumed_depth_km, options.deepest_km),
        ),
        corrections=load_time_corrections(options.corrections) if options.corrections else {},
        grids=grids.by_station,
        grids_sha256=grids.sha256,
        rules=rules_of(rules),
        software_version=software,
        association_method="kensoku.associating",
    )


def solve(associations: Sequence[Association], context: Context) -> list[Solved]:
    """Each with the waves of all others known, as in the last revisions of the live service: a small earthquake has
    else the magnitude of the large one after it."""
    book = Book(max(len(associations), 1))
    for association in associations:
        book.expect(association)
    return solve_many(associations, context, book)


def tell(solved: Sequence[Solved], picks: int, out: Path, earth: str) -> None:
    events = [each.event for each in solved if each.event is not None]
    for event in events[:SHOWN]:
        print(line(event))
    if len(events) > SHOWN:
        print(f"... and {len(events) - SHOWN:,} more in {out / 'events.csv'}")
    for each in solved:
        if each.error is not None:
            print(f"not located: {each.association.event_id}: {each.error}", file=sys.stderr)
    print(f"{out}: {len(events):,} events of {picks:,} picks, {earth}")


def line(event: Event) -> str:
    origin = event.origin
    size = next((each for each in event.magnitudes if each.type == event.preferred_magnitude), None)
    magnitude = f"{size.type} {size.value:.1f}" if size else "no magnitude"
    place = f"{origin.latitude_deg:.3f} {origin.longitude_deg:.3f} {origin.depth_km:.1f} km"
    return f"{iso_time(origin.time_ns)}  {place}  {magnitude}  {'?ABCD'[origin.quality]}  {origin.phases_used} phases"
