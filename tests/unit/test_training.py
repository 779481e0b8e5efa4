import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.training.checkpoints import Average, read_checkpoint
from kensoku.training.examples import FloatArray, Onset, Span, curves, known
from kensoku.training.losses import TaughtCrossEntropy, lessons, taught_loss
from kensoku.training.training_loop import Plan, Run, train

LENGTH = 256
PLAN = Plan(
    steps=60, epoch_steps=20, batch=8, warmup_steps=10, judge_epochs=1, averaging=0.9, learning_rate=0.03, seed=3
)
UNKNOWN_S = (Span("S", 100, 150),)


def tiny() -> tuple[keras.Model, keras.Model]:
    keras.utils.set_random_seed(PLAN.seed)
    counts = keras.Input((3, LENGTH))
    along = keras.layers.Permute((2, 1))(counts)
    inner = keras.layers.Conv1D(8, 15, padding="same", activation="relu")(along)
    inner = keras.layers.Dropout(0.1)(inner)
    logits = keras.layers.Permute((2, 1))(keras.layers.Conv1D(3, 1)(inner))
    return keras.Model(counts, keras.layers.Softmax(axis=1)(logits)), keras.Model(counts, logits)


def pulses(step: int) -> tuple[FloatArray, FloatArray]:
    """P is a pulse upwards, S one downwards; S is unknown in every other record."""
    chance = np.random.default_rng((1, step))
    counts = chance.normal(0, 0.1, (PLAN.batch, 3, LENGTH)).astype(np.float32)
    targets, is_known = [], []
    for each in range(PLAN.batch):
        onsets = Onset("P", chance.uniform(20, 80)), Onset("S", chance.uniform(100, 200))
        for onset, sign in zip(onsets, (1, -1), strict=True):
            counts[each] += sign * np.exp(-0.5 * ((np.arange(LENGTH) - onset.sample) / 6) ** 2)
        targets.append(curves(onsets, LENGTH))
        is_known.append(known(UNKNOWN_S if each % 2 else (), LENGTH))
    return counts, lessons(np.array(targets), np.array(is_known), np.ones(PLAN.batch, dtype=np.float32))


def feed(step: int) -> Iterator[tuple[FloatArray, FloatArray]]:
    while True:
        step += 1
        yield pulses(step)


def run_in(folder: Path, **changes: Any) -> Run:
    return replace(Run(folder=folder, feed=feed, judge=None, fingerprint="same"), **changes)


def trained(run: Run, plan: Plan = PLAN) -> tuple[Any, list[FloatArray]]:
    network, logits = tiny()
    state = train(network, logits, TaughtCrossEntropy(), plan, run)
    network.load_weights(run.folder / "last.weights.h5")
    return state, network.get_weights()


def taught(target: FloatArray, is_known: FloatArray, logits: FloatArray) -> tuple[FloatArray, FloatArray]:
    lesson = lessons(target[None], is_known[None], np.ones(1, dtype=np.float32))
    loss, weight = taught_loss(keras.ops.convert_to_tensor(lesson), keras.ops.convert_to_tensor(logits[None]))
    return keras.ops.convert_to_numpy(loss)[0], keras.ops.convert_to_numpy(weight)[0]


# --- what is taught ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_known", "expected"),
    [((1, 1), -np.log(0.2)), ((1, 0), -np.log(0.2)), ((0, 1), -np.log(1 - 0.3)), ((0, 0), 0)],
)
def test_each_phase_is_taught_against_all_else_where_the_other_is_unknown(
    is_known: tuple[int, int], expected: float
) -> None:
    """At a P onset to which the network gives noise 0.5, P 0.2 and S 0.3."""
    target = np.array([[0], [1], [0]], dtype=np.float32)
    loss, weight = taught(target, np.array(is_known)[:, None], np.log(np.array([[0.5], [0.2], [0.3]], np.float32)))
    assert loss[0] == pytest.approx(expected, abs=1e-6)
    assert weight[0] == (is_known != (0, 0))


def test_s_is_neither_taught_nor_forbidden_where_it_is_unknown() -> None:
    """Whether the network divides what is not P into noise or S makes no difference."""
    target, is_known = np.array([[1], [0], [0]], dtype=np.float32), np.array([[1], [0]])
    noisy, late = (np.log(np.array([[n], [0.2], [0.8 - n]], np.float32)) for n in (0.7, 0.1))
    assert taught(target, is_known, noisy)[0] == pytest.approx(taught(target, is_known, late)[0], abs=1e-6)


def test_an_unknown_span_changes_no_weight() -> None:
    """Two batches that differ only in what is asked of samples of which nothing is known."""
    counts, lesson = pulses(1)
    lesson[:, 3:5, 60:200] = 0
    other = lesson.copy()
    other[:, 1, 60:200], other[:, 0, 60:200] = 1, 0
    after = []
    for asked in (lesson, other):
        _, logits = tiny()
        logits.compile(optimizer="sgd", loss=TaughtCrossEntropy())
        logits.train_on_batch(counts, asked)
        after.append(logits.get_weights())
    assert all(np.array_equal(*pair) for pair in zip(*after, strict=True))


