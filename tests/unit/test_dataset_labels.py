"""What a source's labels say, and what they leave open."""

import math

import numpy as np
import pytest

from kensoku.training.datasets.conditions import best_snr
from kensoku.training.datasets.cutting import cut, take
from kensoku.training.datasets.labels import LabelRule, Pick, apply_rule, doubt_triggers
from kensoku.training.datasets.missing import mark_missing
from kensoku.training.datasets.quiet import doubt
from kensoku.training.datasets.triggers import find_triggers
from kensoku.training.examples import Example, Onset, Origin, Span

P, S = Pick("P", 3000), Pick("S", 3400)
ORIGIN = Origin(source="a", region="b", station="XX.A")


def test_shifts_and_weights_are_the_sources() -> None:
    rule = LabelRule(shift_p_samples=10, shift_s_samples=12, weight_s=0.5)
    onsets, unknown = apply_rule(rule, [[P, Pick("S", 3400, 0.8)]], [], 9001)
    assert onsets == (Onset("P", 3010), Onset("S", 3412, 0.4))
    assert unknown == ()


def test_an_unlabelled_s_may_lie_behind_p() -> None:
    assert apply_rule(LabelRule(), [[P]], [], 9001)[1] == (Span("S", 3030, 9000),)
    assert apply_rule(LabelRule(longest_s_minus_p_s=8), [[P]], [], 9001)[1] == (Span("S", 3030, 3830),)


def test_an_unlabelled_p_may_lie_before_s() -> None:
    assert apply_rule(LabelRule(longest_s_minus_p_s=8), [[S]], [], 9001)[1] == (Span("P", 2570, 3370),)


def test_where_a_swarm_was_labelled_one_earthquake_at_a_time_the_rest_is_not_known() -> None:
    rule = LabelRule(known_before_s=2, known_after_s=3)
    both = apply_rule(rule, [[P, S], [Pick("P", 5000), Pick("S", 5200)]], [], 9001)[1]
    assert [span for span in both if span.phase == "P"] == [
        Span("P", 0, 2799),
        Span("P", 3701, 4799),
        Span("P", 5501, 9000),
    ]
    assert apply_rule(rule, [], [], 100)[1] == (Span("P", 0, 99), Span("S", 0, 99))


def test_an_onset_is_known_whatever_is_doubtful_around_it() -> None:
    unknown = apply_rule(LabelRule(), [[P, S]], [(2900, 3100)], 9001)[1]
    assert unknown == (Span("P", 2900, 2969), Span("P", 3031, 3100), Span("S", 2900, 3100))


def test_a_trigger_is_doubtful_unless_an_earthquake_explains_it() -> None:
    events = [[P, S]]
    assert doubt_triggers(LabelRule(), events, [2950, 3000, 3450]) == []
    assert doubt_triggers(LabelRule(), events, [6000, 2500]) == [(5800, 7000), (2300, 2900)]
    assert doubt_triggers(LabelRule(), [[P]], [8000]) == []  # may be its S
    assert doubt_triggers(LabelRule(longest_s_minus_p_s=8), [[P]], [8000]) == [(7800, 9000)]


def test_triggers_are_where_energy_rises() -> None:
    chance = np.random.default_rng(1)
    counts = chance.normal(size=(3, 6000)).astype(np.float32)
    counts[:, 3000:3300] *= 10
    counts[:, 3500:3700] *= 20  # in the first one's shadow
    counts[2] = np.nan
    assert find_triggers(counts) == pytest.approx([3000, 3500], abs=50)
    assert find_triggers(counts * np.float32(1e-14)).tolist() == find_triggers(counts).tolist()
    assert len(find_triggers(np.full((3, 6000), np.nan, np.float32))) == 0


def test_three_stations_within_seconds_are_an_earthquake_and_so_are_p_and_s_of_one() -> None:
    times = {"A": [100.0], "B": [104.0], "C": [109.0], "D": []}
    assert doubt(times)["D"] == [(95.0, 139.0)]
    assert doubt({"A": [100.0], "B": [104.0], "D": []})["D"] == []
    assert (95.0, 135.0) in doubt({"A": [100.0, 105.0]})["A"]


def test_what_nobody_recorded_is_missing() -> None:
    counts = np.random.default_rng(1).normal(size=(3, 1000)).astype(np.float32)
    counts[:, 500:700] = 7
    counts[1] = 0
    missing = np.isnan(mark_missing(counts))
    assert missing[1].all()
    assert np.flatnonzero(missing[0]).tolist() == list(range(500, 700))


def test_what_no_instrument_counts_is_missing_and_takes_nothing_else_with_it() -> None:
    counts = np.random.default_rng(1).normal(size=(3, 1000)).astype(np.float32)
    counts[0, 300], counts[1, 400], counts[2, 500] = np.inf, -1e30, 1e19
    marked = mark_missing(counts)
    assert np.argwhere(np.isnan(marked)).tolist() == [[0, 300], [1, 400], [2, 500]]
    assert np.abs(marked[~np.isnan(marked)]).max() < 10


def test_waves_on_an_offset_beyond_single_precision_stay() -> None:
    waves = np.random.default_rng(1).integers(-20, 21, size=(3, 500)).astype(np.float64)
    waves[:, 200:350] = 7
    marked = mark_missing(waves + [[1e9], [0], [-2_000_000_000]])
    expected = waves - [waves[0, :1], [0], waves[2, :1]]
    expected[:, 200:350] = np.nan
    np.testing.assert_array_equal(marked, expected.astype(np.float32))


def test_a_cut_keeps_the_labels_in_its_middle() -> None:
    example = Example(np.arange(27.0).reshape(3, 9).astype(np.float32), (), (), ORIGIN)
    assert cut(example, 0.05).counts[0].tolist() == [2, 3, 4, 5, 6]
    long = Example(np.zeros((3, 9001), np.float32), (Onset("P", 3000), Onset("S", 3400)), (Span("S", 0, 100),), ORIGIN)
    shorter = cut(long, 30)
    assert (shorter.length, [onset.sample for onset in shorter.onsets]) == (3000, [1300, 1700])
    assert shorter.unknown == ()
    assert [onset.sample for onset in take(long, 3050, 100).onsets] == [-50]


def test_snr_is_that_of_the_best_onset() -> None:
    counts = np.random.default_rng(1).normal(size=(3, 2000)).astype(np.float32)
    counts[:, 1000:] *= 8
    counts[0] = np.nan
    assert best_snr(Example(counts, (Onset("P", 1000),), (), ORIGIN)) == pytest.approx(8, rel=0.2)
    assert math.isnan(best_snr(Example(counts, (), (), ORIGIN)))
