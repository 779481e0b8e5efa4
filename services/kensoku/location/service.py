"""The loop of location: associations from the bus, revisions of events on to it, and then a commit."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from google.protobuf.message import DecodeError
from prometheus_client import Counter, Gauge, Histogram

from kensoku.bus import Bus, Message, Position, Stream, Table
from kensoku.errors import InputInvalid
from kensoku.events import status_name
from kensoku.inventory import published_stations
from kensoku.lateness import Lag, Latency
from kensoku.location.context import context_of
from kensoku.location.settings import LocationServiceSettings
from kensoku.runtime import Pulse
from kensoku.solving import Book, Context, Outcome, Solved, check_association, solve_many
from kensoku.times import Every
from kensoku.traveltime import Grids, match_grids, read_time_grids
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import Event
from kensoku.v1.inventory_pb2 import Station

log = logging.getLogger("kensoku.location")

ASSOCIATIONS, EVENTS, LATEST, GROUP = "associations", "events", "catalogue", "location"
NS_PER_S = 10**9
NS_PER_DAY = 86_400 * NS_PER_S
REFRESH_S = 1.0
SPARE_DAYS = 1.0  # of one's own output, read beside the days in which final events may be revised
BEAT_EVERY = 1000  # messages

READ = Counter("location_associations", "States of candidates that were read")
REJECTS = Counter("location_rejects", "Associations that nobody can solve")
PUBLISHED = Counter("location_events", "Revisions published", ["status"])
NOT_PUBLISHED = Counter("location_unpublished", "States of candidates that made no revision", ["reason"])
NOT_LOCATED = Counter("location_failures", "States of candidates that could not be located", ["reason"])
BATCH_SECONDS = Histogram("location_batch_seconds", "Time to turn a batch of associations into events")
AGE_SECONDS = Latency(
    "location_publication_seconds", "From the decision of association to the publication of the revision"
)
LAG_SECONDS = Lag("location_lag_seconds", "the newest association that was read was decided")
WITH_GRIDS = Gauge("location_stations_with_grids", "Stations whose travel times are those of 3-D grids")
REMEMBERED = Gauge("location_remembered_events", "Events whose last revision is in memory")


def run(
    settings: LocationServiceSettings,
    bus: Bus,
    pulse: Pulse,
    stop: threading.Event,
    clock_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Solve what comes until told to stop; what is not committed comes again."""
    pulse.wait_for("tables", "travel times are being computed")
    grids = read_time_grids(settings.location_time_grids) if settings.location_time_grids else {}
    context = context_of(settings, software_version(), grids)
    pulse.found("tables")
    with bus.table("inventory") as inventory:
        location = Location(settings, bus, context, grids, inventory, pulse, clock_ns)
        with bus.subscribe([ASSOCIATIONS], GROUP, on_assigned=location.assigned) as stream:
            for batch in stream.batches(settings.location_batch):
                pulse.beat()
                if stop.is_set():
                    return
                if batch:
                    location.turn(stream, batch)


def software_version() -> str:
    try:
        return version("kensoku")
    except PackageNotFoundError:
        return ""


