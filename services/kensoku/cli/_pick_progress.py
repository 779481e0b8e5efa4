"""How far a command has come: a bar that moves on a terminal, elsewhere a line now and then."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from kensoku.batch import Piece

BAR = 30
ON_TERMINAL_S, ELSEWHERE_S = 0.2, 10.0


def tell_step(what: str) -> None:
    """Of a day of a swarm each takes minutes, and nobody knows how many."""
    print(what, file=sys.stderr, flush=True)


class Bar:
    """Of bytes of records, or whatever is done; where records are picked, with how many picks there are so far."""

    def __init__(
        self, what: str, total: int, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what, self._total, self._stream, self._clock = what, max(total, 1), stream or sys.stderr, clock
        self._is_terminal = self._stream.isatty()
        self._began = self._told = clock()
        self._done = 0
        self._station_s = 0.0
        self.picks = 0

    def step(self, amount: int) -> None:
        self._done += amount
        now = self._clock()
        if now - self._told >= (ON_TERMINAL_S if self._is_terminal else ELSEWHERE_S):
            self._told = now
            self._tell()

    def counted(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The same, and how much record they hold."""
        for piece in pieces:
            yield piece
            self._station_s += max(channel.samples.size / channel.rate_hz for channel in piece.channels)

    def summary(self) -> str:
        speed = self._station_s / max(self._clock() - self._began, 1e-9)
        return f"{self._station_s:,.0f} station-seconds, {speed:,.0f} a second"

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_terminal:
            self._tell()
            print(file=self._stream)

    def _tell(self) -> None:
        part = min(self._done / self._total, 1.0)
        full = round(BAR * part)
        left_s = (self._clock() - self._began) * (1 - part) / part if part else 0.0
        found = f", {self.picks:,} picks" if self._station_s else ""
        line = f"{self._what} {'█' * full}{'░' * (BAR - full)} {part:4.0%}{found}, {duration(left_s)} left"
        end = "\033[K" if self._is_terminal else "\n"
        print(("\r" if self._is_terminal else "") + line, end=end, file=self._stream, flush=True)


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
