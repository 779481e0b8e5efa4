"""From somewhere near to the maximum of the posterior, by Newton's method with the slopes of the travel times."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kensoku.locating._batch import Batch, Predicted, arrays_of, errors_of
from kensoku.locating._kernels import make_desk
from kensoku.locating._kernels_newton import climb
from kensoku.locating._likelihood import Fit
from kensoku.locating._sphere import Frame, frames_at
from kensoku.locating._values import FloatArray, IntArray, LocationSettings, Tables


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


def polish(
    batch: Batch,
    tables: Tables,
    settings: LocationSettings,
    places: FloatArray,
    depth: FloatArray,
    blur_km: FloatArray,
    limits: tuple[FloatArray, FloatArray],
) -> Peaks:
    """From places (3, event, start); `limits` are the least and the greatest depth of each event, equal ones fix it."""
    top, bottom = limits
    events, starts = depth.shape
    places, depth = np.ascontiguousarray(np.moveaxis(places, 0, -1)), depth.copy()
    of_events, of_rows = np.zeros((4, events, starts)), np.zeros((7, len(batch.event), starts))
    information = np.zeros((events, starts, 3, 3))
    rows = batch.arrays
    climb(
        *arrays_of(tables),
        rows,
        errors_of(settings),
        top,
        bottom,
        blur_km,
        places,
        depth,
        make_desk(rows),
        np.zeros((12, 5)),
        of_events,
        of_rows,
        information,
    )
    log_posterior, origin, origin_variance, stretch = of_events
    residual, variance, weight, time, across, down, distance = of_rows
    return Peaks(
        frames_at(np.moveaxis(places, -1, 0)),
        depth,
        Fit(log_posterior, origin, origin_variance, stretch, residual, variance, weight),
        Predicted(time, across, down),
        distance,
        information,
    )
