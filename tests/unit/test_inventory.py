"""Inventories: the same stations whatever the files look like, and nothing guessed where a file says nothing."""

import contextlib
import hashlib
import io
import math
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import obspy
import pytest
from obspy.core.inventory.response import InstrumentSensitivity, Response

from kensoku.bus import Bus, open_bus, serve_bus
from kensoku.cli.main import main
from kensoku.errors import InputInvalid
from kensoku.inventory import changes, published_stations, read_inventory, response_at
from kensoku.settings import socket_path
from kensoku.v1.inventory_pb2 import (
    GROUND_MOTION_ACCELERATION,
    GROUND_MOTION_DISPLACEMENT,
    GROUND_MOTION_VELOCITY,
    ChannelEpoch,
    Station,
)

GHANA = Path(__file__).parents[2].parent / "shared/data/catalogs/ghana"
TABLE = b"id,lat,lon,elev_m\nNZ.WEL,-41.284,174.768,138\nNZ.SNZO,-41.308,174.704,114\n"


def stationxml(inventory: obspy.Inventory) -> bytes:
    content = io.BytesIO()
    inventory.write(content, "STATIONXML")
    return content.getvalue()


@pytest.fixture
def shipped() -> obspy.Inventory:
    """Three stations in Bavaria with 30 epochs, which ObsPy brings along."""
    return obspy.read_inventory()


def one_station(table: str) -> Station:
    (station,) = read_inventory({"a.csv": table.encode()}).stations.values()
    return station


def mistakes(*tables: str) -> list[str]:
    with pytest.raises(InputInvalid) as raised:
        read_inventory({f"{name}.csv": table.encode() for name, table in zip("abc", tables, strict=False)})
    return [line.strip() for line in str(raised.value).split("\n")[1:]]


# --- StationXML -------------------------------------------------------------------------------------------------------


def test_a_response_agrees_with_evalresp(shipped: obspy.Inventory) -> None:
    stations = read_inventory({"shipped.xml": stationxml(shipped)}).stations
    frequencies_hz = np.geomspace(0.01, 20.0, 40)
    for network in shipped:
        for station in network:
            for channel in station:
                epoch = epoch_of(stations[f"{network.code}.{station.code}"], channel)
                expected = channel.response.get_evalresp_response_for_frequencies(frequencies_hz, end_stage=2)
                np.testing.assert_allclose(response_at(epoch.response, frequencies_hz), expected, rtol=2e-5)


def epoch_of(station: Station, channel: obspy.core.inventory.Channel) -> ChannelEpoch:
    (epoch,) = [e for e in station.epochs if (e.code, e.start_ns) == (channel.code, channel.start_date.ns)]
    return epoch


@pytest.mark.real_data
@pytest.mark.skipif(not GHANA.is_dir(), reason="needs the recorded catalogues beside the project")
@pytest.mark.parametrize("code", ["AKOS", "KLEF", "KUKU", "MRON", "SHAI", "WEIJ"])
def test_a_recorded_network_agrees_with_evalresp(code: str) -> None:
    content = (GHANA / f"GH.{code}.xml").read_bytes()
    reading = read_inventory({"ghana.xml": content})
    frequencies_hz = np.geomspace(0.05, 20.0, 30)
    for channel in obspy.read_inventory(io.BytesIO(content))[0][0]:
        epoch = epoch_of(reading.stations[f"GH.{code}"], channel)
        # The first stage holds the sensor; a preamplifier's corner at 1.6 kHz and the digitiser's filters are left out.
        expected = channel.response.get_evalresp_response_for_frequencies(frequencies_hz, end_stage=2)
        expected *= math.prod(stage.stage_gain for stage in channel.response.response_stages[2:])
        np.testing.assert_allclose(response_at(epoch.response, frequencies_hz), expected, rtol=0.015)


def test_a_channel_keeps_its_place_orientation_and_sensor(shipped: obspy.Inventory) -> None:
    station = read_inventory({"shipped.xml": stationxml(shipped)}).stations["BW.RJOB"]
    first = station.epochs[0]
    assert (first.code, first.rate_hz, first.azimuth_deg, first.dip_deg) == ("EHE", 200.0, 90.0, 0.0)
    assert first.latitude_deg == 47.737167
    assert first.sensor == "Lennartz LE-3D/1 seismometer"
    assert first.response.input == GROUND_MOTION_VELOCITY
    assert [e.start_ns < e.end_ns or e.end_ns == 0 for e in station.epochs] == [True] * 9


