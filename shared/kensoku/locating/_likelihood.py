"""How well an earthquake at a place explains the arrivals, whatever its time, when some of them may be wrong."""

from dataclasses import dataclass

import numpy as np

from kensoku.locating._batch import Batch
from kensoku.locating._values import FloatArray, LocationSettings

ROBUST_ROUNDS, ROBUST_WIDTH = 6, 1.5  # standard deviations
LEAST_PRECISION = 1e-12  # per s², so that a time is a number where nothing belongs
ROUNDS = 3  # of weighing arrivals and finding the origin time


@dataclass(frozen=True, slots=True)
class Fit:
    """Of (event, node), or (row, node)."""

    log_posterior: FloatArray  # the origin time integrated out
    time: FloatArray  # origin time, the most probable
    time_variance: FloatArray
    stretch: FloatArray  # of travel times: the most probable common error of velocities
    residual: FloatArray  # (row, node)
    variance: FloatArray  # (row, node), of onset and predicted time
    weight: FloatArray  # (row, node): the probability that it belongs


def variances(batch: Batch, predicted_s: FloatArray, settings: LocationSettings) -> FloatArray:
    model = np.maximum(settings.model_error * predicted_s, settings.model_error_s)
    return np.asarray(batch.uncertainty[:, None] ** 2 + model * model)


def robust_weights(
    batch: Batch, predicted_s: FloatArray, variance: FloatArray, settings: LocationSettings
) -> FloatArray:
    """To begin with, where no arrival is known to belong: far ones count less and less, and none is lost."""
    lead, weight = batch.onset[:, None] - predicted_s, np.broadcast_to(batch.belongs[:, None], predicted_s.shape)
    for _ in range(ROBUST_ROUNDS):
        best = _solve(batch, lead, predicted_s, weight / variance, settings.velocity_error)
        residual = lead - best.time[batch.event] - best.stretch[batch.event] * predicted_s
        weight = batch.belongs[:, None] / (1 + residual * residual / (ROBUST_WIDTH**2 * variance))
    return np.asarray(weight)


def fit(
    batch: Batch,
    predicted_s: FloatArray,
    variance: FloatArray,
    settings: LocationSettings,
    weight: FloatArray,
    rounds: int = ROUNDS,
) -> Fit:
    """By expectation and maximisation from the weights given; the time is integrated out as a normal distribution."""
    lead = batch.onset[:, None] - predicted_s
    density = batch.belongs[:, None] / np.sqrt(2 * np.pi * variance)
    stray = (1 - batch.belongs[:, None]) / settings.outlier_span_s
    for _ in range(rounds):
        best = _solve(batch, lead, predicted_s, weight / variance, settings.velocity_error)
        residual = lead - best.time[batch.event] - best.stretch[batch.event] * predicted_s
        right = density * np.exp(-0.5 * residual * residual / variance)
        weight = right / (right + stray)
    one = batch.sums(1 / variance) / batch.counts[:, None]
    log_posterior = batch.sums(np.log(right + stray)) + best.log_volume(one, settings.velocity_error)
    return Fit(log_posterior, best.time, best.time_variance, best.stretch, residual, variance, weight)


@dataclass(frozen=True, slots=True)
class _Best:
    time: FloatArray
    time_variance: FloatArray
    stretch: FloatArray
    total: FloatArray  # precision of the time
    spread: FloatArray | None  # precision of the stretch, its prior included

    def log_volume(self, one: FloatArray, error: float) -> FloatArray:
        """Of the time and the stretch that are integrated out; the time is never less known than from one arrival, or
        places that none belongs to would win."""
        volume = -0.5 * np.log(np.maximum(self.total, one))
        if self.spread is None:
            return np.asarray(volume)
        return np.asarray(volume - 0.5 * (self.stretch / error) ** 2 - 0.5 * np.log(self.spread * error**2))


def _solve(batch: Batch, lead: FloatArray, predicted: FloatArray, precision: FloatArray, error: float) -> _Best:
    total = np.maximum(batch.sums(precision), LEAST_PRECISION)
    time = batch.sums(precision * lead) / total
    if not error:
        return _Best(time, 1 / total, np.zeros_like(time), total, None)
    mean = batch.sums(precision * predicted) / total
    centred = predicted - mean[batch.event]
    weighed = precision * centred
    spread = batch.sums(weighed * centred) + error**-2
    stretch = batch.sums(weighed * lead) / spread
    return _Best(time - stretch * mean, 1 / total + mean * mean / spread, stretch, total, spread)
