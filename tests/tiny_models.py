"""A picker that knows pulses on the vertical as P and on the horizontals as S, and files of windows to try it on."""

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from kensoku.picking import CARD, Delay, Geometry, ModelCard, PhasePair

REACH = 30  # samples to both sides
CONFIG = """name: "{name}"
backend: "onnxruntime"
max_batch_size: 64
input {{ name: "counts" data_type: TYPE_FP32 dims: [ 3, -1 ] }}
output {{ name: "probabilities" data_type: TYPE_FP32 dims: [ 3, {answers} ] }}
instance_group {{ kind: KIND_AUTO count: 1 }}
dynamic_batching {{}}
version_policy {{ all {{}} }}
"""


def card(kind: str = "picker", **given: object) -> ModelCard:
    geometry = Geometry(window=1024, before=REACH, after=REACH)
    return ModelCard(
        **{  # type: ignore[arg-type]  # one case differs in a field or two
            "kind": kind,
            "description": "pulses",
            "threshold": PhasePair(p=0.5, s=0.5),
            "geometry": geometry,
            **given,
        }
    )


def write_model(repository: Path, name: str, shown: ModelCard, *, is_causal: bool = False) -> None:
    """A model's folder: configuration, card, graph."""
    is_classifier = shown.kind == "classifier"
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(CONFIG.format(name=name, answers=1 if is_classifier else -1))
    (folder / CARD).write_text(shown.to_json())
    onnx.save(graph(is_causal=is_causal, is_classifier=is_classifier), folder / "1" / "model.onnx")


def graph(*, is_causal: bool = False, is_classifier: bool = False) -> onnx.ModelProto:
    """A pulse of 300 counts is half probable, one of 500 nearly certain; a causal graph answers 30 samples late."""
    taps = np.zeros((3, 3, 2 * REACH + 1), np.float32)
    taps[1, 0] = taps[2, 1] = taps[2, 2] = 0.002 * np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / 8) ** 2)
    weights = {
        "taps": taps,
        "bias": np.array([4, 0, 0], np.float32),
        "nothing": np.zeros(1, np.float32),
    }
    pads = [2 * REACH, 0] if is_causal else [REACH, REACH]
    nodes = [
        helper.make_node("IsNaN", ["counts"], ["is_missing"]),
        helper.make_node("Where", ["is_missing", "nothing", "counts"], ["heard"]),
        helper.make_node("Conv", ["heard", "taps", "bias"], ["logits"], pads=pads),
        helper.make_node("GlobalMaxPool" if is_classifier else "Identity", ["logits"], ["strongest"]),
        helper.make_node("Softmax", ["strongest"], ["probabilities"], axis=1),
    ]
    samples: list[str | int | None] = ["batch", 3, "samples"]
    answers: list[str | int | None] = ["batch", 3, 1] if is_classifier else samples
    built = helper.make_graph(
        nodes,
        "pulses",
        [helper.make_tensor_value_info("counts", TensorProto.FLOAT, samples)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, answers)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(built, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def write_repository(folder: Path) -> Path:
    repository = folder / "repository"
    write_model(repository, "picker", card())
    live = card(delay=Delay(p=REACH, s=REACH), look_ahead_s=PhasePair(p=1.0, s=2.0))
    write_model(repository, "picker_live", live, is_causal=True)
    cuts = Geometry(window=400, before=0, after=0)
    write_model(repository, "phase", card("classifier", classes=("noise", "P", "S"), geometry=cuts))
    return repository


def pulses(count: int, samples: int, p: float = 300, s: float = 600) -> npt.NDArray[np.float32]:
    """Noise of 5 counts with a pulse on the vertical and one on a horizontal, of 500 counts."""
    made = np.random.default_rng(0).normal(0, 5, (count, 3, samples))
    for component, onset in ((0, p), (1, s)):
        made[:, component] += 500 * np.exp(-0.5 * ((np.arange(samples) - onset) / 3) ** 2)
    return np.asarray(np.round(made), dtype=np.float32)


def write_windows(path: Path, counts: npt.NDArray[np.float32], rate_hz: float | None = 100) -> Path:
    """In the format of recorded windows: int16 and a scale, here 1."""
    with h5py.File(path, "w") as file:
        file["X"] = counts.astype(np.int16)
        file["scale"] = np.ones(counts.shape[:2], np.float32)
        if rate_hz is not None:
            file.attrs["sampling_rate"] = rate_hz
    return path
