"""Packets from the bus into the detector: what cannot be used is put aside and charged to its station."""

import logging
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import Counter

from kensoku.bus import Bus, Message, Position, Stream
from kensoku.detection import Detector
from kensoku.errors import InputInvalid
from kensoku.lateness import Lag, elapsed_s
from kensoku.packets import ChannelSamples, decode_packets, read_packet
from kensoku.triggering.backfill import BACKFILL
from kensoku.triggering.isolation import Budgets
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, TIME_KIND_REPLAY, WaveformPacket

log = logging.getLogger("kensoku.triggering")

NS_PER_S = 10**9
MOST_REPORTED = 1000  # sentences in the log about channels that were left out

Read = tuple[Message, WaveformPacket]
Decoded = list[ChannelSamples] | InputInvalid

PACKETS = Counter("triggering_packets", "Packets that were read")
REJECTS = Counter("triggering_rejects", "Packets that could not be used")
LEFT_OUT = Counter("triggering_left_out_channels", "Channels of packets that could not be used")
LATE = Counter("triggering_late_packets", "Packets later than the lateness, handed to waveforms.backfill")
DISABLED = Counter("triggering_disabled_packets", "Packets left out because their station is disabled")
LAG_SECONDS = Lag("triggering_lag_seconds", "the newest live packet that was read had arrived")


class Reader:
    """Knows how far every partition was read, and which station sends too much that cannot be used."""

    def __init__(
        self,
        bus: Bus,
        detector: Detector,
        budgets: Budgets,
        is_enabled: Callable[[str], bool],
        clock_ns: Callable[[], int],
        future_s: float,
    ) -> None:
        self._future_ns = round(future_s * NS_PER_S)
        self._bus, self._detector, self._budgets = bus, detector, budgets
        self._is_enabled, self._clock_ns = is_enabled, clock_ns
        self._next: dict[Position, int] = {}
        self._live: dict[str, Position] = {}  # stations whose newest packet is no replay
        self._reported: set[str] = set()

    def read(self, stream: Stream, batch: Sequence[Message]) -> float:
        """How far behind the newest of these is, s; a replay is not behind."""
        PACKETS.inc(len(batch))
        read: list[Read] = []
        for message in batch:
            self._next[message.topic, message.partition] = message.offset + 1
            try:
                read.append((message, read_packet(message.value or b"")))
            except InputInvalid as error:
                self._reject(stream, message, str(error))
        for message, packet, channels in self._decoded(read):
            if isinstance(channels, InputInvalid):
                self._reject(stream, message, str(channels))
            else:
                self._feed(message, packet, channels)
        now_ns = self._clock_ns()
        live_ns = [packet.arrival_ns for _, packet in read if packet.time_kind == TIME_KIND_LIVE]
        LAG_SECONDS.tell(live_ns, now_ns)
        return elapsed_s(max(live_ns, default=now_ns), now_ns)

    def is_live(self, station: str) -> bool:
        """Whether its times can be compared with a clock; those of a replay may be years old."""
        return station in self._live

    def next_offset(self, position: Position) -> int:
        """Of the first message that was not read; 0 before any."""
        return self._next.get(position, 0)

    def leave(self, position: Position) -> None:
        self._next.pop(position, None)
        self._live = {station: place for station, place in self._live.items() if place != position}

    def _decoded(self, read: Sequence[Read]) -> Iterator[tuple[Message, WaveformPacket, Decoded]]:
        """All at once; what a station sends that has spent its budget by itself, so that it costs no other."""
        apart = frozenset(self._budgets.spent())
        usual = iter(decode_packets([packet for message, packet in read if message.key not in apart]))
        for message, packet in read:
            yield message, packet, decode_packets([packet])[0] if message.key in apart else next(usual)

    def _feed(self, message: Message, packet: WaveformPacket, channels: Sequence[ChannelSamples]) -> None:
        position = message.topic, message.partition
        if not self._is_enabled(message.key):
            DISABLED.inc()
            self._detector.network.skip(position, message.offset)
            return
        if not packet.arrival_ns and packet.time_kind != TIME_KIND_REPLAY:
            packet.arrival_ns = message.published_ns  # else the times of its samples would be believed
        if self._is_ahead(message, packet):
            packet.arrival_ns = message.published_ns
            self._report(f"{message.key}: an arrival later than its publication; the clock of who sends it is wrong")
            self._charge(message.key)
        if packet.time_kind == TIME_KIND_LIVE:
            self._live[message.key] = position
        else:
            self._live.pop(message.key, None)
        fed = self._detector.feed(packet, channels, position, message.offset)
        if fed.is_late:
            LATE.inc()
            self._bus.publish(BACKFILL, message.key, message.value)
        for reason in fed.left_out:
            LEFT_OUT.inc()
            self._report(f"{message.key} {reason}")
            self._charge(message.key)

    def _is_ahead(self, message: Message, packet: WaveformPacket) -> bool:
        """Of a packet that claims to have arrived after it was published: everybody else would count as silent. In a
        replay arrivals are times of the record."""
        return packet.time_kind != TIME_KIND_REPLAY and packet.arrival_ns > message.published_ns + self._future_ns

    def _reject(self, stream: Stream, message: Message, reason: str) -> None:
        REJECTS.inc()
        if not self._budgets.is_spent(message.key):
            stream.reject(message, reason)
        self._charge(message.key)
        self._detector.network.skip((message.topic, message.partition), message.offset)

    def _charge(self, station: str) -> None:
        if self._budgets.charge(station):
            log.warning("%s sends too much that cannot be used: counted from now on, not kept", station)

    def _report(self, sentence: str) -> None:
        """Once each, and of so many at the most."""
        if sentence not in self._reported and len(self._reported) < MOST_REPORTED:
            log.warning("left out: %s", sentence)
            self._reported.add(sentence)
