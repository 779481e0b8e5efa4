"""HypoDD's phase files come back as what was written, and another program's as ObsPy reads them."""

import warnings
from pathlib import Path

import pytest
from obspy import read_events

from kensoku.catalogue_files import read_catalogue
from kensoku.errors import InputInvalid
from tests.catalogue import make_event, write_checked

FOREIGN = """# 1985  1 24  2 19 58.71  37.8832 -122.2415   9.80  1.40  0.15  0.51  0.02      38542
BKS         1.53   1.000   P
CBW         1.66   -0.50   S
CMC         2.00   0.25   X
#2013 12 31 23 59 60.0 -37.5 178.9 0.5 0.0 0 0 0 7

  WIZ 0.9 1 p
"""
EVENT = "# 1985 1 24 2 19 58.71 37.8832 -122.2415 9.80 1.40 0.15 0.51 0.02 "


def test_what_was_written_comes_back_under_its_ids(tmp_path: Path) -> None:
    events = [make_event("a"), make_event("smi:org.example/b", time_s=59.99996, latitude_deg=-35.0, magnitude=0.0)]
    write_checked(tmp_path / "x.pha", events)
    found = read_catalogue(tmp_path / "x.pha")
    assert found.notes == ["left out: 1 magnitudes of 0.0, which stand for none"]
    for event, before in zip(found.events, events, strict=True):
        assert event.id == before.id
        assert event.origin.time_ns == pytest.approx(before.origin.time_ns, abs=50_000)
        assert (event.origin.latitude_deg, event.origin.depth_km) == (before.origin.latitude_deg, 9.25)
        assert event.origin.depth_upper_km - event.origin.depth_lower_km == pytest.approx(1.6)
        usable = [arrival for arrival in before.arrivals if not arrival.is_outlier]
        for arrival, told in zip(event.arrivals, usable, strict=True):
            assert (arrival.phase, arrival.instrument.station) == (told.phase, told.instrument.station)
            assert arrival.onset_ns == pytest.approx(told.onset_ns, abs=100_000)
    assert [each.value for each in found.events[0].magnitudes] == [1.64]
    assert not found.events[1].magnitudes


def test_another_programs_file_is_read_as_obspy_reads_it(tmp_path: Path) -> None:
    (tmp_path / "foreign.pha").write_text(FOREIGN)
    found = read_catalogue(tmp_path / "foreign.pha")
    assert found.notes == [
        "left out: 1 arrivals that are neither P nor S",
        "left out: 1 magnitudes of 0.0, which stand for none",
    ]
    (tmp_path / "first.pha").write_text("".join(FOREIGN.splitlines(keepends=True)[:3]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (theirs,) = read_events(str(tmp_path / "first.pha"), format="HYPODDPHA")
    ours, late = found.events
    assert ours.id == "38542"
    assert ours.origin.time_ns == theirs.origins[0].time.ns
    assert [arrival.onset_ns for arrival in ours.arrivals] == [pick.time.ns for pick in theirs.picks]
    assert [arrival.weight for arrival in ours.arrivals] == [1.0, 0.5]
    assert late.origin.time_ns == 1_388_534_400 * 10**9
    assert [arrival.instrument.station for arrival in late.arrivals] == ["WIZ"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("BKS 1.53 1.0 P\n", "line 1: found 'BKS 1.53 1.0 P', expected an event"),
        (EVENT, "line 1: found 13 words, expected 14"),
        (f"{EVENT}1\nBKS 1.5 P\n", "line 2: found 3 words, expected 4"),
        (f"{EVENT}1\nBKS x 1 P\n", "line 2: found 'x', expected a number"),
        (f"{EVENT}1\nBKS 1e9 1 P\n", "line 2: found a travel time of 1e9 s"),
        (f"{EVENT}1\n{EVENT}1\n", "line 2: found the event '1' again"),
        (f"{EVENT.replace('1985 1', '1985 13')}1\n", "line 1: found 1985 13 24 2 19"),
        (f"{EVENT.replace('37.8832', '97')}1\n", "line 1: found 1985 1 24 2 19 58.71 97"),
        (f"{EVENT.replace('9.80', 'nan')}1\n", "line 1: found 'nan', expected a number"),
        ("\xff", "cannot be read as a phase file"),
    ],
)
def test_every_mistake_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "x.pha").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputInvalid, match=told):
        read_catalogue(tmp_path / "x.pha")


def test_names_of_numbers_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "x.pha").write_text(FOREIGN)
    (tmp_path / "x.pha.ids.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputInvalid, match=r"x.pha.ids.csv: found no table with number and event_id"):
        read_catalogue(tmp_path / "x.pha")