class Location:
    """Between the bus and the solver, which knows no bus."""

    def __init__(
        self,
        settings: LocationServiceSettings,
        bus: Bus,
        context: Context,
        grids: Grids,  # by the station as NonLinLoc calls it
        inventory: Table,
        pulse: Pulse,
        clock_ns: Callable[[], int],
    ) -> None:
        self._bus, self._pulse, self._clock_ns = bus, pulse, clock_ns
        self._inventory, self._refreshes = inventory, Every(REFRESH_S)
        self._seen = -1  # edition of the inventory
        self._context, self._grids = context, grids
        self._recall_ns = round((settings.location_backfill_days + SPARE_DAYS) * NS_PER_DAY)
        self._book = Book(settings.location_events, self._recall)

    def assigned(self, positions: frozenset[Position]) -> None:
        """Read what the last owner of these has published, so that no older revision is published again."""
        count = 0
        for event in self._published(self._bus.read(LATEST, start=max(self._clock_ns() - self._recall_ns, 0))):
            self._book.keep(event)
            count += 1
        REMEMBERED.set(len(self._book))
        log.info("%d events were published lately", count)

    def turn(self, stream: Stream, batch: Sequence[Message]) -> None:
        """Solve a batch together; each revision is safe in `events` before it is the latest in `catalogue`, so that a
        crash in between leaves nothing out: what is not committed is solved again, after what `catalogue` holds."""
        READ.inc(len(batch))
        self._refresh()
        with BATCH_SECONDS.time():
            found = [(message, one) for message in batch if (one := read(stream, message)) is not None]
            solved = self._solve(stream, found)
        self._publish(stream, solved)
        stream.commit({(message.topic, message.partition): message.offset + 1 for message in batch})
        count(solved, self._clock_ns())
        REMEMBERED.set(len(self._book))

    def _solve(self, stream: Stream, found: Sequence[tuple[Message, Association]]) -> list[Solved]:
        """What cannot be used is put aside, and the others are solved."""
        located_ns, associations = self._clock_ns(), [association for _, association in found]
        try:
            return solve_many(associations, self._context, self._book, located_ns=located_ns)
        except InputInvalid as error:
            if len(found) > 1:
                return [solved for one in found for solved in self._solve(stream, [one])]
            REJECTS.inc()
            stream.reject(found[0][0], str(error))
            return []

    def _publish(self, stream: Stream, solved: Sequence[Solved]) -> None:
        latest: dict[str, bytes] = {}
        for each in solved:
            if each.event is not None:
                each.event.latency.published_ns = self._clock_ns()
                latest[each.event.id] = each.event.SerializeToString()
                self._bus.publish(EVENTS, each.event.id, latest[each.event.id])
        if latest:
            stream.commit({})
            for event_id, value in latest.items():
                self._bus.publish(LATEST, event_id, value)

    def _refresh(self) -> None:
        if not self._refreshes.has_passed(self._clock_ns()):
            return
        self._inventory.refresh()
        if self._inventory.edition != self._seen:
            self._seen = self._inventory.edition
            stations = published_stations(self._inventory)
            self._context = replace(self._context, stations=stations, grids=self._grids_of(stations))

    def _grids_of(self, stations: Mapping[str, Station]) -> Grids:
        """By NET.STA; where names do not tell which station is meant, the layers serve as for those without a grid."""
        if not self._grids:
            return {}
        named, ambiguous = match_grids(self._grids, stations)
        WITH_GRIDS.set(len({code for code, _ in named}))
        for label, codes in ambiguous.items():
            log.warning("found a grid of %s, which may be %s: not used; call it NET_STA", label, " or ".join(codes))
        return named

    def _recall(self, event_id: str) -> Event | None:
        """The last revision of an event that the book has forgotten."""
        last = None
        for event in self._published(self._bus.read(LATEST, key=event_id)):
            last = event
        return last

    def _published(self, messages: Iterable[Message]) -> Iterable[Event]:
        for number, message in enumerate(messages):
            if number % BEAT_EVERY == 0:
                self._pulse.beat()
            if message.value is None:
                continue
            try:
                event = Event.FromString(message.value)
            except DecodeError:
                continue  # somebody else's rubbish
            if event.id == message.key and event.revision:
                yield event


def read(stream: Stream, message: Message) -> Association | None:
    """None of what was put aside, and of tombstones, which say nothing."""
    if message.value is None:
        return None
    try:
        association = Association.FromString(message.value)
        check_association(association)
    except DecodeError:
        reason = f"found {len(message.value)} bytes, expected an Association"
    except InputInvalid as error:
        reason = str(error)
    else:
        return association
    REJECTS.inc()
    stream.reject(message, reason)
    return None


def count(solved: Sequence[Solved], now_ns: int) -> None:
    for each in solved:
        if each.event is not None:
            PUBLISHED.labels(status_name(each.event).lower()).inc()
            AGE_SECONDS.tell(each.association.decided_ns, each.event.latency.published_ns)
        elif each.outcome is not Outcome.NOT_LOCATED:
            NOT_PUBLISHED.labels(str(each.outcome)).inc()
        if each.error is not None:
            NOT_LOCATED.labels(type(each.error).__name__).inc()
    LAG_SECONDS.tell((each.association.decided_ns for each in solved), now_ns)
