"""QuakeML: valid against its schema, read by ObsPy with what we have said, and by us without a loss."""

import gzip
import io
import math
import warnings
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from obspy import UTCDateTime, read_events
from obspy.core.event import (
    Arrival,
    Catalog,
    Comment,
    CreationInfo,
    EventDescription,
    Magnitude,
    Origin,
    OriginQuality,
    Pick,
)
from obspy.core.event import Event as ForeignEvent
from obspy.io import quakeml

from kensoku.catalogue_files import Signature, read_catalogue
from kensoku.catalogue_files._ellipsoid import ellipsoid, rotation_deg
from kensoku.catalogue_files._naming import event_id, quoted, unquoted
from kensoku.catalogue_files._quakeml_events import _documents, foreign_events
from kensoku.catalogue_files._quakeml_write import write_quakeml
from kensoku.errors import InputInvalid
from kensoku.events import preferred_magnitude
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_TYPE_BLAST,
    EVENT_TYPE_EARTHQUAKE,
    EVENT_TYPE_LOW_FREQUENCY,
    EVENT_TYPE_UNKNOWN,
    Event,
)
from tests.catalogue import ORIGIN_NS, make_event

SIGNATURE = Signature("org.example", "the network")
SCHEMA = Path(quakeml.__file__).parent / "data" / "QuakeML-1.2.xsd"


def written(*events: Event) -> str:
    file = io.StringIO()
    write_quakeml(file, events, SIGNATURE)
    return file.getvalue()


