"""An operator's day: look, load, promote, roll back, unload, each by the command and against a real server."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kensoku.bus import open_bus, serve_bus
from kensoku.cli.main import main
from kensoku.models import PromotionLog, version_in_force
from kensoku.settings import socket_path
from kensoku.triton import EmbeddedTriton
from tests.model_server import CACHE, MODEL, ROOT, serving, two_versions

pytestmark = pytest.mark.triton

Command = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, EmbeddedTriton]]:
    repository = two_versions(tmp_path_factory.mktemp("models"))
    with serving(repository) as server:
        yield repository, server


@pytest.fixture
def system(
    served: tuple[Path, EmbeddedTriton], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Iterator[tuple[Command, PromotionLog]]:
    """A running system's bus and model server, and the command that talks to them."""
    repository, server = served
    socket = socket_path(tmp_path)
    socket.parent.mkdir(parents=True)

    def command(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        given = [f"--home={tmp_path}", f"--models={server.url}", f"--model-repository={repository}"]
        code = main(["models", arguments[0], *given, *arguments[1:]])
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out + captured.err

    with open_bus("memory://") as bus, serve_bus(bus, socket):
        yield command, PromotionLog(bus)


def test_a_version_is_promoted_rolled_back_and_unloaded(system: tuple[Command, PromotionLog]) -> None:
    command, log = system
    assert command("promote", MODEL, "1", "--reason=first")[0] == 0
    assert command("promote", MODEL, "2", "--at=2100-01-01T00:00:00Z")[0] == 0
    code, table = command("list")
    assert code == 0
    rows = [line.split()[:3] for line in table.splitlines()[1:]]
    assert [row[1:] for row in rows if row[0] == MODEL] == [["1", "READY"], ["2", "READY"]]
    assert "since the beginning" in table
    assert "from 2100-01-01T00:00:00.000Z" in table

    for version in ("1", "2"):  # both are needed, one now and one then
        code, text = command("unload", MODEL, version)
        assert (code != 0, "can need it" in text) == (True, True)
    assert command("rollback", MODEL)[0] == 0
    assert command("unload", MODEL, "2")[0] == 0
    code, text = command("promote", MODEL, "2")
    assert (code != 0, f"first `kensoku models load {MODEL} 2`" in text) == (True, True)
    assert command("load", MODEL, "2")[0] == 0
    assert command("promote", MODEL, "2", "--at=2026-01-01T00:00:00Z")[0] == 0

    promotions = log.read()[MODEL]
    assert [(p.version, p.effective_ns) for p in promotions] == [("1", 0), ("2", 1_767_225_600_000_000_000)]
    found = version_in_force(promotions, 1_767_225_599_999_999_999)
    assert found is not None
    assert found.version == "1"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("promote", MODEL, "9"), "cannot read"),
        (("promote", MODEL, "1", "--sha256=00"), "expected 00"),
        (("promote", MODEL, "1", "--at=tomorrow"), "found 'tomorrow', expected a time"),
        (("load", MODEL, "9"), "did not load version 9"),
        (("rollback", MODEL), "found no promotion"),
        (("list", "--models=triton://127.0.0.1:1"), "no answer"),
        (("load", "--models=local", MODEL, "1"), "models are local"),
    ],
)
def test_mistakes_are_told_without_a_traceback(
    system: tuple[Command, PromotionLog], arguments: tuple[str, ...], told: str
) -> None:
    code, text = system[0](*arguments)
    assert code != 0
    assert told in text


def test_the_server_that_the_command_runs_stops_when_told() -> None:
    command = [sys.executable, "-m", "kensoku.cli.main", "triton", "run", f"--home={CACHE}"]
    command += ["--triton-port=0", "--triton-metrics-port=0"]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        with server.stdout as lines:
            assert "at triton://127.0.0.1:" in lines.readline()
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
    finally:
        server.kill()
        server.wait()
