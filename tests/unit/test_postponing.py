"""What is decided later is decided the same; nothing of it is lost, and far behind it keeps lag bounded."""

from collections.abc import Iterable, Sequence
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kensoku.continuous import NOWHERE, RATE_HZ, Before, Step, Times
from kensoku.detection import Cascade, Detector, Found, Picker, Stage, pick_packets
from kensoku.detection._postponed import Postponed
from kensoku.packets import decode_packet
from kensoku.triggering.postponing import Postponing
from kensoku.v1.pick_pb2 import DECISION_KEPT, DECISION_REJECTED_STATION, Pick
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests.streams import FloatArray, by_arrival, card, contents, onsets, picks, record, seconds, two_stages
from tests.unit.test_detection import QUICK, RECORD, pieces

ALL = 1.0  # what every second promises less than


def fed(detector: Detector, packets: Iterable[WaveformPacket], behind: Sequence[bool] = (True,)) -> list[Found]:
    """Behind at some packets, and not at others."""
    found = list[Found]()
    for number, packet in enumerate(packets):
        detector.postpones_below = ALL if behind[number % len(behind)] else 0.0
        if not detector.postpones_below:
            detector.catch_up(2)
        detector.feed(packet, decode_packet(packet), NOWHERE, number)
        found += detector.found()
    return found


@settings(QUICK)
@given(packets=pieces(), behind=st.lists(st.booleans(), min_size=1, max_size=40))
def test_whatever_is_decided_later_is_decided_the_same(packets: list[WaveformPacket], behind: list[bool]) -> None:
    detector = Detector(two_stages())
    found = [*fed(detector, packets, behind), *detector.finish()]
    assert contents(found) == contents(pick_packets(packets, two_stages()))


def test_nothing_is_told_to_be_done_that_waits_and_after_a_restart_the_rest_is_told() -> None:
    packets = seconds(RECORD)
    first = Detector(two_stages())
    before = fed(first, packets[:70])
    assert not picks(before)
    ((timeline, evaluated_to, _),) = first.network.evaluated(NOWHERE)
    assert evaluated_to < first.network.evaluated_to(timeline.instrument) - 10 * RATE_HZ
    needed = first.network.oldest_needed()[NOWHERE]
    second = Detector(two_stages())
    second.resume(NOWHERE, Before(70, {timeline.instrument: evaluated_to}))
    found = [*fed(second, packets[needed:]), *second.finish()]
    assert contents(found) == contents(pick_packets(packets, two_stages()))


def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    packets = seconds(RECORD)
    before = [one for one in pick_packets(packets, two_stages()) if isinstance(one, Pick)]
    detector = Detector(two_stages())
    detector.resume(NOWHERE, Before(0, {}), before)
    assert not picks([*fed(detector, packets, [False]), *detector.finish()])


def test_what_was_told_before_a_restart_is_remembered_as_long_as_its_second_waits() -> None:
    """Of a pick that is measured, and older than its lateness."""
    packets = seconds(record(8000, events=((1800, 0), (2400, 1))))
    before = list(pick_packets(packets, two_stages()))
    detector = Detector(two_stages(), Times(lateness_s=10))
    detector.resume(NOWHERE, Before(0, {}), picks(before), {one.id for one in before})
    assert not picks([*fed(detector, packets), *detector.finish()])


def test_late_samples_find_decided_what_they_change() -> None:
    late = by_arrival([*seconds(RECORD)[:50], *seconds(RECORD)[51:], *seconds(RECORD, delay_s=20.0)[50:51]])
    detector = Detector(two_stages())
    found = [*fed(detector, late), *detector.finish()]
    assert contents(found) == contents(pick_packets(late, two_stages()))


