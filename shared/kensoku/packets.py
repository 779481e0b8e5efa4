"""One station's samples between numpy and the packet that travels: what the channels agree on stands once."""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from kensoku import steim
from kensoku.errors import InputInvalid
from kensoku.v1.waveform_pb2 import Channel, TimeKind, WaveformPacket

Samples = npt.NDArray[Any]  # one dimension of int32 or float32

PACKETS_AT_ONCE = 64  # decoded together; more would not be faster, and would need more memory
MAX_SAMPLES = 2_000_000  # in a packet: three channels at 100 Hz for an hour and a half; a second of them is 300
MIN_RATE_HZ = 1e-4  # three hours a sample
MAX_RATE_HZ = 100_000.0
EARLIEST_NS = 0  # 1970: samples of the grid are numbered from it, and 0 stands for open in inventories
LATEST_NS = 4_102_444_800 * 10**9  # 2100

_NETWORK = re.compile(r"[A-Z0-9]{1,8}")  # FDSN source identifiers, 2.0
_STATION = re.compile(r"[A-Z0-9-]{1,8}")
_LOCATION = re.compile(r"[A-Z0-9-]{0,8}")
_CODE = re.compile(r"[A-Z0-9_]{1,8}")

_PLAIN = {"int32": np.dtype("<i4"), "float32": np.dtype("<f4")}
_DTYPES = (np.dtype(np.int32), np.dtype(np.float32))


@dataclass(frozen=True, slots=True)
class ChannelSamples:
    """One component's samples without a gap: counts of the digitiser, or float32 in which NaN is a missing sample."""

    location: str
    code: str
    start_ns: int
    rate_hz: float
    samples: Samples


# --- encoding ---------------------------------------------------------------------------------------------------------


def encode_packet(
    network: str,
    station: str,
    channels: Sequence[ChannelSamples],
    source: str,
    arrival_ns: int,
    time_kind: TimeKind,
) -> WaveformPacket:
    """int32 samples travel as Steim-2 where it can hold them and is smaller, otherwise as they are."""
    check_station(network, station)
    _check_counts([channel.samples.size for channel in channels])
    for channel in channels:
        check_channel(channel)
    common = channels[0]
    payloads = _encode_payloads(channels)
    return WaveformPacket(
        network=network,
        station=station,
        location=common.location,
        start_ns=common.start_ns,
        rate_hz=common.rate_hz,
        count=common.samples.size,
        channels=[_encode_channel(c, common, *payload) for c, payload in zip(channels, payloads, strict=True)],
        source=source,
        arrival_ns=arrival_ns,
        time_kind=time_kind,
    )


def _encode_payloads(channels: Sequence[ChannelSamples]) -> list[tuple[str, bytes]]:
    """The name of the field and what goes there."""
    counts = [channel.samples for channel in channels if channel.samples.dtype.kind == "i"]
    compressed = iter(steim.encode(counts) if counts else ())
    payloads = []
    for channel in channels:
        samples = channel.samples
        frames = next(compressed) if samples.dtype.kind == "i" else None
        if frames is not None and len(frames) <= samples.nbytes:
            payloads.append(("steim2", frames))
        else:
            name = "int32" if samples.dtype.kind == "i" else "float32"
            payloads.append((name, samples.astype(_PLAIN[name], copy=False).tobytes()))
    return payloads


def _encode_channel(channel: ChannelSamples, common: ChannelSamples, field: str, payload: bytes) -> Channel:
    encoded = Channel(code=channel.code)
    setattr(encoded, field, payload)
    if channel.location != common.location:
        encoded.location = channel.location
    if channel.start_ns != common.start_ns:
        encoded.start_ns = channel.start_ns
    if channel.rate_hz != common.rate_hz:
        encoded.rate_hz = channel.rate_hz
    if channel.samples.size != common.samples.size:
        encoded.count = channel.samples.size
    return encoded


# --- decoding ---------------------------------------------------------------------------------------------------------


def read_packet(message: bytes) -> WaveformPacket:
    try:
        return WaveformPacket.FromString(message)
    except DecodeError:
        raise InputInvalid(
            f"{len(message)} bytes that cannot be read; expected a WaveformPacket of protos/kensoku/v1/waveform.proto; "
            "check what writes to this topic"
        ) from None


def decode_packet(packet: WaveformPacket) -> list[ChannelSamples]:
    """Every channel's samples in the order of the packet; one channel that cannot be used refuses the packet."""
    return _decode([packet])[0]


def decode_packets(packets: Sequence[WaveformPacket]) -> list[list[ChannelSamples] | InputInvalid]:
    """Many packets at once, which takes a third of the time; one that cannot be used is answered with its error."""
    answers: list[list[ChannelSamples] | InputInvalid] = []
    for start in range(0, len(packets), PACKETS_AT_ONCE):
        answers += _decode_or_halve(packets[start : start + PACKETS_AT_ONCE])
    return answers


def _decode_or_halve(packets: Sequence[WaveformPacket]) -> Sequence[list[ChannelSamples] | InputInvalid]:
    """Halve until what cannot be used stands alone, so that one damaged packet costs the others little."""
    try:
        return _decode(packets)
    except InputInvalid as error:
        if len(packets) == 1:
            return [error]
    middle = len(packets) // 2
    return [*_decode_or_halve(packets[:middle]), *_decode_or_halve(packets[middle:])]


