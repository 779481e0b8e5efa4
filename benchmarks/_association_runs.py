"""One engine on one case in a process of its own, with a limit of time and of threads."""

import contextlib
import math
import multiprocessing
import os
import resource
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks._association_cases import Case
from benchmarks._association_engines import ENGINES, Groups, Setting

LIMIT_S = 600.0  # of processor, as the machine may be shared
WARM_UP = 200  # picks
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    groups: Groups
    seconds: float  # of processor
    wall_s: float
    after_cut: Groups | None  # when the first picks are left out


@dataclass(frozen=True, slots=True)
class Failed:
    reason: str


def run(
    engine: str, case: Case, folder: Path, threads: int, setting: Setting, limit_s: float = LIMIT_S
) -> Run | Failed:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with _threads(threads):
        arguments = (theirs, engine, folder, threads, dict(setting), limit_s)
        process = context.Process(target=_work, args=arguments)
        process.start()
    theirs.close()
    try:
        ours.send(case)  # as an argument it would block for ever where the process cannot begin
        groups, seconds, wall_s = ours.recv()
        return Run(groups, seconds, wall_s, ours.recv() if case.cut_s is not None else None)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        process.join()
        if process.exitcode == -signal.SIGXCPU:
            return Failed(f"did not finish within {limit_s:.0f} s of processor")
        return Failed(f"its process ended with {process.exitcode}")
    finally:
        process.kill()
        process.join()


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    """Libraries read it when they are imported, so it is set before the process begins."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(count)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _work(worker: Connection, engine: str, folder: Path, threads: int, setting: Setting, limit_s: float) -> None:
    case = worker.recv()
    with tempfile.TemporaryDirectory() as here, Path(os.devnull).open("w") as nowhere:
        os.chdir(here)  # GaMMA writes where it stands
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            associate = ENGINES[engine].prepare(case, folder, threads, setting)
            associate(case.chosen(np.argsort(case.onset_s)[:WARM_UP]))
            _end_after(limit_s * threads)
            wall, start = time.monotonic(), time.process_time()
            groups = associate(case)
            worker.send((groups, time.process_time() - start, time.monotonic() - wall))
            if case.cut_s is not None:
                _end_after(limit_s * threads)
                later = np.flatnonzero(case.onset_s >= case.cut_s)
                worker.send([later[group] for group in associate(case.chosen(later))])
        os.chdir("/")


def _end_after(seconds: float) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), most))
