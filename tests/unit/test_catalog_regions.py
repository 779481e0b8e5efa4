"""What people call the place of an event, where our own regions are no names of places."""

from pathlib import Path

import obspy
import pytest

from kensoku.catalogue_files import read_catalogue, write_catalogue
from kensoku.catalogue_files._words import region_name
from kensoku.v1.event_pb2 import Event
from tests.catalogue import SIGNATURE, make_event


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "expected"),
    [
        (35.7, -117.5, "CENTRAL CALIFORNIA"),
        (35.7, 242.5, "CENTRAL CALIFORNIA"),
        (-90.0, 0.0, "ANTARCTICA"),
        (float("nan"), 0.0, ""),
        (91.0, 0.0, ""),
    ],
)
@pytest.mark.parametrize("region", ["batch", "default"])
def test_where_the_map_has_no_name_it_is_the_one_of_flinn_and_engdahl(
    region: str, latitude_deg: float, longitude_deg: float, expected: str
) -> None:
    event = Event(region=region)
    event.origin.latitude_deg, event.origin.longitude_deg = latitude_deg, longitude_deg
    assert region_name(event) == (expected, "Flinn-Engdahl region" if expected else "")


@pytest.mark.parametrize(("region", "expected"), [("socal", "socal"), ("", "")])
def test_a_name_that_somebody_gave_stays(region: str, expected: str) -> None:
    assert region_name(Event(region=region))[0] == expected
    assert region_name(Event(region="default")) == ("", "")  # without an origin


def test_others_read_a_place_and_we_our_region(tmp_path: Path) -> None:
    event = make_event("a", latitude_deg=35.7)
    event.region = "batch"
    for kind, ending in (("quakeml", "xml"), ("fdsn", "txt")):
        write_catalogue(tmp_path / f"events.{ending}", [event], SIGNATURE, kind)
    (read,) = obspy.read_events(str(tmp_path / "events.xml"))
    assert [(one.text, one.type) for one in read.event_descriptions] == [("CENTRAL CALIFORNIA", "Flinn-Engdahl region")]
    assert "|CENTRAL CALIFORNIA|" in (tmp_path / "events.txt").read_text()
    assert [one.region for one in read_catalogue(tmp_path / "events.xml").events] == ["batch"]
