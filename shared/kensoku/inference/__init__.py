"""Ask a model about waveforms: on a Triton server, or in this process when there is none.

`open_models("triton://host:8001")` and `open_models("local:model_repository")` give the same `Models`. This package is
the only one that knows tritonclient and ONNX Runtime.
"""

from kensoku.inference._control import ModelControl, VersionState
from kensoku.inference._local import LocalModels, versions_in
from kensoku.inference._models import DEADLINE_S, Models, Tensors, endpoints, open_models
from kensoku.inference._signature import Signature, TensorSpec, read_signature

__all__ = [
    "DEADLINE_S",
    "LocalModels",
    "ModelControl",
    "Models",
    "Signature",
    "TensorSpec",
    "Tensors",
    "VersionState",
    "endpoints",
    "open_models",
    "read_signature",
    "versions_in",
]
