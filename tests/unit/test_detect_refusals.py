"""What `kensoku detect` and `kensoku pick` say before hours of picking, rather than after them."""

from pathlib import Path

import pytest

from kensoku.batch import _stage, open_picker
from kensoku.cli.main import main
from kensoku.errors import ModelServerUnavailable
from kensoku.models import default_repository
from tests.broker import free_ports


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
    assert main(given) == 2
    assert "expected a folder; name another" in capsys.readouterr().err
