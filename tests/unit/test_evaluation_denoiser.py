"""A denoiser is judged by classic picks that are known to be real or false; the others are left out."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from kensoku.classic import ClassicSettings
from kensoku.cli._evaluate_denoiser import settle
from kensoku.cli.main import main
from kensoku.errors import InputInvalid
from kensoku.picking import CARD, read_card
from kensoku.training.evaluation.denoiser import (
    JudgedCut,
    Material,
    classic_cuts,
    picked,
    planted_cuts,
    share_of,
)
from kensoku.training.evaluation.denoiser_faults import SHAPES, plant
from kensoku.training.evaluation.denoiser_records import read_picks, read_spans, shared_times
from kensoku.training.evaluation.denoiser_report import groups, highest_threshold, write_denoiser_report
from kensoku.training.evaluation.planted import PLANTED
from tests.tiny_models import card, write_model, write_repository

SETTINGS = ClassicSettings(block_s=20, warm_up_s=20)
WINDOW, P, BURST, DOUBTFUL = 400, 4000, 6000, 7500


def material() -> Material:
    """An onset that an earthquake claims, a burst in quiet, and one of which nobody knows."""
    counts = np.random.default_rng(1).normal(0, 10, (3, 9000)).astype(np.float32)
    for place in (P, BURST, DOUBTFUL):
        counts[:, place : place + 100] *= 20
    is_quiet = np.zeros(9000, dtype=np.bool_)
    is_quiet[5000:7000] = True
    return picked(Material("made", "XX.A", counts, np.array([P + 20.0]), is_quiet), SETTINGS)


def cut(kind: str, onset_probability: float, snr: float = 10.0, unit: str = "") -> JudgedCut:
    unit = unit or f"{kind} {onset_probability}"
    counts = np.random.default_rng(1).normal(size=(3, 800)).astype(np.float32)
    return JudgedCut(kind, "made", "XX.A", unit, snr, onset_probability, counts)


def test_real_and_false_picks_are_told_and_the_others_left_out() -> None:
    found = [one for one, _ in classic_cuts(material(), WINDOW)]
    assert [one.kind for one in found if one.snr > 5] == ["real", "quiet"]
    assert all(one.counts.shape == (3, 2 * WINDOW) for one in found)


@pytest.mark.parametrize("name", SHAPES)
def test_faults_are_planted_where_they_are_said_to_be(name: str) -> None:
    counts = np.random.default_rng(1).normal(0, 10, (3, 4000)).astype(np.float32)
    planted = plant(name, counts, 2000, np.random.default_rng(2))
    np.testing.assert_array_equal(planted.counts[:, :2000], counts[:, :2000])
    np.testing.assert_array_equal(planted.counts[:, planted.end :], counts[:, planted.end :])
    assert not np.array_equal(planted.counts, counts)
    assert np.isfinite(planted.counts).all()


def test_faults_make_picks_that_are_false() -> None:
    counts = np.random.default_rng(1).normal(0, 10, (3, 9000)).astype(np.float32)
    quiet = Material("made", "XX.A", counts, np.zeros(0), np.ones(9000, dtype=np.bool_))
    found = [one for one, _ in planted_cuts([quiet], SETTINGS, WINDOW, each=1)]
    assert {one.kind.removesuffix(" (2)") for one in found} <= {*SHAPES, *PLANTED}
    assert len({one.kind for one in found}) >= 4


def test_the_threshold_is_the_highest_that_loses_less_than_one_in_a_hundred() -> None:
    real = [cut("real", value) for value in np.linspace(0.5, 1, 201)]
    threshold = highest_threshold(real)
    assert sum(one.onset_probability < threshold for one in real) / len(real) < 0.01
    assert sum(one.onset_probability <= threshold for one in real) / len(real) >= 0.01
    assert math.isnan(highest_threshold([cut("quiet", 0.1)]))


def test_shares_and_groups_are_counted() -> None:
    cuts = [cut("real", 0.9), cut("real", 0.3, snr=2.0), cut("quiet", 0.1), cut("quiet", 0.7), cut("tap", 0.2)]
    shares = {name: share_of(chosen, 0.5) for name, chosen in groups(cuts).items()}
    assert (shares["real, SNR 5 or more"].count, shares["real, SNR 5 or more"].share) == (1, 0.0)
    assert shares["real, all"].share == 0.5
    assert shares["false, all"].share == pytest.approx(2 / 3)
    assert shares["quiet, made"].low <= 0.5 <= shares["quiet, made"].high


def test_the_report_has_every_share_and_pictures(tmp_path: Path) -> None:
    cuts = [cut("real", 0.9), cut("quiet", 0.1), cut("tap", 0.2)]
    write_denoiser_report(tmp_path / "new", "silencer", "a denoiser", 0.5, cuts)
    told = json.loads((tmp_path / "new" / "silencer.json").read_text())
    assert told["called_noise"]["tap"] == {"count": 1, "share": 1.0, "low": 1.0, "high": 1.0}
    assert sum(sum(row.values()) for row in told["confusion"].values()) == len(cuts)
    assert sum(count for _, _, count in told["reliability"]) == len(cuts)
    assert (tmp_path / "new" / "silencer.html").read_text().count("data:image/png") == 4


def test_three_stations_within_seconds_may_have_seen_an_earthquake() -> None:
    assert shared_times({"a": [10.0, 100.0], "b": [12.0], "c": [19.0, 112.0]}) == [(10.0, 19.0)]


def test_tables_of_picks_and_spans_are_read(tmp_path: Path) -> None:
    path = tmp_path / "picks.csv"
    path.write_text(
        "station,phase,utc,score,event\nXX.A,P,1970-01-01T00:00:05Z,0.9,3\nXX.A,S,1970-01-01T00:00:08,0.9,-1\n"
    )
    assert read_picks(path) == {"XX.A": [(5.0, "3"), (8.0, "")]}
    path.write_text("station,start,end\nXX.A,1970-01-01T00:00:05Z,1970-01-01T00:01:00Z\n")
    assert read_spans(path) == {"XX.A": [(5.0, 60.0)]}


@pytest.mark.parametrize("text", ["phase,utc\nP,1970-01-01\n", "station,utc\nXX.A,noon\n"])
def test_tables_that_cannot_be_used_are_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "picks.csv"
    path.write_text(text)
    with pytest.raises(InputInvalid, match="picks.csv: found"):
        read_picks(path)


def test_a_settled_card_has_the_threshold_that_keeps_real_picks(tmp_path: Path) -> None:
    repository = write_repository(tmp_path)
    before = read_card(repository, "phase")
    cuts = [*(cut("real", value) for value in np.linspace(0.5, 1, 1001)), cut("quiet", 0.1)]
    settle(repository / "phase" / CARD, before, cuts)
    after = read_card(repository, "phase")
    assert after.threshold.p == 0.501  # three are below it
    assert after.metrics["called noise: false, all"] == 1.0
    with pytest.raises(InputInvalid, match="no real pick"):
        settle(repository / "phase" / CARD, before, [cut("quiet", 0.1)])


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ([], 2, "found neither --records nor --dataset"),
        (["--records=none.mseed"], 1, "none.mseed: found"),
        (["--records=,picks.csv"], 2, "expected FILE"),
    ],
)
def test_missing_material_is_told(
    tmp_path: Path, given: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(tmp_path, "denoiser", card("classifier", classes=("noise", "onset")))
    asked = ["evaluate", "denoiser", f"--models=local:{tmp_path}", f"--out={tmp_path}"]
    assert main([*asked, *given]) == code
    assert message in capsys.readouterr().err


def test_a_model_that_tells_other_things_is_no_denoiser(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository = write_repository(tmp_path)
    asked = ["evaluate", "denoiser", "--model=phase", f"--models=local:{repository}", f"--out={tmp_path}"]
    assert main([*asked, "--records=none.mseed"]) == 1
    assert "model 'phase': found the classes noise, P, S, expected noise, onset" in capsys.readouterr().err
