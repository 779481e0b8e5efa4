"""`kensoku train all`: the steps of a list, from recorded data to every model in the repository."""

import argparse
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kensoku.cli._train_steps import Clock, Workshop, do_step
from kensoku.cli.train import MODELS
from kensoku.errors import SettingInvalid

if TYPE_CHECKING:
    from kensoku.training.run_list import Step


def execute(options: argparse.Namespace, stop: threading.Event) -> int:
    from kensoku.training.run_list import read_list
    from kensoku.training.run_settings import read_tables

    if options.dataset:
        raise SettingInvalid("found --dataset, expected --data NAME=DIR of all; NAME may be a step, which is then done")
    steps, given = read_list(read_tables(options.config), tuple(MODELS)), folders_of(options.data)
    refuse_unknown(steps, given)
    ends_s = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    clock, workshop = (
        Clock(stop, ends_s),
        Workshop(options, {step.name: options.out / step.name for step in steps}, given),
    )
    options.out.mkdir(parents=True, exist_ok=True)
    for step in steps:
        if clock.has_struck() or not do_step(step, workshop, clock):
            print("stopped; the same command goes on", file=sys.stderr)
            return 0
    return 0


def folders_of(given: list[str]) -> dict[str, Path]:
    pairs = [each.partition("=") for each in given]
    for name, sign, folder in pairs:
        if not (name and sign and folder):
            raise SettingInvalid(f"found --data {name + sign + folder}, expected NAME=DIR")
    return {name: Path(folder) for name, _, folder in pairs}


def refuse_unknown(steps: "Sequence[Step]", given: Mapping[str, Path]) -> None:
    """Before the first step, so that no night is lost."""
    from kensoku.training.run_list import names_in

    made = {step.name for step in steps}
    for step in steps:
        missing = names_in(step.reads()) - made - set(given)
        if missing and step.name not in given:
            name = min(missing)
            raise SettingInvalid(f"found no --data {name}=DIR, expected it for {step.name}; give it")
    for name, folder in given.items():
        if not folder.is_dir():
            raise SettingInvalid(f"--data {name}={folder}: found no such folder, expected one")
