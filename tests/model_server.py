"""A real embedded Triton for tests, and repositories whose versions can be told apart by their answers."""

import os
import shutil
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from kensoku.inference import Models, Tensors
from kensoku.triton import EmbeddedTriton, embedded_triton

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("KENSOKU_CACHE", ROOT / ".cache"))
REPOSITORY = ROOT / "model_repository"
MODEL = "filter_bank"
READY_WITHIN_S = 180.0  # on a machine with other things to do


def serving(repository: Path) -> AbstractContextManager[EmbeddedTriton]:
    """The server that `kensoku triton run` starts, installed at first use."""
    return embedded_triton(CACHE, repository, ready_within_s=READY_WITHIN_S)


def two_versions(folder: Path) -> Path:
    """A repository whose version 2 answers with twice the filtered counts of version 1."""
    repository = folder / "repository"
    shutil.copytree(REPOSITORY, repository)
    first = repository / MODEL / "1" / "model.onnx"
    model = onnx.load(first)
    for weights in model.graph.initializer:
        if weights.name.endswith("_taps"):
            weights.CopyFrom(numpy_helper.from_array(2 * numpy_helper.to_array(weights), weights.name))
    (repository / MODEL / "2").mkdir()
    onnx.save(model, repository / MODEL / "2" / "model.onnx")
    return repository


def counts(windows: int, samples: int = 400, seed: int = 0) -> npt.NDArray[np.float32]:
    """Noise on the offset of an ordinary digitizer."""
    noise = np.random.default_rng(seed).normal(20_000.0, 3_000.0, (windows, 3, samples))
    return noise.astype(np.float32)


def ask(models: Models, samples: npt.NDArray[np.float32], **options: Any) -> Tensors:
    return models.infer(MODEL, {"counts": samples}, **options)


def largest_difference(found: Tensors, expected: Tensors) -> float:
    assert set(found) == set(expected)
    return max(float(np.abs(found[name] - expected[name]).max()) for name in expected)


def print_process_id() -> None:
    """Serve until killed, for tests of what is left behind."""
    with serving(REPOSITORY) as server:
        print(server.process_id, flush=True)
        threading.Event().wait()
