"""Start the embedded Triton, wait until it serves, restart it when it dies, and leave nothing of it behind."""

import contextlib
import hashlib
import importlib.util
import logging
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import Counter

from kensoku.errors import EmbeddedServerUnusable, SettingInvalid
from kensoku.inference import open_models
from kensoku.supervision import STEADY_S, pause_s
from kensoku.triton._install import LIBRARIES, PYTHON_BACKEND, SERVER, install

log = logging.getLogger(__name__)

RESTARTS = Counter("triton_restarts", "Times the embedded model server was started again after it had died")

GRPC_PORT, METRICS_PORT = 8001, 8002  # where operators' commands look for it; Triton's own defaults
STOP_S = 3  # for requests in hand; then it is killed
POLL_S = 0.1
HARMLESS = ("CudaDriverHelper", "NVML")  # what a machine without a GPU makes it say
TIED = Path(__file__).with_name("_tied.py")
BACKEND = Path(__file__).parent / "backends" / "onnxruntime" / "model.py"
SHARED_MEMORY = Path("/dev/shm")  # where Triton and its processes for Python exchange tensors


@contextmanager
def embedded_triton(
    home: Path,
    repository: Path,
    *,
    host: str = "127.0.0.1",
    grpc_port: int = 0,
    metrics_port: int = 0,
    ready_within_s: float = 60.0,
) -> Iterator["EmbeddedTriton"]:
    """A running server of every model in the repository; port 0 takes a free one. Installs the server if need be."""
    if not list(repository.glob("*/config.pbtxt")):
        raise SettingInvalid(f"model repository: found no */config.pbtxt in {repository}, expected a folder a model")
    grpc_port, metrics_port = _usable_ports(host, grpc_port, metrics_port)
    with contextlib.ExitStack() as names:
        folder = install(home)
        models, backends = (_named(path, names) for path in (repository.resolve(), _backends(folder)))
        server = EmbeddedTriton(folder, models, backends, host, grpc_port, metrics_port)
        with server.running(ready_within_s):
            yield server


class EmbeddedTriton:
    def __init__(
        self, folder: Path, models: Path, backends: Path, host: str, grpc_port: int, metrics_port: int
    ) -> None:
        self.url = f"triton://{host}:{grpc_port}"
        self.metrics_url = f"http://{host}:{metrics_port}/metrics"
        self.restarts = 0
        self._segments = f"kensoku-{os.getpid()}-{grpc_port}-"
        self._command = _command(folder / SERVER, models, backends, host, grpc_port, metrics_port, self._segments)
        self._environment = _environment(folder)
        self._process: subprocess.Popen[str] | None = None
        self._last_words: deque[str] = deque(maxlen=30)
        self._stop = threading.Event()

    @property
    def process_id(self) -> int | None:
        """Of the server as it is now; None while there is none."""
        return self._process.pid if self._process is not None else None

    @contextmanager
    def running(self, ready_within_s: float) -> Iterator[None]:
        # The system ends the server with the thread that started it, so one thread stays with it all along.
        _remove_abandoned_segments()
        thread = threading.Thread(target=self._supervise, name="triton")
        thread.start()
        try:
            self._wait_until_ready(ready_within_s)
            yield
        finally:
            self._stop.set()
            thread.join()

    def _wait_until_ready(self, limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        with open_models(self.url) as models:
            while not models.is_ready():
                if self.restarts or time.monotonic() > deadline:
                    state = "it ended" if self.restarts else f"not ready after {limit_s:g} s"
                    words = "\n  ".join(self._last_words) or "nothing"
                    raise EmbeddedServerUnusable(f"the embedded Triton did not start: {state}; it said:\n  {words}")
                time.sleep(POLL_S)

    def _supervise(self) -> None:
        failures = 0
        while not self._stop.is_set():
            started = time.monotonic()
            with self._process_group() as process:
                while process.poll() is None and not self._stop.wait(POLL_S):
                    pass
            if self._stop.is_set():
                return
            failures = 1 if time.monotonic() - started > STEADY_S else failures + 1
            self.restarts += 1
            RESTARTS.inc()
            said = "; ".join(filter(None, self._last_words)) or "nothing"
            ended = "tritonserver ended with %s, it said last: %s; it starts again in %g s"
            log.warning(ended, process.returncode, said, pause_s(failures))
            self._stop.wait(pause_s(failures))

    @contextmanager
    def _process_group(self) -> Iterator["subprocess.Popen[str]"]:
        """One run of the server, ended together with the processes it started, however it came to its end."""
        self._last_words.clear()
        process = self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
        listener.start()
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S + 1)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            listener.join(STOP_S)
            for segment in SHARED_MEMORY.glob(f"{self._segments}*"):
                segment.unlink(missing_ok=True)
            self._process = None

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._last_words.append(line.rstrip())
                is_error = line.startswith("E") and not any(word in line for word in HARMLESS)
                log.log(logging.ERROR if is_error else logging.DEBUG, "tritonserver: %s", line.rstrip())


