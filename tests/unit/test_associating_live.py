"""The life of events in a live stream of picks."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kensoku.associating import Onset, Watch, WatchSettings, associate
from kensoku.associating._associate import Candidate
from kensoku.associating._life import Fate, Known, match
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UPDATED,
)
from kensoku.v1.pick_pb2 import DECISION_REJECTED_NOISE
from tests.shocks import BEGIN_NS, NS_PER_S, Shock, network, noise, onsets, pick, progress, sites

SHOCKS = [Shock(30, 3, 4), Shock(55, -12, 8), Shock(58, 10, -6), Shock(130, 0, 0), Shock(175, 5, 15)]
END_S = 260.0


def stream(watch: Watch, arriving: list[Onset], *, until_s: float = END_S) -> list[Association]:
    """Picks in the order in which they come, and each second how far the stations are."""
    told, heard_s, tick = [], 0.0, 0
    for each in arriving:
        watch.add(pick(each))
        now_s = (each.onset_ns - BEGIN_NS) / NS_PER_S
        if now_s > heard_s + 1:
            heard_s = now_s
            watch.hear(progress(now_s - 4))
        if watch.tick_ns > tick:
            tick = watch.tick_ns
            told += watch.step()
    watch.hear(progress(until_s + 600))
    return told + watch.step()


def last(told: list[Association]) -> dict[str, Association]:
    return {each.event_id: each for each in told}


def picks_of(association: Association) -> frozenset[str]:
    return frozenset(each.pick.id for each in association.picks)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), longest_s=st.sampled_from([0.5, 4.0, 20.0]))
def test_live_ends_with_what_batch_finds(seed: int, longest_s: float) -> None:
    made, _ = onsets(SHOCKS)
    given = [*made, *noise(60, END_S)]
    chance = random.Random(seed)
    arriving = sorted(given, key=lambda each: each.onset_ns + chance.uniform(0, longest_s * NS_PER_S))
    final = last(stream(Watch("here", network()), arriving + arriving[:20]))
    live = {picks_of(each) for each in final.values() if each.status == EVENT_STATUS_FINAL}
    heard = {code: BEGIN_NS + 900 * NS_PER_S for code in sites()}
    batch = {frozenset(given[m.index].id for m in group.members) for group in associate(given, network(), heard)}
    assert live == batch


PARTS, BLOCK_S, SPAN_S = 4, 600.0, 1800.0


def after_an_outage(*, is_told: bool, dead: str = "") -> tuple[list[Onset], list[Association]]:
    """Ten minutes of a quarter of the stations are read, then of the next; `is_told`: how far partitions are read."""
    shocks = [Shock(40 + 97 * k, 7 * (k % 5 - 2), 5 * (k % 7 - 3)) for k in range(17)]
    parts = [[code for code in sorted(sites())[part::PARTS] if code != dead] for part in range(PARTS)]
    given = [each for each in onsets(shocks)[0] if each.station != dead]
    watch, told = Watch("here", network()), list[Association]()

    def hear(part: int, to_s: float) -> None:
        message = progress(to_s, parts[part])
        message.partition = part
        message.read_to_ns = BEGIN_NS + round((to_s + 3) * NS_PER_S) if is_told else 0
        watch.hear(message)
        told.extend(watch.step())

    for part in range(PARTS):
        hear(part, 0)
    if dead:
        watch.hear(progress(0, [dead]))  # of partition 0
    for to_s in np.arange(BLOCK_S, SPAN_S + 1, BLOCK_S):
        for part in range(PARTS):
            for each in given:
                if each.station in parts[part] and to_s - BLOCK_S <= (each.onset_ns - BEGIN_NS) / NS_PER_S < to_s:
                    watch.add(pick(each))
            hear(part, to_s)
    for part in range(PARTS):
        hear(part, SPAN_S + 600)
    return given, told


@pytest.mark.parametrize("dead", ["", "XX.S00"])
def test_stations_that_are_read_ten_minutes_after_others_are_waited_for(dead: str) -> None:
    given, told = after_an_outage(is_told=True, dead=dead)
    live = {picks_of(each) for each in last(told).values() if each.status == EVENT_STATUS_FINAL}
    heard = {code: BEGIN_NS + round((SPAN_S + 600) * NS_PER_S) for code in sites() if code != dead}
    batch = {frozenset(given[m.index].id for m in group.members) for group in associate(given, network(), heard)}
    assert len(batch) == 17
    assert live == batch
    assert max(each.revision for each in told) < 8, "each time a quarter of the stations joins"


def test_without_being_told_how_far_partitions_are_read_they_are_given_up() -> None:
    given, told = after_an_outage(is_told=False)
    live = {picks_of(each) for each in last(told).values() if each.status == EVENT_STATUS_FINAL}
    assert live != {frozenset(given[m.index].id for m in group.members) for group in associate(given, network())}


def test_an_event_is_preliminary_then_updated_then_final_under_one_id() -> None:
    made, _ = onsets(SHOCKS[:1])
    told = stream(Watch("here", network()), sorted(made, key=lambda each: each.onset_ns))
    assert len({each.event_id for each in told}) == 1
    assert [each.revision for each in told] == list(range(1, len(told) + 1))
    states = [each.status for each in told]
    assert states[0] == EVENT_STATUS_PRELIMINARY
    assert set(states[1:-1]) == {EVENT_STATUS_UPDATED}
    assert states[-1] == EVENT_STATUS_FINAL
    first_s = (told[0].tick_ns - BEGIN_NS) / NS_PER_S
    assert first_s < 30 + 8, "declared before most of its picks"
    assert len(told[0].picks) < len(told[-1].picks)


def test_of_s_alone_nothing_is_told_until_it_is_sure() -> None:
    made, _ = onsets(SHOCKS[:1], detected=1.0)
    arriving = sorted((each for each in made if each.phase == "S"), key=lambda each: each.onset_ns)
    careful = WatchSettings(sure_log_odds=20.0)
    usual, hasty = Watch("here", network(), careful), Watch("here", network())
    first, early = (next(told for each in arriving if (told := tell(watch, each))) for watch in (usual, hasty))
    assert len(early[0].picks) < len(first[0].picks), "it takes more S than with the odds that four P need"
    assert WatchSettings().sure_log_odds <= early[0].score < careful.sure_log_odds <= first[0].score


def tell(watch: Watch, onset: Onset) -> list[Association]:
    watch.add(pick(onset))
    return watch.step()


def test_after_a_restart_nothing_older_is_told_again() -> None:
    made, _ = onsets(SHOCKS)
    arriving = sorted(made, key=lambda each: each.onset_ns)
    whole = last(stream(Watch("here", network()), arriving))
    first = Watch("here", network())
    before = []
    for each in arriving[: len(arriving) // 2]:
        first.add(pick(each))
        before += first.step()
    second = Watch("here", network())
    second.recall(before)
    after = stream(second, arriving)
    revisions = {each.event_id: each.revision for each in before}
    assert all(each.revision > revisions.get(each.event_id, 0) for each in after)
    assert {picks_of(each) for each in last([*before, *after]).values()} == {picks_of(e) for e in whole.values()}


def test_a_pick_that_is_filled_in_later_makes_one_more_revision() -> None:
    made, _ = onsets(SHOCKS[:1], detected=1.0)
    missing, rest = made[0], made[1:]
    watch = Watch("here", network())
    told = stream(watch, sorted(rest, key=lambda each: each.onset_ns))
    far = [Onset(f"x{k}", "XX.S00", "P", BEGIN_NS + (4000 + 60 * k) * NS_PER_S) for k in range(30)]
    told += [each for one in far for each in (watch.add(pick(one)), *watch.step()) if isinstance(each, Association)]
    assert told[-1].status == EVENT_STATUS_FINAL
    assert len(watch) < 30, "what is long ago is forgotten"
    watch.add(pick(missing, late=True))
    [revised] = watch.step()
    assert (revised.event_id, revised.reason) == (told[-1].event_id, "backfill")
    assert revised.revision == told[-1].revision + 1
    assert missing.id in picks_of(revised)
    assert not watch.step()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_an_event_that_more_picks_contradict_is_retracted_after_a_while(is_restarted: bool) -> None:
    """Stations near it turn out to have been listened to, and heard nothing."""
    made, _ = onsets([Shock(50, 0, 0)], detected=1.0)
    corners = ("XX.S00", "XX.S03", "XX.S30", "XX.S33")
    few = [pick(each) for each in made if each.station in corners and each.phase == "P"]
    watch = Watch("here", network())
    for each in few:
        watch.add(each)
    watch.hear(progress(59, corners))
    [declared] = watch.step()
    assert declared.status == EVENT_STATUS_PRELIMINARY
    if is_restarted:
        watch = Watch("here", network())
        watch.recall([declared])
        for each in few:
            watch.add(each)
    watch.hear(progress(66))
    watch.add(pick(Onset("another", "XX.S12", "P", BEGIN_NS + 65 * NS_PER_S)))
    assert not watch.step(), "more picks may come that agree with it"
    watch.hear(progress(67))
    [retracted] = watch.step()
    assert (retracted.event_id, retracted.status) == (declared.event_id, EVENT_STATUS_RETRACTED)
    assert "no common origin" in retracted.reason


def test_an_event_that_was_taken_back_goes_on_with_its_next_revision() -> None:
    made = [pick(each) for each in onsets([Shock(50, 0, 0)], detected=1.0)[0]]

    def declared(before: list[Association]) -> Association:
        watch = Watch("here", network())
        watch.recall(before)
        for each in made:
            watch.add(each)
        watch.hear(progress(80))
        [told] = watch.step()
        return told

    retracted = declared([])
    retracted.status, retracted.revision = EVENT_STATUS_RETRACTED, 5
    again = declared([retracted])
    assert (again.event_id, again.revision) == (retracted.event_id, 6)


def test_rejected_picks_and_those_of_unknown_stations_count_for_nothing() -> None:
    watch = Watch("here", network())
    refused = pick(onsets(SHOCKS[:1])[0][0])
    refused.decision = DECISION_REJECTED_NOISE
    assert not watch.add(refused)
    assert not watch.add(pick(Onset("a", "YY.NEW", "P", BEGIN_NS)))


# --- matching ---------------------------------------------------------------------------------------------------------


def candidate(*picks: str, odds: float = 9.0) -> Candidate:
    members = tuple((name, 0, 0.0, 1.0) for name in picks)
    return Candidate(0, odds, BEGIN_NS, 35.0, -118.0, 8.0, members)


def known(name: str, picks: str, first: str = "", *, is_final: bool = False) -> Known:
    return Known(name, frozenset(first or picks), frozenset(picks), is_final)


def test_a_split_leaves_the_id_where_more_of_the_first_picks_are() -> None:
    halves = candidate(*"abc"), candidate(*"defgh")
    matched = match(halves, [known("one", "abcdefgh", first="abd")])
    assert matched.goes_on == {"one": halves[0]}
    assert matched.new == ((halves[1], "one"),)


def test_two_events_that_become_one_are_merged() -> None:
    whole = candidate(*"abcdefg")
    matched = match([whole], [known("one", "abcd"), known("two", "efg")])
    assert matched.goes_on == {"one": whole}
    assert matched.gone == {"two": (Fate.MERGED, "one")}


def test_an_event_whose_first_picks_another_has_is_merged_into_it() -> None:
    whole = candidate(*"abcdxyz")
    matched = match([whole], [known("one", "abcxyz"), known("two", "defghijk", first="def")])
    assert matched.gone == {"two": (Fate.RETRACTED, "")}
    matched = match([whole], [known("one", "abcxyz"), known("two", "defghijk", first="dz")])
    assert matched.gone == {"two": (Fate.MERGED, "one")}


def test_what_no_group_holds_is_retracted_unless_it_is_final() -> None:
    events = [known("one", "abcd"), known("two", "efgh", is_final=True)]
    assert match([], events).gone == {"one": (Fate.RETRACTED, "")}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_matching_does_not_depend_on_the_order_of_events(order: tuple[int, int]) -> None:
    events = [known("one", "abcd"), known("two", "cdef")]
    groups = [candidate(*"abc"), candidate(*"def")]
    matched = match([groups[k] for k in order], [events[k] for k in order])
    assert matched.goes_on == {"one": groups[0], "two": groups[1]}
