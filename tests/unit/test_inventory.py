"""Inventories: the same stations whatever the files look like, and nothing guessed where a file says nothing."""

import gzip
import hashlib
import io
import math
import os
import re
import struct
from pathlib import Path

import numpy as np
import obspy
import pytest
from obspy.core.inventory.response import InstrumentSensitivity, PolesZerosResponseStage, Response

from kensoku.errors import InputInvalid
from kensoku.inventory import read_inventory, response_at
from kensoku.inventory._stationxml import read_response
from kensoku.v1.inventory_pb2 import (
    GROUND_MOTION_VELOCITY,
    ChannelEpoch,
    Station,
)
from tests.tables import TABLE, one_station

GHANA = Path(__file__).parents[2].parent / "shared/data/catalogs/ghana"


def stationxml(inventory: obspy.Inventory) -> bytes:
    content = io.BytesIO()
    inventory.write(content, "STATIONXML")
    return content.getvalue()


@pytest.fixture
def shipped() -> obspy.Inventory:
    """Three stations in Bavaria with 30 epochs, which ObsPy brings along."""
    return obspy.read_inventory()


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


def test_a_negative_sensitivity_turns_the_sensor_around(shipped: obspy.Inventory) -> None:
    """As counts of ObsPy's `remove_response` have it."""
    before = read_inventory({"a.xml": stationxml(shipped)}).stations["BW.RJOB"]
    for channel in (channel for epoch in shipped.select(station="RJOB")[0] for channel in epoch):
        total, first = channel.response.instrument_sensitivity, channel.response.response_stages[0]
        total.value, first.stage_gain = -total.value, -first.stage_gain
    reading = read_inventory({"a.xml": stationxml(shipped)})
    turned = [(epoch.code, epoch.azimuth_deg, epoch.dip_deg) for epoch in reading.stations["BW.RJOB"].epochs]
    assert {("EHE", 270.0, 0.0), ("EHN", 180.0, 0.0), ("EHZ", 180.0, 90.0)} == set(turned)
    assert [epoch.response for epoch in reading.stations["BW.RJOB"].epochs] == [e.response for e in before.epochs]
    assert any(note.startswith("negative sensitivity") for note in reading.notes)


def test_stages_that_contradict_the_sensitivity_are_told(shipped: obspy.Inventory) -> None:
    assert read_inventory({"a.xml": stationxml(shipped)}).notes == ()
    for channel in shipped[0][0][:3]:
        channel.response.instrument_sensitivity.value *= 1.06
    (note,) = read_inventory({"a.xml": stationxml(shipped)}).notes
    assert note.startswith("the stages' gains make 9.43682e+08, more than 5 % off the sensitivity 1.0003e+09")
    assert note.endswith("GR.FUR HHE, GR.FUR HHN, GR.FUR HHZ")


@pytest.mark.parametrize(("transfer", "hz"), [("LAPLACE (RADIANS/SECOND)", 2 * math.pi), ("LAPLACE (HERTZ)", 1.0)])
def test_an_amplifiers_corner_is_part_of_the_response(shipped: obspy.Inventory, transfer: str, hz: float) -> None:
    """A high-pass of 0.5 Hz takes four fifths of what is at 0.1 Hz and turns its phase."""
    response = shipped[0][0][0].response
    response.response_stages.insert(1, amplifier(transfer, [0j], [-0.5 * hz + 0j]))
    for number, stage in enumerate(response.response_stages, 1):
        stage.stage_sequence_number = number
    found, doubts = read_response(response)
    assert found is not None
    assert doubts == []
    frequencies_hz = np.geomspace(0.05, 20.0, 30)
    response.recalculate_overall_sensitivity(response.instrument_sensitivity.frequency)
    expected = response.get_evalresp_response_for_frequencies(frequencies_hz, end_stage=3)
    shown = response_at(found, frequencies_hz)
    np.testing.assert_allclose(shown / shown[-1], expected / expected[-1], rtol=1e-3)


@pytest.mark.parametrize(
    ("transfer", "unit"), [("DIGITAL (Z-TRANSFORM)", "COUNTS"), ("LAPLACE (RADIANS/SECOND)", "COUNTS")]
)
def test_a_corner_behind_the_analogue_stages_is_told(shipped: obspy.Inventory, transfer: str, unit: str) -> None:
    response = shipped[0][0][0].response
    response.response_stages.append(amplifier(transfer, [0j], [-0.5 + 0j], unit))
    _, doubts = read_response(response)
    assert any("behind the analogue stages are left out" in doubt for doubt in doubts)


