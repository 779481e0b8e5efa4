"""`kensoku evaluate blasts`: what a model that tells blasts from earthquakes removes, loses and accuses."""

import argparse
import sys
from typing import Any

from kensoku.cli._evaluate_records import add_records, classes_of, examples_of, newest_sha256
from kensoku.cli._models import AskSettings
from kensoku.cli._models_run import Asked, card_of
from kensoku.errors import InputInvalid, ModelRefused
from kensoku.inference import open_models, versions_in
from kensoku.settings import load_settings, overrides

CLASSES = 2  # earthquake, blast


def add_action(actions: Any) -> None:
    command = actions.add_parser("blasts", help="blasts removed, earthquakes lost, and whether simulation is known")
    add_records(command, "blasts.html and blasts.json")
    command.add_argument("--model", default="blast", metavar="NAME", help="of the repository: %(default)s")
    command.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    examples = examples_of(options)
    from kensoku.training.evaluation import judge_blasts, probe, write_blasts

    settings = load_settings(AskSettings, overrides(options, AskSettings))
    card = card_of(settings.repository, options.model, "classifier")
    with open_models(settings.url) as models:
        model = Asked(options.model, card, models)
        if (classes := classes_of(card, model)) != CLASSES:
            raise ModelRefused(f"model {options.model!r}: found {classes} classes, expected an earthquake and a blast")
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
    write_blasts(options.out, title, f"{options.model}, sha256 {sha256[:12]}", judged, probed)
    print(f"{options.out / 'blasts.html'}: {options.model} on {len(judged):,} records")
    return 0
