"""An instrument's record: three components on the absolute 100 Hz grid, NaN where nothing has come."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.continuous._channel import NEVER, Channel, Ranges
from kensoku.continuous._component import LIVE, Component
from kensoku.continuous._grid import RATE_HZ
from kensoku.continuous._instruments import Instrument
from kensoku.continuous._rate import FloatArray
from kensoku.packets import ChannelSamples

SILENCES = 100  # between two Progress, of which each is told


@dataclass(frozen=True, slots=True, eq=False)
class AsRecorded:
    """A stretch of one channel as it came, before any filter; NaN where nothing has come."""

    code: str
    rate_hz: float
    counts: FloatArray


class Timeline:
    """Bounded by what is forgotten; a stretch may always be read."""

    __slots__ = ("_components", "end", "instrument", "silences")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self._components = (Component(), Component(), Component())
        self.end = 0  # the sample after the newest of any component; 0 before the first
        self.silences: deque[tuple[int, int]] = deque(maxlen=SILENCES)  # gaps after which all began anew, the latest

    def write(self, component: int, piece: ChannelSamples, oldest: int = -NEVER) -> Ranges:
        """Which samples at 100 Hz are new. Another channel of the same component is left out while the first lives.

        Raises InputInvalid for a rate that cannot be used.
        """
        written = self._components[component].write(piece, oldest)
        self.end = max(self.end, self._components[component].end)
        return written

    def beside(self, component: int, piece: ChannelSamples) -> str:
        """Why the start of a piece is left out, in words: another channel of its component lives. Empty: none does."""
        return self._components[component].beside(piece)

    def read(self, first: int, last: int) -> FloatArray:
        """(3, last - first): Z N E."""
        counts = np.full((3, last - first), np.nan, dtype=np.float32)
        self.read_into(counts, first)
        return counts

    def read_into(self, counts: FloatArray, first: int) -> None:
        """The same into a place that holds NaN."""
        for row, component in zip(counts, self._components, strict=True):
            component.read_into(row, first)

    def as_recorded(self, first: int, last: int) -> list[AsRecorded]:
        """Of every channel that has any sample here, at its own rate."""
        return [
            AsRecorded(channel.code, RATE_HZ * channel.rate.down / channel.rate.up, channel.as_recorded(first, last))
            for channel in self._within(first, last)
        ]

    def is_covered(self, components: Sequence[int], first: int, last: int) -> bool:
        """Whether all samples of these components have come."""
        return all(self._components[component].is_covered(first, last) for component in components)

    def live(self, index: int) -> tuple[int, ...]:
        """The components that have recorded anything in the minute before a sample, or after it."""
        return tuple(place for place, component in enumerate(self._components) if component.end + LIVE > index)

    def channels(self, first: int, last: int) -> list[str]:
        """Codes of those that have any sample here, in the order Z N E."""
        return [channel.code for channel in self._within(first, last)]

    def orientations(self, index: int) -> str:
        """Third letters of the codes: ZNE or Z12."""
        at = (component.at(index) for component in self._components)
        return "".join(channel.code[2] if channel else usual for channel, usual in zip(at, "ZNE", strict=True))

    def offset_ns(self, index: int) -> int:
        """How much later than the grid says the sample was taken."""
        channel = self._first_at(index)
        return channel.offset_ns(index) if channel else 0

    def delay_ns(self, index: int) -> int:
        """By how much the filter to 100 Hz shows waves late."""
        channel = self._first_at(index)
        return channel.rate.delay_ns if channel else 0

    def forget(self, before: int) -> None:
        for component in self._components:
            component.forget(before)

    def _within(self, first: int, last: int) -> Iterator[Channel]:
        for component in self._components:
            for channel, low, high in component.within(first, last):
                if channel.has_any(low, high):
                    yield channel

    def _first_at(self, index: int) -> Channel | None:
        return next(self._within(index, index + 1), None)