def test_a_borehole_has_the_elevation_of_the_ground(shipped: obspy.Inventory) -> None:
    shipped[0][0].elevation = 565.0
    shipped[0][0][0].elevation, shipped[0][0][0].depth = 465.0, 100.0
    channel = shipped[0][0][0]
    epoch = epoch_of(read_inventory({"a.xml": stationxml(shipped)}).stations["GR.FUR"], channel)
    assert (epoch.elevation_m, epoch.burial_depth_m) == (565.0, 100.0)


def test_a_year_that_stands_for_open_is_open(shipped: obspy.Inventory) -> None:
    shipped[0][0][0].end_date = obspy.UTCDateTime(2599, 12, 31)
    channel = shipped[0][0][0]
    assert epoch_of(read_inventory({"a.xml": stationxml(shipped)}).stations["GR.FUR"], channel).end_ns == 0


def test_poles_in_hertz_are_the_same_response(shipped: obspy.Inventory) -> None:
    before = read_inventory({"a.xml": stationxml(shipped)}).stations["GR.FUR"]
    stage = shipped[0][0][0].response.response_stages[0]
    stage.pz_transfer_function_type = "LAPLACE (HERTZ)"
    stage.poles = [pole / (2 * math.pi) for pole in stage.poles]
    stage.zeros = [zero / (2 * math.pi) for zero in stage.zeros]
    after = read_inventory({"a.xml": stationxml(shipped)}).stations["GR.FUR"]
    frequencies_hz = np.geomspace(0.01, 20.0, 10)
    one, other = (response_at(epoch_of(s, shipped[0][0][0]).response, frequencies_hz) for s in (before, after))
    np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (None, "no sensitivity"),
        (Response(), "no sensitivity"),
        (Response(instrument_sensitivity=InstrumentSensitivity(5.0, 1.0, "PA", "COUNTS")), "'PA' is no ground motion"),
        (Response(instrument_sensitivity=InstrumentSensitivity(5.0, 1.0, "M/S", "V")), "'V' is not counts"),
    ],
    ids=["none", "empty", "pressure", "volts"],
)
def test_a_channel_without_a_usable_response_stays_in_counts(
    shipped: obspy.Inventory, response: Response | None, said: str
) -> None:
    shipped[0][0][0].response = response
    channel = shipped[0][0][0]
    reading = read_inventory({"a.xml": stationxml(shipped)})
    assert not epoch_of(reading.stations["GR.FUR"], channel).HasField("response")
    (note,) = [note for note in reading.notes if "GR.FUR HHZ" in note]
    assert said in note
    assert "amplitudes stay in counts" in note


def test_stages_that_contradict_the_sensitivity_are_told(shipped: obspy.Inventory) -> None:
    assert read_inventory({"a.xml": stationxml(shipped)}).notes == ()
    for channel in shipped[0][0][:3]:
        channel.response.instrument_sensitivity.value *= 1.06
    (note,) = read_inventory({"a.xml": stationxml(shipped)}).notes
    assert note.startswith("the stages' gains make 9.43682e+08, more than 5 % off the sensitivity 1.0003e+09")
    assert note.endswith("GR.FUR HHE, GR.FUR HHN, GR.FUR HHZ")


def test_a_station_without_channels_has_its_place() -> None:
    inventory = obspy.read_inventory()
    for station in inventory[0]:
        station.channels = []
    reading = read_inventory({"a.xml": stationxml(inventory)})
    (epoch,) = reading.stations["GR.FUR"].epochs
    assert (epoch.code, round(epoch.latitude_deg, 3)) == ("", 48.163)
    assert reading.notes == ("no channels, so only the place is known: GR.FUR, GR.WET",)


@pytest.mark.parametrize("content", [b"<", b"<html><body>404</body></html>", b"<?xml version='1.0'?>", b"<a>\xff</a>"])
def test_xml_that_is_no_stationxml_is_refused(content: bytes) -> None:
    with pytest.raises(InputInvalid, match=r"a\.xml: found XML that cannot be read .* expected StationXML"):
        read_inventory({"a.xml": content})


