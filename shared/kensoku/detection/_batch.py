"""Picks of packets that are all there."""

from collections.abc import Callable, Iterable, Iterator

from kensoku.continuous import Times
from kensoku.detection._arrivals import FrontEnd
from kensoku.detection._detector import MOST_PICKS, Detector, Found, no_inventory
from kensoku.detection._messages import Stations
from kensoku.detection._second_look import SecondLook
from kensoku.packets import PACKETS_AT_ONCE, decode_packets
from kensoku.v1.waveform_pb2 import WaveformPacket

TOO_LATE = (
    "samples that came later than the lateness after others of their instrument, which were looked at without them; "
    "give the packets in the order of their arrival, or a longer lateness"
)

Tell = Callable[[str, str], None]  # a station or one of its channels, and why something of it is left out


def _silent(name: str, reason: str) -> None:
    """For those whom nobody asks."""


def pick_packets(
    packets: Iterable[WaveformPacket],
    front_end: FrontEnd,
    times: Times | None = None,
    stations: Stations = no_inventory,
    second_look: SecondLook | None = None,
    tell: Tell = _silent,
    most_picks: int = MOST_PICKS,
) -> Iterator[Found]:
    """The same from packets as live. What cannot be used is told and left out.

    The stamps in the packets decide what is waited for: give those of one station in the order of their arrival.
    """
    picker = PacketPicker(Detector(front_end, times, stations, second_look=second_look, most_picks=most_picks), tell)
    for packet in packets:
        yield from picker.feed(packet)
    yield from picker.finish()


class PacketPicker:
    """The same for packets that come one by one."""

    def __init__(self, detector: Detector, tell: Tell) -> None:
        self._detector, self._tell = detector, tell
        self._waiting: list[WaveformPacket] = []

    def feed(self, packet: WaveformPacket) -> list[Found]:
        self._waiting.append(packet)
        return self._found() if len(self._waiting) == PACKETS_AT_ONCE else []

    def finish(self) -> list[Found]:
        return [*self._found(), *self._detector.finish()]

    def _found(self) -> list[Found]:
        packets, self._waiting = self._waiting, []
        for packet, channels in zip(packets, decode_packets(packets), strict=True):
            name = f"{packet.network}.{packet.station}"
            if not isinstance(channels, list):
                self._tell(name, str(channels))
                continue
            fed = self._detector.feed(packet, channels)
            if fed.is_late:
                self._tell(name, TOO_LATE)
            for left_out in fed.left_out:
                code, _, reason = left_out.partition(": ")
                location = next((each.location for each in channels if each.code == code), "")
                self._tell(f"{name}.{location}.{code}", reason)
        return self._detector.found()
