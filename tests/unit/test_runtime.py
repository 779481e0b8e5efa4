"""What every service does alike, over real HTTP and with real signals."""

import errno
import json
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kensoku.errors import BusUnavailable, InputInvalid, SettingInvalid
from kensoku.runtime import (
    HumanLines,
    JsonLines,
    Pulse,
    configure_logs,
    run_to_exit_code,
    serve_pulse,
    service_process,
    stop_on_signals,
)
from kensoku.settings import ServiceSettings


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    return Pulse(standstill_s=60.0, clock=clock)


@pytest.fixture
def address(pulse: Pulse) -> Iterator[str]:
    with serve_pulse(pulse, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


# --- health -----------------------------------------------------------------------------------------------------------


def test_a_service_that_beats_is_alive(pulse: Pulse, clock: Clock, address: str) -> None:
    pulse.beat()
    clock.now_s += 59.0
    assert get(f"{address}/livez") == (200, '{"alive": true, "standing_still_s": {}}\n')


def test_a_loop_that_stands_still_makes_the_service_dead(pulse: Pulse, clock: Clock, address: str) -> None:
    pulse.beat("reader")
    pulse.beat("writer")
    clock.now_s += 61.0
    pulse.beat("writer")
    assert get(f"{address}/livez") == (503, '{"alive": false, "standing_still_s": {"reader": 61.0}}\n')
    pulse.beat("reader")
    assert get(f"{address}/livez")[0] == 200


def test_a_loop_that_ended_need_not_beat(pulse: Pulse, clock: Clock, address: str) -> None:
    pulse.beat()
    pulse.end()
    clock.now_s += 1e6
    assert get(f"{address}/livez")[0] == 200


def test_a_service_is_ready_when_it_waits_for_nothing(pulse: Pulse, address: str) -> None:
    pulse.wait_for("models", "no server answers")
    assert get(f"{address}/readyz") == (503, '{"ready": false, "waiting_for": {"models": "no server answers"}}\n')
    assert "service_ready 0.0" in get(f"{address}/metrics")[1]
    pulse.found("models")
    assert get(f"{address}/readyz") == (200, '{"ready": true, "waiting_for": {}}\n')
    assert "service_ready 1.0" in get(f"{address}/metrics")[1]


def test_what_should_be_known_is_told_without_being_in_the_way(pulse: Pulse, address: str) -> None:
    pulse.part("triggering").note("lag", "70 s behind")
    assert json.loads(get(f"{address}/readyz")[1])["notes"] == {"triggering/lag": "70 s behind"}
    assert get(f"{address}/readyz")[0] == 200
    pulse.part("triggering").note("lag", "")
    assert get(f"{address}/readyz") == (200, '{"ready": true, "waiting_for": {}}\n')


def test_a_part_counts_for_the_whole(pulse: Pulse, clock: Clock, address: str) -> None:
    part = pulse.part("acquisition")
    part.beat()
    part.wait_for("archive", "reading")
    clock.now_s += 61.0
    assert json.loads(get(f"{address}/readyz")[1])["waiting_for"] == {"acquisition/archive": "reading"}
    assert json.loads(get(f"{address}/livez")[1])["standing_still_s"] == {"acquisition/main": 61.0}


def test_another_path_is_told_which_exist(address: str) -> None:
    status, body = get(f"{address}/health")
    assert (status, json.loads(body)["expected"]) == (404, ["/livez", "/readyz", "/metrics"])


def test_a_port_in_use_is_the_users_to_change(pulse: Pulse) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingInvalid, match=rf"127.0.0.1:{port}.*expected a free port.*KENSOKU_PORT"):
            serve_pulse(pulse, "127.0.0.1", port).__enter__()


def test_an_address_of_another_machine_is_the_users_to_change(pulse: Pulse) -> None:
    with pytest.raises(SettingInvalid, match="cannot listen on 192.0.2.1:0"):  # RFC 5737: for documentation only
        serve_pulse(pulse, "192.0.2.1", 0).__enter__()


def test_the_port_is_free_after_the_block(pulse: Pulse) -> None:
    with serve_pulse(pulse, "127.0.0.1", 0) as port:
        pass
    with serve_pulse(pulse, "127.0.0.1", port) as again:
        assert again == port


