"""`kensoku evaluate robustness`: what changes a picker's picks that should not."""

import argparse
import sys
from typing import Any

from kensoku.cli._evaluate_records import add_records, newest_sha256, pickers_of, recorded
from kensoku.cli._models import AskSettings
from kensoku.cli._models_run import Asked, card_of
from kensoku.cli._numbers import whole
from kensoku.errors import SettingInvalid
from kensoku.inference import open_models
from kensoku.settings import load_settings, overrides


def add_action(actions: Any) -> None:
    about = "shifts, sizes, gaps, planted faults, 4 s around triggers, look-ahead"
    command = actions.add_parser("robustness", help=about)
    add_records(command, "robustness.html and robustness.json")
    command.add_argument("--model", action="append", metavar="NAME", help="of the repository; default: all pickers")
    command.add_argument(
        "--part", action="append", metavar="PART", help="shifts, sizes, ...: more than once; default: all"
    )
    command.add_argument(
        "--records", type=whole(1, 1_000_000), metavar="N", help="no more of the data set, evenly drawn"
    )
    command.add_argument(
        "--faults", type=whole(1, 1_000_000), default=100, metavar="N", help="of each kind: %(default)s"
    )
    command.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    examples = recorded(options)
    from kensoku.training.evaluation import PARTS, judge_robustness, write_robustness
    from kensoku.training.scores import judges_picking

    if wrong := [part for part in options.part or () if part not in PARTS]:
        raise SettingInvalid(f"--part: found {wrong[0]!r}, expected one of {', '.join(PARTS)}")
    examples = [each for each in examples if judges_picking(each)]
    if options.records is not None and options.records < len(examples):
        examples = [examples[n * len(examples) // options.records] for n in range(options.records)]
    settings = load_settings(AskSettings, overrides(options, AskSettings))
    names, judged = pickers_of(settings, options.model), []
    with open_models(settings.url) as models:
        for name in names:
            card = card_of(settings.repository, name, "picker")
            judged.append(
                judge_robustness(
                    card,
                    Asked(name, card, models),
                    examples,
                    name=name,
                    sha256=newest_sha256(settings.repository, name),
                    parts=options.part or PARTS,
                    faults=options.faults,
                    tell=lambda line: print(line, file=sys.stderr, flush=True),
                )
            )
    write_robustness(options.out, f"{options.dataset.name}, {options.split}: {len(examples)} records", judged)
    print(f"{options.out / 'robustness.html'}: {', '.join(names)} on {len(examples):,} records")
    return 0
