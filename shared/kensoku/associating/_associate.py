"""From onsets to groups, stretch after stretch of absolute time, each from nothing but the onsets around it."""

import math
import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from kensoku.associating._arrays import Floats, Given, Ints, Picks, Rules
from kensoku.associating._block import BIN_S, Sought, find_events
from kensoku.associating._fit import offset, travel
from kensoku.associating._network import WAVES, Network
from kensoku.associating._values import Group, Member, Onset

NS_PER_S = 10**9
STRETCH_NS = 60 * NS_PER_S
PAD_NS = 30 * NS_PER_S  # before and after: events there compete for picks
EDGE_NS = 2 * NS_PER_S  # by which an origin may lie beyond its stretch: the next one may put it back
SAME_NS = NS_PER_S * 3 // 10  # picks of one site and phase so close are one arrival
OWN_SHARE = 0.6  # of its picks that an event must keep
MOST_EVENTS = 1000  # of a stretch

Result = TypeVar("Result")
Gaps = Mapping[str, Sequence[tuple[int, int]]]  # by station, begins and ends, sorted


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event of one stretch, by the ids of its picks."""

    stretch: int
    log_odds: float
    time_ns: int
    latitude_deg: float
    longitude_deg: float
    depth_km: float
    members: tuple[tuple[str, int, float, float], ...]  # pick, phase, residual, probability

    @property
    def rank(self) -> tuple[float, int, str]:
        return -self.log_odds, self.stretch, self.members[0][0] if self.members else ""


def associate(
    onsets: Sequence[Onset],
    network: Network,
    evaluated_ns: Mapping[str, int] | None = None,
    threads: int | None = None,
    gaps_ns: Gaps | None = None,
) -> list[Group]:
    """Groups by origin time. `evaluated_ns`: to when each station was listened to; without it, all of
    them to the end. `gaps_ns`: when one was not, sorted. Without `threads` as many as there are cores."""
    index: dict[str, int] = {}
    for number, onset in enumerate(onsets):
        index.setdefault(onset.id, number)
    arrivals = one_a_site([onsets[number] for number in index.values()], network)
    times = np.array([arrival.onset_ns for arrival in arrivals], np.int64)

    def search(stretch: int) -> list[Candidate]:
        low, high = np.searchsorted(times, span_of(stretch, network))
        return candidates(stretch, arrivals[low:high], network, evaluated_ns, gaps_ns=gaps_ns)

    found = at_once(search, stretches_of(times, network), threads)
    chosen = resolve((each for some in found for each in some), network.settings.least_picks)
    return [group_of(candidate, index) for candidate in sorted(chosen, key=lambda each: (each.time_ns, each.rank))]


def at_once(search: Callable[[int], Result], stretches: Sequence[int], threads: int | None = None) -> list[Result]:
    """Each by itself: the loops let other threads run."""
    many = min(threads or os.cpu_count() or 1, len(stretches))
    if many < 2:
        return [search(each) for each in stretches]
    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(search, stretches))


def one_a_site(onsets: Iterable[Onset], network: Network) -> list[Onset]:
    """Sorted by onset; of those that are one arrival the most probable."""
    kept: list[Onset] = []
    last: dict[tuple[str, str], int] = {}  # place in the list of the arrival before
    began: dict[tuple[str, str], int] = {}
    for onset in sorted(onsets, key=lambda each: (each.onset_ns, each.id)):
        if onset.station not in network.number:
            continue
        key = (onset.station, onset.phase)
        if key in last and onset.onset_ns - began[key] <= SAME_NS:
            if _probability(onset) > _probability(kept[last[key]]):
                kept[last[key]] = onset
            continue
        last[key], began[key] = len(kept), onset.onset_ns
        kept.append(onset)
    return sorted(kept, key=lambda each: (each.onset_ns, each.id))


def _probability(onset: Onset) -> float:
    return max(onset.p or 0.0, onset.s or 0.0)


def stretches_of(times_ns: Ints, network: Network) -> list[int]:
    """Those to which an event may belong that made some of the picks."""
    longest_ns = round(network.longest_s * NS_PER_S)
    low, high = (times_ns - longest_ns - EDGE_NS) // STRETCH_NS, (times_ns + EDGE_NS) // STRETCH_NS
    steps = np.arange((longest_ns + 2 * EDGE_NS) // STRETCH_NS + 2)
    every = low[:, None] + steps
    return [int(each) for each in np.unique(every[every <= high[:, None]])]


def span_of(stretch: int, network: Network) -> tuple[int, int]:
    """The picks that decide what happened in it."""
    begin = stretch * STRETCH_NS - PAD_NS
    return begin, begin + STRETCH_NS + 2 * PAD_NS + round(network.longest_s * NS_PER_S)


def candidates(
    stretch: int,
    onsets: Sequence[Onset],
    network: Network,
    evaluated_ns: Mapping[str, int] | None = None,
    now_ns: int | None = None,
    gaps_ns: Gaps | None = None,
) -> list[Candidate]:
    """Of the events that begin in the stretch; `onsets` are those of its span, sorted by time. What could not be heard
    in a gap counts against nothing."""
    rules = network.settings
    if len(onsets) < min(rules.least_picks, rules.least_p):
        return []
    begin_ns, end_ns = span_of(stretch, network)
    order, picks = _picks(onsets, begin_ns, network)
    until_ns = end_ns if now_ns is None else min(max(now_ns, onsets[-1].onset_ns), end_ns)
    bins = round((STRETCH_NS + 2 * PAD_NS) / NS_PER_S / BIN_S)
    span_s = min(max((until_ns - begin_ns) / NS_PER_S, 10.0), bins * BIN_S)  # in which what is sought may begin
    stations = network.stations
    if evaluated_ns is not None:
        ends = [(evaluated_ns.get(code, 0) - begin_ns) / NS_PER_S for code in network.codes]
        stations = stations._replace(evaluated=np.array(ends))
    if gaps_ns:
        first_gap, gaps = _gaps(gaps_ns, begin_ns, end_ns, network)
        stations = stations._replace(first_gap=first_gap, gaps=gaps)
    most = min(MOST_EVENTS, len(onsets) // min(rules.least_picks, rules.least_p) + 1)
    limits = Rules(
        network.reach_km, rules.detected, rules.widest_s, rules.least_picks, rules.least_p, rules.least_clear,
        rules.least_stations, rules.least_log_odds, rules.bias,
    )  # fmt: skip
    given = Given(network.earth, stations, picks, limits)
    sought = Sought(span_s, network.area_km2, network.volume_km3)
    events = find_events(bins, sought, most, network.nodes, rules.least_stack, given)
    core = stretch * STRETCH_NS - EDGE_NS, (stretch + 1) * STRETCH_NS + EDGE_NS
    found = []
    needed = rules.least_log_odds + rules.few_log_odds * np.maximum(rules.few_picks - events.sizes, 0)
    is_told = (events.sizes >= min(rules.least_picks, rules.least_p)) & (events.odds >= needed)
    for event in np.flatnonzero(is_told):
        time_ns = begin_ns + round(events.places[event, 3] * NS_PER_S)
        if core[0] <= time_ns < core[1]:
            members = events.members[event, :, : events.sizes[event]]
            told = _members(events.places[event], members, events.claim, picks, network)
            named = [(onsets[order[pick]].id, *rest) for pick, *rest in told]
            latitude, longitude, depth, _ = map(float, events.places[event])
            place = *network.turn.back(latitude, longitude), depth
            found.append(Candidate(stretch, float(events.odds[event]), time_ns, *place, tuple(sorted(named))))
    return found


def _gaps(gaps_ns: Gaps, begin_ns: int, end_ns: int, network: Network) -> tuple[Ints, Floats]:
    """Of each station those that touch the span, as `Stations` has them."""
    first, edges = [0], list[tuple[float, float]]()
    for code in network.codes:
        known = gaps_ns.get(code, ())
        for low, high in known[bisect_right(known, begin_ns, key=lambda gap: gap[1]) :]:
            if low >= end_ns:
                break
            edges.append(((low - begin_ns) / NS_PER_S, (high - begin_ns) / NS_PER_S))
        first.append(len(edges))
    return np.array(first, np.int64), np.ascontiguousarray(np.array(edges).reshape(-1, 2).T)


def _picks(onsets: Sequence[Onset], begin_ns: int, network: Network) -> tuple[Ints, Picks]:
    station = np.array([network.number[onset.station] for onset in onsets], np.int64)
    times = np.array([(onset.onset_ns - begin_ns) / NS_PER_S for onset in onsets])
    order = np.lexsort((times, station))
    label = np.empty((2, len(onsets)))
    for column, number in enumerate(order):
        label[:, column] = _labels(onsets[number], network.settings.swapped)
    first = np.searchsorted(station[order], np.arange(len(network.codes) + 1))
    sigma = np.array([onsets[number].uncertainty_s for number in order])
    size = np.array([_log_amplitude(onsets[number]) for number in order])
    faint = np.array([onsets[number].is_faint for number in order], np.int64)
    is_any, nothing = bool(np.isfinite(size).any()), np.zeros(len(onsets))
    return order, Picks(times[order], first, station[order], sigma, label, faint, nothing, size, is_any)


def _log_amplitude(onset: Onset) -> float:
    return math.log10(onset.amplitude) if onset.amplitude else math.nan


def _labels(onset: Onset, swapped: float) -> tuple[float, float]:
    p, s = onset.p, onset.s
    if p is None or s is None or p + s <= 0:
        p, s = (1.0, 0.0) if onset.phase == "P" else (0.0, 1.0)
    return tuple(swapped + (1 - 2 * swapped) * each / (p + s) for each in (p, s))  # type: ignore[return-value]


def _members(
    place: Floats, members: Ints, claim: Floats, picks: Picks, network: Network
) -> list[tuple[int, int, float, float]]:
    told = []
    for pick, phase in members.T:
        station = picks.station[pick]
        north, east = offset(place, network.stations.latitude[station], network.stations.longitude[station])
        time, _, _ = travel(network.earth.times, phase, float(np.hypot(north, east)), place[2])
        residual = picks.onset[pick] - place[3] - time - network.stations.delay[phase, station]
        probability = claim[pick] / (claim[pick] + picks.background[pick])
        told.append((int(pick), int(phase), float(residual), float(probability)))
    return told


def resolve(found: Iterable[Candidate], least_picks: int) -> list[Candidate]:
    """Of the candidates of neighbouring stretches those that are events of their own, the surest first."""
    taken: set[str] = set()
    kept = []
    for candidate in sorted(found, key=lambda each: each.rank):
        if (own := without(candidate, taken, least_picks)) is not None:
            taken.update(member[0] for member in own.members)
            kept.append(own)
    return kept


def without(candidate: Candidate, taken: Set[str], least_picks: int) -> Candidate | None:
    """What is left of it, if that is an event of its own."""
    own = tuple(member for member in candidate.members if member[0] not in taken)
    enough = max(OWN_SHARE * len(candidate.members), min(least_picks, len(candidate.members)))
    return replace(candidate, members=own) if len(own) >= enough else None


def group_of(candidate: Candidate, index: Mapping[str, int]) -> Group:
    members = sorted(
        (
            Member(index[pick], WAVES[phase], residual, probability)
            for pick, phase, residual, probability in candidate.members
        ),
        key=lambda each: each.index,
    )
    place = candidate.latitude_deg, candidate.longitude_deg, candidate.depth_km
    return Group(candidate.time_ns, *place, candidate.log_odds, tuple(members))
