"""The loop of triggering: packets from the bus, picks and progress on to it, and a commit when they are safe."""

import contextlib
import logging
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Counter, Gauge, Histogram

from kensoku.bus import Bus, Message, Position, Stream, Table
from kensoku.continuous import Instrument, Times
from kensoku.control import StationSwitches
from kensoku.detection import Detector, Found
from kensoku.errors import InputInvalid
from kensoku.inference import Models
from kensoku.inventory import published_stations
from kensoku.packets import ChannelSamples, decode_packets, read_packet
from kensoku.runtime import Pulse
from kensoku.triggering.backfill import BACKFILL, WAVEFORMS, Ledger, fill_in
from kensoku.triggering.models import Listening, PatientModels, Promoted, Stopped, listening
from kensoku.triggering.progress import ProgressBook
from kensoku.triggering.recall import Recalled, recall
from kensoku.triggering.regions import Destination, destinations, read_regions
from kensoku.triggering.settings import TriggeringSettings
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import PHASE_P, Decision, Pick, PickMeasurement, PickMessage, Progress
from kensoku.v1.waveform_pb2 import WaveformPacket

log = logging.getLogger("kensoku.triggering")

PICKS, BY_REGION = "picks", "picks.by-region"
GROUP, FILLING_GROUP = "triggering", "triggering-backfill"
NS_PER_S = 10**9
PROGRESS_S = 1.0
REFRESH_S = 1.0

PACKETS = Counter("triggering_packets", "Packets that were read")
REJECTS = Counter("triggering_rejects", "Packets that could not be used")
LEFT_OUT = Counter("triggering_left_out_channels", "Channels of packets that could not be used")
LATE = Counter("triggering_late_packets", "Packets later than the lateness, handed to waveforms.backfill")
DISABLED = Counter("triggering_disabled_packets", "Packets left out because their station is disabled")
FOUND = Counter("triggering_picks", "Picks published", ["phase", "decision", "late"])
FILLED = Counter("triggering_filled_in", "Stations picked again because records of them filled in")
MEASURED = Counter("triggering_measurements", "Measurements of picks published")
HEARD_AGAIN = Counter("triggering_heard_again", "Picks heard again with all that surrounds them", ["is_confirmed"])
TURN_SECONDS = Histogram("triggering_turn_seconds", "Time to turn a batch of packets into picks")
LATENCY_SECONDS = Histogram(
    "triggering_latency_seconds",
    "From the arrival of the packet that completed a second to the publication of its picks",
    buckets=[0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 300],
)
LAG_SECONDS = Gauge("triggering_lag_seconds", "Wall-clock time since the newest packet that was read had arrived")
BEHIND_SECONDS = Gauge(
    "triggering_station_behind_seconds", "From the newest second of a station that was looked at to now", ["station"]
)
FIRST_WINDOWS = Gauge("triggering_first_windows", "Windows that the first stage has looked at since the start")
FINAL_WINDOWS = Gauge("triggering_final_windows", "Windows that the live picker has looked at since the start")
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
        service = Triggering(settings, bus, listens, inventory, control, clock_ns)
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
        clock_ns: Callable[[], int],
    ) -> None:
        self._bus = bus
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
        )
        self._epochs: dict[Position, int] = {}
        self._books: dict[Position, ProgressBook] = {}
        self._next: dict[Position, int] = {}
        self._progress_due_ns = 0
        self._reported: Tally[str] = Tally()

    def assigned(self, positions: frozenset[Position]) -> None:
        """Go on where the last owner of these stopped, by what it told."""
        since_ns = self._clock_ns() - self._recall_ns
        recalled, measured = recall(self._bus.read(PICKS, start=since_ns))
        for position in sorted(positions):
            before = recalled.get(position[1], Recalled())
            self._detector.resume(position, before.before, before.picks, measured)
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
            self._read(stream, batch)
            found = self._detector.found()
        for message in found:
            self._teller.tell(message, self._epochs.get(self._position_of(message), 0))
        is_due = self._clock_ns() >= self._progress_due_ns
        if is_due:
            self._progress_due_ns = self._clock_ns() + round(PROGRESS_S * NS_PER_S)
            self._tell_progress(self._epochs.keys(), is_idle=not batch)
        if found or is_due:
            stream.commit(self._detector.network.oldest_needed() if is_due else {})

    def _read(self, stream: Stream, batch: Sequence[Message]) -> None:
        PACKETS.inc(len(batch))
        read: list[tuple[Message, WaveformPacket]] = []
        for message in batch:
            self._next[message.topic, message.partition] = message.offset + 1
            try:
                read.append((message, read_packet(message.value or b"")))
            except InputInvalid as error:
                self._reject(stream, message, str(error))
        decoded = decode_packets([packet for _, packet in read])
        for (message, packet), channels in zip(read, decoded, strict=True):
            if isinstance(channels, InputInvalid):
                self._reject(stream, message, str(channels))
            else:
                self._feed(message, packet, channels)
        if batch:
            newest_ns = max((packet.arrival_ns for _, packet in read), default=self._clock_ns())
            LAG_SECONDS.set(max(self._clock_ns() - newest_ns, 0) / NS_PER_S)

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

    def _reject(self, stream: Stream, message: Message, reason: str) -> None:
        REJECTS.inc()
        stream.reject(message, reason)
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


