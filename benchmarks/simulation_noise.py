"""How fast one core makes the noise of a network, and what a station costs in memory.

`python -m benchmarks.simulation_noise [--json]`
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.report import Figures, main
from kensoku.simulation.instruments import Digitiser, Instrument, find_sensor
from kensoku.simulation.noise import GroundNoise
from kensoku.simulation.randomness import BLOCK_S
from kensoku.simulation.recorder import Recorder
from kensoku.simulation.sites import draw_site

FIRST = 1_602_504_000 // BLOCK_S  # 2020-10-12 12:00 UTC, when vehicles pass
STATIONS = 100
NATIONAL_STATIONS = 2_000
BLOCKS = 10


def open_ground(rate_hz: int = 100) -> list[Iterator[object]]:
    """The noise of different sites, three components each."""
    return [
        iter(GroundNoise(draw_site(np.random.default_rng(number), 9.0), 1, f"XX.S{number}", rate_hz).blocks(FIRST))
        for number in range(STATIONS)
    ]


def open_records(rate_hz: int = 100) -> list[Iterator[object]]:
    """The same, recorded by broadband sensors that have warmed up."""
    instrument = Instrument(find_sensor("broadband-120s"), Digitiser(rate_hz))
    streams: list[Iterator[object]] = []
    for number in range(STATIONS):
        noise = GroundNoise(draw_site(np.random.default_rng(number), 9.0), 1, f"XX.S{number}", rate_hz)
        first = FIRST - instrument.warm_up_blocks
        streams.append(Recorder(instrument, 1, f"XX.S{number}").record(noise.blocks(first), first))
    return streams


def advance(streams: list[Iterator[object]], blocks: int) -> None:
    for _ in range(blocks):
        for stream in streams:
            next(stream)


def measure_speed(open_streams: Callable[[], list[Iterator[object]]]) -> float:
    """Station-seconds a second of processor time, so that a busy machine does not count."""
    streams = open_streams()
    advance(streams, 1)
    start = time.process_time()
    advance(streams, BLOCKS)
    return STATIONS * BLOCKS * BLOCK_S / (time.process_time() - start)


def peak_mb() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure() -> Figures:
    advance(open_records()[:1], 1)  # what is kept for all stations does not count below
    before_mb = peak_mb()
    streams = open_records()
    advance(streams, 1)
    station_kb = (peak_mb() - before_mb) * 1024 / STATIONS
    warm_mb = peak_mb()
    advance(streams, BLOCKS)
    growth_mb = peak_mb() - warm_mb
    noise, records = measure_speed(open_ground), measure_speed(open_records)
    return {
        "noise_station_seconds_per_s_one_core": noise,
        "noise_us_per_station_second": 1e6 / noise,
        "station_seconds_per_s_one_core": records,
        "us_per_station_second": 1e6 / records,
        "share_of_a_core_for_2000_stations_live": NATIONAL_STATIONS / records,
        "station_at_250_hz_us_per_station_second": 1e6 / measure_speed(lambda: open_records(250)),
        "memory_per_station_kb": station_kb,
        "memory_growth_in_ten_minutes_mb": growth_mb,
    }


if __name__ == "__main__":
    main("Simulated noise: three components at 100 Hz, ground alone and as counts of a broadband sensor", measure)
