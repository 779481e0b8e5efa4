"""The models that decide, and who answers for them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kensoku.batch._pieces import Listener
from kensoku.classic import ClassicFrontEnd
from kensoku.detection import Picker, SecondLook, Stage
from kensoku.errors import ModelRefused, ModelServerUnavailable
from kensoku.inference import Models, open_models, versions_in
from kensoku.models import file_sha256
from kensoku.packets import station_filter
from kensoku.picking import CARD, read_card

ANSWER_S = 10.0
EVERYWHERE = "*"  # as a pattern of stations
DENOISER = "denoiser"  # judges classic picks
SECOND, BLAST = "picker", "blast_long"  # hear half a minute around each pick
FIRST = "picker_first"  # looks at every second where there is one, and the live picker where it sees something


@contextmanager
def open_picker(repository: Path, url: str, name: str) -> Iterator[Picker]:
    """The newest version of a picker in a repository, answered for at `url`."""
    with open_models(url) as models:
        _require_answer(models, url)
        yield _picker(repository, models, name)


@contextmanager
def open_listener(
    repository: Path,
    url: str,
    model: str,
    threshold: float | None = None,
    *,
    classic: str = "",
    is_refined: bool = True,
) -> Iterator[Listener]:
    """A picker; at the stations of `classic`, patterns of NET.STA, STA/LTA and AR-AIC in its place, whose picks the
    denoiser judges and the picker refines, unless told otherwise.

    The threshold is the picker's, or the denoiser's if all stations are classic. Blasts are told where the repository
    has a model for it, and what picks as live is heard again as live.
    """
    with open_models(url) as models:
        _require_answer(models, url)
        picker = _picker(repository, models, model, threshold) if classic != EVERYWHERE else None
        front_end = None
        if classic:
            denoiser = _stage(repository, models, DENOISER, "classifier")
            judge = denoiser if picker else _with_threshold(denoiser, threshold)
            front_end = ClassicFrontEnd(judge, _stage(repository, models, model) if is_refined else None)
        is_first_word = picker.final.card.look_ahead_s is not None if picker else not is_refined
        second = _stage(repository, models, SECOND) if is_first_word and _is_there(repository, SECOND) else None
        blast = _stage(repository, models, BLAST, "classifier") if _is_there(repository, BLAST) else None
        yield Listener(picker, SecondLook(second, blast), front_end, station_filter(classic))


def _picker(repository: Path, models: Models, name: str, threshold: float | None = None) -> Picker:
    final = _with_threshold(_stage(repository, models, name), threshold)
    is_live = final.card.look_ahead_s is not None and name != FIRST
    return Picker(final, _stage(repository, models, FIRST) if is_live and _is_there(repository, FIRST) else None)


def _is_there(repository: Path, name: str) -> bool:
    return (repository / name / CARD).is_file()


def _with_threshold(stage: Stage, threshold: float | None) -> Stage:
    if threshold is None:
        return stage
    return replace(stage, card=replace(stage.card, threshold=replace(stage.card.threshold, p=threshold, s=threshold)))


def _require_answer(models: Models, url: str) -> None:
    """Before a long record is cut into requests of which each would wait a minute for nobody."""
    deadline_s = time.monotonic() + ANSWER_S
    while not models.is_ready():
        if time.monotonic() >= deadline_s:
            raise ModelServerUnavailable(
                f"models: found no answer at {url} for {ANSWER_S:g} s, expected a model server; start it, or use"
                " --models local"
            )
        time.sleep(0.2)


def _stage(repository: Path, models: Models, name: str, kind: str = "picker") -> Stage:
    card = read_card(repository, name)
    if card.kind != kind:
        raise ModelRefused(
            f"model {name!r}: found a {card.kind}, expected a {kind}; name another model, or look at the repository"
        )
    version = max(versions_in(repository, name), key=int, default="1")

    def ask(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        said = models.infer(name, {"counts": counts}, version=version)
        if "probabilities" not in said:
            raise ModelRefused(f"model {name!r}: found outputs {', '.join(said)}, expected probabilities")
        return np.asarray(said["probabilities"], dtype=np.float32)

    return Stage(name, card, ask, version, file_sha256(repository, name, version))
