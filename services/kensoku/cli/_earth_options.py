"""The options of commands that need travel times."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from kensoku.cli._numbers import real
from kensoku.locating import reaches_limit
from kensoku.traveltime import PRESETS
from kensoku.v1.event_pb2 import Event, Origin

DEFAULT_MODEL = "iasp91"


def add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--velocity-model",
        default=DEFAULT_MODEL,
        metavar="NAME|FILE",
        help=f"{', '.join(PRESETS)} or a file, default: {DEFAULT_MODEL}",
    )
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="keeps tables of travel times for the next time")


def add_earth_options(parser: argparse.ArgumentParser, deepest_km: float) -> None:
    add_model_options(parser)
    parser.add_argument(
        "--corrections", type=Path, metavar="FILE", help="csv of station corrections, by `kensoku corrections learn`"
    )
    parser.add_argument(
        "--deepest-km", type=real(1, 700), default=deepest_km, metavar="KM", help="default: %(default)g"
    )


def tell_deepest(events: Iterable[Event], deepest_km: float) -> None:
    if count := sum(_is_deepest(event.origin, deepest_km) for event in events):
        print(
            f"{count:,} events reach the greatest depth that is allowed, {deepest_km:g} km, and may be deeper: give a "
            "greater --deepest-km",
            file=sys.stderr,
        )


def _is_deepest(origin: Origin, deepest_km: float) -> bool:
    return not origin.depth_is_fixed and reaches_limit(origin.depth_km, origin.depth_upper_km, deepest_km)
