"""Train networks that judge cuts: noise, P or S; noise or an onset; an earthquake or a blast."""

import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

import keras
import numpy as np
from keras import ops

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.training import datasets
from kensoku.training.backend import predictor, use_threads
from kensoku.training.batches import Recipe, batches, to_batch
from kensoku.training.checkpoints import Checkpoint, Row
from kensoku.training.cuts import (
    CLASSES,
    NOISE,
    SPIKED,
    Cut,
    Record,
    Task,
    cut_blasts,
    cut_classes,
    is_of_extrema,
    records_of,
    spiked,
    stacked,
)
from kensoku.training.examples import Example, FloatArray
from kensoku.training.networks import ClassifierConfig, build_classifier
from kensoku.training.orders import Order
from kensoku.training.picker_run import begin_with, fingerprint, tell_absent, tell_unjudged
from kensoku.training.run_settings import read_tables
from kensoku.training.shipped_weights import SUFFIX, load_way_down
from kensoku.training.training_loop import Plan, Run, train

EACH = 6  # cuts asked of a record
BLAST_CUTS = 3  # the same of a short window around P
LOST = 0.01  # of what is to be kept, where it is told how much of the rest goes
JUDGED_AT_ONCE = 256
LEAST_LENGTH = 3000  # samples of a record that judges
LEAST_WEIGHT = 0.5  # of a cut that judges: trusted, and its onset seen


@dataclass(frozen=True, slots=True)
class Settings:
    network: ClassifierConfig
    recipe: Recipe
    training: Plan


def train_phase(order: Order, stop: threading.Event, tell: Callable[[Row], None]) -> Checkpoint:
    return _train("phase", order, stop, tell)


def train_denoiser(order: Order, stop: threading.Event, tell: Callable[[Row], None]) -> Checkpoint:
    return _train("denoiser", order, stop, tell)


def train_blast(order: Order, stop: threading.Event, tell: Callable[[Row], None]) -> Checkpoint:
    """On simulated records alone: no labelled recorded blasts are known to us."""
    return _train("blast", order, stop, tell)


def classes_of(model: str) -> tuple[str, ...]:
    """What the answers of a model of `kensoku train` are called, in their order."""
    return CLASSES["blast" if model == "blast_long" else cast(Task, model)]


