"""Which picks one earthquake made."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kensoku.associating import AssociationSettings, Group, Onset, associate, network_of
from kensoku.associating._associate import at_once, candidates, one_a_site, span_of, stretches_of
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.locating import Site, unit_vectors
from tests.shocks import BEGIN_NS, NS_PER_S, Shock, network, noise, onsets, pick, sites, tables

SEQUENCE = [Shock(40 + 30 * k, 12 * np.sin(5 * k), 15 * np.cos(3 * k), 4 + k % 12) for k in range(20)]


def told(groups: list[Group], given: list[Onset]) -> set[frozenset[str]]:
    return {frozenset(given[member.index].id for member in group.members) for group in groups}


def owners(groups: list[Group], of: list[int]) -> list[int]:
    """The shock that made most of each group's picks; -1 where noise did."""
    numbers = [[of[m.index] if m.index < len(of) else -1 for m in group.members] for group in groups]
    return [max(set(each), key=each.count) for each in numbers]


def test_every_earthquake_is_found_once_where_and_when_it_was() -> None:
    made, of = onsets(SEQUENCE)
    groups = associate(made, network())
    assert owners(groups, of) == list(range(len(SEQUENCE)))
    for group, shock in zip(groups, SEQUENCE, strict=True):
        assert abs(group.time_ns - BEGIN_NS - shock.after_s * NS_PER_S) < 0.5 * NS_PER_S
        north = (group.latitude_deg - 35) * 111.19 - shock.north_km
        east = (group.longitude_deg + 118) * 111.19 * np.cos(np.radians(35)) - shock.east_km
        assert np.hypot(north, east) < 3
        assert all(abs(member.residual_s) < 0.6 and member.probability > 0.5 for member in group.members)


def test_noise_makes_no_event_and_hides_none() -> None:
    made, of = onsets(SEQUENCE)
    groups = associate([*made, *noise(len(made), 700)], network())
    assert sorted(owners(groups, of)) == list(range(len(SEQUENCE)))
    assert not associate(noise(300, 3600), network())


def test_two_at_once_are_two() -> None:
    pairs = [Shock(100 + 200 * k, -10, 0) for k in range(5)] + [Shock(101.5 + k + 200 * k, 0, 6) for k in range(5)]
    made, of = onsets(pairs)
    assert sorted(owners(associate(made, network()), of)) == list(range(10))


@pytest.mark.parametrize(
    ("first_km", "second_km", "later_s", "seed"),
    [
        ((-5.9, -6.6), (-6.1, 0.9), 0.3, 2),
        ((7.5, -14.2), (4.6, -11.2), 0.1, 19),
        ((-14.6, 3.9), (-12.4, -4.0), 0.4, 24),
        ((12.0, 5.4), (16.3, -0.3), 0.0, 122),
        ((-5.7, 8.4), (5.3, 9.3), 0.1, 149),
    ],
)
def test_two_that_begin_together_share_no_group(
    first_km: tuple[float, float], second_km: tuple[float, float], later_s: float, seed: int
) -> None:
    """Of each three arrivals in ten are not picked; a fit from between them ends as a mixture of both."""
    made, of = onsets([Shock(50, *first_km), Shock(50 + later_s, *second_km)], detected=0.7, seed=seed)
    groups = associate(made, network())
    assert sorted(owners(groups, of)) == [0, 1]
    for group, owner in zip(groups, owners(groups, of), strict=True):
        assert np.mean([of[member.index] == owner for member in group.members]) > 0.8


def test_a_pick_is_of_one_event_also_where_many_begin_together() -> None:
    chance = np.random.default_rng(8)
    swarm = [Shock(float(chance.uniform(40, 100)), *map(float, chance.uniform(-15, 15, 2))) for _ in range(25)]
    arrivals = one_a_site(onsets(swarm, detected=0.7, seed=8)[0], network())
    times = np.array([each.onset_ns for each in arrivals])
    for stretch in stretches_of(times, network()):
        low, high = np.searchsorted(times, span_of(stretch, network()))
        found = candidates(stretch, arrivals[low:high], network())
        picks = [member[0] for candidate in found for member in candidate.members]
        assert len(picks) == len(set(picks))


