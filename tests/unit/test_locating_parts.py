"""What locations are told with: the contracts, ellipsoids and circles, gaps, places on the sphere, quality."""

import math

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.locating import (
    LocationSettings,
    arrival_messages,
    arrivals_of,
    instrument_code,
    locate,
    origin_message,
    site_at,
    sites_of,
)
from kensoku.locating._sphere import arc_km, azimuths_deg, degrees, frames_at, gaps_deg, unit_vectors
from kensoku.locating._summary import circles_km, ellipsoids, quality
from kensoku.traveltime import Grid, TravelTimeTable, Wave, build_table, load_model
from kensoku.v1.association_pb2 import AssociatedPick
from kensoku.v1.event_pb2 import QUALITY_A, QUALITY_B
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, POLARITY_UP, Instrument, Pick, PickMeasurement

KM_PER_DEG = 6371 * math.pi / 180
T0_NS = 1_600_000_000_000_000_000


def test_frames_keep_distances_and_directions() -> None:
    frame = frames_at(unit_vectors([35.0, -80.0], [139.0, -179.9]))
    north, east = np.array([[30.0, -200.0], [0.0, 3.0]]), np.array([[40.0, 10.0], [-7.0, 3.0]])
    places = frame.place(north, east)
    centres = frame.centre[:, :, None]
    np.testing.assert_allclose(arc_km((places * centres).sum(axis=0)), np.hypot(north, east), rtol=1e-6)
    first = azimuths_deg(frame, places[:, :, 0])
    np.testing.assert_allclose(first, np.degrees(np.arctan2(east[:, 0], north[:, 0])) % 360, atol=1e-6)


def test_places_beyond_the_date_line_and_at_a_pole_are_found_again() -> None:
    latitude, longitude = degrees(unit_vectors([52.0, 90.0], [-179.99, 0.0]))
    assert latitude == pytest.approx([52.0, 90.0])
    assert longitude[0] == pytest.approx(-179.99)
    moved = frames_at(unit_vectors([90.0], [0.0])).place(np.array([-111.19]), np.array([0.0]))
    assert degrees(moved)[0] == pytest.approx([89.0], abs=1e-4)