# --- the hash ---------------------------------------------------------------------------------------------------------


def test_the_hash_is_of_the_content_not_of_the_files(shipped: obspy.Inventory) -> None:
    whole = read_inventory({"whole.xml": stationxml(shipped)}).stations
    parts = {}
    for index, channel in enumerate(reversed(shipped[0][0].channels)):
        part = shipped.select(station="FUR", channel=channel.code)
        parts[f"{index}.xml"] = stationxml(part).replace(b"\n", b"\n   ")
    split = read_inventory(dict(reversed(parts.items()))).stations
    assert split["GR.FUR"].hash == whole["GR.FUR"].hash
    assert split["GR.FUR"].source != whole["GR.FUR"].source
    assert len({station.hash for station in whole.values()}) == 3


def test_the_hash_is_the_sha256_of_what_is_known() -> None:
    place = (
        b"\x29"
        + struct.pack("<d", -41.28481)
        + b"\x31"
        + struct.pack("<d", 174.76811)
        + b"\x39"
        + struct.pack("<d", 138)
    )
    content = b"\x0a\x02NZ\x12\x03WEL\x1a" + bytes([len(place)]) + place  # as protobuf writes a Station
    station = one_station("elev_m,ID, lat,lon\n\n# Wellington\n138.0,NZ.WEL,-41.284810,+174.768110\n")
    assert station.hash == hashlib.sha256(content).hexdigest()


# --- csv --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gain", "unit", "motion", "sensitivity"),
    [
        ("4e8", "m/s", GROUND_MOTION_VELOCITY, 4e8),
        ("1e6", "M/S**2", GROUND_MOTION_ACCELERATION, 1e6),
        ("1e4", "gal", GROUND_MOTION_ACCELERATION, 1e6),
        ("0.4", "nm/s", GROUND_MOTION_VELOCITY, 4e8),
        ("1000", "m", GROUND_MOTION_DISPLACEMENT, 1000.0),
    ],
)
def test_a_gain_is_brought_to_si_units(gain: str, unit: str, motion: int, sensitivity: float) -> None:
    station = one_station(f"id,lat,lon,elev_m,channel,gain,unit\nNZ.WEL.10,-41.3,174.8,138,HHZ,{gain},{unit}\n")
    (epoch,) = station.epochs
    assert (epoch.location, epoch.code, epoch.response.input) == ("10", "HHZ", motion)
    assert epoch.response.sensitivity == pytest.approx(sensitivity)
    assert response_at(epoch.response, np.array([1.0, 9.0])) == pytest.approx(sensitivity)


def test_a_place_without_a_gain_has_no_response() -> None:
    reading = read_inventory({"a.csv": TABLE})
    assert [epoch.HasField("response") for s in reading.stations.values() for epoch in s.epochs] == [False, False]
    assert reading.notes == ("no response, so amplitudes stay in counts: NZ.SNZO, NZ.WEL",)


