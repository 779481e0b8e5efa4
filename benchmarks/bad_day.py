"""Which picks the faults of stations and telemetry cause, and whether the stations beside them notice.

`python -m benchmarks.bad_day [--from-minute 60] [--minutes 60] [--keep DIR] [--pictures DIR] [--json]` picks stretches
of the `bad-day` scenario with the shipped live models, in process: three stations of four have the faults of the
scenario and more that are planted here, the fourth has none. The same stations are picked without any fault. A false
pick is one that no arrival of the truth table explains and that is not there without the faults; the fault is to blame
that holds it, or ended just before. Stretches of ten minutes are kept in DIR, for
another time.
"""

import argparse
import heapq
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bad_day_cases import Case, Records, draw_false, is_kept, is_rejected
from benchmarks.bad_day_faults import Fault, delivered, planted_in, spoilt
from benchmarks.report import machine_name
from kensoku.batch import open_picker
from kensoku.detection import Cascade, Detector, Found, Picker
from kensoku.models import default_repository
from kensoku.packets import ChannelSamples
from kensoku.simulation.disturbances import Rates
from kensoku.simulation.engine import World, block_at, disturbances, instrument_of, open_world, record
from kensoku.simulation.networks import Station
from kensoku.simulation.randomness import BLOCK_S
from kensoku.simulation.recorder import Int32Array
from kensoku.simulation.scenario import Telemetry
from kensoku.simulation.stationxml import channel_codes
from kensoku.simulation.telemetry import Delivery, Packet, deliver, faults_of
from kensoku.simulation.waves import WaveTrain
from kensoku.times import NS_PER_S
from kensoku.v1.pick_pb2 import Pick
from kensoku.v1.waveform_pb2 import WaveformPacket

SLICE_S, WARM_UP_S = 600, 120
AT_ONCE = 500  # packets
GOOD_EVERY = 4  # stations
LATENESS_S = 60.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """What came of ten minutes."""

    minute: int  # of the scenario
    station_hours: float  # of stations with faults
    faults: Mapping[str, int]  # how many, by kind
    false: list[dict[str, object]]
    unexplained: int  # picks of these stations without their faults that no arrival explains
    real: int  # and those that one explains
    real_rejected: int  # of what an arrival explains, without the faults
    real_lost: int  # of these with the faults, where no fault is near
    beside: int  # picks of the stations without faults
    beside_changed: int  # stations of these whose picks differ


# --- records ----------------------------------------------------------------------------------------------------------


class SharedWaves:
    """Two worlds ask for the same wave trains, one just after the other."""

    def __init__(self, world: World) -> None:
        self._waves = world.waves
        self._made: dict[tuple[str, tuple[int, ...]], list[WaveTrain | None]] = {}

    def __call__(self, rows: Sequence[int], station: Station) -> list[WaveTrain | None]:
        key = station.name, tuple(rows)
        if key in self._made:
            return self._made.pop(key)
        self._made[key] = trains = list(self._waves(rows, station))
        return trains


def two_worlds(name: str) -> tuple[World, World]:
    """With its disturbances, and without."""
    world = open_world(name)
    shared = SharedWaves(world)
    calm = replace(world.scenario, noise=replace(world.scenario.noise, disturbances=Rates()))
    return replace(world, waves=shared), replace(world, scenario=calm, waves=shared)


def both_records(worlds: tuple[World, World], station: Station, first: int, end: int) -> Records:
    """A station's seconds in both worlds, and when waves arrive in them."""
    streams = [record(world, station, block_at(first * NS_PER_S)) for world in worlds]
    counts: tuple[list[Int32Array], list[Int32Array]] = ([], [])
    arrivals, start_ns = list[int](), 0
    for spoilt_block, calm_block in zip(*streams, strict=True):
        start_ns = start_ns or calm_block.start_ns
        arrivals += [arrival.time_ns for arrival in calm_block.arrivals]
        counts[0].append(spoilt_block.counts)
        counts[1].append(calm_block.counts)
        if calm_block.start_ns + BLOCK_S * NS_PER_S >= end * NS_PER_S:
            break
    codes = channel_codes(instrument_of(worlds[0].scenario.seed, station), station.components)
    since = start_ns // NS_PER_S
    seconds = [_seconds(station, codes, np.concatenate(kept, axis=1), since, range(first, end)) for kept in counts]
    return Records(station, seconds[0], seconds[1], np.array(sorted(arrivals), dtype=np.int64))


