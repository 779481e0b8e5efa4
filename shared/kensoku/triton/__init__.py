"""The embedded model server: NVIDIA's Triton for a machine without containers, installed and kept alive by us."""

from kensoku.triton._install import install, unusable_because
from kensoku.triton._server import EmbeddedTriton, embedded_triton

__all__ = ["EmbeddedTriton", "embedded_triton", "install", "unusable_because"]
