"""Classifiers are taught cuts whose answer is certain: the onset near the centre, and noise where nothing begins."""

import keras
import numpy as np
import pytest

from kensoku.training.batches import to_batch
from kensoku.training.classifier_run import CutCrossEntropy, balanced, removed
from kensoku.training.cuts import (
    CLASSES,
    Cut,
    Record,
    cut_as,
    cut_blasts,
    cut_classes,
    is_of_extrema,
    loudness,
    records_of,
    spiked,
    stacked,
    triggered,
)
from kensoku.training.examples import Example, Onset, Origin, Span

P, S, LENGTH, WINDOW = 1000, 1700, 3008, 400


def record(onsets: tuple[Onset, ...] = (Onset("P", P), Onset("S", S)), unknown: tuple[Span, ...] = ()) -> Record:
    counts = np.arange(3 * LENGTH, dtype=np.float32).reshape(3, LENGTH)  # so that a cut tells where it was
    for onset in onsets:
        counts[2, round(onset.sample) :] *= 10  # each is seen
    return records_of(to_batch([Example(counts, onsets, unknown, Origin(source="", region="", station=""))]))[0]


def centre(cut: Cut) -> int:
    return int(cut.counts[0, 0]) + WINDOW // 2


def centres(task: str, answer: str, of: Record) -> list[int]:
    chance, answers = np.random.default_rng(1), CLASSES[task]  # type: ignore[index]  # one of them
    made = [cut_as(of, task, answers.index(answer), WINDOW, chance) for _ in range(200)]  # type: ignore[arg-type]
    return [centre(cut) for cut in made if cut is not None]


def test_onsets_are_found_again_in_a_batch() -> None:
    found = record((Onset("P", 1000.4), Onset("S", 1060.0), Onset("S", -20.0)))
    assert [list(each) for each in found.onsets] == [[1000], [1060]]


@pytest.mark.parametrize(
    ("task", "answer", "reach"), [("phase", "P", 100), ("phase", "S", 100), ("denoiser", "onset", 50)]
)
def test_an_onset_lies_near_the_centre_of_its_cut(task: str, answer: str, reach: int) -> None:
    found = centres(task, answer, record())
    onsets = {"P": [P], "S": [S], "onset": [P, S]}[answer]
    assert all(min(abs(each - onset) for onset in onsets) <= reach for each in found)
    assert len(found) == 200
    assert len(set(found)) > reach


def test_a_cut_in_which_both_phases_are_central_is_not_told() -> None:
    together = record((Onset("P", 1000), Onset("S", 1040)))
    assert all(1040 - each > 100 for each in centres("phase", "P", together))


def test_noise_is_where_nothing_begins_and_all_is_known() -> None:
    known = record(unknown=(Span("S", 2000, LENGTH),))
    found = np.array(centres("phase", "noise", known))
    assert len(found) > 20
    assert (np.abs(found - P) > 200).all()
    assert (np.abs(found - S) > 200).all()
    assert found.max() <= 1800


def test_what_a_classic_picker_triggers_on_is_noise_for_a_denoiser_a_second_from_an_onset() -> None:
    found = np.array(centres("denoiser", "noise", record()))
    assert np.minimum(np.abs(found - P), np.abs(found - S)).min() in range(101, 200)


def test_cuts_of_missing_samples_are_left_out() -> None:
    counts = np.full((3, LENGTH), np.nan, np.float32)
    example = Example(counts, (Onset("P", P),), (), Origin(source="", region="", station=""))
    assert cut_classes(records_of(to_batch([example])), "phase", WINDOW, 6, np.random.default_rng(1)) == []


@pytest.mark.parametrize(("window", "least", "most"), [(400, 100, 300), (3000, 100, 1500)])
def test_a_blast_is_judged_by_what_follows_its_p(window: int, least: int, most: int) -> None:
    made = [cut for seed in range(100) for cut in cut_blasts([record()], 1, window, np.random.default_rng(seed))]
    places = [P - int(cut.counts[0, 0]) for cut in made]
    assert least <= min(places)
    assert max(places) < most
    assert {cut.answer for cut in made} == {1}


