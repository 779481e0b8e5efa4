"""`kensoku simulate`: write a scenario's records, or windows to train with, and all that is known of them."""

import argparse
import io
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import get_args

from google.protobuf.proto import serialize_length_prefixed

from kensoku.acquisition.simulated import seconds_of
from kensoku.cli._numbers import whole
from kensoku.errors import SettingInvalid
from kensoku.packets import encode_packet
from kensoku.simulation.archive import Progress, Selection, select_stations, write_archive
from kensoku.simulation.engine import World, open_world
from kensoku.simulation.scenario import BUNDLED, bundled_scenarios
from kensoku.simulation.shards import Of, Plan, write_shards
from kensoku.simulation.shards import Progress as WindowProgress
from kensoku.simulation.telemetry import Delivery, deliver
from kensoku.times import NS_PER_S, iso_time, parse_time_ns
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY
from kensoku.whole_files import written_whole

EVERY_S = 2.0  # between lines of progress
WINDOWS = "windows"  # in the place of a scenario
BAR = 30  # letters


def configure(parser: argparse.ArgumentParser) -> None:
    scenario = f"a TOML file, or the name of a bundled one; or `{WINDOWS}`: examples to train pickers with"
    parser.add_argument("scenario", nargs="?", metavar="SCENARIO", help=scenario)
    parser.add_argument("--list", action="store_true", help="name the bundled scenarios, and write nothing")
    parser.add_argument("--out", type=Path, metavar="DIR", help="new or empty folder, or one in which this was stopped")
    parser.add_argument("--packets", action="store_true", help="write the bus's messages instead, to the file --out")
    parser.add_argument("--start", metavar="TIME", help="leave out what is earlier, e.g. 2024-06-03T06:10:00Z")
    parser.add_argument("--end", metavar="TIME", help="leave out this moment and what is later")
    parser.add_argument("--stations", metavar="PATTERNS", help="of NET.STA, separated by commas")
    parser.add_argument("--count", type=whole(1), metavar="N", help=f"of {WINDOWS}")
    like = f"of {WINDOWS}: anything; swarms; or half of blasts and half of earthquakes that could be taken for them"
    parser.add_argument("--of", choices=get_args(Of), help=like)
    parser.add_argument("--seed", type=whole(), metavar="N", help=f"of {WINDOWS}; a scenario has its own")
    parser.add_argument(
        "--jobs", type=whole(1, 1024), default=os.cpu_count() or 1, metavar="N", help="processes: %(default)s"
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    refuse_others(options)
    if options.list:
        print("\n".join(f"{name:<12}  {summary(name)}" for name in bundled_scenarios()))
        return 0
    if options.scenario is None or options.out is None:
        raise SettingInvalid("found no SCENARIO or no --out DIR, expected both; `kensoku simulate --list` names some")
    if options.scenario == WINDOWS:
        tell_windows(
            write_shards(options.out, Plan(options.seed or 0, options.count, of=options.of or "any"), options.jobs)
        )
        print(f"{options.out}: {options.count:,} windows")
        return 0
    world = open_world(options.scenario)
    selection = select(world, options)
    if options.packets:
        print(f"{options.out}: {write_packets(options.out, world, selection)} packets")
        return 0
    tell(write_archive(options.out, world, selection, options.jobs))
    print(
        f"{options.out}: {len(select_stations(world, selection.stations))} stations of {world.scenario.name}, "
        f"{iso_time(selection.start_ns)} to {iso_time(selection.end_ns)}"
    )
    return 0


def refuse_others(options: argparse.Namespace) -> None:
    """Windows and scenarios have their own options."""
    is_windows = options.scenario == WINDOWS
    if is_windows and options.count is None:
        raise SettingInvalid(f"found no --count, expected how many {WINDOWS} to make, e.g. --count 10000")
    others = ("packets", "start", "end", "stations") if is_windows else ("count", "of", "seed")
    for name in others:
        if getattr(options, name) not in (None, False):
            what = WINDOWS if is_windows else "a scenario"
            raise SettingInvalid(f"found --{name}, which {what} cannot have; expected a call without it")


def write_packets(path: Path, world: World, selection: Selection) -> int:
    """Each WaveformPacket behind its length, in the order of arrival; the file has its name once it is whole."""
    if path.exists():
        raise SettingInvalid(f"{path}: found something there; expected a new file")
    chosen = replace(world, stations=select_stations(world, selection.stations))
    first, end = selection.start_ns // NS_PER_S, -(-selection.end_ns // NS_PER_S)
    packets = seconds_of(chosen, first, end, at_once=1)
    count = 0
    with written_whole(path) as temporary, temporary.open("wb") as file:
        for delivery in deliver(packets, world.scenario.telemetry, world.scenario.seed):
            file.write(encode(delivery))
            count += 1
    return count


def encode(delivery: Delivery) -> bytes:
    packet, kind = delivery.packet, TIME_KIND_REPLAY
    prefixed = io.BytesIO()
    message = encode_packet(packet.network, packet.station, packet.channels, "simulation", delivery.due_ns, kind)
    serialize_length_prefixed(message, prefixed)
    return prefixed.getvalue()


def summary(name: str) -> str:
    """What the file says of itself in its first line."""
    first, _, _ = (BUNDLED / f"{name}.toml").read_text("utf-8").partition("\n")
    return first.removeprefix("# ")


def select(world: World, options: argparse.Namespace) -> Selection:
    start_ns = parse_time_ns(options.start) if options.start else world.start_ns
    end_ns = parse_time_ns(options.end) if options.end else world.end_ns
    if not world.start_ns <= start_ns < end_ns <= world.end_ns:
        raise SettingInvalid(
            f"found {iso_time(start_ns)} to {iso_time(end_ns)}; expected a stretch of the scenario's "
            f"{iso_time(world.start_ns)} to {iso_time(world.end_ns)}"
        )
    return Selection(str(options.scenario), start_ns, end_ns, options.stations or "*")


def tell(progress: Iterable[Progress]) -> None:
    """`12 of 40 stations, 10,400 station-seconds a second, 2 minutes left`, now and then."""
    began = told = time.monotonic()
    for reached in progress:
        now = time.monotonic()
        if reached.station_s and (now - told > EVERY_S or reached.stations_done == reached.stations):
            told = now
            print(line(reached, now - began), file=sys.stderr, flush=True)
        elif not reached.station_s and reached.stations_done:
            print(f"{reached.stations_done} of {reached.stations} stations were written before", file=sys.stderr)


def line(reached: Progress, since_s: float) -> str:
    speed = reached.station_s / since_s
    left_s = (reached.stations - reached.stations_done) * reached.seconds_each / speed
    return (
        f"{reached.stations_done} of {reached.stations} stations, {speed:,.0f} station-seconds a second, "
        f"{left_s / 60:.0f} minutes left"
    )


def tell_windows(progress: Iterable[WindowProgress]) -> None:
    """On a terminal a bar that grows, else a line now and then."""
    began = told = time.monotonic()
    is_terminal = sys.stderr.isatty()
    for reached in progress:
        now = time.monotonic()
        if is_terminal:
            print(f"\r{bar(reached)} {windows_line(reached, now - began)}\033[K", end="", file=sys.stderr, flush=True)
        elif now - told > EVERY_S or reached.done == reached.count:
            told = now
            print(windows_line(reached, now - began), file=sys.stderr, flush=True)
    if is_terminal:
        print(file=sys.stderr)


def bar(reached: WindowProgress) -> str:
    full = BAR * reached.done // reached.count
    return "█" * full + "░" * (BAR - full)


def windows_line(reached: WindowProgress, since_s: float) -> str:
    if not reached.written:
        return f"{reached.done:,} of {reached.count:,} windows are there"
    speed = reached.written / since_s
    left_s = (reached.count - reached.done) / speed
    return f"{reached.done:,} of {reached.count:,} windows, {speed:,.0f} a second, {left_s / 60:.0f} minutes left"
