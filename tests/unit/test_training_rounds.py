"""`kensoku train all`: from records and the simulator to models in two rounds, with a stand-in for the trainings."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import obspy
import pytest

from kensoku.cli import _dataset_pick, _train_steps
from kensoku.cli.main import main
from kensoku.cli.train import MODELS
from kensoku.errors import SettingInvalid
from kensoku.picking import CARD, read_card
from kensoku.training import datasets
from kensoku.training.run_list import read_list
from kensoku.training.run_settings import read_tables
from tests import tiny_models

LIST = """
[[steps]]
name = "simulated"
kind = "simulate"
count = 4
[[steps]]
name = "set_1"
kind = "build"
description = "one.toml"
[[steps]]
name = "picker_1"
kind = "train"
model = "picker"
config = "picker.toml"
dataset = "set_1"
description = "first"
is_shipped = false
[[steps]]
name = "found"
kind = "pick"
models = ["picker_1"]
[steps.files]
windows = "{recorded}/some.h5"
[[steps]]
name = "set_2"
kind = "build"
description = "two.toml"
[[steps]]
name = "picker"
kind = "train"
model = "picker"
config = "picker.toml"
dataset = "set_2"
description = "second"
"""
FIRST = """
name = "one"
[split]
develop_share = 0.0
[[sources]]
name = "windows"
kind = "windows"
path = "{recorded}/some.h5"
licence = "x"
columns = { station = "{sta}" }
[[sources]]
name = "simulated"
kind = "simulated"
path = "{simulated}"
licence = "x"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A list, and recorded windows of which P alone is labelled."""
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    path = tiny_models.write_windows(recorded / "some.h5", tiny_models.pulses(4, 1000))
    with h5py.File(path, "a") as file:
        file["p"], file["s"] = np.full(4, 300.0), np.full(4, np.nan)
    path.with_suffix(".csv").write_text("sta\nA\nB\nC\nD\n")
    (tmp_path / "all.toml").write_text(LIST)
    (tmp_path / "one.toml").write_text(FIRST)
    completed = 'licence = "x"\ncomplete = { picks = "{found}/windows.csv", least_score = 0.3 }\ncolumns'
    (tmp_path / "two.toml").write_text(FIRST.replace('licence = "x"\ncolumns', completed))
    (tmp_path / "picker.toml").write_text("[training]\nsteps = 1\n")
    return tmp_path


@pytest.fixture
def found_teachers() -> list[Path]:
    """Of all trainings."""
    return []


@pytest.fixture
def trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch, found_teachers: list[Path]
) -> list[tuple[str, float | None]]:
    """What was trained, and how much was known to it; networks are pickers of pulses."""
    found: list[tuple[str, float | None]] = []

    def run(_model: str, _options: Any, _stop: threading.Event, **order: Any) -> Any:
        found_teachers.extend(order.get("teachers", ()))
        examples = [each for each in datasets.read(order["dataset"]) if each.origin.source == "windows"]
        weights = [onset.weight for example in examples for onset in example.onsets if onset.phase == "S"]
        found.append((order["out"].name, max(weights, default=None)))
        return SimpleNamespace(step=1, best_merit=0.5, best_step=1)

    def call(*given: str) -> None:
        if given[:2] == ("models", "ship"):
            write_picker(folder / "out" / "models", given[2])

    monkeypatch.setattr(_train_steps, "run", run)
    monkeypatch.setattr(_train_steps, "call", call)
    return found


def write_picker(repository: Path, name: str) -> Path:
    tiny_models.write_model(repository, name, tiny_models.card(label_s=0.0))
    return repository / name


def test_models_of_steps_before_teach_a_later_one(
    folder: Path, trained: list[tuple[str, float | None]], found_teachers: list[Path]
) -> None:
    (folder / "all.toml").write_text(LIST + 'teachers = ["picker_1"]\n')
    assert all_of(folder) == 0
    assert found_teachers == [folder / "out" / "models" / "picker_1"]
    (folder / "all.toml").write_text(LIST + 'teachers = ["picker"]\n')
    assert all_of(folder) == 2


def all_of(folder: Path, *given: str) -> int:
    """The whole command."""
    where = ["--out", str(folder / "out"), "--repository", str(folder / "repository")]
    return main(
        ["train", "all", "--config", str(folder / "all.toml"), "--data", f"recorded={folder}/recorded", *where, *given]
    )


def test_a_second_round_learns_what_the_first_found_and_only_it_is_shipped(
    folder: Path, trained: list[tuple[str, float | None]]
) -> None:
    assert all_of(folder) == 0
    assert [name for name, _ in trained] == ["picker_1", "picker"]
    assert trained[0][1] is None
    assert trained[1][1] == pytest.approx(
        0.49 / 2, abs=0.02
    )  # of S; half of the votes, for a pulse turned over is none
    assert [path.name for path in (folder / "repository").iterdir()] == ["picker"]


def test_the_next_model_of_a_name_keeps_the_words_of_its_card(
    folder: Path, trained: list[tuple[str, float | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`models ship` takes them from the card that it finds in its place."""
    card = replace(tiny_models.card(label_s=0.0), intended_use="to pick", limits="few", licence="MIT")
    (folder / "repository" / "picker").mkdir(parents=True)
    (folder / "repository" / "picker" / CARD).write_text(card.to_json())
    asked: list[tuple[str, ...]] = []
    stand_in = _train_steps.call

    def call(*given: str) -> None:
        asked.append(given)
        if given[:3] == ("models", "ship", "picker"):
            assert read_card(folder / "out" / "models", "picker").limits == "few"
        stand_in(*given)

    monkeypatch.setattr(_train_steps, "call", call)
    assert all_of(folder) == 0
    judged = next(given for given in asked if given[:3] == ("models", "judge", "picker"))
    assert judged[judged.index("--false-per-hour") + 1] == "3.9"


