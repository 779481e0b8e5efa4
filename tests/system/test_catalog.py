"""The catalogue's service as a process, killed, and with its database away; and what a person does with the command."""

import csv
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from obspy import read_events

from kensoku.bus import Bus, open_bus, serve_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.catalogue_store import open_store
from kensoku.v1.event_pb2 import Event
from tests.broker import Broker, wait_until
from tests.catalogue import make_event
from tests.database import UNAVAILABLE, Database, running_database
from tests.system.commands import environment, kensoku

needs_postgresql = pytest.mark.skipif(bool(UNAVAILABLE), reason=UNAVAILABLE)
EVENTS = [make_event(f"{n:03d}", revision, time_s=n * 10.0) for n in range(40) for revision in (1, 2)]


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with running_database() as started:
        yield started


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    with open_bus("memory://") as opened, serve_bus(opened, tmp_path / "bus.sock"):
        yield opened


@contextmanager
def service(home: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    with (home / "log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "kensoku.catalog"],
            env=environment(home, **settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def publish(bus: Bus, events: list[Event]) -> None:
    for event in events:
        bus.publish("events", event.id, event.SerializeToString())
    bus.flush()


def stored(url: str, namespace: str = "") -> list[tuple[str, int, int]]:
    """Each event, its revision, and how many revisions are kept."""
    with open_store(url, namespace) as store:
        return [(event.id, event.revision, len(store.revisions(event.id))) for event in store.events()]


EXPECTED = [(f"{n:03d}", 2, 2) for n in range(40)]


def is_read(bus: Bus) -> bool:
    return not any(bus.lag("events", "catalog").values())


def test_a_service_that_is_killed_stores_everything_once(bus: Bus, tmp_path: Path) -> None:
    settings = {"KENSOKU_BUS": f"memory://{tmp_path / 'bus.sock'}", "KENSOKU_CATALOG_BATCH": "7"}
    publish(bus, EVENTS[:50])
    with service(tmp_path, **settings) as process:
        wait_until((tmp_path / "catalogue.sqlite").exists)
        process.kill()  # wherever it stands
    publish(bus, EVENTS[30:])
    with service(tmp_path, **settings) as process:
        wait_until(lambda: is_read(bus))
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
    with service(tmp_path, **settings) as process:
        wait_until(lambda: is_read(bus))
        server.stop()
        publish(bus, EVENTS[20:])
        wait_until(lambda: "found no answer of" in (tmp_path / "log").read_text())
        assert not is_read(bus)
        server.start()
        wait_until(lambda: is_read(bus))
        assert process.poll() is None
    assert stored(url) == EXPECTED
    server.stop()
    try:
        with service(tmp_path, KENSOKU_CATALOG_DATABASE_WAIT_S="1", **settings) as process:
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
            first = replicas.enter_context(service(tmp_path, **settings))
            replicas.enter_context(service(tmp_path, **settings))
            wait_until(lambda: is_read(bus))
            first.kill()
            publish(bus, EVENTS)
            wait_until(lambda: is_read(bus))
    assert stored(url, namespace) == EXPECTED


def test_a_catalogue_goes_out_and_comes_in_again(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'catalogue.sqlite'}") as store:
        store.write(EVENTS)
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    out = tmp_path / "catalogue.xml"
    run(tmp_path, "export", "--out", str(out), "--agency", "org.example", "--author", "me")
    assert len(read_events(str(out), format="QUAKEML")) == 40
    assert "40 events stored" in run(tmp_path, "import", str(out), "--database", other)
    assert "40 are known already" in run(tmp_path, "import", str(out), "--database", other)
    told = json.loads(run(tmp_path, "diff", "database", other, "--json"))
    assert (told["in_both"], told["only_in_a"], told["only_in_b"]) == (40, [], [])
    assert not any(pair["moved_km"] or pair["later_s"] or pair["larger"] for pair in told["pairs"])
    shown = run(tmp_path, "show", "007", "--database", other)
    assert "CI.TOW2..HH    P     2019-07-04T15:54:54.989Z" in shown


def test_events_are_selected_and_counted(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'catalogue.sqlite'}") as store:
        store.write(EVENTS)
    table = tmp_path / "events.csv"
    run(tmp_path, "export", "--out", str(table), "--from", "2019-07-04T15:55:00Z", "--to", "2019-07-04T15:56:00Z")
    with table.open(newline="") as file:
        assert [row["event_id"] for row in csv.DictReader(file)] == ["008", "009", "010", "011", "012", "013"]
    assert run(tmp_path, "list", "--limit", "2").splitlines()[-1] == "2 of 40 events"


def test_mistakes_are_told_without_a_traceback(tmp_path: Path) -> None:
    for words, *arguments in (
        ("found no database", "list"),
        ("expected one of .xml", "export", "--out", "x.doc"),
        ("expected --from before --to", "list", "--from", "2020-01-02", "--to", "2020-01-01"),
        ("cannot read", "import", str(tmp_path / "none.csv")),
        ("expected sqlite:///path", "list", "--database", "mysql://x/y"),
    ):
        found = kensoku(tmp_path, "catalog", *arguments)
        assert found.returncode in (1, 2)
        assert words in found.stderr
        assert "Traceback" not in found.stderr
    assert not (tmp_path / "catalogue.sqlite").exists()


def run(home: Path, *arguments: str) -> str:
    found = kensoku(home, "catalog", *arguments)
    assert found.returncode == 0, found.stderr
    return found.stdout
