"""The earthquake that explains picks best, from a rough guess: place, depth and time, and which picks are its own.

Every pick may be P, S, or neither. The fit alternates between how probable each is, given all others of its station
and what is picked there anyway, and the least-squares step that follows, while the tolerance narrows.
"""

import math

import numpy as np

from kensoku.associating._amplitudes import compare_sizes
from kensoku.associating._arrays import Earth, Floats, Given, Singles, Work
from kensoku.compiled import compiled, inlined, lean
from kensoku.sphere import KM_PER_DEG

NARROWING_S = np.array([1.2, 0.9, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05])
SIZED_S = 0.4  # from this tolerance on amplitudes count
POLISHING = 8
CLOSE_KM = 0.1
LARGEST_STEP_KM = 8.0
TAIL = 0.2  # of the residuals have three times the error
HELD = 1e6  # weight that keeps a depth at its limit
FAINT = 0.3  # how often an earthquake's arrival is a faint pick, beside one that its picker told
ROOM = 4096  # pairs of pick and phase of one fit


@inlined
def travel(times: Singles, phase: int, distance: float, depth: float) -> tuple[float, float, float]:
    """Time and its slopes over distance and depth."""
    x = min(distance, times.shape[2] - 1.001)
    z = min(max(depth, 0.0), times.shape[1] - 1.001)
    i, j = int(x), int(z)
    u, v = x - i, z - j
    a, b = times[phase, j, i], times[phase, j, i + 1]
    c, d = times[phase, j + 1, i], times[phase, j + 1, i + 1]
    upper, lower = a + u * (b - a), c + u * (d - c)
    across = (b - a) + v * ((d - c) - (b - a))
    return upper + v * (lower - upper) + across * (distance - x), across, lower - upper


@inlined
def offset(place: Floats, latitude: float, longitude: float) -> tuple[float, float]:
    """Kilometres north and east of the place."""
    turn = longitude - place[1]
    if turn > 180.0:
        turn -= 360.0
    elif turn < -180.0:
        turn += 360.0
    east = turn * KM_PER_DEG * math.cos(math.radians(0.5 * (latitude + place[0])))
    return (latitude - place[0]) * KM_PER_DEG, east


