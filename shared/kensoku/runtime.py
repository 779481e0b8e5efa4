"""What every service does alike: log, stop when it is told to, and say whether it is alive and ready."""

import errno
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, Literal

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from kensoku.bus import Bus, Options, open_bus
from kensoku.errors import BusUnavailable, KensokuError, SettingInvalid
from kensoku.settings import SettingsType, describe, from_command_line, mask, misspelt_beside_others

log = logging.getLogger("kensoku")

STANDSTILL_S = 60.0  # a loop that beats every tenth of a second and waits up to this long for a broker
CLIENT_WAIT_S = 10.0  # for the question of who has connected; a probe asks at once
STOPPED, FAILED, MISUSED = 0, 1, 2  # exit codes
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
PLACES = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)  # of a wrong file's name

UP = Gauge("service_ready", "1 when everything this process needs is there")


# --- logs -------------------------------------------------------------------------------------------------------------


def _shown(text: str) -> str:
    """What a sender put into a message neither steers the terminal nor looks like a line of ours."""
    return "".join(c if c.isprintable() else "\n  " if c == "\n" else ascii(c)[1:-1] for c in text)


class HumanLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        line = f"{moment} {record.levelname[0]} {record.name.removeprefix('kensoku.')}: {_shown(record.getMessage())}"
        return mask(self._with_trace(line, record))

    def _with_trace(self, line: str, record: logging.LogRecord) -> str:
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = mask(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def configure_logs(style: Literal["human", "json"] = "human", level: str = "INFO") -> None:
    """Our own lines from `level` on, other libraries' from warnings on, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if style == "json" else HumanLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("kensoku").setLevel(level)
    logging.captureWarnings(True)


# --- stopping ---------------------------------------------------------------------------------------------------------


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, for a loop to look at; a second signal ends the process at once.

    Wait for it with a time limit: the system may give a signal to any thread, and Python runs the handler only when the
    main thread next moves.
    """
    stop = threading.Event()
    noted: SimpleQueue[bool] = SimpleQueue()  # the only thing a handler may touch: it can interrupt `stop.wait` itself

    def note(number: int, _: object) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        noted.put(True)

    def forward() -> None:
        while noted.get():
            stop.set()

    forwarder = threading.Thread(target=forward, name="signals", daemon=True)
    forwarder.start()
    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        noted.put(False)
        forwarder.join()


def run_to_exit_code(main: Callable[[], int | None]) -> int:
    """Run a program; what a person can mend is one line on standard error, and only a bug of ours a traceback. Where
    the log is for programs, so is its last line."""
    try:
        return main() or STOPPED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:
        told = explained(error)
        if any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers):
            log.critical("%s", told or error, exc_info=None if told else error)
        elif told:
            print(f"kensoku: {mask(told)}", file=sys.stderr)
        else:
            raise
        return MISUSED if isinstance(error, SettingInvalid) else FAILED


def explained(error: Exception) -> str:
    """What a person can mend, in a sentence; empty for a bug of ours."""
    if isinstance(error, KensokuError):
        return str(error)
    if isinstance(error, OSError) and error.errno in PLACES and error.filename:
        return f"{error.filename}: {error.strerror}; give a place where it can be"
    return explain_disk(error) if isinstance(error, OSError) and error.errno in FULL else ""


