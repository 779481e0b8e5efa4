import errno
import threading

import pytest
from prometheus_client import REGISTRY

from kensoku.errors import BusUnavailable, InputInvalid, SettingInvalid
from kensoku.runtime import Pulse
from kensoku.supervision import Service, Supervisor, pause_s


class NotedWaits(threading.Event):
    """An event whose waits pass at once and are noted."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits_s.append(timeout or 0.0)
        return self.is_set()


def failing(times: int, error: Exception) -> tuple[Service, list[int]]:
    """A service that fails so many times and then does its work, and its starts."""
    starts: list[int] = []

    def run(pulse: Pulse, stop: threading.Event) -> None:
        starts.append(len(starts))
        if len(starts) <= times:
            raise error

    return Service("picky", run), starts


def test_pauses_double_up_to_half_a_minute() -> None:
    assert [pause_s(failures) for failures in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_service_that_fails_is_started_again_after_growing_pauses() -> None:
    stop = NotedWaits()
    service, starts = failing(4, BusUnavailable("the broker is away"))
    Supervisor(Pulse(), stop).supervise(service)
    assert (len(starts), stop.waits_s) == (5, [1, 2, 4, 8])


def test_a_full_disk_is_told_as_one_and_not_as_a_bug(caplog: pytest.LogCaptureFixture) -> None:
    service, _ = failing(1, OSError(errno.ENOSPC, "No space left on device", "/srv/position"))
    Supervisor(Pulse(), NotedWaits()).supervise(service)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "cannot write /srv/position: No space left on device" in record.message
    assert record.exc_info is None


def test_restarts_are_told_from_the_first_on() -> None:
    steady = Service("steady", lambda pulse, stop: None)
    with Supervisor(Pulse(), threading.Event()).running([steady]):
        assert REGISTRY.get_sample_value("supervision_restarts_total", {"service": "steady"}) == 0.0


def test_after_a_steady_minute_the_pauses_begin_anew() -> None:
    stop = NotedWaits()
    moments = iter([0, 1, 10, 12, 20, 100, 110])  # starts and failures: after 1 s, 2 s, and 80 s
    service, _ = failing(3, RuntimeError("a bug"))
    Supervisor(Pulse(), stop, clock=lambda: next(moments)).supervise(service)
    assert stop.waits_s == [1, 2, 1]


@pytest.mark.parametrize("mistake", [SettingInvalid("found a, expected b"), InputInvalid("found no waveform")])
def test_a_mistake_in_what_it_was_told_ends_the_system_and_is_told(mistake: Exception) -> None:
    stop = threading.Event()
    service, starts = failing(1, mistake)
    with pytest.raises(type(mistake), match="found"), Supervisor(Pulse(), stop).running([service]):
        assert stop.wait(10)
    assert len(starts) == 1


def test_a_bad_input_later_on_does_not_end_the_system() -> None:
    stop = NotedWaits()
    starts: list[int] = []

    def run(pulse: Pulse, stop: threading.Event) -> None:
        starts.append(len(starts))
        if len(starts) == 1:
            raise BusUnavailable("the broker is away")
        if len(starts) == 2:
            raise InputInvalid("the archive is gone for a moment")

    supervisor = Supervisor(Pulse(), stop)
    supervisor.supervise(Service("picky", run))
    assert (len(starts), supervisor.mistake) == (3, None)


def test_a_failed_service_is_what_readiness_waits_for() -> None:
    pulse, seen = Pulse(), []

    class Looking(NotedWaits):
        def wait(self, timeout: float | None = None) -> bool:
            seen.append(pulse.waiting())
            return super().wait(timeout)

    service, _ = failing(1, BusUnavailable("the broker is away"))
    Supervisor(pulse, Looking()).supervise(service)
    assert seen == [{"picky/restart": "failed 1 times in a row: the broker is away"}]
    assert pulse.waiting() == {}


def test_services_are_told_to_stop_and_waited_for() -> None:
    ended = threading.Event()

    def run(pulse: Pulse, stop: threading.Event) -> None:
        stop.wait(30)
        ended.set()

    with Supervisor(Pulse(), threading.Event()).running([Service("patient", run)]):
        pass
    assert ended.is_set()
