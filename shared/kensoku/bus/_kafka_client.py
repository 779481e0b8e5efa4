"""How a Kafka client of ours is set up, what its errors mean, and how long an absent broker is waited for."""

import importlib.util
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import KafkaError, UnknownBrokerIdError
from kafka.protocol.consumer import OffsetSpec

from kensoku.bus._interface import Position
from kensoku.bus._options import Options
from kensoku.errors import BusUnavailable, SettingInvalid

log = logging.getLogger("kensoku.bus")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
ATTEMPT_S = 5.0
REQUEST_MS = 3_000  # for one question to the broker, so that a stream's turn stays short while it is away


class Connection:
    """Where the brokers are and how to speak to them; opened by waiting for one that answers."""

    def __init__(self, servers: tuple[str, ...], options: Options) -> None:
        check_checksum()
        quiet_client_logs()
        self.servers = servers
        self.options = options
        self.admin: KafkaAdminClient = self._wait_for_broker()

    def settings(self) -> dict[str, Any]:
        """What every client is told."""
        return {
            "bootstrap_servers": list(self.servers),
            "bootstrap_timeout_ms": int(ATTEMPT_S * 1000),
            "reconnect_backoff_max_ms": 1000,  # the default, 30 s, outlasts the absence of a restarted broker
        }

    def unavailable(self, error: Exception | None) -> BusUnavailable:
        why = f" ({error})" if error is not None else ""
        return BusUnavailable(
            f"no broker answered at {', '.join(self.servers)} for {self.options.wait_s:g} s{why}; start it, or check "
            "KENSOKU_BUS and the network"
        )

    def patiently(self, act: Callable[[], Any]) -> Any:
        """Do it, again with back-off while the broker is away, up to the limit."""
        contact = Contact(self)
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                answer = act()
            except KafkaError as error:
                if not is_passing(error):
                    raise
                contact.lost(error, pause_s)
            else:
                contact.made()
                return answer
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def partitions(self, topic: str) -> int | None:
        """How many partitions the broker has of a topic; None if it does not know it."""
        described = self.admin.describe_topics([topic])
        return len(described[0]["partitions"]) if described[0]["error_code"] == 0 else None

    def offsets(self, positions: Iterable[Position], spec: OffsetSpec | int) -> Mapping[Position, int]:
        """Where the positions begin or end, or reach a time (ms; -1 if they do not)."""
        asked = {TopicPartition(*position): spec for position in positions}
        answers = self.admin.list_partition_offsets(asked) if asked else {}
        return {(topic, number): answer.offset for (topic, number), answer in answers.items()}

    def committed(self, group: str, positions: Iterable[Position]) -> Mapping[Position, int]:
        """What the group has committed; nothing for a position without a commit."""
        asked = [TopicPartition(*position) for position in positions]
        answers = self.admin.list_group_offsets({group: asked})[group] if asked else {}
        return {(topic, number): answer.offset for (topic, number), answer in answers.items() if answer.offset >= 0}

    def close(self) -> None:
        self.admin.close()

    def _wait_for_broker(self) -> KafkaAdminClient:
        """An open port is not readiness: bootstrapping asks for the brokers."""
        attempt_s = min(ATTEMPT_S, max(self.options.wait_s, 0.1))
        settings = self.settings() | {"bootstrap_timeout_ms": int(attempt_s * 1000), "request_timeout_ms": REQUEST_MS}
        return self.patiently(lambda: KafkaAdminClient(**settings))


def is_passing(error: KafkaError) -> bool:
    """Whether waiting may mend it. A partition has the leader -1 while its broker comes back, which the client then
    looks for in vain and takes for a mistake of ours."""
    return bool(error.retriable) or isinstance(error, UnknownBrokerIdError)


def check_checksum() -> None:
    if importlib.util.find_spec("crc32c") is None:
        raise SettingInvalid(
            "found no native CRC-32C, expected the package `crc32c`: without it a Kafka client does a tenth of the "
            "work for the same processor; install `kafka-python[crc32c]`"
        )


def quiet_client_logs() -> None:
    """The client logs every attempt to reach an absent broker; `Contact` says once that it is away or back."""
    client = logging.getLogger("kafka")
    if client.level == logging.NOTSET:
        client.setLevel(logging.CRITICAL)


class Contact:
    """When the broker was last heard of; says in the log when that changes, and when it has been too long."""

    def __init__(self, connection: Connection, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._clock_s = clock_s
        self._last_s = clock_s()
        self._is_away = False

    def made(self) -> None:
        if self._is_away:
            log.warning("the broker is back after %.0f s", self._clock_s() - self._last_s)
            self._connection.options.on_contact("")
        self._is_away = False
        self._last_s = self._clock_s()

    def lost(self, error: Exception, pause_s: float = 0.0) -> None:
        """Raises BusUnavailable once the limit is passed, or will be after a pause."""
        servers, wait_s = ", ".join(self._connection.servers), self._connection.options.wait_s
        if self._clock_s() - self._last_s + pause_s > wait_s:
            raise self._connection.unavailable(error) from error
        if not self._is_away:
            log.warning("no broker answers at %s (%s); trying for %g s", servers, error, wait_s)
        self._connection.options.on_contact(f"no broker answers at {servers}")
        self._is_away = True

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Swallow what an absent broker causes within."""
        try:
            yield
        except KafkaError as error:
            if not is_passing(error):
                raise
            self.lost(error)
        else:
            self.made()
