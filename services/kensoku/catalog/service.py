"""The loop of the catalogue: revisions of events from the bus, into the database, and then a commit."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from itertools import chain, islice
from typing import TypeVar

from google.protobuf.message import DecodeError
from prometheus_client import Counter, Histogram

from kensoku.bus import Bus, Message, Stream
from kensoku.catalog.expiring import LATEST, take_out
from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_store import Store, check_event, open_store
from kensoku.errors import DatabaseUnavailable, InputInvalid
from kensoku.lateness import Lag
from kensoku.runtime import Pulse
from kensoku.times import NS_PER_S, Every, iso_time
from kensoku.v1.event_pb2 import Event

log = logging.getLogger("kensoku.catalog")

TOPIC, GROUP = "events", "catalog"
DAY_NS = 86_400 * NS_PER_S
OVERLAP_NS = 3600 * NS_PER_S  # of what the database has: clocks of publishers and the broker differ
TIDY_S = 86_400.0  # from one look for what ended long ago to the next
SHORTEST_PAUSE_S, LONGEST_PAUSE_S, BEAT_S = 0.25, 8.0, 0.2

WRITTEN = Counter("catalog_revisions", "Revisions of events that are in the database", ["outcome"])
REJECTS = Counter("catalog_rejects", "Messages that no catalogue can hold")
BATCH_SECONDS = Histogram("catalog_batch_seconds", "Time to write a batch of revisions and commit it")
LAG_SECONDS = Lag("catalog_lag_seconds", "the newest revision that was written was published")
WAITS = Counter("catalog_database_waits", "Times the database did not answer and was asked again")

Answer = TypeVar("Answer")


class Stopped(Exception):
    """The service was told to end."""


class Patience:
    """Ask the database again and again while it is away, ready to stop, and give up after a limit."""

    def __init__(
        self, limit_s: float, pulse: Pulse, stop: threading.Event, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit_s = limit_s
        self._pulse = pulse
        self._stop = stop
        self._clock_s = clock_s

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer; raises DatabaseUnavailable after the limit, and Stopped when told to end before."""
        deadline_s, pause_s = self._clock_s() + self._limit_s, SHORTEST_PAUSE_S
        while True:
            self._pulse.beat()
            if self._stop.is_set():
                raise Stopped
            try:
                answer = question()
            except DatabaseUnavailable as error:
                if self._clock_s() >= deadline_s:
                    raise DatabaseUnavailable(f"{error}; it was asked for {self._limit_s:g} s") from None
                self._away(error, pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                if pause_s > SHORTEST_PAUSE_S:
                    log.info("the database is back")
                self._pulse.found("database")
                return answer

    def _away(self, error: DatabaseUnavailable, pause_s: float) -> None:
        if pause_s == SHORTEST_PAUSE_S:
            log.warning("%s", error)
        WAITS.inc()
        self._pulse.wait_for("database", str(error))
        until_s = self._clock_s() + pause_s
        while (left_s := until_s - self._clock_s()) > 0:
            self._pulse.beat()
            if self._stop.wait(min(left_s, BEAT_S)):
                raise Stopped


def run(
    settings: CatalogSettings,
    bus: Bus,
    pulse: Pulse,
    stop: threading.Event,
    clock_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Write what comes until told to stop; what is not committed comes again."""
    pulse.wait_for("database", "it is being opened")
    patience = Patience(settings.catalog_database_wait_s, pulse, stop)
    with ExitStack() as opened:
        try:
            store = patience.ask(
                lambda: opened.enter_context(open_store(settings.database_address, settings.namespace))
            )
            fill = partial(refill, bus, store, patience, settings.catalog_batch)
            newest_ns = patience.ask(store.newest_published_ns)
            fill("starting", since_ns=max(newest_ns - OVERLAP_NS, 0))  # it may be empty, or restored from a backup
            stream = opened.enter_context(bus.subscribe([TOPIC], GROUP, on_expired=fill))
            tidying = Every(TIDY_S, clock_ns())
            for batch in stream.batches(settings.catalog_batch):
                pulse.beat()
                if stop.is_set():
                    return
                if batch:
                    keep(store, stream, batch, patience, clock_ns)
                if tidying.has_passed(clock_ns()):
                    before_ns = clock_ns() - round(settings.catalog_topic_days * DAY_NS)
                    take_out(bus, lambda ids: patience.ask(lambda: store.current(ids)), before_ns, pulse.beat)
        except Stopped:
            return


def refill(bus: Bus, store: Store, patience: Patience, size: int, why: object, since_ns: int = 0) -> None:
    """Store all that the topics still hold since then: after a stretch has expired unread, or in a database that is new
    or older than what was committed."""
    log.info("%s: reading all that %s and %s hold since %s", why, LATEST, TOPIC, iso_time(since_ns))
    for some in batched(kept(bus, since_ns), size):
        try:
            count(store, patience, some)
        except InputInvalid:  # told when it is read again by the group
            for event in some:
                with suppress(InputInvalid):
                    count(store, patience, [event])


def kept(bus: Bus, since_ns: int = 0) -> Iterator[Event]:
    """The latest revision of every event, and every revision that has not expired, as far as they can be read."""
    for message in chain.from_iterable(bus.read(topic, start=since_ns) for topic in (LATEST, TOPIC)):
        try:
            event = Event.FromString(message.value or b"")
            check_event(event)
        except (DecodeError, InputInvalid):
            continue
        yield event


def batched(events: Iterator[Event], size: int) -> Iterator[Sequence[Event]]:
    while some := list(islice(events, size)):
        yield some


def keep(
    store: Store, stream: Stream, batch: Sequence[Message], patience: Patience, clock_ns: Callable[[], int]
) -> None:
    """Store a batch, put aside what cannot be stored, and then commit."""
    with BATCH_SECONDS.time():
        events = [(message, event) for message in batch if (event := read(stream, message)) is not None]
        try:
            count(store, patience, [event for _, event in events])
        except InputInvalid:
            one_by_one(store, stream, events, patience)
        stream.commit({(message.topic, message.partition): message.offset + 1 for message in batch})
    LAG_SECONDS.tell((message.published_ns for message in batch), clock_ns())


def read(stream: Stream, message: Message) -> Event | None:
    """The event; None of what was put aside, and of tombstones, which have nothing to store."""
    if message.value is None:
        return None
    try:
        event = Event.FromString(message.value)
        check_event(event)
    except DecodeError:
        reject(stream, message, f"found {len(message.value)} bytes, expected an Event")
    except InputInvalid as error:
        reject(stream, message, str(error))
    else:
        return event
    return None


def reject(stream: Stream, message: Message, reason: str) -> None:
    REJECTS.inc()
    stream.reject(message, reason)


def count(store: Store, patience: Patience, events: Sequence[Event]) -> None:
    written = patience.ask(lambda: store.write(events))
    for outcome in ("new", "known", "replaced"):
        WRITTEN.labels(outcome).inc(getattr(written, outcome))


def one_by_one(store: Store, stream: Stream, events: Sequence[tuple[Message, Event]], patience: Patience) -> None:
    """The database has refused something of a batch: what it refuses alone is put aside."""
    for message, event in events:
        try:
            count(store, patience, [event])
        except InputInvalid as error:
            reject(stream, message, str(error))
