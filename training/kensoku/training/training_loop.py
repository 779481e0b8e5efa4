"""Train a network in short epochs: each draws anew from what there is, is judged on records kept apart, and is kept."""

import csv
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
from keras import ops
from pydantic import BaseModel, ConfigDict, Field

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.training.checkpoints import Average, Checkpoint, Row, read_checkpoint, write_checkpoint, write_whole
from kensoku.training.examples import FloatArray

Feed = Callable[[int], Iterator[tuple[FloatArray, FloatArray]]]  # from a step on: counts and lessons
Judge = Callable[[], Mapping[str, float]]  # figures of the network as it is, `merit` (0 to 1) among them

CHECKPOINT, BEST, LAST, LOG = "checkpoint.npz", "best.weights.h5", "last.weights.h5", "log.csv"


class Plan(BaseModel):
    """The table [training]; PICKER.md's recipe where nothing is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: Annotated[int, Field(gt=0)] = 20_000
    epoch_steps: Annotated[int, Field(gt=0)] = 500
    batch: Annotated[int, Field(gt=0)] = 32
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-3  # the highest; a cosine to zero follows
    warmup_steps: Annotated[int, Field(ge=0)] = 500
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 1e-3
    clip_norm: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    averaging: Annotated[float, Field(ge=0, lt=1)] = 0.999  # a step
    averaging_every: Annotated[int, Field(gt=0)] = 10  # steps
    onset_factor: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    judge_epochs: Annotated[int, Field(gt=0)] = 2  # between looks at the records kept apart
    patience: Annotated[int, Field(gt=0)] = 10  # looks without a better one, then training ends
    false_per_hour: Annotated[float, Field(ge=0)] = 3.9  # of quiet; sets the threshold at which merit is measured
    stretches: tuple[Annotated[int, Field(gt=0)], ...] = (1, 2, 3)  # records judged also so many times slower
    teacher_share: Annotated[float, Field(ge=0, le=1)] = 0.5  # of what is taught where there is a label as well
    mixed_precision: bool = False  # convolutions in bfloat16: on a GPU


@dataclass(frozen=True, slots=True)
class Run:
    """What a run is given besides its plan."""

    folder: Path
    feed: Feed
    judge: Judge | None  # None: no records are kept apart, so the last weights are the best
    fingerprint: str
    is_stopping: Callable[[], bool] = lambda: False
    tell: Callable[[Row], None] = lambda row: None
    clock: Callable[[], float] = time.monotonic
    jit: bool = False


class Trainer:
    """A network that gives logits, its optimizer, and the average of its weights."""

    def __init__(self, network: keras.Model, loss: keras.losses.Loss, plan: Plan, jit: bool = False) -> None:
        self._network, self._plan = network, plan
        self.schedule = keras.optimizers.schedules.CosineDecay(
            plan.learning_rate / 100 if plan.warmup_steps else plan.learning_rate,
            decay_steps=max(1, plan.steps - plan.warmup_steps),
            warmup_target=plan.learning_rate if plan.warmup_steps else None,
            warmup_steps=plan.warmup_steps,
        )
        self._optimizer = keras.optimizers.AdamW(
            self.schedule, weight_decay=plan.weight_decay, global_clipnorm=plan.clip_norm
        )
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        network.compile(optimizer=self._optimizer, loss=loss, jit_compile=jit)
        self._optimizer.build(network.trainable_variables)
        self._average = Average(plan.averaging, plan.averaging_every)

    def step(self, number: int, counts: FloatArray, lesson: FloatArray) -> float:
        """Mean loss since `forget_loss`; step numbers count from 1."""
        loss = self._network.train_on_batch(counts, lesson)
        if number % self._average.every == 0:
            self._average.add(number, _values(self._network.trainable_variables))
        return float(loss)

    def forget_loss(self) -> None:
        self._network.reset_metrics()

    def with_average(self, use: Callable[[], Any]) -> Any:
        """The result of `use` while the network has its averaged weights."""
        weights = self._network.trainable_variables
        kept = _values(weights)
        _assign(weights, self._average.values or kept)
        try:
            return use()
        finally:
            _assign(weights, kept)

    def keep(self, checkpoint: Checkpoint) -> Checkpoint:
        return replace(
            checkpoint,
            variables=_values(self._state()),
            optimizer=_values(self._optimizer.variables),
            average=[np.array(each) for each in self._average.values],
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        _assign(self._state(), checkpoint.variables)
        _assign(self._optimizer.variables, checkpoint.optimizer)
        self._average.values = [np.array(each) for each in checkpoint.average]

    def _state(self) -> list[Any]:
        metrics = {id(each) for each in self._network.metrics_variables}
        return [each for each in self._network.variables if id(each) not in metrics]


def _values(variables: list[Any]) -> list[Any]:
    return [np.array(ops.convert_to_numpy(each)) for each in variables]


def _assign(variables: list[Any], values: Any) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def train(network: keras.Model, logits: keras.Model, loss: keras.losses.Loss, plan: Plan, run: Run) -> Checkpoint:
    """Until all steps are done, nothing gets better, or somebody stops it; called again, it goes on.

    `network` and `logits` share their weights; those of `network` are written.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(logits, loss, plan, run.jit)
    state = Checkpoint(0, run.fingerprint, (), -1.0, 0, (), (), ())
    if (before := read_checkpoint(run.folder / CHECKPOINT)) is not None:
        _refuse_other(before, run)
        trainer.restore(before)
        state = before
    with ExitStack() as stack:
        source = run.feed(state.step)
        if hasattr(source, "close"):
            stack.enter_context(closing(source))  # type: ignore[type-var]  # seen to have it
        while state.step < plan.steps and not run.is_stopping() and not _is_exhausted(state, plan):
            state = _epoch(trainer, source, plan, run, state)
            if run.judge is not None and _is_due(state, plan):
                state = _judged(network, trainer, run, state)
            state = trainer.keep(state)
            trainer.with_average(lambda: _write_weights(network, run.folder / LAST))
            write_checkpoint(run.folder / CHECKPOINT, state)
            _write_log(run.folder / LOG, state.history)
            run.tell(state.history[-1])
        if not state.best_step and (state.step == plan.steps or _is_exhausted(state, plan)):  # nothing could be judged
            trainer.with_average(lambda: _write_weights(network, run.folder / BEST))
    return state


