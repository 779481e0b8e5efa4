"""The bus over Apache Kafka: consumer groups share the partitions of every topic among the replicas of a service."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from kafka.protocol.consumer import OffsetSpec
from kafka.structs import OffsetAndMetadata
from kafka.util import Timer

from kensoku.bus import _metrics
from kensoku.bus._interface import Bus, Callbacks, Gap, Headers, Message, Position, Start, Stream
from kensoku.bus._kafka_client import REQUEST_MS, Connection, Contact, is_passing
from kensoku.bus._kafka_publisher import Outgoing, Publisher
from kensoku.bus._kafka_topics import apply, existing_topics
from kensoku.bus._log import place, unknown_topic
from kensoku.bus._options import Options
from kensoku.bus._partitioner import partition_of
from kensoku.bus._table import Reader
from kensoku.bus.topics import Action, ExistingTopic, Topic

log = logging.getLogger("kensoku.bus")

NS_PER_MS = 1_000_000

FETCHING = {
    "enable_auto_commit": False,
    "max_partition_fetch_bytes": 512 * 1024,  # of one partition before the next: some minutes of a station
    "fetch_max_bytes": 32 * 1024**2,  # what a client may hold of answers nobody has looked at
    "max_poll_records": 5_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}
MEMBERSHIP = {
    "auto_offset_reset": "none",  # the default skips an expired stretch silently
    "session_timeout_ms": 6_000,
    "heartbeat_interval_ms": 1_000,
    "max_poll_interval_ms": 300_000,
    "partition_assignment_strategy": [CooperativeStickyAssignor],
}


class KafkaBus(Bus):
    def __init__(self, servers: tuple[str, ...], namespace: str, options: Options, table: Iterable[Topic]) -> None:
        self._prefix = f"{namespace}." if namespace else ""
        self._declared = {topic.name: topic for topic in table}
        self._topics: dict[str, Topic] = {}  # as the broker has them
        self._opened = ExitStack()
        with ExitStack() as opening:
            self._connection = opening.enter_context(closing(Connection(servers, options)))
            self._publisher = opening.enter_context(closing(Publisher(self._connection, self._prefix)))
            self._opened = opening.pop_all()

    def publish(
        self, topic: str, key: str, value: bytes | None, headers: Headers = (), *, partition: int | None = None
    ) -> None:
        name = self._prefix + topic
        if partition is not None and partition >= self._topic(topic).partitions:
            del self._topics[topic]  # some may have been added, of which what is open knows for minutes nothing
            self._publisher.reopen()
        number = place(self._topic(topic), key, value, partition)
        self._publisher.publish(Outgoing(name, number, key, value, headers))
        _metrics.published(topic).inc()

    def flush(self, timeout_s: float | None = None) -> None:
        self._publisher.flush(self._connection.options.wait_s if timeout_s is None else timeout_s)

    def lag(self, topic: str, group: str) -> Mapping[int, int]:
        positions = self.positions(topic)
        ask = self._connection.patiently
        first = ask(lambda: self._connection.offsets(positions, OffsetSpec.EARLIEST))
        ends = ask(lambda: self._connection.offsets(positions, OffsetSpec.LATEST))
        committed = ask(lambda: self._connection.committed(self._prefix + group, positions))
        return {position[1]: end - committed.get(position, first[position]) for position, end in ends.items()}

    def existing_topics(self) -> Sequence[ExistingTopic]:
        return existing_topics(self._connection, self._prefix)

    def apply_topics(self, actions: Sequence[Action], replication: int = 1) -> None:
        apply(self._connection, self._prefix, actions, replication)
        self._topics.clear()

    def positions(self, topic: str) -> list[Position]:
        """Every partition of a topic, by the broker's name."""
        return [(self._prefix + topic, number) for number in range(self._topic(topic).partitions)]

    def close(self) -> None:
        self._opened.close()

    def _topic(self, topic: str) -> Topic:
        if found := self._topics.get(topic):
            return found
        partitions = self._connection.patiently(lambda: self._connection.partitions(self._prefix + topic))
        if partitions is None:
            names = (name for name in self._connection.admin.list_topics() if name.startswith(self._prefix))
            raise unknown_topic(self._prefix + topic, names)
        self._topics[topic] = replace(self._declared.get(topic, Topic(topic, partitions)), partitions=partitions)
        return self._topics[topic]

    def _open_stream(self, topics: tuple[str, ...], group: str, callbacks: Callbacks) -> Stream:
        for topic in topics:
            self._topic(topic)
        return self._opened.enter_context(KafkaStream(self, self._connection, self._prefix, topics, group, callbacks))

    def _open_reader(self, topic: str, start: Start, key: str | None = None) -> Reader:
        positions = self.positions(topic)
        if key is not None:
            positions = [positions[partition_of(key, len(positions))]]
        return self._opened.enter_context(closing(KafkaReader(self._connection, self._prefix, positions, start)))


