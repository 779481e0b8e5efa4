from dataclasses import replace

import numpy as np
import pytest

from kensoku.training.examples import Example, FloatArray, Onset, Origin, Span, curves
from kensoku.training.scores import Told, quiet_of, score, score_stretched, stretched, tell, threshold_for

LENGTH = 3000
ORIGIN = Origin(source="made", region="nowhere", station="XX.A")
COUNTS = np.random.default_rng(1).normal(0, 100, (3, LENGTH)).astype(np.float32)
RECORD = Example(COUNTS, (Onset("P", 1000), Onset("S", 1800)), (), ORIGIN)


def said(*onsets: tuple[Onset, float]) -> FloatArray:
    """Curves of onsets, each of its own height."""
    told = np.zeros((3, LENGTH), dtype=np.float32)
    for onset, height in onsets:
        told[1:] = np.maximum(told[1:], height * curves((onset,), LENGTH)[1:])
    told[0] = 1 - told[1:].sum(axis=0)
    return told


def test_a_pick_40_ms_late_is_found_near_its_label_with_that_error() -> None:
    scores = score([Told(RECORD, said((Onset("P", 1004), 0.9), (Onset("S", 1830), 0.9)))], 0.3)
    assert (scores.p.recall, scores.p.recall_near) == (1, 1)
    assert scores.p.mae_s == pytest.approx(0.04, abs=0.002)
    assert (scores.s.recall, scores.s.recall_near) == (1, 0)
    assert scores.s.bias_s == pytest.approx(0.3, abs=0.002)
    assert scores.merit == 0.75


def test_p_called_s_is_a_swap_and_not_found() -> None:
    scores = score([Told(RECORD, said((Onset("S", 1000), 0.9), (Onset("S", 1800), 0.9)))], 0.3)
    assert (scores.p.recall, scores.p.swapped, scores.s.recall) == (0, 1, 1)
    assert scores.s.excess == 0.5


def test_picks_count_as_false_only_where_nothing_begins_for_sure() -> None:
    picks = [(Onset("P", place), 0.9) for place in (50.0, 500.0, 950.0, 2500.0)]
    scores = score([Told(RECORD, said(*picks))], 0.3)
    assert scores.quiet_hours == pytest.approx(7 / 3600)
    assert scores.false_picks_per_hour == pytest.approx(3600 / 7)


def test_nothing_is_quiet_where_a_phase_is_unknown_or_p_has_no_label() -> None:
    unknown = replace(RECORD, unknown=(Span("S", 0, 499),))
    assert np.flatnonzero(quiet_of(unknown)).tolist() == list(range(500, 800))
    assert not quiet_of(replace(RECORD, onsets=(Onset("S", 1800),))).any()
    assert quiet_of(replace(RECORD, onsets=())).sum() == LENGTH - 100


def test_the_threshold_lets_through_as_many_false_picks_as_allowed() -> None:
    noise = replace(RECORD, onsets=())
    told = [Told(noise, said((Onset("P", 500), 0.8), (Onset("S", 1500), 0.6), (Onset("P", 2500), 0.4)))]
    seconds = (LENGTH - 100) / 100
    for allowed, between in ((0, (0.8, 1)), (1, (0.6, 0.8)), (2, (0.4, 0.6)), (3, (0.1, 0.4))):
        threshold = threshold_for(told, (allowed + 0.5) * 3600 / seconds)
        assert between[0] <= threshold < between[1]
        assert score(told, threshold).false_picks_per_hour == pytest.approx(allowed * 3600 / seconds)


def test_a_record_played_slower_keeps_its_wave_at_the_label_and_its_missing_samples() -> None:
    time = np.arange(LENGTH) - 1000.0
    pulse = np.exp(-0.5 * (time / 20) ** 2)
    counts = np.stack([1000 + 500 * pulse] * 3).astype(np.float32)
    counts[1, 2000:2100] = np.nan
    slow = stretched(Example(counts, (Onset("P", 1000),), (Span("S", 1200, 1300),), ORIGIN), 3)
    assert np.argmax(slow.counts[0]) == slow.onsets[0].sample == 3000
    assert np.flatnonzero(np.isnan(slow.counts[1])).tolist() == list(range(6000, 6300))
    assert slow.unknown == (Span("S", 3600, 3900),)
    assert slow.counts[0, 3000] == pytest.approx(1500, rel=0.01)


def test_a_network_that_tells_late_is_scored_at_the_sample_it_speaks_of() -> None:
    late = said((Onset("P", 1050), 0.9), (Onset("S", 1940), 0.9))

    def model(counts: FloatArray) -> FloatArray:
        assert counts.shape == (1, 3, 3008)
        assert np.isnan(counts[:, :, LENGTH:]).all()
        return np.pad(late, ((0, 0), (0, 8)))[None]

    [told] = tell(model, [RECORD], delay=(50, 140))
    scores = score([told], 0.3)
    assert (scores.p.mae_s, scores.s.mae_s) == pytest.approx((0, 0), abs=1e-6)


def test_records_of_several_lengths_are_scored_together_at_one_threshold() -> None:
    def model(counts: FloatArray) -> FloatArray:
        """Sees nothing; says P with 0.5 in the middle."""
        length = counts.shape[2]
        return np.stack([curves((Onset("P", length // 2),), length) * 0.5] * len(counts))

    short = replace(RECORD, counts=COUNTS[:, :2000], onsets=(Onset("P", 1000),))
    once, twice = score_stretched(model, [RECORD, short], false_per_hour=0, stretches=(1, 2))
    assert once.p.labels == twice.p.labels == 2
    assert (once.p.recall, twice.p.recall) == (0.5, 0.5)
    assert once.threshold == twice.threshold
