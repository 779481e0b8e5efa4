"""`kensoku evaluate denoiser`: how many false classic picks a denoiser removes, how many real ones it loses."""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kensoku.cli._evaluate_records import refuse_classes
from kensoku.cli._models import AskSettings
from kensoku.cli._models_judge import with_data, write_card
from kensoku.cli._models_run import NOISE_OR_ONSET, Asked, card_of
from kensoku.cli._numbers import real
from kensoku.cli._outputs import refuse_folder
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.inference import open_models
from kensoku.picking import CARD, ModelCard, PhasePair
from kensoku.settings import add_flags, load_settings, overrides

if TYPE_CHECKING:
    from kensoku.training.evaluation.denoiser import JudgedCut

DENOISER = "denoiser"


def add_action(actions: Any) -> None:
    command = actions.add_parser(DENOISER, help="judge a denoiser by classic picks on continuous records")
    command.add_argument(
        "--records", action="append", default=[], metavar="FILE[,PICKS[,EXCLUDED]]", help="miniSEED; csv tables"
    )
    command.add_argument("--dataset", type=Path, metavar="DIR", help="its labelled windows and its records of spikes")
    command.add_argument("--split", default="develop", help="of the data set: %(default)s")
    command.add_argument("--spikes", default="spikes", metavar="SOURCE", help="of the data set: %(default)s")
    command.add_argument("--model", default=DENOISER, metavar="NAME", help="of the repository: %(default)s")
    command.add_argument(
        "--threshold", type=real(0, 1), metavar="X", help="of an onset's probability; default: the card's"
    )
    command.add_argument(
        "--settle",
        action="store_true",
        help="write the threshold that loses less than 0.3 %% of real, clear picks into the model's card",
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for MODEL.html and MODEL.json")
    add_flags(command, AskSettings, only=["models", "model_repository"])
    command.set_defaults(execute=evaluate_denoiser)


def evaluate_denoiser(options: argparse.Namespace) -> int:
    refuse_folder(options.out)
    try:
        from kensoku.classic import ClassicSettings
        from kensoku.training.evaluation import denoiser, denoiser_records
        from kensoku.training.evaluation.denoiser_report import groups, write_denoiser_report
    except ModuleNotFoundError as error:
        if error.name not in ("h5py", "matplotlib", "obspy"):
            raise
        raise SettingInvalid(f"found no {error.name}, expected it; pip install 'kensoku[train]'") from None
    settings, classic = load_settings(AskSettings, overrides(options, AskSettings)), ClassicSettings()
    card = card_of(settings.repository, options.model, "classifier")
    refuse_classes(options.model, card, NOISE_OR_ONSET)
    threshold = card.threshold.p if options.threshold is None else options.threshold
    window = card.geometry.window
    if not options.records and options.dataset is None:
        raise SettingInvalid("found neither --records nor --dataset, expected one of them to judge by")
    continuous = []
    for given in options.records:
        records, picks, excluded = ([Path(part) if part else None for part in given.split(",")] + [None] * 2)[:3]
        if records is None:
            raise SettingInvalid(f"--records {given!r}: expected FILE, FILE,PICKS or FILE,PICKS,EXCLUDED")
        continuous += denoiser_records.read_materials(records, picks, excluded)
    labelled, spikes = _examples(options)
    materials = continuous + [denoiser.of_example(each, str(number)) for number, each in enumerate(labelled)]
    found = []
    for number, material in enumerate(materials):
        materials[number] = denoiser.picked(material, classic)
        found += list(denoiser.classic_cuts(materials[number], window))
        if (number + 1) % 20 == 0 or number + 1 == len(materials):
            print(f"{number + 1} of {len(materials)} records: {len(found):,} picks", file=sys.stderr, flush=True)
    continuous = materials[: len(continuous)]
    found += list(denoiser.planted_cuts(continuous or materials, classic, window))
    found += list(denoiser.spike_cuts(spikes, continuous or materials, classic, window))
    found += list(denoiser.alone(spikes, window))
    if not found:
        raise InputInvalid("found no classic pick that is known to be real or false, expected some; give more records")
    with open_models(settings.url) as models:
        cuts = denoiser.judge(card, Asked(options.model, card, models), found)
    title = f"{options.model} on {len(materials)} records and {len(spikes)} of spikes"
    write_denoiser_report(options.out, options.model, title, threshold, cuts)
    for name, chosen in groups(cuts).items():
        share = denoiser.share_of(chosen, threshold)
        print(f"{name:<40} {share.count:6,} picks, noise {share.share:.3f} ({share.low:.3f} to {share.high:.3f})")
    print(f"{options.out / options.model}.html: threshold {threshold:.3g}")
    if options.settle:
        settle(settings.repository / options.model / CARD, card, cuts, options.dataset)
    return 0


def settle(path: Path, card: ModelCard, cuts: "Sequence[JudgedCut]", dataset: Path | None = None) -> None:
    """The card with the highest threshold that keeps what is real and clear, and with what it removes."""
    from kensoku.training.evaluation.denoiser import share_of
    from kensoku.training.evaluation.denoiser_report import SETTLED, groups, highest_threshold

    best = highest_threshold(cuts, SETTLED)
    if not math.isfinite(best):
        raise InputInvalid("--settle: found no real pick of high SNR, expected some; give records and picks")
    shares = {name: share_of(chosen, best) for name, chosen in list(groups(cuts).items())[:3]}
    metrics = {f"called noise: {name}": round(share.share, 4) for name, share in shares.items()}
    best = math.floor(best * 1000) / 1000
    card = replace(card, threshold=PhasePair(p=best, s=best), metrics=metrics)
    write_card(path.parent, card if dataset is None else with_data(card, dataset))
    print(f"{path}: threshold {best:g}")


def _examples(options: argparse.Namespace) -> tuple[list[Any], list[Any]]:
    """Of the data set: labelled records, and those of spikes."""
    if options.dataset is None:
        return [], []
    from kensoku.training import datasets
    from kensoku.training.scores import judges_picking

    recorded = [each for each in datasets.read(options.dataset, split=options.split) if not each.origin.is_simulated]
    spikes = [each for each in recorded if each.origin.source == options.spikes]
    return [each for each in recorded if each.onsets and judges_picking(each)], spikes
