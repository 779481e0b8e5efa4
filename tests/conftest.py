"""What tests of every kind share: one real broker for the whole session, started by the first test that asks for it;
and logs that no other test has turned elsewhere."""

import logging
from collections.abc import Iterator

import pytest

from kensoku.runtime import HumanLines, JsonLines
from tests.broker import Broker, running_broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as started:
        yield started


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command that ran in this process leaves a handler whose standard error ends with the test."""
    logger = logging.getLogger("kensoku")
    level = logger.level
    yield
    ours = [each for each in logging.root.handlers if isinstance(each.formatter, HumanLines | JsonLines)]
    for handler in ours:
        logging.root.removeHandler(handler)
    if ours:
        logging.captureWarnings(False)
        logger.setLevel(level)
