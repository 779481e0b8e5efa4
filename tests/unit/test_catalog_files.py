"""Tables and FDSN's text: what they say, what they refuse, and that nothing is lost in silence."""

import csv
import math
from pathlib import Path

import pytest

from kensoku.catalogue_files import COLUMNS, FORMATS, format_of, read_catalogue, write_catalogue
from kensoku.catalogue_files._words import time_text
from kensoku.errors import InputInvalid, KensokuError, SettingInvalid
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_STATUS_RETRACTED,
    EVENT_TYPE_BLAST,
    EVENT_TYPE_EARTHQUAKE,
    Event,
    EventStatus,
)
from tests.catalogue import ORIGIN_NS, SIGNATURE, make_event, write_checked


def test_a_time_keeps_its_nanoseconds() -> None:
    assert time_text(ORIGIN_NS) == "2019-07-04T15:53:42.989200Z"
    assert time_text(ORIGIN_NS + 1) == "2019-07-04T15:53:42.989200001Z"
    assert time_text(-1) == "1969-12-31T23:59:59.999999999Z"


# --- tables -----------------------------------------------------------------------------------------------------------


def test_a_table_has_the_columns_that_others_read(tmp_path: Path) -> None:
    write_checked(tmp_path / "events.csv", [make_event()])
    with (tmp_path / "events.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert COLUMNS[:6] == ("event_id", "time", "latitude", "longitude", "depth_km", "magnitude")
    assert row["time"] == "2019-07-04T15:53:42.989200Z"
    assert (row["latitude"], row["longitude"], row["depth_km"]) == ("35.69000", "-117.47000", "9.250")
    assert (row["magnitude"], row["magnitude_type"], row["quality"], row["type"]) == ("1.64", "ML", "B", "EARTHQUAKE")


def test_a_table_says_by_which_velocities_and_why_there_is_no_magnitude(tmp_path: Path) -> None:
    event = make_event()
    event.provenance.velocity_model = "japan"
    del event.magnitudes[:]
    event.magnitudes.add(type="ML", absent_reason="no station with a response")
    event.preferred_magnitude = ""
    write_checked(tmp_path / "events.csv", [event])
    with (tmp_path / "events.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["velocity_model"], row["magnitude_reason"]) == ("japan", "no station with a response")
    (again,) = read_catalogue(tmp_path / "events.csv").events
    assert again.provenance.velocity_model == "japan"
    assert [each.absent_reason for each in again.magnitudes] == ["no station with a response"]


def test_a_table_is_read_back(tmp_path: Path) -> None:
    event, blast = make_event("a,\"b'\nc"), make_event("b", 4, time_s=9)
    blast.type = EVENT_TYPE_BLAST
    empty = make_event("c")
    empty.ClearField("magnitudes")
    path = tmp_path / "events.csv"
    write_checked(path, [event, blast, empty])
    first = path.read_bytes()
    found = read_catalogue(path).events
    assert [(e.id, e.revision, e.type) for e in found] == [
        (event.id, 1, EVENT_TYPE_EARTHQUAKE),
        ("b", 4, EVENT_TYPE_BLAST),
        ("c", 1, EVENT_TYPE_EARTHQUAKE),
    ]
    assert not found[2].magnitudes
    write_checked(path, found)
    assert path.read_bytes() == first


def test_an_event_without_an_origin_is_read_back_as_one_by_its_name_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    write_checked(path, [make_event("a"), Event(id="b", revision=2, status=EVENT_STATUS_RETRACTED)])
    _, read = read_catalogue(path).events
    assert (read.id, read.revision, read.status, read.HasField("origin")) == ("b", 2, EVENT_STATUS_RETRACTED, False)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "," * lines[0].count(",")]))
    with pytest.raises(InputInvalid, match="line 2: found '', expected a time"):
        read_catalogue(path)


