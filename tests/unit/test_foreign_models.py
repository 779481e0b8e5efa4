"""A picker of somebody else's, whatever its axes and their order, picks what ours picks."""

import contextlib
import csv
import shutil
import sys
import types
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from kensoku.cli.main import main
from kensoku.inference import open_models
from tests.tiny_models import REACH, pulses, write_windows

FloatArray = npt.NDArray[np.float32]


def foreign_graph(
    path: Path, samples: int | None, *, outputs: bool = False, opset: int = 17, kind: type[np.generic] = np.float32
) -> Path:
    """Records as (b, n, 1, components E N Z), scaled by their deviation; classes detection, S, P, as logits."""
    of = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    taps = np.zeros((3, 3, 2 * REACH + 1), np.float32)
    taps[2, 2] = taps[1, 0] = taps[1, 1] = 0.1 * np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / 8) ** 2)
    nodes = [
        helper.make_node("Squeeze", ["x", "two"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["rows", "taps", "bias"], ["logits"], pads=[REACH, REACH]),
    ]
    shape: list[str | int | None] = ["b", samples or "n"]
    names = ["logits"]
    if outputs:
        names = ["d", "s", "p"]
        nodes += [helper.make_node("Split", ["logits"], ["d1", "s1", "p1"], axis=1)]
        nodes += [helper.make_node("Squeeze", [f"{name}1", "one"], [name]) for name in names]
    weights = {
        "taps": taps.astype(kind),
        "bias": np.array([0, -5, -5], kind),
        "one": np.array([1]),
        "two": np.array([2]),
    }
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("x", of, [*shape, 1, 3])],
        [helper.make_tensor_value_info(name, of, shape if outputs else ["b", 3, samples or "n"]) for name in names],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
    return path


def bring(folder: Path, file: Path, *more: str) -> int:
    repository = folder / "repository"
    repository.mkdir(exist_ok=True)
    given = ["models", "import", "other", str(file), f"--model-repository={repository}"]
    return main([*given, "--layout=bn1c", "--components=ENZ", "--classes=-SP", "--activation=sigmoid", *more])


def picked(folder: Path) -> list[tuple[str, float]]:
    windows, out = write_windows(folder / "windows.h5", pulses(1, 2000)), folder / "picks.csv"
    asked = ["models", "run", "--model=other", f"--models=local:{folder / 'repository'}"]
    assert main([*asked, f"--windows={windows}", f"--out={out}"]) == 0
    with out.open(newline="") as file:
        return [(row["phase"], float(row["sample"])) for row in csv.DictReader(file)]


@pytest.mark.parametrize("samples", [None, 801])
@pytest.mark.parametrize("outputs", [False, True])
def test_it_picks_what_ours_picks(tmp_path: Path, samples: int | None, outputs: bool) -> None:
    file = foreign_graph(tmp_path / "other.onnx", samples, outputs=outputs)
    assert bring(tmp_path, file, *(["--outputs=d,s,p", "--output-layout=bn"] if outputs else [])) == 0
    (p, p_sample), (s, s_sample) = picked(tmp_path)
    assert (p, s) == ("P", "S")
    assert [p_sample, s_sample] == pytest.approx([300, 600], abs=2)


@pytest.mark.parametrize("normalisation", ["peak", "std", "joint-peak", "joint-std"])
def test_neither_offset_nor_size_nor_what_is_missing_matters(tmp_path: Path, normalisation: str) -> None:
    file = foreign_graph(tmp_path / "other.onnx", None)
    assert bring(tmp_path, file, f"--normalisation={normalisation}") == 0
    counts = pulses(1, 2000)
    changed = counts * np.float32(2**-40)
    with open_models(f"local:{tmp_path / 'repository'}") as models:

        def said(record: FloatArray) -> FloatArray:
            return models.infer("other", {"counts": record})["probabilities"]

        plain = said(counts)
        assert np.abs(said(counts + np.float32(4_000_000)) - plain).max() < 0.01
        assert np.array_equal(said(changed), plain)
        counts[:, 1:, 1000:] = np.nan
        assert np.isfinite(said(counts)).all()
        counts[:] = np.nan
        assert said(counts)[:, 1:].max() < 0.1


def test_noise_is_what_is_neither_p_nor_s(tmp_path: Path) -> None:
    assert bring(tmp_path, foreign_graph(tmp_path / "other.onnx", None)) == 0
    with open_models(f"local:{tmp_path / 'repository'}") as models:
        said = models.infer("other", {"counts": pulses(2, 2000)})["probabilities"]
    assert np.allclose(said[:, 0], np.maximum(1 - said[:, 1] - said[:, 2], 0), atol=1e-6)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--layout=bcc"], "input layout: found 'bcc', expected b, c, n and 1"),
        (["--layout=bcn"], "found input x of shape [None, None, 1, 3], expected the axes 'bcn'"),
        (["--layout=bcn1"], "found input x of shape [None, None, 1, 3], expected the axes 'bcn1'"),
        (["--components=ZZE"], "components: found 'ZZE'"),
        (["--classes=NPX"], "classes: found 'NPX'"),
        (
            ["--classes=--SP"],
            "found output logits of shape [None, 3, None], expected the axes 'bcn' and the classes '--SP'",
        ),
        (["--activation=none"], "expected probabilities; give --activation"),
        (["--outputs=y"], "found no output y, expected some of logits"),
        (["--context=8000"], "--context: found 8000 samples of no use at both ends of windows of 12000"),
        (["--layout=bc1n"], "give fewer, or another --layout if 3 is no number of samples"),
    ],
)
def test_what_does_not_fit_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], told: str
) -> None:
    file = foreign_graph(tmp_path / "other.onnx", None)
    assert bring(tmp_path, file, *more) in (1, 2)
    assert told in capsys.readouterr().err
    assert not list((tmp_path / "repository").iterdir())


