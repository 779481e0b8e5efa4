"""What a score is worth: the probability that a pick is right, and how far it is off."""

import math
from dataclasses import dataclass

import numpy as np

from kensoku.errors import InputInvalid
from kensoku.picking._picks import Phase, Pick

SMALLEST_S, LARGEST_S = 0.005, 1.0  # half a sample; beyond a second it is another wave


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseCalibration:
    """Of one phase. Between the scores it is interpolated, outside of them constant."""

    scores: tuple[float, ...] = (0.0, 1.0)
    probabilities: tuple[float, ...] = (0.0, 1.0)
    # log of the half width, in s, of the interval that holds 68 %: constant, times score, times log of the lobe's width
    log_uncertainty: tuple[float, float, float] = (math.log(0.05), 0.0, 0.0)
    log_without: tuple[float, float] = (0.0, 0.0)  # added where one horizontal component is missing, and where both are
    widths_s: tuple[float, float] = (0.01, 1.0)  # for which that was measured; outside, the nearer of both counts

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.scores, self.scores[1:], strict=False))
        weights = *self.log_uncertainty, *self.log_without
        sound = all(0 <= p <= 1 for p in self.probabilities) and all(map(math.isfinite, weights))
        sound = sound and 0 < self.widths_s[0] <= self.widths_s[1]
        if not rising or not self.scores or len(self.scores) != len(self.probabilities) or not sound:
            raise InputInvalid(
                f"calibration: found scores {self.scores} with probabilities {self.probabilities} and uncertainty "
                f"{weights} for widths {self.widths_s}, expected rising scores, as many probabilities "
                "from 0 to 1, finite numbers and rising widths"
            )

    def probability(self, score: float) -> float:
        return float(np.interp(score, self.scores, self.probabilities))

    def uncertainty_s(self, score: float, width_s: float, horizontals: int) -> float:
        constant, by_score, by_width = self.log_uncertainty
        constant += (*self.log_without[::-1], 0.0)[horizontals]
        score = min(max(score, self.scores[0]), self.scores[-1])
        width_s = min(max(width_s, self.widths_s[0]), self.widths_s[1])
        log_s = constant + by_score * score + by_width * math.log(width_s)
        return min(max(math.exp(min(log_s, 0.0)), SMALLEST_S), LARGEST_S)


@dataclass(frozen=True, slots=True)
class Calibration:
    p: PhaseCalibration = PhaseCalibration()
    s: PhaseCalibration = PhaseCalibration()

    def of(self, phase: Phase) -> PhaseCalibration:
        return self.p if phase == "P" else self.s

    def probability(self, pick: Pick) -> float:
        """That a real onset of this phase lies within 0.5 s of the pick."""
        return self.of(pick.phase).probability(pick.score)

    def uncertainty_s(self, pick: Pick, horizontals: int = 2) -> float:
        """68 % of right picks lie this near to the onset, where so many horizontal components were recorded."""
        return self.of(pick.phase).uncertainty_s(pick.score, pick.width_s, horizontals)
