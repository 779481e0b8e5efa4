"""A station that is dead, or late, delays no event of others."""

from dataclasses import replace

import numpy as np
import pytest

from kensoku.associating import Onset, Watch
from kensoku.associating._seams import GONE
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_STATUS_PRELIMINARY, EVENT_STATUS_RETRACTED
from kensoku.v1.pick_pb2 import Progress
from tests.shocks import BEGIN_NS, NS_PER_S, Shock, network, onsets, pick, progress, sites

SHOCK = Shock(30, -25, -25)  # beside S00; its stations are within 40 km
LAME = "XX.S33"  # 80 km away
LATE_S = 60.0


def near(shock: Shock) -> list[Onset]:
    """Picks of stations within 40 km of it."""
    return [each for each in onsets([shock], detected=1.0)[0] if int(each.station[-2]) + int(each.station[-1]) <= 2]


def follow(given: list[Onset], late_s: dict[str, float], *, until_s: int = 330) -> dict[str, list[Association]]:
    """Second by second: what is told of each event, with picks and progress of some stations so late."""
    watch = Watch("here", network())
    told: dict[str, list[Association]] = {}
    for second in range(1, until_s):
        for each in given:
            comes_s = (each.onset_ns - BEGIN_NS) / NS_PER_S + 2 + late_s.get(each.station, 0.0)
            if second - 1 <= comes_s < second:
                watch.add(pick(each))
        for code in sites():
            if late_s.get(code, 0.0) < until_s:
                watch.hear(progress(second - 2 - late_s.get(code, 0.0), [code]))
        for association in watch.step():
            told.setdefault(association.event_id, []).append(association)
    return told


def told_at(told: dict[str, list[Association]]) -> list[tuple[int, int, int, int]]:
    [states] = told.values()
    assert (states[0].status, states[-1].status) == (EVENT_STATUS_PRELIMINARY, EVENT_STATUS_FINAL)
    return [(each.revision, each.status, each.tick_ns, len(each.picks)) for each in states]


def test_a_station_that_was_never_heard_of_delays_nothing() -> None:
    assert told_at(follow(near(SHOCK), {LAME: 1e6})) == told_at(follow(near(SHOCK), {}))


def test_a_station_that_is_a_minute_late_delays_no_event_that_it_does_not_hear() -> None:
    other = [replace(each, id=f"late-{each.id}") for each in onsets([Shock(60, 28, 28)])[0] if each.station == LAME]
    assert other, "it does pick something"
    alone, beside = follow(near(SHOCK), {}), follow([*near(SHOCK), *other], {LAME: LATE_S})
    assert told_at(beside) == told_at(alone)


def test_an_event_waits_for_the_picks_of_a_late_station_beside_it() -> None:
    late = "XX.S01"
    [prompt], [waiting] = (follow(near(SHOCK), each).values() for each in ({}, {late: LATE_S}))
    assert {each.pick.id for each in waiting[-1].picks} == {each.pick.id for each in prompt[-1].picks}
    assert waiting[0].tick_ns <= prompt[0].tick_ns + 10 * NS_PER_S, "but is told without them"
    assert waiting[-1].tick_ns >= prompt[-1].tick_ns + (LATE_S - 5) * NS_PER_S


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_event_has_its_last_word_where_stations_are_caught_up_with_one_after_the_other(seed: int) -> None:
    """As after an outage: one station is far ahead, so that event time stands while the others are read."""
    chance, codes, until_s = np.random.default_rng(seed), sorted(sites()), 760
    swarm = [Shock(float(chance.uniform(30, 60)), *map(float, chance.uniform(-25, 25, 2))) for _ in range(30)]
    picks = [pick(each) for each in onsets(swarm, seed=seed, detected=0.6)[0]]
    watch, last = Watch("here", network()), dict[str, Association]()
    parts = codes[:1], codes[1:8], codes[8:]
    for number, part in enumerate(parts[1:], 1):
        watch.hear(read_to(1, number, part))
    for number, part in enumerate(parts):
        for each in picks:
            if f"XX.{each.instrument.station}" in part:
                watch.add(each)
        watch.hear(read_to(until_s, number, part))
        last |= {each.event_id: each for each in watch.step()}
    ended = {each.status for each in last.values()}
    assert {EVENT_STATUS_FINAL, EVENT_STATUS_RETRACTED} <= ended <= {*GONE, EVENT_STATUS_FINAL}


def read_to(after_s: float, partition: int, codes: list[str]) -> Progress:
    told = progress(after_s, codes)
    told.partition, told.read_to_ns = partition, 1_800_000_000 * NS_PER_S + round(after_s * NS_PER_S)
    return told
