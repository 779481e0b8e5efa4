"""STA/LTA: how much louder the last half second is than the last ten, in several bands, component by component."""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy import signal

from kensoku.classic._settings import RATE_HZ, ClassicSettings, FloatArray, Floats

FASTEST_HZ = 45.0  # above it a filter of a record at 100 Hz passes what aliasing has left


def recursive_sta_lta(energy: Floats, sta: int, lta: int) -> Floats:
    """As Withers et al. (1998) give it, along the last axis; lengths in samples. The first `lta` ratios are high.

    The same numbers as ObsPy's, which sets those to zero.
    """
    short = signal.lfilter([1 / sta], [1, 1 / sta - 1], energy)
    long = signal.lfilter([1 / lta], [1, 1 / lta - 1], energy)
    ratio: Floats = np.divide(short, long, out=np.zeros_like(short), where=long > np.finfo(np.float64).tiny)
    return ratio


def ratios(counts: FloatArray, settings: ClassicSettings) -> Floats:
    """(bands, 3, samples); NaN where a component has not been there for as long as the long average.

    Recursions begin with the first sample and again after every gap of a component; they know nothing of what follows.
    """
    found = np.full((len(settings.bands_hz), *counts.shape), np.nan)
    sta, lta = round(settings.sta_s * RATE_HZ), round(settings.lta_s * RATE_HZ)
    for row, component in enumerate(counts):
        for first, last in present(component):
            if last - first > lta:
                found[:, row, first + lta : last] = _ratios(component[first:last], sta, lta, settings)[:, lta:]
    return found


def _ratios(samples: FloatArray, sta: int, lta: int, settings: ClassicSettings) -> Floats:
    waves = samples.astype(np.float64) - float(samples[0])
    energy = np.square([signal.sosfilt(_band(*band), waves) for band in settings.bands_hz])
    rounded = np.square(_resolution(samples))
    # Both averages begin at nothing; the long one would be too small for as long as it lasts.
    grown = -np.expm1(np.arange(1, len(waves) + 1) * math.log1p(-1 / lta))
    short = signal.lfilter([1 / sta], [1, 1 / sta - 1], energy)
    long = signal.lfilter([1 / lta], [1, 1 / lta - 1], energy)
    long /= grown
    ratio: Floats = np.divide(short, np.maximum(long, rounded, out=long), out=short)
    return ratio


def _resolution(samples: FloatArray) -> float:
    """What a number of this size cannot show: the noise of single precision, which is no signal on flat ground."""
    return float(np.spacing(np.abs(samples[0]))) or float(np.finfo(np.float32).tiny)


@lru_cache(maxsize=64)
def _band(low_hz: float, high_hz: float) -> Floats:
    sos: Floats = signal.butter(2, (low_hz, min(high_hz, FASTEST_HZ)), "bandpass", fs=RATE_HZ, output="sos")
    return sos


def present(component: FloatArray) -> Iterator[tuple[int, int]]:
    """First sample and the one after the last of each stretch that is there."""
    there = ~np.isnan(component)
    if there.all():
        yield 0, len(component)
        return
    edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False])).astype(np.int8)))
    yield from ((int(first), int(last)) for first, last in edges.reshape(-1, 2))
