"""`kensoku dataset`: build, complete, count and look at the examples that networks learn from."""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kensoku.cli import _dataset_pick
from kensoku.cli._numbers import whole
from kensoku.cli._outputs import refuse_file
from kensoku.errors import SettingInvalid

if TYPE_CHECKING:
    from kensoku.training.datasets import Progress

EVERY_S = 2.0  # between lines of progress
BAR, WIDTH = 30, 72  # letters


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    command = actions.add_parser("build", help="collect, split and write what a description names")
    command.add_argument("description", type=Path, metavar="DESCRIPTION.toml")
    data = "where {NAME} of the description's paths lies; once for each name"
    command.add_argument("--data", action="append", default=[], metavar="NAME=DIR", help=data)
    out = "new or empty folder, or one in which this was stopped"
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help=out)
    command.set_defaults(execute=execute_build)
    command = actions.add_parser("show", help="count examples, picks, stations and events by split and source")
    command.add_argument("folder", type=Path, metavar="DIR")
    command.set_defaults(execute=execute_show)
    command = actions.add_parser("sheet", help="draw examples with their labels and what is unknown")
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    command.add_argument("--source", metavar="NAME", help="only of this source")
    command.add_argument("--split", metavar="NAME", help="only of this split: train, develop, mixed or left_out")
    command.add_argument("--close", action="store_true", help="only what lies around the labels")
    command.add_argument("--count", type=whole(1), default=24, metavar="N", help="examples: %(default)s")
    command.add_argument("--seed", type=whole(), default=0, metavar="N", help="which ones: %(default)s")
    command.set_defaults(execute=execute_sheet)
    _dataset_pick.add_actions(actions)


def execute_build(options: argparse.Namespace) -> int:
    from kensoku.training.datasets import build, load_description

    folders = dict(map(parse_folder, options.data))
    tell(build(options.out, load_description(options.description), folders))
    execute_show(argparse.Namespace(folder=options.out))
    tell_unjudged(options.out)
    return 0


def tell_unjudged(folder: Path) -> None:
    from kensoku.training.datasets import read_finished

    rows = read_finished(folder)["counts"]
    if not any(row["P"] + row["S"] for row in rows if row["split"] == "develop"):
        of = {side: sum(row["examples"] for row in rows if row["split"] == side) for side in ("train", "mixed")}
        print(
            f"{folder}: found no label in split develop, expected some to judge training by; {of['train']:,} examples "
            f"are in train and {of['mixed']:,} in mixed, as what shares stations or earthquakes hangs together: give "
            "sources a larger develop_share or the description another seed, and build anew",
            file=sys.stderr,
        )


def parse_folder(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise SettingInvalid(f"--data: found {text!r}; expected NAME=DIR")
    return name, Path(folder)


def execute_show(options: argparse.Namespace) -> int:
    from kensoku.training.datasets import read_finished
    from kensoku.training.examples import RATE_HZ

    print("split     source            examples       P       S  stations  events    hours")
    for row in read_finished(options.folder)["counts"]:
        hours = row["samples"] / RATE_HZ / 3600
        print(
            f"{row['split']:<9} {row['source']:<16} {row['examples']:>9,} {row['P']:>7,} {row['S']:>7,} "
            f"{row['stations']:>9,} {row['events']:>7,} {hours:>8.1f}"
        )
    return 0


def execute_sheet(options: argparse.Namespace) -> int:
    refuse_file(options.out)
    from kensoku.training.datasets.sheet import draw_sheet

    count = draw_sheet(
        options.folder, options.out, options.count, options.seed, options.source, options.split, options.close
    )
    print(f"{options.out}: {count} examples")
    return 0


def tell(progress: "Iterable[Progress]") -> None:
    """A bar that moves on a terminal; elsewhere a line from time to time."""
    is_live = sys.stderr.isatty()
    told, last = time.monotonic(), None
    for last in progress:
        if time.monotonic() - told >= (0.1 if is_live else EVERY_S):
            told = time.monotonic()
            print(f"{line(last):<{WIDTH}}\r" if is_live else f"{line(last)}\n", end="", file=sys.stderr, flush=True)
    if last is not None:
        print(f"{line(last):<{WIDTH}}", file=sys.stderr, flush=True)


def line(progress: "Progress") -> str:
    if progress.count is None:
        return f"{progress.what:<16} {progress.done:>9,} records"
    filled = BAR * progress.done // max(progress.count, 1)
    return f"{progress.what:<16} [{'#' * filled:<{BAR}}] {progress.done:,} of {progress.count:,}"
