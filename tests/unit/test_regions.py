"""Which regions hear a station, and how far a place lies from one."""

import math

import pytest

from kensoku.regions import WHOLE_EARTH, Destination, Ground, destinations, outside_km, read_regions
from kensoku.v1.control_pb2 import Control, Region, StationSwitch, Vertex
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station
from tests.regions import square

KM = 111.19  # a degree


def test_a_station_that_has_moved_is_heard_where_it_is_and_where_it_was() -> None:
    places = [ChannelEpoch(latitude_deg=0.5, longitude_deg=each) for each in (10.5, 14.5)]
    heard = destinations([square("here", 14), square("far", 20), square("there", 10)], Station(epochs=places))
    assert heard == (Destination("here", 0), Destination("there", 0))


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "outside"),
    [(0.5, 10.4, -0.4), (0.5, 9, 1.0), (0.5, 12.5, 1.5), (-1, 9, math.sqrt(2)), (-3, 15, 5.0)],
)
def test_a_place_is_as_far_outside_as_the_nearest_of_an_edge_or_a_corner(
    latitude_deg: float, longitude_deg: float, outside: float
) -> None:
    assert outside_km(square("here", 10), latitude_deg, longitude_deg) == pytest.approx(outside * KM, rel=2e-3)


def test_a_region_that_is_not_on_the_map_shares_no_seam() -> None:
    regions = {each.name: each for each in (square("a", 10), square("b", 11))}
    assert Ground("a", regions).seam(0.5, 10.99) == "a|b"
    assert Ground("old", regions).seam(0.5, 10.99) == ""


def test_what_is_decided_of_anything_else_is_no_region() -> None:
    decisions = {
        "region/a": Control(region=square("a", 10)).SerializeToString(),
        "region/b": Control(station_switch=StationSwitch(station="WEL")).SerializeToString(),
        "region/c": b"\xff",
        "station/NZ.WEL": Control(region=square("d", 10)).SerializeToString(),
    }
    assert [each.name for each in read_regions(decisions)] == ["a"]


@pytest.mark.parametrize(
    ("corners", "partition", "found"),
    [
        ([(0, 0)], -1, "partition -1"),
        ([(0, math.inf)], 0, "a corner at longitude inf, latitude 0.0"),
        ([(math.nan, 0)], 0, "a corner at longitude 0.0, latitude nan"),
        ([(1, 100 * i % 360 - 180) for i in range(18)], 0, "a ring that goes 5 times around the Earth"),
    ],
    ids=["partition", "infinite", "no-number", "around-five-times"],
)
def test_a_region_that_ends_who_asks_about_it_is_none_and_told(
    corners: list[tuple[float, float]], partition: int, found: str, caplog: pytest.LogCaptureFixture
) -> None:
    polygon = [Vertex(latitude_deg=north, longitude_deg=east) for north, east in corners]
    bad = Region(name="b", polygon=polygon, partition=partition)
    decided = {f"region/{each.name}": Control(region=each).SerializeToString() for each in (square("a", 10), bad)}
    assert [each.name for each in read_regions(decided)] == ["a"]
    assert [record.message.partition(", expected")[0] for record in caplog.records] == [
        f"left out region/b: found {found}"
    ]


@pytest.mark.parametrize(("longitude_deg", "names"), [(139.5, ["a"]), (140.5, ["b"]), (140.2, ["a", "b"]), (150.0, [])])
def test_a_station_tells_every_region_in_whose_reach_it_lies(longitude_deg: float, names: list[str]) -> None:
    station = Station(epochs=[ChannelEpoch(latitude_deg=0.5, longitude_deg=longitude_deg)])
    regions = (square("a", 139, 25.0), square("b", 140, 0.0))
    assert [one.name for one in destinations(regions, station)] == names
    assert destinations((), station) == (WHOLE_EARTH,)
    assert [one.name for one in destinations(regions, None)] == ["a", "b"]
