"""Models that answer in this process as a test wants it, and the folders by which services know them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from kensoku.errors import ModelServerUnavailable
from kensoku.inference import Tensors
from kensoku.picking import CARD, ModelCard
from tests.streams import FloatArray, card, onsets

LIVE = {"picker_live": card(0.4), "picker_first": card(0.3)}


class StandIn:
    """All are told apart by their names alone; they may be away for some calls, or fail."""

    def __init__(self, away: int = 0, error: Exception | None = None) -> None:
        self.away, self.error = away, error
        self.windows = 0
        self.versions: set[str] = set()  # MODEL/VERSION, of what was asked

    def infer(self, model: str, inputs: Tensors, *, version: str = "", deadline_s: float = 0.0) -> Tensors:
        self.versions.add(f"{model}/{version}")
        if self.error:
            raise self.error
        if self.away:
            self.away -= 1
            raise ModelServerUnavailable("found nobody, expected an answer; wait")
        self.windows += len(inputs["counts"])
        return {"probabilities": self.answer(model, inputs["counts"])}

    def answer(self, model: str, counts: FloatArray) -> FloatArray:
        return onsets(counts)

    def is_ready(self) -> bool:
        return True

    def close(self) -> None:
        """Holds nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Holds nothing."""


def write_folders(repository: Path, cards: Mapping[str, ModelCard] = LIVE, versions: Sequence[str] = ("1",)) -> None:
    for name, shown in cards.items():
        for version in versions:
            (repository / name / version).mkdir(parents=True)
            (repository / name / version / "model.onnx").write_bytes(f"stand-in {version}".encode())
        (repository / name / CARD).write_text(shown.to_json())
