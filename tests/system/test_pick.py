"""`kensoku pick` gives the same table whatever the files, and says what it left out and what is wrong."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import obspy
import pytest
from obspy import Stream, Trace, UTCDateTime
from obspy.io.quakeml.core import _validate

import kensoku.pick
from kensoku.cli.main import main
from tests.model_server import serving
from tests.tiny_models import pulses, write_repository, write_windows

START = UTCDateTime("2024-05-14T10:00:00Z")
SAMPLES = 20_000
CSV = b"id,lat,lon,elev_m,channel,gain,unit\n" + b"".join(b"XX.AAA,1,2,3,HH%c,1e9,M/S\n" % code for code in b"ZNE")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_repository(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def stream() -> Stream:
    """Two stations; P at 1.5 minutes, S five seconds later."""
    return Stream(
        Trace(row.astype(np.int32), _header(station, code))
        for station, record in zip(("AAA", "BBB"), pulses(2, SAMPLES, p=9000, s=9500), strict=True)
        for code, row in zip("ZNE", record, strict=True)
    )


def _header(station: str, code: str) -> dict[str, object]:
    times = {"starttime": START, "sampling_rate": 100.0}
    return {"network": "XX", "station": station, "location": "", "channel": f"HH{code}", **times}


@pytest.fixture(scope="module")
def one_file(stream: Stream, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "all.mseed"
    stream.write(str(path), format="MSEED", encoding="STEIM2")
    return path


def pick(repository: Path, out: Path, *given: object) -> int:
    return main(["pick", *map(str, given), f"--out={out}", "--models=local", f"--model-repository={repository}"])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_says_who_when_what_and_how_sure(repository: Path, one_file: Path, tmp_path: Path) -> None:
    (tmp_path / "stations.csv").write_bytes(CSV)
    out = tmp_path / "picks.csv"
    assert pick(repository, out, one_file, "--inventory", tmp_path / "stations.csv") == 0
    found = rows(out)
    assert list(found[0])[:4] == ["station", "phase", "time", "score"]
    assert [(row["station"], row["phase"]) for row in found] == [
        ("XX.AAA", "P"),
        ("XX.BBB", "P"),
        ("XX.AAA", "S"),
        ("XX.BBB", "S"),
    ]
    assert UTCDateTime(found[0]["time"]) - START == pytest.approx(90.0, abs=0.01)
    assert len(found[0]["time"]) == len("2024-05-14T10:01:30.000000Z")
    assert float(found[0]["peak_velocity_m_s"]) == pytest.approx(5e-7, rel=0.2)
    assert found[1]["peak_velocity_m_s"] == ""
    assert float(found[1]["peak_counts"]) == pytest.approx(500, rel=0.1)
    assert {row["model"] for row in found} == {"picker"}
    assert len({row["id"] for row in found}) == 4
    assert not list(tmp_path.glob("*.tmp"))


def test_an_archive_in_any_order_gives_the_same_bytes(
    repository: Path, stream: Stream, one_file: Path, tmp_path: Path
) -> None:
    assert pick(repository, tmp_path / "one.csv", one_file) == 0
    archive = tmp_path / "archive"
    for trace in stream:
        folder = archive / "2024" / "XX" / trace.stats.station / f"{trace.stats.channel}.D"
        folder.mkdir(parents=True)
        trace.write(str(folder / f"{trace.id}.D.2024.135"), format="MSEED")
    assert pick(repository, tmp_path / "sds.csv", archive) == 0
    parts = tmp_path / "parts"
    parts.mkdir()
    for number, seconds in enumerate((150, 89, 60, 0)):  # the latest first; one cut near the onset
        last = {0: 60, 60: 89, 89: 150, 150: 200}[seconds]
        for trace in stream.slice(START + seconds, START + last - 0.005):
            trace.write(str(parts / f"{number}{trace.stats.station}{trace.stats.channel}.sac"), format="SAC")
    assert pick(repository, tmp_path / "sac.csv", str(parts / "*.sac"), "--jobs=1") == 0
    expected = (tmp_path / "one.csv").read_bytes()
    assert (tmp_path / "sds.csv").read_bytes() == expected
    assert (tmp_path / "sac.csv").read_bytes() == expected
    assert len(rows(tmp_path / "one.csv")) == 4


def test_a_pattern_that_meets_nothing_is_told(
    repository: Path, one_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pick(repository, tmp_path / "picks.csv", one_file, "--stations=XX.AAA,XX.ABB,XX.BBB.10.*") == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note:")]
    assert [line.split("'")[1] for line in notes] == ["XX.ABB", "XX.BBB.10.*"]
    assert {row["station"] for row in rows(tmp_path / "picks.csv")} == {"XX.AAA"}


def test_stations_and_times_are_chosen(repository: Path, one_file: Path, tmp_path: Path) -> None:
    pick(repository, tmp_path / "all.csv", one_file)
    everything = rows(tmp_path / "all.csv")
    chosen = ("--stations=XX.B*", "--start=2024-05-14T10:01:32Z", "--end=2024-05-14T10:02:00Z")
    assert pick(repository, tmp_path / "some.csv", one_file, *chosen) == 0
    assert rows(tmp_path / "some.csv") == [everything[3]]
    assert pick(repository, tmp_path / "up.csv", one_file, "--stations=*.*..HHZ") == 0
    assert [row["phase"] for row in rows(tmp_path / "up.csv")] == ["P", "P"]


def test_the_live_model_finds_the_same_onsets(repository: Path, one_file: Path, tmp_path: Path) -> None:
    assert pick(repository, tmp_path / "live.csv", one_file, "--live") == 0
    found = rows(tmp_path / "live.csv")
    assert [row["phase"] for row in found] == ["P", "P", "S", "S"]
    assert {row["model"] for row in found} == {"picker_live"}
    assert UTCDateTime(found[0]["time"]) - START == pytest.approx(90.0, abs=0.02)


def test_quakeml_is_valid_and_holds_the_picks(repository: Path, one_file: Path, tmp_path: Path) -> None:
    assert pick(repository, tmp_path / "picks.xml", one_file) == 0
    assert _validate(str(tmp_path / "picks.xml"))
    (event,) = obspy.read_events(str(tmp_path / "picks.xml"))
    assert [p.phase_hint for p in event.picks] == ["P", "P", "S", "S"]
    assert [p.waveform_id.channel_code for p in event.picks] == ["HHZ", "HHZ", "HHN", "HHN"]
    assert event.picks[0].time - START == pytest.approx(90.0, abs=0.01)
    assert event.picks[0].evaluation_mode == "automatic"


def test_picks_of_wrong_samples_are_in_the_output_as_rejected(
    repository: Path, stream: Stream, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = stream.copy()
    spoilt.select(station="AAA", channel="HHZ")[0].data[15_000] ^= 1 << 14
    spoilt.write(str(tmp_path / "spoilt.mseed"), format="MSEED", encoding="STEIM2")
    assert pick(repository, tmp_path / "picks.csv", tmp_path / "spoilt.mseed") == 0
    assert "4 picks and 1 rejected (quality);" in capsys.readouterr().out
    found = rows(tmp_path / "picks.csv")
    assert [row["decision"] for row in found] == ["kept"] * 4 + ["rejected_quality"]
    assert found[-1]["decision_reason"].startswith("HHZ: a step of 16")
    assert pick(repository, tmp_path / "picks.xml", tmp_path / "spoilt.mseed") == 0
    assert _validate(str(tmp_path / "picks.xml"))
    (event,) = obspy.read_events(str(tmp_path / "picks.xml"))
    assert [p.evaluation_status for p in event.picks] == [None] * 4 + ["rejected"]
    assert "rejected_quality: HHZ: a step of 16" in event.picks[-1].comments[0].text
    assert len(kensoku.pick.pick(spoilt, models=f"local:{repository}").rejected) == 1


def test_parquet_has_the_columns_of_the_csv(repository: Path, one_file: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    assert pick(repository, tmp_path / "picks.csv", one_file) == 0
    assert pick(repository, tmp_path / "picks.parquet", one_file) == 0
    table, expected = parquet.read_table(tmp_path / "picks.parquet"), rows(tmp_path / "picks.csv")
    assert table.column_names == list(expected[0])
    assert table["id"].to_pylist() == [row["id"] for row in expected]
    assert str(table.schema.field("time").type) == "timestamp[ns, tz=UTC]"


def test_a_notebook_gets_the_same_picks(
    repository: Path, stream: Stream, one_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stations.csv").write_bytes(CSV)
    pick(repository, tmp_path / "picks.csv", one_file, "--inventory", tmp_path / "stations.csv")
    assert "note: --inventory: found no XX.BBB, so amplitudes stay in counts" in capsys.readouterr().err
    with pytest.warns(UserWarning, match="found no XX.BBB in the inventory"):
        found = kensoku.pick(stream, tmp_path / "stations.csv", models=f"local:{repository}")  # type: ignore[operator]  # a module that can be called
    assert [p.id for p in found] == [row["id"] for row in rows(tmp_path / "picks.csv")]
    assert found.columns()["time"] == [row["time"] for row in rows(tmp_path / "picks.csv")]
    assert kensoku.pick.pick(one_file, models=f"local:{repository}")[0].id == found[0].id
    assert "4 picks" in repr(found)
    assert "<td>XX.AAA</td>" in found._repr_html_()
    masked = stream.slice(START + 20) + stream.slice(START, START + 10)
    masked.merge()
    assert all(hasattr(trace.data, "mask") for trace in masked)
    assert len(kensoku.pick.pick(masked, models=f"local:{repository}")) == 4


def test_windows_are_picked_by_window_and_sample(repository: Path, tmp_path: Path) -> None:
    windows = write_windows(tmp_path / "windows.h5", pulses(2, 1000))
    assert pick(repository, tmp_path / "picks.csv", windows) == 0
    assert [(row["window"], row["phase"]) for row in rows(tmp_path / "picks.csv")] == [
        (window, phase) for window in "01" for phase in "PS"
    ]


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[str]:
    with serving(repository) as started:
        yield started.url


@pytest.mark.triton
def test_a_server_gives_the_same_bytes(repository: Path, server: str, one_file: Path, tmp_path: Path) -> None:
    for models, out in (("local", "local.csv"), (server, "server.csv")):
        given = ["pick", str(one_file), f"--out={tmp_path / out}", f"--models={models}"]
        assert main([*given, f"--model-repository={repository}"]) == 0
    assert (tmp_path / "server.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()
    assert len(rows(tmp_path / "local.csv")) == 4


# --- what can be wrong ------------------------------------------------------------------------------------------------


def test_unreadable_files_are_told_and_the_exit_code_says_so(
    capsys: pytest.CaptureFixture[str], repository: Path, one_file: Path, tmp_path: Path
) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (records / "good.mseed").write_bytes(one_file.read_bytes())
    (records / "cut.mseed").write_bytes(one_file.read_bytes()[:5000])
    (records / "notes.txt").write_text("the battery was changed")
    (records / "empty.mseed").write_bytes(b"")
    (records / "short.mseed").write_bytes(one_file.read_bytes()[:300])
    assert pick(repository, tmp_path / "picks.csv", records) == 3
    assert len(rows(tmp_path / "picks.csv")) == 4
    told = capsys.readouterr().err
    assert "notes.txt at byte 0: found no waveforms" in told
    assert "empty.mseed at byte 0: found an empty file" in told
    assert "short.mseed at byte 0: found no whole record; the file was cut off" in told
    assert "left out: 4 unreadable parts of 4 files" in told


@pytest.mark.parametrize("options", [[], ["--live"]])
def test_channels_that_cannot_be_used_are_told_and_the_exit_code_says_so(
    capsys: pytest.CaptureFixture[str], repository: Path, stream: Stream, tmp_path: Path, options: list[str]
) -> None:
    slow = stream.copy()
    for trace in slow:
        trace.stats.sampling_rate, trace.stats.channel = 10.0, "LH" + trace.stats.channel[-1]
    slow.write(str(tmp_path / "slow.mseed"), format="MSEED")
    assert pick(repository, tmp_path / "picks.csv", tmp_path / "slow.mseed", *options) == 3
    told = capsys.readouterr().err
    assert told.count("found 10 samples a second") == len({trace.id for trace in slow})


@pytest.mark.parametrize("options", [[], ["--live"]])
def test_records_from_before_1970_are_told_and_left_out(
    capsys: pytest.CaptureFixture[str], repository: Path, stream: Stream, tmp_path: Path, options: list[str]
) -> None:
    early = stream.copy()
    for trace in early.select(station="AAA"):
        trace.stats.starttime = UTCDateTime("1965-06-01")
    early.write(str(tmp_path / "early.mseed"), format="MSEED")
    assert pick(repository, tmp_path / "picks.csv", tmp_path / "early.mseed", *options) == 3
    assert {row["station"] for row in rows(tmp_path / "picks.csv")} == {"XX.BBB"}
    assert "expected a time between 1970 and 2100" in capsys.readouterr().err


def refused(capsys: pytest.CaptureFixture[str], repository: Path, out: Path, *given: object) -> str:
    assert pick(repository, out, *given) in (1, 2)
    assert not list(out.parent.glob("picks*"))
    return capsys.readouterr().err


def test_mistakes_are_told_before_anything_is_picked(
    capsys: pytest.CaptureFixture[str], repository: Path, one_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "picks.csv"
    assert "found nothing at absent" in refused(capsys, repository, out, "absent")
    assert "found the ending '.xls'" in refused(capsys, repository, tmp_path / "picks.xls", one_file)
    assert "found no folder" in refused(capsys, repository, tmp_path / "none" / "picks.csv", one_file)
    assert "expected some of stations 'YY.*'" in refused(capsys, repository, out, one_file, "--stations=YY.*")
    assert "expected a time before --end" in refused(
        capsys, repository, out, one_file, "--start=2024-05-15T00:00:00", "--end=2024-05-14"
    )
    assert "found 'tomorrow', expected a time" in refused(capsys, repository, out, one_file, "--start=tomorrow")
    assert "found a classifier, expected a picker" in refused(capsys, repository, out, one_file, "--model=phase")
    told = refused(capsys, repository, out, one_file, "--live", "--model=picker")
    assert "found full context, expected a stated look-ahead" in told
    assert "cannot read" in refused(capsys, repository, out, one_file, "--inventory=absent.xml")
    (tmp_path / "junk").write_text("no waveform")
    assert "and no waveform in them" in refused(capsys, repository, out, tmp_path / "junk")


def test_a_result_that_is_there_stays_until_the_new_one_is_whole(
    repository: Path, one_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "picks.csv"
    out.write_text("of yesterday")
    given = ["pick", str(one_file), f"--out={out}", f"--model-repository={repository}"]
    assert main([*given, "--models=triton://127.0.0.1:port"]) in (1, 2)
    assert out.read_text() == "of yesterday"
