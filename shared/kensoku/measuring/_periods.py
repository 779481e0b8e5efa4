"""How long the waves of the first seconds of P are, which grows with the size of the earthquake."""

import math

import numpy as np
import scipy.signal

from kensoku.measuring._stretch import RATE_HZ, FloatArray

FIRST = 3 * RATE_HZ  # samples of P that tau_c is of (Wu & Kanamori, 2005)
FADES_S = 1.0  # the memory of tau_p (Nakamura, 1988; Allen & Kanamori, 2003)
STANDS_OUT = 2.0  # displacement over that of the noise before; less says how long the noise's waves are


def tau_c_s(displacement: FloatArray, velocity: FloatArray) -> float:
    """2 pi over the root of the ratio of the integrals of squares of velocity and displacement."""
    of_velocity = float(np.square(velocity).sum())
    return 2 * math.pi * math.sqrt(float(np.square(displacement).sum()) / of_velocity) if of_velocity else 0.0


def tau_p_max_s(velocity: FloatArray, acceleration: FloatArray, begin: int, end: int) -> float:
    """The largest predominant period of the samples from `begin` to before `end`, both smoothed by a recursion."""
    kept = 1 - 1 / (FADES_S * RATE_HZ)
    squares, squares_of_change = (
        scipy.signal.lfilter([1.0], [1.0, -kept], np.square(trace))[begin:end] for trace in (velocity, acceleration)
    )
    ratio = np.divide(squares, squares_of_change, out=np.zeros(end - begin), where=squares_of_change > 0)
    return 2 * math.pi * math.sqrt(float(ratio.max(initial=0.0)))
