"""Tables of stations: what a row says, and every mistake told at once with its line."""

import contextlib
import random

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.inventory import changes, read_inventory, response_at
from kensoku.v1.inventory_pb2 import (
    GROUND_MOTION_ACCELERATION,
    GROUND_MOTION_DISPLACEMENT,
    GROUND_MOTION_VELOCITY,
)
from tests.tables import TABLE, one_station


def mistakes(*tables: str) -> list[str]:
    with pytest.raises(InputInvalid) as raised:
        read_inventory({f"{name}.csv": table.encode() for name, table in zip("abc", tables, strict=False)})
    return [line.strip() for line in str(raised.value).split("\n")[1:]]


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


@pytest.mark.parametrize("end", ["2599-12-31", "2500-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_end_that_nanoseconds_do_not_reach_is_open(end: str) -> None:
    (epoch,) = one_station(f"id,lat,lon,elev_m,start,end\nNZ.WEL,-41,174,1,2020-01-01,{end}\n").epochs
    assert epoch.end_ns == 0


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


def test_a_star_is_every_channel_as_we_write_it() -> None:
    """`*` is how notes and tables call a channel without a code."""
    row = "NZ.WEL.10,-41.3,174.8,138,{},6.29e8,m/s\n"
    starred, empty = (one_station("id,lat,lon,elev_m,channel,gain,unit\n" + row.format(code)) for code in ("*", ""))
    assert starred == empty
