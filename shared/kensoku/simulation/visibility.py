"""How well an arrival stands out of what was there before it: what tables of truth and training labels call visible.

The local SNR is the peak of the first half second over the rms of the second before, 2 to 20 Hz, on the best component.
By the letter, the peak of the record (`record_snr`), noise in which nothing arrives has one above 2 nearly always. So
`snr`, by which an arrival is visible or not, has the peak of the waves alone. Where waves of earlier arrivals are among
them, it is what the peak has more than they had in the half second before: else everything in the coda of a great
earthquake, which is never even, would be visible.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.measuring.snr import BEFORE_S, FAINTEST, FIRST_S, SEEN_HZ, SETTLE_S, see

__all__ = ["BEFORE_S", "FIRST_S", "SEEN_HZ", "SETTLE_S", "UNKNOWN", "VISIBLE_SNR", "Visibility", "judge", "see"]

Counts = npt.NDArray[np.number[Any]]  # (components, samples)

VISIBLE_SNR = 2.0


@dataclass(frozen=True, slots=True)
class Visibility:
    """NaN where the record does not hold what is needed."""

    snr: float  # of the waves
    record_snr: float  # of waves and noise together, as one who does not know the waves would measure it

    @property
    def is_visible(self) -> bool:
        return self.snr >= VISIBLE_SNR


UNKNOWN = Visibility(float("nan"), float("nan"))


def judge(counts: Counts, waves: Counts, onset: int, rate_hz: int, *, are_mixed: bool = False) -> Visibility:
    """Of an arrival at the sample `onset` of a record, in which `waves` are the counts that are no noise: of its source
    alone, or, mixed, of all."""
    before, first = round(BEFORE_S * rate_hz), round(FIRST_S * rate_hz)
    if onset < before or onset + first > counts.shape[1]:
        return UNKNOWN
    stretch = slice(max(0, onset - before - round(SETTLE_S * rate_hz)), onset + first)
    seen, seen_waves = see(np.stack([counts[:, stretch], waves[:, stretch]]), rate_hz)
    rms = np.sqrt(np.square(seen[:, -first - before : -first]).mean(axis=1))
    peaks = np.abs(np.stack([seen_waves, seen])[..., -first:]).max(axis=-1)
    if are_mixed:
        earlier = np.abs(seen_waves[:, -2 * first : -first]).max()
        peaks[0] *= np.sqrt(max(1.0 - (earlier / max(peaks[0].max(), FAINTEST)) ** 2, 0.0))
    snr, record_snr = (peaks / np.maximum(rms, FAINTEST)).max(axis=-1)
    return Visibility(float(snr), float(record_snr))
