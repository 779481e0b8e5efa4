"""What came too late is picked again with all that surrounds it: from the log, station by station, once it is quiet."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from kensoku.bus import Bus, Message, Position, Start
from kensoku.continuous import Instrument, Times
from kensoku.detection import MOST_PICKS, Found, FrontEnd, SecondLook, Stations, is_more, pick_packets
from kensoku.errors import InputInvalid
from kensoku.packets import decode_packet, read_packet
from kensoku.v1.pick_pb2 import Pick, PickMessage
from kensoku.v1.waveform_pb2 import WaveformPacket

NS_PER_S = 10**9
WAVEFORMS, BACKFILL, PICKS = "waveforms", "waveforms.backfill", "picks"
CONTEXT_NS = 300 * NS_PER_S  # longer than anything that a pick and its measurement look at
BESIDE_NS = 60 * NS_PER_S  # of what filled in: where picks may come of it
GAP_NS = NS_PER_S  # pieces of one packet that lie so far apart are read as packets: shorter than any lateness
SAME_NS = NS_PER_S // 2  # a pick that was told so near is the same
QUIET_S, LONGEST_S = 5.0, 60.0  # nothing more of a station for so long; or so long since the first


@dataclass(slots=True)
class Waiting:
    """A station of which something filled in."""

    position: Position
    offset: int  # of its first message: nothing from there on is committed
    start_ns: int  # event time
    end_ns: int
    since_s: float  # wall clock
    last_s: float

    def is_due(self, now_s: float) -> bool:
        return now_s - self.last_s >= QUIET_S or now_s - self.since_s >= LONGEST_S


class Ledger:
    """Stations that wait, and how far may be committed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, Waiting] = {}
        self._next: dict[Position, int] = {}

    def note(self, message: Message, packet: WaveformPacket) -> None:
        position, now_s = (message.topic, message.partition), self._clock()
        start_ns, end_ns = span_of(packet)
        known = self._waiting.get(message.key)
        if known is None:
            self._waiting[message.key] = Waiting(position, message.offset, start_ns, end_ns, now_s, now_s)
        else:
            known.start_ns, known.end_ns = min(known.start_ns, start_ns), max(known.end_ns, end_ns)
            known.last_s = now_s

    def read(self, message: Message) -> None:
        self._next[message.topic, message.partition] = message.offset + 1

    def due(self) -> list[str]:
        now_s = self._clock()
        return [station for station, waiting in self._waiting.items() if waiting.is_due(now_s)]

    def take(self, station: str) -> Waiting:
        return self._waiting.pop(station)

    def put_back(self, station: str, waiting: Waiting) -> None:
        self._waiting[station] = waiting

    def leave(self, positions: frozenset[Position]) -> None:
        self._waiting = {key: one for key, one in self._waiting.items() if one.position not in positions}
        for position in positions:
            self._next.pop(position, None)

    def needed(self) -> Mapping[Position, int]:
        """The oldest offset of each position that has still to be read after a restart."""
        needed = dict(self._next)
        for waiting in self._waiting.values():
            needed[waiting.position] = min(needed.get(waiting.position, waiting.offset), waiting.offset)
        return needed


def span_of(packet: WaveformPacket) -> tuple[int, int]:
    """Event time, ns UTC."""
    channels = decode_packet(packet)
    starts = [channel.start_ns for channel in channels]
    ends = [channel.start_ns + round(channel.samples.size / channel.rate_hz * NS_PER_S) for channel in channels]
    return min(starts), max(ends)


def published_from(start_ns: int, now_ns: int) -> Start:
    """Where to begin to read what is of an event time: nothing is published before it happens, unless clocks are wrong
    or the record is of a time to come."""
    return start_ns if start_ns < now_ns else "earliest"


def packets_of(bus: Bus, station: str, start_ns: int, end_ns: int, now_ns: int) -> list[WaveformPacket]:
    """All that the log has of a station between two event times, as if each had come at its own end."""
    found: list[tuple[int, WaveformPacket]] = []
    for topic in (WAVEFORMS, BACKFILL):
        for message in bus.read(topic, start=published_from(start_ns, now_ns), key=station):
            try:
                spans = [(span_of(part), part) for part in parts_of(read_packet(message.value or b""))]
            except InputInvalid:  # told when it was read the first time
                continue
            for (first_ns, last_ns), part in spans:
                if last_ns > start_ns and first_ns < end_ns:
                    part.arrival_ns = last_ns
                    found.append((last_ns, part))
    return [packet for _, packet in sorted(found, key=lambda one: one[0])]


def parts_of(packet: WaveformPacket) -> list[WaveformPacket]:
    """A packet for each stretch of its pieces, so that each comes at its own end."""
    pieces = zip(decode_packet(packet), packet.channels, strict=True)
    parts: list[WaveformPacket] = []
    end_ns = 0
    for decoded, piece in sorted(pieces, key=lambda both: both[0].start_ns):
        if not parts or decoded.start_ns > end_ns + GAP_NS:
            parts.append(WaveformPacket())
            parts[-1].CopyFrom(packet)
            del parts[-1].channels[:]
            end_ns = decoded.start_ns
        parts[-1].channels.append(piece)
        end_ns = max(end_ns, decoded.start_ns + round(decoded.samples.size / decoded.rate_hz * NS_PER_S))
    return parts


def told_of(bus: Bus, station: str, start: Start = "earliest") -> list[Pick]:
    """The picks of a station that were told before."""
    return [message.pick for message in _messages(bus, station, start) if message.WhichOneof("content") == "pick"]


def _messages(bus: Bus, station: str, start: Start) -> Iterator[PickMessage]:
    for message in bus.read(PICKS, start=start, key=station):
        try:
            yield PickMessage.FromString(message.value or b"")
        except DecodeError:
            continue  # somebody else's rubbish


def fill_in(
    bus: Bus,
    station: str,
    waiting: Waiting,
    front_end: FrontEnd,
    stations: Stations,
    second_look: SecondLook,
    times: Times | None = None,
    most_picks: int = MOST_PICKS,
) -> list[Found]:
    """Picks that the whole record shows in and beside what filled in and nobody told, and their measurements."""
    start_ns, end_ns = waiting.start_ns - CONTEXT_NS, waiting.end_ns + CONTEXT_NS
    now_ns = time.time_ns()
    packets = packets_of(bus, station, start_ns, end_ns, now_ns)
    found = list(pick_packets(packets, front_end, times, stations, second_look, most_picks=most_picks))
    told = told_of(bus, station, published_from(start_ns, now_ns))
    first_ns, last_ns = waiting.start_ns - BESIDE_NS, waiting.end_ns + BESIDE_NS
    new = {
        one.id: one
        for one in found
        if isinstance(one, Pick) and first_ns <= one.onset_ns < last_ns and not any(is_same(one, old) for old in told)
    }
    kept = [one for one in found if one.id in new]
    for one in kept:
        one.late = True
    return kept


def is_same(pick: Pick, other: Pick) -> bool:
    """One that is kept is news beside a faint one."""
    is_there = Instrument.of(pick.instrument) == Instrument.of(other.instrument) and pick.phase == other.phase
    return is_there and abs(pick.onset_ns - other.onset_ns) <= SAME_NS and not is_more(pick, other)
