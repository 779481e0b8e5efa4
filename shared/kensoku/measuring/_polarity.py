"""Which way the ground moved first: up or down, and how sure that is.

Any half cycle near the onset could be the first of the wave. How likely each of them is follows from how far it is from
the onset (whose uncertainty is known), from whether noise could have made it, and from whether noise did make those
before it: extremes of noise are as Rayleigh's distribution has them.
"""

import functools
import math
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
SOON = 10  # samples: the largest in so many after the onset makes filters ring before it
RINGING = 0.02  # of that
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
    quiet = seen[SETTLE : SETTLE + QUIET]
    at_onset = onset - begin
    soon = np.abs(seen[math.ceil(at_onset) :][:SOON]).max()
    noise = max(float(quiet.std()), RINGING * float(soon), 1e-12)
    up, down, neither = _weigh(seen[SETTLE + QUIET :] / noise, at_onset - SETTLE - QUIET, deviation)
    likelier, confidence = ("up", up) if up >= down else ("down", down)
    confidence /= max(up + down + neither, 1e-300)
    return FirstMotion("up" if likelier == "up" else "down", confidence) if confidence >= SURE else UNDECIDABLE


def _weigh(trace: FloatArray, onset: float, deviation: float) -> tuple[float, float, float]:
    """Of up, of down, and of noise alone; the trace in units of the noise."""
    starts = starts_of_half_cycles(trace)
    up = down = 0.0
    still_noise = 1.0
    for start, end in zip(starts, [*starts[1:], len(trace)], strict=True):
        extreme = start + int(np.abs(trace[start:end]).argmax())
        by_noise = math.exp(-(float(trace[extreme]) ** 2) / 2)
        near = math.exp(-(((start - onset) / deviation) ** 2) / 2)
        weight = still_noise * near * (1 - by_noise)
        if trace[extreme] > 0:
            up += weight
        else:
            down += weight
        still_noise *= by_noise
    return up, down, still_noise


def _seen(counts: FloatArray) -> FloatArray:
    seen: FloatArray = scipy.signal.sosfilt(_band(), counts - counts[0])
    return seen


@functools.cache
def _band() -> FloatArray:
    sections: FloatArray = scipy.signal.butter(2, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos")
    return sections
