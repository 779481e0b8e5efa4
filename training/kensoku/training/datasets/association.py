"""Which picks on continuous records one earthquake can have made: a pick that none claims is no label.

PyOcto (Münchmeyer, 2024) finds the earthquakes in a homogeneous half-space. What a station is late or early by, at all
of them, is taken off its times before it is asked again.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, radians
from statistics import median
from typing import Any

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.sphere import KM_PER_DEG
from kensoku.training.datasets.tables import NO_EVENT, TimedPick
from kensoku.training.examples import Phase

SAME_S = 0.4  # picks of a phase at a station this near to each other are one
# What makes an earthquake, and what of it is a label.
TOLERANCE_S = 0.7  # of PyOcto, while it looks
REACH_KM = 120.0  # of a station
LEAST_PICKS, LEAST_P, LEAST_S, LEAST_PAIRS = 7, 3, 2, 2  # pairs: stations with both
LEAST_STATIONS = 4
LARGEST_RESIDUAL_S = 0.5  # of a pick that is a label
ROUNDS = 2  # with stations corrected after each but the last
Corrections = Mapping[tuple[str, Phase], float]  # seconds that a station is late


@dataclass(frozen=True, slots=True)
class Place:
    latitude_deg: float
    longitude_deg: float
    elevation_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where earthquakes are looked for, and how fast their waves are there."""

    p_km_s: float = 6.0
    s_km_s: float = 3.45
    around_km: float = 40.0  # the stations
    deepest_km: float = 25.0


@dataclass(frozen=True, slots=True)
class Claim:
    """Picks, each with its event or none, and how well they fit."""

    picks: Sequence[TimedPick]
    residuals_s: Mapping[int, float]  # of those with an event
    corrections_s: Corrections


def merge(tables: Sequence[Sequence[TimedPick]]) -> list[TimedPick]:
    """All of the first table, and of each later one what no earlier one has."""
    merged: list[TimedPick] = []
    at: dict[tuple[str, Phase], list[float]] = defaultdict(list)
    for table in tables:
        new = [pick for pick in table if all(abs(pick.time_s - t) > SAME_S for t in at[pick.station, pick.phase])]
        for pick in new:
            at[pick.station, pick.phase].append(pick.time_s)
        merged += new
    return merged


def associate(picks: Sequence[TimedPick], places: Mapping[str, Place], ground: Ground | None = None) -> Claim:
    """What was said of events before is forgotten; a pick at a station without a place belongs to none."""
    ground = ground or Ground()
    known = [number for number, pick in enumerate(picks) if pick.station in places]
    if not picks:
        return Claim([], {}, {})
    if not known:
        raise InputInvalid(f"found none of {len(picks)} picks at one of {len(places)} stations; expected some")
    corrections: dict[tuple[str, Phase], float] = {}
    found: list[tuple[int, int, float]] = []
    for round_number in range(ROUNDS):
        if round_number:
            for key, late_s in _lateness(picks, found).items():
                corrections[key] = corrections.get(key, 0.0) + late_s
        times_s = [picks[n].time_s - corrections.get((picks[n].station, picks[n].phase), 0.0) for n in known]
        rows = [(picks[n].station, picks[n].phase, time_s) for n, time_s in zip(known, times_s, strict=True)]
        found = [(known[row], event, residual_s) for row, event, residual_s in _ask(rows, places, ground)]
    kept = _well_seen(picks, [each for each in found if abs(each[2]) < LARGEST_RESIDUAL_S])
    events = {number: event for number, event, _ in kept}
    names = {event: f"{name}" for name, event in enumerate(sorted(set(events.values())))}
    claimed = [
        replace(pick, event=names[events[number]] if number in events else NO_EVENT)
        for number, pick in enumerate(picks)
    ]
    return Claim(claimed, {number: residual_s for number, _, residual_s in kept}, corrections)


def _lateness(picks: Sequence[TimedPick], found: Sequence[tuple[int, int, float]]) -> dict[tuple[str, Phase], float]:
    of: dict[tuple[str, Phase], list[float]] = defaultdict(list)
    for number, _, residual_s in found:
        of[picks[number].station, picks[number].phase].append(residual_s)
    return {key: median(residuals_s) for key, residuals_s in of.items()}


def _well_seen(picks: Sequence[TimedPick], found: Sequence[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """One pick a phase, station and event, the nearest; events of enough stations."""
    best: dict[tuple[str, Phase, int], tuple[int, int, float]] = {}
    for each in found:
        key = (picks[each[0]].station, picks[each[0]].phase, each[1])
        if key not in best or abs(each[2]) < abs(best[key][2]):
            best[key] = each
    stations: dict[int, set[str]] = defaultdict(set)
    for station, _, event in best:
        stations[event].add(station)
    return sorted(each for each in best.values() if len(stations[each[1]]) >= LEAST_STATIONS)


# --- PyOcto -----------------------------------------------------------------------------------------------------------


def _ask(
    rows: Sequence[tuple[str, Phase, float]], places: Mapping[str, Place], ground: Ground
) -> list[tuple[int, int, float]]:
    """Row, event and residual of what PyOcto puts together."""
    try:
        import pandas
        import pyocto
    except ModuleNotFoundError as error:
        raise SettingInvalid(
            f"found no {error.name}, expected it for association; pip install 'kensoku[train]'"
        ) from None
    associator = _associator(pyocto, places, ground)
    stations = pandas.DataFrame(
        [(name, p.latitude_deg, p.longitude_deg, p.elevation_m) for name, p in sorted(places.items())],
        columns=["id", "latitude", "longitude", "elevation"],
    )
    picks = pandas.DataFrame(rows, columns=["station", "phase", "time"])
    _, claims = associator.associate(picks, associator.transform_stations(stations))
    return [
        (int(row), int(event), float(residual_s))
        for row, event, residual_s in zip(claims["pick_idx"], claims["event_idx"], claims["residual"], strict=True)
    ]


def _associator(pyocto: Any, places: Mapping[str, Place], ground: Ground) -> Any:
    margin = ground.around_km / KM_PER_DEG
    latitudes = [place.latitude_deg for place in places.values()]
    longitudes = [place.longitude_deg for place in places.values()]
    wider = margin / max(0.1, cos(radians(sum(latitudes) / len(latitudes))))
    velocities = pyocto.VelocityModel0D(
        p_velocity=ground.p_km_s,
        s_velocity=ground.s_km_s,
        tolerance=TOLERANCE_S,
        association_cutoff_distance=REACH_KM,
    )
    return pyocto.OctoAssociator.from_area(
        lat=(min(latitudes) - margin, max(latitudes) + margin),
        lon=(min(longitudes) - wider, max(longitudes) + wider),
        zlim=(0.0, ground.deepest_km),
        velocity_model=velocities,
        time_before=60.0,
        n_picks=LEAST_PICKS,
        n_p_picks=LEAST_P,
        n_s_picks=LEAST_S,
        n_p_and_s_picks=LEAST_PAIRS,
        pick_match_tolerance=TOLERANCE_S,
        n_threads=1,  # the same answer each time
    )
