"""What a person asks of a training run, whatever the model."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kensoku.training.checkpoints import Checkpoint, Row
from kensoku.training.datasets.split import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    config: Path
    dataset: Path
    out: Path
    threads: int = 1  # of the network's arithmetic
    processes: int = 1  # that make batches ahead
    minutes: float | None = None
    jit: bool = False
    start: Path | None = None  # weights to begin with, or a graph, of a network of the same shape
    teachers: tuple[Path, ...] = ()  # folders of pickers in a repository
    judged_by: Side = "develop"
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # table, key: value instead of the file's

    def stopper(self, stop: threading.Event, clock: Callable[[], float] = time.monotonic) -> Callable[[], bool]:
        """Whether somebody stopped it, or the minutes from now on have passed."""
        began = clock()
        return lambda: stop.is_set() or (self.minutes is not None and clock() - began > 60 * self.minutes)


Train = Callable[[Order, threading.Event, Callable[[Row], None]], Checkpoint]
