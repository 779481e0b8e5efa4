"""Memory is shared with servers of this machine alone, is used again, and is never more than a few regions."""

from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from kensoku.inference._merging import Call
from kensoku.inference._messages import decode_shared, encode_shared, layout
from kensoku.inference._regions import LEAST_BYTES, LIMIT, SHARED_MEMORY, Regions
from kensoku.inference._signature import Signature, TensorSpec

HERE = "127.0.0.1:8001"
SIGNATURE = Signature("picker", 8, (TensorSpec("counts", "FP32", (3, -1)),), (TensorSpec("said", "FP32", (2, -1)),))

pytestmark = pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason=f"found no {SHARED_MEMORY}")


class Failed(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode, details: str = "") -> None:
        self._code, self._details = code, details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details


class Server:
    """What a server is told of regions."""

    def __init__(self, held: tuple[str, ...] = (), refusal: grpc.RpcError | None = None) -> None:
        self.held, self._refusal = list(held), refusal

    def SystemSharedMemoryRegister(self, request: Any, timeout: float) -> None:  # noqa: N802  # the protocol's name
        assert (SHARED_MEMORY / request.name).stat().st_size == request.byte_size
        if self._refusal is not None:
            raise self._refusal
        self.held.append(request.name)

    def SystemSharedMemoryUnregister(self, request: Any, timeout: float) -> None:  # noqa: N802  # the protocol's name
        self.held.remove(request.name)

    def SystemSharedMemoryStatus(self, request: Any, timeout: float) -> Any:  # noqa: N802  # the protocol's name
        return type("Status", (), {"regions": dict.fromkeys(self.held)})


def regions_of(server: Server) -> Regions:
    return Regions(lambda address: server)


def names() -> set[str]:
    return {path.name for path in Path(SHARED_MEMORY).glob("kensoku-*-client")}


def fails(regions: Regions, error: grpc.RpcError) -> None:
    with pytest.raises(Failed), regions.lent(HERE, LEAST_BYTES):
        raise error


def test_a_region_is_used_again_and_nothing_stays_in_the_file_system() -> None:
    before, server = names(), Server()
    regions = regions_of(server)
    for size in (LEAST_BYTES, 1 << 20, 40_000):
        with regions.lent(HERE, size) as region:
            assert region is not None
            assert region.capacity == 1 << 20
    assert (len(server.held), names()) == (1, before)
    regions.close()
    assert server.held == []


@pytest.mark.parametrize(("address", "size"), [("10.0.0.1:8001", 1 << 20), (HERE, 100), ("triton:8001", 1 << 20)])
def test_what_is_far_or_small_travels(address: str, size: int) -> None:
    with regions_of(Server()).lent(address, size) as region:
        assert region is None


def test_a_server_that_sees_another_file_system_is_asked_once() -> None:
    server = Server(refusal=Failed(grpc.StatusCode.INVALID_ARGUMENT, "Unable to open shared memory region"))
    regions, before = regions_of(server), names()
    for _ in range(3):
        with regions.lent(HERE, LEAST_BYTES) as region:
            assert region is None
        server._refusal = None
    assert names() == before


def test_memory_that_an_unanswered_call_may_still_use_is_not_used_again() -> None:
    server = Server()
    regions = regions_of(server)
    for _ in range(LIMIT):
        fails(regions, Failed(grpc.StatusCode.DEADLINE_EXCEEDED))
    assert len(server.held) == LIMIT
    with regions.lent(HERE, LEAST_BYTES) as region:
        assert region is None


@pytest.mark.parametrize(
    ("error", "is_again"),
    [
        (Failed(grpc.StatusCode.INVALID_ARGUMENT, "wrong shape"), True),
        (Failed(grpc.StatusCode.UNAVAILABLE), False),
        (Failed(grpc.StatusCode.INVALID_ARGUMENT, "Unable to find shared memory region: 'x'"), False),
    ],
)
def test_after_a_failure_the_region_is_that_which_the_server_knows(error: grpc.RpcError, is_again: bool) -> None:
    server = Server()
    regions = regions_of(server)
    fails(regions, error)
    with regions.lent(HERE, LEAST_BYTES) as region:
        assert region is not None
        assert (region.name == server.held[0]) is is_again


def test_answers_that_are_longer_than_the_question_travel_from_then_on() -> None:
    regions = regions_of(Server())
    fails(regions, Failed(grpc.StatusCode.INTERNAL, "shared memory size specified with the request for output"))
    with regions.lent(HERE, LEAST_BYTES) as region:
        assert region is None


def test_what_a_killed_client_left_with_the_server_is_let_go() -> None:
    alive = "kensoku-1-0a-client"
    server = Server((alive, "kensoku-99999999-0b-client", "of somebody else"))
    with regions_of(server).lent(HERE, LEAST_BYTES):
        assert server.held[:2] == [alive, "of somebody else"]


def test_answers_are_read_where_the_server_was_told_to_write_them() -> None:
    call = Call("picker", "1", {"counts": np.arange(24, dtype=np.float32).reshape(2, 3, 4)})
    places = layout(call, SIGNATURE)
    assert places is not None
    assert (places.inputs, places.outputs, places.size) == ({"counts": (0, 96)}, {"said": (128, 64)}, 192)
    with regions_of(Server()).lent(HERE, LEAST_BYTES) as region:
        assert region is not None
        request = encode_shared(call, places, region)
        assert np.array_equal(np.frombuffer(region.memory, np.float32, 24), np.arange(24))
        assert [pointed(tensor.parameters) for tensor in (*request.inputs, *request.outputs)] == [
            (region.name, 0, 96),
            (region.name, 128, 64),
        ]
        region.memory[128:144] = np.array([1, 2, 3, 4], np.float32).tobytes()
        answered = type("Output", (), {"name": "said", "datatype": "FP32", "shape": [2, 2, 1]})
        said = decode_shared(type("Response", (), {"outputs": [answered]}), places, region)["said"]
        region.memory[128:144] = bytes(16)
    assert said.tolist() == [[[1], [2]], [[3], [4]]]


def pointed(parameters: Any) -> tuple[str, int, int]:
    return (
        parameters["shared_memory_region"].string_param,
        parameters["shared_memory_offset"].int64_param,
        parameters["shared_memory_byte_size"].int64_param,
    )
