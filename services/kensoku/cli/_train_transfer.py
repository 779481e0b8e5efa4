"""`kensoku train transfer`: train without a region, judge by it, for each region in turn."""

import argparse
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from kensoku.cli._models_run import Asked
from kensoku.cli.train import run
from kensoku.errors import InputInvalid, KensokuError, SettingInvalid

if TYPE_CHECKING:
    from kensoku.training.evaluation import Summary

MODEL = "picker"


def execute(options: argparse.Namespace, stop: threading.Event) -> int:
    from kensoku.training.checkpoints import write_whole
    from kensoku.training.evaluation.transfer import table

    folders = folders_of(options.dataset)
    for region, folder in folders.items():
        refuse_leak(region, folder)
    ends = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    found: dict[str, dict[int, Summary]] = {}
    for region, folder in folders.items():
        options.minutes = None if ends is None else max(0.0, (ends - time.monotonic()) / 60)
        print(f"without {region}", file=sys.stderr, flush=True)
        out = options.out / region
        state = run(MODEL, options, stop, dataset=folder, out=out / "run")
        print(f"{out}: {state.step:,} steps, merit {state.best_merit:.4f}", file=sys.stderr, flush=True)
        if stop.is_set() or (ends is not None and time.monotonic() > ends):
            print("stopped; the same command goes on", file=sys.stderr)
            break
        found[region] = judge(region, folder, out, options.config)
        if options.report is not None:
            write_whole(options.report, lambda path: path.write_text(table(found)))
    print(table(found), end="")
    return 0


def folders_of(given: list[str]) -> dict[str, Path]:
    pairs = [each.partition("=") for each in given]
    if wrong := ["".join(pair) for pair in pairs if not all(pair)]:
        raise SettingInvalid(f"found --dataset {wrong[0]}, expected REGION=DIR, the region that it leaves out")
    if not pairs:
        raise SettingInvalid("found no --dataset, expected REGION=DIR for each region that is left out in turn")
    return {region: Path(folder) for region, _, folder in pairs}


def refuse_leak(region: str, folder: Path) -> None:
    from kensoku.training.datasets import read_finished

    left_out = read_finished(folder)["description"]["split"]["left_out"]
    if left_out != [region]:
        raise SettingInvalid(
            f"--dataset {region}={folder}: found left out {', '.join(left_out) or 'nothing'}, expected {region}; "
            f'build it with [split] left_out = ["{region}"]'
        )


def judge(region: str, folder: Path, out: Path, config: Path) -> "dict[int, Summary]":
    """By records of the region, at the threshold that the other regions gave; also played slower."""
    from kensoku.inference import open_models
    from kensoku.picking import read_card
    from kensoku.training import datasets
    from kensoku.training.evaluation import judge_picker, summarise
    from kensoku.training.evaluation.transfer import STRETCHES, settled
    from kensoku.training.scores import judges_picking, labels_of, stretched

    repository = out / "repository"
    done(
        "models", "ship", MODEL, "--config", config, "--weights", out / "run" / "best.weights.h5",
        "--description", f"without {region}", "--model-repository", repository,
    )  # fmt: skip
    examples = list(filter(judges_picking, datasets.read(folder, split="left_out")))
    labelled = [each for each in examples if labels_of(each)]
    if not labelled:
        raise InputInvalid(f"{folder}: found no recorded label of {region} in split left_out, expected some")
    with open_models(f"local:{repository}") as models:
        card = read_card(repository, MODEL)
        model = Asked(MODEL, card, models)
        card = settled(card, model, list(filter(judges_picking, datasets.read(folder, split="develop"))))
        return {
            times: summarise(
                judge_picker(
                    card, model, [stretched(each, times) for each in labelled] if times > 1 else examples, times
                )
            )
            for times in STRETCHES
        }


def done(*given: object) -> None:
    """As a person would, with the commands that do one thing each."""
    from kensoku.cli.main import main

    if main([str(each) for each in given]):
        raise KensokuError(f"kensoku {given[0]} {given[1]}: failed, as it said above")
