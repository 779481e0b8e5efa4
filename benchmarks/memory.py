"""How much memory acquisition and triggering take, by the hour of the record, over hours of many stations.

`python -m benchmarks.memory [--stations 40] [--hours 4] [--speed max] [--keep FILE.csv] [--json]` replays an archive
through a real broker; each service is a process of its own. Each hour of it begins with five minutes of aftershocks and
a swarm, and repeats five minutes of five hours later. Rows
of `hour,process,rss_mb` are kept as they are measured: a run that was stopped tells what it saw (`--show FILE`).
What counts is the growth after the second hour (of less than three: after half of them), by a straight line.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.capacity import triggering
from benchmarks.prerendered import Record, kept_records
from benchmarks.report import machine_name
from kensoku.bus import Bus, open_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.models import default_repository
from kensoku.settings import ServiceSettings, load_settings
from kensoku.triton import embedded_triton
from kensoku.v1.pick_pb2 import PickMessage
from tests.broker import free_ports, running_broker

NS_PER_S = 10**9
REPEATED_S = 300  # of the record
LATER_S = 5 * 3600  # after the strongest earthquake
EVERY_S = 5.0
TOLD_WITHIN_S = 120  # a turn of a busy machine may last that long
SETTLED_H = 2.0
BATCH = 400  # packets at once: so that progress is told often
WHOLE_HEAP = ["-Xms512m", "-XX:+AlwaysPreTouch"]  # at once, so that what grows is not a heap on the way to its limit
STILL_S = 300.0  # without a step forward, after which the rest is given up


@dataclass(frozen=True, slots=True)
class Row:
    hour: float  # of the record, to which triggering has looked
    process: str
    rss_mb: float


def write_archive(busy: Sequence[Record], calm: Sequence[Record], hours: float, folder: Path) -> None:
    """A file a station and hour."""
    from obspy import Stream, Trace, UTCDateTime

    for number, (record, later) in enumerate(zip(busy, calm, strict=True)):
        for hour in range(int(np.ceil(hours))):
            seconds = round(3600 * min(1.0, hours - hour))
            times = -(-seconds // REPEATED_S)
            stream = Stream()
            for code, first, then in zip(record.codes, record.counts, later.counts, strict=True):
                counts = np.concatenate([first, np.tile(then, times - 1)])[: seconds * record.rate_hz]
                head = {"network": "XL", "station": f"{number:04d}", "channel": code}
                start = UTCDateTime(record.start + 3600 * hour)
                stream.append(Trace(counts, {**head, "sampling_rate": record.rate_hz, "starttime": start}))
            stream.write(str(folder / f"{number:04d}-{hour:02d}.mseed"), format="MSEED", encoding="STEIM2")


@contextmanager
def acquisition(url: str, namespace: str, archive: Path, speed: str, home: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "kensoku.acquisition", f"--bus={url}", f"--namespace={namespace}"]
    command += [f"--source={archive}", f"--speed={speed}", f"--home={home}", f"--port={free_ports(1)[0]}"]
    with (home / "acquisition.log").open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


def size_mb(process: int) -> float | None:
    """Of a leader with its group: Triton's processes for Python hold the models. What several share counts once."""
    sizes = [size for each in group_of(process) if (size := resident_mb(each)) is not None]
    return sum(sizes) if sizes else None


def group_of(process: int) -> list[int]:
    """The process, and those of the group that it leads."""
    others = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and int(each.name) != process]
    return [process, *(each for each in others if leader_of(each) == process)]


def leader_of(process: int) -> int | None:
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return None


def resident_mb(process: int) -> float | None:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), None)


def reached_s(bus: Bus, start_s: int) -> float | None:
    """Of the record, the mean of all instruments by the newest Progress, for a broker gives an hour of one after an
    hour of another; None while nothing is told."""
    since_ns = time.time_ns() - TOLD_WITHIN_S * NS_PER_S
    newest: dict[int, list[int]] = {}
    for message in bus.read("picks", start=since_ns):
        told = PickMessage.FromString(message.value or b"")
        if told.WhichOneof("content") == "progress":
            newest[told.progress.partition] = [one.evaluated_to_ns for one in told.progress.instruments]
    reached = [each for one in newest.values() for each in one]
    return sum(reached) / len(reached) / NS_PER_S - start_s if reached else None


