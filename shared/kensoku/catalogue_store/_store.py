"""Write revisions of events so that twice is once and no order matters, and read the catalogue they make."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from kensoku.catalogue_store._rows import (
    Row,
    arrival_rows,
    check_event,
    event_row,
    identity,
    magnitude_rows,
    origin_rows,
    precedence,
    revision_row,
)
from kensoku.catalogue_store._selection import Selection
from kensoku.catalogue_store._tables import ARRIVALS, EVENTS, MAGNITUDES, ORIGINS, REVISIONS
from kensoku.v1.event_pb2 import Event

AT_ONCE = 500  # ids of one question, rows of one answer
CHILDREN: Sequence[tuple[Any, Callable[[Event, int], list[Row]]]] = (
    (ORIGINS, origin_rows),
    (ARRIVALS, arrival_rows),
    (MAGNITUDES, magnitude_rows),
)
Identity = tuple[str, int, int]  # event id, revision, owner epoch


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch of revisions."""

    new: int = 0
    known: int = 0  # were there already
    replaced: int = 0  # the same revision of the same owner, published earlier


@dataclass(frozen=True, slots=True)
class Revision:
    event: Event
    is_current: bool


class Store:
    """A catalogue in a database; made by `open_store`."""

    def __init__(
        self,
        engine: Engine,
        explained: Callable[[], AbstractContextManager[None]],
        writing: Callable[[], AbstractContextManager[Connection]],
    ) -> None:
        self._engine = engine
        self._explained = explained
        self._writing = writing

    def write(self, events: Iterable[Event]) -> Written:
        """Store revisions, all or none; returns when the database has committed."""
        given: dict[Identity, tuple[Event, bytes]] = {}
        count = 0
        for event in events:
            check_event(event)
            count += 1
            message = event.SerializeToString(deterministic=True)
            before = given.get(identity(event))
            if before is None or _earlier(event, message) < _earlier(*before):
                given[identity(event)] = event, message
        if not given:
            return Written()
        with self._explained(), self._writing() as connection:
            missing, replaced = _missing(connection, given)
            _insert(connection, missing)
        return Written(len(missing) - replaced, count - len(missing), replaced)

    def events(self, selection: Selection | None = None) -> Iterator[Event]:
        """The catalogue as it stands, in the order of origin time, without one first, few of them in memory at once."""
        chosen = (selection or Selection()).condition()
        order = (EVENTS.c.time_ns.nulls_first(), EVENTS.c.id)  # databases differ where nobody says it
        for (message,) in self._rows(_current().where(chosen).order_by(*order)):
            yield Event.FromString(message)

    def newest(self, limit: int, selection: Selection | None = None) -> Sequence[Event]:
        """The last of them by origin time, the newest last."""
        chosen = (selection or Selection()).condition()
        order = (EVENTS.c.time_ns.desc().nulls_last(), EVENTS.c.id.desc())
        found = self._rows(_current().where(chosen).order_by(*order).limit(limit))
        return [Event.FromString(message) for (message,) in found][::-1]

    def count(self, selection: Selection | None = None) -> int:
        chosen = (selection or Selection()).condition()
        with self._explained(), self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(EVENTS).where(chosen)).scalar_one())

    def newest_published_ns(self) -> int:
        """When the newest revision that stands was published; 0 of an empty catalogue."""
        with self._explained(), self._engine.connect() as connection:
            return int(connection.execute(select(func.max(EVENTS.c.published_ns))).scalar_one() or 0)

    def event(self, event_id: str) -> Event | None:
        """One event as it stands."""
        return next((Event.FromString(message) for (message,) in self._rows(_current(event_id))), None)

    def current(self, event_ids: Iterable[str]) -> dict[str, Event]:
        """By id, those of these that are known."""
        found = {}
        for ids in batched(event_ids, AT_ONCE):
            for (message,) in self._rows(_current().where(EVENTS.c.id.in_(ids))):
                event = Event.FromString(message)
                found[event.id] = event
        return found

    def beginning_with(self, start: str, limit: int = 20) -> Sequence[str]:
        """Ids that begin so, for people who do not type all of one."""
        begins = func.substr(EVENTS.c.id, 1, len(start)) == start  # LIKE takes a for A in SQLite
        query = select(EVENTS.c.id).where(begins).order_by(EVENTS.c.id)
        return [event_id for (event_id,) in self._rows(query.limit(limit))]

    def revisions(self, event_id: str) -> Sequence[Revision]:
        """All that was ever said of an event, in order."""
        columns = REVISIONS.c
        query = (
            select(columns.message, columns.key == EVENTS.c.revision_key)
            .join(EVENTS, EVENTS.c.id == columns.event_id)
            .where(columns.event_id == event_id)
            .order_by(columns.revision, columns.owner_epoch)
        )
        return [Revision(Event.FromString(message), bool(current)) for message, current in self._rows(query)]

    def _rows(self, query: Select[Any]) -> Iterator[Any]:
        with (
            self._explained(),
            self._engine.connect().execution_options(yield_per=AT_ONCE) as connection,
            connection.execute(query) as found,
        ):
            yield from found


