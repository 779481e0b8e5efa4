"""Put a trained network into the model repository: graph, configuration and card, checked against Keras."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import onnx

from kensoku.errors import InputInvalid, ModelRefused
from kensoku.inference import open_models, versions_in
from kensoku.picking import CARD, Delay, Geometry, ModelCard, PhasePair, read_card
from kensoku.training.export import to_onnx
from kensoku.training.filter_bank import TAPS
from kensoku.training.networks import ClassifierConfig, NetworkConfig

LARGEST_DIFFERENCE = 1e-5  # of probabilities, between Keras and ONNX Runtime
WINDOW = 96_256  # samples: 16 minutes, so that less than a tenth is asked twice
BATCH = 2
CUTS = 64  # of a classifier
FAINT = 0.12  # score from which association is told of picks below the threshold
TOLD_WITHIN = 45  # samples: a block of 16, 0.2 s to recognise a peak, 0.1 s by which a pick may lie before its peak
CONFIG = """# {description} (docs/training-networks.md)
name: "{name}"
backend: "onnxruntime"
max_batch_size: 256
input {{
  name: "counts"
  data_type: TYPE_FP32
  dims: [ 3, {samples} ]
}}
output {{
  name: "probabilities"
  data_type: TYPE_FP32
  dims: [ {classes}, -1 ]
}}
instance_group {{ kind: KIND_AUTO count: 1 }}
dynamic_batching {{}}
version_policy {{ all {{}} }}
"""


def ship(
    repository: Path,
    name: str,
    model: keras.Model,
    config: NetworkConfig | ClassifierConfig,
    description: str,
    last: int | None = None,
    *,
    classes: Sequence[str] = (),
    data_sha256: str = "",
    teachers: Mapping[str, str] | None = None,
) -> ModelCard:
    """Write version 1 of the model, in place of an earlier one; beside several versions it is the next. Its card keeps
    the words on use, limits and licence; `judge` completes it.

    `last`: a live picker that is given windows of one length and tells of so many samples at their end alone; a
    multiple of its stride. `classes`: what the answers of a classifier are called.
    """
    if last is not None and (last % config.stride or last < 2 * config.stride):
        raise InputInvalid(f"last: found {last} samples, expected a multiple of {config.stride}, two or more of it")
    if isinstance(config, NetworkConfig):
        card = card_of_picker(config, description, last)
    else:
        card = card_of_cuts(config, description, classes)
    card = replace(card, data_sha256=data_sha256, teachers=dict(teachers or {}))
    if (repository / name / CARD).is_file():
        before = read_card(repository, name)
        card = replace(card, intended_use=before.intended_use, limits=before.limits, licence=before.licence)
    version, *others = next_version(repository, name)
    repository.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=repository, prefix=".ship-") as temporary:
        folder = Path(temporary) / name
        (folder / version).mkdir(parents=True)
        onnx.save(to_onnx(model, last), folder / version / "model.onnx")
        samples = -1 if last is None else card.geometry.window
        text = CONFIG.format(name=name, classes=model.output.shape[1], description=description, samples=samples)
        (folder / "config.pbtxt").write_text(text, encoding="utf-8")
        (folder / CARD).write_text(card.to_json(), encoding="utf-8")
        least = 3 * config.stride * 40 if last is None else samples
        if isinstance(config, ClassifierConfig):
            least = max(least, config.window)  # of few rates and a long window
        refuse_difference(Path(temporary), name, model, least)
        for other in others:
            shutil.copytree(repository / name / other, folder / other)
        if (repository / name).exists():  # deleted when the new one is in its place
            (repository / name).rename(Path(temporary) / ".before")
        folder.rename(repository / name)
    return card


def next_version(repository: Path, name: str) -> list[str]:
    """The one to be written, and those that stay."""
    there = list(versions_in(repository, name))
    return ["1"] if there in ([], ["1"]) else [str(int(there[-1]) + 1), *there]


def refuse_difference(repository: Path, name: str, model: keras.Model, samples: int) -> None:
    """What is served must be what was trained."""
    counts = trial(samples)
    with open_models(f"local:{repository}") as models:
        served = models.infer(name, {"counts": counts})["probabilities"]
    expected = keras.ops.convert_to_numpy(model(counts))[..., -served.shape[2] :]
    difference = float(np.abs(served - expected).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise ModelRefused(f"model {name!r}: found answers {difference:.2g} from those of Keras, expected 1e-5 or less")


def trial(samples: int) -> npt.NDArray[np.float32]:
    """Noise and waves on an offset, with a gap and a missing component."""
    chance = np.random.default_rng(0)
    counts = chance.normal(0, 100, (4, 3, samples)) + chance.normal(0, 1e5, (4, 3, 1))
    counts[..., samples // 2 :] += chance.normal(0, 3000, (4, 3, samples - samples // 2))
    counts[1, 0, : samples // 4] = np.nan
    counts[2, 1] = np.nan
    counts[3] *= 1e-12
    return counts.astype(np.float32)


# --- what an answer depends on ----------------------------------------------------------------------------------------


def card_of_picker(config: NetworkConfig, description: str, last: int | None = None) -> ModelCard:
    before, after = reach(config)
    geometry = Geometry(window=WINDOW, before=before, after=after, stride=config.stride, batch=BATCH)
    if last is not None:
        geometry = replace(geometry, window=before + last, is_fixed=True, batch=CUTS)
    delay = Delay(p=config.delay[0], s=config.delay[1])
    is_live = config.padding == "causal"
    return ModelCard(
        kind="picker",
        description=description,
        threshold=PhasePair(p=0.5, s=0.5),
        faint=PhasePair(p=FAINT, s=FAINT),
        geometry=geometry,
        last=last or 0,
        delay=delay,
        look_ahead_s=PhasePair(p=(delay.p + TOLD_WITHIN) / 100, s=(delay.s + TOLD_WITHIN) / 100) if is_live else None,
        p_yields=delay.p == delay.s,
    )


def card_of_cuts(config: ClassifierConfig, description: str, classes: Sequence[str]) -> ModelCard:
    if len(classes) != config.classes:
        names = ", ".join(classes) or "none"
        raise InputInvalid(f"classes: found {names}, expected {config.classes} names, one for each answer of it")
    geometry = Geometry(window=config.window, before=0, after=0, stride=config.stride, is_fixed=True, batch=CUTS)
    half = PhasePair(p=0.5, s=0.5)
    return ModelCard(
        kind="classifier", description=description, classes=tuple(classes), threshold=half, geometry=geometry
    )


def reach(config: NetworkConfig) -> tuple[int, int]:
    """Samples before and after one on which the answer to it depends, rounded up to the stride."""
    lookback = config.mean_samples + config.scale_samples + (TAPS if config.filter_bank else 0)
    total, rates = 0, [2**level for level in range(len(config.channels))]
    for level, rate in enumerate(rates):
        total += (config.kernel - 1) * rate + (3 * rate // 2 if level else 0)
        total += (config.up_kernel - 1 + 4) * rate if level < len(rates) - 1 else 0
    total += sum(2 * dilation for dilation in config.dilations) * rates[-1]
    stride = config.stride
    if config.padding == "causal":
        return _up(lookback + total, stride), stride
    return _up(lookback + total // 2 + stride, stride), _up(total // 2 + stride, stride)


def _up(samples: int, stride: int) -> int:
    return -(-samples // stride) * stride
