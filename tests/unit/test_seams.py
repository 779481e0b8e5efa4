"""One earthquake on the edge between regions is one event: told once, by whichever, with the picks of all."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kensoku.associating import Watch
from kensoku.associating._seams import Claim, Seams, is_beaten, is_same, is_spared
from kensoku.regions import Ground, outside_km
from kensoku.v1.association_pb2 import AssociatedPick, Association
from kensoku.v1.control_pb2 import Region, Vertex
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_STATUS_PRELIMINARY,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UPDATED,
    EventStatus,
    Hypocentre,
)
from kensoku.v1.pick_pb2 import Pick
from tests.regions import (
    catalogue,
    heard_by,
    network_heard_by,
    onsets_of,
    pick_ids,
    progress_of,
    regions,
    shocks_along_seams,
    sites,
    tell,
    tell_apart,
    watches,
)
from tests.shocks import BEGIN_NS, NS_PER_S, Shock, pick, place

FOUR = ("ne", "nw", "se", "sw")


# --- one region and four ----------------------------------------------------------------------------------------------


def test_four_regions_tell_the_same_catalogue_as_one() -> None:
    picks = onsets_of(shocks_along_seams(44, seed=3, every_s=10), seed=4)
    one = catalogue(tell(watches(["default"]), picks, every_s=10))
    four = catalogue(tell(watches(FOUR), picks, every_s=10))
    assert len(one) == 44
    assert [pick_ids(each) for each in four] == [pick_ids(each) for each in one]
    for mine, theirs in zip(one, four, strict=True):
        assert [(each.pick.id, each.phase) for each in mine.picks] == [
            (each.pick.id, each.phase) for each in theirs.picks
        ]
        assert abs(mine.trial.time_ns - theirs.trial.time_ns) < 0.05 * NS_PER_S
        assert distance_km(mine.trial, theirs.trial) < 0.1
    assert len({each.region for each in four}) == 4


@pytest.mark.parametrize(("every_s", "seed"), [(10, 1), (30, 1), (64, 0)])
def test_a_region_that_runs_ahead_takes_back_what_its_neighbour_ends_with_less_of(every_s: float, seed: int) -> None:
    """It has forgotten the picks when the other, which sees two fewer, tells its last word."""
    picks = onsets_of(shocks_along_seams(16, seed=8, every_s=12), seed=9)
    one = catalogue(tell(watches(["default"]), picks, every_s=10))
    four = catalogue(tell(watches(FOUR), picks, every_s=every_s, seed=seed))
    assert [pick_ids(each) for each in four] == [pick_ids(each) for each in one]


@pytest.mark.parametrize(("seed", "restarts"), [(4, 0), (5, 4)])
def test_regions_each_at_its_own_pace_end_as_one(seed: int, restarts: int) -> None:
    """One has told its last word of an earthquake, and forgotten its picks, before another has heard half of it; and
    whoever is killed goes on from what was committed."""
    picks = onsets_of(shocks_along_seams(16, seed=8, every_s=12), seed=9)
    one = catalogue(tell(watches(["default"]), picks, every_s=10))
    four = catalogue(tell_apart(picks, seed=seed, restarts=restarts))
    assert [pick_ids(each) for each in four] == [pick_ids(each) for each in one]


def test_what_was_left_to_a_neighbour_is_kept_in_the_log_until_its_last_word() -> None:
    given, both = onsets_of([Shock(10, 2, 1)], seed=5), watches(["ne", "se"])
    for name, watch in both.items():
        for each in given:
            if each.station in heard_by(name):
                watch.add(pick(each))
        watch.hear(progress_of(60, heard_by(name)))
    first, later = both["ne"].step()[-1], progress_of(3000, heard_by("se"))
    both["se"].hear_neighbour(first)
    both["se"].hear(later)
    assert both["se"].step() == []
    assert len(both["se"]) == 0
    assert both["se"].oldest_needed_ns < given[0].onset_ns
    first.revision, first.status = 2, EVENT_STATUS_RETRACTED
    both["se"].hear_neighbour(first)
    [told] = both["se"].step()
    assert (told.status, told.revision, pick_ids(told)) == (EVENT_STATUS_FINAL, 1, pick_ids(first))
    assert both["se"].oldest_needed_ns > given[-1].onset_ns
    assert both["se"].step() == []


@pytest.mark.parametrize("seed", [0, 9])
def test_of_earthquakes_seconds_apart_no_pick_is_told_twice(seed: int) -> None:
    """Each region sees some of them best, and parts their picks as it sees them."""
    picks = onsets_of(shocks_along_seams(12, seed=seed, every_s=3), seed=seed + 1)
    for told in (tell(watches(FOUR), picks, every_s=10), tell_apart(picks, seed=2, restarts=2)):
        found = [pick_ids(each) for each in catalogue(told)]
        assert len(found) == 12
        assert sum(map(len, found)) == len(frozenset().union(*found))


def test_regions_that_do_not_hear_each_other_tell_everything_more_than_once() -> None:
    picks = onsets_of(shocks_along_seams(6, seed=3), seed=4)
    assert len(catalogue(tell(watches(FOUR), picks, every_s=10))) == 6
    assert len(catalogue(tell(watches(FOUR), picks, every_s=10, deaf=True))) > 12


def test_stations_that_a_region_does_not_hear_are_not_of_its_network() -> None:
    assert heard_by("default") == sites().keys()
    for name in FOUR:
        assert len(heard_by(name)) == 24, "of 36"
        assert network_heard_by(name).codes == tuple(sorted(heard_by(name)))


def distance_km(one: Hypocentre, other: Hypocentre) -> float:
    north_km = 111.19 * (one.latitude_deg - other.latitude_deg)
    return math.hypot(north_km, 91.1 * (one.longitude_deg - other.longitude_deg))


# --- who leads --------------------------------------------------------------------------------------------------------

CLAIMS = st.builds(
    Claim,
    event_id=st.just(""),
    region=st.just(""),
    picks=st.frozensets(st.sampled_from("abcdefgh"), min_size=4),
    outside_km=st.sampled_from([-10.0, 10.0, 30.0]),
    is_final=st.booleans(),
    time_ns=st.just(0),
)


def named(claim: Claim, name: str) -> Claim:
    return Claim(name, f"region-{name}", claim.picks, claim.outside_km, claim.is_final, claim.time_ns)


@settings(max_examples=100, deadline=None)
@given(CLAIMS, CLAIMS)
def test_of_two_events_one_and_only_one_leads(one: Claim, other: Claim) -> None:
    """A last word waits for the other's."""
    one, other = named(one, "x"), named(other, "y")
    if one.is_final == other.is_final:
        assert is_beaten(one, other) != is_beaten(other, one)
    else:
        assert not is_beaten(*((one, other) if one.is_final else (other, one)))
    assert is_same(one, other) == is_same(other, one)


