"""Chance that is a function of seed, station, purpose and absolute time, so that nobody sees where a simulation began.

Everything random in a simulated record is drawn in blocks of absolute time. A block's numbers come from Philox, whose
key is a hash of (seed, name, purpose) and whose counter is the block's index: any block can be drawn at any time, in
any order, any number of times, and is the same, bit for bit, with the same release of NumPy.
"""

import hashlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

BLOCK_S = 60  # a whole number of samples and of nanoseconds at every sampling rate that is a whole number

_KNOTS = 64  # drawn together


def draw(seed: int, name: str, purpose: str, block: int) -> np.random.Generator:
    """The random numbers of one block of absolute time: 2**128 of them before the next block's begin."""
    key = hashlib.blake2b(f"{seed}/{name}/{purpose}".encode(), digest_size=16).digest()
    counter = np.array([0, 0, block % 2**64, 0], dtype=np.uint64)  # blocks before 1970 are negative
    return np.random.Generator(np.random.Philox(key=np.frombuffer(key, dtype="<u8"), counter=counter))


def vary(seed: int, name: str, purpose: str, times_s: FloatArray, knot_s: float) -> FloatArray:
    """A Gaussian curve of mean 0 and variance 1 at every time, which forgets itself in `knot_s`; `times_s` ascend.

    Between two knots the weights are a cosine and a sine, so the variance does not sag there as with straight lines.
    """
    position = times_s / knot_s
    before = np.floor(position).astype(np.int64)
    first, last = int(before[0]) // _KNOTS, (int(before[-1]) + 1) // _KNOTS
    groups = [
        draw(seed, name, f"{purpose}/{knot_s}", group).standard_normal(_KNOTS) for group in range(first, last + 1)
    ]
    knots = np.concatenate(groups)
    angle = (position - before) * (np.pi / 2)
    index = before - first * _KNOTS
    curve: FloatArray = np.cos(angle) * knots[index] + np.sin(angle) * knots[index + 1]
    return curve
