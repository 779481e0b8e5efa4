"""`kensoku train ablate` with a stand-in for the trainings, and the lists that are shipped."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kensoku.cli import _train_ablate
from kensoku.cli.main import main
from kensoku.cli.train import MODELS
from kensoku.training.ablation import half_width, read_ablation, refuse_mistakes, table, trials
from kensoku.training.classifier_run import classes_of
from kensoku.training.networks import ClassifierConfig, NetworkConfig
from kensoku.training.run_list import Build, Train, read_list
from kensoku.training.run_settings import read_tables
from kensoku.training.shipping import card_of_cuts, card_of_picker

CONFIGS = Path(__file__).parents[2] / "training" / "configs"
ABLATION = """
[ablation]
config = "picker.toml"
windows = 100
seeds = [1, 2]
[[ablation.variants]]
name = "no stretch"
changes.recipe = { stretch = 0.0 }
"""


@pytest.fixture
def list_file(tmp_path: Path) -> Path:
    path = tmp_path / "list.toml"
    path.write_text(ABLATION)
    (tmp_path / "picker.toml").write_text("[recipe]\nstretch = 0.5\n")
    return path


def data_set(folder: Path, *splits: str) -> Path:
    folder.mkdir()
    counts = [{"split": split, "examples": 3} for split in splits]
    (folder / "manifest.json").write_text(json.dumps({"counts": counts, "files": {}}))
    return folder


def test_every_variant_and_seed_is_a_run_of_its_own_judged_at_its_end(list_file: Path) -> None:
    found = list(trials(read_ablation(read_tables(list_file))))
    assert [(each.variant, each.seed, each.folder) for each in found] == [
        ("as it is", 1, "00-1"),
        ("no stretch", 1, "01-1"),
        ("as it is", 2, "00-2"),
        ("no stretch", 2, "01-2"),
    ]
    assert found[1].changes["recipe"] == {"stretch": 0.0}
    assert found[1].changes["training"] == {"steps": 4, "batch": 32, "judge_epochs": 4, "epoch_steps": 4, "seed": 1}


def test_a_table_states_what_each_part_is_worth_seed_by_seed() -> None:
    found = {
        ("as it is", 1): {"merit": 0.60},
        ("no stretch", 1): {"merit": 0.50},
        ("as it is", 2): {"merit": 0.70},
        ("no stretch", 2): {"merit": 0.60},
    }
    assert "| no stretch | 2 | -0.100 ± 0.000 |" in table(found)
    assert "| as it is | 2 | 0.650 ± 0.316 |" in table(found)  # 6.314 x 0.0707 / sqrt(2)


def test_one_seed_has_no_interval() -> None:
    import numpy as np

    assert half_width(np.array([0.5])) == float("inf")


def test_an_ablation_is_written_as_far_as_it_came(
    list_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    merits = iter([0.6, 0.5, 0.7])

    def run(*_: Any, **order: Any) -> Any:
        assert order["judged_by"] == "left_out"
        assert order["config"] == list_file.parent / "picker.toml"
        merit = next(merits, None)  # the fourth was stopped
        return SimpleNamespace(history=[] if merit is None else [{"merit": merit}])

    monkeypatch.setattr(_train_ablate, "run", run)
    report = list_file.parent / "report.md"
    folder = data_set(list_file.parent / "set", "train", "left_out")
    given = ["--config", str(list_file), "--dataset", str(folder), "--out", "runs", "--report", str(report)]
    assert main(["train", "ablate", *given]) == 0
    assert "| no stretch | 1 | -0.100 ± inf |" in report.read_text()
    assert capsys.readouterr().out == report.read_text()


def test_what_an_ablation_cannot_do_is_told_before_its_first_trial(
    list_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_train_ablate, "run", None)
    folder = data_set(list_file.parent / "set", "train", "develop")
    given = ["train", "ablate", "--config", str(list_file), "--dataset", str(folder), "--out", "runs"]
    assert main(given) == 2
    assert "set: found no example in split 'left_out', expected some to judge by" in capsys.readouterr().err
    list_file.write_text(ABLATION.replace("stretch = 0.0", "stretsh = 0.0"))
    assert main(given) == 2
    assert "list.toml:8: recipe.stretsh: found 'stretsh', expected one of length" in capsys.readouterr().err


def test_shipped_lists_name_files_that_are_there() -> None:
    steps = read_list(read_tables(CONFIGS / "all.toml"), tuple(MODELS))
    assert [step.name for step in steps][:6] == ["simulated", "set_1", "picker_1", "found", "aftershocks", "foreshocks"]
    assert all(step.config.is_file() for step in steps if isinstance(step, Train))
    assert all(step.description.is_file() for step in steps if isinstance(step, Build))
    for name in ("ablation", "look_ahead"):
        tables = read_tables(CONFIGS / f"{name}.toml")
        refuse_mistakes(read_ablation(tables), tables)


def test_what_shipped_settings_make_can_be_shipped() -> None:
    for step in read_list(read_tables(CONFIGS / "all.toml"), tuple(MODELS)):
        if isinstance(step, Train):
            tables = read_tables(step.config)
            if step.model == "picker":
                card = card_of_picker(tables.read("network", NetworkConfig), step.description, step.last)
            else:
                card = card_of_cuts(tables.read("network", ClassifierConfig), step.description, classes_of(step.model))
            assert card.geometry.window % card.geometry.stride == 0
