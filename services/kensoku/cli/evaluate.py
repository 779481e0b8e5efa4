"""`kensoku evaluate`: how well shipped models do on records that were kept apart, as JSON and as a report."""

import argparse
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kensoku.cli import _evaluate_blasts, _evaluate_compare, _evaluate_denoiser, _evaluate_robustness
from kensoku.cli._evaluate_records import add_records, newest_sha256, recorded
from kensoku.cli._models import AskSettings
from kensoku.cli._models_run import Asked
from kensoku.errors import ModelUnknown
from kensoku.inference import open_models
from kensoku.picking import CARD, read_card
from kensoku.settings import load_settings, overrides

if TYPE_CHECKING:
    from kensoku.training.evaluation import Evaluated, Results, Summary
    from kensoku.training.examples import Example


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    command = actions.add_parser("models", help="judge models by the records of a data set")
    add_records(command, "report.html and report.json")
    command.add_argument("--model", action="append", metavar="NAME", help="of the repository; default: all with a card")
    command.add_argument("--quick", action="store_true", help="without the records under other conditions")
    command.add_argument(
        "--noise-snr",
        type=snr_range,
        metavar="LOW,HIGH",
        help="lay noise of the split over the records with labels: their loudest sample is so many times its rms",
    )
    command.set_defaults(execute=evaluate_models)
    _evaluate_robustness.add_action(actions)
    _evaluate_compare.add_action(actions)
    _evaluate_blasts.add_action(actions)
    _evaluate_denoiser.add_action(actions)


def snr_range(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low = high = math.nan
    if not 0 < low <= high < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected two numbers above 0 in their order, such as 4,30")
    return low, high


def evaluate_models(options: argparse.Namespace) -> int:
    examples = recorded(options)
    from kensoku.training.evaluation import under_noise, write_report

    if options.noise_snr:
        examples = under_noise(examples, options.noise_snr)
    settings = load_settings(AskSettings, overrides(options, AskSettings))
    names = options.model or sorted(path.parent.name for path in settings.repository.glob(f"*/{CARD}"))
    if not names:
        raise ModelUnknown(
            f"{settings.repository}: found no model with a card, expected one; see `kensoku models ship`"
        )
    judged = [each for name in names if (each := evaluate(settings, name, examples, options.quick)) is not None]
    under = f" under noise, SNR {options.noise_snr[0]:g} to {options.noise_snr[1]:g}" if options.noise_snr else ""
    write_report(options.out, f"{options.dataset.name}, {options.split}: {len(examples)} records{under}", judged)
    print(f"{options.out / 'report.html'}: {', '.join(each.model for each in judged)} on {len(examples):,} records")
    return 0


def evaluate(settings: AskSettings, name: str, examples: "Sequence[Example]", is_quick: bool) -> "Evaluated | None":
    """None of a classifier that tells other things than noise, P and S."""
    from kensoku.training.evaluation import (
        COMPONENTS,
        KINDS,
        VARIANTS,
        Evaluated,
        judge_cuts,
        judge_picker,
        stretch_of,
        summarise,
    )
    from kensoku.training.scores import judges_picking, labels_of

    card = read_card(settings.repository, name)
    sha256 = newest_sha256(settings.repository, name)
    with open_models(settings.url) as models:
        model = Asked(name, card, models)
        if card.kind == "classifier":
            if card.classes != KINDS:
                found = ", ".join(card.classes) or "classes that its card does not name"
                told = f"{name}: tells {found}, not noise, P, S; see `kensoku evaluate denoiser` and `blasts`"
                print(told, file=sys.stderr, flush=True)
                return None
            return Evaluated(
                model=name, sha256=sha256, description=card.description, cuts=judge_cuts(card, model, examples)
            )
        results = judge_picker(card, model, [each for each in examples if judges_picking(each)])
        labelled = [each for each in examples if labels_of(each)]
        variants: dict[str, Summary] = {}
        lost: dict[str, Results] = {}
        for number, (variant, change) in enumerate([] if is_quick else VARIANTS.items(), start=1):
            print(f"{name}: {variant} ({number} of {len(VARIANTS)})", file=sys.stderr, flush=True)
            changed = [each for each in map(change, labelled) if not np.isnan(each.counts).all()]
            of_variant = judge_picker(card, model, changed, stretch_of(variant))
            variants[variant] = summarise(of_variant)
            if variant in COMPONENTS:
                lost[variant] = of_variant
    about = card.description
    return Evaluated(model=name, sha256=sha256, description=about, results=results, variants=variants, lost=lost)
