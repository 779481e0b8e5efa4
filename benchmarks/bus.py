"""How many station packets a second the bus carries, over a real Kafka from encode to decode, and in memory."""

import multiprocessing
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from multiprocessing.queues import Queue
from pathlib import Path

import numpy as np

from benchmarks.report import Figures, main
from kensoku.bus import Bus, open_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.errors import InputInvalid
from kensoku.packets import ChannelSamples, decode_packets, encode_packet
from kensoku.v1.waveform_pb2 import TimeKind, WaveformPacket
from tests.broker import running_broker

STATIONS = 500
RATE_HZ = 100
COMPONENTS = ("HHZ", "HHN", "HHE")
PACED_PER_S = 6_000  # a fifth above the floor, so that the cores are those of a load that must be carried
PACED_PACKETS = 90_000
FLAT_OUT_PACKETS = 60_000
MEMORY_MESSAGES = 300_000
MEMORY_PACED_PER_S = 105_000
NS_PER_S = 1_000_000_000
START_NS = 1_562_382_000 * NS_PER_S  # 2019, the Ridgecrest sequence


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- Kafka: three processes, producer, consumer and broker ------------------------------------------------------------


def packets(count: int) -> Iterator[tuple[str, bytes]]:
    """One second of three components a packet: a random walk over ordinary noise, different in every packet."""
    noise = np.random.default_rng(1).normal(0, 300, (STATIONS + 3, 64 * RATE_HZ)).astype(np.int32)
    for number in range(count):
        second, station = divmod(number, STATIONS)
        offset = (second * RATE_HZ) % (63 * RATE_HZ)
        start_ns = START_NS + second * NS_PER_S
        channels = [
            ChannelSamples("", code, start_ns, RATE_HZ, noise[station + row, offset : offset + RATE_HZ])
            for row, code in enumerate(COMPONENTS)
        ]
        code = f"S{station:04d}"
        packet = encode_packet("NZ", code, channels, "benchmark", time.time_ns(), TimeKind.TIME_KIND_REPLAY)
        yield f"NZ.{code}", packet.SerializeToString()


def produce(url: str, count: int, per_s: float, figures: "Queue[tuple[str, float]]") -> None:
    with open_bus(url) as bus:
        cpu, began_s = cpu_s(), time.monotonic()
        for number, (key, value) in enumerate(packets(count)):
            if per_s and number % 50 == 0:
                time.sleep(max(began_s + number / per_s - time.monotonic(), 0))
            bus.publish("waveforms", key, value)
        bus.flush(120.0)
        wall_s = time.monotonic() - began_s
        figures.put(("produce_per_s", count / wall_s))
        figures.put(("producer_cores", (cpu_s() - cpu) / wall_s))


def consume(url: str, count: int, figures: "Queue[tuple[str, float]]") -> None:
    seen, cpu, began_s, latencies_ms = 0, 0.0, 0.0, []
    with open_bus(url) as bus, bus.subscribe(["waveforms"], f"benchmark-{os.getpid()}") as stream:
        for batch in stream.batches(2_000):
            if not stream.assignment:
                continue
            if not began_s:
                figures.put(("ready", 1.0))
            if batch and not cpu:
                cpu, began_s = cpu_s(), time.monotonic()
            began_s = began_s or time.monotonic()
            packets = [WaveformPacket.FromString(message.value or b"") for message in batch]
            assert not any(isinstance(answer, InputInvalid) for answer in decode_packets(packets))
            if batch:
                packet = packets[-1]
                latencies_ms.append((time.time_ns() - packet.arrival_ns) / 1e6)
                stream.commit({(message.topic, message.partition): message.offset + 1 for message in batch})
            seen += len(batch)
            if seen >= count:
                break
        wall_s = time.monotonic() - began_s
    figures.put(("consume_per_s", seen / wall_s))
    figures.put(("consumer_cores", (cpu_s() - cpu) / wall_s))
    figures.put(("latency_p50_ms", statistics.median(latencies_ms)))


