"""What a kill -9 of triggering, of Triton and of the broker costs in the middle of a sequence of aftershocks.

`python -m benchmarks.recovery [--stations 60] [--seconds 120] [--kill triggering triton broker] [--json]` sends
pre-rendered packets at their pace (`benchmarks.prerendered`) and kills one part after the other. Each is started again
a second later, as its supervisor would. A part is there again when it answers; triggering has caught up when it has
looked at all that every station sent until 5 s ago. At the end its picks are compared with those of a batch run.
"""

import argparse
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.capacity import batch_ids, metric, picks_of, send, until
from benchmarks.prerendered import Rendered, render
from benchmarks.report import machine_name
from kensoku.bus import Bus, open_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.errors import KensokuError
from kensoku.inference import open_models
from kensoku.models import default_repository
from kensoku.settings import ServiceSettings, load_settings
from kensoku.triton import EmbeddedTriton, embedded_triton
from kensoku.v1.pick_pb2 import PickMessage
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests.broker import Broker, free_ports, running_broker
from tests.services import beside

NS_PER_S = 10**9
PARTS = ("triggering", "triton", "broker")
PAUSE_S = 1.0  # until a supervisor starts again what has ended
BEHIND_S = 5.0  # of a live record: packets of a second, and a second that the networks wait for
LONGEST_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    part: str
    away_s: float  # from the kill until it answered again
    caught_up_s: float  # from then on; not a number: never


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    stations: int
    seconds: int
    picks: int
    missing: int  # of those that batch finds
    more: int  # that batch does not find
    told_again: int  # messages with an id that was told before
    recoveries: tuple[Recovery, ...]


class Supervised:
    """Triggering in a process of its own, started again a second after it ended, for as long as `run` goes."""

    def __init__(self, url: str, namespace: str, models: str, log: Path) -> None:
        self.port = free_ports(1)[0]
        self._command = [sys.executable, "-m", "kensoku.triggering", f"--bus={url}", f"--namespace={namespace}"]
        self._command += [f"--models={models}", f"--port={self.port}"]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def is_ready(self) -> bool:
        return metric(self.port, "service_ready") == 1.0

    def run(self, stop: threading.Event) -> None:
        with self._log.open("ab") as output:
            while not stop.is_set():
                self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
                while self._process.poll() is None and not stop.wait(0.05):
                    pass
                self._process.kill()
                self._process.wait()
                stop.wait(PAUSE_S)


class Parts:
    """What may be killed, and how each is asked whether it is there."""

    def __init__(self, service: Supervised, server: EmbeddedTriton, broker: Broker) -> None:
        self._service, self._server, self._broker = service, server, broker

    def kill(self, part: str) -> None:
        match part:
            case "triggering":
                self._service.kill()
            case "triton":
                assert self._server.process_id is not None
                os.kill(self._server.process_id, signal.SIGKILL)
            case _:
                self._broker.kill()
                time.sleep(PAUSE_S)
                self._broker.start()  # returns once it answers

    def is_there(self, part: str) -> bool:
        match part:
            case "triggering":
                return self._service.is_ready()
            case "triton":
                with open_models(self._server.url) as models:
                    return models.is_ready()
            case _:
                return True


# --- how far ----------------------------------------------------------------------------------------------------------


class Reader:
    """How far behind the slowest station is, by what triggering says of itself."""

    def __init__(self, url: str, namespace: str, rendered: Sequence[Rendered], start_s: float) -> None:
        self._url, self._namespace = url, namespace
        self._first_ns = WaveformPacket.FromString(rendered[0][0][1]).start_ns
        self._stations = len(rendered[0])
        self._start_s, self._seconds = start_s, len(rendered) - 1

    def behind_s(self) -> float:
        """What was sent and is not looked at; infinite while not all stations were told of lately."""
        reached: dict[str, int] = {}
        with suppress(KensokuError), open_bus(self._url, self._namespace) as bus:
            for message in bus.read("picks", start=time.time_ns() - 4 * NS_PER_S):
                for one in PickMessage.FromString(message.value or b"").progress.instruments:
                    station = one.instrument.station
                    reached[station] = max(reached.get(station, 0), one.evaluated_to_ns)
        if len(reached) < self._stations:
            return float("inf")
        sent_s = min(time.time() - self._start_s, self._seconds)
        return sent_s - (min(reached.values()) - self._first_ns) / NS_PER_S


