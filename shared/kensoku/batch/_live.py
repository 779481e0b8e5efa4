"""Pick records as the live service would have: the same picks, with the same ids."""

from collections.abc import Iterable, Iterator

from kensoku.batch._engine import Piece, Tell
from kensoku.batch._measured import Heard
from kensoku.detection import Detector, Found, FrontEnd, PacketPicker, SecondLook, Stations
from kensoku.packets import ChannelSamples, encode_packet
from kensoku.v1.pick_pb2 import Pick
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket

PACKET_NS = 10 * 10**9  # far below the lateness that live packets are allowed


class AsLive:
    """Each pick once it is measured, half a minute later."""

    def __init__(self, front_end: FrontEnd, again: SecondLook, stations: Stations, tell: Tell) -> None:
        self._picker = PacketPicker(Detector(front_end, stations=stations, second_look=again), tell)
        self._waiting: dict[str, Pick] = {}

    def hear(self, piece: Piece) -> Iterator[Heard]:
        for packet in _packets(piece):
            yield from self._measured(self._picker.feed(packet))

    def finish(self) -> Iterator[Heard]:
        yield from self._measured(self._picker.finish())
        yield from map(Heard, self._waiting.values())

    def _measured(self, found: Iterable[Found]) -> Iterator[Heard]:
        for one in found:
            if isinstance(one, Pick):
                self._waiting[one.id] = one
            elif (pick := self._waiting.pop(one.id, None)) is not None:
                yield Heard(pick, one)


def _packets(piece: Piece) -> Iterator[WaveformPacket]:
    """As the station would have sent them: each at the end of its seconds."""
    for start_ns in range(piece.start_ns // PACKET_NS * PACKET_NS, piece.end_ns, PACKET_NS):
        end_ns = start_ns + PACKET_NS
        cuts = [_cut(channel, start_ns, end_ns) for channel in piece.channels]
        if channels := [cut for cut in cuts if cut.samples.size]:
            yield encode_packet(piece.network, piece.station, channels, "files", end_ns, TIME_KIND_REPLAY)


def _cut(channel: ChannelSamples, start_ns: int, end_ns: int) -> ChannelSamples:
    """Its samples from one time on and before the other."""
    first, last = (_index(channel, time_ns) for time_ns in (start_ns, end_ns))
    first_ns = channel.start_ns + round(first * 1e9 / channel.rate_hz)
    return ChannelSamples(channel.location, channel.code, first_ns, channel.rate_hz, channel.samples[first:last])


def _index(channel: ChannelSamples, time_ns: int) -> int:
    return min(max(-int(-(time_ns - channel.start_ns) * channel.rate_hz // 1e9), 0), channel.samples.size)