def batched(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    left = iter(ids)
    while some := list(islice(left, size)):
        yield some


def _earlier(event: Event, message: bytes) -> tuple[int, bytes]:
    return precedence(event.latency.published_ns, message)


def _current(event_id: str | None = None) -> Select[Any]:
    query = select(REVISIONS.c.message).join(EVENTS, EVENTS.c.revision_key == REVISIONS.c.key)
    return query if event_id is None else query.where(EVENTS.c.id == event_id)


def _missing(
    connection: Connection, given: dict[Identity, tuple[Event, bytes]]
) -> tuple[dict[Identity, tuple[Event, bytes]], int]:
    """What of this is not there yet, and how many of these take the place of a repeat that was published later."""
    columns = REVISIONS.c
    ids = sorted({event_id for event_id, _, _ in given})
    missing, later = dict(given), list[tuple[Identity, int]]()
    for some in batched(ids, AT_ONCE):
        query = select(
            columns.key,
            columns.event_id,
            columns.revision,
            columns.owner_epoch,
            columns.published_ns,
            columns.message,
        )
        for key, event_id, revision, epoch, published_ns, message in connection.execute(
            query.where(columns.event_id.in_(some))
        ):
            name = event_id, revision, epoch
            if name not in given:
                continue
            if _earlier(*given[name]) < precedence(published_ns, bytes(message)):
                later.append((name, key))
            else:
                del missing[name]
    for _, key in later:
        for table in (EVENTS, ORIGINS, ARRIVALS, MAGNITUDES):
            connection.execute(delete(table).where(table.c.revision_key == key))
        connection.execute(delete(REVISIONS).where(columns.key == key))
    return missing, len(later)


def _insert(connection: Connection, missing: dict[Identity, tuple[Event, bytes]]) -> None:
    if not missing:
        return
    columns = REVISIONS.c
    keys = {
        (event_id, revision, epoch): key
        for key, event_id, revision, epoch in connection.execute(
            insert(REVISIONS).returning(columns.key, columns.event_id, columns.revision, columns.owner_epoch),
            [revision_row(event, message) for event, message in missing.values()],
        )
    }
    named = [(event, keys[name]) for name, (event, _) in missing.items()]
    for table, rows_of in CHILDREN:
        rows = list(chain.from_iterable(rows_of(event, key) for event, key in named))
        if rows:
            connection.execute(insert(table), rows)
    latest: dict[str, tuple[Event, int]] = {}
    for event, key in sorted(named, key=lambda one: identity(one[0])):
        latest[event.id] = event, key
    _put_forward(connection, [event_row(event, key) for event, key in latest.values()])


def _put_forward(connection: Connection, rows: Sequence[Row]) -> None:
    """Make these the current revisions of their events, where no greater one is."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(EVENTS)
    offered = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[EVENTS.c.id],
            set_={column.name: offered[column.name] for column in EVENTS.c if column.name != "id"},
            where=tuple_(offered.revision, offered.owner_epoch) > tuple_(EVENTS.c.revision, EVENTS.c.owner_epoch),
        ),
        list(rows),
    )