def recovered(part: str, parts: Parts, reader: Reader) -> Recovery:
    began_s = time.monotonic()
    parts.kill(part)
    if part == "triggering":
        until(lambda: not parts.is_there(part), 5.0)
    until(lambda: parts.is_there(part), LONGEST_S)
    there_s = time.monotonic()
    is_caught_up = until(lambda: reader.behind_s() < BEHIND_S, LONGEST_S, 1.0)
    caught_up_s = time.monotonic() - there_s if is_caught_up else float("nan")
    return Recovery(part=part, away_s=round(there_s - began_s, 1), caught_up_s=round(caught_up_s, 1))


# --- a trial ----------------------------------------------------------------------------------------------------------


def attempt(scenario: str, stations: int, seconds: int, kills: Mapping[str, float], folder: Path) -> Outcome:
    """Kills each part so many seconds after the first packet, or once the one before has recovered."""
    rendered = render(scenario, stations, seconds)
    expected = batch_ids(rendered)
    namespace = f"recovery-{uuid.uuid4().hex[:6]}"
    with ExitStack() as opened:
        broker = opened.enter_context(running_broker(folder))
        server = opened.enter_context(embedded_triton(load_settings(ServiceSettings).home, default_repository()))
        with open_bus(broker.url, namespace) as bus:
            bus.apply_topics(plan(TOPICS, bus.existing_topics()))
        service = Supervised(broker.url, namespace, server.url, folder / "triggering.log")
        opened.enter_context(beside(service.run))
        until(service.is_ready, LONGEST_S)
        start_s = time.time() + 2.0
        arguments = (broker.url, namespace, rendered, start_s)
        sender = multiprocessing.get_context("spawn").Process(target=send, args=arguments)
        sender.start()
        opened.callback(sender.kill)
        parts, reader = Parts(service, server, broker), Reader(broker.url, namespace, rendered, start_s)
        recoveries = []
        for part, at_s in kills.items():
            time.sleep(max(0.0, start_s + at_s - time.time()))
            recoveries.append(recovered(part, parts, reader))
        sender.join()
        with open_bus(broker.url, namespace) as bus:
            until(lambda: ids_of(bus).keys() >= expected, LONGEST_S, 1.0)
            told = ids_of(bus)
    return Outcome(
        stations=stations,
        seconds=seconds,
        picks=len(told),
        missing=len(expected - told.keys()),
        more=len(told.keys() - expected),
        told_again=told.total() - len(told),
        recoveries=tuple(recoveries),
    )


def ids_of(bus: Bus) -> Counter[str]:
    return Counter(pick.id for pick in picks_of(bus))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recovery", description=__doc__)
    parser.add_argument("--scenario", default="aftershocks")
    parser.add_argument("--stations", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--kill", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    apart_s = options.seconds / (len(options.kill) + 1)
    kills = {part: apart_s * (number + 1) for number, part in enumerate(options.kill)}
    with tempfile.TemporaryDirectory() as folder:
        outcome = attempt(options.scenario, options.stations, options.seconds, kills, Path(folder))
    if options.json:
        print(json.dumps({"machine": machine_name(), **asdict(outcome)}))
        return
    for one in outcome.recoveries:
        print(f"  {one.part:<12} away {one.away_s:>6.1f} s, caught up {one.caught_up_s:>6.1f} s later")
    counts = ("stations", "seconds", "picks", "missing", "more", "told_again")
    print("\n".join(f"  {name:<12} {getattr(outcome, name):>8}" for name in counts))


if __name__ == "__main__":
    main()
