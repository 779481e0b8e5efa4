"""Peaks of shaken accelerometers, with and without spikes: one component, and nothing that is an onset.

The file has a row of successive extrema a record, then zeros. Its samples are no steps of time.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from kensoku.errors import InputInvalid
from kensoku.training.datasets.records import Record
from kensoku.training.examples import Example, Origin


def find_spikes(path: Path, source: str, region: str) -> Iterator[Record]:
    """Each record is a station of its own, so that the split is one by record."""
    try:
        with h5py.File(path, "r") as content:
            labels = [label.decode() for label in content["label"][:]]
    except (OSError, KeyError) as error:
        raise InputInvalid(f"{path}: found {error}; expected HDF5 with X and label") from None
    for number, label in enumerate(labels):
        origin = Origin(source=source, region=region, station=f"{source}.{label}-{number}", kind="noise")
        yield Record(origin, functools.partial(_load, path, number, origin))


def _load(path: Path, number: int, origin: Origin) -> Example:
    with h5py.File(path, "r") as content:
        vertical = np.trim_zeros(content["X"][number].astype(np.float32), "b")
    counts = np.full((3, len(vertical)), np.nan, dtype=np.float32)
    counts[0] = vertical
    return Example(counts, (), (), origin)