class Change(NamedTuple):
    """The group's coordinator gave or took partitions."""

    is_gain: bool
    positions: frozenset[Position]


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Notes what changed; the client calls it in its own thread, where nothing may wait."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer
        self._changes: list[Change] = []

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        if assigned:
            self._consumer.pause(*assigned)  # nothing may arrive before the subscriber knows of it
        self._changes.append(Change(True, frozenset((tp.topic, tp.partition) for tp in assigned)))

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._changes.append(Change(False, frozenset((tp.topic, tp.partition) for tp in revoked)))

    def take_changes(self) -> list[Change]:
        changes, self._changes = self._changes, []
        return changes


class KafkaStream(Stream):
    """A member of a consumer group.

    A partition that goes to another member is revoked in two steps (KIP-429): this member is told, and only when it
    polls again does it ask the coordinator to hand the partition on. So `on_revoked` can still commit.
    """

    def __init__(
        self, bus: Bus, connection: Connection, prefix: str, topics: tuple[str, ...], group: str, callbacks: Callbacks
    ) -> None:
        super().__init__(bus, group, callbacks)
        self._connection = connection
        self._prefix = prefix
        self._contact = Contact(connection)
        self._assignment: frozenset[Position] = frozenset()  # by the broker's names
        self._unsettled: frozenset[Position] = frozenset()  # assigned, but where to start is not known yet
        self._probe: Position = (prefix + topics[0], 0)
        self._consumer = connection.patiently(self._open_consumer)
        self._listener = Listener(self._consumer)
        self._consumer.subscribe([prefix + topic for topic in topics], listener=self._listener)

    @property
    def assignment(self) -> frozenset[Position]:
        return self._plain(self._assignment)

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=REQUEST_MS)
        self._assignment = frozenset()

    def _open_consumer(self) -> KafkaConsumer:
        instance = self._connection.options.instance
        return KafkaConsumer(
            **self._connection.settings(),
            **FETCHING,
            **MEMBERSHIP,
            group_id=self._prefix + self._group,
            group_instance_id=f"{self._prefix}{self._group}.{instance}" if instance else None,
        )

    def _poll(self, limit: int, timeout_s: float) -> Sequence[Message]:
        records: Mapping[TopicPartition, Sequence[Any]] = {}
        try:
            # One turn of the client. Its public `poll` takes several until the time is up, and would give a revoked
            # partition away before `on_revoked` could commit.
            records = self._consumer._poll_once(Timer(timeout_s * 1000), limit)
        except NoOffsetForPartitionError:
            pass  # newly assigned and never committed: `_settle` finds the start
        except OffsetOutOfRangeError as error:
            self._unsettled |= {(tp.topic, tp.partition) for tp in error.args[0]}
        except KafkaError as error:
            if not is_passing(error):
                raise
            self._contact.lost(error)
        if records:
            self._contact.made()
        for change in self._listener.take_changes():
            self._apply(change)
        if self._unsettled:
            with self._contact.watched():
                self._settle()
        return list(chain.from_iterable(map(self._messages, records.values())))

    def _apply(self, change: Change) -> None:
        if change.is_gain:
            self._assignment |= change.positions
            self._unsettled |= change.positions
        else:
            self._revoked(self._plain(change.positions & self._assignment))
            self._assignment -= change.positions
            self._unsettled -= change.positions

    def _settle(self) -> None:
        """Begin where the group left off; where that is gone, at the earliest, and say what was skipped."""
        positions = self._unsettled
        first = self._connection.offsets(positions, OffsetSpec.EARLIEST)
        ends = self._connection.offsets(positions, OffsetSpec.LATEST)
        committed = self._connection.committed(self._prefix + self._group, positions)
        self._unsettled = frozenset()
        for position in sorted(positions):
            plain = (position[0].removeprefix(self._prefix), position[1])
            start = committed.get(position)
            if start is not None:
                self._committed[plain] = start
            if start is None or not first[position] <= start <= ends[position]:
                self._report_skipped(plain, start, first[position], ends[position])
                start = first[position]
            self._consumer.seek(TopicPartition(*position), start)
        self._consumer.resume(*(TopicPartition(*position) for position in positions))
        self._assigned(self._plain(positions))

    def _report_skipped(self, position: Position, committed: int | None, first: int, end: int) -> None:
        if committed is not None and committed > end:
            log.warning("%s/%d ends at %d, before the commit %d: it was made anew", *position, end, committed)
        elif first > (committed or 0):
            self._expired(Gap(*position, committed or 0, first, was_committed=committed is not None))

    def _store(self, offsets: Mapping[Position, int]) -> bool:
        stored = {
            TopicPartition(self._prefix + topic, number): OffsetAndMetadata(offset, "", -1)
            for (topic, number), offset in offsets.items()
        }
        try:
            self._consumer.commit(stored, timeout_ms=REQUEST_MS)
        except KafkaError as error:
            _metrics.COMMIT_FAILURES.labels(self._group).inc()
            if is_passing(error):
                self._contact.lost(error)
            else:  # out of the group, or in the middle of a rebalance: the next poll joins again
                log.info("group %s: nothing was committed (%s)", self._group, error)
            return False
        self._contact.made()
        return True

    def _ends(self) -> Mapping[Position, int]:
        with self._contact.watched():
            ends = self._connection.offsets(self._assignment or {self._probe}, OffsetSpec.LATEST)
            return {(topic.removeprefix(self._prefix), number): end for (topic, number), end in ends.items()}
        return {}

    def _messages(self, records: Sequence[Any]) -> Sequence[Message]:
        return [message_of(record, self._prefix) for record in records]

    def _plain(self, positions: Iterable[Position]) -> frozenset[Position]:
        return frozenset((topic.removeprefix(self._prefix), number) for topic, number in positions)


