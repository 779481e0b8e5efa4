"""`kensoku evaluate`: how well shipped models do on records that were kept apart, as JSON and as a report."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kensoku.cli import _evaluate_compare, _evaluate_denoiser, _evaluate_robustness
from kensoku.cli._models import AskSettings
from kensoku.cli._models_run import Asked
from kensoku.errors import InputInvalid, ModelUnknown, SettingInvalid
from kensoku.inference import open_models, versions_in
from kensoku.models import file_sha256
from kensoku.picking import CARD, read_card
from kensoku.settings import add_flags, load_settings, overrides

if TYPE_CHECKING:
    from kensoku.training.evaluation import Evaluated
    from kensoku.training.examples import Example


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    command = actions.add_parser("models", help="judge models by the records of a data set")
    command.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="of `kensoku dataset build`")
    command.add_argument("--split", default="develop", help="train, develop, mixed or left_out: %(default)s")
    command.add_argument("--without", action="append", default=[], metavar="SOURCE", help="leave out its records")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for report.html and report.json")
    command.add_argument("--model", action="append", metavar="NAME", help="of the repository; default: all with a card")
    command.add_argument("--quick", action="store_true", help="without the records under other conditions")
    add_flags(command, AskSettings, only=["models", "model_repository"])
    command.set_defaults(execute=evaluate_models)
    _evaluate_robustness.add_action(actions)
    _evaluate_compare.add_action(actions)
    _evaluate_denoiser.add_action(actions)


def evaluate_models(options: argparse.Namespace) -> int:
    try:
        from kensoku.training import datasets
        from kensoku.training.evaluation import write_report
    except ModuleNotFoundError as error:
        if error.name not in ("h5py", "matplotlib", "onnx"):
            raise
        raise SettingInvalid(f"found no {error.name}, expected it; pip install 'kensoku[train]'") from None
    settings = load_settings(AskSettings, overrides(options, AskSettings))
    names = options.model or sorted(path.parent.name for path in settings.repository.glob(f"*/{CARD}"))
    if not names:
        raise ModelUnknown(
            f"{settings.repository}: found no model with a card, expected one; see `kensoku models ship`"
        )
    kept = (each for each in datasets.read(options.dataset, split=options.split) if not each.origin.is_simulated)
    examples = [each for each in kept if each.origin.source not in options.without]
    if not examples:
        raise InputInvalid(f"{options.dataset}: found no recorded example in split {options.split!r}, expected some")
    models = [evaluate(settings, name, examples, options.quick) for name in names]
    write_report(options.out, f"{options.dataset.name}, {options.split}: {len(examples)} records", models)
    print(f"{options.out / 'report.html'}: {', '.join(names)} on {len(examples):,} records")
    return 0


def evaluate(settings: AskSettings, name: str, examples: "Sequence[Example]", is_quick: bool) -> "Evaluated":
    from kensoku.training.evaluation import VARIANTS, Evaluated, judge_cuts, judge_picker, stretch_of, summarise
    from kensoku.training.scores import judges_picking, labels_of

    card = read_card(settings.repository, name)
    version = max(versions_in(settings.repository, name), key=int, default="1")
    sha256 = file_sha256(settings.repository, name, version)
    with open_models(settings.url) as models:
        model = Asked(name, card, models)
        if card.kind == "classifier":
            return Evaluated(
                model=name, sha256=sha256, description=card.description, cuts=judge_cuts(card, model, examples)
            )
        results = judge_picker(card, model, [each for each in examples if judges_picking(each)])
        labelled = [each for each in examples if labels_of(each)]
        variants = {}
        for number, (variant, change) in enumerate([] if is_quick else VARIANTS.items(), start=1):
            print(f"{name}: {variant} ({number} of {len(VARIANTS)})", file=sys.stderr, flush=True)
            changed = [change(each) for each in labelled]
            variants[variant] = summarise(judge_picker(card, model, changed, stretch_of(variant)))
    return Evaluated(model=name, sha256=sha256, description=card.description, results=results, variants=variants)
