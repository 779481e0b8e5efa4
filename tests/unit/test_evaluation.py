"""An evaluation counts what was found, by groups, and says so in numbers and pictures that a person can check."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.cli.main import main
from kensoku.picking import Calibration, Geometry, PhaseCalibration, PhasePair
from kensoku.training.evaluation import (
    VARIANTS,
    Evaluated,
    Results,
    judge_cuts,
    judge_picker,
    stretch_of,
    summarise,
    under_noise,
    write_report,
)
from kensoku.training.evaluation.cuts import CODA, KINDS
from kensoku.training.evaluation.figures import as_many_of_each, curve, picks_reliability, reliable_steps
from kensoku.training.evaluation.report import confusion
from kensoku.training.evaluation.summary import GROUPINGS, interval, terciles
from kensoku.training.examples import Example, Onset, Origin
from tests.tiny_models import card

FloatArray = npt.NDArray[np.float32]
CARD = card(
    geometry=Geometry(window=4096, before=64, after=64),
    threshold=PhasePair(p=0.5, s=0.5),
    label_s=0.0,  # of the network below a score is a peak
    calibration=Calibration(p=PhaseCalibration(log_uncertainty=(float(np.log(0.02)), 0.0, 0.0))),
)


def example(height_p: float, height_s: float, *, p: float = 1200, s: float = 1600, station: str = "A") -> Example:
    counts = np.random.default_rng(int(p + height_p)).normal(0, 5, (3, 2400))
    for component, onset, height in ((0, p, height_p), (1, s, height_s)):
        counts[component] += height * np.exp(-0.5 * ((np.arange(2400) - onset) / 4) ** 2)
    origin = Origin(source=f"source {station}", region="x", station=f"XX.{station}", distance_km=height_p / 10)
    return Example(counts.astype(np.float32), (Onset("P", p + 1), Onset("S", s)), (), origin)


def model(counts: FloatArray) -> FloatArray:
    heard = np.abs(np.nan_to_num(counts))
    taps = np.exp(-0.5 * (np.arange(-30, 31) / 8) ** 2)
    said = np.zeros_like(counts)
    for row, component in ((1, 0), (2, 1)):
        said[:, row] = [np.convolve(each, taps / taps.sum(), "same") for each in heard[:, component]]
    return np.asarray(said / (said + 30), dtype=np.float32)


@pytest.fixture(scope="module")
def results() -> Results:
    records = [example(100.0 * n, 900.0, p=1000 + 20 * n, station="AB"[n % 2]) for n in range(1, 10)]
    records[0] = replace(records[0], counts=records[0].counts[[1, 0, 2]])  # P looks like S and the reverse
    records[0] = replace(records[0], counts=np.where([[False], [False], [True]], np.nan, records[0].counts))
    return judge_picker(CARD, model, records)


def test_labels_are_found_missed_and_swapped(results: Results) -> None:
    assert confusion(results)["P"] == {"P": 8, "S": 1, "nothing": 0}
    assert confusion(results)["S"] == {"P": 1, "S": 8, "nothing": 0}
    summary = summarise(results)
    assert (summary.records, summary.p.labels) == (9, 9)
    assert summary.p.recall == pytest.approx(8 / 9)
    assert summary.p.recall_low < summary.p.recall <= summary.p.recall_high
    assert summary.s.swapped == pytest.approx(1 / 9)
    assert summary.false_per_hour == 0


def test_residuals_are_seconds_from_the_label(results: Results) -> None:
    summary = summarise(results)
    assert summary.p.median_s == pytest.approx(-0.01, abs=0.003)
    assert summary.p.mae_s == pytest.approx(0.01, abs=0.003)
    assert summary.p.held == 1.0


def test_picks_that_match_no_label_of_their_phase_are_in_excess(results: Results) -> None:
    assert summarise(results).p.excess == pytest.approx(1 / 9)
    assert summarise(results, [3, 4]).p.excess == 0
    without = [label for label in results.labels if (label.record, label.phase) != (5, "S")]
    assert summarise(replace(results, labels=without)).p.excess == pytest.approx(1 / 8), "only pairs of P and S count"


def test_groups_hold_each_record_once_and_are_named(results: Results) -> None:
    assert {name: len(group) for name, group in GROUPINGS["components"](results).items()} == {"2 of 3": 1, "3 of 3": 8}
    assert set(GROUPINGS["source"](results)) == {"source A", "source B"}
    assert [len(group) for group in GROUPINGS["distance, km"](results).values()] == [3, 3, 3]
    assert GROUPINGS["magnitude"](results) == {}


def test_terciles_leave_out_what_is_not_known() -> None:
    found = terciles({0: 1.0, 1: 2.0, 2: 3.0, 3: float("nan")})
    assert [records for records in found.values()] == [[0], [1], [2]]


def test_an_interval_narrows_with_more_records() -> None:
    low, high = interval(list(range(20)), [True] * 15 + [False] * 5)
    narrow_low, narrow_high = interval(list(range(400)), [True] * 300 + [False] * 100)
    assert low < narrow_low < 0.75 < narrow_high < high


def test_precision_and_recall_go_from_the_surest_pick_down(results: Results) -> None:
    points = curve(results, "P", set(range(9)))
    assert [each.recall for each in points] == sorted(each.recall for each in points)
    assert [each.score for each in points] == sorted((each.score for each in points), reverse=True)
    assert points[0].precision == 1
    assert points[-1].recall == pytest.approx(8 / 9)
    assert points[-1].precision < 1
    assert curve(results, "P", set()) == []


def test_no_threshold_parts_picks_of_one_score(results: Results) -> None:
    alike = [replace(made, pick=replace(made.pick, score=0.9)) for made in results.made]
    [point] = curve(replace(results, made=alike), "P", set(range(9)))
    own = [made for made in alike if made.pick.phase == "P"]
    assert point.precision == sum(made.is_right for made in own) / len(own) < 1


def test_records_of_several_earthquakes_have_no_one_time_between_p_and_s(results: Results) -> None:
    late = [replace(label, sample=label.sample + 3000) for label in results.labels if label.record == 0]
    both = replace(results, labels=[*results.labels, *late])
    grouped = [record for group in GROUPINGS["S less P, s"](both).values() for record in group]
    assert grouped
    assert 0 not in grouped


def test_reliability_counts_every_pick(results: Results) -> None:
    steps = picks_reliability(results.made)
    assert sum(count for own in steps.values() for _, _, count in own) == len(results.made)
    found = reliable_steps(np.array([0.1, 0.12, 0.95, 1.0]), np.array([False, True, True, True]))
    assert [share for _, share, _ in found] == [0.5, 1.0]
    assert [stated for stated, _, _ in found] == pytest.approx([0.11, 0.975])


@pytest.mark.parametrize("name", VARIANTS)
def test_labels_stay_on_their_waves_under_other_conditions(name: str) -> None:
    changed = VARIANTS[name](example(900.0, 900.0))
    lost_rows = {"without Z": 0, "vertical only": 1, "without N": 1, "N only": 0, "E only": 0}
    if (lost := lost_rows.get(name)) is not None:
        assert np.isnan(changed.counts[lost]).all()
        return
    summary = summarise(judge_picker(CARD, model, [changed], stretch_of(name)))
    assert (summary.p.recall, summary.s.recall) == (1, 1)
    assert summary.p.mae_s == pytest.approx(0.01, abs=0.005)


def test_cuts_have_their_onset_in_the_middle_and_no_other() -> None:
    def by_size(counts: FloatArray) -> FloatArray:
        heard = np.abs(counts).max(axis=2)
        return np.stack([np.full(len(counts), 100, np.float32), heard[:, 0], heard[:, 1]], axis=1)

    classifier = card("classifier", geometry=Geometry(window=400, before=0, after=0))
    results = judge_cuts(classifier, by_size, [example(900.0, 900.0, s=1700), example(900.0, 900.0, s=1330)])
    noise, p, s, coda = results.confusion().tolist()
    assert noise == [4, 0, 0]
    assert 2 <= p[1] <= 4
    assert 2 <= s[2] <= 4
    assert sum(p) + sum(s) == p[1] + s[2]
    assert sum(coda) > 0
    assert 2 <= int(results.is_centred.sum()) <= 4
    share, low, high = results.balanced()
    assert low == share == high == 1
    assert results.right_above(0.0)[1] == sum(p) + sum(s)
    assert results.worst() == []


def test_the_surest_wrong_answers_of_a_phase_model_are_shown_one_of_a_record(tmp_path: Path) -> None:
    """A model that calls everything P, of the larger the surer."""

    def always_p(counts: FloatArray) -> FloatArray:
        p = 0.5 + np.minimum(np.abs(counts).max(axis=(1, 2)) / 10_000, 0.49)
        return np.stack([(1 - p) / 2, p, (1 - p) / 2], axis=1)

    classifier = card("classifier", classes=KINDS, geometry=Geometry(window=400, before=0, after=0))
    records = [example(900.0, 900.0, s=1700), example(900.0, 900.0, s=1330)]
    results = judge_cuts(classifier, always_p, records)
    panels = results.worst()
    assert {panel.title.split(": ")[1].split(",")[0] for panel in panels} == {"noise", "S"}
    assert len(panels) == 3
    assert all(np.isfinite(panel.onset) == ("S, SNR" in panel.title) for panel in panels)
    shares = results.reliability()
    assert sum(count for _, _, count in shares["P"]) == int((~results.is_centred & (results.kind != CODA)).sum())
    write_report(tmp_path, "made records", [Evaluated(model="x", sha256="ab", description="", cuts=results)])
    (told,) = json.loads((tmp_path / "report.json").read_text())["models"]
    assert list(told["reliability"]) == ["noise", "P", "S"]
    assert (tmp_path / "report.html").read_text().count("data:image/png") == 2


def test_a_report_has_every_figure(tmp_path: Path, results: Results) -> None:
    told = Evaluated(
        model="picker",
        sha256="ab" * 32,
        description="of <a test>",
        results=results,
        variants={"as it is": summarise(results)},
        lost={"vertical only": results},
    )
    write_report(tmp_path / "out", "made records", [told])
    (found,) = json.loads((tmp_path / "out" / "report.json").read_text())["models"]
    assert found["overall"]["p"]["labels"] == 9
    assert found["by"]["components"]["3 of 3"]["s"]["recall"] == 1
    assert found["variants"]["as it is"]["p"]["labels"] == 9
    page = (tmp_path / "out" / "report.html").read_text()
    assert "of &lt;a test&gt;" in page
    curves = found["precision_recall"]
    assert list(curves) == ["SNR", "distance, km", "S less P, s", "components", "components lost"]
    assert list(curves["components lost"]) == ["as recorded", "vertical only"]
    assert curves["components"]["3 of 3"]["P"][0]["precision"] == 1
    for name in curves:
        assert f"Precision and recall by {name}" in page
    assert len(re.findall("data:image/png;base64,[A-Za-z0-9+/=]{1000,}", page)) == 3 + len(curves)
    assert not list((tmp_path / "out").glob(".*"))


def test_kinds_count_alike_in_reliability_however_many_there_are() -> None:
    """Nine of ten at one place are noise, as there is nine times as much of it: half is as it should be."""
    is_real = np.array([True] * 10 + [False] * 90)
    (step,) = reliable_steps(np.full(100, 0.5), is_real, as_many_of_each(is_real))
    assert step[:2] == pytest.approx((0.5, 0.5))
    assert step[2] == 100


def test_labelled_records_lie_under_noise_of_others_and_hidden_onsets_are_unknown() -> None:
    quiet = Origin(source="quiet", region="x", station="XX.Q", kind="noise")
    noise = Example(np.random.default_rng(5).normal(0, 30, (3, 9000)).astype(np.float32), (), (), quiet)
    clear, dim = example(4000, 4000), example(40, 4000)
    found = under_noise([clear, dim, noise], (10, 20))
    assert found[0] is noise
    assert len(found) == 1 + 8
    for made in found[1::2]:
        added = (made.counts - clear.counts)[:, 500:1000].std()
        assert 4000 / 20 / 2 < added < 4000 / 10 * 2
        assert [onset.phase for onset in made.onsets] == ["P", "S"]
    assert [[onset.phase for onset in made.onsets] for made in found[2::2]] == [["S"]] * 4
    assert under_noise([clear], (10, 20)) == []


def test_a_range_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "models", "--dataset", "set", "--out", "out", "--noise-snr", "30,4"])
    assert "found '30,4', expected two numbers above 0 in their order" in capsys.readouterr().err
