"""`kensoku train`: train a network from a data set; called again with the same folder, it goes on."""

import argparse
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from kensoku.errors import SettingInvalid
from kensoku.runtime import stop_on_signals

IN_LOG_ALONE = re.compile(r"[ps]([2-9]|1_swapped|1_excess)")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", choices=["picker"], help="what to train")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML: network, recipe, training")
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="that `kensoku dataset build` wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="empty, or of a run that was stopped")
    parser.add_argument("--threads", type=positive, default=1, metavar="N", help="of the network: %(default)s")
    parser.add_argument("--processes", type=positive, default=1, metavar="N", help="that make batches: %(default)s")
    parser.add_argument("--minutes", type=float, metavar="M", help="stop after so many; call again to go on")
    parser.add_argument("--jit", action="store_true", help="compile the step; pays on a GPU")
    parser.set_defaults(execute=execute)


def positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1 to 1024")
    return int(text)


def execute(options: argparse.Namespace) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # it tells of missing GPUs otherwise
    try:
        from kensoku.training.picker_run import Order, train_picker  # takes seconds to import
    except ModuleNotFoundError as error:
        if error.name not in ("keras", "tensorflow"):
            raise
        raise SettingInvalid(f"found no {error.name}, expected it for training; pip install 'kensoku[train]'") from None
    order = Order(
        config=options.config,
        dataset=options.dataset,
        out=options.out,
        threads=options.threads,
        processes=options.processes,
        minutes=options.minutes,
        jit=options.jit,
    )
    with stop_on_signals() as stop:
        state = train_picker(order, stop, tell)
    print(f"{options.out}: {state.step:,} steps, merit {state.best_merit:.4f} at step {state.best_step:,}")
    return 0


def tell(row: Mapping[str, float]) -> None:
    shown = [f"{name} {value:g}" for name, value in row.items() if not IN_LOG_ALONE.match(name)]
    print("  ".join(shown), file=sys.stderr, flush=True)