def _seconds(
    station: Station, codes: Sequence[str], counts: Int32Array, since: int, seconds: Iterable[int]
) -> list[Packet]:
    made, rate_hz = [], station.rate_hz
    for second in seconds:
        begin = (second - since) * rate_hz
        channels = tuple(
            ChannelSamples("", code, second * NS_PER_S, float(rate_hz), row[begin : begin + rate_hz])
            for code, row in zip(codes, counts, strict=True)
        )
        made.append(Packet(station.network, station.code, second, channels))
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Bad:
    """What a station with faults sends."""

    deliveries: list[Delivery]
    faults: list[Fault]


def bad(world: World, records: Records, first: int, end: int) -> Bad:
    """The faults of the scenario, and those that are planted, from `first` on."""
    scenario, name = world.scenario, records.station.name
    planted = list(planted_in(scenario.seed, name, first, end))
    packets = [spoilt(packet, planted, scenario.seed) for packet in records.spoilt]
    deliveries = list(deliver(packets, scenario.telemetry, scenario.seed))
    found = [*(one for one in planted if not one.clock_ns), *delivered(packets, deliveries, LATENESS_S)]
    span = first * NS_PER_S, end * NS_PER_S
    for one in disturbances(world, records.station, span[0] - 300 * NS_PER_S, span[1]):
        found.append(Fault(name, one.kind, one.start_ns, one.start_ns + round(one.duration_s * NS_PER_S)))
    lasting = faults_of(scenario.telemetry, scenario.seed, name)
    found += [Fault(name, kind, *span) for kind in ("flat", "swapped") if getattr(lasting, kind) is not None]
    return Bad(deliveries, [one for one in found if one.end_ns > span[0] and one.start_ns < span[1]])


# --- picks ------------------------------------------------------------------------------------------------------------


def picked(picker: Picker, deliveries: Iterable[Delivery]) -> list[Pick]:
    """As live: in the order of arrival; what is too late for that is left out."""
    detector, found = Detector(Cascade(picker)), list[Found]()
    for number, one in enumerate(deliveries):
        packet = WaveformPacket(network=one.packet.network, station=one.packet.station, arrival_ns=one.due_ns)
        detector.feed(packet, one.packet.channels)
        if number % AT_ONCE == AT_ONCE - 1:
            found += detector.found()
    return [one for one in (*found, *detector.finish()) if isinstance(one, Pick)]


def merged(parts: Iterable[Sequence[Delivery]]) -> Iterator[Delivery]:
    return heapq.merge(*parts, key=lambda one: one.due_ns)


def by_station(picks: Iterable[Pick], span_ns: tuple[int, int]) -> Mapping[str, list[Pick]]:
    found: dict[str, list[Pick]] = defaultdict(list)
    for pick in picks:
        if span_ns[0] <= pick.onset_ns < span_ns[1]:
            found[f"{pick.instrument.network}.{pick.instrument.station}"].append(pick)
    return found


# --- a stretch --------------------------------------------------------------------------------------------------------