def test_epochs_that_follow_each_other_are_no_overlap() -> None:
    rows = "NZ.WEL,-41,174,1,,2020-01-01\nNZ.WEL,-42,174,1,2020-01-01,\nNZ.WEL.10,-41,174,1,,\n"
    assert len(one_station(f"id,lat,lon,elev_m,start,end\n{rows}").epochs) == 3


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    found = mistakes(
        "id,lat,lon,elev_m,channel,gain,unit\n"
        "NZ.WEL,-41.3,174.8,x,HHZ,,\n"
        "NZ.WEL,nan,174.8,1,HHZ,,\n"
        "WEL,-41.3,174.8,1,HHZ,,\n"
        "NZ.WEL,-91.3,184.8,1,HHZ,,\n"
        "NZ.WEL,-41.3,174.8,1,HHN,4e8,furlong\n"
        "NZ.WEL,-41.3,174.8,1,HHN,4e8,\n"
        "NZ.WEL,-41.3,174.8,1,HHN,-4e8,m/s\n"
        "nz.wel,-41.3,174.8,1,HHN,,\n"
        "NZ.WEL,-41.3,174.8,1,HHE\n"
    )
    assert [line.partition(":")[0] for line in found] == [f"a.csv line {n}" for n in (2, 3, 4, 6, 7, 10, 8, 5, 5, 9)]
    assert found[0] == "a.csv line 2: found elev_m 'x', expected a number"
    assert "found latitude -91.3, expected -90 to 90 degrees" in found[7]
    assert "found longitude 184.8, expected -180 to 180 degrees" in found[8]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("NZ.WEL,-41,174,1,HHZ,,\nNZ.WEL,-41,174,1,HHZ,,", "line 3: found NZ.WEL HHZ a second time"),
        (
            "NZ.WEL,-41,174,1,HHZ,,\nNZ.WEL,-42,174,1,HHZ,2020-01-01,",
            "HHZ from 2020-01-01T00:00:00.000Z on, expected no",
        ),
        ("NZ.WEL,-41,174,1,HHZ,,\nNZ.WEL,-42,174,1,,,", "no overlap with * from ever on of a.csv line 3"),
        ("NZ.WEL,-41,174,1,HHZ,2020-01-01,2019-01-01", "found an end at 2019-01-01T00:00:00.000Z"),
        ("NZ.WEL,-41,174,1,HHZ,soon,", "start: found 'soon', expected a time"),
        ("NZ.WEL,-41,174,1,HHZ,3012-01-01,", "start: found '3012-01-01', expected a time between 1678 and 2262"),
        ("NZ.WEL,-41,174,1,H Z,,", "found channel 'H Z', expected codes of A-Z and 0-9"),
        ("NZ.WEL.1 0,-41,174,1,HHZ,,", "found channel '1 0.HHZ', expected codes of A-Z and 0-9"),
    ],
    ids=["duplicate", "overlap", "every channel", "backwards", "no time", "far future", "channel", "location"],
)
def test_epochs_that_contradict_each_other_are_refused(rows: str, said: str) -> None:
    (mistake,) = mistakes(f"id,lat,lon,elev_m,channel,start,end\n{rows}\n")
    assert said in mistake


def test_the_same_row_in_two_files_is_a_duplicate() -> None:
    found = mistakes(TABLE.decode(), TABLE.decode())
    assert found == [
        "b.csv line 3: found NZ.SNZO * a second time, expected it once; a.csv line 3 says the same",
        "b.csv line 2: found NZ.WEL * a second time, expected it once; a.csv line 2 says the same",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"id,lat,lon,elev_m\n",
        b"NZ.WEL,-41,174,1\n",
        b"id,lat,lon,elev_m,colour\nNZ.WEL,1,2,3,red\n",
        b"id,id,lat,lon,elev_m\n",
        b"\x89PNG\r\n\x1a\n\0\0\0",
        b"PK\x03\x04" + bytes(range(256)),
        b'id,lat,lon,elev_m\n"NZ.WEL,1,2,3\n' + b"x" * 200_000,
    ],
    ids=["empty", "header only", "no header", "unknown column", "column twice", "picture", "archive", "huge cell"],
)
def test_what_is_no_table_of_stations_is_refused(content: bytes) -> None:
    with pytest.raises(InputInvalid, match=r"(?s)1 mistake in the inventory.*a\.csv.*found.*expected"):
        read_inventory({"a.csv": content})


def test_a_spreadsheets_byte_order_mark_and_line_ends_are_taken() -> None:
    assert read_inventory({"a.csv": b"\xef\xbb\xbf" + TABLE.replace(b"\n", b"\r\n")}).stations.keys() == {
        "NZ.SNZO",
        "NZ.WEL",
    }


def test_damaged_tables_are_read_or_refused() -> None:
    chance = random.Random(20190704)
    whole = b"id,lat,lon,elev_m,channel,gain,unit,start,end\nNZ.WEL,-41.2,174.7,138,HHZ,4e8,m/s,2012-01-01,2013-01-01\n"
    for _ in range(3_000):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 5)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with contextlib.suppress(InputInvalid):
            stations = read_inventory({"a.csv": bytes(damaged)}).stations
            assert [str(change) for change in changes({}, stations)]


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


def test_an_unreadable_station_is_published_again() -> None:
    stations = read_inventory({"a.csv": TABLE}).stations
    published = published_stations({"NZ.WEL": b"\xff\xff", "NZ.SNZO": stations["NZ.SNZO"].SerializeToString()})
    assert [change.key for change in changes(published, stations)] == ["NZ.WEL"]


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
