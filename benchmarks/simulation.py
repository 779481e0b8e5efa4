"""How fast a network is simulated: in bulk, to files, and live.

`python -m benchmarks.simulation [--json]`. Live figures are of a stretch of the `national` scenario without a wave.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from benchmarks.report import Figures, main
from kensoku.acquisition.simulated import seconds_of
from kensoku.packets import encode_packet
from kensoku.simulation.archive import Selection, write_archive
from kensoku.simulation.engine import World, block_at, open_world, record
from kensoku.simulation.telemetry import Packet, deliver
from kensoku.times import NS_PER_S
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE

BULK_STATIONS, BULK_MINUTES = 20, 30
LIVE_STATIONS = 200  # of 2,000, so that the benchmark ends; figures are scaled
LIVE_S = 120
AFTERSHOCKS_MINUTES = 10


def measure_bulk(jobs: int) -> float:
    """Station-seconds a second of wall time, encoding and truth included."""
    world = open_world("quiet")
    selection = Selection("quiet", world.start_ns, world.start_ns + BULK_MINUTES * 60 * NS_PER_S)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        for _ in write_archive(Path(folder) / "archive", world, selection, jobs):
            pass
        return BULK_STATIONS * BULK_MINUTES * 60 / (time.monotonic() - began)


def measure_records(world: World, first: int, stations: int, blocks: int) -> float:
    """Station-seconds a second of one core: the engine alone."""
    streams = [record(world, station, first) for station in world.stations[:stations]]
    for stream in streams:
        next(stream)
    began = time.process_time()
    for stream in streams:
        for _ in islice(stream, blocks):
            pass
    return stations * blocks * 60 / (time.process_time() - began)


def measure_live() -> Figures:
    """Shares of a core for 2,000 stations; nothing happens in these minutes."""
    world = open_world("national")
    still = replace(world, waves=lambda rows, station: [None] * len(rows), stations=world.stations[:LIVE_STATIONS])
    first = world.start_ns // NS_PER_S
    telemetry = world.scenario.telemetry
    packets = seconds_of(still, first, first + 60 + LIVE_S, 1)
    began = time.process_time()
    next(packets)
    prepare_s = time.process_time() - began
    list(islice(packets, 60 * LIVE_STATIONS - 1))
    with scaled(len(world.stations) / LIVE_STATIONS / LIVE_S) as generation:
        generated: list[Packet] = list(packets)
    with scaled(len(world.stations) / LIVE_STATIONS / LIVE_S) as faults:
        delivered = list(deliver(generated, telemetry, 1))
    with scaled(len(world.stations) / LIVE_STATIONS / LIVE_S) as encoding:
        for delivery in delivered:
            packet = delivery.packet
            encode_packet(
                packet.network, packet.station, packet.channels, "simulation", 0, TIME_KIND_LIVE
            ).SerializeToString()
    return {
        "live_national_cores_generation": generation[0],
        "live_national_cores_telemetry": faults[0],
        "live_national_cores_encoding": encoding[0],
        "live_national_s_to_prepare": prepare_s * len(world.stations) / LIVE_STATIONS,
    }


@contextmanager
def scaled(factor: float) -> Iterator[list[float]]:
    """The processor time of what is done inside, times a factor."""
    figure = [0.0]
    began = time.process_time()
    yield figure
    figure[0] = (time.process_time() - began) * factor


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def measure() -> Figures:
    quiet, aftershocks = open_world("quiet"), open_world("aftershocks")
    records = measure_records(quiet, block_at(quiet.start_ns), 10, 20)
    before_mb = peak_mb()
    measure_records(quiet, block_at(quiet.start_ns), 1, 360)
    growth_mb = peak_mb() - before_mb
    busy = measure_records(aftershocks, block_at(aftershocks.start_ns) + 14, 4, AFTERSHOCKS_MINUTES)
    return {
        "bulk_station_seconds_per_s_two_processes": measure_bulk(2),
        "records_station_seconds_per_s_one_core": records,
        "records_station_seconds_per_s_one_core_during_aftershocks": busy,
        "memory_growth_in_six_hours_of_a_station_mb": growth_mb,
        **measure_live(),
    }


if __name__ == "__main__":
    main("Simulated networks: noise, waves, records, and files or packets", measure)
