"""The loop of triggering: packets from the bus, picks and progress on to it, and a commit when they are safe."""

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import Gauge, Histogram

from kensoku.bus import Bus, Message, Position, Stream, Table
from kensoku.bus.topics import TOPICS
from kensoku.continuous import Instrument, Times
from kensoku.control import StationSwitches
from kensoku.detection import Detector, Found
from kensoku.inference import Models
from kensoku.runtime import Pulse
from kensoku.times import Every
from kensoku.triggering.backfill import WAVEFORMS
from kensoku.triggering.filling import Filling
from kensoku.triggering.isolation import Budgets
from kensoku.triggering.models import Listening, PatientModels, Promoted, Stopped, listening
from kensoku.triggering.postponing import Postponing
from kensoku.triggering.progress import ProgressBook
from kensoku.triggering.reading import Reader
from kensoku.triggering.recall import look_back
from kensoku.triggering.settings import TriggeringSettings
from kensoku.triggering.telling import BY_REGION, PICKS, Directory, Teller
from kensoku.v1.pick_pb2 import PickMessage, Progress

log = logging.getLogger("kensoku.triggering")

GROUP = "triggering"
NS_PER_S = 10**9
PROGRESS_S = 1.0
CAUGHT_UP_AT_ONCE = 256  # windows
KEPT_NS = 10**6 * next(
    topic.retention_ms for topic in TOPICS if topic.name == WAVEFORMS
)  # older packets do not come again
MEASURED_AT_ONCE = 32  # picks; the rest in the next turns, so that no first message waits for second ones

TURN_SECONDS = Histogram("triggering_turn_seconds", "Time to turn a batch of packets into picks")
MEASURE_SECONDS = Histogram("triggering_measure_seconds", "Time to measure the picks that are due in a turn")
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
            most_picks = settings.triggering_picks_a_minute
            fill = Filling(bus, listens, inventory, control, clock_ns, times_of(settings), most_picks)
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
                    if patient.are_away:
                        patient.look()
                    service.turn(stream, batch)
            except Stopped:
                return


def times_of(settings: TriggeringSettings) -> Times:
    return Times(
        hold_s=settings.triggering_hold_s,
        lateness_s=settings.triggering_lateness_s,
        future_s=settings.triggering_future_s,
    )


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
        self._detector = Detector(
            listens.front_end,
            times_of(settings),
            self._directory.station,
            clock_ns,
            second_look=listens.second_look,
            most_picks=settings.triggering_picks_a_minute,
        )
        self._budgets = Budgets(settings.triggering_errors_a_minute)
        is_enabled = StationSwitches(control).is_enabled
        self._reader = Reader(bus, self._detector, self._budgets, is_enabled, clock_ns, settings.triggering_future_s)
        self._teller = Teller(bus, self._directory, clock_ns, self._reader.is_live)
        self._postponing = Postponing(settings.triggering_postpone_after_s, settings.triggering_postponed_below)
        self._epochs: dict[Position, int] = {}
        self._books: dict[Position, ProgressBook] = {}
        self._behind: dict[Position, set[str]] = {}  # stations of which it is told how far they are behind
        self._reports = Every(PROGRESS_S)

    def assigned(self, positions: frozenset[Position]) -> None:
        """Go on where the last owner of these stopped, by what it told."""
        told = look_back(
            lambda start_ns: self._bus.read(PICKS, start=start_ns), self._clock_ns(), self._recall_ns, KEPT_NS
        )
        for position in sorted(positions):
            known = told.of(position[1])
            self._detector.resume(position, known.before, known.picks, told.measured)
            self._epochs[position] = self._clock_ns()
            self._books[position] = ProgressBook()

    def revoked(self, stream: Stream, positions: frozenset[Position]) -> None:
        """Tell the next owner of these how far they were looked at."""
        self._tell_progress(stream, positions & self._epochs.keys(), is_idle=False)
        stream.commit(self._detector.network.oldest_needed())
        BEHIND_SECONDS.clear()  # those that stay are told within a second
        for position in positions:
            self._detector.leave(position)
            self._reader.leave(position)
            self._epochs.pop(position, None)
            self._books.pop(position, None)
            self._behind.pop(position, None)
        self._cascade.forget_all_but(self._detector.network.instruments())

    def turn(self, stream: Stream, batch: Sequence[Message]) -> None:
        """One batch, to the end: what it completes is published, and then what is needed no more committed."""
        self._directory.refresh()
        with TURN_SECONDS.time():
            lag_s = self._reader.read(stream, batch)
            self._postpone(lag_s)
            picked = self._detector.picked()
        self._tell(picked)
        with MEASURE_SECONDS.time():
            measured = self._detector.measured(MEASURED_AT_ONCE)
        self._tell(measured)
        if is_due := self._reports.has_passed(self._clock_ns()):
            self._tell_progress(stream, self._epochs.keys(), is_idle=not batch)
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

    def _position_of(self, message: Found) -> Position:
        return self._detector.network.position(Instrument.of(message.instrument))

    def _tell_progress(self, stream: Stream, positions: Iterable[Position], *, is_idle: bool) -> None:
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
                next_offset=self._reader.next_offset(position),
                read_to_ns=stream.read_to_ns(position),
            )
            message = PickMessage(progress=progress, owner_epoch=self._epochs.get(position, 0))
            newest = Counter[str]()
            for one in instruments:
                station = f"{one.instrument.network}.{one.instrument.station}"
                newest[station] = max(newest[station], one.evaluated_to_ns)
            live = {station for station in newest if self._reader.is_live(station)}
            for station in live:
                BEHIND_SECONDS.labels(station).set((self._clock_ns() - newest[station]) / NS_PER_S)
            for station in self._behind.get(position, set()) - live:
                BEHIND_SECONDS.remove(station)
            self._behind[position], stations = live, set(newest)
            value = message.SerializeToString()
            self._bus.publish(PICKS, min(stations), value)
            for region in {region for station in stations for region in self._directory.regions(station)}:
                self._bus.publish(BY_REGION, region.name, value, partition=region.partition)
        INSTRUMENTS.set(held)
        self._show()

    def _show(self) -> None:
        """What is so of all partitions together."""
        for station in self._budgets.refresh():
            log.info("%s sends what can be used again", station)
        self._pulse.note("stations", self._budgets.sentence())
        SPENT.set(len(self._budgets.spent()))
        POSTPONED.set(self._detector.postponed)
        FIRST_WINDOWS.set(self._cascade.asked)
        FINAL_WINDOWS.set(self._cascade.decided)
