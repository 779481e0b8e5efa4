"""What every bus offers: messages in, batches out, and a position that moves only when the results are safe."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, NamedTuple, Self

from kensoku.bus import _metrics
from kensoku.bus._table import News, Reader, Table
from kensoku.bus.topics import MAX_MESSAGE_BYTES, REJECTED, Action, ExistingTopic
from kensoku.errors import DeliveryFailed

log = logging.getLogger("kensoku.bus")

Position = tuple[str, int]  # topic, partition
Headers = tuple[tuple[str, bytes], ...]
Start = Literal["earliest", "latest"] | int  # an int is a time of publication, ns UTC
PositionsCallback = Callable[[frozenset[Position]], None]

LAG_PERIOD_S = 5.0
LONGEST_KEPT = 1000  # characters of key and reason, of a reject that is too large


class Message(NamedTuple):  # which costs a third of a frozen dataclass to make, and every message is one
    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None  # None: a tombstone, which takes its key out of a compacted topic
    published_ns: int  # ns UTC; event times are in the value
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of one partition that was deleted before the group read it."""

    topic: str
    partition: int
    first_offset: int  # the first that is missing
    next_offset: int  # where reading goes on
    was_committed: bool  # False: the group had no commit here, so it may never have wanted the stretch

    @property
    def messages(self) -> int:
        return self.next_offset - self.first_offset

    def __str__(self) -> str:
        why = "deleted before they were read" if self.was_committed else "deleted before the group's first commit"
        return f"{self.messages} messages of {self.topic}/{self.partition} from offset {self.first_offset} were {why}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that the broker will never take, and why."""

    topic: str
    key: str
    value: bytes | None
    reason: str


class MessagesRefused(DeliveryFailed):
    """Everything else was delivered."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        first = self.refusals[0]
        more = f", and {len(refusals) - 1} more" if len(refusals) > 1 else ""
        super().__init__(
            f"the broker refused a message for {first.topic!r} with key {first.key!r}: {first.reason}{more}"
        )


def _ignore_positions(positions: frozenset[Position]) -> None:
    pass


def _ignore_gap(gap: Gap) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What a subscriber is told, always in its own thread, from within `batches`."""

    on_assigned: PositionsCallback = _ignore_positions  # the positions that are new
    on_revoked: PositionsCallback = _ignore_positions  # before another member gets them: a last commit is possible
    on_expired: Callable[[Gap], None] = _ignore_gap


