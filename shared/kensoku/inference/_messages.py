"""Requests and answers as Triton's protocol has them, with the numbers inside or in shared memory."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tritonclient.grpc import service_pb2

from kensoku.inference._merging import Call
from kensoku.inference._regions import Region
from kensoku.inference._signature import DTYPES, Signature

Arrays = dict[str, npt.NDArray[Any]]
ALIGNED = 64  # bytes


def encode(call: Call) -> Any:
    request = service_pb2.ModelInferRequest(model_name=call.model, model_version=call.version)
    for name, value in call.inputs.items():
        request.inputs.add(name=name, datatype=_datatype(value), shape=value.shape)
        request.raw_input_contents.append(value.tobytes())
    return request


def decode(response: Any) -> Arrays:
    """The outputs as read-only views of the message's bytes."""
    return {
        output.name: np.frombuffer(content, dtype=DTYPES[output.datatype]).reshape(output.shape)
        for output, content in zip(response.outputs, response.raw_output_contents, strict=True)
    }


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a region what is asked and what is answered lies: first byte and number of bytes."""

    inputs: Mapping[str, tuple[int, int]]
    outputs: Mapping[str, tuple[int, int]]
    size: int


def layout(call: Call, signature: Signature | None) -> Layout | None:
    """With room for answers as long as what is asked about; None if the model's signature is not known."""
    if signature is None:
        return None
    longest = max(value.shape[-1] for value in call.inputs.values())
    sizes = {name: value.nbytes for name, value in call.inputs.items()} | {
        spec.name: call.windows * DTYPES[spec.datatype].itemsize * math.prod(n if n > 0 else longest for n in spec.dims)
        for spec in signature.outputs
    }
    places, end = dict[str, tuple[int, int]](), 0
    for name, size in sizes.items():
        places[name] = (end, size)
        end += -(-size // ALIGNED) * ALIGNED
    return Layout(
        {name: places[name] for name in call.inputs}, {spec.name: places[spec.name] for spec in signature.outputs}, end
    )


def encode_shared(call: Call, places: Layout, region: Region) -> Any:
    request = service_pb2.ModelInferRequest(model_name=call.model, model_version=call.version)
    for name, value in call.inputs.items():
        start, _ = places.inputs[name]
        np.frombuffer(region.memory, value.dtype, value.size, start).reshape(value.shape)[:] = value
        _point(request.inputs.add(name=name, datatype=_datatype(value), shape=value.shape), places.inputs[name], region)
    for name, place in places.outputs.items():
        _point(request.outputs.add(name=name), place, region)
    return request


def decode_shared(response: Any, places: Layout, region: Region) -> Arrays:
    """The outputs, copied, since the region is used again."""
    return {
        output.name: np.frombuffer(
            region.memory, DTYPES[output.datatype], math.prod(output.shape), places.outputs[output.name][0]
        )
        .reshape(output.shape)
        .copy()
        for output in response.outputs
    }


def _point(tensor: Any, place: tuple[int, int], region: Region) -> None:
    tensor.parameters["shared_memory_region"].string_param = region.name
    tensor.parameters["shared_memory_offset"].int64_param = place[0]
    tensor.parameters["shared_memory_byte_size"].int64_param = place[1]


def _datatype(value: npt.NDArray[Any]) -> str:
    return next(key for key, dtype in DTYPES.items() if dtype == value.dtype)