def obspy_events(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_events(io.BytesIO(text.encode()), format="QUAKEML")


def read(text: str, folder: Path) -> list[Event]:
    path = folder / "catalogue.xml"
    path.write_text(text, "utf-8")
    return list(read_catalogue(path, signature=SIGNATURE).events)


def foreign(**parts: Any) -> Any:
    """ObsPy's, as another agency's program makes it."""
    origin = Origin(time=UTCDateTime(ns=ORIGIN_NS), latitude=35.69, longitude=-117.47, depth=9250.0)
    return ForeignEvent(**({"origins": [origin]} | parts))


def read_foreign(event: Any, folder: Path) -> list[Event]:
    Catalog([event]).write(str(folder / "foreign.xml"), format="QUAKEML")
    return list(read_catalogue(folder / "foreign.xml").events)


def strange() -> Event:
    """With texts and numbers that nobody expects."""
    event = make_event("a b/ü?\x07", 3)
    event.reason = "<&> \x07 \ud7ff"
    event.comments.add(text="hörbar <3", author="A. Nalyst", time_ns=ORIGIN_NS)
    event.arrivals[0].pick_id, event.arrivals[0].instrument.station = "", "AB\x01"
    event.arrivals[1].pick_id = event.arrivals[2].pick_id
    event.origin.rms_s = math.nan
    event.arrivals[0].residual_s = math.inf
    event.provenance.author = "A. Nalyst"
    event.magnitudes[0].formula = "Hutton & Boore (1987)"
    return event


@pytest.mark.parametrize("make", [make_event, strange, lambda: Event(id="empty", revision=1)])
def test_what_is_written_is_valid(make: Callable[[], Event]) -> None:
    document = etree.fromstring(written(make()).encode())
    for schema in (etree.XMLSchema(etree.parse(SCHEMA)), etree.RelaxNG(etree.parse(SCHEMA.with_suffix(".rng")))):
        assert schema.validate(document), schema.error_log


def test_obspy_reads_the_same_origin() -> None:
    event = make_event()
    (found,) = obspy_events(written(event))
    origin = found.preferred_origin()
    assert str(found.resource_id) == "smi:org.example/kensoku/event/5f2d9c"
    assert (origin.time.ns, origin.latitude, origin.longitude, origin.depth) == (ORIGIN_NS, 35.69, -117.47, 9250.0)
    assert origin.time_errors.uncertainty == 0.06
    assert origin.latitude_errors.uncertainty == pytest.approx(0.3 / 111.195, rel=1e-3)
    assert origin.longitude_errors.uncertainty == pytest.approx(0.4 / 111.195 / math.cos(math.radians(35.69)), rel=1e-3)
    assert origin.depth_errors.uncertainty == pytest.approx(1000 * math.hypot(0.7, 9.25 - 9.1))
    assert origin.depth_errors.lower_uncertainty == pytest.approx(750)
    assert origin.depth_errors.upper_uncertainty == pytest.approx(850)
    assert origin.origin_uncertainty.horizontal_uncertainty == 450
    assert origin.origin_uncertainty.confidence_ellipsoid.semi_intermediate_axis_length == pytest.approx(800)
    assert (origin.quality.used_phase_count, origin.quality.azimuthal_gap, origin.quality.standard_error) == (
        11,
        78,
        0.08,
    )
    assert (origin.creation_info.agency_id, origin.creation_info.author) == ("org.example", "the network")
    assert found.event_type == "earthquake"


def test_uncertainties_are_of_the_place_that_is_written_whose_mean_may_lie_across_the_date_line() -> None:
    event = make_event()
    event.origin.latitude_deg, event.origin.longitude_deg, event.origin.depth_km = 60.0, 179.99, 9.1
    event.origin.mean.latitude_deg, event.origin.mean.longitude_deg = 60.0, -179.99
    (found,) = obspy_events(written(event))
    origin = found.preferred_origin()
    assert origin.latitude_errors.uncertainty == pytest.approx(0.3 / 111.195, rel=1e-3)
    assert origin.longitude_errors.uncertainty == pytest.approx(math.hypot(0.4 / 111.195 / 0.5, 0.02), rel=1e-3)
    assert origin.depth_errors.uncertainty == pytest.approx(700)


def test_obspy_reads_the_same_picks_arrivals_and_magnitudes() -> None:
    event = make_event()
    (found,) = obspy_events(written(event))
    assert len(found.picks) == len(found.preferred_origin().arrivals) == len(event.arrivals)
    for ours, arrival in zip(event.arrivals, found.preferred_origin().arrivals, strict=True):
        pick = arrival.pick_id.get_referred_object()
        assert pick.time.ns == ours.onset_ns
        assert pick.time_errors.uncertainty == ours.onset_uncertainty_s
        assert pick.waveform_id.get_seed_string() == f"{ours.instrument.network}.{ours.instrument.station}..HH"
        assert (arrival.time_residual, arrival.time_weight) == pytest.approx((ours.residual_s, ours.weight))
        assert arrival.distance * 111.19493 == pytest.approx(ours.distance_km)
        assert (arrival.azimuth, arrival.takeoff_angle) == (ours.azimuth_deg, ours.takeoff_deg)
    assert found.picks[0].polarity == "positive"
    magnitude = found.preferred_magnitude()
    assert (magnitude.mag, magnitude.magnitude_type, magnitude.mag_errors.uncertainty) == (1.64, "ML", 0.12)
    shares = magnitude.station_magnitude_contributions
    assert [share.station_magnitude_id.get_referred_object().mag for share in shares] == pytest.approx([1.74, 1.54])


@pytest.mark.parametrize("make", [make_event, lambda: Event(id="empty", revision=1, status=EVENT_STATUS_FINAL)])
def test_what_is_written_is_read_back(make: Callable[[], Event], tmp_path: Path) -> None:
    event = make()
    (found,) = read(written(event), tmp_path)
    assert_alike(found, event)


def test_strange_texts_come_back(tmp_path: Path) -> None:
    event = strange()
    (found,) = read(written(event), tmp_path)
    assert (found.id, found.revision) == (event.id, 3)
    assert found.comments[0] == event.comments[0]
    assert found.magnitudes[0].formula == "Hutton & Boore (1987)"
    assert [arrival.onset_ns for arrival in found.arrivals] == [arrival.onset_ns for arrival in event.arrivals]
    assert found.arrivals[2].pick_id != found.arrivals[1].pick_id


def test_an_interval_that_an_assumed_depth_lies_outside_of_makes_no_negative_uncertainty(tmp_path: Path) -> None:
    event = make_event(depth_km=10.0)
    event.origin.depth_is_fixed = True
    event.origin.depth_lower_km, event.origin.depth_upper_km = 21.9, 58.4
    (found,) = obspy_events(written(event))
    depth = found.preferred_origin().depth_errors
    assert (depth.lower_uncertainty, depth.upper_uncertainty, depth.confidence_level) == (None, None, None)
    (again,) = read(written(event), tmp_path)
    assert_alike(again, event)


def assert_alike(found: Event, event: Event) -> None:
    """Equal; numbers that were kilometres, metres and degrees in turn to a part in a billion."""
    assert flat(found).keys() == flat(event).keys()
    for name, value in flat(event).items():
        expected = pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
        assert flat(found)[name] == expected, name


def flat(message: Any, before: str = "") -> dict[str, object]:
    values: dict[str, object] = {}
    for field, value in message.ListFields():
        parts = value if field.is_repeated else [value]
        for number, part in enumerate(parts):
            name = f"{before}{field.name}[{number}]"
            values |= flat(part, f"{name}.") if field.message_type else {name: part}
    return values


def test_types_and_status_that_quakeml_has_no_word_for_come_back(tmp_path: Path) -> None:
    events = [make_event("a"), make_event("b"), make_event("c")]
    events[0].type = EVENT_TYPE_LOW_FREQUENCY
    events[1].type = EVENT_TYPE_BLAST
    events[2].status, events[2].merged_into = EVENT_STATUS_MERGED, "a"
    text = written(*events)
    assert [event.event_type for event in obspy_events(text)] == ["earthquake", "quarry blast", "not existing"]
    found = read(text, tmp_path)
    assert [event.type for event in found] == [EVENT_TYPE_LOW_FREQUENCY, EVENT_TYPE_BLAST, EVENT_TYPE_EARTHQUAKE]
    assert (found[2].status, found[2].merged_into) == (EVENT_STATUS_MERGED, "a")


def test_what_another_program_changed_is_believed(tmp_path: Path) -> None:
    text = written(make_event()).replace("<value>35.69</value>", "<value>36.5</value>")
    text = text.replace("<type>earthquake</type>", "<type>quarry blast</type>")
    (found,) = read(text, tmp_path)
    assert found.origin.latitude_deg == 36.5
    assert not found.origin.HasField("mean")
    assert found.type == EVENT_TYPE_BLAST


def test_another_agencys_file_is_read_and_what_is_not_kept_is_told(tmp_path: Path) -> None:
    """ObsPy's own example, written by it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        catalogue = read_events()
        catalogue.write(str(tmp_path / "foreign.xml"), format="QUAKEML")
    found = read_catalogue(tmp_path / "foreign.xml")
    origins = [event.preferred_origin() or event.origins[0] for event in catalogue]
    assert [event.origin.time_ns for event in found.events] == [origin.time.ns for origin in origins]
    assert [event.id for event in found.events] == [str(event.resource_id) for event in catalogue]
    text = written(*found.events)
    assert [str(event.resource_id) for event in obspy_events(text)] == [event.id for event in found.events]


@pytest.mark.parametrize(
    "path", sorted((SCHEMA.parents[1] / "tests" / "data").glob("*.xml")), ids=lambda path: path.stem
)
def test_files_of_other_programs_are_read_and_written_again(path: Path, tmp_path: Path) -> None:
    """Those of ObsPy's own tests, of which some are wrong on purpose."""
    first = read_catalogue(path)
    text = written(*first.events)
    schema = etree.RelaxNG(etree.parse(SCHEMA.with_suffix(".rng")))
    assert schema.validate(etree.fromstring(text.encode())), schema.error_log
    again = read(text, tmp_path)
    assert [event.id for event in again] == [event.id for event in first.events]
    for ours, theirs in zip(again, first.events, strict=True):
        assert_alike(ours, theirs)


def test_what_a_file_says_in_words_that_we_lack_is_counted(tmp_path: Path) -> None:
    pick = Pick(time=UTCDateTime(ns=ORIGIN_NS), onset="emergent", comments=[Comment(text="noisy")], backazimuth=5.0)
    event = foreign(event_type="landslide", event_type_certainty="suspected", picks=[pick])
    event.origins[0].arrivals = [Arrival(pick_id=pick.resource_id, phase="Pn")]
    event.origins[0].region = "Tonga"
    event.event_descriptions = [EventDescription(text="the great one", type="earthquake name")]
    Catalog([event]).write(str(tmp_path / "foreign.xml"), format="QUAKEML")
    reading = read_catalogue(tmp_path / "foreign.xml")
    assert reading.events[0].region == "Tonga"
    assert {note.removeprefix("left out: 1 ") for note in reading.notes} == {
        *("types 'landslide', kept as 'not reported'", "certainties of types", "descriptions beside a region"),
        *("onsets of picks, as impulsive", "backazimuths", "comments of picks"),
        "names of phases such as Pn and Sg, kept as P and S",
    }


def test_of_what_we_have_written_nothing_is_left_out(tmp_path: Path) -> None:
    for number, event in enumerate((make_event(), strange(), Event(id="empty", revision=1))):
        (tmp_path / f"{number}.xml").write_text(written(event), "utf-8")
        assert not read_catalogue(tmp_path / f"{number}.xml").notes


def test_an_event_of_a_type_that_quakeml_does_not_know_is_not_lost(tmp_path: Path) -> None:
    """The USGS has quarries, ObsPy leaves out what is none of the standard's types."""
    for said, kind in (("quarry", EVENT_TYPE_BLAST), ("ice_quake", EVENT_TYPE_UNKNOWN), ("null", EVENT_TYPE_UNKNOWN)):
        text = written(make_event("a"), make_event("b")).replace("<type>earthquake<", f"<type>{said}<", 1)
        assert [(event.id, event.type) for event in read(text, tmp_path)] == [("a", kind), ("b", EVENT_TYPE_EARTHQUAKE)]


def test_a_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    """ObsPy takes [1] for a pattern."""
    path = tmp_path / "events[1].xml"
    path.write_text(written(make_event("a")), "utf-8")
    assert [event.id for event in read_catalogue(path).events] == ["a"]


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    packed = gzip.compress(written(make_event("a")).encode())
    (tmp_path / "events.xml").write_bytes(packed)
    assert [event.id for event in read_catalogue(tmp_path / "events.xml").events] == ["a"]
    for broken in (packed[:-20], packed[:300] + b"x" * 20 + packed[320:], packed[:-8] + bytes(8)):
        (tmp_path / "events.xml").write_bytes(broken)
        with pytest.raises(InputInvalid, match="cannot be read as QuakeML"):
            read_catalogue(tmp_path / "events.xml")


def test_one_event_after_the_other_is_read(tmp_path: Path) -> None:
    """The first is there before the end of the file is looked at, and has no other with it."""
    path = tmp_path / "many.xml"
    path.write_text(written(*(make_event(f"e{number}") for number in range(30)))[:-200], "utf-8")
    found = foreign_events(path)
    assert len(next(found).found.picks) == 12
    with pytest.raises(InputInvalid, match="cannot be read as QuakeML"):
        list(found)
    sizes = [len(document) for _, document in islice(_documents(path), 20)]
    assert max(sizes) < 1.1 * min(sizes)


def test_numbers_that_nobody_can_mean_do_not_refuse_an_event(tmp_path: Path) -> None:
    info = CreationInfo(version="20230115123045", creation_time=UTCDateTime("1601-01-01"))
    event = foreign(creation_info=info, magnitudes=[Magnitude(mag=3.0, magnitude_type="ML", station_count=-1)])
    event.origins[0].quality = OriginQuality(used_phase_count=-1)
    (found,) = read_foreign(event, tmp_path)
    assert (found.revision, found.latency.published_ns) == (1, 0)
    assert (found.origin.phases_used, found.magnitudes[0].stations) == (0, 0)


def test_a_time_that_nanoseconds_do_not_reach_is_told(tmp_path: Path) -> None:
    event = foreign(resource_id="smi:example/1348")
    event.origins[0].time = UTCDateTime("1348-01-25T15:00:00Z")
    with pytest.raises(
        InputInvalid, match=r"foreign\.xml: event smi:example/1348: found the time 1348-.* 1678 and 2262"
    ):
        read_foreign(event, tmp_path)


def test_of_two_agencies_magnitudes_of_one_type_the_preferred_one_stands(tmp_path: Path) -> None:
    first, second = Magnitude(mag=5.0, magnitude_type="Mw"), Magnitude(mag=6.0, magnitude_type="Mw")
    event = foreign(magnitudes=[first, Magnitude(mag=5.5, magnitude_type="mb"), second])
    event.preferred_magnitude_id = second.resource_id
    (found,) = read_foreign(event, tmp_path)
    preferred = preferred_magnitude(found)
    assert preferred is not None
    assert (preferred.type, preferred.value) == ("Mw", 6.0)
    assert sorted(magnitude.value for magnitude in found.magnitudes) == [5.0, 5.5, 6.0]
    (again,) = obspy_events(written(found))
    assert again.preferred_magnitude().mag == 6.0


def test_what_no_event_of_ours_can_hold_is_counted(tmp_path: Path) -> None:
    text = written(make_event())
    for removed in ("<stationMagnitudeContribution>", "<arrival "):
        start = text.index(removed)
        end = text.index("</" + removed.strip("<> ") + ">", start) + len(removed.strip("<> ")) + 3
        text = text[:start] + text[end:]
    (tmp_path / "less.xml").write_text(text)
    notes = read_catalogue(tmp_path / "less.xml").notes
    assert notes == ["left out: 1 picks without an arrival", "left out: 1 station magnitudes without a magnitude"]


@pytest.mark.parametrize("text", ["", "<a/>", "no xml"])
def test_a_file_that_is_no_quakeml_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.xml"
    path.write_text(text)
    with pytest.raises(InputInvalid, match=r"bad\.xml.*QuakeML"):
        read_catalogue(path)


@given(name=st.text(min_size=1))
@settings(deadline=None)
def test_a_quoted_name_comes_back(name: str) -> None:
    usable = name.encode("utf-8", "ignore").decode()
    assert unquoted(quoted(usable)) == usable
    assert event_id(SIGNATURE.event(usable or "x")) == (usable or "x")


@given(azimuth=st.floats(0, 360), plunge=st.floats(0, 89), turn=st.floats(0, 179.9))
@settings(deadline=None)
def test_an_ellipsoid_comes_back_from_its_angles(azimuth: float, plunge: float, turn: float) -> None:
    axes = ellipsoid((3.0, 2.0, 1.0), azimuth, plunge, turn)
    difference = (rotation_deg(axes) - turn + 90) % 180 - 90
    assert abs(difference) < 1e-6
    vectors = np.array(
        [
            (math.cos(p) * math.cos(a), math.cos(p) * math.sin(a), math.sin(p))
            for a, p in zip(np.radians(axes.azimuth_deg), np.radians(axes.plunge_deg), strict=True)
        ]
    )
    np.testing.assert_allclose(np.abs(vectors @ vectors.T), np.eye(3), atol=1e-9)


def test_an_ellipsoid_whose_rotation_is_90_has_a_vertical_minor_axis() -> None:
    """As the USGS writes shallow ellipsoids: long and wide on the map, thin in depth."""
    axes = ellipsoid((12.0, 11.0, 0.2), 184.0, 0.0, 90.0)
    assert axes.plunge_deg[2] == pytest.approx(90)


def test_counts_of_what_is_left_out_start_at_nothing() -> None:
    assert +Counter({"focal mechanisms": 0}) == Counter()
