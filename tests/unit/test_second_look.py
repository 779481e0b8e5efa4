"""Half a minute later a pick is heard again: a better onset, probabilities, and whether a blast made it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kensoku.continuous import NOWHERE
from kensoku.detection import Detector, SecondLook, Stage, pick_packets
from kensoku.errors import InputInvalid, ModelServerUnavailable
from kensoku.packets import decode_packet
from kensoku.picking import Calibration, Geometry, Model, PhaseCalibration, PhasePair
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Pick, PickMeasurement
from tests.streams import FloatArray, contents, onsets, picks, record, seconds, two_stages
from tests.tiny_models import card
from tests.unit.test_detection import QUICK, RECORD, pieces

FULL = card(geometry=Geometry(window=8192, before=400, after=400), threshold=PhasePair(p=0.4, s=0.4), label_s=0.0)
LONG = card("classifier", geometry=Geometry(window=3008, before=0, after=0))


def early(counts: FloatArray) -> FloatArray:
    """The stand-in without its delays, four samples before the onset."""
    said = onsets(counts)
    moved = np.zeros_like(said)
    for row, delay in ((1, 54), (2, 144)):
        moved[:, row, :-delay] = said[:, row, delay:]
    moved[:, 0] = 1 - moved[:, 1:].max(axis=1)
    return moved


def large(counts: FloatArray) -> FloatArray:
    """A blast is what is larger after P than before."""
    ratio = np.nanmean(np.abs(counts[:, :, 1000:1100]), axis=(1, 2)) / np.nanmean(
        np.abs(counts[:, :, :900]), axis=(1, 2)
    )
    blast = np.clip(ratio / 100, 0, 1).astype(np.float32)
    said: FloatArray = np.stack([1 - blast, blast], axis=1)[:, :, np.newaxis]
    return said


def second_look(model: Model = early) -> SecondLook:
    return SecondLook(Stage("picker", FULL, model, "1", "ef"), Stage("blast_long", LONG, large, "1", "gh"))


def both(look: SecondLook | None = None) -> list[tuple[Pick, PickMeasurement]]:
    found = list(pick_packets(seconds(RECORD), two_stages(), second_look=look))
    measured = {one.id: one for one in found if isinstance(one, PickMeasurement)}
    return [(pick, measured[pick.id]) for pick in picks(found)]


def test_a_second_message_has_the_better_onset_and_names_who_said_so() -> None:
    for (pick, message), (_, plain) in zip(both(second_look()), both(), strict=True):
        assert plain.onset_ns == pick.onset_ns
        assert message.onset_ns - pick.onset_ns == pytest.approx(-40_000_000, abs=15_000_000)
        assert [model.name for model in message.models][:2] == ["picker_live", "picker"]
        own = message.probabilities.p if message.phase == PHASE_P else message.probabilities.s
        assert own > 0.4
        total = message.probabilities.noise + message.probabilities.p + message.probabilities.s
        assert total == pytest.approx(1.0, abs=1e-6)
        assert list(message.amplitudes) == list(plain.amplitudes)


def test_what_is_heard_again_without_a_horizontal_is_stated_less_certain() -> None:
    unsure = Calibration(
        p=PhaseCalibration(log_without=(math.log(2.0), 0.0)), s=PhaseCalibration(log_without=(math.log(4.0), 0.0))
    )
    look = SecondLook(Stage("picker", replace(FULL, calibration=unsure), early, "1", "ef"))
    for components, stated_s in (((0, 1, 2), [0.05, 0.05]), ((0, 1), [0.1, 0.2])):
        found = list(
            pick_packets(seconds(RECORD, components=components), two_stages(calibration=unsure), second_look=look)
        )
        assert [each.onset_uncertainty_s for each in picks(found)] == pytest.approx(stated_s)
        again = {each.phase: each.onset_uncertainty_s for each in found if isinstance(each, PickMeasurement)}
        assert [again[PHASE_P], again[PHASE_S]] == pytest.approx(stated_s)


def test_blasts_are_told_of_p_alone() -> None:
    (p, p_message), (s, s_message) = both(second_look())
    assert (p.phase, s.phase) == (PHASE_P, PHASE_S)
    assert 0 < p_message.blast_probability < 1
    assert [model.name for model in p_message.models] == ["picker_live", "picker", "blast_long"]
    assert not s_message.HasField("blast_probability")
    assert not p.HasField("blast_probability")


def test_a_pick_that_nobody_confirms_keeps_its_onset_and_loses_its_probability() -> None:
    def deaf(counts: FloatArray) -> FloatArray:
        said = np.zeros_like(counts)
        said[:, 0] = 1
        return said

    for pick, message in both(second_look(deaf)):
        assert message.onset_ns == pick.onset_ns
        assert message.onset_uncertainty_s == pick.onset_uncertainty_s
        assert (message.probabilities.noise, message.probabilities.p, message.probabilities.s) == (1, 0, 0)


@settings(QUICK)
@given(pieces())
def test_packets_change_no_byte_of_what_is_heard_again(packets: list) -> None:  # type: ignore[type-arg]  # of packets
    alike = contents(pick_packets(seconds(RECORD), two_stages(), second_look=second_look()))
    assert contents(pick_packets(packets, two_stages(), second_look=second_look())) == alike


def test_while_no_model_answers_nothing_is_lost() -> None:
    calls = 0

    def away_once(counts: FloatArray) -> FloatArray:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ModelServerUnavailable("nobody answers")
        return early(counts)

    detector, found = Detector(two_stages(), second_look=second_look(away_once)), []
    for packet in seconds(record(8000, events=((1800, 0), (2400, 1)))):
        detector.feed(packet, decode_packet(packet))
        try:
            found += detector.found()
        except ModelServerUnavailable:
            continue
    whole = pick_packets(seconds(record(8000, events=((1800, 0), (2400, 1)))), two_stages(), second_look=second_look())
    assert calls > 1
    assert contents(found + detector.finish()) == contents(whole)


@pytest.mark.parametrize(
    "picker",
    [
        card(geometry=Geometry(window=8192, before=400, after=2900)),
        card(geometry=Geometry(window=1024, before=592, after=16, is_fixed=True)),
    ],
)
def test_a_picker_that_cannot_be_asked_so_is_refused(picker: object) -> None:
    with pytest.raises(InputInvalid, match="expected a picker of any length"):
        SecondLook(Stage("picker", picker, early))  # type: ignore[arg-type]  # a card


def test_a_blast_window_that_ends_too_late_is_refused() -> None:
    longer = card("classifier", geometry=Geometry(window=4800, before=0, after=0))
    with pytest.raises(InputInvalid, match="half a minute after it"):
        SecondLook(None, Stage("blast_long", longer, large))


@settings(QUICK)
@given(packets=pieces(), turns=st.lists(st.booleans(), min_size=1, max_size=30))
def test_measurements_that_wait_are_the_same(packets: list, turns: list[bool]) -> None:  # type: ignore[type-arg]  # of packets
    detector, found = Detector(two_stages(), second_look=second_look()), []
    for number, packet in enumerate(packets):
        detector.feed(packet, decode_packet(packet))
        found += detector.picked()
        if turns[number % len(turns)]:
            found += detector.measured(1)
    alike = contents(pick_packets(packets, two_stages(), second_look=second_look()))
    assert contents(found + detector.finish()) == alike


def test_the_oldest_are_measured_first_and_a_queue_that_grows_by_the_quarter() -> None:
    detector = Detector(two_stages(), second_look=second_look())
    events = tuple((1800 + 400 * place, place % 2) for place in range(12))
    for packet in seconds(record(12_000, events=events)):
        detector.feed(packet, decode_packet(packet))
        detector.picked()
    first, second = detector.measured(1), detector.measured(1)
    waiting = len(detector.measured(1000)) + len(first) + len(second)
    assert waiting >= 8
    assert len(first) == waiting // 4
    onsets_ns = [one.onset_ns for one in (*first, *second)]
    assert onsets_ns == sorted(onsets_ns)


def test_what_waits_to_be_measured_is_read_again_after_a_restart() -> None:
    """The offset to commit stays at the record of a pick that was told and not yet measured."""
    packets = seconds(record(16_000, events=((1800, 0),)))
    detector = Detector(two_stages(), second_look=second_look())
    for number, packet in enumerate(packets):
        detector.feed(packet, decode_packet(packet), NOWHERE, number)
        detector.picked()
    held = detector.network.oldest_needed()[NOWHERE]
    assert held < 10
    assert len(detector.measured(1)) == 1
    detector.feed(packets[-1], decode_packet(packets[-1]), NOWHERE, len(packets))
    detector.found()
    more = seconds(record(16_200, events=((1800, 0),)))[-2:]
    for number, packet in enumerate(more, len(packets) + 1):
        detector.feed(packet, decode_packet(packet), NOWHERE, number)
        detector.found()
    assert detector.network.oldest_needed()[NOWHERE] > held


def test_what_waits_is_measured_before_a_packet_after_an_outage_takes_its_record_away() -> None:
    whole = record(21_000, events=((1800, 0), (5200, 0), (6400, 1)))
    packets = [*seconds(whole[:, :7000]), seconds(whole)[-1]]
    detector, found = Detector(two_stages(), second_look=second_look()), []
    for packet in packets[:-1]:
        detector.feed(packet, decode_packet(packet))
        found += detector.picked()
    early = contents([*found, *detector.finish()])  # the record ended, and nothing came after it
    assert contents(pick_packets(packets, two_stages(), second_look=second_look())) == early
