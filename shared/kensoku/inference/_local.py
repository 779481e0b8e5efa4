"""Models in this process: ONNX Runtime on the CPU, from the same repository that Triton serves."""

import threading
from collections.abc import Sequence
from pathlib import Path

from kensoku.errors import InputInvalid, ModelRefused, ModelUnknown
from kensoku.inference._signature import Signature, Tensors, read_signature
from kensoku.inference.onnx_runtime import onnxruntime


class LocalModels:
    """Every session is made at its first use and kept; a call runs in the caller's thread, so no deadline applies."""

    def __init__(self, repository: Path, threads: int = 0) -> None:
        if not repository.is_dir():
            raise InputInvalid(f"model repository: found no folder {repository}, expected <model>/config.pbtxt in it")
        self._repository = repository
        self._threads = threads  # of one call; 0: as many as there are cores
        self._lock = threading.Lock()
        self._signatures: dict[str, Signature] = {}
        self._sessions: dict[tuple[str, str], onnxruntime.InferenceSession] = {}

    def infer(self, model: str, inputs: Tensors, *, version: str = "", deadline_s: float = 0.0) -> Tensors:
        with self._lock:
            signature = self._signatures.get(model) or read_signature(self._repository, model)
            self._signatures[model] = signature
            session = self._session(model, version or self._latest(model))
        signature.windows(inputs)
        names = [spec.name for spec in signature.outputs]
        try:
            return dict(zip(names, session.run(names, dict(inputs)), strict=True))
        except Exception as error:  # ONNX Runtime's own have no narrower class in common
            raise ModelRefused(f"model {model!r}: ONNX Runtime refused the call: {error}") from None

    def is_ready(self) -> bool:
        return True

    def close(self) -> None:
        self._sessions.clear()

    def __enter__(self) -> "LocalModels":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _latest(self, model: str) -> str:
        return max(versions_in(self._repository, model), key=int, default="1")

    def _session(self, model: str, version: str) -> onnxruntime.InferenceSession:
        if (session := self._sessions.get((model, version))) is not None:
            return session
        path = self._repository / model / version / "model.onnx"
        if not path.is_file():
            known = ", ".join(versions_in(self._repository, model)) or "none"
            raise ModelUnknown(f"found no version {version!r} of model {model!r}, expected one of: {known}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # an idle system must be idle
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InputInvalid(f"{path}: expected an ONNX model, found: {error}") from None
        return self._sessions.setdefault((model, version), session)


def versions_in(repository: Path, model: str) -> Sequence[str]:
    """Versions that the folder of a model holds, the oldest first."""
    folders = (path.parent for path in (repository / model).glob("*/model.onnx"))
    return sorted((folder.name for folder in folders if folder.name.isdecimal()), key=int)