def process_age_s() -> float:
    """Since the system started this process, imports included; 10 ms is the finest it tells."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def explain_disk(error: OSError) -> str:
    return (
        f"cannot write {error.filename or 'to disk'}: {error.strerror}; expected room to write, "
        "free some, or give --out or KENSOKU_HOME a folder on another disk; nothing that was acknowledged is lost"
    )


# --- health -----------------------------------------------------------------------------------------------------------


class Pulse:
    """Whether a process lives, by the beats of its loops, and whether it is ready, by what it waits for."""

    def __init__(self, standstill_s: float = STANDSTILL_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._standstill_s = standstill_s
        self._clock = clock
        self._beats: dict[str, float] = {}
        self._waiting: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._parts: dict[str, Pulse] = {}
        self._lock = threading.Lock()

    def part(self, name: str) -> "Pulse":
        """A pulse of its own for a service that shares the process; what it reports counts for the whole."""
        with self._lock:
            return self._parts.setdefault(name, Pulse(self._standstill_s, self._clock))

    def beat(self, loop: str = "main") -> None:
        with self._lock:
            self._beats[loop] = self._clock()

    def end(self, loop: str = "main") -> None:
        """This loop has finished, so it need not beat any more."""
        with self._lock:
            self._beats.pop(loop, None)

    def wait_for(self, part: str, reason: str) -> None:
        """Not ready because of this part."""
        with self._lock:
            self._waiting[part] = reason

    def found(self, part: str) -> None:
        with self._lock:
            self._waiting.pop(part, None)

    def hear_of_bus(self, reason: str) -> None:
        """Why no broker answers; empty once one does. A loop that waits for one lives."""
        if reason:
            self.wait_for("bus", reason)
            self.beat()
        else:
            self.found("bus")

    def note(self, part: str, sentence: str) -> None:
        """What somebody should know although the process is ready; an empty sentence takes it back."""
        with self._lock:
            self._notes.pop(part, None)
            if sentence:
                self._notes[part] = sentence

    def notes(self) -> dict[str, str]:
        with self._lock:
            parts = [(name, part.notes()) for name, part in self._parts.items()]
            return self._notes | {f"{name}/{p}": sentence for name, notes in parts for p, sentence in notes.items()}

    def standing_still(self) -> dict[str, float]:
        """By loop, seconds since its last beat, of those that have not beaten for too long."""
        now = self._clock()
        with self._lock:
            silent = {loop: round(now - beat, 1) for loop, beat in self._beats.items()}
            parts = [(name, part.standing_still()) for name, part in self._parts.items()]
        still = {loop: seconds for loop, seconds in silent.items() if seconds > self._standstill_s}
        return still | {f"{name}/{loop}": seconds for name, loops in parts for loop, seconds in loops.items()}

    def waiting(self) -> dict[str, str]:
        """By part, why the process is not ready; empty when it is."""
        with self._lock:
            parts = [(name, part.waiting()) for name, part in self._parts.items()]
            return self._waiting | {f"{name}/{p}": reason for name, reasons in parts for p, reason in reasons.items()}


class _PulseServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A probe that hangs up before its answer is no bug, and leaves no traceback."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve_pulse(pulse: Pulse, host: str, port: int, client_wait_s: float = CLIENT_WAIT_S) -> Iterator[int]:
    """Answer /livez, /readyz and /metrics as long as the block runs; yields the port. Each client holds a thread."""

    class Handler(BaseHTTPRequestHandler):
        timeout = client_wait_s

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/livez":
                    still = pulse.standing_still()
                    self._answer_json(503 if still else 200, {"alive": not still, "standing_still_s": still})
                case "/readyz":
                    waiting = pulse.waiting()
                    told = {"notes": notes} if (notes := pulse.notes()) else {}
                    self._answer_json(503 if waiting else 200, {"ready": not waiting, "waiting_for": waiting, **told})
                case "/metrics":
                    UP.set(not pulse.waiting())
                    self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
                case _:
                    self._answer_json(404, {"found": self.path, "expected": ["/livez", "/readyz", "/metrics"]})

        def _answer_json(self, status: int, body: dict[str, object]) -> None:
            self._answer(status, "application/json", json.dumps(body).encode() + b"\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """A probe every few seconds is no event."""

    try:
        server = _PulseServer((host, port), Handler)
    except OSError as error:
        raise SettingInvalid(
            f"cannot listen on {host}:{port}: {error.strerror}; expected a free port of this machine, "
            "stop what uses it or set KENSOKU_PORT (0 takes any)"
        ) from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.5}, name="pulse", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def bus_options(wait_s: float, pulse: Pulse, stop: threading.Event) -> Options:
    """For a bus whose absence the pulse tells, and on which nobody waits who was told to stop."""

    def hear(reason: str) -> None:
        pulse.hear_of_bus(reason)
        if reason and stop.is_set():
            raise BusUnavailable(f"told to stop while {reason}; what was not committed comes again")

    return Options(wait_s=wait_s, on_contact=hear)


# --- a service as a process of its own --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Process(Generic[SettingsType]):
    """What every service has when it is a process of its own."""

    settings: SettingsType
    bus: Bus
    pulse: Pulse
    stop: threading.Event


@contextmanager
def service_process(kind: type[SettingsType], name: str, summary: str) -> Iterator[Process[SettingsType]]:
    """`python -m kensoku.NAME`: settings from the command line, a log, health, signals and the bus."""
    settings = from_command_line(kind, f"python -m kensoku.{name}", summary)
    configure_logs(settings.log_format, settings.log_level)
    own_log = logging.getLogger(f"kensoku.{name}")
    own_log.info("starting with %s", describe(settings))
    for sentence in misspelt_beside_others(kind):
        own_log.warning("%s", sentence)
    pulse = Pulse()
    with (
        stop_on_signals() as stop,
        serve_pulse(pulse, settings.host, settings.port) as port,
        open_bus(settings.bus, settings.namespace, bus_options(settings.bus_wait_s, pulse, stop)) as bus,
    ):
        own_log.info("health and figures at http://%s:%d", settings.host, port)  # also where any port was asked for
        yield Process(settings, bus, pulse, stop)
    own_log.info("stopped cleanly")
