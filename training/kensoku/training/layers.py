"""Layers of our networks, (batch, samples, channels): convolutions that look where they may, and changes of rate."""

from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from kensoku.training.conditioning import COMPONENTS
from kensoku.training.filter_bank import FILTERS, TAPS, coefficients

Padding = Literal["same", "causal", "valid"]
Shape = tuple[int | None, ...]
Tensor = Any
FloatArray = npt.NDArray[np.float32]

BINOMIAL = (0.125, 0.375, 0.375, 0.125)  # halves the rate; -32 dB at what would come back below 10 % of it
RELU_GAIN = float(np.sqrt(2 / (1 - 1 / np.pi)))  # keeps the variance of what goes through a ReLU (Brock et al., 2021)


def pads(reach: int, padding: Padding) -> tuple[int, int]:
    """Zeros before and after, for a filter that reaches over `reach` samples more than one."""
    if padding == "valid":
        return (0, 0)
    return (reach, 0) if padding == "causal" else (reach // 2, reach - reach // 2)


class Convolution(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A convolution with standardised weights: no statistics of batches, so training and use are the same sum."""

    def __init__(
        self,
        filters: int,
        kernel: int,
        padding: Padding,
        *,
        dilation: int = 1,
        is_rectified: bool = True,
        gain: float = 1.0,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.filters, self.size, self.padding, self.dilation = filters, kernel, padding, dilation
        self.is_rectified, self.gain = is_rectified, gain

    def build(self, shape: Shape) -> None:
        channels = shape[-1]
        self.kernel = self.add_weight(
            shape=(self.size, channels, self.filters), initializer="random_normal", name="kernel"
        )
        self.gamma = self.add_weight(
            shape=(self.filters,), initializer=keras.initializers.Constant(self.gain), name="gamma"
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    @property
    def reach(self) -> int:
        return (self.size - 1) * self.dilation

    def weights_in_use(self) -> Tensor:
        """(kernel, channels, filters), each filter of zero mean and unit sum of squares, times its gain."""
        centred = self.kernel - ops.mean(self.kernel, axis=(0, 1), keepdims=True)
        power = ops.sum(ops.square(centred), axis=(0, 1), keepdims=True)
        gain = self.gamma * RELU_GAIN if self.is_rectified else self.gamma
        return centred * (gain * ops.rsqrt(power + 1e-8))

    def call(self, value: Tensor) -> Tensor:
        before, after = pads(self.reach, self.padding)
        if before or after:
            value = ops.pad(value, ((0, 0), (before, after), (0, 0)))
        kernel = ops.cast(self.weights_in_use(), value.dtype)
        found = ops.conv(value, kernel, padding="valid", dilation_rate=self.dilation, data_format="channels_last")
        found = found + self.bias
        return ops.relu(found) if self.is_rectified else found

    def compute_output_shape(self, shape: Shape) -> Shape:
        samples = shape[1]
        if samples is not None:
            samples += sum(pads(self.reach, self.padding)) - self.reach
        return (shape[0], samples, self.filters)


class Bands(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """What comes in, and Z, N and E of the filter bank's bands behind it: causal filters that nothing changes."""

    padding: Padding = "causal"
    reach = TAPS - 1

    @property
    def taps(self) -> FloatArray:
        """(bands, taps), the newest sample last."""
        bands = [coefficients(corners_hz)[::-1] for corners_hz in FILTERS.values()]
        return np.array(bands, dtype=np.float32)

    def call(self, value: Tensor) -> Tensor:
        """As one full convolution, whose rows are Z in each band, N in each, E in each."""
        bands = self.taps
        kernel = np.zeros((TAPS, COMPONENTS, COMPONENTS * len(bands)), dtype=np.float32)
        for row in range(COMPONENTS):
            kernel[:, row, row * len(bands) : (row + 1) * len(bands)] = bands.T
        waves = ops.pad(value[:, :, :COMPONENTS], ((0, 0), (self.reach, 0), (0, 0)))
        return ops.concatenate([value, ops.conv(waves, kernel, padding="valid", data_format="channels_last")], axis=2)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], shape[1], int(shape[2] or 0) + COMPONENTS * len(FILTERS))


class Halving(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Half the rate, after a low-pass, so that a shift by one sample changes little."""

    def __init__(self, padding: Padding, **settings: Any) -> None:
        super().__init__(**settings)
        self.padding = padding

    @property
    def margins(self) -> tuple[int, int]:
        return pads(len(BINOMIAL) - 2, self.padding)

    def call(self, value: Tensor) -> Tensor:
        """As a full convolution, whose gradient costs a tenth of that of slices or of one channel by channel."""
        value = ops.pad(value, ((0, 0), self.margins, (0, 0)))
        each = np.eye(value.shape[-1], dtype=np.float32)
        kernel = ops.cast(ops.convert_to_tensor(np.stack([weight * each for weight in BINOMIAL])), value.dtype)
        return ops.conv(value, kernel, strides=2, padding="valid", data_format="channels_last")

    def compute_output_shape(self, shape: Shape) -> Shape:
        samples = shape[1]
        return (shape[0], None if samples is None else (samples + sum(self.margins)) // 2 - 1, shape[2])


class Doubling(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Twice the rate: every sample twice, or smoothly, so that what is found between samples may lie between them."""

    def __init__(self, padding: Padding, is_smooth: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self.padding, self.is_smooth = padding, is_smooth

    @property
    def smoothing(self) -> tuple[float, ...]:
        """Of samples told twice; a causal one halves the distance to the sample before."""
        return (0.5, 0.5) if self.padding == "causal" else (0.25, 0.5, 0.25)

    def call(self, value: Tensor) -> Tensor:
        if not self.is_smooth:
            return ops.repeat(value, 2, axis=1)
        channels, each = value.shape[-1], np.eye(value.shape[-1], dtype=np.float32)
        pairs = ((0.5, 0), (0.5, 1)) if self.padding == "causal" else ((0.25, 0), (0.75, 0.75), (0, 0.25))
        kernel = np.stack([np.concatenate([even * each, odd * each], axis=1) for even, odd in pairs])
        value = ops.pad(value, ((0, 0), pads(len(pairs) - 1, self.padding), (0, 0)))
        kernel = ops.cast(ops.convert_to_tensor(kernel), value.dtype)
        both = ops.conv(value, kernel, padding="valid", data_format="channels_last")
        return ops.reshape(both, (-1, 2 * ops.shape(both)[1], channels))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], None if shape[1] is None else 2 * shape[1], shape[2])


class Summary(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Mean and maximum of every channel over so many samples, one window after another."""

    def __init__(self, samples: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.samples = samples

    def call(self, value: Tensor) -> Tensor:
        mean = ops.average_pool(value, self.samples, 1, "valid", data_format="channels_last")
        largest = ops.max_pool(value, self.samples, 1, "valid", data_format="channels_last")
        return ops.concatenate([mean, largest], axis=2)

    def compute_output_shape(self, shape: Shape) -> Shape:
        channels = None if shape[2] is None else 2 * shape[2]
        return (shape[0], None if shape[1] is None else shape[1] - self.samples + 1, channels)


class Rows(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """(batch, samples, channels) to (batch, channels, samples), in single precision."""

    def call(self, value: Tensor) -> Tensor:
        return ops.transpose(ops.cast(value, "float32"), (0, 2, 1))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], shape[2], shape[1])


class Likelihoods(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Logits (batch, phases, samples) to probabilities."""

    def call(self, value: Tensor) -> Tensor:
        return ops.softmax(value, axis=1)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape
