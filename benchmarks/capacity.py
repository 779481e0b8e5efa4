"""How many stations triggering keeps up with on one machine: broker, Triton, the service and who sends, all on it.

`python -m benchmarks.capacity [--stations N] [--seconds T] [--load country] [--replicas 2] [--json]` is one trial: N
stations of a scenario, three components at 100 Hz in packets of a second, made before (`benchmarks.prerendered`;
`--load country`: those nearest to the strongest earthquake, while its waves run through the country; `--load swarm`:
more than any country has) and sent at their pace by a process of its own, which stands in the place of acquisition. A
packet's stamp is the moment at which it is sent. Triggering runs as so many processes as there are cores, as `--scale
triggering=2` would start them.
A trial counts if the ids of its picks are those that a batch run finds in the same packets, 1,000 or more, if lag did
not grow, and if 99 of 100 picks were published within a second of the arrival of their packet. Lag and latency are
judged after the first ten seconds: all stations begin in the same instant, which no network does. On a virtual machine
what others take from it is told as well: with no core left for a moment, no program keeps up.
Without --stations: trials of a minute, more stations each time, until one does not count.
"""

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.prerendered import LOADS, Rendered, packets_of, render, stamped
from kensoku.batch import open_picker
from kensoku.bus import Bus, open_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.detection import Cascade, pick_packets
from kensoku.models import default_repository
from kensoku.settings import ServiceSettings, load_settings
from kensoku.triton import embedded_triton
from kensoku.v1.pick_pb2 import Pick, PickMessage
from tests.broker import free_ports, running_broker

NS_PER_S = 10**9
SECONDS = 60
STEPS = (200, 400, 600, 800, 1000, 1500, 2000)  # stations
LEAST_PICKS = 1000  # of a trial that counts
MOST_SLOPE = 0.01  # of a trial that counts; s of lag a second
SHARING_S = 6.0  # in which replicas share the partitions among them
SETTLING_S = 10.0  # at the start, in which lag and latency are not judged
REST_S = 60.0  # in which the rest must come


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    load: str
    stations: int
    seconds: int
    replicas: int  # of triggering
    picks: int
    p50_s: float  # from the arrival of the packet that completed a second to the publication of its picks
    p99_s: float
    p99_s_of_minutes: tuple[float, ...]
    lag_slope: float  # s a second
    cores: float  # of broker, Triton and triggering
    generator_cores: float
    stolen_cores: float  # what other machines took of this one's, where it is a virtual one
    stolen_cores_most: float  # in ten seconds
    ids_equal_batch: bool
    missing: int
    more: int

    @property
    def is_kept_up(self) -> bool:
        return self.ids_equal_batch and self.lag_slope < MOST_SLOPE and self.p99_s < 1.0

    @property
    def counts(self) -> bool:
        return self.is_kept_up and self.picks >= LEAST_PICKS


# --- sending ----------------------------------------------------------------------------------------------------------


def send(url: str, namespace: str, rendered: Sequence[Rendered], start_s: float) -> None:
    """Each second's packets spread over the second in which they are due."""
    with open_bus(url, namespace) as bus:
        for number, packets in enumerate(rendered):
            for place, (key, message) in enumerate(packets):
                wait_s = start_s + number + place / len(packets) - time.time()
                if wait_s > 0.002:
                    time.sleep(wait_s)
                bus.publish("waveforms", key, stamped(message, time.time_ns()))
            bus.flush(60.0)


# --- processes --------------------------------------------------------------------------------------------------------


def spent_s(processes: Iterable[int]) -> float:
    """Processor time of these processes and of those that they started."""
    total = 0.0
    for process in family(processes):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def stolen_s() -> float:
    """Processor time that a virtual machine wanted and did not get."""
    return int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]) / os.sysconf("SC_CLK_TCK")


def family(processes: Iterable[int]) -> set[int]:
    found, waiting = set[int](), list(processes)
    while waiting:
        process = waiting.pop()
        if process not in found:
            found.add(process)
            for tasks in Path(f"/proc/{process}/task").glob("*/children"):
                waiting += [int(child) for child in tasks.read_text().split()]
    return found


