"""Which way the ground moved first: up or down, and how sure that is.

Any half cycle near the onset could be the first of the wave. How likely each of them is follows from how far it is from
the onset, whose uncertainty is known, and from how much better the half cycles before it suit noise than the wave:
extremes of noise are as Rayleigh's distribution has them, those of the wave anything up to its largest. Where the wave
is hardly larger than the noise, its first half cycle may be hidden, and the first that is seen says nothing.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.signal

from kensoku.measuring._peaks import starts_of_half_cycles
from kensoku.measuring._stretch import RATE_HZ, FloatArray, Stretch

Sense = Literal["up", "down", "undecidable"]

BAND_HZ = (1.0, 20.0)
SETTLE, QUIET = 3 * RATE_HZ, 2 * RATE_HZ  # samples: of the filter, and of noise whose rms is taken
LAST = 30  # samples after the onset in which the first motion is looked for
LEAST_UNCERTAINTY_S = 0.02
MOST_UNCERTAINTY_S = 0.3
DEVIATIONS = 2.5  # of the onset, before which no half cycle is asked
FOOT = 0.2  # of its extreme: where a half cycle leaves that, it starts
FAINTEST = 0.1  # of the largest half cycle soon after the onset: the first of a wave is hardly smaller
SMALL = 1.0  # in units of the noise
HIDDEN = 1.5  # in the same: of a half cycle that is smaller the noise decides the sense
LEAST_SHARE = 1e-3  # of half cycles of no size
SOON = 10  # samples: the largest in so many after the onset makes filters ring before it
RINGING = 0.01  # of that
SURE = 0.8  # less is undecidable
TURNED: dict[Sense, Sense] = {"up": "down", "down": "up", "undecidable": "undecidable"}


@dataclass(frozen=True, slots=True)
class FirstMotion:
    sense: Sense
    confidence: float = 0.0  # probability that the sense is right, 0 if undecidable

    @property
    def turned(self) -> "FirstMotion":
        """Of a sensor that was upside down."""
        return FirstMotion(TURNED[self.sense], self.confidence)


UNDECIDABLE = FirstMotion("undecidable")


def first_motion(vertical: Stretch, onset: float, uncertainty_s: float) -> FirstMotion:
    """Of P; the onset counts from the first sample of the stretch."""
    deviation = RATE_HZ * min(max(uncertainty_s, LEAST_UNCERTAINTY_S), MOST_UNCERTAINTY_S)
    earliest = math.floor(onset - DEVIATIONS * deviation)
    if earliest < SETTLE + QUIET or vertical.after < SOON:
        return UNDECIDABLE
    begin = earliest - SETTLE - QUIET
    seen = _seen(vertical.counts[begin : math.ceil(onset) + LAST])
    at_onset = onset - earliest
    quiet, wave = seen[SETTLE : SETTLE + QUIET], seen[SETTLE + QUIET :]
    if not wave.any():  # a dead vertical, whose onset the horizontals have
        return UNDECIDABLE
    soon = np.abs(wave[math.ceil(at_onset) :][:SOON]).max()
    noise = max(float(quiet.std()), RINGING * float(soon), 1e-12)
    up, down, neither = _weigh(list(_half_cycles(wave / noise)), at_onset, deviation)
    confidence = max(up, down) / (up + down + neither)
    return FirstMotion("up" if up > down else "down", confidence) if confidence >= SURE else UNDECIDABLE


@dataclass(frozen=True, slots=True)
class _HalfCycle:
    start: float  # sample
    extreme: float  # in units of the noise


def _half_cycles(trace: FloatArray) -> Iterator[_HalfCycle]:
    """They start where the trace leaves what is small beside their extreme."""
    starts = starts_of_half_cycles(trace)
    for start, end in zip(starts, [*starts[1:], len(trace)], strict=True):
        sizes = np.abs(trace[start:end])
        top = int(sizes.argmax())
        low = np.flatnonzero(sizes[:top] < FOOT * sizes[top])
        yield _HalfCycle(float(start + (low[-1] if len(low) else 0)), float(trace[start + top]))


def _weigh(half_cycles: Sequence[_HalfCycle], onset: float, deviation: float) -> tuple[float, float, float]:
    """Of up, of down, and of noise alone."""
    largest = max((abs(each.extreme) for each in half_cycles), default=0.0)
    up = down = 0.0
    rather_noise = 1.0  # those before: how much likelier as noise than as part of the wave
    for each in half_cycles:
        weight = rather_noise * math.exp(-(((each.start - onset) / deviation) ** 2) / 2)
        if each.extreme > 0:
            up += weight
        else:
            down += weight
        rather_noise *= _of_noise(abs(each.extreme)) / _of_wave(abs(each.extreme), largest)
    return *_partly_hidden(up, down, largest), rather_noise


def _partly_hidden(up: float, down: float, largest: float) -> tuple[float, float]:
    """Either sense is as probable, as far as the first half cycle of such a wave is below the noise."""
    lost = math.log(max(HIDDEN / max(FAINTEST * largest, FAINTEST * HIDDEN), 1.0)) / -math.log(FAINTEST) / 2
    return up + lost * (down - up), down + lost * (up - down)


def _of_noise(extreme: float) -> float:
    """Rayleigh's density, but for the smallest, of which noise of a wide band has more."""
    return max(extreme, SMALL) * math.exp(-(extreme**2) / 2)


def _of_wave(extreme: float, largest: float) -> float:
    """A density even in the logarithm down to FAINTEST of the largest, and falling to nothing below."""
    faintest = FAINTEST * largest
    share = max(min(extreme / faintest, 1.0), LEAST_SHARE)
    return share / (max(extreme, faintest) * (0.5 - math.log(FAINTEST)))


def _seen(counts: FloatArray) -> FloatArray:
    seen: FloatArray = scipy.signal.sosfilt(_band(), counts - counts[0])
    return seen


@functools.cache
def _band() -> FloatArray:
    sections: FloatArray = scipy.signal.butter(2, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos")
    return sections
