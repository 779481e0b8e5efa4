"""What a packet of three components costs to encode, to decode and to carry, against other ways to do the same."""

import io
import time
from collections.abc import Callable

import numpy as np
from obspy import Stream, Trace

from benchmarks.report import Figures, main
from kensoku.packets import ChannelSamples, Samples, decode_packet, decode_packets, encode_packet, read_packet
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY

RATE_HZ = 100
CODES = ("HHE", "HHN", "HHZ")
START_NS = 1_562_255_400 * 10**9
PACKETS = 2000
RECORDS = 200  # of ObsPy's, which take longer


def noise(seconds: int, seed: int) -> list[Samples]:
    """Ordinary noise of a 24-bit digitiser: neighbours differ by some 20 counts, two Steim-2 frames a second."""
    steps = np.random.default_rng(seed).normal(0, 20, (len(CODES), seconds * RATE_HZ))
    return list(np.cumsum(steps, axis=1).astype(np.int32))


def encode(components: list[Samples]) -> bytes:
    channels = [ChannelSamples("", c, START_NS, RATE_HZ, s) for c, s in zip(CODES, components, strict=True)]
    return encode_packet("NZ", "S0001", channels, "files", START_NS, TIME_KIND_REPLAY).SerializeToString()


def decode(message: bytes) -> None:
    decode_packet(read_packet(message))


def encode_records(components: list[Samples]) -> bytes:
    """As miniSEED by ObsPy, in the shortest records that it writes: 256 bytes."""
    header = {"network": "NZ", "station": "S0001", "sampling_rate": RATE_HZ}
    traces = [Trace(samples, {**header, "channel": code}) for code, samples in zip(CODES, components, strict=True)]
    file = io.BytesIO()
    Stream(traces).write(file, format="MSEED", encoding="STEIM2", reclen=256)
    return file.getvalue()


def rate(calls: int, call: Callable[[int], object]) -> float:
    """Calls a second of CPU time."""
    call(0)
    began_s = time.process_time()
    for number in range(calls):
        call(number)
    return calls / (time.process_time() - began_s)


def measure() -> Figures:
    figures: dict[str, float] = {}
    for seconds in (1, 5):
        components = [noise(seconds, seed) for seed in range(100)]
        messages = [encode(c) for c in components]
        records = [encode_records(c) for c in components]
        samples = 100 * len(CODES) * seconds * RATE_HZ

        def decode_number(number: int, messages: list[bytes] = messages) -> None:
            decode(messages[number % 100])

        def decode_many(_: int, messages: list[bytes] = messages) -> None:
            decode_packets([read_packet(message) for message in messages])

        def encode_number(number: int, components: list[list[Samples]] = components) -> None:
            encode(components[number % 100])

        def record_number(number: int, components: list[list[Samples]] = components) -> None:
            encode_records(components[number % 100])

        figures |= {
            f"encode_{seconds}s_packets_per_s": rate(PACKETS, encode_number),
            f"decode_{seconds}s_packets_per_s": rate(PACKETS, decode_number),
            f"decode_100_at_once_{seconds}s_packets_per_s": 100 * rate(PACKETS // 100, decode_many),
            f"bytes_a_sample_{seconds}s": sum(map(len, messages)) / samples,
            f"obspy_miniseed_encode_{seconds}s_packets_per_s": rate(RECORDS, record_number),
            f"obspy_miniseed_bytes_a_sample_{seconds}s": sum(map(len, records)) / samples,
        }
    return figures | {"int32_bytes_a_sample": 4.0}


if __name__ == "__main__":
    main("Packets of three components at 100 Hz, one core", measure)