def test_a_table_says_how_many_stations_made_a_magnitude_and_what_an_event_was_split_from(tmp_path: Path) -> None:
    event = make_event()
    event.magnitudes[0].stations, event.split_from = 7, "whole"
    write_checked(tmp_path / "events.csv", [event])
    with (tmp_path / "events.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["magnitude_stations"], row["split_from"]) == ("7", "whole")
    (again,) = read_catalogue(tmp_path / "events.csv").events
    assert (again.magnitudes[0].stations, again.split_from) == (7, "whole")


def test_another_agencys_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "usgs.csv"
    path.write_text(
        "time,latitude,longitude,depth,mag,magType,gap,rms,id,type,status\n"
        "2019-07-04T17:33:49.000Z,35.7053,-117.5038,10.5,6.4,mw,19,0.18,ci38443183,earthquake,reviewed\n"
        "2019-07-04T18:00:00Z,35.7,-117.5,,,,,,,quarry blast,deleted\n"
    )
    first, second = read_catalogue(path).events
    assert (first.id, first.origin.depth_km, first.magnitudes[0].value) == ("ci38443183", 10.5, 6.4)
    assert first.origin.azimuthal_gap_deg == 19
    assert (second.type, second.origin.depth_is_fixed, len(second.magnitudes)) == (EVENT_TYPE_BLAST, True, 0)
    assert (first.status, second.status) == (EVENT_STATUS_FINAL, EVENT_STATUS_RETRACTED)
    assert second.id == read_catalogue(path).events[1].id


def test_a_size_below_nothing_is_one_that_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "minus.csv"
    path.write_text(
        "time,latitude,longitude,phases,revision,gap,magnitude,magnitude_uncertainty\n2020-01-01,1,2,-1,-1,-1,3,-1\n"
    )
    (event,) = read_catalogue(path).events
    assert (event.origin.phases_used, event.origin.azimuthal_gap_deg, event.revision) == (0, 0, 1)
    assert event.magnitudes[0].uncertainty == 0


def test_the_id_of_an_event_without_one_is_of_its_content_whoever_made_it(tmp_path: Path) -> None:
    path, ids = tmp_path / "events.csv", set[str]()
    for name, cell in (("", ""), (",net", ",us"), (",agency,magnitude_author", ",us,gcmt")):
        path.write_text(f"time,latitude,longitude,magnitude{name}\n2020-01-01,1,2,3{cell}\n")
        ids |= {event.id for event in read_catalogue(path).events}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found the columns none"),
        ("time,latitude,longitude,phases\n2020-01-01,1,2,5000000000\n", r"phases: found 5000000000"),
        ("time,latitude\n", "expected also longitude"),
        ("time,latitude,longitude\nyesterday,1,2\n", r"line 2: found 'yesterday'"),
        ("time,latitude,longitude\n2020-01-01,95,2\n", r"latitude: found 95, expected a number within 90"),
        ("time,latitude,longitude\n2020-01-01,north,2\n", r"latitude: found 'north'"),
        ("time,latitude,longitude\n2020-01-01,,2\n", r"found no latitude"),
        ("time,latitude,longitude\n2020-01-01,1\n", r"line 2: found 2 cells, expected 3"),
        ("event_id,time,latitude,longitude\na,2020-01-01,1,2\na,2020-01-02,1,2\n", r"'a' more than once"),
        ("time,latitude,longitude,magnitude\n2020-01-01,1,2,nan\n", r"magnitude: found nan"),
    ],
)
def test_a_mistake_in_a_table_is_told(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InputInvalid, match=words):
        read_catalogue(path)


