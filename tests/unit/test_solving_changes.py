"""What matters of a change is judged by what was published before, and by what readers were told."""

from collections.abc import Callable

import pytest

from kensoku.solving import changes, solve
from kensoku.v1.event_pb2 import EVENT_STATUS_RETRACTED, EVENT_STATUS_UPDATED, QUALITY_A, Event
from tests.associations import make_association, make_context, make_picks
from tests.catalogue import make_event


def changed(before: Callable[[Event], object], after: Callable[[Event], object]) -> tuple[str, ...]:
    one, other = make_event(), make_event(revision=2)
    before(one)
    after(other)
    return changes(one, other)


def nothing(event: Event) -> None: ...


def uncertain(event: Event) -> None:
    """By 4 km, on the map and in depth."""
    event.origin.horizontal_uncertainty_km = 4.0
    event.origin.depth_lower_km, event.origin.depth_upper_km = 5.25, 13.25


def moved(north_km: float, down_km: float) -> Callable[[Event], None]:
    def move(event: Event) -> None:
        uncertain(event)
        event.origin.latitude_deg += north_km / 111.19
        event.origin.depth_km += down_km

    return move


@pytest.mark.parametrize(
    ("north_km", "down_km", "sentences"),
    [
        (1.9, 1.9, ()),
        (2.1, 0, ("the epicentre moved by 2.1 km",)),
        (0, 2.1, ("2.1 km deeper",)),
        (0, -2.1, ("2.1 km shallower",)),
    ],
)
def test_a_move_of_less_than_half_the_uncertainty_is_none(
    north_km: float, down_km: float, sentences: tuple[str, ...]
) -> None:
    assert changed(uncertain, moved(north_km, down_km)) == sentences


def test_a_depth_that_is_resolved_or_not_any_more_is_told_instead_of_the_move() -> None:
    def fixed(event: Event) -> None:
        event.origin.depth_km, event.origin.depth_is_fixed = 30.0, True

    assert changed(nothing, fixed) == ("the depth is not resolved any more",)
    assert changed(fixed, nothing) == ("the depth is resolved now",)


def test_one_phase_of_many_does_not_matter_and_outliers_never_do() -> None:
    def without_two(event: Event) -> None:
        del event.arrivals[:2]

    def without_three(event: Event) -> None:
        del event.arrivals[:3]

    def with_outliers(event: Event) -> None:
        for number in range(5):
            event.arrivals.add(pick_id=f"more {number}", is_outlier=True)

    assert changed(nothing, without_two) == ()  # of 11
    assert changed(nothing, without_three) == ("0 phases came, 3 went",)
    assert changed(nothing, with_outliers) == ()


def test_a_better_quality_is_told() -> None:
    def better(event: Event) -> None:
        event.origin.quality = QUALITY_A

    assert changed(nothing, better) == ("quality A",)


def test_another_kind_of_magnitude_is_told_though_its_number_is_the_same() -> None:
    def other(event: Event) -> None:
        event.magnitudes[0].type = event.preferred_magnitude = "Mpd"

    assert changed(nothing, other) == ("Mpd 1.6",)


def test_an_event_that_was_taken_back_and_comes_again_as_it_was_is_told() -> None:
    first = solve(make_association(make_picks(nm=5000.0)), make_context())
    assert first is not None
    gone = solve(make_association([], 2, EVENT_STATUS_RETRACTED), make_context(), first)
    again = solve(make_association(make_picks(nm=5000.0), 3, EVENT_STATUS_UPDATED), make_context(), gone)
    assert again is not None
    assert (again.revision, again.status) == (3, EVENT_STATUS_UPDATED)
    assert again.reason == "it was retracted, and is an event again"


def test_an_event_of_a_seam_says_so_where_its_association_names_no_region() -> None:
    event = solve(make_association(make_picks(), region="", seam="east|west"), make_context())
    assert event is not None
    assert event.region == "east|west"
