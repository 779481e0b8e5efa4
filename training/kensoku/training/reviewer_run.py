"""Train a reviewer: a network that looks again at what a live picker finds."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import keras
import numpy as np

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.inference import open_models
from kensoku.picking import Model, ModelCard, Reviewer, read_card
from kensoku.training import datasets
from kensoku.training.backend import predictor, use_threads
from kensoku.training.batches import Recipe, batches
from kensoku.training.checkpoints import Checkpoint, Row
from kensoku.training.examples import Example, FloatArray
from kensoku.training.losses import TaughtCrossEntropy, lessons
from kensoku.training.networks import NetworkConfig, build_picker
from kensoku.training.orders import Order
from kensoku.training.picker_run import begin_with, figures, fingerprint, read_pools
from kensoku.training.review_cuts import CutMaker, ReviewConfig, mistakes_of
from kensoku.training.reviewing import Finds, finds, review
from kensoku.training.run_settings import Tables, read_tables
from kensoku.training.scores import Scores, judges_picking, labels_of, score, stretched, threshold_for
from kensoku.training.shipping import card_of_reviewer
from kensoku.training.training_loop import Plan, Run, train

RATES = (0.5, 1.0, 2.0, 4.0)  # times the false picks an hour of the plan: so few records judge that one alone is chance


@dataclass(frozen=True, slots=True)
class Settings:
    network: NetworkConfig
    recipe: Recipe
    training: Plan
    review: ReviewConfig


def read_settings(tables: Tables) -> Settings:
    tables.refuse_others(("network", "recipe", "training", "review"))
    found = Settings(
        tables.read("network", NetworkConfig),
        tables.read("recipe", Recipe),
        tables.read("training", Plan),
        tables.read("review", ReviewConfig),
    )
    if found.network.padding == "causal":
        raise tables.mistake(("network",), "found a network that looks back alone, expected one that hears both sides")
    if found.review.window % found.network.stride:
        what = f"found {found.review.window}, expected a multiple of {found.network.stride} samples"
        raise tables.mistake(("review", "window"), what)
    return found


def train_reviewer(order: Order, stop: threading.Event, tell: Callable[[Row], None]) -> Checkpoint:
    is_stopping = order.stopper(stop)
    settings = read_settings(read_tables(order.config, order.changes))
    if order.of is None:
        raise SettingInvalid("found no live picker to review; name its folder in a repository with --of")
    plan, card = settings.training, card_of_reviewer(settings.review, settings.network, "in training")
    name = order.of.name
    picker_card = read_card(order.of.parent, name)
    if picker_card.look_ahead_s is None:
        raise InputInvalid(f"{order.of}: found full context, expected a live picker; name another with --of")
    use_threads(order.threads)
    keras.utils.set_random_seed(plan.seed)
    network = build_picker(settings.network)
    begin_with(network, order.start)
    pools = read_pools(order.dataset)
    judges = [each for each in datasets.read(order.dataset, split=order.judged_by) if judges_picking(each)]
    with open_models(f"local:{order.of.parent}") as models:

        def ask(counts: FloatArray) -> FloatArray:
            return np.asarray(models.infer(name, {"counts": counts})["probabilities"], dtype=np.float32)

        judged = [_found(picker_card, ask, card, judges, stretch) for stretch in plan.stretches]
        wrong = {
            source: [(one.example, one.picks) for one in finds(picker_card, ask, card, _recorded(pool))]
            for source, pool in pools.items()
        }
    make = CutMaker(settings.review, mistakes_of(wrong))
    predict = predictor(network)

    def judge() -> dict[str, float]:
        return merits(judged, Reviewer(card, predict), plan.false_per_hour)

    def feed(step: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        made = batches(
            settings.recipe,
            pools,
            size=plan.batch,
            seed=plan.seed,
            step0=step,
            processes=order.processes,
            make=make,
        )
        with closing(made):
            for counts, targets, known, weight in made:
                yield counts, lessons(targets, known, weight)

    run = Run(
        folder=order.out,
        feed=feed,
        judge=judge if judges else None,
        fingerprint=fingerprint(settings, order.dataset, order.start),
        is_stopping=is_stopping,
        tell=tell,
        jit=order.jit,
    )
    logits = keras.Model(network.input, network.get_layer("logits").output)
    return train(network, logits, TaughtCrossEntropy(plan.onset_factor), plan, run)


def merits(judged: Sequence[Sequence[Finds]], reviewer: Reviewer, false_per_hour: float) -> dict[str, float]:
    """A row of the log: at the plan's false picks an hour; the merit is the mean of it and of other rates."""
    told = [list(review(found, reviewer)) for found in judged]
    by_rate: dict[float, list[Scores]] = {}
    for times in RATES:
        threshold = threshold_for(told[0], times * false_per_hour)
        by_rate[times] = [score(each, threshold) for each in told]
    merit = sum(each.merit for scores in by_rate.values() for each in scores) / (len(RATES) * len(judged))
    return {**figures(by_rate[1.0]), "merit": round(merit, 4)}


def _recorded(pool: Sequence[Example]) -> list[Example]:
    return [each for each in pool if not each.origin.is_simulated]


def _found(
    card: ModelCard, model: Model, reviewer: ModelCard, examples: Sequence[Example], stretch: int
) -> list[Finds]:
    """Records without a label say only how often nothing is picked, and are not played slower."""
    played = examples if stretch == 1 else [stretched(each, stretch) for each in examples if labels_of(each)]
    return list(finds(card, model, reviewer, played, stretch))
