"""What an event was follows from votes, hours, depth, quarries, periods and incidence, each with its say in words."""

import json
import math
from dataclasses import replace

import pytest

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.magnitudes import (
    PlaneWave,
    Reading,
    TypeEvidence,
    TypeSettings,
    classify,
    evidence_of,
    fit_plane_wave,
    read_quarries,
    readings_of,
)
from kensoku.times import parse_time_ns
from kensoku.v1.event_pb2 import (
    EVENT_TYPE_BLAST,
    EVENT_TYPE_EARTHQUAKE,
    EVENT_TYPE_LOW_FREQUENCY,
    EVENT_TYPE_TELESEISM,
    EVENT_TYPE_UNKNOWN,
    Arrival,
    Origin,
)
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    PHASE_P,
    PHASE_S,
    Amplitude,
    Instrument,
    PickMeasurement,
)

TUESDAY_NOON = parse_time_ns("2024-05-14T12:00:00Z")
SUNDAY_NIGHT = parse_time_ns("2024-05-12T02:00:00Z")
NIGHT = TypeEvidence(time_ns=SUNDAY_NIGHT, latitude_deg=42.5, longitude_deg=0.0, depth_km=12.0, depth_sd_km=2.0)
NOON = replace(NIGHT, time_ns=TUESDAY_NOON, depth_km=0.5)
QUARRY = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": "Marble Hill"},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [
                        [[-0.1, 42.4], [0.1, 42.4], [0.1, 42.6], [-0.1, 42.6], [-0.1, 42.4]],
                        [[0.04, 42.44], [0.06, 42.44], [0.06, 42.46], [0.04, 42.46]],
                    ],
                },
            },
            {"type": "Feature", "properties": None, "geometry": {"type": "Point", "coordinates": [179.99, 0.0]}},
        ],
    }
)


def test_probabilities_add_up_to_one_and_reasons_name_what_was_used() -> None:
    found = classify(replace(NOON, blast_probabilities=(0.9, 0.8)), read_quarries(QUARRY, "q.json"))
    p = found.probabilities
    assert p.earthquake + p.blast + p.teleseism + p.low_frequency + p.unknown == pytest.approx(1.0)
    told = " | ".join(found.reasons)
    for words in ("votes of 2 stations", "Tuesday 12:00 local solar time", "depth 0.5 km", "in Marble Hill"):
        assert words in told


def test_with_nothing_known_but_the_night_it_is_an_earthquake() -> None:
    found = classify(replace(NIGHT, depth_km=None))
    assert found.type == EVENT_TYPE_EARTHQUAKE
    assert found.probabilities.blast < 0.01


def test_votes_by_day_near_the_surface_make_a_blast() -> None:
    assert classify(replace(NOON, blast_probabilities=(0.95,) * 5)).type == EVENT_TYPE_BLAST


def test_votes_alone_do_not_make_a_deep_event_at_night_a_blast() -> None:
    assert classify(replace(NIGHT, blast_probabilities=(0.9,) * 5)).type != EVENT_TYPE_BLAST


def test_one_station_is_less_sure_than_five_and_fifty_are_hardly_surer_than_ten() -> None:
    one, five, ten, fifty = (
        classify(replace(NOON, blast_probabilities=(0.85,) * count)).probabilities.blast for count in (1, 5, 10, 50)
    )
    assert one < five < ten < fifty
    assert fifty - ten < 0.25 * (five - one)


def test_a_single_wild_vote_does_not_overrule_four() -> None:
    found = classify(replace(NOON, depth_km=8.0, blast_probabilities=(0.05, 0.1, 0.1, 0.05, 1.0)))
    assert found.type == EVENT_TYPE_EARTHQUAKE


def test_the_hour_is_that_of_the_place() -> None:
    midnight = replace(NOON, longitude_deg=180.0)
    assert classify(midnight).probabilities.blast < 0.2 * classify(NOON).probabilities.blast
    at_nine = classify(midnight, settings=TypeSettings(utc_offset_h=-3.0))
    assert "Tuesday 09:00 local time" in " ".join(at_nine.reasons)
    assert at_nine.probabilities.blast == pytest.approx(classify(NOON).probabilities.blast)


def test_depth_speaks_against_a_blast_only_as_far_as_it_is_known() -> None:
    deep, vague = (classify(replace(NOON, depth_km=12.0, depth_sd_km=sd)).probabilities.blast for sd in (1.0, 10.0))
    assert deep < 0.01 < vague
    fixed = classify(replace(NOON, depth_km=None))
    assert not any("depth" in reason for reason in fixed.reasons)