def run_kafka(url: str, broker_pid: int, count: int, per_s: float) -> Mapping[str, float]:
    """Producer and consumer at once; the rate counts from the first message published to the last one decoded."""
    processes = multiprocessing.get_context("spawn")
    figures: Queue[tuple[str, float]] = processes.Queue()
    consumer = processes.Process(target=consume, args=(url, count, figures))
    producer = processes.Process(target=produce, args=(url, count, per_s, figures))
    try:
        consumer.start()
        assert figures.get(timeout=60)[0] == "ready"
        cpu, began_s = cpu_of(broker_pid), time.monotonic()
        producer.start()
        found = dict(figures.get(timeout=180) for _ in range(5))
        wall_s = time.monotonic() - began_s
        found["broker_cores"] = (cpu_of(broker_pid) - cpu) / wall_s
        producer.join()
        consumer.join()
        return found
    finally:
        producer.kill()
        consumer.kill()


def measure_kafka() -> Figures:
    with tempfile.TemporaryDirectory() as folder, running_broker(Path(folder)) as broker:
        with open_bus(broker.url) as bus:
            bus.apply_topics(plan(TOPICS, bus.existing_topics()))
        run_kafka(broker.url, broker.pid, 10_000, 0)  # a broker is slow until its code is compiled
        paced = run_kafka(broker.url, broker.pid, PACED_PACKETS, PACED_PER_S)
        flat_out = run_kafka(broker.url, broker.pid, FLAT_OUT_PACKETS, 0)
    return {
        "kafka_packets_per_s": min(paced["produce_per_s"], paced["consume_per_s"]),
        "producer_cores": paced["producer_cores"],
        "consumer_cores": paced["consumer_cores"],
        "broker_cores": paced["broker_cores"],
        "kafka_p50_ms": paced["latency_p50_ms"],
        "kafka_flat_out_packets_per_s": min(flat_out["produce_per_s"], flat_out["consume_per_s"]),
    }


# --- memory: two threads ----------------------------------------------------------------------------------------------


def run_memory(count: int, per_s: float) -> tuple[float, float]:
    """Messages a second, and the 99th percentile of the time from publication to the reader's hand, ms."""
    keys = [f"NZ.S{number:04d}" for number in range(STATIONS)]
    value = bytes(500)  # three channels of one second
    ready = threading.Event()
    latencies_ns: list[int] = []

    def read(bus: Bus) -> None:
        with bus.subscribe(["waveforms"], "benchmark") as stream:
            for batch in stream.batches(1_000, timeout_s=1.0):
                ready.set()
                now_ns = time.time_ns()
                latencies_ns.extend(now_ns - message.published_ns for message in batch)
                if len(latencies_ns) >= count:
                    return

    with open_bus("memory://") as bus:
        reader = threading.Thread(target=read, args=(bus,))
        reader.start()
        ready.wait()
        began_s = time.monotonic()
        for number in range(count):
            if per_s and number % 100 == 0:
                time.sleep(max(began_s + number / per_s - time.monotonic(), 0))
            bus.publish("waveforms", keys[number % STATIONS], value)
        reader.join()
        wall_s = time.monotonic() - began_s
    return count / wall_s, float(np.percentile(latencies_ns, 99)) / 1e6


def measure_memory() -> Figures:
    per_s, _ = run_memory(MEMORY_MESSAGES, 0)
    paced_per_s, p99_ms = run_memory(MEMORY_MESSAGES, MEMORY_PACED_PER_S)
    return {"memory_packets_per_s": per_s, "memory_paced_per_s": paced_per_s, "memory_p99_ms": p99_ms}


def measure() -> Figures:
    return {**measure_memory(), **measure_kafka()}


if __name__ == "__main__":
    main("Bus: station packets of three channels, one second at 100 Hz", measure)
