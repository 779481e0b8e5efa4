"""A scenario as files: an SDS archive of miniSEED, its metadata, and tables of all that is known of it.

A station's files appear under their names when they are whole, and its arrivals after them, so a run that was stopped
goes on with the stations that are missing. The manifest comes last and says that nothing is.
"""

import hashlib
import io
import json
import multiprocessing
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import obspy
import scipy
from obspy import Stream, Trace, UTCDateTime

from kensoku.errors import SettingInvalid
from kensoku.packets import station_filter
from kensoku.simulation.disturbances import LOOK_AHEAD_S
from kensoku.simulation.engine import (
    LOOK_AHEAD_NS,
    Block,
    World,
    block_at,
    disturbances,
    instrument_of,
    open_world,
    record,
)
from kensoku.simulation.metadata import STATIONS_HEADER, published_inventory, station_line
from kensoku.simulation.networks import Station
from kensoku.simulation.recorder import Int32Array
from kensoku.simulation.stationxml import (
    channel_codes,
)
from kensoku.simulation.truth import (
    ARRIVALS_HEADER,
    DISTURBANCES_HEADER,
    EVENTS_HEADER,
    Sighting,
    Sightings,
    arrival_line,
    disturbance_line,
    event_lines,
    quakeml,
    rows_between,
)
from kensoku.times import NS_PER_S, iso_time
from kensoku.whole_files import written_whole

RECORD_BYTES = 4096
HOUR_NS = 3600 * NS_PER_S
MANIFEST, UNFINISHED, README = "manifest.json", ".unfinished", "README.md"
README_TEXT = """Simulated seismograms: nothing in this folder was recorded, and no earthquake in it happened.

Written by `kensoku simulate` from the scenario {scenario}, seed {seed}; manifest.json has versions and hashes.
  YEAR/NET/STA/CHA.D/*  miniSEED, counts, an SDS archive
  stations.xml          StationXML with responses, as an operator would publish them
  events.xml            QuakeML: origins, ML and Mw, mechanisms
  events.csv            all sources, with stress drop, S corner and the event that triggered them
  arrivals.csv          theoretical arrivals with their local SNR; visible: at least 2; empty: the record ends there
  disturbances.csv      what is no earthquake and may look like one
  stations.csv          what stations are made of, and which of them have wrong metadata
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a scenario is written."""

    scenario: str
    start_ns: int
    end_ns: int
    stations: str = "*"  # patterns of NET.STA, separated by commas


@dataclass(frozen=True, slots=True)
class Progress:
    stations_done: int
    stations: int
    seconds_each: float  # of a station
    written: int = 0  # stations, in this run

    @property
    def station_s(self) -> float:
        return self.written * self.seconds_each


def select_stations(world: World, patterns: str) -> list[Station]:
    is_wanted = station_filter(patterns)
    chosen = [station for station in world.stations if is_wanted(station.name)]
    if not chosen:
        names = [station.name for station in world.stations]
        raise SettingInvalid(
            f"found no station {patterns!r} in {world.scenario.name}; expected some of {names[0]} to {names[-1]}"
        )
    return chosen


# --- all of it --------------------------------------------------------------------------------------------------------


def write_archive(folder: Path, world: World, selection: Selection, jobs: int) -> Iterator[Progress]:
    """Writes what is missing in the folder, and tells after each station how far it is."""
    stations = select_stations(world, selection.stations)
    identity = describe_run(world, selection)
    if not _begin(folder, identity):
        return
    missing = [station for station in stations if not _truth_path(folder, station).exists()]
    done = len(stations) - len(missing)
    seconds = (selection.end_ns - selection.start_ns) / NS_PER_S
    yield Progress(done, len(stations), seconds)
    for number, _ in enumerate(_write_stations(folder, selection, missing, world, jobs), 1):
        yield Progress(done + number, len(stations), seconds, number)
    _write_metadata(folder, world, stations, selection)
    _finish(folder, identity)