def test_the_trigger_is_highest_just_after_an_onset() -> None:
    counts = np.random.default_rng(1).normal(0, 1, (3, 1000)).astype(np.float32)
    counts[:, 600:] *= 20
    assert int(np.argmax(triggered(counts))) in range(605, 660)


def test_classes_are_alike_in_a_batch_whatever_was_found() -> None:
    found = [Cut(np.zeros((3, 4), np.float32), answer) for answer in (0, 0, 0, 0, 2)]
    made = balanced(found, 3, 10, np.random.default_rng(1))
    assert [sum(cut.answer == answer for cut in made) for answer in range(3)] == [5, 0, 5]


def test_the_loss_is_the_cross_entropy_by_weight() -> None:
    cuts = [Cut(np.zeros((3, 4), np.float32), 0, 1.0), Cut(np.zeros((3, 4), np.float32), 1, 0.5)]
    _, lessons = stacked(cuts, 2)
    logits = np.log(np.array([[[0.9], [0.1]], [[0.8], [0.2]]], np.float32))
    expected = -(np.log(0.9) + 0.5 * np.log(0.2)) / 1.5
    assert float(keras.ops.convert_to_numpy(CutCrossEntropy()(lessons, logits))) == pytest.approx(expected, rel=1e-5)


def test_what_is_removed_is_counted_where_one_in_a_hundred_is_lost() -> None:
    kept, other = np.linspace(0.5, 1, 100), np.linspace(0, 0.6, 100)
    probability = np.concatenate([kept, other]).astype(np.float32)
    assert removed(probability, np.arange(200) < 100) == pytest.approx(0.83, abs=0.02)


def bursts(*places: int) -> Record:
    """Noise with bursts that nobody labelled, and an onset that is clear and one that cannot be seen."""
    counts = np.random.default_rng(2).normal(0, 10, (3, LENGTH)).astype(np.float32)
    for place in (P, *places):
        counts[:, place : place + 60] *= 20
    example = Example(counts, (Onset("P", P), Onset("S", S)), (), Origin(source="", region="", station=""))
    return records_of(to_batch([example]))[0]


def test_a_denoiser_is_mostly_asked_about_the_strongest_rises() -> None:
    record_, chance, burst = bursts(2300), np.random.default_rng(1), 2300
    made = [cut_as(record_, "denoiser", 0, WINDOW, chance) for _ in range(60)]
    starts = [int(np.abs(record_.counts - cut.counts[:1, :1]).min(axis=0).argmin()) for cut in made if cut is not None]
    near = [abs(start + WINDOW // 2 - burst) < 60 for start in starts]
    assert np.mean(near) > 0.15  # of six rises in the record, and of places drawn by chance


def test_a_dim_onset_teaches_a_denoiser_nothing_and_a_clear_one_all() -> None:
    assert loudness(bursts().counts, P) > 10
    assert loudness(bursts().counts, S) == pytest.approx(1, abs=0.2)
    chance = np.random.default_rng(1)
    made = [cut_as(bursts(), "denoiser", 1, WINDOW, chance) for _ in range(40)]
    assert {cut.weight for cut in made if cut is not None} == {1.0}


def test_peaks_of_a_shaken_instrument_are_laid_over_noise_near_its_centre() -> None:
    counts = np.full((3, 50), np.nan, np.float32)
    counts[0] = np.tile([40, -40], 25)
    example = Example(counts, (), (), Origin(source="", region="", station="", kind="noise"))
    assert is_of_extrema(example)
    noise = Cut(np.random.default_rng(1).normal(0, 1, (3, WINDOW)).astype(np.float32), 0)
    for seed in range(20):
        found = spiked(noise, [counts[0]], np.random.default_rng(seed)).counts - noise.counts
        changed = np.flatnonzero(np.abs(found[0]) > 1)
        assert len(changed) == 50
        assert WINDOW // 2 - 80 <= changed[0] <= WINDOW // 2 + 30
