"""Keep the services of one machine running: each in a thread of its own, started again when it fails."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge

from kensoku.errors import InputInvalid, KensokuError, SettingInvalid
from kensoku.runtime import Pulse, explained

log = logging.getLogger("kensoku.supervision")

RESTARTS = Counter("supervision_restarts", "Times a service was started again after it had failed", ["service"])
RUNNING = Gauge("supervision_running", "1 while the service runs", ["service"])

LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0  # one that ran this long begins again with the shortest pause
PATIENCE_S = 5.0  # for a service to end after it was told to

Run = Callable[[Pulse, threading.Event], None]


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    run: Run  # returns when it is done, or soon after the event is set


def pause_s(failures: int) -> float:
    """1, 2, 4 ... 30 s before the next start."""
    return min(LONGEST_PAUSE_S, 2.0 ** (failures - 1))


@dataclass(slots=True)
class Supervisor:
    """Runs services until they are done or `stop` is set; a mistake in what a service was told ends them all."""

    pulse: Pulse
    stop: threading.Event
    clock: Callable[[], float] = time.monotonic
    mistake: KensokuError | None = None
    _threads: list[threading.Thread] = field(default_factory=list)

    @contextmanager
    def running(self, services: Sequence[Service]) -> Iterator[None]:
        """The services run while the block does; afterwards `mistake`, if there was one, is raised."""
        for service in services:
            RESTARTS.labels(service.name)  # 0 from the start: of a series that begins at 1 nobody sees the first
            thread = threading.Thread(target=self.supervise, args=(service,), name=service.name, daemon=True)
            thread.start()
            self._threads.append(thread)
        try:
            yield
        finally:
            self.stop.set()
            deadline = self.clock() + PATIENCE_S
            for thread in self._threads:
                thread.join(max(0.0, deadline - self.clock()))
                if thread.is_alive():
                    log.warning("%s did not end within %g s and is left behind", thread.name, PATIENCE_S)
        if self.mistake:
            raise self.mistake

    def supervise(self, service: Service) -> None:
        """Start a service again after 1, 2, 4 ... 30 s whenever it fails."""
        pulse = self.pulse.part(service.name)
        failures = 0
        while not self.stop.is_set():
            started = self.clock()
            try:
                with RUNNING.labels(service.name).track_inprogress():
                    service.run(pulse, self.stop)
            except Exception as error:
                pulse.end()
                if isinstance(error, SettingInvalid | InputInvalid) and failures == 0:
                    self.mistake = error  # it would fail again for ever, and somebody sits before the screen
                    self.stop.set()
                    return
                failures = 1 if self.clock() - started > STEADY_S else failures + 1
                self._wait(service, error, failures, pulse)
            else:
                pulse.end()
                log.info("%s has done its work", service.name)
                return

    def _wait(self, service: Service, error: Exception, failures: int, pulse: Pulse) -> None:
        seconds = pause_s(failures)
        told = explained(error)
        trace = None if told else error
        log.error("%s failed: %s; it starts again in %g s", service.name, told or error, seconds, exc_info=trace)
        RESTARTS.labels(service.name).inc()
        pulse.wait_for("restart", f"failed {failures} times in a row: {told or error}")
        self.stop.wait(seconds)
        pulse.found("restart")
