"""The memory bus: the whole system in one process, or as seen from another process of the same machine."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import chain

from kensoku.bus import _metrics
from kensoku.bus._interface import Bus, Callbacks, Gap, Headers, Message, Position, Start, Stream
from kensoku.bus._log import NOBODY, Fetched, Log
from kensoku.bus._partitioner import partition_of
from kensoku.bus._table import Reader
from kensoku.bus.topics import Action, ExistingTopic
from kensoku.errors import SettingInvalid


class MemoryBus(Bus):
    """A client of a log; the namespace goes before every name that reaches the log."""

    def __init__(self, log: Log, namespace: str) -> None:
        self.log = log
        self._prefix = f"{namespace}." if namespace else ""
        self._opened = ExitStack()
        self._opened.callback(log.close)

    def publish(
        self, topic: str, key: str, value: bytes | None, headers: Headers = (), *, partition: int | None = None
    ) -> None:
        self.log.append(self._prefix + topic, key, value, headers, partition)
        _metrics.published(topic).inc()

    def flush(self, timeout_s: float | None = None) -> None:
        self.log.flush()

    def lag(self, topic: str, group: str) -> Mapping[int, int]:
        name = self._prefix + topic
        bounds = self.log.bounds(name)
        committed = self.log.committed(self._prefix + group, [(name, number) for number in bounds])
        return {number: b.end - committed.get((name, number), b.first) for number, b in bounds.items()}

    def existing_topics(self) -> Sequence[ExistingTopic]:
        return [
            replace(topic, name=topic.name.removeprefix(self._prefix))
            for topic in self.log.existing_topics()
            if topic.name.startswith(self._prefix)
        ]

    def apply_topics(self, actions: Sequence[Action], replication: int = 1) -> None:
        if actions:
            raise SettingInvalid(
                f"the memory bus makes its topics when it opens; found a wish to {actions[0]}, expected none; restart "
                "`kensoku run`"
            )

    def close(self) -> None:
        self._opened.close()

    def _open_stream(self, topics: tuple[str, ...], group: str, callbacks: Callbacks) -> Stream:
        stream = MemoryStream(self, self.log, self._prefix, topics, group, callbacks)
        return self._opened.enter_context(stream)

    def _open_reader(self, topic: str, start: Start, key: str | None = None) -> Reader:
        name = self._prefix + topic
        bounds = self.log.bounds(name)
        if start == "earliest":
            offsets = {number: b.first for number, b in bounds.items()}
        elif start == "latest":
            offsets = {number: b.end for number, b in bounds.items()}
        else:
            offsets = dict(self.log.offsets_at(name, start))
        if key is not None:
            number = partition_of(key, len(bounds))
            offsets = {number: offsets[number]}
        reader = MemoryReader(self.log, self._prefix, {(name, number): offset for number, offset in offsets.items()})
        return self._opened.enter_context(closing(reader))


class MemoryStream(Stream):
    def __init__(
        self, bus: Bus, log: Log, prefix: str, topics: tuple[str, ...], group: str, callbacks: Callbacks
    ) -> None:
        super().__init__(bus, group, callbacks)
        self._log = log
        self._prefix = prefix
        self._positions: dict[Position, int] = {}  # by the log's names
        self._member = log.join(prefix + group, [prefix + topic for topic in topics])

    @property
    def assignment(self) -> frozenset[Position]:
        return self._plain(self._positions)

    def close(self) -> None:
        self._log.leave(self._member)
        self._positions.clear()

    def _poll(self, limit: int, timeout_s: float) -> Sequence[Message]:
        fetched = self._log.fetch(self._positions, limit, timeout_s, self._member)
        for gap in fetched.gaps:
            self._expired(replace(gap, topic=gap.topic.removeprefix(self._prefix)))
        messages = advance(self._positions, fetched, self._prefix)
        if fetched.offered != self._positions.keys():
            lost = self._positions.keys() - fetched.offered
            messages = [m for m in messages if (self._prefix + m.topic, m.partition) not in lost]
            self._reassign(fetched.offered)
        return messages

    def _reassign(self, offered: frozenset[Position]) -> None:
        """Let go before taking, so that a position has one owner at a time."""
        before = frozenset(self._positions)
        self._revoked(self._plain(before - offered))
        owned = self._log.take(self._member, offered)
        self._positions = {position: offset for position, offset in self._positions.items() if position in owned}
        new = owned - before
        for position, offset in self._starts(new).items():
            self._positions[position] = offset
        self._assigned(self._plain(new))

    def _starts(self, positions: frozenset[Position]) -> Mapping[Position, int]:
        """Where the group left off; without a commit, the earliest message."""
        committed = self._log.committed(self._prefix + self._group, positions)
        self._committed.update({(t.removeprefix(self._prefix), number): o for (t, number), o in committed.items()})
        starts = dict(committed)
        for topic in {topic for topic, number in positions if (topic, number) not in committed}:
            for number, bounds in self._log.bounds(topic).items():
                if (topic, number) in positions and (topic, number) not in committed:
                    starts[topic, number] = bounds.first
                    if bounds.first > 0:
                        plain = topic.removeprefix(self._prefix)
                        self._expired(Gap(plain, number, 0, bounds.first, was_committed=False))
        return starts

    def _store(self, offsets: Mapping[Position, int]) -> bool:
        self._log.store(self._member, {(self._prefix + topic, n): offset for (topic, n), offset in offsets.items()})
        return True

    def _ends(self) -> Mapping[Position, int]:
        topics = {topic for topic, _ in self._positions}
        ends = {(topic, number): b.end for topic in topics for number, b in self._log.bounds(topic).items()}
        return {(t.removeprefix(self._prefix), n): end for (t, n), end in ends.items() if (t, n) in self._positions}

    def _plain(self, positions: Mapping[Position, int] | frozenset[Position]) -> frozenset[Position]:
        return frozenset((topic.removeprefix(self._prefix), number) for topic, number in positions)


class MemoryReader(Reader):
    def __init__(self, log: Log, prefix: str, positions: dict[Position, int]) -> None:
        self._log = log
        self._prefix = prefix
        self._positions = positions
        self._topic = next(topic for topic, _ in positions)

    def poll(self, limit: int, timeout_s: float) -> Sequence[Message]:
        fetched = self._log.fetch(self._positions, limit, timeout_s, NOBODY)
        return advance(self._positions, fetched, self._prefix)

    def is_behind(self, ends: Mapping[int, int]) -> bool:
        return any(offset < ends[number] for (_, number), offset in self._positions.items())

    def ends(self) -> Mapping[int, int]:
        return {number: bounds.end for number, bounds in self._log.bounds(self._topic).items()}

    def close(self) -> None:
        """Holds nothing of the log."""


def advance(positions: dict[Position, int], fetched: Fetched, prefix: str) -> Sequence[Message]:
    """Move the positions past what was fetched; returns the messages under their plain names."""
    for gap in fetched.gaps:
        positions[gap.topic, gap.partition] = gap.next_offset
    for run in fetched.runs:
        positions[run[-1].topic, run[-1].partition] = run[-1].offset + 1
    messages = chain.from_iterable(fetched.runs)
    if not prefix:
        return list(messages)
    return [message._replace(topic=message.topic.removeprefix(prefix)) for message in messages]
