"""No earthquake and no station teaches on one side and judges on the other."""

import numpy as np
import pytest

from kensoku.errors import InputInvalid
from kensoku.training.datasets.split import SplitPlan, join_events, refuse_leaks, split
from kensoku.training.examples import Origin

PLAN = SplitPlan(seed=1, develop_share={"a": 0.2, "b": 0.0})


def origin(station: str, event: str, source: str = "a", region: str = "here") -> Origin:
    return Origin(source=source, region=region, station=station, event=event)


def scattered() -> list[Origin]:
    """A station each, and an earthquake for every two of them."""
    return [origin(f"XX.{number}", f"e{number // 2}") for number in range(2000)]


def dense() -> list[Origin]:
    chance = np.random.default_rng(2)
    return [
        origin(f"XX.{station}", f"e{event}") for event in range(40) for station in range(20) if chance.random() < 0.3
    ]


def test_scattered_records_lose_nothing() -> None:
    sides = split(scattered(), PLAN)
    assert sides.count("develop") / len(sides) == pytest.approx(0.2, abs=0.03)
    assert "mixed" not in sides


def test_a_dense_network_is_cut_and_what_disagrees_is_on_neither_side() -> None:
    origins = dense()
    plan = SplitPlan(seed=1, develop_share={"a": 0.06})
    sides = split(origins, plan)
    assert sides.count("develop") / len(sides) == pytest.approx(0.06, abs=0.01)
    assert sides.count("train") / len(sides) > 0.6
    teaching = {each.station for each, side in zip(origins, sides, strict=True) if side == "train"}
    judging = {each.station for each, side in zip(origins, sides, strict=True) if side == "develop"}
    assert not teaching & judging


def test_sides_are_of_the_names_alone() -> None:
    origins = dense() + scattered()
    order = np.random.default_rng(3).permutation(len(origins))
    sides = split(origins, PLAN)
    assert split([origins[number] for number in order], PLAN) == [sides[number] for number in order]
    assert split(origins, SplitPlan(seed=2, develop_share={"a": 0.2})) != sides


def test_a_source_may_judge_nobody_and_a_region_may_be_left_out() -> None:
    origins = [origin("XX.A", "", "b"), origin("YY.B", "", "a", "there")]
    assert split(origins, SplitPlan(seed=1, develop_share={}, left_out=frozenset({"there"}))) == ["train", "left_out"]


def test_a_leak_is_told() -> None:
    shared_station = [origin("XX.A", "1"), origin("XX.A", "2")]
    with pytest.raises(InputInvalid, match=r"station XX\.A"):
        refuse_leaks(shared_station, ["train", "develop"])
    shared_event = [origin("XX.A", "1"), origin("XX.B", "1")]
    with pytest.raises(InputInvalid, match="event here 1"):
        refuse_leaks(shared_event, ["left_out", "train"])
    refuse_leaks(shared_event, ["mixed", "train"])


def test_moments_within_a_minute_are_one_earthquake() -> None:
    times = ["2012-08-25T05:14:59.600+00:00", "2012-08-25T05:15:40.000+00:00", "2012-08-25T05:17:00.000+00:00"]
    origins = [origin("XX.A", times[1]), origin("XX.B", times[0]), origin("XX.C", times[2]), origin("XX.D", "x")]
    names = [each.event for each in join_events(origins, [None] * len(origins))]
    assert names == [times[0], times[0], times[2], "x"]


def test_a_name_that_two_collections_use_joins_nothing_between_its_earthquakes() -> None:
    origins = [
        origin("XX.A", "1"),
        origin("XX.B", "2"),
        origin("YY.A", "1", source="b"),
        origin("XX.C", "3", region="q"),
    ]
    assert join_events(origins, [1e9, 1.1e9, 1.2e9, 1.15e9]) == origins


def test_one_earthquake_in_two_regions_is_on_one_side() -> None:
    times = [1e9 + 1000.0 * number for number in range(100)]
    ours = [origin(f"XX.{number}", f"ours/{number}") for number in range(100)]
    theirs = [origin(f"YY.{number}", f"{number}", source="b", region="there") for number in range(100)]
    origins = join_events(ours + theirs, [*times, *(each + 7.0 for each in times)])
    sides = split(origins, SplitPlan(seed=1, develop_share={"a": 0.5, "b": 0.5}))
    assert sides[:100] == sides[100:]
    assert {*sides} == {"train", "develop"}
    assert [each.region for each in origins] == ["here"] * 100 + ["there"] * 100


def test_what_shares_an_earthquake_with_a_region_left_out_is_on_neither_side() -> None:
    origins = [origin("XX.A", "1"), origin("YY.B", "2", "a", "there"), origin("XX.C", "3")]
    plan = SplitPlan(seed=1, develop_share={}, left_out=frozenset({"there"}))
    assert split(join_events(origins, [100.0, 107.0, 900.0]), plan) == ["mixed", "left_out", "train"]


def test_earthquakes_that_lie_in_each_others_records_are_one_whatever_their_names() -> None:
    origins = [origin("XX.A", "second"), origin("XX.B", "first"), origin("XX.C", "later"), origin("XX.D", "first")]
    names = [each.event for each in join_events(origins, [108.0, 100.0, 300.0, 150.0])]
    assert names == ["first", "first", "later", "first"]
    noise = [origin("XX.A", ""), origin("XX.B", "")]
    assert join_events(noise, [100.0, 101.0]) == noise


def test_a_dense_network_that_only_judges_is_not_cut() -> None:
    assert set(split(dense(), SplitPlan(seed=1, develop_share={"a": 1.0}))) == {"develop"}


def test_a_single_earthquake_teaches() -> None:
    origins = [origin(f"XX.{number}", "only") for number in range(30)]
    assert set(split(origins, PLAN)) == {"train"}
