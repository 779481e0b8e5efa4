"""ONNX Runtime, which reports to nobody.

From 1.32 on it tells its maker of every process that imports it, by an identifier that it writes below ~/.cache.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # heeded at the import alone

import onnxruntime

__all__ = ["onnxruntime"]
