"""All earthquakes of a stretch of time: where many picks may come from one place and moment, the likeliest first."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kensoku.associating._arrays import Density, Floats, Given, Ints, Nodes, Picks, Rules, Singles, Work
from kensoku.associating._events import Found, keep_own, release, settle
from kensoku.associating._fit import ROOM, offset, share_of
from kensoku.associating._parted import part_mixtures
from kensoku.compiled import compiled, lean
from kensoku.sphere import KM_PER_DEG

BIN_S = 0.5
SHUT_BINS = 1  # on either side of a guess in vain
ROUNDS = 6
SWEEPS = 3
OTHERS_S = 200.0  # for how long a station's own picks are counted until they say as much as the network's
LEAST_COUNT = 1.0  # more than are counted
LEAST_EVENTS = 0.05  # of a stretch in which none was found, for how often earthquakes are
NONE = -1e9
NEAR_KM, NEAR_SHARE = 5.0, 0.05  # of an earthquake lie half of those around it; of the width of the area, at the least
TRIES = 50
USED = 0.3  # probability of a guess's pick
STACKED = 0.3  # picks that are less probably a phase are not looked for as such


class Sought(NamedTuple):
    """When and where earthquakes might have been."""

    span_s: float
    area_km2: float
    volume_km3: float


class Ranks(NamedTuple):
    """Where the search goes next. What is stacked only falls, so what is left out once stays out."""

    first: Ints  # of each bin, in `node`, and one more
    lengths: Ints  # how many of them there are still
    node: Ints
    most: Floats  # bin: the highest
    where: Ints  # bin: its node


@lean
def add(stack: Singles, pick: int, sign: float, picks: Picks, nodes: Nodes, span: Ints) -> None:
    """A pick's share at every node and origin time that it may have come from; `span` grows by the bins touched."""
    station, bins = picks.station[pick], len(stack)
    first, last = span[0], span[1]
    for phase in range(2):
        chance, blur_s = picks.label[phase, pick], nodes.blur_s[phase]
        if chance < STACKED:
            continue
        share = chance * share_of(picks.faint[pick])
        gain = sign * math.log(1.0 + 0.25 * share / (blur_s * picks.background[pick]))
        for k in range(nodes.first[station], nodes.first[station + 1]):
            origin = picks.onset[pick] - nodes.times[phase, k]
            if origin + blur_s < 0.0 or origin - blur_s >= bins * BIN_S:
                continue
            low = max(int((origin - blur_s) / BIN_S), 0)  # whatever is below 0 begins with the first bin
            high = min(int((origin + blur_s) / BIN_S), bins - 1)
            for each in range(low, high + 1):
                stack[each, nodes.node[k]] += gain
            first, last = min(first, low), max(last, high)
    span[0], span[1] = first, last


@compiled
def rank(stack: Singles, least: float) -> Ranks:
    """Of each bin the nodes that reach what is tried at all."""
    bins = len(stack)
    lengths, first = np.zeros(bins, np.int64), np.zeros(bins + 1, np.int64)
    for each in range(bins):
        for k in range(stack.shape[1]):
            lengths[each] += stack[each, k] >= least
    first[1:] = np.cumsum(lengths)
    node = np.empty(first[bins], np.int64)
    for each in range(bins):
        place = first[each]
        for k in range(stack.shape[1]):
            if stack[each, k] >= least:
                node[place] = k
                place += 1
    return Ranks(first, lengths, node, np.full(bins, NONE), np.zeros(bins, np.int64))


@lean
def renew(stack: Singles, ranks: Ranks, least: float, low: int, high: int) -> None:
    """The best node of each of these bins; those that reach it no more are left out from now on."""
    for each in range(max(low, 0), min(high + 1, len(stack))):
        kept, begin = 0, ranks.first[each]
        ranks.most[each] = NONE
        for index in range(begin, begin + ranks.lengths[each]):
            k = ranks.node[index]
            if stack[each, k] >= least:
                ranks.node[begin + kept] = k
                kept += 1
                if stack[each, k] > ranks.most[each]:
                    ranks.most[each], ranks.where[each] = stack[each, k], k
        ranks.lengths[each] = kept


@compiled
def leave_out(ranks: Ranks, nodes: Nodes, middle: int, node: int) -> None:
    """A node that was tried in vain, and those beside it, in a few bins."""
    place = np.array([nodes.latitude[node], nodes.longitude[node]])
    near_deg = nodes.near_km / KM_PER_DEG
    for each in range(max(middle - SHUT_BINS, 0), min(middle + SHUT_BINS + 1, len(ranks.lengths))):
        kept, begin = 0, ranks.first[each]
        for index in range(begin, begin + ranks.lengths[each]):
            k = ranks.node[index]
            is_near = abs(nodes.latitude[k] - place[0]) <= near_deg
            if is_near:
                _, east = offset(place, nodes.latitude[k], nodes.longitude[k])
                is_near = abs(east) <= nodes.near_km
            if not is_near:
                ranks.node[begin + kept] = k
                kept += 1
        ranks.lengths[each] = kept