def test_all_mistakes_of_a_table_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("time,latitude,longitude\n" + "2020-01-01,x,2\n" * 30)
    with pytest.raises(InputInvalid, match="30 mistakes") as caught:
        read_catalogue(path)
    assert str(caught.value).splitlines()[-1] == "  and 10 more"


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    for name in ("bad.csv", "bad.txt", "bad.xml"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00\x01")
        with pytest.raises(InputInvalid, match=name):
            read_catalogue(tmp_path / name)


def test_arrivals_are_a_table_of_their_own(tmp_path: Path) -> None:
    write_checked(tmp_path / "arrivals.csv", [make_event()], "arrivals")
    with (tmp_path / "arrivals.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert (rows[0]["station"], rows[0]["phase"], rows[0]["time"]) == ("TOW2", "P", "2019-07-04T15:53:44.989200Z")


def test_an_error_of_an_onset_that_nobody_knows_is_no_zero(tmp_path: Path) -> None:
    event = make_event()
    event.arrivals[0].onset_uncertainty_s, event.arrivals[1].onset_uncertainty_s = 0.0, 0.0001
    write_checked(tmp_path / "arrivals.csv", [event], "arrivals")
    with (tmp_path / "arrivals.csv").open(newline="") as file:
        assert [row["uncertainty_s"] for row in csv.DictReader(file)][:2] == ["", "0.001"]


# --- FDSN text --------------------------------------------------------------------------------------------------------


def test_fdsn_text_is_as_the_service_answers(tmp_path: Path) -> None:
    event = make_event("x|y")
    event.origin.time_ns += 399_517
    notes = write_checked(tmp_path / "events.txt", [event, Event(id="none", revision=1)])
    head, line = (tmp_path / "events.txt").read_text().splitlines()
    assert head.startswith("#EventID|Time|Latitude|Longitude|Depth/km|Author|")
    assert line == (
        "x/y|2019-07-04T15:53:42.989600|35.69000|-117.47000|9.250|the network|org.example|org.example|x/y|ML|1.64|"
        "the network|socal|earthquake"
    )
    assert notes == ["left out: 1 events without an origin"]


@pytest.mark.parametrize("status", [EVENT_STATUS_RETRACTED, EVENT_STATUS_MERGED])
def test_what_is_retracted_is_no_earthquake_in_fdsn_text(status: EventStatus, tmp_path: Path) -> None:
    event = make_event()
    event.status = status
    write_checked(tmp_path / "events.txt", [event])
    assert (tmp_path / "events.txt").read_text().endswith("|socal|not existing\n")
    assert read_catalogue(tmp_path / "events.txt").events[0].status == EVENT_STATUS_RETRACTED


def test_fdsn_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.txt"
    path.write_text(
        "#EventID | Time | Latitude | Longitude | Depth/km | Author | Catalog | Contributor | ContributorID | MagType |"
        " Magnitude | MagAuthor | EventLocationName\n"
        "4182763|2011-03-11T05:46:23.2000|38.2963|142.498|19.7|ISC|ISC|ISC|16461282|MW|9.08|GCMT|OFF EAST COAST\n"
    )
    (event,) = read_catalogue(path).events
    assert (event.id, event.preferred_magnitude, event.magnitudes[0].value) == ("4182763", "MW", 9.08)
    path.write_text("#EventID|Time|Latitude|Longitude|Depth/Km\n1|2016-10-26T19:18:07.420000|42.9|13.1|7.5\n")
    assert read_catalogue(path).events[0].origin.depth_km == 7.5  # as INGV writes it
    path.write_text("EventID,Time\n")
    with pytest.raises(InputInvalid, match="expected FDSN's line of names"):
        read_catalogue(path)


def test_what_a_catalogue_does_not_say_is_not_written_as_zero(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.txt"
    foreign.write_text(
        "#EventID|Time|Latitude|Longitude|Depth/km|MagType|Magnitude\nisc1|1904-04-04T10:02:34|41.8|23.2||MW|7.0\n"
    )
    found = read_catalogue(foreign).events
    for name in ("out.csv", "out.txt", "out.xml"):
        write_checked(tmp_path / name, found)
    with (tmp_path / "out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    unknown = "depth_km time_uncertainty_s horizontal_uncertainty_km depth_lower_km depth_upper_km"
    unknown += " azimuthal_gap_deg nearest_station_km rms_s phases stations"
    assert {row[name] for name in unknown.split()} == {""}
    assert (
        (tmp_path / "out.txt")
        .read_text()
        .splitlines()[1]
        .startswith("isc1|1904-04-04T10:02:34.000000|41.80000|23.20000||")
    )
    text = (tmp_path / "out.xml").read_text()
    for element in ("depth", "usedPhaseCount", "usedStationCount", "standardError", "azimuthalGap", "minimumDistance"):
        assert f"<{element}>" not in text
    for name in ("out.csv", "out.txt", "out.xml"):
        again = read_catalogue(tmp_path / name, signature=SIGNATURE).events
        assert [event.origin for event in again] == [event.origin for event in found]


def test_a_gap_of_a_catalogue_that_counts_no_phases_is_written(tmp_path: Path) -> None:
    event = Event(id="usgs", revision=1)
    event.origin.azimuthal_gap_deg, event.origin.depth_km = 19.0, 10.0
    write_checked(tmp_path / "out.csv", [event])
    with (tmp_path / "out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["azimuthal_gap_deg"], row["depth_km"], row["rms_s"]) == ("19.0", "10.000", "")


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_catalogue_without_events_is_a_file_too(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    assert write_checked(path, [], kind) == []
    if kind in ("quakeml", "csv", "fdsn"):
        assert read_catalogue(path, kind).events == []


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("before")

    def broken() -> object:
        yield make_event()
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError):
        write_catalogue(path, broken(), SIGNATURE)  # type: ignore[arg-type]  # it yields events
    assert path.read_text() == "before"
    assert [found.name for found in tmp_path.iterdir()] == ["events.csv"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("events.doc", r"'\.doc', expected one of \.xml"),
        ("no/folder.csv", "found no folder"),
        ("folder.csv", "found the folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(SettingInvalid, match=words):
        write_catalogue(tmp_path / name, [], SIGNATURE)


def test_a_place_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for name in ("none.csv", "none.xml", "none.txt"):
        with pytest.raises(KensokuError, match="none"):
            read_catalogue(tmp_path / name)
    with pytest.raises(SettingInvalid, match="expected one that can be read"):
        read_catalogue(tmp_path / "x.obs")
    assert format_of(Path("x"), "csv") == "csv"


def test_what_is_no_number_is_an_empty_cell(tmp_path: Path) -> None:
    event = make_event()
    event.origin.rms_s = math.nan
    write_checked(tmp_path / "events.csv", [event])
    with (tmp_path / "events.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["rms_s"] == ""
