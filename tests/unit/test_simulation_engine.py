"""Records of stations: the same whatever the start, waves where they belong, and truth that can be measured."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from kensoku.simulation.engine import Block, SourceArrival, World, block_at, open_world, record
from kensoku.simulation.instruments import Instrument, find_sensor
from kensoku.simulation.networks import Station
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.recorder import Int32Array
from kensoku.simulation.truth import Sightings, judge_arrival
from kensoku.simulation.waves import Arrival, WaveTrain

RATE_HZ = 100


@pytest.fixture(scope="module")
def world() -> World:
    return open_world("aftershocks")


def ringing(world: World, lasts_s: int = 90) -> World:
    """Every source sends 5 Hz at once, to everybody."""

    def waves(rows: Sequence[int], station: Station) -> Iterator[WaveTrain]:
        for row in rows:
            start_ns = int(world.catalogue.time_ns[row]) // 10**7 * 10**7
            times_s = np.arange(lasts_s * station.rate_hz) / station.rate_hz
            velocity = np.tile(1e-4 * np.sin(2 * np.pi * 5 * times_s), (3, 1))
            yield WaveTrain(start_ns, velocity, (Arrival("Pg", start_ns),))

    return replace(world, waves=waves)


def silent(world: World) -> World:
    return replace(world, waves=lambda rows, station: [None] * len(rows))


def counts(world: World, station: Station, first: int, blocks: int) -> list[Int32Array]:
    return [block.counts for block in islice(record(world, station, first), blocks)]


def test_a_block_is_the_same_whatever_the_start(world: World) -> None:
    first = block_at(world.start_ns) + 14  # as the mainshock happens
    for station in world.stations[:3]:
        whole = counts(ringing(world), station, first, 6)
        late = counts(ringing(world), station, first + 4, 2)
        assert [np.array_equal(*pair) for pair in zip(whole[4:], late, strict=True)] == [True, True]


def test_a_station_does_not_depend_on_the_others(world: World) -> None:
    first = block_at(world.start_ns) + 15
    alone = replace(world, stations=world.stations[2:3])
    (expected,) = counts(ringing(world), world.stations[2], first, 1)
    assert np.array_equal(counts(ringing(alone), alone.stations[0], first, 1)[0], expected)


def test_waves_begin_at_their_time(world: World) -> None:
    """The difference between a record with waves and one without is the waves alone."""
    station = next(s for s in world.stations if s.sensor == "geophone-1hz")
    onset_ns = int(world.catalogue.time_ns[0])
    first = block_at(onset_ns)
    with_waves, without = (counts(each, station, first, 2) for each in (ringing(world), silent(world)))
    moved = np.abs(np.concatenate(with_waves, axis=1) - np.concatenate(without, axis=1)).max(axis=0)
    start_ns = next(record(world, station, first)).start_ns
    expected = (onset_ns - start_ns) / 1e9 * RATE_HZ
    assert abs(np.flatnonzero(moved > 0.05 * moved.max())[0] - expected) <= 3


def test_every_arrival_is_told_once_in_its_block(world: World) -> None:
    first = block_at(world.start_ns) + 14
    blocks = list(islice(record(ringing(world), world.stations[0], first), 4))
    told = [arrival for block in blocks for arrival in block.arrivals]
    for block in blocks:
        assert all(0 <= arrival.time_ns - block.start_ns < 60 * 10**9 for arrival in block.arrivals)
    happened = world.catalogue.time_ns // 10**7 * 10**7
    within = (happened >= blocks[0].start_ns) & (happened < blocks[-1].start_ns + 60 * 10**9)
    assert [arrival.row for arrival in told] == np.flatnonzero(within).tolist()
    assert len(told) > 50


# --- how well arrivals are seen ---------------------------------------------------------------------------------------

GEOPHONE = Instrument(find_sensor("geophone-1hz"))


def waves(counts: float, onset: int) -> FloatArray:
    """7 Hz on the vertical, of an amplitude that the geophone turns into so many counts."""
    velocity = np.zeros((3, 6000))
    velocity[0, onset:] = counts / GEOPHONE.sensitivity * np.sin(2 * np.pi * 7 * np.arange(6000 - onset) / RATE_HZ)
    return velocity


def test_an_arrival_at_the_end_of_a_block_waits_for_the_next() -> None:
    noise = 100 * np.random.default_rng(3).standard_normal((3, 6000))
    samples, velocity = noise.astype(np.int32), waves(3000, 2990)
    arrival = SourceArrival(0, "Pg", 30 * 10**9 - 10**8)
    sightings = Sightings(GEOPHONE)
    assert sightings.judge(Block(-30 * 10**9, samples[:, :3000], [arrival], velocity[:, :3000])) == []
    (sighting,) = sightings.judge(Block(30 * 10**9, samples[:, 3000:], [], velocity[:, 3000:]))
    assert sighting.visibility.is_visible
    whole = judge_arrival(samples, velocity, GEOPHONE, 2990)
    assert sighting.visibility.snr == pytest.approx(whole.snr, rel=0.02)


def test_the_waves_of_a_block_are_those_in_its_counts(world: World) -> None:
    station = next(s for s in world.stations if s.sensor == "geophone-1hz" and not s.borehole_m)
    first = block_at(int(world.catalogue.time_ns[0]))
    (loud,) = islice(record(ringing(world), station, first), 1)
    (quiet,) = islice(record(silent(world), station, first), 1)
    difference = (loud.counts - quiet.counts)[0] / GEOPHONE.sensitivity
    assert not quiet.waves_m_s.any()
    begins = np.flatnonzero(loud.waves_m_s[0])[0]
    late = slice(begins + 200, begins + 300)  # the gain of a component may be some per cent off
    assert np.corrcoef(difference[late], loud.waves_m_s[0, late])[0, 1] > 0.95