@pytest.mark.parametrize("is_behind", [False, True])
def test_a_wrong_rate_in_between_changes_nothing_of_what_came_before(is_behind: bool) -> None:
    """Samples of another rate take the place of the record: what was complete is looked at before."""
    packets = seconds(RECORD)
    packets[24:25] = seconds(RECORD[:, :100], rate_hz=50.0)[:1]
    packets[24].start_ns = packets[23].start_ns + 10**9
    packets[24].arrival_ns = packets[23].arrival_ns + 10**9
    one_by_one, at_once = Detector(two_stages()), Detector(two_stages())
    expected = [*fed(one_by_one, packets, [False]), *one_by_one.finish()]
    at_once.postpones_below = ALL if is_behind else 0.0
    for number, packet in enumerate(packets):
        at_once.feed(packet, decode_packet(packet), NOWHERE, number)
    assert contents(at_once.finish()) == contents(expected)


def test_nothing_waits_for_ever_nor_in_any_number() -> None:
    instrument = seconds(RECORD)[0]
    timeline = SimpleNamespace(instrument=(instrument.network, instrument.station))
    waiting = Postponed(most=5, longest=1000)
    steps = [Step(timeline, end) for end in range(100, 1000, 100)]  # type: ignore[arg-type]  # its instrument alone
    waiting.add(steps)
    assert waiting.overdue(lambda _: 0) == steps[:4]
    assert waiting.overdue(lambda _: 1750) == steps[:7]
    waiting.remove(steps[:7])
    assert len(waiting) == 2
    assert waiting.overdue(lambda _: 1750) == []


@pytest.mark.parametrize(("after_s", "is_bounded"), [(0.0, False), (10.0, True)])
def test_far_behind_what_promises_little_waits_and_lag_is_bounded(after_s: float, is_bounded: bool) -> None:
    """A minute of four stations, of which the live picker would need two to look at all that the first stage sees."""
    clock = SimpleNamespace(now_s=0.0)

    def slow(counts: FloatArray) -> FloatArray:
        clock.now_s += 0.5 * len(counts)
        return onsets(counts)

    def cascade(model: object) -> Cascade:
        first = Stage("gate", card(0.05), onsets, "1", "cd")
        return Cascade(Picker(Stage("picker_live", card(0.4), model, "1", "ab"), first))  # type: ignore[arg-type]

    waves = ((1800, 0), (2400, 1))
    names = ("STA", "STB", "STC", "STD")
    streams = [seconds(record(9000, number, waves), station=name) for number, name in enumerate(names)]
    packets = [packet for second in zip(*streams, strict=True) for packet in second]
    detector, postponing = Detector(cascade(slow)), Postponing(after_s, 0.3)
    start_ns, found, most_s = packets[0].arrival_ns, list[Found](), 0.0
    for packet in packets:
        arrived_s = (packet.arrival_ns - start_ns) / 1e9
        clock.now_s = max(clock.now_s, arrived_s)
        lag_s = clock.now_s - arrived_s
        most_s = max(most_s, lag_s)
        detector.postpones_below = postponing.below(lag_s)
        detector.feed(packet, decode_packet(packet))
        found += detector.found()
    waited = detector.postponed
    found += detector.finish()
    assert contents(found) == contents(pick_packets(packets, cascade(onsets)))
    assert (most_s < 30.0) == is_bounded, most_s
    assert bool(waited) == is_bounded


def test_an_instrument_that_never_stops_has_its_own_budget() -> None:
    beside = record(seed=8, events=((5000, 0),))
    pairs = zip(seconds(record()), seconds(beside, station="STB"), strict=True)
    detector = Detector(two_stages(), most_picks=2)
    found = picks([*fed(detector, (packet for pair in pairs for packet in pair), [False]), *detector.finish()])
    wild = [one for one in found if one.instrument.station == "STA"]
    assert [one.decision for one in wild] == [DECISION_KEPT] * 2 + [DECISION_REJECTED_STATION] * 4
    assert all(one.decision_reason for one in wild[2:])
    alone = picks(pick_packets(seconds(beside, station="STB"), two_stages()))
    assert contents(one for one in found if one.instrument.station == "STB") == contents(alone)
