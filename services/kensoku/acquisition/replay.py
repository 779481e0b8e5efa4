"""Replay an archive: one packet a station and second, as if the stations were sending now."""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import Counter, Gauge

from kensoku.acquisition import position
from kensoku.acquisition.position import SourcePosition
from kensoku.acquisition.publishing import Publisher
from kensoku.acquisition.schedule import Schedule
from kensoku.acquisition.seconds import SECOND_NS, Span, StationSecond
from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.acquisition.sources import SIMULATED, STATIONS_ARE_SIMULATED, FileSource, Source, iso
from kensoku.acquisition.waveform_files import Fault
from kensoku.bus import Bus
from kensoku.inventory import publish, published
from kensoku.packets import EARLIEST_NS, LATEST_NS, station_filter
from kensoku.runtime import FULL, Pulse, explain_disk

log = logging.getLogger("kensoku.acquisition")

DISABLED = Counter("acquisition_disabled_packets", "Packets left out because their station is disabled")
DELAY_SECONDS = Gauge("acquisition_delay_seconds", "How far publication is behind its schedule")

BEAT_S = 0.5
RESUME_LIMIT_NS = 60 * SECOND_NS  # the allowed lateness: live samples that are older would help nobody


def run(
    settings: AcquisitionSettings,
    bus: Bus,
    pulse: Pulse,
    stop: threading.Event,
    is_enabled: Callable[[str], bool] = lambda station: True,
    clock_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Replay to the end of the archive (for ever, with `loop`) or until `stop`; what went out is then acknowledged."""
    replay = Replay(settings, bus, pulse, stop, is_enabled, clock_ns)
    pulse.wait_for("archive", "finding out what there is")
    replay.scan()
    replay.publish_stations()
    pulse.found("archive")
    saved = replay.load_position()
    for turn in itertools.count(saved.turn if saved else 0):
        if not replay.play(turn, saved):
            return
        if not settings.acquisition_loop:
            break
        saved = None
    replay.finish()
    pulse.end()


class Replay:
    """The shell around the pure parts: looks at the clock, waits, publishes, and saves how far it has come."""

    def __init__(
        self,
        settings: AcquisitionSettings,
        bus: Bus,
        pulse: Pulse,
        stop: threading.Event,
        is_enabled: Callable[[str], bool],
        clock_ns: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._pulse = pulse
        self._stop = stop
        self._is_enabled = is_enabled
        self._clock_ns = clock_ns
        self._span = Span(_ns(settings.acquisition_start, EARLIEST_NS), _ns(settings.acquisition_end, LATEST_NS))
        self._is_live = settings.acquisition_times == "now" and settings.acquisition_speed == 1
        self._source = self._open_source()
        self._publisher = Publisher(
            bus, self._source.kind, settings.acquisition_max_unflushed, settings.acquisition_max_rejects
        )
        self._position_path = position.position_path(
            settings.home,
            settings.namespace,
            self._source.identity,
            settings.acquisition_stations,
            self._span,
            settings.packet_s,
        )
        self._reached: SourcePosition | None = None  # the last that went out
        self._is_saved = True
        self._played_to_ns = 0  # end of the newest samples that went out, as they were told

    def scan(self) -> None:
        """Find out what there is; a source without a waveform for us is an error."""
        for fault in self._source.scan():
            self._pulse.beat()
            if self._stop.is_set():
                return
            if fault is not None:
                self._publisher.reject(fault)
        self._publisher.flush()

    def publish_stations(self) -> None:
        """Of a simulated network, before its waveforms flow; what operators have published stays as it is."""
        known = published(self._bus)
        simulated = {
            code: station
            for code, station in self._source.stations().items()
            if code not in known or known[code].source.endswith(STATIONS_ARE_SIMULATED)
        }
        if simulated:
            log.info("published %d stations of %s", len(publish(self._bus, simulated)), self._source.identity)

    def _open_source(self) -> Source:
        given, stations = self._settings.acquisition_source, self._settings.acquisition_stations
        chosen = stations, station_filter(stations), self._span, self._settings.packet_s
        if given.startswith(SIMULATED):
            from kensoku.acquisition.simulated_source import SimulatedSource  # only now: files need no simulator

            return SimulatedSource(given.removeprefix(SIMULATED), *chosen, self._goes_on)
        return FileSource(Path(given), *chosen, lambda path: self._publisher.is_quarantined(path))

    def _goes_on(self) -> bool:
        self._pulse.beat()
        return not self._stop.is_set()

    def load_position(self) -> SourcePosition | None:
        saved = position.load(self._position_path) if self._settings.acquisition_resume else None
        if saved:
            log.info(
                "going on behind %s; up to %d packets that follow it may have been published and then come again",
                _describe(saved),
                self._settings.acquisition_max_unflushed,
            )
            if self._settings.bus.startswith("memory:") and not self._has_published():
                log.warning("the memory bus forgot what was published before and not yet processed: that is lost")
        return saved

    def _has_published(self) -> bool:
        return any(topic.messages for topic in self._bus.existing_topics() if topic.name == "waveforms")

    def play(self, turn: int, saved: SourcePosition | None) -> bool:
        """Publish the source once, or what is left of it; False if stopped on the way."""
        items = self._source.items(saved)
        beginning = list(
            itertools.islice(items, 1)
        )  # a simulation needs a while for it, of which nobody should be late
        last_ns = first_ns = self._source.first_ns(saved)
        shift_ns = self._shift_ns(first_ns, saved)
        schedule = Schedule(
            self._settings.acquisition_speed, first_ns, first_ns + shift_ns if self._is_live else self._clock_ns()
        )
        for item in itertools.chain(beginning, items):
            self._pulse.beat()
            if isinstance(item, Fault):
                self._publisher.reject(item)
                continue
            if not self._is_live:
                schedule = schedule.without_gap(last_ns, item.due_ns)
            last_ns = item.due_ns
            if not self._wait_until(schedule.due_ns(item.due_ns)):
                break
            self._publish(item, shift_ns)
            self._played_to_ns = max(self._played_to_ns, item.end_ns + shift_ns)
            self._reached = SourcePosition(item.due_second, item.key, shift_ns, turn)
        self._acknowledge()
        if self._stop.is_set():
            log.info("stopped behind %s", _describe(self._reached))
        return not self._stop.is_set()

    def finish(self) -> None:
        self._position_path.unlink(missing_ok=True)
        log.info("came to the end: %d packets, %d rejects", self._publisher.packets, self._publisher.rejects)

    def _shift_ns(self, first_ns: int, saved: SourcePosition | None) -> int:
        """Whole seconds, so that samples keep their place within the second."""
        if self._settings.acquisition_times == "original":
            return 0
        now_ns = self._clock_ns()
        if saved and now_ns - (first_ns + saved.shift_ns) < RESUME_LIMIT_NS:
            return saved.shift_ns
        shift_ns = (now_ns - first_ns) // SECOND_NS * SECOND_NS
        if first_ns + shift_ns < self._played_to_ns:  # as after a turn that was played faster than it was recorded
            shift_ns = -((first_ns - self._played_to_ns) // SECOND_NS) * SECOND_NS
        return shift_ns

    def _publish(self, item: StationSecond, shift_ns: int) -> None:
        if not self._is_enabled(item.key):
            DISABLED.inc()
            return
        # A replay repeats to the nanosecond, so its packets arrive when they would have without delays of ours.
        arrival_ns = self._clock_ns() if self._is_live else item.due_ns + shift_ns
        self._publisher.publish(item, shift_ns, arrival_ns, self._is_live)

    def _wait_until(self, due_ns: int) -> bool:
        """Sleep until then, with nothing left unacknowledged; False if told to stop."""
        if self._publisher.is_full:
            self._acknowledge()
        delay_s = (due_ns - self._clock_ns()) / 1e9
        if delay_s > 0:
            self._acknowledge()
        while delay_s > 0 and not self._stop.is_set():
            self._stop.wait(min(delay_s, BEAT_S))
            self._pulse.beat()
            delay_s = (due_ns - self._clock_ns()) / 1e9
        DELAY_SECONDS.set(-delay_s)
        return not self._stop.is_set()

    def _acknowledge(self) -> None:
        """1. Publish, which was done. 2. Flush, which checks every delivery. 3. Save how far that was."""
        self._publisher.flush()
        if self._reached:
            self._save(self._reached)

    def _save(self, reached: SourcePosition) -> None:
        """A full disk silences no station: after a restart more comes again, with the same content."""
        try:
            position.save(self._position_path, reached)
        except OSError as error:
            if error.errno not in FULL:
                raise
            if self._is_saved:
                log.warning("how far the source was read is not kept, a restart repeats it: %s", explain_disk(error))
            self._is_saved = False
            self._pulse.note("position", f"not kept, a restart repeats what comes: {error.strerror}")
        else:
            if not self._is_saved:
                log.info("how far the source was read is kept again")
            self._is_saved = True
            self._pulse.note("position", "")


def _ns(time_of_day: datetime | None, default_ns: int) -> int:
    if time_of_day is None:
        return default_ns
    since_1970 = time_of_day - datetime(1970, 1, 1, tzinfo=UTC)
    return (since_1970.days * 86_400 + since_1970.seconds) * SECOND_NS + since_1970.microseconds * 1000


def _describe(reached: SourcePosition | None) -> str:
    return f"{reached.station} in second {iso(reached.second * SECOND_NS)}" if reached else "the beginning"
