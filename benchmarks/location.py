"""How good locations and their uncertainties are, and how fast: simulated earthquakes in a network of 30 km spacing.

`python -m benchmarks.location [--json]`

Errors stand beside the Cramer-Rao bound of the same picks, which knows nothing of the code that locates: what the best
possible method would miss by, from rays at the true place. Coverage is the share of events that lie within the regions
that are said to hold 50, 68 and 90 %.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.report import Figures, main
from kensoku.locating import Arrival, Location, LocationSettings, Site, locate_many
from kensoku.traveltime import EarthModel, Grid, TravelTimeTable, Wave, build_table, first_arrivals, load_model

FloatArray = npt.NDArray[np.float64]

EVENTS, EVENTS_OUTSIDE, EVENTS_TIMED = 2_000, 500, 512
STATIONS_HEARD = 10  # the nearest: 20 picks
SPACING_KM, SIDE = 30.0, 7
ERROR_S: dict[Wave, float] = {"P": 0.05, "S": 0.1}
OUTLIERS, OUTLIER_REACH_S = 0.1, 5.0
VELOCITY_ERROR = 0.02
EXACT = LocationSettings(model_error=0.0, model_error_s=0.0, shallowest_km=0.0)
KM_PER_DEG = 6371 * np.pi / 180
LEVELS = ((50, 0.4549, 1.3863, 2.3660), (68, 1.0, 2.2957, 3.5267), (90, 2.7055, 4.6052, 6.2514))  # chi square, 1 to 3


@dataclass(frozen=True, slots=True)
class Network:
    north_km: FloatArray
    east_km: FloatArray

    @property
    def sites(self) -> dict[str, Site]:
        """On the equator, where a degree is as long both ways."""
        places = zip(self.north_km / KM_PER_DEG, self.east_km / KM_PER_DEG, strict=True)
        return {f"XX.S{number}": Site(float(north), float(east)) for number, (north, east) in enumerate(places)}


@dataclass(frozen=True, slots=True)
class Shocks:
    """Earthquakes, the stations nearest to each, and how the bound of its picks is spread."""

    places: FloatArray  # (event, 3): north, east, depth, km
    stations: npt.NDArray[np.intp]  # (event, station)
    times: dict[Wave, FloatArray]  # (event, station), s
    bounds: FloatArray  # (event, 4, 4): covariance of time, north, east, depth


def lay_out(chance: np.random.Generator) -> Network:
    line = (np.arange(SIDE) - (SIDE - 1) / 2) * SPACING_KM
    north, east = (axis.ravel() for axis in np.meshgrid(line, line))
    return Network(north + chance.uniform(-5, 5, north.size), east + chance.uniform(-5, 5, north.size))


def distances(network: Network, places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Great circles by haversine, and azimuths, (event, station)."""
    lat1, lon1 = (np.radians(places[:, None, i] / KM_PER_DEG) for i in (0, 1))
    lat2, lon2 = np.radians(network.north_km / KM_PER_DEG), np.radians(network.east_km / KM_PER_DEG)
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    across = np.sin(lon2 - lon1) * np.cos(lat2)
    along = np.cos(lat1) * np.sin(lat2) - np.sin(lat1) * np.cos(lat2) * np.cos(lon2 - lon1)
    return 2 * 6371 * np.arcsin(np.sqrt(half)), np.arctan2(across, along)


def shake(network: Network, model: EarthModel, places: FloatArray) -> Shocks:
    distance, azimuth = distances(network, places)
    nearest = np.argsort(distance, axis=1)[:, :STATIONS_HEARD]
    distance, azimuth = (np.take_along_axis(values, nearest, axis=1) for values in (distance, azimuth))
    times, information = {}, np.zeros((len(places), 4, 4))
    for wave, error in ERROR_S.items():
        rays = first_arrivals(model, wave, distance, places[:, 2:])
        p = rays.ray_parameter_s_km
        slopes = np.stack([np.ones_like(p), -p * np.cos(azimuth), -p * np.sin(azimuth), rays.time_per_depth_s_km])
        times[wave] = rays.time_s
        information += np.einsum("ies,jes->eij", slopes, slopes) / error**2
    return Shocks(places, nearest, times, np.linalg.inv(information))


def pick(
    shocks: Shocks, chance: np.random.Generator, outliers: float = 0.0, velocity_error: float = 0.0
) -> list[list[Arrival]]:
    stretch = 1 + velocity_error * chance.standard_normal((len(shocks.places), 1))
    events: list[list[Arrival]] = [[] for _ in shocks.places]
    for wave, error in ERROR_S.items():
        shape = shocks.stations.shape
        wrong = chance.uniform(-OUTLIER_REACH_S, OUTLIER_REACH_S, shape)
        late = np.where(chance.random(shape) < outliers, wrong, chance.normal(0, error, shape))
        onsets = shocks.times[wave] * stretch + late
        for event, stations, mine in zip(events, shocks.stations.tolist(), onsets.tolist(), strict=True):
            event += [Arrival(f"XX.S{s}", wave, onset, error) for s, onset in zip(stations, mine, strict=True)]
    return events


# --- how good ---------------------------------------------------------------------------------------------------------


