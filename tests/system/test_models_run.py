"""`kensoku models run` and `classify` write the same whoever answers, and say what is wrong with a file."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from kensoku.cli.main import main
from tests.model_server import serving
from tests.system.commands import kensoku
from tests.tiny_models import pulses, write_repository, write_windows


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_repository(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[str]:
    with serving(repository) as started:
        yield started.url


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def ask(action: str, repository: Path, windows: Path, out: Path, *more: str) -> int:
    return main(
        [
            "models",
            action,
            f"--windows={windows}",
            f"--out={out}",
            "--models=local",
            f"--model-repository={repository}",
            *more,
        ]
    )


@pytest.mark.parametrize("more", [(), ("--live",)])
@pytest.mark.parametrize("samples", [1000, 1024, 5001])
def test_every_window_is_picked(repository: Path, tmp_path: Path, samples: int, more: tuple[str, ...]) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(7, samples))
    assert ask("run", repository, windows, tmp_path / "picks.csv", *more) == 0
    picks = rows(tmp_path / "picks.csv")
    assert list(picks[0]) == ["window", "phase", "sample", "score"]
    assert [(int(p["window"]), p["phase"]) for p in picks] == [(n, phase) for n in range(7) for phase in "PS"]
    assert [float(p["sample"]) for p in picks] == pytest.approx([300, 600] * 7, abs=1)
    assert min(float(p["score"]) for p in picks) > 0.5
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("rate_hz", [50, 200])
def test_windows_of_other_rates_are_picked_in_their_own_samples(
    repository: Path, tmp_path: Path, rate_hz: float
) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(2, 1000, p=401, s=702), rate_hz=rate_hz)
    assert ask("run", repository, windows, tmp_path / "picks.csv", "--threshold=0.2") == 0
    found = [float(p["sample"]) for p in rows(tmp_path / "picks.csv")]
    assert found == pytest.approx([401, 702] * 2, abs=3)


def test_a_threshold_of_the_caller_replaces_the_models(repository: Path, tmp_path: Path) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(3, 1000) / 4)
    counts = []
    for more in ((), ("--threshold=0.05",), ("--threshold=0.999",)):
        assert ask("run", repository, windows, tmp_path / "picks.csv", *more) == 0
        counts.append(len(rows(tmp_path / "picks.csv")))
    assert counts == [0, 6, 0]


def test_cuts_are_classified(repository: Path, tmp_path: Path) -> None:
    cuts = pulses(3, 400, p=200, s=-500)
    cuts[1] = 1
    cuts[2] = cuts[2][[1, 0, 2]]
    assert ask("classify", repository, write_windows(tmp_path / "cuts.h5", cuts), tmp_path / "said.csv") == 0
    said = rows(tmp_path / "said.csv")
    assert [row["window"] for row in said] == ["0", "1", "2"]
    assert [max(("noise", "P", "S"), key=lambda name: float(row[name])) for row in said] == ["P", "noise", "S"]


@pytest.mark.triton
@pytest.mark.parametrize(
    ("action", "samples", "more"),
    [("run", 1000, ()), ("run", 5001, ()), ("run", 5001, ("--live",)), ("classify", 400, ())],
)
def test_a_server_gives_the_same_bytes(
    repository: Path, server: str, tmp_path: Path, action: str, samples: int, more: tuple[str, ...]
) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(150, samples))
    given = ["models", action, f"--windows={windows}", f"--model-repository={repository}", *more]
    for models, out in ((server, "server.csv"), ("local", "local.csv")):
        done = kensoku(tmp_path, *given, f"--models={models}", f"--out={tmp_path / out}")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "server.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()
    assert len(rows(tmp_path / "local.csv")) >= 150


def test_a_folder_of_models_needs_no_other_option(repository: Path, tmp_path: Path) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(1, 1000))
    done = kensoku(
        tmp_path, "models", "run", f"--windows={windows}", f"--models=local:{repository}", f"--out={tmp_path}/picks.csv"
    )
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/picks.csv: 2 picks in 1 windows\n")


# --- what can be wrong ------------------------------------------------------------------------------------------------


def refused(
    capsys: pytest.CaptureFixture[str], repository: Path, windows: Path, *more: str, action: str = "run"
) -> str:
    out = windows.parent / "out.csv"
    assert ask(action, repository, windows, out, *more) in (1, 2)
    assert not list(windows.parent.glob("out*"))
    return capsys.readouterr().err


def test_a_wrong_file_is_told(capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path) -> None:
    assert "absent.h5: there is none; expected X" in refused(capsys, repository, tmp_path / "absent.h5")
    text = tmp_path / "text.h5"
    text.write_text("window,phase\n")
    assert "text.h5: it is no HDF5; expected X" in refused(capsys, repository, text)
    windows = write_windows(tmp_path / "windows.h5", pulses(2, 500), rate_hz=None)
    assert "found no sampling_rate" in refused(capsys, repository, windows)
    with h5py.File(windows, "a") as file:
        file.attrs["sampling_rate"] = 0
    assert "found 0 samples a second, expected 100" in refused(capsys, repository, windows)
    with h5py.File(windows, "a") as file:
        file.attrs["sampling_rate"] = 100
        del file["scale"]
    assert "found no array 'scale' among X" in refused(capsys, repository, windows)
    with h5py.File(windows, "a") as file:
        file["scale"] = np.ones(2, np.float32)
    assert "found scale float32 of shape (2,) for X of (2, 3, 500)" in refused(capsys, repository, windows)
    with h5py.File(windows, "a") as file:
        del file["X"]
        file["X"] = np.zeros((2, 500), np.int16)
    assert "found X int16 of shape (2, 500); expected X (windows, 3, samples)" in refused(capsys, repository, windows)
    with h5py.File(windows, "a") as file:
        del file["X"]
        file["X"] = h5py.ExternalLink("elsewhere.h5", "X")
    assert "found no array 'X' among X, scale" in refused(capsys, repository, windows)
    os.mkfifo(tmp_path / "pipe.h5")
    assert "pipe.h5: it is no file; expected X" in refused(capsys, repository, tmp_path / "pipe.h5")
    with h5py.File(tmp_path / "long.h5", "w") as file:
        file.create_dataset("X", (1, 3, 10**10), np.int16, chunks=(1, 3, 1000))
        file["scale"], file.attrs["sampling_rate"] = np.ones((1, 3)), 100
    assert "found windows of 10,000,000,000 samples" in refused(capsys, repository, tmp_path / "long.h5")


def test_cuts_of_another_length_are_refused(
    capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path
) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(2, 500))
    told = refused(capsys, repository, windows, action="classify")
    assert "found cuts of 500 samples, expected 400 for 'phase'" in told


def test_a_model_that_is_absent_or_of_another_kind_is_told(
    capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path
) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(2, 400))
    told = refused(capsys, repository, windows, "--model=pickre")
    assert "expected the card of the model 'pickre'; models with one: phase, picker, picker_live" in told
    assert "model 'phase': found a classifier, expected a picker" in refused(
        capsys, repository, windows, "--model=phase"
    )
    told = refused(capsys, repository, windows, "--live", "--model=picker")
    assert "model 'picker': found full context, expected a stated look-ahead" in told


def test_an_absent_server_is_told(capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(2, 400))
    told = refused(capsys, repository, windows, "--models=triton://127.0.0.1:port")
    assert "expected triton://host:port" in told


def test_an_absent_folder_for_the_answers_is_told(
    capsys: pytest.CaptureFixture[str], repository: Path, tmp_path: Path
) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(2, 400))
    assert ask("run", repository, windows, tmp_path / "none" / "picks.csv") == 1
    assert "found no folder" in capsys.readouterr().err
