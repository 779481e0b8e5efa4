"""Networks: laid out as asked, or as a file lists them."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from kensoku.errors import InputInvalid
from kensoku.simulation.geography import KM_PER_DEG, Outline, is_inside
from kensoku.simulation.networks import Equipment, Layout, Listed, Station, draw_site_response
from kensoku.simulation.randomness import FloatArray, draw

OUTLINE = ((34.0, 138.0), (36.0, 138.0), (36.0, 140.0))


def layout(**settings: Any) -> Layout:
    usual: dict[str, Any] = {
        "code": "XX",
        "count": 37,
        "spacing_km": 15.0,
        "latitude_deg": 35.0,
        "longitude_deg": 139.0,
    }
    return Layout(**usual | settings)


def nearest_km(stations: list[Station]) -> FloatArray:
    north = np.array([station.latitude_deg for station in stations]) * KM_PER_DEG
    east = np.array([station.longitude_deg for station in stations]) * KM_PER_DEG * np.cos(np.radians(35.0))
    distance_km = np.hypot(np.subtract.outer(north, north), np.subtract.outer(east, east))
    return np.sort(distance_km, axis=1)[:, 1]  # not to itself


def test_stations_stand_as_far_apart_as_said() -> None:
    stations = layout(jitter=0.0).stations(1)
    assert len(stations) == 37
    np.testing.assert_allclose(nearest_km(stations), 15.0, rtol=0.01)
    jittered = nearest_km(layout(jitter=0.3).stations(1))
    assert jittered.min() > 15 * (1 - 2 * 0.3) - 0.1
    assert jittered.std() > 1


def test_codes_are_valid_and_differ() -> None:
    stations = layout(count=2000, prefix="N").stations(1)
    assert len({station.name for station in stations}) == 2000
    assert stations[0].name == "XX.N0001"
    with pytest.raises(ValueError, match="expected codes of at most 5 letters"):
        layout(count=2000, prefix="NA")


def test_an_outline_keeps_stations_inside_or_says_how_many_fit() -> None:
    stations = layout(outline=OUTLINE, count=50, jitter=0.0).stations(1)
    places = np.array([(station.latitude_deg, station.longitude_deg) for station in stations])
    assert len(places) == 50
    assert is_inside(OUTLINE, places[:, 0], places[:, 1]).all()
    with pytest.raises(ValueError, match=r"an outline that holds \d+ stations; expected 500, or a smaller spacing"):
        layout(outline=OUTLINE, count=500)


def test_an_outline_without_area_is_refused() -> None:
    with pytest.raises(ValidationError, match="with an area between them"):
        TypeAdapter(Outline).validate_python(((34.0, 138.0), (36.0, 140.0), (35.0, 139.0)))


def test_equipment_is_drawn_from_what_is_possible_and_the_same_again() -> None:
    equipment = Equipment(
        sensors=("broadband-120s", "accelerometer"), rates_hz=(50, 200), components=(1, 3), borehole_share=0.25
    )
    stations = layout(count=400, equipment=equipment).stations(1)
    assert stations == layout(count=400, equipment=equipment).stations(1)
    assert stations != layout(count=400, equipment=equipment).stations(2)
    assert {station.sensor for station in stations} == {"broadband-120s", "accelerometer"}
    assert {station.rate_hz for station in stations} == {50, 200}
    assert {station.components for station in stations} == {1, 3}
    assert np.mean([station.borehole_m == 100 for station in stations]) == pytest.approx(0.25, abs=0.07)


def test_a_station_stays_as_it_is_when_others_join() -> None:
    few, many = layout(count=400).stations(1), layout(count=500).stations(1)
    assert [station.site for station in few] == [station.site for station in many[:400]]


def test_soft_ground_amplifies_and_absorbs_more_than_rock() -> None:
    rock, soft = (
        [draw_site_response(ground, 0.0, draw(1, str(number), "", 0)) for number in range(300)]
        for ground in ("rock", "soft")
    )
    for value in ("amplification", "kappa_s_s", "resonance", "sediment_sp_s"):
        assert np.median([getattr(site, value) for site in soft]) > np.median([getattr(site, value) for site in rock])
    kappa_s = np.array([site.kappa_s_s for site in rock])
    assert np.median(kappa_s) == pytest.approx(0.020, rel=0.1)
    assert all(0.1 < site.kappa_p_s / site.kappa_s_s < 1.1 for site in soft)
    assert 0.05 < np.median([site.sediment_sp_s for site in soft]) < 0.1


def test_a_borehole_is_below_what_amplifies() -> None:
    site = draw_site_response("soft", 200.0, draw(1, "", "", 0))
    assert (site.amplification, site.resonance) == (1.0, 1.0)


def test_a_table_of_places_is_a_network() -> None:
    table = b"id,lat,lon,elev_m\nCI.CLC,35.8157,-117.5975,775\nCI.JRC2,35.9825,-117.8089,1469\n"
    clc, jrc2 = Listed(path="stations.csv", equipment=Equipment(rates_hz=(200,))).stations(1, table)
    assert (clc.name, clc.latitude_deg, clc.elevation_m, clc.rate_hz) == ("CI.CLC", 35.8157, 775.0, 200)
    assert jrc2.name == "CI.JRC2"


def test_stationxml_says_what_a_station_has() -> None:
    channels = "".join(
        f"""<Channel code="HN{component}" locationCode=""><Latitude>34.9</Latitude><Longitude>135.1</Longitude>
        <Elevation>50</Elevation><Depth>120</Depth><SampleRate>200</SampleRate></Channel>"""
        for component in "ZNE"
    )
    xml = f"""<FDSNStationXML xmlns="http://www.fdsn.org/xml/station/1" schemaVersion="1.1"><Source>test</Source>
        <Created>2020-01-01T00:00:00</Created><Network code="BO"><Station code="ABC"><Latitude>34.9</Latitude>
        <Longitude>135.1</Longitude><Elevation>50</Elevation><Site><Name>A</Name></Site>{channels}</Station></Network>
        </FDSNStationXML>"""
    (station,) = Listed(path="stations.xml").stations(1, xml.encode())
    assert (station.sensor, station.rate_hz, station.components) == ("accelerometer", 200, 3)
    assert station.borehole_m == 120
    with pytest.raises(InputInvalid, match=r"BO.ABC has 40 Hz; expected one of 50, 100, 200, 250; leave it out"):
        Listed(path="stations.xml").stations(1, xml.replace(">200<", ">40<").encode())


def test_an_unknown_sensor_is_met_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"one of geophone-4\.5hz.*did you mean geophone-1hz\?"):
        TypeAdapter(Equipment).validate_python({"sensors": ("geophone-1h",)})
