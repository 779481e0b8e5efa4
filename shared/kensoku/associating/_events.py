"""Earthquakes so far, and whose each pick is."""

import math
from typing import NamedTuple

from kensoku.associating._arrays import Density, Floats, Given, Ints, Work
from kensoku.associating._fit import NARROWING_S, approach, offset, polish
from kensoku.associating._judge import is_enough, judge
from kensoku.compiled import compiled, lean

GUESS = 4  # steps of a fit, then it is given up if it cannot become an event
OPTIMISM = 1.5  # of the logarithm of each pick's odds, that better times may bring
FINE = 8  # step that a fit begins with when it is fitted again
ANYWHERE = 3.0  # as if by so many earthquakes, others are expected at any place


class Found(NamedTuple):
    """Events so far; a pick belongs to one at the most."""

    places: Floats  # event: latitude, longitude, depth, time
    odds: Floats  # logarithm
    sizes: Ints
    members: Ints  # event, (pick, phase), place in the list
    owner: Ints  # pick: event or -1
    claim: Floats  # pick: density of its owner there


@lean
def log_density(place: Floats, event: int, density: Density) -> float:
    """There, by the others: earthquakes come where earthquakes are, and some anywhere."""
    peak, near, others = density.area_km2 / (math.pi * density.near_km**2), ANYWHERE, 0
    for k in range(len(density.event)):
        if density.event[k] != event:
            north, east = offset(place, density.latitude[k], density.longitude[k])
            near += peak / (1.0 + (north * north + east * east) / density.near_km**2) ** 2
            others += 1
    return density.log_mean + math.log(near / (ANYWHERE + others))


@compiled
def settle(
    event: int,
    is_new: bool,
    density: Density,
    events: Found,
    given: Given,
    work: Work,
) -> bool:
    """Fits an event and, if it is one, gives it its picks, also those that another holds but explains less."""
    picks, rules = given.picks, given.rules
    place = events.places[event].copy()
    for k in range(len(work.rival)):
        is_others = events.owner[k] >= 0 and events.owner[k] != event
        work.rival[k] = events.claim[k] if is_others else 0.0
    begin, end = (0, GUESS) if is_new else (FINE, len(NARROWING_S))
    count = approach(place, begin, end, given, work)
    work.pairs[0] = count
    if is_new:
        many, worth = judge(place, count, log_density(place, event, density), given, work)
        if worth + OPTIMISM * many < rules.least_log_odds or not is_enough(many, given, work):
            return False
        count = approach(place, GUESS, len(NARROWING_S), given, work)
        work.pairs[0] = count
    polish(place, count, given, work)
    many, worth = judge(place, count, log_density(place, event, density), given, work)
    if worth < rules.least_log_odds or not is_enough(many, given, work):
        return False
    events.places[event], events.odds[event], events.sizes[event] = place, worth, many
    for index in range(many):
        k = work.chosen[index]
        pick = work.found[0, k]
        events.members[event, 0, index], events.members[event, 1, index] = pick, work.found[1, k]
        events.owner[pick] = event
        events.claim[pick] = math.exp(work.values[6, k]) * (picks.background[pick] + work.rival[pick])
    return True


@lean
def release(event: int, events: Found) -> None:
    for index in range(events.sizes[event]):
        pick = events.members[event, 0, index]
        if events.owner[pick] == event:
            events.owner[pick] = -1
    events.sizes[event] = 0


@lean
def keep_own(event: int, events: Found) -> None:
    """Without the picks that another event took."""
    kept = 0
    for index in range(events.sizes[event]):
        pick, phase = events.members[event, 0, index], events.members[event, 1, index]
        if events.owner[pick] == event:
            events.members[event, 0, kept], events.members[event, 1, kept] = pick, phase
            kept += 1
    events.sizes[event] = kept
