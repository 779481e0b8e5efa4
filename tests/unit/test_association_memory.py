"""What association remembers of what all regions have told."""

import pytest

from kensoku.association.memory import Memory
from kensoku.bus import Bus
from kensoku.v1.association_pb2 import AssociatedPick, Association
from kensoku.v1.pick_pb2 import Instrument, Pick
from tests import services
from tests.resident import resident_bytes


def told(bus: Bus, *states: tuple[str, int, int]) -> None:
    """Each of a region, a revision and an owner."""
    associations = [
        Association(event_id="e1", region=region, revision=revision, owner_epoch=epoch)
        for region, revision, epoch in states
    ]
    services.publish(bus, "associations", ((each.region, each) for each in associations))


def test_a_state_that_is_older_than_the_last_is_not_the_last_though_it_comes_later(bus: Bus) -> None:
    memory = Memory(bus, 10)
    told(bus, ("here", 2, 1), ("here", 2, 7), ("here", 1, 9), ("here", 2, 1))
    memory.read_back(0, lambda _: False)
    assert [(last.revision, last.owner_epoch) for last in memory.all_last()] == [(2, 7)]


def test_of_its_own_events_the_first_and_the_last_state_are_taken_once(bus: Bus) -> None:
    memory = Memory(bus, 10)
    told(bus, ("here", 1, 1), ("here", 2, 1), ("here", 3, 1), ("there", 4, 1))
    memory.read_back(0, lambda region: region == "here")
    assert [state.revision for state in memory.take_own("here")] == [1, 3]
    assert [*memory.take_own("here"), *memory.take_own("there")] == []


def test_the_last_state_is_taken_whole_and_of_the_first_which_picks_it_had(bus: Bus) -> None:
    memory, picks = Memory(bus, 10), [AssociatedPick(pick=Pick(id=name, snr=3.0)) for name in "ab"]
    once = Association(event_id="once", region="here", revision=1, picks=picks)
    first, last = (Association(event_id="e", region="here", revision=n, picks=picks[:n]) for n in (1, 2))
    services.publish(bus, "associations", [("here", each) for each in (once, first, last)])
    memory.read_back(0, lambda _: True)
    taken = {(each.event_id, each.revision): each for each in memory.take_own("here")}
    assert (taken["once", 1], taken["e", 2]) == (once, last)
    assert [each.pick.id for each in taken["e", 1].picks] == ["a"]


def test_neighbours_in_other_processes_hear_how_well_each_pick_suits(bus: Bus) -> None:
    """By that a pick which two regions claim is of one of them before either has said its last word."""
    memory, sensor = Memory(bus, 10), Instrument(network="XX", station="A")
    one = AssociatedPick(pick=Pick(id="p", instrument=sensor, snr=3.0), residual_s=-0.2, probability=0.7)
    services.publish(
        bus, "associations", [("there", Association(event_id="e", region="there", revision=1, picks=[one]))]
    )
    [heard] = memory.news()
    one.pick.ClearField("snr")
    assert list(heard.picks) == [one]
    memory.read_back(0, lambda _: False)
    assert list(memory.all_last()) == [heard]


@pytest.mark.parametrize("is_own", [False, True])
def test_what_is_remembered_of_events_takes_no_room_for_what_is_not(is_own: bool, bus: Bus) -> None:
    picks = [AssociatedPick(pick=Pick(id=f"p{number}", decision_reason="x" * 1000)) for number in range(20)]
    events = (
        ("here", Association(event_id=f"e{number}", region="here", revision=revision, picks=picks))
        for number in range(1500)
        for revision in (1, 2)
    )
    services.publish(bus, "associations", events)
    memory, before = Memory(bus, 5000), resident_bytes()
    memory.read_back(0, lambda _: is_own)
    assert resident_bytes() - before < 20e6, "beside what the bus holds; as messages they are 30 MB a state"
    assert len(list(memory.all_last())) == 1500


def test_who_reads_back_what_was_told_shows_that_it_lives(bus: Bus) -> None:
    services.publish(
        bus, "associations", ((str(n), Association(event_id=str(n), region="here", revision=1)) for n in range(2500))
    )
    beats: list[int] = []
    memory = Memory(bus, 5000, lambda: beats.append(1))
    memory.read_back(0, lambda _: True)
    assert len(beats) == 3
    assert len(list(memory.take_own("here"))) == 2500
    assert len(beats) == 6
