"""The loop of triggering: packets from the bus, picks and progress on to it, and a commit when they are safe."""

import contextlib
import logging
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import Counter, Gauge, Histogram

from kensoku.bus import Bus, Message, Position, Stream, Table
from kensoku.continuous import Instrument, Times
from kensoku.control import StationSwitches
from kensoku.detection import Detector, Found
from kensoku.errors import InputInvalid
from kensoku.inference import Models
from kensoku.packets import ChannelSamples, decode_packets, read_packet
from kensoku.runtime import Pulse
from kensoku.triggering.backfill import BACKFILL, WAVEFORMS, Ledger, fill_in
from kensoku.triggering.isolation import Budgets
from kensoku.triggering.models import Listening, PatientModels, Promoted, Stopped, listening
from kensoku.triggering.postponing import Postponing
from kensoku.triggering.progress import ProgressBook
from kensoku.triggering.recall import recall
from kensoku.triggering.settings import TriggeringSettings
from kensoku.triggering.telling import BY_REGION, PICKS, Directory, Teller
from kensoku.v1.pick_pb2 import PickMessage, Progress
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, WaveformPacket

log = logging.getLogger("kensoku.triggering")

GROUP, FILLING_GROUP = "triggering", "triggering-backfill"
NS_PER_S = 10**9
PROGRESS_S = 1.0
CAUGHT_UP_AT_ONCE = 256  # windows
MEASURED_AT_ONCE = 32  # picks; the rest in the next turns, so that no first message waits for second ones

Read = tuple[Message, WaveformPacket]
Decoded = list[ChannelSamples] | InputInvalid

PACKETS = Counter("triggering_packets", "Packets that were read")
REJECTS = Counter("triggering_rejects", "Packets that could not be used")
LEFT_OUT = Counter("triggering_left_out_channels", "Channels of packets that could not be used")
LATE = Counter("triggering_late_packets", "Packets later than the lateness, handed to waveforms.backfill")
DISABLED = Counter("triggering_disabled_packets", "Packets left out because their station is disabled")
FILLED = Counter("triggering_filled_in", "Stations picked again because records of them filled in")
TURN_SECONDS = Histogram("triggering_turn_seconds", "Time to turn a batch of packets into picks")
MEASURE_SECONDS = Histogram("triggering_measure_seconds", "Time to measure the picks that are due in a turn")
LAG_SECONDS = Gauge("triggering_lag_seconds", "Wall-clock time since the newest packet that was read had arrived")
BEHIND_SECONDS = Gauge(
    "triggering_station_behind_seconds", "From the newest second of a station that was looked at to now", ["station"]
)
FIRST_WINDOWS = Gauge("triggering_first_windows", "Windows that the first stage has looked at since the start")
FINAL_WINDOWS = Gauge("triggering_final_windows", "Windows that the live picker has looked at since the start")
POSTPONED = Gauge("triggering_postponed_windows", "Windows of the live picker that are left for later, far behind")
SPENT = Gauge("triggering_spent_stations", "Stations that send more unusable packets than their budget allows")
INSTRUMENTS = Gauge("triggering_instruments", "Instruments whose records are held")