@settings(max_examples=100, deadline=None)
@given(CLAIMS, CLAIMS)
def test_in_the_end_it_does_not_matter_which_was_told_first(one: Claim, other: Claim) -> None:
    """What is held back beside another's last word is what that would be beaten by, unless they are alike."""
    one, other = (Claim(n, n, c.picks, c.outside_km, True, 0) for n, c in (("x", one), ("y", other)))
    if one.picks != other.picks or one.is_out != other.is_out:
        assert is_spared(one, other) == is_beaten(one, other)
    else:
        assert is_spared(one, other)


def test_events_that_share_less_than_half_of_their_picks_are_two() -> None:
    one, other = (Claim(name, name, frozenset(name), -1.0, False, 0) for name in ("abcdef", "efghijk"))
    assert not is_same(one, other)
    assert is_same(one, Claim("z", "z", frozenset("defghi"), -1.0, False, 0))


# --- moving, waiting and taking over ----------------------------------------------------------------------------------


def told_by(
    region: str,
    north_km: float,
    east_km: float,
    picks: str = "abcdefgh",
    *,
    revision: int = 1,
    status: EventStatus = EVENT_STATUS_PRELIMINARY,
) -> Association:
    latitude_deg, longitude_deg = place(north_km, east_km)
    trial = Hypocentre(time_ns=BEGIN_NS, latitude_deg=latitude_deg, longitude_deg=longitude_deg, depth_km=8)
    made = Association(event_id=f"of-{region}", region=region, revision=revision, status=status, trial=trial)
    made.picks.extend(AssociatedPick(pick=Pick(id=each)) for each in picks)
    return made


def test_a_pick_is_of_the_earthquake_that_explains_it_better_or_has_had_its_last_word() -> None:
    seams = Seams(Ground("ne", regions()), 100)
    other = told_by("sw", -10, -10)
    other.picks[0].probability, other.picks[0].residual_s = 0.9, 0.2
    seams.hear(other)
    mine = dict.fromkeys("avwxyz", (-0.9, 0.1))
    assert seams.lost(mine) == set()
    assert seams.lost(mine | {"a": (-0.9, 0.3)}) == {"a"}
    assert seams.lost(mine | {"a": (-0.8, 0.0)}) == {"a"}
    assert seams.lost(mine | {"a": (-0.9, 0.2)}) == set(), "of equals it is of the first by name, on both sides"
    assert seams.lost(dict.fromkeys("abcdxyz", (-0.1, 0.0))) == set(), "the same earthquake"
    other.revision, other.status = 2, EVENT_STATUS_FINAL
    seams.hear(other)
    assert seams.lost(mine) == {"a"}