def test_a_swarm_a_minute_later_hides_no_small_earthquake() -> None:
    """It begins after all that is sought beside the small one, so its picks are nobody's there."""
    stretch_s = 60 - BEGIN_NS // NS_PER_S % 60
    small, _ = onsets([Shock(stretch_s + 30, 3, 4)], detected=1.0)
    near = ("XX.S11", "XX.S12", "XX.S21", "XX.S22")
    few = [each for each in small if each.station in near][:7]
    swarm, _ = onsets([Shock(stretch_s + 91 + k, 12 * np.sin(5 * k), 15 * np.cos(3 * k)) for k in range(30)], seed=4)
    later = [Onset(f"s{each.id}", each.station, each.phase, each.onset_ns, each.uncertainty_s) for each in swarm]
    alone = told(associate(few, network()), few)
    assert len(alone) == 1
    assert alone <= told(associate([*few, *later], network()), [*few, *later])


def test_an_earthquake_whose_p_are_hidden_in_the_waves_of_a_larger_one_is_found_by_its_s() -> None:
    larger, _ = onsets([Shock(50, 0, 0)], detected=1.0)
    smaller, _ = onsets([Shock(53, 8, 6)], detected=1.0, seed=3)
    seen = s_alone(smaller)[:5]
    seen = [Onset(f"b{each.id}", each.station, "S", each.onset_ns, each.uncertainty_s) for each in seen]
    assert not associate(seen, network()), "with nothing that hides their P they are no earthquake"
    found = told(associate([*larger, *seen], network()), [*larger, *seen])
    assert found == {frozenset(each.id for each in larger), frozenset(each.id for each in seen)}


def test_s_of_many_stations_are_an_earthquake_also_where_its_p_are_seen_nowhere() -> None:
    """The ground still shakes of a larger one, which nobody picked in the minutes that are looked at."""
    made, _ = onsets([Shock(53, 8, 6)], detected=1.0, seed=3)
    seen = s_alone(made)[:8]
    assert told(associate(seen, network()), seen) == {frozenset(each.id for each in seen)}
    among = [*seen, *noise(20, 240)]
    assert [len(each) for each in told(associate(among, network()), among)] == [8], "also among others"
    scattered = [replace(each, onset_ns=each.onset_ns + NS_PER_S * k**2) for k, each in enumerate(seen)]
    assert not associate(scattered, network()), "of no common origin"


def s_alone(onsets: list[Onset]) -> list[Onset]:
    return sorted((each for each in onsets if each.phase == "S"), key=lambda each: each.onset_ns)


def test_swapped_labels_are_put_right() -> None:
    made, _ = onsets([Shock(50, 3, 4)], detected=1.0)
    first = next(k for k, each in enumerate(made) if each.phase == "S")
    wrong = Onset(made[first].id, made[first].station, "P", made[first].onset_ns, made[first].uncertainty_s)
    [group] = associate([*made[:first], wrong, *made[first + 1 :]], network())
    assert next(member.phase for member in group.members if member.index == first) == "S"


def test_stations_that_heard_nothing_speak_against_an_earthquake() -> None:
    """Four far stations have picks that fit; twelve nearer ones were listened to, or were not."""
    made, _ = onsets([Shock(50, 0, 0)], detected=1.0)
    far = [each for each in made if each.station in ("XX.S00", "XX.S03", "XX.S30", "XX.S33") and each.phase == "P"]
    heard = {code: BEGIN_NS + 59_500_000_000 for code in sites()}  # past P, not yet S
    unheard = {code: heard[code] for code in {each.station for each in far}}
    assert not associate(far, network(), heard)
    assert len(associate(far, network(), unheard)) == 1


