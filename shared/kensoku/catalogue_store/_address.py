"""Where a database is, as KENSOKU_DATABASE says it, and apart for each namespace."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from kensoku.errors import SettingInvalid
from kensoku.settings import mask_value

DRIVERS = ("sqlite", "postgresql+psycopg")
EXPECTED = "expected sqlite:///path/of/a/file or postgresql+psycopg://user@host:port/database; set KENSOKU_DATABASE"
IN_HOME = "catalogue.sqlite"
SCHEMA = "kensoku"


@dataclass(frozen=True, slots=True)
class Address:
    """A namespace has a file of its own, or a schema of its own in one PostgreSQL database."""

    url: URL
    schema: str  # of PostgreSQL; empty for SQLite
    namespace: str = ""

    @property
    def is_sqlite(self) -> bool:
        return not self.schema

    @property
    def path(self) -> Path:
        return Path(str(self.url.database))

    def __str__(self) -> str:
        """Without the password."""
        shown = self.url.render_as_string(hide_password=True)
        return f"{shown} (schema {self.schema})" if self.schema else shown


def default_address(home: Path) -> str:
    return f"sqlite:///{home.resolve() / IN_HOME}"


def address(text: str, namespace: str = "") -> Address:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingInvalid(f"found the database {mask_value(text)!r}, {EXPECTED}") from None
    name = "postgresql+psycopg" if url.drivername in ("postgresql", "postgres") else url.drivername
    if name not in DRIVERS:
        raise SettingInvalid(f"found the database {mask_value(text)!r}, {EXPECTED}")
    if "password" in url.query:  # a log would show it
        raise SettingInvalid("found a password behind the ? of KENSOKU_DATABASE, expected user:password@host")
    if name == "sqlite":
        return Address(_sqlite_url(url, namespace), "", namespace)
    if not url.database:
        raise SettingInvalid(f"found no name of a database in {mask_value(text)!r}, {EXPECTED}")
    schema = f"{SCHEMA}_{namespace.replace('-', '_')}" if namespace else SCHEMA
    return Address(url.set(drivername=name), schema, namespace)


def _sqlite_url(url: URL, namespace: str) -> URL:
    if not url.database or url.database == ":memory:" or url.query:
        raise SettingInvalid(f"found the database {url!s}, expected sqlite:/// and the path of a file")
    path = Path(url.database).expanduser()
    if namespace:
        path = path.with_stem(f"{path.stem}-{namespace}")
    return url.set(database=str(path))
