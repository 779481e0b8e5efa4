"""Labels that models make: by vote, kept where one earthquake can have made them, and never of the weight of judges."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import obspy
import pytest

from kensoku.cli.main import main
from kensoku.errors import InputInvalid, ModelRefused
from kensoku.picking import Model
from kensoku.training.datasets.association import Place, associate, merge
from kensoku.training.datasets.completing import PSEUDO, Completion
from kensoku.training.datasets.continuous import Continuous, PickColumns, find_continuous
from kensoku.training.datasets.description import read_description
from kensoku.training.datasets.labels import LabelRule
from kensoku.training.datasets.records import load_all
from kensoku.training.datasets.tables import TimedPick, read_picks, write_picks
from kensoku.training.datasets.voting import Voter, agree, vote
from kensoku.training.examples import FloatArray, Phase
from kensoku.training.scores import TRUSTED
from tests import tiny_models

START = obspy.UTCDateTime("2024-01-01T00:00:00Z")
PLACES = {
    f"XX.S{number}": Place(35 + 0.1 * math.cos(number), -117 + 0.1 * math.sin(number), 500.0) for number in range(6)
}


# --- votes ------------------------------------------------------------------------------------------------------------


def peak(height: float) -> Model:
    """P at a fixed place of what it is given, whatever that is: the grid decides where in the record."""

    def model(counts: FloatArray) -> FloatArray:
        said = np.zeros_like(counts)
        said[:, 1, 300] = height
        return said

    return model


def test_a_pick_on_which_the_grid_decides_is_outvoted() -> None:
    voter = Voter(tiny_models.card(label_s=0.0), peak(0.9))
    said = agree(np.ones((1, 3, 640), np.float32), [voter])
    assert said[0, 0].max() == pytest.approx(0.3)  # a third of the places each


def test_models_vote() -> None:
    counts = tiny_models.pulses(2, 1000)
    repositories = [Voter(tiny_models.card(label_s=0.0), peak(height)) for height in (0.9, 0.3)]
    assert agree(counts, repositories, places=1)[0, 0, 300] == pytest.approx(0.6)
    assert [pick.phase for pick in vote(counts, repositories, 0.5)[0]] == []


def test_models_of_unlike_labels_do_not_vote_together() -> None:
    voters = [Voter(tiny_models.card(label_s=label_s), peak(0.9)) for label_s in (0.0, 0.1)]
    with pytest.raises(ModelRefused, match="0, 0.1 s wide; expected one width"):
        vote(tiny_models.pulses(1, 1000), voters, 0.5)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_models.write_repository(tmp_path_factory.mktemp("models")) / "picker")


def test_windows_are_picked_by_number(tmp_path: Path, model: str) -> None:
    windows = tiny_models.write_windows(tmp_path / "some.h5", tiny_models.pulses(3, 1000))
    assert main(["dataset", "pick", str(windows), "--model", model, "--out", str(tmp_path / "picks.csv")]) == 0
    header, *rows = csv.reader((tmp_path / "picks.csv").read_text().splitlines())
    assert header == ["window", "phase", "sample", "score"]
    assert [(row[0], row[1]) for row in rows] == [(number, phase) for number in "012" for phase in "PS"]


def test_records_are_picked_by_station_and_time(tmp_path: Path, model: str) -> None:
    counts = tiny_models.pulses(1, 3000, p=1000, s=1600)[0]
    header = {"network": "XX", "station": "A", "starttime": START, "sampling_rate": 100.0}
    traces = [
        obspy.Trace(row.astype(np.int32), {**header, "channel": f"HH{component}"})
        for row, component in zip(counts, "ZNE", strict=True)
    ]
    obspy.Stream(traces).write(str(tmp_path / "day.mseed"), format="MSEED")
    out = tmp_path / "picks.csv"
    given = ["--model", model, "--threshold", "0.3", "--out", str(out)]
    assert main(["dataset", "pick", str(tmp_path / "day.mseed"), *given]) == 0
    found = read_picks(out)
    assert [(pick.station, pick.phase, pick.model) for pick in found] == [
        ("XX.A", "P", "picker"),
        ("XX.A", "S", "picker"),
    ]
    assert found[0].time_s == pytest.approx(START.timestamp + 10, abs=0.02)


def test_what_is_no_picker_is_refused(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    windows = tiny_models.write_windows(tmp_path / "some.h5", tiny_models.pulses(1, 1000))
    other = str(Path(model).with_name("phase"))
    assert main(["dataset", "pick", str(windows), "--model", other, "--out", str(tmp_path / "picks.csv")]) == 1
    assert "found a classifier, expected a picker" in capsys.readouterr().err
    assert not (tmp_path / "picks.csv").exists()


# --- association ------------------------------------------------------------------------------------------------------


def quake(after_s: float, late_s: dict[str, float] | None = None) -> list[TimedPick]:
    """Picks of an earthquake 8 km below 35 N 117 W, where P makes 6 and S 3.45 km/s."""
    picks = []
    for name, place in PLACES.items():
        north_km = (place.latitude_deg - 35) * 110.9
        east_km = (place.longitude_deg + 117) * 91.3
        distance_km = math.hypot(north_km, east_km, 8 + place.elevation_m / 1000)
        speeds: tuple[tuple[Phase, float], ...] = (("P", 6.0), ("S", 3.45))
        for phase, km_s in speeds:
            time_s = START.timestamp + after_s + distance_km / km_s + (late_s or {}).get(name, 0.0)
            picks.append(TimedPick(station=name, phase=phase, time_s=time_s, score=0.9, model="picker"))
    return picks


def test_picks_of_one_earthquake_are_labels_and_others_are_doubtful() -> None:
    pytest.importorskip("pyocto")
    stray = TimedPick(station="XX.S1", phase="P", time_s=START.timestamp + 200)
    away = TimedPick(station="XX.FAR", phase="P", time_s=START.timestamp + 102)
    claim = associate([*quake(100), *quake(400), stray, away], PLACES)
    assert [pick.event for pick in claim.picks] == ["0"] * 12 + ["1"] * 12 + ["-1", "-1"]
    assert max(map(abs, claim.residuals_s.values())) < 0.2


def test_a_station_that_is_always_late_is_corrected() -> None:
    pytest.importorskip("pyocto")
    late = {"XX.S3": 0.45}
    picks = [pick for number in range(6) for pick in quake(100 + 100 * number, late)]
    claim = associate(picks, PLACES)
    assert claim.corrections_s["XX.S3", "P"] > 0.1
    assert all(pick.event != "-1" for pick in claim.picks)


def test_an_earthquake_at_three_stations_is_none() -> None:
    pytest.importorskip("pyocto")
    few = [pick for pick in quake(100) if pick.station in ("XX.S0", "XX.S2", "XX.S4")]
    assert {pick.event for pick in associate([*few, *quake(900)], PLACES).picks[:6]} == {"-1"}


def test_picks_at_stations_of_no_place_are_told() -> None:
    with pytest.raises(InputInvalid, match="none of 12 picks at one of 1 stations"):
        associate(quake(100), {"YY.A": PLACES["XX.S0"]})


def test_of_one_pick_in_two_tables_the_first_is_taken() -> None:
    [first] = [TimedPick(station="XX.A", phase="P", time_s=100.0, score=0.4)]
    same, other = replace(first, time_s=100.3, model="picker"), replace(first, time_s=100.3, phase="S")
    assert merge([[first], [same, other]]) == [first, other]


def test_tables_say_which_picks_are_a_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyocto")
    stations = ["id,lat,lon,elev_m"]
    stations += [f"{name},{p.latitude_deg},{p.longitude_deg},{p.elevation_m}" for name, p in PLACES.items()]
    (tmp_path / "stations.csv").write_text("\n".join(stations) + "\n")
    theirs = [replace(pick, model="") for pick in quake(100) if pick.phase == "P"]
    write_picks(tmp_path / "theirs.csv", theirs)
    write_picks(tmp_path / "own.csv", [*quake(100), replace(quake(300)[0], score=0.4)])
    tables = ["--picks", str(tmp_path / "theirs.csv"), "--picks", str(tmp_path / "own.csv")]
    given = ["--stations", str(tmp_path / "stations.csv"), *tables, "--out", str(tmp_path / "labels.csv")]
    assert main(["dataset", "associate", *given]) == 0
    assert "12 of 12 picks are of 1 events: 6 P, 6 S; 6 are models'" in capsys.readouterr().out
    assert {(pick.phase, pick.model) for pick in read_picks(tmp_path / "labels.csv")} == {("P", ""), ("S", "picker")}


@pytest.mark.parametrize(
    ("text", "told"),
    [("station,phase\nXX.A,P\n", "found 'utc'"), ("station,phase,utc\nXX.A,Q,2024-01-01\n", "expected columns")],
)
def test_a_table_of_something_else_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "picks.csv").write_text(text)
    with pytest.raises(InputInvalid, match=told):
        read_picks(tmp_path / "picks.csv")


# --- trust ------------------------------------------------------------------------------------------------------------


def test_pseudo_labels_are_below_what_judges() -> None:
    assert Completion(picks="a.csv").weight == PSEUDO < TRUSTED


def test_a_description_that_lets_them_judge_is_refused() -> None:
    text = """