def claims_of(seams: Seams) -> list[str]:
    everything = Claim("", "", frozenset("abcdefgh"), 0.0, False, 0)
    return [each.event_id for each in seams.same(everything)]


def test_older_states_and_events_far_away_are_not_heard() -> None:
    seams = Seams(Ground("ne", regions()), 100)
    assert seams.hear(told_by("sw", -10, -10, revision=2))
    assert not seams.hear(told_by("sw", -10, -10, revision=1))
    assert not seams.hear(told_by("se", -90, 90), is_near=False)
    assert not seams.hear(told_by("ne", 10, 10)), "one's own"
    assert claims_of(seams) == ["of-sw"]


def test_what_is_merged_or_moves_away_is_nobodys_rival() -> None:
    seams = Seams(Ground("ne", regions()), 100)
    seams.hear(told_by("sw", -10, -10))
    seams.hear(told_by("se", -10, 10))
    seams.hear(told_by("se", -90, 10, revision=2), is_near=False)
    seams.hear(told_by("sw", -10, -10, revision=2, status=EVENT_STATUS_MERGED))
    assert claims_of(seams) == []


def test_so_many_events_of_neighbours_are_kept_at_the_most() -> None:
    seams = Seams(Ground("ne", regions()), 2)
    for name in ("nw", "se", "sw"):
        seams.hear(told_by(name, -5, -5))
    assert claims_of(seams) == ["of-se", "of-sw"]


def follow(watch: Watch, shock: Shock, until_s: float, told: list[Association] | None = None) -> list[Association]:
    """Second by second up to that time."""
    found = told if told is not None else []
    arriving = onsets_of([shock], seed=7, detected=1.0)
    for second in range(1, int(until_s)):
        for each in arriving:
            if second - 1 <= (each.onset_ns - BEGIN_NS) / NS_PER_S < second:
                watch.add(pick(each))
        watch.hear(progress_of(second - 1, heard_by(watch.region)))
        found += watch.step()
    return found


def test_an_event_that_lies_in_another_region_is_left_to_it_for_five_seconds() -> None:
    shock = Shock(10, -8, 20)
    inside, beside = (watches([name])[name] for name in ("se", "ne"))
    first_s = [(follow(watch, shock, 30)[0].tick_ns - BEGIN_NS) / NS_PER_S for watch in (inside, beside)]
    assert 3 < first_s[1] - first_s[0] < 7


def test_an_event_that_the_neighbour_has_told_is_not_told_again() -> None:
    shock = Shock(10, -8, 20)
    se, ne = (watches([name])[name] for name in ("se", "ne"))
    for told in follow(se, shock, 20):
        ne.hear_neighbour(told)
    assert follow(ne, shock, 300) == []


def test_an_event_whose_region_gives_it_up_is_told_by_the_other() -> None:
    shock = Shock(10, -8, 20)
    se, ne = (watches([name])[name] for name in ("se", "ne"))
    last = follow(se, shock, 20)[-1]
    ne.hear_neighbour(last)
    assert follow(ne, shock, 30) == []
    gone = Association()
    gone.CopyFrom(last)
    gone.revision, gone.status = last.revision + 1, EVENT_STATUS_MERGED
    assert ne.hear_neighbour(gone)
    [declared] = ne.step()
    assert (declared.region, declared.seam, declared.revision) == ("ne", "ne|se", 1)


def test_of_two_that_were_told_at_once_one_is_merged_into_the_other() -> None:
    shock = Shock(10, 0.5, 20)
    both = {name: watches([name])[name] for name in ("se", "ne")}
    told = {name: follow(watch, shock, 30) for name, watch in both.items()}
    for name, other in (("se", "ne"), ("ne", "se")):
        for each in told[other]:
            both[name].hear_neighbour(each)
    ends = [each for watch in both.values() for each in watch.step()]
    [merged] = [each for each in ends if each.status == EVENT_STATUS_MERGED]
    [into] = {each.event_id for each in told["se"] + told["ne"]} - {merged.event_id}
    assert merged.merged_into == into
    assert "the same earthquake" in merged.reason


