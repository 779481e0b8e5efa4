"""Calls of models: what fits, what is merged, who is asked, and what an error means."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest

from kensoku.errors import (
    InputInvalid,
    ModelError,
    ModelRefused,
    ModelServerUnavailable,
    ModelUnknown,
    SettingInvalid,
)
from kensoku.inference import Tensors, open_models, read_signature
from kensoku.inference._endpoints import Balancer, Endpoint, backoff_s, choose
from kensoku.inference._merging import Call, Merger
from kensoku.inference._triton import AttemptFailed, ModelNotReady, judge
from tests.model_server import MODEL, REPOSITORY, ask, counts
from tests.services import wait_until

NEVER = 1e8  # seconds of the monotonic clock


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ({}, "no input"),
        ({"counts": np.zeros((1, 3, 400))}, "float64"),
        ({"counts": np.zeros((1, 3, 400), ">f4")}, ">f4"),
        ({"counts": np.zeros((3, 400), np.float32)}, r"\(3, 400\)"),
        ({"counts": np.zeros((1, 4, 400), np.float32)}, r"\(1, 4, 400\)"),
        ({"counts": np.zeros((0, 3, 400), np.float32)}, r"\(0, 3, 400\)"),
        ({"samples": np.zeros((1, 3, 400), np.float32)}, "samples"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_with_what_was_found_and_expected(inputs: Tensors, found: str) -> None:
    with (
        open_models(f"local:{REPOSITORY}") as models,
        pytest.raises(ModelRefused, match=rf"found .*{found}.*, expected counts float32 \(batch, 3, n\)"),
    ):
        models.infer(MODEL, inputs)


def test_unknown_models_and_versions_are_named_with_the_known_ones() -> None:
    with open_models(f"local:{REPOSITORY}") as models:
        with pytest.raises(ModelUnknown, match="'seismometer'.*filter_bank"):
            models.infer("seismometer", {})
        with pytest.raises(ModelUnknown, match="'7'.*expected one of: 1"):
            ask(models, counts(1), version="7")


@pytest.mark.parametrize("url", ["", "local:", "triton:", "triton://host", "triton://host:0", "http://host:8001"])
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(SettingInvalid, match="expected triton://host:port"):
        open_models(url)


def test_a_configuration_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picker").mkdir()
    (tmp_path / "picker" / "config.pbtxt").write_text("name = picker")
    with pytest.raises(InputInvalid, match="expected Triton's model configuration"):
        read_signature(tmp_path, "picker")


def test_an_empty_file_in_place_of_a_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / MODEL / "1").mkdir(parents=True)
    (tmp_path / MODEL / "config.pbtxt").write_text((REPOSITORY / MODEL / "config.pbtxt").read_text())
    (tmp_path / MODEL / "1" / "model.onnx").touch()
    with open_models(f"local:{tmp_path}") as models, pytest.raises(InputInvalid, match="expected an ONNX model"):
        ask(models, counts(1))


# Which server is asked


def test_the_least_busy_server_is_chosen_and_a_failed_one_left_alone() -> None:
    busy, idle, aside = Endpoint("a", outstanding=2), Endpoint("b", outstanding=1), Endpoint("c", aside_until=10.0)
    assert choose([busy, idle, aside], now=9.0, limit=4, chance=random.Random(1)) is idle


def test_a_server_that_failed_gets_one_request_until_it_answers() -> None:
    probed = Endpoint("a", outstanding=1, failures=1)
    assert choose([probed], now=0.0, limit=4, chance=random.Random(1)) is None
    probed.failures = 0
    assert choose([probed], now=0.0, limit=4, chance=random.Random(1)) is probed


def test_the_pause_after_failures_doubles_with_jitter_up_to_a_limit() -> None:
    chance = random.Random(1)
    for failures, longest in [(1, 0.05), (2, 0.1), (5, 0.8), (1000, 5.0)]:
        assert longest / 2 <= backoff_s(failures, chance) <= longest


def balancer(addresses: list[str], clock: Callable[[], float], probe: Callable[[str], bool] = bool) -> Balancer:
    return Balancer(["servers:8001"], 2, probe, clock, random.Random(1), lambda _: addresses)


def test_a_name_that_stands_for_several_servers_is_balanced_over_all() -> None:
    servers = balancer(["10.0.0.1:8001", "10.0.0.2:8001"], clock=lambda: 0.0)
    with servers.lease(1.0) as one, servers.lease(1.0) as two:
        assert {one.address, two.address} == {"10.0.0.1:8001", "10.0.0.2:8001"}


def test_servers_that_come_and_go_behind_a_name_are_followed() -> None:
    pods, now = ["10.0.0.1:8001"], [0.0]
    servers = balancer(pods, clock=lambda: now[0])
    assert servers.known() == ["10.0.0.1:8001"]
    pods[:] = ["10.0.0.2:8001"]
    now[0] = 11.0
    assert servers.known() == ["10.0.0.2:8001"]


def test_a_name_server_that_is_away_takes_no_server_away() -> None:
    answers: Iterator[list[str] | OSError] = iter([["10.0.0.1:8001"], OSError("no name server")])
    now = [0.0]

    def resolve(_: str) -> list[str]:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    servers = Balancer(["servers:8001"], 2, bool, lambda: now[0], random.Random(1), resolve)
    first = servers.known()
    now[0] = 11.0
    assert servers.known() == first == ["10.0.0.1:8001"]


def test_a_failed_server_is_put_aside_then_probed_before_it_gets_a_call() -> None:
    now, probes = [0.0], list[str]()

    def probe(address: str) -> bool:
        probes.append(address)
        return True

    servers = balancer(["10.0.0.1:8001"], lambda: now[0], probe)
    with servers.lease(1.0) as endpoint:
        servers.failed(endpoint, "UNAVAILABLE")
    assert choose([endpoint], now=0.0, limit=2, chance=random.Random(1)) is None
    now[0] = 0.06
    with servers.lease(1.0) as endpoint:
        servers.succeeded(endpoint)
    with servers.lease(1.0):
        assert probes == ["10.0.0.1:8001"]


def test_callers_beyond_what_the_servers_take_wait_until_their_deadline() -> None:
    times = iter([0.0, 0.0, 0.0, 1.0])
    servers = balancer(["10.0.0.1:8001"], clock=lambda: next(times))
    with (
        servers.lease(0.5),
        servers.lease(0.5),
        pytest.raises(ModelServerUnavailable, match="busy with 2 requests"),
        servers.lease(0.01),
    ):
        pass


@pytest.mark.parametrize(
    ("code", "details", "expected"),
    [
        (grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses", AttemptFailed),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", AttemptFailed),
        (grpc.StatusCode.INTERNAL, "Stub process 'filter_bank_0_0' is not healthy.", AttemptFailed),
        (grpc.StatusCode.NOT_FOUND, "Request for unknown model: 'x' is not found", ModelUnknown),
        (grpc.StatusCode.UNAVAILABLE, "Request for unknown model: 'x' version 2 is not at ready state", ModelNotReady),
        (grpc.StatusCode.INVALID_ARGUMENT, "unexpected shape for input 'counts'", ModelRefused),
        (grpc.StatusCode.INTERNAL, "Failed to process the request(s)\n\nAt:\n  model.py(61)", ModelRefused),
    ],
)
def test_errors_of_the_server_are_repeated_or_told(
    code: grpc.StatusCode, details: str, expected: type[ModelError]
) -> None:
    verdict = judge("x", code, details)
    assert type(verdict) is expected
    assert "model.py" not in str(verdict)


# What leaves together


class Server:
    """Doubles what it is sent; the first request waits until `queue` calls have joined behind it."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.busy, self.go_on = threading.Event(), threading.Event()

    def send(self, call: Call, deadline: float, leave: Callable[[], Call]) -> Tensors:
        if not self.busy.is_set():
            call = leave()
            self.busy.set()
            assert self.go_on.wait(30)
        else:
            assert self.go_on.wait(30)
            call = leave()
        self.batches.append(call.windows)
        return {"doubled": 2 * call.inputs["x"]}


