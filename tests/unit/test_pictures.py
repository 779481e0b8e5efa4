"""Pictures of events: what stands where, and that a picture comes out whole whatever the records lack."""

import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from obspy import Stream, Trace, UTCDateTime
from PIL import Image

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.packets import ChannelSamples
from kensoku.pictures import Band, _section, epicentre_map, event_picture, record_section
from kensoku.pictures._map import covariance_of, draw_map, ellipse, marks_of, mean_km, write_summary
from kensoku.pictures._page import certainty, headline
from kensoku.pictures._records import distance_azimuth, shown_traces
from kensoku.pictures._section import MOST_STATIONS, Spread, draw_section, rows_of
from kensoku.times import NS_PER_S
from kensoku.training.datasets import sheet
from kensoku.training.evaluation import figures
from kensoku.traveltime import load_model
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, Event
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station
from kensoku.v1.pick_pb2 import PHASE_P
from tests.catalogue import ORIGIN_NS, STATIONS, make_event

BEFORE_S = 30.0


def samples(
    length_s: float = 90.0, rate_hz: float = 100.0, seed: int = 1
) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    return np.random.default_rng(seed).normal(0, 100, round(length_s * rate_hz)).astype(np.int32)


def channel(code: str, **given: object) -> ChannelSamples:
    return ChannelSamples("", code, ORIGIN_NS - round(BEFORE_S * NS_PER_S), 100.0, samples(**given))  # type: ignore[arg-type]


def records(stations: tuple[str, ...] = STATIONS) -> dict[str, list[ChannelSamples]]:
    return {name: [channel("HHZ"), channel("HHN", seed=2), channel("HHE", seed=3)] for name in stations}


def station(latitude_deg: float, longitude_deg: float) -> Station:
    return Station(epochs=[ChannelEpoch(latitude_deg=latitude_deg, longitude_deg=longitude_deg)])


# --- seismograms ------------------------------------------------------------------------------------------------------


def test_every_arrival_is_marked_at_its_onset_with_its_residual() -> None:
    event, axes = make_event(), Figure().add_subplot()
    draw_section(axes, event, records(), {}, load_model("southern-california"), Band())
    marked = {round(float(line.get_xdata()[0]), 3) for line in axes.lines if len(line.get_xdata()) == 2}  # type: ignore[arg-type,index]
    assert {round((a.onset_ns - ORIGIN_NS) / NS_PER_S, 3) for a in event.arrivals} <= marked
    texts = [text.get_text() for text in axes.texts]
    assert "P-0.05" in texts
    assert "(S+0.05)" in texts, "the outlier"
    assert "CI.TOW2  11.5 km\nHHZ HHN" in texts or "CI.TOW2  11.5 km\nHHZ HHE" in texts


def test_what_is_said_of_p_stands_before_it_where_neither_the_first_motion_nor_s_is() -> None:
    axes = Figure().add_subplot()
    draw_section(axes, make_event(), records(), {}, load_model("southern-california"), Band())
    sides = {text.get_text().strip("(")[:2]: text.get_horizontalalignment() for text in axes.texts}
    assert (sides["P-"], sides["S+"]) == ("right", "left")


def test_p_and_s_have_the_same_colours_wherever_they_are_drawn() -> None:
    assert _section.COLOURS == sheet.COLOURS == figures.COLOURS


def test_stations_for_which_there_is_no_room_are_counted_and_their_onsets_not_waited_for() -> None:
    event, axes = make_event(), Figure().add_subplot()
    for number in range(MOST_STATIONS):
        far = event.arrivals.add(phase=PHASE_P, distance_km=100.0 + number, onset_ns=ORIGIN_NS + 60 * NS_PER_S)
        far.instrument.network, far.instrument.station = "XX", f"S{number}"
    everywhere = records((*STATIONS, *(f"XX.S{number}" for number in range(MOST_STATIONS))))
    event.arrivals[-1].onset_ns += 600 * NS_PER_S
    draw_section(axes, event, everywhere, {}, None, Band())
    assert axes.get_xlabel().endswith(f"{len(STATIONS)} more stations with arrivals are not shown")
    assert axes.get_xlim()[1] < 100


def test_curves_pass_through_the_predicted_times_at_the_stations_distances() -> None:
    spread = Spread.of([11.5, 17.5, 17.6, 41.5])
    assert spread.height(11.5) == spread.heights[0]
    assert spread.height(41.5) == spread.heights[3]
    assert spread.heights[2] - spread.heights[1] == pytest.approx(spread.room), "neighbours have room"
    assert np.all(np.diff(spread.height(np.linspace(0, 60, 200))) > 0)


def test_stations_at_one_distance_are_drawn_one_above_the_other() -> None:
    spread = Spread.of([10.0, 10.0, 10.0])
    assert len({round(height, 6) for height in spread.heights.tolist()}) == 3
    assert float(spread.height(10.0)) == spread.heights[0]


