"""Programs that hand messages on, in event time: each takes what has come when it is free, and needs the time that its
processor needs."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

HOP_NS = 5_000_000  # from a program to the next, over a bus


@dataclass
class Load:
    """What a program did."""

    turns: int = 0
    spent_ns: int = 0
    longest_ns: int = 0
    lags_ns: list[int] = field(default_factory=list)  # of each message, from its arrival until it was worked off


def served(
    messages: Iterable[tuple[int, In]],
    turn: Callable[[int, Sequence[In]], Iterable[Out]],
    load: Load,
    spent: Callable[[], int] = time.process_time_ns,
    most: int = sys.maxsize,
) -> Iterator[tuple[int, Out]]:
    """`messages` in the order of their arrival; what `turn` makes of them, one after the other, and when each is
    there. `most` in a turn."""
    queue = _Queue(iter(messages))
    free_ns = 0
    while batch := queue.take(free_ns, most):
        begin_ns = max(free_ns, batch[-1][0])
        start = spent()
        made = [(spent() - start, each) for each in turn(begin_ns, [message for _, message in batch])]
        cost = spent() - start
        free_ns = begin_ns + cost
        load.turns, load.spent_ns, load.longest_ns = load.turns + 1, load.spent_ns + cost, max(load.longest_ns, cost)
        load.lags_ns += [free_ns - came_ns for came_ns, _ in batch]
        for after_ns, each in made:
            yield begin_ns + after_ns + HOP_NS, each


class _Queue(Generic[In]):
    def __init__(self, messages: Iterator[tuple[int, In]]) -> None:
        self._messages = messages
        self._next = next(messages, None)

    def take(self, free_ns: int, most: int) -> list[tuple[int, In]]:
        """All that has come when the program is free; if nothing has, what comes next."""
        taken = list[tuple[int, In]]()
        while self._next is not None and len(taken) < most:
            if taken and self._next[0] > max(free_ns, taken[0][0]):
                break
            taken.append(self._next)
            self._next = next(self._messages, None)
        return taken
