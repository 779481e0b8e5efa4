"""What a new inventory changes of the published one, and the command that publishes it."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from kensoku.bus import Bus, open_bus, serve_bus
from kensoku.cli.main import main
from kensoku.inventory import changes, published_stations, read_inventory
from kensoku.settings import socket_path
from kensoku.v1.inventory_pb2 import ChannelEpoch, Response, Station
from tests.tables import TABLE, one_station

# --- what differs -----------------------------------------------------------------------------------------------------


def test_what_is_published_already_is_no_change() -> None:
    stations = read_inventory({"a.csv": TABLE}).stations
    published = published_stations({key: s.SerializeToString() for key, s in stations.items()})
    assert changes(published, stations) == []


def test_a_change_names_each_field() -> None:
    head = "id,lat,lon,elev_m,channel,gain,unit\n"
    before = one_station(f"{head}NZ.WEL,-41.284,174.768,138,HHZ,4e8,m/s\nNZ.WEL,-41.284,174.768,138,HHN,,\n")
    after = one_station(f"{head}NZ.WEL,-41.284,174.768,139,HHZ,5e8,m/s\nNZ.WEL,-41.284,174.768,138,HHE,,\n")
    (change,) = changes({"NZ.WEL": before}, {"NZ.WEL": after})
    assert str(change).split("\n") == [
        "~ NZ.WEL",
        "    + HHE from ever on: -41.28400 174.76800 138 m, without response",
        "    - HHN from ever on: -41.28400 174.76800 138 m, without response",
        "    ~ HHZ from ever on: elevation_m 138.0 -> 139.0",
        "    ~ HHZ from ever on: response.sensitivity 400000000.0 -> 500000000.0",
    ]


def test_a_response_that_comes_or_goes_is_a_change() -> None:
    head = "id,lat,lon,elev_m,gain,unit\n"
    with_gain, without = (one_station(f"{head}NZ.WEL,-41,174,1,{end}\n") for end in ("4e8,m/s", ","))
    (change,) = changes({"NZ.WEL": without}, {"NZ.WEL": with_gain})
    assert "response absent -> {input: GROUND_MOTION_VELOCITY sensitivity: 400000000.0}" in str(change)
    (back,) = changes({"NZ.WEL": with_gain}, {"NZ.WEL": without})
    assert str(back).endswith("-> absent")


def test_stations_that_no_file_has_go_only_if_asked() -> None:
    stations = read_inventory({"a.csv": TABLE}).stations
    assert changes(stations, {}) == []
    assert [str(change) for change in changes(stations, {}, prune=True)] == ["- NZ.SNZO", "- NZ.WEL"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"\xff\xff", "found 2 bytes, expected a Station"),
        (Station(epochs=[ChannelEpoch(latitude_deg=math.inf)]).SerializeToString(), "found latitude inf"),
        (Station(epochs=[ChannelEpoch(elevation_m=math.nan)]).SerializeToString(), "found elevation nan"),
        (Station(epochs=[ChannelEpoch(response=Response())]).SerializeToString(), "found sensitivity 0"),
    ],
    ids=["no-station", "nowhere", "no-number", "no-gain"],
)
def test_a_station_that_cannot_be_is_told_and_published_again(
    value: bytes, found: str, caplog: pytest.LogCaptureFixture
) -> None:
    stations = read_inventory({"a.csv": TABLE}).stations
    published = published_stations({"NZ.WEL": value, "NZ.SNZO": stations["NZ.SNZO"].SerializeToString()})
    assert [change.key for change in changes(published, stations)] == ["NZ.WEL"]
    assert f"left out NZ.WEL of the inventory: {found}" in caplog.text


# --- the command, against the socket of a system ----------------------------------------------------------------------


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    monkeypatch.setenv("KENSOKU_HOME", str(tmp_path))
    with open_bus("memory://") as opened, serve_bus(opened, socket_path(tmp_path)):
        yield opened


def published_count(bus: Bus) -> int:
    return sum(1 for _ in bus.read("inventory"))


def test_applying_twice_publishes_once(bus: Bus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stations.csv"
    path.write_bytes(TABLE)
    assert main(["inventory", "diff", str(path)]) == 0
    assert published_count(bus) == 0
    assert main(["inventory", "apply", str(path)]) == 0
    assert main(["inventory", "apply", str(path)]) == 0
    assert published_count(bus) == 2
    assert "published 0 stations" in capsys.readouterr().out
    with bus.table("inventory") as table:
        table.refresh()
        station = Station.FromString(table["NZ.WEL"])
    assert station.source == "stations.csv"
    assert station.published_ns > 0


def test_pruning_leaves_a_tombstone(bus: Bus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stations.csv"
    path.write_bytes(TABLE)
    main(["inventory", "apply", str(path)])
    path.write_bytes(TABLE[: TABLE.index(b"NZ.SNZO")])
    assert main(["inventory", "apply", "--prune", str(path)]) == 0
    assert [(m.key, m.value) for m in bus.read("inventory")][-1] == ("NZ.SNZO", None)
    assert main(["inventory", "show"]) == 0
    assert "NZ.SNZO" not in capsys.readouterr().out.split("removed 1")[1]


def test_a_wrong_file_publishes_nothing(bus: Bus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong = tmp_path / "right.csv", tmp_path / "wrong.csv"
    right.write_bytes(TABLE)
    wrong.write_text("id,lat,lon,elev_m\nNZ.WEL,north,1,2\n")
    assert main(["inventory", "apply", str(right), str(wrong)]) == 1
    assert published_count(bus) == 0
    assert "line 2: found lat 'north', expected a number" in capsys.readouterr().err
