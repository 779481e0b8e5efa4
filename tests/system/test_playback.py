"""A playback on a real broker: topics of its own, the live ones only read, and no second one in the same namespace."""

import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest

from kensoku.bus import Bus, open_bus
from kensoku.bus.topics import TOPICS, declared_topics, plan
from kensoku.cli.main import main
from kensoku.v1.pick_pb2 import PickMessage
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests.broker import Broker
from tests.streams import record, seconds

pytestmark = pytest.mark.kafka

STATIONS = ("STA", "STB", "STC")
SPAN = ("--from", "2030-03-17T17:47:00", "--to", "2030-03-17T17:47:20")  # of 17:46:40 to 17:47:40


def publish(bus: Bus) -> None:
    by_station = [seconds(record(6000, events=((1800, 0), (2400, 1))), station=station) for station in STATIONS]
    for packets in zip(*by_station, strict=True):
        for one in packets:
            bus.publish("waveforms", f"{one.network}.{one.station}", one.SerializeToString())
    bus.flush()


def playback(broker: Broker, home: Path, namespace: str, *arguments: str) -> int:
    return main(
        ["playback", "--home", str(home), "--bus", broker.url, "--database", "", "--namespace", namespace, *arguments]
    )


def ends(bus: Bus) -> dict[str, int]:
    return {topic.name: topic.messages for topic in bus.existing_topics()}


def read(bus: Bus) -> Sequence[WaveformPacket]:
    return [WaveformPacket.FromString(message.value or b"") for message in bus.read("waveforms")]


def test_a_span_is_played_into_topics_of_its_own(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    live_name, own_name = (f"{kind}-{uuid.uuid4().hex[:8]}" for kind in ("live", "own"))
    monkeypatch.setenv("KENSOKU_NAMESPACE", live_name)
    with open_bus(broker.url, live_name) as live, open_bus(broker.url, own_name) as own:
        live.apply_topics(plan(declared_topics(3), ()))
        publish(live)
        before = ends(live)
        assert playback(broker, tmp_path, own_name, *SPAN) == 0
        told = capsys.readouterr().out
        assert "played 60 packets of 3 stations" in told
        assert ends(live) == before
        assert {topic.name for topic in own.existing_topics()} == {topic.name for topic in TOPICS}
        assert {t.name: t.partitions for t in own.existing_topics()}["picks.by-region"] == 3, "as many as the live one"
        assert len(read(own)) == 180, "with what lies around the span"
        kinds = {PickMessage.FromString(m.value or b"").WhichOneof("content") for m in own.read("picks")}
        assert "progress" in kinds
        assert (tmp_path / f"catalogue-{own_name}.sqlite").exists()

        assert playback(broker, tmp_path, own_name, *SPAN) == 2
        assert f"in the topics of namespace '{own_name}', expected a new namespace" in capsys.readouterr().err
        assert playback(broker, tmp_path, live_name, *SPAN) == 2
        assert "which is the live system's" in capsys.readouterr().err
