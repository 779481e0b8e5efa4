"""Read from a stream until a test has what it waits for."""

import time
from collections.abc import Callable, Sequence

from kensoku.bus import Bus, Message, Stream

PATIENCE_S = 60.0


def read_until(
    stream: Stream, is_enough: Callable[[Sequence[Message]], bool], limit: int = 1000, pause_s: float = 0.0
) -> list[Message]:
    deadline_s = time.monotonic() + PATIENCE_S
    messages: list[Message] = []
    for batch in stream.batches(limit):
        messages += batch
        if is_enough(messages):
            return messages
        time.sleep(pause_s)
        assert time.monotonic() < deadline_s, f"after {PATIENCE_S:g} s only {len(messages)} messages came"
    raise AssertionError("the stream ended")


def read(stream: Stream, count: int, limit: int = 1000, pause_s: float = 0.0) -> list[Message]:
    return read_until(stream, lambda messages: len(messages) >= count, limit, pause_s)


def read_nothing(stream: Stream, turns: int = 5) -> None:
    for _, batch in zip(range(turns), stream.batches(1000), strict=False):
        assert batch == [] or list(batch) == []


def settle(*streams: Stream) -> None:
    """Turn the members of a group, which one thread drives here, until their shares are at rest."""
    turns = [stream.batches(1) for stream in streams]
    deadline_s = time.monotonic() + PATIENCE_S
    calm = 0
    before: list[frozenset[tuple[str, int]]] = []
    while calm < 5:
        assert time.monotonic() < deadline_s, f"the shares did not come to rest: {before}"
        for turn in turns:
            assert not next(turn), "settle a group before it has anything to read"
        now = [stream.assignment for stream in streams]
        calm = calm + 1 if now == before and all(now) else 0
        before = now


def after(messages: Sequence[Message]) -> dict[tuple[str, int], int]:
    """What to commit when all of these are done with."""
    return {(message.topic, message.partition): message.offset + 1 for message in messages}


def publish(bus: Bus, topic: str, key: str, *values: bytes) -> None:
    for value in values:
        bus.publish(topic, key, value)
    bus.flush()
