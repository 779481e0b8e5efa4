"""`kensoku pick --classic`: STA/LTA and AR-AIC over files, with the shipped denoiser and picker behind them."""

import csv
from pathlib import Path

import pytest
from obspy import UTCDateTime

import kensoku.pick
from kensoku.cli.main import main

START, END = "2024-06-03T06:14:00.000000Z", "2024-06-03T06:16:30.000000Z"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    given = ["--start", "2024-06-03T06:12:00Z", "--end", "2024-06-03T06:17:30Z", "--stations", "XA.0[26]"]
    assert main(["simulate", "aftershocks", "--out", str(folder), *given]) == 0
    return folder


def picked(out: Path, *given: object, how: tuple[str, ...] = ("--classic",)) -> list[dict[str, str]]:
    assert main(["pick", *map(str, given), *how, f"--out={out}", f"--start={START}", f"--end={END}"]) == 0
    return rows(out)


def of_station(found: list[dict[str, str]], station: str) -> list[dict[str, str]]:
    return [row for row in found if row["station"] == station]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_comes_first_is_picked_and_what_is_noise_is_told(archive: Path, tmp_path: Path) -> None:
    found = picked(tmp_path / "picks.csv", archive, "--inventory", archive / "stations.xml")
    kept = [row for row in found if row["decision"] == "kept"]
    noise = [row for row in found if row["decision"] == "rejected_noise"]
    mainshock = [row for row in rows(archive / "arrivals.csv") if row["event_id"] == "mainshock-000000"]
    first_p = {row["station"]: UTCDateTime(row["time"]) for row in mainshock if row["phase"] == "Pg"}
    assert len(first_p) == 2
    for station, time in first_p.items():
        near = [row for row in kept if row["station"] == station and abs(UTCDateTime(row["time"]) - time) < 0.1]
        assert [row["phase"] for row in near] == ["P"]
        assert float(near[0]["wood_anderson_mm"]) > 0.1
    assert {row["model"] for row in kept} == {"picker"}  # which refined them
    assert {row["model"] for row in noise} == {"classic"}
    assert all(row["decision_reason"].startswith("denoiser: an onset with probability 0") for row in noise)


def test_as_live_no_picker_moves_them_and_files_and_pieces_change_no_byte(archive: Path, tmp_path: Path) -> None:
    found = picked(tmp_path / "live.csv", archive, "--live")
    assert {row["model"] for row in found} == {"classic"}
    assert len([row for row in found if row["decision"] == "kept"]) >= 4
    parts = [*archive.glob("2024/XA/*/*Z.D/*"), *archive.glob("2024/XA/*/*[NE].D/*")]
    assert picked(tmp_path / "parts.csv", *reversed(parts), "--live") == found


def test_a_notebook_gives_those_of_the_command(archive: Path, tmp_path: Path) -> None:
    import obspy

    found = [row for row in picked(tmp_path / "picks.csv", archive) if row["decision"] == "kept"]
    stream = obspy.read(str(archive / "2024" / "XA" / "*" / "*" / "*"))
    table = kensoku.pick.pick(stream, classic=True)
    assert [pick.id for pick in table if START < pick.time < END] == [row["id"] for row in found]


@pytest.mark.parametrize("live", [(), ("--live",)])
def test_each_station_is_picked_as_if_all_were_picked_like_it(
    archive: Path, tmp_path: Path, live: tuple[str, ...]
) -> None:
    mixed = picked(tmp_path / "mixed.csv", archive, how=("--classic-stations", "XA.02", *live))
    classic = picked(tmp_path / "classic.csv", archive, how=("--classic", *live))
    network = picked(tmp_path / "network.csv", archive, how=live)
    assert of_station(mixed, "XA.02") == of_station(classic, "XA.02") != of_station(network, "XA.02")
    assert of_station(mixed, "XA.06") == of_station(network, "XA.06") != of_station(classic, "XA.06")
    assert [row["time"] for row in mixed] == sorted(row["time"] for row in mixed)


def test_a_notebook_chooses_stations_too(archive: Path, tmp_path: Path) -> None:
    import obspy

    found = picked(tmp_path / "picks.csv", archive, how=("--classic-stations", "XA.02"))
    stream = obspy.read(str(archive / "2024" / "XA" / "*" / "*" / "*"))
    with pytest.warns(UserWarning, match=r"found no station of classic 'XB\.\*' in the stream"):
        table = kensoku.pick.pick(stream, classic="XA.02, XB.*")
    assert [pick.id for pick in table if START < pick.time < END] == [
        row["id"] for row in found if row["decision"] == "kept"
    ]


def test_a_misspelt_pattern_is_told(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picked(tmp_path / "picks.csv", archive, how=("--classic-stations=XA.02,XA.20", "--stations=XA.02"))
    said = capsys.readouterr().err
    assert "note: --classic-stations: found no station of 'XA.20' among the records; check its spelling" in said
    assert "'XA.02'" not in said


def test_a_stricter_denoiser_rejects_more(archive: Path, tmp_path: Path) -> None:
    usual, strict = (picked(tmp_path / "picks.csv", archive, "--live", *more) for more in ([], ["--threshold=0.9999"]))
    assert {row["id"] for row in usual} == {row["id"] for row in strict}
    kept, fewer = (sum(row["decision"] == "kept" for row in some) for some in (usual, strict))
    assert fewer < kept


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["records.mseed", "--live", "--model=picker"], "found --model picker with --classic --live"),
        (["windows.h5"], "found --classic with a window file, expected none of it"),
    ],
)
def test_options_that_do_not_go_together_are_told(
    given: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pick", *given, "--classic", f"--out={tmp_path / 'picks.csv'}"]) == 2
    assert expected in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
