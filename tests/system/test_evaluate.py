"""`kensoku evaluate models` and `kensoku models judge` judge models by a data set on disk, and name what is missing."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from kensoku.cli.main import main
from kensoku.picking import PhasePair, read_card
from tests.tiny_models import card, pulses, write_model, write_repository

TEXT = """
name = "pulses"
seed = 1
[split]
develop_share = 0.5
[[sources]]
name = "north"
kind = "windows"
path = "{data}/north.h5"
licence = "CC-BY-4.0"
region = "north"
columns = { station = "{net}.{sta}", event = "{event}" }
"""
COUNT = 120


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    with h5py.File(folder / "north.h5", "w") as file:
        file.attrs["sampling_rate"] = 100
        file["X"] = pulses(COUNT, 2000, p=900, s=1300).astype(np.int16)
        file["scale"] = np.ones((COUNT, 3), np.float32)
        file["p"], file["s"] = np.full(COUNT, 901, np.float32), np.full(COUNT, 1298, np.float32)
    rows = ["net,sta,event", *(f"N,S{n},e{n}" for n in range(COUNT))]
    (folder / "north.csv").write_text("\n".join(rows))
    (folder / "pulses.toml").write_text(TEXT)
    given = ["dataset", "build", str(folder / "pulses.toml"), "--data", f"data={folder}", "--out", str(folder / "set")]
    assert main(given) == 0
    return folder / "set"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return write_repository(tmp_path)


def evaluate(dataset: Path, repository: Path, *more: str) -> int:
    out = repository.parent / "report"
    return main(["evaluate", "models", f"--dataset={dataset}", f"--models=local:{repository}", f"--out={out}", *more])


def test_every_model_with_a_card_is_judged(dataset: Path, repository: Path) -> None:
    assert evaluate(dataset, repository) == 0
    told = json.loads((repository.parent / "report" / "report.json").read_text())
    picker, live, phase = sorted(
        told["models"], key=lambda each: ["picker", "picker_live", "phase"].index(each["model"])
    )
    assert picker["overall"]["p"]["recall"] == live["overall"]["s"]["recall"] == 1.0
    assert picker["overall"]["p"]["median_s"] == pytest.approx(-0.01, abs=0.002)
    assert picker["variants"]["without N"]["s"]["recall"] == 0.0
    assert picker["variants"]["played 2 times slower"]["p"]["recall"] == 1.0
    assert phase["cut_confusion"]["P"]["P"] > 0
    assert "Worst failures" in (repository.parent / "report" / "report.html").read_text()


def test_a_card_is_completed_by_the_data_set(dataset: Path, repository: Path) -> None:
    write_model(repository, "other", card(threshold=PhasePair(p=0.99, s=0.99)))
    given = ["models", "judge", "other", f"--dataset={dataset}", f"--models=local:{repository}", "--false-per-hour=5"]
    assert main(given) == 0
    completed = read_card(repository, "other")
    assert completed.threshold.p < 0.9
    assert completed.metrics["p.recall"] == 1.0
    assert completed.calibration.of("P").probability(0.9) > 0.9
    assert len(completed.data_sha256) == 64


def test_a_first_stage_is_settled_by_what_the_live_picker_gets_right(
    dataset: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_card(repository, "picker_live")
    write_model(repository, "picker_first", before, is_causal=True)
    given = ["models", "settle", "picker_first", f"--dataset={dataset}", f"--models=local:{repository}"]
    assert main(given) == 0
    settled = read_card(repository, "picker_first")
    assert settled.threshold.p == settled.threshold.s > 0.9  # its pulses stand out
    assert settled.metrics["first.kept"] >= 0.99
    assert settled.metrics["first.right"] > 80
    assert settled.metrics["first.passing"] == 0.0
    assert "right picks of picker_live come through" in capsys.readouterr().out
    assert read_card(repository, "picker_live") == before


def test_what_is_missing_is_told(dataset: Path, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(dataset, repository, "--without=north") == 1
    assert "found no recorded example in split 'develop'" in capsys.readouterr().err
    assert evaluate(dataset, repository, "--model=absent") == 1
    assert "expected the card of the model 'absent'" in capsys.readouterr().err
    (repository.parent / "none").mkdir()
    assert evaluate(dataset, repository.parent / "none") == 1
    assert "found no model with a card" in capsys.readouterr().err


def test_robustness_is_judged_by_the_parts_that_are_named(
    dataset: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = repository.parent / "robustness"
    given = ["evaluate", "robustness", f"--dataset={dataset}", f"--models=local:{repository}", f"--out={out}"]
    assert main([*given, "--part=sizes", "--part=look-ahead", "--records=4"]) == 0
    picker, live = json.loads((out / "robustness.json").read_text())["models"]
    assert (picker["model"], live["model"], picker["records"]) == ("picker", "picker_live", 4)
    assert picker["look_ahead"] == []
    assert [each["changed"] for each in live["look_ahead"]] == [0] * 5
    assert live["look_ahead"][0]["picks"] > 0
    assert "How large the counts are" in (out / "robustness.html").read_text()
    assert main([*given, "--part=everything"]) == 2
    assert "found 'everything', expected one of shifts" in capsys.readouterr().err


def test_two_csv_of_picks_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["sampling_rate"] = 100
        file["X"], file["scale"] = np.zeros((2, 3, 100), np.int16), np.ones((2, 3), np.float32)
        file["p"], file["s"] = np.array([20.0, 30.0]), np.array([np.nan, 60.0])
    (tmp_path / "a.csv").write_text("window,phase,sample,score\n0,P,21,0.9\n1,P,31,0.2\n")
    (tmp_path / "b.csv").write_text("window,phase,sample\n0,P,21\n")
    given = ["evaluate", "compare", "--set", str(tmp_path / "w.h5"), str(tmp_path / "a.csv")]
    out = tmp_path / "c.json"
    assert main([*given, str(tmp_path / "a.csv"), "--others-from=0.5", f"--out={out}"]) == 0
    told = json.loads(out.read_text())["P within 0.1 s"]["all"]
    assert (told["labels"], told["ours"], told["others"], told["difference"]) == (2, 1.0, 0.5, 0.5)
    assert main([*given, str(tmp_path / "b.csv")]) == 1
    assert "found no column 'score'" in capsys.readouterr().err
    assert main([*given, str(tmp_path / "none.csv")]) == 1
    assert "found no such file" in capsys.readouterr().err


def test_transfer_refuses_data_sets_that_hold_the_region(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Path(__file__).parents[2] / "training" / "configs" / "picker.toml"
    given = ["train", "transfer", f"--config={config}", f"--out={tmp_path / 'out'}"]
    assert main([*given, f"--dataset=north={dataset}"]) == 2
    assert (
        'found left out nothing, expected north; build it with [split] left_out = ["north"]' in capsys.readouterr().err
    )
    assert main([*given, f"--dataset={dataset}"]) == 2
    assert "expected REGION=DIR" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
