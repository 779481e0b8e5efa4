"""Tell Triton servers which versions of a model to hold: the new one is loaded before the old one goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import json_format
from tritonclient.grpc import service_pb2

from kensoku.errors import ModelRefused, ModelServerUnavailable, ModelUnknown
from kensoku.inference._endpoints import resolve
from kensoku.inference._triton import Channels

LOAD_TIMEOUT_S = 300.0  # TensorRT builds an engine at the first load
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class VersionState:
    server: str  # ip:port
    model: str
    version: str  # "" for a model of which no version is loaded
    state: str  # READY, LOADING, UNLOADING, UNAVAILABLE
    reason: str


class ModelControl:
    """Explicit model control of every server behind the addresses; all of them must answer."""

    def __init__(self, addresses: Sequence[str], resolve: Callable[[str], list[str]] = resolve) -> None:
        self._addresses = addresses
        self._resolve = resolve
        self._channels = Channels()

    def states(self) -> Sequence[VersionState]:
        """Every version that a server holds or held."""
        return [
            VersionState(server, entry.name, entry.version, entry.state or "UNAVAILABLE", entry.reason)
            for server in self._servers()
            for entry in self._index(server)
        ]

    def servers(self) -> frozenset[str]:
        """Every server, as ip:port."""
        return frozenset(self._servers())

    def load(self, model: str, version: str) -> None:
        """Load a version on every server beside those it holds."""
        for server in self._servers():
            self._hold(server, model, self._ready(server, model) | {version})
            if version not in self._ready(server, model):
                states = [f"{s.version} {s.state} {s.reason}".strip() for s in self.states() if s.model == model]
                raise ModelUnknown(
                    f"{server} did not load version {version} of {model!r}: found {'; '.join(states) or 'no version'}; "
                    f"its repository needs {model}/{version}/model.onnx"
                )

    def unload(self, model: str, version: str) -> None:
        """Unload a version on every server, and the model with its last version."""
        for server in self._servers():
            if left := self._ready(server, model) - {version}:
                self._hold(server, model, left)
            else:
                self._unload(server, model)

    def close(self) -> None:
        self._channels.close()

    def __enter__(self) -> "ModelControl":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hold(self, server: str, model: str, versions: set[str]) -> None:
        """Make a server hold these versions; those it holds already go on answering meanwhile.

        The configuration in the repository says `all`, so that a restarted server has every version again; which of
        them are held now is said in the configuration that comes with the request.
        """
        request = service_pb2.RepositoryModelLoadRequest(model_name=model)
        if held := self._ready(server, model):
            named = service_pb2.ModelConfigRequest(name=model, version=min(held))
            config = self._call(server, model, lambda stub: stub.ModelConfig(named, timeout=TIMEOUT_S)).config
            config.version_policy.Clear()
            config.version_policy.specific.versions.extend(sorted(map(int, versions)))
            request.parameters["config"].string_param = json_format.MessageToJson(
                config, preserving_proto_field_name=True
            )
        self._call(server, model, lambda stub: stub.RepositoryModelLoad(request, timeout=LOAD_TIMEOUT_S))

    def _unload(self, server: str, model: str) -> None:
        request = service_pb2.RepositoryModelUnloadRequest(model_name=model)
        self._call(server, model, lambda stub: stub.RepositoryModelUnload(request, timeout=LOAD_TIMEOUT_S))

    def _ready(self, server: str, model: str) -> set[str]:
        return {e.version for e in self._index(server) if e.name == model and e.state == "READY"}

    def _index(self, server: str) -> Sequence[Any]:
        request = service_pb2.RepositoryIndexRequest()
        index = self._call(server, "", lambda stub: stub.RepositoryIndex(request, timeout=TIMEOUT_S))
        return list(index.models)

    def _servers(self) -> Sequence[str]:
        try:
            return [server for address in self._addresses for server in self._resolve(address)]
        except OSError as error:
            raise ModelServerUnavailable(
                f"model server {','.join(self._addresses)}: the name has no address ({error.strerror or error})"
            ) from None

    def _call(self, server: str, model: str, ask: Callable[[Any], Any]) -> Any:
        try:
            return ask(self._channels.stub(server))
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise ModelServerUnavailable(
                    f"model server {server}: no answer ({error.details()}); start it with `kensoku triton run`, "
                    "or check the address"
                ) from None
            raise ModelRefused(f"model {model!r}: {server} answered {error.details()!r}") from None
