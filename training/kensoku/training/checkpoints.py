"""What a training run has come to, kept so that it goes on as if it had never stopped."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from kensoku.errors import SettingInvalid

Arrays = Sequence[npt.NDArray[Any]]
Row = Mapping[str, float]  # of the log

_GROUPS = ("variables", "optimizer", "average")


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    step: int
    fingerprint: str  # of all settings: a run goes on only with those that it began with
    history: tuple[Row, ...]  # one row an epoch
    best_merit: float  # -1 before the first
    best_step: int
    variables: Arrays  # of the network, chance included
    optimizer: Arrays
    average: Arrays


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    told = {name: getattr(checkpoint, name) for name in ("step", "fingerprint", "history", "best_merit", "best_step")}
    arrays = {f"{group}.{n:04}": array for group in _GROUPS for n, array in enumerate(getattr(checkpoint, group))} | {
        "told": np.array(json.dumps(told))
    }
    write_whole(path, lambda temporary: _save(temporary, arrays))


def _save(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)


def read_checkpoint(path: Path) -> Checkpoint | None:
    """None where no run began."""
    if not path.exists():
        return None
    try:
        with path.open("rb") as opened, np.load(opened) as file:
            told: dict[str, Any] = json.loads(str(file["told"]))
            groups: dict[str, Any] = {
                group: [file[name] for name in sorted(file.files) if name.startswith(f"{group}.")] for group in _GROUPS
            }
    except (BadZipFile, ValueError, KeyError, EOFError) as error:
        raise SettingInvalid(
            f"{path}: found no checkpoint that can be read ({error}); begin in an empty --out"
        ) from None
    return Checkpoint(**{**told, "history": tuple(told["history"])}, **groups)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """The file is either as it was or whole, and survives a loss of power."""
    temporary = path.with_name(f".tmp.{path.name}")  # its end tells Keras the format
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class Average:
    """A running mean of a network's weights, which picks better than any of them; the start is soon forgotten."""

    def __init__(self, momentum: float, every: int) -> None:
        self._momentum, self.every = momentum, every  # steps
        self.values: list[npt.NDArray[Any]] = []

    def add(self, step: int, weights: Arrays) -> None:
        if not self.values:
            self.values = [np.array(each) for each in weights]
            return
        keep = min(self._momentum**self.every, step / (step + 10.0 * self.every))
        for value, weight in zip(self.values, weights, strict=True):
            value *= keep
            value += (1 - keep) * weight