name = "x"
[[sources]]
name = "n"
kind = "windows"
path = "a.h5"
licence = "x"
columns = { station = "{sta}" }
complete = { picks = "b.csv", weight = 0.5 }
"""
    with pytest.raises(InputInvalid, match=r"line 9, sources\[0\].complete.weight: found 0.5; expected less than 0.5"):
        read_description(text, "x.toml")
    with pytest.raises(InputInvalid, match="found 3; expected less than or equal to 1"):
        read_description(text.replace("0.5 }", "0.4 }\nlabels = { weight_p = 3 }"), "x.toml")


def test_a_models_picks_on_records_weigh_less_than_somebodys(tmp_path: Path) -> None:
    header = {"network": "XX", "station": "A", "starttime": START, "sampling_rate": 100.0}
    samples = np.random.default_rng(1).normal(scale=100, size=6000).astype(np.int32)
    obspy.Stream([obspy.Trace(samples, {**header, "channel": "HHZ"})]).write(str(tmp_path / "a.mseed"), format="MSEED")
    first = TimedPick(station="XX.A", phase="P", time_s=START.timestamp + 20, score=1.0, event="0")
    second = replace(first, phase="S", time_s=first.time_s + 3, model="picker")
    write_picks(tmp_path / "picks.csv", [first, second])
    file = Continuous(
        path=tmp_path / "a.mseed",
        picks=tmp_path / "picks.csv",
        source="a",
        region="r",
        window_s=60,
        is_noise=False,
        columns=PickColumns(time="{utc}", score="{score}", event="{event}", no_event="-1"),
        rule=LabelRule(known_before_s=2, known_after_s=2),
    )
    [example] = load_all(find_continuous(file))
    assert [(onset.phase, onset.weight) for onset in example.onsets] == [("P", 1.0), ("S", PSEUDO)]


def test_of_no_pick_there_is_no_earthquake() -> None:
    """A first picker may find nothing in an hour; later steps go on without."""
    assert associate([], PLACES).picks == []
