"""The options of commands that need travel times."""

import argparse
from pathlib import Path

from kensoku.cli._numbers import real
from kensoku.traveltime import PRESETS

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
