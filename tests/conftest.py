"""What tests of every kind share: one real broker for the whole session, started by the first test that asks for it."""

from collections.abc import Iterator

import pytest

from tests.broker import Broker, running_broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as started:
        yield started
