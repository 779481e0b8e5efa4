"""What may be set about a bus, whichever it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass


def _ignore_contact(reason: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Options:
    wait_s: float = 60.0  # how long the broker may be away before BusUnavailable
    instance: str = ""  # a name that survives restarts of this replica makes it a static member of its groups
    memory_topic_bytes: int = 128 * 1024**2  # what one topic of the memory bus may hold
    memory_topic_messages: int = 500_000
    memory_patience_s: float = 10.0  # how long a full topic waits for its slowest reader before it forgets
    clock_ns: Callable[[], int] = time.time_ns
    on_contact: Callable[[str], None] = _ignore_contact  # why no broker answers, again and again; empty once one does
