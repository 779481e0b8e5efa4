"""Whether association ends with batch's events after triggering was away, when a broker hands it minutes of one
station after minutes of another.

`python -m benchmarks.catch_up [--stations 12] [--seconds 900] [--json]` publishes a minute of the `aftershocks`
scenario, lets triggering and association look at it, ends triggering, publishes the rest, and starts it again, all on a
real broker. Told are the final events and how many of them have just the picks of batch's; and the same of the same
messages without `read_to_ns` of Progress, by which association knows what was not read yet.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.capacity import triggering
from benchmarks.prerendered import Rendered, nearest_stations, render, stamped
from kensoku.associating import Network, Watch, associate, network_of
from kensoku.associating._messages import onset_of
from kensoku.bus import Bus, open_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.locating import Site
from kensoku.models import default_repository
from kensoku.traveltime import Wave, build_table, grid_for, load_model
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station
from kensoku.v1.pick_pb2 import PickMessage, Progress
from tests.broker import free_ports, running_broker

SCENARIO, EARTH, DEEPEST_KM = "aftershocks", "southern-california", 40
BEFORE_S = 60  # of the record, before triggering is away
STILL_S = 20.0  # without a step forward: all was looked at
LIMIT_S = 900.0
TURN = 20  # messages between two steps, without what was read being known

Events = set[frozenset[str]]


def publish_stations(bus: Bus, sites: dict[str, Site]) -> None:
    for code, site in sites.items():
        network, station = code.split(".")
        epoch = ChannelEpoch(code="HHZ", latitude_deg=site.latitude_deg, longitude_deg=site.longitude_deg)
        message = Station(network=network, station=station, hash=code, epochs=[epoch])
        bus.publish("inventory", code, message.SerializeToString())


def publish(bus: Bus, rendered: Sequence[Rendered]) -> None:
    for second in rendered:
        for key, message in second:
            bus.publish("waveforms", key, stamped(message, time.time_ns()))
        time.sleep(0.005)  # so that seconds have their own times of publication
    bus.flush()


@contextmanager
def association(url: str, namespace: str, home: Path) -> Iterator[None]:
    settings = {
        "KENSOKU_BUS": url,
        "KENSOKU_NAMESPACE": namespace,
        "KENSOKU_HOME": str(home),
        "KENSOKU_PORT": str(free_ports(1)[0]),
        "KENSOKU_LOCATION_VELOCITY_MODEL": EARTH,
        "KENSOKU_LOCATION_DEEPEST_KM": str(DEEPEST_KM),
    }
    with (home / "association.log").open("wb") as output:
        command = [sys.executable, "-m", "kensoku.association"]
        process = subprocess.Popen(command, env=os.environ | settings, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def follow(bus: Bus) -> float:
    """Until nothing moves any more; returns how far stations were apart, s of the record, when they were most so."""
    news, reached, apart_s = bus.news("picks"), dict[str, int](), 0.0
    moved_s = begun_s = time.monotonic()
    while time.monotonic() - moved_s < STILL_S and time.monotonic() - begun_s < LIMIT_S:
        time.sleep(0.5)
        for message in news.read():
            told = PickMessage.FromString(message.value or b"")
            for one in told.progress.instruments:
                if one.evaluated_to_ns > reached.get(one.instrument.station, 0):
                    reached[one.instrument.station], moved_s = one.evaluated_to_ns, time.monotonic()
        if reached:
            apart_s = max(apart_s, (max(reached.values()) - min(reached.values())) / 1e9)
    return apart_s


def final(told: Sequence[Association]) -> Events:
    last = {each.event_id: each for each in sorted(told, key=lambda each: each.revision)}
    return {frozenset(each.pick.id for each in one.picks) for one in last.values() if one.status == EVENT_STATUS_FINAL}


def in_batch(messages: Sequence[PickMessage], network: Network) -> Events:
    heard = {
        f"{one.instrument.network}.{one.instrument.station}": one.evaluated_to_ns
        for message in messages
        for one in message.progress.instruments
    }
    found = (onset_of(message.pick) for message in messages if message.WhichOneof("content") == "pick")
    onsets = [each for each in found if each]
    return {
        frozenset(onsets[member.index].id for member in group.members) for group in associate(onsets, network, heard)
    }


def not_told(messages: Sequence[PickMessage], network: Network) -> Events:
    watch, told = Watch("default", network), list[Association]()
    for number, message in enumerate(messages):
        match message.WhichOneof("content"):
            case "pick":
                watch.add(message.pick)
            case "measurement":
                watch.measure(message.measurement)
            case "progress":
                watch.hear(Progress(instruments=message.progress.instruments))
        if number % TURN == 0:
            told += watch.step()
    return final([*told, *watch.step()])


def measure(stations: int, seconds: int) -> dict[str, float]:
    rendered, namespace = render(SCENARIO, stations, seconds), "catch-up"
    nearest = nearest_stations(SCENARIO, stations)
    sites = {f"XL.{number:04d}": Site(*place, 0.0) for number, place in enumerate(nearest)}
    models = f"local:{default_repository()}"
    with ExitStack() as opened:
        home = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        broker = opened.enter_context(running_broker(home))
        bus = opened.enter_context(open_bus(broker.url, namespace))
        bus.apply_topics(plan(TOPICS, bus.existing_topics()))
        publish_stations(bus, sites)
        publish(bus, rendered[:BEFORE_S])
        with association(broker.url, namespace, home):
            with triggering(broker.url, namespace, models, free_ports(1)[0], home / "before.log"):
                follow(bus)
            publish(bus, rendered[BEFORE_S:])
            with triggering(broker.url, namespace, models, free_ports(1)[0], home / "after.log"):
                apart_s = follow(bus)
        told = [Association.FromString(message.value or b"") for message in bus.read("associations")]
        messages = [PickMessage.FromString(message.value or b"") for message in bus.read("picks.by-region")]
        model, waves = load_model(EARTH), tuple[Wave, Wave](("P", "S"))
        tables = {wave: build_table(model, wave, grid_for(DEEPEST_KM), home / "traveltime") for wave in waves}
        network = network_of(sites, tables)
    events, batch, without = final(told), in_batch(messages, network), not_told(messages, network)
    return {
        "stations": stations,
        "seconds": seconds,
        "picks": sum(message.WhichOneof("content") == "pick" for message in messages),
        "apart_s": round(apart_s, 1),
        "final": len(events),
        "final_as_batch": len(events & batch),
        "final_without_read_to": len(without),
        "final_without_read_to_as_batch": len(without & batch),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catch_up", description=__doc__)
    parser.add_argument("--stations", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=900)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.stations, options.seconds)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"  {name:<32} {value:g}")


if __name__ == "__main__":
    main()
