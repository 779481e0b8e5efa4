"""`kensoku locate`: from a csv of picks to tables and QuakeML, and sentences where that cannot be."""

import csv
import math
from pathlib import Path

import pytest

from kensoku.cli.main import main
from tests.time_grids import write_grids

PLACES = {"A": (0, 20), "B": (15, -10), "C": (-18, -5), "D": (25, 12), "E": (-9, -30)}
KM_PER_DEG = 6371 * math.pi / 180


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "stations.csv"
    rows = [f"XX.{code},{n / KM_PER_DEG:.6f},{e / KM_PER_DEG:.6f},0" for code, (n, e) in PLACES.items()]
    path.write_text("\n".join(["id,lat,lon,elev_m", *rows]))
    return path


def write_picks(path: Path, day: str = "2026-01-31") -> Path:
    lines = ["event_id,station,phase,time,uncertainty_s"]
    for code, place in PLACES.items():
        for wave, velocity in (("P", 6.0), ("S", 3.4641016)):
            onset_s = math.hypot(*place, 8.0) / velocity
            lines.append(f"quake,XX.{code},{wave},{day}T12:00:{10 + onset_s:09.6f}Z,0.05")
    lines += ["lonely,XX.A,P,2026-01-31T13:00:00Z,0.05", ",XX.B,P,2026-01-31T13:00:09Z,0.05"]
    path.write_text("\n".join(lines))
    return path


def locate(picks: Path, inventory: Path, out: Path, *more: str) -> int:
    command = [
        "locate",
        str(picks),
        "--inventory",
        str(inventory),
        "--velocity-model",
        "homogeneous",
        "--out",
        str(out),
    ]
    return main([*command, "--deepest-km", "30", *more])


