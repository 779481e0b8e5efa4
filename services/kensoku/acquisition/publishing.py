"""What acquisition hands to the bus, never more than so many packets ahead of the bus's answers."""

import logging
from collections import Counter as Tally
from dataclasses import replace
from pathlib import Path

import numpy as np
from prometheus_client import Counter, Gauge

from kensoku.acquisition.seconds import StationSecond
from kensoku.acquisition.waveform_files import Fault
from kensoku.bus import Bus, MessagesRefused
from kensoku.names import text_of
from kensoku.packets import ChannelSamples, encode_packet
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, TIME_KIND_REPLAY

log = logging.getLogger("kensoku.acquisition")

PACKETS = Counter("acquisition_packets", "Packets published: what was ready of one station for one second")
SAMPLES = Counter("acquisition_samples", "Samples published, of all channels")
MISSING = Counter("acquisition_missing_samples", "Samples published as missing, because they were no finite number")
REJECTS = Counter("acquisition_rejects", "Files, records and packets that could not be used")
QUARANTINED = Gauge("acquisition_quarantined_files", "Files left out because too much of them could not be used")
UNFLUSHED = Gauge("acquisition_unflushed_packets", "Packets published and not yet acknowledged")

TOPIC, REJECTED = "waveforms", "waveforms.rejected"


class Publisher:
    def __init__(self, bus: Bus, source: str, max_unflushed: int, max_rejects: int) -> None:
        self._bus = bus
        self._source = source
        self._max_unflushed = max_unflushed
        self._max_rejects = max_rejects
        self._unflushed = 0
        self._rejects: Tally[Path] = Tally()
        self._with_missing: set[str] = set()
        self._samples = 0  # since the last flush, when both are counted: a counter takes longer than a sum
        self._counted = 0
        self.packets = 0

    @property
    def rejects(self) -> int:
        return self._rejects.total()

    @property
    def is_full(self) -> bool:
        return self._unflushed >= self._max_unflushed

    def publish(self, item: StationSecond, shift_ns: int, arrival_ns: int, is_live: bool) -> None:
        channels = [_shifted(channel, shift_ns) for channel in item.channels] if shift_ns else item.channels
        time_kind = TIME_KIND_LIVE if is_live else TIME_KIND_REPLAY
        packet = encode_packet(item.network, item.station, channels, self._source, arrival_ns, time_kind)
        self._bus.publish(TOPIC, item.key, packet.SerializeToString())
        self._unflushed += 1
        self.packets += 1
        for channel in channels:
            self._samples += channel.samples.size
            if channel.samples.dtype.kind == "f":
                self._count_missing(item, channel)

    def reject(self, fault: Fault) -> None:
        """Put what cannot be used where it can be looked at; the first of a file is told, the others are counted."""
        REJECTS.inc()
        self._rejects[fault.path] += 1
        if self._rejects[fault.path] == 1:
            log.warning("rejected: %s", text_of(str(fault)))
        if self._rejects[fault.path] == self._max_rejects:
            QUARANTINED.inc()
            log.warning(
                "quarantined after %d rejects, the rest is left out: %s", self._max_rejects, text_of(fault.path)
            )
        name = text_of(fault.path.name)
        origin = f"{self._source}/{name}/{fault.offset}"
        headers = (("reason", text_of(fault.reason).encode()), ("origin", origin.encode()))
        self._bus.publish(REJECTED, name, fault.payload, headers)
        self._unflushed += 1

    def is_quarantined(self, path: Path) -> bool:
        return self._rejects[path] >= self._max_rejects

    def flush(self) -> None:
        """Wait until the bus has acknowledged everything; what a broker will never take is rejected."""
        PACKETS.inc(self.packets - self._counted)
        SAMPLES.inc(self._samples)
        self._counted, self._samples = self.packets, 0
        UNFLUSHED.set(self._unflushed)
        try:
            self._bus.flush()
        except MessagesRefused as refused:
            for refusal in refused.refusals:
                REJECTS.inc()
                self._bus.publish(REJECTED, refusal.key, None, (("reason", refusal.reason.encode()),))
            self._bus.flush()
        self._unflushed = 0
        UNFLUSHED.set(0)

    def _count_missing(self, item: StationSecond, channel: ChannelSamples) -> None:
        missing = int(np.count_nonzero(np.isnan(channel.samples)))
        MISSING.inc(missing)
        name = f"{item.key}.{channel.location}.{channel.code}"
        if missing and name not in self._with_missing:
            self._with_missing.add(name)
            log.warning("%s has samples that are no finite number; they travel as missing", name)


def _shifted(channel: ChannelSamples, shift_ns: int) -> ChannelSamples:
    return replace(channel, start_ns=channel.start_ns + shift_ns)