def test_picks_of_one_site_and_phase_are_one_arrival() -> None:
    made, _ = onsets([Shock(50, 3, 4)], detected=1.0)
    twice = [Onset(f"b{each.id}", each.station, each.phase, each.onset_ns + NS_PER_S // 5, 0.1) for each in made]
    [group] = associate([*made, *twice], network())
    assert len(group.members) == len(made)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_neither_order_nor_duplicates_matter(seed: int) -> None:
    made, _ = onsets(SEQUENCE[:6])
    given = [*made, *noise(60, 300)]
    shuffled = [given[k] for k in np.random.default_rng(seed).permutation(len(given))]
    shuffled += shuffled[: len(shuffled) // 3]
    assert told(associate(shuffled, network()), shuffled) == told(associate(given, network()), given)


def test_stretches_that_are_searched_at_once_give_the_same_bits() -> None:
    made, _ = onsets(SEQUENCE)
    given = [*made, *noise(len(made), 700)]
    assert associate(given, network(), threads=4) == associate(given, network(), threads=1)


def test_stretches_are_searched_at_once() -> None:
    meeting = threading.Barrier(3, timeout=10)
    assert at_once(lambda each: each + 0 * meeting.wait(), [5, 3, 4], threads=3) == [5, 3, 4]


def test_where_the_data_begin_changes_nothing_later() -> None:
    made, _ = onsets(SEQUENCE)
    given = [*made, *noise(200, 700)]
    whole = {each for each in associate(given, network()) if each.time_ns > BEGIN_NS + 400 * NS_PER_S}
    later = [each for each in given if each.onset_ns > BEGIN_NS + 200 * NS_PER_S]
    part = {each for each in associate(later, network()) if each.time_ns > BEGIN_NS + 400 * NS_PER_S}
    assert told(list(whole), given) == told(list(part), later)


def about_the_south_pole(latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    """Where the pole stands for 35° N, 118° W: as far from it, and the same way."""
    north, east = latitude_deg - 35, (longitude_deg + 118) * np.cos(np.radians(35))
    return np.hypot(north, east) - 90, np.degrees(np.arctan2(east, north))


def test_about_a_pole_the_same_earthquakes_are_found_where_they_were() -> None:
    made, of = onsets(SEQUENCE)
    there = {code: Site(*about_the_south_pole(one.latitude_deg, one.longitude_deg)) for code, one in sites().items()}
    polar = network_of(there, tables())
    found = associate(made, polar)
    assert owners(found, of) == list(range(len(SEQUENCE)))
    for group, usual in zip(found, associate(made, network()), strict=True):
        assert len(group.members) == len(usual.members)
        place, expected = (
            unit_vectors(*each)
            for each in (
                (group.latitude_deg, group.longitude_deg),
                about_the_south_pole(usual.latitude_deg, usual.longitude_deg),
            )
        )
        assert 6371 * np.linalg.norm(place - expected) < 0.2
    assert abs(len(polar.nodes.depth) / len(network().nodes.depth) - 1) < 0.1


def test_parameters_follow_from_the_stations_unless_they_are_given() -> None:
    reasons = {reason.name: reason for reason in network().reasons}
    assert reasons["spacing_km"].value == pytest.approx(10, abs=0.5)
    assert "20 km apart" in reasons["reach_km"].why
    wide = network_of(sites(), tables(), AssociationSettings(reach_km=60.0))
    assert wide.reach_km == 60
    assert wide.reasons[0].why == "given"


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputInvalid, match="found 2 stations, expected 3"):
        network_of(dict(list(sites().items())[:2]), tables())
    with pytest.raises(SettingInvalid, match="found least_picks 3, expected 4 or more"):
        AssociationSettings(least_picks=3)
    with pytest.raises(SettingInvalid, match="found reach_km -1"):
        AssociationSettings(reach_km=-1)


def test_a_station_that_nobody_knows_is_left_out() -> None:
    made, _ = onsets([Shock(50, 3, 4)], detected=1.0)
    strange = Onset("strange", "YY.NEW", "P", made[0].onset_ns)
    [group] = associate([strange, *made], network())
    assert all(member.index for member in group.members)
    assert pick(strange).instrument.station == "NEW"
