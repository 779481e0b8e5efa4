"""Three associators on the same picks, stations and travel times: ours, PyOcto and GaMMA."""

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks._association_cases import PHASES, Case, FloatArray
from kensoku.associating import Onset, associate, network_of
from kensoku.traveltime import TravelTimeTable, Wave, build_table, grid_for, load_model

Groups = list[npt.NDArray[np.int64]]  # the picks of each event
Setting = Mapping[str, Any]

GRID = grid_for()
DEEPEST_KM, REACH_KM = 30.0, 150.0
MARGIN_DEG = (0.27, 0.33)  # around the stations
LEAST_APART_S = 1.0  # its own 3 s would forbid half of the pairs
STEP_KM, FARTHEST_KM, TABLE_DEEPEST_KM = 1.0, 600.0, 60.0
ORIGIN = 1_000_000_000  # seconds that are left to whole numbers of our nanoseconds

# chosen by --choose on the day before the one that is reported
PYOCTO: Setting = {"n_picks": 8, "p": 3, "s": 3, "both": 3, "tolerance_s": 1.5, "match_s": 1.5}
PYOCTO_TUNED: Setting = {"n_picks": 8, "p": 3, "s": 3, "both": 3, "tolerance_s": 0.3, "match_s": 0.5}
GAMMA: Setting = {"eps_s": 10, "least": 8, "sigma_s": 1.0, "oversample": 5}


@dataclass(frozen=True, slots=True)
class Engine:
    """`prepare` is not timed: it reads travel times and lays out the search; what it returns associates."""

    prepare: Callable[[Case, Path, int, Setting], Callable[[Case], Groups]]
    setting: Setting


def tables_of(case: Case, folder: Path) -> dict[Wave, TravelTimeTable]:
    model = load_model(case.model)
    return {wave: build_table(model, wave, GRID, folder) for wave in PHASES}


# --- ours -------------------------------------------------------------------------------------------------------------


def prepare_kensoku(case: Case, folder: Path, threads: int, setting: Setting) -> Callable[[Case], Groups]:
    """With the settings that everybody gets."""
    network = network_of(case.sites, tables_of(case, folder))

    def run(case: Case) -> Groups:
        onsets = [
            Onset(str(k), case.stations[station], PHASES[phase], _ns(onset), error, amplitude=amplitude)
            for k, (station, phase, onset, error, amplitude) in enumerate(
                zip(
                    case.station.tolist(),
                    case.phase.tolist(),
                    case.onset_s.tolist(),
                    case.error_s.tolist(),
                    _amplitudes(case, is_heard=setting["amplitudes"]),
                    strict=True,
                )
            )
        ]
        return [
            np.array([member.index for member in group.members])
            for group in associate(onsets, network, threads=threads)
        ]

    return run


def _amplitudes(case: Case, *, is_heard: bool) -> list[float | None]:
    if case.amplitude is None or not is_heard:
        return [None] * len(case.onset_s)
    return [value if math.isfinite(value) else None for value in case.amplitude.tolist()]


def _ns(seconds: float) -> int:
    whole = int(seconds)
    return whole * 10**9 + round((seconds - whole) * 1e9)


# --- PyOcto -----------------------------------------------------------------------------------------------------------


def prepare_pyocto(case: Case, folder: Path, threads: int, setting: Setting) -> Callable[[Case], Groups]:
    import pandas
    import pyocto

    tables = tables_of(case, folder)
    path = folder / f"pyocto-{case.model}"
    write_pyocto_times(path, tables)
    surface = {wave: float(tables[wave].model.velocity(wave, np.zeros(1))[0]) for wave in PHASES}
    earth = pyocto.VelocityModel1D(path, setting["tolerance_s"], REACH_KM, surface["P"], surface["S"])
    latitude, longitude, elevation = _places(case)
    associator = pyocto.OctoAssociator.from_area(
        lat=(latitude.min() - MARGIN_DEG[0], latitude.max() + MARGIN_DEG[0]),
        lon=(longitude.min() - MARGIN_DEG[1], longitude.max() + MARGIN_DEG[1]),
        zlim=(0, DEEPEST_KM),
        velocity_model=earth,
        time_before=60,
        n_picks=setting["n_picks"],
        n_p_picks=setting["p"],
        n_s_picks=setting["s"],
        n_p_and_s_picks=setting["both"],
        pick_match_tolerance=setting["match_s"],
        min_interevent_time=LEAST_APART_S,
        n_threads=threads,
    )
    sites = pandas.DataFrame(
        {"id": case.stations, "latitude": latitude, "longitude": longitude, "elevation": 1e3 * elevation}
    )
    sites = associator.transform_stations(sites)

    def run(case: Case) -> Groups:
        names, phases = np.array(case.stations), np.array(PHASES)
        picks = pandas.DataFrame(
            {"station": names[case.station], "phase": phases[case.phase], "time": case.onset_s - ORIGIN}
        )
        events, members = associator.associate(picks, sites)
        return [] if not len(events) else _by_event(members.event_idx.to_numpy(), members.pick_idx.to_numpy())

    return run