def test_a_depth_in_a_mountain_is_no_proof_of_a_blast() -> None:
    assert classify(replace(NIGHT, depth_km=-2.0, depth_sd_km=0.5)).type == EVENT_TYPE_EARTHQUAKE


def test_quarries_speak_for_blasts_near_them_and_against_blasts_elsewhere() -> None:
    quarries = read_quarries(QUARRY, "q.json")
    without = classify(NOON).probabilities.blast
    inside = classify(NOON, quarries).probabilities.blast
    far = classify(replace(NOON, latitude_deg=44.0), quarries).probabilities.blast
    vague = classify(replace(NOON, horizontal_uncertainty_km=20.0), quarries).probabilities.blast
    assert far < without < inside
    assert vague < inside


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "expected_km"),
    [(42.5, 0.0, 0.0), (42.45, 0.05, 0.82), (42.7, 0.0, 11.12), (42.5, 0.2, 8.20)],
)
def test_distances_to_a_polygon_with_a_hole(latitude_deg: float, longitude_deg: float, expected_km: float) -> None:
    quarry, _ = read_quarries(QUARRY, "q.json")
    assert quarry.distance_km(latitude_deg, longitude_deg) == pytest.approx(expected_km, abs=0.01)


def test_a_quarry_is_far_from_the_other_side_of_the_earth() -> None:
    ring = [[-118, 34], [-117, 34], [-117, 36], [-118, 36], [-118, 34]]
    (quarry,) = read_quarries(json.dumps({"type": "Polygon", "coordinates": [ring]}), "q.json")
    assert quarry.distance_km(35.0, -117.5) == 0.0
    assert quarry.distance_km(35.0, 62.5) > 10_000


def test_a_point_has_a_size_and_may_be_across_the_date_line() -> None:
    _, point = read_quarries(QUARRY, "q.json")
    assert point.name == "quarry 2"
    assert point.distance_km(0.0, -179.99) == pytest.approx(0.02 * 111.195 - 1.0, abs=0.001)
    assert point.distance_km(0.0, 179.985) == 0.0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "q.json: found"),
        ('{"type": "Polygon"}', "feature 1: found no 'coordinates'"),
        ('{"type": "LineString", "coordinates": [[0, 0]]}', "found a LineString"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}', "fewer than three vertices"),
        ('{"type": "Point", "coordinates": [0, 91]}', "which is no place"),
        ('{"type": "Point", "coordinates": ["east", 1]}', "feature 1: found could not convert"),
        ('{"features": [3]}', "feature 1: found"),
        ("[1, 2]", "feature 1: found"),
    ],
)
def test_what_is_wrong_in_a_file_of_quarries_is_told(text: str, complaint: str) -> None:
    with pytest.raises(InputInvalid) as error:
        read_quarries(text, "q.json")
    assert complaint in str(error.value)
    assert "expected GeoJSON" in str(error.value)


# --- periods and incidence --------------------------------------------------------------------------------------------

STEEP = PlaneWave(slowness_s_km=0.06, uncertainty_s_km=0.005, rms_s=0.2, local_rms_s=0.2, stations=12)


def test_a_long_period_for_its_magnitude_makes_a_low_frequency_earthquake() -> None:
    slow = replace(NIGHT, depth_km=30.0, magnitude=1.5, periods_s=(0.8, 0.9, 1.0) * 3, s_stations=3)
    assert classify(slow).type == EVENT_TYPE_LOW_FREQUENCY
    assert classify(replace(slow, periods_s=(0.9,))).type == EVENT_TYPE_EARTHQUAKE
    assert classify(replace(slow, periods_s=(0.15, 0.2, 0.2) * 3)).type == EVENT_TYPE_EARTHQUAKE


def test_the_period_of_a_large_earthquake_is_no_surprise() -> None:
    large = replace(NIGHT, magnitude=6.0, periods_s=(1.6, 1.7, 1.5), s_stations=5)
    assert classify(large).type == EVENT_TYPE_EARTHQUAKE


def test_a_steep_plane_wave_of_long_period_without_s_is_a_teleseism() -> None:
    far = replace(NIGHT, depth_km=None, plane=STEEP, periods_s=(1.4, 1.6), p_stations=12)
    found = classify(far)
    assert found.type == EVENT_TYPE_TELESEISM
    assert "17 km/s" in " ".join(found.reasons)
    assert classify(replace(far, s_stations=8)).type != EVENT_TYPE_TELESEISM
    assert classify(replace(far, plane=replace(STEEP, slowness_s_km=0.15))).type != EVENT_TYPE_TELESEISM


