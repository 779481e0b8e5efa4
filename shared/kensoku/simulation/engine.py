"""Records of a scenario's stations: noise of the ground and the waves of all that happens, as counts, block by block.

A block depends on the scenario, the station and absolute time alone: not on where a run begins, how it is cut, or which
other stations there are. Wave trains are made when the source happens and added to the blocks they reach, which is
all that is kept of them, so memory stays flat however long the scenario is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import numpy as np

from kensoku.simulation.audible import Floor
from kensoku.simulation.catalogue import Catalogue, make_catalogue
from kensoku.simulation.disturbances import BLOCK_NS, LOOK_AHEAD_S, Disturbance, Rates
from kensoku.simulation.events import events_of
from kensoku.simulation.instruments import Digitiser, Instrument, find_sensor
from kensoku.simulation.networks import Station
from kensoku.simulation.noise import Float32Array, GroundNoise
from kensoku.simulation.propagation import Earth
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.recorder import Int32Array, Recorder
from kensoku.simulation.scenario import BUNDLED, Scenario, bundled_scenarios, load_scenario, read_earth, read_stations
from kensoku.simulation.sites import Site, draw_site
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.wavefield import WaveField
from kensoku.simulation.waves import WaveTrain

CAUSAL_SHARE = 0.3  # of digitisers, whose filters do not ring before an onset
GAIN_ERROR = 0.01  # standard deviation between components
LOOK_AHEAD_NS = LOOK_AHEAD_S * 10**9


# Of rows of the catalogue, at one station and its sampling rate; None where nothing would be seen.
Waves = Callable[[Sequence[int], Station], Iterable[WaveTrain | None]]


@dataclass(frozen=True, slots=True)
class World:
    """A scenario, who records it and what happens in it."""

    scenario: Scenario
    stations: Sequence[Station]
    catalogue: Catalogue
    waves: Waves

    @property
    def start_ns(self) -> int:
        return self.scenario.start_ns

    @property
    def end_ns(self) -> int:
        return self.start_ns + round(self.scenario.duration_h * 3600 * 1e9)


@dataclass(frozen=True, slots=True)
class SourceArrival:
    row: int  # of the catalogue
    phase: str
    time_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A minute of one station, and which waves arrive in it."""

    start_ns: int
    counts: Int32Array  # (components, samples)
    arrivals: Sequence[SourceArrival]
    waves_m_s: FloatArray  # what of the ground's velocity is no noise; as `counts`, but before the instrument


def open_world(name: str | Path) -> World:
    """A bundled scenario by its name, or a file by its path."""
    scenario = load_scenario(name)
    folder = BUNDLED if str(name) in bundled_scenarios() else Path(name).parent
    return make_world(scenario, folder)


def make_world(scenario: Scenario, folder: Path) -> World:
    stations, earth = read_stations(scenario, folder), Earth(read_earth(scenario, folder), scenario.attenuation)
    catalogue = make_catalogue(
        scenario.sequences,
        scenario.conditions(earth, stations),
        scenario.stress_drop,
        partial(earth.model.velocity, "S"),
    )
    events = tuple(events_of(catalogue, scenario.sequences))

    def floor_of(station: Station) -> Floor:
        return Floor.of_station(site_of(scenario, station), instrument_of(scenario.seed, station))

    waves = WaveField(catalogue, events, earth, floor_of, scenario.seed)
    return World(scenario, stations, catalogue, waves)


# --- what a station is made of ----------------------------------------------------------------------------------------


def instrument_of(seed: int, station: Station) -> Instrument:
    chance = draw(seed, station.name, "instrument", 0)
    digitiser = Digitiser(station.rate_hz, is_causal=bool(chance.random() < CAUSAL_SHARE))
    z, n, e = (float(error) for error in GAIN_ERROR * chance.standard_normal(3))
    return Instrument(find_sensor(station.sensor), digitiser, (z, n, e))


def site_of(scenario: Scenario, station: Station) -> Site:
    noise = scenario.noise
    site = draw_site(
        draw(scenario.seed, station.name, "site", 0),
        noise.utc_offset_h,
        borehole=bool(station.borehole_m),
        ground=station.site,
    )
    rates = {
        kind.name: getattr(site.disturbances, kind.name) + getattr(noise.disturbances, kind.name)
        for kind in fields(Rates)
    }
    return replace(
        site,
        ocean_level=float(np.clip(site.ocean_level + noise.level, 0, 1)),
        site_level=float(np.clip(site.site_level + noise.level, 0, 1)),
        disturbances=Rates(**rates),
    )


def _ground_of(scenario: Scenario, station: Station) -> GroundNoise:
    site = site_of(scenario, station)
    return GroundNoise(site, scenario.seed, station.name, station.rate_hz, station.components)


def _recorder_of(scenario: Scenario, station: Station) -> Recorder:
    instrument = instrument_of(scenario.seed, station)
    return Recorder(instrument, scenario.seed, station.name, scenario.noise.disturbances)


# --- records ----------------------------------------------------------------------------------------------------------


