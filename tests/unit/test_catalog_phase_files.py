"""Phase files of other programs: what they say, and that nothing is lost in silence."""

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from obspy import read_events

from kensoku.catalogue_files import Place, write_catalogue
from kensoku.catalogue_files._growclust import _neighbours
from kensoku.errors import InputInvalid
from kensoku.v1.event_pb2 import (
    Event,
)
from tests.catalogue import SIGNATURE, make_event, write_checked


def test_obspy_reads_the_hypodd_file(tmp_path: Path) -> None:
    events = [make_event("a"), make_event("b", time_s=59.9999, latitude_deg=-35.0), Event(id="none", revision=1)]
    notes = write_checked(tmp_path / "catalogue.pha", events)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = read_events(str(tmp_path / "catalogue.pha"), format="HYPODDPHA")
    for ours, theirs in zip(events, found, strict=False):
        origin = theirs.origins[0]
        assert abs(origin.time.ns - ours.origin.time_ns) < 100_000
        assert (origin.latitude, origin.depth) == (ours.origin.latitude_deg, 9250)
        times = [pick.time.ns for pick in theirs.picks]
        assert times == pytest.approx([a.onset_ns for a in ours.arrivals if not a.is_outlier], abs=200_000)
    ids = (tmp_path / "catalogue.pha.ids.csv").read_text().splitlines()
    assert ids == ["number,event_id", "1,a", "2,b"]
    assert notes == ["left out: 2 arrivals that are outliers", "left out: 1 events without an origin or arrivals"]


def test_what_is_no_number_or_not_known_is_none_in_phase_files(tmp_path: Path) -> None:
    """An error of 1 ms of an onset whose error nobody said would outweigh all others."""
    event = make_event()
    event.origin.rms_s, event.origin.horizontal_uncertainty_km, event.arrivals[4].weight = math.nan, math.inf, math.nan
    for arrival, error_s in zip(event.arrivals, (0.0, 0.0, math.nan, 0.0001), strict=False):
        arrival.onset_uncertainty_s = error_s
    for name in ("x.pha", "x.obs", "x.evlist"):
        write_checked(tmp_path / name, [event])
        assert not {"nan", "inf"} & {*(tmp_path / name).read_text().split()}
    lines = (tmp_path / "x.obs").read_text().splitlines()[1:5]
    assert [float(line.split()[10]) for line in lines] == [0.1, 0.2, 0.1, 0.001]


def test_hypodd_and_nonlinloc_get_their_stations(tmp_path: Path) -> None:
    """Where arrivals of two events place them, or where somebody knows them to be."""
    events = [make_event("a"), make_event("b", latitude_deg=35.70)]
    write_checked(tmp_path / "x.pha", events)
    write_checked(tmp_path / "x.obs", events)
    stations = dict(line.split(maxsplit=1) for line in (tmp_path / "x.pha.station.dat").read_text().splitlines())
    assert stations.keys() == {"TOW2", "SRT", "CA06", "GWY", "JRC2", "CCC"}
    latitude, longitude, elevation_m = map(float, stations["TOW2"].split())
    assert latitude == pytest.approx(35.695 + 11.5 / 111.195, abs=1e-4)
    assert longitude == pytest.approx(-117.47)
    assert elevation_m == 0.0
    lines = [line.split() for line in (tmp_path / "x.obs.gtsrce").read_text().splitlines()]
    assert lines[-1][:3] == ["GTSRCE", "TOW2", "LATLON"]
    assert [float(word) for word in lines[-1][3:]] == [latitude, longitude, 0.0, 0.0]


def test_what_an_inventory_says_of_a_station_comes_before_what_arrivals_say(tmp_path: Path) -> None:
    event = make_event()
    for arrival in event.arrivals:
        arrival.distance_km = 0.0
    known = {"CI.TOW2": Place(35.80856, -117.76488, 685.0)}
    write_catalogue(tmp_path / "x.pha", [event], SIGNATURE, place_of=lambda code, _: known.get(code))
    _, notes = write_catalogue(tmp_path / "x.obs", [event], SIGNATURE, place_of=lambda code, _: known.get(code))
    assert (tmp_path / "x.pha.station.dat").read_text().split() == ["TOW2", "35.80856", "-117.76488", "685.0"]
    assert (tmp_path / "x.obs.gtsrce").read_text().split()[-2:] == ["0.0", "0.6850"]
    assert any("5 stations without a place" in note for note in notes)