class Teller:
    """Puts picks and measurements on the bus, for all and for the regions that they concern."""

    def __init__(self, bus: Bus, directory: "Directory", clock_ns: Callable[[], int]) -> None:
        self._bus, self._directory, self._clock_ns = bus, directory, clock_ns

    def tell(self, found: Found, epoch: int) -> None:
        key = f"{found.instrument.network}.{found.instrument.station}"
        found.latency.published_ns = self._clock_ns()
        message = PickMessage(owner_epoch=epoch)
        if isinstance(found, Pick):
            message.pick.CopyFrom(found)
            decision = Decision.Name(found.decision).removeprefix("DECISION_").lower()
            FOUND.labels("P" if found.phase == PHASE_P else "S", decision, str(found.late).lower()).inc()
            LATENCY_SECONDS.observe(max(found.latency.published_ns - found.latency.packet_arrival_ns, 0) / NS_PER_S)
        else:
            message.measurement.CopyFrom(found)
            MEASURED.inc()
            if len(found.models) > 1:
                HEARD_AGAIN.labels(str(_is_confirmed(found)).lower()).inc()
        value = message.SerializeToString()
        self._bus.publish(PICKS, key, value)
        for region in self._directory.regions(key):
            self._bus.publish(BY_REGION, region.name, value, partition=region.partition)


class Directory:
    """Stations and regions as they are published, looked up at most once a second."""

    def __init__(self, inventory: Table, control: Table, clock: Callable[[], float] = time.monotonic) -> None:
        self._inventory = inventory
        self._control = control
        self._clock = clock
        self._due_s = -1.0
        self._stations: dict[str, Station] = {}
        self._regions: dict[str, tuple[Destination, ...]] = {}

    def refresh(self) -> None:
        if self._clock() < self._due_s:
            return
        self._due_s = self._clock() + REFRESH_S
        if self._inventory.refresh():
            self._stations = published_stations(self._inventory)
        self._control.refresh()
        self._regions = {}

    def station(self, key: str) -> Station | None:
        return self._stations.get(key)

    def regions(self, key: str) -> tuple[Destination, ...]:
        if key not in self._regions:
            self._regions[key] = destinations(read_regions(self._control), self._stations.get(key))
        return self._regions[key]


def _is_confirmed(measurement: PickMeasurement) -> bool:
    """Whether its own phase is what the models still hold for the most probable."""
    said = measurement.probabilities
    own, other = (said.p, said.s) if measurement.phase == PHASE_P else (said.s, said.p)
    return own > max(said.noise, other)