def block_at(time_ns: int) -> int:
    """The block of counts that holds a moment."""
    return (time_ns + LOOK_AHEAD_NS) // BLOCK_NS


def record(world: World, station: Station, first: int) -> Iterator[Block]:
    """Blocks of counts from that of the number `first` on, without end."""
    instrument = instrument_of(world.scenario.seed, station)
    begin = first - instrument.warm_up_blocks
    arriving = _Arriving(world, station, begin)
    grounds = arriving.add_to(_ground_of(world.scenario, station).blocks(begin))
    for start_ns, counts in _recorder_of(world.scenario, station).record(grounds, begin):
        yield Block(start_ns, counts, arriving.between(start_ns, start_ns + BLOCK_NS), arriving.waves())


def disturbances(world: World, station: Station, start_ns: int, end_ns: int) -> list[Disturbance]:
    """Those that start between two moments, in order of time."""
    first, last = start_ns // BLOCK_NS, end_ns // BLOCK_NS + 1
    found = [
        *_ground_of(world.scenario, station).disturbances(first, last),
        *_recorder_of(world.scenario, station).disturbances(first, last),
    ]
    within = (disturbance for disturbance in found if start_ns <= disturbance.start_ns < end_ns)
    return sorted(within, key=lambda disturbance: (disturbance.start_ns, disturbance.kind))


def reach_s(kind: str, mw: float) -> float:
    """How long after a source happened its waves are no longer made."""
    return 3600.0 if kind == SourceKind.TELESEISM else 300.0 + 150.0 * max(0.0, mw - 3.0)


class _Arriving:
    """The waves that reach one station; of those to come it keeps the sum, by block."""

    def __init__(self, world: World, station: Station, begin: int) -> None:
        self._world, self._station = world, station
        self._begin, self._count = begin, BLOCK_NS // 10**9 * station.rate_hz
        self._sums: dict[int, FloatArray] = {}
        self._arrivals: list[SourceArrival] = []
        self._next_row = 0
        self._silence = np.zeros((station.components, self._count))
        self._last = self._before = self._silence  # blocks that were added

    def add_to(self, grounds: Iterator[Float32Array]) -> Iterator[Float32Array]:
        for block, ground in enumerate(grounds, self._begin):
            self._make_trains(block)
            self._before, self._last = self._last, self._sums.pop(block, self._silence)
            if self._last is not self._silence:
                ground += self._last
            yield ground

    def waves(self) -> FloatArray:
        """Of the block of counts that ends LOOK_AHEAD_S before the last block of ground."""
        ahead = LOOK_AHEAD_S * self._station.rate_hz
        if self._before is self._last is self._silence:
            return self._silence
        return np.concatenate([self._before[:, -ahead:], self._last[:, :-ahead]], axis=1)

    def between(self, start_ns: int, end_ns: int) -> list[SourceArrival]:
        """Each arrival is told once; those before `start_ns` are forgotten."""
        found = [arrival for arrival in self._arrivals if start_ns <= arrival.time_ns < end_ns]
        self._arrivals = [arrival for arrival in self._arrivals if arrival.time_ns >= end_ns]
        return sorted(found, key=lambda arrival: (arrival.time_ns, arrival.row))

    def _make_trains(self, block: int) -> None:
        """Of what happens until the end of a block, in order of time, so that sums round the same in every run."""
        catalogue = self._world.catalogue
        end = int(np.searchsorted(catalogue.time_ns, (block + 1) * BLOCK_NS))
        rows = [row for row in range(self._next_row, end) if self._over_ns(row) > self._begin * BLOCK_NS]
        for row, train in zip(rows, self._world.waves(rows, self._station), strict=True):
            if train is not None:
                self._add(train, self._over_ns(row))
                self._arrivals += [SourceArrival(row, arrival.phase, arrival.time_ns) for arrival in train.arrivals]
        self._next_row = end

    def _over_ns(self, row: int) -> int:
        catalogue = self._world.catalogue
        return int(catalogue.time_ns[row]) + round(1e9 * reach_s(str(catalogue.kind[row]), float(catalogue.mw[row])))

    def _add(self, train: WaveTrain, over_ns: int) -> None:
        """To the sums of the blocks that it reaches, up to a moment."""
        rate_hz, components = self._station.rate_hz, self._station.components
        first = _sample(train.start_ns, rate_hz)
        last = min(first + train.velocity_m_s.shape[1], _sample(over_ns, rate_hz))
        for block in range(max(first // self._count, self._begin), -(-last // self._count)):
            begin, end = max(first, block * self._count), min(last, (block + 1) * self._count)
            if block not in self._sums:
                self._sums[block] = np.zeros((components, self._count))
            stretch = train.velocity_m_s[:components, begin - first : end - first]
            self._sums[block][:, begin - block * self._count : end - block * self._count] += stretch


def _sample(time_ns: int, rate_hz: int) -> int:
    """The number since 1970 of the sample nearest to a moment; in whole numbers, for floats are too coarse."""
    return (time_ns * rate_hz + 5 * 10**8) // 10**9