class Bus(ABC):
    """Publishes, and opens what reads. Any number of threads may publish; a stream belongs to one thread."""

    @abstractmethod
    def publish(
        self, topic: str, key: str, value: bytes | None, headers: Headers = (), *, partition: int | None = None
    ) -> None:
        """Queue a message; the key chooses the partition, unless the topic is placed by number."""

    @abstractmethod
    def flush(self, timeout_s: float | None = None) -> None:
        """Return when everything published so far is acknowledged, at most as long as a broker may be away; else raise
        DeliveryFailed or BusUnavailable."""

    def subscribe(
        self,
        topics: Sequence[str],
        group: str,
        *,
        on_assigned: PositionsCallback = _ignore_positions,
        on_revoked: PositionsCallback = _ignore_positions,
        on_expired: Callable[[Gap], None] = _ignore_gap,
    ) -> "Stream":
        """Join a group, which shares the partitions of these topics among its members."""
        return self._open_stream(tuple(topics), group, Callbacks(on_assigned, on_revoked, on_expired))

    def read(
        self, topic: str, *, start: Start = "earliest", follow: bool = False, key: str | None = None
    ) -> Iterator[Message]:
        """The messages of a topic for somebody who only looks; ends at the present end unless it follows.

        Those of one key are read from its partition alone; the topic must be one whose keys choose it.
        """
        reader = self._open_reader(topic, start, key)  # now, so that "latest" means the moment of the call
        messages = reader.messages(follow)
        return messages if key is None else (message for message in messages if message.key == key)

    def read_in_order(self, topic: str, *, start: Start = "earliest") -> Iterator[Message]:
        """All that a topic holds up to now, of all partitions together by their time of publication."""
        return self._open_reader(topic, start).in_order()

    def table(self, topic: str) -> Table:
        """The latest value of every key of a compacted topic."""
        return Table(self._open_reader(topic, "earliest"))

    def news(self, topic: str) -> News:
        """What a topic gets from now on, for somebody who looks now and then."""
        return News(self._open_reader(topic, "latest"))

    @abstractmethod
    def lag(self, topic: str, group: str) -> Mapping[int, int]:
        """By partition, how many messages lie between the group's commit and the end."""

    @abstractmethod
    def existing_topics(self) -> Sequence[ExistingTopic]:
        """The topics of this namespace as they are, for `plan`."""

    @abstractmethod
    def apply_topics(self, actions: Sequence[Action], replication: int = 1) -> None:
        """Do what a plan says."""

    @abstractmethod
    def close(self) -> None:
        """Flush, and close everything that was opened through this bus."""

    @abstractmethod
    def _open_stream(self, topics: tuple[str, ...], group: str, callbacks: Callbacks) -> "Stream": ...

    @abstractmethod
    def _open_reader(self, topic: str, start: Start, key: str | None = None) -> Reader: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Stream(ABC):
    """One member of a group: gets batches of the partitions assigned to it, and commits how far it has come."""

    def __init__(self, bus: Bus, group: str, callbacks: Callbacks, clock_s: Callable[[], float] = time.monotonic):
        self._bus = bus
        self._group = group
        self._callbacks = callbacks
        self._clock_s = clock_s
        self._lag_due_s = clock_s() + LAG_PERIOD_S
        self._committed: dict[Position, int] = {}
        self._next: dict[Position, int] = {}  # offset after the last that was handed out
        self._read_to_ns: dict[Position, int] = {}

    @property
    @abstractmethod
    def assignment(self) -> frozenset[Position]:
        """The positions this member owns now."""

    def batches(self, limit: int, timeout_s: float = 0.1) -> Iterator[Sequence[Message]]:
        """At most `limit` messages a batch; an empty one after `timeout_s`, so that the caller can beat and stop.

        Nothing more is fetched for the caller while a batch is in hand: that is the back-pressure.
        """
        while True:
            batch = self._poll(limit, timeout_s)
            counts = _metrics.by_topic(batch)
            _metrics.count_read(self._group, counts)
            for message in batch:
                self._next[message.topic, message.partition] = message.offset + 1
                self._read_to_ns[message.topic, message.partition] = message.published_ns
            if self._clock_s() >= self._lag_due_s:
                self._lag_due_s = self._clock_s() + LAG_PERIOD_S
                self._look_at_ends()
            yield batch
            _metrics.count_handled(self._group, counts)

    def read_to_ns(self, position: Position) -> int:
        """Wall-clock: all that was published in it before was handed out; 0 where that is not known. Where nothing
        comes it is asked for each few seconds."""
        return self._read_to_ns.get(position, 0)

    def _look_at_ends(self) -> None:
        asked_ns, ends = time.time_ns(), self._ends()
        self._show_lag(ends)
        for position, end in ends.items():
            if self._next.get(position, self._committed.get(position, 0)) >= end:
                self._read_to_ns[position] = asked_ns

    def reject(self, message: Message, reason: str) -> None:
        """Put aside what cannot be used, with the reason and where it came from, and go on."""
        self._reject(
            message.topic, message.key, message.value, reason, message.headers, f"{message.partition}/{message.offset}"
        )

    def commit(self, oldest_needed: Mapping[Position, int]) -> None:
        """Say, by position, which offset is the oldest still needed; a restart begins there.

        The order of delivery, which no service repeats:

        1. Publish: the caller has done so; `publish` only queues.
        2. Flush: wait for the broker's answer to every message.
        3. Check every delivery. A message the broker will never take goes to its rejected topic; anything else that
           failed raises, and nothing is committed.
        4. Commit. If that fails because the broker is away, nothing is assumed committed and the next call tries again.
        """
        try:
            self._bus.flush()
        except MessagesRefused as refused:
            for refusal in refused.refusals:
                self._reject(refusal.topic, refusal.key, None, refusal.reason)
            self._bus.flush()
        moved = {
            position: offset for position, offset in oldest_needed.items() if self._committed.get(position) != offset
        }
        mine = {position: offset for position, offset in moved.items() if position in self.assignment}
        if mine and self._store(mine):
            self._committed.update(mine)

    def _reject(
        self, topic: str, key: str, value: bytes | None, reason: str, headers: Headers = (), origin: str = ""
    ) -> None:
        _metrics.REJECTED.labels(topic, self._group).inc()
        self._put_aside(topic, key, value, reason, headers, origin)

    def _put_aside(self, topic: str, key: str, value: bytes | None, reason: str, headers: Headers, origin: str) -> None:
        """Of a message that a topic of rejects cannot hold, as a broker may take it from others, without its value."""
        size = len(key.encode()) + len(value or b"") + len(reason.encode())
        if size > MAX_MESSAGE_BYTES:
            kept = reason[:LONGEST_KEPT]
            key, value, reason = key[:LONGEST_KEPT], None, f"{kept}; its {size} bytes are too many to be kept here"
        about = (("reason", reason.encode()), ("origin", f"{topic}/{origin}".encode()), ("group", self._group.encode()))
        self._bus.publish(topic.removesuffix(REJECTED) + REJECTED, key, value, (*about, *headers))

    @abstractmethod
    def close(self) -> None:
        """Leave the group; what is not committed goes to the next member."""

    @abstractmethod
    def _poll(self, limit: int, timeout_s: float) -> Sequence[Message]: ...

    @abstractmethod
    def _store(self, offsets: Mapping[Position, int]) -> bool:
        """Commit; False if it did not happen and may be tried again."""

    @abstractmethod
    def _ends(self) -> Mapping[Position, int]:
        """The next offset of every assigned position, as far as it is known."""

    def _assigned(self, positions: frozenset[Position]) -> None:
        for position in positions:
            self._next.pop(position, None)
            self._read_to_ns.pop(position, None)
        if positions:
            log.info("group %s: assigned %s", self._group, describe(positions))
            self._callbacks.on_assigned(positions)

    def _revoked(self, positions: frozenset[Position]) -> None:
        if not positions:
            return
        log.info("group %s: revoked %s", self._group, describe(positions))
        self._callbacks.on_revoked(positions)
        for position in positions:
            self._committed.pop(position, None)
            _metrics.forget_lag(self._group, position)

    def _expired(self, gap: Gap) -> None:
        """Log, count and publish what was skipped, so that whoever looks later can know."""
        log.warning("group %s: %s; reading goes on at %d", self._group, gap, gap.next_offset)
        _metrics.EXPIRED.labels(gap.topic, self._group).inc(gap.messages)
        if gap.was_committed:
            self._put_aside(gap.topic, "", None, str(gap), (), f"{gap.partition}/{gap.first_offset}")
        self._callbacks.on_expired(gap)

    def _show_lag(self, ends: Mapping[Position, int]) -> None:
        for (topic, partition), end in ends.items():
            if (committed := self._committed.get((topic, partition))) is not None:
                _metrics.LAG.labels(topic, self._group, str(partition)).set(max(end - committed, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def describe(positions: frozenset[Position]) -> str:
    """`waveforms/0,1,5 picks/2`"""
    topics = sorted({topic for topic, _ in positions})
    return " ".join(f"{topic}/{','.join(str(p) for t, p in sorted(positions) if t == topic)}" for topic in topics)