class KafkaReader(Reader):
    def __init__(self, connection: Connection, prefix: str, positions: Sequence[Position], start: Start) -> None:
        self._connection = connection
        self._prefix = prefix
        self._all = positions
        self._positions = dict(connection.patiently(lambda: self._starts(start)))
        self._contact = Contact(connection)
        settings = connection.settings() | FETCHING | {"auto_offset_reset": "earliest"}
        self._consumer = connection.patiently(lambda: KafkaConsumer(**settings))
        self._consumer.assign([TopicPartition(*position) for position in positions])
        for position, offset in self._positions.items():
            self._consumer.seek(TopicPartition(*position), offset)

    def poll(self, limit: int, timeout_s: float) -> Sequence[Message]:
        with self._contact.watched():
            records = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=limit)
            for (topic, number), run in records.items():
                self._positions[topic, number] = run[-1].offset + 1
            return [message_of(record, self._prefix) for run in records.values() for record in run]
        return ()

    def is_behind(self, ends: Mapping[int, int]) -> bool:
        """A compacted partition may end in offsets that hold no message, so the client's own position counts too."""
        for position, offset in self._positions.items():
            if offset < ends[position[1]]:
                self._positions[position] = self._consumer.position(TopicPartition(*position), timeout_ms=REQUEST_MS)
        return any(offset < ends[number] for (_, number), offset in self._positions.items())

    def ends(self) -> Mapping[int, int]:
        ends = self._connection.patiently(lambda: self._connection.offsets(self._all, OffsetSpec.LATEST))
        for position in [position for position, offset in self._positions.items() if ends[position] < offset]:
            log.warning("%s/%d was made anew and is read again; what it held counts until this process ends", *position)
            self._positions[position] = 0
            self._consumer.seek(TopicPartition(*position), 0)
        return {number: end for (_, number), end in ends.items()}

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=REQUEST_MS)

    def _starts(self, start: Start) -> Mapping[Position, int]:
        if start == "earliest":
            return self._connection.offsets(self._all, OffsetSpec.EARLIEST)
        ends = self._connection.offsets(self._all, OffsetSpec.LATEST)
        if start == "latest":
            return ends
        reached = self._connection.offsets(self._all, start // NS_PER_MS)
        return {position: offset if offset >= 0 else ends[position] for position, offset in reached.items()}


def message_of(record: Any, prefix: str) -> Message:
    return Message(
        topic=record.topic.removeprefix(prefix),
        partition=record.partition,
        offset=record.offset,
        key=(record.key or b"").decode(errors="replace"),
        value=record.value,
        published_ns=record.timestamp * NS_PER_MS,
        headers=tuple(record.headers),
    )
