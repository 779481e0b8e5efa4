"""`kensoku tail`: every contract is shown, and nothing that anybody published makes it stumble."""

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from kensoku.bus import Bus, Message, open_bus, serve_bus
from kensoku.bus.topics import REJECTED, TOPICS
from kensoku.cli.main import main
from kensoku.messages import CONTRACTS, as_json, as_line
from kensoku.packets import ChannelSamples, encode_packet
from kensoku.settings import socket_path
from kensoku.times import NS_PER_S
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_MERGED,
    EVENT_STATUS_PRELIMINARY,
    Event,
    Hypocentre,
)
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import (
    DECISION_REJECTED_NOISE,
    PHASE_P,
    PHASE_S,
    POLARITY_UP,
    Instrument,
    Pick,
    PickMeasurement,
    PickMessage,
    Progress,
)
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, TIME_KIND_REPLAY, TimeKind, WaveformPacket
from tests.catalogue import make_event

START_NS = 1_562_261_599 * NS_PER_S  # 2019-07-04T17:33:19Z
PUBLISHED_NS = START_NS + 2 * NS_PER_S


def message(
    topic: str, value: bytes | None, headers: Mapping[str, bytes] | None = None, key: str = "CI.CLC"
) -> Message:
    return Message(topic, 3, 41, key, value, PUBLISHED_NS, tuple((headers or {}).items()))


def channel(code: str, count: int = 100, location: str = "10", rate_hz: float = 100.0) -> ChannelSamples:
    return ChannelSamples(location, code, START_NS, rate_hz, np.arange(count, dtype=np.int32))


def packet(*channels: ChannelSamples, time_kind: TimeKind = TIME_KIND_LIVE) -> WaveformPacket:
    arrival_ns = START_NS + NS_PER_S * 3 // 2
    return encode_packet("CI", "CLC", channels, "files", arrival_ns, time_kind)


def test_every_declared_topic_has_a_contract() -> None:
    assert {topic.name.removesuffix(REJECTED) for topic in TOPICS} == CONTRACTS.keys()


def test_a_packet_shows_its_span_channels_size_and_latency() -> None:
    value = packet(channel("HHZ"), channel("HHN"), channel("HHE")).SerializeToString()
    assert as_line(message("waveforms", value)) == (
        "waveforms/3@41 2019-07-04T17:33:21.000Z CI.CLC  2019-07-04T17:33:19.000Z +1 s  CI.CLC 10.HHZ,10.HHN,10.HHE  "
        f"100 Hz  100 samples  {len(value) / 300:.2f} bytes/sample  latency 0.50 s  files"
    )


def test_a_packet_shows_where_its_channels_differ() -> None:
    value = packet(channel("HHZ"), channel("BHZ", count=20, location="", rate_hz=20.0), time_kind=TIME_KIND_REPLAY)
    line = as_line(message("waveforms", value.SerializeToString()))
    assert "10.HHZ,BHZ  100,20 Hz  100,20 samples" in line
    assert "latency 0.50 s (replay)" in line


def test_an_event_is_told_in_one_readable_line() -> None:
    line = as_line(message("events", make_event("abc", revision=3).SerializeToString(), key="abc"))
    assert line.endswith(
        "abc  UPDATED 3  ML 1.6 earthquake  2019-07-04T15:53:42.989Z  35.690 N 117.470 W 9.2 km +- 0.5 km  quality B  "
        "11 phases of 6 stations  rms 0.08 s  published after 15.0 s"
    )


def test_an_event_without_an_origin_says_so_and_what_became_of_it() -> None:
    event = Event(id="abc", revision=2, status=EVENT_STATUS_MERGED, merged_into="def", reason="one event of two")
    line = as_line(message("events", event.SerializeToString(), key="abc"))
    assert line.endswith("MERGED 2  no magnitude of no type  no origin  merged into def  because one event of two")


def test_an_association_is_told_by_its_picks_and_its_trial() -> None:
    association = Association(event_id="abc", revision=1, status=EVENT_STATUS_PRELIMINARY, region="west", score=4.25)
    association.trial.CopyFrom(Hypocentre(time_ns=START_NS, latitude_deg=-41.5, longitude_deg=174.25, depth_km=12))
    for station in ("WEL", "WEL", "SNZO"):
        association.picks.add().pick.instrument.CopyFrom(Instrument(network="NZ", station=station))
    line = as_line(message("associations", association.SerializeToString(), key="west"))
    assert line.endswith(
        "PRELIMINARY 1  abc  2019-07-04T17:33:19.000Z  41.500 S 174.250 E 12.0 km  3 picks of 2 stations, 0 silent  "
        "score 4.2  region west"
    )


