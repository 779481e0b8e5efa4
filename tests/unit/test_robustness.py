"""What changes a picker's picks is counted: shown on pickers that are known to be steady, or known not to be."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.picking import Geometry, PhasePair
from kensoku.training.evaluation import judge_robustness
from kensoku.training.evaluation.asking import asker
from kensoku.training.evaluation.false_picks import judge_faults
from kensoku.training.evaluation.gap_edges import judge_gaps
from kensoku.training.evaluation.invariance import Change, scaled, shifted
from kensoku.training.evaluation.look_ahead import judge_look_ahead
from kensoku.training.evaluation.planted import PLANTED
from kensoku.training.evaluation.triggered import by_phase_and_weight, judge_triggered
from kensoku.training.examples import Example, Onset, Origin
from tests.tiny_models import card

FloatArray = npt.NDArray[np.float32]
CARD = card(
    geometry=Geometry(window=8192, before=32, after=32, stride=16), threshold=PhasePair(p=0.5, s=0.5), label_s=0.0
)
LIVE = card(
    geometry=CARD.geometry,
    threshold=CARD.threshold,
    label_s=0.0,
    look_ahead_s=PhasePair(p=1.0, s=2.0),
)
TAPS = np.exp(-0.5 * (np.arange(-30, 31) / 8) ** 2)


def example(number: int) -> Example:
    """Noise of 5 counts; a pulse of 500 on the vertical is P, one on N is S."""
    counts = np.random.default_rng(number).normal(0, 5, (3, 4000))
    for component, onset in ((0, 2600.0), (1, 3000.0)):
        counts[component] += 500 * np.exp(-0.5 * ((np.arange(4000) - onset) / 4) ** 2)
    origin = Origin(source="made", region="x", station=f"XX.{number}")
    return Example(counts.astype(np.float32), (Onset("P", 2600.0), Onset("S", 3000.0, 0.5)), (), origin)


def steady(counts: FloatArray) -> FloatArray:
    """By the ratio to the median: no size, no place changes it."""
    size = np.nanmedian(np.abs(counts), axis=2, keepdims=True)
    heard = np.nan_to_num(np.abs(counts) / size)
    said = np.zeros_like(counts)
    for row, component in ((1, 0), (2, 1)):
        said[:, row] = [np.convolve(each, TAPS / TAPS.sum(), "same") for each in heard[:, component]]
    return np.asarray(said**2 / (said**2 + 200), dtype=np.float32)


def fickle(counts: FloatArray) -> FloatArray:
    """Hears absolute counts, and only every fourth sample."""
    heard = np.nan_to_num(np.abs(counts)) / 5
    heard = np.repeat(heard[:, :, ::4], 4, axis=2)[:, :, : counts.shape[2]]
    return steady(np.where(heard > 20, heard, 1).astype(np.float32))


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return [example(number) for number in range(4)]


def changes(judge: Callable[..., list[Change]], model: Callable[[FloatArray], FloatArray]) -> dict[str, Change]:
    records = [example(number).counts for number in range(4)]
    found = judge(asker(CARD, model), asker(CARD, model, is_low=True), CARD, records)
    return {each.name: each for each in found}


def test_powers_of_two_leave_a_steady_picker_its_bits_and_move_a_fickle_one() -> None:
    kept, lost = changes(scaled, steady), changes(scaled, fickle)
    assert kept["times 2^5"].records_identical == 1.0
    assert kept["times 1000"].beyond == 0.0
    assert lost["times 0.001"].lost == 1.0


def test_a_shift_by_the_stride_keeps_all_and_another_moves_a_picker_that_skips_samples() -> None:
    found = changes(shifted, fickle)
    assert found["16 samples later"].records_identical == 1.0
    assert found["3 samples later"].records_identical == 0.0


def test_a_picker_that_takes_every_edge_for_an_onset_is_told(examples: list[Example]) -> None:
    def by_edges(counts: FloatArray) -> FloatArray:
        """A held value ends with a jump, which lies further than half a second from nothing."""
        jumps = np.abs(np.diff(np.isnan(counts[:, :1]).astype(np.float32), axis=2, prepend=0))
        said = np.zeros_like(counts)
        said[:, 1:2] = np.roll(jumps, 60, axis=2)
        return said

    found = [each for each in judge_gaps(asker(CARD, by_edges), examples) if each.filling == "missing"]
    assert all(each.new_at_edge == 0 for each in found if each.length_s > 2)  # the picker's rule keeps away from edges
    assert sum(each.new_beside for each in found if each.where == "quiet") > 0
    kept = judge_gaps(asker(CARD, steady), examples)
    assert sum(each.new_beside + each.lost for each in kept if each.filling == "missing") == 0


@pytest.mark.parametrize("kind", PLANTED)
def test_a_fault_is_where_it_is_said_to_be_and_alike_for_one_seed(kind: str) -> None:
    counts = example(1).counts
    planted, again = (PLANTED[kind](counts, 1000, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(planted.counts, again.counts)
    assert planted.first == 1000 < planted.end <= counts.shape[1]
    assert np.array_equal(planted.counts[:, :1000], counts[:, :1000])
    assert np.array_equal(planted.counts[:, planted.end :], counts[:, planted.end :])
    assert not np.array_equal(planted.counts, counts)


def test_only_picks_that_a_fault_made_are_false(examples: list[Example]) -> None:
    found = {each.kind: each for each in judge_faults(asker(CARD, steady), examples, each=5)}
    assert set(found) == set(PLANTED)
    assert found["offset"].false > 0  # taken for a pulse
    assert found["repeated packet"].false == 0
    assert all(len(each.faults) == 5 for each in found.values())


def test_four_seconds_around_a_trigger_are_counted_by_weight(examples: list[Example]) -> None:
    figures = by_phase_and_weight(judge_triggered(asker(CARD, steady), examples))
    assert set(figures) == {"P, all", "P, weight 1", "S, all", "S, weight 0.5"}
    assert figures["P, all"].cuts == 16
    assert figures["P, all"].hits == 1.0
    assert figures["P, all"].mae_s < 0.02
    assert figures["P, all"].low == figures["P, all"].high == 1.0
    nothing = by_phase_and_weight(judge_triggered(asker(CARD, np.zeros_like), examples))
    assert nothing["S, all"].missed == 1.0


def test_a_picker_that_looks_further_ahead_than_it_says_is_told(examples: list[Example]) -> None:

    def by_what_follows(counts: FloatArray) -> FloatArray:
        later = np.nan_to_num(np.abs(np.roll(counts, -300, axis=2)))
        return np.asarray(steady(counts) / (1 + later.max(axis=(1, 2), keepdims=True) / 1e6), dtype=np.float32)

    def pulses_alone(counts: FloatArray) -> FloatArray:
        heard = np.nan_to_num(np.abs(counts)) / 5
        said = np.zeros_like(counts)
        for row, component in ((1, 0), (2, 1)):
            said[:, row] = [np.convolve(each, TAPS / TAPS.sum(), "same") for each in heard[:, component]]
        return np.asarray(said**2 / (said**2 + 200), dtype=np.float32)

    records = [each.counts for each in examples]
    assert judge_look_ahead(asker(CARD, steady), CARD, records) == []
    honest = judge_look_ahead(asker(LIVE, pulses_alone), LIVE, records)
    assert [each.changed for each in honest] == [0] * 5
    assert honest[0].picks > 0
    assert sum(each.changed for each in judge_look_ahead(asker(LIVE, by_what_follows), LIVE, records)) > 0


def test_only_the_parts_that_are_asked_for_are_judged(examples: list[Example]) -> None:
    found = judge_robustness(CARD, steady, examples, name="picker", parts=["triggered"])
    assert set(found.triggered) == {"its own", "the lowest"}
    assert not found.shifts
    assert not found.gaps
