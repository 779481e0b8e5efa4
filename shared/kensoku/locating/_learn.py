"""Learn how late waves come to each station from events that are well located, together with where those were."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.locating._corrections import Key, TimeCorrection
from kensoku.locating._locate import locate_many
from kensoku.locating._messages import LEAST_UNCERTAINTY_S, NS_PER_S, instrument_code, sites_of
from kensoku.locating._values import (
    Arrival,
    FloatArray,
    LocatedArrival,
    Location,
    LocationSettings,
    Site,
    Tables,
    site_code,
)
from kensoku.v1.event_pb2 import Arrival as ArrivalMessage
from kensoku.v1.event_pb2 import Event
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S

USUAL_UNCERTAINTY_S = {"P": 0.1, "S": 0.2}  # of an onset that states none
SD_PER_MAD = 1.4826
LEAST_SCALE = 0.1  # of residuals, in standard deviations that were stated
LEAST_FREE = 0.05  # of an arrival's information, that its event's place and time leave to it
FIRST_SPREAD_S, LEAST_SPREAD_S = 0.2, 0.005  # of corrections over stations
SPREAD_ROUNDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningSettings:
    rounds: int = 8
    settled_s: float = 0.003  # largest change of a correction, after which nothing is relocated again
    settled_share: float = 0.2  # or that of its standard error, where that is more
    fewest: int = 5  # arrivals of a station and phase
    spread_s: float | None = None  # of corrections from station to station, beforehand; None: as they turn out
    qualities: str = "AB"
    first_error_s: float = 0.25  # of travel times as long as nothing is known of the stations

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.fewest < 1 or (self.spread_s or 1) <= 0 or not set(self.qualities) <= set("ABCD"):
            raise SettingInvalid(
                f"found {self}, expected 1 or more rounds and arrivals, a spread above 0, and qualities of ABCD"
            )


DEFAULT = LearningSettings()


@dataclass(frozen=True, slots=True)
class Learned:
    corrections: Mapping[Key, TimeCorrection]
    events: int  # well located, in the last round
    rounds: int
    rms_before_s: float  # of the residuals that are no outliers'
    rms_after_s: float
    is_settled: bool
    unsuitable: Mapping[Key, tuple[int, int]]  # heard, but without a correction: arrivals, and those no outliers


@dataclass(frozen=True, slots=True)
class _Heard:
    """An event's arrivals, and where their stations stood."""

    arrivals: Sequence[Arrival]
    sites: Mapping[str, Site]


def learn_time_corrections(
    events: Iterable[Event],
    stations: Mapping[str, Station],
    tables: Tables,
    location: LocationSettings,
    settings: LearningSettings = DEFAULT,
) -> Learned:
    """Corrections and places explain the onsets together: what an event's place and time could take up as well says
    nothing of its stations, and what all stations share is no correction of any. Where there are few arrivals they are
    drawn towards zero."""
    heard = [one for one in (_hear(event, stations) for event in events) if one is not None]
    if not heard:
        raise InputInvalid(
            "found no event with arrivals at stations of the inventory, expected a catalogue with arrivals (QuakeML or "
            "a database), and the inventory of its stations"
        )
    found: dict[Key, TimeCorrection] = {}
    known_s: dict[Key, float] = {}
    tried: set[Key] = set()
    rms, located, is_settled = [], [], False
    location = replace(location, reconsiders_phases=False)  # a P that is always late is no S
    is_rough = True  # as long as it is not known which stations are late
    for _ in range(settings.rounds):
        error_s = max(location.model_error_s, settings.first_error_s if is_rough else 0.0)
        sought = _relocate(heard, known_s, tables, replace(location, model_error_s=error_s))
        located = [one for one in sought if not one.depth_is_fixed and (is_rough or one.quality in settings.qualities)]
        rms.append(_rms_s(located))
        found = _corrections(located, known_s, tables, settings)
        before_s, known_s = known_s, {key: each.correction_s for key, each in found.items()}
        late_s = _always_late_s(located, before_s, settings, tried)
        is_rough, tried, known_s = bool(late_s), tried | late_s.keys(), known_s | late_s
        is_settled = not late_s and _is_settled(found, before_s, settings)
        if is_settled:
            break
    if not located:
        raise InputInvalid(
            f"found none of {len(heard)} events located with quality {' or '.join(settings.qualities)}, expected some: "
            "is the velocity model that of the region, and the inventory that of these stations?"
        )
    return Learned(found, len(located), len(rms), rms[0], rms[-1], is_settled, _unsuitable(located, found, settings))