def test_a_station_without_an_arrival_is_shown_in_the_midst_of_the_others_and_not_beyond() -> None:
    places = {"XX.NEAR": station(35.7, -117.4), "XX.FAR": station(37.5, -117.4)}
    found = rows_of(make_event(), records((*STATIONS, "XX.NEAR", "XX.FAR", "XX.UNKNOWN")), places)
    assert [row.station for row in found if not row.arrivals] == ["XX.NEAR"]
    assert [row.distance_km for row in found] == sorted(row.distance_km for row in found)


def test_the_instrument_that_was_picked_is_shown_and_its_larger_horizontal() -> None:
    loud = ChannelSamples("10", "HHE", ORIGIN_NS, 100.0, 9 * samples())
    channels = [
        channel("HNZ"),
        *(ChannelSamples("10", code, ORIGIN_NS, 100.0, samples()) for code in ("HHZ", "HHN")),
        loud,
    ]
    vertical, level = shown_traces(channels, {"10.HH"}, ORIGIN_NS, 0.0, 60.0, Band())
    assert vertical is not None
    assert level is not None
    assert (vertical.code, level.code) == ("HHZ", "HHE")


def test_gaps_stay_gaps_and_nothing_is_seen_before_it_has_come() -> None:
    broken = samples().astype(np.float32)
    broken[:] = 0
    broken[5000:] = 1000.0 * np.sin(np.arange(len(broken) - 5000))
    broken[6000:7000] = np.nan
    one = ChannelSamples("", "HHZ", ORIGIN_NS - round(BEFORE_S * NS_PER_S), 100.0, broken)
    vertical, _ = shown_traces([one], (), ORIGIN_NS, -5.0, 60.0, Band())
    assert vertical is not None
    assert [(round(t[0], 2), round(t[-1], 2)) for t, _ in vertical.pieces] == [(-5.0, 29.99), (40.0, 59.99)]
    times_s, filtered = vertical.pieces[0]
    assert np.abs(filtered[times_s < 19.9]).max() < 0.05 * vertical.peak


def test_a_stream_of_obspy_is_taken_as_it_is(tmp_path: Path) -> None:
    about = {"network": "CI", "station": "TOW2", "channel": "HHZ", "sampling_rate": 100.0}
    start = UTCDateTime(ns=ORIGIN_NS) - BEFORE_S
    pieces = [Trace(samples(10), {**about, "starttime": start + 15 * n}) for n in range(3)]
    record_section(make_event(), Stream(pieces).merge(), tmp_path / "section.png")
    assert (tmp_path / "section.png").stat().st_size > 10_000


# --- map --------------------------------------------------------------------------------------------------------------


def test_the_ellipse_has_the_axes_of_the_covariance() -> None:
    covariance = np.diag([1.0, 4.0, 9.0, 16.0])
    north_km, east_km = ellipse(covariance, 1, 2)
    assert north_km.max() == pytest.approx(2.0 * math.sqrt(2.2789), abs=1e-3)  # chi square, 2 degrees of freedom, 0.68
    assert east_km.max() == pytest.approx(3.0 * math.sqrt(2.2789), abs=1e-3)


def test_the_ellipse_lies_around_the_mean_of_the_posterior() -> None:
    event = make_event()
    event.origin.mean.latitude_deg += 0.1
    assert mean_km(event.origin) == pytest.approx((11.1, 0.0, -0.15), abs=0.03)
    covariance = covariance_of(event.origin)
    assert covariance is not None
    assert covariance[1, 2] == covariance[2, 1] == 0.01
    assert covariance[3, 3] == 0.49


def test_stations_stand_where_inventory_or_arrivals_say() -> None:
    marks = {mark.name: mark for mark in marks_of(make_event(), {"XX.EAST": station(35.69, -117.0)})}
    assert marks["XX.EAST"].east_km == pytest.approx(42.45, abs=0.1)
    assert marks["XX.EAST"].north_km == pytest.approx(0.0, abs=0.2)
    assert marks["CI.TOW2"].north_km == 11.5
    assert marks["CI.TOW2"].phases == {"P", "S"}
    assert marks["CI.CCC"].phases == {"P"}, "its S is an outlier"


def test_a_station_that_moved_stands_where_it_stood_at_the_time_of_the_event() -> None:
    moved = station(35.69, -117.0)
    moved.epochs[0].end_ns = ORIGIN_NS + 1
    moved.epochs.add(latitude_deg=37.5, longitude_deg=-117.4, start_ns=ORIGIN_NS + 1)
    marks = {mark.name: mark for mark in marks_of(make_event(), {"XX.EAST": moved})}
    assert marks["XX.EAST"].east_km == pytest.approx(42.45, abs=0.1)
    rows = rows_of(make_event(), records((*STATIONS, "XX.EAST")), {"XX.EAST": moved})
    assert [row.station for row in rows if not row.arrivals] == ["XX.EAST"]
    moved.epochs[0].end_ns = ORIGIN_NS - 1
    marks = {mark.name: mark for mark in marks_of(make_event(), {"XX.EAST": moved})}
    assert marks["XX.EAST"].north_km > 100, "where nobody knows, its last place"


