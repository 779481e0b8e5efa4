"""A live pick depends on nothing later than its stated look-ahead; no pick comes from a gap; size does not matter."""

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.detection import Cascade, Picker, Stage, pick_packets
from kensoku.picking import Delay, Geometry, PhasePair, Pick, pick_records
from tests import streams
from tests.streams import BLOCK, onsets
from tests.tiny_models import card

FloatArray = npt.NDArray[np.float32]
DELAY = Delay(p=50, s=140)
LIVE = card(
    geometry=Geometry(window=1024, before=400, after=BLOCK),
    delay=DELAY,
    look_ahead_s=PhasePair(p=1.0, s=2.0),
    p_yields=False,
    threshold=PhasePair(p=0.4, s=0.4),
)
AHEAD = {"P": 100, "S": 200}


def sizeless(counts: FloatArray) -> FloatArray:
    return onsets(counts, floor=1e-30)


def record(length: int = 4000) -> FloatArray:
    made = np.random.default_rng(3).normal(0, 20, (3, length))
    for first, component in ((800, 0), (1400, 1), (2600, 0), (3005, 1)):
        wave = np.random.default_rng(first).normal(0, 400, length - first) * np.exp(-np.arange(length - first) / 60)
        made[component, first:] += wave
    return np.asarray(np.round(made), dtype=np.float32)


def picks(counts: FloatArray) -> list[Pick]:
    return pick_records(counts[np.newaxis], sizeless, LIVE)[0]


def test_there_is_something_to_lose() -> None:
    found = picks(record())
    assert {pick.phase for pick in found} == {"P", "S"}
    assert len(found) >= 4


@pytest.mark.parametrize("later", ["nothing", "zeros", "noise", "event"])
def test_nothing_after_the_look_ahead_changes_a_pick(later: str) -> None:
    whole = record()
    for pick in picks(whole):
        end = int(pick.sample) + AHEAD[pick.phase] + 1
        counts = whole.copy()
        if later == "nothing":
            counts = counts[:, :end]
        else:
            chance = np.random.default_rng(0).normal(0, 1e7, counts[:, end:].shape)
            counts[:, end:] = {"zeros": 0, "noise": chance * 1e-6, "event": chance}[later]
        assert pick in picks(counts)


@pytest.mark.parametrize("exponent", [-3, 12, 40])
def test_powers_of_two_change_no_bit(exponent: int) -> None:
    assert picks(record() * np.float32(2.0) ** exponent) == picks(record())


@pytest.mark.parametrize("filler", [np.nan, 0.0])
def test_no_pick_within_half_a_second_of_a_gap_is_new(filler: float) -> None:
    chance, whole = np.random.default_rng(5), record()
    for _ in range(60):
        first = int(chance.integers(100, 3700))
        last = first + int(chance.integers(60, 300))
        counts = whole.copy()
        counts[:, first:last] = filler
        near = [p for p in picks(counts) if min(abs(p.sample - first), abs(p.sample - last)) < 50]
        assert [p for p in near if p not in picks(whole)] == []


def test_zeros_that_one_component_has_by_itself_are_missing_to_the_models() -> None:
    counts, shown = streams.record(4000, events=()), list[FloatArray]()
    counts[0, 1000:1300] = 0

    def watched(windows: FloatArray) -> FloatArray:
        shown.append(windows)
        return onsets(windows)

    list(pick_packets(streams.seconds(counts), Cascade(Picker(Stage("picker_live", streams.card(0.4), watched)))))
    vertical, north, _ = np.concatenate(shown).transpose(1, 0, 2)
    assert (np.isnan(vertical) & ~np.isnan(north)).sum(axis=1).max() == 260  # all but what it takes to tell