def _command(
    program: Path, models: Path, backends: Path, host: str, grpc_port: int, metrics_port: int, segments: str
) -> Sequence[str]:
    tie = [sys.executable, "-I", "-S", str(TIED), str(os.getpid())]
    return [
        *tie,
        str(program),
        f"--model-repository={models}",
        f"--backend-directory={backends}",
        "--model-control-mode=explicit",
        "--load-model=*",
        "--disable-auto-complete-config",  # ours are complete; completing would start Python once more a model
        "--allow-http=false",
        f"--grpc-address={host}",
        f"--grpc-port={grpc_port}",
        f"--metrics-address={host}",
        f"--metrics-port={metrics_port}",
        "--allow-gpu-metrics=false",
        "--log-info=false",
        "--log-warning=false",
        f"--exit-timeout-secs={STOP_S}",
        f"--backend-config=python,shm-region-prefix-name={segments}",
    ]


def _environment(folder: Path) -> Mapping[str, str]:
    """Everything the server sees; it inherits nothing."""
    return {
        # Where the server's Python finds an interpreter it takes that one's standard library.
        "PATH": os.pathsep.join([f"{sys.base_prefix}/bin", os.defpath]),
        "LD_LIBRARY_PATH": str(folder / LIBRARIES),
        "KENSOKU_NUMPY_FOLDER": _folder_of("numpy"),
        "KENSOKU_ONNXRUNTIME_FOLDER": _folder_of("onnxruntime"),
    }


def _folder_of(package: str) -> str:
    """Where this interpreter finds a package, without importing it."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, package
    assert spec.origin is not None, package
    return str(Path(spec.origin).parents[1])


def _backends(folder: Path) -> Path:
    """Triton's own backend for Python beside our file, in a folder named after the content of the latter."""
    name = hashlib.sha256(BACKEND.read_bytes()).hexdigest()[:16]
    backends = folder / "backends" / name
    if not backends.is_dir():
        backends.parent.mkdir(exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=backends.parent, prefix=".new-"))
        (temporary / "onnxruntime").mkdir()
        shutil.copyfile(BACKEND, temporary / "onnxruntime" / "model.py")
        (temporary / "python").symlink_to(folder / PYTHON_BACKEND)
        try:
            temporary.rename(backends)
        except OSError:  # another process was faster
            shutil.rmtree(temporary)
    return backends


def _named(folder: Path, names: contextlib.ExitStack) -> Path:
    """Triton hands these paths to a shell as they are, so one with a space in it goes by another name."""
    if shlex.quote(str(folder)) == str(folder):
        return folder
    name = Path(names.enter_context(tempfile.TemporaryDirectory(prefix="kensoku-triton-")), "folder")
    name.symlink_to(folder)
    return name


def _remove_abandoned_segments() -> None:
    """Free the memory that a killed system shared with its server, a megabyte and more each."""
    for segment in SHARED_MEMORY.glob("kensoku-*-*-*"):
        if not Path("/proc", segment.name.split("-")[1]).exists():
            with contextlib.suppress(OSError):  # another user's
                segment.unlink()


def _usable_ports(host: str, *ports: int) -> list[int]:
    """Free ones for 0; all are held until the last is found, so that no free one is given twice."""
    with contextlib.ExitStack() as held:
        return [_taken_port(held.enter_context(socket.socket()), host, port) for port in ports]


def _taken_port(probe: socket.socket, host: str, port: int) -> int:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((host, port))
    except OSError as error:
        raise SettingInvalid(
            f"port {port} on {host} cannot be used for Triton ({error.strerror}); stop what holds it, or choose another"
        ) from None
    return int(probe.getsockname()[1])
