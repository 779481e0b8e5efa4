"""Bring records of other rates to 100 Hz without looking ahead, and say how late that makes them."""

import math
from fractions import Fraction
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import signal

from kensoku.errors import InputInvalid
from kensoku.picking._picks import RATE_HZ, Counts

SLOWEST_HZ, FASTEST_HZ = 20.0, 1000.0
FINEST = 64  # of the numerator and denominator of a ratio of rates: finer ones are clocks that are wrong
ROUNDED = 1e-6  # share by which a rate is another that single precision made of it: 1 / 0.01 s is 100.0000022
PASSED, BETA = 0.45, 12.0  # corner as a share of the lower rate; Kaiser's window: 59 dB, after the square root


@cache
def filter_to_100_hz(rate_hz: float) -> tuple[int, int, npt.NDArray[np.float64], float]:
    """Up, down, minimum-phase taps at the rate in between, and their delay in samples at 100 Hz."""
    is_known = SLOWEST_HZ <= rate_hz <= FASTEST_HZ
    ratio = Fraction(RATE_HZ / rate_hz).limit_denominator(FINEST) if is_known else Fraction(1)
    if not math.isclose(float(ratio) * rate_hz, RATE_HZ, rel_tol=ROUNDED) or not is_known:
        raise InputInvalid(
            f"found {rate_hz:g} samples a second, expected {RATE_HZ} or a rate from {SLOWEST_HZ:g} to {FASTEST_HZ:g} "
            "in a simple ratio to it; resample the records"
        )
    up, down = ratio.numerator, ratio.denominator
    between_hz, lower_hz = rate_hz * up, min(rate_hz, RATE_HZ)
    taps = 2 * round(38 * between_hz / lower_hz) + 1  # a transition of a tenth of the lower rate
    linear = signal.firwin(taps, PASSED * lower_hz, fs=between_hz, window=("kaiser", BETA))
    minimum: npt.NDArray[np.float64] = signal.minimum_phase(linear, n_fft=1 << 15)
    minimum *= up / minimum.sum()
    delay = float(np.sum(np.arange(len(minimum)) * minimum) / minimum.sum()) / between_hz * RATE_HZ
    return up, down, minimum, delay


def to_100_hz(counts: Counts, rate_hz: float) -> tuple[Counts, float]:
    """(..., samples) at 100 Hz, and by how many samples a wave is later there. NaN and precision stay as they were."""
    up, down, taps, delay = filter_to_100_hz(rate_hz)
    if up == down:
        return counts, 0.0
    rows = counts.reshape(-1, counts.shape[-1])
    length = -(-rows.shape[1] * up // down)
    found = np.stack([_resampled(row, up, down, taps)[:length] for row in rows])
    newest = np.minimum(np.arange(length) * down // up, rows.shape[1] - 1)
    found[np.isnan(rows)[:, newest]] = np.nan
    return found.reshape(*counts.shape[:-1], length), delay


def _resampled(row: Counts, up: int, down: int, taps: npt.NDArray[np.float64]) -> Counts:
    """Missing samples hold the last value, so that a gap makes no wave; without the first, as at the start."""
    recorded = np.flatnonzero(~np.isnan(row))
    if not len(recorded):
        return np.full(len(row) * up // down + 1, np.nan, dtype=row.dtype)
    held = row[np.maximum.accumulate(np.where(np.isnan(row), recorded[0], np.arange(len(row))))].astype(np.float64)
    first = held[0]
    return np.asarray(signal.upfirdn(taps, held - first, up, down) + first, dtype=row.dtype)
