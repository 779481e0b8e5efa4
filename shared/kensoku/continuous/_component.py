"""One component of an instrument: a channel, or several in turn, as where it was renamed or its rate was changed."""

from collections.abc import Iterator

from kensoku.continuous._channel import NEVER, Channel, Ranges
from kensoku.continuous._grid import RATE_HZ
from kensoku.continuous._rate import FloatArray
from kensoku.packets import ChannelSamples

LIVE = 60 * RATE_HZ  # a channel that has sent nothing for so long is waited for no more, and may be replaced
BESIDE = "found {0} beside it, expected one channel of a component; {0} counts until it is silent for a minute"
BESIDE_RATE = "found {0:g} Hz, expected {1:g} Hz as before, which counts until it is silent for a minute"


class Component:
    """Which channel a sample is of depends on the samples alone, however they were cut into pieces."""

    __slots__ = ("_channels",)

    def __init__(self) -> None:
        self._channels: list[Channel] = []  # each holds from its own begin to that of the next one

    @property
    def end(self) -> int:
        """The sample after the newest; 0 before the first."""
        return self._channels[-1].end if self._channels else 0

    def write(self, piece: ChannelSamples, oldest: int) -> Ranges:
        """Which samples at 100 Hz are new. Another code or rate counts from a minute after the last sample on: a wrong
        header for a moment takes nothing over.

        Raises InputInvalid for a rate that cannot be used.
        """
        channels = self._channels
        if not channels or not channels[-1].is_of(piece):
            channels = [*channels, Channel(piece.code, piece.rate_hz)]
        written: Ranges = []
        for place, channel in enumerate(channels):
            if channel.is_of(piece):
                until = channels[place + 1].begin if channel is not channels[-1] else NEVER
                earliest = max(oldest, channels[place - 1].end + LIVE) if place else oldest
                written += channel.write(piece, earliest, until)
        if channels[-1].is_in_use:
            self._channels = channels
        return written

    def beside(self, piece: ChannelSamples) -> str:
        """Why the start of a piece is left out, in words: another channel holds there. Empty: none does."""
        if not self._channels or (newest := self._channels[-1]).is_of(piece):
            return ""
        first = newest.rate.at_100_hz(newest.place(piece.start_ns))
        if first >= newest.end + LIVE or any(c.is_of(piece) and first < newest.begin for c in self._channels):
            return ""
        is_renamed = newest.code != piece.code
        return BESIDE.format(newest.code) if is_renamed else BESIDE_RATE.format(piece.rate_hz, newest.rate_hz)

    def at(self, index: int) -> Channel | None:
        """The one that holds at a sample."""
        return next((channel for channel in reversed(self._channels) if channel.begin <= index), None)

    def within(self, first: int, last: int) -> Iterator[tuple[Channel, int, int]]:
        """Those that hold in a stretch, each with its part of it."""
        until = last
        for channel in reversed(self._channels):
            if channel.begin < until:
                yield channel, max(channel.begin, first), until
                until = channel.begin
            if until <= first:
                return

    def read_into(self, row: FloatArray, first: int) -> None:
        """Fill a row of NaN with the samples from `first` on."""
        for channel, low, high in self.within(first, first + len(row)):
            channel.read_into(row[low - first : high - first], low)

    def is_covered(self, first: int, last: int) -> bool:
        """Whether all of these samples have come."""
        from_here = last
        for channel, from_here, until in self.within(first, last):  # noqa: B007
            if not channel.is_covered(from_here, until):
                return False
        return from_here <= first

    def forget(self, before: int) -> None:
        for channel in self._channels:
            channel.forget(before)
        self._channels = [*(each for each in self._channels[:-1] if each.is_in_use), *self._channels[-1:]]
