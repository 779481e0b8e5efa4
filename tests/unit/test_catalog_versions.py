"""Versions and addresses of the catalogue's database: migrated, left alone or told; on SQLite and PostgreSQL."""

import itertools
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from kensoku.catalogue_store import _engine as _engine_module
from kensoku.catalogue_store import address, migrate, open_store
from kensoku.catalogue_store._engine import _engine, _scripts, writing
from kensoku.catalogue_store._tables import METADATA
from kensoku.errors import DatabaseUnavailable, DatabaseUnusable, SettingInvalid
from kensoku.v1.event_pb2 import Event
from tests.catalogue import everything, ids, make_event
from tests.database import Database, needs_postgresql


def tables(catalogue_url: str) -> list[object]:
    place = address(catalogue_url)
    engine = _engine(place, must_exist=False)
    try:
        with engine.connect() as connection:
            return list(compare_metadata(MigrationContext.configure(connection), METADATA))
    finally:
        engine.dispose()


def test_migrations_make_the_tables_as_declared_from_nothing(catalogue_url: str) -> None:
    assert migrate(catalogue_url) == (None, "0004")
    assert tables(catalogue_url) == []
    assert migrate(catalogue_url) == ("0004", "0004")


@pytest.mark.parametrize("version", ["0001", "0002", "0003"])
def test_an_earlier_version_is_migrated_with_what_it_holds(version: str, catalogue_url: str) -> None:
    assert migrate(catalogue_url, to=version) == (None, version)
    place, event = address(catalogue_url), make_event("old")
    engine = _engine(place, must_exist=False)
    with writing(engine, place) as connection:
        insert_by_hand(connection, event)
    engine.dispose()
    with open_store(catalogue_url) as store:
        assert list(store.events()) == [event]
        assert store.write([event]).known == 1
    if version == "0001":
        assert everything(catalogue_url)["events"][0][3] == event.latency.published_ns
    assert tables(catalogue_url) == []


@pytest.mark.parametrize(("namespace", "command"), [("", "migrate`"), ("trial", "migrate --namespace trial`")])
def test_who_only_reads_is_told_the_command_for_this_catalogue(
    namespace: str, command: str, catalogue_url: str
) -> None:
    migrate(catalogue_url, namespace, to="0001")
    with (
        pytest.raises(DatabaseUnusable, match=f"run `kensoku catalog {command}"),
        open_store(catalogue_url, namespace, must_exist=True),
    ):
        pass


def insert_by_hand(connection: Connection, event: Event) -> None:
    """As the first version did."""
    connection.execute(
        text(
            "INSERT INTO revisions (key, event_id, revision, owner_epoch, published_ns, status, type, region, reason, "
            "author, message) VALUES (7, :id, 1, 1, :published, 'UPDATED', 'EARTHQUAKE', '', '', '', :message)"
        ),
        {
            "id": event.id,
            "published": event.latency.published_ns,
            "message": event.SerializeToString(deterministic=True),
        },
    )
    connection.execute(
        text(
            "INSERT INTO events (id, revision_key, revision, owner_epoch, status, type, region, time_ns, "
            "magnitude_type, quality, arrivals, merged_into, split_from) "
            "VALUES (:id, 7, 1, 1, 'UPDATED', 'EARTHQUAKE', '', 5, 'ML', 'B', 12, '', '')"
        ),
        {"id": event.id},
    )


def test_a_migration_that_fails_leaves_the_version_before(catalogue_url: str) -> None:
    migrate(catalogue_url, to="0001")
    place = address(catalogue_url)
    engine = _engine(place, must_exist=False)
    with writing(engine, place) as connection:
        connection.execute(text("CREATE INDEX events_published_ns ON events (time_ns)"))  # in the way of the last step
    engine.dispose()
    with pytest.raises(Exception, match="already exists"):
        migrate(catalogue_url)
    with pytest.raises(DatabaseUnusable, match="version 0001"), open_store(catalogue_url, must_exist=True):
        pass


def test_services_that_start_together_make_the_tables_once(catalogue_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(migrate, [catalogue_url] * 4))
    assert sorted(found, key=str) == [("0004", "0004")] * 3 + [(None, "0004")]


@needs_postgresql
def test_a_user_who_may_make_no_schema_uses_one_that_is_there(postgresql: Database) -> None:
    name = postgresql.new_url().rpartition("/")[2]
    postgresql.execute("CREATE ROLE writer LOGIN")
    with pytest.raises(DatabaseUnusable, match=r"permission denied.*expected .* a user who may"):
        migrate(postgresql.url(name, "writer"))
    postgresql.execute("CREATE SCHEMA kensoku AUTHORIZATION writer", name)
    assert migrate(postgresql.url(name, "writer")) == (None, "0004")


