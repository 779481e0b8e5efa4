"""Association as processes on a real broker: four regions shared by three, one of them killed and one more started."""

import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from kensoku.associating import Onset
from kensoku.bus import Bus, open_bus
from kensoku.bus.topics import declared_topics, plan
from kensoku.regions import PREFIX
from kensoku.v1.association_pb2 import Association
from kensoku.v1.control_pb2 import Control
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL
from kensoku.v1.pick_pb2 import PickMessage
from tests.broker import Broker
from tests.regions import (
    catalogue,
    heard_by,
    onsets_of,
    pick_ids,
    progress_of,
    regions,
    shocks_along_seams,
    sites,
    station_message,
    tell,
    watches,
)
from tests.services import wait_until
from tests.shocks import BEGIN_NS, NS_PER_S, pick
from tests.system.commands import service

pytestmark = pytest.mark.kafka

EVENTS, EVERY_S = 16, 12.0
LIMIT_S = 300.0  # loops may be compiled first
GROUP = "association"


def messages(given: Sequence[Onset], name: str, begin_s: float, end_s: float) -> Iterator[PickMessage]:
    """Of a region, second by second."""
    for second in range(round(begin_s), round(end_s)):
        for each in given:
            if each.station in heard_by(name) and second <= (each.onset_ns - BEGIN_NS) / NS_PER_S < second + 1:
                yield PickMessage(pick=pick(each))
        yield PickMessage(progress=progress_of(second - 1, heard_by(name)))


def publish(bus: Bus, given: Sequence[Onset], begin_s: float, end_s: float) -> None:
    for name, region in regions().items():
        for each in messages(given, name, begin_s, end_s):
            bus.publish("picks.by-region", name, each.SerializeToString(), partition=region.partition)
    bus.flush()


class Told:
    """All that was told since this was made, by revision."""

    def __init__(self, bus: Bus) -> None:
        self._news = bus.news("associations")
        self._all: list[Association] = []

    def __call__(self) -> list[Association]:
        self._all += [Association.FromString(message.value or b"") for message in self._news.read()]
        return sorted(self._all, key=lambda each: (each.revision, each.owner_epoch))


def events(told: Iterable[Association]) -> list[tuple[list[tuple[str, int]], bool]]:
    """Arrivals of each, and whether that is the last word."""
    return [
        ([(each.pick.id, each.phase) for each in one.picks], one.status == EVENT_STATUS_FINAL)
        for one in catalogue(told)
    ]


def followed(*logs: Path) -> set[str]:
    return {name for log in logs for name in re.findall(r"region (\w+): \d+ stations", log.read_text())}


def test_replicas_that_come_and_go_tell_the_catalogue_of_one_process(broker: Broker, tmp_path: Path) -> None:
    namespace = f"association-{uuid.uuid4().hex[:8]}"
    settings = {
        "KENSOKU_BUS": broker.url,
        "KENSOKU_NAMESPACE": namespace,
        "KENSOKU_LOCATION_VELOCITY_MODEL": "southern-california",
        "KENSOKU_LOCATION_DEEPEST_KM": "40",
    }
    given = onsets_of(shocks_along_seams(EVENTS, seed=8, every_s=EVERY_S), seed=9)
    expected = events(tell(watches(["default"]), given, every_s=10))
    length_s = EVENTS * EVERY_S
    with ExitStack() as closing:
        bus = closing.enter_context(open_bus(broker.url, namespace))
        bus.apply_topics(plan(declared_topics(len(regions())), bus.existing_topics()))
        for code in sites():
            bus.publish("inventory", code, station_message(code).SerializeToString())
        for name, region in regions().items():
            bus.publish("control", PREFIX + name, Control(region=region).SerializeToString())
        told = Told(bus)
        publish(bus, given, 0, length_s / 3)
        running = [closing.enter_context(service("association", tmp_path, **settings)) for _ in range(3)]
        wait_until(lambda: (tmp_path / "log").read_text().count("assigned") >= 3, LIMIT_S)
        wait_until(lambda: len(told()) >= 3, LIMIT_S)
        running[0].kill()  # in the middle of it
        publish(bus, given, length_s / 3, length_s * 2 / 3)
        added = tmp_path / "added"
        shutil.copytree(tmp_path / "traveltime", added / "traveltime")
        running.append(closing.enter_context(service("association", added, **settings)))
        wait_until(lambda: "assigned" in (added / "log").read_text(), LIMIT_S)
        publish(bus, given, length_s * 2 / 3, length_s + 700)
        wait_until(lambda: events(told()) == expected, LIMIT_S)
        for process in running[1:]:
            process.terminate()
        assert [one.wait(LIMIT_S) for one in running[1:]] == [0] * 3
        assert followed(tmp_path / "log", added / "log") == set(regions())  # who tells an event depends on who is first
        assert len({pick_ids(each) for each in catalogue(told())}) == EVENTS
        assert list(bus.read("picks.by-region.rejected")) == []
