"""Packets of many stations for trials of load, of the stations nearest to a scenario's strongest earthquake.

`country`: each sends its own record, from half a minute after that earthquake on, while its waves run through the
country. `swarm`, more than any country has: only 40 are simulated, from five minutes after it on, with a swarm of an
event every 8 s beside it, and each record is sent by several, some time apart. Records are kept in the cache, since
they take longer to make than to pick.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kensoku import simulation
from kensoku.acquisition.simulated import seconds_of
from kensoku.packets import ChannelSamples, encode_packet
from kensoku.simulation.engine import World, make_world, open_world
from kensoku.simulation.etas import GutenbergRichter
from kensoku.simulation.networks import Station
from kensoku.simulation.scenario import BUNDLED
from kensoku.simulation.sequences import Background
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket

CACHE = Path(os.environ.get("KENSOKU_CACHE", Path(__file__).parent.parent / ".cache")) / "prerendered"
NS_PER_S = 10**9
LOADS = ("country", "swarm")
AFTER_S = 300  # what follows is no longer hidden behind the strongest earthquake
COUNTRY_AFTER_S = 30
APART_S = 20  # one sender of a record from the next
SIMULATED = 40  # stations, if more are asked for
SWARM_EVERY_S, SWARM_DEG = 8, 0.4  # an event in the mean, within so many degrees
CORNERS = ((-1, -1), (-1, 1), (1, 1), (1, -1))
LAST_AFTER_S = 120  # one more second, so much later: nothing is waited for then

Rendered = list[tuple[str, bytes]]  # key and message of each packet of a second, without a stamp


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Of one station."""

    codes: tuple[str, ...]
    rate_hz: int
    start: int  # s since 1970
    counts: npt.NDArray[np.int32]  # (components, samples)

    def second(self, number: int, start: int) -> tuple[ChannelSamples, ...]:
        """That second of the record as if it had begun at another."""
        begin = number * self.rate_hz
        return tuple(
            ChannelSamples("", code, start * NS_PER_S, float(self.rate_hz), row[begin : begin + self.rate_hz])
            for code, row in zip(self.codes, self.counts, strict=True)
        )


def render(scenario: str, stations: int, seconds: int, load: str = "swarm") -> list[Rendered]:
    """Second by second; and the last."""
    if load == "country":
        simulated, records = stations, kept_records(scenario, stations, seconds, COUNTRY_AFTER_S, is_busy=False)
    else:
        simulated = min(stations, SIMULATED)
        rounds = -(-stations // simulated)
        records = kept_records(scenario, simulated, seconds + APART_S * (rounds - 1))
    rendered = []
    for number in range(seconds + 1):
        after_s = number if number < seconds else seconds + LAST_AFTER_S
        made: Rendered = []
        for station in range(stations):
            record, shift_s = records[station % simulated], APART_S * (station // simulated)
            channels = record.second(min(number, seconds - 1) + shift_s, record.start + after_s)
            message = encode_packet("XL", f"{station:04d}", channels, "prerendered", 0, TIME_KIND_REPLAY)
            made.append((f"XL.{station:04d}", message.SerializeToString()))
        rendered.append(made)
    return rendered


def stamped(message: bytes, arrival_ns: int) -> bytes:
    """Of a field that comes twice in a message the last counts."""
    return message + WaveformPacket(arrival_ns=arrival_ns).SerializeToString()


def packets_of(rendered: Sequence[Rendered]) -> Iterator[WaveformPacket]:
    """As if each had come at its end."""
    for second in rendered:
        for _, message in second:
            packet = WaveformPacket.FromString(message)
            packet.arrival_ns = packet.start_ns + NS_PER_S
            yield packet


def kept_records(
    scenario: str, stations: int, seconds: int, after_s: int = AFTER_S, *, is_busy: bool = True
) -> list[Record]:
    """From the cache, where the simulation is still the one that made them; `is_busy`: with the swarm."""
    swarm = (SWARM_EVERY_S, SWARM_DEG) if is_busy else ()
    content = json.dumps([scenario, stations, seconds, after_s, *swarm, code_of_simulation()])
    path = CACHE / f"{scenario}-{stations}-{seconds}-{hashlib.sha256(content.encode()).hexdigest()[:12]}.npz"
    if not path.is_file():
        records = _simulated(scenario, stations, seconds, after_s, is_busy)
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.npz")
        heads = json.dumps([(record.codes, record.rate_hz, record.start) for record in records])
        np.savez(partial, heads=heads, **{f"record_{number}": one.counts for number, one in enumerate(records)})
        partial.rename(path)
    with np.load(path) as kept:
        return [
            Record(tuple(codes), rate_hz, start, kept[f"record_{number}"])
            for number, (codes, rate_hz, start) in enumerate(json.loads(str(kept["heads"])))
        ]


def nearest_stations(scenario: str, stations: int) -> list[tuple[float, float]]:
    """Latitudes and longitudes of those whose records these are."""
    world = open_world(scenario)
    return [(one.latitude_deg, one.longitude_deg) for one in _nearest(world, _strongest(world), stations)]


def _strongest(world: World) -> int:
    return int(np.argmax(world.catalogue.mw))


def _nearest(world: World, event: int, stations: int) -> list[Station]:
    place = float(world.catalogue.latitude_deg[event]), float(world.catalogue.longitude_deg[event])
    return sorted(world.stations, key=lambda one: _distance(place, one))[:stations]


def _simulated(scenario: str, stations: int, seconds: int, after_s: int, is_busy: bool) -> list[Record]:
    world = open_world(scenario)
    strongest = _strongest(world)
    place = float(world.catalogue.latitude_deg[strongest]), float(world.catalogue.longitude_deg[strongest])
    first = int(world.catalogue.time_ns[strongest]) // NS_PER_S + after_s
    nearest = _nearest(world, strongest, stations)
    world = replace(_busier(world, place) if is_busy else world, stations=nearest)
    made: dict[str, list[tuple[ChannelSamples, ...]]] = {}
    for one in seconds_of(world, first, first + seconds, at_once=1):
        made.setdefault(one.key, []).append(one.channels)
    return [
        Record(
            tuple(channel.code for channel in parts[0]),
            round(parts[0][0].rate_hz),
            first,
            np.stack([np.concatenate([part[row].samples for part in parts]) for row in range(len(parts[0]))]),
        )
        for parts in made.values()
    ]


def _busier(world: World, place: tuple[float, float]) -> World:
    """With a swarm beside, so that a minute of some hundred stations has a thousand picks."""
    latitude_deg, longitude_deg = place
    outline = tuple((latitude_deg + SWARM_DEG * n, longitude_deg + SWARM_DEG * e) for n, e in CORNERS)
    swarm = Background(
        name="beside",
        rate_per_day=86_400 / SWARM_EVERY_S,
        magnitudes=GutenbergRichter(b=1.0, minimum=2.0, maximum=4.0),
        outline=outline,
    )
    sequences = (*world.scenario.sequences, swarm)
    return make_world(replace(world.scenario, sequences=sequences), BUNDLED)


def _distance(place: tuple[float, float], station: Station) -> float:
    """Good enough to sort by."""
    north, east = station.latitude_deg - place[0], station.longitude_deg - place[1]
    return math.hypot(north, east * math.cos(math.radians(place[0])))


def code_of_simulation() -> str:
    digest = hashlib.sha256()
    for folder in simulation.__path__:
        for path in sorted(Path(folder).rglob("*.*")):
            if path.suffix in (".py", ".toml"):
                digest.update(path.read_bytes())
    return digest.hexdigest()