@pytest.mark.parametrize(("change", "is_known"), [(1e-6j, True), (0.1, False)])
def test_poles_are_in_pairs_or_the_response_is_not_known(
    shipped: obspy.Inventory, change: complex, is_known: bool
) -> None:
    """A slip of the pen in one of two conjugates: no filter of real samples is like that."""
    stage = shipped[0][0][0].response.response_stages[0]
    stage.poles = [stage.poles[0] + change, *stage.poles[1:]]
    found, doubts = read_response(shipped[0][0][0].response)
    assert doubts == ([] if is_known else ["a pole or zero lacks its conjugate, so amplitudes stay in counts"])
    if found is None:
        assert not is_known
    else:
        poles = [complex(pole.real, pole.imaginary) for pole in found.poles]
        assert all(pole.conjugate() in poles for pole in poles)


def amplifier(transfer: str, zeros: list[complex], poles: list[complex], unit: str = "V") -> PolesZerosResponseStage:
    return PolesZerosResponseStage(2, 1.0, 1.0, unit, unit, transfer, 1.0, zeros, poles)


@pytest.mark.parametrize("blank", ["  ", "--"])
def test_a_blank_location_is_none_however_it_is_written(shipped: obspy.Inventory, blank: str) -> None:
    content = stationxml(shipped)
    assert content.count(b'locationCode=""') > 0
    written = content.replace(b'locationCode=""', f'locationCode="{blank}"'.encode())
    assert read_inventory({"a.xml": written}) == read_inventory({"a.xml": content})
    table = "id,lat,lon,elev_m\nNZ.WEL{},-41,174,138\n"
    rows = [read_inventory({"a.csv": table.format(code).encode()}).stations for code in ("", f".{blank}")]
    assert rows[0] == rows[1]


def test_coefficients_of_digital_filters_are_not_read(shipped: obspy.Inventory) -> None:
    """Most of a file, and nothing of it is asked."""
    content = stationxml(shipped)
    ruined = re.sub(rb"(<(?:NumeratorCoefficient|Numerator)[^>]*>)[^<]+", rb"\1none", content)
    assert b">none<" in ruined
    before, after = read_inventory({"a.xml": content}), read_inventory({"a.xml": ruined})
    assert after == before
    prefixed = re.sub(rb"<(/?)(?=\w)", rb"<\1fsx:", ruined).replace(b"xmlns=", b"xmlns:fsx=")
    assert read_inventory({"a.xml": prefixed}) == before


def test_a_station_without_channels_has_its_place() -> None:
    inventory = obspy.read_inventory()
    for station in inventory[0]:
        station.channels = []
    reading = read_inventory({"a.xml": stationxml(inventory)})
    (epoch,) = reading.stations["GR.FUR"].epochs
    assert (epoch.code, round(epoch.latitude_deg, 3)) == ("", 48.163)
    assert reading.notes == ("no channels, so only the place is known: GR.FUR, GR.WET",)


@pytest.mark.parametrize("content", [b"<", b"<?xml version='1.0'?>", b"<FDSNStationXML><Network/>"])
def test_xml_that_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(InputInvalid, match=r"a\.xml: found XML that cannot be read .* expected StationXML"):
        read_inventory({"a.xml": content})


def test_the_stations_that_keep_a_file_from_being_read_are_named(shipped: obspy.Inventory) -> None:
    lines = stationxml(shipped).split(b"\n")
    begins = [number for number, line in enumerate(lines) if b"<Station " in line]
    for begin, latitude in zip(begins, (b"<Latitude>148.16</Latitude>", b"<Latitude>48,74</Latitude>"), strict=False):
        place = next(number for number in range(begin, len(lines)) if b"<Latitude" in lines[number])
        lines[place] = latitude
    with pytest.raises(InputInvalid) as refused:
        read_inventory({"a.xml": b"\n".join(lines)})
    lead, first, second = str(refused.value).split("\n")
    assert lead.startswith("2 mistakes in the inventory")
    assert f"a.xml line {begins[0] + 1} GR.FUR: found a station that cannot be read (value 148.16 out of" in first
    assert f"a.xml line {begins[1] + 1} GR.WET: found a station that cannot be read (" in second
    assert second.endswith("with latitude, longitude and elevation as numbers")


@pytest.mark.parametrize(
    ("content", "root"),
    [(b"<html><body>404</body></html>", "html"), (b"<a>\xff</a>", "a"), (b"<?xml?><q:quakeml xmlns='b'/>", "quakeml")],
)
def test_xml_that_is_no_stationxml_is_called_what_it_is(content: bytes, root: str) -> None:
    with pytest.raises(InputInvalid, match=rf"a\.xml: found a file of <{root}>, expected StationXML"):
        read_inventory({"a.xml": content})


def test_a_packed_file_is_called_what_it_is(shipped: obspy.Inventory) -> None:
    with pytest.raises(InputInvalid, match=r"a\.xml\.gz: found a file that is packed with gzip, .* gunzip a\.xml\.gz"):
        read_inventory({"a.xml.gz": gzip.compress(stationxml(shipped))})


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


def test_a_file_whose_name_is_no_utf_8_is_read() -> None:
    stations = read_inventory({os.fsdecode(b"r\xe9seau.csv"): TABLE}).stations
    assert {station.source for station in stations.values()} == {r"r\udce9seau.csv"}


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
