"""From candidates to events: what a revision carries, and the life of an event from its first solution to its end."""

import dataclasses
from typing import Any

import pytest

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.solving import Book, ChangeSettings, Outcome, changes, check_association, solve, solve_many
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UPDATED,
    EVENT_TYPE_BLAST,
    QUALITY_A,
    Event,
)
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S
from tests.associations import KM_PER_DEG, STATIONS, T0_NS, S, make_association, make_context, make_pick, make_picks
from tests.catalogue import make_event

FOUR = ("A", "B", "C", "D")


def solved(association: Association, before: Event | None = None) -> Event:
    event = solve(association, make_context(), before)
    assert event is not None
    return event


def first() -> Event:
    return solved(make_association(make_picks(nm=5000.0)))


def scattered(status: int = EVENT_STATUS_UPDATED, revision: int = 2, event_id: str = "e1") -> Association:
    """Picks that nothing explains."""
    picks = [make_pick(code, PHASE_P, T0_NS + n * 17 * S) for n, code in enumerate(FOUR)]
    return make_association(picks, revision, status, event_id)  # type: ignore[arg-type]  # a status


# --- what a revision carries ------------------------------------------------------------------------------------------


def test_an_event_says_where_how_large_and_of_what_it_was_made() -> None:
    event = solve(make_association(make_picks(nm=5000.0), split_from="e0"), make_context(), located_ns=5)
    assert event is not None
    assert (event.id, event.revision, event.owner_epoch, event.region) == ("e1", 1, 7, "here")
    assert (event.status, event.split_from) == (EVENT_STATUS_PRELIMINARY, "e0")
    assert event.origin.latitude_deg == pytest.approx(2.0 / KM_PER_DEG, abs=0.001)
    assert event.origin.longitude_deg == pytest.approx(3.0 / KM_PER_DEG, abs=0.001)
    assert event.origin.depth_km == pytest.approx(8.0, abs=0.2)
    assert abs(event.origin.time_ns - T0_NS) < 0.02 * S
    assert event.origin.quality == QUALITY_A
    assert len(event.arrivals) == 16
    assert event.preferred_magnitude == "ML"
    assert sum(dict_of(event).values()) == pytest.approx(1)
    made = event.provenance
    assert [model.name for model in made.models] == ["picker", "picker_live"]
    assert list(made.inventory_hashes) == sorted(f"hash-{code}" for code in "ABCDEFGH")
    assert (made.velocity_model, made.location_method) == ("homogeneous", "kensoku.locating")
    assert (made.software_version, made.association_method, made.association_revision) == ("0.0.1", "by hand", 1)
    assert len(made.velocity_model_hash) == 64
    last_ns = max(pick.pick.onset_ns for pick in make_picks())
    assert (event.latency.pick_published_ns, event.latency.located_ns) == (last_ns + S, 5)
    assert event.latency.associated_ns == last_ns + 2 * S


def dict_of(event: Event) -> dict[str, float]:
    return {field.name: value for field, value in event.type_probabilities.ListFields()}


def test_the_order_of_picks_changes_nothing() -> None:
    picks = make_picks(nm=5000.0)
    one, other = (solved(make_association(order)) for order in (picks, picks[::-1]))
    assert one.origin == other.origin
    assert one.magnitudes == other.magnitudes
    assert sorted(a.pick_id for a in one.arrivals) == sorted(a.pick_id for a in other.arrivals)


def test_corrections_of_stations_are_used() -> None:
    late = make_picks()
    for each in late:
        if each.pick.instrument.station == "A":
            each.pick.onset_ns += S // 2
    corrections = {("XX.A", "P"): 0.5, ("XX.A", "S"): 0.5}
    event = solve(make_association(late), dataclasses.replace(make_context(), corrections=corrections))
    assert event is not None
    assert event.origin.rms_s < 0.02


