"""The model that decides, who answers for it, and the name of what it decides."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kensoku.continuous import Instrument
from kensoku.errors import ModelRefused
from kensoku.inference import open_models, versions_in
from kensoku.models import file_sha256
from kensoku.picking import Model, ModelCard, Phase, read_card


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    card: ModelCard
    model: Model
    version: str = ""
    sha256: str = ""


def pick_id(instrument: Instrument, phase: Phase, onset_index: int, model: str) -> str:
    return hashlib.sha256(f"{instrument.code}/{phase}/{onset_index}/{model}".encode()).hexdigest()[:32]


@contextmanager
def open_stage(repository: Path, url: str, name: str, threshold: float | None = None) -> Iterator[Stage]:
    """The newest version of a picker in a repository, answered for at `url`; its threshold may be replaced."""
    card = read_card(repository, name)
    if card.kind != "picker":
        raise ModelRefused(f"model {name!r}: found a {card.kind}, expected a picker; name another model")
    if threshold is not None:
        card = replace(card, threshold=replace(card.threshold, p=threshold, s=threshold))
    version = max(versions_in(repository, name), key=int, default="1")
    sha256 = file_sha256(repository, name, version)
    with open_models(url) as models:

        def ask(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            said = models.infer(name, {"counts": counts}, version=version)
            if "probabilities" not in said:
                raise ModelRefused(f"model {name!r}: found outputs {', '.join(said)}, expected probabilities")
            return np.asarray(said["probabilities"], dtype=np.float32)

        yield Stage(name, card, ask, version, sha256)
