"""All instruments at once: packets in, complete seconds out, the same whatever the packets' sizes and order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kensoku.continuous._completeness import Step
from kensoku.continuous._grid import RATE_HZ, index_of
from kensoku.continuous._instruments import Instrument, instrument_of
from kensoku.continuous._rate import rate_of
from kensoku.continuous._stations import NOT_HELD, Listened, Position, Station
from kensoku.continuous._timeline import Timeline
from kensoku.errors import InputInvalid
from kensoku.packets import ChannelSamples
from kensoku.v1.waveform_pb2 import WaveformPacket

NS_PER_S = 10**9
NOWHERE: Position = ("", 0)
FORGOTTEN_AFTER_S = 3600  # an instrument that is silent for so long takes no memory
MOST_AHEAD = 600 * RATE_HZ  # samples that one channel may be ahead while others may still be on their way


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long is waited, and what is kept."""

    hold_s: float = 3.0  # after the first arrival that reached a second
    lateness_s: float = 60.0  # so late samples are still looked at
    future_s: float = 60.0  # samples so much later than their arrival have a clock that is wrong
    reach: int = 0  # samples before its end that looking at a step takes


@dataclass(frozen=True, slots=True)
class Before:
    """What the last Progress before a restart tells of a position."""

    next_offset: int  # what comes from here on was not looked at
    known_to: Mapping[Instrument, int]  # the sample before which all of an instrument was looked at, and told


@dataclass(slots=True)
class Fed:
    """What became of a packet."""

    is_late: bool = False  # some of it is later than the lateness: it belongs to those who fill in afterwards
    left_out: list[str] = field(default_factory=list)  # channels that could not be used, and why
    gone: list[Instrument] = field(default_factory=list)  # silent for so long that they are to be forgotten

    def add(self, other: "Fed") -> None:
        self.is_late |= other.is_late
        self.left_out += other.left_out
        self.gone += other.gone


