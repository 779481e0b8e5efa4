"""What `kensoku models run` and `classify` make of files that hold something else than usual."""

import csv
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from kensoku.cli.main import main
from kensoku.models import default_repository
from kensoku.picking import Geometry
from tests.tiny_models import card, pulses, write_model, write_repository, write_windows

FloatArray = npt.NDArray[np.float32]


def ask(action: str, windows: Path, *more: str, out: str = "out.csv", repository: Path | None = None) -> int:
    models = f"--models=local:{repository or default_repository()}"
    return main(["models", action, f"--windows={windows}", f"--out={windows.parent / out}", models, *more])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("model", "samples", "classes"),
    [
        ("phase", 400, ["noise", "P", "S"]),
        ("denoiser", 400, ["noise", "onset"]),
        ("blast", 400, ["earthquake", "blast"]),
        ("blast_long", 2944, ["earthquake", "blast"]),
    ],
)
def test_cuts_are_classified_as_whatever_the_model_tells(
    tmp_path: Path, model: str, samples: int, classes: list[str]
) -> None:
    cuts = write_windows(tmp_path / "cuts.h5", pulses(3, samples, p=samples / 2, s=samples / 2 + 50))
    assert ask("classify", cuts, f"--model={model}") == 0
    said = rows(tmp_path / "out.csv")
    assert [list(row) for row in said] == [["window", *classes]] * 3
    assert [sum(float(row[name]) for name in classes) for row in said] == pytest.approx([1, 1, 1], abs=2e-4)


def test_how_long_cuts_must_be_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cuts = write_windows(tmp_path / "cuts.h5", pulses(1, 400))
    assert ask("classify", cuts, "--model=blast_long") == 1
    assert "expected 2944 for 'blast_long', that is 29.44 s around the onset" in capsys.readouterr().err


def written(path: Path, x: npt.NDArray[np.generic], scale: float = 1.0, rate_hz: float = 100) -> Path:
    with h5py.File(path, "w") as file:
        file["X"] = x
        file["scale"] = np.full(x.shape[:2], scale)
        file.attrs["sampling_rate"] = rate_hz
    return path


@pytest.mark.parametrize("action", ["run", "classify"])
def test_a_rate_that_single_precision_made_of_100_hz_changes_no_bit(tmp_path: Path, action: str) -> None:
    said = []
    for rate_hz in (100.0, 1 / float(np.float32(0.01))):
        assert ask(action, written(tmp_path / "windows.h5", pulses(2, 400), rate_hz=rate_hz)) == 0
        said.append((tmp_path / "out.csv").read_bytes())
    assert said[0] == said[1]


