"""How many station-seconds acquisition replays a second at full speed, from a synthetic SDS archive to each bus."""

import multiprocessing
import os
import resource
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from obspy import Stream, Trace, UTCDateTime

from benchmarks.report import Figures, main
from kensoku.acquisition.replay import run
from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.bus import open_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.runtime import Pulse
from kensoku.settings import load_settings
from tests.broker import running_broker
from tests.synthetic import coloured_noise

CACHE = Path(os.environ.get("KENSOKU_CACHE", Path(__file__).parent.parent / ".cache")) / "replay"
START = UTCDateTime(2030, 1, 1)  # day 001
STATIONS = 40
DURATION_S = 1500
STATION_SECONDS = STATIONS * DURATION_S


def archive() -> Path:
    """SDS, so YEAR/NET/STA/CHA.D/NET.STA.LOC.CHA.D.YEAR.DAY; written once."""
    folder = CACHE / f"sds-{STATIONS}x{DURATION_S}"
    if folder.is_dir():
        return folder
    partial = CACHE / f"partial-{os.getpid()}"
    random = np.random.default_rng(1)
    for station in (f"S{number:03d}" for number in range(STATIONS)):
        for code in ("HHE", "HHN", "HHZ"):
            path = partial / f"2030/ZZ/{station}/{code}.D/ZZ.{station}..{code}.D.2030.001"
            path.parent.mkdir(parents=True)
            channel = {"network": "ZZ", "station": station, "channel": code}
            counts = coloured_noise(random, DURATION_S * 100).astype(np.int32)
            trace = Trace(counts, {**channel, "sampling_rate": 100.0, "starttime": START})
            Stream([trace]).write(str(path), format="MSEED", encoding="STEIM2", reclen=512)
    partial.rename(folder)
    return folder


def replay(url: str, source: Path, packet_s: int, results: "multiprocessing.Queue[tuple[float, float]]") -> None:
    home = Path(tempfile.mkdtemp())
    given = {"acquisition_source": source, "acquisition_speed": "max", "home": home, "acquisition_packet_s": packet_s}
    settings = load_settings(AcquisitionSettings, given)
    try:
        with open_bus(url) as bus:
            began_s, cpu = time.monotonic(), _cpu_s()
            run(settings, bus, Pulse(), threading.Event())
            wall_s = time.monotonic() - began_s
            results.put((STATION_SECONDS / wall_s, (_cpu_s() - cpu) / wall_s))
    finally:
        shutil.rmtree(home)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def in_a_process(url: str, source: Path, packet_s: int = 0) -> tuple[float, float]:
    """So that the broker's clients and the tables of ObsPy begin as they would in production."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[float, float]] = context.Queue()
    process = context.Process(target=replay, args=(url, source, packet_s, results))
    process.start()
    try:
        return results.get(timeout=600)
    finally:
        process.join(30)
        process.kill()


def measure() -> Figures:
    source = archive()
    memory_per_s, memory_cores = in_a_process("memory://", source)
    with tempfile.TemporaryDirectory() as folder, running_broker(Path(folder)) as broker:
        with open_bus(broker.url) as bus:
            bus.apply_topics(plan(TOPICS, bus.existing_topics()))
        kafka_per_s, kafka_cores = in_a_process(broker.url, source)
        one_second_per_s, one_second_cores = in_a_process(broker.url, source, packet_s=1)
    return {
        "replay_station_seconds_per_s_memory": memory_per_s,
        "replay_cores_memory": memory_cores,
        "replay_station_seconds_per_s_kafka": kafka_per_s,
        "replay_cores_kafka": kafka_cores,
        "replay_1s_packets_per_s_kafka": one_second_per_s,
        "replay_1s_packets_cores_kafka": one_second_cores,
    }


if __name__ == "__main__":
    main(f"Replay of {STATIONS} stations of three components at 100 Hz, scan included", measure)
