"""A server that is killed, replaced or told to change its models takes no caller with it."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kensoku.errors import EmbeddedServerUnusable, ModelUnknown, SettingInvalid
from kensoku.inference import ModelControl, Models, Tensors, endpoints, open_models
from kensoku.triton import embedded_triton
from tests.model_server import CACHE, MODEL, REPOSITORY, ROOT, ask, counts, largest_difference, serving, two_versions
from tests.services import beside, wait_until

pytestmark = pytest.mark.triton

PATIENCE_S = 120.0


class Caller:
    """Asks without a pause, and checks every answer."""

    def __init__(self, models: Models, version: Callable[[], str], right: Callable[[str, Tensors], bool]) -> None:
        self.answers, self.wrong, self.errors = 0, 0, list[str]()
        self._models, self._version, self._right = models, version, right

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            version = self._version()
            try:
                answer = ask(self._models, SAMPLES, version=version, deadline_s=PATIENCE_S)
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}")
                return
            self.wrong += not self._right(version, answer)
            self.answers += 1


SAMPLES = counts(4)


def wait_for_answers(callers: Sequence[Caller], more: int) -> None:
    goals = [caller.answers + more for caller in callers]
    wait_until(lambda: all(c.errors or c.answers >= goal for c, goal in zip(callers, goals, strict=True)), PATIENCE_S)


def test_callers_recover_from_a_killed_server_and_none_gets_a_wrong_answer() -> None:
    with open_models(f"local:{REPOSITORY}") as direct:
        expected = ask(direct, SAMPLES)

    def right(_: str, answer: Tensors) -> bool:
        return largest_difference(answer, expected) == 0.0

    with serving(REPOSITORY) as server, open_models(server.url) as models:
        callers = [Caller(models, lambda: "", right) for _ in range(3)]
        with beside(callers[0].run), beside(callers[1].run), beside(callers[2].run):
            for _ in range(2):
                wait_for_answers(callers, 20)
                assert server.process_id is not None
                os.kill(server.process_id, signal.SIGKILL)
            wait_for_answers(callers, 20)
            assert server.restarts == 2
    assert [caller.errors for caller in callers] == [[], [], []]
    assert [caller.wrong for caller in callers] == [0, 0, 0]


def test_what_a_server_said_before_it_died_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with serving(REPOSITORY) as server, open_models(server.url) as models:
        assert server.process_id is not None
        os.kill(server.process_id, signal.SIGABRT)
        wait_until(lambda: server.restarts == 1 and models.is_ready(), PATIENCE_S)
    [told] = [record.getMessage() for record in caplog.records if "tritonserver ended with" in record.getMessage()]
    assert "Signal (6) received" in told, "what it said last"


def test_no_request_fails_while_versions_are_switched(tmp_path: Path) -> None:
    repository = two_versions(tmp_path)
    with open_models(f"local:{repository}") as direct:
        expected = {version: ask(direct, SAMPLES, version=version) for version in ("1", "2")}
    assert largest_difference(expected["1"], expected["2"]) > 1000

    def right(version: str, answer: Tensors) -> bool:
        asked_for = [version] if version else ["1", "2"]
        return any(largest_difference(answer, expected[v]) == 0.0 for v in asked_for)

    in_force = ["1"]
    with (
        serving(repository) as server,
        open_models(server.url) as models,
        ModelControl(endpoints(server.url)) as control,
    ):
        callers = Caller(models, lambda: "", right), Caller(models, lambda: in_force[0], right)
        with beside(callers[0].run), beside(callers[1].run):
            for switch in range(20):
                new, old = ("2", "1") if switch % 2 == 0 else ("1", "2")
                control.load(MODEL, new)
                in_force[0] = new
                wait_for_answers(callers, 25)  # nobody asks for the old one any more
                control.unload(MODEL, old)
                assert ready_versions(control) == [new]
    assert [caller.errors for caller in callers] == [[], []]
    assert [caller.wrong for caller in callers] == [0, 0]
    assert sum(caller.answers for caller in callers) >= 1000


def test_a_version_that_is_not_in_the_repository_is_not_loaded(tmp_path: Path) -> None:
    with serving(two_versions(tmp_path)) as server, ModelControl(endpoints(server.url)) as control:
        with pytest.raises(ModelUnknown, match=f"did not load version 7.*needs {MODEL}/7/model.onnx"):
            control.load(MODEL, "7")
        held = ready_versions(control)
    assert held == ["1", "2"]


def test_a_model_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    repository = two_versions(tmp_path)
    (repository / MODEL / "2" / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(EmbeddedServerUnusable, match=f"(?s)did not start.*{MODEL}"), serving(repository):
        pass


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(SettingInvalid, match=f"port {port} on 127.0.0.1 cannot be used"),
            embedded_triton(CACHE, REPOSITORY, grpc_port=port),
        ):
            pass


def test_nothing_of_the_server_outlives_a_killed_parent() -> None:
    command = [sys.executable, "-c", "from tests.model_server import print_process_id; print_process_id()"]
    parent = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        with parent.stdout as lines:
            server = int(lines.readline())
        group = processes_of_group(server)
        assert len(group) > 1  # the server, and a process for each model in Python
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not processes_of_group(server), PATIENCE_S)
    with serving(REPOSITORY):
        assert not list(Path("/dev/shm").glob(f"kensoku-{parent.pid}-*"))


def ready_versions(control: ModelControl) -> list[str]:
    return sorted(state.version for state in control.states() if state.model == MODEL and state.state == "READY")


def processes_of_group(group: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
