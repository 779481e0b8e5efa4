"""Packets: samples come back exactly, the envelope stays small, and nothing malformed gets through or costs much."""

import tracemalloc

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.packets import (
    ChannelSamples,
    Samples,
    decode_packet,
    decode_packets,
    encode_packet,
    read_packet,
)
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, TIME_KIND_REPLAY, Channel, WaveformPacket

START_NS = 1_562_255_400_123_456_789


def channel(samples: Samples, code: str = "HHZ", location: str = "", rate_hz: float = 100.0) -> ChannelSamples:
    return ChannelSamples(location, code, START_NS, rate_hz, samples)


def encode(*channels: ChannelSamples) -> WaveformPacket:
    return encode_packet("CI", "PASC", channels, "files", START_NS + 10**9, TIME_KIND_REPLAY)


def ordinary_noise(random: np.random.Generator, size: int, steps: float = 20) -> Samples:
    """Of a 24-bit digitiser: neighbours differ by some tens of counts, which Steim-2 packs in two frames a second."""
    counts: Samples = np.cumsum(random.normal(0, steps, size)).astype(np.int32)
    return counts


def assert_same(decoded: list[ChannelSamples], sent: tuple[ChannelSamples, ...]) -> None:
    for mine, yours in zip(decoded, sent, strict=True):
        assert (mine.location, mine.code, mine.start_ns, mine.rate_hz) == (
            yours.location,
            yours.code,
            yours.start_ns,
            yours.rate_hz,
        )
        assert mine.samples.dtype == yours.samples.dtype
        assert np.array_equal(mine.samples, yours.samples, equal_nan=yours.samples.dtype.kind == "f")


def valid_packet() -> WaveformPacket:
    random = np.random.default_rng(1)
    return encode(*(channel(ordinary_noise(random, 100), code) for code in ("HHE", "HHN", "HHZ")))


@pytest.mark.parametrize(
    "samples",
    [
        np.array([], dtype=np.int32),
        np.array([], dtype=np.float32),
        np.array([-5], dtype=np.int32),
        np.full(100, 77, dtype=np.int32),
        np.array([-(2**31), 2**31 - 1, 0], dtype=np.int32),
        np.array([1.5, np.nan, -2e30], dtype=np.float32),
        np.arange(200, dtype=np.int32)[::2],
    ],
)
def test_samples_come_back_as_they_were(samples: Samples) -> None:
    sent = (channel(samples),)
    assert_same(decode_packet(read_packet(encode(*sent).SerializeToString())), sent)


def test_any_station_comes_back() -> None:
    random = np.random.default_rng(2)
    for _ in range(500):
        sent = tuple(
            ChannelSamples(
                location=random.choice(["", "00", "10"]),
                code=random.choice(["HHZ", "HHN", "HNZ", "BH1"]),
                start_ns=START_NS + int(random.integers(0, 3)) * 5_000_000,
                rate_hz=float(random.choice([100.0, 50.0, 99.9987])),
                samples=int(random.choice([-1, 1])) * ordinary_noise(random, int(random.integers(0, 300))),
            )
            for _ in range(random.integers(1, 8))
        )
        assert_same(decode_packet(read_packet(encode(*sent).SerializeToString())), sent)


def test_what_channels_agree_on_stands_once() -> None:
    packet = valid_packet()
    assert (packet.start_ns, packet.rate_hz, packet.count) == (START_NS, 100.0, 100)
    assert not any(c.HasField("start_ns") or c.HasField("rate_hz") or c.HasField("count") for c in packet.channels)


def test_the_envelope_carries_station_source_and_times() -> None:
    packet = encode_packet("CI", "PASC", [channel(np.zeros(1, np.int32))], "seedlink:x", 7, TIME_KIND_LIVE)
    assert (packet.network, packet.station) == ("CI", "PASC")
    assert (packet.source, packet.arrival_ns, packet.time_kind) == ("seedlink:x", 7, TIME_KIND_LIVE)


def test_a_difference_over_30_bits_travels_uncompressed() -> None:
    packet = encode(
        channel(np.array([0, 2**30], dtype=np.int32), "HHZ"), channel(np.arange(200, dtype=np.int32), "HHN")
    )
    assert [c.WhichOneof("payload") for c in packet.channels] == ["int32", "steim2"]


@pytest.mark.parametrize("steps", [20, 35])  # counts, up to what still packs four differences a word
@pytest.mark.parametrize(("seconds", "bytes_a_sample"), [(1, 1.6), (5, 1.2)])
def test_packets_of_ordinary_noise_are_small(seconds: int, bytes_a_sample: float, steps: float) -> None:
    random = np.random.default_rng(3)
    for _ in range(100):
        packet = encode(
            *(channel(ordinary_noise(random, 100 * seconds, steps), code) for code in ("HHE", "HHN", "HHZ"))
        )
        if seconds == 1:
            assert all(64 < len(c.steim2) <= 128 for c in packet.channels)
        assert packet.ByteSize() / (300 * seconds) <= bytes_a_sample


