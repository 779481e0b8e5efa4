"""Two earthquakes of one moment that share a group of picks, or hold each other's: parted where that explains more.

A fit that begins between two of them may end as a mixture of both, from which no step leads uphill. So the halves of
such a mixture are set apart in some ways, and fitted against each other.
"""

import math
from typing import NamedTuple

import numpy as np

from kensoku.associating._arrays import Density, Floats, Given, Ints, Work
from kensoku.associating._events import Found, keep_own, release, settle
from kensoku.associating._fit import NARROWING_S, approach, gather, weigh
from kensoku.compiled import compiled, lean
from kensoku.sphere import KM_PER_DEG

NEAR_S = 2.5  # of an arrival: what is picked there may be of another earthquake
LEAST_NEAR = 3  # stations with such picks
TOGETHER_S = 2.0  # earthquakes that begin so near may hold picks of each other
FIRST = 2  # step that a fit of halves begins with
TURNS = 2  # in which the halves take their picks
WAYS = np.array(  # from the middle to a half: km north, km east, s
    [
        [0.0, 0.0, 0.3],
        [3.0, 0.0, 0.0],
        [0.0, 3.0, 0.0],
        [3.0, 3.0, 0.3],
        [3.0, -3.0, 0.3],
        [10.0, 0.0, 0.0],
        [0.0, 10.0, 0.0],
        [7.0, 7.0, 0.0],
        [7.0, -7.0, 0.0],
    ]
)
BETTER = 1.0  # logarithm of the odds that two have to gain


class Two(NamedTuple):
    """What is known of two events, and of all picks."""

    places: Floats
    odds: Floats
    sizes: Ints
    members: Ints
    owner: Ints
    claim: Floats


@compiled
def part_mixtures(
    many: int,
    tried: Ints,
    density: Density,
    events: Found,
    given: Given,
    work: Work,
) -> int:
    """Every event with picks of nobody near its arrivals, every two of one moment, unless they were tried (`tried`) as
    they are; returns how many events there are then."""
    is_news = np.zeros(len(tried), np.bool_)
    for event in range(many):
        state = signature(event, events)
        is_news[event], tried[event] = state != tried[event], state
    for event in range(many):
        if many == len(events.sizes):
            break
        if is_news[event] and near(event, -1, events, given, work) >= LEAST_NEAR:
            many += part(event, many, density, events, given, work)
        for other in range(event):
            are_two = events.sizes[event] and events.sizes[other] and (is_news[event] or is_news[other])
            is_one_moment = abs(events.places[event, 3] - events.places[other, 3]) < TOGETHER_S
            if are_two and is_one_moment and near(event, other, events, given, work) >= LEAST_NEAR:
                part(event, other, density, events, given, work)
    for event in range(many):  # also those that others took picks from
        keep_own(event, events)
    return many


@lean
def signature(event: int, events: Found) -> int:
    """Of its picks; 0: it has none."""
    total = 0
    for index in range(events.sizes[event]):
        pick = events.members[event, 0, index] + 1
        total += pick * pick * pick * (1 + events.members[event, 1, index])
    return total


@lean
def near(event: int, owner: int, events: Found, given: Given, work: Work) -> int:
    """At how many stations picks of this owner or of nobody are near an arrival of the event."""
    if not events.sizes[event]:
        return 0
    picks, count = given.picks, gather(events.places[event], NEAR_S, given, work)
    many, last = 0, -1
    for index in range(count):
        pick, phase = work.found[0, index], work.found[1, index]
        is_others = events.owner[pick] < 0 or events.owner[pick] == owner
        if is_others and picks.label[phase, pick] >= 0.5 and picks.station[pick] != last:
            many, last = many + 1, picks.station[pick]
    return many


@compiled
def part(
    one: int,
    other: int,
    density: Density,
    events: Found,
    given: Given,
    work: Work,
) -> bool:
    """Whether two earthquakes are found that explain more than what is at both places now; the second may be empty."""
    best, before = worth(one, other, events), taken(one, other, events)
    found, is_better, halves = before, False, np.empty((2, 4))
    for way in range(len(WAYS)):
        put_back(before, one, other, events)
        release(one, events)
        release(other, events)
        set_apart(halves, before, WAYS[way])
        for turn in range(FIRST, len(NARROWING_S)):
            for half in range(2):
                claim(halves[1 - half], NARROWING_S[turn], events, given, work)
                approach(halves[half], turn, turn + 1, given, work)
        events.places[one], events.places[other] = halves[0], halves[1]
        is_sound = True
        for _ in range(TURNS):
            for event in (one, other):
                release(event, events)
                is_sound = is_sound and settle(event, False, density, events, given, work)
        if is_sound and worth(one, other, events) > best + BETTER:
            best, found, is_better = worth(one, other, events), taken(one, other, events), True
    put_back(found, one, other, events)
    return is_better


@lean
def worth(one: int, other: int, events: Found) -> float:
    return (events.odds[one] if events.sizes[one] else 0.0) + (events.odds[other] if events.sizes[other] else 0.0)


@compiled
def taken(one: int, other: int, events: Found) -> Two:
    both = np.array([one, other])
    return Two(
        events.places[both],
        events.odds[both],
        events.sizes[both],
        events.members[both],
        events.owner.copy(),
        events.claim.copy(),
    )


@compiled
def put_back(two: Two, one: int, other: int, events: Found) -> None:
    for half in range(2):
        event = one if half == 0 else other
        events.places[event], events.odds[event], events.sizes[event] = (
            two.places[half],
            two.odds[half],
            two.sizes[half],
        )
        events.members[event] = two.members[half]
    events.owner[:], events.claim[:] = two.owner, two.claim


@compiled
def set_apart(halves: Floats, two: Two, way: Floats) -> None:
    """From the middle of both, or from the one that is there."""
    middle = two.places[0].copy()
    if two.sizes[1]:
        middle[:] = 0.5 * (two.places[0] + two.places[1])
    for half in range(2):
        sign = 1.0 - 2.0 * half
        halves[half] = middle
        halves[half, 0] += sign * way[0] / KM_PER_DEG
        halves[half, 1] += sign * way[1] / (KM_PER_DEG * math.cos(math.radians(middle[0])))
        halves[half, 3] += sign * way[2]


@lean
def claim(
    place: Floats,
    narrow_s: float,
    events: Found,
    given: Given,
    work: Work,
) -> None:
    """What rivals claim of each pick: an earthquake there, and those that hold it."""
    picks, count = given.picks, gather(place, 3.0 * narrow_s + given.rules.widest_s, given, work)
    work.rival[:] = 0.0
    weigh(place, narrow_s, count, True, given, work)
    for index in range(count):
        pick = work.found[0, index]
        work.rival[pick] = max(work.rival[pick], math.exp(work.values[6, index]) * picks.background[pick])
    for pick in range(len(work.rival)):
        if events.owner[pick] >= 0:
            work.rival[pick] += events.claim[pick]
