"""Packets in, picks and their measurements out: the state that the live service and the batch command share."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from kensoku.continuous import (
    NOT_HELD,
    NOWHERE,
    RATE_HZ,
    Before,
    Fed,
    Instrument,
    Network,
    Position,
    Step,
    Timeline,
    Times,
)
from kensoku.detection._arrivals import Arrival, FrontEnd, Sieve
from kensoku.detection._flaws import judged
from kensoku.detection._messages import Stations, describe, describe_fully
from kensoku.detection._postponed import Postponed
from kensoku.detection._second_look import SecondLook
from kensoku.detection._told import Told
from kensoku.errors import KensokuError
from kensoku.measuring import FULL, LEAD
from kensoku.packets import ChannelSamples
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import (
    DECISION_KEPT,
    DECISION_REJECTED_STATION,
    Pick,
    PickMeasurement,
)
from kensoku.v1.waveform_pb2 import WaveformPacket

END = 1 << 62  # later than all samples
MOST_PICKS = 60  # of an instrument in a minute: swarms of an event every three seconds have 40
MOST_READY = 4096  # steps that wait to be looked at

QUARTER = 0.25  # of these, from which on nothing is put off: they are counted in the order of time

Found = Pick | PickMeasurement


def no_inventory(station: str) -> Station | None:
    return None


class Detector:
    """Not thread-safe. `found` is what the packets fed so far decide, each once."""

    def __init__(
        self,
        front_end: FrontEnd,
        times: Times | None = None,
        stations: Stations = no_inventory,
        clock_ns: Callable[[], int] = time.time_ns,
        *,
        second_look: SecondLook | None = None,  # for the second messages
        most_picks: int = MOST_PICKS,
    ) -> None:
        times = times or Times()
        self._front_end = front_end
        self._second_look = second_look or SecondLook()
        self._stations = stations
        self._clock_ns = clock_ns
        self._most_picks = most_picks
        self.network = Network(
            replace(times, reach=max(front_end.reach, LEAD + FULL + RATE_HZ, self._second_look.reach + RATE_HZ))
        )
        self._told = Told(round(times.lateness_s * RATE_HZ))
        self._found: list[Found] = []
        self._postponed = Postponed()
        self.postpones_below = 0.0  # while this is so, seconds that promise less are decided later

    def resume(
        self, position: Position, before: Before, picks: Iterable[Pick] = (), measured: Collection[str] = ()
    ) -> None:
        """What was told before a restart: to which sample, which picks lately, and which of those were measured."""
        self.network.resume(position, before)
        self._told.recall(position, picks, measured)

    def feed(
        self,
        packet: WaveformPacket,
        channels: Sequence[ChannelSamples],
        position: Position = NOWHERE,
        offset: int = 0,
    ) -> Fed:
        """One packet, in the order of the log."""
        if len(self.network.ready) > MOST_READY:
            self._look()
        first, *others = self.network.parts(channels)
        fed = self._feed(packet, first, position, offset)
        for part in others:
            fed.add(self._feed(packet, part, position, offset))
        return fed

    def _feed(self, packet: WaveformPacket, channels: Sequence[ChannelSamples], position: Position, offset: int) -> Fed:
        if self.network.disturbs(packet, channels):
            self._look_before(f"{packet.network}.{packet.station}", self.network.ended(packet, channels))
        fed = self.network.feed(packet, channels, position, offset)
        for instrument in fed.gone:  # within a batch: its picks have no record any more once it is forgotten
            self._look_before(instrument.key, ())
            self.network.forget(instrument)
        return fed

    def found(self) -> list[Found]:
        """Picks and measurements since the last call, those of one instrument in the order of their decision."""
        self._look()
        self._measure()
        return self._taken()

    def picked(self) -> list[Found]:
        """The same but for the measurements that are due now: nothing waits for those."""
        self._look()
        return self._taken()

    def measured(self, most: int) -> list[Found]:
        """So many of the measurements that are due, or a quarter of them if that is more; the oldest first."""
        self._measure(most)
        return self._taken()

    def _taken(self) -> list[Found]:
        found, self._found = self._found, []
        return found

    def finish(self) -> list[Found]:
        """The rest, when nothing more will come."""
        self.network.finish()
        self._look()
        self.catch_up(len(self._postponed))
        self._measure(ended=None)
        return self._taken()

    @property
    def postponed(self) -> int:
        """Seconds that are decided later."""
        return len(self._postponed)

    def catch_up(self, most: int) -> None:
        """Decide so many of those seconds, the oldest first."""
        self._look_again(self._postponed.oldest(most))

    def leave(self, position: Position) -> None:
        """The instruments of a position belong to somebody else now."""
        self._told.leave(position, self._read_from)
        self.network.leave(position)
        self._postponed.keep(lambda instrument: self.network.timeline(instrument) is not None)

    def _read_from(self, instrument: Instrument) -> Position | None:
        return self.network.position(instrument) if self.network.timeline(instrument) is not None else None

    def _look_before(self, station: str, ended: Collection[Instrument]) -> None:
        """A packet comes that changes what its steps lie in, or after which their record is forgotten."""
        if any(step.timeline.instrument.key == station for step in self.network.ready):
            self._look()
        self._look_again(self._postponed.of_station(station))
        self._measure(station=station, ended=ended)

    def _look(self) -> None:
        steps = self.network.take()
        if steps:
            for place, group in _alike(steps):
                try:
                    self._evaluate(group)
                except KensokuError:  # no model answers: nothing is lost, and the next call tries again
                    self.network.put_back(steps[place:])
                    raise
            self._look_again(self._postponed.overdue(self.network.evaluated_to))
            self._keep(self._told)
            self.network.forget_old(steps)

    def _evaluate(self, steps: Sequence[Step]) -> None:
        ready_ns, later = self._clock_ns(), list[Step]()
        if self.postpones_below and isinstance(self._front_end, Sieve):
            arrivals, later = self._front_end.sift(steps, self.postpones_below)
        else:
            arrivals = self._front_end.evaluate(steps)
        self._tell(arrivals, ready_ns)
        self._postponed.add(later)
        self._hold(later)
        busy = {
            step.timeline.instrument
            for step in later
            if self._told.lately(step.timeline.instrument, step.end, with_faint=True) > QUARTER * self._most_picks
        }
        self._look_again([step for instrument in busy for step in self._postponed.of(instrument)])

    def _look_again(self, postponed: Sequence[Step]) -> None:
        if postponed and isinstance(self._front_end, Sieve):
            ready_ns = self._clock_ns()
            self._tell(self._front_end.decide(postponed), ready_ns)
            self._postponed.remove(postponed)
            self._hold(postponed)
            self.network.forget_old(postponed)

    def _hold(self, steps: Iterable[Step]) -> None:
        """What the steps that wait still need is kept; and nobody is told that they were looked at."""
        for instrument in {step.timeline.instrument for step in steps}:
            first = self._postponed.first(instrument)
            self.network.hold(instrument, NOT_HELD if first is None else first)

    def _tell(self, arrivals: Iterable[Arrival], ready_ns: int) -> None:
        inferred_ns = self._clock_ns()
        for found in arrivals:
            arrival = judged(found)
            instrument, is_again = arrival.instrument, arrival.step.is_again
            if found.is_faint and not self._tells_faint(arrival):
                continue
            is_kept = arrival.decision == DECISION_KEPT
            if is_kept and self._told.lately(instrument, arrival.index) >= self._most_picks:
                arrival = replace(arrival, decision=DECISION_REJECTED_STATION, decision_reason=self._too_many())
            pick = describe(arrival, self._stations, late=is_again, ready_ns=ready_ns, inferred_ns=inferred_ns)
            if self._told.tell(instrument, pick, is_again=is_again):
                self._found.append(pick)

    def _tells_faint(self, arrival: Arrival) -> bool:
        """Of a good record that is not crowded: those that are kept are told whatever is faint."""
        lately = self._told.lately(arrival.instrument, arrival.index, with_faint=True)
        return arrival.is_faint and lately < self._most_picks

    def _too_many(self) -> str:
        return f"{self._most_picks} or more picks of this instrument in the minute before"

    def _measure(
        self, most: int | None = None, *, station: str | None = None, ended: Collection[Instrument] | None = ()
    ) -> None:
        """Half a minute after its onset a pick is measured, or when its record has ended; None: all have."""
        reached = {
            instrument: END if ended is None else self._reached(instrument, instrument in ended)
            for instrument in self._told
            if station in (None, instrument.key) and self.network.timeline(instrument) is not None
        }  # nothing was read of the others since the restart
        due = self._told.due(reached, most)
        asked = [(one.pick, self._timeline(one.instrument)) for one in due]
        for one, (pick, timeline), better in zip(due, asked, self._second_look.refine(asked), strict=True):
            self._found.append(describe_fully(pick, timeline, self._stations, better))
            one.is_measured = True
        for instrument, reached_to in reached.items():
            first = self._postponed.first(instrument)
            self._told.forget(instrument, reached_to if first is None else min(first, reached_to))
        self._keep(reached)

    def _timeline(self, instrument: Instrument) -> Timeline:
        timeline = self.network.timeline(instrument)
        assert timeline is not None
        return timeline

    def _reached(self, instrument: Instrument, is_ended: bool) -> int:
        """Of a record that has ended all; a pick of before a restart may lie in what is still to be read again."""
        if is_ended or self.network.is_silent(instrument):
            return self._timeline(instrument).end + FULL
        return self.network.evaluated_to(instrument)

    def _keep(self, instruments: Iterable[Instrument]) -> None:
        for instrument in instruments:
            self.network.keep(instrument, self._told.kept_from(instrument))


def _alike(steps: Sequence[Step]) -> Iterator[tuple[int, Sequence[Step]]]:
    """Runs of steps that are looked at the first time, or again, and where each begins."""
    place = 0
    for _, group in groupby(steps, key=lambda step: step.is_again):
        run = list(group)
        yield place, run
        place += len(run)
