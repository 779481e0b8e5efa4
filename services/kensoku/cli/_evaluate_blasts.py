"""`kensoku evaluate blasts`: what a model that tells blasts from earthquakes removes, loses and accuses."""

import argparse
import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kensoku.cli._evaluate_records import add_records, examples_of, newest_sha256, refuse_classes
from kensoku.cli._models import AskSettings
from kensoku.cli._models_judge import with_data, write_card
from kensoku.cli._models_run import Asked, card_of
from kensoku.errors import InputInvalid
from kensoku.inference import open_models, versions_in
from kensoku.picking import ModelCard, PhasePair
from kensoku.settings import load_settings, overrides

CLASSES = ("earthquake", "blast")


def add_action(actions: Any) -> None:
    command = actions.add_parser("blasts", help="blasts removed, earthquakes lost, and whether simulation is known")
    add_records(command, "MODEL.html and MODEL.json")
    command.add_argument("--model", default="blast", metavar="NAME", help="of the repository: %(default)s")
    command.add_argument(
        "--settle", action="store_true", help="write the threshold that loses 1 %% of earthquakes into the model's card"
    )
    command.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    examples = examples_of(options)
    from kensoku.training.evaluation import judge_blasts, metrics, probe, write_blasts

    settings = load_settings(AskSettings, overrides(options, AskSettings))
    card = card_of(settings.repository, options.model, "classifier")
    refuse_classes(options.model, card, CLASSES)
    with open_models(settings.url) as models:
        model = Asked(options.model, card, models)
        judged = judge_blasts(card, model, examples)
    for is_blast, name in ((False, "earthquake"), (True, "blast")):
        if not any(each.is_simulated and each.is_blast == is_blast for each in judged):
            raise InputInvalid(
                f"{options.dataset}: found no simulated {name} with a P in split {options.split!r}, expected some"
            )
    version = max(versions_in(settings.repository, options.model), key=int)
    graph = settings.repository / options.model / version / "model.onnx"
    probed = probe(judged, graph) if graph.is_file() else None
    if probed is None:
        print(f"{graph}: found none, so the last layer is not probed", file=sys.stderr)
    sha256 = newest_sha256(settings.repository, options.model)
    title = f"{options.dataset.name}, {options.split}: {len(judged)} records"
    write_blasts(options.out, title, options.model, sha256, judged, probed)
    print(f"{options.out / options.model}.html: {options.model} on {len(judged):,} records")
    if options.settle:
        settle(settings.repository / options.model, with_data(card, options.dataset), metrics(judged, probed))
    return 0


def settle(folder: Path, card: ModelCard, metrics: Mapping[str, float]) -> None:
    """The card with the threshold at which 1 % of simulated earthquakes are lost, and with what goes there."""
    threshold = math.ceil(metrics["threshold"] * 1000) / 1000
    path = write_card(folder, replace(card, threshold=PhasePair(p=threshold, s=threshold), metrics=metrics))
    print(f"{path}: threshold {threshold:g}")
