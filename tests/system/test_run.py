"""`kensoku run` as a person starts it: a process of its own, stopped as Ctrl-C does."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kensoku.triton import install
from tests.model_server import CACHE

KENSOKU = str(Path(sys.executable).with_name("kensoku"))
START_S = 300.0  # loops may be compiled first, on a machine with other things to do
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class System:
    home: Path
    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    def wait_for(self, pattern: str, limit_s: float = START_S) -> str:
        """The first line, of those said so far or soon, that has the pattern."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            if found := next((line for line in list(self.lines) if re.search(pattern, line)), None):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"no line with {pattern!r} in:\n" + "".join(self.lines))

    @property
    def address(self) -> str:
        found = re.search(r"http://\S+(?=/readyz)", self.wait_for("/readyz"))
        assert found
        return found[0]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.address + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [KENSOKU, *arguments], env=environment(self.home), capture_output=True, text=True, timeout=START_S
        )


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KENSOKU_")}
    return kept | {"KENSOKU_HOME": str(home), "KENSOKU_PORT": "0", "PYTHONUNBUFFERED": "1"}


@contextmanager
def running(home: Path, *arguments: str) -> Iterator[System]:
    process = subprocess.Popen(
        [KENSOKU, "run", *arguments],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    system = System(home, process)
    assert process.stdout
    reader = threading.Thread(target=lambda: system.lines.extend(process.stdout or ()), daemon=True)
    reader.start()
    try:
        yield system
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join(10)
        process.stdout.close()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traveltime")


@pytest.fixture(autouse=True)
def _travel_times_of_an_earlier_start(tmp_path: Path, tables: Path) -> None:
    """Traced by the first test alone."""
    (tmp_path / "traveltime").symlink_to(tables)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that has the embedded server already, as after a first start."""
    install(CACHE)
    (tmp_path / "triton").symlink_to(CACHE / "triton")
    return tmp_path


FREE_PORTS = ("--triton-port", "0", "--triton-metrics-port", "0")


def family(process_id: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{process_id}/task/{process_id}/children")
    found = children.read_text().split() if children.exists() else []
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        found += [child for child in task.read_text().split() if child not in found]
    return [process_id, *(member for child in found for member in family(int(child)))]


def cpu_s(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


@pytest.mark.triton
def test_the_demo_starts_shows_its_packets_and_stops_without_leaving_anything(home: Path) -> None:
    with running(home, "--demo", *FREE_PORTS) as system:
        seconds = float(re.search(r"ready after ([\d.]+) s", system.wait_for("ready after")).group(1))  # type: ignore[union-attr]
        tail = system.command("tail", "waveforms", "--count", "12", "--json")
        assert tail.returncode == 0, tail.stderr
        assert {json.loads(line)["key"] for line in tail.stdout.splitlines()} == {f"XA.0{n}" for n in range(1, 7)}
        assert "XA.06" in system.command("inventory", "show").stdout, "its stations are known without being asked for"
        assert system.command("catalog", "list").stdout.endswith("events\n")
        told = re.search(r"models list (--models triton://127\.0\.0\.1:[1-9]\d*)$", system.wait_for("models list"))
        assert told, "where the models answer, since it is not where commands look for them"
        assert "READY" in system.command("models", "list", *told[1].split()).stdout.upper()
        status, body = system.get("/readyz")
        assert (status, json.loads(body)["ready"]) == (200, True)
        assert 'bus_published_messages_total{topic="waveforms"}' in system.get("/metrics")[1]
        members = family(system.process.pid)
        assert len(members) > 1, "the model server runs as a process of its own"
        system.process.send_signal(signal.SIGINT)
        assert system.process.wait(15) == 0
        assert "Traceback" not in "".join(system.lines)
        assert [member for member in members if Path(f"/proc/{member}").exists()] == []
        assert not (home / "run" / "bus.sock").exists()
    assert seconds < 10 or os.getloadavg()[0] > 1.5, f"ready after {seconds} s on an idle machine"


@pytest.mark.triton
def test_an_idle_system_leaves_the_processor_alone(home: Path) -> None:
    with running(home, *FREE_PORTS) as system:
        system.wait_for("ready after")
        time.sleep(2)  # what starting has left to do
        members = family(system.process.pid)
        before, started = sum(map(cpu_s, members)), time.monotonic()
        time.sleep(10)
        used = (sum(map(cpu_s, members)) - before) / (time.monotonic() - started)
        assert used < 0.05, f"{used:.3f} of a core with nothing to do"


def test_without_a_model_server_everything_else_works(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--models", "local") as system:
        system.wait_for("ready after")
        assert system.command("tail", "waveforms", "--count", "1").returncode == 0
        assert system.get("/livez")[0] == 200


def test_a_second_system_on_the_same_home_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, "--models", "local") as first:
        first.wait_for("ready after")
        second = first.command("run", "--models", "local")
        assert second.returncode == 2
        assert "expected no running system" in second.stderr
        assert "Traceback" not in second.stderr
        assert first.command("tail", "waveforms", "--no-follow").returncode == 0


def test_a_system_killed_outright_does_not_hinder_the_next(tmp_path: Path) -> None:
    with running(tmp_path, "--models", "local") as system:
        system.wait_for("ready after")
        system.process.kill()
        system.process.wait(10)
    with running(tmp_path, "--models", "local") as system:
        system.wait_for("ready after")


def test_models_that_never_answer_end_the_system_with_a_reason(tmp_path: Path) -> None:
    with running(tmp_path, "--models", "triton://127.0.0.1:1", "--models-wait-s", "3") as system:
        assert system.process.wait(START_S) == 1
        system.wait_for("expected one at the address of KENSOKU_MODELS")
        assert not any("ready after" in line for line in system.lines)
        assert "Traceback" not in "".join(system.lines)


def test_a_source_without_waveforms_ends_the_start_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with running(tmp_path, "--models", "local", "--source", str(tmp_path / "empty")) as system:
        assert system.process.wait(START_S) == 1
        system.wait_for("expected miniSEED")
        assert not any("Kensoku is running" in line for line in system.lines)
        assert "Traceback" not in "".join(system.lines)
