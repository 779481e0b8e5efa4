"""The embedded model server: NVIDIA's Triton for a machine without containers, installed and kept alive by us."""

from kensoku.triton._install import install, unusable_because
from kensoku.triton._server import GRPC_PORT, METRICS_PORT, EmbeddedTriton, embedded_triton

__all__ = ["GRPC_PORT", "METRICS_PORT", "EmbeddedTriton", "embedded_triton", "install", "unusable_because"]
