"""`kensoku train`: train networks from data sets; called again with the same folder, it goes on."""

import argparse
import importlib
import os
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kensoku.cli._numbers import real, whole
from kensoku.errors import SettingInvalid
from kensoku.runtime import stop_on_signals

if TYPE_CHECKING:
    from kensoku.training.orders import Train

MODELS = {  # each a Train of kensoku.training.orders
    "picker": "kensoku.training.picker_run:train_picker",
    "phase": "kensoku.training.classifier_run:train_phase",
    "denoiser": "kensoku.training.classifier_run:train_denoiser",
    "blast": "kensoku.training.classifier_run:train_blast",
    "blast_long": "kensoku.training.classifier_run:train_blast",
}
SEVERAL = {
    "all": "kensoku.cli._train_all",
    "ablate": "kensoku.cli._train_ablate",
    "transfer": "kensoku.cli._train_transfer",
}
IN_LOG_ALONE = re.compile(r"[ps]([2-9]|1_swapped|1_excess)")


def configure(parser: argparse.ArgumentParser) -> None:
    what = "a model; all: every one in a list; ablate: one without each part of its recipe; "
    what += "transfer: a picker without each region"
    parser.add_argument("model", choices=[*MODELS, *SEVERAL], metavar="MODEL", help=f"{', '.join(MODELS)}: {what}")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML, docs/training.md")
    parser.add_argument(
        "--dataset",
        action="append",
        default=[],
        metavar="DIR",
        help="of `kensoku dataset build`; of transfer: REGION=DIR",
    )
    data = "of all: where {NAME} of its list and descriptions lies; once for each name"
    parser.add_argument("--data", action="append", default=[], metavar="NAME=DIR", help=data)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="empty, or of a run that was stopped")
    parser.add_argument("--threads", type=whole(1, 1024), default=1, metavar="N", help="of the network: %(default)s")
    parser.add_argument(
        "--processes", type=whole(1, 1024), default=1, metavar="N", help="that make batches: %(default)s"
    )
    parser.add_argument(
        "--minutes", type=real(0, 1e6, "minutes"), metavar="M", help="stop after so many; call again to go on"
    )
    parser.add_argument("--jit", action="store_true", help="compile the step with XLA, for a GPU")
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="begin with these: best.weights.h5 of a run, or model.onnx of a model, of a network of this shape; phase, "
        "denoiser and blast also with the way down of a picker's model.onnx",
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="of picker: a picker's folder in a repository, whose answers are taught beside labels; may be repeated",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="of ablate, transfer: Markdown, anew after each")
    parser.add_argument("--repository", type=Path, metavar="DIR", help="of all: where models are put and judged")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # it tells of missing GPUs otherwise
    if options.report is not None and options.model not in ("ablate", "transfer"):
        raise SettingInvalid("found --report, expected it with ablate or transfer alone; leave it out")
    if options.data and options.model != "all":
        raise SettingInvalid("found --data, expected it with all alone; name the data set with --dataset")
    if options.repository is not None and options.model != "all":
        raise SettingInvalid(
            "found --repository, expected it with all alone; `kensoku models ship` puts one model there"
        )
    if options.start is not None and options.model in SEVERAL:
        raise SettingInvalid(f"found --start, expected it with one model, not {options.model}; leave it out")
    if options.teacher and options.model != "picker":
        raise SettingInvalid(f"found --teacher, expected it with picker alone, not {options.model}; leave it out")
    with stop_on_signals() as stop:
        if options.model in SEVERAL:
            return int(importlib.import_module(SEVERAL[options.model]).execute(options, stop))
        state = run(options.model, options, stop, dataset=one_folder(options), out=options.out)
    print(f"{options.out}: {state.step:,} steps, merit {state.best_merit:.4f} at step {state.best_step:,}")
    return 0


def run(model: str, options: argparse.Namespace, stop: threading.Event, **changes: Any) -> Any:
    """The Checkpoint of one run, with fields of its Order that are not the options' own."""
    train = trainer(model)
    from kensoku.training.orders import Order

    own = {name: getattr(options, name) for name in ("config", "threads", "processes", "minutes", "jit", "start")}
    own["teachers"] = tuple(options.teacher)
    return train(Order(**(own | changes)), stop, tell)


def trainer(model: str) -> "Train":
    module, _, name = MODELS[model].partition(":")
    try:
        train: Train = getattr(importlib.import_module(module), name)  # takes seconds to import
    except ModuleNotFoundError as error:
        if error.name not in ("keras", "tensorflow"):
            raise
        raise SettingInvalid(f"found no {error.name}, expected it for training; pip install 'kensoku[train]'") from None
    return train


def one_folder(options: argparse.Namespace) -> Path:
    if len(options.dataset) != 1:
        raise SettingInvalid(f"found {len(options.dataset)} times --dataset, expected it once of {options.model}")
    return Path(options.dataset[0])


def tell(row: Mapping[str, float]) -> None:
    shown = [f"{name} {value:g}" for name, value in row.items() if not IN_LOG_ALONE.match(name)]
    print("  ".join(shown), file=sys.stderr, flush=True)
