"""Picks of packets that are all there."""

from collections.abc import Iterable, Iterator, Sequence

from kensoku.continuous import Times
from kensoku.detection._arrivals import FrontEnd
from kensoku.detection._detector import Detector, Found, no_inventory
from kensoku.detection._messages import Stations
from kensoku.detection._second_look import SecondLook
from kensoku.packets import PACKETS_AT_ONCE, decode_packets
from kensoku.v1.waveform_pb2 import WaveformPacket


def pick_packets(
    packets: Iterable[WaveformPacket],
    front_end: FrontEnd,
    times: Times | None = None,
    stations: Stations = no_inventory,
    second_look: SecondLook | None = None,
) -> Iterator[Found]:
    """The same from packets as live. Packets that cannot be used are left out.

    The stamps in the packets decide what is waited for: give those of one station in the order of their arrival.
    """
    detector = Detector(front_end, times, stations, second_look=second_look)
    batch: list[WaveformPacket] = []
    for packet in packets:
        batch.append(packet)
        if len(batch) == PACKETS_AT_ONCE:
            yield from _fed(detector, batch)
            batch = []
    yield from _fed(detector, batch)
    yield from detector.finish()


def _fed(detector: Detector, packets: Sequence[WaveformPacket]) -> list[Found]:
    for packet, channels in zip(packets, decode_packets(packets), strict=True):
        if isinstance(channels, list):
            detector.feed(packet, channels)
    return detector.found()
