"""How far a picker is to be believed, measured on picks whose truth is known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from kensoku.errors import InputInvalid
from kensoku.picking import PHASES, Calibration, Phase, PhaseCalibration, Pick

FloatArray = npt.NDArray[np.float64]

RIGHT_WITHIN_S = 0.5
SHARE = 0.68  # of right picks that the stated uncertainty shall hold
SURE = 1.28  # standard errors: with nine chances of ten it holds no fewer, however few picks it was learned from
FINEST_S = 0.002  # nobody labels finer than that
STEPS = 15  # of the curve of probability, each of as many picks
FEWEST = 30


@dataclass(frozen=True, slots=True)
class Judged:
    """A pick and how far it lies from the nearest onset of its phase; infinite where there is none."""

    pick: Pick
    error_s: float
    horizontals: int = 2  # components that were recorded

    @property
    def is_right(self) -> bool:
        return abs(self.error_s) <= RIGHT_WITHIN_S


def fit_calibration(judged: Sequence[Judged], changed: Sequence[Judged] = ()) -> Calibration:
    """From picks down to a score below any threshold that will be used, right ones and wrong ones. `changed`: of the
    same records without some components, or cut elsewhere; how far picks are off is learned from these as well."""
    p, s = (_fit_phase(_of(phase, judged), _of(phase, changed), phase) for phase in PHASES)
    return Calibration(p=p, s=s)


def _of(phase: Phase, judged: Sequence[Judged]) -> list[Judged]:
    return [each for each in judged if each.pick.phase == phase]


def _fit_phase(judged: Sequence[Judged], changed: Sequence[Judged], phase: Phase) -> PhaseCalibration:
    right = [j for j in judged if j.is_right]
    if len(right) < FEWEST:
        raise InputInvalid(f"calibration: found {len(right)} right picks of {phase}, expected at least {FEWEST}")
    scores, probabilities = rising_steps(
        np.array([j.pick.score for j in judged]), np.array([float(j.is_right) for j in judged])
    )
    share = min(SHARE + SURE * math.sqrt(SHARE * (1 - SHARE) / len(right)), 0.95)
    right += [j for j in changed if j.is_right]
    narrow, wide = map(float, np.quantile([j.pick.width_s for j in right], [0.02, 0.98]))
    features = np.array(
        [[1.0, j.pick.score, np.log(j.pick.width_s), j.horizontals == 1, j.horizontals == 0] for j in right]
    )
    log_errors = np.log(np.maximum(np.abs([j.error_s for j in right]), FINEST_S))
    constant, by_score, by_width, *without = map(float, quantile_regression(features, log_errors, share, positive=2))
    return PhaseCalibration(
        scores=tuple(map(float, scores)),
        probabilities=tuple(map(float, probabilities)),
        log_uncertainty=(constant, by_score, by_width),
        log_without=(without[0], without[1]),
        widths_s=(round(narrow, 3), round(wide, 3)),
    )


def rising_steps(scores: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean score and share of right picks in steps of scores; the share never falls as the score rises.

    Right and wrong picks weigh as much in all, so that steps are fine where either kind is frequent.
    """
    order = np.argsort(scores, kind="stable")
    weight = np.where(right[order] > 0, 1 / max(right.sum(), 1), 1 / max((1 - right).sum(), 1)).cumsum()
    steps = min(STEPS, max(1, len(order) // FEWEST))
    parts = [p for p in np.split(order, np.searchsorted(weight, np.arange(1, steps) / steps * weight[-1])) if len(p)]
    pooled: list[tuple[float, float, int]] = []  # right, all, steps
    for part in parts:
        pooled.append((float(right[part].sum()), len(part), 1))
        while len(pooled) > 1 and pooled[-2][0] / pooled[-2][1] >= pooled[-1][0] / pooled[-1][1]:
            (a, b, c), (d, e, f) = pooled.pop(-2), pooled.pop()
            pooled.append((a + d, b + e, c + f))
    # Half a pick more of each kind, so that no step is sure.
    probabilities = np.concatenate([np.full(n, (good + 0.5) / (size + 1)) for good, size, n in pooled])
    middles = np.array([scores[part].mean() for part in parts])
    is_new = np.concatenate([[True], np.diff(middles) > 1e-9])
    return np.round(middles[is_new], 6), np.round(probabilities[is_new], 6)


def quantile_regression(features: FloatArray, targets: FloatArray, share: float, positive: int = 0) -> FloatArray:
    """Weights with which this share of the targets lies below features @ weights; the last so many are not negative,
    and 0 where a feature is."""
    count, width = features.shape
    cost = np.concatenate([np.zeros(width), np.full(count, share), np.full(count, 1 - share)])
    equal = sparse.hstack([sparse.csr_matrix(features), sparse.eye(count), -sparse.eye(count)])
    lowest = np.concatenate([np.where(np.arange(width) < width - positive, -np.inf, 0), np.zeros(2 * count)])
    highest = np.concatenate([np.where(features.any(axis=0), np.inf, 0), np.full(2 * count, np.inf)])
    limits = np.stack([np.minimum(lowest, highest), highest], axis=1)
    solved = optimize.linprog(cost, A_eq=equal, b_eq=targets, bounds=limits, method="highs")
    return np.asarray(np.round(solved.x[:width], 6), dtype=np.float64)
