"""Reconsider the phases: a P that comes when S should, and does not fit as P, was S."""

import numpy as np

from kensoku.locating._batch import Batch, predict
from kensoku.locating._likelihood import variances
from kensoku.locating._polish import Peaks
from kensoku.locating._values import BoolArray, LocationSettings, Tables

HARDLY_BELONGS = 0.1  # weight below which the phase is doubted
FITS = 3.0  # standard deviations within which the other phase must come


def reconsider(batch: Batch, tables: Tables, settings: LocationSettings, peaks: Peaks) -> BoolArray:
    """Which rows are S, seen from the best peak; at one station a phase is given once."""
    other = batch.with_waves(~batch.is_s)
    distance = peaks.distance_km[:, :1]
    predicted = predict(other, tables, distance, peaks.depth[:, :1]).time
    variance = variances(other, predicted, settings)[:, 0]
    best = peaks.fit
    late = best.time[batch.event, 0] + (1 + best.stretch[batch.event, 0]) * predicted[:, 0]
    residual = batch.onset - late
    weight, own = best.weight[:, 0], best.residual[:, 0] ** 2 / best.variance[:, 0]
    log_other = -0.5 * residual**2 / variance - 0.5 * np.log(2 * np.pi * variance)
    log_own = -0.5 * own - 0.5 * np.log(2 * np.pi * best.variance[:, 0])
    log_now = np.logaddexp(log_own, -np.log(settings.outlier_span_s))
    changes = (weight < HARDLY_BELONGS) & (residual**2 < FITS**2 * variance) & (log_other > log_now)
    kept = zip(batch.event, batch.station, batch.is_s, weight > 0.5, strict=True)
    taken = {(int(event), int(station), bool(is_s)) for event, station, is_s, belongs in kept if belongs}
    for row in np.flatnonzero(changes):
        key = int(batch.event[row]), int(batch.station[row]), not bool(batch.is_s[row])
        changes[row] = key not in taken
        taken.add(key)
    return np.asarray(batch.is_s ^ changes)
