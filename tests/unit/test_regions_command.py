"""`kensoku regions`: polygons from a file become regions that triggering and association follow."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kensoku.bus import Bus, open_bus, serve_bus
from kensoku.cli._regions_file import read_regions_file, with_partitions
from kensoku.cli.main import main
from kensoku.errors import InputInvalid
from kensoku.regions import destinations, read_regions
from kensoku.settings import socket_path
from kensoku.v1.control_pb2 import Region
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station

WEST = [[-118.0, 35.0], [-117.0, 35.0], [-117.0, 36.0], [-118.0, 36.0], [-118.0, 35.0]]
EAST = [[-117.0, 35.0], [-117.0, 36.0], [-116.0, 36.0], [-116.0, 35.0], [-117.0, 35.0]]  # clockwise


def feature(name: object, ring: object = WEST, kind: str = "Polygon", **properties: object) -> dict[str, object]:
    geometry = {"type": kind, "coordinates": [ring]}
    return {"type": "Feature", "properties": {"name": name, **properties}, "geometry": geometry}


def collection(*features: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    monkeypatch.setenv("KENSOKU_HOME", str(tmp_path))
    with open_bus("memory://") as opened, serve_bus(opened, socket_path(tmp_path)):
        yield opened


def published(bus: Bus) -> dict[str, Region]:
    with bus.table("control") as table:
        table.refresh()
        return {region.name: region for region in read_regions(table)}


def run(*arguments: object) -> int:
    return main(["regions", *map(str, arguments)])


def test_polygons_become_counter_clockwise_and_open() -> None:
    for region in read_regions_file(collection(feature("west"), feature("east", EAST, reach_km=50)), "f"):
        corners = [(vertex.longitude_deg, vertex.latitude_deg) for vertex in region.polygon]
        assert len(corners) == 4
        following = [*corners[1:], corners[0]]
        assert sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, following, strict=True)) > 0


def test_a_region_across_the_date_line_keeps_its_sense() -> None:
    ring = [[179.0, -40.0], [-179.0, -40.0], [-179.0, -38.0], [179.0, -38.0]]
    (region,) = read_regions_file(collection(feature("kermadec", ring)), "f")
    assert [vertex.longitude_deg for vertex in region.polygon] == [179.0, -179.0, -179.0, 179.0]
    epoch = ChannelEpoch(latitude_deg=-39.0, longitude_deg=-179.9)
    assert [found.name for found in destinations([region], Station(epochs=[epoch]))] == ["kermadec"]


def test_a_region_hears_no_station_of_the_other_side_of_the_earth_and_may_hold_a_pole() -> None:
    alaska = [[-170, 51], [-130, 51], [-130, 72], [-170, 72]]
    antarctica = [[-180, -60], [-90, -60], [0, -60], [90, -60], [180, -60], [180, -90], [-180, -90]]
    regions = read_regions_file(collection(feature("alaska", alaska), feature("antarctica", antarctica)), "f")

    def heard_by(latitude_deg: float, longitude_deg: float) -> list[str]:
        epoch = ChannelEpoch(latitude_deg=latitude_deg, longitude_deg=longitude_deg)
        return [found.name for found in destinations(regions, Station(epochs=[epoch]))]

    assert heard_by(64.9, -147.9) == ["alaska"]
    assert heard_by(60.0, 10.7) == []
    assert heard_by(-77.85, 166.7) == heard_by(-90.0, 0.0) == heard_by(-60.5, 0.0) == ["antarctica"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "f: found Expecting"),
        (collection(), "found no feature"),
        (collection(feature("West")), "feature 1: found the name 'West'"),
        (collection(feature("a"), feature("a")), "feature 2: found the name 'a' twice"),
        (collection(feature("a", kind="Point")), "found a Point"),
        (collection(feature("a", WEST[:2])), "found 2 corners"),
        (collection(feature("a", [[0, 0], [1, 1], [2, 2]])), "found corners on one line"),
        (collection(feature("a", [[0, 60], [150, 60], [-60, 60], [90, 60], [-120, 60]])), "goes 2 times around"),
        (collection(feature("a", [[0, 0], [1, 91], [2, 2]])), "found a corner at 1 91"),
        (collection(feature("a", reach_km=-1)), "found reach_km -1"),
        (collection({"properties": {"name": "a"}}), "found no 'geometry'"),
    ],
)
def test_every_mistake_is_told_with_what_is_expected(text: str, found: str) -> None:
    with pytest.raises(InputInvalid) as told:
        read_regions_file(text, "f")
    assert found in str(told.value)
    assert "expected GeoJSON" in str(told.value)


def test_a_region_keeps_its_partition_and_a_new_one_gets_a_free_one() -> None:
    before = {"b": Region(name="b", partition=1)}
    placed = with_partitions([Region(name="a"), Region(name="b"), Region(name="c")], before, 3)
    assert [(region.name, region.partition) for region in placed] == [("a", 0), ("b", 1), ("c", 2)]
    with pytest.raises(InputInvalid, match="found no partition of picks.by-region for region 'c': it has 2"):
        with_partitions([Region(name="a"), Region(name="c")], before, 2)


def test_regions_are_published_listed_and_removed(bus: Bus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "regions.geojson"
    file.write_text(collection(feature("west"), feature("east", EAST, reach_km=20)))
    bus.publish("inventory", "CI.FAR", Station(epochs=[ChannelEpoch(latitude_deg=10)], hash="h").SerializeToString())
    assert run("apply", file, "--by", "me", "--reason", "more cores") == 0
    told = capsys.readouterr()
    assert "published 2 regions, removed 0" in told.out
    assert "no region hears CI.FAR" in told.err
    assert {name: region.partition for name, region in published(bus).items()} == {"west": 0, "east": 1}

    assert run("list") == 0
    assert "me           more cores" in capsys.readouterr().out
    assert run("apply", file) == 0
    assert "published 0 regions, removed 0, 2 were as they are" in capsys.readouterr().out

    file.write_text(collection(feature("east", EAST), feature("south", WEST)))
    assert run("apply", file, "--prune") == 0
    assert {name: region.partition for name, region in published(bus).items()} == {"south": 0, "east": 1}
    assert run("remove", "south", "east") == 0
    assert published(bus) == {}
    capsys.readouterr()
    assert run("list") == 0
    assert "no region is published" in capsys.readouterr().out


def test_what_is_not_there_is_told(bus: Bus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("apply", tmp_path / "absent") == 1
    assert "cannot read" in capsys.readouterr().err
    assert run("remove", "nowhere") == 2
    assert "found nowhere, expected regions of none" in capsys.readouterr().err