@lean
def first_after(onset: Floats, low: int, high: int, moment: float) -> int:
    while low < high:
        middle = (low + high) // 2
        if onset[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@lean
def gather(place: Floats, slack_s: float, given: Given, work: Work) -> int:
    """Picks near a predicted P or S, by station and phase (`work.found`); returns how many."""
    earth, stations, picks, found = given.earth, given.stations, given.picks, work.found
    count = 0
    for station in range(len(stations.latitude)):
        begin, end = picks.first[station], picks.first[station + 1]
        if begin == end or abs(stations.latitude[station] - place[0]) * KM_PER_DEG > given.rules.reach_km:
            continue
        north, east = offset(place, stations.latitude[station], stations.longitude[station])
        distance = math.sqrt(north * north + east * east)
        if distance > given.rules.reach_km:
            continue
        for phase in range(2):
            time, _, _ = travel(earth.times, phase, distance, place[2])
            wanted = place[3] + time + stations.delay[phase, station]
            k = first_after(picks.onset, begin, end, wanted - slack_s)
            while k < end and picks.onset[k] <= wanted + slack_s and count < found.shape[1]:
                found[0, count], found[1, count] = k, phase
                count += 1
                k += 1
    return count


@inlined
def share_of(faint: int) -> float:
    """Of an earthquake's arrivals, beside those that its picker told."""
    return FAINT if faint else 1.0


@lean
def weigh(place: Floats, narrow_s: float, count: int, is_told: bool, given: Given, work: Work) -> float:
    """How probably each found pick is the event's, P or S: rows of `work.values` are weight, residual, variance, slopes
    of north, east and depth, log-likelihood ratio (where it is told), distance, and what amplitudes tell."""
    earth, stations, picks, detected = given.earth, given.stations, given.picks, given.rules.detected
    found, values, rival = work.found, work.values, work.rival
    last_station, last_phase = -1, -1
    north = east = distance = time = across = down = 0.0
    are_sized = picks.has_amplitudes and narrow_s < SIZED_S
    for k in range(count):
        pick, phase = found[0, k], found[1, k]
        station = picks.station[pick]
        if station != last_station:
            north, east = offset(place, stations.latitude[station], stations.longitude[station])
            distance = max(math.sqrt(north * north + east * east), 1e-6)
        if station != last_station or phase != last_phase:
            time, across, down = travel(earth.times, phase, distance, place[2])
            last_station, last_phase = station, phase
        residual = picks.onset[pick] - place[3] - time - stations.delay[phase, station]
        spread = max(earth.error_s, earth.error_share * time)
        variance = picks.sigma[pick] ** 2 + spread**2 + narrow_s**2
        wide = math.exp(-0.5 * residual**2 / (9 * variance))
        narrow, top = (wide * wide * wide) ** 3, 1.0 / math.sqrt(2 * math.pi * variance)
        middle, tail = (1.0 - TAIL) * narrow * top, TAIL * wide * top / 3
        density = middle + tail
        chance = share_of(picks.faint[pick]) * picks.label[phase, pick]
        ratio = chance * density / (picks.background[pick] + rival[pick])
        values[0, k], values[1, k], values[2, k] = (
            detected * ratio,
            residual,
            variance * density / max(middle + tail / 9, 1e-300),
        )
        values[3, k], values[4, k], values[5, k] = -across * north / distance, -across * east / distance, down
        values[7, k] = distance
        if is_told or are_sized:
            values[6, k] = math.log(max(ratio, 1e-12))
    if are_sized:
        compare_sizes(place[2], detected, picks, count, found, values)
    start, worth = 0, 0.0
    while start < count:
        end, total = start, 1.0 - detected
        while end < count and (
            found[1, end] == found[1, start] and picks.station[found[0, end]] == picks.station[found[0, start]]
        ):
            total += values[0, end]
            end += 1
        for k in range(start, end):
            values[0, k] /= total
        if is_told:
            worth += math.log(total)
        start = end
    return worth


@lean
def solve(normal: Floats, right: Floats) -> None:
    """By Cholesky's decomposition, which is left below the diagonal and on it."""
    for i in range(4):
        for j in range(i + 1):
            rest = normal[i, j]
            for k in range(j):
                rest -= normal[i, k] * normal[j, k]
            normal[i, j] = math.sqrt(max(rest, 1e-12)) if i == j else rest / normal[j, j]
    for i in range(4):
        for k in range(i):
            right[i] -= normal[i, k] * right[k]
        right[i] /= normal[i, i]
    for i in range(3, -1, -1):
        for k in range(i + 1, 4):
            right[i] -= normal[k, i] * right[k]
        right[i] /= normal[i, i]


@compiled
def step(place: Floats, earth: Earth, count: int, values: Floats, normal: Floats) -> float:
    """The least-squares step, with a wide prior on depth; leaves the normal matrix and returns the length in km."""
    right = np.zeros(4)
    normal[:] = 0.0
    slope = np.ones(4)
    for k in range(count):
        if values[0, k] < 1e-3:
            continue
        gain = values[0, k] / values[2, k]
        slope[0], slope[1], slope[2] = values[3, k], values[4, k], values[5, k]
        for i in range(4):
            right[i] += gain * slope[i] * values[1, k]
            for j in range(4):
                normal[i, j] += gain * slope[i] * slope[j]
    normal[2, 2] += 1.0 / earth.spread_km**2
    right[2] += (earth.usual_km - place[2]) / earth.spread_km**2
    for i in range(4):
        normal[i, i] += 1e-4
    kept, change = normal.copy(), right.copy()
    solve(normal, change)
    bound = min(max(place[2] + change[2], earth.shallowest_km), earth.deepest_km) - place[2]
    if bound != change[2]:
        normal[:], change = kept, right.copy()
        normal[2, 2] += HELD
        change[2] += HELD * bound
        solve(normal, change)
        normal[2, 2] = math.sqrt(kept[2, 2])
    length = math.sqrt(change[0] ** 2 + change[1] ** 2 + change[2] ** 2)
    shrink = min(1.0, LARGEST_STEP_KM / max(length, 1e-9))
    place[0] += shrink * change[0] / KM_PER_DEG
    place[1] += shrink * change[1] / (KM_PER_DEG * math.cos(math.radians(place[0])))
    place[2] = min(max(place[2] + shrink * change[2], earth.shallowest_km), earth.deepest_km)
    place[3] += shrink * change[3]
    return length


@compiled
def approach(
    place: Floats,
    first: int,
    last: int,
    given: Given,
    work: Work,
) -> int:
    """Moves the place towards where it explains most, by some of the steps of `NARROWING_S`; returns how many pairs of
    pick and phase are near by."""
    count = 0
    for turn in range(first, last):
        narrow_s = NARROWING_S[turn]
        if turn % 3 == 0 or turn == first:
            count = gather(place, 3.0 * narrow_s + given.rules.widest_s, given, work)
        weigh(place, narrow_s, count, turn == last - 1, given, work)
        step(place, given.earth, count, work.values, work.normal)
    return count


@compiled
def polish(
    place: Floats,
    count: int,
    given: Given,
    work: Work,
) -> None:
    """Moves the place uphill until it is at the top."""
    worth = weigh(place, 0.0, count, True, given, work)
    before = place.copy()
    for _ in range(POLISHING):
        before[:] = place
        length = step(place, given.earth, count, work.values, work.normal)
        now = weigh(place, 0.0, count, True, given, work)
        while now < worth and length > CLOSE_KM:
            place[:] = 0.5 * (place + before)
            length *= 0.5
            now = weigh(place, 0.0, count, True, given, work)
        if length <= CLOSE_KM:
            break
        worth = now
