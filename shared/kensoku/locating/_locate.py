"""Locate earthquakes: from the arrivals of each, to the probability of where and when it was."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.errors import InputInvalid, LocationError, NotOneEvent, TooFewArrivals
from kensoku.locating._batch import Batch, gather
from kensoku.locating._coarse import QUICK, THOROUGH, Effort, find_starts
from kensoku.locating._describe import OUTLIER_WEIGHT, Described, Solved, describe
from kensoku.locating._phases import reconsider
from kensoku.locating._polish import Peaks, polish
from kensoku.locating._posterior import explore, second_places_km
from kensoku.locating._values import (
    Arrival,
    FloatArray,
    IntArray,
    Location,
    LocationSettings,
    Stations,
    Tables,
    site_code,
)

TOGETHER = 256  # events at a time, so that memory stays flat
PHASE_ROUNDS = 2  # of changing phases
DOUBTED_BELOW = 0.85  # of the arrivals belong: the search may have missed the event
LINE = 0.1  # as wide as that beside their length are stations at most that lie in a line
HIGHER = 0.05  # of the logarithm of the posterior
DEFAULTS = LocationSettings()

Limits = tuple[FloatArray, FloatArray]


def locate(
    arrivals: Sequence[Arrival], stations: Stations, tables: Tables, settings: LocationSettings = DEFAULTS
) -> Location:
    """One event; the answer does not depend on the order of the arrivals."""
    (found,) = locate_many([arrivals], stations, tables, settings)
    if isinstance(found, LocationError):
        raise found
    return found


def locate_many(
    events: Sequence[Sequence[Arrival]],
    stations: Stations,
    tables: Tables,
    settings: LocationSettings = DEFAULTS,
) -> list[Location | LocationError]:
    """Each alone, ten times faster than one by one; the error where one cannot be located."""
    answers: list[Location | LocationError] = []
    for start in range(0, len(events), TOGETHER):
        answers += _locate_batch(events[start : start + TOGETHER], stations, tables, settings)
    return answers


def _locate_batch(
    events: Sequence[Sequence[Arrival]], stations: Stations, tables: Tables, settings: LocationSettings
) -> list[Location | LocationError]:
    answers: dict[int, Location | LocationError] = {}
    usable: dict[int, list[tuple[int, Arrival]]] = {}
    for number, arrivals in enumerate(events):
        try:
            usable[number] = _check(arrivals, stations, tables, settings)
        except LocationError as error:
            answers[number] = error
    numbers = np.array(list(usable), dtype=np.intp)
    if usable:
        batch = gather(list(usable.values()), stations, settings)
        for part, solved in _solve(batch, tables, settings):
            mine = numbers[part].tolist()
            if isinstance(solved, Solved):
                described = describe(solved, tables)
                for event, number in enumerate(mine):
                    answers[number] = _answer(described, event, events[number], stations, settings)
            else:
                for number, used in zip(mine, solved, strict=True):
                    answers[number] = _not_one(used, len(usable[number]), settings)
    return [answers[number] for number in range(len(events))]


def _answer(
    described: Described, event: int, arrivals: Sequence[Arrival], stations: Stations, settings: LocationSettings
) -> Location | LocationError:
    batch = described.solved.batch
    belong = described.weights(event) >= OUTLIER_WEIGHT
    used = batch.given[batch.rows_of(event)][belong].tolist()
    heard = len({site_code(arrivals[index].station) for index in used})
    if len(used) < settings.least_arrivals or heard < settings.least_stations:
        return _not_one(len(used), len(belong), settings)
    unknown = tuple(sorted({arrival.station for arrival in arrivals} - stations.keys()))
    return described.location(event, arrivals, unknown)


def _not_one(used: int, given: int, settings: LocationSettings) -> NotOneEvent:
    return NotOneEvent(
        f"found a place and time that explain {used} of {given} arrivals, expected {settings.least_arrivals} or more "
        f"at {settings.least_stations} stations: the others are no event's, or the velocity model, the stations' "
        "places or the stated uncertainties are wrong"
    )


def _check(
    arrivals: Sequence[Arrival], stations: Stations, tables: Tables, settings: LocationSettings
) -> list[tuple[int, Arrival]]:
    """Those that can be used, with their numbers."""
    for arrival in arrivals:
        _require_sound(arrival, tables)
    known = [(number, arrival) for number, arrival in enumerate(arrivals) if arrival.station in stations]
    heard = {site_code(arrival.station) for _, arrival in known}
    if len(known) >= settings.least_arrivals and len(heard) >= settings.least_stations:
        return known
    unknown = sorted({arrival.station for arrival in arrivals} - stations.keys())
    raise TooFewArrivals(
        f"found {len(known)} arrivals at {len(heard)} known stations, expected {settings.least_arrivals} at "
        f"{settings.least_stations} or more"
        + (f"; not in the inventory: {', '.join(unknown[:10])}; load it or correct the codes" if unknown else "")
    )


def _require_sound(arrival: Arrival, tables: Tables) -> None:
    if arrival.phase not in tables:
        raise InputInvalid(
            f"found an arrival of {arrival.phase!r} at {arrival.station}, expected one of {', '.join(sorted(tables))}, "
            "of which there are travel times"
        )
    if not (math.isfinite(arrival.onset_s) and 0 < arrival.uncertainty_s < math.inf and 0 <= arrival.probability <= 1):
        raise InputInvalid(
            f"found onset {arrival.onset_s} s, uncertainty {arrival.uncertainty_s} s and probability "
            f"{arrival.probability} at {arrival.station}, expected a time, an uncertainty above 0 and a probability "
            "from 0 to 1"
        )


# --- a batch ----------------------------------------------------------------------------------------------------------


def _solve(batch: Batch, tables: Tables, settings: LocationSettings) -> Iterator[tuple[IntArray, Solved | list[int]]]:
    """Parts of the batch, each with the numbers of its events: first those that need nothing more, then those in which
    many arrivals seem wrong, which are sought more thoroughly, and those in which phases were changed. Where too few
    arrivals belong to one event, how many do."""
    left = [_Task(batch, np.arange(len(batch.first)), QUICK, PHASE_ROUNDS if settings.reconsiders_phases else 0)]
    while left:
        task = left.pop()
        batch, events = task.batch, task.events
        limits = _depth_limits(batch, tables, settings)
        peaks = _find_peaks(batch, tables, settings, limits, task.effort)
        belong = batch.sums((peaks.fit.weight[:, 0] >= OUTLIER_WEIGHT).astype(np.intp))
        is_s = reconsider(batch, tables, settings, peaks) if task.phase_rounds else batch.is_s
        changes = batch.sums(is_s != batch.is_s) > 0
        doubts = ~changes & (belong < DOUBTED_BELOW * batch.counts) & (task.effort == QUICK)
        enough = belong >= settings.least_arrivals
        if len(few := np.flatnonzero(~changes & ~doubts & ~enough)):
            yield events[few], belong[few].tolist()
        if len(same := np.flatnonzero(~changes & ~doubts & enough)):
            for part, solved in _integrate(batch, tables, settings, peaks, limits, same):
                yield events[part], solved
        if len(again := np.flatnonzero(doubts)):
            left.append(_Task(batch.take(again), events[again], THOROUGH, task.phase_rounds))
        if len(other := np.flatnonzero(changes)):
            changed = batch.with_waves(is_s).take(other)
            left.append(_Task(changed, events[other], task.effort, task.phase_rounds - 1))


@dataclass(frozen=True, slots=True)
class _Task:
    batch: Batch
    events: IntArray
    effort: Effort
    phase_rounds: int  # in which phases may still be changed


def _depth_limits(batch: Batch, tables: Tables, settings: LocationSettings) -> Limits:
    """The least and the greatest of each event: above stations in boreholes there is ground, to sea level at least."""
    count = np.bincount(batch.event)
    top = (
        np.minimum(-batch.sums(batch.elevation) / count, 0)
        if settings.shallowest_km is None
        else np.full(len(count), settings.shallowest_km)
    )
    highest = max(table.grid.highest_km for table in tables.values())
    deepest = min(table.grid.deepest_km for table in tables.values())
    return np.clip(top, highest, None), np.full(len(count), min(settings.deepest_km, deepest))


def _find_peaks(
    batch: Batch, tables: Tables, settings: LocationSettings, limits: Limits, effort: Effort = QUICK
) -> Peaks:
    """The most probable first."""
    starts = find_starts(batch, tables, settings, limits, effort)
    peaks = polish(batch, tables, settings, starts.places, starts.depth, starts.half_width_km, limits)
    order = np.argsort(-peaks.fit.log_posterior, axis=1, kind="stable")
    return peaks.reorder(batch, order[:, : QUICK.starts])


def _second_places_km(batch: Batch, tables: Tables, settings: LocationSettings, best: Peaks) -> FloatArray:
    """By event, from the maximum to its mirror image where the stations lie in a line and hear an event on the other
    side alike, at the same depth, which trades with the distance from the line; not a number elsewhere."""
    products = batch.sums((batch.site[:, None] * batch.site).transpose(2, 0, 1))
    squares, axes = np.linalg.eigh(products)  # of the sphere's directions: across the line, along it, up
    found = np.full(len(squares), np.nan)
    events = np.flatnonzero(squares[:, 0] < LINE**2 * squares[:, 1])
    if len(events):
        first, across = best.frame.first.centre[:, events], axes[events, :, 0].T
        image = first - 2 * (first * across).sum(axis=0) * across
        places, depth = np.stack([first, image], axis=-1), np.repeat(best.depth[events], 2, axis=1)
        blur_km, within = np.full_like(depth, 0.1), (depth[:, 0], depth[:, 0])
        found[events] = second_places_km(polish(batch.take(events), tables, settings, places, depth, blur_km, within))
    return found


def _integrate(
    batch: Batch, tables: Tables, settings: LocationSettings, peaks: Peaks, limits: Limits, events: IntArray
) -> Iterator[tuple[IntArray, Solved]]:
    """Parts of those events: a depth that cannot be told is assumed, and where a node of the posterior lies higher than
    the peak that was found, the maximum is sought from there."""
    batch, limits, peaks = batch.take(events), _take(limits, events), peaks.select(events, batch.rows(events))
    posterior = explore(batch, tables, settings, peaks, limits)
    frame = peaks.frame.first
    best, second_km = peaks.reorder(batch, np.zeros((len(events), 1), np.intp)), second_places_km(peaks)
    is_fixed = posterior.depth_upper_km - posterior.depth_lower_km > settings.unresolved_share * (limits[1] - limits[0])
    is_higher = ~is_fixed & (posterior.highest[:, 0] > best.fit.log_posterior[:, 0] + HIGHER)
    single = [np.array([event]) for event in np.flatnonzero(is_higher)]
    for part in (np.flatnonzero(~is_fixed & ~is_higher), np.flatnonzero(is_fixed), *single):
        if not len(part):
            continue
        mine, some, at, within = (
            best.select(part, batch.rows(part)),
            batch.take(part),
            frame.take(part),
            _take(limits, part),
        )
        if is_fixed[part[0]]:
            assumed = np.clip(np.full(len(part), settings.assumed_depth_km), *within)
            blur = np.full((len(part), 1), 5.0)
            mine = polish(some, tables, settings, mine.frame.centre, assumed[:, None], blur, (assumed, assumed))
        elif is_higher[part[0]]:
            north, east, depth = posterior.highest[part, 1:].T
            places, start = at.place(north, east)[..., None], depth[:, None]
            other = polish(some, tables, settings, places, start, np.full_like(start, 0.1), within)
            mine = other if other.fit.log_posterior[0, 0] > mine.fit.log_posterior[0, 0] else mine
        second = np.fmax(second_km[part], _second_places_km(some, tables, settings, mine))
        held, deepest_km = posterior.take(part), limits[1][part]
        yield events[part], Solved(some, mine, at, held, is_fixed[part], deepest_km, settings.margin_km, second)


def _take(limits: Limits, events: IntArray) -> Limits:
    return limits[0][events], limits[1][events]
