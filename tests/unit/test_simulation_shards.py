"""Shards of training windows: what is read is what was simulated, the same bytes from any processes, after any stop."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp

from kensoku.cli.main import main
from kensoku.cli.simulate import bar, windows_line
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.simulation import shards
from kensoku.simulation.shards import Plan, Progress, read_shards, window, write_shard, write_shards
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.window_draws import draw_like_blasts
from kensoku.simulation.windows import Window

PLAN = Plan(seed=7, count=22, windows_a_shard=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards") / "windows"
    list(write_shards(folder, PLAN, jobs=1))
    return folder


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def truth(window: Window) -> str:
    """NaN equals NaN."""
    return repr((window.labels, window.kinds, window.disturbances, window.gaps))


def test_windows_are_read_as_they_were_simulated(folder: Path) -> None:
    read = list(read_shards(folder))
    assert len(read) == 22
    for number in (0, 7, 8, 21):
        made = window(7, number)
        assert read[number].counts.tobytes() == made.counts.tobytes()
        assert truth(read[number]) == truth(made)
        assert read[number].draw == made.draw


def test_every_part_of_the_truth_comes_back() -> None:
    windows = [window(3, number) for number in range(60)]
    assert all(any(getattr(each, part) for each in windows) for part in ("labels", "kinds", "disturbances", "gaps"))
    assert any(each.draw.kind is None for each in windows)
    read = list(shards.from_columns(shards.to_columns(windows)))
    assert [truth(each) for each in read] == [truth(each) for each in windows]
    assert [each.draw for each in read] == [each.draw for each in windows]


def test_stations_of_one_blast_share_its_source_alone() -> None:
    events = [[window(1, 4 * event + n, "blasts") for n in range(4)] for event in range(12)]
    kinds = [{each.draw.kind for each in stations} for stations in events]
    assert all(len(each) == 1 for each in kinds)
    assert set.union(*kinds) == {SourceKind.BLAST, SourceKind.EARTHQUAKE}
    for stations in events:
        assert len({(each.draw.mw, each.draw.p_corner_hz, each.kinds) for each in stations}) == 1
        assert len({each.draw.s_minus_p_s for each in stations}) == 4
        for each in stations:
            first = min(label.sample for label in each.labels)
            assert 200 <= first <= 1400
            assert len(each.kinds) == 1


def test_blasts_and_earthquakes_like_them_are_as_large_and_as_near() -> None:
    draws = [draw_like_blasts(np.random.default_rng([1, n]), np.random.default_rng([2, n])) for n in range(2000)]
    of = {kind: [each for each in draws if each.kind is kind] for kind in (SourceKind.BLAST, SourceKind.EARTHQUAKE)}
    assert len(of[SourceKind.BLAST]) == pytest.approx(1000, abs=100)
    for name in ("mw", "s_minus_p_s", "incidence_deg", "borehole_m"):
        blasts, earthquakes = ([getattr(each, name) for each in draws] for draws in of.values())
        assert ks_2samp(blasts, earthquakes).pvalue > 0.001


def test_windows_that_hold_nothing_have_empty_tables() -> None:
    quiet = next(w for w in (window(3, n) for n in range(500)) if not (w.kinds or w.disturbances or w.gaps))
    (read,) = shards.from_columns(shards.to_columns([quiet]))
    assert truth(read) == "((), (), (), ())"


def test_any_number_of_processes_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    list(write_shards(tmp_path, PLAN, jobs=2))
    assert hashes(tmp_path) == hashes(folder)


def test_a_window_does_not_depend_on_how_many_there_are(folder: Path) -> None:
    assert window(7, 21).counts.tobytes() != window(8, 21).counts.tobytes()
    with np.load(folder / "windows-00002.npz") as columns:
        assert columns["counts"].shape == (6, 3, 3000)
        assert columns["counts"].dtype == np.int32
        assert columns["counts"][5].tobytes() == window(7, 21).counts.tobytes()


def test_what_is_there_is_not_made_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def stopped(into: Path, plan: Plan, shard: int) -> int:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(shard)
        return write_shard(into, plan, shard)

    monkeypatch.setattr(shards, "write_shard", stopped)
    with pytest.raises(KeyboardInterrupt):
        list(write_shards(tmp_path, PLAN, jobs=1))
    with pytest.raises(InputInvalid, match="unfinished"):
        next(read_shards(tmp_path))
    monkeypatch.undo()
    assert list(write_shards(tmp_path, PLAN, jobs=1)) == [Progress(16, 22, 0), Progress(22, 22, 6)]
    assert hashes(tmp_path) == hashes(folder)
    assert list(write_shards(tmp_path, PLAN, jobs=1)) == [Progress(22, 22, 0)]


def test_a_shard_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: object, **columns: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        list(write_shards(tmp_path, PLAN, jobs=1))
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_the_manifest_tells_seed_versions_and_hashes(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["synthetic"], manifest["seed"], manifest["count"], manifest["rate_hz"]) == (True, 7, 22, 100)
    assert manifest["libraries"]["numpy"] == np.__version__
    files = {name: digest for name, digest in hashes(folder).items() if name != "manifest.json"}
    assert manifest["files"] == files


def test_another_seed_does_not_go_on_in_the_same_folder(folder: Path) -> None:
    with pytest.raises(SettingInvalid, match="found windows of seed 7; expected a new folder"):
        list(write_shards(folder, Plan(8, 22, 8), jobs=1))


def test_a_call_that_was_killed_at_its_very_start_is_repeated(tmp_path: Path) -> None:
    (tmp_path / ".manifest.json.tmp").write_text("{")
    assert list(write_shards(tmp_path, Plan(7, 1), jobs=1))[-1].done == 1


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SettingInvalid, match="none of ours"):
        list(write_shards(tmp_path, PLAN, jobs=1))
    with pytest.raises(InputInvalid, match=r"no manifest\.json"):
        next(read_shards(tmp_path))
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InputInvalid, match="expected JSON"):
        next(read_shards(tmp_path))


# --- command ----------------------------------------------------------------------------------------------------------


def test_the_command_writes_windows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["simulate", "windows", "--count", "3", "--seed", "7", "--out", str(out), "--jobs", "1"]) == 0
    assert "3 windows" in capsys.readouterr().out
    assert [truth(each) for each in read_shards(out)] == [truth(window(7, number)) for number in range(3)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("windows", "found no --count"),
        ("windows --count 5 --stations XX.*", "found --stations, which windows cannot have"),
        ("windows --count 5 --packets", "found --packets, which windows cannot have"),
        ("quiet --seed 5", "found --seed, which a scenario cannot have"),
    ],
)
def test_options_of_the_other_are_refused(
    arguments: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *arguments.split(), "--out", str(tmp_path / "out")]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_count_is_a_number_above_zero(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", "windows", f"--count={count}"])
    assert "argument --count: found" in capsys.readouterr().err


def test_progress_tells_how_far_how_fast_and_how_long_still() -> None:
    reached = Progress(done=600, count=1200, written=100)
    assert windows_line(reached, since_s=2.0) == "600 of 1,200 windows, 50 a second, 0 minutes left"
    assert bar(reached) == "█" * 15 + "░" * 15


STOPPED = """
from pathlib import Path
from kensoku.runtime import stop_on_signals
from kensoku.simulation.shards import Plan, write_shards

if __name__ == "__main__":
    with stop_on_signals() as stop:
        for _ in write_shards(Path("windows"), Plan(seed=7, count=240, windows_a_shard=120), jobs=2):
            if stop.is_set():
                break
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_takes_no_shard_along(tmp_path: Path, number: signal.Signals) -> None:
    """A worker that died of it would never hand in its shard, for which the parent waits."""
    (tmp_path / "script.py").write_text(STOPPED)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "script.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True) as process:
        try:
            ends_s = time.monotonic() + 60
            while len(list((tmp_path / "windows").glob(".windows-*.tmp"))) < 2:
                assert time.monotonic() < ends_s
                time.sleep(0.02)
            os.killpg(process.pid, number)
            assert process.wait(60) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert not list((tmp_path / "windows").glob(".windows-*.tmp"))