def test_an_infinite_sample_is_missing_and_costs_no_pick(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository, counts = write_repository(tmp_path), pulses(2, 1000)
    windows = written(tmp_path / "windows.h5", counts)
    assert ask("run", windows, out="whole.csv", repository=repository) == 0
    assert "missing" not in capsys.readouterr().err
    counts[0, 0, 900], counts[1, 2, 900] = np.inf, -np.inf
    assert ask("run", written(tmp_path / "windows.h5", counts), repository=repository) == 0
    assert "found 2 samples that are infinite or beyond 1e+18" in capsys.readouterr().err
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.parametrize("action", ["run", "classify"])
@pytest.mark.parametrize("rate_hz", [100, 50])
def test_an_offset_of_a_thousand_million_counts_changes_no_bit(tmp_path: Path, action: str, rate_hz: int) -> None:
    waves = np.random.default_rng(0).normal(0, 20, (2, 3, 3000))
    waves[:, :, 1500:] += 5000 * np.exp(-np.arange(1500) / 200) * np.sin(np.arange(1500) / 2)
    counts = np.round(waves if action == "run" else waves[:, :, 1300:1700]).astype(np.int32)
    said = []
    for offset in (1, 10**9):
        windows = written(tmp_path / "windows.h5", counts + offset, rate_hz=rate_hz if action == "run" else 100)
        assert ask(action, windows, *(["--threshold=0.01"] if action == "run" else [])) == 0
        said.append((tmp_path / "out.csv").read_bytes())
    assert said[0] == said[1]
    assert len(said[0].splitlines()) > 2


@pytest.mark.parametrize("action", ["run", "classify"])
def test_a_component_whose_scale_is_no_number_is_missing(tmp_path: Path, action: str) -> None:
    """As its peak is, by which whole numbers are scaled, where nothing was recorded."""
    repository, said = write_repository(tmp_path) if action == "run" else None, []
    for name, row in (("X", np.full(400, np.nan)), ("scale", np.nan)):
        windows = written(tmp_path / "windows.h5", pulses(2, 400))
        with h5py.File(windows, "r+") as file:
            file[name][1, 2] = row
        assert ask(action, windows, repository=repository) == 0
        said.append((tmp_path / "out.csv").read_bytes())
    assert said[0] == said[1]
    assert len(said[0].splitlines()) > 2


@pytest.mark.parametrize("action", ["run", "classify"])
def test_a_scale_beyond_all_counts_leaves_nothing(
    tmp_path: Path, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cuts = written(tmp_path / "cuts.h5", pulses(2, 400), scale=1e37)
    assert ask(action, cuts) == 0
    told = capsys.readouterr().err
    assert "they were taken as missing" in told
    assert "Warning" not in told
    assert "nan" not in (tmp_path / "out.csv").read_text()


@pytest.mark.parametrize(("action", "header"), [("run", "window,phase,sample,score"), ("classify", "window,noise,P,S")])
def test_a_file_without_a_window_has_no_picks(
    tmp_path: Path, action: str, header: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(action, written(tmp_path / "none.h5", np.zeros((0, 3, 400), np.float32))) == 0
    assert (tmp_path / "out.csv").read_text() == f"{header}\n"
    assert "out.csv: 0 " in capsys.readouterr().out


# --- what can be wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("out", "told"), [("", "found a folder"), ("none/out.csv", "found no folder")])
def test_answers_that_have_no_place_are_told_before_the_work(
    tmp_path: Path, out: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("run", tmp_path / "not read.h5", out=out) == 1
    assert told in capsys.readouterr().err
    report = tmp_path / "report"
    report.touch()
    assert main(["evaluate", "models", "--dataset=not read", f"--out={report}"]) == 1
    assert main(["evaluate", "denoiser", "--records=not read", f"--out={report / 'below'}"]) == 1
    assert capsys.readouterr().err.count(f"found the file {report}, expected a folder") == 2


def test_a_damaged_part_of_a_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    windows = tmp_path / "windows.h5"
    with h5py.File(windows, "w") as file:
        x = file.create_dataset("X", data=pulses(2, 400), chunks=(1, 3, 400), compression="gzip")
        file["scale"] = np.ones((2, 3))
        file.attrs["sampling_rate"] = 100
        place = x.id.get_chunk_info(1).byte_offset
    with windows.open("r+b") as raw:
        raw.seek(place)
        raw.write(bytes(64))
    assert ask("run", windows) == 1
    assert "found windows 0 to 1 damaged" in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


def test_files_that_would_fill_the_memory_and_links_to_themselves_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, count, chunk in (("many", 2**40, 1), ("packed", 600_000, 600_000), ("loop", 2, 1)):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file.create_dataset("X", (count, 3, 400), np.int16, chunks=(chunk, 3, 400))
            file.create_dataset("scale", (count, 3), np.float32, chunks=(min(count, 1024), 3))
            file.attrs["sampling_rate"] = 100
            if name == "loop":
                del file["X"]
                file["X"] = h5py.SoftLink("/X")
        assert ask("run", tmp_path / f"{name}.h5") == 1
    told = capsys.readouterr().err
    assert "found 1,099,511,627,776 windows, expected 10,000,000 or fewer" in told
    assert "found X in chunks of 1,440,000,000 bytes" in told
    assert "h5repack -l X:CHUNK=1x3x400 packed.h5" in told
    assert "found no array 'X'" in told


def test_classes_are_those_of_the_card_whatever_its_description_speaks_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its description may name others: this one tells kinds of noise, P and S."""
    cuts, geometry = write_windows(tmp_path / "cuts.h5", pulses(2, 400)), Geometry(window=400, before=0, after=0)
    told = {"description": "no blast and no earthquake, but kinds of noise, P and S", "geometry": geometry}
    write_model(tmp_path, "named", card("classifier", classes=("wind", "traffic", "rain"), **told))
    assert ask("classify", cuts, "--model=named", repository=tmp_path) == 0
    assert list(rows(tmp_path / "out.csv")[0]) == ["window", "wind", "traffic", "rain"]
    write_model(tmp_path, "unnamed", card("classifier", **told))
    assert ask("classify", cuts, "--model=unnamed", repository=tmp_path) == 1
    assert "model 'unnamed': found no classes in its card model.json, expected what" in capsys.readouterr().err
    write_model(tmp_path, "two", card("classifier", classes=("noise", "onset"), **told))
    assert ask("classify", cuts, "--model=two", repository=tmp_path) == 1
    assert "found answers (2, 3, 1), expected (2, 2, 1), one for each class of its card" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", ["--inventory=x.csv", "--stations=XX.A", "--start=2024-01-01", "--end=2024", "--faint"]
)
def test_what_windows_have_not_is_refused(tmp_path: Path, given: str, capsys: pytest.CaptureFixture[str]) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(1, 1000))
    assert main(["pick", str(windows), f"--out={tmp_path / 'out.csv'}", given]) == 2
    assert f"found {given.partition('=')[0]} with a window file, expected none of it" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_a_gap_of_a_slow_file_is_the_gap_that_it_is_at_100_hz(tmp_path: Path) -> None:
    """Half a second of zeros, ten samples of 20 Hz, from a level that ends in a pulse of the picker."""
    counts = np.random.default_rng(0).normal(0, 20, (1, 3, 800)).astype(np.float32) + 3000
    counts[:, :, 400:410] = 0
    with h5py.File(tmp_path / "slow.h5", "w") as file:
        file["X"], file["scale"] = counts, np.ones((1, 3))
        file.attrs["sampling_rate"] = 20
    assert ask("run", tmp_path / "slow.h5", repository=write_repository(tmp_path)) == 0
    assert rows(tmp_path / "out.csv") == []