def test_a_pick_is_told_with_its_probabilities_and_the_reason_of_a_rejection() -> None:
    pick = Pick(id="abc", phase=PHASE_P, onset_ns=START_NS, onset_uncertainty_s=0.04, snr=12.34, late=True)
    pick.instrument.CopyFrom(Instrument(network="NZ", station="WEL", location="10", band_instrument="HH"))
    pick.decision, pick.decision_reason = DECISION_REJECTED_NOISE, "denoiser 0.97"
    pick.polarity, pick.polarity_confidence, pick.blast_probability = POLARITY_UP, 0.9, 0.02
    pick.probabilities.p, pick.probabilities.noise = 0.25, 0.75
    pick.model.name, pick.model.version = "picker_live", "3"
    line = as_line(message("picks", PickMessage(pick=pick).SerializeToString()))
    assert line.endswith(
        "P  2019-07-04T17:33:19.000Z +- 0.04 s  NZ.WEL.10.HH  P 0.25 S 0.00 noise 0.75  SNR 12.3  "
        "rejected noise: denoiser 0.97  up 0.90  blast 0.02  picker_live/3  abc  late"
    )


def test_progress_tells_the_slowest_and_the_fastest_instrument() -> None:
    progress = Progress(partition=7, idle=True)
    for seconds in (5, 3):
        progress.instruments.add(evaluated_to_ns=START_NS + seconds * NS_PER_S)
    line = as_line(message("picks", PickMessage(progress=progress).SerializeToString()))
    assert line.endswith(
        "progress of waveforms/7  2 instruments to 2019-07-04T17:33:22.000Z ... 2019-07-04T17:33:24.000Z  idle"
    )


def test_a_measurement_names_its_pick() -> None:
    measured = PickMeasurement(id="abc", phase=PHASE_S, onset_ns=START_NS, onset_uncertainty_s=0.1)
    line = as_line(message("picks", PickMessage(measurement=measured).SerializeToString()))
    assert "  measured  S  2019-07-04T17:33:19.000Z +- 0.10 s" in line
    assert line.endswith("0 amplitudes  abc")


def test_other_contracts_show_all_that_is_set() -> None:
    station = Station(network="NZ", station="WEL", source="wel.xml")
    line = as_line(message("inventory", station.SerializeToString(), key="NZ.WEL"))
    assert line.endswith('Station  network: "NZ" station: "WEL" source: "wel.xml"')


def test_a_reject_shows_its_reason_and_what_it_was() -> None:
    headers = {"reason": b"a rate of -1 Hz", "origin": b"waveforms/3/40"}
    line = as_line(message("waveforms.rejected", packet(channel("HHZ")).SerializeToString(), headers))
    assert "reason='a rate of -1 Hz' origin='waveforms/3/40'" in line
    assert "CI.CLC 10.HHZ" in line


def test_the_reject_of_a_refused_delivery_has_no_value() -> None:
    assert as_line(message("picks.rejected", None, {"reason": b"too large"})).endswith(
        "reason='too large'  without its value"
    )


@pytest.mark.parametrize("topic", sorted(CONTRACTS))
@pytest.mark.parametrize(
    "value",
    [b"\xff" * 9, b"\x0a\xff\xff\xff\xff\x07", b"\x80", bytes(range(256)), b'{"id": 1}'],
    ids=lambda v: v[:3].hex(),
)
def test_rubbish_is_shown_as_hex_with_the_reason(topic: str, value: bytes) -> None:
    line = as_line(message(topic, value))
    assert f"unreadable (found {len(value)} bytes, expected {CONTRACTS[topic].DESCRIPTOR.name}" in line
    assert value[:6].hex(" ") in line
    assert bytes.fromhex(str(as_json(message(topic, value))["hex"])) == value


@pytest.mark.parametrize("topic", sorted({*CONTRACTS, "waveforms.rejected"}))
def test_an_empty_value_is_an_empty_message(topic: str) -> None:
    as_line(message(topic, b""))
    assert as_json(message(topic, b""))["message"] == {}


def test_a_packet_that_contradicts_itself_is_shown_with_the_reason() -> None:
    broken = packet(channel("HHZ"))
    broken.channels[0].int32 = b"\0" * 7
    line = as_line(message("waveforms", broken.SerializeToString()))
    assert "unreadable (int32 payload of 7 bytes in channel 'HHZ'; expected 400" in line


