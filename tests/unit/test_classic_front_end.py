"""Classic picking of live records: the same picks whatever the packets, none from what came later, judged by models."""

import numpy as np
import pytest

from kensoku.classic import ClassicFrontEnd, ClassicSettings, pick_classic
from kensoku.continuous import index_of
from kensoku.detection import Stage, pick_packets
from kensoku.picking import Geometry, ModelCard, PhasePair
from kensoku.v1.pick_pb2 import METHOD_CLASSIC, METHOD_CLASSIC_REFINED, PHASE_P, PHASE_S
from tests.streams import START_NS, FloatArray, card, contents, onsets, picks, record, seconds

P, S = 5000, 5600
COUNTS = record(9000, events=((P, 0), (S, 1), (S, 2)))
SETTINGS = ClassicSettings(block_s=20, warm_up_s=20)  # of less work
DENOISER = ModelCard(
    kind="classifier",
    description="loud after the middle: an onset",
    threshold=PhasePair(p=0.5, s=0.5),
    geometry=Geometry(window=400, before=0, after=0, is_fixed=True, batch=8),
)


def loud_after_the_middle(cuts: FloatArray) -> FloatArray:
    quiet, loud = (np.nanmax(np.nanstd(part, axis=2), axis=1) for part in (cuts[:, :, :180], cuts[:, :, 200:230]))
    onset = np.where(loud > 3 * quiet, 0.9, 0.2).astype(np.float32)
    said: FloatArray = np.stack([1 - onset, onset], axis=1)[:, :, np.newaxis]
    return said


def front_end(picker: Stage | None = None) -> ClassicFrontEnd:
    return ClassicFrontEnd(Stage("denoiser", DENOISER, loud_after_the_middle), picker, SETTINGS)


def test_p_and_s_are_told_apart_and_judged() -> None:
    found = picks(pick_packets(seconds(COUNTS), front_end()))
    sure = [pick for pick in found if pick.probabilities.noise < 0.5]
    first = index_of(START_NS)
    assert [pick.phase for pick in sure] == [PHASE_P, PHASE_S]
    assert [pick.onset_index - first for pick in sure] == [pytest.approx(P, abs=5), pytest.approx(S, abs=5)]
    assert {pick.method for pick in found} == {METHOD_CLASSIC}
    assert sure[0].model.name == "classic+denoiser"


def test_packets_of_any_size_give_the_same_messages() -> None:
    whole = contents(pick_packets(seconds(COUNTS, 3000), front_end()))
    assert len(whole) >= 4
    assert contents(pick_packets(seconds(COUNTS, 177), front_end())) == whole


def test_records_are_picked_as_a_whole_record_is() -> None:
    first = index_of(START_NS)
    alone = pick_classic(COUNTS.astype(np.float32), SETTINGS, first)
    found = picks(pick_packets(seconds(COUNTS), ClassicFrontEnd(settings=SETTINGS)))
    assert [pick.onset_index for pick in found] == sorted(round(pick.sample) for pick in alone)


def test_nothing_that_comes_after_the_decision_is_looked_at() -> None:
    before = picks(pick_packets(seconds(COUNTS), front_end()))[0]
    used_to = (before.latency.last_sample_ns - START_NS) // 10**7 + 1
    changed = COUNTS.copy()
    changed[:, used_to:] *= 1000
    after = picks(pick_packets(seconds(changed), front_end()))[0]
    assert (after.id, after.probabilities) == (before.id, before.probabilities)


def test_a_picker_refines_the_onset_and_the_phase() -> None:
    found = picks(pick_packets(seconds(COUNTS), front_end(Stage("picker_live", card(0.4), onsets, "1", "ab"))))
    refined = [pick for pick in found if pick.method == METHOD_CLASSIC_REFINED]
    assert [pick.phase for pick in refined] == [PHASE_P, PHASE_S]
    assert {pick.model.name for pick in refined} == {"classic+picker_live"}


def test_it_says_how_far_back_it_looks() -> None:
    end = front_end()
    assert end.reach >= SETTINGS.reach + 200
    assert end.evaluate([]) == []
