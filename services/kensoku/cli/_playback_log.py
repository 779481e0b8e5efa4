"""The span of the log that is played again: the live system's packets, in the order in which they were published."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from google.protobuf.message import DecodeError

from kensoku.bus import Bus, Message, Start
from kensoku.errors import InputInvalid
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, WaveformPacket

WAVEFORMS = "waveforms"
LEAD_IN_NS = 300 * NS_PER_S  # longer than anything that a pick and its measurement look at
LEAD_OUT_NS = 300 * NS_PER_S  # until the last events are final: their waves have passed, and every station was heard
MOST_HELD_BACK = 10_000  # until it is known that the log holds something of the span
CLOCK_NS = 60 * NS_PER_S  # by so much a live packet's samples may be ahead of its publication


@dataclass(slots=True)
class Seen:
    """Of packets, in event time."""

    packets: int = 0
    first_ns: int = 2**63 - 1
    last_ns: int = -(2**63)
    stations: set[str] = field(default_factory=set)

    def note(self, station: str, start_ns: int, end_ns: int) -> None:
        self.packets += 1
        self.first_ns, self.last_ns = min(self.first_ns, start_ns), max(self.last_ns, end_ns)
        self.stations.add(station)

    def __str__(self) -> str:
        return f"{iso_time(self.first_ns)} to {iso_time(self.last_ns)}"


class LoggedSpan:
    """Packets with samples in a span of event time, and some before and after it."""

    def __init__(self, bus: Bus, start_ns: int, end_ns: int) -> None:
        self._bus = bus
        self.start_ns, self.end_ns = start_ns, end_ns
        self.log = Seen()  # what was looked at
        self.played = Seen()  # what lies in the span
        self._held_back: list[Message] = []
        self._wanted = self._select()

    def begin(self) -> None:
        """Read up to the first packet of the span; raises InputInvalid when the log holds nothing of it."""
        for message in self._wanted:
            self._held_back.append(message)
            if self.played.packets or len(self._held_back) >= MOST_HELD_BACK:
                return
        if not self.played.packets:
            raise InputInvalid(
                f"found {self._described()}, expected some between {iso_time(self.start_ns)} and "
                f"{iso_time(self.end_ns)}; choose a span that the log still holds"
            )

    def messages(self) -> Iterator[Message]:
        """Those that are played, in the order of their publication."""
        return chain(self._held_back, self._wanted)

    def _select(self) -> Iterator[Message]:
        for message in self._bus.read_in_order(WAVEFORMS, start=self._place()):
            packet = _packet_of(message)
            if packet is None:
                continue  # triggering told it when it came
            start_ns, end_ns = rough_span(packet)
            self.log.note(message.key, start_ns, end_ns)
            if end_ns > self.start_ns and start_ns < self.end_ns:
                self.played.note(message.key, start_ns, end_ns)
            if end_ns > self.start_ns - LEAD_IN_NS and start_ns < self.end_ns + LEAD_OUT_NS:
                yield message

    def _place(self) -> Start:
        """What a live station sends is published after it happened; the time of a replayed archive says nothing."""
        first = next(self._bus.read(WAVEFORMS), None)
        if first is None:
            raise InputInvalid(
                "found no waveforms in the log, expected those of a live system; start one, or name its bus with --bus"
            )
        packet = _packet_of(first)
        if packet is None or packet.time_kind != TIME_KIND_LIVE:
            return "earliest"
        self.log.note(first.key, *rough_span(packet))
        return min(max(self.start_ns - LEAD_IN_NS - CLOCK_NS, 0), time.time_ns())

    def _described(self) -> str:
        return f"waveforms from {self.log}" if self.log.packets else "nothing that can be read"


def _packet_of(message: Message) -> WaveformPacket | None:
    try:
        packet = WaveformPacket.FromString(message.value or b"")
    except DecodeError:
        return None
    return packet if packet.channels else None


def rough_span(packet: WaveformPacket) -> tuple[int, int]:
    """Event time of a packet's samples, ns UTC, without decoding them."""
    spans = []
    for channel in packet.channels:
        start_ns = channel.start_ns if channel.HasField("start_ns") else packet.start_ns
        rate_hz = channel.rate_hz if channel.HasField("rate_hz") else packet.rate_hz
        count = channel.count if channel.HasField("count") else packet.count
        spans.append((start_ns, start_ns + round(count / rate_hz * NS_PER_S) if rate_hz > 0 else start_ns))
    return min(start for start, _ in spans), max(end for _, end in spans)