def test_a_graph_of_half_precision_picks_the_same(tmp_path: Path) -> None:
    assert bring(tmp_path, foreign_graph(tmp_path / "other.onnx", None, kind=np.float16)) == 0
    half = picked(tmp_path)
    shutil.rmtree(tmp_path / "repository")
    assert bring(tmp_path, foreign_graph(tmp_path / "other.onnx", None)) == 0
    single = picked(tmp_path)
    assert [phase for phase, _ in half] == [phase for phase, _ in single]
    assert [sample for _, sample in half] == pytest.approx([sample for _, sample in single], abs=0.2)


def test_what_is_no_graph_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "other.onnx"
    text.write_text("weights")
    assert bring(tmp_path, text) == 1
    assert "other.onnx: expected an ONNX model, found" in capsys.readouterr().err
    assert bring(tmp_path, foreign_graph(tmp_path / "old.onnx", None, opset=12)) == 1


class FakeNetwork:
    """As much of a SeisBench model as is asked about."""

    sampling_rate, labels, component_order, in_samples = 100, ["Detection", "S", "P"], "ENZ", 801

    @classmethod
    def load(cls, path: Path, version_str: str | None) -> "FakeNetwork":
        if not path.with_name(f"{path.name}.json.v{version_str}").is_file():
            raise FileNotFoundError(f"no {path}")
        return cls()

    def eval(self) -> "FakeNetwork":
        return self

    def annotate_batch_pre(self, batch: object, argdict: object) -> object:
        return batch

    def __call__(self, counts: object) -> object:
        return (counts,) * 3


def fake_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports a graph of three outputs, (batch, samples) each, named as asked."""

    class Module:
        def __call__(self, counts: object) -> object:
            return self.forward(counts)  # type: ignore[attr-defined]  # the caller's

        def eval(self) -> "Module":
            return self

    def export(module: Module, given: object, path: str, output_names: list[str], **_: object) -> None:
        assert output_names == ["out_Detection", "out_S", "out_P"]
        probabilities_of(Path(path), output_names)

    torch, seisbench, models = (types.ModuleType(name) for name in ("torch", "seisbench", "seisbench.models"))
    torch.__dict__.update(
        nn=types.SimpleNamespace(Module=Module),
        onnx=types.SimpleNamespace(export=export),
        no_grad=contextlib.nullcontext,
    )
    torch.__dict__["randn"] = lambda *shape: np.zeros(shape)
    models.__dict__["EQTransformer"] = FakeNetwork
    seisbench.__dict__["models"] = models
    for module in (torch, seisbench, models):
        monkeypatch.setitem(sys.modules, module.__name__, module)


def probabilities_of(path: Path, names: list[str]) -> None:
    """Of pulses of some 500 counts, from (batch, E N Z, samples)."""
    taps = np.zeros((3, 3, 2 * REACH + 1), np.float32)
    taps[2, 2] = taps[1, 0] = taps[1, 1] = 0.003 * np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / 8) ** 2)
    nodes = [
        helper.make_node("Conv", ["in", "taps", "bias"], ["logits"], pads=[REACH, REACH]),
        helper.make_node("Sigmoid", ["logits"], ["said"]),
        helper.make_node("Split", ["said"], [f"{name}_1" for name in names], axis=1),
        *(helper.make_node("Squeeze", [f"{name}_1", "one"], [name]) for name in names),
    ]
    weights = {"taps": taps, "bias": np.array([0, -5, -5], np.float32), "one": np.array([1])}
    graph = helper.make_graph(
        nodes,
        "exported",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, ["batch", 3, 801])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 801]) for name in names],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_a_weight_file_of_seisbench_says_the_rest_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_torch(monkeypatch)
    weights = tmp_path / "original.json.v2"
    weights.write_text("{}")
    repository = tmp_path / "repository"
    repository.mkdir()
    given = ["models", "import", "other", str(weights), f"--model-repository={repository}", "--network=EQTransformer"]
    assert main(given) == 0
    assert [phase for phase, _ in picked(tmp_path)] == ["P", "S"]
    assert sorted(path.name for path in repository.iterdir()) == ["other"]


def test_what_a_weight_file_needs_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "original.pt.v1"
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "seisbench", None)
        assert bring(tmp_path, weights) == 2
        assert "which reads weight files of SeisBench; pip install seisbench" in capsys.readouterr().err
    fake_torch(monkeypatch)
    assert bring(tmp_path, weights) == 2
    assert "--network: found 'PhaseNet'" in capsys.readouterr().err
    assert bring(tmp_path, weights, "--network=EQTransformer") == 1
    assert "expected weights of EQTransformer, found: no " in capsys.readouterr().err


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = foreign_graph(tmp_path / "other.onnx", None)
    assert bring(tmp_path, file) == 0
    assert bring(tmp_path, file) == 1
    assert "found a model 'other'" in capsys.readouterr().err
