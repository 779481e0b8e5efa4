"""Replicas of triggering over a real broker, of which one is killed and one comes late, find what one batch finds."""

import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from kensoku.acquisition.simulated import seconds_of
from kensoku.batch import open_picker
from kensoku.bus import Bus, open_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.detection import Cascade, Found, SecondLook, pick_packets
from kensoku.models import default_repository
from kensoku.packets import encode_packet
from kensoku.simulation.archive import select_stations
from kensoku.simulation.engine import open_world
from kensoku.v1.pick_pb2 import PickMessage
from kensoku.v1.waveform_pb2 import TIME_KIND_REPLAY, WaveformPacket
from tests import services
from tests.broker import Broker
from tests.services import decoded, wait_until
from tests.streams import contents, picks
from tests.system.commands import service

pytestmark = pytest.mark.kafka

FIRST_S, LENGTH_S = 1200, 120  # of the aftershocks: five minutes after the mainshock
STATIONS = 8
DEADLINE_S = 300.0
NS_PER_S = 10**9


@pytest.fixture(scope="module")
def packets() -> list[WaveformPacket]:
    """Two minutes; and one more second each two minutes later, so that nothing is waited for any more."""
    world = open_world("aftershocks")
    chosen = replace(world, stations=select_stations(world, "*")[:STATIONS])
    first = world.start_ns // NS_PER_S + FIRST_S
    spans = ((first, first + LENGTH_S), (first + 2 * LENGTH_S, first + 2 * LENGTH_S + 1))
    return [
        encode_packet(one.network, one.station, one.channels, "test", one.end_ns, TIME_KIND_REPLAY)
        for begin, end in spans
        for one in seconds_of(chosen, begin, end, at_once=1)
    ]


@pytest.fixture(scope="module")
def expected(packets: Sequence[WaveformPacket]) -> list[Found]:
    repository = default_repository()
    url = f"local:{repository}"
    with open_picker(repository, url, "picker_live") as live, open_picker(repository, url, "picker") as full:
        found = list(pick_packets(packets, Cascade(live), second_look=SecondLook(full.final)))
    assert len(picks(found)) > 30
    return found


def publish(bus: Bus, packets: Sequence[WaveformPacket]) -> None:
    services.publish(bus, "waveforms", ((f"{one.network}.{one.station}", one) for one in packets))


def told(bus: Bus) -> list[Found]:
    messages = decoded(bus, "picks", PickMessage)
    of_picks = [m.pick for m in messages if m.WhichOneof("content") == "pick"]
    return [*of_picks, *(m.measurement for m in messages if m.WhichOneof("content") == "measurement")]


def test_replicas_come_and_go_and_find_what_batch_finds(
    broker: Broker, packets: Sequence[WaveformPacket], expected: Sequence[Found], tmp_path: Path
) -> None:
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    settings = {"KENSOKU_BUS": broker.url, "KENSOKU_NAMESPACE": namespace, "KENSOKU_MODELS": "local"}
    replica = partial(service, "triggering", tmp_path, KENSOKU_TRIGGERING_BLAST="", **settings)
    third = len(packets) // 3
    with ExitStack() as closing:
        bus = closing.enter_context(open_bus(broker.url, namespace))
        bus.apply_topics(plan(TOPICS, bus.existing_topics()))
        running = [closing.enter_context(replica()) for _ in range(3)]
        publish(bus, packets[:third])
        wait_until(lambda: len(picks(told(bus))) >= 5, DEADLINE_S)
        running[0].kill()  # in the middle of it
        publish(bus, packets[third : 2 * third])
        running.append(closing.enter_context(replica()))
        publish(bus, packets[2 * third :])
        wait_until(lambda: {one.id for one in picks(told(bus))} >= {one.id for one in picks(expected)}, DEADLINE_S)
        wait_until(lambda: len(told(bus)) >= len(expected), DEADLINE_S)
        assert [one.poll() for one in running[1:]] == [None] * 3
        found = told(bus)
    kinds = Counter((type(one).__name__, one.id) for one in found)
    assert {kind: count for kind, count in kinds.items() if count > 1} == {}
    assert contents(found) == contents(expected)
