"""What unit tests share: a bus in memory; each kind of database, PostgreSQL one server for the whole session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kensoku.bus import Bus, open_bus
from kensoku.catalogue_store import Store, open_store
from tests.database import Database, needs_postgresql, running_database

KINDS = ["sqlite", pytest.param("postgresql", marks=needs_postgresql)]


@pytest.fixture
def bus() -> Iterator[Bus]:
    with open_bus("memory://") as opened:
        yield opened


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Database]:
    with running_database() as started:
        yield started


@pytest.fixture(params=KINDS)
def catalogue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    server: Database = request.getfixturevalue("postgresql")
    return server.new_url()


@pytest.fixture
def store(catalogue_url: str) -> Iterator[Store]:
    with open_store(catalogue_url) as opened:
        yield opened
