"""`kensoku models import`: somebody else's picker in our model repository, behind the contract of our own."""

import argparse
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from kensoku.cli._models import AskSettings
from kensoku.cli._numbers import share, whole
from kensoku.errors import InputInvalid, KensokuError, ModelRefused, SettingInvalid
from kensoku.inference import open_models
from kensoku.picking import CARD, Geometry, ModelCard, PhasePair
from kensoku.settings import add_flags, load_settings, overrides

NORMALISATIONS = ("none", "peak", "std", "joint-peak", "joint-std")
LONGEST = 12_000  # samples that a model of any length is asked about at once
CONFIG = """# Imported by `kensoku models import` (docs/picking.md).
name: "{name}"
backend: "onnxruntime"
max_batch_size: {batch}
input {{
  name: "counts"
  data_type: TYPE_FP32
  dims: [ 3, {samples} ]
}}
output {{
  name: "probabilities"
  data_type: TYPE_FP32
  dims: [ 3, {samples} ]
}}
instance_group {{ kind: KIND_AUTO count: 1 }}
dynamic_batching {{}}
version_policy {{ all {{}} }}
"""


def add_action(actions: Any) -> None:
    action = actions.add_parser("import", help="put an ONNX picker of somebody else's behind the contract of ours")
    action.add_argument("name", metavar="NAME", help="its folder in the model repository")
    action.add_argument(
        "file", type=Path, metavar="FILE.onnx", help="at 100 Hz; or a SeisBench weight file, with torch"
    )
    action.add_argument("--network", default="PhaseNet", help="of a SeisBench weight file, which says the rest itself")
    action.add_argument("--layout", default="bcn", help="axes of its input: b, c(omponent), n, 1; %(default)s")
    action.add_argument("--components", default="ZNE", help="in its order: %(default)s")
    action.add_argument("--normalisation", default="std", choices=NORMALISATIONS, help="that it expects: %(default)s")
    action.add_argument("--outputs", default="", metavar="NAMES", help="separated by commas, where it has several")
    action.add_argument("--output-layout", default="bcn", help="as --layout, c: class; bn for one output a class")
    action.add_argument("--classes", default="NPS", help="in its order: N(oise), P, S, - for others; %(default)s")
    action.add_argument("--activation", default="none", choices=("none", "sigmoid", "softmax"), help="that it lacks")
    action.add_argument("--threshold", type=share, default=0.3, metavar="X", help="of both phases: %(default)s")
    action.add_argument("--context", type=whole(), default=250, metavar="N", help="samples at the ends that say little")
    action.add_argument("--description", default="", help="for its card: whose it is, under which licence")
    add_flags(action, AskSettings, only=["model_repository"])
    action.set_defaults(execute=import_model)


def import_model(options: argparse.Namespace) -> int:
    repository = load_settings(AskSettings, overrides(options, AskSettings)).model_repository
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", options.name):
        raise SettingInvalid(f"NAME: found {options.name!r}, expected letters, digits, _, - and .")
    if (repository / options.name).exists():
        raise ModelRefused(f"found a model {options.name!r} in {repository}; choose another name or delete its folder")
    if not repository.is_dir():
        raise SettingInvalid(f"--model-repository: found no folder {repository}")
    with tempfile.TemporaryDirectory(dir=repository, prefix=".import-") as folder:
        card = write_model(Path(folder), options)
        refuse_unsound(Path(folder), options, card)
        shutil.move(Path(folder) / options.name, repository / options.name)
    print(f"{repository / options.name} is there; `kensoku models run --model {options.name} ...` asks it")
    return 0


def write_model(repository: Path, options: argparse.Namespace) -> ModelCard:
    """A folder with graph, configuration and card."""
    try:
        import onnx

        from kensoku.training.foreign import Foreign, wrap
        from kensoku.training.seisbench_weights import write_onnx
    except ImportError:
        raise SettingInvalid("found no onnx, which reads graphs; install it: pip install 'kensoku[train]'") from None
    if re.search(r"\.(pt|json)(\.v[^.]+)?$", options.file.name):
        graph = repository / "exported.onnx"
        wrapped = wrap(graph, write_onnx(options.file, options.network, graph))
    else:
        foreign = Foreign(
            input_layout=options.layout,
            components=options.components,
            normalisation=options.normalisation,
            outputs=tuple(filter(None, options.outputs.split(","))),
            output_layout=options.output_layout,
            classes=options.classes,
            activation=options.activation,
        )
        wrapped = wrap(options.file, foreign)
    length, context, batch = wrapped.samples or LONGEST, options.context, wrapped.batch or 64
    if length <= 2 * context:
        raise SettingInvalid(
            f"--context: found {context} samples of no use at both ends of windows of {length}, expected less than "
            f"half of them; give fewer, or another --layout if {length} is no number of samples"
        )
    geometry = Geometry(
        window=length,
        before=context,
        after=context,
        stride=1 if wrapped.samples else 16,
        is_fixed=wrapped.samples is not None,
        batch=min(batch, 32),
    )
    description = options.description or f"imported from {options.file.name}"
    threshold = PhasePair(p=options.threshold, s=options.threshold)
    card = ModelCard(kind="picker", description=description, threshold=threshold, geometry=geometry, label_s=0.0)
    folder = repository / options.name
    (folder / "1").mkdir(parents=True)
    onnx.save(wrapped.graph, folder / "1" / "model.onnx")
    (folder / "config.pbtxt").write_text(
        CONFIG.format(name=options.name, batch=batch, samples=wrapped.samples or -1), encoding="utf-8"
    )
    (folder / CARD).write_text(card.to_json(), encoding="utf-8")
    return card


def refuse_unsound(repository: Path, options: argparse.Namespace, card: ModelCard) -> None:
    """Ask it once, so that what is wrong with the import is told now."""
    length = card.geometry.window
    counts = np.random.default_rng(0).normal(0, 100, (1, 3, length)).astype(np.float32)
    counts[:, 2, : length // 2] = np.nan
    try:
        with open_models(f"local:{repository}") as models:
            said = models.infer(options.name, {"counts": counts})["probabilities"]
    except KensokuError as error:
        raise ModelRefused(f"{options.file}: it cannot be asked with these options: {error}") from None
    if said.shape != counts.shape:
        raise ModelRefused(
            f"{options.file}: found an answer of shape {said.shape} to {counts.shape}, expected the same"
        )
    if not np.isfinite(said).all() or said.min() < 0 or said.max() > 1.001:
        raise InputInvalid(
            f"{options.file}: found values from {said.min():.3g} to {said.max():.3g}, expected probabilities; "
            "give --activation sigmoid or softmax where the graph lacks it"
        )