def _epoch(
    trainer: Trainer, source: Iterator[tuple[FloatArray, FloatArray]], plan: Plan, run: Run, state: Checkpoint
) -> Checkpoint:
    """To the next multiple of `epoch_steps`, or less where it is stopped."""
    end = min(plan.steps, (state.step // plan.epoch_steps + 1) * plan.epoch_steps)
    trainer.forget_loss()
    began, waited_s, loss, step = run.clock(), 0.0, math.nan, state.step
    while step < end and not (run.is_stopping() and step > state.step):
        asked = run.clock()
        counts, lesson = next(source)
        waited_s += run.clock() - asked
        step += 1
        loss = trainer.step(step, counts, lesson)
        if not math.isfinite(loss):
            raise InputInvalid(
                f"{run.folder}, step {step}: found a loss of {loss}, expected a number; the checkpoint of step "
                f"{state.step} stays: look for records of huge counts, or begin in another --out with a lower "
                "learning_rate"
            )
    passed_s = max(run.clock() - began, 1e-9)
    row = {
        "step": step,
        "windows": step * plan.batch,
        "loss": round(loss, 6),
        "learning_rate": round(float(trainer.schedule(step)), 8),
        "windows_per_s": round((step - state.step) * plan.batch / passed_s, 1),
        "waiting_share": round(waited_s / passed_s, 3),
    }
    return replace(state, step=step, history=(*state.history, row))


def _is_due(state: Checkpoint, plan: Plan) -> bool:
    return state.step == plan.steps or state.step % (plan.judge_epochs * plan.epoch_steps) == 0


def _judged(network: keras.Model, trainer: Trainer, run: Run, state: Checkpoint) -> Checkpoint:
    assert run.judge is not None
    figures = trainer.with_average(run.judge)
    history = (*state.history[:-1], {**state.history[-1], **figures})
    if not figures["merit"] > state.best_merit:
        return replace(state, history=history)
    trainer.with_average(lambda: _write_weights(network, run.folder / BEST))
    return replace(state, history=history, best_merit=figures["merit"], best_step=state.step)


def _is_exhausted(state: Checkpoint, plan: Plan) -> bool:
    return (
        bool(state.best_step)
        and sum(row["step"] > state.best_step for row in state.history if "merit" in row) >= plan.patience
    )


def _refuse_other(before: Checkpoint, run: Run) -> None:
    if before.fingerprint != run.fingerprint:
        raise SettingInvalid(
            f"{run.folder}: found a run of other settings or another data set ({before.fingerprint}), "
            f"expected one of {run.fingerprint}; give another --out, or the settings it began with"
        )


def _write_weights(network: keras.Model, path: Path) -> None:
    write_whole(path, network.save_weights)


def _write_log(path: Path, history: tuple[Row, ...]) -> None:
    columns = list(dict.fromkeys(name for row in history for name in row))

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="") as file:
            table = csv.DictWriter(file, columns, lineterminator="\n")
            table.writeheader()
            table.writerows(history)

    write_whole(path, write)
