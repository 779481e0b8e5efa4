"""Give a service what it reads, run it beside a test until what the test waits for is so, and look at what it told."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from google.protobuf.message import Message

from kensoku.bus import Bus

LIMIT_S = 300.0  # loops may be compiled first, on a machine with other things to do
PAUSE_S = 0.02

Work = Callable[[threading.Event], None]
Question = Callable[[], bool]
Contract = TypeVar("Contract", bound=Message)


def publish(bus: Bus, topic: str, messages: Iterable[tuple[str, Message]], partition: int | None = None) -> None:
    """Each by its key; all are there when this returns."""
    for key, message in messages:
        bus.publish(topic, key, message.SerializeToString(), partition=partition)
    bus.flush(60.0)


def decoded(bus: Bus, topic: str, kind: type[Contract]) -> list[Contract]:
    """All that a topic holds."""
    return [kind.FromString(message.value or b"") for message in bus.read(topic)]


@contextmanager
def beside(work: Work) -> Iterator[Question]:
    """In a thread that is told to stop at the end; gives the question whether it still runs. What it raised is raised
    here."""
    stop, failures = threading.Event(), list[Exception]()

    def watched() -> None:
        try:
            work(stop)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=watched)
    thread.start()
    try:
        yield thread.is_alive
    finally:
        stop.set()
        thread.join()
        if failures:
            raise failures[0]


def serve(work: Work, until: Question, limit_s: float = LIMIT_S) -> None:
    """Work until something is so."""
    with beside(work) as runs:
        is_done = wait_until(until, limit_s, runs)
    assert is_done or until(), "the service ended by itself before that"


def serve_all(work: Work, bus: Bus, topic: str, group: str) -> None:
    """Work until all that was published has been committed."""
    serve(work, all_read(bus, topic, group))


def wait_until(is_so: Question, limit_s: float = 60.0, goes_on: Question = lambda: True) -> bool:
    """False when nothing goes on that could make it so."""
    deadline_s = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < deadline_s, f"still not so after {limit_s:g} s"
        if not goes_on():
            return False
        time.sleep(PAUSE_S)
    return True


def all_read(bus: Bus, topic: str, group: str) -> Question:
    """Whether all that was published has been committed."""
    return lambda: not any(bus.lag(topic, group).values())
