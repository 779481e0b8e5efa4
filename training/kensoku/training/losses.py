"""How far a network is from what was taught; where nobody knows whether a phase begins, nothing of it is taught."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from kensoku.training.examples import FloatArray

NOISE, P, S = 0, 1, 2
_KNOWN, _WEIGHT = slice(3, 5), 5  # rows of a lesson

Tensor = Any  # of whichever backend


def lessons(
    targets: FloatArray, known: npt.NDArray[np.generic], weight: FloatArray, delay: tuple[int, int] = (0, 0)
) -> FloatArray:
    """(batch, 6, samples): noise, P and S as they should be, whether P and S are known, and the example's weight.

    A network that tells P and S by `delay` samples late, as it has seen more by then, is taught later curves.
    """
    taught = np.empty((len(targets), 6, targets.shape[2]), dtype=np.float32)
    for row, late in enumerate(delay):
        taught[:, P + row] = _later(targets[:, P + row], late)
        taught[:, 3 + row] = _later(known[:, row], late)
    taught[:, P : S + 1] /= np.maximum(taught[:, P : S + 1].sum(axis=1, keepdims=True), 1)
    taught[:, NOISE] = 1 - taught[:, P] - taught[:, S]
    taught[:, _WEIGHT] = weight[:, None]
    return taught


def _later(rows: npt.NDArray[np.generic], late: int) -> npt.NDArray[np.generic]:
    """What comes in from before the record is neither an onset nor known."""
    return np.pad(rows, ((0, 0), (late, 0)))[:, : rows.shape[1]] if late else rows


class TaughtCrossEntropy(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Cross-entropy a taught sample, in nats; where one phase is unknown, of the other one against all else."""

    def __init__(self, onset_factor: float = 1.0, name: str = "taught_cross_entropy") -> None:
        super().__init__(name=name, reduction="sum")
        self._onset_factor = onset_factor  # how much more a sample at an onset counts than one far from any

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """From lessons (batch, 6, samples) and logits (batch, 3, samples)."""
        loss, weight = taught_loss(y_true, y_pred, self._onset_factor)
        return ops.sum(loss * weight) / ops.maximum(ops.sum(weight), 1e-9)


def taught_loss(lesson: Tensor, logits: Tensor, onset_factor: float = 1.0) -> tuple[Tensor, Tensor]:
    """Loss and weight of each sample, (batch, samples)."""
    target, known, weight = lesson[:, :3], lesson[:, _KNOWN], lesson[:, _WEIGHT]
    log = ops.log_softmax(logits, axis=1)
    whole = -ops.sum(target * log, axis=1)
    p_alone = _against_rest(target[:, P], log[:, P], ops.logaddexp(log[:, NOISE], log[:, S]))
    s_alone = _against_rest(target[:, S], log[:, S], ops.logaddexp(log[:, NOISE], log[:, P]))
    knows_p, knows_s = known[:, 0], known[:, 1]
    loss = knows_p * knows_s * whole + knows_p * (1 - knows_s) * p_alone + knows_s * (1 - knows_p) * s_alone
    at_onset = ops.minimum(knows_p * target[:, P] + knows_s * target[:, S], 1.0)
    return loss, weight * ops.maximum(knows_p, knows_s) * (1 + (onset_factor - 1) * at_onset)


def _against_rest(target: Tensor, log_phase: Tensor, log_rest: Tensor) -> Tensor:
    return -(target * log_phase + (1 - target) * log_rest)
