"""What a model takes and gives, read from its config.pbtxt, and whether a call fits it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from kensoku.errors import InputInvalid, ModelRefused, ModelUnknown

Tensors = Mapping[str, npt.NDArray[Any]]

# Triton's names of the element types we use, as they stand in a request.
DTYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype("bool"),
    "UINT8": np.dtype("<u1"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    name: str
    datatype: str  # Triton's name, a key of DTYPES
    dims: tuple[int, ...]  # without the batch; -1 stands for any length

    def __str__(self) -> str:
        return f"{self.name} {DTYPES[self.datatype]} (batch, {', '.join('n' if n < 0 else str(n) for n in self.dims)})"


@dataclass(frozen=True, slots=True)
class Signature:
    model: str
    max_batch: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def windows(self, inputs: Tensors) -> int:
        """The number of windows of a call, or ModelRefused if it does not fit the model."""
        expected = "; ".join(str(spec) for spec in self.inputs)
        found = "; ".join(f"{name} {value.dtype} {value.shape}" for name, value in inputs.items())
        lengths = {value.shape[:1] for value in inputs.values()}
        fits = (
            set(inputs) == {spec.name for spec in self.inputs}
            and len(lengths) == 1
            and all(_fits(inputs[spec.name], spec) for spec in self.inputs)
        )
        if not fits:
            raise ModelRefused(f"call of model {self.model!r}: found {found or 'no input'}, expected {expected}")
        return int(lengths.pop()[0])


def _fits(value: npt.NDArray[Any], spec: TensorSpec) -> bool:
    return (
        value.dtype == DTYPES[spec.datatype]
        and value.ndim == 1 + len(spec.dims)
        and 0 not in value.shape
        and all(expected in (-1, found) for expected, found in zip(spec.dims, value.shape[1:], strict=True))
    )


def signature_of(config: Any) -> Signature:
    """The signature in Triton's own ModelConfig message."""
    if config.max_batch_size < 1:
        raise InputInvalid(
            f"config of model {config.name!r}: found max_batch_size {config.max_batch_size}, expected at least 1"
        )

    def specs(tensors: Any) -> tuple[TensorSpec, ...]:
        return tuple(TensorSpec(tensor.name, _datatype(config.name, tensor), tuple(tensor.dims)) for tensor in tensors)

    return Signature(config.name, config.max_batch_size, specs(config.input), specs(config.output))


def _datatype(model: str, tensor: Any) -> str:
    name = str(model_config_pb2.DataType.Name(tensor.data_type)).removeprefix("TYPE_")
    if name not in DTYPES:
        raise InputInvalid(f"config of model {model!r}: found {name} for {tensor.name!r}, expected {', '.join(DTYPES)}")
    return name


def read_config(repository: Path, model: str) -> Any:
    """Triton's ModelConfig message from the model's folder."""
    path = repository / model / "config.pbtxt"
    try:
        config = text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())
    except FileNotFoundError:
        known = sorted(found.parent.name for found in repository.glob("*/config.pbtxt"))
        raise ModelUnknown(
            f"found no model {model!r} in {repository}, expected one of: {', '.join(known) or 'none is there'}"
        ) from None
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{path}: expected Triton's model configuration in text form, found: {error}") from None
    if config.name != model:
        raise InputInvalid(f"{path}: found name {config.name!r}, expected {model!r}, the folder's")
    return config


def read_signature(repository: Path, model: str) -> Signature:
    return signature_of(read_config(repository, model))