@needs_postgresql
def test_tables_that_somebody_has_locked_are_told(postgresql: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_engine_module, "BUSY_S", 0.5)
    url = postgresql.new_url()
    place = address(url)
    other = _engine(place, must_exist=False)
    with open_store(url) as store, other.connect() as connection:
        connection.execute(text("LOCK TABLE revisions IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            store.write([make_event("a")])
        connection.rollback()
        assert store.write([make_event("a")]).new == 1
    other.dispose()


def test_tables_of_a_newer_version_are_left_alone(catalogue_url: str) -> None:
    migrate(catalogue_url)
    place = address(catalogue_url)
    engine = _engine(place, must_exist=False)
    with writing(engine, place) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseUnusable, match=r"version 9999.*update this one"), open_store(catalogue_url):
        pass


def test_a_writer_goes_no_further_where_a_newer_version_has_migrated_the_tables_under_it(catalogue_url: str) -> None:
    place = address(catalogue_url)
    newer = _engine(place, must_exist=False)
    with open_store(catalogue_url) as store:
        store.write([make_event("before")])
        with writing(newer, place) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(DatabaseUnusable, match=r"version 9999.*update this one"):
            store.write([make_event("after")])
    with newer.connect() as connection:
        assert connection.execute(text("SELECT id FROM events")).scalars().all() == ["before"]
    newer.dispose()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_writer_goes_no_further_in_a_file_that_has_lost_its_name(is_replaced: bool, tmp_path: Path) -> None:
    url, path = f"sqlite:///{tmp_path}/catalogue.sqlite", tmp_path / "catalogue.sqlite"
    with open_store(f"sqlite:///{tmp_path}/other.sqlite") as store:
        store.write([make_event("other")])
    with open_store(url) as store:
        store.write([make_event("a")])
        if is_replaced:
            (tmp_path / "other.sqlite").replace(path)
        else:
            path.unlink()
        with pytest.raises(DatabaseUnusable, match="removed or replaced while it was open"):
            store.write([make_event("b")])
    with open_store(url) as store:
        assert store.write([make_event("b")]).new == 1
        assert ids(store) == (["b", "other"] if is_replaced else ["b"])


def test_whoever_reads_makes_no_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    with pytest.raises(DatabaseUnusable, match="found no database"), open_store(f"sqlite:///{path}", must_exist=True):
        pass
    assert not path.exists()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(DatabaseUnusable, match="no catalogue"), open_store(f"sqlite:///{path}", must_exist=True):
        pass


def test_a_namespace_is_a_catalogue_of_its_own(catalogue_url: str) -> None:
    with open_store(catalogue_url) as live, open_store(catalogue_url, "replay") as replay:
        live.write([make_event("a")])
        replay.write([make_event("b"), make_event("c")])
        assert (ids(live), ids(replay)) == (["a"], ["b", "c"])


def test_a_database_that_is_away_is_told_with_its_address_and_without_its_password() -> None:
    with (
        pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1/x") as caught,
        open_store("postgresql://me:secret@127.0.0.1:1/x"),
    ):
        pass
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_and_a_folder_that_cannot_be_are_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to be read as the head of one" * 9)
    for path, words in ((tmp_path / "text", "file is not a database"), (tmp_path / "text" / "x", "cannot make")):
        with pytest.raises(DatabaseUnusable, match=words), open_store(f"sqlite:///{path}"):
            pass


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingInvalid, match=r"pip install 'kensoku\[postgresql\]'"), open_store("postgresql://x/y"):
        pass


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("mysql://x/y", "mysql"),
        ("nothing", "nothing"),
        ("sqlite://", "path of a file"),
        ("sqlite:///:memory:", "path of a file"),
        ("postgresql://host", "no name of a database"),
        ("postgresql://host/db?password=secret", "behind the"),
    ],
)
def test_an_address_that_is_none_is_told(found: str, words: str) -> None:
    with pytest.raises(SettingInvalid, match=words) as caught:
        address(found)
    assert "secret" not in str(caught.value)


def test_every_migration_has_one_before_it() -> None:
    scripts = list(_scripts().walk_revisions())
    assert [b.down_revision == a.revision for b, a in itertools.pairwise(scripts)] == [True] * (len(scripts) - 1)
