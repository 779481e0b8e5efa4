"""The log behind the memory bus: partitions that forget their oldest messages, and groups that share partitions."""

import logging
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from kensoku.bus._groups import share
from kensoku.bus._interface import Gap, Headers, Message, Position
from kensoku.bus._options import Options
from kensoku.bus._partitioner import partition_of
from kensoku.bus.topics import ExistingTopic, Placement, Topic
from kensoku.errors import DeliveryFailed, TopicUnknown

log = logging.getLogger("kensoku.bus")

ENVELOPE_BYTES = 200  # what a message costs beside its value, measured with tracemalloc
COMPACT_AFTER = 1000  # superseded messages in a partition before they are swept out
SPARE = 200  # messages at most that go beyond need when a topic is full
NOBODY = 0  # a reader without a group

PositionOffset = tuple[Position, int]

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch found: runs of messages of one partition each, gaps before them, and what the member may own now."""

    runs: Sequence[Sequence[Message]] = ()
    gaps: Sequence[Gap] = ()
    offered: frozenset[Position] = frozenset()


@dataclass(frozen=True, slots=True)
class Bounds:
    first: int  # the earliest offset still held
    end: int  # the offset the next message will get


class Log(Protocol):
    """What the memory bus needs: the log itself, or a connection to the process that holds it."""

    def append(self, topic: str, key: str, value: bytes | None, headers: Headers, partition: int | None) -> None: ...
    def flush(self) -> None: ...
    def fetch(self, positions: Mapping[Position, int], limit: int, timeout_s: float, member: int) -> Fetched: ...
    def bounds(self, topic: str) -> Mapping[int, Bounds]: ...
    def offsets_at(self, topic: str, time_ns: int) -> Mapping[int, int]: ...
    def join(self, group: str, topics: Sequence[str]) -> int: ...
    def take(self, member: int, positions: frozenset[Position]) -> frozenset[Position]: ...
    def leave(self, member: int) -> None: ...
    def store(self, member: int, offsets: Mapping[Position, int]) -> None: ...
    def committed(self, group: str, positions: Iterable[Position]) -> Mapping[Position, int]: ...
    def existing_topics(self) -> Sequence[ExistingTopic]: ...
    def close(self) -> None: ...


class Partition:
    """Messages in order of their offsets; the first ones go when the topic is full or they are too old."""

    __slots__ = ("_head", "_latest", "_messages", "end", "first")

    def __init__(self) -> None:
        self.first = 0
        self.end = 0
        self._messages: list[Message] = []
        self._head = 0  # index of the first message still held
        self._latest: dict[str, int] = {}  # offset by key, if compacted

    def append(self, message: Message) -> None:
        self._messages.append(message)
        self.end = message.offset + 1

    def drop_first(self) -> Message:
        message = self._messages[self._head]
        self._head += 1
        self.first = message.offset + 1
        if self._head > 1000 and self._head * 2 > len(self._messages):
            del self._messages[: self._head]
            self._head = 0
        return message

    def first_message(self) -> Message:
        return self._messages[self._head]

    def read(self, offset: int, limit: int) -> Sequence[Message]:
        if offset >= self.end:
            return ()
        index = bisect_left(self._messages, offset, lo=self._head, key=lambda message: message.offset)
        return self._messages[index : index + limit]

    def offset_at(self, time_ns: int) -> int:
        index = bisect_left(self._messages, time_ns, lo=self._head, key=lambda message: message.published_ns)
        return self._messages[index].offset if index < len(self._messages) else self.end

    def supersede(self, message: Message, oldest_tombstone_ns: int) -> int:
        """Append to a compacted partition; returns how many bytes were swept out."""
        self.append(message)
        self._latest[message.key] = message.offset
        if len(self._messages) < 2 * len(self._latest) + COMPACT_AFTER:
            return 0
        before = sum(map(size_bytes, self._messages))
        self._messages = [m for m in self._messages if self._is_needed(m, oldest_tombstone_ns)]
        self._latest = {m.key: m.offset for m in self._messages}
        return before - sum(map(size_bytes, self._messages))

    def _is_needed(self, message: Message, oldest_tombstone_ns: int) -> bool:
        is_latest = self._latest[message.key] == message.offset
        return is_latest and (message.value is not None or message.published_ns >= oldest_tombstone_ns)


@dataclass(slots=True)
class TopicLog:
    topic: Topic
    partitions: list[Partition]
    order: deque[int] = field(default_factory=deque)  # partitions by age of their messages, oldest first
    held_bytes: int = 0
    is_forgetful: bool = False  # a reader stands still, so messages go before it has read them


@dataclass(slots=True)
class Member:
    group: str
    topics: frozenset[str]
    owned: frozenset[Position] = frozenset()
    reading: Mapping[Position, int] = field(default_factory=dict)


class MemoryLog:
    """Everything published in this process. One lock; a message is appended or read while it is held, never handled."""

    def __init__(self, table: Iterable[Topic], options: Options) -> None:
        self._topics = {t.name: TopicLog(t, [Partition() for _ in range(t.partitions)]) for t in table}
        self._options = options
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._members: dict[int, Member] = {}
        self._wanted: dict[Position, dict[str, int]] = {}  # by group, who shall own it
        self._committed: dict[str, dict[Position, int]] = {}
        self._numbers = count(1)
        self._turn = 0
        self._waiting = 0  # threads in `_wait`; nobody is notified if there are none, which is most of the time
        self._publishers_waiting = 0

    def append(self, topic: str, key: str, value: bytes | None, headers: Headers, partition: int | None) -> None:
        found = self._topic(topic)
        number = place(found.topic, key, value, partition)
        with self._lock:
            now_ns = self._options.clock_ns()
            if self._is_full(found, now_ns):
                self._make_room(found)
            written = found.partitions[number]
            message = Message(topic, number, written.end, key, value, now_ns, headers)
            found.held_bytes += size_bytes(message)
            if found.topic.is_compacted:
                found.held_bytes -= written.supersede(message, now_ns - found.topic.retention_ms * NS_PER_MS)
            else:
                written.append(message)
                found.order.append(number)
            if self._waiting:
                self._changed.notify_all()

    def flush(self) -> None:
        """Nothing to do: a message is in the log when `append` returns."""

    def fetch(self, positions: Mapping[Position, int], limit: int, timeout_s: float, member: int) -> Fetched:
        """Wait until there is something to read or to own, at most `timeout_s`."""
        deadline_s = time.monotonic() + timeout_s
        with self._lock:
            while True:
                fetched = self._fetch_now(positions, limit, member)
                remaining_s = deadline_s - time.monotonic()
                if fetched.runs or fetched.gaps or fetched.offered != self._owned(member) or remaining_s <= 0:
                    return fetched
                self._wait(remaining_s)

    def bounds(self, topic: str) -> Mapping[int, Bounds]:
        partitions = self._topic(topic).partitions
        with self._lock:
            return {number: Bounds(partition.first, partition.end) for number, partition in enumerate(partitions)}

    def offsets_at(self, topic: str, time_ns: int) -> Mapping[int, int]:
        partitions = self._topic(topic).partitions
        with self._lock:
            return {number: partition.offset_at(time_ns) for number, partition in enumerate(partitions)}

    # --- groups ---

    def join(self, group: str, topics: Sequence[str]) -> int:
        for topic in topics:
            self._topic(topic)
        with self._lock:
            number = next(self._numbers)
            self._members[number] = Member(group, frozenset(topics))
            self._share_again(group)
            return number

    def take(self, member: int, positions: frozenset[Position]) -> frozenset[Position]:
        """Own these and give up the rest; returns what is owned, since another member may not have let go yet."""
        with self._lock:
            taker = self._members[member]
            taker.owned = positions & self._offered(member)
            committed = self._committed.get(taker.group, {})
            taker.reading = {p: taker.reading.get(p, committed.get(p, 0)) for p in taker.owned}
            self._changed.notify_all()
            return taker.owned

    def leave(self, member: int) -> None:
        with self._lock:
            if gone := self._members.pop(member, None):
                self._share_again(gone.group)

    def store(self, member: int, offsets: Mapping[Position, int]) -> None:
        with self._lock:
            if owner := self._members.get(member):
                mine = {position: offset for position, offset in offsets.items() if position in owner.owned}
                self._committed.setdefault(owner.group, {}).update(mine)

    def committed(self, group: str, positions: Iterable[Position]) -> Mapping[Position, int]:
        with self._lock:
            stored = self._committed.get(group, {})
            return {position: stored[position] for position in positions if position in stored}

    def existing_topics(self) -> Sequence[ExistingTopic]:
        with self._lock:
            return [
                ExistingTopic(
                    name=name,
                    partitions=len(found.partitions),
                    messages=sum(partition.end - partition.first for partition in found.partitions),
                    settings=found.topic.broker_settings(),
                    placement=found.topic.placement,
                )
                for name, found in sorted(self._topics.items())
            ]

    def close(self) -> None:
        with self._lock:
            self._topics.clear()
            self._members.clear()
            self._changed.notify_all()

    def _owned(self, member: int) -> frozenset[Position]:
        return self._members[member].owned if member in self._members else frozenset()

    def _offered(self, member: int) -> frozenset[Position]:
        """What this member shall own and no other member still holds."""
        if member not in self._members:
            return frozenset()
        group = self._members[member].group
        wanted = {position for position, owners in self._wanted.items() if owners.get(group) == member}
        held = (m.owned for number, m in self._members.items() if number != member and m.group == group)
        return frozenset(wanted.difference(*held))

    def _share_again(self, group: str) -> None:
        members = {number: m for number, m in self._members.items() if m.group == group}
        topics = frozenset().union(*(m.topics for m in members.values()))
        partitions = {topic: len(self._topic(topic).partitions) for topic in topics}
        owners = {position: number for number, m in members.items() for position in m.owned}
        shared = share({number: m.topics for number, m in members.items()}, partitions, owners)
        for wanted in self._wanted.values():
            wanted.pop(group, None)
        for position, number in shared.items():
            self._wanted.setdefault(position, {})[group] = number
        self._changed.notify_all()

    # --- messages ---

    def _topic(self, name: str) -> TopicLog:
        try:
            return self._topics[name]
        except KeyError:
            raise unknown_topic(name, self._topics) from None

    def _fetch_now(self, positions: Mapping[Position, int], limit: int, member: int) -> Fetched:
        if reader := self._members.get(member):
            reader.reading = {**reader.reading, **positions}
            if self._publishers_waiting:
                self._changed.notify_all()
        runs: list[Sequence[Message]] = []
        gaps: list[Gap] = []
        self._turn += 1
        for (topic, number), offset in rotated(list(positions.items()), self._turn):
            if limit <= 0:
                break
            partition = self._topic(topic).partitions[number]
            if offset < partition.first:
                gaps.append(Gap(topic, number, offset, partition.first, was_committed=True))
                offset = partition.first
            if run := partition.read(offset, limit):
                runs.append(run)
                limit -= len(run)
        return Fetched(runs, gaps, self._offered(member))

    def _wait(self, timeout_s: float) -> None:
        self._waiting += 1
        self._changed.wait(timeout_s)
        self._waiting -= 1

    def _is_full(self, found: TopicLog, now_ns: int) -> bool:
        if not found.order:
            return False
        if found.held_bytes > self._options.memory_topic_bytes:
            return True
        if len(found.order) >= self._options.memory_topic_messages:
            return True
        oldest = found.partitions[found.order[0]].first_message()
        return oldest.published_ns < now_ns - found.topic.retention_ms * NS_PER_MS

    def _make_room(self, found: TopicLog) -> None:
        """Forget the oldest messages, but wait for a group that has not read them; not for ever."""
        deadline_s = time.monotonic() + self._options.memory_patience_s
        while self._is_full(found, self._options.clock_ns()):
            is_unread = self._is_oldest_unread(found)
            if not is_unread:
                found.is_forgetful = False
            remaining_s = deadline_s - time.monotonic()
            if is_unread and not found.is_forgetful and remaining_s > 0:
                self._publishers_waiting += 1
                self._wait(remaining_s)
                self._publishers_waiting -= 1
                continue
            if is_unread and not found.is_forgetful:
                found.is_forgetful = True
                log.warning("topic %s is full and a reader stands still; messages go unread", found.topic.name)
            self._drop_oldest(found)
        spare = min(SPARE, len(found.order) // 100)  # so that a full topic is not looked at with every message
        while spare and found.order and not self._is_oldest_unread(found):
            self._drop_oldest(found)
            spare -= 1

    def _drop_oldest(self, found: TopicLog) -> None:
        found.held_bytes -= size_bytes(found.partitions[found.order.popleft()].drop_first())

    def _is_oldest_unread(self, found: TopicLog) -> bool:
        number = found.order[0]
        position = (found.topic.name, number)
        offset = found.partitions[number].first
        return any(m.reading.get(position, offset + 1) <= offset for m in self._members.values())


def place(topic: Topic, key: str, value: bytes | None, partition: int | None) -> int:
    """The partition a message belongs to."""
    size = len(key) + (len(value) if value else 0)
    if size > topic.max_message_bytes:
        raise DeliveryFailed(
            f"a message for {topic.name!r} with key {key!r} has {size} bytes, expected at most "
            f"{topic.max_message_bytes}; split it"
        )
    if partition is None and topic.placement is Placement.BY_KEY:
        return partition_of(key, topic.partitions)
    if partition is None or not 0 <= partition < topic.partitions:
        raise DeliveryFailed(
            f"a message for {topic.name!r} with key {key!r} names partition {partition}, expected 0 to "
            f"{topic.partitions - 1}; that topic is placed by number"
        )
    return partition


def unknown_topic(name: str, known: Iterable[str]) -> TopicUnknown:
    there = ", ".join(sorted(known))
    wrong = f"found topic {name!r}, expected one of {there}" if there else f"found no topic at all, expected {name!r}"
    return TopicUnknown(
        f"{wrong}; check the name and KENSOKU_NAMESPACE, and create declared topics with `kensoku topics apply`"
    )


def size_bytes(message: Message) -> int:
    return ENVELOPE_BYTES + len(message.key) + (len(message.value) if message.value else 0)


def rotated(items: list[PositionOffset], turn: int) -> list[PositionOffset]:
    start = turn % len(items) if items else 0
    return items[start:] + items[:start]
