"""The location service as processes on a real broker: killed, and on two replicas."""

import uuid
from pathlib import Path

from kensoku.bus import Bus, open_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.events import status_name
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_STATUS_UPDATED, Event
from tests import services
from tests.associations import STATIONS, T0_NS, S, make_association, make_picks
from tests.broker import Broker
from tests.services import all_read, decoded, wait_until
from tests.system.commands import service

REGIONS, EVENTS_A_REGION = 4, 4
FOUR = ("A", "B", "C", "D")
START_S = 300.0  # loops may be compiled first


def lives() -> list[Association]:
    """Of several regions, mixed as time has it: early picks, all of them, the end."""
    states: list[Association] = []
    for number in range(REGIONS * EVENTS_A_REGION):
        region, name = f"r{number % REGIONS}", f"e{number:02d}"
        at_ns = T0_NS + number * 300 * S
        source = (number % 7 - 3.0, number % 5 - 2.0, 6.0 + number % 4)
        few, full = (make_picks(codes, source, at_ns) for codes in (FOUR, tuple("ABCDEFGH")))
        for revision, picks, status in ((1, few, 1), (2, full, EVENT_STATUS_UPDATED), (3, full, EVENT_STATUS_FINAL)):
            states.append(make_association(picks, revision, status, name, region=region))  # type: ignore[arg-type]
    return sorted(states, key=lambda state: state.decided_ns)


def publish(bus: Bus, states: list[Association]) -> None:
    services.publish(bus, "associations", ((state.region, state) for state in states))


def told(bus: Bus, topic: str) -> list[tuple[str, int, str]]:
    return [(event.id, event.revision, status_name(event)) for event in decoded(bus, topic, Event)]


def test_replicas_that_are_killed_publish_every_revision_and_no_other(broker: Broker, tmp_path: Path) -> None:
    namespace = f"location-{uuid.uuid4().hex[:8]}"
    settings = {
        "KENSOKU_BUS": broker.url,
        "KENSOKU_NAMESPACE": namespace,
        "KENSOKU_LOCATION_VELOCITY_MODEL": "homogeneous",
        "KENSOKU_LOCATION_DEEPEST_KM": "30",
        "KENSOKU_LOCATION_BATCH": "3",
    }
    states = lives()
    with open_bus(broker.url, namespace) as bus:
        bus.apply_topics(plan(TOPICS, bus.existing_topics()))
        for key, station in STATIONS.items():
            bus.publish("inventory", key, station.SerializeToString())
        publish(bus, states[:24])
        with service("location", tmp_path, **settings) as process:
            wait_until(lambda: 0 < sum(bus.lag("associations", "location").values()) <= 15, START_S)
            process.kill()  # wherever it stands
        publish(bus, states[24:])
        with service("location", tmp_path, **settings) as one, service("location", tmp_path, **settings) as other:
            wait_until(all_read(bus, "associations", "location"), START_S)
            for process in (one, other):
                process.terminate()
                assert process.wait(60) == 0
        expected = sorted(
            (f"e{number:02d}", revision, status)
            for number in range(REGIONS * EVENTS_A_REGION)
            for revision, status in ((1, "PRELIMINARY"), (2, "UPDATED"), (3, "FINAL"))
        )
        assert sorted(set(told(bus, "events"))) == expected
        latest = {event_id: (revision, status) for event_id, revision, status in told(bus, "catalogue")}
        assert set(latest.values()) == {(3, "FINAL")}
        assert len(latest) == REGIONS * EVENTS_A_REGION
        assert list(bus.read("associations.rejected")) == []
