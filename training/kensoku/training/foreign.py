"""Put somebody else's picker behind our contract: raw counts with NaN in, probabilities of noise, P and S out."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from kensoku.errors import InputInvalid

Normalisation = Literal["none", "peak", "std", "joint-peak", "joint-std"]
NORMALISATIONS: tuple[Normalisation, ...] = ("none", "peak", "std", "joint-peak", "joint-std")
ACTIVATIONS = ("none", "sigmoid", "softmax")
FOREIGN = "foreign/"
OLDEST_OPSET = 13  # before, Softmax and Squeeze meant something else
TINY = 1e-30  # below any count or m/s, and far from where single precision ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """What cannot be read from the graph. Layouts name the axes: b batch, c component or class, n sample, 1 one."""

    input_layout: str = "bcn"
    components: str = "ZNE"
    normalisation: Normalisation = "std"
    outputs: tuple[str, ...] = ()  # none: the graph's only one; several: one a class
    output_layout: str = "bcn"
    classes: str = "NPS"  # N noise, P, S, - what is not asked for
    activation: str = "none"

    def __post_init__(self) -> None:
        axes, classes = "bn" if len(self.outputs) > 1 else "bcn", "one P, one S, N for noise and - for others"
        _check("input layout", self.input_layout, "b, c, n and 1", _has(self.input_layout, "bcn"))
        _check("output layout", self.output_layout, f"{', '.join(axes)} and 1", _has(self.output_layout, axes))
        _check("components", self.components, "Z, N and E once each", _has(self.components, "ENZ"))
        _check("classes", self.classes, classes, _has(self.classes.replace("-", "").replace("N", "", 1), "PS"))
        _check("normalisation", self.normalisation, ", ".join(NORMALISATIONS), self.normalisation in NORMALISATIONS)
        _check("activation", self.activation, ", ".join(ACTIVATIONS), self.activation in ACTIVATIONS)
        fits = len(self.outputs) in (0, 1, len(self.classes))
        _check("outputs", ",".join(self.outputs), f"one, or one for each of {self.classes}", fits)


def _has(text: str, letters: str) -> bool:
    """Whether these letters, in alphabetical order here, stand in it once each, and nothing but ones beside them."""
    return "".join(sorted(text.replace("1", ""))) == letters


def _check(what: str, found: str, expected: str, is_sound: bool) -> None:
    if not is_sound:
        raise InputInvalid(f"{what}: found {found!r}, expected {expected}")


@dataclass(frozen=True, slots=True)
class Wrapped:
    graph: onnx.ModelProto
    samples: int | None  # it takes just this many; None: any number
    batch: int | None


def wrap(path: Path, foreign: Foreign) -> Wrapped:
    """The graph in the file with layers of ours before and after it."""
    model = _load(path)
    (given,) = _one(
        path, "input", [i for i in model.graph.input if i.name not in {w.name for w in model.graph.initializer}], ()
    )
    found = _one(path, "output", list(model.graph.output), foreign.outputs)
    shape = [dim.dim_value or None for dim in given.type.tensor_type.shape.dim]
    singles = [size for size, axis in zip(shape, foreign.input_layout, strict=False) if axis == "1"]
    if len(shape) != len(foreign.input_layout) or any(size not in (None, 1) for size in singles):
        raise InputInvalid(
            f"{path}: found input {given.name} of shape {shape}, expected the axes {foreign.input_layout!r}"
        )
    sizes = dict(zip(foreign.input_layout, shape, strict=True))
    if sizes["c"] not in (None, 3):
        raise InputInvalid(f"{path}: found {sizes['c']} components in {given.name}, expected 3; give another --layout")
    _refuse_other_classes(path, [each for each in model.graph.output if each.name in found], foreign)
    layers = _Layers()
    heard = layers.normalised("counts", foreign.normalisation)
    given_rows = layers.laid_out(
        layers.chosen(heard, ["ZNE".index(c) for c in foreign.components]), foreign.input_layout
    )
    layers.put("Cast", [given_rows], FOREIGN + given.name, to=given.type.tensor_type.elem_type)
    said = layers.probabilities([FOREIGN + name for name in found], foreign)
    layers.put("Identity", [said], "probabilities")
    return Wrapped(_joined(model, layers), sizes["n"], sizes["b"])


def _refuse_other_classes(path: Path, outputs: Sequence[Any], foreign: Foreign) -> None:
    """Where the graph says how many there are, it must be as many as are named."""
    if len(outputs) > 1 or not outputs[0].type.tensor_type.HasField("shape"):
        return
    shape = [dim.dim_value or None for dim in outputs[0].type.tensor_type.shape.dim]
    count = dict(zip(foreign.output_layout, shape, strict=False)).get("c")
    if len(shape) != len(foreign.output_layout) or count not in (None, len(foreign.classes)):
        raise InputInvalid(
            f"{path}: found output {outputs[0].name} of shape {shape}, expected the axes {foreign.output_layout!r} and "
            f"the classes {foreign.classes!r}; give another --output-layout, or --classes, - for others"
        )


def _load(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except FileNotFoundError:
        raise InputInvalid(f"{path}: found no such file, expected an ONNX model") from None
    except Exception as error:  # protobuf's and the checker's have no narrower class in common
        raise InputInvalid(f"{path}: expected an ONNX model, found: {str(error).splitlines()[0]}") from None
    opset = next((entry.version for entry in model.opset_import if not entry.domain), 0)
    if opset < OLDEST_OPSET:
        raise InputInvalid(f"{path}: found opset {opset}, expected {OLDEST_OPSET} or newer; export it again")
    return model


def _one(path: Path, kind: str, tensors: Sequence[Any], names: Sequence[str]) -> Any:
    known = [tensor.name for tensor in tensors]
    if missing := [name for name in names if name not in known]:
        raise InputInvalid(f"{path}: found no {kind} {', '.join(missing)}, expected some of {', '.join(known)}")
    if not names and len(tensors) != 1:
        raise InputInvalid(f"{path}: found the {kind}s {', '.join(known)}, expected one; name those that count")
    if kind == "input":
        return tensors
    return list(names) or known


class _Layers:
    """Nodes of ours, in the order in which they are put."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._number = itertools.count()

    def put(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        name = output or f"ours/{kind}_{next(self._number)}"
        self.nodes.append(
            helper.make_node(kind, list(inputs), [name], name=f"ours/node_{next(self._number)}", **attributes)
        )
        return name

    def weight(self, value: Any, kind: type[np.generic] = np.float32) -> str:
        name = f"ours/weight_{next(self._number)}"
        self.weights.append(numpy_helper.from_array(np.array(value, dtype=kind), name))
        return name

    def normalised(self, counts: str, how: Normalisation) -> str:
        """Without offset, scaled, and 0 where something is missing."""
        is_missing = self.put("IsNaN", [counts])
        heard = self.put("Where", [is_missing, self.weight([0.0]), counts])
        live = self.put("Where", [is_missing, self.weight([0.0]), self.weight([1.0])])
        if how == "none":
            return heard
        share = self.put("Max", [self.put("GlobalAveragePool", [live]), self.weight([TINY])])
        for _ in range(2):  # once more: the mean of a large offset is only nearly that in single precision
            mean = self.put("Div", [self.put("GlobalAveragePool", [heard]), share])
            heard = self.put("Mul", [self.put("Sub", [heard, mean]), live])
        joint = how.startswith("joint")
        heard = self.put(
            "Div", [heard, self.put("Max", [self.largest(self.put("Abs", [heard]), joint), self.weight([TINY])])]
        )
        if how.endswith("peak"):
            return heard
        power = self.put("Div", [self.put("GlobalAveragePool", [self.put("Mul", [heard, heard])]), share])
        if joint:
            power = self.put("GlobalAveragePool", [self.put("Transpose", [power], perm=[0, 2, 1])])
        return self.put("Div", [heard, self.put("Max", [self.put("Sqrt", [power]), self.weight([TINY])])])

    def largest(self, value: str, joint: bool) -> str:
        each = self.put("GlobalMaxPool", [value])
        return self.put("GlobalMaxPool", [self.put("Transpose", [each], perm=[0, 2, 1])]) if joint else each

    def chosen(self, value: str, rows: Sequence[int]) -> str:
        return self.put("Gather", [value, self.weight(rows, np.int64)], axis=1)

    def laid_out(self, value: str, layout: str) -> str:
        """From bcn to the layout."""
        plain = layout.replace("1", "")
        value = self.put("Transpose", [value], perm=["bcn".index(axis) for axis in plain])
        ones = [place for place, axis in enumerate(layout) if axis == "1"]
        return self.put("Unsqueeze", [value, self.weight(ones, np.int64)]) if ones else value

    def gathered(self, value: str, layout: str) -> str:
        """From the layout to bcn."""
        ones = [place for place, axis in enumerate(layout) if axis == "1"]
        value = self.put("Squeeze", [value, self.weight(ones, np.int64)]) if ones else value
        plain = layout.replace("1", "")
        if "c" not in plain:
            value, plain = self.put("Unsqueeze", [value, self.weight([1], np.int64)]), plain[0] + "c" + plain[1]
        return self.put("Transpose", [value], perm=[plain.index(axis) for axis in "bcn"])

    def probabilities(self, outputs: Sequence[str], foreign: Foreign) -> str:
        """Noise, P and S as (batch, 3, samples)."""
        single = [self.put("Cast", [output], to=TensorProto.FLOAT) for output in outputs]
        parts = [self.gathered(output, foreign.output_layout) for output in single]
        said = self.put("Concat", parts, axis=1) if len(parts) > 1 else parts[0]
        if foreign.activation != "none":
            said = (
                self.put("Softmax", [said], axis=1) if foreign.activation == "softmax" else self.put("Sigmoid", [said])
            )
        p, s = (self.chosen(said, [foreign.classes.index(name)]) for name in "PS")
        if "N" in foreign.classes:
            noise = self.chosen(said, [foreign.classes.index("N")])
        else:
            rest = self.put("Sub", [self.put("Sub", [self.weight([1.0]), p]), s])
            noise = self.put("Max", [rest, self.weight([0.0])])
        return self.put("Concat", [noise, p, s], axis=1)


def _joined(model: onnx.ModelProto, layers: _Layers) -> onnx.ModelProto:
    inner = compose.add_prefix(model, FOREIGN)
    split = next(i for i, node in enumerate(layers.nodes) if any(name.startswith(FOREIGN) for name in node.input))
    samples: list[str | int | None] = ["batch", 3, "samples"]
    graph = helper.make_graph(
        [*layers.nodes[:split], *inner.graph.node, *layers.nodes[split:]],
        "picker",
        [helper.make_tensor_value_info("counts", TensorProto.FLOAT, samples)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, samples)],
        [*layers.weights, *inner.graph.initializer],
    )
    joined = helper.make_model(
        graph, opset_imports=inner.opset_import, ir_version=inner.ir_version, functions=inner.functions
    )
    onnx.checker.check_model(joined)
    return joined