def _decode(packets: Sequence[WaveformPacket]) -> list[list[ChannelSamples]]:
    counts: list[int] = []
    for packet in packets:
        check_station(packet.network, packet.station)
        common = packet.count
        own = [channel.count if channel.HasField("count") else common for channel in packet.channels]
        _check_counts(own)
        counts += own
    channels = [channel for packet in packets for channel in packet.channels]
    samples = iter(_decode_payloads(channels, counts))
    return [[_decode_channel(packet, channel, next(samples)) for channel in packet.channels] for packet in packets]


def _decode_payloads(channels: Sequence[Channel], counts: Sequence[int]) -> list[Samples]:
    kinds = [channel.WhichOneof("payload") for channel in channels]
    compressed = [i for i, kind in enumerate(kinds) if kind == "steim2"]
    decoded = iter(steim.decode([channels[i].steim2 for i in compressed], [counts[i] for i in compressed]))
    return [
        next(decoded) if kind == "steim2" else _decode_plain(channel, kind, count)
        for channel, kind, count in zip(channels, kinds, counts, strict=True)
    ]


def _decode_plain(channel: Channel, kind: str | None, count: int) -> Samples:
    if kind is None:
        raise InputInvalid(f"channel {channel.code!r} without samples; expected steim2, int32 or float32")
    payload: bytes = getattr(channel, kind)
    if len(payload) != 4 * count:
        raise InputInvalid(
            f"{kind} payload of {len(payload)} bytes in channel {channel.code!r}; expected {4 * count} "
            f"for {count} samples; the sender must encode again"
        )
    return np.frombuffer(payload, dtype=_PLAIN[kind]).astype(_PLAIN[kind].newbyteorder("="), copy=False)


def _decode_channel(packet: WaveformPacket, channel: Channel, samples: Samples) -> ChannelSamples:
    decoded = ChannelSamples(
        location=channel.location if channel.HasField("location") else packet.location,
        code=channel.code,
        start_ns=channel.start_ns if channel.HasField("start_ns") else packet.start_ns,
        rate_hz=channel.rate_hz if channel.HasField("rate_hz") else packet.rate_hz,
        samples=samples,
    )
    check_channel(decoded)
    return decoded


# --- what both directions insist on -----------------------------------------------------------------------------------


@functools.lru_cache(maxsize=10_000)
def check_station(network: str, station: str) -> None:
    if not _NETWORK.fullmatch(network) or not _STATION.fullmatch(station):
        raise InputInvalid(
            f"found network {network!r} and station {station!r}, expected 1 to 8 characters of A-Z and 0-9 each, "
            "as in FDSN source identifiers; give the station such codes"
        )


@functools.lru_cache(maxsize=10_000)
def _check_codes(location: str, code: str) -> None:
    if not _CODE.fullmatch(code) or not _LOCATION.fullmatch(location):
        raise InputInvalid(
            f"found channel {code!r} at location {location!r}, expected codes as in FDSN source identifiers, "
            "such as 'HHZ' at '' or '00'; give the channel such codes"
        )


def _check_counts(counts: Sequence[int]) -> None:
    if not counts:
        raise InputInvalid("found a packet without channels, expected one or more; send only what is ready")
    if sum(counts) > MAX_SAMPLES:
        raise InputInvalid(
            f"found {sum(counts)} samples in one packet, expected at most {MAX_SAMPLES}; send several packets"
        )


def check_channel(channel: ChannelSamples) -> None:
    """Refuse what nobody further on could use."""
    _check_codes(channel.location, channel.code)
    if not MIN_RATE_HZ <= channel.rate_hz <= MAX_RATE_HZ:  # so that NaN fails too
        raise InputInvalid(
            f"found a rate of {channel.rate_hz} Hz in channel {channel.code}, expected "
            f"{MIN_RATE_HZ:g} to {MAX_RATE_HZ:.0f}; correct the header"
        )
    if not EARLIEST_NS <= channel.start_ns < LATEST_NS:
        raise InputInvalid(
            f"found a start of {channel.start_ns} ns in channel {channel.code}, expected a time between 1970 and 2100 "
            "in nanoseconds since 1970; check the clock and the unit"
        )
    samples = channel.samples
    if samples.ndim != 1 or samples.dtype not in _DTYPES:
        raise InputInvalid(
            f"found samples of {samples.dtype} in {samples.ndim} dimensions in channel {channel.code}, "
            "expected one dimension of int32 or float32; convert them before sending"
        )


def station_filter(patterns: str) -> Callable[[str], bool]:
    """`CI.*, NN.PIRU` as a question about a NET.STA; an empty one is about no station."""
    wanted = _patterns(patterns)
    return lambda station: any(fnmatchcase(station, pattern) for pattern in wanted)


def unmet_patterns(patterns: str, stations: Iterable[str]) -> list[str]:
    """Those that ask for none of the stations: one may be misspelt."""
    known = list(stations)
    return [pattern for pattern in _patterns(patterns) if not any(fnmatchcase(each, pattern) for each in known)]


def _patterns(patterns: str) -> list[str]:
    return [stripped for pattern in patterns.split(",") if (stripped := pattern.strip())]
