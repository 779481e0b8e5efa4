"""From somewhere near to the maximum of the posterior, by Newton's method with the slopes of the travel times."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kensoku.locating._batch import Batch, Predicted, distances_km, predict
from kensoku.locating._likelihood import Fit, fit, robust_weights, variances
from kensoku.locating._sphere import EARTH_RADIUS_KM, Frame, frames_at
from kensoku.locating._values import BoolArray, FloatArray, IntArray, LocationSettings, Tables

BLURS = (1.0, 0.3, 0.1, 0.0, 0.0, 0.0, 0.0)  # of the uncertainty of the start, step by step
LONGEST_STEP_KM = 30.0
SETTLED_KM = 1e-4
WAVE_SLOWNESS = (1 / 6.0, 1 / 3.5)
LEAST_INFORMATION = 1e-6  # per km²: nothing is more than 1,000 km uncertain


@dataclass(frozen=True, slots=True)
class Peaks:
    """(event, start); rows where residuals are concerned."""

    frame: Frame  # centred there
    depth: FloatArray
    fit: Fit
    predicted: Predicted
    distance_km: FloatArray  # (row, start)
    information: FloatArray  # (event, start, 3, 3): of north, east, depth, per km²

    def reorder(self, batch: Batch, order: IntArray) -> "Peaks":
        """The starts (event, start) of each event in that order, or some of them."""
        return self._select(
            (np.arange(len(order))[:, None], order), (np.arange(len(batch.event))[:, None], order[batch.event])
        )

    def select(self, events: IntArray, rows: IntArray) -> "Peaks":
        """Some of the events, and the rows that are theirs."""
        return self._select((events,), (rows,))

    def of_event(self, batch: Batch, event: int) -> "Peaks":
        return self._select((slice(event, event + 1),), (batch.rows_of(event),))

    def _select(self, events: tuple[Any, ...], rows: tuple[Any, ...]) -> "Peaks":
        frame, fit, predicted = self.frame, self.fit, self.predicted
        return Peaks(
            Frame(*(axis[(slice(None), *events)] for axis in (frame.centre, frame.north, frame.east))),
            self.depth[events],
            Fit(
                fit.log_posterior[events],
                fit.time[events],
                fit.time_variance[events],
                fit.stretch[events],
                fit.residual[rows],
                fit.variance[rows],
                fit.weight[rows],
            ),
            Predicted(predicted.time[rows], predicted.per_distance[rows], predicted.per_depth[rows]),
            self.distance_km[rows],
            self.information[events],
        )


@dataclass(frozen=True, slots=True)
class _Slopes:
    """(row, start): of the predicted time, s/km."""

    north: FloatArray
    east: FloatArray
    depth: FloatArray


def polish(
    batch: Batch,
    tables: Tables,
    settings: LocationSettings,
    places: FloatArray,
    depth: FloatArray,
    blur_km: FloatArray,
    limits: tuple[FloatArray, FloatArray],
) -> Peaks:
    """`limits` are the least and the greatest depth of each event; equal ones fix it. The best stretch of velocities is
    taken off the residuals already, so it adds nothing to the gain."""
    frame, top, bottom = frames_at(places), limits[0][:, None], limits[1][:, None]
    depth = np.clip(depth, top, bottom)
    wave_slowness = np.where(batch.is_s, WAVE_SLOWNESS[1], WAVE_SLOWNESS[0])[:, None]
    weight: FloatArray | None = None
    for blur in BLURS:
        distance = distances_km(batch, frame.centre)
        predicted = predict(batch, tables, distance, depth)
        variance = variances(batch, predicted.time, settings) + (blur * blur_km[batch.event] * wave_slowness) ** 2
        weight = robust_weights(batch, predicted.time, variance, settings) if weight is None else weight
        found = fit(batch, predicted.time, variance, settings, weight, 2)
        weight = found.weight
        slopes = _slopes(batch, frame, predicted, distance)
        information, gain = _normal_equations(batch, slopes, predicted, found, settings)
        is_held = ((depth <= top) & (gain[..., 2] < 0)) | ((depth >= bottom) & (gain[..., 2] > 0))
        step = _step(information, gain, is_held, blur_km)
        moved = np.clip(depth + step[..., 2], top, bottom)
        frame = frames_at(frame.place(step[..., 0], step[..., 1]))
        settled = max(np.abs(step[..., :2]).max(), np.abs(moved - depth).max()) < SETTLED_KM
        depth = moved
        if settled and not blur:
            break
    return describe(batch, tables, settings, frame, depth, found.weight)


def describe(
    batch: Batch, tables: Tables, settings: LocationSettings, frame: Frame, depth: FloatArray, weight: FloatArray
) -> Peaks:
    distance = distances_km(batch, frame.centre)
    predicted = predict(batch, tables, distance, depth)
    found = fit(batch, predicted.time, variances(batch, predicted.time, settings), settings, weight)
    slopes = _slopes(batch, frame, predicted, distance)
    information, _ = _normal_equations(batch, slopes, predicted, found, settings)
    return Peaks(frame, depth, found, predicted, distance, information)


def _slopes(batch: Batch, frame: Frame, predicted: Predicted, distance: FloatArray) -> _Slopes:
    towards = -predicted.per_distance / np.maximum(np.sin(distance / EARTH_RADIUS_KM), 1e-9)
    north, east = (
        sum(axis[i][batch.event] * batch.site[i, :, None] for i in range(3)) for axis in (frame.north, frame.east)
    )
    return _Slopes(towards * north, towards * east, predicted.per_depth)


def _normal_equations(
    batch: Batch, slopes: _Slopes, predicted: Predicted, found: Fit, settings: LocationSettings
) -> tuple[FloatArray, FloatArray]:
    """Information and gain of (north, east, depth), origin time and stretch eliminated."""
    precision = found.weight / found.variance
    total = np.maximum(batch.sums(precision), 1e-12)
    columns = [slopes.north, slopes.east, slopes.depth, found.residual]
    if settings.velocity_error:
        columns.append(predicted.time)
    centred = [column - (batch.sums(precision * column) / total)[batch.event] for column in columns]
    weighed = [precision * column for column in centred[:3]]
    shape = *total.shape, 3
    information, gain = np.empty((*shape, 3)), np.empty(shape)
    for i in range(3):
        gain[..., i] = batch.sums(weighed[i] * centred[3])
        for j in range(i + 1):
            information[..., i, j] = information[..., j, i] = batch.sums(weighed[i] * centred[j])
    if settings.velocity_error:
        along = np.stack([batch.sums(column * centred[4]) for column in weighed], axis=-1)
        spread = batch.sums(precision * centred[4] ** 2) + settings.velocity_error**-2
        information -= along[..., :, None] * along[..., None, :] / spread[..., None, None]
    return information, gain


def _step(information: FloatArray, gain: FloatArray, is_held: BoolArray, blur_km: FloatArray) -> FloatArray:
    """Towards the maximum; a depth that is held at its limit stays."""
    damped = information + np.eye(3) * LEAST_INFORMATION
    scale = np.einsum("...ii->...i", damped)
    damped = damped + np.eye(3) * (1e-3 * scale[..., None, :])
    right = gain.copy()
    damped[is_held, 2, :] = damped[is_held, :, 2] = 0
    damped[is_held, 2, 2] = 1
    right[is_held, 2] = 0
    step = np.linalg.solve(damped, right[..., None])[..., 0]
    limit = np.maximum(2 * blur_km, 3.0)
    length = np.sqrt((step**2).sum(axis=-1))
    return np.asarray(step * np.minimum(1, np.minimum(limit, LONGEST_STEP_KM) / np.maximum(length, 1e-12))[..., None])