def test_an_example_of_no_weight_is_as_if_it_were_not_there() -> None:
    counts, lesson = pulses(1)
    loss = TaughtCrossEntropy()
    lesson[3:, 5] = 0
    assert float(loss(lesson, counts)) == pytest.approx(float(loss(lesson[:3], counts[:3])), rel=1e-6)


def test_a_network_that_tells_s_late_is_taught_it_late() -> None:
    target, is_known = curves((Onset("P", 50), Onset("S", 120)), LENGTH), known((Span("P", 100, 109),), LENGTH)
    [lesson] = lessons(target[None], is_known[None], np.ones(1, dtype=np.float32), delay=(50, 100))
    assert np.argmax(lesson[1:3], axis=1).tolist() == [100, 220]
    assert np.flatnonzero(lesson[3] == 0).tolist() == [*range(50), *range(150, 160)]
    assert lesson[:3].sum(axis=0) == pytest.approx(1)


# --- the loop ---------------------------------------------------------------------------------------------------------


def test_the_loss_falls_and_every_epoch_leaves_a_row(tmp_path: Path) -> None:
    state, _ = trained(run_in(tmp_path))
    losses = [row["loss"] for row in state.history]
    assert losses[-1] < losses[0] * 0.8, losses
    assert [line.split(",")[0] for line in (tmp_path / "log.csv").read_text().split()] == ["step", "20", "40", "60"]
    assert state.history[-1]["windows"] == 480
    assert 0 <= state.history[-1]["waiting_share"] <= 1


def test_a_run_that_was_stopped_twice_ends_with_the_same_weights(tmp_path: Path) -> None:
    _, unbroken = trained(run_in(tmp_path / "unbroken"))
    for limit in (7, 33):
        stop = threading.Event()

        def stopping(step: int, limit: int = limit, stop: threading.Event = stop) -> Iterator[Any]:
            for number, batch in enumerate(feed(step), step + 1):
                if number == limit:
                    stop.set()
                yield batch

        state, _ = trained(run_in(tmp_path / "broken", feed=stopping, is_stopping=stop.is_set))
        assert state.step == limit
    _, resumed = trained(run_in(tmp_path / "broken"))
    assert all(np.array_equal(*pair) for pair in zip(unbroken, resumed, strict=True))


def test_training_ends_when_nothing_gets_better_and_the_best_is_kept(tmp_path: Path) -> None:
    merits = iter([0.4, 0.6, 0.5, 0.6, 0.3, 0.2])
    plan = PLAN.model_copy(update={"steps": 200, "epoch_steps": 5, "patience": 3})
    state, _ = trained(run_in(tmp_path, judge=lambda: {"merit": next(merits)}), plan)
    assert (state.step, state.best_step, state.best_merit) == (25, 10, 0.6)
    best, last = ((tmp_path / f"{name}.weights.h5").read_bytes() for name in ("best", "last"))
    assert best != last


@pytest.mark.parametrize("judge", [None, lambda: {"merit": math.nan}])
def test_where_nothing_can_be_judged_the_last_weights_are_the_best(
    tmp_path: Path, judge: Callable[[], dict[str, float]] | None
) -> None:
    """Without records kept apart, or where they have no label."""
    trained(run_in(tmp_path, judge=judge, is_stopping=lambda: (tmp_path / "checkpoint.npz").exists()))
    assert not (tmp_path / "best.weights.h5").exists()
    _, last = trained(run_in(tmp_path, judge=judge))
    network, _ = tiny()
    network.load_weights(tmp_path / "best.weights.h5")
    assert all(np.array_equal(one, other) for one, other in zip(network.get_weights(), last, strict=True))


def test_a_run_does_not_go_on_with_other_settings(tmp_path: Path) -> None:
    short = PLAN.model_copy(update={"steps": 2})
    trained(run_in(tmp_path), short)
    with pytest.raises(SettingInvalid, match="found a run of other settings"):
        trained(run_in(tmp_path, fingerprint="other"), short)


def test_a_loss_that_is_no_number_ends_training_and_leaves_the_checkpoint_before_it(tmp_path: Path) -> None:
    """One sample that overflows in the network, in the second epoch."""

    def spoilt(step: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        for number, (counts, lesson) in enumerate(feed(step), step + 1):
            yield (counts if number < 30 else np.full_like(counts, np.inf)), lesson

    with pytest.raises(InputInvalid, match=r"step 30: found a loss of nan, .* checkpoint of step 20 stays"):
        trained(run_in(tmp_path, feed=spoilt))
    state = read_checkpoint(tmp_path / "checkpoint.npz")
    assert state is not None
    assert state.step == 20
    assert all(np.isfinite(values).all() for values in state.variables)


def test_a_torn_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(SettingInvalid, match="no checkpoint that can be read"):
        read_checkpoint(tmp_path / "checkpoint.npz")


def test_the_average_forgets_where_training_began() -> None:
    average = Average(0.999, every=10)
    for step in range(10, 1010, 10):
        average.add(step, [np.array([100.0 if step < 50 else 1.0])])
    assert average.values[0][0] == pytest.approx(1, abs=0.01)