def judge(name: str, shocks: Shocks, found: Sequence[Location], chance: np.random.Generator) -> Figures:
    """Errors beside those of the bound, and what the regions hold."""
    at = np.array([[f.maximum.latitude_deg, f.maximum.longitude_deg, f.maximum.depth_km] for f in found])
    at[:, :2] *= KM_PER_DEG
    mean = np.array([[f.mean.latitude_deg, f.mean.longitude_deg, f.mean.depth_km] for f in found])
    mean[:, :2] *= KM_PER_DEG
    missed, off = at - shocks.places, mean - shocks.places
    across, down = np.hypot(missed[:, 0], missed[:, 1]), abs(missed[:, 2])
    bound = np.linalg.cholesky(shocks.bounds) @ chance.standard_normal((len(found), 4, 200))
    bound_across, bound_down = np.median(np.hypot(bound[:, 1], bound[:, 2])), np.median(abs(bound[:, 3]))
    lower, upper = np.array([[f.depth_lower_km, f.depth_upper_km] for f in found]).T
    covariance = np.stack([location.covariance for location in found])
    figures = {
        f"{name}_epicentre_km": float(np.median(across)),
        f"{name}_epicentre_over_bound": float(np.median(across) / bound_across),
        f"{name}_depth_km": float(np.median(down)),
        f"{name}_depth_over_bound": float(np.median(down) / bound_down),
        f"{name}_circle_holds_68": float(np.mean(across <= [f.horizontal_uncertainty_km for f in found])),
        f"{name}_interval_holds_68": float(np.mean((lower <= shocks.places[:, 2]) & (shocks.places[:, 2] <= upper))),
        f"{name}_depths_fixed": float(np.mean([location.depth_is_fixed for location in found])),
    }
    for percent, one, two, three in LEVELS:
        for region, axes, limit in (("hypocentre", (0, 1, 2), three), ("epicentre", (0, 1), two), ("depth", (2,), one)):
            figures[f"{name}_{region}_{percent}"] = float(np.mean(_squares(off, covariance, axes) <= limit))
    return figures


def _squares(off: FloatArray, covariance: FloatArray, axes: tuple[int, ...]) -> FloatArray:
    chosen = np.array(axes)
    inverse = np.linalg.inv(covariance[:, 1 + chosen[:, None], 1 + chosen])
    return np.asarray(np.einsum("ei,eij,ej->e", off[:, chosen], inverse, off[:, chosen]))


# --- how fast ---------------------------------------------------------------------------------------------------------


def time_it(
    events: list[list[Arrival]], sites: dict[str, Site], tables: dict[Wave, TravelTimeTable]
) -> dict[str, float]:
    """Processor time, beside what the table of travel times does at the same time: the machine may be busy."""
    distance = np.linspace(0, 150, 100_000)
    located, looked_up, alone = [], [], []
    for _ in range(3):
        start = time.process_time()
        locate_many(events, sites, tables, EXACT)
        middle = time.process_time()
        for _ in range(10):
            tables["P"].lookup(distance, 10.0)
        end = time.process_time()
        for event in events[:10]:
            locate_many([event], sites, tables, EXACT)
        located.append((middle - start) / len(events))
        looked_up.append((end - middle) / (10 * distance.size))
        alone.append((time.process_time() - end) / 10)
    return {
        "locations_per_s": 1 / min(located),
        "lookups_per_s": 1 / min(looked_up),
        "lookups_per_location": min(located) / min(looked_up),
        "ms_one_alone": 1000 * min(alone),
    }


def measure() -> Figures:
    chance = np.random.default_rng(7)
    model, network = load_model("southern-california"), lay_out(chance)
    with tempfile.TemporaryDirectory() as folder:
        grid = Grid(farthest_km=400, deepest_km=60)
        tables: dict[Wave, TravelTimeTable] = {w: build_table(model, w, grid, Path(folder)) for w in ERROR_S}
    half = SPACING_KM * (SIDE - 1) / 2
    inside = np.column_stack([chance.uniform(-half, half, (EVENTS, 2)) * 0.8, chance.uniform(3, 18, EVENTS)])
    away, direction = chance.uniform(half + 30, half + 70, EVENTS_OUTSIDE), chance.uniform(0, 2 * np.pi, EVENTS_OUTSIDE)
    outside = np.column_stack(
        [away * np.cos(direction) * 1.2, away * np.sin(direction) * 1.2, chance.uniform(3, 18, EVENTS_OUTSIDE)]
    )
    sites, figures = network.sites, {}
    cases = (
        ("inside", inside, 0.0, 0.0),
        ("outliers", inside, OUTLIERS, 0.0),
        ("velocity", inside, 0.0, VELOCITY_ERROR),
        ("outside", outside, 0.0, 0.0),
    )
    for name, places, outliers, velocity_error in cases:
        shocks = shake(network, model, places)
        events = pick(shocks, chance, outliers, velocity_error)
        settings = LocationSettings(outliers or 0.05, 10.0, 0.0, 0.0, velocity_error, 0.0)
        found = locate_many(events, sites, tables, settings)
        kept = np.flatnonzero([isinstance(location, Location) for location in found])
        figures[f"{name}_not_located"] = float(len(found) - len(kept))
        of_kept = Shocks(places[kept], shocks.stations[kept], shocks.times, shocks.bounds[kept])
        figures |= judge(name, of_kept, [f for f in found if isinstance(f, Location)], chance)
        if name == "inside":
            figures |= time_it(events[:EVENTS_TIMED], sites, tables)
        else:
            gaps = [location.azimuthal_gap_deg for location in found if isinstance(location, Location)]
            figures[f"{name}_gap_above_180"] = float(np.mean(np.array(gaps) > 180))
    return figures


if __name__ == "__main__":
    main("Location: errors beside the Cramer-Rao bound, coverage of the stated regions, speed on one core", measure)
