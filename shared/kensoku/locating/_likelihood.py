"""How well an earthquake at a place explains the arrivals, whatever its time, when some of them may be wrong."""

from dataclasses import dataclass

import numpy as np

from kensoku.locating._batch import Batch
from kensoku.locating._values import FloatArray, LocationSettings


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
