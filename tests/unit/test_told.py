"""What was told: nothing twice, every pick measured once and in its turn, and none remembered for ever."""

from kensoku.continuous import NOT_HELD, RATE_HZ, Instrument
from kensoku.detection._told import Told
from kensoku.measuring import FULL
from kensoku.v1.pick_pb2 import (
    DECISION_FAINT,
    DECISION_KEPT,
    DECISION_REJECTED_QUALITY,
    DECISION_REJECTED_STATION,
    PHASE_P,
    PHASE_S,
    Decision,
    ModelReference,
    Phase,
    Pick,
)

HERE, THERE = (Instrument("XX", station, "", "HH") for station in ("HERE", "THERE"))
LATENESS = 60 * RATE_HZ
FIRST, SECOND = ("waveforms", 0), ("waveforms", 1)


def pick(
    index: int,
    phase: Phase = PHASE_P,
    *,
    instrument: Instrument = HERE,
    version: str = "1",
    decision: Decision = DECISION_KEPT,
) -> Pick:
    model = ModelReference(name="picker_live", version=version)
    content = f"{instrument.station}/{phase}/{index}"
    message = Pick(id=content, phase=phase, onset_index=index, model=model, decision=decision)
    message.instrument.CopyFrom(instrument.to_message())
    return message


def told(*picks: Pick) -> Told:
    known = Told(LATENESS)
    for one in picks:
        assert known.tell(Instrument.of(one.instrument), one, is_again=False)
    return known


def test_the_same_pick_is_no_news() -> None:
    assert not told(pick(5000)).tell(HERE, pick(5000), is_again=False)


def test_a_pick_nearby_is_news_but_where_late_samples_or_another_version_show_it() -> None:
    assert told(pick(5000)).tell(HERE, pick(5050), is_again=False)
    assert not told(pick(5000)).tell(HERE, pick(5050), is_again=True)
    assert not told(pick(5000)).tell(HERE, pick(5050, version="2"), is_again=False)


def test_late_samples_show_news_half_a_second_away_of_another_phase_or_elsewhere() -> None:
    assert told(pick(5000)).tell(HERE, pick(5051), is_again=True)
    assert told(pick(5000)).tell(HERE, pick(5000, PHASE_S), is_again=True)
    assert told(pick(5000)).tell(THERE, pick(5000, instrument=THERE), is_again=True)


def test_picks_of_the_minute_before_are_counted_without_those_of_a_wrong_record() -> None:
    known = told(
        pick(1000),
        pick(1001, decision=DECISION_REJECTED_STATION),
        pick(4000, decision=DECISION_REJECTED_QUALITY),
        pick(7000),
    )
    assert [known.lately(HERE, index) for index in (999, 1000, 1001, 6999, 7000, 7001)] == [0, 1, 2, 2, 2, 1]
    assert known.lately(THERE, 7000) == 0


def test_what_is_due_comes_by_the_end_of_its_half_minute_across_instruments() -> None:
    known = told(pick(3000), pick(1000), pick(2000, instrument=THERE), pick(9000, instrument=THERE))
    reached = {HERE: 3000 + FULL, THERE: 9000 + FULL - 1}
    assert [one.pick.onset_index for one in known.due(reached)] == [1000, 2000, 3000]
    assert [one.pick.onset_index for one in known.due({THERE: 9000 + FULL})] == [2000, 9000]


def test_of_many_that_are_due_a_quarter_is_taken() -> None:
    known = told(*(pick(1000 * number) for number in range(1, 13)))
    reached = {HERE: 1 << 40}
    assert [len(known.due(reached, most)) for most in (1, 3, 5, 100)] == [3, 3, 5, 12]


def test_what_is_measured_is_due_no_more_and_needs_no_record() -> None:
    known = told(pick(1000), pick(2000))
    assert known.kept_from(HERE) == 1000 + FULL
    known.due({HERE: 1000 + FULL})[0].is_measured = True
    assert known.due({HERE: 1000 + FULL}) == []
    assert known.kept_from(HERE) == 2000 + FULL
    known.due({HERE: 2000 + FULL})[0].is_measured = True
    assert known.kept_from(HERE) == NOT_HELD


def test_what_is_measured_is_forgotten_once_no_late_samples_can_show_it_again() -> None:
    known = told(pick(1000), pick(2000))
    known.due({HERE: 1000 + FULL})[0].is_measured = True
    known.forget(HERE, 1000 + FULL + LATENESS - 1)
    assert not known.tell(HERE, pick(1000), is_again=False)
    known.forget(HERE, 1000 + FULL + LATENESS)
    assert known.tell(HERE, pick(1000), is_again=False)


def test_what_is_not_measured_is_never_forgotten_and_else_nothing_is_left() -> None:
    known = told(pick(1000))
    known.forget(HERE, 1 << 40)
    (one,) = known.due({HERE: 1 << 40})
    one.is_measured = True
    known.forget(HERE, 1 << 40)
    assert list(known) == []


def test_after_a_restart_what_was_told_is_known_and_what_was_not_measured_is_due() -> None:
    known = told(pick(1000))
    known.recall(FIRST, [pick(1000), pick(2000), pick(3000, instrument=THERE)], {pick(1000).id})
    assert not known.tell(HERE, pick(2000), is_again=False)
    due = known.due({HERE: 1 << 40, THERE: 1 << 40})
    assert [one.pick.onset_index for one in due] == [2000, 3000]


def test_who_leaves_takes_the_instruments_that_were_read_from_it_and_no_others() -> None:
    known = told(pick(1000), pick(1000, instrument=THERE))
    read_from = {HERE: FIRST, THERE: SECOND}
    known.leave(FIRST, read_from.get)
    assert list(known) == [THERE]


def test_what_was_recalled_and_never_read_goes_with_the_last_position_that_told_it() -> None:
    known = Told(LATENESS)
    known.recall(FIRST, [pick(1000)], ())
    known.recall(SECOND, [pick(1000)], ())
    nowhere = dict[Instrument, tuple[str, int]]().get
    known.leave(SECOND, nowhere)
    assert list(known) == [HERE]
    known.leave(FIRST, nowhere)
    assert list(known) == []


def test_what_was_recalled_stays_with_the_position_it_is_read_from() -> None:
    known = Told(LATENESS)
    known.recall(FIRST, [pick(1000)], ())
    known.leave(FIRST, {HERE: SECOND}.get)
    assert list(known) == [HERE]


def test_a_kept_pick_is_news_beside_a_faint_one_and_not_the_other_way() -> None:
    faint = pick(5010, decision=DECISION_FAINT)
    assert told(faint).tell(HERE, pick(5000), is_again=True)
    assert not told(pick(5000)).tell(HERE, faint, is_again=True)
    assert not told(faint).tell(HERE, pick(5000, decision=DECISION_FAINT), is_again=True)


def test_faint_picks_count_apart() -> None:
    known = told(pick(5000), pick(5200, decision=DECISION_FAINT))
    assert known.lately(HERE, 5300) == 1
    assert known.lately(HERE, 5300, with_faint=True) == 2
