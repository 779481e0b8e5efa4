"""A reviewer looks again at what a live picker finds: it joins the score, moves an onset a little, and sees no more
than may be waited for; what it rejects is told with the reason."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kensoku.batch import open_picker
from kensoku.continuous import Before
from kensoku.detection import Cascade, Detector, Picker, Stage, Version, is_more, pick_packets
from kensoku.errors import InputInvalid, ModelRefused
from kensoku.packets import decode_packet
from kensoku.picking import CARD, Delay, Phase, PhasePair, Pick, Reviewer, pick_records, reviewed
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT, DECISION_REJECTED_NOISE, PHASE_P, PHASE_S, Decision
from kensoku.v1.pick_pb2 import Pick as PickOf
from tests.streams import (
    SAMPLE_NS,
    START_NS,
    FloatArray,
    by_arrival,
    card,
    contents,
    onsets,
    packet,
    picks,
    record,
    reviewer_card,
    reviewing,
    seconds,
    two_stages,
    with_reviewer,
)
from tests.tiny_models import write_model

RECORD = record(4000, events=((1800, 0), (2400, 1)))
POSITION = ("waveforms", 0)
AS_RECORDED = contents(pick_packets(seconds(RECORD), with_reviewer()))
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
WINDOW = 1024


def curve(phase: str, offset: float, height: float = 1.0) -> FloatArray:
    """What a reviewer says of a pick whose onset lies so many samples later."""
    said = np.zeros((3, WINDOW), np.float32)
    place = WINDOW - (70 if phase == "P" else 160)
    said["NPS".index(phase)] = height * np.exp(-0.5 * ((np.arange(WINDOW) - place - offset) / 10) ** 2)
    said[0] = 1 - said[1:].sum(axis=0)
    return said


def judged(
    phase: Phase, offset: float, height: float = 1.0, score: float = 0.5, faint: PhasePair | None = None
) -> Pick:
    return reviewed(Pick(phase, 500.3, score, 0.2), curve(phase, offset, height), reviewer_card(faint=faint)).pick


def test_the_score_is_the_mean_of_log_odds() -> None:
    odds = 0.25 * math.log(0.5 / 0.5) + 0.75 * math.log(0.8 / 0.2)
    assert judged("P", 0, 0.8).score == pytest.approx(1 / (1 + math.exp(-odds)), abs=1e-6)
    sure, impossible = judged("S", 0, 1.0, score=1.0), judged("S", 0, 0.0, score=0.0)
    assert [sure.score, impossible.score] == pytest.approx([0.999, 0.001])


@pytest.mark.parametrize(("phase", "most"), [("P", 5), ("S", 15)])
def test_an_onset_is_moved_a_little_at_most(phase: Phase, most: int) -> None:
    assert judged(phase, 3).sample == pytest.approx(503, abs=0.01)
    assert judged(phase, 40).sample == 500 + most
    assert judged(phase, -40).sample == 500 - most
    assert judged(phase, 100).score < 0.01  # that is another onset


def test_what_is_below_the_threshold_is_faint_down_to_its_limit() -> None:
    faint = PhasePair(p=0.2, s=0.2)
    assert [judged("P", 0, height, faint=faint).is_faint for height in (0.1, 0.3, 0.9)] == [False, True, False]
    assert not judged("P", 0, 0.3).is_faint


def test_two_picks_are_found_with_a_reviewer() -> None:
    found = picks(pick_packets(seconds(RECORD), with_reviewer()))
    assert [(pick.phase, pick.decision) for pick in found] == [(PHASE_P, DECISION_KEPT), (PHASE_S, DECISION_KEPT)]
    assert [[(one.name, one.version, one.sha256) for one in pick.judges] for pick in found] == [
        [("picker_live_review", "1", "ef")]
    ] * 2
    assert {pick.model.name for pick in found} == {"picker_live"}


@QUICK
@given(st.integers(0, 2**32 - 1), st.sampled_from([20, 90, 150]))
def test_sizes_and_order_of_packets_change_no_byte(seed: int, longest: int) -> None:
    random, first, made = np.random.default_rng(seed), 0, []
    while first < RECORD.shape[1]:
        last = min(first + int(random.integers(1, longest + 1)), RECORD.shape[1])
        made.append(packet(RECORD, first, last, delay_s=float(random.uniform(0, 1.4))))
        first = last
    assert contents(pick_packets(by_arrival(made), with_reviewer())) == AS_RECORDED


@pytest.mark.parametrize("crash", [9, 19, 20, 24, 25, 33])
def test_a_restart_tells_the_rest(crash: int) -> None:
    packets, first = seconds(RECORD), Detector(with_reviewer())
    for offset, one in enumerate(packets[:crash]):
        first.feed(one, decode_packet(one), POSITION, offset)
    told = first.found()
    needed = first.network.oldest_needed()[POSITION]
    known = {timeline.instrument: end for timeline, end, _ in first.network.evaluated(POSITION)}
    second = Detector(with_reviewer())
    second.resume(POSITION, Before(crash, known), picks(told), {one.id for one in told if not isinstance(one, PickOf)})
    for offset, one in enumerate(packets[needed:], needed):
        second.feed(one, decode_packet(one), POSITION, offset)
    assert contents([*told, *second.finish()]) == AS_RECORDED


@pytest.mark.parametrize("start", [137, 500, 703])
def test_a_later_start_gives_the_same_picks(start: int) -> None:
    """Where the cut lies in both records."""
    later = [packet(RECORD, first, min(first + 100, 4000)) for first in range(start, 4000, 100)]
    whole, started = (
        [one.id for one in picks(pick_packets(some, with_reviewer()))] for some in (seconds(RECORD), later)
    )
    assert whole == [one for one in started if one in whole]


def test_what_a_first_message_says_depends_on_the_look_ahead_only() -> None:
    """Whatever comes later than 1 s after P and 2 s after S."""
    for pick in picks(pick_packets(seconds(RECORD), with_reviewer())):
        ahead = 100 if pick.phase == PHASE_P else 200
        end = (pick.onset_ns - START_NS) // SAMPLE_NS + ahead + 1
        changed = RECORD.copy()
        changed[:, end:] = np.random.default_rng(0).normal(0, 1e6, changed[:, end:].shape)
        again = {p.id: p for p in picks(pick_packets(seconds(changed), with_reviewer()))}
        assert contents([again[pick.id]]) == contents([pick])


def test_records_at_once_have_the_same_picks() -> None:
    live = picks(pick_packets(seconds(RECORD), with_reviewer()))
    reviewer = Reviewer(reviewer_card(), reviewing)
    start = START_NS // SAMPLE_NS
    found = pick_records(RECORD[np.newaxis].astype(np.float32), onsets, card(0.4), start, reviewer)[0]
    assert [(one.phase, round(one.sample + start)) for one in found] == [
        ("P" if one.phase == PHASE_P else "S", one.onset_index) for one in live
    ]
    assert [one.score for one in found] == pytest.approx(
        [one.probabilities.p if one.phase == PHASE_P else one.probabilities.s for one in live]
    )


# --- what is rejected -------------------------------------------------------------------------------------------------


def deaf(counts: FloatArray) -> FloatArray:
    return np.stack([np.ones_like(counts[:, 0]), *[np.zeros_like(counts[:, 0])] * 2], axis=1)


def test_what_the_reviewer_rejects_is_told_with_the_reason_and_an_id_of_its_own() -> None:
    kept = picks(pick_packets(seconds(RECORD), two_stages()))
    found = picks(pick_packets(seconds(RECORD), with_reviewer(0.4, deaf)))
    assert [pick.decision for pick in found] == [DECISION_REJECTED_NOISE] * 2
    assert found[0].decision_reason == "score 0.68, but 0.00 of picker_live_review: together 0.01"
    assert {pick.id for pick in found}.isdisjoint(pick.id for pick in kept)


def test_what_neither_is_sure_of_is_not_told() -> None:
    """The picker alone would tell of its lobes from 0.4 on; those below that the reviewer does not confirm are none."""
    found = picks(pick_packets(seconds(RECORD), with_reviewer(0.4, deaf)))
    reviewer = Stage("picker_live_review", reviewer_card(), deaf, "1", "ef")
    low = Picker(Stage("picker_live", card(0.1), onsets, "1", "ab"), reviewer=reviewer)
    assert len(picks(pick_packets(seconds(RECORD), Cascade(low)))) > len(found) == 2


def test_faint_ones_are_told_as_such() -> None:
    found = picks(pick_packets(seconds(RECORD), with_reviewer(0.9, faint=PhasePair(p=0.6, s=0.6))))
    assert [pick.decision for pick in found] == [DECISION_FAINT] * 2
    assert found[0].decision_reason == "score 0.69, below 0.9"


@pytest.mark.parametrize(
    ("decision", "told", "is_news"),
    [
        (DECISION_KEPT, DECISION_FAINT, True),
        (DECISION_KEPT, DECISION_REJECTED_NOISE, True),
        (DECISION_FAINT, DECISION_REJECTED_NOISE, True),
        (DECISION_FAINT, DECISION_KEPT, False),
        (DECISION_REJECTED_NOISE, DECISION_FAINT, False),
        (DECISION_KEPT, DECISION_KEPT, False),
    ],
)
def test_what_is_more_than_was_told_is_news(decision: Decision, told: Decision, is_news: bool) -> None:
    assert is_more(PickOf(decision=decision), PickOf(decision=told)) == is_news


def test_the_surer_version_is_the_one_in_force_where_its_cut_begins() -> None:
    def promoted(start_ns: int) -> Version:
        first = (start_ns - START_NS) // SAMPLE_NS
        return Version(reviewing, "2", "gh") if first >= 1000 else Version(reviewing, "1", "ef")

    reviewer = Stage("picker_live_review", reviewer_card(), reviewing, "1", "ef", promoted)
    cascade = Cascade(Picker(Stage("picker_live", card(0.4), onsets, "1", "ab"), reviewer=reviewer))
    found = picks(pick_packets(seconds(RECORD), cascade))
    begins = [pick.onset_index - START_NS // SAMPLE_NS - WINDOW for pick in found]
    assert begins[0] + 70 < 1000 < begins[1] + 160
    assert [pick.judges[0].version for pick in found] == ["1", "2"]


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "picker"}, "found a picker, expected a reviewer"),
        ({"review": None}, "expected a reviewer of cuts of one length"),
        ({"look_ahead_s": None}, "a look-ahead"),
        ({"geometry": replace(reviewer_card().geometry, window=192)}, "found cuts of 192 samples"),
    ],
)
def test_other_models_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputInvalid, match=message):
        Reviewer(replace(reviewer_card(), **wrong), reviewing)  # type: ignore[arg-type]  # cases


def test_a_reviewer_that_waits_longer_than_the_picker_is_refused() -> None:
    terms = reviewer_card().review
    assert terms is not None
    late = replace(reviewer_card(), review=replace(terms, after=Delay(p=70, s=260)))
    with pytest.raises(InputInvalid, match="found cuts to 260 samples after a S, expected 176 at the most"):
        Cascade(Picker(Stage("picker_live", card(0.4), onsets), reviewer=Stage("late", late, reviewing)))


def test_a_repository_with_a_reviewer_is_used_with_it(tmp_path: Path) -> None:
    write_model(tmp_path, "ear", card(0.4))
    write_model(tmp_path, "ear_review", reviewer_card())
    with open_picker(tmp_path, f"local:{tmp_path}", "ear", threshold=0.7) as picker:
        assert picker.reviewer is not None
        assert (picker.reviewer.name, picker.reviewer.card.threshold) == ("ear_review", PhasePair(p=0.7, s=0.7))
    (tmp_path / "ear_review" / CARD).write_text(card(0.4).to_json())
    with (
        pytest.raises(ModelRefused, match="found a picker, expected a reviewer"),
        open_picker(tmp_path, f"local:{tmp_path}", "ear"),
    ):
        pass
