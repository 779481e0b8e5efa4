"""A region that is taken off the map gives its earthquakes over to whoever tells them as well."""

import pytest

from kensoku.associating import Watch
from kensoku.regions import Ground
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_STATUS_MERGED
from tests.regions import catalogue, heard_by, onsets_of, progress_of, regions, watches
from tests.shocks import BEGIN_NS, NS_PER_S, Shock, pick

PARTED_S = 28.0  # when it is gone


def take_off(name: str, shock: Shock) -> list[Association]:
    """What it and its neighbour tell of an earthquake, of which it has heard the beginning."""
    followed = watches(["nw", "sw"])
    left = {other: region for other, region in regions().items() if other != name}
    told: list[Association] = []
    picks = onsets_of([shock], seed=4)
    for after_s in range(21, 400):
        for one, watch in followed.items():
            if one == name and after_s > PARTED_S:
                continue
            for each in picks:
                if each.station in heard_by(one) and (each.onset_ns - BEGIN_NS) // NS_PER_S == after_s - 1:
                    watch.add(pick(each))
            watch.hear(progress_of(after_s - 2, heard_by(one)))
        if after_s == PARTED_S:
            for one, watch in followed.items():
                watch.replace_network(watch.network, Ground(one, left))
        if after_s == PARTED_S + 70:
            pass_on(followed[name].finish(), followed, told)
            del followed[name]
        for watch in list(followed.values()):
            pass_on(watch.step(), followed, told)
    return told


def pass_on(found: list[Association], followed: dict[str, Watch], told: list[Association]) -> None:
    told += found
    for watch in followed.values():
        for each in found:
            watch.hear_neighbour(each)


@pytest.mark.parametrize(("name", "north_km"), [("sw", -4), ("sw", 4), ("nw", -4), ("nw", 4)])
def test_a_region_taken_off_the_map_leaves_its_neighbour_what_both_see(name: str, north_km: float) -> None:
    told = take_off(name, Shock(20, north_km, -30))
    (one,) = catalogue(told)
    assert (one.region, one.status) == ("nw" if name == "sw" else "sw", EVENT_STATUS_FINAL)
    ended = {each.reason for each in told if each.status == EVENT_STATUS_MERGED}
    assert ended <= {f"the same earthquake as {one.event_id} of region {one.region}; region {name} is off the map"}


def test_what_no_neighbour_sees_it_tells_itself_to_the_end() -> None:
    (one,) = catalogue(take_off("sw", Shock(20, -45, -45)))
    assert (one.region, one.status) == ("sw", EVENT_STATUS_FINAL)