def _is_settled(found: Mapping[Key, TimeCorrection], before_s: Mapping[Key, float], settings: LearningSettings) -> bool:
    return found.keys() >= before_s.keys() and all(
        abs(each.correction_s - before_s.get(key, 0.0))
        < max(settings.settled_s, settings.settled_share * each.standard_error_s)
        for key, each in found.items()
    )


def _hear(event: Event, stations: Mapping[str, Station]) -> _Heard | None:
    used = [arrival for arrival in event.arrivals if arrival.phase in (PHASE_P, PHASE_S) and arrival.onset_ns]
    if not used:
        return None
    reference_ns = min(arrival.onset_ns for arrival in used)
    sites = sites_of([arrival.instrument for arrival in used], stations, reference_ns)
    return _Heard([_arrival(arrival, reference_ns) for arrival in used], sites) if sites else None


def _arrival(message: ArrivalMessage, reference_ns: int) -> Arrival:
    phase = "P" if message.phase == PHASE_P else "S"
    stated_s = message.onset_uncertainty_s
    is_stated = math.isfinite(stated_s) and stated_s > 0
    return Arrival(
        station=instrument_code(message.instrument),
        phase="P" if phase == "P" else "S",
        onset_s=(message.onset_ns - reference_ns) / NS_PER_S,
        uncertainty_s=max(stated_s, LEAST_UNCERTAINTY_S) if is_stated else USUAL_UNCERTAINTY_S[phase],
    )


def _relocate(
    heard: Sequence[_Heard],
    known_s: Mapping[Key, float],
    tables: Tables,
    location: LocationSettings,
) -> list[Location]:
    """Each event's sites have a name of their own, since stations move."""
    sites, events = {}, []
    for number, one in enumerate(heard):
        names = {code: f"{code}.{number}" for code in one.sites}
        for code, site in one.sites.items():
            late = (known_s.get((site_code(code), wave), 0.0) for wave in ("P", "S"))
            sites[names[code]] = Site(site.latitude_deg, site.longitude_deg, site.elevation_km, *late)
        events.append(
            [
                Arrival(names[a.station], a.phase, a.onset_s, a.uncertainty_s, a.probability)
                for a in one.arrivals
                if a.station in names
            ]
        )
    found = locate_many(events, sites, tables, location)
    return [one for one in found if isinstance(one, Location)]


def _used(location: Location) -> list[LocatedArrival]:
    return [each for each in location.arrivals if not each.is_outlier]


def _key(arrival: LocatedArrival) -> Key:
    return site_code(arrival.station), str(arrival.phase)


def _rms_s(located: Sequence[Location]) -> float:
    squares = [arrival.residual_s**2 for location in located for arrival in _used(location)]
    return math.sqrt(sum(squares) / max(len(squares), 1))


def _residuals_s(located: Sequence[Location], settings: LearningSettings) -> dict[Key, tuple[list[float], int]]:
    """Of all arrivals of those of whom there are enough, outliers as well, and how many are none."""
    residuals, suiting = defaultdict(list), Counter(_key(each) for location in located for each in _used(location))
    for location in located:
        for each in location.arrivals:
            residuals[_key(each)].append(each.residual_s)
    return {key: (mine, suiting[key]) for key, mine in residuals.items() if len(mine) >= settings.fewest}


def _always_late_s(
    located: Sequence[Location], before_s: Mapping[Key, float], settings: LearningSettings, tried: Set[Key]
) -> dict[Key, float]:
    """Where most arrivals are outliers, the median is tried once, so that what is always late can be learned."""
    return {
        key: before_s.get(key, 0.0) + float(np.median(residuals_s))
        for key, (residuals_s, suiting) in _residuals_s(located, settings).items()
        if suiting < len(residuals_s) / 2 and key not in tried
    }


def _unsuitable(
    located: Sequence[Location], found: Mapping[Key, TimeCorrection], settings: LearningSettings
) -> dict[Key, tuple[int, int]]:
    heard = _residuals_s(located, settings)
    return {key: (len(residuals_s), suiting) for key, (residuals_s, suiting) in heard.items() if key not in found}


