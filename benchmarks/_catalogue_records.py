"""A stretch of a simulated scenario: records of some of its stations, kept in a cache, and what is known of them."""

import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.prerendered import code_of_simulation
from kensoku.inventory import read_inventory
from kensoku.packets import ChannelSamples, encode_packet
from kensoku.simulation.disturbances import BLOCK_NS
from kensoku.simulation.engine import World, block_at, instrument_of, record
from kensoku.simulation.metadata import published_inventory
from kensoku.simulation.networks import Station
from kensoku.simulation.recorder import Int32Array
from kensoku.simulation.stationxml import channel_codes
from kensoku.simulation.telemetry import Packet, deliver
from kensoku.simulation.truth import Sighting, Sightings
from kensoku.v1 import inventory_pb2
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket

CACHE = Path(os.environ.get("KENSOKU_CACHE", Path(__file__).parent.parent / ".cache")) / "catalogue"
NS_PER_S = 10**9
KM_A_DEGREE = 111.2
PHASES = ("P", "S")

ARRIVAL = np.dtype([("row", "i8"), ("phase", "i1"), ("time_ns", "i8"), ("snr", "f4")])
Arrivals = npt.NDArray[np.void]


@dataclass(frozen=True, eq=False)
class Cut:
    """Whole minutes, so that records begin with blocks."""

    world: World
    stations: Sequence[Station]
    start: int  # s since 1970
    seconds: int

    @property
    def end(self) -> int:
        return self.start + self.seconds

    @property
    def identity(self) -> str:
        """The same for the same records, as long as the simulation is the same."""
        content = f"{self.world.scenario} {[station.name for station in self.stations]} {code_of_simulation()}"
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        return f"{self.world.scenario.name}-{len(self.stations)}-{self.start}-{self.seconds}-{digest}"

    @cached_property
    def arrivals(self) -> Mapping[str, Arrivals]:
        """By station; of the rows of the world's catalogue, P and S alone."""
        return {station.name: _kept(self, station)[1] for station in self.stations}

    @cached_property
    def inventory(self) -> Mapping[str, inventory_pb2.Station]:
        document = io.BytesIO()
        published_inventory(self.world, self.stations).write(document, "STATIONXML")
        return read_inventory({"stations.xml": document.getvalue()}).stations

    def packets(self) -> Iterator[WaveformPacket]:
        """In the order of their arrival, which their stamps say."""
        scenario = self.world.scenario
        for delivery in deliver(self._seconds(), scenario.telemetry, scenario.seed):
            packet = delivery.packet
            channels = packet.channels
            yield encode_packet(
                packet.network, packet.station, channels, "simulation", delivery.due_ns, TIME_KIND_REPLAY
            )

    def _seconds(self) -> Iterator[Packet]:
        records = [(station, _kept(self, station)[0]) for station in self.stations]
        codes = {
            station.name: channel_codes(instrument_of(self.world.scenario.seed, station), station.components)
            for station in self.stations
        }
        for second in range(self.start, self.end):
            for station, counts in records:
                begin = (second - self.start) * station.rate_hz
                cut = counts[:, begin : begin + station.rate_hz]
                channels = tuple(
                    ChannelSamples("", code, second * NS_PER_S, float(station.rate_hz), samples)
                    for code, samples in zip(codes[station.name], cut, strict=True)
                )
                yield Packet(station.network, station.code, second, channels)


def nearest(world: World, latitude_deg: float, longitude_deg: float, count: int) -> list[Station]:
    def away_km(station: Station) -> float:
        return distance_km(latitude_deg, longitude_deg, station.latitude_deg, station.longitude_deg)

    return sorted(sorted(world.stations, key=away_km)[:count], key=lambda station: station.name)


def distance_km(
    latitude_deg: float, longitude_deg: float, other_latitude_deg: float, other_longitude_deg: float
) -> float:
    """Good enough within a network."""
    east_deg = (other_longitude_deg - longitude_deg) * np.cos(np.radians(latitude_deg))
    return float(np.hypot(other_latitude_deg - latitude_deg, east_deg) * KM_A_DEGREE)


# --- the cache --------------------------------------------------------------------------------------------------------


def _kept(cut: Cut, station: Station) -> tuple[Int32Array, Arrivals]:
    """Where the simulation is still the one that made it."""
    name = f"{cut.world.scenario.name}-{station.name}-{cut.start}-{cut.seconds}"
    content = f"{name} {cut.world.scenario} {code_of_simulation()}"
    path = CACHE / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}.npz"
    if not path.is_file():
        counts, arrivals = _made(cut, station)
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(partial, counts=counts, arrivals=arrivals)
        partial.rename(path)
    with np.load(path) as kept:
        return kept["counts"], kept["arrivals"]


def _made(cut: Cut, station: Station) -> tuple[Int32Array, Arrivals]:
    sightings = Sightings(instrument_of(cut.world.scenario.seed, station))
    start_ns, rate_hz = cut.start * NS_PER_S, station.rate_hz
    pieces, seen, begin_ns = list[Int32Array](), list[Sighting](), 0
    for block in record(cut.world, station, block_at(start_ns)):
        begin_ns = begin_ns or block.start_ns
        seen += sightings.judge(block)
        pieces.append(block.counts)
        if block.start_ns + BLOCK_NS >= cut.end * NS_PER_S:
            break
    first = (start_ns - begin_ns) * rate_hz // NS_PER_S
    counts = np.concatenate(pieces, axis=1)[:, first : first + cut.seconds * rate_hz]
    return counts, _first_of_each([*seen, *sightings.rest()])


def _first_of_each(sightings: Sequence[Sighting]) -> Arrivals:
    """P is whichever P comes first, S likewise."""
    first: dict[tuple[int, int], tuple[int, float]] = {}
    for each in sorted(sightings, key=lambda each: each.arrival.time_ns):
        if each.arrival.phase[0] in PHASES:
            key = each.arrival.row, PHASES.index(each.arrival.phase[0])
            first.setdefault(key, (each.arrival.time_ns, each.visibility.snr))
    return np.array([(*key, *seen) for key, seen in sorted(first.items())], dtype=ARRIVAL)
