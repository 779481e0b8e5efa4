"""`kensoku models judge`: threshold, calibration and scores of a picker, into its card."""

import argparse
import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from kensoku.cli._models import AskSettings
from kensoku.cli._models_run import LIVE_PICKER, Asked, card_of, classes_of
from kensoku.cli._numbers import real, share
from kensoku.errors import InputInvalid, ModelRefused
from kensoku.inference import open_models
from kensoku.picking import CARD, ModelCard, PhasePair, read_card
from kensoku.settings import add_flags, load_settings, overrides
from kensoku.whole_files import written_whole


def add_action(actions: Any) -> None:
    about = "write threshold, calibration and scores of a picker into its card, or the scores of a phase model"
    action = actions.add_parser("judge", help=about)
    action.add_argument("model", metavar="MODEL", help="its folder in the repository, with graph and card")
    action.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="of `kensoku dataset build`")
    action.add_argument("--split", default="develop", help="that has the judges: %(default)s")
    action.add_argument("--without", action="append", default=[], metavar="SOURCE", help="leave out its records")
    action.add_argument(
        "--false-per-hour",
        type=real(0, 1e6, "picks an hour"),
        default=3.0,
        metavar="N",
        help="picks in quiet: %(default)s",
    )
    few = "below which none is chosen, for an hour of quiet may have none by luck: %(default)s"
    action.add_argument("--least-threshold", type=real(0, 1), default=0.3, metavar="X", help=few)
    add_flags(action, AskSettings, only=["models", "model_repository"])
    action.set_defaults(execute=judge)
    settle = actions.add_parser("settle", help="write the threshold of live picking's first stage into its card")
    settle.add_argument("model", metavar="MODEL", help="its folder in the repository, e.g. picker_first")
    settle.add_argument("--final", default=LIVE_PICKER, metavar="MODEL", help="that decides: %(default)s")
    settle.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="of `kensoku dataset build`")
    settle.add_argument("--split", default="develop", help="that has the judges: %(default)s")
    kept = "share of what the final stage gets right that must come through: %(default)s"
    settle.add_argument("--kept", type=share, default=0.99, metavar="X", help=kept)
    add_flags(settle, AskSettings, only=["models", "model_repository"])
    settle.set_defaults(execute=settle_first)


def judge(options: argparse.Namespace) -> int:
    settings = load_settings(AskSettings, overrides(options, AskSettings))
    if read_card(settings.repository, options.model).kind == "classifier":
        return judge_classifier(options, settings)
    from kensoku.training import datasets
    from kensoku.training.release import complete
    from kensoku.training.scores import judges_picking

    card = card_of(settings.repository, options.model, "picker")
    sources = datasets.sources_but(options.dataset, options.without)
    examples = list(filter(judges_picking, datasets.read(options.dataset, split=options.split, sources=sources)))
    with open_models(settings.url) as models:
        limits = {"false_per_hour": options.false_per_hour, "least_threshold": options.least_threshold}
        card = complete(card, Asked(options.model, card, models), examples, **limits)
    path = write_card(settings.repository / options.model, with_data(card, options.dataset))
    for name in (
        "p.recall",
        "p.recall_near",
        "p.mae_s",
        "s.recall",
        "s.recall_near",
        "s.mae_s",
        "false_picks_per_hour",
    ):
        print(f"{name:<22} {card.metrics.get(name, float('nan')):.3f}")
    print(f"{path}: threshold {card.threshold.p:g}")
    return 0


def judge_classifier(options: argparse.Namespace, settings: AskSettings) -> int:
    """Of noise, P and S, where the most probable is told: its threshold stays."""
    from kensoku.training import datasets
    from kensoku.training.evaluation import KINDS, judge_cuts

    card = card_of(settings.repository, options.model, "classifier")
    if classes_of(options.model, card) != KINDS:
        raise ModelRefused(
            f"model {options.model!r}: found the classes {', '.join(card.classes)}, expected a picker or "
            f"{', '.join(KINDS)}; see --settle of `kensoku evaluate denoiser` and `kensoku evaluate blasts`"
        )
    sources = datasets.sources_but(options.dataset, options.without)
    read = datasets.read(options.dataset, split=options.split, sources=sources)
    examples = [each for each in read if not each.origin.is_simulated]
    with open_models(settings.url) as models:
        results = judge_cuts(card, Asked(options.model, card, models), examples)
    if not len(results.kind):
        raise InputInvalid(
            f"{options.dataset}: found no recorded cut to judge by in split {options.split!r}, expected some"
        )
    rows = zip(KINDS, results.confusion().tolist(), strict=False)
    right = {f"{kind.lower()}.right": row[n] / sum(row) for n, (kind, row) in enumerate(rows) if sum(row)}
    found = {
        name: value for name, value in {"balanced": results.balanced()[0], **right}.items() if math.isfinite(value)
    }
    card = replace(card, metrics={name: round(value, 4) for name, value in found.items()})
    path = write_card(settings.repository / options.model, with_data(card, options.dataset))
    for name, value in found.items():
        print(f"{name:<22} {value:.3f}")
    print(path)
    return 0


def settle_first(options: argparse.Namespace) -> int:
    from kensoku.training import datasets
    from kensoku.training.first_stage import settle
    from kensoku.training.scores import judges_picking

    settings = load_settings(AskSettings, overrides(options, AskSettings))
    first, final = (card_of(settings.repository, name, "picker") for name in (options.model, options.final))
    examples = list(filter(judges_picking, datasets.read(options.dataset, split=options.split)))
    with open_models(settings.url) as models:
        asked = [Asked(name, card, models) for name, card in ((options.model, first), (options.final, final))]
        found = settle(first, asked[0], final, asked[1], examples, options.kept)
    figures = {"first.right": found.right, "first.kept": found.kept, "first.passing": found.passing}
    threshold, metrics = PhasePair(p=found.threshold, s=found.threshold), dict(first.metrics)
    metrics |= {name: round(float(value), 4) for name, value in figures.items()}
    card = with_data(replace(first, threshold=threshold, metrics=metrics), options.dataset)
    path = write_card(settings.repository / options.model, card)
    print(f"{found.kept:.1%} of {found.right} right picks of {options.final} come through")
    print(f"{found.passing:.1%} of quiet seconds are passed on")
    print(f"{path}: threshold {found.threshold:g}")
    return 0


def with_data(card: ModelCard, dataset: Path) -> ModelCard:
    """A new card takes the data set for the one of its training; one that knows its own may be judged by others."""
    sha256 = data_sha256(dataset)
    if card.data_sha256 and card.data_sha256 != sha256:
        print(f"data_sha256 stays {card.data_sha256[:12]}, of the training; {dataset} has {sha256[:12]}")
    return card if card.data_sha256 else replace(card, data_sha256=sha256)


def data_sha256(dataset: Path) -> str:
    """Of the manifest of a data set that is whole."""
    from kensoku.training import datasets

    datasets.read_finished(dataset)
    return hashlib.sha256((dataset / "manifest.json").read_bytes()).hexdigest()


def write_card(folder: Path, card: ModelCard) -> Path:
    path = folder / CARD
    with written_whole(path) as temporary:
        temporary.write_text(card.to_json(), encoding="utf-8")
    return path