@lean
def count_others(picks: Picks, owner: Ints, span_s: float) -> None:
    """How often each label is picked at a station, faint or not, without an event that would explain it: by its other
    picks, and those of the network. Later ones may be of events that are not sought here."""
    stations = len(picks.first) - 1
    for phase in range(2):
        for faint in range(2):
            everywhere = count_of(phase, faint, 0, len(picks.onset), picks, owner, span_s)
            usual = LEAST_COUNT + everywhere / stations * OTHERS_S / span_s
            for station in range(stations):
                begin, end = picks.first[station], picks.first[station + 1]
                count = count_of(phase, faint, begin, end, picks, owner, span_s)
                for k in range(begin, end):
                    if picks.label[phase, k] >= 0.5 and picks.faint[k] == faint:
                        others = count - count_of(phase, faint, k, k + 1, picks, owner, span_s)
                        picks.background[k] = (others + usual) / (span_s + OTHERS_S)


@lean
def count_of(phase: int, faint: int, begin: int, end: int, picks: Picks, owner: Ints, span_s: float) -> int:
    """Of these the picks with the label of a phase, and as faint, that no event explains."""
    count = 0
    for k in range(begin, end):
        if owner[k] < 0 and picks.label[phase, k] >= 0.5 and picks.faint[k] == faint and picks.onset[k] < span_s:
            count += 1
    return count


@lean
def leave_alone(
    stack: Singles,
    tries: Ints,
    is_free: npt.NDArray[np.bool_],
    picks: Picks,
    nodes: Nodes,
    work: Work,
    span: Ints,
) -> None:
    """After so many guesses in vain that used it, a pick is not looked for any more in this search: dense stations
    have thousands of guesses around picks that have no common origin."""
    for k in range(work.pairs[0]):
        pick = work.found[0, k]
        if work.values[0, k] >= USED and is_free[pick]:
            tries[pick] += 1
            if tries[pick] == TRIES:
                add(stack, pick, -1.0, picks, nodes, span)
                is_free[pick] = False


@compiled
def search(
    events: Found,
    many: int,
    density: Density,
    bins: int,
    nodes: Nodes,
    least_stack: float,
    given: Given,
    work: Work,
) -> int:
    """More events among the picks that none holds; returns how many there are then."""
    picks, stack, span = given.picks, np.zeros((bins, len(nodes.latitude)), np.float32), np.zeros(2, np.int64)
    is_free, tries = events.owner < 0, np.zeros(len(events.owner), np.int64)
    for pick in np.flatnonzero(is_free):
        add(stack, pick, 1.0, picks, nodes, span)
    ranks = rank(stack, least_stack)
    renew(stack, ranks, least_stack, 0, bins - 1)
    while many < len(events.sizes):
        middle = int(np.argmax(ranks.most))
        if ranks.most[middle] < least_stack:
            break
        node = ranks.where[middle]
        events.places[many] = (nodes.latitude[node], nodes.longitude[node], nodes.depth[node], (middle + 0.5) * BIN_S)
        span[0], span[1] = middle - SHUT_BINS, middle + SHUT_BINS
        if settle(many, True, density, events, given, work):
            for index in range(events.sizes[many]):
                pick = events.members[many, 0, index]
                if is_free[pick]:
                    add(stack, pick, -1.0, picks, nodes, span)
                    is_free[pick] = False
            many += 1
        else:
            leave_out(ranks, nodes, middle, node)
            leave_alone(stack, tries, is_free, picks, nodes, work, span)
        renew(stack, ranks, least_stack, span[0], span[1])
    return many


@compiled
def density_of(events: Found, many: int, sought: Sought, rules: Rules) -> Density:
    """By the events that were found so far."""
    found = np.flatnonzero(events.sizes[:many] > 0)
    log_mean = rules.log_density + math.log((len(found) + LEAST_EVENTS) / (sought.span_s * sought.volume_km3))
    near_km = max(NEAR_KM, NEAR_SHARE * math.sqrt(sought.area_km2))
    return Density(log_mean, sought.area_km2, near_km, events.places[found, 0], events.places[found, 1], found)


@compiled
def find_events(
    bins: int,
    sought: Sought,
    most_events: int,
    nodes: Nodes,
    least_stack: float,
    given: Given,
) -> Found:
    """Of the events that begin within the bins."""
    picks, rules, span_s = given.picks, given.rules, sought.span_s
    many_picks, many_stations = len(picks.onset), len(given.stations.latitude)
    events = Found(
        np.zeros((most_events, 4)),
        np.zeros(most_events),
        np.zeros(most_events, np.int64),
        np.zeros((most_events, 2, 2 * many_stations), np.int64),
        np.full(many_picks, -1, np.int64),
        np.zeros(many_picks),
    )
    work = Work(
        np.zeros((2, ROOM), np.int64),
        np.zeros((10, ROOM)),
        np.zeros((4, 4)),
        np.zeros(2 * many_stations + 2, np.int64),
        np.zeros(many_stations),
        np.zeros((2, many_stations)),
        np.zeros((2, many_stations)),
        np.zeros((2, many_stations), np.int64),
        np.zeros(many_picks),
        np.zeros(1, np.int64),
    )
    tried = np.zeros(most_events, np.int64)
    many, density = 0, density_of(events, 0, sought, rules)
    for _ in range(ROUNDS):
        count_others(picks, events.owner, span_s)
        before = many
        many = search(events, many, density, bins, nodes, least_stack, given, work)
        if many == before:
            break
        count_others(picks, events.owner, span_s)
        density = density_of(events, many, sought, rules)
        for _ in range(SWEEPS):
            for event in range(many):
                if events.sizes[event]:
                    release(event, events)
                    settle(event, False, density, events, given, work)
            for event in range(many):
                keep_own(event, events)
        many = part_mixtures(many, tried, density, events, given, work)
    return Found(
        events.places[:many], events.odds[:many], events.sizes[:many], events.members[:many], events.owner, events.claim
    )
