"""Examples as files: tables that numpy reads, and TFRecords that TensorFlow reads, of the same in single precision.

A file appears under its name when it is whole.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from kensoku.errors import InputInvalid
from kensoku.training.datasets import tfrecord
from kensoku.training.examples import PHASES, Example, Onset, Origin, Span
from kensoku.whole_files import written_whole

Format = Literal["npz", "tfrecord"]
FORMATS: tuple[Format, ...] = get_args(Format)
AGAIN = "delete what is left of it and call `kensoku dataset build` again as before"
Columns = Mapping[str, npt.NDArray[Any]]

_ORIGIN = [field.name for field in fields(Origin)]
_NUMBERS = ("magnitude", "distance_km")


def write_shard(path: Path, examples: Sequence[Example]) -> str:
    """Its SHA-256; the name's end says the format."""
    write = _WRITERS[path.suffix.removeprefix(".")]
    with written_whole(path) as temporary:
        with temporary.open("wb") as file:
            write(file, examples)
        return sha256(temporary)


def read_shard(path: Path) -> Iterator[Example]:
    try:
        if path.suffix == ".tfrecord":
            yield from map(from_features, tfrecord.read_records(path))
            return
        with path.open("rb") as file, np.load(file) as columns:
            yield from from_columns(columns)
    except FileNotFoundError:
        raise InputInvalid(f"{path}: found no such shard, expected it in the data set; {AGAIN}") from None
    except (OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error) as error:
        raise InputInvalid(f"{path}: found a damaged shard ({error}), expected it as it was built; {AGAIN}") from None


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- npz --------------------------------------------------------------------------------------------------------------


def to_columns(examples: Sequence[Example]) -> dict[str, npt.NDArray[Any]]:
    """Records end to end and their lengths; tables of onsets and unknown spans, whose column `example` counts them."""
    columns: dict[str, npt.NDArray[Any]] = {
        "counts": np.concatenate([each.counts for each in examples], axis=1).astype(np.float32),
        "length": np.array([each.length for each in examples]),
    }
    for name in _ORIGIN:
        columns[f"origin.{name}"] = np.array([getattr(each.origin, name) for each in examples])
    onsets = [(n, onset) for n, each in enumerate(examples) for onset in each.onsets]
    spans = [(n, span) for n, each in enumerate(examples) for span in each.unknown]
    columns |= _table("onsets", onsets, ("sample", "weight"))
    return columns | _table("unknown", spans, ("first", "last"))


def _table(name: str, rows: Sequence[tuple[int, Onset | Span]], numbers: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    return {
        f"{name}.example": np.array([n for n, _ in rows], dtype=np.int64),
        f"{name}.phase": np.array([row.phase for _, row in rows], dtype="U1"),
        **{f"{name}.{of}": np.array([getattr(row, of) for _, row in rows], dtype=np.float64) for of in numbers},
    }


def from_columns(columns: Columns) -> Iterator[Example]:
    counts = columns["counts"]
    ends = np.cumsum(columns["length"]).tolist()
    origins = [Origin(**row) for row in _rows(columns, [f"origin.{name}" for name in _ORIGIN])]
    onsets = _group(Onset, columns, "onsets", ("phase", "sample", "weight"), len(ends))
    spans = _group(Span, columns, "unknown", ("phase", "first", "last"), len(ends))
    for number, (first, last) in enumerate(zip([0, *ends], ends, strict=False)):
        yield Example(counts[:, first:last], tuple(onsets[number]), tuple(spans[number]), origins[number])


def _rows(columns: Columns, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    lists = [columns[name].tolist() for name in names]
    for values in zip(*lists, strict=True):
        yield dict(zip((name.split(".")[1] for name in names), values, strict=True))


def _group(of: Callable[..., Any], columns: Columns, table: str, names: Sequence[str], count: int) -> list[list[Any]]:
    groups: list[list[Any]] = [[] for _ in range(count)]
    rows = _rows(columns, [f"{table}.{name}" for name in names])
    for number, row in zip(columns[f"{table}.example"].tolist(), rows, strict=True):
        groups[number].append(of(**row))
    return groups


# --- TFRecord ---------------------------------------------------------------------------------------------------------


def to_features(example: Example) -> tfrecord.Features:
    """`counts` as bytes of float32, low byte first, Z before N before E; phases count from 0, P."""
    origin = {name: getattr(example.origin, name) for name in _ORIGIN}
    return {
        "counts": example.counts.astype("<f4").tobytes(),
        "onset_phase": np.array([PHASES.index(onset.phase) for onset in example.onsets], dtype=np.int64),
        "onset_sample": np.array([onset.sample for onset in example.onsets], dtype=np.float32),
        "onset_weight": np.array([onset.weight for onset in example.onsets], dtype=np.float32),
        "unknown_phase": np.array([PHASES.index(span.phase) for span in example.unknown], dtype=np.int64),
        "unknown_first": np.array([span.first for span in example.unknown], dtype=np.float32),
        "unknown_last": np.array([span.last for span in example.unknown], dtype=np.float32),
        **{name: _origin_feature(value) for name, value in origin.items()},
    }


def _origin_feature(value: str | float | bool) -> tfrecord.Feature:
    if isinstance(value, str):
        return value.encode()
    return np.array([value], dtype=np.int64) if isinstance(value, bool) else np.array([value], dtype=np.float32)


def from_features(features: Mapping[str, Any]) -> Example:
    def table(name: str, *numbers: str) -> Iterator[tuple[Any, ...]]:
        phases = (PHASES[index] for index in features[f"{name}_phase"].tolist())
        return zip(phases, *(features[f"{name}_{of}"].tolist() for of in numbers), strict=True)

    texts: dict[str, Any] = {name: features[name].decode() for name in _ORIGIN if isinstance(features[name], bytes)}
    numbers: dict[str, Any] = {name: float(features[name][0]) for name in _NUMBERS}
    return Example(
        np.frombuffer(features["counts"], "<f4").reshape(3, -1),
        tuple(Onset(*row) for row in table("onset", "sample", "weight")),
        tuple(Span(*row) for row in table("unknown", "first", "last")),
        Origin(**texts, **numbers, is_simulated=bool(features["is_simulated"][0])),
    )


_WRITERS: Mapping[str, Callable[[BinaryIO, Sequence[Example]], None]] = {
    "npz": lambda file, examples: np.savez(file, **to_columns(examples)),
    "tfrecord": lambda file, examples: tfrecord.write_records(file, map(to_features, examples)),
}
