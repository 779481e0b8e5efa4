"""Models teach another one: what they say is mixed into the labels, and stands alone where there is none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.picking import Delay, Geometry
from kensoku.training.batches import Batch
from kensoku.training.examples import FloatArray
from kensoku.training.teachers import Teachers, taught_by
from tests import tiny_models

SAMPLES = 960


def batch(known: float = 1.0) -> Batch:
    """P is labelled at 300."""
    targets = np.zeros((1, 3, SAMPLES), np.float32)
    targets[0, 1, 300], targets[0, 0] = 1, 1
    targets[0, 0, 300] = 0
    return Batch(
        tiny_models.pulses(1, SAMPLES).astype(np.float32),
        targets,
        np.full((1, 2, SAMPLES), known, np.float32),
        np.ones(1, np.float32),
    )


def said(p: float, s: float) -> FloatArray:
    return np.repeat(np.array([[[p], [s]]], dtype=np.float32), SAMPLES, axis=2)


def test_labels_and_teachers_share_what_is_known() -> None:
    taught = taught_by(batch(), said(0.2, 0.4), 0.25)
    assert taught.targets[0, :, 300] == pytest.approx([1 - 0.8 - 0.1, 0.75 + 0.05, 0.1])
    assert taught.targets[0, :, 500] == pytest.approx([1 - 0.05 - 0.1, 0.05, 0.1])
    assert np.array_equal(taught.known, batch().known)


def test_what_nobody_labelled_is_what_teachers_say() -> None:
    taught = taught_by(batch(known=0.0), said(0.2, 0.4), 0.25)
    assert taught.targets[0, :, 300] == pytest.approx([0.4, 0.2, 0.4])
    assert taught.known.all()


def test_probabilities_never_add_up_to_more_than_one() -> None:
    taught = taught_by(batch(), said(0.0, 1.0), 0.5)
    assert taught.targets.sum(axis=1) == pytest.approx(np.ones((1, SAMPLES)))
    assert taught.targets.min() >= 0


def test_what_is_missing_and_what_no_teacher_tells_of_stays_as_it_was() -> None:
    unknown, told = batch(known=0.0), said(0.2, 0.4)
    unknown.counts[:, :, :100] = np.nan
    told[:, :, 900:] = np.nan
    taught = taught_by(unknown, told, 1.0)
    assert not taught.known[:, :, :100].any()
    assert not taught.known[:, :, 900:].any()
    assert taught.known[:, :, 100:900].all()
    assert np.array_equal(taught.targets[:, :, 900:], unknown.targets[:, :, 900:])


def test_several_teachers_say_their_mean_each_without_its_delay(tmp_path: Path) -> None:
    one = tiny_models.card()
    tiny_models.write_model(tmp_path, "full", one)
    late = replace(one, geometry=replace(one.geometry, before=60, after=16), delay=Delay(p=30, s=30))
    tiny_models.write_model(tmp_path, "late", late, is_causal=True)
    counts = tiny_models.pulses(2, SAMPLES).astype(np.float32)
    alone = [Teachers([tmp_path / name], 0.5).said(counts) for name in ("full", "late")]
    both = Teachers([tmp_path / "full", tmp_path / "late"], 0.5).said(counts)
    assert both.shape == (2, 2, SAMPLES)
    assert np.argmax(both[0, 0]) == pytest.approx(300, abs=3)
    assert both[:, :, :900] == pytest.approx((alone[0] + alone[1])[:, :, :900] / 2, abs=1e-6)
    assert np.array_equal(both[:, :, 940:], alone[0][:, :, 940:])  # the late one tells nothing of these
    assert np.isnan(alone[1][:, :, 940:]).all()


def test_models_that_cannot_teach_are_refused(tmp_path: Path) -> None:
    tiny_models.write_model(tmp_path, "cuts", tiny_models.card("classifier"))
    fixed = tiny_models.card(geometry=Geometry(window=512, before=60, after=16, is_fixed=True))
    tiny_models.write_model(tmp_path, "live", fixed)
    for name, told in (("cuts", "found a classifier"), ("live", "found windows of 512 samples alone")):
        with pytest.raises(InputInvalid, match=told):
            Teachers([tmp_path / name], 0.5)
