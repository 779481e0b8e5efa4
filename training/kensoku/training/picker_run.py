"""Train a picker from a file of settings and a data set."""

import hashlib
import json
import sys
import threading
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras

from kensoku.errors import InputInvalid
from kensoku.training import datasets
from kensoku.training.backend import predictor, use_threads
from kensoku.training.batches import Pools, Recipe, absent, batches
from kensoku.training.checkpoints import Checkpoint, Row
from kensoku.training.examples import Example, FloatArray
from kensoku.training.losses import TaughtCrossEntropy, lessons
from kensoku.training.networks import NetworkConfig, build_picker
from kensoku.training.orders import Order
from kensoku.training.run_settings import Tables, read_tables
from kensoku.training.scores import Scores, judges_picking, labels_of, score_stretched
from kensoku.training.shipped_weights import SUFFIX, load_graph
from kensoku.training.teachers import Teachers
from kensoku.training.training_loop import Plan, Run, train


@dataclass(frozen=True, slots=True)
class Settings:
    network: NetworkConfig
    recipe: Recipe
    training: Plan


def read_settings(tables: Tables) -> Settings:
    tables.refuse_others(("network", "recipe", "training"))
    network, recipe = tables.read("network", NetworkConfig), tables.read("recipe", Recipe)
    if recipe.length % network.stride:
        expected = f"expected a multiple of {network.stride}, the network's stride"
        raise tables.mistake(("recipe", "length"), f"found {recipe.length}, {expected}")
    return Settings(network, recipe, tables.read("training", Plan))


def train_picker(order: Order, stop: threading.Event, tell: Callable[[Row], None]) -> Checkpoint:
    """Writes checkpoints, a log and weights to the folder; ends early at a signal or when the minutes have passed."""
    is_stopping = order.stopper(stop)
    settings = read_settings(read_tables(order.config, order.changes))
    plan = settings.training
    use_threads(order.threads)
    keras.utils.clear_session()  # of an earlier run of this process
    keras.utils.set_random_seed(plan.seed)
    keras.config.set_dtype_policy("mixed_bfloat16" if plan.mixed_precision else "float32")
    picker = build_picker(settings.network)
    begin_with(picker, order.start)
    pools = read_pools(order.dataset)
    tell_absent(settings.recipe, pools, order.dataset)
    judges = [each for each in datasets.read(order.dataset, split=order.judged_by) if judges_picking(each)]
    if not any(labels_of(each) for each in judges):
        tell_unjudged("label of a recorded wave", order)
    predict = predictor(picker)
    teachers = Teachers(order.teachers, plan.teacher_share) if order.teachers else None
    delay = settings.network.delay

    def judge() -> dict[str, float]:
        return figures(score_stretched(predict, judges, plan.false_per_hour, plan.stretches, delay))

    def feed(step: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        made = batches(
            settings.recipe,
            pools,
            size=plan.batch,
            seed=plan.seed,
            step0=step,
            processes=order.processes,
            change=teachers.taught if teachers else None,
        )
        with closing(made):
            for counts, targets, known, weight in made:
                yield counts, lessons(targets, known, weight, delay)

    run = Run(
        folder=order.out,
        feed=feed,
        judge=judge if judges else None,
        fingerprint=fingerprint(settings, order.dataset, order.start, teachers.hashes() if teachers else ()),
        is_stopping=is_stopping,
        tell=tell,
        jit=order.jit,
    )
    logits = keras.Model(picker.input, picker.get_layer("logits").output)
    return train(picker, logits, TaughtCrossEntropy(plan.onset_factor), plan, run)


def read_pools(folder: Path) -> dict[str, list[Example]]:
    pools = defaultdict(list)
    for example in datasets.read(folder, split="train"):
        pools[example.origin.source].append(example)
    if not pools:
        raise InputInvalid(f"{folder}: found no example to train on, expected some in split train; build it anew")
    return dict(pools)


def tell_absent(recipe: Recipe, pools: Pools, folder: Path) -> None:
    """What the mix has and the data set lacks, and what teaches nothing since the mix says nothing of it."""
    if names := absent(recipe, pools):
        told = f"recipe.mix: found no {', '.join(names)} in {folder}, expected some; going on with {', '.join(pools)}"
        print(told, file=sys.stderr, flush=True)
    if names := [name for name in pools if name not in recipe.mix]:
        told = f"recipe.mix: found nothing of {', '.join(names)} of {folder}, expected a share; going on without"
        print(told, file=sys.stderr, flush=True)


def tell_unjudged(what: str, order: Order) -> None:
    print(
        f"{order.dataset}: found no {what} in split {order.judged_by}, expected some to judge by; going on, and "
        "nothing tells which weights are the best; build a data set with a larger develop_share",
        file=sys.stderr,
        flush=True,
    )


def figures(scores: Sequence[Scores]) -> dict[str, float]:
    """One row of the log; the merit is the mean over records as they are and slower."""
    row = {
        "merit": sum(each.merit for each in scores) / len(scores),
        "threshold": scores[0].threshold,
        "false_per_hour": scores[0].false_picks_per_hour,
    }
    for each in scores:
        for phase, found in (("p", each.p), ("s", each.s)):
            row |= {
                f"{phase}{each.stretch}_recall": found.recall,
                f"{phase}{each.stretch}_near": found.recall_near,
                f"{phase}{each.stretch}_mae_s": found.mae_s,
                f"{phase}{each.stretch}_swapped": found.swapped,
                f"{phase}{each.stretch}_excess": found.excess,
            }
    return {name: round(value, 4) for name, value in row.items()}


def begin_with(network: keras.Model, start: Path | None) -> None:
    """The weights of a network that was trained before, or of a model's graph, if one is named."""
    if start is None:
        return
    if start.suffix == SUFFIX:
        load_graph(network, start)
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it loads a part of the weights with a warning
            network.load_weights(start)
    except (OSError, ValueError, UserWarning) as error:
        what = "expected weights of the network that the settings describe, as best.weights.h5 of another run"
        raise InputInvalid(f"{start}: {what}; found: {error}") from None


def fingerprint(settings: Settings, dataset: Path, start: Path | None = None, teachers: Sequence[str] = ()) -> str:
    """Of everything that decides what the weights become, but for the machine."""
    plan = settings.training.model_dump(exclude=set() if teachers else {"teacher_share"})
    parts = [_plain(settings.network), _plain(settings.recipe), plan, datasets.read_finished(dataset)]
    parts += [] if start is None else [{"start": hashlib.sha256(start.read_bytes()).hexdigest()}]
    parts += [{"teachers": list(teachers)}] if teachers else []
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


def _plain(settings: Any) -> Mapping[str, Any]:
    return settings.model_dump() if hasattr(settings, "model_dump") else asdict(settings)