def test_events_are_located_and_written(tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picks = write_picks(tmp_path / "picks.csv")
    assert locate(picks, inventory, tmp_path / "out", "--cache", str(tmp_path / "tables")) == 0
    with (tmp_path / "out" / "events.csv").open() as file:
        (event,) = csv.DictReader(file)
    assert event["event_id"] == "quake"
    assert event["time"].startswith(("2026-01-31T12:00:10.0", "2026-01-31T12:00:09.99"))
    assert (float(event["latitude"]), float(event["longitude"])) == pytest.approx((0, 0), abs=0.002)
    assert float(event["depth_km"]) == pytest.approx(8, abs=0.2)
    with (tmp_path / "out" / "arrivals.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 10
    assert "quakeml" in (tmp_path / "out" / "events.xml").read_text()
    told = capsys.readouterr()
    assert "1 events located with the velocity model homogeneous" in told.out
    assert "not located: lonely: found 1 arrivals" in told.err
    again = locate(
        tmp_path / "out" / "arrivals.csv", inventory, tmp_path / "again", "--cache", str(tmp_path / "tables")
    )
    assert again == 0
    assert (tmp_path / "again" / "events.csv").read_text() == (tmp_path / "out" / "events.csv").read_text()


def test_an_arrival_that_is_told_twice_counts_once(
    tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picks, tables = write_picks(tmp_path / "picks.csv"), ("--cache", str(tmp_path / "tables"))
    assert locate(picks, inventory, tmp_path / "once", *tables) == 0
    capsys.readouterr()
    head, *lines = picks.read_text().splitlines()
    of_other_sensors = [
        line.replace(",P,", "..HN,P,").replace(",S,", "..HN,S,").replace(",0.05", ",0.5") for line in lines
    ]
    picks.write_text("\n".join([head, *lines, *lines[:4], *of_other_sensors[4:8]]))
    assert locate(picks, inventory, tmp_path / "twice", *tables) == 0
    assert "left out: 8 picks of arrivals that stand in the table more than once" in capsys.readouterr().err
    for name in ("events.csv", "arrivals.csv"):
        assert (tmp_path / "twice" / name).read_text() == (tmp_path / "once" / name).read_text()


def located(out: Path) -> list[dict[str, str]]:
    with (out / "events.csv").open() as file:
        return list(csv.DictReader(file))


def test_an_event_is_located_by_where_its_stations_stood_then(tmp_path: Path, inventory: Path) -> None:
    picks, tables = write_picks(tmp_path / "picks.csv"), ("--cache", str(tmp_path / "tables"))
    head, *lines = [line for line in picks.read_text().splitlines() if not line.startswith(("lonely", ","))]
    later = [line.replace("quake", "later").replace("2026-01-31", "2026-03-01") for line in lines]
    picks.write_text("\n".join([head, *lines, *later]))
    assert locate(picks, inventory, tmp_path / "still", *tables) == 0
    before = [f"{line},,2026-02-15" for line in inventory.read_text().splitlines()[1:]]
    after = [
        f"XX.{code},{(n + 10) / KM_PER_DEG:.6f},{e / KM_PER_DEG:.6f},0,2026-02-15," for code, (n, e) in PLACES.items()
    ]
    inventory.write_text("\n".join(["id,lat,lon,elev_m,start,end", *before, *after]))
    assert locate(picks, inventory, tmp_path / "moved", *tables) == 0
    still, moved = located(tmp_path / "still"), located(tmp_path / "moved")
    assert moved[0] == still[0]  # to the bit
    assert (float(moved[1]["latitude"]) - float(still[1]["latitude"])) * KM_PER_DEG == pytest.approx(10, abs=0.1)


def test_a_station_that_is_of_ever_was_there_before_1970(tmp_path: Path, inventory: Path) -> None:
    picks = write_picks(tmp_path / "picks.csv", "1965-01-31")
    assert locate(picks, inventory, tmp_path / "out", "--cache", str(tmp_path / "tables")) == 0
    with (tmp_path / "out" / "events.csv").open() as file:
        (event,) = csv.DictReader(file)
    assert event["time"].startswith(("1965-01-31T12:00:10.0", "1965-01-31T12:00:09.99"))


def test_picks_of_stations_that_nobody_knows_are_told(
    tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picks = write_picks(tmp_path / "picks.csv")
    strangers = "".join(f"\nquake,{code},P,2026-01-31T12:00:12Z,0.05" for code in ("YY.A", "YY.B", "YY.B..HN"))
    picks.write_text(f"{picks.read_text()}{strangers}\nquake,YY.B,S,2026-01-31T12:00:14Z,0.05")
    assert locate(picks, inventory, tmp_path / "out") == 0
    told = capsys.readouterr().err
    assert "left out: picks, 2 of YY.B, 1 of YY.A: no place is known; name an --inventory that has it" in told


def test_events_that_may_be_deeper_are_told(
    tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert locate(write_picks(tmp_path / "picks.csv"), inventory, tmp_path / "out", "--deepest-km", "4") == 0
    (event,) = located(tmp_path / "out")
    assert event["quality"] == "D"
    told = capsys.readouterr().err
    assert "1 events reach the greatest depth that is allowed, 4 km, and may be deeper: give a greater --dee" in told


def test_depths_may_end_above_the_usual_one(tmp_path: Path, inventory: Path) -> None:
    assert locate(write_picks(tmp_path / "picks.csv"), inventory, tmp_path / "out", "--deepest-km", "9") == 0
    (event,) = located(tmp_path / "out")
    assert float(event["depth_km"]) == pytest.approx(8, abs=0.3)


def test_the_agency_and_the_author_that_are_set_sign_what_is_written(
    tmp_path: Path, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENSOKU_CATALOG_AGENCY", "org.example")
    monkeypatch.setenv("KENSOKU_CATALOG_AUTHOR", "the network")
    assert locate(write_picks(tmp_path / "picks.csv"), inventory, tmp_path / "out") == 0
    text = (tmp_path / "out" / "events.xml").read_text()
    assert 'publicID="smi:org.example/kensoku/event/quake"' in text
    assert "<author>the network</author>" in text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("time,station\n", "found no column event_id, phase"),
        ("event_id,station,phase,time\n", "found no pick with an event_id"),
        ("event_id,station,phase,time\na,XX.A,Q,2026-01-31\n", "line 2: found phase 'Q', expected P or S"),
        ("event_id,station,phase,time\na,XX,P,2026-01-31\n", "line 2: found station 'XX', expected NET.STA"),
        ("event_id,station,phase,time\na,XX.A,P,noon\n", "line 2: found 'noon', expected a time"),
        ("event_id,station,phase,time,uncertainty_s\na,XX.A,P,2026-01-31,x\n", "found uncertainty_s 'x'"),
        (
            "event_id,station,phase,time,uncertainty_s\na,XX.A,P,2026-01-31,0\n",
            "line 2: found uncertainty_s '0', expected a number above 0 or an empty cell",
        ),
        ("event_id,station,phase,time,uncertainty_s\na,XX.A,P,2026-01-31,-1\n", "line 2: found uncertainty_s '-1'"),
        ("event_id,station,phase,time,uncertainty_s\na,XX.A,P,2026-01-31,nan\n", "line 2: found uncertainty_s 'nan'"),
        (
            "event_id,station,phase,time,probability\na,XX.A,P,2026-01-31,1.5\n",
            "line 2: found probability '1.5', expected a number from 0 to 1",
        ),
        ("event_id,station,phase,time\na,XX.A\n", "line 2: found phase None"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(
    tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str], content: str, sentence: str
) -> None:
    picks = tmp_path / "picks.csv"
    picks.write_text(content)
    assert locate(picks, inventory, tmp_path / "out") != 0
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_inside_of_a_file_is_told(tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert locate(write_picks(tmp_path / "picks.csv"), inventory, inventory / "out") == 1
    assert f"found the file {inventory}, expected a folder" in capsys.readouterr().err


def test_a_file_is_not_taken_for_the_folder(
    tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert locate(write_picks(tmp_path / "picks.csv"), inventory, inventory) == 1
    assert f"found the file {inventory}, expected a folder" in capsys.readouterr().err


def test_events_are_located_by_grids(tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picks = write_picks(tmp_path / "picks.csv")
    grids = write_grids(tmp_path / "grids", {code: PLACES[code] for code in "ABCD"})
    assert locate(picks, inventory, tmp_path / "out", "--time-grids", str(grids)) == 0
    with (tmp_path / "out" / "events.csv").open() as file:
        (event,) = csv.DictReader(file)
    assert (float(event["latitude"]), float(event["longitude"])) == pytest.approx((0, 0), abs=0.002)
    assert float(event["depth_km"]) == pytest.approx(8, abs=0.2)
    told = capsys.readouterr()
    assert "homogeneous and 3-D grids" in told.out
    assert "no grid, so the velocity model serves: XX.E" in told.err


def test_grids_of_other_stations_are_refused(
    tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grids = write_grids(tmp_path / "grids", {"A": PLACES["A"]})
    for path in grids.iterdir():
        path.write_bytes(path.read_bytes().replace(b"XX_A", b"YY_A"))
    picks = write_picks(tmp_path / "picks.csv")
    assert locate(picks, inventory, tmp_path / "out", "--time-grids", str(grids)) == 1
    assert "found no grid of XX.A, XX.B, XX.C, XX.D, XX.E among the --time-grids" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
