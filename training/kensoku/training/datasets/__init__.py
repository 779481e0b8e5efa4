"""Data sets: collected from what a description names, split so that nothing leaks, and written as shards."""

from kensoku.training.datasets.building import Progress, build, read_finished
from kensoku.training.datasets.description import Description, load_description
from kensoku.training.datasets.reading import read, sources_but

__all__ = ["Description", "Progress", "build", "load_description", "read", "read_finished", "sources_but"]