def test_a_station_that_has_moved_between_two_events_is_where_it_was_for_each() -> None:
    moved_ns = T0_NS + 3600 * S
    station = STATIONS["XX.A"]
    early, late = (type(station.epochs[0])() for _ in range(2))
    early.CopyFrom(station.epochs[0])
    late.CopyFrom(station.epochs[0])
    early.end_ns, late.start_ns, late.latitude_deg = moved_ns, moved_ns, 1.0
    moving = type(station)(network="XX", station="A", epochs=[early, late])
    context = dataclasses.replace(make_context(), stations={**STATIONS, "XX.A": moving})
    before = make_association(make_picks(), event_id="before")
    after = make_association(make_picks(at_ns=moved_ns + S), event_id="after")
    together = [each.event for each in solve_many([before, after], context, Book())]
    assert together == [solve(before, context), solve(after, context)]
    assert together[0] is not None
    assert together[1] is not None
    distances = [next(a.distance_km for a in e.arrivals if a.instrument.station == "A") for e in together if e]
    assert distances == pytest.approx([17.1, 110.5], abs=1.0)


# --- the life of an event ---------------------------------------------------------------------------------------------


def test_the_first_acceptable_solution_is_preliminary_whatever_the_candidate_is_by_then() -> None:
    assert solved(make_association(make_picks(), 3, EVENT_STATUS_UPDATED)).status == EVENT_STATUS_PRELIMINARY
    assert solved(make_association(make_picks(), 3, EVENT_STATUS_FINAL)).status == EVENT_STATUS_FINAL


def test_a_first_solution_waits_for_a_better_one_but_a_final_one_cannot() -> None:
    strict = dataclasses.replace(make_context(), acceptable_km=0.01)
    assert solve(make_association(make_picks()), strict) is None
    assert solve(make_association(make_picks(), 2, EVENT_STATUS_FINAL), strict) is not None


def test_a_candidate_that_cannot_be_located_is_no_event_yet() -> None:
    (answer,) = solve_many([scattered(revision=1)], make_context(), Book())
    assert (answer.outcome, answer.event) == (Outcome.NOT_LOCATED, None)
    assert answer.error is not None


def test_nothing_new_makes_no_revision() -> None:
    assert solve(make_association(make_picks(nm=5000.0), 2, EVENT_STATUS_UPDATED), make_context(), first()) is None


def test_what_matters_makes_a_revision_and_says_what() -> None:
    few = solved(make_association(make_picks(FOUR)))
    more = solved(make_association(make_picks(nm=5000.0), 2, EVENT_STATUS_UPDATED), few)
    assert (more.revision, more.status) == (2, EVENT_STATUS_UPDATED)
    assert "8 phases came, 0 went" in more.reason
    assert "ML 3." in more.reason


def test_final_is_told_also_where_nothing_else_changed() -> None:
    final = solved(make_association(make_picks(nm=5000.0), 2, EVENT_STATUS_FINAL), first())
    assert (final.revision, final.status, final.reason) == (2, EVENT_STATUS_FINAL, "")


def test_a_published_event_that_cannot_be_located_again_keeps_its_last_origin_and_says_so_once() -> None:
    before = first()
    after = solved(scattered(), before)
    assert after.origin == before.origin
    assert after.reason.startswith("not located again, this is the last origin: found")
    assert (after.revision, after.status) == (2, EVENT_STATUS_UPDATED)
    assert solve(scattered(revision=3), make_context(), after) is None
    assert solved(scattered(EVENT_STATUS_FINAL, 4), after).status == EVENT_STATUS_FINAL


@pytest.mark.parametrize("status", [EVENT_STATUS_RETRACTED, EVENT_STATUS_MERGED])
def test_the_end_keeps_the_last_origin_and_tells_the_reason(status: int) -> None:
    end = make_association([], 2, status, reason="two were one", merged_into="e9")  # type: ignore[arg-type]  # a status
    after = solved(end, first())
    assert (after.status, after.reason, after.merged_into, after.revision) == (status, "two were one", "e9", 2)
    assert after.origin == first().origin
    assert after.provenance.association_revision == 2
    assert solve(end, make_context()) is None
    assert solve(end, make_context(), after) is None


def final_at(published_ns: int) -> Event:
    final = solved(make_association(make_picks(FOUR), 2, EVENT_STATUS_FINAL), first())
    final.latency.published_ns = published_ns
    return final


