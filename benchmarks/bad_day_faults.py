"""Faults of stations and their lines: those of a scenario, found in what they did, and more that are planted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from kensoku.packets import ChannelSamples, Samples
from kensoku.simulation.randomness import draw
from kensoku.simulation.telemetry import Delivery, Packet
from kensoku.times import NS_PER_S

A_DAY = 50.0  # of each planted kind: as many as the scenario has of its most frequent
LARGEST = 2**23 - 1
LATE_S = 1.0  # a packet so much later than most is out of order


@dataclass(frozen=True, slots=True)
class Fault:
    station: str
    kind: str
    start_ns: int  # true time
    end_ns: int
    clock_ns: int = 0  # by which the stamps are wrong


# --- planted ----------------------------------------------------------------------------------------------------------

Spoil = Callable[[Samples, np.random.Generator], Samples]  # the samples of one channel and second


def _zeros(samples: Samples, chance: np.random.Generator) -> Samples:
    """A line that fills with zeros what it lost, for hundredths of a second to all of it."""
    length = max(1, int(samples.size * 10 ** chance.uniform(-2, 0)))
    begin = int(chance.integers(samples.size - length + 1))
    return np.where((np.arange(samples.size) - begin) // length == 0, 0, samples).astype(samples.dtype)


def _stuck(samples: Samples, chance: np.random.Generator) -> Samples:
    return np.full_like(samples, samples[0])


def _rubbish(samples: Samples, chance: np.random.Generator) -> Samples:
    return chance.integers(-LARGEST, LARGEST, samples.size).astype(samples.dtype)


def _spikes(samples: Samples, chance: np.random.Generator) -> Samples:
    """Some samples with a bit wrong."""
    spoilt = samples.copy()
    places = chance.integers(samples.size, size=int(chance.integers(2, 6)))
    spoilt[places] ^= 1 << chance.integers(10, 23, places.size)
    return spoilt


def _byte_order(samples: Samples, chance: np.random.Generator) -> Samples:
    swapped: Samples = samples.astype("<i4").byteswap()
    return swapped


def _restarted(samples: Samples, chance: np.random.Generator) -> Samples:
    """Differences summed from nothing, as a decoder does that lost the first value."""
    summed: Samples = (samples - samples[0]).astype(samples.dtype)
    return summed


@dataclass(frozen=True, slots=True)
class Planted:
    spoil: Spoil | None
    longest_s: int  # from a second on, each length as often as twice it
    is_one_component: bool = False


PLANTED: Mapping[str, Planted] = {
    "zeros": Planted(_zeros, 8),
    "stuck": Planted(_stuck, 120),
    "stuck_component": Planted(_stuck, 120, is_one_component=True),
    "rubbish": Planted(_rubbish, 4),
    "spikes": Planted(_spikes, 8, is_one_component=True),
    "byte_order": Planted(_byte_order, 4),
    "restarted_sum": Planted(_restarted, 30),
    "wrong_rate": Planted(None, 60),
    "wrong_day": Planted(None, 30),
    "wrong_clock": Planted(None, 120),  # told as a jump of the clock, as those of the scenario are
}
JUMP_S = (0.05, 5.0)
TELEMETRY = ("gap", "filled_late", "clock_jump", "out_of_order", "duplicate")
HARMLESS = TELEMETRY[-2:]  # what comes twice or late is put right


def planted_in(seed: int, station: str, first: int, end: int) -> Iterator[Fault]:
    for kind, planted in PLANTED.items():
        for minute in range(first // 60, end // 60):
            chance = draw(seed, station, f"planted/{kind}", minute)
            if chance.random() < A_DAY / 1440:
                start = minute * 60 + int(chance.integers(60))
                lasts = max(1, round(planted.longest_s ** chance.random()))
                clock_s = JUMP_S[0] * (JUMP_S[1] / JUMP_S[0]) ** chance.random() * (1 if chance.random() < 0.5 else -1)
                clock_ns = round(clock_s * NS_PER_S) if kind == "wrong_clock" else 0
                yield Fault(station, kind, start * NS_PER_S, (start + lasts) * NS_PER_S, clock_ns)


def spoilt(packet: Packet, faults: Sequence[Fault], seed: int) -> Packet:
    for fault in faults:
        if fault.start_ns <= packet.second * NS_PER_S < fault.end_ns:
            chance = draw(seed, fault.station, f"spoilt/{fault.kind}", packet.second)
            packet = replace(packet, channels=_spoilt(packet.channels, fault, chance))
    return packet


def _spoilt(
    channels: tuple[ChannelSamples, ...], fault: Fault, chance: np.random.Generator
) -> tuple[ChannelSamples, ...]:
    planted = PLANTED[fault.kind]
    if fault.kind == "wrong_rate":
        return tuple(replace(one, rate_hz=one.rate_hz / 2) for one in channels)
    if fault.kind == "wrong_day":
        return tuple(replace(one, start_ns=one.start_ns - 86_400 * NS_PER_S) for one in channels)
    if fault.clock_ns:
        return tuple(replace(one, start_ns=one.start_ns + fault.clock_ns) for one in channels)
    assert planted.spoil is not None
    hit = fault.start_ns // NS_PER_S % len(channels)
    return tuple(
        one if planted.is_one_component and number != hit else replace(one, samples=planted.spoil(one.samples, chance))
        for number, one in enumerate(channels)
    )


# --- of the scenario's telemetry --------------------------------------------------------------------------------------


def delivered(packets: Sequence[Packet], deliveries: Sequence[Delivery], lateness_s: float) -> Iterator[Fault]:
    """What became of a station's packets on their way, as spans of true time."""
    usual_ns = int(np.median([one.due_ns - one.packet.end_ns for one in deliveries])) if deliveries else 0
    first: dict[int, Delivery] = {}
    twice: set[int] = set()
    for one in deliveries:
        if first.setdefault(one.packet.second, one) is not one:
            twice.add(one.packet.second)
    wrong_ns = {
        second: one.packet.channels[0].start_ns - second * NS_PER_S
        for second, one in first.items()
        if abs(one.packet.channels[0].start_ns - second * NS_PER_S) < 3600 * NS_PER_S
    }
    late_s = {second: (one.due_ns - one.packet.end_ns - usual_ns) / NS_PER_S for second, one in first.items()}
    station = packets[0].key
    states: dict[str, dict[int, int]] = {
        "gap": {one.second: 0 for one in packets if one.second not in first},
        "filled_late": {second: 0 for second, late in late_s.items() if late > lateness_s},
        "clock_jump": {second: wrong for second, wrong in wrong_ns.items() if wrong},
        "out_of_order": {second: 0 for second, late in late_s.items() if LATE_S < late <= lateness_s},
        "duplicate": dict.fromkeys(twice, 0),
    }
    for kind, seconds in states.items():
        for begin, last in _runs(seconds):
            yield Fault(station, kind, begin * NS_PER_S, (last + 1) * NS_PER_S, seconds[begin])


def _runs(seconds: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of seconds in which the same is wrong."""
    ordered = sorted(seconds)
    breaks = [
        n for n, (one, next_) in enumerate(pairwise(ordered)) if next_ - one > 1 or seconds[one] != seconds[next_]
    ]
    for begin, last in zip([0, *(n + 1 for n in breaks)], [*breaks, len(ordered) - 1], strict=True):
        if ordered:
            yield ordered[begin], ordered[last]