STEP = """
[[steps]]
name = "{name}"
kind = "train"
model = "{model}"
config = "picker.toml"
dataset = "set_1"
description = "of a test"
{more}
"""


@pytest.mark.parametrize(
    ("model", "more", "shipped", "completed"),
    [
        ("phase", "", ("--classes", "noise,P,S"), ("models", "judge", "x")),
        (
            "denoiser",
            'records = ["{recorded}/hour.mseed,{found}/hour.csv"]',
            ("--classes", "noise,onset"),
            ("evaluate", "denoiser", "--model", "x", "--settle"),
        ),
        ("blast", "", ("--classes", "earthquake,blast"), ("evaluate", "blasts", "--model", "x", "--settle")),
        ("blast_long", "", ("--classes", "earthquake,blast"), ("evaluate", "blasts", "--model", "x", "--settle")),
        ("picker", 'settled_by = "picker"', (), ("models", "settle", "x", "--final", "picker")),
        ("picker", 'teachers = ["picker"]', ("--teacher", "out/models/picker"), ("models", "judge", "x")),
    ],
)
def test_the_card_of_whatever_is_shipped_is_completed(
    folder: Path,
    trained: list[tuple[str, float | None]],
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    more: str,
    shipped: tuple[str, ...],
    completed: tuple[str, ...],
) -> None:
    """By the command that a person would call; its threshold, scores, data and teachers."""
    (folder / "all.toml").write_text(
        LIST + STEP.replace("{name}", "x").replace("{model}", model).replace("{more}", more)
    )
    asked: list[tuple[str, ...]] = []
    stand_in = _train_steps.call

    def call(*given: str) -> None:
        asked.append(given)
        stand_in(*given)

    monkeypatch.setattr(_train_steps, "call", call)
    assert all_of(folder) == 0
    ship, complete = asked[-2:]
    assert ship[:3] == ("models", "ship", "x")
    assert complete[: len(completed)] == completed
    for given in (ship, complete):
        assert given[given.index("--dataset") + 1] == str(folder / "out" / "set_1")
    told = " ".join(ship).replace(f"{folder}/", "")
    assert " ".join(shipped) in told
    records = [complete[n + 1] for n, each in enumerate(complete) if each == "--records"]
    assert records == ([f"{folder}/recorded/hour.mseed,{folder}/out/found/hour.csv"] if model == "denoiser" else [])


