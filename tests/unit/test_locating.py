"""Locations against closed forms, against the posterior on a dense grid, and against what earthquakes they are of."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from kensoku.locating import Arrival, Location, LocationSettings, Site, locate, locate_many
from kensoku.traveltime import Grid, Wave, build_table, load_model
from tests.shakes import (
    ALL,
    EXACT,
    KM_PER_DEG,
    NETWORK,
    SIX,
    TEN,
    FloatArray,
    distances_km,
    miss_km,
    shake,
    site,
    tables,
)


@pytest.mark.parametrize("source", [(3.0, -8.0, 9.0), (20.0, 20.0, 2.0), (-40.0, 10.0, 25.0)])
@pytest.mark.parametrize("model", ["homogeneous", "southern-california"])
def test_exact_times_are_located_within_twenty_metres(source: tuple[float, float, float], model: str) -> None:
    found = locate(shake(source, ALL, model=model), NETWORK, tables(model), EXACT)
    assert miss_km(found, source) < 0.02
    assert found.maximum.time_s == pytest.approx(50, abs=0.002)
    assert found.rms_s < 0.002


def test_in_a_half_space_times_and_angles_are_closed_forms() -> None:
    velocity = float(load_model("homogeneous").velocity("P", 0.0))
    found = locate(shake((3.0, -8.0, 9.0), ALL), NETWORK, tables(), EXACT)
    for arrival in found.arrivals:
        if arrival.phase == "P":
            straight = math.hypot(arrival.distance_km, 9.0)
            assert arrival.onset_s - 50 == pytest.approx(straight / velocity, abs=1e-3)
            upwards = 180 - math.degrees(math.atan2(arrival.distance_km, 9.0))
            assert arrival.takeoff_deg == pytest.approx(upwards, abs=0.2)


# --- the posterior ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Dense:
    """Moments of the posterior over a dense grid of places and times, each outlier or not, nothing approximated."""

    mean: FloatArray  # time, north, east, depth
    covariance: FloatArray
    depth_km: FloatArray
    depth_share: FloatArray


def integrate(arrivals: Sequence[Arrival], centre: Location, settings: LocationSettings, model: str) -> Dense:
    """Five standard deviations to all sides, as far as depths are allowed."""
    across_km, steps = 5 * math.sqrt(centre.covariance[1:3, 1:3].diagonal().max()), 21
    north = np.linspace(-across_km, across_km, steps)
    middle, down_km = centre.mean.depth_km, 5 * math.sqrt(centre.covariance[3, 3])
    edges = np.linspace(max(middle - down_km, 0), min(middle + down_km, settings.deepest_km), 46)
    depth = (edges[1:] + edges[:-1]) / 2
    time = centre.mean.time_s + np.linspace(-6, 6, 25) * centre.time_uncertainty_s
    n, e, z = (axis.ravel() for axis in np.meshgrid(north, north, depth, indexing="ij"))
    log_posterior = np.zeros((len(n), len(time)))
    level = math.cos(math.radians(centre.maximum.latitude_deg))
    lat = centre.maximum.latitude_deg + n / KM_PER_DEG
    lon = centre.maximum.longitude_deg + e / KM_PER_DEG / level
    for arrival in arrivals:
        station = NETWORK[arrival.station]
        half = np.sin(np.radians(lat - station.latitude_deg) / 2) ** 2
        half += (
            np.cos(np.radians(lat))
            * math.cos(math.radians(station.latitude_deg))
            * np.sin(np.radians(lon - station.longitude_deg) / 2) ** 2
        )
        predicted = tables(model)[arrival.phase].lookup(2 * 6371 * np.arcsin(np.sqrt(half)), z).time_s
        error = np.hypot(arrival.uncertainty_s, np.maximum(settings.model_error * predicted, settings.model_error_s))[
            :, None
        ]
        belongs = arrival.probability * (1 - settings.outlier_share)
        normal = np.exp(-0.5 * ((arrival.onset_s - predicted[:, None] - time) / error) ** 2)
        density = belongs * normal / (error * math.sqrt(2 * math.pi)) + (1 - belongs) / settings.outlier_span_s
        log_posterior += np.log(density)
    share = np.exp(log_posterior - log_posterior.max())
    share /= share.sum()
    of_place = share.sum(axis=1)
    values = np.stack([share @ time / np.maximum(of_place, 1e-300), n, e, z])
    mean = values @ of_place
    covariance = (values - mean[:, None]) * of_place @ (values - mean[:, None]).T
    covariance[0, 0] = share.sum(axis=0) @ time**2 - mean[0] ** 2
    of_depth = of_place.reshape(steps, steps, -1).sum(axis=(0, 1))
    return Dense(mean, covariance, depth, of_depth)


def dense_interval_km(dense: Dense) -> tuple[float, float]:
    """The shortest that holds 68 %."""
    order, half = np.argsort(-dense.depth_share), (dense.depth_km[1] - dense.depth_km[0]) / 2
    count = int(np.searchsorted(dense.depth_share[order].cumsum(), 0.6827)) + 1
    inside = dense.depth_km[order[:count]]
    return float(inside.min() - half), float(inside.max() + half)


def outlying(arrivals: list[Arrival], *numbers: int) -> list[Arrival]:
    return [
        dataclasses.replace(arrival, onset_s=arrival.onset_s + (1.7 if index in numbers else 0))
        for index, arrival in enumerate(arrivals)
    ]


@pytest.mark.parametrize(
    ("source", "codes", "strays", "model"),
    [
        pytest.param((3.0, -8.0, 9.0), TEN, (), "homogeneous", id="inside"),
        pytest.param((3.0, -8.0, 9.0), SIX, (1, 8), "homogeneous", id="two outliers of twelve"),
        pytest.param((3.0, -8.0, 0.6), SIX, (), "homogeneous", id="at the surface"),
        pytest.param((10.0, 90.0, 12.0), SIX, (), "homogeneous", id="outside"),
        pytest.param((3.0, -8.0, 7.0), SIX, (), "southern-california", id="across an interface"),
    ],
)
def test_the_posterior_is_that_of_a_dense_grid(
    source: tuple[float, float, float],
    codes: Sequence[str],
    strays: tuple[int, ...],
    model: str,
) -> None:
    arrivals = outlying(shake(source, codes, np.random.default_rng(5), model), *strays)
    settings = dataclasses.replace(EXACT, model_error=0.01, unresolved_share=1.0)
    found = locate(arrivals, NETWORK, tables(model), settings)
    dense = integrate(arrivals, found, settings, model)
    deviation = np.sqrt(np.diag(dense.covariance))
    level = math.cos(math.radians(found.maximum.latitude_deg))
    mean = np.array(
        [
            found.mean.time_s,
            (found.mean.latitude_deg - found.maximum.latitude_deg) * KM_PER_DEG,
            (found.mean.longitude_deg - found.maximum.longitude_deg) * KM_PER_DEG * level,
            found.mean.depth_km,
        ]
    )
    assert (abs(mean - dense.mean) / deviation).max() < 0.1
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), deviation, rtol=0.08)
    scale = np.outer(deviation, deviation)
    np.testing.assert_allclose(found.covariance / scale, dense.covariance / scale, atol=0.08)
    lower, upper = dense_interval_km(dense)
    assert found.depth_lower_km == pytest.approx(lower, abs=0.25 * deviation[3])
    assert found.depth_upper_km == pytest.approx(upper, abs=0.25 * deviation[3])


def test_regions_hold_as_many_earthquakes_as_they_say() -> None:
    """The command `python -m benchmarks.location` does it with thousands; these would miss a fault of a tenth."""
    chance = np.random.default_rng(3)
    sources = [(float(n), float(e), float(z)) for n, e, z in chance.uniform((-35, -35, 4), (35, 35, 18), (120, 3))]
    settings = dataclasses.replace(EXACT, velocity_error=0.02)
    events = [
        [dataclasses.replace(a, onset_s=50 + (a.onset_s - 50) * stretch) for a in shake(source, TEN, chance)]
        for source, stretch in zip(sources, 1 + chance.normal(0, 0.02, 120), strict=True)
    ]
    found = [
        location for location in locate_many(events, NETWORK, tables(), settings) if isinstance(location, Location)
    ]
    assert len(found) == 120
    across = [
        distances_km(s.latitude_deg, s.longitude_deg, [Site(f.maximum.latitude_deg, f.maximum.longitude_deg)])[0]
        for s, f in zip((site(*source[:2]) for source in sources), found, strict=True)
    ]
    held = np.mean([a <= f.horizontal_uncertainty_km for a, f in zip(across, found, strict=True)])
    depths = np.mean([f.depth_lower_km <= s[2] <= f.depth_upper_km for s, f in zip(sources, found, strict=True)])
    assert 0.55 < held < 0.82
    assert 0.55 < depths < 0.82


# --- arrivals that are wrong ------------------------------------------------------------------------------------------


def test_outliers_are_flagged_and_hardly_move_the_event() -> None:
    source = (3.0, -8.0, 9.0)
    arrivals = outlying(shake(source, ALL, np.random.default_rng(4)), 0, 9, 20)
    found = locate(arrivals, NETWORK, tables(), EXACT)
    assert [arrival.index for arrival in found.arrivals if arrival.is_outlier] == [0, 9, 20]
    assert found.phases_used == 29
    assert miss_km(found, source) < 1.2
    assert found.arrivals[9].residual_s == pytest.approx(1.7, abs=0.3)


def test_a_doubtful_pick_moves_the_event_less() -> None:
    arrivals = shake((3.0, -8.0, 9.0), SIX)
    late = [dataclasses.replace(a, onset_s=a.onset_s + (0.16 if i == 0 else 0)) for i, a in enumerate(arrivals)]
    doubtful = [dataclasses.replace(a, probability=0.05 if i == 0 else 1.0) for i, a in enumerate(late)]
    sure, unsure = (locate(given, NETWORK, tables(), EXACT) for given in (late, doubtful))
    assert unsure.arrivals[0].weight < sure.arrivals[0].weight
    assert miss_km(unsure, (3.0, -8.0, 9.0)) < miss_km(sure, (3.0, -8.0, 9.0))


def test_a_phase_with_the_wrong_name_is_renamed_and_used() -> None:
    source = (3.0, -8.0, 9.0)
    arrivals = [a for a in shake(source, TEN, np.random.default_rng(9)) if (a.station, a.phase) != ("XX.S11", "P")]
    wrong = next(i for i, a in enumerate(arrivals) if (a.station, a.phase) == ("XX.S11", "S"))
    arrivals[wrong] = dataclasses.replace(arrivals[wrong], phase="P")
    found = locate(arrivals, NETWORK, tables(), EXACT)
    assert [arrival.index for arrival in found.arrivals if arrival.phase_was_changed] == [wrong]
    assert found.arrivals[wrong].phase == "S"
    assert not found.arrivals[wrong].is_outlier
    kept = locate(arrivals, NETWORK, tables(), dataclasses.replace(EXACT, reconsiders_phases=False))
    assert kept.arrivals[wrong].is_outlier
    assert kept.arrivals[wrong].phase == "P"


def test_one_station_does_not_get_the_same_phase_twice() -> None:
    arrivals = shake((3.0, -8.0, 9.0), TEN)
    s_of_first = next(a for a in arrivals if a.station == TEN[0] and a.phase == "S")
    twice = [*arrivals, dataclasses.replace(s_of_first, phase="P", onset_s=s_of_first.onset_s + 0.02)]
    found = locate(twice, NETWORK, tables(), EXACT)
    assert not any(arrival.phase_was_changed for arrival in found.arrivals)
    assert found.arrivals[-1].is_outlier


# --- what else is known -----------------------------------------------------------------------------------------------


def test_station_corrections_are_added_to_predicted_times() -> None:
    late = {**NETWORK, "XX.S11": dataclasses.replace(NETWORK["XX.S11"], p_correction_s=0.4, s_correction_s=0.7)}
    delays = {("XX.S11", "P"): 0.4, ("XX.S11", "S"): 0.7}
    arrivals = [
        dataclasses.replace(a, onset_s=a.onset_s + delays.get((a.station, a.phase), 0.0))
        for a in shake((3.0, -8.0, 9.0), SIX)
    ]
    found = locate(arrivals, late, tables(), EXACT)
    assert miss_km(found, (3.0, -8.0, 9.0)) < 0.02
    assert max(abs(arrival.residual_s) for arrival in found.arrivals) < 0.002
    assert found.arrivals[0].station_correction_s == 0.4


def test_waves_rise_to_stations_above_the_table() -> None:
    high = {code: dataclasses.replace(place, elevation_km=1.2) for code, place in NETWORK.items()}
    down = shake((3.0, -8.0, 10.2), ALL)  # in a half space, the same as 1.2 km deeper below sea level
    found = locate(down, high, tables(), EXACT)
    assert found.maximum.depth_km == pytest.approx(9.0, abs=0.08)


def test_an_event_may_lie_above_the_mean_of_stations_in_boreholes() -> None:
    grid = Grid(farthest_km=200, deepest_km=20, distance_step_km=1, depth_step_km=1, elevations_km=(-3, -2, -1, 0))
    waves: tuple[Wave, Wave] = ("P", "S")
    deep = {wave: build_table(load_model("southern-california"), wave, grid) for wave in waves}
    bored = {
        code: dataclasses.replace(place, elevation_km=-0.5 - number / 6)  # 1.75 km below sea level on average
        for number, (code, place) in enumerate(NETWORK.items())
    }
    source = site(3.0, -8.0)
    across = distances_km(source.latitude_deg, source.longitude_deg, list(bored.values()))
    arrivals = [
        Arrival(code, wave, float(deep[wave].lookup(km, 1.0, place.elevation_km).time_s), 0.05)
        for (code, place), km in zip(bored.items(), across, strict=True)
        for wave in waves
    ]
    found = locate(arrivals, bored, deep, dataclasses.replace(EXACT, shallowest_km=None, deepest_km=15.0))
    assert found.maximum.depth_km == pytest.approx(1.0, abs=0.1)


def test_uncertainty_grows_with_the_error_of_the_model() -> None:
    arrivals = shake((3.0, -8.0, 9.0), TEN)
    errors = (EXACT, dataclasses.replace(EXACT, model_error=0.03), dataclasses.replace(EXACT, velocity_error=0.03))
    exact, scattered, common = (locate(arrivals, NETWORK, tables(), settings) for settings in errors)
    assert scattered.horizontal_uncertainty_km > 1.5 * exact.horizontal_uncertainty_km
    assert common.depth_upper_km - common.depth_lower_km > 1.05 * (exact.depth_upper_km - exact.depth_lower_km)
    assert common.horizontal_uncertainty_km < scattered.horizontal_uncertainty_km


def test_a_depth_that_the_data_cannot_tell_is_assumed_and_said_to_be() -> None:
    heard = shake((0.0, 200.0, 12.0), TEN, np.random.default_rng(1))
    far = [dataclasses.replace(a, uncertainty_s=0.3) for a in heard if a.phase == "P"]
    settings = dataclasses.replace(EXACT, margin_km=300.0, assumed_depth_km=8.0)
    found = locate(far, NETWORK, tables(), settings)
    assert found.depth_is_fixed
    assert found.maximum.depth_km == 8.0
    assert found.depth_upper_km - found.depth_lower_km > 30
    assert "the depth is not resolved" in found.quality_reason
    assert not locate(shake((3.0, -8.0, 9.0), TEN), NETWORK, tables(), settings).depth_is_fixed


@pytest.mark.parametrize(("depth_km", "is_told"), [(20.0, False), (30.5, True), (45.0, True)])
def test_a_depth_at_the_greatest_allowed_is_of_the_lowest_class(depth_km: float, is_told: bool) -> None:
    settings = dataclasses.replace(EXACT, model_error=0.02, deepest_km=30.0)
    found = locate(shake((3.0, -8.0, depth_km), ALL), NETWORK, tables(), settings)
    assert not found.depth_is_fixed
    assert ("the depth reaches the greatest that is allowed" in found.quality_reason) == is_told
    assert (found.quality == "D") == is_told


def test_an_event_far_outside_is_found_where_it_is() -> None:
    source = (30.0, 170.0, 10.0)
    found = locate(shake(source, ALL, np.random.default_rng(2)), NETWORK, tables(), EXACT)
    assert found.azimuthal_gap_deg > 250
    assert found.quality in "CD"
    assert miss_km(found, source) < 3 * max(found.ellipsoid.semi_axis_km)
    longest = found.ellipsoid.azimuth_deg[0] % 180
    assert min(abs(longest - 80), abs(longest - 90)) < 20 or abs(found.ellipsoid.plunge_deg[0]) > 45


@pytest.mark.parametrize(("margin_km", "is_told"), [(30.0, True), (150.0, False)])
def test_an_event_beyond_the_margin_that_was_searched_is_of_the_lowest_class(margin_km: float, is_told: bool) -> None:
    settings = dataclasses.replace(EXACT, margin_km=margin_km)
    found = locate(shake((10.0, 90.0, 12.0), ALL, np.random.default_rng(2)), NETWORK, tables(), settings)
    assert 30 < found.nearest_station_km < 150
    assert ("km, and no place beyond 30 km was sought" in found.quality_reason) == is_told
    assert (found.quality == "D") == is_told


def test_events_far_outside_that_are_found_inside_are_of_the_lowest_class() -> None:
    """A few of their arrivals, whose travel times err by 2 %, agree with a place within the network."""
    chance, model = np.random.default_rng(1), "southern-california"
    places = [chance.uniform((350, -60, 3), (480, 60, 18)) for _ in range(100)]
    events = [
        [
            dataclasses.replace(one, onset_s=one.onset_s + float(chance.normal(0, 0.02 * (one.onset_s - 50))))
            for one in shake((north, east, depth), SIX, chance, model, deepest_km=120)
        ]
        for north, east, depth in places
    ]
    located = locate_many(events, NETWORK, tables(model, 120))
    inside = [each for each in located if isinstance(each, Location) and each.nearest_station_km < 50]
    assert len(inside) > 3
    assert {each.quality for each in inside} == {"D"}


def test_deep_events_are_found_where_they_are() -> None:
    chance, model, deepest_km = np.random.default_rng(4), "iasp91", 580
    wide = {f"XX.W{number}": site(*chance.uniform(-200, 200, 2)) for number in range(12)}
    sources = [(*chance.uniform(-150, 150, 2), chance.uniform(300, 550)) for _ in range(40)]
    events = [shake(source, tuple(wide), chance, model, wide, deepest_km) for source in sources]
    settings = dataclasses.replace(EXACT, deepest_km=570.0)
    located = locate_many(events, wide, tables(model, deepest_km), settings)
    found = [one for one in located if isinstance(one, Location)]
    assert len(found) == 40
    assert max(miss_km(one, source) for one, source in zip(found, sources, strict=True)) < 5
    assert "D" not in {one.quality for one in found}


# --- the same answer --------------------------------------------------------------------------------------------------


def test_order_and_company_change_nothing() -> None:
    chance = np.random.default_rng(6)
    sources = [(0.0, 5.0, 8.0), (-20.0, 15.0, 3.0), (90.0, 10.0, 14.0), (3.0, -8.0, 0.6)]
    events = [shake(source, ALL[: 6 + number], chance) for number, source in enumerate(sources)]
    together = locate_many(events, NETWORK, tables(), EXACT)
    for event, beside in zip(events, together, strict=True):
        assert isinstance(beside, Location)
        alone = locate(event[::-1], NETWORK, tables(), EXACT)
        assert alone.maximum == beside.maximum  # bit for bit
        assert alone.ellipsoid == beside.ellipsoid
        assert [a.station for a in alone.arrivals] == [a.station for a in beside.arrivals[::-1]]
        np.testing.assert_array_equal(alone.covariance, beside.covariance)


# --- stations in a line -----------------------------------------------------------------------------------------------


def test_beside_stations_in_a_line_both_sides_are_told_and_the_circle_holds_them() -> None:
    """Times tell the distance from the line, never the side."""
    line = {f"XX.L{number}": site(0.0, 22.0 * (number - 3)) for number in range(7)}
    chance = np.random.default_rng(3)
    sources = [(float(n), float(e), float(z)) for n, e, z in chance.uniform((6, -30, 3), (20, 30, 12), (40, 3))]
    model = "southern-california"
    events = [shake(source, list(line), chance, model, line) for source in sources]
    found = [each for each in locate_many(events, line, tables(model)) if isinstance(each, Location)]
    assert len(found) == 40
    told = [f for f in found if f.second_place_km is not None]
    assert len(told) >= 36
    assert {f.quality for f in told} == {"D"}
    assert all("explains the arrivals as well" in f.quality_reason for f in told)
    missed = [
        distances_km(f.maximum.latitude_deg, f.maximum.longitude_deg, [site(*source[:2])])[0]
        for f, source in zip(found, sources, strict=True)
    ]
    assert np.mean([miss <= f.horizontal_uncertainty_km for miss, f in zip(missed, found, strict=True)]) > 0.6