@pytest.mark.parametrize("distance_km", [1e-3, 0.5, 30.0, 900.0, 5000.0])
def test_arcs_are_exact_from_a_metre_to_the_other_side(distance_km: float) -> None:
    angle = distance_km / 6371
    assert arc_km(np.array([math.cos(angle)]))[0] == pytest.approx(distance_km, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize(
    ("azimuths", "expected"),
    [([0, 90, 180, 270], (90, 180)), ([10, 20, 350], (330, 350)), ([45], (360, 360)), ([0, 180], (180, 360))],
)
def test_gaps_are_the_largest_angles_without_a_station(azimuths: list[float], expected: tuple[float, float]) -> None:
    assert gaps_deg(azimuths) == pytest.approx(expected)


def test_an_ellipsoid_has_the_axes_that_its_covariance_was_made_of() -> None:
    azimuth, plunge = math.radians(30), math.radians(20)
    longest = [math.cos(plunge) * math.cos(azimuth), math.cos(plunge) * math.sin(azimuth), math.sin(plunge)]
    covariance = np.eye(3) * 0.01 + 0.99 * np.outer(longest, longest)
    (found,) = ellipsoids(covariance[None])
    assert found.azimuth_deg[0] == pytest.approx(30, abs=0.01)
    assert found.plunge_deg[0] == pytest.approx(20, abs=0.01)
    assert found.semi_axis_km == pytest.approx((1.878, 0.1878, 0.1878), rel=1e-3)  # chi square of 3: 3.5267


@pytest.mark.parametrize("ratio", [0.02, 0.3, 0.77, 1.0])
def test_a_circle_holds_68_percent_of_what_lies_in_an_ellipse(ratio: float) -> None:
    (radius,) = circles_km(np.diag([4.0, 4.0 * ratio**2])[None])
    drawn = np.random.default_rng(1).standard_normal((200_000, 2)) * (2, 2 * ratio)
    assert (np.hypot(*drawn.T) <= radius).mean() == pytest.approx(0.6827, abs=0.005)


def test_an_event_with_which_the_nearest_station_disagrees_is_neither_a_nor_b() -> None:
    name, reason = quality(0.4, 1.0, 80, 12, depth_is_fixed=False, nearest_disagrees=True)
    assert name == "C"
    assert "the nearest station disagrees" in reason


@pytest.mark.parametrize(("arrivals", "name"), [(16, "D"), (15, "A")])
def test_an_event_with_which_no_more_arrivals_agree_than_do_not_is_of_the_lowest_class(
    arrivals: int, name: str
) -> None:
    found, reason = quality(0.4, 1.0, 80, 8, arrivals=arrivals, depth_is_fixed=False)
    assert found == name
    assert ("8 of 16 arrivals agree, no more than half" in reason) == (name == "D")


def test_quality_says_its_rule_and_what_is_missing_for_a_better_class() -> None:
    assert quality(0.4, 1.0, 80, 12, depth_is_fixed=False)[0] == "A"
    name, reason = quality(0.4, 3.0, 80, 12, depth_is_fixed=False)
    assert name == "B"
    assert reason.endswith("not A: half of the depth interval 3.0 km is above 2")
    assert quality(0.4, 1.0, 80, 12, depth_is_fixed=True) == ("D", "D: not C: the depth is not resolved")
    assert quality(40, 1.0, 340, 3, depth_is_fixed=False)[1].endswith("3 phases are fewer than 4")


# --- the contracts ----------------------------------------------------------------------------------------------------


def epoch(north_km: float, east_km: float, **more: float | str) -> ChannelEpoch:
    return ChannelEpoch(latitude_deg=north_km / KM_PER_DEG, longitude_deg=east_km / KM_PER_DEG, **more)  # type: ignore[arg-type]  # fields of several types


PLACES = {"A": (0, 20), "B": (15, -10), "C": (-18, -5), "D": (25, 12), "E": (-9, -30)}
INVENTORY = {
    f"XX.{code}": Station(network="XX", station=code, epochs=[epoch(*place, elevation_m=500.0, burial_depth_m=500.0)])
    for code, place in PLACES.items()
}


def pick(code: str, wave: str, depth_km: float = 8.0) -> AssociatedPick:
    velocity = 6.0 if wave == "P" else 3.4641016
    onset_s = 10 + math.sqrt(sum(x * x for x in PLACES[code]) + depth_km**2) / velocity
    instrument = Instrument(network="XX", station=code, location="00", band_instrument="HH")
    phase = PHASE_P if wave == "P" else PHASE_S
    onset_ns = T0_NS + round(onset_s * 1e9)
    made = Pick(id=f"{code}{wave}", instrument=instrument, phase=phase, onset_ns=onset_ns + 90_000_000)
    made.onset_uncertainty_s, made.polarity, made.blast_probability = 0.1, POLARITY_UP, 0.3
    measurement = PickMeasurement(id=made.id, onset_ns=onset_ns, onset_uncertainty_s=0.04, blast_probability=0.2)
    return AssociatedPick(pick=made, measurement=measurement, phase=phase, probability=0.9)


PICKS = [pick(code, wave) for code in PLACES for wave in ("P", "S")]
GRID = Grid(200, 1.0, deepest_km=40, depth_step_km=1.0)
WAVES: tuple[Wave, Wave] = ("P", "S")
TABLES: dict[Wave, TravelTimeTable] = {w: build_table(load_model("homogeneous"), w, GRID) for w in WAVES}


def test_an_origin_and_its_arrivals_fill_the_contracts() -> None:
    instruments = [associated.pick.instrument for associated in PICKS]
    sites = sites_of(instruments, INVENTORY, T0_NS, {("XX.A", "S"): 0.0})
    found = locate(arrivals_of(PICKS, T0_NS), sites, TABLES, LocationSettings())
    origin, arrivals = origin_message(found, T0_NS), arrival_messages(found, PICKS)
    assert origin.time_ns == pytest.approx(T0_NS + 10_000_000_000, abs=5_000_000)
    assert (origin.latitude_deg, origin.longitude_deg) == pytest.approx((0, 0), abs=0.001)
    assert origin.depth_km == pytest.approx(8, abs=0.1)
    assert len(origin.covariance) == 10
    assert origin.covariance[0] == pytest.approx(origin.time_uncertainty_s**2)
    assert origin.depth_lower_km < origin.mean.depth_km < origin.depth_upper_km
    assert list(origin.ellipsoid.semi_axis_km) == sorted(origin.ellipsoid.semi_axis_km, reverse=True)
    assert (origin.phases_used, origin.stations_used) == (10, 5)
    assert origin.nearest_station_km == pytest.approx(math.hypot(15, 10), abs=0.1)
    assert origin.quality in (QUALITY_A, QUALITY_B)
    assert origin.quality_reason
    assert [arrival.pick_id for arrival in arrivals] == [associated.pick.id for associated in PICKS]
    first = arrivals[0]
    assert (first.onset_ns, first.onset_uncertainty_s) == (PICKS[0].measurement.onset_ns, 0.04)
    assert (first.blast_probability, first.polarity) == (0.2, POLARITY_UP)
    assert first.azimuth_deg == pytest.approx(90, abs=0.5)
    assert first.takeoff_deg == pytest.approx(180 - math.degrees(math.atan2(20, 8)), abs=1)


def test_sites_are_those_of_the_sensor_at_the_time() -> None:
    old = epoch(0, 0, elevation_m=100.0, end_ns=T0_NS)
    surface = epoch(0, 1, location="00", code="HHZ", elevation_m=300.0, start_ns=T0_NS)
    borehole = epoch(0, 1, location="10", code="EHZ", elevation_m=300.0, burial_depth_m=1300.0, start_ns=T0_NS)
    inventory = {"XX.A": Station(network="XX", station="A", epochs=[old, surface, borehole])}
    deep = Instrument(network="XX", station="A", location="10", band_instrument="EH")
    shallow = Instrument(network="XX", station="A", location="00", band_instrument="HH")
    sites = sites_of([deep, shallow], inventory, T0_NS + 1, {("XX.A", "P"): 0.1})
    assert sites[instrument_code(deep)].elevation_km == pytest.approx(-1.0)
    assert sites[instrument_code(shallow)].elevation_km == pytest.approx(0.3)
    assert sites[instrument_code(shallow)].p_correction_s == 0.1
    assert sites_of([deep], inventory, T0_NS - 1, {})["XX.A.10.EH"].elevation_km == pytest.approx(0.1)
    assert sites_of([Instrument(network="XX", station="Z")], inventory, T0_NS) == {}


def test_where_no_epoch_is_in_force_the_last_before_says_where_a_station_stands_or_else_the_first() -> None:
    first = epoch(1, 0, location="10", start_ns=T0_NS + 10, end_ns=T0_NS + 20)
    last = epoch(2, 0, location="00", start_ns=T0_NS + 30, end_ns=T0_NS + 40)
    station = Station(network="XX", station="A", epochs=[last, first])  # by location, as inventories are sorted
    instrument = Instrument(network="XX", station="A", location="10", band_instrument="HH")
    for after_ns, stands_km in ((0, 1), (10, 1), (25, 1), (30, 2), (40, 2), (10**18, 2)):
        (site,) = sites_of([instrument], {"XX.A": station}, T0_NS + after_ns).values()
        assert site.latitude_deg * KM_PER_DEG == pytest.approx(stands_km), after_ns
        assert site_at("XX.A", station, T0_NS + after_ns) == site, "as association has it"


def test_a_pick_without_a_phase_is_refused_by_its_id() -> None:
    with pytest.raises(InputInvalid, match="phase 0 of pick 'x'"):
        arrivals_of([AssociatedPick(pick=Pick(id="x"))], T0_NS)


def test_a_phase_of_a_newer_version_is_refused_like_any_other_that_is_neither_p_nor_s() -> None:
    written = AssociatedPick(pick=Pick(id="x"), phase=99)  # type: ignore[arg-type]
    with pytest.raises(InputInvalid, match="phase 99 of pick 'x'"):
        arrivals_of([AssociatedPick.FromString(written.SerializeToString())], T0_NS)
