"""`kensoku pick`: the arrivals in files, archives and window files, as a table or QuakeML."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from kensoku.acquisition.seconds import Span
from kensoku.acquisition.waveform_files import NO_NETWORK, Stretch
from kensoku.batch import EVERYWHERE, Blocks, Heard, Listener, found_pick, hear_pieces
from kensoku.batch import open_listener as opened_listener
from kensoku.cli import _models_run
from kensoku.cli._models import AskSettings
from kensoku.cli._models_run import LIVE_PICKER, PICKER
from kensoku.cli._numbers import share, whole
from kensoku.cli._pick_files import Faults, Wanted, find, groups, pieces, scan
from kensoku.cli._pick_output import told, write_picks, writer_for
from kensoku.cli._pick_progress import Bar
from kensoku.cli.inventory import read_files
from kensoku.continuous import index_of, instrument_of, time_of
from kensoku.errors import ModelRefused, SettingInvalid
from kensoku.inventory import has_epoch
from kensoku.packets import EARLIEST_NS, LATEST_NS, unmet_patterns
from kensoku.settings import add_flags, load_settings, overrides
from kensoku.times import NS_PER_S, iso_time, parse_time_ns
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT

LEFT_OUT = 3  # exit code: picks were written, but something could not be read
NAMED = 6  # stations in one note
STATIONS_AT_ONCE = 4  # a job
LIVE_CONTEXT_NS = 300 * NS_PER_S  # longer than anything that a live pick and its measurement look at
CLASSIC_HELP = "STA/LTA and AR-AIC in the place of a network; a denoiser judges them, and --model refines the onsets"
WINDOW_FILES = (".h5", ".hdf5")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources", nargs="+", metavar="FILE|FOLDER", help="whatever ObsPy reads, SDS trees, patterns, or a window file"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".csv, .parquet, .xml (QuakeML)")
    parser.add_argument(
        "--inventory",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="StationXML or csv, may be repeated; without it amplitudes stay in counts",
    )
    parser.add_argument(
        "--stations", default="*", metavar="PATTERNS", help="such as 'NZ.*,CI.CLC' or 'NZ.WEL.10.HH?', default: all"
    )
    parser.add_argument(
        "--start", metavar="TIME", help="of the first picks, UTC, such as 2024-06-03T12:00, default: all"
    )
    parser.add_argument("--end", metavar="TIME", help="up to but without it, default: all")
    parser.add_argument("--model", metavar="NAME", help=f"folder in the model repository, default: {PICKER}")
    parser.add_argument("--live", action="store_true", help=f"look as little ahead as live picking: {LIVE_PICKER}")
    add_classic(parser)
    parser.add_argument("--threshold", type=share, metavar="X", help="for both phases, in place of the model's own")
    parser.add_argument("--faint", action="store_true", help="also those below the threshold, which association weighs")
    parser.add_argument(
        "--jobs",
        type=whole(1),
        default=2,
        metavar="N",
        help="requests to the model at once, with full context, default: 2",
    )
    add_flags(parser, AskSettings, only=["models", "model_repository"])
    parser.set_defaults(execute=execute)


def add_classic(parser: argparse.ArgumentParser) -> None:
    """Patterns of the stations in `classic`, of which there are none unless told."""
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--classic", action="store_const", const=EVERYWHERE, default="", help=CLASSIC_HELP)
    either.add_argument(
        "--classic-stations",
        dest="classic",
        default="",
        metavar="PATTERNS",
        help="of NET.STA, such as 'NZ.*,CI.CLC': --classic at these alone",
    )


def execute(options: argparse.Namespace) -> int:
    if any(source.lower().endswith(WINDOW_FILES) for source in options.sources):
        return pick_windows(options)
    settings = load_settings(AskSettings, overrides(options, AskSettings))
    writer_for(options.out)
    stations = read_stations(options.inventory)
    span = span_of(options)
    faults = Faults()
    with open_listener(options, settings) as listener:
        wanted = Wanted(options.stations, with_context(span, listener))
        paths = [path for path in find(options.sources, wanted) if path.resolve() != options.out.resolve()]
        with Bar("reading headers", sum(path.stat().st_size for path in paths)) as bar:
            stretches = scan(paths, wanted, faults, bar.step)
        tell_unknown(stretches, wanted, stations)
        tell_unheard(stretches, wanted, options.classic)
        with Bar("picking", sum(stretch.length for stretch in stretches)) as bar:
            found = messages(stretches, wanted, listener, stations, options.jobs, faults, bar)
            within = (
                found_pick(heard, listener.calibration)
                for heard in found
                if span.start_ns <= heard.pick.onset_ns < span.end_ns
                and (options.faint or heard.pick.decision != DECISION_FAINT)
            )
            counts = write_picks(options.out, within)
    tell_unmet(wanted)
    print(f"{options.out}: {told(counts)}; {bar.summary()}")
    return tell_faults(faults)


def read_stations(paths: list[Path]) -> Mapping[str, Station]:
    if not paths:
        return {}
    reading = read_files(paths)
    for note in reading.notes:
        print(f"note: {note}", file=sys.stderr)
    return reading.stations


def span_of(options: argparse.Namespace) -> Span:
    start_ns = parse_time_ns(options.start) if options.start else EARLIEST_NS
    end_ns = parse_time_ns(options.end) if options.end else LATEST_NS
    if start_ns >= end_ns:
        raise SettingInvalid(f"found --start {iso_time(start_ns)}, expected a time before --end {iso_time(end_ns)}")
    return Span(start_ns, end_ns)


def pick_windows(options: argparse.Namespace) -> int:
    """Windows have neither a time nor a station, so their picks are another table."""
    if len(options.sources) > 1 or options.out.suffix.lower() != ".csv":
        raise SettingInvalid(
            f"found {len(options.sources)} sources with a window file among them and --out {options.out}, expected a "
            "window file alone and a csv file, in which picks are told by window and sample"
        )
    of_records = {name: getattr(options, name) for name in ("inventory", "start", "end", "faint", "classic")}
    of_records["stations"] = options.stations != "*"
    if given := [f"--{name}" for name, value in of_records.items() if value]:
        raise SettingInvalid(
            f"found {', '.join(given)} with a window file, expected none of it: windows have neither a time nor a "
            "station; leave it out"
        )
    options.windows = Path(options.sources[0])
    return _models_run.run_picker(options)


@contextmanager
def open_listener(options: argparse.Namespace, settings: AskSettings) -> Iterator[Listener]:
    """Who listens, as the options --classic, --classic-stations, --live, --model and --threshold say."""
    where = (settings.repository, settings.url)
    if options.classic == EVERYWHERE and options.live and options.model:
        raise SettingInvalid(
            f"found --model {options.model} with --classic --live, where none refines the onsets; expected one of "
            "--live and --model"
        )
    opened = opened_listener(
        *where, model_name(options), options.threshold, classic=options.classic, is_refined=not options.live
    )
    with opened as listener:
        if options.live and listener.full_context is not None:
            raise ModelRefused(
                f"model {listener.full_context.name!r}: found full context, expected a stated look-ahead; give another "
                "--model"
            )
        yield listener


def model_name(options: argparse.Namespace) -> str:
    return options.model or (LIVE_PICKER if options.live else PICKER)


def with_context(span: Span, listener: Listener) -> Span:
    """What must be read so that the picks of a span are those of the whole record."""
    start_ns, end_ns = span.start_ns - LIVE_CONTEXT_NS, span.end_ns + LIVE_CONTEXT_NS
    if listener.full_context is not None:
        blocks = Blocks(listener.full_context.card.geometry)
        first, _ = blocks.given(blocks.block_of(index_of(span.start_ns)) - 1)
        _, end = blocks.given(blocks.block_of(index_of(span.end_ns)) + 1)
        start_ns, end_ns = min(start_ns, time_of(first)), max(end_ns, time_of(end))
    return Span(max(start_ns, EARLIEST_NS), min(end_ns, LATEST_NS))


def messages(
    stretches: Sequence[Stretch],
    wanted: Wanted,
    listener: Listener,
    stations: Mapping[str, Station],
    jobs: int,
    faults: Faults,
    bar: Bar,
) -> Iterator[Heard]:
    with ThreadPoolExecutor(jobs) as executor:
        for group in groups(stretches, STATIONS_AT_ONCE * jobs):
            records = bar.counted(pieces(group, wanted, faults, bar.step))
            for heard in hear_pieces(records, listener, stations, executor, faults.add_channel):
                bar.picks += heard.pick.decision == DECISION_KEPT
                yield heard


def tell_unknown(stretches: Iterable[Stretch], wanted: Wanted, stations: Mapping[str, Station]) -> None:
    """An inventory that lacks some, or all, of the stations may be of another network, or its codes misspelt."""
    recorded = {code for stretch in stretches for code in stretch.stations if wanted.has_station(code)}
    if stations and (codes := sorted(recorded - stations.keys())):
        print(
            f"note: --inventory: found no {_named(codes)}, so amplitudes stay in counts and nothing is located by "
            "these picks; check the codes",
            file=sys.stderr,
        )
    if channels := sorted(set(_without_epoch(stretches, wanted, stations))):
        print(
            f"note: --inventory: found no epoch of {_named(channels)} at the time of its record, so amplitudes stay in "
            "counts, and its station stands where it stood before; check location codes, start and end",
            file=sys.stderr,
        )


def tell_unheard(stretches: Iterable[Stretch], wanted: Wanted, classic: str) -> None:
    """Of the patterns of --classic-stations one may be misspelt, and its stations are picked by the network."""
    recorded = {code for stretch in stretches for code in stretch.stations if wanted.has_station(code)}
    for pattern in unmet_patterns(classic, recorded):
        print(
            f"note: --classic-stations: found no station of {pattern!r} among the records; check its spelling",
            file=sys.stderr,
        )


def _named(codes: Sequence[str]) -> str:
    return ", ".join(codes[:NAMED]) + (f" and {len(codes) - NAMED} more" if len(codes) > NAMED else "")


def _without_epoch(stretches: Iterable[Stretch], wanted: Wanted, stations: Mapping[str, Station]) -> Iterator[str]:
    """Seismometers of known stations."""
    for stretch in stretches:
        for name in stretch.rates_hz:
            if name.count(".") != 3:  # a code that no packet may have, which is told where it is read
                continue
            network, station, location, code = name.split(".")
            key = f"{network or NO_NETWORK}.{station}"
            is_meant = key in stations and wanted.has_station(key) and instrument_of("", "", location, code)
            if is_meant and not has_epoch(stations[key], location, code, stretch.start_ns, stretch.end_ns):
                yield f"{key}.{location}.{code}"


def tell_unmet(wanted: Wanted) -> None:
    """Of several patterns one may be misspelt, and the others still find something."""
    for pattern in wanted.unmet:
        print(
            f"note: --stations: found no channel of {pattern!r} among the records; check its spelling", file=sys.stderr
        )


def tell_faults(faults: Faults) -> int:
    if faults.parts:
        print(f"left out: {faults.parts:,} unreadable parts of {len(faults.files):,} files", file=sys.stderr)
    return LEFT_OUT if faults.parts or faults.channels else 0
