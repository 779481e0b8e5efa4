"""In which order the catalogue is read: along an index, however many events there are; on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Engine, event, text

from kensoku.catalogue_store import Store, address
from kensoku.catalogue_store._engine import _engine
from tests.catalogue import make_event


def test_the_first_and_the_newest_are_read_along_an_index(store: Store, catalogue_url: str) -> None:
    store.write([make_event()])
    for asked in (queries_of(lambda: list(store.events())), queries_of(lambda: store.newest(20))):
        for plan in plans(catalogue_url, asked):
            assert "events_order" in plan
            assert "Sort" not in plan
            assert "TEMP B-TREE" not in plan


def queries_of(ask: Callable[[], object]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            found.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert found
    return found


def plans(url: str, queries: Sequence[tuple[str, Any]]) -> Iterator[str]:
    """As the database would answer if there were many rows."""
    place = address(url)
    engine = _engine(place, must_exist=False)
    with engine.connect() as connection:
        if not place.is_sqlite:
            connection.execute(text("SET enable_sort = off"))
        for statement, parameters in queries:
            word = "EXPLAIN QUERY PLAN" if place.is_sqlite else "EXPLAIN"
            yield "\n".join(map(str, connection.exec_driver_sql(f"{word} {statement}", parameters)))
    engine.dispose()