def _corrections(
    located: Sequence[Location], known_s: Mapping[Key, float], tables: Tables, settings: LearningSettings
) -> dict[Key, TimeCorrection]:
    """By least squares, the places and times of events eliminated (joint hypocentre determination)."""
    counts = Counter(_key(arrival) for location in located for arrival in _used(location))
    keys = sorted(key for key, count in counts.items() if count >= settings.fewest)
    if not keys:
        return {}
    number = {key: position for position, key in enumerate(keys)}
    normal, pulls = np.zeros((len(keys), len(keys))), []
    strange: list[float] = []
    for location in located:
        used = _used(location)
        slopes = _slopes(location, used, tables)
        precision = np.array([each.weight / each.predicted_error_s**2 for each in used])
        residual = np.array([each.residual_s for each in used])
        free = np.diag(precision) - _taken_up(slopes, precision)
        known = [position for position, each in enumerate(used) if _key(each) in number]
        columns = np.array([number[_key(used[position])] for position in known], dtype=np.intp)
        if not known:
            continue
        np.add.at(normal, (columns[:, None], columns), free[np.ix_(known, known)])
        pulls.append(np.bincount(columns, (free @ residual)[known], len(keys)))
        left = np.maximum(np.diag(free), LEAST_FREE * precision)
        strange += (residual * precision / np.sqrt(left))[known].tolist()
    was = np.array([known_s.get(key, 0.0) for key in keys])
    scale = max(SD_PER_MAD * float(np.median(np.abs(strange))), LEAST_SCALE)
    values, errors = _solve(normal / scale**2, np.stack(pulls) / scale**2, was, settings.spread_s)
    return {
        key: TimeCorrection(float(value), float(error), counts[key])
        for key, value, error in zip(keys, values, errors, strict=True)
    }


def _solve(
    normal: FloatArray, pulls: FloatArray, was: FloatArray, spread_s: float | None
) -> tuple[FloatArray, FloatArray]:
    """Values and their standard errors, drawn towards zero by their spread over stations; where that is not given, the
    one that makes the onsets most probable. The errors are what the onsets' own errors make, or, where that is more,
    what the events' pulls (event, correction) do, which do not agree where some onsets are wrong."""
    information, axes = np.linalg.eigh(normal)
    along = axes.T @ (pulls.sum(axis=0) + normal @ was)
    square = (spread_s or FIRST_SPREAD_S) ** 2
    for _ in range(0 if spread_s else SPREAD_ROUNDS):
        variance = 1 / (np.maximum(information, 0) + 1 / square)
        square = max(float(np.mean((along * variance) ** 2 + variance)), LEAST_SPREAD_S**2)
    variance = 1 / (np.maximum(information, 0) + 1 / square)
    apart = axes - axes.mean(axis=0)  # what all share cannot be told, and is nobody's
    count = len(pulls)
    moved = (pulls @ axes * variance) @ apart.T
    seen = (moved**2).sum(axis=0) * count / max(count - 1, 1) + (apart**2) @ (variance**2 / square)
    return np.asarray(axes @ (along * variance)), np.sqrt(np.maximum((apart**2) @ variance, seen))


def _slopes(location: Location, used: Sequence[LocatedArrival], tables: Tables) -> FloatArray:
    """(arrival, 4): how much later for a later, more northern, more eastern and deeper source."""
    found = np.ones((len(used), 4))
    for row, each in enumerate(used):
        grid = tables[each.phase].grid
        near, depth = min(each.distance_km, grid.farthest_km), location.maximum.depth_km
        times = tables[each.phase].lookup(near, min(max(depth, grid.highest_km), grid.deepest_km))
        p, azimuth = float(times.time_per_distance_s_km), math.radians(each.azimuth_deg)
        found[row, 1:] = -p * math.cos(azimuth), -p * math.sin(azimuth), float(times.time_per_depth_s_km)
    return found


def _taken_up(slopes: FloatArray, precision: FloatArray) -> FloatArray:
    """What of the information about the onsets the place and the time take up."""
    weighed = slopes * precision[:, None]
    return np.asarray(weighed @ np.linalg.pinv(slopes.T @ weighed) @ weighed.T)
