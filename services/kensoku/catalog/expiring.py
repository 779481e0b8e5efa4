"""Take out of the topic `catalogue` what ended long ago and the database keeps for ever."""

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from google.protobuf.message import DecodeError
from prometheus_client import Counter

from kensoku.bus import Bus
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_STATUS_MERGED, EVENT_STATUS_RETRACTED, Event

log = logging.getLogger("kensoku.catalog")

LATEST = "catalogue"
ENDED = (EVENT_STATUS_FINAL, EVENT_STATUS_MERGED, EVENT_STATUS_RETRACTED)
AT_ONCE = 500
TOMBSTONES = Counter("catalog_tombstones", "Events taken out of the topic catalogue long after they were final")

Revision = tuple[int, int]  # and owner_epoch
Stored = Callable[[Sequence[str]], dict[str, Event]]


def take_out(bus: Bus, stored: Stored, before_ns: int, beat: Callable[[], None]) -> int:
    """How many: those whose last revision was published before then, ends them, and is in the database."""
    ended = iter(ended_before(bus, before_ns, beat).items())
    count = 0
    while some := dict(islice(ended, AT_ONCE)):
        beat()
        kept = {event.id: revision_of(event) for event in stored(list(some)).values()}
        for event_id, revision in some.items():
            if kept.get(event_id, (0, 0)) >= revision:
                bus.publish(LATEST, event_id, None)
                count += 1
    if count:
        bus.flush()
        TOMBSTONES.inc(count)
        log.info("took %d events out of %s: the database has them", count, LATEST)
    return count


def ended_before(bus: Bus, before_ns: int, beat: Callable[[], None]) -> dict[str, Revision]:
    """By id, the revision that stands, of those that are over."""
    found: dict[str, Revision] = {}
    for event_id, published_ns, event in _latest(bus, beat):
        if event is not None and event.status in ENDED and published_ns < before_ns:
            found[event_id] = revision_of(event)
        else:
            found.pop(event_id, None)
    return found


def _latest(bus: Bus, beat: Callable[[], None]) -> Iterator[tuple[str, int, Event | None]]:
    """What the topic holds, each key's in order; None where nothing can be read, or nothing is left."""
    for number, message in enumerate(bus.read(LATEST)):
        if number % AT_ONCE == 0:
            beat()
        try:
            event = Event.FromString(message.value) if message.value else None
        except DecodeError:
            event = None
        yield message.key, message.published_ns, event


def revision_of(event: Event) -> Revision:
    return event.revision, event.owner_epoch
