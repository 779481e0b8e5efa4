"""Two pickers are compared on the same labels, blasts and earthquakes where one earthquake in a hundred is lost."""

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from kensoku.cli.main import main
from kensoku.picking import Geometry
from kensoku.training.evaluation import Labelled, found, judge_blasts, metrics, paired, write_blasts
from kensoku.training.evaluation.blast_report import confusion, reliability_of, worst
from kensoku.training.evaluation.blasts import accused, by_event, removed, threshold_of
from kensoku.training.evaluation.probe import auc, matched, probe_auc
from kensoku.training.examples import Example, Kind, Onset, Origin
from tests.tiny_models import card

FloatArray = npt.NDArray[np.float32]


def test_a_label_is_found_by_a_pick_of_its_phase_within_reach() -> None:
    windows = Labelled("x", {"P": np.array([100.0, np.nan, 100.0, 100.0]), "S": np.full(4, np.nan)}, 100.0)
    ours = {(0, "P"): [104.0], (1, "P"): [100.0], (2, "S"): [100.0], (3, "P"): [160.0]}
    both = found(windows, ours, {(0, "P"): [130.0]}, "P", 0.1)  # type: ignore[arg-type]  # keys of a window and a phase
    assert both.ours.tolist() == [True, False, False]
    assert both.others.tolist() == [False, False, False]
    assert found(windows, ours, {(0, "P"): [130.0]}, "P", 0.5).others.tolist() == [True, False, False]  # type: ignore[arg-type]


def test_pickers_that_miss_the_same_labels_differ_by_less_than_chance() -> None:
    windows = Labelled("x", {"P": np.full(200, 100.0), "S": np.full(200, np.nan)}, 100.0)
    all_but = {(n, "P"): [100.0] for n in range(200) if n % 10}
    same = paired([found(windows, all_but, all_but, "P", 0.1)])  # type: ignore[arg-type]
    assert (same.labels, same.ours, same.difference, same.low, same.high) == (200, 0.9, 0, 0, 0)
    more = paired([found(windows, {(n, "P"): [100.0] for n in range(200)}, all_but, "P", 0.1)])  # type: ignore[arg-type]
    assert more.difference == pytest.approx(0.1)
    assert 0.05 < more.low < 0.1 < more.high < 0.15
    assert np.isnan(paired([found(windows, {}, {}, "S", 0.1)]).difference)


def test_sets_of_one_file_name_are_told_apart(tmp_path: Path) -> None:
    sets = []
    for folder, found_at in (("north", 100), ("south", 900)):
        (tmp_path / folder).mkdir()
        windows, picks = tmp_path / folder / "windows.h5", tmp_path / folder / "picks.csv"
        with h5py.File(windows, "w") as file:
            file["X"], file["scale"] = np.zeros((1, 3, 1000), np.float32), np.ones((1, 3), np.float32)
            file["p"], file["s"] = [100.0], [np.nan]
            file.attrs["sampling_rate"] = 100
        picks.write_text(f"window,phase,sample,score\n0,P,{found_at},0.9\n")
        sets += ["--set", str(windows), str(picks), str(picks)]
    assert main(["evaluate", "compare", *sets, "--out", str(tmp_path / "compared.json")]) == 0
    told = json.loads((tmp_path / "compared.json").read_text())["P within 0.5 s"]
    assert {name: one["ours"] for name, one in told.items()} == {"windows": 1, "windows 2": 0, "all": 0.5}


def record(kind: Kind, height: float, number: int, *, is_simulated: bool = True) -> Example:
    counts = np.random.default_rng(number).normal(0, 5, (3, 3000))
    counts[0, 1500:1520] += height
    origin = Origin(
        source="made", region="x", station=f"S{number}", event=f"{kind}{number // 4}", kind=kind,
        distance_km=10.0 * (number % 12), is_simulated=is_simulated,
    )  # fmt: skip
    return Example(counts.astype(np.float32), (Onset("P", 1500.0),), (), origin)


def by_height(counts: FloatArray) -> FloatArray:
    share = np.clip(np.abs(counts).max(axis=(1, 2)) / 1000, 0, 1)
    return np.asarray(np.stack([1 - share, share], axis=1)[:, :, np.newaxis], dtype=np.float32)


def test_blasts_are_counted_where_one_earthquake_in_a_hundred_is_lost() -> None:
    shown = card("classifier", geometry=Geometry(window=400, before=0, after=0))
    records = [record("earthquake", 2.0 * n, n) for n in range(200)]
    records += [record("blast", 600.0 if n % 4 else 100.0, n) for n in range(40)]
    records += [record("earthquake", 700.0, n, is_simulated=False) for n in range(3)]
    judged = judge_blasts(shown, by_height, records)
    threshold = threshold_of(judged)
    assert len(judged) == 243
    whole = removed(judged, threshold)[0]
    assert whole.lost == pytest.approx(0.01)
    assert whole.removed == pytest.approx(0.75)
    assert whole.low < whole.removed < whole.high
    assert sum(row.blasts for row in removed(judged, threshold) if row.group.startswith("km")) == 40
    assert accused(judged, threshold)[0].accused == 1.0
    votes = by_event(judged)
    assert (votes.earthquakes, votes.blasts) == (50, 10)
    assert votes.removed == 1.0
    assert judge_blasts(shown, by_height, [replace(records[0], onsets=())]) == []
    assert confusion(judged, threshold)["recorded earthquake"] == {"earthquake": 0, "blast": 3}
    assert sum(count for _, _, count in reliability_of(judged)) == 240
    shown_kinds = [panel.title.split(",")[0] for panel in worst(judged)]
    assert shown_kinds == ["simulated earthquake"] * 4 + ["simulated blast"] * 4 + ["recorded earthquake"]


def test_models_of_blasts_have_a_report_each_in_one_folder(tmp_path: Path) -> None:
    shown = card("classifier", geometry=Geometry(window=400, before=0, after=0))
    records = [record("earthquake", 2.0 * n, n) for n in range(40)] + [record("blast", 600.0, n) for n in range(40)]
    judged = judge_blasts(shown, by_height, records)
    for name in ("blast", "blast_long"):
        write_blasts(tmp_path, "made records", name, "ab" * 32, judged, None)
    files = {f"{name}.{form}" for name in ("blast", "blast_long") for form in ("html", "json")}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert json.loads((tmp_path / "blast_long.json").read_text())["model"] == "blast_long"
    assert (tmp_path / "blast.html").read_text().count("data:image/png") == 3
    assert metrics(judged, None)["blasts_removed"] == 1.0


def test_the_probe_finds_what_separates_and_nothing_where_there_is_nothing() -> None:
    chance = np.random.default_rng(0)
    values, is_recorded = chance.normal(size=(300, 8)), np.arange(300) < 100
    groups = [f"event {n // 2}" for n in range(300)]
    assert probe_auc(values, is_recorded, groups) == pytest.approx(0.5, abs=0.15)
    values[:100, 3] += 3
    assert probe_auc(values, is_recorded, groups) > 0.95
    assert auc(np.array([1.0, 2.0]), np.array([1.0, 0.0])) == 0.875


def test_pairs_are_of_like_size_and_used_once() -> None:
    assert matched(np.array([1.0, np.nan, 1.1]), np.array([5.0, 1.05, 0.9, np.nan])) == ([0, 2], [1, 2])
