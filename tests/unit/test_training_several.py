"""`kensoku train all` and `kensoku train ablate`, with stand-ins for the trainings."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kensoku.cli import _train_ablate, _train_all
from kensoku.cli.main import main
from kensoku.cli.train import MODELS
from kensoku.training.ablation import half_width, read_ablation, table, trials
from kensoku.training.run_list import read_list
from kensoku.training.run_settings import read_tables

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
    return path


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
    given = ["--config", str(list_file), "--dataset", "set", "--out", "runs", "--report", str(report)]
    assert main(["train", "ablate", *given]) == 0
    assert "| no stretch | 1 | -0.100 ± inf |" in report.read_text()
    assert capsys.readouterr().out == report.read_text()


def test_all_shipped_models_are_trained_shipped_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained, shipped = [], []

    def run(model: str, _options: Any, _stop: Any, **order: Any) -> Any:
        trained.append((model, order["config"].name, str(order["dataset"]), order["out"].name))
        return SimpleNamespace(step=5, best_merit=0.5, best_step=5)

    def ship(entry: Any, *_: Any) -> int:
        shipped.append(entry.name)
        return 0

    monkeypatch.setattr(_train_all, "run", run)
    monkeypatch.setattr(_train_all, "ship", ship)
    given = ["--config", str(CONFIGS / "all.toml"), "--out", str(tmp_path), "--repository", str(tmp_path)]
    assert main(["train", "all", *given, "--dataset", "picker=set"]) == 0
    assert trained[:2] == [
        ("picker", "picker.toml", "set", "picker"),
        ("picker", "picker_live.toml", "set", "picker_live"),
    ]
    assert shipped[:2] == ["picker", "picker_live"]


def test_a_list_without_its_data_set_is_refused_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config", str(CONFIGS / "all.toml"), "--out", str(tmp_path)]
    assert main(["train", "all", *given, "--dataset", "other=set"]) == 2
    assert "expected it for picker" in capsys.readouterr().err


def test_shipped_lists_name_files_that_are_there() -> None:
    assert all(entry.config.is_file() for entry in read_list(read_tables(CONFIGS / "all.toml"), tuple(MODELS)))
    assert read_ablation(read_tables(CONFIGS / "ablation.toml")).config.is_file()
