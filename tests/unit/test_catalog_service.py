"""The catalogue's service over a memory bus: what is published is stored once, whatever happens on the way."""

import shutil
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kensoku.bus import Bus
from kensoku.bus._log import MemoryLog
from kensoku.bus._memory import MemoryBus
from kensoku.bus._partitioner import partition_of
from kensoku.catalog import service
from kensoku.catalog.service import Patience, run
from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_store import Store, open_store
from kensoku.errors import DatabaseUnavailable, InputInvalid, SettingInvalid
from kensoku.runtime import Pulse
from kensoku.settings import describe, load_settings
from kensoku.v1.event_pb2 import Event
from tests import services
from tests.catalogue import make_event


@pytest.fixture
def settings(tmp_path: Path) -> CatalogSettings:
    return load_settings(CatalogSettings, {"home": str(tmp_path), "catalog_database_wait_s": 5})


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that takes no event of the name `bad`, nor what is written together with it."""
    write = Store.write

    def refuse(store: Store, events: Any) -> Any:
        if any(event.id == "bad" for event in events):
            raise InputInvalid("a value out of range")
        return write(store, events)

    monkeypatch.setattr(Store, "write", refuse)


def publish(bus: Bus, *events: Event) -> None:
    services.publish(bus, "events", ((event.id, event) for event in events))


def serve(settings: CatalogSettings, bus: Bus) -> None:
    services.serve_all(partial(run, settings, bus, Pulse()), bus, "events", "catalog")


def stored(settings: CatalogSettings) -> dict[str, int]:
    with open_store(settings.database_address) as store:
        return {event.id: event.revision for event in store.events()}


def test_what_is_published_is_stored(settings: CatalogSettings, bus: Bus) -> None:
    publish(bus, make_event("a"), make_event("b", 2), make_event("a", 2), make_event("b", 1))
    serve(settings, bus)
    assert stored(settings) == {"a": 2, "b": 2}


def test_what_comes_again_changes_nothing(settings: CatalogSettings, bus: Bus) -> None:
    for _ in range(2):
        publish(bus, make_event("a"), make_event("a", 2))
        serve(settings, bus)
    assert stored(settings) == {"a": 2}
    with open_store(settings.database_address) as store:
        assert len(store.revisions("a")) == 2


def test_a_database_that_was_restored_is_given_what_was_stored_since(settings: CatalogSettings, bus: Bus) -> None:
    database, backup = settings.home / "catalogue.sqlite", settings.home / "backup"
    publish(bus, make_event("a"))
    serve(settings, bus)
    shutil.copy(database, backup)
    publish(bus, make_event("a", 2), make_event("b"))
    serve(settings, bus)
    backup.replace(database)
    publish(bus, make_event("c"))
    serve(settings, bus)
    assert stored(settings) == {"a": 2, "b": 1, "c": 1}


def test_what_cannot_be_stored_is_put_aside_with_its_reason(settings: CatalogSettings, bus: Bus) -> None:
    publish(bus, make_event("good"), make_event("none", 0), make_event("nowhere", latitude_deg=91))
    bus.publish("events", "x", b"\xff\xff")
    bus.publish("events", "y", None)
    serve(settings, bus)
    reasons = {message.key: dict(message.headers)["reason"].decode() for message in bus.read("events.rejected")}
    assert reasons.keys() == {"none", "nowhere", "x"}
    assert "latitude 91" in reasons["nowhere"]
    assert reasons["x"] == "found 2 bytes, expected an Event"
    assert stored(settings) == {"good": 1}


@pytest.mark.usefixtures("refusing")
def test_what_the_database_refuses_alone_is_put_aside(settings: CatalogSettings, bus: Bus) -> None:
    publish(bus, make_event("a"), make_event("bad"), make_event("b"))
    serve(settings, bus)
    assert stored(settings) == {"a": 1, "b": 1}
    assert [message.key for message in bus.read("events.rejected")] == ["bad"]


def test_nothing_is_committed_before_the_database_has_it(
    settings: CatalogSettings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("killed here")

    publish(bus, make_event("a"))
    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", crash)
        with pytest.raises(RuntimeError, match="killed here"):
            serve(settings, bus)
    assert list(bus.lag("events", "catalog").values()).count(1) == 1
    serve(settings, bus)
    assert stored(settings) == {"a": 1}


def test_a_database_that_is_away_is_waited_for(
    settings: CatalogSettings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, left = Store.write, [2]

    def away_at_first(store: Store, events: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise DatabaseUnavailable("away")
        return write(store, events)

    monkeypatch.setattr(Store, "write", away_at_first)
    monkeypatch.setattr(service, "SHORTEST_PAUSE_S", 0.01)
    publish(bus, make_event("a"))
    serve(settings, bus)
    assert stored(settings) == {"a": 1}


def test_an_empty_database_is_filled_from_what_the_topics_still_hold(settings: CatalogSettings, bus: Bus) -> None:
    """As when somebody moves to another database, after all was committed."""
    publish(bus, make_event("a"), make_event("a", 2))
    old = make_event("expired", 7)
    bus.publish("catalogue", old.id, old.SerializeToString())
    bus.publish("catalogue", "gone", None)
    bus.publish("catalogue", "bad", b"\xff")
    serve(settings, bus)
    moved = settings.model_copy(update={"database": f"sqlite:///{settings.home / 'other.sqlite'}"})
    publish(bus, make_event("b"))
    serve(moved, bus)
    assert stored(moved) == {"a": 2, "expired": 7, "b": 1}
    with open_store(moved.database_address) as store:
        assert len(store.revisions("a")) == 2


@pytest.mark.usefixtures("refusing")
def test_what_is_refused_while_the_database_is_filled_takes_nothing_with_it(
    settings: CatalogSettings, bus: Bus
) -> None:
    services.publish(bus, "catalogue", ((name, make_event(name)) for name in ("a", "bad", "b")))
    publish(bus, make_event("c"))
    serve(settings, bus)
    assert stored(settings) == {"a": 1, "b": 1, "c": 1}


def expire(bus: Bus, topic: str, key: str) -> None:
    """Delete what the partition of a key holds, as retention does."""
    assert isinstance(bus, MemoryBus)
    assert isinstance(bus.log, MemoryLog)
    found = bus.log._topics[topic]
    number = partition_of(key, len(found.partitions))
    while found.partitions[number].first < found.partitions[number].end:
        found.order.remove(number)
        found.partitions[number].drop_first()


def test_what_expired_unread_is_filled_in_from_the_latest_revisions(settings: CatalogSettings, bus: Bus) -> None:
    publish(bus, make_event("a"))
    serve(settings, bus)
    publish(bus, make_event("a", 2), make_event("a", 3))
    expire(bus, "events", "a")
    services.publish(bus, "catalogue", [("a", make_event("a", 3))])
    publish(bus, make_event("a", 4))
    serve(settings, bus)
    with open_store(settings.database_address) as store:
        assert [each.event.revision for each in store.revisions("a")] == [1, 3, 4]


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


def away() -> None:
    raise DatabaseUnavailable("found no answer")


def test_patience_ends() -> None:
    pulse = Pulse()
    with pytest.raises(DatabaseUnavailable, match="it was asked for 30 s"):
        Patience(30.0, pulse, _never(), Clock()).ask(away)
    assert pulse.waiting() == {"database": "found no answer"}


def _never() -> threading.Event:
    stop = threading.Event()
    stop.wait = lambda timeout=None: False  # type: ignore[method-assign]  # the clock of this test goes by itself
    return stop


def test_its_pulse_goes_on_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, waited, stop = SimpleNamespace(now_s=0.0), list[float](), threading.Event()

    def wait(timeout: float) -> bool:
        waited.append(timeout)
        clock.now_s += timeout
        return False

    monkeypatch.setattr(stop, "wait", wait)
    with pytest.raises(DatabaseUnavailable):
        Patience(30.0, Pulse(), stop, lambda: clock.now_s).ask(away)
    assert max(waited) <= service.BEAT_S


def test_whoever_waits_can_be_stopped() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(service.Stopped):
        Patience(30.0, Pulse(), stop).ask(away)


def test_a_password_is_in_no_log() -> None:
    given = {"database": "postgresql+psycopg://me:secret@db/kensoku"}
    shown = describe(load_settings(CatalogSettings, given))
    assert "secret" not in shown
    assert "postgresql+psycopg://me:" in shown


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"catalog_agency": "NZ"}, "3 to 63"),
        ({"catalog_batch": "0"}, "greater than 0"),
        ({"database": "postgresql://db/x?password=hush"}, "behind the"),
    ],
)
def test_a_wrong_setting_is_told(given: dict[str, object], words: str) -> None:
    with pytest.raises(SettingInvalid, match=words):
        load_settings(CatalogSettings, given)
