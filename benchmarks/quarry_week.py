"""The working week of the scenario `quarries`, from waveforms to event types: what batch makes of blasts and quakes.

`python -m benchmarks.quarry_week [--keep DIR] [--json]`: the minutes around each of its events are simulated (kept in
DIR, for another time; a quarter of an hour), and `kensoku detect` picks, locates and types what is in them with the
shipped models. Found events are paired with true ones within 3 s and 30 km.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import Figures, machine_name, show
from kensoku.catalogue_files import Limits, compare, read_catalogue
from kensoku.cli.main import main as kensoku
from kensoku.simulation.engine import World, open_world
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.event_pb2 import EVENT_TYPE_BLAST, EVENT_TYPE_EARTHQUAKE, Event

SCENARIO = "quarries"
BEFORE_NS, AFTER_NS = 60 * NS_PER_S, 110 * NS_PER_S  # what picking looks back at; waves, and half a minute after them
NAMES = {EVENT_TYPE_EARTHQUAKE: "earthquake", EVENT_TYPE_BLAST: "blast"}


def measure(folder: Path) -> Figures:
    world = open_world(SCENARIO)
    parts = [simulated(folder, number, *span) for number, span in enumerate(spans(world))]
    truth = {event.id: event for part in parts for event in read_catalogue(part / "events.xml").events}
    out, inventory = folder / "detected", parts[0] / "stations.xml"
    given = ["--inventory", str(inventory), "--velocity-model", "japan", "--models", "local", "--no-pictures"]
    if kensoku(["detect", *map(str, parts), *given, "--out", str(out)]) != 0:
        raise SystemExit("kensoku detect has failed")
    found = compare(truth.values(), read_catalogue(out / "events.xml").events, Limits())
    typed = Counter((kind(pair.a), kind(pair.b)) for pair in found.pairs)
    figures: dict[str, float] = {"events": len(truth), "found": len(found.pairs), "false": len(found.only_b)}
    for true in ("earthquake", "blast"):
        figures[f"{true}s"] = sum(kind(event) == true for event in truth.values())
        for said in ("earthquake", "blast", "other"):
            figures[f"{true}s_typed_{said}"] = typed[true, said]
    return figures


def kind(event: Event) -> str:
    return NAMES.get(event.type, "other")


def spans(world: World) -> Iterator[tuple[int, int]]:
    """Around each event, those that overlap together."""
    begin_ns, end_ns = 0, 0
    for time_ns in sorted(map(int, world.catalogue.time_ns)):
        if time_ns - BEFORE_NS >= end_ns:
            if end_ns:
                yield begin_ns, end_ns
            begin_ns = time_ns - BEFORE_NS
        end_ns = time_ns + AFTER_NS
    yield begin_ns, end_ns


def simulated(folder: Path, number: int, start_ns: int, end_ns: int) -> Path:
    part = folder / f"{number:03d}"
    if not (part / "manifest.json").exists():
        times = [f"--start={iso_time(start_ns)}", f"--end={iso_time(end_ns)}"]
        if kensoku(["simulate", SCENARIO, "--out", str(part), *times]) != 0:
            raise SystemExit(f"kensoku simulate has failed in {part}")
    return part


@contextmanager
def place(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    title = "Blasts and earthquakes of a working week, from waveforms to types"
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder of what is simulated, before and now")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args(arguments)
    with place(options.keep) as folder:
        figures = measure(folder)
    show(title, figures)
    if options.json:
        print(json.dumps({"machine": machine_name(), **figures}))


if __name__ == "__main__":
    main()
