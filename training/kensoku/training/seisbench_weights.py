"""Write a picker of SeisBench, from its weight file, as ONNX; torch and seisbench must be installed for it."""

import importlib
from pathlib import Path
from typing import Any

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.training.foreign import Foreign

OPSET = 17
RATE_HZ = 100
CLASSES = {"N": "N", "Noise": "N", "P": "P", "S": "S"}  # what SeisBench calls them; others are not asked for


def write_onnx(weights: Path, network: str, path: Path) -> Foreign:
    """The network with its own normalisation in the graph; says what the graph does not.

    SeisBench keeps a pair NAME.json.vX and NAME.pt.vX: either stands for both.
    """
    model = _load(weights, network)
    if model.sampling_rate != RATE_HZ:
        raise InputInvalid(f"{weights}: found {model.sampling_rate} samples a second, expected {RATE_HZ}")
    labels = [str(label) for label in model.labels]
    outputs = _export(model, labels, path)
    return Foreign(
        components=str(model.component_order),
        normalisation="none",
        outputs=tuple(outputs) if len(outputs) > 1 else (),
        output_layout="bn" if len(outputs) > 1 else "bcn",
        classes="".join(CLASSES.get(label, "-") for label in labels),
    )


def _load(weights: Path, network: str) -> Any:
    try:
        networks = importlib.import_module("seisbench.models")
    except ImportError as error:
        raise SettingInvalid(
            f"{weights}: found no {error.name}, which reads weight files of SeisBench; pip install seisbench, "
            "or give an ONNX file"
        ) from None
    kind = getattr(networks, network, None)
    if kind is None or not hasattr(kind, "load"):
        raise SettingInvalid(f"--network: found {network!r}, expected one of SeisBench's, as PhaseNet or EQTransformer")
    name, _, version = weights.name.partition(".json" if ".json" in weights.name else ".pt")
    try:
        model = kind.load(weights.with_name(name), version_str=version.removeprefix(".v") or None)
    except Exception as error:  # torch's and seisbench's have no narrower class in common
        raise InputInvalid(f"{weights}: expected weights of {network}, found: {str(error).splitlines()[0]}") from None
    if not hasattr(model, "annotate_batch_pre"):
        raise SettingInvalid("found a seisbench older than 0.5, expected a newer one; pip install --upgrade seisbench")
    return model.eval()


def _export(model: Any, labels: list[str], path: Path) -> list[str]:
    """Names of the graph's outputs."""
    torch: Any = importlib.import_module("torch")  # by name: it is no dependency, and type checkers do not find it

    class Whole(torch.nn.Module):  # type: ignore[misc]  # for the same reason
        """Normalisation and network in one."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, counts: Any) -> Any:
            return self.model(self.model.annotate_batch_pre(counts, {}))

    whole, counts = Whole().eval(), torch.randn(2, 3, model.in_samples)
    with torch.no_grad():
        outputs = [f"out_{label}" for label in labels] if isinstance(whole(counts), tuple) else ["out"]
    axes = {name: {0: "batch"} for name in ("in", *outputs)}
    torch.onnx.export(
        whole, (counts,), str(path), input_names=["in"], output_names=outputs, dynamic_axes=axes, opset_version=OPSET
    )
    return outputs
