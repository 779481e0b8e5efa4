"""What is over for long leaves the topic of the latest revisions once the database has it, and nothing else does."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from kensoku.bus import Bus
from kensoku.catalog import service
from kensoku.catalog.expiring import take_out
from kensoku.catalog.service import run
from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_store import Store, open_store
from kensoku.runtime import Pulse
from kensoku.settings import load_settings
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_STATUS_MERGED, EVENT_STATUS_UPDATED, Event, EventStatus
from tests import services
from tests.catalogue import make_event

LATER_NS = time.time_ns() + 10**12
Tidy = Callable[..., int]


def ended(event_id: str, revision: int = 3, status: EventStatus = EVENT_STATUS_FINAL) -> Event:
    event = make_event(event_id, revision)
    event.status = status
    return event


def latest(bus: Bus) -> dict[str, bytes]:
    with bus.table("catalogue") as table:
        table.refresh()
        return dict(table)


@pytest.fixture
def tidy(bus: Bus, store: Store) -> Tidy:
    def tidied(*events: Event, before_ns: int = LATER_NS) -> int:
        services.publish(bus, "catalogue", ((event.id, event) for event in events))
        return take_out(bus, store.current, before_ns, lambda: None)

    return tidied


def test_events_that_are_over_and_stored_leave_the_topic(bus: Bus, store: Store, tidy: Tidy) -> None:
    over = [ended("a"), ended("b", status=EVENT_STATUS_MERGED)]
    store.write(over)
    assert tidy(*over) == 2
    assert latest(bus) == {}
    assert tidy() == 0, "and are not taken out again"


@pytest.mark.parametrize(
    ("published", "stored"),
    [
        (ended("a", status=EVENT_STATUS_UPDATED), ended("a", status=EVENT_STATUS_UPDATED)),
        (ended("a"), ended("b")),
        (ended("a", 3), ended("a", 2)),
    ],
    ids=["not over", "not stored", "an older revision is stored"],
)
def test_what_is_not_over_or_not_stored_stays(
    bus: Bus, store: Store, tidy: Tidy, published: Event, stored: Event
) -> None:
    store.write([stored])
    assert tidy(published) == 0
    assert latest(bus).keys() == {"a"}


def test_what_was_revised_lately_stays(bus: Bus, store: Store, tidy: Tidy) -> None:
    """As by picks that were filled in after it was final."""
    first, again = ended("a", 3), ended("a", 4)
    store.write([first, again])
    services.publish(bus, "catalogue", [("a", first)])
    time.sleep(0.01)
    between_ns = time.time_ns()
    time.sleep(0.01)
    assert tidy(again, before_ns=between_ns) == 0
    assert Event.FromString(latest(bus)["a"]).revision == 4


def test_what_cannot_be_read_stays_and_stops_nothing(bus: Bus, store: Store, tidy: Tidy) -> None:
    bus.publish("catalogue", "x", b"\xff\xff")
    store.write([ended("a")])
    assert tidy(ended("a")) == 1
    assert latest(bus) == {"x": b"\xff\xff"}


def test_the_service_tidies_once_a_day(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(CatalogSettings, {"home": str(tmp_path)})
    monkeypatch.setattr(service, "TIDY_S", 0.0)
    for topic in ("events", "catalogue"):
        services.publish(bus, topic, [("a", ended("a"))])
    in_90_days = partial(lambda: time.time_ns() + 91 * service.DAY_NS)

    def work(stop: threading.Event) -> None:
        run(settings, bus, Pulse(), stop, in_90_days)

    services.serve(work, lambda: not latest(bus))
    with open_store(settings.database_address, must_exist=True) as kept:
        assert kept.event("a") is not None
