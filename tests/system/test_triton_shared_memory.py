"""Windows and answers go through shared memory to a server on this machine; nothing of it outlives the two."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from tritonclient.grpc import service_pb2

from kensoku.inference import _regions, open_models
from kensoku.inference._triton import Channels
from kensoku.triton import EmbeddedTriton
from tests.model_server import REPOSITORY, ROOT, ask, counts, largest_difference, serving

pytestmark = pytest.mark.triton

WINDOWS = counts(64)
KILLED = """
import os, signal, sys
from kensoku.inference import open_models
from tests.model_server import ask, counts
ask(open_models(sys.argv[1]), counts(64))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedTriton]:
    with serving(REPOSITORY) as started:
        yield started


def held(server: EmbeddedTriton) -> Sequence[str]:
    """Regions that the server knows."""
    channels = Channels()
    try:
        stub = channels.stub(server.url.removeprefix("triton://"))
        return list(stub.SystemSharedMemoryStatus(service_pb2.SystemSharedMemoryStatusRequest()).regions)
    finally:
        channels.close()


def test_answers_have_the_same_bits_either_way(server: EmbeddedTriton, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_models(server.url) as models:
        shared = ask(models, WINDOWS)
        assert len(held(server)) == 1
        monkeypatch.setattr(_regions, "LEAST_BYTES", 1 << 40)
        assert largest_difference(ask(models, WINDOWS), shared) == 0.0
    assert held(server) == []


def test_a_client_that_is_killed_leaves_nothing(server: EmbeddedTriton) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, server.url], cwd=ROOT, env={**os.environ, "PYTHONPATH": "."})
    assert ended.returncode == -signal.SIGKILL
    assert not list(_regions.SHARED_MEMORY.glob("kensoku-*-client"))
    assert len(held(server)) == 1
    with open_models(server.url) as models:
        ask(models, WINDOWS)
        assert len(held(server)) == 1
    assert held(server) == []


def test_a_server_that_was_started_again_is_given_new_memory(server: EmbeddedTriton) -> None:
    with open_models(server.url) as models:
        before = ask(models, WINDOWS)
        assert server.process_id is not None
        os.kill(server.process_id, signal.SIGKILL)
        assert largest_difference(ask(models, WINDOWS), before) == 0.0
        assert len(held(server)) == 1
