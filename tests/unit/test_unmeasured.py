"""A response that cannot be applied costs its own station the units of its amplitudes, and nobody anything else."""

import logging
from typing import Any

import pytest

from kensoku.detection import _messages, pick_packets
from kensoku.measuring import Channels, Measured, measure
from kensoku.v1.inventory_pb2 import GROUND_MOTION_VELOCITY, ChannelEpoch, Response, Station
from kensoku.v1.pick_pb2 import AMPLITUDE_UNIT_COUNT, Pick, PickMeasurement
from tests.streams import by_arrival, picks, record, seconds, two_stages

RECORD = record(8000, events=((1800, 0), (2400, 1)))
FLAT = Response(input=GROUND_MOTION_VELOCITY, sensitivity=1e9, frequency_hz=1.0, normalisation=1.0)

BAD = Response(input=GROUND_MOTION_VELOCITY, sensitivity=2e9, frequency_hz=1.0, normalisation=1.0)


def station(key: str, response: Response) -> Station:
    channels = [ChannelEpoch(code=f"HH{letter}", response=response) for letter in "ZNE"]
    return Station(hash=f"of {key}", epochs=channels)


def measure_others(counts: Any, onset: float, end: int, channels: Channels, *more: Any) -> Measured:
    if channels.vertical.response == BAD.SerializeToString(deterministic=True):
        raise ValueError("complex value with no matching conjugate")
    return measure(counts, onset, end, channels, *more)


def test_its_picks_are_in_counts_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stations = {"XX.STA": station("XX.STA", FLAT), "XX.BAD": station("XX.BAD", BAD)}
    packets = by_arrival([*seconds(RECORD), *seconds(RECORD, station="BAD")])
    expected = list(pick_packets(packets, two_stages(), stations=stations.get))
    monkeypatch.setattr(_messages, "measure", measure_others)
    before = _messages.UNMEASURED._value.get()
    with caplog.at_level(logging.ERROR, logger="kensoku.detection"):
        found = list(pick_packets(packets, two_stages(), stations=stations.get))
    assert [pick.id for pick in picks(found)] == [pick.id for pick in picks(expected)]
    assert units(found, "BAD") == {AMPLITUDE_UNIT_COUNT} < units(expected, "BAD")
    assert units(found, "STA") == units(expected, "STA")
    assert _messages.UNMEASURED._value.get() - before == 5  # two of each pick, and of P its first seconds
    assert [record.message[:24] for record in caplog.records] == ["XX.BAD..HH (inventory of"]


def units(found: list[Pick | PickMeasurement], code: str) -> set[int]:
    return {amplitude.unit for each in found if each.instrument.station == code for amplitude in each.amplitudes}