def test_what_contradicts_itself_is_unknown() -> None:
    found = classify(replace(NOON, blast_probabilities=(0.85,) * 4, depth_km=7.0, depth_sd_km=2.0))
    assert found.type == EVENT_TYPE_UNKNOWN
    assert "unknown" in found.reasons[-1]


def arrivals_of(slowness_s_km: float, count: int = 8, width_km: float = 40.0) -> list[Arrival]:
    """On a circle, of a wave to the north."""
    return [
        Arrival(
            pick_id=f"{n}",
            instrument=Instrument(network="XS", station=f"S{n}"),
            phase=PHASE_P,
            distance_km=width_km,
            azimuth_deg=360 * n / count,
            onset_ns=TUESDAY_NOON + round(1e9 * slowness_s_km * width_km * math.cos(2 * math.pi * n / count)),
        )
        for n in range(count)
    ]


def test_a_plane_wave_has_its_slowness_back() -> None:
    plane = fit_plane_wave(arrivals_of(0.08))
    assert plane is not None
    assert plane.slowness_s_km == pytest.approx(0.08, abs=1e-6)
    assert plane.rms_s == pytest.approx(0.0, abs=1e-6)
    assert 0 < plane.uncertainty_s_km < 0.01


def test_an_earthquake_below_a_small_network_is_no_teleseism() -> None:
    arrivals = arrivals_of(0.0, count=6)
    for n, arrival in enumerate(arrivals):
        arrival.distance_km = 2.0 + 3.0 * n
        arrival.onset_ns = TUESDAY_NOON + round(1e9 * math.hypot(arrival.distance_km, 15.0) / 6.0)
        arrival.residual_s = 0.05 * (-1) ** n
    plane = fit_plane_wave(arrivals)
    assert plane is not None
    assert plane.slowness_s_km < 0.1
    found = classify(replace(NIGHT, plane=plane, p_stations=6))
    assert found.type == EVENT_TYPE_EARTHQUAKE


def test_few_stations_and_narrow_networks_have_no_plane() -> None:
    assert fit_plane_wave(arrivals_of(0.08, count=4)) is None
    assert fit_plane_wave(arrivals_of(0.08, width_km=3.0)) is None


def test_evidence_is_of_what_suits_the_origin_and_counts_a_station_once() -> None:
    origin = Origin(time_ns=TUESDAY_NOON, depth_km=9.0, depth_lower_km=7.0, depth_upper_km=12.0)
    arrivals = arrivals_of(0.08)
    arrivals[0].blast_probability = 0.5
    arrivals[1].is_outlier = True
    arrivals.append(Arrival(pick_id="s", instrument=arrivals[2].instrument, phase=PHASE_S))
    twin = Instrument(network="XS", station="S2", band_instrument="HN")
    arrivals.append(Arrival(pick_id="twin", instrument=twin, phase=PHASE_P, distance_km=40, azimuth_deg=90))
    measured = [
        PickMeasurement(id="1", blast_probability=0.9),
        PickMeasurement(id="2", blast_probability=0.2, characteristic_period_s=0.5, amplitudes=[peak(9.0)]),
        PickMeasurement(id="twin", blast_probability=0.4, characteristic_period_s=0.9, amplitudes=[peak(2.0)]),
    ]
    readings: tuple[Reading, ...] = readings_of(origin, arrivals, [], measured)
    evidence = evidence_of(origin, arrivals, readings, magnitude=2.0)
    assert list(evidence.blast_probabilities) == pytest.approx([0.5, 0.3])
    assert evidence.periods_s == (0.5,)
    assert (evidence.p_stations, evidence.s_stations) == (7, 1)
    assert evidence.depth_sd_km == 2.5
    assert evidence.plane is not None
    origin.depth_is_fixed = True
    assert evidence_of(origin, arrivals, readings, None).depth_km is None


def peak(over_noise: float) -> Amplitude:
    return Amplitude(kind=AMPLITUDE_KIND_PEAK_DISPLACEMENT, channel="HHZ", value=over_noise * 1e-8, noise=1e-8)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"prior": {"earthquake": 1.0}}, "1 together"),
        ({"stands_out": 1.5}, "stands_out: found 1.5"),
        ({"working_hours": (18, 7)}, "working hours"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingInvalid, match=complaint):
        TypeSettings(**settings)  # type: ignore[arg-type]  # of several types, that is what is tried
