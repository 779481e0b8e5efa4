"""`kensoku train all`: every model in a list, one after the other, into the repository."""

import argparse
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kensoku.cli.train import MODELS, run
from kensoku.errors import SettingInvalid

if TYPE_CHECKING:
    from kensoku.training.run_list import Entry


def execute(options: argparse.Namespace, stop: threading.Event) -> int:
    from kensoku.training.run_list import read_list
    from kensoku.training.run_settings import read_tables

    entries, folders = read_list(read_tables(options.config), tuple(MODELS)), folders_of(options.dataset)
    for entry in entries:
        if entry.dataset not in folders:
            raise SettingInvalid(f"found no --dataset {entry.dataset}=DIR, expected it for {entry.name}; give it")
    ends = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    for entry in entries:
        options.minutes = None if ends is None else max(0.0, (ends - time.monotonic()) / 60)
        print(entry.name, file=sys.stderr)
        out = options.out / entry.name
        state = run(entry.model, options, stop, config=entry.config, dataset=folders[entry.dataset], out=out)
        print(f"{out}: {state.step:,} steps, merit {state.best_merit:.4f} at step {state.best_step:,}", flush=True)
        if stop.is_set() or (ends is not None and time.monotonic() > ends):
            print("stopped; the same command goes on", file=sys.stderr)
            return 0
        if options.repository is not None and (code := ship(entry, options, folders[entry.dataset])):
            return code
    return 0


def folders_of(given: list[str]) -> dict[str, Path]:
    pairs = [each.partition("=") for each in given]
    for name, sign, folder in pairs:
        if not (name and sign and folder):
            raise SettingInvalid(f"found --dataset {name + sign + folder}, expected NAME=DIR")
    return {name: Path(folder) for name, _, folder in pairs}


def ship(entry: "Entry", options: argparse.Namespace, dataset: Path) -> int:
    """As a person would, with the commands that do one thing each."""
    from kensoku.cli.main import main

    weights, repository = options.out / entry.name / "best.weights.h5", str(options.repository)
    given = ["--config", str(entry.config), "--weights", str(weights), "--description", entry.description]
    kind = [] if entry.model == "picker" else ["--classifier"]
    code = main(["models", "ship", entry.name, *given, *kind, "--model-repository", repository])
    if code or entry.model != "picker":
        return code
    return main(["models", "judge", entry.name, "--dataset", str(dataset), "--models", f"local:{repository}"])
