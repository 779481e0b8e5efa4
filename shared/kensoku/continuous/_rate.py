"""Samples of any usable rate on a grid of their own, and what they are at 100 Hz wherever pieces begin."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import signal

from kensoku.continuous._grid import RATE_HZ, ROUNDED_DOWN
from kensoku.picking import filter_to_100_hz

NS_PER_S = 10**9
CLOCK_ERROR = 1e-4  # by which a header's rate may differ from a whole number that is meant

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate in a simple ratio to 100 Hz, and the causal filter to it."""

    up: int
    down: int
    taps: npt.NDArray[np.float64]
    delay_ns: int  # by which a wave is later at 100 Hz

    @property
    def is_own(self) -> bool:
        return self.up == self.down

    def is_same(self, other: "Rate") -> bool:
        return (self.up, self.down) == (other.up, other.down)

    def index_of(self, time_ns: int) -> int:
        """The sample, counted from 1970, that a time counts as."""
        thousandths = time_ns * RATE_HZ * self.down * 1000 // (self.up * NS_PER_S)
        return (thousandths + 1000 - ROUNDED_DOWN) // 1000

    def time_of(self, index: int) -> int:
        return (index * self.up * NS_PER_S + RATE_HZ * self.down // 2) // (RATE_HZ * self.down)

    def thousandths_in(self, duration_ns: int) -> int:
        return duration_ns * RATE_HZ * self.down * 1000 // (self.up * NS_PER_S)

    def at_100_hz(self, native: int) -> int:
        """The first sample at 100 Hz that is not before this one; of an end, the end."""
        return -(-native * self.up // self.down)

    def newest_for(self, index: int) -> int:
        """The newest own sample that the one at 100 Hz depends on."""
        return index * self.down // self.up

    @property
    def block(self) -> int:
        """Samples at 100 Hz that are computed together: about a second, on an absolute grid."""
        return self.up * -(-RATE_HZ // self.up)

    @property
    def memory(self) -> int:
        """Own samples before a block that it depends on."""
        return -(-len(self.taps) // (self.up * self.down)) * self.down

    def resample(self, given: FloatArray) -> FloatArray:
        """A block from the samples in it and `memory` before. What is missing is taken as the next that is there.

        So nothing that was recorded before a gap, and no jump across it, reaches what comes later than the memory.
        """
        recorded = ~np.isnan(given)
        lead = self.memory * self.up // self.down
        if not recorded.any():
            return np.full(self.block, np.nan, dtype=np.float32)
        places = np.where(recorded, np.arange(len(given)), len(given) - 1)
        held = given[np.minimum.accumulate(places[::-1])[::-1]].astype(np.float64)
        first = held[0]
        held[np.isnan(held)] = first  # after the last one; it is missing there in any case
        found = signal.upfirdn(self.taps, held - first, self.up, self.down)[lead : lead + self.block] + first
        newest = self.memory + np.arange(self.block) * self.down // self.up
        return np.where(recorded[newest], found, np.nan).astype(np.float32)


@lru_cache(maxsize=1000)
def rate_of(rate_hz: float) -> Rate:
    """Raises InputInvalid for one that cannot be brought to 100 Hz."""
    meant = round(rate_hz)
    up, down, taps, delay = filter_to_100_hz(meant if abs(rate_hz - meant) <= CLOCK_ERROR * rate_hz else rate_hz)
    is_own = up == down
    return Rate(up, down, taps, 0 if is_own else round(delay * NS_PER_S / RATE_HZ))
