"""What triggers a classic picker, and where it looks for the onset."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.errors import SettingInvalid

Floats = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
RATE_HZ = 100
NYQUIST_HZ = RATE_HZ / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicSettings:
    """Bands are pass bands in Hz, ratios are of energies."""

    bands_hz: tuple[tuple[float, float], ...] = ((1.0, 4.0), (4.0, 10.0), (8.0, 20.0))
    sta_s: float = 0.4
    lta_s: float = 10.0
    ratio: float = 3.0  # of the short to the long average
    growth: float = 2.0  # of that ratio within a second: S in the coda of P counts, the coda does not
    least_bands: int = 1  # which together make a trigger
    together_s: float = 0.5  # in which bands and components are one trigger
    block_s: int = 60  # recursions begin anew in each, on an absolute grid
    warm_up_s: int = 30  # before it: three times the long average
    before_s: float = 3.0  # of a trigger: where its onset is looked for
    after_s: float = 0.7

    def __post_init__(self) -> None:
        for low, high in self.bands_hz:
            if not 0 < low < high < NYQUIST_HZ:
                raise SettingInvalid(
                    f"classic bands_hz: found {low:g} to {high:g} Hz, expected a rising pair below {NYQUIST_HZ:g}"
                )
        if not 1 <= self.least_bands <= len(self.bands_hz):
            raise SettingInvalid(
                f"classic least_bands: found {self.least_bands}, expected 1 to {len(self.bands_hz)}, one a band"
            )
        if not 0 < self.sta_s < self.lta_s < self.warm_up_s:
            raise SettingInvalid(
                f"classic averages: found {self.sta_s:g} s, {self.lta_s:g} s and a warm-up of {self.warm_up_s} s, "
                "expected each shorter than the next"
            )
        if min(self.ratio, self.growth) <= 1 or self.together_s <= 0 or self.block_s < 10:
            raise SettingInvalid("classic: expected ratio and growth above 1, together_s above 0, block_s from 10 s up")
        if not (self.before_s >= 2 and 0.2 <= self.after_s <= 2):
            raise SettingInvalid(
                f"classic: found onsets sought from {self.before_s:g} s before a trigger to {self.after_s:g} s after, "
                "expected 2 s or more before it and 0.2 to 2 s after"
            )

    @property
    def block(self) -> int:
        """Samples."""
        return self.block_s * RATE_HZ

    @property
    def warm_up(self) -> int:
        return self.warm_up_s * RATE_HZ

    @property
    def together(self) -> int:
        return math.ceil(self.together_s * RATE_HZ)

    @property
    def before(self) -> int:
        return math.ceil(self.before_s * RATE_HZ)

    @property
    def after(self) -> int:
        """From a trigger to when its onset is decided."""
        return max(math.ceil(self.after_s * RATE_HZ), self.together)

    @property
    def reach(self) -> int:
        """A pick depends on no sample further before its decision than this."""
        return self.warm_up + self.block + self.after + 1