def write_pyocto_times(path: Path, tables: Mapping[Wave, TravelTimeTable]) -> None:
    """As its VelocityModel1D reads them: counts, step in km, then P and S over distance and depth."""
    across, down = _nodes()
    header = struct.pack("iid", len(across), len(down), STEP_KM)
    path.write_bytes(header + b"".join(_times(tables[wave]).tobytes() for wave in PHASES))


def _nodes() -> tuple[FloatArray, FloatArray]:
    return np.arange(0, FARTHEST_KM + STEP_KM, STEP_KM), np.arange(0, TABLE_DEEPEST_KM + STEP_KM, STEP_KM)


def _times(table: TravelTimeTable) -> FloatArray:
    across, down = _nodes()
    return np.ascontiguousarray(table.lookup(across[:, None], down[None, :], 0.0).time_s, dtype=np.float64)


def _places(case: Case) -> tuple[FloatArray, FloatArray, FloatArray]:
    sites = [case.sites[station] for station in case.stations]
    latitude, longitude, elevation = np.array([(s.latitude_deg, s.longitude_deg, s.elevation_km) for s in sites]).T
    return latitude, longitude, elevation


def _by_event(event: npt.NDArray[np.int64], picks: npt.NDArray[np.int64]) -> Groups:
    order = np.argsort(event, kind="stable")
    _, first = np.unique(event[order], return_index=True)
    return [np.sort(part) for part in np.split(picks[order], first[1:])]


# --- GaMMA ------------------------------------------------------------------------------------------------------------


def prepare_gamma(case: Case, folder: Path, threads: int, setting: Setting) -> Callable[[Case], Groups]:
    """Bayesian, with DBSCAN before it and travel times from the table; its own solver of those is left out."""
    import gamma.utils
    import pandas
    import pyproj

    gamma.utils.initialize_eikonal = lambda times: times
    latitude, longitude, elevation = _places(case)
    middle = f"+proj=tmerc +lat_0={latitude.mean()} +lon_0={longitude.mean()} +units=km"
    project = pyproj.Transformer.from_crs("EPSG:4326", middle)
    x, y = project.transform(latitude, longitude)
    corners = [
        project.transform(
            latitude.mean() + side * (np.ptp(latitude) / 2 + MARGIN_DEG[0]),
            longitude.mean() + side * (np.ptp(longitude) / 2 + MARGIN_DEG[1]),
        )
        for side in (-1, 1)
    ]
    (west, south), (east, north) = corners
    sites = pandas.DataFrame({"id": case.stations, "x(km)": x, "y(km)": y, "z(km)": -elevation})
    config = {
        "dims": ["x(km)", "y(km)", "z(km)"],
        "x(km)": (west, east),
        "y(km)": (south, north),
        "z(km)": (0, DEEPEST_KM),
        "bfgs_bounds": ((west - 1, east + 1), (south - 1, north + 1), (0, DEEPEST_KM + 1), (None, None)),
        "vel": {"p": 6.0, "s": 6.0 / 1.75},
        "use_amplitude": False,
        "use_dbscan": True,
        "dbscan_eps": setting["eps_s"],
        "dbscan_min_samples": 3,
        "oversample_factor": setting["oversample"],
        "min_picks_per_eq": setting["least"],
        "min_p_picks_per_eq": 3,
        "min_s_picks_per_eq": 2,
        "max_sigma11": setting["sigma_s"],
        "ncpu": threads,
        "eikonal": _gamma_times(tables_of(case, folder)),
    }

    def run(case: Case) -> Groups:
        start_s = case.onset_s.min()
        when = pandas.to_datetime((case.onset_s - start_s) * 1e3, unit="ms")
        picks = pandas.DataFrame(
            {
                "id": np.array(case.stations)[case.station],
                "timestamp": when,
                "type": np.array(["p", "s"])[case.phase],
                "prob": 1.0,
            }
        )
        np.random.seed(42)  # noqa: NPY002  # what it draws its starts from
        _, members = gamma.utils.association(picks, sites, dict(config), method="BGMM")
        if not members:
            return []
        pick, event, _ = zip(*members, strict=True)
        return _by_event(np.array(event), np.array(pick))

    return run


def _gamma_times(tables: Mapping[Wave, TravelTimeTable]) -> dict[str, Any]:
    across, down = _nodes()
    times = {wave.lower(): _times(table) for wave, table in tables.items()}
    slopes = {name: np.gradient(each, STEP_KM) for name, each in times.items()}
    return {
        "rgrid": across,
        "zgrid": down,
        "nr": len(across),
        "nz": len(down),
        "h": STEP_KM,
        **{f"u{name}": each.ravel() for name, each in times.items()},
        **{f"grad_u{name}": np.array([part.ravel() for part in each]) for name, each in slopes.items()},
    }


ENGINES: dict[str, Engine] = {
    "kensoku": Engine(prepare_kensoku, {"amplitudes": False}),  # the others are given none
    "kensoku_amplitudes": Engine(prepare_kensoku, {"amplitudes": True}),
    "pyocto": Engine(prepare_pyocto, PYOCTO),
    "gamma": Engine(prepare_gamma, GAMMA),
    "pyocto_tuned": Engine(prepare_pyocto, PYOCTO_TUNED),  # for the times of the simulated cases
}