@pytest.mark.parametrize(
    "wrong",
    [
        channel(np.zeros(3, np.float64)),
        channel(np.zeros((3, 3), np.int32)),
        channel(np.zeros(3, ">i4")),
        channel(np.zeros(3, np.int32), rate_hz=0.0),
        channel(np.zeros(3, np.int32), code="hhz"),
    ],
)
def test_what_nobody_could_decode_is_not_encoded(wrong: ChannelSamples) -> None:
    with pytest.raises(InputInvalid, match="found .*, expected"):
        encode(wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"network": ""},
        {"network": "ci"},
        {"station": "TOOLONGACODE"},
        {"station": "A.B"},
        {"rate_hz": 0.0},
        {"rate_hz": -100.0},
        {"rate_hz": float("nan")},
        {"rate_hz": float("inf")},
        {"start_ns": 2**63 - 1},
        {"start_ns": -(2**63)},
        {"start_ns": -1},
        {"start_ns": 1_562_255_400_123_456_789_0 // 2},
        {"count": 0},
        {"count": 99},
        {"count": 101},
        {"count": 2**32 - 1},
        {"location": "a/b"},
    ],
)
def test_a_wrong_field_is_refused(change: dict[str, object]) -> None:
    packet = valid_packet()
    for name, value in change.items():
        setattr(packet, name, value)
    with pytest.raises(InputInvalid, match="expected"):
        decode_packet(packet)


@pytest.mark.parametrize(
    "wrong",
    [
        Channel(code="HHZ"),
        Channel(code="", int32=bytes(400)),
        Channel(code="HHZ", int32=bytes(399)),
        Channel(code="HHZ", float32=bytes(404)),
        Channel(code="HHZ", steim2=bytes(100)),
        Channel(code="HHZ", steim2=bytes(64 * 100_000)),
        Channel(code="HHZ", int32=bytes(400), count=2**31),
        Channel(code="HHZ", int32=bytes(400), rate_hz=-1),
        Channel(code="HHZ", int32=bytes(400), start_ns=2**62),
    ],
)
def test_a_wrong_channel_is_refused(wrong: Channel) -> None:
    packet = valid_packet()
    packet.channels.append(wrong)
    with pytest.raises(InputInvalid, match="expected"):
        decode_packet(packet)


def test_a_packet_without_channels_is_refused() -> None:
    with pytest.raises(InputInvalid, match="without channels"):
        decode_packet(WaveformPacket(network="CI", station="PASC"))


def test_a_length_of_two_gibibytes_costs_nothing() -> None:
    message = b"\x0a\xff\xff\xff\xff\x07" + b"CI"  # network, 2^31 - 1 bytes long
    tracemalloc.start()
    try:
        with pytest.raises(InputInvalid, match="8 bytes that cannot be read"):
            read_packet(message)
        packet = valid_packet()
        packet.count = 500_000_000
        with pytest.raises(InputInvalid, match="expected at most"):
            decode_packet(packet)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_damaged_bytes_never_give_anything_but_samples_or_a_refusal() -> None:
    random = np.random.default_rng(4)
    message = valid_packet().SerializeToString()
    for _ in range(4000):
        damaged = bytearray(message)
        for position in random.integers(0, len(damaged), random.integers(1, 6)):
            damaged[position] = random.integers(256)
        damaged = damaged[: random.integers(len(damaged))] if random.random() < 0.2 else damaged
        try:
            decoded = decode_packet(read_packet(bytes(damaged)))
        except InputInvalid:
            continue
        assert all(part.samples.ndim == 1 and part.rate_hz > 0 for part in decoded)


def test_many_packets_decode_as_each_does_alone_and_a_damaged_one_is_answered_with_its_error() -> None:
    packets = []
    for number in range(200):
        random = np.random.default_rng(number)
        samples = np.cumsum(random.normal(0, 30, (3, random.integers(1, 300))), axis=1).astype(np.int32)
        packets.append(encode(*(channel(row, code) for code, row in zip(("HHZ", "HHN", "HHE"), samples, strict=True))))
    damaged = WaveformPacket.FromString(packets[70].SerializeToString())
    damaged.channels[1].steim2 = damaged.channels[1].steim2[:-64] + bytes(64)
    packets[70] = damaged
    answers = decode_packets(packets)
    assert isinstance(answers[70], InputInvalid)
    for number in {*range(200)} - {70}:
        answer = answers[number]
        assert isinstance(answer, list)
        assert_same(answer, tuple(decode_packet(packets[number])))


def test_no_packets_are_no_mistake() -> None:
    assert decode_packets([]) == []


def test_a_length_field_of_two_gibibytes_is_refused_without_taking_memory() -> None:
    tag = (7 << 3) | 2  # channels, length-delimited
    claims_2_gib = bytes([tag, 0xFF, 0xFF, 0xFF, 0xFF, 0x07]) + bytes(100)
    tracemalloc.start()
    try:
        with pytest.raises(InputInvalid, match="106 bytes that cannot be read; expected a WaveformPacket"):
            read_packet(claims_2_gib)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
