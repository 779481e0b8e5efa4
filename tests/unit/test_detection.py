"""The same samples give the same picks, whatever the packets' sizes and order, the start, and restarts in between."""

from collections.abc import Callable
from functools import partial
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kensoku.continuous import Before, Instrument, Step, Timeline, Times, index_of
from kensoku.detection import Cascade, Detector, Picker, Stage, pick_id, pick_packets
from kensoku.errors import ModelServerUnavailable
from kensoku.packets import ChannelSamples, decode_packet, encode_packet
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Pick, PickMeasurement
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket
from tests.streams import (
    SAMPLE_NS,
    START_NS,
    FloatArray,
    by_arrival,
    card,
    contents,
    one_stage,
    onsets,
    packet,
    picks,
    record,
    seconds,
    two_stages,
)

RECORD = record(4000, events=((1800, 0), (2400, 1)))
POSITION = ("waveforms", 0)
SENSOR = Instrument("XX", "STA", "", "HH")
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
AS_RECORDED = contents(pick_packets(seconds(RECORD), two_stages()))


@st.composite
def pieces(draw: st.DrawFn) -> list[WaveformPacket]:
    """The record in pieces of up to 1.5 s, late by up to 1.4 s, some twice; horizontals alone or not."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    longest = draw(st.sampled_from([20, 90, 150]))
    groups: list[tuple[int, ...]] = draw(st.sampled_from([[(0, 1, 2)], [(0,), (1, 2)], [(2,), (1,), (0,)]]))
    made = []
    for components in groups:
        first = 0
        while first < RECORD.shape[1]:
            last = min(first + int(random.integers(1, longest + 1)), RECORD.shape[1])
            delay_s = float(random.uniform(0, 1.4))
            made.append(packet(RECORD, first, last, components=components, delay_s=delay_s))
            if random.random() < 0.1:
                made.append(packet(RECORD, first, last, components=components, delay_s=random.uniform(0, 8)))
            first = last
    return by_arrival(made)


@QUICK
@given(pieces())
def test_sizes_order_and_duplicates_of_packets_change_no_byte(packets: list[WaveformPacket]) -> None:
    assert contents(pick_packets(packets, two_stages())) == AS_RECORDED


LONG = record(12_000, events=((1800, 0), (2400, 1), (4600, 0), (5005, 1)))
LONG_AS_RECORDED = contents(pick_packets(seconds(LONG), two_stages()))


@st.composite
def long_pieces(draw: st.DrawFn) -> list[WaveformPacket]:
    """Two minutes in pieces of any length, all of one channel after all of another, within 1.4 s of each other."""
    order = draw(st.permutations([0, 1, 2]))
    made = []
    for place, component in enumerate(order):
        ends = sorted({12_000, *draw(st.lists(st.integers(1, 11_999), max_size=3))})
        for first, last in zip([0, *ends], ends, strict=False):
            made.append(packet(LONG, first, last, components=(component,)))
            made[-1].arrival_ns = START_NS + 12_000 * SAMPLE_NS + (place * 400 + len(made)) * 10**6
    return by_arrival(made)


@QUICK
@given(long_pieces())
def test_long_packets_channel_by_channel_change_no_byte(packets: list[WaveformPacket]) -> None:
    assert contents(pick_packets(packets, two_stages())) == LONG_AS_RECORDED


def test_there_is_something_to_change() -> None:
    found = list(pick_packets(seconds(RECORD), two_stages()))
    assert [pick.phase for pick in picks(found)] == [PHASE_P, PHASE_S]
    assert sum(isinstance(message, PickMeasurement) for message in found) == 2


@pytest.mark.parametrize("size", [7, 100, 333, 4000])
def test_any_size_gives_the_same(size: int) -> None:
    assert contents(pick_packets(seconds(RECORD, size), two_stages())) == AS_RECORDED


def test_the_cascade_gives_what_the_picker_gives_where_it_looks() -> None:
    gated, cascade = one_stage(), two_stages()
    everywhere = contents(pick_packets(seconds(RECORD), gated))
    assert contents(pick_packets(seconds(RECORD), cascade)) == everywhere
    assert cascade.decided < gated.decided / 3


@pytest.mark.parametrize("start", np.random.default_rng(1).integers(1, 800, 6).tolist())
def test_a_later_start_gives_the_same_picks(start: int) -> None:
    whole = picks(pick_packets(seconds(RECORD), one_stage()))
    later = [packet(RECORD, first, min(first + 100, 4000)) for first in range(start, 4000, 100)]
    started = picks(pick_packets(later, one_stage()))
    after = START_NS + 1500 * SAMPLE_NS
    assert [pick.id for pick in started if pick.onset_ns > after] == [p.id for p in whole if p.onset_ns > after]


@pytest.mark.parametrize("crash", [9, 19, 20, 24, 25, 33])
def test_a_restart_tells_the_rest_and_asks_nothing_again(crash: int) -> None:
    """Read again from the oldest offset that is needed, with what was told to be evaluated."""
    packets = seconds(RECORD)
    first = Detector(two_stages())
    for offset, one in enumerate(packets[:crash]):
        first.feed(one, decode_packet(one), POSITION, offset)
    told = first.found()
    needed = first.network.oldest_needed()[POSITION]
    known = {timeline.instrument: end for timeline, end, _ in first.network.evaluated(POSITION)}
    cascade = two_stages()
    second = Detector(cascade)
    measured = {message.id for message in told if isinstance(message, PickMeasurement)}
    second.resume(POSITION, Before(crash, known), picks(told), measured)
    for offset, one in enumerate(packets[needed:], needed):
        second.feed(one, decode_packet(one), POSITION, offset)
    rest = second.finish()
    assert contents([*told, *rest]) == AS_RECORDED
    assert cascade.asked <= len(packets) - crash + 7  # two seconds before, and those that were waited for


def test_what_was_told_is_kept_when_another_position_leaves_before_any_packet_came() -> None:
    told = picks(pick_packets(seconds(RECORD), two_stages()))
    detector = Detector(two_stages())
    detector.resume(POSITION, Before(0, {}), told, {pick.id for pick in told})
    detector.resume(("waveforms", 7), Before(0, {}))
    detector.leave(("waveforms", 7))
    for offset, one in enumerate(seconds(RECORD)):
        detector.feed(one, decode_packet(one), POSITION, offset)
    assert detector.finish() == []


def test_what_was_told_of_a_position_that_left_is_forgotten() -> None:
    told = picks(pick_packets(seconds(RECORD), two_stages()))
    detector = Detector(two_stages())
    detector.resume(POSITION, Before(0, {}), told, ())  # told by its owner until then, but not measured
    detector.leave(POSITION)
    detector.resume(POSITION, Before(0, {}), told, {pick.id for pick in told})  # that was done meanwhile
    for offset, one in enumerate(seconds(RECORD)):
        detector.feed(one, decode_packet(one), POSITION, offset)
    assert detector.finish() == []


def test_two_stations_do_not_meet() -> None:
    other = [packet(RECORD[::-1].copy(), n, n + 100, station="OTHER") for n in range(0, 4000, 100)]
    both = list(pick_packets(by_arrival([*seconds(RECORD), *other]), two_stages()))
    mine = [message for message in both if message.instrument.station == "STA"]
    assert contents(mine) == AS_RECORDED
    assert len(both) > len(mine)


def test_what_a_first_message_says_depends_on_the_look_ahead_only() -> None:
    """Whatever comes later than 1 s after P and 2 s after S."""
    for pick in picks(pick_packets(seconds(RECORD), one_stage())):
        ahead = 100 if pick.phase == PHASE_P else 200
        end = (pick.onset_ns - START_NS) // SAMPLE_NS + ahead + 1
        changed = RECORD.copy()
        changed[:, end:] = np.random.default_rng(0).normal(0, 1e6, changed[:, end:].shape)
        again = {p.id: p for p in picks(pick_packets(seconds(changed), one_stage()))}
        assert contents([again[pick.id]]) == contents([pick])


def late(first: int, last: int, by_s: float, make: Callable[[], Cascade] = two_stages) -> list[Pick]:
    """Picks of a record of which the samples in between come so late."""
    packets = [
        packet(RECORD, n, n + 100, delay_s=by_s if first <= n < last else 0.1) for n in range(0, RECORD.shape[1], 100)
    ]
    return picks(pick_packets(by_arrival(packets), make(), Times(hold_s=3, lateness_s=10)))


def test_samples_within_hold_are_waited_for() -> None:
    assert [pick.late for pick in late(1800, 2000, 2.5)] == [False, False]


@pytest.mark.parametrize(("sample", "component"), [(1805, 0), (1850, 0), (1895, 0), (1805, 1), (1850, 1), (1895, 1)])
def test_an_onset_wherever_in_late_samples_is_told(sample: int, component: int) -> None:
    """Also where a second decides it that was complete and looked at without them."""
    packets = seconds(record(4000, events=((sample, component),)))
    expected = picks(pick_packets(packets, two_stages()))
    late = by_arrival(
        [*packets[:18], *packets[19:], *seconds(record(4000, events=((sample, component),)), delay_s=20.0)[18:19]]
    )
    found = picks(pick_packets(late, two_stages()))
    assert [(one.phase, one.onset_index) for one in found] == [(one.phase, one.onset_index) for one in expected]
    assert [one.late for one in found] == [True]


@pytest.mark.parametrize("component", [0, 1])
def test_a_wave_in_late_samples_alone_is_told_though_the_first_stage_has_just_seen_nothing(component: int) -> None:
    """By models to which a gap looks like no onset."""
    first, final = (Stage(name, card(0.3), partial(onsets, floor=20)) for name in ("gate", "picker_live"))
    counts = record(4000, events=((1850, component),))
    counts[:, 1900:] = record(4000, events=())[:, 1900:]
    packets = seconds(counts)
    late = by_arrival([*packets[:18], *packets[19:], packet(counts, 1800, 1900, delay_s=3.5)])
    (expected,) = picks(pick_packets(packets, Cascade(Picker(final, first))))
    (found,) = picks(pick_packets(late, Cascade(Picker(final, first)), Times(hold_s=1)))
    assert (found.onset_index, found.late) == (expected.onset_index, True)


def test_late_samples_are_looked_at_again_and_said_to_be_late() -> None:
    found = late(1700, 2000, 8.0)
    assert [(pick.phase, pick.late) for pick in found] == [(PHASE_P, True), (PHASE_S, False)]


def test_late_samples_do_not_tell_an_arrival_twice() -> None:
    assert [pick.late for pick in late(1900, 2100, 8.0)] == [False, False]


def test_samples_later_than_the_lateness_are_left_to_others() -> None:
    detector = Detector(two_stages(), Times(hold_s=3, lateness_s=10))
    packets = [packet(RECORD, n, n + 100, delay_s=20.0 if n == 1800 else 0.1) for n in range(0, 4000, 100)]
    fed = {one.start_ns: detector.feed(one, decode_packet(one)).is_late for one in by_arrival(packets)}
    assert [start for start, is_late in fed.items() if is_late] == [START_NS + 1800 * SAMPLE_NS]


def test_batch_tells_of_samples_later_than_the_lateness() -> None:
    packets, told = seconds(RECORD), list[tuple[str, str]]()
    out_of_order = [*packets[:2], *packets[3:], packets[2]]
    list(pick_packets(out_of_order, two_stages(), Times(lateness_s=10), tell=lambda *one: told.append(one)))
    ((station, reason),) = told
    assert station == "XX.STA"
    assert "later than the lateness" in reason


def test_a_gap_makes_no_pick() -> None:
    holes = [one for place, one in enumerate(seconds(RECORD)) if place not in (9, 30)]
    found = picks(pick_packets(holes, one_stage()))
    assert [pick.phase for pick in found] == [PHASE_P, PHASE_S]


def test_an_offset_of_the_clock_is_kept() -> None:
    straight, shifted = (
        picks(pick_packets(seconds(RECORD, offset_ns=offset), two_stages())) for offset in (0, 2_986_000)
    )
    assert [pick.id for pick in shifted] == [pick.id for pick in straight]
    assert [b.onset_ns - a.onset_ns for a, b in zip(straight, shifted, strict=True)] == [2_986_000, 2_986_000]


def test_nobody_hears_that_a_station_has_come_further_than_its_measurements() -> None:
    """Far behind, measurements come some a turn; events would be final without them."""
    many = record(9000, events=tuple((1800 + 400 * number, 0) for number in range(8)))
    detector = Detector(two_stages())
    for sent in seconds(many):
        detector.feed(sent, decode_packet(sent), POSITION, 0)
    told = {pick.id: pick.onset_index for pick in picks(detector.picked())}
    assert len(told) == 8
    while told:
        ((_, evaluated_to, _),) = detector.network.evaluated(POSITION)
        assert evaluated_to <= min(told.values()) + 3000
        for message in detector.measured(1):
            del told[message.id]


def test_the_live_picker_looks_at_the_second_that_promises_something_and_at_two_more() -> None:
    """An S is decided up to two seconds after the first stage has seen it."""
    counts = record(4000, events=())
    counts[1, 1850] = 10**6
    first = Stage("gate", card(0.3), lambda given: (given > 10**5).astype(np.float32), "1", "cd")
    cascade = Cascade(Picker(Stage("picker_live", card(0.4), onsets, "1", "ab"), first))
    list(pick_packets(seconds(counts), cascade))
    assert cascade.decided == 3


def test_what_the_first_stage_said_is_remembered_of_instruments_that_are_held_alone() -> None:
    cascade, timeline = two_stages(), Timeline(SENSOR)
    for channel in decode_packet(packet(RECORD, 0, 1000)):
        timeline.write(0, channel)
    step, asked = Step(timeline, index_of(START_NS) + 900), []
    for held in ([SENSOR], [SENSOR], []):
        cascade.evaluate([step])
        cascade.forget_all_but(held)
        asked.append(cascade.asked)
    cascade.evaluate([step])
    assert [*asked, cascade.asked] == [3, 3, 3, 6]


def test_seconds_that_no_model_answered_for_are_looked_at_again() -> None:
    are_away = iter([True])

    def away_once(counts: FloatArray) -> FloatArray:
        if next(are_away, False):
            raise ModelServerUnavailable("nobody answers")
        return onsets(counts)

    detector = Detector(Cascade(Picker(Stage("picker_live", card(0.4), away_once, "1", "ab"))))
    for one in seconds(RECORD)[:38]:
        detector.feed(one, decode_packet(one))
    with pytest.raises(ModelServerUnavailable):
        detector.found()
    for one in seconds(RECORD)[38:]:
        detector.feed(one, decode_packet(one))
    assert contents(detector.finish()) == contents(pick_packets(seconds(RECORD), one_stage()))


def test_a_faint_pick_has_another_id_than_one_that_is_kept_at_its_place() -> None:
    assert pick_id(SENSOR, "P", 5000, "picker_live", is_faint=True) != pick_id(SENSOR, "P", 5000, "picker_live")


def test_what_a_station_said_before_an_hour_of_silence_is_told_and_measured_though_others_follow_in_one_batch() -> None:
    early, late = record(4000, events=((1800, 0), (2400, 1))), record(4000, seed=8, events=((1800, 0), (2400, 1)))
    after = [after_two_hours(one) for one in [*seconds(late[:, :500], station="OTHER"), *seconds(late)]]
    expected = contents([*pick_packets(seconds(early), two_stages()), *pick_packets(after, two_stages())])
    assert contents(pick_packets([*seconds(early), *after], two_stages())) == expected
    assert len(expected) == 8


def after_two_hours(one: WaveformPacket) -> WaveformPacket:
    one.start_ns += 7200 * 10**9
    one.arrival_ns += 7200 * 10**9
    return one


@pytest.mark.parametrize("size", [6000, 9000, 12_000])
def test_channels_of_any_length_that_come_one_after_the_other_within_hold_are_as_one(size: int) -> None:
    parts = [
        packet(LONG, first, min(first + size, 12_000), components=(component,), delay_s=0.1 * component)
        for first in range(0, 12_000, size)
        for component in range(3)
    ]
    assert contents(pick_packets(parts, two_stages())) == LONG_AS_RECORDED


def test_a_gap_longer_than_the_lateness_is_as_one_for_channels_that_come_within_hold() -> None:
    pieces = [
        packet(LONG, first, last, components=(component,))
        for component in range(3)
        for first, last in ((0, 2600), (10_000, 12_000))
    ]
    for order, one in enumerate(pieces):
        one.arrival_ns = START_NS + 120 * 10**9 + order * 10**8
    in_order = sorted(pieces, key=lambda one: one.start_ns)
    found = list(pick_packets(pieces, two_stages()))
    assert contents(found) == contents(pick_packets(in_order, two_stages()))
    assert [list(pick.channels) for pick in picks(found)] == [["HHZ", "HHN", "HHE"]] * 2


def piece(code: str, first: int, last: int, at: int | None = None) -> ChannelSamples:
    """Samples of the record, as if taken from sample `at` on."""
    start_ns = START_NS + (first if at is None else at) * SAMPLE_NS
    return ChannelSamples("", code, start_ns, 100.0, LONG["ZNE".index(code[2]), first:last])


@pytest.mark.parametrize("codes", [("HHZ", "HHN"), ("HHZ", "HHZ")])
@pytest.mark.parametrize("is_older_first", [False, True])
def test_pieces_of_another_age_in_the_first_packet_of_a_station_cost_nothing(
    codes: tuple[str, str], is_older_first: bool
) -> None:
    ten_years = 10 * 365 * 86_400 * 100  # samples
    both = [piece(codes[0], 0, 100), piece(codes[1], 0, 100, -ten_years)]
    both = both[::-1] if is_older_first else both
    bad = encode_packet("XX", "BAD", both, "test", START_NS + 10**9, TIME_KIND_REPLAY)
    packets = [*seconds(LONG)[:3], bad, packet(LONG, 100, 200, station="BAD"), *seconds(LONG)[3:]]
    assert contents(pick_packets(packets, two_stages())) == LONG_AS_RECORDED


def test_what_ends_with_the_next_piece_of_a_packet_is_looked_at_and_measured_before() -> None:
    codes, later = ("HHZ", "HHN", "HHE"), 10**6
    far_apart = [piece(code, 2000, 4000) for code in codes] + [piece(code, 8000, 9000, later) for code in codes]
    end = encode_packet("XX", "STA", far_apart, "test", START_NS + (later + 1000) * SAMPLE_NS, TIME_KIND_REPLAY)
    as_recorded = contents(pick_packets(seconds(LONG[:, :4000]), two_stages()))
    assert contents(pick_packets([*seconds(LONG)[:20], end], two_stages())) == as_recorded


def test_a_measurement_names_the_inventory_of_its_amplitudes() -> None:
    """Which may have been published since the pick was told."""
    editions = count()
    found = list(pick_packets(seconds(LONG), two_stages(), stations=lambda _: Station(hash=str(next(editions)))))
    told = {each.id: each.inventory_hash for each in found if isinstance(each, Pick)}
    later = {each.id: each.inventory_hash for each in found if isinstance(each, PickMeasurement)}
    assert later
    assert all(int(later[each]) > int(told[each]) for each in later)
