"""Where a record grows suddenly louder, whatever the reason: nobody may call such a place noise unseen."""

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from kensoku.training.examples import RATE_HZ, FloatArray

BAND_HZ = (2.0, 20.0)
SHORT_S, LONG_S = 0.5, 4.0  # short enough to see an earthquake in the coda of another
RATIO = 2.5  # of amplitudes
APART_S = 1.0  # between triggers


def find_triggers(counts: FloatArray) -> npt.NDArray[np.int64]:
    """Samples at which the energy of all components together rises; none in the first seconds of a record."""
    energy, recorded = _energy(counts)
    short, long = round(SHORT_S * RATE_HZ), round(LONG_S * RATE_HZ)
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    lengths = np.concatenate([[0], np.cumsum(recorded)])
    if len(energy) <= short + long:
        return np.zeros(0, dtype=np.int64)
    at = np.arange(long, len(energy) - short)
    before = (sums[at] - sums[at - long]) / np.maximum(lengths[at] - lengths[at - long], 1)
    after = (sums[at + short] - sums[at]) / short
    enough = lengths[at] - lengths[at - long] > long // 2
    is_loud = enough & (after > RATIO**2 * before) & (after > 0)
    rises = at[is_loud & ~np.concatenate([[False], is_loud[:-1]])]
    apart = np.diff(rises, prepend=-(10**9)) > APART_S * RATE_HZ
    found: npt.NDArray[np.int64] = rises[apart]
    return found


def _energy(counts: FloatArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Each component relative to its own size, so that one dead or huge component hides nothing; 0 where missing."""
    length = counts.shape[1]
    total, recorded = np.zeros(length), np.zeros(length, dtype=np.bool_)
    sos = butter(2, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos")
    for row in counts:
        there = np.isfinite(row)
        if not there.any():
            continue
        filled = np.interp(np.arange(length), np.flatnonzero(there), row[there].astype(np.float64))
        filtered = sosfilt(sos, filled - filled[0])
        filtered[~there] = 0
        size = np.median(np.abs(filtered[there])) or np.abs(filtered).max() or 1.0
        total += np.square(filtered / size)
        recorded |= there
    return total, recorded
