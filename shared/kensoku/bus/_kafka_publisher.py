"""Publish to Kafka so that nothing is lost, even when one message makes the broker refuse all that follow."""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from kensoku.bus import _metrics
from kensoku.bus._interface import Headers, MessagesRefused, Refusal
from kensoku.bus._kafka_client import ATTEMPT_S, Connection, Contact
from kensoku.bus.topics import ENVELOPE_BYTES, MANY_PICKS_BYTES
from kensoku.errors import BusUnavailable, DeliveryFailed

log = logging.getLogger("kensoku.bus")

MAX_PENDING = 20_000  # messages without an answer before `publish` waits
MAX_PENDING_BYTES = 64 * 1024**2
MAX_REFUSALS = 20  # in one flush; more, and it is not the messages that are at fault
CLOSE_S = 5.0
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    topic: str
    partition: int
    key: str
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Unanswered:
    message: Outgoing
    future: Any  # kafka's FutureRecordMetadata


class Publisher:
    """One idempotent producer at a time. Every send's answer is looked at; a poisoned producer is replaced."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self._lock = threading.RLock()
        self._pending: deque[Unanswered] = deque()
        self._pending_bytes = 0
        self._refusals: list[Refusal] = []
        self._producer: KafkaProducer | None = None

    def publish(self, message: Outgoing) -> None:
        with self._lock:
            while len(self._pending) >= MAX_PENDING or self._pending_bytes >= MAX_PENDING_BYTES:
                self._wait_for_room()
            self._send(message)
            if len(self._pending) % 100 == 0:
                self._forget_answered()

    def flush(self, timeout_s: float) -> None:
        """Deliver everything, then say what was refused."""
        deadline_s = time.monotonic() + timeout_s
        with self._lock:
            self._settle(deadline_s)
            if self._refusals:
                refusals, self._refusals = self._refusals, []
                raise MessagesRefused(refusals)

    def reopen(self) -> None:
        """Go on with a producer that knows the topics as they are now."""
        with self._lock:
            self._settle(time.monotonic() + self._connection.options.wait_s)
            self._discard_producer(timeout_s=CLOSE_S)

    def close(self) -> None:
        with self._lock:
            try:
                self.flush(self._connection.options.wait_s)
            finally:
                self._discard_producer(timeout_s=CLOSE_S)

    def _send(self, message: Outgoing) -> None:
        if self._producer is None:
            self._producer = self._connection.patiently(self._open_producer)
        send = partial(
            self._producer.send,  # which asks for the topic first, if it does not know it
            message.topic,
            value=message.value,
            key=message.key.encode(),
            headers=list(message.headers),
            partition=message.partition,
            timestamp_ms=self._connection.options.clock_ns() // NS_PER_MS,  # of publication: KAFKA refuses far futures
        )
        future = self._connection.patiently(send)
        self._pending.append(Unanswered(message, future))
        self._pending_bytes += len(message.value or b"")

    def _open_producer(self) -> KafkaProducer:
        return KafkaProducer(
            **self._connection.settings(),
            acks="all",
            enable_idempotence=True,
            linger_ms=200,  # 48 partitions share what comes in it, and a batch costs as much as five messages
            batch_size=256 * 1024,
            max_block_ms=int(ATTEMPT_S * 1000),
            max_request_size=MANY_PICKS_BYTES + ENVELOPE_BYTES,
            delivery_timeout_ms=int(
                (self._connection.options.wait_s + 60) * 1000
            ),  # flush gives up earlier, and says so
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )

    def _forget_answered(self) -> None:
        while self._pending and self._pending[0].future.succeeded():
            self._pending_bytes -= len(self._pending.popleft().message.value or b"")

    def _wait_for_room(self) -> None:
        """Wait for the oldest message's answer: the back-pressure on whoever publishes."""
        self._forget_answered()
        if not self._pending:
            return
        wait_s = self._connection.options.wait_s
        try:
            self._pending[0].future.get(timeout=wait_s)
        except KafkaError:
            self._settle(time.monotonic() + wait_s)

    def _settle(self, deadline_s: float) -> None:
        """Wait for every answer, and bring what failed to an end: delivered after all, or refused."""
        unacknowledged = self._await_answers(deadline_s)
        if unacknowledged:
            self._refusals += self._deliver_again(unacknowledged, deadline_s)

    def _await_answers(self, deadline_s: float) -> Sequence[Unanswered]:
        if self._producer is None or not self._pending:
            return ()
        contact = Contact(self._connection)
        while True:
            left_s = max(deadline_s - time.monotonic(), 0.001)
            try:
                self._producer.flush(timeout=min(left_s, ATTEMPT_S))
            except KafkaError as error:
                if left_s <= ATTEMPT_S:
                    raise self._undelivered(error) from error
                contact.lost(error)
            else:
                contact.made()
                break
        failed = [unanswered for unanswered in self._pending if not unanswered.future.succeeded()]
        self._pending.clear()
        self._pending_bytes = 0
        return failed

    def _deliver_again(self, failed: Sequence[Unanswered], deadline_s: float) -> list[Refusal]:
        """Halve what failed until each refused message stands alone; in order, so that keys keep theirs.

        After one refusal an idempotent producer fails whatever follows, with the same error for the innocent, so
        only a message that fails by itself in a new producer is known to be the offender.
        """
        error = failed[0].future.exception
        self._discard_producer(timeout_s=0.0)
        if len(failed) == 1 and not error.retriable:
            return [self._refuse(failed[0].message, error)]
        if time.monotonic() > deadline_s:
            raise self._undelivered(error)
        middle = (len(failed) + 1) // 2
        refusals: list[Refusal] = []
        for half in (failed[:middle], failed[middle:]):
            for unanswered in half:
                self._send(unanswered.message)
            if still_failed := self._await_answers(deadline_s):
                refusals += self._deliver_again(still_failed, deadline_s)
            if len(refusals) > MAX_REFUSALS:
                raise DeliveryFailed(
                    f"the broker refused {len(refusals)} messages in a row: {refusals[0].reason}; check the clock of "
                    "this machine and the limits of the topic"
                )
        return refusals

    def _refuse(self, message: Outgoing, error: Exception) -> Refusal:
        topic = message.topic.removeprefix(self._prefix)
        _metrics.REFUSED.labels(topic).inc()
        log.error("the broker refused a message for %s with key %s: %s", topic, message.key, error)
        return Refusal(topic, message.key, message.value, str(error))

    def _discard_producer(self, timeout_s: float) -> None:
        if self._producer is None:
            return
        producer, self._producer = self._producer, None
        if timeout_s == 0.0:
            _metrics.REPLACED_PRODUCERS.inc()
        try:
            producer.close(timeout=timeout_s)
        except KafkaError:  # what waits for the broker keeps it open, and its destructor would try once more
            producer._sender.force_close()
            with suppress(KafkaError):
                producer.close(timeout=CLOSE_S)

    def _undelivered(self, error: Exception) -> BusUnavailable:
        unavailable = self._connection.unavailable(error)
        return BusUnavailable(f"{len(self._pending)} messages wait for an answer: {unavailable}")
