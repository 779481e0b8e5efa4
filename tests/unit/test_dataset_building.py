"""A description makes a data set, the same one each time, and tells what is wrong with it."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from kensoku.cli.main import main
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.simulation.shards import Plan, write_shards
from kensoku.training import datasets
from kensoku.training.datasets.description import load_description, read_description
from kensoku.training.datasets.simulated import find_simulated
from kensoku.training.datasets.windows_file import Columns, WindowsFile, read_windows_h5
from kensoku.training.scores import TRUSTED

TEXT = """
name = "small"
seed = 1
shard_examples = 20
[split]
develop_share = 0.3
left_out = ["south"]
[[sources]]
name = "north"
kind = "windows"
path = "{data}/north.h5"
licence = "CC-BY-4.0"
region = "north"
columns = { station = "{net}.{sta}", event = "{event}", magnitude = "{mag}" }
conditions = { magnitude = [1.0, 9.0], columns = { quality = ["A", "B"] } }
[[sources]]
name = "south"
kind = "windows"
path = "{data}/south.h5"
licence = "unknown"
region = "south"
columns = { station = "{net}.{sta}" }
[[sources]]
name = "spikes"
kind = "spikes"
path = "{data}/spikes.h5"
licence = "unknown"
[[sources]]
name = "simulated"
kind = "simulated"
path = "{data}/simulated"
licence = "Apache-2.0"
"""
COUNT = 60


def write_windows(path: Path) -> None:
    chance = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file.attrs["sampling_rate"] = 100
        file["X"] = chance.integers(-1000, 1000, size=(COUNT, 3, 800)).astype(np.int16)
        file["scale"] = np.full((COUNT, 3), 0.5, np.float32)
        file["p"] = np.full(COUNT, 300, np.float32)
        file["s"] = np.where(np.arange(COUNT) % 2, 400, np.nan).astype(np.float32)
    rows = [f"{path.stem[:1]},S{n},e{n},{n % 4},{'ABC'[n % 3]}" for n in range(COUNT)]
    path.with_suffix(".csv").write_text("\n".join(["net,sta,event,mag,quality", *rows]))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_windows(folder / "north.h5")
    write_windows(folder / "south.h5")
    with h5py.File(folder / "spikes.h5", "w") as file:
        file["X"] = np.array([[30.0, -28, 40, 0, 0]] * 4, np.float32)
        file["label"] = [b"abnormal", b"abnormal", b"normal", b"normal"]
    list(write_shards(folder / "simulated", Plan(seed=1, count=8), jobs=1))
    (folder / "small.toml").write_text(TEXT)
    return folder


def build(data: Path, out: Path) -> int:
    return main(["dataset", "build", str(data / "small.toml"), "--data", f"data={data}", "--out", str(out)])


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_a_description_names_is_collected_split_and_written(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(data, tmp_path / "set") == 0
    assert "left_out  south" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert manifest["licences"]["north"] == "CC-BY-4.0"
    assert "north/north.csv" in manifest["inputs"]
    examples = list(datasets.read(tmp_path / "set"))
    assert sum(row["examples"] for row in manifest["counts"]) == len(examples)
    north = [example for example in examples if example.origin.source == "north"]
    assert len(north) == 30  # magnitude 1 or more, quality A or B
    assert len(list(datasets.read(tmp_path / "set", "left_out"))) == COUNT
    develop = list(datasets.read(tmp_path / "set", "develop", {"north"}))
    assert {example.origin.source for example in develop} == {"north"}
    onset = next(example for example in north if len(example.onsets) == 2).onsets[1]
    assert (onset.phase, onset.sample) == ("S", 400)


def test_stations_of_a_simulated_blast_have_one_event(tmp_path: Path) -> None:
    list(write_shards(tmp_path / "blasts", Plan(seed=1, count=8, of="blasts"), jobs=1))
    origins = [record.origin for record in find_simulated(tmp_path / "blasts", "blasts")]
    assert [origin.event for origin in origins] == ["blasts-0"] * 4 + ["blasts-1"] * 4
    assert len({origin.station for origin in origins}) == 8
    assert {origin.kind for origin in origins} <= {"blast", "earthquake"}


def test_a_stopped_build_goes_on_and_makes_the_same_bytes(data: Path, tmp_path: Path) -> None:
    build(data, tmp_path / "whole")
    description = load_description(data / "small.toml")
    steps = datasets.build(tmp_path / "stopped", description, {"data": data})
    next(step for step in steps if step.what == "writing")
    steps.close()  # type: ignore[attr-defined]  # a generator
    build(data, tmp_path / "stopped")
    assert content(tmp_path / "whole") == content(tmp_path / "stopped")


def test_damaged_shards_are_told_and_missing_ones_made_anew(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(data, tmp_path / "set")
    whole = content(tmp_path / "set")
    shard = next((tmp_path / "set").glob("train-*.npz"))
    for damaged in (b"no zip", whole[shard.name][: len(whole[shard.name]) // 2]):
        shard.write_bytes(damaged)
        with pytest.raises(InputInvalid, match=rf"{shard.name}: found a damaged shard .*; delete what is left"):
            list(datasets.read(tmp_path / "set"))
    assert build(data, tmp_path / "set") == 1
    assert f"found {shard.name} damaged, expected them as they were built; delete" in capsys.readouterr().err
    shard.unlink()
    with pytest.raises(InputInvalid, match="found no such shard"):
        list(datasets.read(tmp_path / "set"))
    assert build(data, tmp_path / "set") == 0
    assert content(tmp_path / "set") == whole


def test_another_description_is_refused(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build(data, tmp_path / "set")
    other = tmp_path / "other.toml"
    other.write_text(TEXT.replace("seed = 1", "seed = 2"))
    assert main(["dataset", "build", str(other), "--data", f"data={data}", "--out", str(tmp_path / "set")]) == 2
    assert "differs in seed" in capsys.readouterr().err


def test_a_folder_that_nobody_named_is_told(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "build", str(data / "small.toml"), "--out", str(tmp_path / "set")]) == 2
    assert "--data data=DIR" in capsys.readouterr().err


def test_a_models_picks_stand_where_nobody_labelled(data: Path, tmp_path: Path) -> None:
    rows = ["0,S,410.5,0.9", "0,S,420,0.6", "1,S,410,0.9", "2,S,310,0.9", "4,S,400,0.1"]
    (tmp_path / "picks.csv").write_text("\n".join(["window,phase,sample,score", *rows]))
    text = TEXT.replace(
        "conditions =", 'complete = { picks = "{model}/picks.csv" }\nlabels = { shift_s_samples = 7 }\n#'
    )
    source = read_description(text, "small.toml").sources[0]
    examples = [record.load() for record in source.records({"data": data, "model": tmp_path})]
    onsets = [[(each.sample, each.weight) for each in example.onsets if each.phase == "S"] for example in examples]
    assert onsets[:2] == [
        [(410.5, pytest.approx(0.441))],
        [(407, 1)],
    ]  # nobody labelled the first, the second keeps its label
    assert (onsets[2], onsets[4]) == ([], [])  # too near P, too small a score
    assert examples[0].unknown == ()
    assert [span.phase for span in examples[2].unknown] == ["S"]


def test_what_a_model_finds_apart_from_the_earthquake_is_neither_onset_nor_noise(data: Path, tmp_path: Path) -> None:
    """Window 1 has P at 300 and S at 400."""
    rows = ["1,P,90,0.9", "1,P,110,0.2", "1,P,305,0.9", "3,P,110,0.2"]
    (tmp_path / "picks.csv").write_text("\n".join(["window,phase,sample,score", *rows]))
    text = TEXT.replace(
        "conditions =", 'complete = { picks = "{model}/picks.csv" }\nlabels = { is_searched = false }\n#'
    )
    source = read_description(text, "small.toml").sources[0]
    records = list(source.records({"data": data, "model": tmp_path}))
    shown, faint = records[1].load(), records[3].load()
    assert {(span.phase, span.first, span.last) for span in shown.unknown} == {("P", 0, 200), ("S", 0, 200)}
    assert [onset.sample for onset in shown.onsets] == [300, 400]
    assert faint.unknown == ()
    assert records[1].load_for("develop").unknown == ()  # a model's picks do not judge


def test_a_models_picks_teach_and_do_not_judge(data: Path, tmp_path: Path) -> None:
    (tmp_path / "picks.csv").write_text(
        "window,phase,sample,score\n" + "".join(f"{n},S,410,0.9\n" for n in range(COUNT))
    )
    text = TEXT.replace("conditions =", 'complete = { picks = "{model}/picks.csv" }\n#').replace('["south"]', "[]")
    list(datasets.build(tmp_path / "set", read_description(text, "x.toml"), {"data": data, "model": tmp_path}))
    weak = {
        side: [
            onset.weight < TRUSTED
            for example in datasets.read(tmp_path / "set", side, {"north"})
            for onset in example.onsets
            if onset.phase == "S"
        ]
        for side in ("train", "develop")
    }
    assert any(weak["train"])
    assert weak["develop"]
    assert not any(weak["develop"])
    judges = list(datasets.read(tmp_path / "set", "develop", {"north"}))
    assert {bool(each.unknown) for each in judges if len(each.onsets) == 1} == {True}  # S stays unknown


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        ("X", h5py.SoftLink("/X"), "found no X; expected X"),
        ("scale", np.ones(COUNT), r"scale of shape \(60,\)"),
        ("X", np.zeros((COUNT, 1, 800)), r"found X of shape \(60, 1, 800\)"),
    ],
)
def test_windows_of_another_shape_are_refused(data: Path, tmp_path: Path, name: str, array: object, told: str) -> None:
    for ending in (".h5", ".csv"):
        shutil.copy(data / f"north{ending}", tmp_path)
    with h5py.File(tmp_path / "north.h5", "a") as file:
        del file[name]
        file[name] = array
    windows = WindowsFile(path=tmp_path / "north.h5", source="", region="", columns=Columns(station="{sta}"))
    with pytest.raises(InputInvalid, match=told):
        list(read_windows_h5(windows))


@pytest.mark.parametrize(("share", "is_told"), [(0.3, False), (0.0, True)])
def test_a_data_set_that_judges_nothing_is_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], share: float, is_told: bool
) -> None:
    (tmp_path / "small.toml").write_text(TEXT.replace("develop_share = 0.3", f"develop_share = {share}"))
    given = [str(tmp_path / "small.toml"), "--data", f"data={data}", "--out", str(tmp_path / "set")]
    assert main(["dataset", "build", *given]) == 0
    assert ("found no label in split develop, expected some" in capsys.readouterr().err) == is_told


def test_files_of_one_name_are_told_apart_when_one_of_them_changes(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("windows", "found"):
        (tmp_path / folder).mkdir()
    for ending in (".h5", ".csv"):
        shutil.copy(data / f"south{ending}", tmp_path / "windows" / f"south{ending}")
    (tmp_path / "found" / "south.csv").write_text("window,phase,sample,score\n")
    source = TEXT[
        TEXT.rindex("[[sources]]", 0, TEXT.index('name = "south"')) : TEXT.index('[[sources]]\nname = "spikes"')
    ]
    text = source.replace("{data}", "{data}/windows") + 'complete = { picks = "{data}/found/south.csv" }\n'
    (tmp_path / "one.toml").write_text(f'name = "one"\n{text}')
    given = [
        "dataset",
        "build",
        str(tmp_path / "one.toml"),
        "--data",
        f"data={tmp_path}",
        "--out",
        str(tmp_path / "set"),
    ]
    assert main(given) == 0
    with (tmp_path / "windows" / "south.csv").open("a") as table:
        table.write("\n")
    assert main(given) == 2
    assert "found a data set that differs in inputs" in capsys.readouterr().err


def test_sides_and_sources_that_a_set_does_not_have_are_told(data: Path, tmp_path: Path) -> None:
    build(data, tmp_path / "set")
    assert datasets.sources_but(tmp_path / "set", ["spikes"]) == ["north", "south", "simulated"]
    with pytest.raises(SettingInvalid, match="found no source spike, expected some of north, south, spikes, simulated"):
        datasets.sources_but(tmp_path / "set", ["spike"])
    with pytest.raises(SettingInvalid, match="found no source nord, expected"):
        list(datasets.read(tmp_path / "set", sources={"nord"}))
    with pytest.raises(SettingInvalid, match="found no split test, expected some of train, develop, mixed, left_out"):
        list(datasets.read(tmp_path / "set", split="test"))  # type: ignore[arg-type]  # as a command may be given it


def test_a_sheet_shows_examples(data: Path, tmp_path: Path) -> None:
    build(data, tmp_path / "set")
    sheet = tmp_path / "sheet.png"
    assert (
        main(["dataset", "sheet", str(tmp_path / "set"), "--out", str(sheet), "--count", "5", "--source", "north"]) == 0
    )
    with Image.open(sheet) as image:
        assert (image.format, image.width // 4) == ("PNG", 585), "wide enough to read the letters of four in a row"


def test_a_sheet_without_a_place_or_examples_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "sheet", "not read", "--out", str(tmp_path / "none" / "sheet.png")]) == 1
    assert "found no folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["dataset", "sheet", "not read", "--out", str(tmp_path / "sheet.png"), "--count=-3"])
    assert "found '-3', expected a whole number of 1 or more" in capsys.readouterr().err


def test_conditions_that_nothing_can_meet_are_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputInvalid, match=r"line 15, sources\[0\].conditions.magnitude: found \[9.0, 1.0\], which"):
        read_description(TEXT.replace("[1.0, 9.0]", "[9.0, 1.0]"), "small.toml")
    other = tmp_path / "other.toml"
    other.write_text(TEXT.replace("{ quality =", "{ qualiti ="))
    assert main(["dataset", "build", str(other), "--data", f"data={data}", "--out", str(tmp_path / "set")]) == 1
    told = capsys.readouterr().err
    assert "north.h5: found no column qualiti, expected one of event, mag, net, quality, sta; mend" in told


def test_every_mistake_is_told_with_its_line() -> None:
    wrong = (
        TEXT.replace("develop_share = 0.3", "develop_shere = 0.3")
        .replace('kind = "spikes"', 'kind = "spike"')
        .replace("magnitude = [1.0, 9.0]", 'magnitude = "large"')
    )
    with pytest.raises(InputInvalid) as error:
        read_description(wrong, "small.toml")
    told = str(error.value).splitlines()
    assert told[0] == "small.toml: 3 mistakes"
    assert "line 6, split.develop_shere: found an unknown key develop_shere; did you mean develop_share?" in told[1]
    assert 'line 15, sources[0].conditions.magnitude: found "large"; expected' in told[2]
    assert "line 25, sources[2].kind: found kind 'spike'; expected one of windows, continuous" in told[3]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("seed = 1", "longest_s = inf", "longest_s: found Infinity; expected a finite number"),
        ("{net}.{sta}", "{sta.x}", "found no column for 'str' object has no attribute 'x' of '{sta.x}'"),
        ("{net}.{sta}", "{sta[9]}", "found no column for string index out of range of '{sta[9]}'"),
        ("{data}/spikes.h5", "{data/spikes.h5", "'{data/spikes.h5', which cannot be filled in: expected '}'"),
        ("{data}/spikes.h5", "{data.x}/spikes.h5", "which cannot be filled in: 'str' object has no attribute 'x'"),
        ('"{net}.{sta}"', '"", start = "{sta}", start_pattern = "("', 'start_pattern: found "("; expected a regular'),
        ('"{net}.{sta}"', '"", start = "{sta}", start_pattern = "x"', 'found "x"; expected parentheses around what'),
        ('"{net}.{sta}"', '"", start = "{sta}", start_pattern = "(x)?"', "found ''; expected a time"),
        (
            '[[sources]]\nname = "spi',
            'labels = { missing_s = nan }\n[[sources]]\nname = "spi',
            "missing_s: found NaN; expected",
        ),
    ],
)
def test_what_cannot_be_filled_in_or_computed_with_is_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], right: str, wrong: str, told: str
) -> None:
    description = tmp_path / "wrong.toml"
    description.write_text(TEXT.replace(right, wrong))
    assert main(["dataset", "build", str(description), "--data", f"data={data}", "--out", str(tmp_path / "set")]) != 0
    assert told in capsys.readouterr().err


def test_a_name_twice_and_a_region_of_no_source_are_told() -> None:
    wrong = TEXT.replace('name = "spikes"', 'name = "north"').replace('["south"]', '["west"]')
    with pytest.raises(InputInvalid, match=r"line 7, split.left_out\[0\].*\n.*line 24, sources\[2\].name"):
        read_description(wrong, "small.toml")


def test_the_shipped_description_can_be_read() -> None:
    path = Path(__file__).parents[2] / "training" / "datasets" / "picker.toml"
    assert [source.name for source in load_description(path).sources][:2] == ["ncedc", "deepdenoiser"]
