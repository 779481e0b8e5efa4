"""`kensoku corrections`: learn from a catalogue how late waves come to each station, and how large it reads events."""

import argparse
import os
import sys
from pathlib import Path

from kensoku.cli._catalog_diff import HERE, events_of
from kensoku.cli._catalog_select import add_database_flags, add_selection_flags, selection_of
from kensoku.cli._earth_options import add_model_options
from kensoku.cli._numbers import real, whole
from kensoku.cli.locate import WAVES
from kensoku.cli.pick import read_stations
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.locating import (
    Learned,
    LearningSettings,
    LocationSettings,
    learn_time_corrections,
    write_time_corrections,
)
from kensoku.magnitudes import learn_corrections, write_corrections
from kensoku.traveltime import TravelTimeTable, Wave, build_table, grid_for, load_model
from kensoku.v1.event_pb2 import Event

SHOWN = 8


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    configure_learn(actions.add_parser("learn", help="from the residuals of well located events, relocating them"))


def configure_learn(parser: argparse.ArgumentParser) -> None:
    location, learning = LocationSettings(), LearningSettings()
    parser.add_argument(
        "--catalogue", default=HERE, metavar="PLACE", help=f"QuakeML, a database's URL, or {HERE} (the default)"
    )
    parser.add_argument(
        "--inventory", type=Path, action="append", required=True, metavar="FILE", help="StationXML or csv, repeatable"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="csv: station,phase,correction_s,...")
    parser.add_argument("--magnitudes-out", type=Path, metavar="FILE", help="csv of corrections of magnitudes, too")
    add_model_options(parser)
    parser.add_argument(
        "--deepest-km", type=real(1, 700), default=location.deepest_km, metavar="KM", help="default: %(default)g"
    )
    parser.add_argument(
        "--rounds", type=whole(1, 100), default=learning.rounds, metavar="N", help="at most; default: %(default)d"
    )
    parser.add_argument(
        "--fewest", type=whole(2), default=learning.fewest, metavar="N", help="arrivals; default: %(default)d"
    )
    add_selection_flags(parser)
    add_database_flags(parser)
    parser.set_defaults(execute=learn)


def learn(options: argparse.Namespace) -> int:
    for path in filter(None, (options.out, options.magnitudes_out)):
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise SettingInvalid(f"found {path}, expected the name of a csv file in a folder that exists")
        if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
            raise SettingInvalid(f"found that {path} may not be written, expected one that may; name another")
    inventory = read_stations(options.inventory)
    events = list(events_of(options.catalogue, selection_of(options), options))
    if not any(event.arrivals for event in events):
        raise InputInvalid(
            f"found {len(events)} events without any arrivals in {options.catalogue}, expected a catalogue with "
            "arrivals: QuakeML or a database"
        )
    model, grid = load_model(options.velocity_model), grid_for(options.deepest_km)
    tables: dict[Wave, TravelTimeTable] = {wave: build_table(model, wave, grid, options.cache) for wave in WAVES}
    settings = LearningSettings(rounds=options.rounds, fewest=options.fewest)
    location = LocationSettings(deepest_km=options.deepest_km, assumed_depth_km=min(10.0, options.deepest_km))
    learned = learn_time_corrections(events, inventory, tables, location, settings)
    options.out.write_text(write_time_corrections(learned.corrections), encoding="utf-8")
    _tell(learned, len(events), options.out, model.name)
    if options.magnitudes_out:
        _learn_magnitudes(events, options.magnitudes_out)
    return 0


def _tell(learned: Learned, events: int, out: Path, model: str) -> None:
    print(
        f"{learned.events} of {events} events well located with the velocity model {model}, relocated "
        f"{learned.rounds} times; residuals {learned.rms_before_s:.3f} s before, {learned.rms_after_s:.3f} s after; "
        f"{len(learned.corrections)} corrections in {out}"
    )
    if not learned.is_settled:
        print("the last relocation still changed corrections: give more --rounds", file=sys.stderr)
    for (station, phase), (arrivals, suiting) in sorted(learned.unsuitable.items()):
        print(
            f"no correction of {station} {phase}: found {suiting} of {arrivals} arrivals that suit the others, "
            "expected most of them, early or late alike; check its clock, its place and its picks",
            file=sys.stderr,
        )
    largest = sorted(learned.corrections.items(), key=lambda item: -abs(item[1].correction_s))[:SHOWN]
    for (station, phase), one in largest:
        print(
            f"  {station:<10} {phase}  {one.correction_s:+.3f} s +- {one.standard_error_s:.3f}, {one.arrivals} arrivals"
        )


def _learn_magnitudes(events: list[Event], out: Path) -> None:
    corrections = learn_corrections(magnitude for event in events for magnitude in event.magnitudes)
    out.write_text(write_corrections(corrections), encoding="utf-8")
    print(f"{sum(map(len, corrections.values()))} corrections of magnitudes in {out}")
