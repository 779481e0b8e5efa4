"""Write our networks as ONNX: the same sums as Keras does, in operations whose bits do not depend on the batch.

After the conditioning, tensors have four axes, (batch, channels, 1, samples): ONNX Runtime has fast convolutions on the
CPU for images alone, which makes a picker a third quicker.
"""

import functools
import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kensoku.errors import InputInvalid
from kensoku.training.conditioning import COMPONENTS, Conditioning, condition
from kensoku.training.layers import (
    BINOMIAL,
    Bands,
    Convolution,
    Doubling,
    Halving,
    Likelihoods,
    Padding,
    Rows,
    Summary,
    pads,
)

# NVIDIA's images of 2024 read up to opset 21 and IR 10; 17 and 8 leave room.
OPSET, IR_VERSION = 17, 8
END = int(np.iinfo(np.int64).max)

Value = str  # the name of a tensor, (batch, rows, samples)


class Graph:
    """Nodes in the order in which they are put; also the arithmetic of conditioning."""

    def __init__(self, is_cut: bool = False) -> None:
        self.is_cut = is_cut  # nothing is padded: what was cut off stands before
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}
        self._number = itertools.count()

    def put(self, kind: str, *inputs: Value, **attributes: Any) -> Value:
        name = f"{kind.lower()}_{next(self._number)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def weight(self, value: Any, kind: type[np.generic] = np.float32) -> Value:
        array = np.ascontiguousarray(np.array(value, dtype=kind))
        name = f"weight_{hashlib.sha256(repr((array.dtype, array.shape)).encode() + array.tobytes()).hexdigest()[:16]}"
        self.weights[name] = numpy_helper.from_array(array, name)
        return name

    def pads(self, reach: int, padding: Padding) -> tuple[int, int]:
        return pads(reach, "valid" if self.is_cut else padding)

    def last(self, value: Value, samples: int) -> Value:
        return self._slice(value, -samples, END, axis=3)

    def without_first(self, value: Value, samples: int) -> Value:
        return self._slice(value, samples, END, axis=3) if samples else value

    def _known(self, value: Value | float) -> Value:
        return value if isinstance(value, str) else self.weight(value)

    def _slice(self, value: Value, first: int, end: int, axis: int) -> Value:
        first_end_axis = (self.weight([number], np.int64) for number in (first, end, axis))
        return self.put("Slice", value, *first_end_axis)

    def is_missing(self, value: Value) -> Value:
        return self.put("IsNaN", value)

    def is_positive(self, value: Value) -> Value:
        return self.put("Greater", value, self.weight(0.0))

    def where(self, claim: Value, value: Value | float, other: Value | float) -> Value:
        return self.put("Where", claim, self._known(value), self._known(other))

    def add(self, value: Value, other: Value | float) -> Value:
        return self.put("Add", value, self._known(other))

    def subtract(self, value: Value, other: Value) -> Value:
        return self.put("Sub", value, other)

    def multiply(self, value: Value, other: Value) -> Value:
        return self.put("Mul", value, other)

    def divide(self, value: Value | float, other: Value) -> Value:
        return self.put("Div", self._known(value), other)

    def at_least(self, value: Value, least: float) -> Value:
        return self.put("Max", value, self.weight(least))

    def absolute(self, value: Value) -> Value:
        return self.put("Abs", value)

    def root(self, value: Value) -> Value:
        return self.put("Sqrt", value)

    def rows(self, value: Value, first: int, end: int) -> Value:
        return self._slice(value, first, end, axis=1)

    def joined(self, values: Sequence[Value]) -> Value:
        return self.put("Concat", *values, axis=1)

    def present(self, is_missing: Value) -> Value:
        return self.put("Cast", self.put("Not", is_missing), to=TensorProto.FLOAT)

    def trailing_sum(self, value: Value, rows: int, samples: int) -> Value:
        """Two sums of half the length, and so on: as convolutions of each row, for which nothing is copied."""
        value, reach = self.put("Unsqueeze", value, self.weight([2], np.int64)), 1
        pair = self.weight(np.ones((rows, 1, 1, 2)))
        while reach < samples:
            value = self.put("Conv", value, pair, group=rows, dilations=[1, reach], pads=[0, reach, 0, 0])
            reach *= 2
        return self.put("Squeeze", value, self.weight([2], np.int64))

    def at_first(self, value: Value, claim: Value) -> Value:
        return self.put("GatherElements", value, self.put("ArgMax", claim, axis=2, keepdims=1), axis=2)


# --- layers -----------------------------------------------------------------------------------------------------------


def _conditioning(graph: Graph, layer: Any, values: Sequence[Value]) -> Value:
    return graph.put("Unsqueeze", str(condition(values[0], layer.how, graph)), graph.weight([2], np.int64))


def _convolution(graph: Graph, layer: Any, values: Sequence[Value]) -> Value:
    kernel = np.transpose(keras.ops.convert_to_numpy(layer.weights_in_use()), (2, 1, 0))[:, :, None]
    before, after = graph.pads(layer.reach, layer.padding)
    found = graph.put(
        "Conv",
        values[0],
        graph.weight(kernel),
        graph.weight(keras.ops.convert_to_numpy(layer.bias)),
        pads=[0, before, 0, after],
        dilations=[1, layer.dilation],
        kernel_shape=[1, layer.size],
    )
    return graph.put("Relu", found) if layer.is_rectified else found


