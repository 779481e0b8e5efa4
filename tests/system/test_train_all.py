"""The whole list of `kensoku train all` with tiny networks, on made records: ended half-way, and gone on with."""

import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import h5py
import numpy as np
import pytest

from kensoku.cli.main import main
from kensoku.picking import read_card
from kensoku.training.evaluation import denoiser
from kensoku.training.run_list import read_state
from tests import tiny_list

pytestmark = pytest.mark.load
CLASSIFIERS = {
    "phase": ("noise", "P", "S"),
    "denoiser": ("noise", "onset"),
    "blast": ("earthquake", "blast"),
    "blast_long": ("earthquake", "blast"),
}
PICKERS = ("picker", "picker_live", "picker_first")


def arguments(folder: Path) -> list[str]:
    configs, repository = folder / "configs" / "all.toml", folder / "repository"
    given = ["--config", configs, "--data", f"recorded={folder / 'recorded'}", "--out", folder / "runs"]
    return ["train", "all", *map(str, given), "--repository", str(repository)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All is trained; the first call was killed in the middle of it."""
    folder = tmp_path_factory.mktemp("all")
    tiny_list.write_list(folder, steps=100)
    tiny_list.write_records(folder / "recorded")
    command = [sys.executable, "-c", "from kensoku.cli.main import main; main()", *arguments(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line == "picker_1: done\n")
        process.send_signal(signal.SIGKILL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(denoiser, "EACH", 1)  # faults of a kind
        assert main(arguments(folder)) == 0
    return folder


def test_every_card_says_what_its_model_is(folder: Path) -> None:
    graph = folder / "runs" / "models" / "picker_2" / "1" / "model.onnx"
    for name in (*CLASSIFIERS, *PICKERS):
        card = read_card(folder / "repository", name)
        data = "set_blast" if name.startswith("blast") else "set_2"
        assert card.data_sha256 == sha256((folder / "runs" / data / "manifest.json").read_bytes()).hexdigest(), name
        assert card.metrics, name
        assert card.classes == CLASSIFIERS.get(name, ())
        assert (card.threshold.p != 0.5) == (name != "phase"), name  # of which the most probable is told
        taught = card.teachers.get("picker_2") == sha256(graph.read_bytes()).hexdigest()
        assert taught == (name in ("picker", "picker_live"))


def test_every_model_is_served(folder: Path, tmp_path: Path) -> None:
    models, out = f"--models=local:{folder / 'repository'}", tmp_path / "out.csv"
    windows = folder / "recorded/windows/nz_southern_alps.h5"
    for name in PICKERS:
        assert main(["models", "run", f"--windows={windows}", f"--out={out}", f"--model={name}", models]) == 0
        assert len(out.read_text().splitlines()) > 10, name
    for name, classes in CLASSIFIERS.items():
        samples = read_card(folder / "repository", name).geometry.window
        with h5py.File(tmp_path / "cuts.h5", "w") as file:
            file["X"], file["scale"] = np.random.default_rng(0).normal(0, 9, (3, 3, samples)), np.ones((3, 3))
            file.attrs["sampling_rate"] = 100
        given = [f"--windows={tmp_path / 'cuts.h5'}", f"--out={out}", f"--model={name}", models]
        assert main(["models", "classify", *given]) == 0
        assert out.read_text().splitlines()[0] == ",".join(["window", *classes])


def test_all_that_was_done_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graphs = {path: path.stat().st_mtime_ns for path in (folder / "repository").rglob("*")}
    assert main(arguments(folder)) == 0
    assert {path: path.stat().st_mtime_ns for path in (folder / "repository").rglob("*")} == graphs
    states = {path.stem: read_state(path) for path in (folder / "runs").glob("*.json")}
    assert capsys.readouterr().out.split() == [
        word for name in states_in_order(folder) for word in (f"{name}:", "done")
    ]
    assert all(state is not None and state.is_done for state in states.values())


def states_in_order(folder: Path) -> list[str]:
    text = (folder / "configs" / "all.toml").read_text()
    return [line.split('"')[1] for line in text.splitlines() if line.startswith("name = ")]
