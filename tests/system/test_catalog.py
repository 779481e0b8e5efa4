"""The catalogue's service as a process: killed, on replicas, and with its database away."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kensoku.bus import Bus, open_bus, serve_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.catalogue_store import open_store
from kensoku.v1.event_pb2 import Event
from tests.broker import Broker
from tests.catalogue import make_event
from tests.database import Database, needs_postgresql, running_database
from tests.services import all_read, wait_until
from tests.system.commands import service

EVENTS = [make_event(f"{n:03d}", revision, time_s=n * 10.0) for n in range(40) for revision in (1, 2)]


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with running_database() as started:
        yield started


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    with open_bus("memory://") as opened, serve_bus(opened, tmp_path / "bus.sock"):
        yield opened


def publish(bus: Bus, events: list[Event]) -> None:
    for event in events:
        bus.publish("events", event.id, event.SerializeToString())
    bus.flush()


def stored(url: str, namespace: str = "") -> list[tuple[str, int, int]]:
    """Each event, its revision, and how many revisions are kept."""
    with open_store(url, namespace) as store:
        return [(event.id, event.revision, len(store.revisions(event.id))) for event in store.events()]


EXPECTED = [(f"{n:03d}", 2, 2) for n in range(40)]


def is_read(bus: Bus) -> Callable[[], bool]:
    return all_read(bus, "events", "catalog")


def test_a_service_that_is_killed_stores_everything_once(bus: Bus, tmp_path: Path) -> None:
    settings = {"KENSOKU_BUS": f"memory://{tmp_path / 'bus.sock'}", "KENSOKU_CATALOG_BATCH": "7"}
    publish(bus, EVENTS[:50])
    with service("catalog", tmp_path, **settings) as process:
        wait_until((tmp_path / "catalogue.sqlite").exists)
        process.kill()  # wherever it stands
    publish(bus, EVENTS[30:])
    with service("catalog", tmp_path, **settings) as process:
        wait_until(is_read(bus))
        process.terminate()
        assert process.wait(30) == 0
    assert stored(f"sqlite:///{tmp_path / 'catalogue.sqlite'}") == EXPECTED


@needs_postgresql
def test_a_database_that_restarts_is_waited_for_and_one_that_stays_away_ends_the_service(
    bus: Bus, tmp_path: Path, server: Database
) -> None:
    url = server.new_url()
    settings = {"KENSOKU_BUS": f"memory://{tmp_path / 'bus.sock'}", "KENSOKU_DATABASE": url}
    publish(bus, EVENTS[:20])
    with service("catalog", tmp_path, **settings) as process:
        wait_until(is_read(bus))
        server.stop()
        publish(bus, EVENTS[20:])
        wait_until(lambda: "found no answer of" in (tmp_path / "log").read_text())
        assert not is_read(bus)()
        server.start()
        wait_until(is_read(bus))
        assert process.poll() is None
    assert stored(url) == EXPECTED
    server.stop()
    try:
        with service("catalog", tmp_path, KENSOKU_CATALOG_DATABASE_WAIT_S="1", **settings) as process:
            assert process.wait(60) == 1
    finally:
        server.start()
    last = (tmp_path / "log").read_text().splitlines()[-1]
    assert "it was asked for 1 s" in last


@needs_postgresql
@pytest.mark.kafka
def test_replicas_on_a_real_broker_one_of_them_killed_make_one_catalogue(
    broker: Broker, tmp_path: Path, server: Database
) -> None:
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    url = server.new_url()
    settings = {"KENSOKU_BUS": broker.url, "KENSOKU_NAMESPACE": namespace, "KENSOKU_DATABASE": url}
    with open_bus(broker.url, namespace) as bus:
        bus.apply_topics(plan(TOPICS, bus.existing_topics()))
        publish(bus, EVENTS[::2])
        with ExitStack() as replicas:
            first = replicas.enter_context(service("catalog", tmp_path, **settings))
            replicas.enter_context(service("catalog", tmp_path, **settings))
            wait_until(is_read(bus))
            first.kill()
            publish(bus, EVENTS)
            wait_until(is_read(bus))
    assert stored(url, namespace) == EXPECTED