def test_a_packet_that_lasts_for_ever_is_shown_with_the_reason() -> None:
    slow = packet(channel("HHZ"))
    slow.rate_hz = 5e-324
    line = as_line(message("waveforms", slow.SerializeToString()))
    assert "unreadable (found a rate of 5e-324 Hz" in line


def test_damaged_packets_are_shown_whatever_became_of_them() -> None:
    chance = random.Random(20190704)
    whole = packet(channel("HHZ"), channel("HHN", count=99)).SerializeToString()
    for _ in range(2_000):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        shown = message("waveforms", bytes(damaged))
        assert as_line(shown).isprintable()
        json.dumps(as_json(shown))


def test_a_sender_cannot_steer_the_terminal() -> None:
    line = as_line(message("stations", b"\xff", {"reason": b"\x1b[2J\nforged line"}, key="\x1b]0;owned\x07"))
    assert line.isprintable()


def test_a_tombstone_is_told_apart_from_an_empty_value() -> None:
    assert as_line(message("inventory", None)).endswith("nothing (tombstone)")
    assert as_json(message("inventory", None))["bytes"] is None


def test_json_has_all_that_is_known() -> None:
    value = Station(network="CI", station="CLC", published_ns=7).SerializeToString()
    assert as_json(message("inventory", value, {"n": b"\xff"})) == {
        "topic": "inventory",
        "partition": 3,
        "offset": 41,
        "key": "CI.CLC",
        "published": "2019-07-04T17:33:21.000Z",
        "published_ns": PUBLISHED_NS,
        "headers": [["n", "\\xff"]],
        "bytes": len(value),
        "type": "Station",
        "message": {"network": "CI", "station": "CLC", "published_ns": "7"},
    }


# --- the command, against the socket of a system --------------------------------------------------------------------


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    monkeypatch.setenv("KENSOKU_HOME", str(tmp_path))
    with open_bus("memory://") as opened, serve_bus(opened, socket_path(tmp_path)):
        yield opened


def publish(bus: Bus, key: str, *ids: str) -> None:
    for text in ids:
        pick = PickMessage()
        pick.pick.id = text
        bus.publish("picks", key, pick.SerializeToString())


def test_tail_shows_what_is_there(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    publish(bus, "CI.CLC", "one", "two")
    assert main(["tail", "picks", "--no-follow"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["one" in lines[0], "two" in lines[1], len(lines)] == [True, True, 2]


def test_tail_stops_after_the_count_and_keeps_to_the_key(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    publish(bus, "CI.CLC", "one")
    publish(bus, "NZ.WEL", "two", "three")
    arguments = ["tail", "picks", "--from", "earliest", "--count", "1", "--key", "NZ.WEL", "--json"]
    assert main(arguments) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["message"]["pick"] == {"id": "two"}


def test_tail_shows_one_kind_alone(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    publish(bus, "CI.CLC", "one")
    for content in (
        PickMessage(progress=Progress()),
        PickMessage(measurement=PickMeasurement(id="half a minute later")),
    ):
        bus.publish("picks", "CI.CLC", content.SerializeToString())
    bus.flush()
    assert main(["tail", "picks", "--no-follow"]) == 0
    assert capsys.readouterr().out.count("\n") == 3
    for kind, told in (("pick", "one"), ("measurement", "half a minute later"), ("progress", "progress")):
        assert main(["tail", "picks", "--no-follow", "--only", kind]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        assert told in line


@pytest.mark.parametrize(
    ("topic", "kind", "expected"),
    [
        ("picks", "pix", "one of pick, measurement, progress"),
        ("control", "pick", "one of model_promotions, station_switch, region"),
        ("events", "pick", "messages of events are of one kind"),
        ("picks.rejected", "pick", "messages of picks.rejected are of one kind"),
    ],
)
def test_a_kind_that_a_topic_has_not_is_told(
    topic: str, kind: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tail", topic, "--only", kind]) == 2
    assert expected in capsys.readouterr().err


def test_tail_begins_at_a_time(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    publish(bus, "CI.CLC", "one")
    assert main(["tail", "picks", "--no-follow", "--from", "2037-01-01T00:00:00Z"]) == 0
    assert main(["tail", "picks", "--no-follow", "--from", "1990-01-01T00:00:00+09:00"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_tail_says_which_topics_exist(bus: Bus, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tail", "pickz"]) == 2
    error = capsys.readouterr().err
    assert "pickz" in error
    assert "picks.by-region" in error