def test_a_model_that_is_given_is_begun_with_and_settles_a_first_stage(
    folder: Path, trained: list[tuple[str, float | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder has a graph and no weights, and it is none of the models that were trained."""
    starts: list[Any] = []

    def begun(*_: Any, **order: Any) -> Any:
        starts.append(order["start"])
        return SimpleNamespace(step=1, best_merit=0.5, best_step=1)

    monkeypatch.setattr(_train_steps, "run", begun)
    step = (
        STEP.replace("{name}", "x")
        .replace("{model}", "picker")
        .replace("{more}", 'start = "picker"\nsettled_by = "picker"')
    )
    (folder / "all.toml").write_text(LIST + step)
    given = write_picker(folder / "elsewhere", "some_picker")
    assert all_of(folder, "--data", f"picker={given}") == 0
    assert starts == [None, given / "1" / "model.onnx"]
    assert read_card(folder / "out" / "models", "picker") == read_card(given.parent, given.name)
    (given / "1" / "model.onnx").unlink()
    (given / "1").rmdir()
    (folder / "out" / "x.json").unlink()
    assert all_of(folder, "--data", f"picker={given}") == 2


def test_what_is_done_is_not_done_again(
    folder: Path, trained: list[tuple[str, float | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert all_of(folder, "--minutes", "0") == 0
    assert trained == []
    assert all_of(folder) == 0
    times = {path: path.stat().st_mtime_ns for path in (folder / "out").rglob("*.npz")}
    capsys.readouterr()
    assert all_of(folder) == 0
    assert len(trained) == 2
    assert {path: path.stat().st_mtime_ns for path in (folder / "out").rglob("*.npz")} == times
    assert capsys.readouterr().out.splitlines()[-1] == "picker: done"


def test_a_step_that_was_stopped_goes_on(
    folder: Path, trained: list[tuple[str, float | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    pick = _dataset_pick.pick_file

    def stopped(*given: Any) -> Any:
        for count in pick(*given):
            stop.set()
            yield count

    monkeypatch.setattr(_dataset_pick, "pick_file", stopped)
    monkeypatch.setattr(_train_steps.Clock, "has_struck", lambda _: stop.is_set())
    assert all_of(folder) == 0
    assert json.loads((folder / "out/found.json").read_text())["is_done"] is False
    assert not (folder / "out/found/windows.csv").exists()
    stop.clear()
    monkeypatch.setattr(_dataset_pick, "pick_file", pick)
    assert all_of(folder) == 0
    assert [name for name, _ in trained] == ["picker_1", "picker"]


def test_other_settings_are_refused_from_the_step_on_that_they_change(
    folder: Path, trained: list[tuple[str, float | None]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert all_of(folder) == 0
    (folder / "all.toml").write_text(LIST.replace('models = ["picker_1"]', 'models = ["picker_1"]\nthreshold = 0.4'))
    assert all_of(folder) == 2
    told = capsys.readouterr().err
    assert "found.json: found found made with other settings or of other steps" in told
    assert len(trained) == 2


def test_a_folder_that_is_given_stands_for_a_step(folder: Path, trained: list[tuple[str, float | None]]) -> None:
    picker = write_picker(folder / "elsewhere", "picker")
    assert all_of(folder, "--data", f"picker_1={picker}") == 0
    assert [name for name, _ in trained] == ["picker"]
    assert trained[0][1] is not None


def test_what_nobody_names_is_told_before_the_first_step(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "all", "--config", str(folder / "all.toml"), "--out", str(folder / "out")]) == 2
    assert "found no --data recorded=DIR, expected it for set_1" in capsys.readouterr().err
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "found"', 'name = "set_1"', r"all.toml:19: steps.3.name: found 'set_1' twice"),
        ('model = "picker"', 'model = "pickre"', "found 'pickre', expected one of picker"),
        ('dataset = "set_1"', 'dataset = "set_2"', r"found \{set_2\}, which is made later or here"),
        ("count = 4", "count = 0", "steps.0.count: found 0: Input should be greater than 0"),
        ('kind = "pick"', 'kind = "picks"', "found .*picks"),
        ('models = ["picker_1"]', 'model = "picker_1"', "steps.3"),
    ],
)
def test_mistakes_in_a_list_are_told_with_their_line(folder: Path, old: str, new: str, told: str) -> None:
    (folder / "all.toml").write_text(LIST.replace(old, new, 1))
    with pytest.raises(SettingInvalid, match=told):
        read_list(read_tables(folder / "all.toml"), tuple(MODELS))


def test_records_of_an_hour_are_labelled_by_association(folder: Path, trained: list[tuple[str, float | None]]) -> None:
    pytest.importorskip("pyocto")
    traces, rows = [], ["id,lat,lon,elev_m"]
    for number in range(6):
        latitude, longitude = 35 + 0.1 * np.cos(number), -117 + 0.1 * np.sin(number)
        rows.append(f"XX.S{number},{latitude},{longitude},0")
        km = np.hypot(np.hypot((latitude - 35) * 110.9, (longitude + 117) * 91.3), 8)
        counts = tiny_models.pulses(1, 6000, p=2000 + 100 * km / 6.0, s=2000 + 100 * km / 3.45)[0]
        header = {"network": "XX", "station": f"S{number}", "starttime": obspy.UTCDateTime(2024, 1, 1)}
        for row, component in zip(counts, "ZNE", strict=True):
            shown = {**header, "channel": f"HH{component}", "sampling_rate": 100.0}
            traces.append(obspy.Trace(row.astype(np.int32), shown))
    obspy.Stream(traces).write(str(folder / "recorded/hour.mseed"), format="MSEED")
    (folder / "recorded/stations.csv").write_text("\n".join(rows) + "\n")
    step = """
[[steps]]
name = "aftershocks"
kind = "associate"
stations = "{recorded}/stations.csv"
picks = ["{found}/hour.csv"]
least_score = 0.3
"""
    whole = LIST.replace("some.h5", 'some.h5"\nhour = "{recorded}/hour.mseed')
    (folder / "all.toml").write_text(whole + step)
    assert all_of(folder) == 0
    events = [line.split(",")[4] for line in (folder / "out/aftershocks/picks.csv").read_text().splitlines()[1:]]
    assert events.count("0") == 12


def test_beside_several_versions_a_model_is_the_next_and_leftovers_are_cleared_away(tmp_path: Path) -> None:
    """Live replicas may still ask the others."""
    made, there = write_picker(tmp_path / "made", "picker"), write_picker(tmp_path / "there", "picker")
    (there / "2").mkdir()
    (there / "2" / "model.onnx").write_bytes(b"the second")
    (tmp_path / "there" / ".put-picker" / "new").mkdir(parents=True)  # of a call that was killed
    _train_steps.put(made, there)
    versions = {path.parent.name: path.read_bytes() for path in there.glob("*/model.onnx")}
    assert sorted(versions) == ["1", "2", "3"]
    assert versions["2"] == b"the second"
    assert versions["3"] == (made / "1" / "model.onnx").read_bytes()
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["picker"]
