"""A model is switched at a stated event time: each arrival is told once, by the version in force, whatever happens."""

from collections.abc import Callable

import numpy as np
import pytest

from kensoku.continuous import Before
from kensoku.detection import Cascade, Detector, Found, Picker, Stage, Version, pick_packets
from kensoku.packets import decode_packet
from kensoku.v1.pick_pb2 import Pick
from tests.streams import SAMPLE_NS, START_NS, FloatArray, card, onsets, picks, record, seconds

RECORD = record(4000, events=((1800, 0), (2400, 1)))
POSITION = ("waveforms", 0)


def moved(samples: int) -> Callable[[FloatArray], FloatArray]:
    """A version that sees onsets so much later."""

    def model(counts: FloatArray) -> FloatArray:
        said = np.roll(onsets(counts), samples, axis=2)
        said[:, :, :samples] = 0
        return said

    return model


def switching(sample: int, samples: int) -> Cascade:
    """To a version that sees onsets so much later (below 0: earlier), for windows from that sample of the record on."""
    old, new = Version(moved(max(-samples, 0)), "1", "ab"), Version(moved(max(samples, 0)), "2", "cd")

    def promoted(start_ns: int) -> Version:
        return new if start_ns >= START_NS + sample * SAMPLE_NS else old

    return Cascade(Picker(Stage("picker_live", card(0.4), old.model, "1", "ab", promoted)))


def versions(found: list[Found]) -> list[tuple[int, str]]:
    return [(pick.phase, pick.model.version) for pick in picks(found)]


@pytest.mark.parametrize("samples", [-30, 30])
@pytest.mark.parametrize("later", [0, 20, 40, 60, 80])  # places of the onsets in their second
def test_wherever_it_is_switched_each_arrival_is_told_once(samples: int, later: int) -> None:
    packets, places = seconds(record(4000, events=((1800 + later, 0), (2400 + later, 1)))), range(700, 2500, 100)
    told = {place: versions(list(pick_packets(packets, switching(place, samples)))) for place in places}
    assert {tuple(phase for phase, _ in of) for of in told.values()} == {(1, 2)}
    assert {of[0][1] for of in told.values()} == {"1", "2"}  # some switches come before, some after the arrival
    assert {of[1][1] for of in told.values()} == {"1", "2"}


@pytest.mark.parametrize("place", range(1000, 1500, 100))
def test_a_restart_beside_a_switch_tells_nothing_twice(place: int) -> None:
    packets = seconds(RECORD)
    whole = [pick.id for pick in picks(pick_packets(packets, switching(place, -30)))]
    for number in (19, 20, 21):
        first = Detector(switching(place, -30))
        for offset, packet in enumerate(packets[:number]):
            first.feed(packet, decode_packet(packet), POSITION, offset)
        told = [one for one in first.found() if isinstance(one, Pick)]
        known = {line.instrument: end for line, end, _ in first.network.evaluated(POSITION)}
        second = Detector(switching(place, -30))
        second.resume(POSITION, Before(number, known), told)
        for offset, packet in enumerate(packets):
            second.feed(packet, decode_packet(packet), POSITION, offset)
        rest = [one for one in [*second.found(), *second.finish()] if isinstance(one, Pick)]
        assert sorted([*(pick.id for pick in told), *(pick.id for pick in rest)]) == sorted(whole)
