"""The seismographs of which magnitudes are made, put on ground motion."""

import functools
import math

import numpy as np
import scipy.signal

from kensoku.measuring._stretch import RATE_HZ, FloatArray

WOOD_ANDERSON_PERIOD_S, WOOD_ANDERSON_DAMPING = 0.8, 0.7  # IASPEI (2013); of magnification 1 here, 2080 there
SHORT_PERIOD_S, SHORT_PERIOD_DAMPING = 1.0, 0.7  # of the seismometers from which JMA's velocity magnitude was made


def wood_anderson(displacement: FloatArray) -> FloatArray:
    return _swing(displacement, WOOD_ANDERSON_PERIOD_S, WOOD_ANDERSON_DAMPING)


def short_period(velocity: FloatArray) -> FloatArray:
    return _swing(velocity, SHORT_PERIOD_S, SHORT_PERIOD_DAMPING)


def high_passed(trace: FloatArray, corner_hz: float) -> FloatArray:
    """Butterworth, of two poles."""
    return _swing(trace, 1 / corner_hz, math.sqrt(0.5))


def _swing(ground: FloatArray, period_s: float, damping: float) -> FloatArray:
    """A pendulum's mass against its frame."""
    swung: FloatArray = scipy.signal.sosfilt(_pendulum(period_s, damping), ground)
    return swung


@functools.cache
def _pendulum(period_s: float, damping: float) -> FloatArray:
    own = 2 * RATE_HZ * math.tan(math.pi / period_s / RATE_HZ)  # so that the bilinear transform keeps the period
    poles = np.roots([1.0, 2 * damping * own, own**2])
    sections: FloatArray = scipy.signal.zpk2sos(*scipy.signal.bilinear_zpk([0.0, 0.0], poles, 1.0, RATE_HZ))
    return sections