@contextmanager
def triggering(
    url: str, namespace: str, models: str, port: int, log: Path, options: Sequence[str] = ()
) -> Iterator[int]:
    command = [sys.executable, "-m", "kensoku.triggering", f"--bus={url}", f"--namespace={namespace}"]
    command += [f"--models={models}", f"--port={port}", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            until(lambda: metric(port, "service_ready") == 1.0, 120.0)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:  # busy with a batch
                process.kill()
                process.wait()


def metric(port: int, name: str) -> float:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:  # noqa: S310  # our own
            found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", answer.read().decode(), re.MULTILINE)
    except OSError:
        return float("nan")
    return float(found[1]) if found else float("nan")


def until(is_so: Callable[[], bool], timeout_s: float, pause_s: float = 0.2) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if is_so():
            return True
        time.sleep(pause_s)
    return is_so()


# --- a trial ----------------------------------------------------------------------------------------------------------


def attempt(scenario: str, load: str, stations: int, seconds: int, replicas: int) -> Trial:
    rendered = render(scenario, stations, seconds, load)
    expected = batch_ids(rendered)
    namespace = f"capacity-{uuid.uuid4().hex[:6]}"
    home = load_settings(ServiceSettings).home
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        broker = opened.enter_context(running_broker(folder))
        server = opened.enter_context(embedded_triton(home, default_repository()))
        with open_bus(broker.url, namespace) as bus:
            bus.apply_topics(plan(TOPICS, bus.existing_topics()))
            ports = free_ports(replicas)
            services = [
                opened.enter_context(triggering(broker.url, namespace, server.url, port, folder / f"triggering-{port}"))
                for port in ports
            ]
            time.sleep(SHARING_S if replicas > 1 else 0.0)
            assert server.process_id is not None
            measured = [broker.pid, *services, server.process_id]
            start_s = time.time() + 3.0
            sender = multiprocessing.get_context("spawn").Process(
                target=send, args=(broker.url, namespace, rendered, start_s)
            )
            sender.start()
            assert sender.pid is not None
            began_s, sent_s, lags, stolen = spent_s(measured), 0.0, list[tuple[float, float]](), [stolen_s()]
            while sender.is_alive():
                time.sleep(1.0)
                stolen.append(stolen_s())
                lags.append((time.time() - start_s, max(metric(port, "triggering_lag_seconds") for port in ports)))
                sent_s = max(sent_s, spent_s([sender.pid]))
            spent = spent_s(measured) - began_s
            until(lambda: {pick.id for pick in picks_of(bus)} >= expected, REST_S)
            found = picks_of(bus)
    cores = (spent / seconds, sent_s / seconds)
    return judged(load, stations, seconds, replicas, start_s, found, expected, lags, cores, stolen)


def batch_ids(rendered: Sequence[Rendered]) -> set[str]:
    """Of the same packets, as if each had come at its end."""
    repository = default_repository()
    with open_picker(repository, f"local:{repository}", "picker_live") as picker:
        found = pick_packets(packets_of(rendered), Cascade(picker))
        return {one.id for one in found if isinstance(one, Pick)}


def picks_of(bus: Bus) -> list[Pick]:
    messages = (PickMessage.FromString(message.value or b"") for message in bus.read("picks"))
    return [message.pick for message in messages if message.WhichOneof("content") == "pick"]


def judged(
    load: str,
    stations: int,
    seconds: int,
    replicas: int,
    start_s: float,
    found: Sequence[Pick],
    expected: set[str],
    lags: Sequence[tuple[float, float]],
    cores: tuple[float, float],
    stolen: Sequence[float],
) -> Trial:
    settled_ns = (start_s + SETTLING_S) * NS_PER_S
    stamps = [(pick.latency.packet_arrival_ns, pick.latency.published_ns) for pick in found]
    latency_s = [(told - came) / NS_PER_S for came, told in stamps if came >= settled_ns] or [np.nan]
    minutes: dict[int, list[float]] = {}
    for came, told in stamps:
        if came >= settled_ns:
            minutes.setdefault(int((came / NS_PER_S - start_s) // 60), []).append((told - came) / NS_PER_S)
    by_ten_s = [(after - before) / 10 for before, after in zip(stolen, stolen[10:], strict=False)]
    steady = np.array([(at, lag) for at, lag in lags if SETTLING_S <= at <= seconds and np.isfinite(lag)])
    ids = {pick.id for pick in found}
    return Trial(
        load=load,
        stations=stations,
        seconds=seconds,
        replicas=replicas,
        picks=len(found),
        p50_s=round(float(np.median(latency_s)), 3),
        p99_s=round(float(np.quantile(latency_s, 0.99)), 3),
        p99_s_of_minutes=tuple(round(float(np.quantile(minutes[k], 0.99)), 3) for k in sorted(minutes)),
        lag_slope=round(float(np.polyfit(steady[:, 0], steady[:, 1], 1)[0]), 4) if len(steady) > 2 else float("nan"),
        cores=round(cores[0], 3),
        generator_cores=round(cores[1], 3),
        stolen_cores=round((stolen[-1] - stolen[0]) / max(len(stolen) - 1, 1), 3),
        stolen_cores_most=round(max(by_ten_s, default=0.0), 3),
        ids_equal_batch=ids == expected and len(found) == len(ids),
        missing=len(expected - ids),
        more=len(ids - expected) + len(found) - len(ids),
    )


def plain(trial: Trial) -> dict[str, object]:
    """JSON knows no NaN."""
    return {name: None if value != value else value for name, value in asdict(trial).items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--stations", type=int)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--scenario", default="national")
    parser.add_argument("--load", choices=LOADS, default="country")
    parser.add_argument("--replicas", type=int, default=os.cpu_count() or 1, help="processes of triggering")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    trials = []
    for stations in [options.stations] if options.stations else STEPS:
        trial = attempt(options.scenario, options.load, stations, options.seconds, options.replicas)
        trials.append(trial)
        print(json.dumps(plain(trial)), file=sys.stderr, flush=True)
        if not trial.is_kept_up:
            break
    best = next((trial for trial in reversed(trials) if trial.counts), trials[-1])
    if options.json:
        print(json.dumps(plain(best)))
    else:
        print("\n".join(f"{name:<18} {value}" for name, value in asdict(best).items()))


if __name__ == "__main__":
    main()