def with_late_pick(revision: int = 3, decided_ns: int = T0_NS + 3600 * S, nm: float | None = None) -> Association:
    picks = make_picks(("A", "B", "C", "D", "E"), nm=nm)
    for each in picks:
        each.pick.late = each.pick.instrument.station == "E"
    return make_association(picks, revision, EVENT_STATUS_FINAL, decided_ns=decided_ns)


def test_after_final_only_what_is_filled_in_makes_a_revision() -> None:
    final = final_at(T0_NS + 60 * S)
    assert solve(make_association(make_picks(), 3, EVENT_STATUS_FINAL), make_context(), final) is None
    revised = solved(with_late_pick(), final)
    assert (revised.reason, revised.status, revised.revision) == ("backfill", EVENT_STATUS_FINAL, 3)
    assert solve(with_late_pick(4), make_context(), revised) is None
    measured = solved(with_late_pick(4, nm=5000.0), revised)
    assert (measured.reason, measured.revision, measured.preferred_magnitude) == ("backfill", 4, "ML")


def test_what_is_filled_in_again_and_again_does_not_make_the_week_longer() -> None:
    published_ns = T0_NS + 60 * S
    final = final_at(published_ns)
    late = with_late_pick(decided_ns=published_ns + 6 * 86_400 * S)
    revised = solved(late, final)
    revised.latency.published_ns = published_ns + 6 * 86_400 * S
    assert revised.latency.final_ns == published_ns
    for days, is_revised in ((6.99, True), (7.01, False)):
        later = with_late_pick(4, decided_ns=published_ns + round(days * 86_400) * S)
        later.picks[0].pick.late, later.picks[0].pick.id = True, "another"
        assert (solve(later, make_context(), revised) is not None) == is_revised


def test_what_is_filled_in_after_a_week_comes_too_late() -> None:
    final = final_at(T0_NS + 60 * S)
    for days, is_revised in ((6.9, True), (7.1, False)):
        late = with_late_pick(decided_ns=T0_NS + round(days * 86_400) * S)
        assert (solve(late, make_context(), final) is not None) == is_revised


# --- many candidates --------------------------------------------------------------------------------------------------


def a_swarm() -> list[Association]:
    """Three earthquakes 5 s apart whose states come mixed, and one that is nothing."""
    all_picks = [make_picks(source=(3.0 * n, -2.0 * n, 6.0), at_ns=T0_NS + 5 * n * S, nm=3000.0) for n in range(3)]
    early = [make_association(picks[:8], 1, event_id=f"e{n}") for n, picks in enumerate(all_picks)]
    full = [make_association(p, 2, EVENT_STATUS_UPDATED, event_id=f"e{n}") for n, p in enumerate(all_picks)]
    ends = [make_association(p, 3, EVENT_STATUS_FINAL, event_id=f"e{n}") for n, p in enumerate(all_picks)]
    return [
        *early,
        scattered(revision=1, event_id="nothing"),
        *full,
        make_association([], 4, EVENT_STATUS_RETRACTED, "e2"),
        *ends[:2],
    ]


def test_many_together_are_what_they_are_one_by_one() -> None:
    swarm = a_swarm()
    alone, together = Book(), Book()
    one_by_one = [solve_many([each], make_context(), alone)[0] for each in swarm]
    many = solve_many(swarm, make_context(), together)
    assert [(each.outcome, each.event) for each in many] == [(each.outcome, each.event) for each in one_by_one]
    assert sum(each.event is not None for each in one_by_one) >= 8


def test_states_that_were_looked_at_change_nothing() -> None:
    book = Book()
    swarm = a_swarm()
    solve_many(swarm, make_context(), book)
    again = solve_many(swarm, make_context(), book)
    assert {each.outcome for each in again} == {Outcome.KNOWN}