def _train(task: Task, order: Order, stop: threading.Event, tell: Callable[[Row], None]) -> Checkpoint:
    is_stopping = order.stopper(stop)
    settings = read_settings(task, order)
    plan = settings.training
    use_threads(order.threads)
    keras.utils.set_random_seed(plan.seed)
    network = build_classifier(settings.network)
    if order.start is None or order.start.suffix != SUFFIX or not load_way_down(network, order.start):
        begin_with(network, order.start)
    pools = read_pools(order, task)
    if task != "blast":  # which takes as many of either kind
        tell_absent(settings.recipe, pools, order.dataset)
    judges = judging_cuts(task, order, settings.network.window)
    answers = {cut.answer for cut in judges}
    if missing := [name for number, name in enumerate(CLASSES[task]) if number not in answers]:
        tell_unjudged(f"cut of {', '.join(missing)}", order)
    predict = predictor(network)

    def feed(step: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        made = blasts(settings, pools, order, step) if task == "blast" else cuts(task, settings, pools, order, step)
        with closing(made):
            for number, found in enumerate(made, start=step):
                chance = np.random.default_rng([plan.seed, number, 1])
                yield stacked(balanced(found, len(CLASSES[task]), plan.batch, chance), len(CLASSES[task]))

    run = Run(
        folder=order.out,
        feed=feed,
        judge=(lambda: figures(task, predict, judges)) if judges else None,
        fingerprint=fingerprint(settings, order.dataset, order.start),  # type: ignore[arg-type]  # of the same three tables
        is_stopping=is_stopping,
        tell=tell,
        jit=order.jit,
    )
    logits = keras.Model(network.input, network.get_layer("logits").output)
    return train(network, logits, CutCrossEntropy(), plan, run)


def read_settings(task: Task, order: Order) -> Settings:
    tables = read_tables(order.config, order.changes)
    tables.refuse_others(("network", "recipe", "training"))
    network, recipe = tables.read("network", ClassifierConfig), tables.read("recipe", Recipe)
    if network.classes != len(CLASSES[task]):
        names = ", ".join(CLASSES[task])
        raise SettingInvalid(
            f"{order.config}: network: found classes = {network.classes}, expected {len(CLASSES[task])} ({names})"
        )
    if network.window > recipe.length:
        raise SettingInvalid(
            f"{order.config}: found windows of {network.window} samples in records of {recipe.length}; "
            "expected longer records; give another [recipe] length"
        )
    return Settings(network, recipe, tables.read("training", Plan))


def read_pools(order: Order, task: Task) -> dict[str, list[Example]]:
    """By source; of blasts by what shook, and the noise that is laid over them."""
    pools = defaultdict(list)
    for example in datasets.read(order.dataset, split="train"):
        origin = example.origin
        if task != "blast":
            pools[origin.source].append(example)
        elif origin.kind == "noise" or (origin.is_simulated and origin.kind in CLASSES["blast"]):
            pools[origin.kind].append(example)
    if missing := [name for name in CLASSES["blast"] if task == "blast" and name not in pools]:
        raise InputInvalid(f"{order.dataset}: found no simulated {' or '.join(missing)}, expected some; build it anew")
    if not pools:
        raise InputInvalid(f"{order.dataset}: found no example to train on, expected some in split train")
    return dict(pools)


def cuts(
    task: Task, settings: Settings, pools: Mapping[str, list[Example]], order: Order, step: int
) -> Generator[list[Cut], None, None]:
    plan, window = settings.training, settings.network.window
    size = max(1, plan.batch // 4)  # of some a cut is taken twice
    made = batches(settings.recipe, pools, size=size, seed=plan.seed, step0=step, processes=order.processes)
    peaks = [each.counts[0] for pool in pools.values() for each in pool if task == "denoiser" and is_of_extrema(each)]
    with closing(made):
        for number, batch in enumerate(made, start=step):
            chance = np.random.default_rng([plan.seed, number])
            found = cut_classes(records_of(batch), task, window, EACH, chance)
            yield with_spikes(found, peaks, chance) if peaks else found


def with_spikes(found: Sequence[Cut], peaks: Sequence[FloatArray], chance: np.random.Generator) -> list[Cut]:
    """Over some of the noise."""
    return [spiked(cut, peaks, chance) if cut.answer == NOISE and chance.random() < SPIKED else cut for cut in found]


def blasts(
    settings: Settings, pools: Mapping[str, list[Example]], order: Order, step: int
) -> Generator[list[Cut], None, None]:
    """Earthquakes and blasts through the same changes; nothing is laid over them but noise."""
    plan, window = settings.training, settings.network.window
    each = BLAST_CUTS if window < LEAST_LENGTH else 1  # of a record; a long window is all of it
    with ExitStack() as stack:
        streams = []
        for kind in CLASSES["blast"]:
            recipe = replace(settings.recipe, mix={kind: 1.0}, superimpose=0.0)
            made = batches(
                recipe, pools, size=max(1, plan.batch // 2), seed=plan.seed, step0=step, processes=order.processes
            )
            streams.append(stack.enter_context(closing(made)))
        for number, both in enumerate(zip(*streams, strict=True), start=step):
            chance = np.random.default_rng([plan.seed, number])
            yield [
                cut
                for answer, batch in enumerate(both)
                for records in [records_of(batch)]
                for cut in cut_blasts([*records] * each, answer, window, chance)
            ]


def balanced(found: Sequence[Cut], classes: int, size: int, chance: np.random.Generator) -> list[Cut]:
    """So many, of all classes alike where there are any."""
    by_class = [[cut for cut in found if cut.answer == answer] for answer in range(classes)]
    there = [each for each in by_class if each]
    if not there:
        raise SettingInvalid("recipe: found no cut of any class in a batch, expected some; take a larger batch")
    return [each[chance.integers(len(each))] for number in range(size) for each in [there[number % len(there)]]]


class CutCrossEntropy(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """From lessons (batch, classes + 1) and logits (batch, classes, 1)."""

    def __init__(self, name: str = "cut_cross_entropy") -> None:
        super().__init__(name=name, reduction="sum")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        answer, weight = y_true[:, :-1], y_true[:, -1]
        each = -ops.sum(answer * ops.log_softmax(y_pred[:, :, 0], axis=1), axis=1)
        return ops.sum(each * weight) / ops.maximum(ops.sum(weight), 1e-9)


# --- judging ----------------------------------------------------------------------------------------------------------


def judging_cuts(task: Task, order: Order, window: int) -> list[Cut]:
    """The same ones at every look. Recorded, but for blasts."""
    chance, made = np.random.default_rng(0), list[Cut]()
    for example in datasets.read(order.dataset, split=order.judged_by):
        origin = example.origin
        if example.length < min(LEAST_LENGTH, window) or origin.is_simulated != (task == "blast"):
            continue
        records: list[Record] = records_of(to_batch([example]))
        if task != "blast":
            made += [cut for cut in cut_classes(records, task, window, EACH, chance) if cut.weight >= LEAST_WEIGHT]
        elif origin.kind in CLASSES["blast"]:
            made += cut_blasts(records, CLASSES["blast"].index(origin.kind), window, chance)
    return made


def figures(task: Task, predict: Callable[[FloatArray], FloatArray], judges: Sequence[Cut]) -> dict[str, float]:
    """Share of each class that is told right; the merit is their mean."""
    told = np.concatenate([predict(np.stack([cut.counts for cut in some]))[:, :, 0] for some in _parts(judges)])
    answers = np.array([cut.answer for cut in judges])
    right = told.argmax(axis=1) == answers
    recalls = {name: float(right[answers == n].mean()) for n, name in enumerate(CLASSES[task]) if (answers == n).any()}
    row = {"merit": sum(recalls.values()) / len(recalls), **recalls}
    if task != "phase" and len(recalls) > 1:
        kept = "onset" if task == "denoiser" else "earthquake"
        row["removed"] = removed(told[:, CLASSES[task].index(kept)], answers == CLASSES[task].index(kept))
    return {name: round(value, 4) for name, value in row.items()}


def removed(kept_probability: FloatArray, is_kept: Any) -> float:
    """Share of the others below the probability under which 1 % of what is to be kept lies."""
    threshold = np.quantile(kept_probability[is_kept], LOST)
    return float((kept_probability[~is_kept] < threshold).mean())


def _parts(judges: Sequence[Cut]) -> Iterator[list[Cut]]:
    every = iter(judges)
    while part := list(islice(every, JUDGED_AT_ONCE)):
        yield part
