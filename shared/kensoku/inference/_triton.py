"""Models on one or more Triton servers: calls of several threads merged, balanced, and repeated until the deadline."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
from prometheus_client import Counter, Histogram
from tritonclient.grpc import service_pb2, service_pb2_grpc

from kensoku.errors import ModelError, ModelRefused, ModelServerUnavailable, ModelUnknown
from kensoku.inference._endpoints import Balancer, Endpoint, backoff_s
from kensoku.inference._merging import Call, Merger
from kensoku.inference._messages import decode, decode_shared, encode, encode_shared, layout
from kensoku.inference._regions import Regions, is_about_shared_memory
from kensoku.inference._signature import Signature, Tensors, signature_of

DEADLINE_S = 60.0
ATTEMPT_S = 10.0  # a server that hangs must not use up the whole deadline
PROBE_S = 1.0
IN_FLIGHT_LIMIT = 4  # on each server, which merges further what waits there
CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 1000),  # also the limit of one attempt to connect
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
]

REQUEST_SECONDS = Histogram("inference_request_seconds", "One request to a model server, failed ones too", ["model"])
REQUEST_WINDOWS = Histogram(
    "inference_request_windows", "Windows in one answered request", ["model"], buckets=[1, 4, 16, 64, 128, 256]
)
FAILURES = Counter(
    "inference_failures", "Requests to a model server that failed, whether repeated or given up", ["model"]
)


class TritonModels:
    def __init__(self, addresses: Sequence[str]) -> None:
        self._chance = random.Random()
        self._channels = Channels()
        self._regions = Regions(self._channels.stub)
        self._balancer = Balancer(addresses, IN_FLIGHT_LIMIT, self._channels.is_ready)
        self._merger = Merger(self._send, self._balancer.unavailable)
        self._signatures: dict[str, Signature] = {}

    def infer(self, model: str, inputs: Tensors, *, version: str = "", deadline_s: float = DEADLINE_S) -> Tensors:
        deadline = time.monotonic() + deadline_s
        signature = self._signature(model, deadline)
        windows, limit = signature.windows(inputs), signature.max_batch
        pieces = [
            self._merger.infer(
                Call(model, version, {name: value[start : start + limit] for name, value in inputs.items()}),
                limit,
                deadline,
            )
            for start in range(0, windows, limit)
        ]
        return pieces[0] if len(pieces) == 1 else join(pieces)

    def is_ready(self) -> bool:
        """Whether any server would take a request now."""
        return any(self._channels.is_ready(address) for address in self._balancer.known())

    def close(self) -> None:
        self._regions.close()
        self._channels.close()

    def __enter__(self) -> "TritonModels":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _signature(self, model: str, deadline: float) -> Signature:
        if (signature := self._signatures.get(model)) is None:
            request = service_pb2.ModelConfigRequest(name=model)
            response = self._ask(
                model,
                deadline,
                lambda address, timeout: self._channels.stub(address).ModelConfig(request, timeout=timeout),
            )
            signature = self._signatures[model] = signature_of(response.config)
        return signature

    def _send(self, call: Call, deadline: float, leave: Callable[[], Call]) -> Tensors:
        """One request to whichever server is free first; `leave` then says what has gathered meanwhile."""
        merged: Call | None = None

        def ask(address: str, timeout_s: float) -> Tensors:
            nonlocal merged
            merged = merged or leave()
            return self._infer_at(address, merged, timeout_s)

        try:
            outputs: Tensors = self._ask(call.model, deadline, ask)
        except ModelRefused:
            self._signatures.pop(call.model, None)  # the model may have been replaced by one of another shape
            raise
        REQUEST_WINDOWS.labels(call.model).observe((merged or call).windows)
        return outputs

    def _infer_at(self, address: str, call: Call, timeout_s: float) -> Tensors:
        """Through memory that the server shares with us, or as a message."""
        places = layout(call, self._signatures.get(call.model))
        with self._regions.lent(address, places.size if places else 0) as region:
            if region is None or places is None:
                return decode(self._channels.stub(address).ModelInfer(encode(call), timeout=timeout_s))
            request = encode_shared(call, places, region)
            response = self._channels.stub(address).ModelInfer(request, timeout=timeout_s)
            return decode_shared(response, places, region)

    def _ask(self, model: str, deadline: float, ask: Callable[[str, float], Any]) -> Any:
        """Repeat until a server answers; what no repetition can mend is raised at once."""
        unknown_to: set[str] = set()
        rounds = 0
        while True:
            try:
                with self._balancer.lease(deadline, avoid=unknown_to) as endpoint:
                    return self._attempt(model, endpoint, deadline, ask)
            except ModelUnknown as error:  # another server may have the model already
                unknown_to.add(endpoint.address)
                if unknown_to.issuperset(self._balancer.known()):
                    if not isinstance(error, ModelNotReady) or time.monotonic() >= deadline:
                        raise
                    rounds += 1
                    unknown_to.clear()
                    time.sleep(min(backoff_s(rounds, self._chance), max(0.0, deadline - time.monotonic())))
            except AttemptFailed:
                pass  # the endpoint was put aside, which is the pause before the next attempt

    def _attempt(self, model: str, endpoint: Endpoint, deadline: float, ask: Callable[[str, float], Any]) -> Any:
        timeout_s = max(0.001, min(ATTEMPT_S, deadline - time.monotonic()))
        try:
            with REQUEST_SECONDS.labels(model).time():
                answer = ask(endpoint.address, timeout_s)
        except grpc.RpcError as error:
            FAILURES.labels(model).inc()
            verdict = judge(model, error.code(), error.details() or "")
            if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED and timeout_s < ATTEMPT_S:
                endpoint.reason = "slower than this caller's deadline"  # no fault of the server's
            elif isinstance(verdict, AttemptFailed):
                self._balancer.failed(endpoint, str(verdict))
            else:
                self._balancer.succeeded(endpoint)  # it works, if not for this call
            raise verdict from None
        self._balancer.succeeded(endpoint)
        return answer


class AttemptFailed(ModelServerUnavailable):
    """A server that may answer next time, or another one in its place."""


class ModelNotReady(ModelUnknown):
    """A model that the server has and is loading or unloading."""


class Channels:
    """One gRPC connection a server, opened at first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: dict[str, grpc.Channel] = {}

    def stub(self, address: str) -> Any:
        with self._lock:
            if address not in self._channels:
                self._channels[address] = grpc.insecure_channel(address, options=CHANNEL_OPTIONS)
            return service_pb2_grpc.GRPCInferenceServiceStub(self._channels[address])

    def is_ready(self, address: str) -> bool:
        try:
            return bool(self.stub(address).ServerReady(service_pb2.ServerReadyRequest(), timeout=PROBE_S).ready)
        except grpc.RpcError:
            return False

    def close(self) -> None:
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()


REPEATABLE = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNKNOWN,
}


def judge(model: str, code: grpc.StatusCode, details: str) -> ModelError:
    """What a failed request means."""
    text = details.partition("\n\nAt:")[0].strip()  # what follows is a traceback of the backend
    if is_about_shared_memory(details):  # the server was started again, or wants it otherwise: the next attempt differs
        return AttemptFailed(f"{code.name}: {text}")
    if code == grpc.StatusCode.NOT_FOUND:
        return ModelUnknown(f"model {model!r}: the server answered {text!r}; see `kensoku models list`")
    if "Request for unknown model" in details:
        return ModelNotReady(f"model {model!r}: the server answered {text!r}; see `kensoku models list`")
    if code in REPEATABLE or "Stub process" in details:  # the backend's process died; Triton starts another
        return AttemptFailed(f"{code.name}: {text}")
    return ModelRefused(f"model {model!r}: the server refused the call: {text}")


def join(pieces: Sequence[Tensors]) -> dict[str, npt.NDArray[Any]]:
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