def watch(bus: Bus, processes: Mapping[str, int], start_s: int, hours: float, keep: Path | None) -> list[Row]:
    rows, furthest_s, moved_s = list[Row](), 0.0, time.monotonic()
    while furthest_s < 3600 * hours - 10 and time.monotonic() - moved_s < STILL_S:
        time.sleep(EVERY_S)
        reached = reached_s(bus, start_s)
        if reached is None or reached <= furthest_s:
            continue
        furthest_s, moved_s = reached, time.monotonic()
        sizes = {name: size_mb(process) for name, process in processes.items()}
        new = [Row(furthest_s / 3600, name, size) for name, size in sizes.items() if size is not None]
        rows += new
        if keep:
            with keep.open("a", newline="") as file:
                csv.writer(file).writerows([f"{row.hour:.4f}", row.process, f"{row.rss_mb:.2f}"] for row in new)
    return rows


def growth(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """By process: MB at the begin of what counts and at the end, and MB an hour."""
    last = max((row.hour for row in rows), default=0.0)
    since = SETTLED_H if last >= SETTLED_H + 1 else last / 2
    found = {}
    for name in sorted({row.process for row in rows}):
        points = np.array([(row.hour, row.rss_mb) for row in rows if row.process == name and row.hour >= since])
        if len(points) > 2:
            slope, _ = np.polyfit(points[:, 0], points[:, 1], 1)
            found[name] = {"from_h": points[0, 0], "to_h": points[-1, 0], "mb": points[-1, 1], "mb_an_hour": slope}
    return {name: {key: round(float(value), 2) for key, value in one.items()} for name, one in found.items()}


def measure(stations: int, hours: float, speed: str, keep: Path | None) -> list[Row]:
    busy = kept_records("aftershocks", stations, REPEATED_S)
    calm = kept_records("aftershocks", stations, REPEATED_S, LATER_S, is_busy=False)
    namespace = f"memory-{uuid.uuid4().hex[:6]}"
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        archive, home = folder / "archive", folder / "home"
        archive.mkdir()
        home.mkdir()
        write_archive(busy, calm, hours, archive)
        broker = opened.enter_context(running_broker(folder, WHOLE_HEAP))
        server = opened.enter_context(embedded_triton(load_settings(ServiceSettings).home, default_repository()))
        bus = opened.enter_context(open_bus(broker.url, namespace))
        bus.apply_topics(plan(TOPICS, bus.existing_topics()))
        port, log = free_ports(1)[0], folder / "triggering.log"
        options = [f"--batch={BATCH}"]
        service = opened.enter_context(triggering(broker.url, namespace, server.url, port, log, options))
        source = opened.enter_context(acquisition(broker.url, namespace, archive, speed, home))
        assert server.process_id is not None
        processes = {"acquisition": source, "triggering": service, "Triton": server.process_id, "broker": broker.pid}
        return watch(bus, processes, busy[0].start, hours, keep)


def read_rows(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return [Row(float(hour), process, float(size)) for hour, process, size in csv.reader(file)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--stations", type=int, default=40)
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--speed", default="max", help="times real time")
    parser.add_argument("--keep", type=Path, help="file to which rows are added")
    parser.add_argument("--show", type=Path, help="only tell what such a file says")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.show:
        rows = read_rows(options.show)
    else:
        rows = measure(options.stations, options.hours, options.speed, options.keep)
    found = growth(rows)
    if options.json:
        print(json.dumps({"machine": machine_name(), "processes": found}))
        return
    for name, one in found.items():
        print(f"  {name:<12}", *(f"{key} {value:>8.2f}" for key, value in one.items()))


if __name__ == "__main__":
    main()
