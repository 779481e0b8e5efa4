"""The same tests for every bus: in one process, from another process of the machine, and over a real Kafka."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition

from kensoku.bus import Bus, Options, open_bus, serve_bus
from kensoku.bus._log import MemoryLog
from kensoku.bus._memory import MemoryBus
from kensoku.bus.topics import MANY_PICKS_BYTES, Cleanup, Placement, Topic, plan
from tests.broker import Broker

TABLE = (
    Topic("flow", 4),
    Topic("flow.rejected", 1),
    Topic("single", 1),
    Topic("single.rejected", 1),
    Topic("placed", 3, placement=Placement.BY_NUMBER),
    Topic("latest", 2, cleanup=Cleanup.COMPACT),
    Topic("large", 1, max_message_bytes=MANY_PICKS_BYTES),
    Topic("large.rejected", 1),
)


class Place:
    """Somewhere a bus runs; `open` gives one more client, as another service would get it."""

    url: str | None = None  # for other processes, where they can reach it
    namespace = ""

    def __init__(self, closing: ExitStack) -> None:
        self._closing = closing

    def open(self, **options: object) -> Bus:
        return self._closing.enter_context(self._open(replace(Options(), **options)))  # type: ignore[arg-type]

    def expire(self, topic: str, partition: int, before: int) -> None:
        """Delete the oldest messages, as retention does."""
        raise NotImplementedError

    def _open(self, options: Options) -> Bus:
        raise NotImplementedError


class KeptLog(MemoryLog):
    def close(self) -> None:
        """One client of several closes; the log stays."""


class MemoryPlace(Place):
    def __init__(self, closing: ExitStack) -> None:
        super().__init__(closing)
        self._log: KeptLog | None = None

    def expire(self, topic: str, partition: int, before: int) -> None:
        assert self._log is not None
        found = self._log._topics[topic]
        while found.partitions[partition].first < before:
            found.order.remove(partition)
            found.partitions[partition].drop_first()

    def _open(self, options: Options) -> Bus:
        if self._log is None:
            self._log = KeptLog(TABLE, options)
        return MemoryBus(self._log, self.namespace)


class SocketPlace(MemoryPlace):
    def __init__(self, closing: ExitStack, folder: Path) -> None:
        super().__init__(closing)
        self._socket = folder / "bus.sock"
        self.url = f"memory://{self._socket}"

    def _open(self, options: Options) -> Bus:
        if self._log is None:
            self._log = KeptLog(TABLE, options)
            self._closing.enter_context(serve_bus(MemoryBus(self._log, ""), self._socket))
        return open_bus(f"memory://{self._socket}")


class KafkaPlace(Place):
    def __init__(self, closing: ExitStack, broker: Broker) -> None:
        super().__init__(closing)
        self.url = broker.url
        self.namespace = f"test-{uuid.uuid4().hex[:8]}"
        with open_bus(broker.url, self.namespace, table=TABLE) as bus:
            bus.apply_topics(plan(TABLE, bus.existing_topics()))

    def expire(self, topic: str, partition: int, before: int) -> None:
        servers = str(self.url).removeprefix("kafka://")
        with KafkaAdminClient(bootstrap_servers=servers) as admin:
            admin.delete_records({TopicPartition(f"{self.namespace}.{topic}", partition): before})

    def _open(self, options: Options) -> Bus:
        return open_bus(str(self.url), self.namespace, options, TABLE)


@pytest.fixture(params=["memory", "socket", pytest.param("kafka", marks=pytest.mark.kafka)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as closing:
        yield _make(request.param, request, closing, tmp_path)


def _make(name: str, request: pytest.FixtureRequest, closing: ExitStack, folder: Path) -> Place:
    if name == "memory":
        return MemoryPlace(closing)
    if name == "socket":
        return SocketPlace(closing, folder)
    return KafkaPlace(closing, request.getfixturevalue("broker"))


@pytest.fixture
def bus(place: Place) -> Bus:
    return place.open()