def _bands(graph: Graph, layer: Any, values: Sequence[Value]) -> Value:
    waves, kernel = graph.rows(values[0], 0, COMPONENTS), np.tile(layer.taps[:, None, None, :], (COMPONENTS, 1, 1, 1))
    before, after = graph.pads(layer.reach, layer.padding)
    filtered = graph.put("Conv", waves, graph.weight(kernel), group=COMPONENTS, pads=[0, before, 0, after])
    return graph.joined([graph.without_first(values[0], layer.reach - before), filtered])


def _halving(graph: Graph, layer: Any, values: Sequence[Value]) -> Value:
    return _smoothed(graph, layer, values[0], BINOMIAL, len(BINOMIAL) - 2, strides=[1, 2])


def _smoothed(graph: Graph, layer: Any, value: Value, weights: Sequence[float], reach: int, **attributes: Any) -> Value:
    """Every channel by itself."""
    margins = graph.pads(reach, layer.padding)
    channels = int(layer.input.shape[-1])
    kernel = graph.weight(np.tile(np.array(weights, np.float32), (channels, 1, 1, 1)))
    return graph.put("Conv", value, kernel, group=channels, pads=[0, margins[0], 0, margins[1]], **attributes)


def _doubling(graph: Graph, layer: Any, values: Sequence[Value]) -> Value:
    twice = graph.put(
        "Resize",
        values[0],
        "",
        graph.weight([1, 1, 1, 2]),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    if not layer.is_smooth:
        return twice
    return _smoothed(graph, layer, twice, layer.smoothing, len(layer.smoothing) - 1)


def _summary(graph: Graph, layer: Any, values: Sequence[Value]) -> Value:
    kernel = [1, layer.samples]
    return graph.joined([graph.put(kind, values[0], kernel_shape=kernel) for kind in ("AveragePool", "MaxPool")])


def _add(graph: Graph, layer: Any, values: Sequence[Value]) -> Value:
    return graph.put("Add", *values)


def _same(graph: Graph, layer: Any, values: Sequence[Value]) -> Value:
    return values[0]


def _likelihoods(graph: Graph, layer: Any, values: Sequence[Value]) -> Value:
    """Softmax over the phases, row by row: ONNX Runtime's own over this axis takes longer."""
    logits = graph.put("Squeeze", values[0], graph.weight([2], np.int64))
    powers = graph.put("Exp", graph.put("Sub", logits, graph.put("ReduceMax", logits, axes=[1], keepdims=1)))
    first, *others = (graph.rows(powers, row, row + 1) for row in range(int(layer.output.shape[1])))
    return graph.put("Div", powers, functools.reduce(graph.add, others, first))


WRITERS: Mapping[type, Callable[[Graph, Any, Sequence[Value]], Value]] = {
    Conditioning: _conditioning,
    Bands: _bands,
    Convolution: _convolution,
    Halving: _halving,
    Doubling: _doubling,
    Summary: _summary,
    Rows: _same,  # here samples come last from the start
    Likelihoods: _likelihoods,
    keras.layers.Add: _add,
    keras.layers.Dropout: _same,
}


def to_onnx(model: keras.Model, last: int | None = None) -> onnx.ModelProto:
    """The graph counts (batch, 3, n) -> probabilities (batch, classes, m).

    `last`: it tells of so many samples at the end alone, and works out nothing that these do not need. For networks
    that look back alone; they must be given at least as many samples as they look back, and `last` more.
    """
    graph, values = Graph(is_cut=last is not None), dict[int, Value]()
    lengths = {} if last is None else _lengths(model, last)
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            values[id(layer.output)] = "counts"
            continue
        if type(layer) not in WRITERS:
            known = ", ".join(sorted(kind.__name__ for kind in WRITERS))
            raise InputInvalid(f"layer {layer.name!r}: found a {type(layer).__name__}, expected one of {known}")
        heard = [values[id(tensor)] for tensor in _inputs(layer)]
        if isinstance(layer, keras.layers.Add) and last is not None:
            heard = [graph.last(value, lengths[id(layer.output)]) for value in heard]
        value = WRITERS[type(layer)](graph, layer, heard)
        is_start = isinstance(layer, Conditioning) and last is not None
        values[id(layer.output)] = graph.last(value, lengths[id(layer.output)]) if is_start else value
    graph.nodes[-1].output[0] = "probabilities"
    return _model(graph, int(model.output.shape[1]))


def _inputs(layer: Any) -> Sequence[Any]:
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _lengths(model: keras.Model, last: int) -> Mapping[int, int]:
    """Samples of each tensor on which the last answers depend."""
    lengths = {id(model.output): last}
    for layer in reversed(model.layers):
        needed = lengths[id(layer.output)]
        if getattr(layer, "padding", "causal") == "same":
            raise InputInvalid(f"layer {layer.name!r}: found one that looks ahead, expected a network that looks back")
        if isinstance(layer, Convolution | Bands):
            needed += layer.reach
        elif isinstance(layer, Halving):
            needed = 2 * needed + len(BINOMIAL) - 2
        elif isinstance(layer, Doubling):
            needed = (needed + 2) // 2
        for tensor in [] if isinstance(layer, keras.layers.InputLayer) else _inputs(layer):
            lengths[id(tensor)] = max(needed, lengths.get(id(tensor), 0))
    return lengths


def _model(graph: Graph, classes: int) -> onnx.ModelProto:
    def tensor(name: str, rows: int, samples: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", rows, samples])

    built = helper.make_graph(
        graph.nodes,
        "kensoku",
        [tensor("counts", COMPONENTS, "samples")],
        [tensor("probabilities", classes, "answers")],
        list(graph.weights.values()),
    )
    model = helper.make_model(
        built, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="kensoku"
    )
    onnx.checker.check_model(model, full_check=True)
    return model
