"""`kensoku train ablate`: short trainings without a part of the recipe each, and a table of what that cost."""

import argparse
import sys
import threading
import time
from collections.abc import Mapping

from kensoku.cli.train import MODELS, one_folder, run, trainer
from kensoku.errors import SettingInvalid


def execute(options: argparse.Namespace, stop: threading.Event) -> int:
    trainer("picker")  # tells what is not installed
    from kensoku.training.ablation import read_ablation, refuse_mistakes, refuse_unjudged, table, trials
    from kensoku.training.checkpoints import write_whole
    from kensoku.training.run_settings import read_tables

    tables = read_tables(options.config)
    ablation = read_ablation(tables)
    if ablation.model not in MODELS:
        raise SettingInvalid(f"{options.config}: found model {ablation.model!r}, expected one of {', '.join(MODELS)}")
    folder, found = one_folder(options), dict[tuple[str, int], Mapping[str, float]]()
    refuse_mistakes(ablation, tables)
    refuse_unjudged(ablation, folder)
    ends = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    for trial in trials(ablation):
        options.minutes = None if ends is None else max(0.0, (ends - time.monotonic()) / 60)
        print(f"{trial.variant}, seed {trial.seed}", file=sys.stderr)
        state = run(
            ablation.model,
            options,
            stop,
            config=ablation.config,
            dataset=folder,
            out=options.out / trial.folder,
            judged_by=ablation.judged_by,
            changes=trial.changes,
        )
        if not state.history or "merit" not in state.history[-1]:
            break
        found[trial.variant, trial.seed] = state.history[-1]
        if options.report is not None:
            write_whole(options.report, lambda path: path.write_text(table(found)))
    print(table(found), end="")
    return 0
