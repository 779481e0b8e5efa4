"""The served filter bank does what its design says, whatever it is asked beside."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf import text_format
from scipy import signal

from kensoku.inference import open_models, read_signature
from kensoku.inference._signature import read_config
from kensoku.training import filter_bank
from tests.model_server import MODEL, REPOSITORY, ROOT, ask, counts

OVERLAYS = sorted((ROOT / "deploy_k8s/overlays/gpu/models").glob("*.pbtxt"))


def gain_db(name: str, frequencies_hz: list[float]) -> list[float]:
    taps = filter_bank.coefficients(filter_bank.FILTERS[name])
    return [20 * np.log10(abs(gain)) for gain in signal.freqz(taps, worN=frequencies_hz, fs=100.0)[1]]


def test_the_band_from_2_to_8_hz_passes_and_the_rest_does_not() -> None:
    assert gain_db("band_2_8_hz", [3.0, 4.0, 5.0, 6.0, 7.0]) == pytest.approx([0] * 5, abs=0.1)
    assert gain_db("band_2_8_hz", [2.0, 8.0]) == pytest.approx([-6, -6], abs=0.2)
    assert max(gain_db("band_2_8_hz", [0.2, 0.5, 1.0, 9.5, 15.0, 40.0])) < -50


def test_above_5_hz_passes_and_microseisms_do_not() -> None:
    assert gain_db("above_5_hz", [6.0, 10.0, 20.0, 45.0]) == pytest.approx([0] * 4, abs=0.1)
    assert gain_db("above_5_hz", [5.0]) == pytest.approx([-6], abs=0.2)
    assert max(gain_db("above_5_hz", [0.2, 1.0, 3.0])) < -50


@pytest.mark.parametrize("name", filter_bank.FILTERS)
def test_the_model_filters_as_scipy_does(name: str) -> None:
    samples = counts(windows=2, samples=700)
    expected = signal.lfilter(
        filter_bank.coefficients(filter_bank.FILTERS[name]), [1.0], samples - samples.mean(axis=-1, keepdims=True)
    )
    with open_models(f"local:{REPOSITORY}") as models:
        assert np.abs(ask(models, samples)[name] - expected).max() < 0.02  # of 3,000 counts: single precision


def test_nothing_of_an_onset_appears_before_it() -> None:
    quiet, shaken = np.zeros((1, 3, 400), np.float32), np.zeros((1, 3, 400), np.float32)
    shaken[..., 200], shaken[..., 201] = 1000.0, -1000.0  # the mean stays as it is
    with open_models(f"local:{REPOSITORY}") as models:
        before, after = ask(models, quiet), ask(models, shaken)
    assert all(np.array_equal(before[name][..., :200], after[name][..., :200]) for name in after)


def test_the_stated_delays_hold() -> None:
    delays = {name: filter_bank.delay_samples(filter_bank.coefficients(f)) for name, f in filter_bank.FILTERS.items()}
    assert delays == pytest.approx({"band_2_8_hz": 29.3, "above_5_hz": 2.2}, abs=0.05)


def test_a_large_offset_of_the_digitizer_changes_nothing() -> None:
    samples = np.round(counts(windows=1))
    with open_models(f"local:{REPOSITORY}") as models:
        plain, offset = ask(models, samples), ask(models, samples + np.float32(8_000_000))
    assert all(np.array_equal(plain[name], offset[name]) for name in plain)


@pytest.mark.parametrize("samples", [57, 400, 401, 3001])
def test_the_bits_of_an_answer_depend_on_neither_batch_nor_place_in_memory(samples: int) -> None:
    windows = counts(windows=64, samples=samples)
    memory = np.empty(windows.size + 16, np.float32)
    with open_models(f"local:{REPOSITORY}") as models:
        whole = ask(models, windows)
        for shift in range(16):
            moved = memory[shift : shift + windows.size].reshape(windows.shape)
            moved[:] = windows
            part = ask(models, moved[shift : shift + 3])
            assert all(np.array_equal(part[name], whole[name][shift : shift + 3]) for name in whole)


def test_the_committed_graph_is_what_training_builds(tmp_path: Path) -> None:
    filter_bank.write(tmp_path)
    assert (tmp_path / MODEL / "1/model.onnx").read_bytes() == (REPOSITORY / MODEL / "1/model.onnx").read_bytes()


@pytest.mark.parametrize("model", [path.parent.name for path in REPOSITORY.glob("*/config.pbtxt")])
def test_every_configuration_describes_its_graph(model: str) -> None:
    signature = read_signature(REPOSITORY, model)
    for path in (REPOSITORY / model).glob("*/model.onnx"):
        graph = onnx.load(path).graph
        for tensors, specs in ((graph.input, signature.inputs), (graph.output, signature.outputs)):
            shapes = {t.name: tuple(d.dim_value or -1 for d in t.type.tensor_type.shape.dim) for t in tensors}
            assert shapes == {spec.name: _free(spec.dims, shapes[spec.name]) for spec in specs}


def _free(dims: Sequence[int], shape: Sequence[int]) -> tuple[int, ...]:
    """What a configuration says, where it fixes a length that the graph leaves open."""
    return (-1, *(-1 if length == -1 else dim for dim, length in zip(dims, shape[1:], strict=True)))


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_a_variant_for_gpus_differs_in_its_accelerator_alone(path: Path) -> None:
    variant = text_format.Parse(path.read_text(), type(read_config(REPOSITORY, path.stem))())
    assert variant.HasField("optimization")
    variant.ClearField("optimization")
    assert variant == read_config(REPOSITORY, path.stem)
