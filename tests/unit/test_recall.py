"""What a restart reads of its own output reaches back to picks that wait for their measurement, however long ago."""

import pytest

from kensoku.bus import Message
from kensoku.triggering.recall import look_back
from kensoku.v1.pick_pb2 import Instrument, InstrumentProgress, Pick, PickMessage, Progress

NS_PER_S = 10**9
STATION = Instrument(network="XX", station="STA", band_instrument="HH")
LOG = (
    (0, PickMessage(pick=Pick(id="waits", instrument=STATION))),
    (
        40,
        PickMessage(
            progress=Progress(partition=7, sent_ns=40 * NS_PER_S, instruments=[InstrumentProgress(instrument=STATION)])
        ),
    ),
)


@pytest.mark.parametrize(
    ("downtime_s", "readings"), [(5, 1), (120, 1), (270, 2), (290, 2), (299, 2), (310, 2), (5000, 6)]
)
def test_a_pick_told_before_the_last_progress_is_known_after_any_downtime(downtime_s: int, readings: int) -> None:
    starts_ns = list[int]()

    def read_from(start_ns: int) -> list[Message]:
        starts_ns.append(start_ns)
        return [message(at_s, one) for at_s, one in LOG if at_s * NS_PER_S >= start_ns]

    told = look_back(read_from, (40 + downtime_s) * NS_PER_S, 300 * NS_PER_S, 6 * 3600 * NS_PER_S)
    assert [pick.id for pick in told.of(7).picks] == ["waits"]
    assert len(starts_ns) == readings


def test_where_nothing_was_told_it_reads_as_far_back_as_packets_are_kept() -> None:
    starts_ns = list[int]()

    def read_from(start_ns: int) -> tuple[Message, ...]:
        starts_ns.append(start_ns)
        return ()

    told = look_back(read_from, 10**13, 300, 1000)
    assert not told.by_partition
    assert starts_ns == [10**13 - back for back in (300, 600, 1200)]


def message(at_s: int, content: PickMessage) -> Message:
    return Message("picks", 7, at_s, "XX.STA", content.SerializeToString(), at_s * NS_PER_S)