def unavailable() -> ModelServerUnavailable:
    return ModelServerUnavailable("no answer within the deadline")


def call(value: float, windows: int = 1) -> Call:
    return Call("m", "", {"x": np.full((windows, 2), value, np.float32)})


def test_calls_that_arrive_while_the_server_is_busy_leave_together() -> None:
    server = Server()
    merger = Merger(server.send, unavailable)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(merger.infer, call(0.0), 64, NEVER)
        assert server.busy.wait(30)
        others = [threads.submit(merger.infer, call(float(n)), 64, NEVER) for n in range(1, 6)]
        wait_until(lambda: sum(group.windows for group in merger._gathering.values()) == 5)
        server.go_on.set()
        answers = [future.result(30)["doubled"] for future in (first, *others)]
    assert [float(answer[0, 0]) for answer in answers] == [0, 2, 4, 6, 8, 10]
    assert server.batches == [1, 5]


def test_no_request_grows_beyond_the_largest_batch() -> None:
    server = Server()
    server.go_on.set()
    merger = Merger(server.send, unavailable)
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(merger.infer, call(1.0, windows=3), 8, NEVER) for _ in range(40)]
        assert all(future.result(30)["doubled"].shape == (3, 2) for future in futures)
    assert max(server.batches) <= 8
    assert sum(server.batches) == 120


def test_a_leader_that_gives_up_does_not_take_the_others_along() -> None:
    joined, calls = threading.Event(), list[str]()

    def send(call: Call, deadline: float, leave: Callable[[], Call]) -> Tensors:
        if deadline != NEVER:
            assert joined.wait(30)
            raise unavailable()
        calls.append(leave().model)
        return {"doubled": 2 * call.inputs["x"]}

    merger = Merger(send, unavailable)
    with ThreadPoolExecutor(2) as threads:
        impatient = threads.submit(merger.infer, call(1.0), 64, 0.0)
        wait_until(lambda: len(merger._gathering) == 1)
        patient = threads.submit(merger.infer, call(2.0), 64, NEVER)
        wait_until(lambda: sum(group.windows for group in merger._gathering.values()) == 2)
        joined.set()
        with pytest.raises(ModelServerUnavailable):
            impatient.result(30)
        assert float(patient.result(30)["doubled"][0, 0]) == 4.0
    assert calls == ["m"]
