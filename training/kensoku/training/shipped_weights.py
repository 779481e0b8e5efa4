"""Weights of a network out of the graph that was exported of it, so that a shipped model can be taught on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from kensoku.errors import InputInvalid
from kensoku.training.layers import RELU_GAIN, Convolution
from kensoku.training.networks import DOWN

SUFFIX = ".onnx"
SPREAD = 0.1  # of the kernels, whose size a graph does not tell: it says how much a step of training turns them

FloatArray = npt.NDArray[np.float32]


def load_graph(network: keras.Model, path: Path) -> None:
    """The network answers as the graph does; raises InputInvalid where it has another shape."""
    layers = [layer for layer in network.layers if isinstance(layer, Convolution)]
    found = list(_convolutions(path))
    _match(layers, found, path)
    if len(layers) != len(found):
        raise InputInvalid(f"{path}: found {len(found)} convolutions, {expected(len(layers))}")
    for layer, (kernel, bias) in zip(layers, found, strict=True):
        _give(layer, kernel, bias)


def load_way_down(network: keras.Model, path: Path) -> bool:
    """The way down of a larger network's graph, of which these are the first convolutions; False if it is no larger."""
    layers = [layer for layer in network.layers if isinstance(layer, Convolution)]
    found = list(_convolutions(path))
    if len(found) <= len(layers):
        return False
    layers = [layer for layer in layers if layer.name.startswith(DOWN)]
    _match(layers, found, path)
    for layer, (kernel, bias) in zip(layers, found, strict=False):
        _give(layer, kernel, bias)
    return True


def _match(layers: Sequence[Convolution], found: Sequence[tuple[FloatArray, FloatArray]], path: Path) -> None:
    for layer, (kernel, _) in zip(layers, found, strict=False):
        if (shape := tuple(layer.kernel.shape)) != kernel.shape:
            told = f"found {kernel.shape} (kernel, channels, filters) for {layer.name}"
            raise InputInvalid(f"{path}: {told}, {expected(shape)}")


def expected(what: Any) -> str:
    return f"expected {what} as the settings describe; name the graph of a network of the same shape"


def _convolutions(path: Path) -> Iterator[tuple[FloatArray, FloatArray]]:
    """(kernel, channels, filters) and bias, in the order of the graph; those without a bias are other layers."""
    try:
        graph = onnx.load(path).graph
    except (OSError, DecodeError) as error:
        raise InputInvalid(f"{path}: expected a graph of a model repository; found: {error}") from None
    weights = {weight.name: weight for weight in graph.initializer}
    for node in graph.node:
        if node.op_type == "Conv" and len(node.input) == 3 and all(name in weights for name in node.input[1:]):
            kernel, bias = (numpy_helper.to_array(weights[name]) for name in node.input[1:])
            yield np.transpose(kernel[:, :, 0], (2, 1, 0)), bias


def _give(layer: Convolution, kernel: FloatArray, bias: FloatArray) -> None:
    power = np.sqrt(np.square(kernel, dtype=np.float64).sum(axis=(0, 1)))
    gain = RELU_GAIN if layer.is_rectified else 1.0
    turned = kernel / np.maximum(power, 1e-20) * np.sqrt(np.prod(kernel.shape[:2])) * SPREAD
    layer.set_weights([turned.astype(np.float32), (power / gain).astype(np.float32), bias])
