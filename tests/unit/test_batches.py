"""Batches depend on the seed and the step alone, and teach nothing that is not known."""

import multiprocessing
import os
import signal
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from kensoku.errors import KensokuError, SettingInvalid
from kensoku.training.batches import Batch, Pools, Recipe, absent, batches
from kensoku.training.examples import Example, Kind, Onset, Origin, Span

RECIPE = Recipe(mix={"quake": 0.7, "swarm": 0.2, "noise": 0.1, "absent": 5.0})


def record(source: str, seed: int, kind: Kind = "earthquake") -> Example:
    counts = np.random.default_rng(seed).normal(size=(3, 9001)).astype(np.float32)
    origin = Origin(source=source, region="here", station=f"XX.{seed}", kind=kind)
    if kind == "noise":
        return Example(counts, (), (), origin)
    counts[:, 3000:] *= np.exp(-np.arange(6001) / 600).astype(np.float32) * 20 + 1
    unknown = (Span("P", 0, 2700), Span("S", 0, 2700), Span("P", 3900, 9000), Span("S", 3900, 9000))
    weight = 0.5 if source == "swarm" else 1.0
    onsets = (Onset("P", 3000, weight), Onset("S", 3500, weight))
    return Example(counts, onsets, unknown if source == "swarm" else (), origin)


@pytest.fixture(scope="module")
def pools() -> Pools:
    return {
        "quake": [record("quake", n) for n in range(5)],
        "swarm": [record("swarm", n) for n in range(5, 8)],
        "noise": [record("noise", n, "noise") for n in range(8, 10)],
    }


def take(pools: Pools, count: int, step0: int = 0, processes: int = 0, seed: int = 1) -> list[Batch]:
    made = batches(RECIPE, pools, size=4, seed=seed, step0=step0, processes=processes)
    found = [next(made) for _ in range(count)]
    made.close()
    return found


def test_training_resumes_with_the_batches_that_it_would_have_had(pools: Pools) -> None:
    whole, resumed, ahead = take(pools, 5), take(pools, 2, step0=3), take(pools, 5, processes=2)
    for was, now in [*zip(whole[3:], resumed, strict=True), *zip(whole, ahead, strict=True)]:
        for first, second in zip(was, now, strict=True):
            np.testing.assert_array_equal(first, second)
    assert not np.array_equal(whole[0].counts, take(pools, 1, seed=2)[0].counts, equal_nan=True)


def test_processes_end_also_where_the_parent_only_notes_signals(pools: Pools) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        take(pools, 3, processes=2)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert multiprocessing.active_children() == []


def test_targets_are_probabilities_and_nothing_is_taught_where_nothing_is_recorded(pools: Pools) -> None:
    for batch in take(pools, 10):
        assert batch.counts.shape == batch.targets.shape == (4, 3, 3008)
        assert batch.counts.dtype == np.float32
        np.testing.assert_allclose(batch.targets.sum(axis=1), 1, atol=1e-5)
        missing = np.isnan(batch.counts).all(axis=1)
        assert (batch.known[:, 0][missing] == 0).all()
        assert not np.isinf(batch.counts).any()


def test_examples_weigh_what_their_picks_are_trusted(pools: Pools) -> None:
    plain = replace(RECIPE, mix={"swarm": 1.0}, superimpose=0.0, anywhere=0.0)
    made = batches(plain, pools, size=16, seed=1, processes=0)
    batch = next(made)
    has_onset = batch.targets[:, 1:].max(axis=(1, 2)) > 0.5
    assert has_onset.any()
    assert set(batch.weight[has_onset].tolist()) == {0.5}


def test_several_earthquakes_are_laid_over_one_record_where_it_is_asked_for(pools: Pools) -> None:
    def onsets(most: int) -> float:
        crowded = replace(RECIPE, mix={"quake": 1.0}, superimpose=1.0, superimpose_most=most, fault=0.0)
        batch = next(batches(crowded, pools, size=32, seed=1, processes=0))
        inner = batch.targets[:, 1:, 1:-1]
        peaks = (inner > 0.5) & (inner > batch.targets[:, 1:, :-2]) & (inner >= batch.targets[:, 1:, 2:])
        return float(peaks.sum() / 32)

    assert onsets(3) > onsets(1) + 0.5


def test_a_mix_without_any_source_of_the_data_set_is_told(pools: Pools) -> None:
    with pytest.raises(SettingInvalid, match="noise, quake, swarm"):
        next(batches(Recipe(mix={"elsewhere": 1.0}), pools, size=1, processes=0))
    assert absent(RECIPE, pools) == ["absent"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"stretch": 5.0},
        {"fault": -1},
        {"mix": {"ncedc": -1}},
        {"noise_snr": [0, -1]},
        {"noise_snr": [100, 3]},
        {"length": -5},
        {"stretch_range": [4, 0]},
        {"superimpose_most": -1},
    ],
)
def test_what_no_recipe_can_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Recipe).validate_python(wrong)


def test_a_mistake_in_another_process_is_told_in_this_one(pools: Pools) -> None:
    def change(_: Batch) -> Batch:
        raise SettingInvalid("found no change")

    with closing(batches(RECIPE, pools, size=1, change=change)) as made, pytest.raises(SettingInvalid, match="change"):
        next(made)


def test_the_end_of_another_process_is_told(pools: Pools) -> None:
    def change(_: Batch) -> Batch:
        os._exit(9)

    told = pytest.raises(KensokuError, match="a process that makes batches was ended")
    with closing(batches(RECIPE, pools, size=1, change=change)) as made, told:
        next(made)