def describe_run(world: World, selection: Selection) -> dict[str, object]:
    """All that the bytes depend on."""
    return {
        "synthetic": True,
        "scenario": world.scenario.name,
        "seed": world.scenario.seed,
        "start": iso_time(selection.start_ns),
        "end": iso_time(selection.end_ns),
        "stations": selection.stations,
        "scenario_sha256": hashlib.sha256(repr(asdict(world.scenario)).encode()).hexdigest(),
        "kensoku": version("kensoku"),
        "libraries": {"numpy": np.__version__, "scipy": scipy.__version__, "obspy": obspy.__version__},
    }


def _begin(folder: Path, identity: dict[str, object]) -> bool:
    """Whether there is something to do; a folder with something else in it is left alone."""
    state, manifest = folder / UNFINISHED, folder / MANIFEST
    kept = next((json.loads(path.read_text()) for path in (manifest, state / MANIFEST) if path.exists()), None)
    if kept is not None and {**kept, "files": None} == {**identity, "files": None}:
        return not manifest.exists()
    if folder.exists() and any(folder.iterdir()):
        found = "another simulation" if kept else "files that are none of ours"
        raise SettingInvalid(f"{folder}: found {found}; expected a new or an empty folder, or the same call as before")
    state.mkdir(parents=True)
    _write(state / MANIFEST, json.dumps(identity).encode())
    return True


def _finish(folder: Path, identity: dict[str, object]) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and UNFINISHED not in path.parts)
    hashes = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    _write(folder / MANIFEST, (json.dumps({**identity, "files": hashes}, indent=1) + "\n").encode())
    shutil.rmtree(folder / UNFINISHED)


# --- stations ---------------------------------------------------------------------------------------------------------

_world: World | None = None  # of a process that writes stations


def _open(scenario: str) -> None:
    global _world
    _world = open_world(scenario)


def _write_in_process(task: tuple[Path, Selection, Station]) -> None:
    assert _world is not None
    write_station(task[0], _world, task[1], task[2])


def _write_stations(
    folder: Path, selection: Selection, stations: Sequence[Station], world: World, jobs: int
) -> Iterator[None]:
    if min(jobs, len(stations)) <= 1:
        for station in stations:
            write_station(folder, world, selection, station)
            yield
        return
    tasks = [(folder, selection, station) for station in stations]
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(jobs, len(stations)), _open, (selection.scenario,)) as pool:
        yield from pool.imap_unordered(_write_in_process, tasks)


def write_station(folder: Path, world: World, selection: Selection, station: Station) -> None:
    """1. Records under temporary names. 2. Their own names. 3. The truth, which says that the station is whole."""
    partial = folder / UNFINISHED / station.name
    shutil.rmtree(partial, ignore_errors=True)
    sightings, lines = Sightings(instrument_of(world.scenario.seed, station)), [""]
    for start_ns, counts in _hours(_judged(world, station, selection, sightings, lines), station.rate_hz):
        _append_records(partial, world, station, *_clip(start_ns, counts, station.rate_hz, selection))
    for path in sorted(path for path in partial.rglob("*") if path.is_file()):
        final = folder / path.relative_to(partial)
        final.parent.mkdir(parents=True, exist_ok=True)
        path.replace(final)
    shutil.rmtree(partial, ignore_errors=True)
    disturbed = disturbances(world, station, selection.start_ns, selection.end_ns)
    _write(_truth_path(folder, station, "disturbances"), _text(disturbance_line(station, each) for each in disturbed))
    _write(_truth_path(folder, station, "arrivals"), _text(lines[1:]))


def _judged(
    world: World, station: Station, selection: Selection, sightings: Sightings, lines: list[str]
) -> Iterator[Block]:
    """The blocks of the selection, whose arrivals are added to `lines` on the way."""

    def tell(judged: Iterable[Sighting]) -> None:
        for sighting in judged:
            if selection.start_ns <= sighting.arrival.time_ns < selection.end_ns:
                lines.append(arrival_line(world.catalogue, station, sighting))

    for block in record(world, station, block_at(selection.start_ns)):
        if block.start_ns >= selection.end_ns:
            break
        tell(sightings.judge(block))
        yield block
    tell(sightings.rest())