def test_a_probe_that_hangs_up_leaves_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with serve_pulse(Pulse(), "127.0.0.1", 0) as port:
        with socket.create_connection(("127.0.0.1", port)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close at once, by a reset
        assert get(f"http://127.0.0.1:{port}/livez")[0] == 200
    assert capfd.readouterr().err == ""


def test_who_connects_and_asks_nothing_is_hung_up_on() -> None:
    with (
        serve_pulse(Pulse(), "127.0.0.1", 0, client_wait_s=0.1) as port,
        socket.create_connection(("127.0.0.1", port), timeout=5) as client,
    ):
        client.sendall(b"GET /livez HT")
        assert client.recv(1) == b""


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event_and_handlers_are_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(30)
    assert signal.getsignal(number) is before


def test_a_second_signal_kills() -> None:
    script = """
import time
from kensoku.runtime import stop_on_signals
with stop_on_signals() as stop:
    print("up", flush=True)
    stop.wait()
    print("stopping", flush=True)
    time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.terminate()
        assert process.stdout.readline() == "stopping\n"
        process.terminate()
        assert process.wait(60) == -signal.SIGTERM
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def logs() -> Iterator[None]:
    """As they were, after a test that sets them."""
    root, ours = logging.getLogger(), logging.getLogger("kensoku")
    before = root.handlers[:], root.level, ours.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


# --- exit codes -------------------------------------------------------------------------------------------------------


def outcome(error: BaseException) -> int:
    def main() -> None:
        raise error

    return run_to_exit_code(main)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SettingInvalid("found x, expected y"), 2, "kensoku: found x, expected y\n"),
        (BusUnavailable("no broker"), 1, "kensoku: no broker\n"),
        (InputInvalid("no waveform"), 1, "kensoku: no waveform\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_a_person_can_mend_is_a_line_and_a_code(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(error) == code
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("kind", [SettingInvalid, BusUnavailable])
def test_an_error_shows_no_password(kind: type[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    outcome(kind("found bus 'kafka://mia:sesame@broker:9092', expected another"))
    assert "kafka://mia:********@broker:9092" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_full_disk_is_told_with_the_file_and_what_to_do(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(OSError(number, os.strerror(number), "/srv/kensoku/position")) == 1
    said = capsys.readouterr().err
    assert f"cannot write /srv/kensoku/position: {os.strerror(number)}" in said
    assert "give --out or KENSOKU_HOME a folder on another disk" in said


@pytest.mark.parametrize("number", [errno.ENOTDIR, errno.EISDIR, errno.EEXIST])
def test_a_file_in_the_place_of_a_folder_is_told(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(OSError(number, os.strerror(number), "/srv/taken/events")) == 1
    assert f"kensoku: /srv/taken/events: {os.strerror(number)}; give a place where it can be" in capsys.readouterr().err


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        outcome(ZeroDivisionError())
    with pytest.raises(PermissionError):
        outcome(PermissionError(errno.EACCES, "no"))


@pytest.mark.parametrize("error", [BusUnavailable("no broker at\nkafka://u:p@h"), ZeroDivisionError("none")])
@pytest.mark.usefixtures("logs")
def test_where_the_log_is_for_programs_so_is_its_last_line(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("json")
    assert outcome(error) == 1
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["level"], told["message"]) == ("CRITICAL", str(error).replace("u:p@", "u:********@"))
    assert ("ZeroDivisionError" in told.get("exception", "")) == isinstance(error, ZeroDivisionError)


def test_success_is_zero_and_a_code_of_its_own_is_kept() -> None:
    assert run_to_exit_code(lambda: None) == 0
    assert run_to_exit_code(lambda: 3) == 3


# --- logs -------------------------------------------------------------------------------------------------------------


def record(message: str, *arguments: object, exc_info: Any = None) -> logging.LogRecord:
    made = logging.LogRecord("kensoku.bus", logging.WARNING, __file__, 1, message, arguments, exc_info)
    made.created = 1_562_261_599.123
    return made


def test_a_human_line_has_time_level_and_place() -> None:
    assert HumanLines().format(record("lost %d", 3)) == "17:33:19.123 W bus: lost 3"


def test_what_a_sender_wrote_forges_no_line_and_steers_no_terminal() -> None:
    line = HumanLines().format(record("%s sends rubbish", "A.B\n12:00:00.000 E forged\r\x1b[2J"))
    assert line.splitlines()[1:] == [r"  12:00:00.000 E forged\r\x1b[2J sends rubbish"]


def test_a_json_line_is_one_object() -> None:
    assert json.loads(JsonLines().format(record("lost\n%s", "größte"))) == {
        "time": "2019-07-04T17:33:19.123+00:00",
        "level": "WARNING",
        "logger": "kensoku.bus",
        "message": "lost\ngrößte",
    }


@pytest.mark.parametrize("formatter", [HumanLines(), JsonLines()])
def test_no_line_has_a_password(formatter: logging.Formatter) -> None:
    try:
        raise ValueError("cannot reach kafka://mia:sesame@broker:9092")
    except ValueError:
        text = formatter.format(record("at %s", "http://mia:sesame@h", exc_info=sys.exc_info()))
    assert "sesame" not in text
    assert "ValueError" in text
    assert text.count("********") >= 2


@pytest.mark.usefixtures("logs")
def test_other_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("human", "INFO")
    logging.getLogger("kensoku.probe").info("ours")
    logging.getLogger("elsewhere").info("chatter")
    logging.getLogger("elsewhere").warning("trouble")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["I probe: ours", "W elsewhere: trouble"]


# --- a service as a process of its own --------------------------------------------------------------------------------


def test_a_process_of_a_service_has_its_bus_and_says_when_it_stops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["python -m kensoku.trial", "--port", "0", "--namespace", "trial"])
    before = signal.getsignal(signal.SIGTERM)
    with service_process(ServiceSettings, "trial", "Try.") as process:
        process.bus.publish("events", "one", b"")
        assert process.settings.namespace == "trial"
        assert not process.stop.is_set()
        assert process.pulse.waiting() == {}
    assert capsys.readouterr().err.endswith("stopped cleanly\n")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_process_that_fails_does_not_say_that_it_stopped_cleanly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["python -m kensoku.trial", "--port", "0"])
    with pytest.raises(InputInvalid), service_process(ServiceSettings, "trial", "Try."):
        raise InputInvalid("found nothing")
    told = capsys.readouterr().err
    assert "starting with" in told
    assert "stopped cleanly" not in told
