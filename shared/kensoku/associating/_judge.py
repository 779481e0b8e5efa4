"""Whether a fitted earthquake is one: the odds, by all that was picked and all that was not."""

import math

import numpy as np

from kensoku.associating._arrays import Floats, Given, Ints, Picks, Rules, Stations, Work
from kensoku.associating._fit import first_after, offset, travel
from kensoku.compiled import compiled, lean

RADII_KM = np.array([10.0, 15.0, 20.0, 30.0, 40.0, 55.0, 75.0, 100.0, 130.0, 170.0, 220.0, 300.0])
LEAST_DETECTED = 0.02
AFTER_S = 2.0  # s after a predicted arrival, from when on it counts that it was not picked
BOTH, P_ALONE, S_ALONE = 0.7, 0.22, 0.08  # what is picked at stations that pick anything of an event
HIDDEN_S = (8.0, 0.5)  # before and after a predicted arrival: what else is picked there may hide it
HIDDEN = 0.6  # of the arrivals there, where they are hidden at all
DROWNED = 0.85  # of all P, where the ground still shakes of a larger earthquake and S alone stand out
LEAST_PRODUCT = 1e-100  # of probabilities, before it becomes a logarithm
AGAINST_HIDDEN, AGAINST_DROWNED = 3.0, 4.0  # logarithms of the odds against either


@lean
def choose(count: int, found: Ints, values: Floats, picks: Picks, rules: Rules, chosen: Ints) -> int:
    """Of each station the most probable pick for P and for S, no pick for both; returns how many."""
    many, start = 0, 0
    while start < count:
        best, end = start, start
        while end < count and (
            found[1, end] == found[1, start] and picks.station[found[0, end]] == picks.station[found[0, start]]
        ):
            if values[6, end] > values[6, best]:
                best = end
            end += 1
        fits = abs(values[1, best]) <= min(rules.widest_s, 3.0 * math.sqrt(values[2, best]))
        if fits and values[0, best] > 0.5 and values[6, best] > 0:
            if many > 0 and found[0, chosen[many - 1]] == found[0, best]:
                if values[6, best] > values[6, chosen[many - 1]]:
                    chosen[many - 1] = best
            else:
                chosen[many] = best
                many += 1
        start = end
    return many


@lean
def is_busy(moment: float, station: int, picks: Picks, work: Work, many: int) -> bool:
    """Whether something else was picked there just before, whose waves may hide an arrival."""
    before, after = HIDDEN_S
    end = picks.first[station + 1]
    k = first_after(picks.onset, picks.first[station], end, moment - before)
    while k < end and picks.onset[k] < moment + after:
        is_own = False
        for index in range(many):
            is_own = is_own or work.found[0, work.chosen[index]] == k
        if not is_own:
            return True
        k += 1
    return False


@lean
def is_in_gap(moment: float, station: int, stations: Stations) -> bool:
    for k in range(stations.first_gap[station], stations.first_gap[station + 1]):
        if stations.gaps[0, k] <= moment < stations.gaps[1, k]:
            return True
    return False


@lean
def explain(radius: float, share: float, drowned: float, given: Given, work: Work) -> float:
    """The logarithm of how probable it is that just these stations have P, S, both or neither, if the event is picked
    up to a radius, a share of the arrivals is hidden where something else was picked just before, and of the P so many
    everywhere."""
    stations, rules = given.stations, given.rules
    has, distance, heard, total, product = work.has, work.distance, work.heard, 0.0, 1.0
    for station in range(len(distance)):
        if distance[station] > rules.reach_km:
            continue
        near = rules.detected / (1.0 + math.exp((distance[station] - radius) / (0.3 * radius + 5.0)))
        near = max(near, LEAST_DETECTED)
        p, s = max(share * work.hidden[0, station], drowned), share * work.hidden[1, station]
        both, p_alone = (1.0 - p) * (1.0 - s) * BOTH, (1.0 - p) * (P_ALONE + s * BOTH)
        s_alone = (1.0 - s) * (S_ALONE + p * BOTH)
        no_s_yet = stations.evaluated[station] <= heard[1, station]
        if has[0, station] and has[1, station]:
            product *= near * both
        elif has[0, station]:
            product *= near * (p_alone + both if no_s_yet else p_alone)
        elif has[1, station]:
            product *= near * s_alone
        elif stations.evaluated[station] > heard[0, station]:
            seen = (1.0 - p) * (BOTH + P_ALONE) + S_ALONE if no_s_yet else both + p_alone + s_alone
            product *= 1.0 - near * seen
        if product < LEAST_PRODUCT:
            total, product = total + math.log(product), 1.0
    return total + math.log(product)


@compiled
def judge(
    place: Floats,
    count: int,
    log_density: float,
    given: Given,
    work: Work,
) -> tuple[int, float]:
    """How many picks are the event's (`work.chosen`), and the logarithm of its odds against what is picked anyway: how
    well its picks fit, which stations within its range have none, how closely place and time are known, and how often
    an earthquake is there."""
    earth, stations, picks = given.earth, given.stations, given.picks
    many = choose(count, work.found, work.values, picks, given.rules, work.chosen)
    has, distance, heard, hidden, normal = work.has, work.distance, work.heard, work.hidden, work.normal
    gain = 0.0
    has[:] = 0
    for index in range(many):
        k = work.chosen[index]
        gain += work.values[6, k]
        has[work.found[1, k], picks.station[work.found[0, k]]] = 1
    for station in range(len(distance)):
        north, east = offset(place, stations.latitude[station], stations.longitude[station])
        distance[station] = math.sqrt(north * north + east * east)
        hidden[:, station] = 0
        if distance[station] > given.rules.reach_km:  # whatever is there tells nothing
            continue
        for phase in range(2):
            wanted = place[3] + travel(earth.times, phase, distance[station], place[2])[0]
            heard[phase, station] = math.inf if is_in_gap(wanted, station, stations) else wanted + AFTER_S
            hidden[phase, station] = is_busy(wanted, station, picks, work, many)
    with_p = has[0].sum()
    is_any_hidden, is_mostly_s = hidden.any(), np.maximum(has[0], has[1]).sum() > 2 * with_p
    best = -1e300
    for radius in RADII_KM:
        best = max(best, explain(radius, 0.0, 0.0, given, work))
        if is_any_hidden:
            best = max(best, explain(radius, HIDDEN, 0.0, given, work) - AGAINST_HIDDEN)
        if is_mostly_s:  # else the other way explains more
            best = max(best, explain(radius, 0.0, DROWNED, given, work) - AGAINST_DROWNED)
        if is_any_hidden and is_mostly_s:
            best = max(best, explain(radius, HIDDEN, DROWNED, given, work) - AGAINST_HIDDEN - AGAINST_DROWNED)
    volume = 2.0 * math.log(2.0 * math.pi)
    for i in range(4):
        volume -= math.log(normal[i, i])  # decomposed
    return many, gain + best + volume + log_density


@lean
def is_enough(many: int, given: Given, work: Work) -> bool:
    rules, has, stations, p, clear = given.rules, work.has, 0, 0, 0
    for index in range(many):
        clear += 1 - given.picks.faint[work.found[0, work.chosen[index]]]
    for station in range(has.shape[1]):
        if has[0, station] or has[1, station]:
            stations += 1
        p += has[0, station]
    is_many = many >= rules.least_picks or p >= rules.least_p
    return is_many and clear >= rules.least_clear and stations >= rules.least_stations
