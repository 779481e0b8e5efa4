"""Continuous time: packets of any size and order in, an absolute record of every instrument, second by second, out.

Values in, values out: whether a second is complete is decided from what arrived and from the stamps in the packets, so
a replay of the same log decides the same.
"""

from kensoku.continuous._completeness import STEP, Completeness, Step
from kensoku.continuous._grid import RATE_HZ, SAMPLE_NS, index_of, time_of
from kensoku.continuous._instruments import Instrument, instrument_of
from kensoku.continuous._network import NOWHERE, Before, Fed, Network, Times
from kensoku.continuous._rate import rate_of
from kensoku.continuous._stations import NOT_HELD, Position
from kensoku.continuous._timeline import AsRecorded, Timeline

__all__ = [
    "NOT_HELD",
    "NOWHERE",
    "RATE_HZ",
    "SAMPLE_NS",
    "STEP",
    "AsRecorded",
    "Before",
    "Completeness",
    "Fed",
    "Instrument",
    "Network",
    "Position",
    "Step",
    "Times",
    "Timeline",
    "index_of",
    "instrument_of",
    "rate_of",
    "time_of",
]