def test_a_state_of_a_later_owner_counts() -> None:
    book = Book()
    solve_many([make_association(make_picks(FOUR), 2)], make_context(), book)
    (older, newer) = solve_many(
        [make_association(make_picks(), 2, owner_epoch=6), make_association(make_picks(), 2, owner_epoch=8)],
        make_context(),
        book,
    )
    assert older.outcome is Outcome.KNOWN
    assert newer.event is not None
    assert (newer.event.revision, newer.event.owner_epoch) == (2, 8)


def test_onsets_of_other_events_are_known_from_those_that_were_published() -> None:
    book = Book()
    one, other = a_swarm()[:2]
    solve_many([one], make_context(), book)
    others_ns = book.others_ns(other)
    assert sorted(others_ns) == ["XX.A", "XX.B", "XX.C", "XX.D"]
    assert others_ns["XX.A"] == sorted(each.pick.onset_ns for each in one.picks if each.pick.instrument.station == "A")
    assert book.others_ns(one) == {}
    assert book.others_ns(make_association(make_picks(at_ns=T0_NS + 600 * S), event_id="later")) == {}
    solve_many([make_association([], 2, EVENT_STATUS_RETRACTED, "e0")], make_context(), book)
    assert book.others_ns(other) == {}


def test_forgotten_events_are_asked_for_when_a_later_state_comes() -> None:
    shown: dict[str, Event] = {}
    book = Book(most=1, recall=shown.get)
    for number in range(3):
        (answer,) = solve_many([make_association(make_picks(FOUR), event_id=f"e{number}")], make_context(), book)
        assert answer.event is not None
        shown[answer.event.id] = answer.event
    assert len(book) == 1
    (again,) = solve_many([make_association(make_picks(), 2, event_id="e0")], make_context(), book)
    assert again.event is not None
    assert again.event.revision == 2


def test_the_first_state_of_a_forgotten_event_is_no_news_when_it_comes_again() -> None:
    shown: dict[str, Event] = {}
    book = Book(most=1, recall=shown.get)
    first = make_association(make_picks(FOUR), event_id="e0")
    later = make_association(make_picks(), 2, event_id="e0")
    for association in (first, later, make_association(make_picks(FOUR), event_id="e1")):
        (answer,) = solve_many([association], make_context(), book)
        assert answer.event is not None
        shown[answer.event.id] = answer.event
    assert book.before("e0") is None
    assert [answer.event for answer in solve_many([first], make_context(), book)] in ([], [None])


# --- what matters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"latitude_deg": 35.70}, "the epicentre moved by 1.1 km"),
        ({"latitude_deg": 35.691}, ""),
        ({"depth_km": 10.25}, "1.0 km deeper"),
        ({"depth_km": 9.5}, ""),
        ({"magnitude": 1.74}, "ML +0.1"),
        ({"magnitude": 1.70}, ""),
    ],
)
def test_only_what_matters_is_told(change: dict[str, Any], sentence: str) -> None:
    assert "; ".join(changes(make_event(), make_event(revision=2, **change))) == sentence


def test_type_phases_uncertainty_and_a_magnitude_that_is_lost_matter() -> None:
    after = make_event()
    after.type = EVENT_TYPE_BLAST
    after.origin.horizontal_uncertainty_km = 0.3
    after.preferred_magnitude = ""
    del after.arrivals[:3]
    assert changes(make_event(), after) == (
        "horizontal uncertainty 0.3 km",
        "no magnitude any more",
        "0 phases came, 3 went",
        "blast",
    )


def test_a_rule_that_says_nothing_is_refused() -> None:
    with pytest.raises(SettingInvalid, match="found magnitude 0, expected more than 0"):
        ChangeSettings(magnitude=0)


# --- what cannot be solved --------------------------------------------------------------------------------------------


def test_what_nobody_can_solve_is_refused_with_all_that_is_wrong() -> None:
    good = make_association(make_picks(FOUR))
    check_association(good)
    bad = make_association([make_pick("A", PHASE_S, 0, error_s=float("nan"))], 0)
    with pytest.raises(
        InputInvalid,
        match="found revision 0.*found no station or no onset.*uncertainty of nan s, expected 0 to an hour",
    ):
        check_association(bad)
    with pytest.raises(InputInvalid, match="found no picks"):
        check_association(make_association([]))
