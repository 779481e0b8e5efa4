"""Two catalogues are paired one to one, by time and place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kensoku.catalogue_files import Limits, _compare, compare
from kensoku.errors import SettingInvalid
from kensoku.v1.event_pb2 import Event, Magnitude
from tests.catalogue import make_event

LIMITS = Limits(3.0, 30.0)


def test_what_moved_and_grew_is_told() -> None:
    a = make_event("a", magnitude=2.0, depth_km=5.0)
    b = make_event("b", time_s=0.5, latitude_deg=35.7, magnitude=2.5, depth_km=7.0)
    (pair,) = compare([a], [b], LIMITS).pairs
    assert (pair.later_s, pair.deeper_km, pair.larger) == pytest.approx((0.5, 2.0, 0.5))
    assert pair.moved_km == pytest.approx(1.112, abs=1e-3)


def test_the_nearest_are_paired_and_none_twice() -> None:
    a = [make_event("a1"), make_event("a2", time_s=2.0), make_event("a3", time_s=4.0)]
    b = [make_event("b1", time_s=1.9), make_event("b2", time_s=4.5), make_event("b3", time_s=60)]
    found = compare(a, b, LIMITS)
    assert [(pair.a.id, pair.b.id) for pair in found.pairs] == [("a2", "b1"), ("a3", "b2")]
    assert ([e.id for e in found.only_a], [e.id for e in found.only_b]) == (["a1"], ["b3"])


def test_of_a_swarm_what_is_the_same_in_both_is_paired_though_either_misses_one() -> None:
    events = [make_event(f"e{n}", time_s=2.0 * n) for n in range(20)]
    found = compare(events[:-1], events[1:], LIMITS)
    assert all(pair.a.id == pair.b.id for pair in found.pairs)
    assert ([e.id for e in found.only_a], [e.id for e in found.only_b]) == (["e0"], ["e19"])


def test_nearer_in_place_counts_as_well() -> None:
    a = [make_event("a1"), make_event("a2", latitude_deg=35.85)]
    b = [make_event("b1", time_s=0.1, latitude_deg=35.86), make_event("b2", time_s=0.1, latitude_deg=35.70)]
    assert {(pair.a.id, pair.b.id) for pair in compare(a, b, LIMITS).pairs} == {("a1", "b2"), ("a2", "b1")}


def test_beyond_the_limits_nothing_is_paired() -> None:
    far = compare([make_event("a")], [make_event("b", latitude_deg=36.5)], LIMITS)
    late = compare([make_event("a")], [make_event("b", time_s=3.1)], LIMITS)
    assert far.pairs == late.pairs == []
    assert compare([], [], LIMITS).pairs == []


def test_events_without_an_origin_are_counted() -> None:
    assert compare([Event(id="x")], [make_event("a")], LIMITS).without_origin == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "larger", "scale"),
    [
        ({"ML": 2.0}, {"Mw": 3.0}, None, ""),
        ({"ML": 2.0}, {"Mw": 3.0, "MLv": 2.1}, 0.1, "ML"),
        ({"Mw": 3.0, "ML": 2.0}, {"ml": 2.2}, 0.2, "ML"),
        ({"ML": 2.0}, {"M": 2.5}, 0.5, "ML"),
    ],
)
def test_magnitudes_are_compared_on_one_scale(
    ours: dict[str, float], theirs: dict[str, float], larger: float | None, scale: str
) -> None:
    """The first of each is the preferred one."""
    a, b = (with_magnitudes(name, values) for name, values in (("a", ours), ("b", theirs)))
    (pair,) = compare([a], [b], LIMITS).pairs
    assert (pair.larger, pair.magnitude_type) == (pytest.approx(larger) if larger else larger, scale)
    assert pair.has_other_scale is (larger is None)


def with_magnitudes(name: str, values: dict[str, float]) -> Event:
    event = make_event(name)
    del event.magnitudes[:]
    event.magnitudes.extend(Magnitude(type=kind, value=value) for kind, value in values.items())
    event.preferred_magnitude = next(iter(values))
    return event


def test_an_event_without_a_magnitude_has_no_difference() -> None:
    a = make_event("a")
    a.preferred_magnitude = ""
    assert compare([a], [make_event("b")], LIMITS).pairs[0].larger is None


def test_limits_that_hold_everything_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_compare, "MOST_LINKS", 5)
    events = [make_event(f"e{n}") for n in range(3)]
    with pytest.raises(SettingInvalid, match="more than 5 pairs .* smaller"):
        compare(events, events, LIMITS)


@given(st.lists(st.floats(0, 30), max_size=12), st.lists(st.floats(0, 30), max_size=12))
@settings(deadline=None, max_examples=40)
def test_the_order_of_either_catalogue_does_not_matter(firsts: list[float], seconds: list[float]) -> None:
    a = [make_event(f"a{n}", time_s=s) for n, s in enumerate(firsts)]
    b = [make_event(f"b{n}", time_s=s) for n, s in enumerate(seconds)]
    forward, backward = compare(a, b, LIMITS), compare(b[::-1], a[::-1], LIMITS)
    assert len(forward.pairs) == len(backward.pairs)
    assert len(forward.pairs) + len(forward.only_a) == len(a)
    assert len(forward.pairs) + len(forward.only_b) == len(b)
    assert all(abs(pair.later_s) <= 3.0 for pair in forward.pairs)
