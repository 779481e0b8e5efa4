"""What training lays over records to be left alone: it is there, it is no onset, and what it hides is not taught."""

import numpy as np
import pytest

from kensoku.training import augment_disturbances, augment_faults
from kensoku.training.augment_disturbances import DISTURBANCES
from kensoku.training.examples import Example, Onset, Origin, Span
from kensoku.training.quiet_parts import quiet_parts

ORIGIN = Origin(source="a", region="b", station="XX.A", kind="earthquake")
LENGTH = 3000


def example(*onsets: Onset, unknown: tuple[Span, ...] = (), length: int = LENGTH) -> Example:
    """Noise, and ten times as much for two seconds from each onset on."""
    counts = np.random.default_rng(1).normal(size=(3, length))
    for onset in onsets:
        counts[:, int(onset.sample) : int(onset.sample) + 200] *= 10
    return Example(counts.astype(np.float32), onsets, unknown, ORIGIN)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_disturbances_change_the_record_and_make_no_onset(name: str) -> None:
    record = example(Onset("P", 2500))
    record.counts[1] = np.nan
    changes = []
    for seed in range(30):
        found = DISTURBANCES[name](record, np.random.default_rng(seed))
        assert np.array_equal(np.isnan(found.counts), np.isnan(record.counts))
        assert found.counts.dtype == np.float32
        assert set(found.onsets) <= set(record.onsets)
        assert found.onsets or any(span.phase == "P" and span.first <= 2500 <= span.last for span in found.unknown)
        changes.append(np.nanmax(np.abs(found.counts - record.counts)))
    assert np.mean(np.array(changes) > 2) > 0.5


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_disturbance_is_the_same_for_the_same_chance(name: str) -> None:
    first, second = (DISTURBANCES[name](example(), np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.counts, second.counts)


def test_where_all_components_hang_an_onset_is_unknown() -> None:
    record = example(Onset("P", 1500))
    for seed in range(60):
        found = augment_disturbances.hung(record, np.random.default_rng(seed))
        is_gone = (found.counts[:, 1500:1510] != record.counts[:, 1500:1510]).all()
        assert not (is_gone and found.onsets)


def test_what_a_network_cannot_see_behind_something_huge_is_unknown() -> None:
    record = example(Onset("P", 500), Onset("P", 2500))
    record.counts[:, 1500:1600] += 1e6 * np.sin(np.arange(100)).astype(np.float32)
    found = augment_faults.forget_drowned(record)
    assert [onset.sample for onset in found.onsets] == [500]
    assert found.unknown == (Span("P", 2450, 2700),)
    assert augment_faults.forget_drowned(example(Onset("P", 500))).unknown == ()


# --- quiet parts ------------------------------------------------------------------------------------------------------


def test_what_comes_before_an_earthquake_is_laid_out_as_noise() -> None:
    record = example(Onset("P", 2500), Onset("S", 2900), unknown=(Span("P", 0, 499), Span("S", 0, 499)))
    (part,) = quiet_parts({"a": [record]}, 40.0)
    assert part.length == 4000
    assert np.array_equal(part.counts[:, :1800], record.counts[:, 500:2300])
    assert np.array_equal(part.counts[:, 1800:3000], record.counts[:, 2298:1098:-1])
    assert (part.onsets, part.unknown, part.origin.kind) == ((), (), "noise")


def test_short_quiet_and_records_without_onsets_are_left_alone() -> None:
    assert quiet_parts({"a": [example(Onset("P", 1200)), example()]}, 40.0) == []
