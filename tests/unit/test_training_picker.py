"""`kensoku train picker`, from a data set on disk to weights, with a small network."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kensoku.cli.main import main
from kensoku.errors import SettingInvalid
from kensoku.training.batches import Recipe
from kensoku.training.datasets import read
from kensoku.training.datasets.building import MANIFEST
from kensoku.training.datasets.shards import write_shard
from kensoku.training.examples import Example, Onset, Origin
from kensoku.training.networks import build_picker
from kensoku.training.picker_run import read_settings, tell_absent
from kensoku.training.run_settings import read_tables
from kensoku.training.scores import judges_picking
from tests import tiny_models

SETTINGS = """
[network]
channels = [4, 4]
kernel = 3
dilations = [1]

[recipe]
length = 512
mix = { made = 1.0 }

[training]
steps = 6
epoch_steps = 3
batch = 4
judge_epochs = 1
stretches = [1, 2]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    (folder / "set").mkdir()
    (folder / "run.toml").write_text(SETTINGS)
    for side, seed in (("train", 1), ("develop", 2)):
        write_shard(folder / "set" / f"{side}-00000.npz", [earthquake(seed * 100 + n) for n in range(6)])
    manifest = {
        "description": {"formats": ["npz"]},
        "files": {f"{side}-00000.npz": "" for side in ("train", "develop")},
    }
    (folder / "set" / MANIFEST).write_text(json.dumps(manifest))
    assert train(folder, "out") == 0
    return folder


def earthquake(seed: int) -> Example:
    chance = np.random.default_rng(seed)
    counts = chance.normal(0, 10, (3, 1500)).astype(np.float32)
    counts[0, 600:] += chance.normal(0, 200, 900)
    counts[1:, 900:] += chance.normal(0, 500, (2, 600))
    origin = Origin(source="made", region="nowhere", station=f"XX.{seed}", kind="earthquake")
    return Example(counts, (Onset("P", 600), Onset("S", 900)), (), origin)


def train(place: Path, out: str, *more: str) -> int:
    given = ["--config", str(place / "run.toml"), "--dataset", str(place / "set"), "--out", str(place / out)]
    return main(["train", "picker", *given, *more])


def test_a_data_set_becomes_weights_and_a_log(place: Path) -> None:
    settings = read_settings(read_tables(place / "run.toml"))
    build_picker(settings.network).load_weights(place / "out" / "best.weights.h5")
    with (place / "out" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["3", "6"]
    assert all(0 <= float(row["p2_recall"]) <= 1 and 0 <= float(row["merit"]) <= 1 for row in rows)


def test_records_must_fit_the_network(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text("[recipe]\nlength = 3001\n")
    with pytest.raises(SettingInvalid, match=r"run.toml:2: recipe.length: found 3001, expected a multiple of 16"):
        read_settings(read_tables(config))


def test_sources_that_a_data_set_or_the_mix_lacks_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    pools = {"made": [earthquake(1)], "mine": [earthquake(2)]}
    tell_absent(Recipe(mix={"made": 0.5, "ncedk": 0.5, "quiet": 0.1}), pools, Path("set"))
    told = capsys.readouterr().err
    assert "recipe.mix: found no ncedk, quiet in set, expected some; going on with made" in told
    assert "recipe.mix: found nothing of mine of set, expected a share; going on without" in told


def test_a_data_set_without_labels_to_judge_by_is_told(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(place / "set", tmp_path / "set")
    shutil.copy(place / "run.toml", tmp_path)
    write_shard(tmp_path / "set" / "develop-00000.npz", [replace(earthquake(1), onsets=())])
    assert train(tmp_path, "out") == 0
    assert "found no label of a recorded wave in split develop, expected some to judge by" in capsys.readouterr().err
    assert (tmp_path / "out" / "best.weights.h5").exists()


@pytest.mark.parametrize("line", ["seed = 4294967296", "learning_rate = 1e300", "batch = true", 'steps = "6"'])
def test_numbers_that_end_a_run_are_refused(line: str, tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(f"[training]\n{line}\n")
    with pytest.raises(SettingInvalid, match=rf"run.toml:2: training.{line.split()[0]}: found"):
        read_settings(read_tables(config))


def test_a_run_with_other_settings_needs_a_folder_of_its_own(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "changed.toml").write_text(SETTINGS.replace("kernel = 3", "kernel = 5"))
    assert train(place, "out", "--config", str(place / "changed.toml")) == 2
    assert "give another --out" in capsys.readouterr().err


def test_a_run_begins_with_the_weights_of_another(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = place / "slow.toml"
    slow.write_text(SETTINGS.replace("steps = 6", "steps = 1\nlearning_rate = 1e-9\nwarmup_steps = 0"))
    start = place / "out" / "best.weights.h5"
    assert train(place, "again", "--config", str(slow), "--start", str(start)) == 0
    network = read_settings(read_tables(slow)).network
    before, after = build_picker(network), build_picker(network)
    before.load_weights(start)
    after.load_weights(place / "again" / "last.weights.h5")
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(before.get_weights(), after.get_weights(), strict=True))
    assert train(place, "again", "--config", str(slow)) == 2
    assert "other settings" in capsys.readouterr().err
    wide = place / "wide.toml"
    wide.write_text(SETTINGS.replace("[4, 4]", "[4, 8]"))
    assert train(place, "wide", "--config", str(wide), "--start", str(start)) == 1
    assert f"{start}: expected weights of the network" in capsys.readouterr().err


def test_a_teacher_changes_what_is_learned_and_belongs_to_the_run(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_models.write_model(place, "teacher", tiny_models.card())
    taught = ["--teacher", str(place / "teacher")]
    assert train(place, "taught", *taught) == 0
    losses = []
    for out in ("out", "taught"):
        with (place / out / "log.csv").open() as file:
            losses.append([row["loss"] for row in csv.DictReader(file)])
    assert losses[0] != losses[1]
    assert train(place, "taught", *taught) == 0
    tiny_models.write_model(place, "another", tiny_models.card(), is_causal=True)
    for teachers in ([], ["--teacher", str(place / "another")]):
        assert train(place, "taught", *teachers) == 2
        assert "other settings" in capsys.readouterr().err


def test_a_teacher_of_another_model_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--config", str(place / "run.toml"), "--dataset", str(place / "set"), "--out", str(place / "no")]
    assert main(["train", "phase", *given, "--teacher", str(place / "teacher")]) == 2
    assert "--teacher, expected it with picker alone" in capsys.readouterr().err


def test_no_minute_leaves_nothing_trained(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(place, "never", "--minutes", "0") == 0
    assert "0 steps" in capsys.readouterr().out


def test_short_and_simulated_records_judge_nothing(place: Path) -> None:
    [first, *_] = read(place / "set", split="develop")
    assert judges_picking(first)
    short = Example(first.counts[:, :900], (), (), first.origin)
    assert not judges_picking(short)