def stretch(name: str, minute: int, picker: Picker, pictures: Path | None) -> Stretch:
    worlds = two_worlds(name)
    start = worlds[0].start_ns // NS_PER_S + 60 * minute
    first, end = start - WARM_UP_S, start + SLICE_S
    records = {
        station.name: both_records(worlds, station, first, end)
        for station in worlds[0].stations
        if not faults_of(worlds[0].scenario.telemetry, worlds[0].scenario.seed, station.name).is_dead
    }
    seed, calm = worlds[0].scenario.seed, Telemetry()
    good = {one: list(deliver(each.calm, calm, seed)) for one, each in records.items()}
    suffering = {
        one: bad(worlds[0], each, start, end)
        for number, (one, each) in enumerate(records.items())
        if number % GOOD_EVERY
    }
    sent = [suffering[one].deliveries if one in suffering else good[one] for one in records]
    span_ns = start * NS_PER_S, end * NS_PER_S
    with_faults = by_station(picked(picker, merged(sent)), span_ns)
    without = by_station(picked(picker, merged(good.values())), span_ns)
    cases = [
        Case(records[one], of.faults, of.deliveries, with_faults.get(one, []), without.get(one, []))
        for one, of in suffering.items()
    ]
    if pictures:
        for case in cases:
            draw_false(case, pictures)
    beside = [one for one in records if one not in suffering]
    return Stretch(
        minute=minute,
        station_hours=len(cases) * SLICE_S / 3600,
        faults=dict(Counter(one.kind for case in cases for one in case.faults)),
        false=[told for case in cases for told in case.false()],
        unexplained=sum(not case.is_explained(pick) for case in cases for pick in case.expected if is_kept(pick)),
        real=sum(case.is_explained(pick) for case in cases for pick in case.expected if is_kept(pick)),
        real_rejected=sum(case.is_explained(pick) for case in cases for pick in case.expected if is_rejected(pick)),
        real_lost=sum(case.lost() for case in cases),
        beside=sum(len(without.get(one, [])) for one in beside),
        beside_changed=sum(not is_same_content(with_faults.get(one, []), without.get(one, [])) for one in beside),
    )


def is_same_content(found: Sequence[Pick], expected: Sequence[Pick]) -> bool:
    for pick in (*found, *expected):
        pick.ClearField("latency")
    return sorted(found, key=lambda pick: pick.id) == sorted(expected, key=lambda pick: pick.id)


# --- report -----------------------------------------------------------------------------------------------------------


def summary(stretches: Sequence[Stretch]) -> dict[str, Any]:
    hours = sum(one.station_hours for one in stretches)
    false = Counter(str(told["cause"]) for one in stretches for told in one.false if not told["rejected"])
    seen = Counter(str(told["cause"]) for one in stretches for told in one.false if told["rejected"])
    kinds = sum((Counter(one.faults) for one in stretches), Counter[str]())
    table = [
        {
            "kind": kind,
            "faults": kinds[kind],
            "rejected": seen[kind],
            "false": false[kind],
            "false_a_station_hour": round(false[kind] / hours, 3),
        }
        for kind in sorted({*kinds, *false, *seen}, key=lambda kind: (-false[kind], kind))
    ]
    return {
        "station_hours": round(hours, 2),
        "kinds": table,
        **{
            name: sum(getattr(one, name) for one in stretches)
            for name in ("unexplained", "real", "real_rejected", "real_lost", "beside", "beside_changed")
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bad_day", description=__doc__)
    parser.add_argument("--scenario", default="bad-day")
    parser.add_argument("--from-minute", type=int, default=60, help="of the scenario")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="folder of the stretches that were done before, and now")
    parser.add_argument("--pictures", type=Path, help="folder for the seismograms around false picks")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    repository, done = default_repository(), list[Stretch]()
    with open_picker(repository, f"local:{repository}", "picker_live") as picker:
        for minute in range(options.from_minute, options.from_minute + options.minutes, SLICE_S // 60):
            kept = options.keep / f"{options.scenario}-{minute}.json" if options.keep else None
            if kept and kept.is_file():
                done.append(Stretch(**json.loads(kept.read_text())))
                continue
            done.append(stretch(options.scenario, minute, picker, options.pictures))
            print(json.dumps(summary(done[-1:])), file=sys.stderr, flush=True)
            if kept:
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_text(json.dumps(asdict(done[-1])))
    told = summary(done)
    show(told, is_json=options.json)


def show(told: dict[str, Any], *, is_json: bool) -> None:
    if is_json:
        print(json.dumps({"machine": machine_name(), **told}))
        return
    print(f"  {'fault':<16} {'how many':>8} {'rejected':>8} {'false':>6} {'a station-hour':>15}")
    for row in told.pop("kinds"):
        shown = f"{row['faults']:>8} {row['rejected']:>8} {row['false']:>6} {row['false_a_station_hour']:>15.3f}"
        print(f"  {row['kind']:<16} {shown}")
    print("\n".join(f"  {name:<16} {value:>8}" for name, value in told.items()))


if __name__ == "__main__":
    main()
