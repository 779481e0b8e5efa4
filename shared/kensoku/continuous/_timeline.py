"""An instrument's record: three components on the absolute 100 Hz grid, NaN where nothing has come."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.continuous._channel import Channel, Ranges
from kensoku.continuous._grid import RATE_HZ
from kensoku.continuous._instruments import Instrument
from kensoku.continuous._rate import FloatArray, rate_of
from kensoku.errors import InputInvalid
from kensoku.packets import ChannelSamples

SILENCES = 100  # between two Progress, of which each is told
LIVE = 60 * RATE_HZ  # a channel that has sent nothing for so long is waited for no more, and may be replaced
BESIDE = "found {0} beside it, expected one channel of a component; {0} counts until it is silent for a minute"


@dataclass(frozen=True, slots=True, eq=False)
class AsRecorded:
    """A stretch of one channel as it came, before any filter; NaN where nothing has come."""

    code: str
    rate_hz: float
    counts: FloatArray


class Timeline:
    """Bounded by what is forgotten; a stretch may always be read."""

    __slots__ = ("_channels", "end", "instrument", "silences")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self._channels: list[Channel | None] = [None, None, None]
        self.end = 0  # the sample after the newest of any component; 0 before the first
        self.silences: deque[tuple[int, int]] = deque(maxlen=SILENCES)  # gaps after which all began anew, the latest

    def write(self, component: int, piece: ChannelSamples, oldest: int = -(1 << 62)) -> Ranges:
        """Which samples at 100 Hz are new. Another channel of the same component is left out while the first lives.

        Raises InputInvalid for a rate that cannot be used.
        """
        channel = self._channels[component]
        rate = rate_of(piece.rate_hz)
        if channel is None or not channel.rate.is_same(rate):
            channel = Channel(piece.code, piece.rate_hz)
        elif channel.code != piece.code:
            if self.beside(component, piece):
                return []
            channel = Channel(piece.code, piece.rate_hz)
        written = channel.write(piece, oldest)
        if written:
            self._channels[component] = channel
            self.end = max(self.end, channel.end)
        return written

    def beside(self, component: int, piece: ChannelSamples) -> str:
        """Why a channel is left out, in words: another one of its component and rate lives. Empty: none does."""
        channel = self._channels[component]
        if channel is None or channel.code == piece.code or not channel.rate.is_same(rate_of(piece.rate_hz)):
            return ""
        is_alive = channel.end + LIVE > channel.rate.at_100_hz(channel.place(piece.start_ns))
        return BESIDE.format(channel.code) if is_alive else ""

    def is_replaced_by(self, component: int, piece: ChannelSamples) -> bool:
        """Whether what was recorded of a component is lost when this is written."""
        channel = self._channels[component]
        if channel is None or (channel.code == piece.code and channel.rate_hz == piece.rate_hz):
            return False
        try:
            return channel.code != piece.code or not channel.rate.is_same(rate_of(piece.rate_hz))
        except InputInvalid:  # it will not be written
            return False

    def read(self, first: int, last: int) -> FloatArray:
        """(3, last - first): Z N E."""
        counts = np.full((3, last - first), np.nan, dtype=np.float32)
        self.read_into(counts, first)
        return counts

    def read_into(self, counts: FloatArray, first: int) -> None:
        """The same into a place that holds NaN."""
        for row, channel in zip(counts, self._channels, strict=True):
            if channel is not None:
                channel.read_into(row, first)

    def as_recorded(self, first: int, last: int) -> list[AsRecorded]:
        """Of every channel that there is, at its own rate."""
        return [
            AsRecorded(channel.code, RATE_HZ * channel.rate.down / channel.rate.up, channel.as_recorded(first, last))
            for channel in self._channels
            if channel is not None
        ]

    def is_covered(self, components: Sequence[int], first: int, last: int) -> bool:
        """Whether all samples of these components have come."""
        for component in components:
            channel = self._channels[component]
            if channel is None or not channel.is_covered(first, last):
                return False
        return True

    def live(self, index: int) -> tuple[int, ...]:
        """The components that have recorded anything in the minute before a sample, or after it."""
        return tuple(c for c, channel in enumerate(self._channels) if channel and channel.end + LIVE > index)

    def channels(self, first: int, last: int) -> list[str]:
        """Codes of those that have any sample here, in the order Z N E."""
        return [channel.code for channel in self._channels if channel and channel.has_any(first, last)]

    def orientations(self) -> str:
        """Third letters of the codes: ZNE or Z12."""
        return "".join(
            channel.code[2] if channel else usual for channel, usual in zip(self._channels, "ZNE", strict=True)
        )

    def offset_ns(self, index: int) -> int:
        """How much later than the grid says the sample was taken."""
        channel = self._first_at(index)
        return channel.offset_ns(index) if channel else 0

    def delay_ns(self, index: int) -> int:
        """By how much the filter to 100 Hz shows waves late."""
        channel = self._first_at(index)
        return channel.rate.delay_ns if channel else 0

    def forget(self, before: int) -> None:
        for place, channel in enumerate(self._channels):
            if channel is not None:
                channel.forget(before)
                if not channel.is_in_use:
                    self._channels[place] = None

    def _first_at(self, index: int) -> Channel | None:
        return next((channel for channel in self._channels if channel and channel.has_any(index, index + 1)), None)
