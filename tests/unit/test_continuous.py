"""Every sample lies at its place on the absolute grid, whatever it came in; seconds are complete by what arrived."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kensoku.continuous import (
    NOWHERE,
    Before,
    Instrument,
    Network,
    Step,
    Timeline,
    Times,
    index_of,
    instrument_of,
    time_of,
)
from kensoku.errors import InputInvalid
from kensoku.packets import ChannelSamples, decode_packet
from kensoku.picking import to_100_hz
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests.streams import SAMPLE_NS, START_NS, by_arrival, packet, record, seconds

RECORD = record(2000, events=())
SENSOR = Instrument("XX", "STA", "", "HH")
FIRST = index_of(START_NS)


def piece(samples: np.ndarray, start_ns: int, rate_hz: float = 100.0, code: str = "HHZ") -> ChannelSamples:  # type: ignore[type-arg]  # of any kind
    return ChannelSamples("", code, start_ns, rate_hz, samples)


def cut(samples: np.ndarray, at: list[int], rate_hz: float) -> list[ChannelSamples]:  # type: ignore[type-arg]
    ends = sorted({*at, len(samples)})
    return [
        piece(samples[low:high], START_NS + round(low * 1e9 / rate_hz), rate_hz)
        for low, high in zip([0, *ends], ends, strict=False)
        if low < high
    ]


@pytest.mark.parametrize("rate_hz", [20.0, 31.25, 40.0, 50.0, 100.0, 125.0, 200.0, 250.0])
@settings(max_examples=5, deadline=None, derandomize=True)
@given(chance=st.randoms(use_true_random=False))
def test_pieces_of_any_rate_give_the_bits_of_the_whole(rate_hz: float, chance: st.randoms) -> None:  # type: ignore[valid-type]
    samples = np.random.default_rng(0).normal(5000, 300, 1500).astype(np.int32)
    whole, parts = Timeline(SENSOR), Timeline(SENSOR)
    whole.write(0, cut(samples, [], rate_hz)[0])
    pieces = cut(samples, [chance.randrange(1500) for _ in range(12)], rate_hz)  # type: ignore[attr-defined]
    chance.shuffle(pieces)  # type: ignore[attr-defined]
    for one in pieces:
        parts.write(0, one)
        parts.read(FIRST + chance.randrange(500), FIRST + 700)  # type: ignore[attr-defined]  # what is kept of it is renewed
    length = round(1500 * 100 / rate_hz)
    assert parts.end == whole.end == FIRST + length
    np.testing.assert_array_equal(parts.read(FIRST, FIRST + length), whole.read(FIRST, FIRST + length))


@pytest.mark.parametrize("rate_hz", [40.0, 125.0, 200.0])
def test_resampled_records_are_those_of_whole_files(rate_hz: float) -> None:
    samples = np.random.default_rng(1).normal(5000, 300, 2000).astype(np.int32)
    timeline = Timeline(SENSOR)
    for one in cut(samples, [300, 301, 950], rate_hz):
        timeline.write(0, one)
    expected, delay = to_100_hz(samples.astype(np.float32), rate_hz)
    found = timeline.read(FIRST, FIRST + len(expected))[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.5)  # the stop band times what is held before the start
    np.testing.assert_allclose(found[400:], expected[400:], rtol=2e-4)
    assert timeline.delay_ns(FIRST + 100) == round(delay * SAMPLE_NS)


def test_nothing_later_than_a_sample_reaches_it_at_another_rate() -> None:
    samples = np.random.default_rng(2).normal(0, 300, 2000).astype(np.float32)
    changed = samples.copy()
    changed[1000:] = 1e9
    reads = []
    for one in (samples, changed):
        timeline = Timeline(SENSOR)
        timeline.write(0, piece(one, START_NS, 200.0))
        reads.append(timeline.read(FIRST, FIRST + 500))
    np.testing.assert_array_equal(reads[0], reads[1])


def test_a_gap_is_missing_and_an_overlap_changes_nothing() -> None:
    timeline = Timeline(SENSOR)
    samples = np.arange(1000, dtype=np.int32)
    assert timeline.write(0, piece(samples[:300], START_NS)) == [(FIRST, FIRST + 300)]
    assert timeline.write(0, piece(samples[500:], START_NS + 500 * SAMPLE_NS)) == [(FIRST + 500, FIRST + 1000)]
    assert timeline.write(0, piece(-samples[200:400], START_NS + 200 * SAMPLE_NS)) == [(FIRST + 300, FIRST + 400)]
    assert timeline.write(0, piece(-samples[200:400], START_NS + 200 * SAMPLE_NS)) == []
    found = timeline.read(FIRST - 10, FIRST + 1010)
    expected = samples.astype(np.float32)
    expected[300:400] *= -1
    expected[400:500] = np.nan
    np.testing.assert_array_equal(found[0], np.pad(expected, 10, constant_values=np.nan))
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize("offset_ns", [0, 2_986_000, 6_100_000, 6_179_999])
def test_jitter_under_half_a_sample_is_no_gap(offset_ns: int) -> None:
    chance = np.random.default_rng(3)
    timeline = Timeline(SENSOR)
    for first in range(0, 2000, 100):
        jitter_ns = int(chance.integers(-4_900_000, 4_900_000)) if first else 0
        timeline.write(0, piece(RECORD[0, first : first + 100], START_NS + offset_ns + jitter_ns + first * SAMPLE_NS))
    np.testing.assert_array_equal(timeline.read(FIRST, FIRST + 2000)[0], RECORD[0])
    assert timeline.offset_ns(FIRST + 50) == offset_ns


def test_a_clock_that_drifts_is_followed_until_it_is_two_samples_beside() -> None:
    timeline = Timeline(SENSOR)
    starts = [START_NS + round(number * 100.02 * SAMPLE_NS) for number in range(130)]
    written = [timeline.write(0, piece(RECORD[0, :100], start_ns)) for start_ns in starts]
    firsts = [first - FIRST for ((first, _),) in written]
    jumps = [number for number, (one, other) in enumerate(itertools.pairwise(firsts), 1) if other != one + 100]
    assert len(jumps) == 1
    assert 60 < jumps[0] < 120
    assert firsts[jumps[0]] == 100 * jumps[0] + 2


def test_a_sample_that_is_missing_between_two_pieces_is_missing() -> None:
    timeline = Timeline(SENSOR)
    for number in range(8):
        timeline.write(0, piece(RECORD[0, :100], START_NS + number * 100 * SAMPLE_NS + 3_000_000))
    later = piece(RECORD[0, :100], START_NS + 801 * SAMPLE_NS + 1_000_000)
    assert timeline.write(0, later) == [(FIRST + 801, FIRST + 901)]


def test_a_piece_that_comes_late_does_not_set_the_clock_of_the_newest() -> None:
    timeline = Timeline(SENSOR)
    timeline.write(0, piece(RECORD[0, :100], START_NS + 200 * SAMPLE_NS + 6_000_000))
    timeline.write(0, piece(RECORD[0, :100], START_NS + 100 * SAMPLE_NS + 1_000_000))
    newest = piece(RECORD[0, :100], START_NS + 300 * SAMPLE_NS + 7_000_000)
    assert timeline.write(0, newest) == [(FIRST + 300, FIRST + 400)]


@pytest.mark.parametrize("rate_hz", [20.0, 250.0])
def test_what_is_forgotten_changes_no_bit_of_what_comes_after_it(rate_hz: float) -> None:
    samples = np.random.default_rng(4).normal(5000, 300, round(180 * rate_hz)).astype(np.int32)
    whole, bounded = Timeline(SENSOR), Timeline(SENSOR)
    for one in cut(samples, [round(60 * rate_hz)], rate_hz):
        whole.write(0, one)
        bounded.write(0, one)
        bounded.forget(FIRST + 5000)
    np.testing.assert_array_equal(bounded.read(FIRST + 5000, FIRST + 7000), whole.read(FIRST + 5000, FIRST + 7000))


def test_infinite_samples_are_missing() -> None:
    timeline = Timeline(SENSOR)
    timeline.write(0, piece(np.array([1, np.inf, -np.inf, np.nan, 2], dtype=np.float32), START_NS))
    assert np.isnan(timeline.read(FIRST, FIRST + 5)[0]).tolist() == [False, True, True, True, False]


def test_a_second_channel_of_a_component_is_left_out_until_the_first_is_silent() -> None:
    timeline = Timeline(SENSOR)
    one, another = RECORD[1, :100], RECORD[2, :100]
    timeline.write(1, piece(one, START_NS, code="HHN"))
    assert timeline.write(1, piece(another, START_NS + 100 * SAMPLE_NS, code="HH1")) == []
    assert timeline.channels(FIRST, FIRST + 200) == ["HHN"]
    minute_later_ns = START_NS + 6100 * SAMPLE_NS
    assert timeline.write(1, piece(another, minute_later_ns, code="HH1")) == [(FIRST + 6100, FIRST + 6200)]


def test_the_offset_of_a_clock_goes_to_the_nearer_sample() -> None:
    assert index_of(START_NS + 6_170_000) == FIRST
    assert index_of(START_NS + 6_190_000) == FIRST + 1
    assert time_of(FIRST) == START_NS


@pytest.mark.parametrize(
    ("code", "component"),
    [("HHZ", 0), ("BH1", 1), ("EL2", 2), ("HNE", 2), ("GPZ", 0), ("HDF", None), ("LOG", None), ("HHA", None)],
)
def test_components_are_known_by_their_codes(code: str, component: int | None) -> None:
    found = instrument_of("XX", "STA", "10", code)
    assert (found[1] if found else None) == component
    assert found is None or found[0].code == f"XX.STA.10.{code[:2]}"


def test_a_rate_that_cannot_be_used_is_told() -> None:
    with pytest.raises(InputInvalid, match="samples a second"):
        Timeline(SENSOR).write(0, piece(RECORD[0], START_NS, 1.0))


def test_memory_stays_what_is_kept() -> None:
    network = Network(Times(reach=1000))
    for offset, one in enumerate(seconds(record(40_000, events=()))):
        network.feed(one, decode_packet(one), ("waveforms", 7), offset)
        network.forget_old(network.take())
    (timeline, end, _) = next(network.evaluated(("waveforms", 7)))
    assert end == FIRST + 40_000
    assert np.isnan(timeline.read(FIRST, FIRST + 10_000)).all()
    assert not np.isnan(timeline.read(end - 7000, end)).any()
    assert network.oldest_needed() == {("waveforms", 7): 328}  # of 400


def steps(packets: list[WaveformPacket], times: Times) -> list[Step]:
    network = Network(times)
    found = []
    for one in packets:
        network.disturbs(one, decode_packet(one))
        network.feed(one, decode_packet(one))
        taken = network.take()
        network.forget_old(taken)
        found += taken
    return found


def test_a_second_waits_for_every_live_channel_and_no_longer_than_hold() -> None:
    """The horizontals fall silent at 10 s."""
    packets = [packet(RECORD, n, n + 100, components=(0, 1, 2) if n < 1000 else (0,)) for n in range(0, 2000, 100)]
    arrived = {(step.end - FIRST): (step.arrival_ns - START_NS) / 1e9 for step in steps(packets, Times())}
    assert arrived[800] == 8.0
    assert arrived[1000] == 10.0
    assert arrived[1100] == 15.0  # the first packet later than 11 s and the hold
    assert arrived[1600] == 20.0


def test_the_first_second_waits_for_one_before_it_that_is_on_its_way() -> None:
    found = steps([packet(RECORD, 100, 200), packet(RECORD, 0, 100, delay_s=1.5), *seconds(RECORD)[2:10]], Times())
    assert [step.end - FIRST for step in found if not step.is_again] == list(range(100, 1100, 100))
    assert not any(step.is_again for step in found)


def test_a_vertical_that_is_alone_waits_for_horizontals_for_the_first_minute_and_no_longer() -> None:
    alone = seconds(record(7000, events=()), components=(0,))
    arrived = {step.end - FIRST: (step.arrival_ns - START_NS) / 1e9 for step in steps(alone, Times())}
    assert arrived[1000] == 14.0  # the first packet later than 10 s and the hold
    assert arrived[6500] == 65.0


def test_under_a_stamp_that_stands_still_no_more_waits_than_ten_thousand_packets() -> None:
    network, found = Network(Times()), list[Step]()
    for second in range(10_100):
        one = packet(RECORD, 0, 100)
        one.arrival_ns = START_NS + 10**15
        network.feed(one, [piece(RECORD[0, :100], START_NS + second * 10**9)])
        found += (taken := network.take())
        network.forget_old(taken)
    assert [step.end - FIRST for step in found] == list(range(100, 10_100, 100))


def test_late_samples_are_looked_at_again_up_to_the_third_second_after_them() -> None:
    packets = seconds(RECORD)
    late = by_arrival([*packets[:10], packet(RECORD, 1000, 1100, delay_s=6.0), *packets[11:]])
    found = steps(late, Times())
    assert sorted({step.end - FIRST for step in found if step.is_again}) == [1100, 1200, 1300, 1400]


def test_channels_of_a_long_packet_are_not_late_for_each_other() -> None:
    long = packet(record(12_000, events=()), 0, 12_000)
    network = Network(Times())
    assert not network.feed(long, decode_packet(long)).is_late
    network.finish()
    taken = network.take()
    assert len(taken) == 120
    assert not np.isnan(taken[0].timeline.read(FIRST, FIRST + 12_000)).any()


def test_horizontals_that_get_new_names_are_told_while_they_are_left_out() -> None:
    network = Network(Times())
    before, after = packet(RECORD, 0, 100, codes=("HHZ", "HH1", "HH2")), packet(RECORD, 100, 200)
    assert not network.feed(before, decode_packet(before)).left_out
    told = network.feed(after, decode_packet(after)).left_out
    assert [each.partition(" beside it")[0] for each in told] == ["HHN: found HH1", "HHE: found HH2"]
    assert not network.feed(after, [*decode_packet(before)]).left_out, "what comes twice is not left out"


def test_a_clock_that_jumps_ahead_is_left_out() -> None:
    network = Network(Times())
    ahead = packet(RECORD, 400, 500)
    ahead.start_ns += 3600 * 10**9
    for one in (*seconds(RECORD)[:4], ahead, *seconds(RECORD)[4:]):
        fed = network.feed(one, decode_packet(one))
        assert len(fed.left_out) == (3 if one is ahead else 0)
    assert [step.end for step in network.take()][-1] == FIRST + 2000


def test_after_a_long_gap_all_begins_anew() -> None:
    later = seconds(RECORD)
    for one in later:
        one.start_ns += 10**6 * 10**9
        one.arrival_ns += 10**6 * 10**9
    found = steps([*seconds(RECORD), *later], Times(reach=1000))
    ends = [step.end - FIRST for step in found]
    assert ends == sorted(set(ends))
    assert ends[-1] == 10**8 + 2000
    assert len(ends) == 40


def test_a_piece_of_another_year_that_cannot_be_used_ends_no_record() -> None:
    network, ahead_ns = Network(Times()), 10**6 * 10**9
    first, following = (packet(RECORD, n, n + 100) for n in (0, 100))
    network.feed(first, decode_packet(first))
    unusable = packet(RECORD, 100, 101)
    unusable.arrival_ns = 0  # with one it would be left out for its time
    assert network.feed(unusable, [piece(RECORD[0, :1], START_NS + ahead_ns, 1.0)]).left_out
    assert not network.feed(following, decode_packet(following)).is_late
    network.finish()
    assert [step.end - FIRST for step in network.take()] == [100, 200]


def test_a_silent_station_is_waited_for_no_more() -> None:
    other = [packet(RECORD, 0, 100, station="OTHER", delay_s=delay_s) for delay_s in (10.0, 82.0)]
    network = Network(Times())
    for one in (*seconds(RECORD)[:3], packet(RECORD, 300, 400, components=(0,)), *other):
        network.feed(one, decode_packet(one))
    ended = [step for step in network.take() if step.timeline.instrument == SENSOR]
    assert ended[-1].end == FIRST + 400
    assert network.is_silent(SENSOR)


def beside_a_silent_one() -> Network:
    """One packet of a station, and then 20 s of another."""
    network = Network(Times(lateness_s=10))
    for offset, one in enumerate([packet(RECORD, 0, 100), *seconds(RECORD, station="OTHER")]):
        network.feed(one, decode_packet(one), NOWHERE, offset)
        network.forget_old(network.take())
    return network


def test_a_silent_station_holds_no_position() -> None:
    assert beside_a_silent_one().oldest_needed()[NOWHERE] > 0


@pytest.mark.parametrize("wait", [Network.hold, Network.keep])
def test_a_silent_station_of_which_something_waits_holds_its_position(
    wait: Callable[[Network, Instrument, int], None],
) -> None:
    network = beside_a_silent_one()
    wait(network, SENSOR, FIRST)
    assert network.oldest_needed()[NOWHERE] == 0


def test_what_comes_again_after_a_restart_is_known_only_where_it_was_read() -> None:
    network, one = Network(Times()), packet(RECORD, 0, 1000)
    network.resume(NOWHERE, Before(5, {SENSOR: FIRST + 1000}))
    network.feed(one, decode_packet(one), NOWHERE, 5)  # the first that was not read
    network.finish()
    assert [step.is_known for step in network.take()] == [False] * 10


def test_who_leaves_takes_the_seconds_that_are_ready() -> None:
    network = Network(Times())
    for number, station in enumerate(("STA", "OTHER")):
        one = packet(RECORD, 0, 1000, station=station)
        network.feed(one, decode_packet(one), ("waveforms", number))
    network.finish()
    network.leave(("waveforms", 0))
    assert {step.timeline.instrument.station for step in network.take()} == {"OTHER"}
