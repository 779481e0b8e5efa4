"""What leaves when: requests are on their way together, and first messages are told before second ones are measured."""

import threading
from functools import partial
from pathlib import Path

import pytest

from kensoku.bus import Bus
from kensoku.detection import pick_packets
from kensoku.runtime import Pulse
from kensoku.settings import load_settings
from kensoku.triggering.service import run
from kensoku.triggering.settings import TriggeringSettings
from kensoku.v1.pick_pb2 import PickMessage
from tests import services
from tests.stand_in_models import LIVE, StandIn, write_folders
from tests.streams import FloatArray, onsets, picks, record, seconds, two_stages
from tests.unit.test_second_look import FULL

HELD_BACK_S = 30.0  # then the second request has not come, and will not
RECORD = record(12_000, events=((1800, 0), (2400, 1), (4600, 0), (5005, 1), (10_800, 0)))
PACKETS = seconds(RECORD)


def settings(tmp_path: Path, **given: object) -> TriggeringSettings:
    return load_settings(TriggeringSettings, {"model_repository": tmp_path, "home": tmp_path, **given})


def kinds(bus: Bus) -> list[str]:
    """Of the messages so far, in their order."""
    return [str(message.WhichOneof("content")) for message in services.decoded(bus, "picks", PickMessage)]


def serve(chosen: TriggeringSettings, bus: Bus, models: StandIn, count: int) -> None:
    """One turn reads all packets, since they are there before; until all that is expected was told."""
    services.publish(bus, "waveforms", (("XX.STA", one) for one in PACKETS))
    services.serve(
        partial(run, chosen, bus, models, Pulse()),
        lambda: len([kind for kind in kinds(bus) if kind != "progress"]) >= count,
    )


class HeldBack(StandIn):
    """Answers its first request once the second one has come."""

    def __init__(self) -> None:
        super().__init__()
        self._lock, self._is_second_there = threading.Lock(), threading.Event()
        self.sizes: list[int] = []

    def answer(self, model: str, counts: FloatArray) -> FloatArray:
        with self._lock:
            self.sizes.append(len(counts))
            is_first = len(self.sizes) == 1
        if is_first:
            assert self._is_second_there.wait(HELD_BACK_S), "the second request waited for the answer to the first"
        self._is_second_there.set()
        return onsets(counts)


def test_the_second_request_is_sent_before_the_first_is_answered(bus: Bus, tmp_path: Path) -> None:
    write_folders(tmp_path, {"picker_live": LIVE["picker_live"]})
    expected = picks(pick_packets(PACKETS, two_stages()))
    models = HeldBack()
    serve(settings(tmp_path), bus, models, len(expected))
    assert len(models.sizes) > 2
    told = [message.pick for message in services.decoded(bus, "picks", PickMessage) if message.HasField("pick")]
    assert [pick.id for pick in told] == [pick.id for pick in expected], "in their order all the same"


class SecondLookOn(StandIn):
    """Remembers what had been told when it was asked to hear a pick again."""

    def __init__(self, bus: Bus) -> None:
        super().__init__()
        self._bus = bus
        self.told_before: list[list[str]] = []

    def answer(self, model: str, counts: FloatArray) -> FloatArray:
        if model == "picker":
            self.told_before.append(kinds(self._bus))
        return onsets(counts)


@pytest.mark.parametrize("first", ["picker_first", ""])
def test_first_messages_are_told_before_second_ones_are_measured(bus: Bus, tmp_path: Path, first: str) -> None:
    """Also the first message of a pick whose turn comes with the second ones of others."""
    write_folders(tmp_path, LIVE | {"picker": FULL})
    models, count = SecondLookOn(bus), len(picks(pick_packets(PACKETS, two_stages())))
    chosen = settings(tmp_path, triggering_first=first)
    serve(chosen, bus, models, 2 * count - 1)  # the half minute of the last one is not over
    assert count == 5
    assert models.told_before[0] == ["pick"] * count
    assert [kind for kind in kinds(bus) if kind != "progress"] == ["pick"] * count + ["measurement"] * (count - 1)