def test_an_origin_a_rounding_away_from_a_minute_is_of_the_next(tmp_path: Path) -> None:
    event = make_event("a")
    event.origin.time_ns = 1_562_255_639_999_960_000  # 15:53:59.99996
    write_checked(tmp_path / "catalogue.pha", [event])
    assert (tmp_path / "catalogue.pha").read_text().startswith("# 2019 07 04 15 54  0.0000  35.69000 ")


@pytest.mark.parametrize("name", ["catalogue.pha", "catalogue.obs", "catalogue.txt", "catalogue.evlist"])
def test_an_event_that_is_left_out_is_not_counted_as_written(name: str, tmp_path: Path) -> None:
    count, notes = write_catalogue(tmp_path / name, [make_event("a"), Event(id="none", revision=1)], SIGNATURE)
    assert count == 1
    assert any(note.startswith("left out: 1 events without an origin") for note in notes)


def test_nonlinloc_observations_have_a_block_an_event(tmp_path: Path) -> None:
    event = make_event("a")
    event.arrivals[0].onset_ns = 1_562_255_639_999_970_000  # a rounding away from the full minute
    write_checked(tmp_path / "catalogue.obs", [event, make_event("b")])
    blocks = (tmp_path / "catalogue.obs").read_text().rstrip("\n").split("\n\n")
    lines = blocks[0].splitlines()
    assert len(blocks) == 2
    assert lines[0] == "# event_id a origin 2019-07-04T15:53:42.989Z"
    assert lines[1].split() == [
        *("TOW2", "HH", "?", "?", "P", "U", "20190704", "1554", "0.0000", "GAU", "5.00e-02"),
        *("-1.00e+00", "-1.00e+00", "-1.00e+00"),
    ]


def test_two_stations_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    event = make_event()
    event.arrivals[4].instrument.station = "TOW2"  # of another network
    for name in ("catalogue.pha", "catalogue.obs"):
        with pytest.raises(InputInvalid, match=r"CI\.TOW2 and GS\.TOW2.*--with-network"):
            write_checked(tmp_path / name, [event])
        assert list(tmp_path.iterdir()) == []
        write_checked(tmp_path / name, [event], with_network=True)
        assert "GSTOW2" in (tmp_path / name).read_text()
        for path in tmp_path.iterdir():
            path.unlink()


def test_growclust_gets_events_stations_and_differential_times(tmp_path: Path) -> None:
    events = [make_event("a"), make_event("b", time_s=3600.0, latitude_deg=35.70), make_event("far", latitude_deg=36.5)]
    events[1].arrivals[0].onset_ns += 30_000_000
    for event in events:
        for arrival in event.arrivals:  # no outliers among them
            arrival.is_outlier = False
    write_checked(tmp_path / "out.evlist", [*events, Event(id="none", revision=1)])
    lines = [[float(word) for word in line.split()] for line in (tmp_path / "out.evlist").read_text().splitlines()]
    assert len(lines) == 3
    assert lines[0] == [2019, 7, 4, 15, 53, 42.989, 35.69, -117.47, 9.25, 1.64, 0.45, 0.8, 0.08, 1]
    stations = {line.split()[0]: line.split()[1:] for line in (tmp_path / "out.stlist").read_text().splitlines()}
    assert len(stations) == 6
    assert float(stations["TOW2"][0]) == pytest.approx(35.70 + 11.5 / 111.19, abs=0.001)  # north of the median event
    pairs = (tmp_path / "out.dt").read_text().splitlines()
    assert pairs[0].split() == ["#", "1", "2", "0.0"]
    assert len(pairs) == 13
    assert ["TOW2", "-0.0300", "0.8100", "P"] in [line.split() for line in pairs]
    assert (tmp_path / "out.ids.csv").read_text().splitlines()[1:] == ["1,a", "2,b", "3,far"]


def test_the_neighbours_of_an_event_are_the_nearest_20_within_5_km() -> None:
    points = np.random.default_rng(1).uniform(0, 12, (300, 3))
    apart_km = np.linalg.norm(points[:, None] - points, axis=2)
    for one, found in enumerate(_neighbours(points)):
        nearest = [other for other in np.argsort(apart_km[one]).tolist() if other != one][:20]
        assert found == [other for other in nearest if apart_km[one, other] <= 5]
    assert {len(found) for found in _neighbours(np.zeros((30, 3)))} == {20}
    assert list(_neighbours(np.zeros((0, 3)))) == []
