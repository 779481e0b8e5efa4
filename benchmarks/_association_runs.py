"""One engine on one case in a process of its own, with a limit of time and of threads."""

import contextlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks._association_cases import Case
from benchmarks._association_engines import ENGINES, Groups, Setting

LIMIT_S = 600.0
START_LIMIT_S = 300.0  # imports, compilation and the warm-up
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
        process = context.Process(target=_work, args=(theirs, engine, case, folder, threads, dict(setting)))
        process.start()
    theirs.close()
    try:
        return _await(ours, case, limit_s)
    finally:
        process.kill()
        process.join()


def _await(worker: Connection, case: Case, limit_s: float) -> Run | Failed:
    try:
        if not worker.poll(START_LIMIT_S):
            return Failed(f"did not start within {START_LIMIT_S:.0f} s")
        worker.recv()
        if not worker.poll(limit_s):
            return Failed(f"did not finish within {limit_s:.0f} s")
        groups, seconds, wall_s = worker.recv()
        after = worker.recv() if case.cut_s is not None and worker.poll(limit_s) else None
        return Run(groups, seconds, wall_s, after)
    except EOFError:
        return Failed("its process ended")


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


def _work(worker: Connection, engine: str, case: Case, folder: Path, threads: int, setting: Setting) -> None:
    with tempfile.TemporaryDirectory() as here, Path(os.devnull).open("w") as nowhere:
        os.chdir(here)
        sys.stdout, shown = nowhere, sys.stdout
        sys.stderr, errors = nowhere, sys.stderr
        try:
            associate = ENGINES[engine].prepare(case, folder, threads, setting)
            associate(case.chosen(np.argsort(case.onset_s)[:WARM_UP]))
            worker.send(None)
            wall, start = time.monotonic(), time.process_time()
            groups = associate(case)
            worker.send((groups, time.process_time() - start, time.monotonic() - wall))
            if case.cut_s is not None:
                later = np.flatnonzero(case.onset_s >= case.cut_s)
                cut = replace(case.chosen(later), cut_s=None)
                worker.send([later[group] for group in associate(cut)])
        finally:
            sys.stdout, sys.stderr = shown, errors
            os.chdir("/")
