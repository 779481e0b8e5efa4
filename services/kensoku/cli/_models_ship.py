"""`kensoku models ship`: put a trained network into the model repository."""

import argparse
import re
import warnings
from pathlib import Path
from typing import Any

from kensoku.cli._evaluate_records import newest_sha256
from kensoku.cli._models import AskSettings
from kensoku.cli._models_judge import data_sha256
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.settings import add_flags, load_settings, overrides

NEXT = {  # by what a classifier tells; of a picker and of any other first
    (): "`kensoku models judge {name} --dataset DIR` for its threshold and calibration",
    ("noise", "P", "S"): "`kensoku models judge {name} --dataset DIR` for its scores",
    ("noise", "onset"): "`kensoku evaluate denoiser --model {name} --settle ...` for its threshold",
    ("earthquake", "blast"): "`kensoku evaluate blasts --model {name} --settle ...` for its threshold",
}


def add_action(actions: Any) -> None:
    action = actions.add_parser("ship", help="write a trained network, checked, into the model repository")
    action.add_argument("name", metavar="NAME", help="its folder there; beside several versions it is the next")
    action.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML of its training")
    action.add_argument("--weights", type=Path, required=True, metavar="FILE", help="best.weights.h5 of the run")
    classes = "of a network that judges cuts as a whole: what its answers are called, such as noise,P,S"
    action.add_argument("--classes", type=names_in, metavar="NAMES", help=classes)
    action.add_argument(
        "--last", type=int, metavar="SAMPLES", help="of a live picker: it tells of the end of its window alone"
    )
    action.add_argument("--dataset", type=Path, metavar="DIR", help="that it was trained with, for its card")
    taught = "a picker's folder that taught it, for its card; may be repeated"
    action.add_argument("--teacher", type=Path, action="append", default=[], metavar="DIR", help=taught)
    action.add_argument("--description", required=True, metavar="TEXT", help="one line, for configuration and card")
    add_flags(action, AskSettings, only=["model_repository"])
    action.set_defaults(execute=ship_model)


def names_in(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected different names separated by commas")
    return names


def ship_model(options: argparse.Namespace) -> int:
    repository = load_settings(AskSettings, overrides(options, AskSettings)).model_repository
    if not re.fullmatch(r"[A-Za-z0-9]\w*", options.name):
        raise SettingInvalid(f"NAME: found {options.name!r}, expected letters, digits and _")
    try:
        from kensoku.training.networks import ClassifierConfig, NetworkConfig, build_classifier, build_picker
        from kensoku.training.run_settings import read_tables
        from kensoku.training.shipping import ship
    except ModuleNotFoundError as error:
        if error.name not in ("keras", "tensorflow", "onnx"):
            raise
        raise SettingInvalid(f"found no {error.name}, expected it for networks; pip install 'kensoku[train]'") from None
    if options.classes and (options.last is not None or options.teacher):
        name = "--last" if options.last is not None else "--teacher"
        raise SettingInvalid(f"{name}: found it with --classes, expected it of a picker alone")
    tables = read_tables(options.config)
    config: NetworkConfig | ClassifierConfig
    if options.classes:
        config = tables.read("network", ClassifierConfig)
        network = build_classifier(config)
    else:
        config = tables.read("network", NetworkConfig)
        network = build_picker(config)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras warns of weights that it has not found
            network.load_weights(options.weights)
    except (OSError, ValueError, UserWarning) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputInvalid(
            f"{options.weights}: expected weights of the network in {options.config}: {reason}"
        ) from None
    card = ship(
        repository,
        options.name,
        network,
        config,
        options.description,
        options.last,
        classes=options.classes or (),
        data_sha256=data_sha256(options.dataset) if options.dataset else "",
        teachers={folder.name: newest_sha256(folder.parent, folder.name) for folder in options.teacher},
    )
    print(f"{repository / options.name}: {network.count_params():,} parameters, a {card.kind}")
    if card.limits:
        print(f"its card's limits are of the model before, read whether they hold: {card.limits}")
    print(f"next: {NEXT.get(card.classes, NEXT[()]).format(name=options.name)}")
    return 0
