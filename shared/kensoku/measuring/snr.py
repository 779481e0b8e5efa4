"""How far an onset stands out of what was there before it: the local SNR."""

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.signal

from kensoku.measuring._stretch import RATE_HZ, FloatArray, Stretch

SEEN_HZ = (2.0, 20.0)
BEFORE_S, FIRST_S = 1.0, 0.5
SETTLE_S = 4.0  # given to the filter
FAINTEST = 0.3  # counts, what rounding to whole numbers makes of silence
LEAST_FIRST = 10  # samples after the onset, where there is no half second yet


def see(counts: npt.NDArray[np.number[Any]], rate_hz: int) -> FloatArray:
    """The band in which arrivals are judged, along the last axis; the filter starts at rest."""
    seen: FloatArray = scipy.signal.sosfilt(_band(rate_hz), counts - counts[..., :1].astype(np.float64))
    return seen


def local_snr(components: Iterable[Stretch | None]) -> float:
    """The peak of the first half second over the rms of the second before, 2 to 20 Hz, best component; 0: not known.

    The same as the record's SNR in the tables of truth of the simulator.
    """
    quiet, first = round(BEFORE_S * RATE_HZ), round(FIRST_S * RATE_HZ)
    stretches = [each.cut(quiet + round(SETTLE_S * RATE_HZ), first) for each in components if each is not None]
    together: dict[tuple[int, int], list[FloatArray]] = {}
    for stretch in stretches:
        if stretch.before >= quiet and stretch.after >= LEAST_FIRST:
            together.setdefault((stretch.before, stretch.after), []).append(stretch.counts)
    return max((_best(rows, before) for (before, _), rows in together.items()), default=0.0)


def _best(rows: list[FloatArray], onset: int) -> float:
    seen = see(np.stack(rows), RATE_HZ)
    rms = np.sqrt(np.square(seen[:, onset - round(BEFORE_S * RATE_HZ) : onset]).mean(axis=1))
    return float((np.abs(seen[:, onset:]).max(axis=1) / np.maximum(rms, FAINTEST)).max())


@functools.cache
def _band(rate_hz: int) -> FloatArray:
    band = (SEEN_HZ[0], min(SEEN_HZ[1], 0.45 * rate_hz))
    sections: FloatArray = scipy.signal.butter(3, band, "bandpass", fs=rate_hz, output="sos")
    return sections
