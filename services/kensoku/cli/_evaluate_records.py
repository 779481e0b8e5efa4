"""The records of a data set by which a command judges, and the models that it judges."""

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kensoku.cli._models import AskSettings
from kensoku.cli._models_run import classes_of
from kensoku.cli._outputs import refuse_folder
from kensoku.errors import InputInvalid, ModelRefused, ModelUnknown, SettingInvalid
from kensoku.models import file_sha256
from kensoku.picking import CARD, ModelCard, read_card
from kensoku.settings import add_flags

if TYPE_CHECKING:
    from kensoku.training.examples import Example

NEEDED = ("h5py", "matplotlib", "onnx", "scipy")


def add_records(command: argparse.ArgumentParser, written: str) -> None:
    command.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="of `kensoku dataset build`")
    command.add_argument("--split", default="develop", help="train, develop, mixed or left_out: %(default)s")
    command.add_argument("--without", action="append", default=[], metavar="SOURCE", help="leave out its records")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help=f"for {written}")
    add_flags(command, AskSettings, only=["models", "model_repository"])


def recorded(options: argparse.Namespace) -> "list[Example]":
    """Of the split, without what is simulated."""
    return examples_of(options, is_simulated=False)


def examples_of(options: argparse.Namespace, is_simulated: bool | None = None) -> "list[Example]":
    refuse_folder(options.out)
    try:
        from kensoku.training import datasets

        importlib.import_module("kensoku.training.evaluation")  # what is missing is told before hours of work
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        raise SettingInvalid(f"found no {error.name}, expected it; pip install 'kensoku[train]'") from None
    sources = datasets.sources_but(options.dataset, options.without)
    read = datasets.read(options.dataset, split=options.split, sources=sources)
    examples = [each for each in read if is_simulated in (None, each.origin.is_simulated)]
    if not examples:
        kind = {None: "", False: "recorded ", True: "simulated "}[is_simulated]
        raise InputInvalid(f"{options.dataset}: found no {kind}example in split {options.split!r}, expected some")
    return examples


def pickers_of(settings: AskSettings, named: Sequence[str] | None) -> list[str]:
    """Those that are named, or every picker of the repository."""
    found = sorted(path.parent.name for path in settings.repository.glob(f"*/{CARD}"))
    names = list(named or [name for name in found if read_card(settings.repository, name).kind == "picker"])
    if not names:
        raise ModelUnknown(
            f"{settings.repository}: found no picker with a card, expected one; see `kensoku models ship`"
        )
    return names


def refuse_classes(name: str, card: ModelCard, expected: Sequence[str]) -> None:
    """Of a classifier that tells other things than a command judges."""
    if (found := classes_of(name, card)) != tuple(expected):
        raise ModelRefused(
            f"model {name!r}: found the classes {', '.join(found)}, expected {', '.join(expected)}; "
            "name another with --model"
        )


def newest_sha256(repository: Path, name: str) -> str:
    from kensoku.inference import versions_in

    return file_sha256(repository, name, max(versions_in(repository, name), key=int, default="1"))
