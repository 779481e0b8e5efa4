"""Locations against closed forms, against the posterior on a dense grid, and against what earthquakes they are of."""

import dataclasses
import functools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.errors import InputInvalid, LocationError, NotOneEvent, SettingInvalid, TooFewArrivals
from kensoku.locating import Arrival, Location, LocationSettings, Site, locate, locate_many
from kensoku.traveltime import Grid, TravelTimeTable, Wave, build_table, load_model

FloatArray = npt.NDArray[np.float64]
KM_PER_DEG = 6371 * math.pi / 180
EXACT = LocationSettings(model_error=0.0, model_error_s=0.0, shallowest_km=0.0)  # picking errors and nothing else
LATITUDE_DEG, LONGITUDE_DEG = 0.0, 140.0  # on the equator a degree is as long both ways


@functools.cache
def tables(model: str = "homogeneous") -> dict[Wave, TravelTimeTable]:
    grid = Grid(farthest_km=400, deepest_km=60, distance_step_km=1.0, depth_step_km=1.0)
    return {wave: build_table(load_model(model), wave, grid) for wave in ("P", "S")}


def site(north_km: float, east_km: float, **more: float) -> Site:
    return Site(LATITUDE_DEG + north_km / KM_PER_DEG, LONGITUDE_DEG + east_km / KM_PER_DEG, **more)


NETWORK = {
    f"XX.S{i}{j}": site(30.0 * i - 45 + 4 * math.sin(7 * i + j), 30.0 * j - 45 + 4 * math.cos(5 * i + 3 * j))
    for i in range(4)
    for j in range(4)
}


def distances_km(latitude_deg: float, longitude_deg: float, stations: Sequence[Site]) -> FloatArray:
    """By haversine, of which the code knows nothing."""
    lat = np.radians([s.latitude_deg for s in stations])
    lon = np.radians([s.longitude_deg for s in stations])
    here = math.radians(latitude_deg), math.radians(longitude_deg)
    half = np.sin((lat - here[0]) / 2) ** 2 + np.cos(lat) * math.cos(here[0]) * np.sin((lon - here[1]) / 2) ** 2
    return np.asarray(2 * 6371 * np.arcsin(np.sqrt(half)))


def shake(
    source: tuple[float, float, float],
    codes: Sequence[str],
    chance: np.random.Generator | None = None,
    model: str = "homogeneous",
    stations: dict[str, Site] = NETWORK,
) -> list[Arrival]:
    """P and S of an earthquake at (north km, east km, depth km) and 50 s, with errors of 0.05 s and 0.1 s."""
    place = site(*source[:2])
    distance = distances_km(place.latitude_deg, place.longitude_deg, [stations[code] for code in codes])
    arrivals = []
    for wave, error in (("P", 0.05), ("S", 0.1)):
        times = tables(model)["P" if wave == "P" else "S"].lookup(distance, source[2]).time_s
        noise = chance.normal(0, error, len(codes)) if chance else np.zeros(len(codes))
        arrivals += [
            Arrival(code, "P" if wave == "P" else "S", 50 + float(time), error)
            for code, time in zip(codes, times + noise, strict=True)
        ]
    return arrivals


def miss_km(found: Location, source: tuple[float, float, float]) -> float:
    place = site(*source[:2])
    (across,) = distances_km(
        place.latitude_deg, place.longitude_deg, [Site(found.maximum.latitude_deg, found.maximum.longitude_deg)]
    )
    return math.hypot(across, found.maximum.depth_km - source[2])


ALL, TEN = tuple(NETWORK), tuple(NETWORK)[:10]
SIX = ("XX.S11", "XX.S12", "XX.S21", "XX.S22", "XX.S10", "XX.S03")


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


# --- the posterior ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Dense:
    """Moments of the posterior over a dense grid of places and times, each outlier or not, nothing approximated."""

    mean: FloatArray  # time, north, east, depth
    covariance: FloatArray
    depth_km: FloatArray
    depth_share: FloatArray


def integrate(arrivals: Sequence[Arrival], centre: Location, settings: LocationSettings, model: str) -> Dense:
    """Five standard deviations to all sides, as far as depths are allowed."""
    across_km, steps = 5 * math.sqrt(centre.covariance[1:3, 1:3].diagonal().max()), 25
    north = np.linspace(-across_km, across_km, steps)
    middle, down_km = centre.mean.depth_km, 5 * math.sqrt(centre.covariance[3, 3])
    edges = np.linspace(max(middle - down_km, 0), min(middle + down_km, settings.deepest_km), 61)
    depth = (edges[1:] + edges[:-1]) / 2
    time = centre.mean.time_s + np.linspace(-6, 6, 31) * centre.time_uncertainty_s
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
