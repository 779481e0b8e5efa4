"""Whether a network's last layer still knows which earthquakes are simulated.

A network that is taught with simulated blasts alone may learn what is simulated. A straight line through the values
that its answer is made of shows it: a logistic regression, judged on records it has not seen.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from scipy.optimize import minimize

from kensoku.errors import ModelRefused
from kensoku.inference.onnx_runtime import onnxruntime
from kensoku.training.examples import FloatArray

Values = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
FOLDS, RIDGE = 5, 1.0
AT_ONCE = 64
MIXING = ("Conv", "Gemm", "MatMul")


def last_layer(path: Path) -> Callable[[FloatArray], Values]:
    """What the last layer with weights is given, of every window (windows, values)."""
    graph = onnx.load(path)
    mixing = [node for node in graph.graph.node if node.op_type in MIXING]
    if not mixing:
        raise ModelRefused(
            f"{path}: found no layer with weights, expected one; the probe looks at what the last is given"
        )
    name = mixing[-1].input[0]
    graph.graph.output.append(onnx.ValueInfoProto(name=name))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    heard = session.get_inputs()[0].name

    def values(windows: FloatArray) -> Values:
        parts = [windows[first : first + AT_ONCE] for first in range(0, len(windows), AT_ONCE)]
        said = [np.asarray(session.run([name], {heard: part})[0], np.float64).reshape(len(part), -1) for part in parts]
        return np.concatenate(said)

    return values


def matched(own: Values, others: Values) -> tuple[list[int], list[int]]:
    """Pairs of the nearest, each used once: so that SNR alone tells nothing."""
    free = {n: value for n, value in enumerate(others.tolist()) if np.isfinite(value)}
    pairs = []
    for number, value in enumerate(own.tolist()):
        if np.isfinite(value) and free:
            nearest = min(free, key=lambda other: abs(free[other] - value))
            pairs.append((number, nearest))
            del free[nearest]
    return [one for one, _ in pairs], [other for _, other in pairs]


def probe_auc(values: Values, is_recorded: BoolArray, groups: Sequence[str]) -> float:
    """How often a recorded one is told from a simulated one; groups (events, stations) are not divided among folds."""
    names = sorted(set(groups))
    fold_of = dict(zip(names, np.random.default_rng(0).permutation(len(names)) % FOLDS, strict=True))
    folds = np.array([fold_of[group] for group in groups])
    said = np.full(len(values), np.nan)
    for fold in range(FOLDS):
        taught, asked = folds != fold, folds == fold
        if asked.any() and 0 < is_recorded[taught].sum() < taught.sum():
            middle, spread = values[taught].mean(axis=0), values[taught].std(axis=0) + 1e-9
            weights = _fitted((values[taught] - middle) / spread, is_recorded[taught])
            said[asked] = np.column_stack([(values[asked] - middle) / spread, np.ones(asked.sum())]) @ weights
    known = np.isfinite(said)
    return auc(said[known & is_recorded], said[known & ~is_recorded])


def _fitted(values: Values, is_recorded: BoolArray) -> Values:
    columns = np.column_stack([values, np.ones(len(values))])
    signs = np.where(is_recorded, 1.0, -1.0)
    share = is_recorded.mean()
    balance = np.where(is_recorded, 0.5 / share, 0.5 / (1 - share))

    def cost(weights: Values) -> tuple[float, Values]:
        margins = signs * (columns @ weights)
        slope = -balance * signs / (1 + np.exp(np.clip(margins, -500, 500)))
        kept = np.append(weights[:-1], 0.0)
        total = (balance * np.logaddexp(0, -margins)).sum() + RIDGE * (kept @ kept) / 2
        return float(total), columns.T @ slope + RIDGE * kept

    return np.asarray(minimize(cost, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B").x)


def auc(higher: Values, lower: Values) -> float:
    """The chance that one of the first is above one of the second."""
    if not len(higher) or not len(lower):
        return float("nan")
    order = np.sort(lower)
    below, not_above = np.searchsorted(order, higher, "left"), np.searchsorted(order, higher, "right")
    return float((below + not_above).mean() / 2 / len(lower))
