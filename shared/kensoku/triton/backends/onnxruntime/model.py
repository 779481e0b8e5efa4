"""Triton's backend `onnxruntime` for the embedded server: the same model.onnx, run by ONNX Runtime on the CPU.

Triton runs this file inside its own process for Python, one process a model instance; nothing of Kensoku imports it.
Tensors travel by DLPack in both directions, since `as_numpy()` and `Tensor(name, array)` give wrong numbers with
numpy 2 and `Tensor.from_dlpack(name, array)` ends the process with numpy 1.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# Triton's process for Python heeds no PYTHONPATH, so the server is told where its own interpreter finds these two.
sys.path.insert(0, os.environ["KENSOKU_ONNXRUNTIME_FOLDER"])
sys.path.insert(0, os.environ["KENSOKU_NUMPY_FOLDER"])
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # as kensoku.inference does

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils

ORT_TYPES = {
    "TYPE_BOOL": "tensor(bool)",
    "TYPE_UINT8": "tensor(uint8)",
    "TYPE_INT8": "tensor(int8)",
    "TYPE_INT16": "tensor(int16)",
    "TYPE_INT32": "tensor(int32)",
    "TYPE_INT64": "tensor(int64)",
    "TYPE_FP16": "tensor(float16)",
    "TYPE_FP32": "tensor(float)",
    "TYPE_FP64": "tensor(double)",
}
PARENT_POLL_S = 1.0
RUN_SAMPLES = 16_384  # of windows that run together: ONNX Runtime keeps the room of the largest run there was


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
        config = json.loads(args["model_config"])
        path = Path(args["model_repository"], args["model_version"], "model.onnx")
        # The parameter has the name that it has in Triton's own ONNX Runtime backend; 0: all cores.
        parameter = config.get("parameters", {}).get("intra_op_thread_count", {"string_value": "0"})
        self._threads = int(parameter["string_value"]) or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # each thread takes windows of its own: none waits for another at every layer
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        _refuse_other_tensors(path, "input", config["input"], self._session.get_inputs())
        _refuse_other_tensors(path, "output", config["output"], self._session.get_outputs())
        self._inputs = [tensor["name"] for tensor in config["input"]]
        self._answers: Sequence[Sequence[Any]] = []

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """The windows of all requests that Triton gathered, shared among the threads, as they are independent."""
        columns = [{name: _array(request, name) for name in self._inputs} for request in requests]
        names = [list(request.requested_output_names()) for request in requests]
        counts = [len(column[self._inputs[0]]) for column in columns]
        length = columns[0][self._inputs[0]].shape[-1]
        most = min(-(-sum(counts) // self._threads), max(1, RUN_SAMPLES // length))
        running = [
            [
                self._pool.submit(self._session.run_with_ort_values, wanted, _feeds(column, start, start + most))
                for start in range(0, count, most)
            ]
            for column, wanted, count in zip(columns, names, counts, strict=True)
        ]
        # Triton reads the answers after this call, and a joined one has no owner but this list.
        self._answers = [_joined([piece.result() for piece in pieces]) for pieces in running]
        return [_response(wanted, values) for wanted, values in zip(names, self._answers, strict=True)]

    def finalize(self) -> None:
        self._pool.shutdown()


def _feeds(column: dict[str, Any], start: int, end: int) -> dict[str, Any]:
    return {name: onnxruntime.OrtValue.ortvalue_from_numpy(array[start:end]) for name, array in column.items()}


def _array(request: Any, name: str) -> Any:
    return np.from_dlpack(pb_utils.get_input_tensor_by_name(request, name))


def _joined(pieces: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """Each output of all windows of a request."""
    if len(pieces) == 1:
        return pieces[0]
    return [
        onnxruntime.OrtValue.ortvalue_from_numpy(np.concatenate([np.from_dlpack(value._ortvalue) for value in values]))
        for values in zip(*pieces, strict=True)
    ]


def _response(names: Sequence[str], values: Sequence[Any]) -> Any:
    # The public OrtValue has no DLPack export; the object it wraps has.
    tensors = [
        pb_utils.Tensor.from_dlpack(name, value._ortvalue.to_dlpack())
        for name, value in zip(names, values, strict=True)
    ]
    return pb_utils.InferenceResponse(output_tensors=tensors)


def _refuse_other_tensors(path: Path, kind: str, configured: list[dict[str, Any]], found: Sequence[Any]) -> None:
    """Refuse, as Triton's own backend does, a configuration that the graph does not have."""
    graph = {tensor.name: tensor for tensor in found}
    for spec in configured:
        tensor = graph.get(spec["name"])
        dims = [int(dim) for dim in spec["dims"]]
        fits = (
            tensor is not None
            and tensor.type == ORT_TYPES.get(spec["data_type"])
            and len(tensor.shape) == 1 + len(dims)
            and all(
                wanted == (have if isinstance(have, int) else -1) or wanted > 0 and not isinstance(have, int)
                for wanted, have in zip(dims, tensor.shape[1:], strict=True)
            )
        )
        if not fits:
            available = ", ".join(f"{t.name} {t.type} {t.shape}" for t in found)
            raise pb_utils.TritonModelException(
                f"{path}: config.pbtxt expects {kind} {spec['name']} {spec['data_type']} {dims}, found {available}"
            )


def _end_with_parent(parent: int) -> None:
    """End this process when the server was killed: Triton leaves it behind, holding memory and shared segments."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    os._exit(1)
