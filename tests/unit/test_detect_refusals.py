"""What `kensoku detect` and `kensoku pick` say before hours of picking, rather than after them."""

import csv
from pathlib import Path

import numpy as np
import obspy
import pytest

from kensoku.acquisition.seconds import Span
from kensoku.batch import Heard, _stage, open_picker
from kensoku.catalogue_files import read_catalogue
from kensoku.cli import detect
from kensoku.cli.main import main
from kensoku.errors import InputInvalid, ModelServerUnavailable
from kensoku.models import default_repository
from kensoku.picking import Calibration
from kensoku.v1.pick_pb2 import DECISION_KEPT
from tests.broker import free_ports
from tests.shocks import onset, pick
from tests.tiny_models import write_repository


def test_a_model_server_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stage, "ANSWER_S", 0.5)
    url = f"triton://127.0.0.1:{free_ports(1)[0]}"
    expected = f"found no answer at {url} .* expected a model server"
    with pytest.raises(ModelServerUnavailable, match=expected), open_picker(default_repository(), url, "picker"):
        pass


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_picked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stations, taken = tmp_path / "stations.csv", tmp_path / "taken"
    stations.write_text("id,lat,lon,elev_m\nXX.A,35,136,0\nXX.B,35.1,136,0\nXX.C,35,136.1,0\n")
    taken.write_text("a file")
    record = tmp_path / "record.mseed"
    record.write_bytes(b"never read")
    given = ["detect", str(record), "--inventory", str(stations), "--out", str(taken / "events")]
    assert main(given) == 1
    assert f"found the file {taken}, expected a folder" in capsys.readouterr().err


def test_a_folder_that_nothing_can_be_written_in_is_told_before_anything_is_picked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr(detect, "find_picks", lambda *_: pytest.fail("picked"))
    stations = tmp_path / "stations.csv"
    stations.write_text("id,lat,lon,elev_m\nXX.A,35,136,0\n")
    given = ["detect", "none", "--inventory", str(stations), "--velocity-model", "homogeneous", "--deepest-km", "10"]
    assert main([*given, "--out", str(tmp_path / "out")]) == 1
    assert f"found that {tmp_path} cannot be written to" in capsys.readouterr().err


def test_an_inventory_of_other_stations_is_told_before_anything_is_picked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect, "messages", lambda *_: pytest.fail("picked"))
    stations, models = tmp_path / "stations.csv", write_repository(tmp_path / "models")
    stations.write_text("id,lat,lon,elev_m\nXX.A,35,136,0\nXX.B,35.1,136,0\nXX.C,35,136.1,0\n")
    trace = obspy.Trace(np.zeros(2000, np.int32), {"network": "YY", "station": "A", "channel": "HHZ", "delta": 0.01})
    trace.write(str(tmp_path / "record.mseed"), format="MSEED")
    given = ["--inventory", str(stations), "--out", str(tmp_path / "out"), "--velocity-model", "homogeneous"]
    given += ["--model-repository", str(models), "--models", f"local:{models}", "--deepest-km", "10"]
    assert main(["detect", str(tmp_path / "record.mseed"), *given]) == 1
    told = capsys.readouterr().err
    assert "found places of 0 of 1 stations, expected 3 at least" in told
    assert told.endswith("; name YY.A in an --inventory, and add records or picks of other stations\n")


@pytest.mark.parametrize("has_picks", [True, False])
def test_a_run_leaves_nothing_of_the_one_before_it_in_its_folder(
    has_picks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where association refuses, after all the picking."""

    def refuse(*_: object) -> None:
        raise InputInvalid("found a station at 9 km")

    one = pick(onset(1, "XX.A", "P", 10.0, 0.1))
    one.decision = DECISION_KEPT
    picks = [Heard(one)] if has_picks else []
    monkeypatch.setattr(detect, "find_picks", lambda *_: (picks, [], {"XX.A": [Span(0, 1)]}, Calibration()))
    monkeypatch.setattr(detect, "open_network", refuse)
    monkeypatch.setenv("KENSOKU_CATALOG_AGENCY", "org.example")
    stations, out = tmp_path / "stations.csv", tmp_path / "out"
    stations.write_text("id,lat,lon,elev_m\nXX.A,35,136,0\n")
    (out / "pictures").mkdir(parents=True)
    for name in ("events.csv", "pictures/2019-07-04T155342_a.png", "pictures/mine.png"):
        (out / name).write_text("of the run before")
    given = ["detect", "none", "--inventory", str(stations), "--out", str(out), "--velocity-model", "homogeneous"]
    assert main([*given, "--deepest-km", "10"]) == (1 if has_picks else 0)
    with (out / "picks.csv").open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [heard.pick.id for heard in picks]
    catalogues = [out / name for name in ("events.csv", "arrivals.csv", "events.xml")]
    if has_picks:  # a catalogue without events would say that nothing was found in them
        assert not any(path.exists() for path in catalogues)
    else:
        assert all(path.exists() for path in catalogues)
        assert read_catalogue(out / "events.csv").events == read_catalogue(out / "events.xml").events == []
        assert 'publicID="smi:org.example/' in (out / "events.xml").read_text()
    assert [path.name for path in (out / "pictures").iterdir()] == ["mine.png"]
