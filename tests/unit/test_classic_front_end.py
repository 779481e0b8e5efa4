"""Classic picking of live records: the same picks whatever the packets, none from what came later, judged by models."""

from dataclasses import replace

import numpy as np
import pytest

from kensoku.classic import (
    ClassicFrontEnd,
    ClassicPick,
    ClassicSettings,
    Trigger,
    also_loud,
    cut_around,
    pick_classic,
    refine,
)
from kensoku.classic._judging import judged
from kensoku.continuous import index_of
from kensoku.detection import ByStation, Stage, pick_packets
from kensoku.packets import station_filter
from kensoku.picking import Delay, Geometry, ModelCard, PhasePair
from kensoku.v1.pick_pb2 import (
    DECISION_KEPT,
    DECISION_REJECTED_NOISE,
    METHOD_CLASSIC,
    METHOD_CLASSIC_REFINED,
    METHOD_CNN,
    PHASE_P,
    PHASE_S,
)
from tests.streams import START_NS, FloatArray, card, contents, one_stage, picks, record, seconds

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


def never(cuts: FloatArray) -> FloatArray:
    said: FloatArray = np.tile(np.array([0.9, 0.1], np.float32)[:, np.newaxis], (len(cuts), 1, 1))
    return said


def first_loud_samples(counts: FloatArray) -> FloatArray:
    """P and S where the vertical and north become loud; a lobe of five samples."""
    said = np.zeros_like(counts)
    for one, answers in zip(np.nan_to_num(counts), said, strict=True):
        for component, row in ((0, 1), (1, 2)):
            loud = np.abs(one[component]) > 200
            for at in np.flatnonzero(loud[150:-2] & ~loud[149:-3]) + 150:
                if not loud[at - 150 : at].any():
                    answers[row, at - 2 : at + 3] = [0.2, 0.6, 0.9, 0.6, 0.2]
    said[:, 0] = 1 - said[:, 1:].max(axis=1)
    return said


def front_end(picker: Stage | None = None) -> ClassicFrontEnd:
    return ClassicFrontEnd(Stage("denoiser", DENOISER, loud_after_the_middle), picker, SETTINGS)


def test_p_and_s_are_told_apart_and_judged() -> None:
    found = picks(pick_packets(seconds(COUNTS), front_end()))
    sure = [pick for pick in found if pick.decision == DECISION_KEPT]
    first = index_of(START_NS)
    assert [pick.phase for pick in sure] == [PHASE_P, PHASE_S]
    assert [pick.onset_index - first for pick in sure] == [pytest.approx(P, abs=5), pytest.approx(S, abs=5)]
    assert {pick.method for pick in found} == {METHOD_CLASSIC}
    assert sure[0].model.name == "classic"


def test_what_the_denoiser_calls_noise_is_told_with_its_reason() -> None:
    found = picks(pick_packets(seconds(COUNTS), ClassicFrontEnd(Stage("denoiser", DENOISER, never), None, SETTINGS)))
    assert {pick.decision for pick in found} == {DECISION_REJECTED_NOISE}
    assert found[0].decision_reason == "denoiser: an onset with probability 0.10, expected 0.50"


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


@pytest.mark.parametrize(("size", "is_shown_again"), [(1e2, False), (1e5, True)])
def test_only_an_onset_beyond_what_was_taught_is_shown_again_with_more_quiet(size: float, is_shown_again: bool) -> None:
    def quiet_to_the_middle(cuts: FloatArray) -> FloatArray:
        onset = np.where(np.nanmax(np.abs(cuts[:, 0, :220]), axis=1) > 10, 0.2, 0.9).astype(np.float32)
        said: FloatArray = np.stack([1 - onset, onset], axis=1)[:, :, np.newaxis]
        return said

    counts = np.random.default_rng(0).normal(0, 1, (3, 2000)).astype(np.float32)
    counts[:, 1000:] += size * np.sin(np.arange(1000) / 5).astype(np.float32)
    counts[1] = np.nan
    cuts = np.stack([cut_around(counts, 0, sample, 400) for sample in (500, 1000)])
    assert also_loud(quiet_to_the_middle)(cuts)[:, 1, 0] == pytest.approx([0.9, 0.9 if is_shown_again else 0.2])


def test_a_picker_refines_the_onset_and_the_phase() -> None:
    found = picks(
        pick_packets(
            seconds(COUNTS), front_end(Stage("picker_live", replace(card(0.4), delay=Delay()), first_loud_samples))
        )
    )
    refined = [pick for pick in found if pick.method == METHOD_CLASSIC_REFINED]
    assert [pick.phase for pick in refined] == [PHASE_P, PHASE_S]
    assert [pick.onset_index - index_of(START_NS) for pick in refined] == [
        pytest.approx(P, abs=4),
        pytest.approx(S, abs=4),
    ]
    assert {pick.model.name for pick in refined} == {"picker_live"}


def test_what_the_denoiser_calls_noise_is_not_refined() -> None:
    picker = Stage("picker_live", replace(card(0.4), delay=Delay()), first_loud_samples)
    deaf = ClassicFrontEnd(Stage("denoiser", DENOISER, never), picker, SETTINGS)
    assert {pick.method for pick in picks(pick_packets(seconds(COUNTS), deaf))} == {METHOD_CLASSIC}


def test_an_onset_that_is_another_triggers_own_refines_no_pick() -> None:
    """The picker is sure of the first of two waves a third of a second apart."""
    trigger = Trigger(sample=5040, band=0, ratio=9.0, vertical=9.0, horizontal=1.0, bands=3, previous=4990)
    classic = ClassicPick(
        phase="P", sample=5035.0, width_s=0.1, snr=9.0, band_hz=(5.0, 10.0), trigger=trigger, decided=5110
    )
    pick = judged(classic, 0.0, 0.5)
    counts = np.random.default_rng(1).normal(0, 1, (3, 9000)).astype(np.float32)
    counts[0, 5010:] += 1000
    shown = replace(card(0.4), delay=Delay())
    assert refine(pick, counts, 0, first_loud_samples, shown) == pick
    alone = replace(classic, trigger=replace(trigger, previous=4900))
    assert refine(replace(pick, classic=alone), counts, 0, first_loud_samples, shown).sample == pytest.approx(
        5010, abs=2
    )


def test_it_says_how_far_back_it_looks() -> None:
    end = front_end()
    assert end.reach >= SETTINGS.reach + 200
    assert end.evaluate([]) == []


def test_each_station_has_its_own_front_end() -> None:
    mixed = ByStation(one_stage(), front_end(), station_filter("XX.B*, YY.*"))
    assert mixed.reach == max(one_stage().reach, front_end().reach)
    both = [*seconds(COUNTS, station="A"), *seconds(COUNTS, station="BAR")]
    found = picks(pick_packets(sorted(both, key=lambda one: one.arrival_ns), mixed))
    methods = {(pick.instrument.station, pick.method) for pick in found}
    assert methods == {("A", METHOD_CNN), ("BAR", METHOD_CLASSIC)}
    alone = picks(pick_packets(seconds(COUNTS, station="BAR"), front_end()))
    assert [pick.id for pick in found if pick.instrument.station == "BAR"] == [pick.id for pick in alone]
