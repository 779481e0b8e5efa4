"""A record that has ended, or whose station fell silent: what is measured then, and what of it is still known."""

import pytest

from kensoku.continuous import Before, Timeline, index_of
from kensoku.detection import Detector, Found
from kensoku.packets import decode_packet
from kensoku.v1.pick_pb2 import Pick, PickMeasurement
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests.streams import by_arrival, contents, packet, picks, record, seconds, two_stages

POSITION = ("waveforms", 0)
RECORD = record(14_000, events=((9000, 0), (9400, 1)))


def fed(detector: Detector, packets: list[WaveformPacket], first: int = 0) -> list[Found]:
    """What is found of packets that come one by one."""
    found = []
    for offset, one in enumerate(packets[first:], first):
        detector.feed(one, decode_packet(one), POSITION, offset)
        found += detector.found()
    return found


@pytest.mark.parametrize("are_others_there", [False, True])
def test_after_a_restart_a_pick_is_measured_in_its_own_record_not_in_the_one_before_a_gap(
    are_others_there: bool,
) -> None:
    """Ten seconds, a gap of 65, and the pick, which was told; what is read again begins before the gap."""
    others = seconds(record(14_000, 8, events=()), station="OTHER") if are_others_there else []
    parts = seconds(RECORD)
    packets = by_arrival([*parts[:10], *parts[75:], *others])
    expected = fed(whole := Detector(two_stages()), packets) + whole.finish()
    crash = next(count for count, one in enumerate(packets) if one.arrival_ns == parts[96].arrival_ns)
    first, second = Detector(two_stages()), Detector(two_stages())
    told = fed(first, packets[:crash])
    known = {timeline.instrument: end for timeline, end, _ in first.network.evaluated(POSITION)}
    measured = {one.id for one in told if isinstance(one, PickMeasurement)}
    second.resume(POSITION, Before(crash, known), picks(told), measured)
    needed = first.network.oldest_needed()[POSITION]
    rest = fed(second, packets, needed) + second.finish()
    assert (len(picks(told)), len(measured), packets[needed].start_ns < parts[10].start_ns) == (2, 0, True)
    assert contents([*told, *rest]) == contents(expected)


def test_late_samples_of_a_station_that_fell_silent_show_no_pick_again() -> None:
    """Its vertical is late for a second just before S."""
    parts = seconds(RECORD)
    parts[92] = packet(RECORD, 9200, 9300, components=(1, 2))
    others = seconds(record(25_000, 8, events=()), station="OTHER")
    late = packet(RECORD, 9200, 9300, components=(0,), delay_s=100.0)
    found = fed(Detector(two_stages()), by_arrival([*parts[75:100], *others, late]))
    assert len({one.id for one in picks(found)}) == len([one for one in found if isinstance(one, Pick)]) >= 2


def renamed(length: int) -> list[WaveformPacket]:
    """100 s of HH, of which BH takes the place at the same station."""
    after = record(length, 8, events=())
    return [*seconds(RECORD[:, :10_000]), *seconds(after, codes=("BHZ", "BHN", "BHE"))[100:]]


def test_an_instrument_that_ends_while_its_station_goes_on_is_measured_and_holds_no_position() -> None:
    packets = renamed(25_000)
    found = fed(detector := Detector(two_stages()), packets)
    ended = {timeline.instrument.band_instrument: (end, idle) for timeline, end, idle in evaluated(detector)}
    assert {one.id for one in found if isinstance(one, PickMeasurement)} == {one.id for one in picks(found)} != set()
    assert detector.network.oldest_needed()[POSITION] > 100
    assert ended["HH"] == (index_of(packets[100].start_ns), True)
    assert not ended["BH"][1]


def test_an_instrument_that_ended_an_hour_ago_takes_no_memory() -> None:
    fed(detector := Detector(two_stages()), renamed(380_000))
    assert [timeline.instrument.band_instrument for timeline, _, _ in evaluated(detector)] == ["BH"]


def evaluated(detector: Detector) -> list[tuple[Timeline, int, bool]]:
    return list(detector.network.evaluated(POSITION))
