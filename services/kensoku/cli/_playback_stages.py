"""Services that work side by side until a log that ends has been dealt with, and end one after the other."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import REGISTRY

from kensoku.bus import Bus, Message
from kensoku.runtime import Pulse
from kensoku.supervision import Service

log = logging.getLogger("kensoku.playback")

TURN_S = 0.1
SETTLE_S = 2.0  # in which a service says once more how far it has come
PATIENCE_S = 60.0  # for a service to end after it was told to
MOST_UNREAD = 5_000  # messages that a service may have before it while more is published
FEED_AT_ONCE = 500


class Stopped(Exception):
    """Somebody ended the playback."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A service, and what it reads; it is done when those before it have ended and it has dealt with all of that."""

    service: Service
    topic: str
    group: str
    is_committed: bool = False  # it keeps nothing: all that it has dealt with it commits


@dataclass
class Playing:
    """One running service of a stage."""

    stage: Stage
    stop: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None
    thread: threading.Thread | None = None

    def start(self) -> None:
        name = f"playback-{self.stage.service.name}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.stage.service.run(Pulse(), self.stop)
        except Exception as error:
            self.error = error  # raised where somebody waits

    def end(self) -> None:
        self.stop.set()
        if self.thread is not None:
            self.thread.join(PATIENCE_S)
            if self.thread.is_alive():
                log.warning("%s did not end within %g s and is left behind", self.stage.service.name, PATIENCE_S)


class Ensemble:
    """All services of a playback. One that fails ends it: nobody wants a catalogue with a hole in it."""

    def __init__(self, bus: Bus, stages: Sequence[Stage], stop: threading.Event) -> None:
        self._bus = bus
        self._stop = stop
        self._all = [Playing(stage) for stage in stages]
        self._published = {stage.topic: _published(stage.topic) for stage in stages}
        self._handled = {stage: _handled(stage) for stage in stages}

    @contextmanager
    def playing(self) -> Iterator[None]:
        for one in self._all:
            one.start()
        try:
            yield
        finally:
            for one in self._all:
                one.stop.set()
            for one in self._all:
                one.end()

    def feed(self, messages: Iterable[Message], told: Callable[[int], None]) -> None:
        """Publish them as fast as all services keep up; `told` hears now and then how many there were."""
        for number, message in enumerate(messages, 1):
            self._bus.publish(message.topic, message.key, message.value)
            if number % FEED_AT_ONCE == 0:
                self._bus.flush()
                self._wait(lambda: all(self._unread(one.stage) < MOST_UNREAD for one in self._all))
                told(number)
        self._bus.flush()

    def finish(self) -> None:
        """Let each service deal with all that those before it have published, and end it."""
        for one in self._all:
            self._wait(lambda stage=one.stage: self._is_done(stage))  # type: ignore[misc]  # bound now
            if not one.stage.is_committed:
                self._pause(SETTLE_S)
            one.end()
            self._check()

    def _is_done(self, stage: Stage) -> bool:
        if self._unread(stage) > 0:
            return False
        return not stage.is_committed or sum(self._bus.lag(stage.topic, stage.group).values()) == 0

    def _unread(self, stage: Stage) -> float:
        published = _published(stage.topic) - self._published[stage.topic]
        return published - (_handled(stage) - self._handled[stage])

    def _wait(self, is_true: Callable[[], bool]) -> None:
        while not is_true():
            self._pause(TURN_S)

    def _pause(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self._check()
            if self._stop.wait(min(left_s, TURN_S)):
                raise Stopped

    def _check(self) -> None:
        for one in self._all:
            if one.error is not None:
                raise one.error


def _published(topic: str) -> float:
    return REGISTRY.get_sample_value("bus_published_messages_total", {"topic": topic}) or 0.0


def _handled(stage: Stage) -> float:
    labels = {"topic": stage.topic, "group": stage.group}
    return REGISTRY.get_sample_value("bus_handled_messages_total", labels) or 0.0