def test_a_last_word_is_not_given_up_for_an_event_that_may_still_end_with_less() -> None:
    shock = Shock(10, 0.5, 20)
    both = {name: watches([name])[name] for name in ("se", "ne")}
    early = {name: follow(watch, shock, 30)[-1] for name, watch in both.items()}
    growing, ended = sorted(early, key=lambda name: early[name].event_id)
    both[ended].hear(progress_of(3000, heard_by(ended)))
    [last] = both[ended].step()
    assert last.status == EVENT_STATUS_FINAL
    both[ended].hear_neighbour(early[growing])
    both[growing].hear_neighbour(last)
    assert both[ended].step() == [], "it waits"
    less = Association()
    less.CopyFrom(early[growing])
    less.revision, less.status = less.revision + 1, EVENT_STATUS_FINAL
    del less.picks[len(last.picks) - 1 :]
    assert len(less.picks) < len(last.picks)
    both[ended].hear_neighbour(less)
    assert both[ended].step() == [], "it leads"
    del less.picks[6:]
    less.revision += 1
    less.picks.extend(last.picks)
    less.picks.add().pick.id = "another"
    both[ended].hear_neighbour(less)
    assert [each.status for each in both[ended].step()] == [EVENT_STATUS_MERGED], "the other has more"


def test_an_event_that_a_neighbour_sees_far_away_is_heard_by_its_stations() -> None:
    ne = watches(["ne"])["ne"]
    mine = follow(ne, Shock(10, 8, 20), 20)[-1]
    other = Association()
    other.CopyFrom(mine)
    other.event_id, other.region = "0", "sw"
    other.trial.latitude_deg, other.trial.longitude_deg = place(-90, -90)
    assert ne.hear_neighbour(other)
    [merged] = ne.step()
    assert (merged.event_id, merged.merged_into) == (mine.event_id, "0")


def test_an_event_far_from_a_region_is_none_of_its_business() -> None:
    told = follow(watches(["ne"])["ne"], Shock(10, -28, 30), 300)
    assert told == []


def test_what_moves_out_of_its_region_is_given_over() -> None:
    mine = Claim("a", "ne", frozenset("abcde"), 30.0, False, 0)
    other = Claim("b", "se", frozenset("abcd"), -5.0, False, 0)
    assert not is_spared(other, mine), "the neighbour tells it although we have told it"
    assert is_beaten(mine, other)
    assert not is_beaten(other, mine)


def test_after_a_restart_the_regions_agree_as_without() -> None:
    picks = onsets_of(shocks_along_seams(5, seed=5, every_s=10), seed=6)
    middle = len(picks) // 2
    whole = catalogue(tell(watches(FOUR), picks, every_s=10))
    before = tell(watches(FOUR), picks[:middle], every_s=10)
    before = [each for each in before if each.status != EVENT_STATUS_FINAL]  # it was killed before those
    again = watches(FOUR)
    for name, watch in again.items():
        for each in before:
            watch.hear_neighbour(each)
        watch.recall(each for each in before if each.region == name)
    after = tell(again, picks, every_s=10)
    assert [pick_ids(each) for each in catalogue([*before, *after])] == [pick_ids(each) for each in whole]
    assert {each.status for each in after} >= {EVENT_STATUS_UPDATED, EVENT_STATUS_FINAL}


# --- the map ----------------------------------------------------------------------------------------------------------


def test_a_place_is_so_far_outside_or_inside_of_a_region() -> None:
    region = regions()["ne"]
    assert outside_km(region, *place(30, 60)) == pytest.approx(-30, rel=0.02)
    assert outside_km(region, *place(-12, 60)) == pytest.approx(12, rel=0.02)
    assert outside_km(Region(name="all"), 0, 0) == -math.inf


def test_a_seam_is_of_two_regions_in_the_order_of_their_names() -> None:
    for name in ("se", "ne"):
        assert Ground(name, regions()).seam(*place(3, 100)) == "ne|se"
    assert Ground("ne", regions()).seam(*place(40, 100)) == ""
    assert Ground("ne", regions()).seam(*place(2, 5)) == "ne|se", "at the corner, that of the nearest"
    assert Ground("ne", {}).seam(*place(3, 100)) == ""


def test_a_seam_across_the_date_line_is_one() -> None:
    def box(name: str, west: float, east: float) -> Region:
        corners = ((-40, west), (-40, east), (-38, east), (-38, west))
        return Region(name=name, polygon=[Vertex(latitude_deg=a, longitude_deg=b) for a, b in corners])

    both = {"west": box("west", 178, 180), "east": box("east", -180, -178)}
    assert Ground("west", both).seam(-39, 179.9) == "east|west"
    assert Ground("east", both).seam(-39, -179.9) == "east|west"
