"""Build the model `filter_bank`: raw counts in; de-meaned, 2-8 Hz and above 5 Hz counts out.

Networks with `filter_bank = true` have the same filters; on its own the model is what model servers are tried with. The
filters are causal and of minimum phase, so that nothing of an onset appears before the onset: their delay in the pass
band, the energy-weighted one of the impulse response, is stated by `delay_samples` and in docs/models.md.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from scipy import signal

FloatArray = npt.NDArray[np.float64]

RATE_HZ = 100.0
TAPS = 201  # 2 s; the transition bands are then 1.65 Hz wide (Hamming)
# -6 dB corners. Below 2 Hz lies the ocean's microseism, above 8 Hz little that travels beyond 100 km.
FILTERS: Mapping[str, tuple[float, ...]] = {"band_2_8_hz": (2.0, 8.0), "above_5_hz": (5.0,)}
# NVIDIA's images of 2024 carry ONNX Runtime 1.18, which reads up to opset 21 and IR 10; 17 and 8 leave room.
OPSET, IR_VERSION = 17, 8
COEFFICIENT_DECIMALS = 7  # rounded, so that every build of scipy gives the same bytes


def coefficients(corners_hz: tuple[float, ...]) -> FloatArray:
    """Impulse response of the causal filter between two corners, or above one; index 0 is the newest sample."""
    kind = "bandpass" if len(corners_hz) == 2 else "highpass"
    linear_phase = signal.firwin(TAPS, corners_hz, fs=RATE_HZ, pass_zero=kind)
    minimum_phase = signal.minimum_phase(linear_phase, half=False, n_fft=1 << 16)
    return np.asarray(np.round(minimum_phase, COEFFICIENT_DECIMALS), dtype=np.float64)


def delay_samples(taps: FloatArray) -> float:
    """Centre of the energy of the impulse response: how late a sharp onset appears."""
    energy = taps**2
    return float(np.sum(np.arange(len(taps)) * energy) / np.sum(energy))


def build() -> onnx.ModelProto:
    """The graph: counts (batch, 3, n) -> unfiltered, band_2_8_hz, above_5_hz, each (batch, 3, n)."""
    # The first sample goes first: a mean of eight million counts, summed in single precision, would be off by several.
    # ReduceMean would do the rest, but how it sums depends on where in memory a window begins, so the last bits of
    # an answer would depend on its neighbours in the batch; the pooling of ONNX Runtime sums in one order.
    nodes = [
        helper.make_node("Slice", ["counts", "zero", "one", "time_axis"], ["first"]),
        helper.make_node("Sub", ["counts", "first"], ["from_first"]),
        helper.make_node("GlobalAveragePool", ["from_first"], ["mean"]),
        helper.make_node("Sub", ["from_first", "mean"], ["unfiltered"]),
    ]
    weights = [
        numpy_helper.from_array(np.array([value], dtype=np.int64), name)
        for name, value in {"zero": 0, "one": 1, "time_axis": 2}.items()
    ]
    for name, corners_hz in FILTERS.items():
        # Conv correlates, so the impulse response is reversed; padding on the left alone keeps it causal.
        kernel = np.tile(coefficients(corners_hz)[::-1].astype(np.float32), (3, 1, 1))
        weights.append(numpy_helper.from_array(np.ascontiguousarray(kernel), f"{name}_taps"))
        nodes.append(
            helper.make_node("Conv", ["unfiltered", f"{name}_taps"], [name], group=3, pads=[TAPS - 1, 0], name=name)
        )
    shape: list[str | int | None] = ["batch", 3, "samples"]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("unfiltered", *FILTERS)]
    graph = helper.make_graph(
        nodes, "filter_bank", [helper.make_tensor_value_info("counts", TensorProto.FLOAT, shape)], outputs, weights
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="kensoku"
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def write(repository: Path) -> None:
    """Write version 1 below a model repository."""
    path = repository / "filter_bank" / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(build().SerializeToString(deterministic=True))
