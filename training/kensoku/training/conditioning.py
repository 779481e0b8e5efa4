"""The first layer of every network: raw counts, on any instrument, to numbers of the order of one.

Everything looks back only, and a stated time: what comes later changes nothing, and a cut agrees with its record. There
are no squares and nothing is added to a divisor, so that records of 1e-14 m/s and of 1e9 counts come out alike.
"""

from typing import Any

import keras
from keras import ops

STEPS = {200: (20, 10), 300: (20, 15), 500: (25, 20), 1000: (40, 25), 2000: (50, 40), 3000: (60, 50)}


class Conditioning(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """(batch, 3, n) counts with NaN for missing ones -> (batch, n, 3 or 6): compressed waves, and what is there."""

    def __init__(
        self, mean_samples: int = 200, scale_samples: int = 2000, joint: bool = True, live: bool = True, **named: Any
    ) -> None:
        super().__init__(**named, trainable=False)
        self.mean_samples, self.scale_samples, self.joint, self.live = mean_samples, scale_samples, joint, live

    def call(self, counts: Any) -> Any:
        counts = ops.transpose(counts, (0, 2, 1))
        known = ops.logical_not(ops.isnan(counts))
        there = ops.cast(known, "float32")
        first = ops.take_along_axis(counts, ops.argmax(there, axis=1, keepdims=True), axis=1)
        moved = ops.where(known, counts - first, 0.0)
        moved = ops.where(
            known, moved - over(trailing(moved, self.mean_samples), trailing(there, self.mean_samples)), 0.0
        )
        size, shares = trailing(ops.abs(moved), self.scale_samples), trailing(there, self.scale_samples)
        if self.joint:
            size, shares = ops.sum(size, axis=2, keepdims=True), ops.sum(shares, axis=2, keepdims=True)
        scaled = over(moved, over(size, shares))
        waves = scaled / ops.sqrt(1.0 + ops.abs(scaled))
        return ops.concatenate([waves, there], axis=2) if self.live else waves

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape[0], shape[2], 6 if self.live else 3

    def get_config(self) -> dict[str, Any]:
        own = {"mean_samples": self.mean_samples, "scale_samples": self.scale_samples}
        return {**super().get_config(), **own, "joint": self.joint, "live": self.live}


def trailing(samples: Any, count: int) -> Any:
    """Mean of the last `count` samples, zeros before the first: in two steps, which costs their sum, not their product."""
    short, long = STEPS[count]
    padded = ops.pad(samples, ((0, 0), (count - 1, 0), (0, 0)))
    means = ops.average_pool(padded, short, 1, "valid")
    length = samples.shape[1] if samples.shape[1] is not None else ops.shape(samples)[1]
    rows = [means[:, step * short : step * short + length] for step in range(long)]
    return sum(rows[1:], rows[0]) / long


def over(dividend: Any, divisor: Any) -> Any:
    """0 where there is nothing to divide by."""
    is_there = divisor > 0
    return ops.where(is_there, dividend / ops.where(is_there, divisor, 1.0), 0.0)
