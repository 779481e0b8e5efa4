"""A simulated network second by second, at the pace at which it is asked for.

Stations make their minutes one after the other, so that no second has to wait for those of the whole network; none is
ever more than two minutes ahead.
"""

from collections.abc import Callable, Iterator

import numpy as np

from kensoku.packets import ChannelSamples
from kensoku.simulation.engine import World, block_at, instrument_of, record
from kensoku.simulation.networks import Station
from kensoku.simulation.randomness import BLOCK_S
from kensoku.simulation.stationxml import channel_codes
from kensoku.simulation.telemetry import Packet
from kensoku.times import NS_PER_S


def seconds_of(
    world: World, first: int, end: int, at_once: int, goes_on: Callable[[], bool] = lambda: True
) -> Iterator[Packet]:
    """All stations from one second up to another, so many seconds at once, ordered by time and station.

    Ends early when `goes_on`, which is asked before every block, says so.
    """
    first = first // at_once * at_once
    stations = sorted(world.stations, key=lambda station: station.name)
    streams = []
    for station in stations:
        if not goes_on():
            return
        streams.append(_Stream(world, station, first))
    for second in range(first, end, at_once):
        turns = {(second + ahead) % BLOCK_S for ahead in range(at_once)}
        for number, stream in enumerate(streams):
            if number * BLOCK_S // len(streams) in turns or not stream.holds(second + at_once):
                if not goes_on():
                    return
                stream.make(second + at_once)
            yield stream.cut(second, at_once)


class _Stream:
    """What is made of a station and not yet cut into packets: at most two minutes."""

    def __init__(self, world: World, station: Station, second: int) -> None:
        first = block_at(second * NS_PER_S)
        self._station = station
        self._codes = channel_codes(instrument_of(world.scenario.seed, station), station.components)
        self._blocks = record(world, station, first)
        block = next(self._blocks)
        self._start = block.start_ns // NS_PER_S  # whole, as blocks and their lead are
        self._counts = block.counts

    @property
    def _end(self) -> int:
        return self._start + self._counts.shape[1] // self._station.rate_hz

    def holds(self, end: int) -> bool:
        return self._end >= end

    def make(self, end: int) -> None:
        """As much as is needed until `end`, and if that is nothing, a minute ahead."""
        while not self.holds(end + BLOCK_S):
            self._counts = np.concatenate([self._counts, next(self._blocks).counts], axis=1)

    def cut(self, second: int, seconds: int) -> Packet:
        rate_hz = self._station.rate_hz
        begin = (second - self._start) * rate_hz
        cut = self._counts[:, begin : begin + seconds * rate_hz]
        if begin >= BLOCK_S * rate_hz:
            self._counts, self._start = self._counts[:, begin:].copy(), second
        channels = tuple(
            ChannelSamples("", code, second * NS_PER_S, float(rate_hz), samples)
            for code, samples in zip(self._codes, cut, strict=True)
        )
        return Packet(self._station.network, self._station.code, second, channels, seconds)