def run(
    settings: TriggeringSettings,
    bus: Bus,
    models: Models,
    pulse: Pulse,
    stop: threading.Event,
    clock_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Read packets until told to stop; what is not committed comes again."""
    with bus.table("inventory") as inventory, bus.table("control") as control:
        patient = PatientModels(models, pulse, stop, settings.models_wait_s)
        listens = listening(settings, patient, Promoted(control))
        if settings.triggering_backfill:
            fill = Filling(bus, listens, inventory, control, clock_ns)
            with contextlib.suppress(Stopped):
                fill.run(settings.triggering_batch, pulse, stop)
            return
        service = Triggering(settings, bus, listens, inventory, control, pulse, clock_ns)
        with bus.subscribe(
            [WAVEFORMS],
            GROUP,
            on_assigned=service.assigned,
            on_revoked=lambda positions: service.revoked(stream, positions),
        ) as stream:
            try:
                for batch in stream.batches(settings.triggering_batch):
                    pulse.beat()
                    if stop.is_set():
                        return
                    service.turn(stream, batch)
            except Stopped:
                return


class Triggering:
    """Between the bus and the detector, which knows no bus."""

    def __init__(
        self,
        settings: TriggeringSettings,
        bus: Bus,
        listens: Listening,
        inventory: Table,
        control: Table,
        pulse: Pulse,
        clock_ns: Callable[[], int],
    ) -> None:
        self._bus, self._pulse = bus, pulse
        self._cascade = listens.cascade
        self._clock_ns = clock_ns
        self._recall_ns = round(settings.triggering_recall_s * NS_PER_S)
        self._directory = Directory(inventory, control)
        self._teller = Teller(bus, self._directory, clock_ns)
        self._is_enabled = StationSwitches(control).is_enabled
        times = Times(
            hold_s=settings.triggering_hold_s,
            lateness_s=settings.triggering_lateness_s,
            future_s=settings.triggering_future_s,
        )
        self._detector = Detector(
            listens.front_end,
            times,
            self._directory.station,
            clock_ns,
            second_look=listens.second_look,
            most_picks=settings.triggering_picks_a_minute,
        )
        self._budgets = Budgets(settings.triggering_errors_a_minute)
        self._postponing = Postponing(settings.triggering_postpone_after_s, settings.triggering_postponed_below)
        self._epochs: dict[Position, int] = {}
        self._books: dict[Position, ProgressBook] = {}
        self._next: dict[Position, int] = {}
        self._progress_due_ns = 0
        self._reported: Tally[str] = Tally()

    def assigned(self, positions: frozenset[Position]) -> None:
        """Go on where the last owner of these stopped, by what it told."""
        since_ns = self._clock_ns() - self._recall_ns
        told = recall(self._bus.read(PICKS, start=since_ns))
        for position in sorted(positions):
            known = told.of(position[1])
            self._detector.resume(position, known.before, known.picks, told.measured)
            self._epochs[position] = self._clock_ns()
            self._books[position] = ProgressBook()

    def revoked(self, stream: Stream, positions: frozenset[Position]) -> None:
        """Tell the next owner of these how far they were looked at."""
        self._tell_progress(positions & self._epochs.keys(), is_idle=False)
        stream.commit(self._detector.network.oldest_needed())
        BEHIND_SECONDS.clear()  # those that stay are told within a second
        for position in positions:
            self._detector.leave(position)
            for by_position in (self._epochs, self._books, self._next):
                by_position.pop(position, None)
        self._cascade.forget_all_but(self._detector.network.instruments())

    def turn(self, stream: Stream, batch: Sequence[Message]) -> None:
        """One batch, to the end: what it completes is published, and then what is needed no more committed."""
        self._directory.refresh()
        with TURN_SECONDS.time():
            lag_s = self._read(stream, batch)
            self._postpone(lag_s)
            picked = self._detector.picked()
        self._tell(picked)
        with MEASURE_SECONDS.time():
            measured = self._detector.measured(MEASURED_AT_ONCE)
        self._tell(measured)
        is_due = self._clock_ns() >= self._progress_due_ns
        if is_due:
            self._progress_due_ns = self._clock_ns() + round(PROGRESS_S * NS_PER_S)
            self._tell_progress(self._epochs.keys(), is_idle=not batch)
        if picked or measured or is_due:
            stream.commit(self._detector.network.oldest_needed() if is_due else {})

    def _tell(self, found: Iterable[Found]) -> None:
        for message in found:
            self._teller.tell(message, self._epochs.get(self._position_of(message), 0))

    def _postpone(self, lag_s: float) -> None:
        """What was left for later while far behind is decided some in each turn."""
        self._detector.postpones_below = self._postponing.below(lag_s)
        if self._detector.postponed and not self._detector.postpones_below:
            self._detector.catch_up(CAUGHT_UP_AT_ONCE)
        self._pulse.note("lag", self._postponing.sentence(lag_s, self._detector.postponed))

    def _read(self, stream: Stream, batch: Sequence[Message]) -> float:
        """How far behind the newest of these is, s; a replay is not behind."""
        PACKETS.inc(len(batch))
        read: list[tuple[Message, WaveformPacket]] = []
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
        if batch:
            newest_ns = max((packet.arrival_ns for _, packet in read), default=self._clock_ns())
            LAG_SECONDS.set(self._since_s(newest_ns))
        live = [packet.arrival_ns for _, packet in read if packet.time_kind == TIME_KIND_LIVE]
        return self._since_s(max(live)) if live else 0.0

    def _since_s(self, stamp_ns: int) -> float:
        return max(self._clock_ns() - stamp_ns, 0) / NS_PER_S

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
        fed = self._detector.feed(packet, channels, position, message.offset)
        if fed.is_late:
            LATE.inc()
            self._bus.publish(BACKFILL, message.key, message.value)
        for reason in fed.left_out:
            LEFT_OUT.inc()
            self._report(f"{message.key} {reason}")
            self._charge(message.key)

    def _charge(self, station: str) -> None:
        if self._budgets.charge(station):
            log.warning("%s sends too much that cannot be used: counted from now on, not kept", station)

    def _reject(self, stream: Stream, message: Message, reason: str) -> None:
        REJECTS.inc()
        if not self._budgets.is_spent(message.key):
            stream.reject(message, reason)
        self._charge(message.key)
        self._detector.network.skip((message.topic, message.partition), message.offset)

    def _report(self, sentence: str) -> None:
        """Once each, and of so many at the most."""
        if sentence not in self._reported and len(self._reported) < 1000:
            log.warning("left out: %s", sentence)
            self._reported[sentence] += 1

    def _position_of(self, message: Found) -> Position:
        return self._detector.network.position(Instrument.of(message.instrument))

    def _tell_progress(self, positions: Iterable[Position], *, is_idle: bool) -> None:
        """One message a partition, in the same partition of `picks` as the picks of its stations, and after them."""
        held = 0
        for position in sorted(positions):
            book = self._books.get(position)
            instruments = list(book.instruments(self._detector.network.evaluated(position))) if book else []
            held += len(instruments)
            if not instruments:
                continue
            progress = Progress(
                partition=position[1],
                sent_ns=self._clock_ns(),
                instruments=instruments,
                idle=is_idle,
                next_offset=self._next.get(position, 0),
            )
            message = PickMessage(progress=progress, owner_epoch=self._epochs.get(position, 0))
            newest = {f"{one.instrument.network}.{one.instrument.station}": one.evaluated_to_ns for one in instruments}
            for station, evaluated_to_ns in newest.items():
                BEHIND_SECONDS.labels(station).set((self._clock_ns() - evaluated_to_ns) / NS_PER_S)
            stations = newest.keys()
            value = message.SerializeToString()
            self._bus.publish(PICKS, min(stations), value)
            for region in {region for station in stations for region in self._directory.regions(station)}:
                self._bus.publish(BY_REGION, region.name, value, partition=region.partition)
        INSTRUMENTS.set(held)
        for station in self._budgets.refresh():
            log.info("%s sends what can be used again", station)
        self._pulse.note("stations", self._budgets.sentence())
        SPENT.set(len(self._budgets.spent()))
        POSTPONED.set(self._detector.postponed)
        FIRST_WINDOWS.set(self._cascade.asked)
        FINAL_WINDOWS.set(self._cascade.decided)


class Filling:
    """The program of its own that picks what came too late: each station once nothing more of it fills in."""

    def __init__(
        self, bus: Bus, listens: Listening, inventory: Table, control: Table, clock_ns: Callable[[], int]
    ) -> None:
        self._bus, self._listens, self._clock_ns = bus, listens, clock_ns
        self._directory = Directory(inventory, control)
        self._teller = Teller(bus, self._directory, clock_ns)
        self._is_enabled = StationSwitches(control).is_enabled
        self._ledger = Ledger()

    def run(self, limit: int, pulse: Pulse, stop: threading.Event) -> None:
        with self._bus.subscribe([BACKFILL], FILLING_GROUP, on_revoked=self._ledger.leave) as stream:
            for batch in stream.batches(limit):
                pulse.beat()
                if stop.is_set():
                    return
                self.turn(stream, batch)

    def turn(self, stream: Stream, batch: Sequence[Message]) -> None:
        PACKETS.inc(len(batch))
        self._directory.refresh()
        for message in batch:
            self._ledger.read(message)
            try:
                if self._is_enabled(message.key):
                    self._ledger.note(message, read_packet(message.value or b""))
                else:
                    DISABLED.inc()
            except InputInvalid as error:
                REJECTS.inc()
                stream.reject(message, str(error))
        due = self._ledger.due()
        for station in due:
            self._fill(station)
        if batch or due:
            stream.commit(self._ledger.needed())

    def _fill(self, station: str) -> None:
        waiting = self._ledger.take(station)
        listens, epoch = self._listens, self._clock_ns()
        try:
            found = fill_in(
                self._bus, station, waiting, listens.front_end, self._directory.station, listens.second_look
            )
        except BaseException:  # also when it is told to stop while the models are away
            self._ledger.put_back(station, waiting)
            raise
        for message in found:
            self._teller.tell(message, epoch)
        FILLED.inc()
