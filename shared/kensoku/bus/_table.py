"""Read a topic without a group: from a place to its end, or the latest value of every key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from kensoku.bus._interface import Message

BATCH_MESSAGES = 1000
WAIT_S = 0.5


class Reader(ABC):
    """All partitions of one topic, read in order; the bus that opened it closes it at the latest."""

    @abstractmethod
    def poll(self, limit: int, timeout_s: float) -> Sequence[Message]: ...

    @abstractmethod
    def is_behind(self, ends: Mapping[int, int]) -> bool:
        """Whether something before these offsets is still to be read."""

    @abstractmethod
    def ends(self) -> Mapping[int, int]:
        """By partition, the offset the next message will get."""

    @abstractmethod
    def close(self) -> None: ...

    def messages(self, follow: bool) -> Generator[Message]:
        ends = {} if follow else self.ends()
        try:
            while follow or self.is_behind(ends):
                for message in self.poll(BATCH_MESSAGES, WAIT_S):
                    if follow or message.offset < ends[message.partition]:
                        yield message
        finally:
            self.close()

    def in_order(self) -> Generator[Message]:
        """Those of all partitions by their time of publication, up to the present end.

        A partition's next message is waited for before any later one of another is given; what has come of the others
        meanwhile is held, which is as much as a client fetches at a time.
        """
        ends = self.ends()
        held: dict[int, deque[Message]] = {number: deque() for number in ends}
        try:
            while True:
                unread = [number for number in ends if self.is_behind({n: ends[n] * (n == number) for n in ends})]
                yield from _those_before_all_of(held, unread)
                if not unread:
                    return
                for message in self.poll(BATCH_MESSAGES, WAIT_S):
                    if message.offset < ends[message.partition]:
                        held[message.partition].append(message)
        finally:
            self.close()


def _those_before_all_of(held: Mapping[int, deque[Message]], unread: Sequence[int]) -> Iterator[Message]:
    """As long as a message is held of each partition of which more will come."""
    while all(held[number] for number in unread):
        heads = [messages[0] for messages in held.values() if messages]
        if not heads:
            return
        first = min(heads, key=lambda message: (message.published_ns, message.partition))
        yield held[first.partition].popleft()


class News:
    """What a topic got since one looked last."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self) -> Sequence[Message]:
        """What is there by now, without waiting; each partition's in order, and all of it sooner or later."""
        return self._reader.poll(BATCH_MESSAGES, 0.0)

    def close(self) -> None:
        self._reader.close()


class Table(Mapping[str, bytes]):
    """The latest value of every key, as of the last `refresh`; a tombstone takes its key out."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._values: dict[str, bytes] = {}
        self.edition = 0  # grows with every change: several may follow one table, and each remembers what it has seen

    def refresh(self) -> None:
        """Apply everything acknowledged before this call."""
        ends = self._reader.ends()
        while self._reader.is_behind(ends):
            for message in self._reader.poll(BATCH_MESSAGES, WAIT_S):
                self.edition += 1
                if message.value is None:
                    self._values.pop(message.key, None)
                else:
                    self._values[message.key] = message.value

    def close(self) -> None:
        self._reader.close()

    def __getitem__(self, key: str) -> bytes:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
