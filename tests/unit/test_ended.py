"""A record that has ended, or whose station fell silent: what is measured then, and what of it is still known."""

import pytest

from kensoku.continuous import Before
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
