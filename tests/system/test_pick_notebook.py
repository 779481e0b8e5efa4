"""`kensoku.pick` in a notebook: what it takes, says and gives, and that it leaves alone what it is given."""

import inspect
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime

import kensoku.pick
from kensoku.errors import InputInvalid
from kensoku.pick import PickTable, pick
from tests.tiny_models import pulses, write_repository

HEADER = {"network": "XX", "station": "AAA", "sampling_rate": 100.0, "starttime": UTCDateTime("2024-05-14T10:00:00Z")}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local:{write_repository(tmp_path_factory.mktemp('models'))}"


@pytest.fixture
def stream() -> Stream:
    """P at 90 s, S five seconds later."""
    (record,) = pulses(1, 20_000, p=9000, s=9500)
    rows = zip("ZNE", record, strict=True)
    return Stream(Trace(row.astype(np.int32), {**HEADER, "channel": f"HH{code}"}) for code, row in rows)


def test_the_module_is_called_like_the_function() -> None:
    assert callable(kensoku.pick)
    assert inspect.signature(kensoku.pick) == inspect.signature(pick)


def test_a_warning_names_the_channel_and_the_line_of_the_caller(stream: Stream, models: str) -> None:
    stream[0].stats.channel = "Z"
    with pytest.warns(UserWarning, match="left out XX.AAA..Z: by its code it is no seismometer.* rename it") as told:
        kensoku.pick(stream, models=models)  # type: ignore[operator]  # a module that can be called
    assert [each.filename for each in told] == [__file__]


def test_a_station_that_the_inventory_lacks_is_told(stream: Stream, models: str, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("id,lat,lon,elev_m,gain,unit\nYY.AAA,35,136,0,1e9,m/s\n")
    with pytest.warns(UserWarning, match="found no XX.AAA in the inventory, so its amplitudes stay in counts") as told:
        assert len(pick(stream, tmp_path / "other.csv", models=models)) == 2
    assert [each.filename for each in told] == [__file__]


def test_what_is_doubtful_in_the_inventory_is_told(stream: Stream, models: str, tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text("id,lat,lon,elev_m\nXX.AAA,35,136,0\n")
    with pytest.warns(UserWarning, match="inventory: .*no response, so amplitudes stay in counts"):
        pick(stream, tmp_path / "places.csv", models=models)


@pytest.mark.parametrize("wrong", [{"threshold": "0.3"}, {"threshold": 1.5}, {"jobs": 0}, {"jobs": 2.5}])
def test_an_option_of_another_kind_is_refused_in_words(wrong: dict[str, Any], stream: Stream, models: str) -> None:
    with pytest.raises(InputInvalid, match="expected 1 or more, and 0 to 1 or None"):
        pick(stream, models=models, **wrong)


@pytest.mark.parametrize("row", ["XX.AAA.00,35,136,0,,1e9,m/s,", "XX.AAA,35,136,0,,1e9,m/s,1999-01-01"])
def test_channels_without_an_epoch_at_that_time_are_told(stream: Stream, models: str, tmp_path: Path, row: str) -> None:
    (tmp_path / "old.csv").write_text(f"id,lat,lon,elev_m,channel,gain,unit,end\n{row}\n")
    with pytest.warns(UserWarning, match="found no epoch of XX.AAA..HH[ZNE] at that time in the inventory") as told:
        assert len(pick(stream, tmp_path / "old.csv", models=models)) == 2
    assert [each.filename for each in told] == [__file__] * 3


def test_what_is_given_stays_as_it_is_and_nothing_is_printed(
    stream: Stream, models: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = stream.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(pick(stream, models=models)) == 2
    assert stream == before
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("wrong", [None, 3, np.zeros((3, 100)), {"a": 1}])
def test_no_stream_is_refused_in_words(wrong: Any, models: str) -> None:
    with pytest.raises(InputInvalid, match="expected ObsPy's Stream, Trace or a file's name"):
        pick(wrong, models=models)


@pytest.mark.parametrize("wrong", [42, b"<xml/>", Stream(), {"a": 1}, [1]])
def test_no_inventory_is_refused_in_words(wrong: Any, stream: Stream, models: str) -> None:
    with pytest.raises(InputInvalid, match="expected ObsPy's Inventory, or paths of StationXML or csv"):
        pick(stream, wrong, models=models)


def test_data_frames_have_the_same_types_whatever_was_picked(stream: Stream, models: str) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    some, none = pick(stream, models=models).to_dataframe(), PickTable(()).to_dataframe()
    assert some.dtypes.equals(none.dtypes)
    assert str(some.time.dtype) == "datetime64[ns, UTC]"
    assert some.time[0].nanosecond == pick(stream, models=models)[0].time_ns % 1000
    assert not (some.peak_velocity_m_s > 0).any()  # nothing is known of the instrument: NaN
    assert pandas.concat([some, none]).equals(some)
