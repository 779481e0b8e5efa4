"""Make raw counts of any instrument alike: no offset, one size, and 0 where something is missing.

Every step looks back alone, and not far, so that a cut and the same place in a record look the same. The same lines are
run by Keras and written to ONNX: `Arithmetic` is what both can do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
from keras import ops

COMPONENTS = 3
Value = Any  # a tensor, or the name of one; (batch, rows, samples)


class Arithmetic(Protocol):
    """Steps whose bits, in ONNX Runtime, do not depend on what else is in the batch."""

    def is_missing(self, value: Value) -> Value: ...
    def is_positive(self, value: Value) -> Value: ...
    def where(self, claim: Value, value: Value | float, other: Value | float) -> Value: ...
    def add(self, value: Value, other: Value | float) -> Value: ...
    def subtract(self, value: Value, other: Value) -> Value: ...
    def multiply(self, value: Value, other: Value) -> Value: ...
    def divide(self, value: Value | float, other: Value) -> Value: ...
    def at_least(self, value: Value, least: float) -> Value: ...
    def absolute(self, value: Value) -> Value: ...
    def root(self, value: Value) -> Value: ...
    def rows(self, value: Value, first: int, end: int) -> Value: ...
    def joined(self, values: Sequence[Value]) -> Value: ...
    def present(self, is_missing: Value) -> Value: ...
    def trailing_sum(self, value: Value, rows: int, samples: int) -> Value: ...
    def at_first(self, value: Value, claim: Value) -> Value: ...


@dataclass(frozen=True, slots=True)
class Conditions:
    """Lengths are powers of two, as sums are doubled."""

    mean_samples: int = 512
    scale_samples: int = 2048
    is_joint: bool = True  # one size for all components, so that their ratios stay
    is_boosted: bool = True  # 3 / n for n live components


def condition(counts: Value, how: Conditions, a: Arithmetic) -> Value:
    """(batch, 6, samples): Z, N and E, and whether each is there."""
    is_missing = a.is_missing(counts)
    live = a.present(is_missing)
    heard = a.where(is_missing, 0.0, counts)
    # The first sample goes first: single precision would not hold small waves on a large offset.
    level = a.multiply(a.subtract(heard, a.at_first(heard, live)), live)
    sums = a.trailing_sum(a.joined([level, live]), 2 * COMPONENTS, how.mean_samples)
    mean = a.divide(a.rows(sums, 0, COMPONENTS), a.at_least(a.rows(sums, COMPONENTS, 2 * COMPONENTS), 1.0))
    waves = a.multiply(a.subtract(level, mean), live)
    scaled = _scaled(waves, live, how, a)
    compressed = a.divide(scaled, a.root(a.add(a.absolute(scaled), 1.0)))
    if how.is_boosted:
        compressed = a.multiply(compressed, a.divide(float(COMPONENTS), a.at_least(_total(live, a), 1.0)))
    return a.joined([compressed, live])


def _scaled(waves: Value, live: Value, how: Conditions, a: Arithmetic) -> Value:
    """In units of the mean absolute value: no squares, which would leave single precision for waves of 1e-20 m/s."""
    size, rows = a.absolute(waves), COMPONENTS
    if how.is_joint:
        size, live, rows = _total(size, a), _total(live, a), 1
    sums = a.trailing_sum(a.joined([size, live]), 2 * rows, how.scale_samples)
    total, count = a.rows(sums, 0, rows), a.rows(sums, rows, 2 * rows)
    return a.multiply(a.divide(waves, a.where(a.is_positive(total), total, 1.0)), count)


def _total(value: Value, a: Arithmetic) -> Value:
    first, second, third = (a.rows(value, row, row + 1) for row in range(COMPONENTS))
    return a.add(a.add(first, second), third)


class KerasArithmetic:
    """On tensors."""

    def is_missing(self, value: Value) -> Value:
        return ops.isnan(value)

    def is_positive(self, value: Value) -> Value:
        return value > 0

    def where(self, claim: Value, value: Value, other: Value) -> Value:
        return ops.where(claim, value, other)

    def add(self, value: Value, other: Value) -> Value:
        return value + other

    def subtract(self, value: Value, other: Value) -> Value:
        return value - other

    def multiply(self, value: Value, other: Value) -> Value:
        return value * other

    def divide(self, value: Value, other: Value) -> Value:
        return value / other

    def at_least(self, value: Value, least: float) -> Value:
        return ops.maximum(value, least)

    def absolute(self, value: Value) -> Value:
        return ops.absolute(value)

    def root(self, value: Value) -> Value:
        return ops.sqrt(value)

    def rows(self, value: Value, first: int, end: int) -> Value:
        return value[:, first:end]

    def joined(self, values: Sequence[Value]) -> Value:
        return ops.concatenate(list(values), axis=1)

    def present(self, is_missing: Value) -> Value:
        return ops.where(is_missing, 0.0, 1.0)

    def trailing_sum(self, value: Value, rows: int, samples: int) -> Value:
        """Of each sample and those before it, in the same order wherever a record begins."""
        summed, reach = ops.pad(value, ((0, 0), (0, 0), (samples - 1, 0))), 1
        while reach < samples:
            summed = summed[:, :, reach:] + summed[:, :, :-reach]
            reach *= 2
        return summed

    def at_first(self, value: Value, claim: Value) -> Value:
        place = ops.expand_dims(ops.argmax(claim, axis=2), 2)
        return ops.take_along_axis(value, place, axis=2)


class Conditioning(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Raw counts (batch, 3, samples) to (batch, samples, 6)."""

    def __init__(self, how: Conditions | None = None, **settings: Any) -> None:
        super().__init__(trainable=False, dtype="float32", **settings)
        self.how = how or Conditions()

    def call(self, counts: Value) -> Value:
        return ops.transpose(condition(counts, self.how, KerasArithmetic()), (0, 2, 1))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (shape[0], shape[2], 2 * COMPONENTS)