class Network:
    """Steps gather in `ready`; whoever looks at them calls `take`, and nothing that they need is forgotten before."""

    def __init__(self, times: Times) -> None:
        self._times = times
        self._hold_ns, self._lateness_ns = (round(s * NS_PER_S) for s in (times.hold_s, times.lateness_s))
        self._future_ns = round(times.future_s * NS_PER_S)
        self._lateness = round(times.lateness_s * RATE_HZ)
        self._kept = times.reach + self._lateness + 2 * RATE_HZ
        self._stations: dict[str, Station] = {}
        self._clocks: dict[Position, int] = {}  # the newest stamp
        self._swept: dict[Position, int] = {}
        self._next: dict[Position, int] = {}
        self._before: dict[Position, Before] = {}
        self.ready: list[Step] = []

    def resume(self, position: Position, before: Before) -> None:
        """What was looked at before a restart is complete again as its packets come again, but known."""
        self._before[position] = before

    def parts(self, channels: Sequence[ChannelSamples]) -> list[Sequence[ChannelSamples]]:
        """A packet's pieces in the order of time, apart where a record may end between them."""
        if [piece.start_ns for piece in channels].count(channels[0].start_ns) == len(channels):
            return [channels]
        parts, end_ns = list[list[ChannelSamples]](), 0
        for piece in sorted(channels, key=lambda piece: piece.start_ns):
            if not parts or piece.start_ns > end_ns + self._lateness_ns:
                parts.append([])
            parts[-1].append(piece)
            end_ns = _end_ns(parts[-1])
        return [*parts]

    def disturbs(self, packet: WaveformPacket, channels: Sequence[ChannelSamples]) -> bool:
        """Whether a packet changes or ends what steps lie in that were given out: they must be looked at before it."""
        station = self._stations.get(f"{packet.network}.{packet.station}")
        if station is None or not station.instruments:
            return False
        earliest = index_of(min(channel.start_ns for channel in channels))
        stamp_ns = _stamp_ns(packet, station, channels)
        is_disturbed = False
        for listened in station.instruments.values():
            if self._is_ended(listened, earliest, stamp_ns):
                self.ready.extend(listened.completeness.rest(station.stamp_ns))
                is_disturbed = True
            is_disturbed |= earliest < listened.completeness.evaluated_to
        return is_disturbed

    def ended(self, packet: WaveformPacket, channels: Sequence[ChannelSamples]) -> frozenset[Instrument]:
        """Instruments of the station whose records end before the packet: nothing is waited for any more."""
        station = self._stations.get(f"{packet.network}.{packet.station}")
        if station is None:
            return frozenset()
        earliest = index_of(min(channel.start_ns for channel in channels))
        stamp_ns = _stamp_ns(packet, station, channels)
        return frozenset(
            instrument
            for instrument, listened in station.instruments.items()
            if self._is_ended(listened, earliest, stamp_ns)
        )

    def feed(
        self,
        packet: WaveformPacket,
        channels: Sequence[ChannelSamples],
        position: Position = NOWHERE,
        offset: int = 0,
    ) -> Fed:
        """What a packet brings; its offset is kept as long as anything of it is needed."""
        fed = Fed()
        self._next[position] = max(offset + 1, self._next.get(position, 0))
        key = f"{packet.network}.{packet.station}"
        station = self._stations.get(key)
        if station is None:
            station = self._stations[key] = Station(key, position)
        station.stamp_ns = _stamp_ns(packet, station, channels)
        for piece in channels:
            self._write(packet, station, piece, offset, fed)
        for listened in station.instruments.values():
            self.ready.extend(listened.completeness.complete(station.stamp_ns))
        fed.gone = self._advance(position, station.stamp_ns)
        return fed

    def forget(self, instrument: Instrument) -> None:
        """Somebody has looked at all of it."""
        self._stations[instrument.key].instruments.pop(instrument, None)

    def take(self) -> list[Step]:
        """The steps that are ready, for somebody who looks at them before the next packet is fed."""
        taken, self.ready = self.ready, []
        return taken

    def put_back(self, steps: Sequence[Step]) -> None:
        """They could not be looked at."""
        self.ready[:0] = steps

    def hold(self, instrument: Instrument, first: int = NOT_HELD) -> None:
        """A step that begins there waits to be looked at; without one, none waits any more."""
        station = self._stations.get(instrument.key)
        listened = station.instruments.get(instrument) if station else None
        if listened:
            listened.held_from = first

    def keep(self, instrument: Instrument, first: int = NOT_HELD) -> None:
        """What a step that begins there needs is kept, and nothing else waits for it."""
        station = self._stations.get(instrument.key)
        listened = station.instruments.get(instrument) if station else None
        if listened:
            listened.kept_from = first

    def forget_old(self, steps: Sequence[Step]) -> None:
        """After these steps were looked at."""
        for instrument in {step.timeline.instrument for step in steps}:
            station = self._stations.get(instrument.key)
            listened = station.instruments.get(instrument) if station else None
            if listened:
                needed = min(listened.completeness.evaluated_to, listened.held_from, listened.kept_from) - self._kept
                listened.timeline.forget(needed)
                while listened.marks and listened.marks[0][1] <= needed:
                    listened.marks.popleft()

    def finish(self) -> None:
        """Nothing more will come: what has begun is ready."""
        for station in self._stations.values():
            for listened in station.instruments.values():
                self.ready.extend(listened.completeness.rest(station.stamp_ns))

    def evaluated(self, position: Position) -> Iterator[tuple[Timeline, int, bool]]:
        """By instrument, to which sample all is looked at once `ready` is; and whether it is silent.

        Not beyond a step that waits, nor beyond the half minute of a pick that is not measured yet: who hears how far
        a station has come has heard its measurements too.
        """
        quiet_ns = self._clocks.get(position, 0) - self._lateness_ns
        for station in self._stations.values():
            if station.position == position:
                for listened in station.instruments.values():
                    evaluated_to = min(listened.completeness.evaluated_to, listened.held_from, listened.kept_from)
                    yield listened.timeline, evaluated_to, listened.stamp_ns < quiet_ns

    def is_silent(self, instrument: Instrument) -> bool:
        """Whether nothing has come of it for longer than the lateness, or it is gone."""
        station = self._stations.get(instrument.key)
        if station is None or instrument not in station.instruments:
            return True
        return station.instruments[instrument].stamp_ns < self._clocks[station.position] - self._lateness_ns

    def instruments(self) -> Iterator[Instrument]:
        for station in self._stations.values():
            yield from station.instruments

    def position(self, instrument: Instrument) -> Position:
        """Where the packets of an instrument come from."""
        station = self._stations.get(instrument.key)
        return station.position if station else NOWHERE

    def timeline(self, instrument: Instrument) -> Timeline | None:
        station = self._stations.get(instrument.key)
        listened = station.instruments.get(instrument) if station else None
        return listened.timeline if listened else None

    def evaluated_to(self, instrument: Instrument) -> int:
        """The sample before which all steps were given out."""
        station = self._stations.get(instrument.key)
        listened = station.instruments.get(instrument) if station else None
        return listened.completeness.evaluated_to if listened else 0

    def oldest_needed(self) -> dict[Position, int]:
        """The oldest offset that a restart must read. A silent instrument does not hold it."""
        oldest = dict(self._next)
        for station in self._stations.values():
            place = station.position
            for listened in station.instruments.values():
                is_silent = listened.stamp_ns < self._clocks[place] - self._lateness_ns
                is_waiting = min(listened.held_from, listened.kept_from) != NOT_HELD
                if listened.marks and (is_waiting or not is_silent):
                    oldest[place] = min(oldest[place], listened.marks[0][0])
        return oldest

    def skip(self, position: Position, offset: int) -> None:
        """A message that was no packet was read."""
        self._next[position] = max(offset + 1, self._next.get(position, 0))

    def leave(self, position: Position) -> None:
        """It belongs to somebody else now."""
        self._stations = {key: station for key, station in self._stations.items() if station.position != position}
        self.ready = [step for step in self.ready if step.timeline.instrument.key in self._stations]
        for by_position in (self._clocks, self._swept, self._next, self._before):
            by_position.pop(position, None)

    def _write(self, packet: WaveformPacket, station: Station, piece: ChannelSamples, offset: int, fed: Fed) -> None:
        found = instrument_of(packet.network, packet.station, piece.location, piece.code)
        if found is None or not piece.samples.size:
            return
        if packet.arrival_ns and _end_ns([piece]) > packet.arrival_ns + self._future_ns:
            fed.left_out.append(f"{piece.code}: samples later than their arrival")
            return
        try:
            rate_of(piece.rate_hz)
        except InputInvalid as error:
            fed.left_out.append(f"{piece.code}: {error}")
            return
        instrument, component = found
        listened = station.instruments.get(instrument)
        if listened is None:
            before = self._before.get(station.position)
            known_to = before.known_to.get(instrument, 0) if before and offset < before.next_offset else 0
            listened = station.instruments[instrument] = Listened(instrument, self._hold_ns, known_to)
        listened.stamp_ns = station.stamp_ns
        first, completeness = index_of(piece.start_ns), listened.completeness
        if not completeness.evaluated_to or self._is_ended(listened, first, station.stamp_ns):
            self.ready.extend(completeness.rest(station.stamp_ns))
            completeness.begin(first, station.stamp_ns)
            listened.timeline.silences.append((listened.timeline.end, first))
            listened.timeline.forget(completeness.evaluated_to - self._kept)
        oldest = completeness.evaluated_to - self._lateness
        fed.is_late |= first < oldest
        given_out = completeness.evaluated_to
        if reason := listened.timeline.beside(component, piece):
            fed.left_out.append(f"{piece.code}: {reason}")
        written = listened.timeline.write(component, piece, oldest)
        if not written:
            return
        completeness.arrived(written[0][0], station.stamp_ns)
        listened.mark(offset, written[-1][1])
        if written[0][0] < given_out and completeness.evaluated_to == given_out:
            self.ready.extend(completeness.again(written[0][0], written[-1][1], station.stamp_ns))

    def _is_ended(self, listened: Listened, first: int, stamp_ns: int) -> bool:
        """Whether a record has ended before a sample so much later, since nothing between them is on its way."""
        if first <= listened.timeline.end + self._lateness:
            return False
        completeness = listened.completeness
        is_over = stamp_ns > completeness.reached_ns + self._hold_ns
        return is_over or first > completeness.evaluated_to + MOST_AHEAD

    def _advance(self, position: Position, stamp_ns: int) -> list[Instrument]:
        """Once a second of stamps, look for instruments that are silent; those that are to be forgotten."""
        clock = self._clocks[position] = max(stamp_ns, self._clocks.get(position, 0))
        if clock < self._swept.get(position, 0) + NS_PER_S:
            return []
        self._swept[position] = clock
        quiet_ns, gone_ns = clock - self._lateness_ns, clock - FORGOTTEN_AFTER_S * NS_PER_S
        gone = []
        for station in [station for station in self._stations.values() if station.position == position]:
            for instrument, listened in station.instruments.items():
                if listened.stamp_ns < quiet_ns:
                    self.ready.extend(listened.completeness.rest(station.stamp_ns))
                    if listened.stamp_ns < gone_ns:
                        gone.append(instrument)
            if not station.instruments and station.stamp_ns < gone_ns:
                del self._stations[station.key]
        return gone


def _stamp_ns(packet: WaveformPacket, station: Station, channels: Sequence[ChannelSamples]) -> int:
    """The newest stamp of a station, with this packet."""
    return max(station.stamp_ns, packet.arrival_ns or _end_ns(channels))


def _end_ns(channels: Sequence[ChannelSamples]) -> int:
    return max(piece.start_ns + round(piece.samples.size * NS_PER_S / piece.rate_hz) for piece in channels)
