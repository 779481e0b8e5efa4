"""Picks that are filled in long after the last word: of what was told before, and of nothing else."""

from collections import Counter

import pytest

from kensoku.associating import Onset, Watch
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL
from kensoku.v1.pick_pb2 import PickMeasurement
from tests.shocks import Shock, network, onset, onsets, pick, progress, sites

CUT_OFF = {"XX.S00", "XX.S01", "XX.S02", "XX.S10", "XX.S11"}  # during the earthquakes
HEARD = [code for code in sites() if code not in CUT_OFF]


def last_words(watch: Watch, made: list[Onset]) -> list[Association]:
    """Of what the other stations picked, hours later."""
    for each in made:
        if each.station not in CUT_OFF:
            watch.add(pick(each))
    told = []
    for after_s in range(0, 12_000, 300):
        watch.hear(progress(after_s, HEARD))
        told += watch.step()
    last = {each.event_id: each for each in told}
    assert {each.status for each in last.values()} == {EVENT_STATUS_FINAL}
    return list(last.values())


def late(made: list[Onset]) -> list[Onset]:
    return sorted((each for each in made if each.station in CUT_OFF), key=lambda each: each.onset_ns)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_is_filled_in_at_once_after_several_earthquakes_makes_one_more_revision_of_each(
    is_restarted: bool,
) -> None:
    made, _ = onsets([Shock(30, 3, 4), Shock(1230, -12, 8), Shock(4000, 10, -5)], detected=1.0)
    watch = Watch("here", network())
    before = last_words(watch, made)
    assert len(before) == 3
    if is_restarted:
        watch = Watch("here", network())
        watch.recall(before)
    for each in late(made):
        watch.add(pick(each, late=True))
    after = watch.step()
    assert [(each.event_id, each.revision) for each in after] == [(e.event_id, e.revision + 1) for e in before]
    assert {each.reason for each in after} == {"backfill"}
    assert {len(each.picks) for each in after} == {32}


def test_a_pick_that_is_minutes_late_tells_no_earthquake_of_before_it_again() -> None:
    """That began at the end of one minute and was picked in the next, which are forgotten one after the other."""
    made, _ = onsets([Shock(39.5, 3, 4)], detected=1.0)
    watch = Watch("here", network())
    for each in made:
        watch.add(pick(each))
    told = []
    for minute in range(1, 20):
        watch.hear(progress(60.0 * minute))
        told += watch.step()
        for number in range(max(minute - 9, 0), minute):
            watch.add(pick(onset(1000 * minute + number, "XX.S00", "P", 60.0 * number + 45, 0.1), late=True))
            told += watch.step()
    assert len({each.event_id for each in told}) == 1


@pytest.mark.parametrize(("second", "seed"), [(Shock(31, 6, 2), 0), (Shock(33, 20, -10), 3)])
def test_of_two_earthquakes_none_takes_what_the_last_word_of_the_other_has(second: Shock, seed: int) -> None:
    made, _ = onsets([Shock(30, 3, 4), second], seed, detected=0.6)
    watch = Watch("here", network())
    last = {each.event_id: each for each in last_words(watch, made)}
    for each in late(made):
        watch.add(pick(each, late=True))
        last |= {told.event_id: told for told in watch.step()}
    watch.hear(progress(12_300))
    last |= {told.event_id: told for told in watch.step()}
    count = Counter(each.pick.id for told in last.values() if told.status == EVENT_STATUS_FINAL for each in told.picks)
    assert set(count.values()) == {1}


@pytest.mark.parametrize("turns", [1, 2])
def test_what_is_measured_of_a_late_pick_counts_whether_it_is_read_with_it_or_later(turns: int) -> None:
    made, _ = onsets([Shock(30, 3, 4)], detected=1.0)
    watch = Watch("here", network())
    [before] = last_words(watch, made)
    filled_in = pick(late(made)[0], late=True)
    watch.add(filled_in)
    if turns == 2:
        watch.step()
    watch.measure(PickMeasurement(id=filled_in.id, onset_ns=filled_in.onset_ns, snr=7.0, late=True))
    [told] = watch.step()
    assert (told.event_id, told.revision, told.reason) == (before.event_id, before.revision + turns, "backfill")
    assert [each.measurement.snr for each in told.picks if each.pick.late] == [7.0]
    assert not watch.step()
