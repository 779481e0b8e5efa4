"""`kensoku models run` and `kensoku models classify`: ask a model about every window of a file."""

import argparse
import csv
import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from kensoku.classic import also_loud
from kensoku.cli._models import AskSettings
from kensoku.cli._numbers import share
from kensoku.cli._outputs import refuse_file
from kensoku.cli._window_files import Counts, WindowFile, open_windows
from kensoku.errors import InputInvalid, ModelRefused
from kensoku.inference import Models, open_models
from kensoku.picking import (
    CARD,
    LARGEST,
    ROUNDED,
    Model,
    ModelCard,
    Pick,
    less_offset,
    pick_records,
    read_card,
    to_100_hz,
    with_missing,
)
from kensoku.settings import add_flags, load_settings, overrides
from kensoku.whole_files import written_whole

RATE_HZ = 100
EVERY_S = 2.0  # between lines of progress
BLOCK_SAMPLES = 400_000  # of the windows that are in memory at once: as much for any file
PICKER, LIVE_PICKER, CLASSIFIER = "picker", "picker_live", "phase"
NOISE_OR_ONSET = ("noise", "onset")  # classes of a denoiser
FloatArray = npt.NDArray[np.float32]
Row = Sequence[object]
T = TypeVar("T")


def add_actions(actions: Any) -> None:
    run = actions.add_parser("run", help="pick every window of a file")
    classify = actions.add_parser("classify", help="probabilities of a classifier for every short cut of a file")
    for action, model, execute in ((run, PICKER, run_picker), (classify, CLASSIFIER, run_classifier)):
        action.add_argument("--windows", type=Path, required=True, metavar="FILE.h5", help="X, scale, sampling_rate")
        action.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="there when it is whole")
        action.add_argument("--model", metavar="NAME", help=f"folder in the model repository, e.g. {model}")
        add_flags(action, AskSettings, only=["models", "model_repository"])
        action.set_defaults(execute=execute)
    run.add_argument("--threshold", type=share, metavar="X", help="for both phases, in place of the model's own")
    run.add_argument("--live", action="store_true", help=f"look as little ahead as live picking does: {LIVE_PICKER}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A model and who answers for it."""

    name: str
    card: ModelCard
    models: Models

    def __call__(self, counts: FloatArray) -> FloatArray:
        said = self.models.infer(self.name, {"counts": counts})
        if "probabilities" not in said:
            raise ModelRefused(f"model {self.name!r}: found outputs {', '.join(said)}, expected probabilities")
        return np.asarray(said["probabilities"], dtype=np.float32)


def run_picker(options: argparse.Namespace) -> int:
    refuse_file(options.out)
    settings = load_settings(AskSettings, overrides(options, AskSettings))
    name = options.model or (LIVE_PICKER if options.live else PICKER)
    card = card_of(settings.repository, name, "picker")
    if options.live and card.look_ahead_s is None:
        raise ModelRefused(f"model {name!r}: found full context, expected a stated look-ahead; give another --model")
    if options.threshold is not None:
        card = replace(card, threshold=replace(card.threshold, p=options.threshold, s=options.threshold))
    with open_windows(options.windows) as windows, open_models(settings.url) as models:
        to_100_hz(np.zeros((3, 1), np.float32), windows.rate_hz)  # refuses a rate before anything is read
        model = Asked(name, card, models)
        rows = (
            (window, pick.phase, f"{pick.sample:.2f}", f"{pick.score:.4f}")
            for window, picks in tell(pick_windows(windows, model, card), windows.count)
            for pick in picks
        )
        count = write_rows(options.out, ("window", "phase", "sample", "score"), rows)
    print(f"{options.out}: {count:,} picks in {windows.count:,} windows")
    return 0


def run_classifier(options: argparse.Namespace) -> int:
    refuse_file(options.out)
    settings = load_settings(AskSettings, overrides(options, AskSettings))
    name = options.model or CLASSIFIER
    card = card_of(settings.repository, name, "classifier")
    with open_windows(options.windows) as cuts, open_models(settings.url) as models:
        refuse_rate(cuts)
        if cuts.samples != card.geometry.window:
            window = card.geometry.window
            raise InputInvalid(
                f"{cuts.path}: found cuts of {cuts.samples} samples, expected {window} for {name!r}, that is "
                f"{window / RATE_HZ:g} s around the onset; cut them so"
            )
        classes, asked = classes_of(name, card), Asked(name, card, models)
        said = classify_cuts(cuts, also_loud(asked) if classes == NOISE_OR_ONSET else asked, name, len(classes))
        rows = ((cut, *(f"{value:.4f}" for value in row)) for cut, row in tell(said, cuts.count))
        count = write_rows(options.out, ("window", *classes), rows)
    print(f"{options.out}: {count:,} cuts")
    return 0


# --- what is asked ----------------------------------------------------------------------------------------------------


def pick_windows(windows: WindowFile, model: Model, card: ModelCard) -> Iterator[tuple[int, list[Pick]]]:
    """The picks of each window of a file, in samples of the file."""
    is_live, ratio = card.look_ahead_s is not None, windows.rate_hz / RATE_HZ
    for first, block in blocks(windows):
        shown = np.stack([with_missing(counts, is_causal=is_live, rate_hz=windows.rate_hz) for counts in block])
        resampled, delay = to_100_hz(shown, windows.rate_hz)
        for window, picks in enumerate(pick_records(resampled, model, card), start=first):
            yield window, [replace(pick, sample=(pick.sample - delay) * ratio) for pick in picks]


def classes_of(name: str, card: ModelCard) -> tuple[str, ...]:
    """What a classifier's answers are called."""
    if not card.classes:
        raise ModelRefused(
            f"model {name!r}: found no classes in its card {CARD}, expected what its answers are called, in their "
            'order; write them there, such as "classes": ["noise", "P", "S"]'
        )
    return card.classes


def classify_cuts(cuts: WindowFile, model: Model, name: str, classes: int) -> Iterator[tuple[int, FloatArray]]:
    """What the model says of each cut, class by class."""
    for first, block in blocks(cuts):
        said = model(less_offset(np.stack([with_missing(counts, is_causal=False) for counts in block])))
        said = said.reshape(*said.shape[:2], -1)
        if said.shape != (len(block), classes, 1):
            raise ModelRefused(
                f"model {name!r}: found answers {said.shape}, expected {(len(block), classes, 1)}, one for each "
                f"class of its card; mend the classes in {CARD}"
            )
        for place, row in enumerate(said[..., 0]):
            yield first + place, row


def blocks(windows: WindowFile) -> Iterator[tuple[int, Counts]]:
    """As many windows as there is room for, from the first to the last; what no instrument counts is missing."""
    size, unreal = max(1, BLOCK_SAMPLES // windows.samples), 0
    for first in range(0, windows.count, size):
        block = windows.read(first, min(first + size, windows.count))
        is_unreal = np.abs(block) > LARGEST
        unreal += int(is_unreal.sum())
        yield first, np.where(is_unreal, np.nan, block)
    if unreal:
        told = f"found {unreal:,} samples that are infinite or beyond {LARGEST:g}, expected counts"
        print(f"{windows.path}: {told}; they were taken as missing", file=sys.stderr, flush=True)


def card_of(repository: Path, name: str, kind: str) -> ModelCard:
    card = read_card(repository, name)
    if card.kind != kind:
        raise ModelRefused(f"model {name!r}: found a {card.kind}, expected a {kind}; name another with --model")
    return card


def refuse_rate(windows: WindowFile) -> None:
    if not math.isclose(windows.rate_hz, RATE_HZ, rel_tol=ROUNDED):
        raise InputInvalid(
            f"{windows.path}: found {windows.rate_hz:g} samples a second, expected {RATE_HZ}; resample the records"
        )


# --- what is told -----------------------------------------------------------------------------------------------------


def write_rows(path: Path, header: Row, rows: Iterable[Row]) -> int:
    """A csv file, under its name when it is whole; how many rows it has."""
    count = 0
    try:
        with written_whole(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                writer.writerow(row)
                count += 1
    except OSError as error:
        told = f"found {error.strerror or error}, expected to write there; mend it or choose another folder"
        raise InputInvalid(f"--out {path}: {told}") from None
    return count


def tell(found: Iterator[T], count: int) -> Iterator[T]:
    """The same, with a line now and then about how far it has come."""
    began = told = time.monotonic()
    for done, item in enumerate(found, start=1):
        yield item
        now = time.monotonic()
        if now - told > EVERY_S:
            told = now
            print(f"{done:,} of {count:,} windows, {done / (now - began):,.0f} a second", file=sys.stderr, flush=True)