def _hours(blocks: Iterable[Block], rate_hz: int) -> Iterator[tuple[int, Int32Array]]:
    """Blocks joined so that each piece ends with an hour, and so with a day."""
    pieces: list[Int32Array] = []
    start_ns = 0
    for block in blocks:
        start_ns = start_ns if pieces else block.start_ns
        pieces.append(block.counts)
        hour_ns = block.start_ns + LOOK_AHEAD_NS
        if hour_ns % HOUR_NS == 0:
            pieces[-1] = block.counts[:, : LOOK_AHEAD_S * rate_hz]
            yield start_ns, np.concatenate(pieces, axis=1)
            pieces, start_ns = [block.counts[:, LOOK_AHEAD_S * rate_hz :]], hour_ns
    if pieces:
        yield start_ns, np.concatenate(pieces, axis=1)


def _clip(start_ns: int, counts: Int32Array, rate_hz: int, selection: Selection) -> tuple[int, Int32Array]:
    first = max(0, -((start_ns - selection.start_ns) * rate_hz // NS_PER_S))
    last = max(0, -((start_ns - selection.end_ns) * rate_hz // NS_PER_S))
    return start_ns + first * NS_PER_S // rate_hz, counts[:, first:last]


def _append_records(folder: Path, world: World, station: Station, start_ns: int, counts: Int32Array) -> None:
    if not counts.size:
        return
    start = UTCDateTime(ns=start_ns)
    codes = channel_codes(instrument_of(world.scenario.seed, station), station.components)
    for code, samples in zip(codes, counts, strict=True):
        header = {"network": station.network, "station": station.code, "channel": code}
        trace = Trace(samples, {**header, "sampling_rate": float(station.rate_hz), "starttime": start})
        records = io.BytesIO()  # and not the file: a full disk cannot be told from within ObsPy's writer
        Stream([trace]).write(records, "MSEED", encoding="STEIM2", reclen=RECORD_BYTES)
        channel = folder / str(start.year) / station.network / station.code / f"{code}.D"
        channel.mkdir(parents=True, exist_ok=True)
        name = f"{station.name}..{code}.D.{start.year}.{start.julday:03d}"
        with (channel / name).open("ab") as file:
            file.write(records.getvalue())


# --- metadata ---------------------------------------------------------------------------------------------------------


def _write_metadata(folder: Path, world: World, stations: Sequence[Station], selection: Selection) -> None:
    rows = rows_between(world.catalogue, selection.start_ns, selection.end_ns)
    for table, header in (("arrivals", ARRIVALS_HEADER), ("disturbances", DISTURBANCES_HEADER)):
        with written_whole(folder / f"{table}.csv") as temporary, temporary.open("wb") as file:
            file.write(f"{header}\n".encode())
            for station in stations:
                file.write(_truth_path(folder, station, table).read_bytes())
    _write(folder / "events.csv", _text([EVENTS_HEADER, *event_lines(world.catalogue, rows)]))
    _write(folder / "stations.csv", _text([STATIONS_HEADER, *(station_line(world, each) for each in stations)]))
    document = io.BytesIO()
    quakeml(world.catalogue, rows, world.scenario.name).write(document, "QUAKEML")
    _write(folder / "events.xml", document.getvalue())
    document = io.BytesIO()
    published_inventory(world, stations).write(document, "STATIONXML")
    _write(folder / "stations.xml", document.getvalue())
    _write(folder / README, README_TEXT.format(scenario=world.scenario.name, seed=world.scenario.seed).encode())


# --- files ------------------------------------------------------------------------------------------------------------


def _truth_path(folder: Path, station: Station, table: str = "arrivals") -> Path:
    return folder / UNFINISHED / f"{station.name}.{table}.csv"


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _write(path: Path, content: bytes) -> None:
    with written_whole(path) as temporary:
        temporary.write_bytes(content)
