"""Where the stations are, published before their waveforms flow: from files, or as the simulated network's operator."""

import argparse
import io
import logging
import sys
from pathlib import Path

from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.bus import Bus
from kensoku.cli.inventory import publish, read_files
from kensoku.inventory import Reading, read_inventory
from kensoku.packets import station_filter

log = logging.getLogger("kensoku.run")


def add_inventory_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--inventory",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="publish the stations of these StationXML or csv files first, as `kensoku inventory apply` does; those of "
        "a simulated source are published without being asked for",
    )


def publish_inventory(bus: Bus, reading: Reading | None) -> None:
    if reading is None:
        return
    for note in reading.notes:
        print(f"note: {note}", file=sys.stderr)
    changed = publish(bus, reading.stations)
    known = len(reading.stations) - len(changed)
    log.info("published %d stations%s", len(changed), f"; {known} more were known already" if known else "")


def inventory_of(files: list[Path], acquisition: AcquisitionSettings | None) -> Reading | None:
    """Of the files; without any, of the simulated network that is replayed."""
    from kensoku.acquisition.sources import SIMULATED  # only now: it reads files of all formats

    if files:
        return read_files(files)
    if acquisition and acquisition.acquisition_source.startswith(SIMULATED):
        return simulated_inventory(acquisition)
    return None


def simulated_inventory(settings: AcquisitionSettings) -> Reading:
    from kensoku.acquisition.sources import SIMULATED
    from kensoku.simulation.engine import open_world  # only now: who replays files needs none of it
    from kensoku.simulation.metadata import published_inventory

    world = open_world(settings.acquisition_source.removeprefix(SIMULATED))
    is_selected = station_filter(settings.acquisition_stations)
    stations = [station for station in world.stations if is_selected(station.name)]
    if not stations:
        return Reading({})  # acquisition says what is wrong
    xml = io.BytesIO()
    published_inventory(world, stations).write(xml, format="STATIONXML")
    return read_inventory({settings.acquisition_source: xml.getvalue()})
