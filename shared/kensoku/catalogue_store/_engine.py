"""Connections to the database, as each kind wants them, and its migration to the tables of this version."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)

from kensoku.catalogue_store._address import Address, address
from kensoku.catalogue_store._store import Store
from kensoku.errors import CatalogueMissing, DatabaseUnavailable, DatabaseUnusable, InputInvalid, SettingInvalid

log = logging.getLogger("kensoku.catalogue_store")

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_S = 20.0  # how long one writer waits for another, and for whoever has locked the tables
CONNECT_S = 10
GONE_S = 20  # a host that has acknowledged nothing for so long
WRITING = "kensoku_writing"
READ_ONLY = "25006"  # PostgreSQL's read_only_sql_transaction
TOO_MUCH = "54"  # its class program_limit_exceeded: no later try will be better
ADVISORY_LOCK = 0x4B454E53  # "KENS": PostgreSQL's number for one writer at a time, by schema


@contextmanager
def open_store(url: str, namespace: str = "", *, must_exist: bool = False) -> Iterator[Store]:
    """The catalogue in a database, migrated to this version; with `must_exist` it is left as it is, and only read."""
    place = address(url, namespace)
    engine, file = _engine(place, must_exist), None
    try:
        with explained(place):
            if must_exist:
                _check(engine, place)
            else:
                _migrate(engine, place, "head")
        file = _file_of(place)
        yield Store(engine, lambda: explained(place), lambda: _writing_ours(engine, place, file))
    finally:
        engine.dispose()
        if file and not must_exist and _file_of(place) != file:
            _leave_nothing_beside(place.path)


def migrate(url: str, namespace: str = "", to: str = "head") -> tuple[str | None, str | None]:
    """Bring the tables to a version; the versions before and after."""
    place = address(url, namespace)
    engine = _engine(place, must_exist=False)
    try:
        with explained(place):
            return _migrate(engine, place, to)
    finally:
        engine.dispose()


@contextmanager
def explained(place: Address) -> Iterator[None]:
    """What a driver raises, in our words: the database is away, it cannot be used, or it refuses these rows."""
    try:
        yield
    except (DataError, IntegrityError) as error:
        raise _refused(place, error) from None
    except (OperationalError, InterfaceError) as error:
        if str(getattr(error.orig, "sqlstate", "")).startswith(TOO_MUCH):
            raise _refused(place, error) from None
        raise _unavailable(place, error) from None
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _unavailable(place, error) from None
        raise DatabaseUnusable(
            f"{place} refused: {_reason(error)}; expected a database of ours, or an empty one, and a user who may make "
            "and write its tables"
        ) from None


def _refused(place: Address, error: DBAPIError) -> InputInvalid:
    return InputInvalid(f"{place} refused what should be stored: {_reason(error)}")


def _unavailable(place: Address, error: DBAPIError) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"found no answer of {place}: {_reason(error)}; expected a database that can be reached and written, start or "
        "mend it"
    )


def _reason(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())


@contextmanager
def writing(engine: Engine, place: Address) -> Iterator[Connection]:
    """A transaction that no other writer runs beside."""
    with engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
        if not place.is_sqlite:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:number, hashtext(:schema))"),
                {"number": ADVISORY_LOCK, "schema": place.schema},
            )
        yield connection


@contextmanager
def _writing_ours(engine: Engine, place: Address, file: tuple[int, int] | None) -> Iterator[Connection]:
    """A writer of before does not go on where a newer one has migrated the tables under it, nor in a file of SQLite
    that has lost its name: nobody would see what it writes."""
    if _file_of(place) != file:
        raise DatabaseUnusable(
            f"found {place} removed or replaced while it was open, expected it to stay; start what writes it again, "
            "and stop the catalogue's service before its file is moved or restored"
        )
    with writing(engine, place) as connection:
        _expect_head(connection, place)
        yield connection


def _file_of(place: Address) -> tuple[int, int] | None:
    """Which file of a disk it is; of PostgreSQL, or where there is none, nothing."""
    try:
        found = place.path.stat() if place.is_sqlite else None
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def _leave_nothing_beside(path: Path) -> None:
    """The log of the file that was there before: SQLite would take it for that of the one that is there now."""
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


# --- connections ------------------------------------------------------------------------------------------------------


def _engine(place: Address, must_exist: bool) -> Engine:
    if place.is_sqlite:
        return _sqlite(place, must_exist)
    try:
        options = f"-c search_path={place.schema} -c timezone=UTC -c lock_timeout={round(1000 * BUSY_S)}"
        arguments = {
            "options": options,
            "connect_timeout": CONNECT_S,
            "client_encoding": "utf8",
            "tcp_user_timeout": 1000 * GONE_S,  # else a host that is gone without a word is asked for 15 minutes
            "keepalives_idle": GONE_S,  # and while it should be answering
        }
        return _distrustful(create_engine(place.url, connect_args=arguments, pool_pre_ping=True))
    except (ImportError, NoSuchModuleError):
        raise SettingInvalid(
            "found no psycopg, which speaks to PostgreSQL; install it, pip install 'kensoku[postgresql]', or set "
            "KENSOKU_DATABASE to sqlite:///path/of/a/file"
        ) from None


def _distrustful(engine: Engine) -> Engine:
    """A server that only reads any more has lost its office to another: the next connection may find that one."""

    @event.listens_for(engine, "handle_error")
    def leave(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
            context.is_disconnect = True

    return engine


def _sqlite(place: Address, must_exist: bool) -> Engine:
    if must_exist and not place.path.is_file():
        raise CatalogueMissing(
            f"found no database {place.path}, expected the catalogue of a system that has run; set KENSOKU_DATABASE or "
            "KENSOKU_HOME, or import events with `kensoku catalog import`"
        )
    if must_exist:
        return _followed(create_engine(place.url, creator=lambda: _read_only(place.path)))
    try:
        place.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(
            f"cannot make the folder {place.path.parent}: {error.strerror}; expected a place for the database that can "
            "be written; set KENSOKU_DATABASE or KENSOKU_HOME"
        ) from None
    engine = create_engine(place.url, connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # what is committed here is committed on the bus next
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return _followed(engine)


def _read_only(path: Path) -> sqlite3.Connection:
    """Also of a place that cannot be written: a snapshot, a backup, the catalogue of another user."""
    uri, log = f"file:{quote(str(path.resolve()))}", path.with_name(f"{path.name}-wal")
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        choice = "mode=rw"  # what lies beside it while it is read goes away again
    elif log.exists():
        choice = "mode=ro"  # somebody writes it
    else:
        choice = "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{uri}?{choice}", uri=True, timeout=BUSY_S, check_same_thread=False)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _followed(engine: Engine) -> Engine:
    """Transactions begin as we say."""

    @event.listens_for(engine, "connect")
    def leave_to_us(connection: Any, _: object) -> None:
        connection.isolation_level = None  # so that `begin` below decides, and tables change within a transaction

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_writing = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


# --- versions ---------------------------------------------------------------------------------------------------------


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _migrate(engine: Engine, place: Address, to: str) -> tuple[str | None, str | None]:
    with writing(engine, place) as connection:
        if not place.is_sqlite and not _has_schema(connection, place.schema):
            connection.execute(text(f'CREATE SCHEMA "{place.schema}"'))
        before = _known_version(connection, place)
        if before == (_scripts().get_current_head() if to == "head" else to):
            return before, before
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        after = MigrationContext.configure(connection).get_current_revision()
    log.info("migrated %s from version %s to %s", place, before or "none", after)
    return before, after


def _has_schema(connection: Connection, schema: str) -> bool:
    """Asked first, as somebody who may not make schemas may not even make one that is there."""
    found = connection.execute(text("SELECT 1 FROM pg_namespace WHERE nspname = :schema"), {"schema": schema})
    return found.first() is not None


def _check(engine: Engine, place: Address) -> None:
    """Whoever only reads changes no tables."""
    with engine.connect() as connection:
        _expect_head(connection, place)


def _expect_head(connection: Connection, place: Address) -> None:
    found, head = _known_version(connection, place), _scripts().get_current_head()
    if found != head:
        option = f" --namespace {place.namespace}" if place.namespace else ""
        raise (DatabaseUnusable if found else CatalogueMissing)(
            f"found {'tables of version ' + found if found else 'no catalogue'} in {place}, expected version {head}; "
            f"run `kensoku catalog migrate{option}`, or start the catalogue's service, which does it"
        )


def _known_version(connection: Connection, place: Address) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseUnusable(
            f"found tables of version {found} in {place}, expected one of {', '.join(sorted(known))}; a newer Kensoku "
            "has written them: update this one"
        )
    return found