def test_known_distances() -> None:
    distance_km, azimuth_deg = distance_azimuth((0.0, 179.5), (0.0, -179.5))
    assert distance_km == pytest.approx(111.19, abs=0.01)
    assert azimuth_deg == pytest.approx(90.0)


def test_a_map_near_the_pole_and_across_the_date_line_is_drawn() -> None:
    event, axes = make_event(latitude_deg=-89.9, longitude_deg=179.99), Figure().add_subplot()
    assert draw_map(axes, event, marks_of(event, {})) > 0
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert any(label.endswith("W") for label in labels)
    assert any(label.endswith("E") for label in labels)


def test_the_rule_of_the_quality_is_told_however_much_there_is_to_say_of_magnitudes() -> None:
    event, axes = make_event(), Figure().add_subplot()
    event.origin.quality_reason = "C: gap <= 330; not B: gap 280"
    del event.magnitudes[:]
    for kind in ("ML", "Mv(JMA)", "Mpv", "Mpd", "Mtauc"):
        event.magnitudes.add(type=kind, absent_reason="hardly above the noise: XA.01..HH, " + "and others, " * 12)
    write_summary(axes, event)
    (text,) = axes.texts
    assert "C: gap <= 330; not B: gap 280" in text.get_text()
    assert "ML       - hardly above the noise" in text.get_text()


# --- whole pictures ---------------------------------------------------------------------------------------------------


def test_a_page_is_written_whole_with_all_parts(tmp_path: Path) -> None:
    path = tmp_path / "events" / "5f2d9c.png"
    event_picture(make_event(), records(), path, stations={"XX.NEAR": station(35.7, -117.4)})
    with Image.open(path) as image:
        assert image.size == (1521, 1079)
    assert [found.name for found in path.parent.iterdir()] == ["5f2d9c.png"]


@pytest.mark.parametrize("ending", [".pdf", ".svg"])
def test_maps_are_drawn_for_print_as_well(tmp_path: Path, ending: str) -> None:
    epicentre_map(make_event(), tmp_path / f"map{ending}")
    assert (tmp_path / f"map{ending}").read_bytes()[:5] in (b"%PDF-", b"<?xml")


def test_a_picture_without_seismograms_or_magnitude_says_so(tmp_path: Path) -> None:
    event = make_event()
    event.preferred_magnitude = ""
    event.provenance.velocity_model = "of my own"
    event_picture(event, {}, tmp_path / "bare.png")
    assert headline(event)[1] == "no magnitude"


def test_the_title_tells_time_size_place_and_certainty() -> None:
    assert headline(make_event()) == [
        "2019-07-04 15:53:42.99 UTC",
        "ML 1.6 ± 0.1",
        "35.690°N 117.470°W",
        "9.2 km (8.5 to 10.1)",
        "earthquake",
    ]
    assert certainty(make_event())[:3] == ["quality B", "± 0.45 km", "gap 78°"]


def test_what_another_catalogue_does_not_say_is_left_away(tmp_path: Path) -> None:
    event = make_event()
    bare = Event(id="x", revision=1, status=EVENT_STATUS_FINAL)
    bare.origin.time_ns, bare.origin.depth_km = ORIGIN_NS, -2.5
    bare.origin.latitude_deg, bare.origin.longitude_deg = event.origin.latitude_deg, event.origin.longitude_deg
    bare.magnitudes.add(type="ML", value=1.6)
    bare.preferred_magnitude = "ML"
    assert headline(bare)[1:4:2] == ["ML 1.6", "-2.5 km"]
    bare.origin.depth_km, bare.origin.depth_is_fixed = 0.0, True
    assert headline(bare)[3] == "no depth"
    assert certainty(bare) == ["quality -", "x, revision 1, final"]
    event_picture(bare, {}, tmp_path / "bare.png")


def test_stations_of_arrivals_without_a_distance_stand_where_the_inventory_says() -> None:
    event = make_event()
    for arrival in event.arrivals:
        arrival.ClearField("distance_km")
    places = {STATIONS[0]: station(35.69, -117.0)}
    marks = {mark.name: mark for mark in marks_of(event, places)}
    assert marks[STATIONS[0]].east_km == pytest.approx(42.45, abs=0.1)
    rows = {row.station: row.distance_km for row in rows_of(event, records(), places)}
    assert rows[STATIONS[0]] == pytest.approx(42.45, abs=0.1)


def test_what_cannot_be_drawn_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"found a picture named 'event.bmp', expected one that ends in .png"):
        event_picture(make_event(), {}, tmp_path / "event.bmp")
    with pytest.raises(InputInvalid, match="found event 'abc' without an origin"):
        event_picture(Event(id="abc"), {}, tmp_path / "event.png")
    with pytest.raises(SettingInvalid, match="found a band from 20 to 2 Hz"):
        Band(20, 2)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputInvalid, match=r"cannot write .*event\.png: .* expected a folder that can be written"):
        event_picture(make_event(), {}, tmp_path / "file" / "event.png")
