"""Where the stations are, published before their waveforms flow."""

import argparse
import logging
import sys
from pathlib import Path

from kensoku.bus import Bus
from kensoku.inventory import Reading, publish

log = logging.getLogger("kensoku.run")


def add_inventory_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--inventory",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="publish the stations of these StationXML or csv files first, as `kensoku inventory apply` does; those of "
        "a simulated source are published by acquisition",
    )


def publish_inventory(bus: Bus, reading: Reading | None) -> None:
    if reading is None:
        return
    for note in reading.notes:
        print(f"note: {note}", file=sys.stderr)
    changed = publish(bus, reading.stations)
    known = len(reading.stations) - len(changed)
    log.info("published %d stations%s", len(changed), f"; {known} more were known already" if known else "")
