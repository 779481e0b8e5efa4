"""What happens to packets between the digitiser and us: late, twice, out of order, with wrong times or never.

Everything is drawn for a station and a minute of absolute time, so a packet meets the same fate whenever it is asked.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from kensoku.packets import ChannelSamples
from kensoku.simulation.randomness import BLOCK_S, draw
from kensoku.simulation.scenario import Telemetry
from kensoku.times import NS_PER_S

MetadataMistake = Literal["", "sensitivity", "polarity", "place"]

MISTAKES: tuple[MetadataMistake, ...] = ("sensitivity", "polarity", "place")
MINUTES_A_DAY = 1440
DETOUR_S = (1.5, 10.0)  # how much later a packet comes that is overtaken
REPEATED_S = (0.1, 5.0)  # how much later its duplicate comes
RESYNCHRONISED_S = (60.0, 1800.0)  # how long a clock that jumped stays wrong


@dataclass(frozen=True, slots=True)
class Packet:
    """What a station recorded in one second of true time, or in several."""

    network: str
    station: str
    second: int  # since 1970-01-01 UTC
    channels: tuple[ChannelSamples, ...]
    seconds: int = 1

    @property
    def key(self) -> str:
        return f"{self.network}.{self.station}"

    @property
    def end_ns(self) -> int:
        return (self.second + self.seconds) * NS_PER_S


@dataclass(frozen=True, slots=True)
class Delivery:
    due_ns: int  # in the time of the scenario
    packet: Packet


@dataclass(frozen=True, slots=True)
class StationFaults:
    """What is wrong with a station for good; components are counted in the order Z, N, E, round and round."""

    is_dead: bool = False
    flat: int | None = None
    swapped: tuple[int, int] | None = None
    wrong_metadata: MetadataMistake = ""


def faults_of(telemetry: Telemetry, seed: int, station: str) -> StationFaults:
    chance = draw(seed, station, "station faults", 0)
    dead, flat, swapped, mistaken = (float(u) for u in chance.random(4))
    component, offset, mistake = chance.integers(3), 1 + chance.integers(2), chance.integers(len(MISTAKES))
    return StationFaults(
        is_dead=dead < telemetry.dead_stations,
        flat=int(component) if flat < telemetry.flat_components else None,
        swapped=(int(component), int(component + offset) % 3) if swapped < telemetry.swapped_components else None,
        wrong_metadata=MISTAKES[mistake] if mistaken < telemetry.wrong_metadata else "",
    )


def longest_delay_s(telemetry: Telemetry) -> float:
    """How much later than its end a packet or its duplicate may come."""
    late_s = telemetry.latency_s + telemetry.jitter_s + DETOUR_S[1] + REPEATED_S[1] + BLOCK_S
    held_s = telemetry.gap_s[1] + telemetry.backfill_after_s if telemetry.gaps_a_day and telemetry.backfilled else 0.0
    return late_s + held_s


def deliver(packets: Iterable[Packet], telemetry: Telemetry, seed: int) -> Iterator[Delivery]:
    """Packets in the order of their ends become deliveries in the order of their arrival."""
    links: dict[str, _Link] = {}
    on_their_way: list[tuple[int, str, int, int, Delivery]] = []
    for number, packet in enumerate(packets):
        link = links.get(packet.key)
        if link is None:
            link = links[packet.key] = _Link(telemetry, seed, packet.key)
        for copy, delivery in enumerate(link.carry(packet)):
            heapq.heappush(on_their_way, (delivery.due_ns, packet.key, number, copy, delivery))
        while on_their_way and on_their_way[0][0] < packet.end_ns:  # nothing that follows comes before its own end
            yield heapq.heappop(on_their_way)[-1]
    while on_their_way:
        yield heapq.heappop(on_their_way)[-1]


@dataclass(frozen=True, slots=True)
class _Interval:
    start_s: float
    end_s: float
    value: float  # seconds: when a gap's packets come after its end (negative: never), or how wrong the clock is

    def holds(self, time_s: float) -> bool:
        return self.start_s <= time_s < self.end_s


class _Link:
    """One station's way to us; what it remembers is only what it has drawn."""

    def __init__(self, telemetry: Telemetry, seed: int, station: str) -> None:
        self._telemetry, self._seed, self._station = telemetry, seed, station
        self._faults = faults_of(telemetry, seed, station)
        self._minute = -1
        self._fates = np.zeros((0, 5))
        self._gaps: list[_Interval] = []
        self._jumps: list[_Interval] = []

    def carry(self, packet: Packet) -> Iterator[Delivery]:
        if self._faults.is_dead:
            return
        if packet.second // BLOCK_S != self._minute:
            self._look_at(packet.second // BLOCK_S)
        telemetry = self._telemetry
        jitter, overtaken, detour, repeated, again = self._fates[packet.second % BLOCK_S]
        late_s = telemetry.latency_s + jitter * telemetry.jitter_s
        if overtaken < telemetry.out_of_order:
            late_s += _between(DETOUR_S, detour)
        held = [gap for gap in self._gaps if gap.holds(packet.second)]
        if any(gap.value < 0 for gap in held):
            return
        due_s = max([packet.end_ns / NS_PER_S, *(gap.end_s + gap.value for gap in held)]) + late_s
        sent = replace(packet, channels=tuple(self._spoil(packet)))
        yield Delivery(_ns(due_s), sent)
        if repeated < telemetry.duplicates:
            yield Delivery(_ns(due_s + _between(REPEATED_S, again)), sent)

    def _look_at(self, minute: int) -> None:
        """Draw what happens in a minute, and what reaches into it from those before."""
        telemetry = self._telemetry
        self._minute = minute
        self._fates = draw(self._seed, self._station, "packets", minute).random((BLOCK_S, 5))
        self._gaps = list(self._intervals("gaps", telemetry.gaps_a_day, telemetry.gap_s, minute))
        self._jumps = list(self._intervals("clock jumps", telemetry.clock_jumps_a_day, RESYNCHRONISED_S, minute))

    def _intervals(self, kind: str, a_day: float, lasts_s: tuple[float, float], minute: int) -> Iterator[_Interval]:
        reach = int(lasts_s[1] // BLOCK_S) + 1 if a_day else -1
        for before in range(minute - reach, minute + 1):
            chance = draw(self._seed, self._station, kind, before)
            for _ in range(chance.poisson(a_day / MINUTES_A_DAY)):
                begins, lasts, size, sign = (float(u) for u in chance.random(4))
                start_s = (before + begins) * BLOCK_S
                value = self._backfill_s(sign) if kind == "gaps" else self._jump_s(size, sign)
                yield _Interval(start_s, start_s + _between(lasts_s, lasts), value)

    def _backfill_s(self, uniform: float) -> float:
        return self._telemetry.backfill_after_s if uniform < self._telemetry.backfilled else -1.0

    def _jump_s(self, size: float, sign: float) -> float:
        return _between(self._telemetry.clock_jump_s, size) * (1 if sign < 0.5 else -1)

    def _spoil(self, packet: Packet) -> Iterator[ChannelSamples]:
        wrong_ns = round(NS_PER_S * sum(jump.value for jump in self._jumps if jump.holds(packet.second)))
        codes = [channel.code for channel in packet.channels]
        if self._faults.swapped and len(codes) == 3:
            first, second = self._faults.swapped
            codes[first], codes[second] = codes[second], codes[first]
        flat = None if self._faults.flat is None else self._faults.flat % len(codes)
        for number, (channel, code) in enumerate(zip(packet.channels, codes, strict=True)):
            samples = np.zeros_like(channel.samples) if number == flat else channel.samples
            yield replace(channel, code=code, samples=samples, start_ns=channel.start_ns + wrong_ns)


def _between(limits: tuple[float, float], uniform: float) -> float:
    """Log-uniform: short ones are the rule."""
    return float(limits[0] * (limits[1] / limits[0]) ** uniform)


def _ns(time_s: float) -> int:
    return round(time_s * 1e6) * 1000
