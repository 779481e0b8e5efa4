"""Models that teach another one: what they say of a batch, mixed into what people and simulators labelled."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kensoku.errors import InputInvalid
from kensoku.inference import LocalModels
from kensoku.picking import ModelCard, annotate, read_card
from kensoku.training.batches import Batch
from kensoku.training.examples import FloatArray

P, S = 1, 2


@dataclass(frozen=True, slots=True)
class _Teacher:
    repository: Path
    name: str
    card: ModelCard


class Teachers:
    """Pickers of a repository. Their graphs are opened where they are asked first, as it may be in a process of its
    own."""

    def __init__(self, folders: Sequence[Path], share: float) -> None:
        """`share` of what is taught where there is a label; all of it where nobody knows."""
        self._teachers = [_read(folder) for folder in folders]
        self._share = share
        self._opened: list[tuple[LocalModels, _Teacher]] = []

    def hashes(self) -> list[str]:
        files = [path for one in self._teachers for path in sorted((one.repository / one.name).glob("*/model.onnx"))]
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]

    def taught(self, batch: Batch) -> Batch:
        return taught_by(batch, self.said(batch.counts), self._share)

    def said(self, counts: FloatArray) -> FloatArray:
        """(batch, 2, n): the mean of what they say of P and S; NaN where none of them tells."""
        if not self._opened:
            self._opened = [(LocalModels(one.repository, threads=1), one) for one in self._teachers]
        total, told = np.zeros((len(counts), 2, counts.shape[2])), np.zeros((len(counts), 2, counts.shape[2]))
        for models, one in self._opened:
            aligned = np.stack([one.card.aligned(each) for each in _answers(models, one, counts)])
            total += np.nan_to_num(aligned)
            told += ~np.isnan(aligned)
        return np.where(told > 0, total / np.maximum(told, 1), np.nan).astype(np.float32)


def _answers(models: LocalModels, teacher: _Teacher, counts: FloatArray) -> FloatArray:
    def ask(cuts: FloatArray) -> FloatArray:
        return np.asarray(models.infer(teacher.name, {"counts": cuts})["probabilities"], dtype=np.float32)

    return annotate(counts, ask, teacher.card.geometry)


def _read(folder: Path) -> _Teacher:
    card = read_card(folder.parent, folder.name)
    if card.kind != "picker" or card.geometry.is_fixed:
        found = f"a {card.kind}" if card.kind != "picker" else f"windows of {card.geometry.window} samples alone"
        raise InputInvalid(
            f"{folder}: found {found}, expected a picker of records of any length as a teacher; "
            "ship a live one without --last"
        )
    return _Teacher(folder.parent, folder.name, card)


def taught_by(batch: Batch, said: FloatArray, share: float) -> Batch:
    """Targets between the labels and what teachers say; where no label is known, what they say alone.

    What is missing stays unknown, and so does what they tell nothing of.
    """
    counts, targets, known, weight = batch
    there = np.isfinite(counts).any(axis=1, keepdims=True) & ~np.isnan(said)
    own = np.where(there, np.where(known > 0, share, 1.0), 0.0)
    mixed = targets.copy()
    mixed[:, P:] = (1 - own) * targets[:, P:] + own * np.nan_to_num(said)
    mixed[:, P:] /= np.maximum(mixed[:, P:].sum(axis=1, keepdims=True), 1)
    mixed[:, 0] = 1 - mixed[:, P:].sum(axis=1)
    return Batch(counts, mixed, np.maximum(known, there).astype(np.float32), weight)
