"""What association remembers of what all regions have told."""

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
    assert memory.take_own("here") == memory.take_own("there") == []


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


def test_what_is_remembered_of_an_event_takes_no_room_for_what_is_not(bus: Bus) -> None:
    picks = [AssociatedPick(pick=Pick(id=f"p{number}", decision_reason="x" * 1000)) for number in range(20)]
    events = (
        ("here", Association(event_id=f"e{number}", region="here", revision=1, picks=picks)) for number in range(3000)
    )
    services.publish(bus, "associations", events)
    memory, before = Memory(bus, 5000), resident_bytes()
    memory.read_back(0, lambda _: False)
    assert len(list(memory.all_last())) == 3000
    assert resident_bytes() - before < 30e6, "what they hold without it is 60 MB"
