"""What every bus promises to those who publish."""

import re
import time

import pytest
from google.protobuf.message import DecodeError
from prometheus_client import REGISTRY

from kensoku.bus import Bus, MessagesRefused, Refusal
from kensoku.errors import DeliveryFailed, TopicUnknown
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests.contract.conftest import Place
from tests.contract.reading import after, publish, read

HOUR_NS = 3_600 * 10**9
YEARS = {"1970": 0, "2019": 1_562_382_000 * 10**9, "2038": 2_147_483_648 * 10**9}


def test_a_message_arrives_as_it_was_published(bus: Bus) -> None:
    before_ns = time.time_ns()
    bus.publish("flow", "NZ.WEL", b"\x00\xff", (("reason", b"none"),))
    bus.flush()
    (message,) = bus.read("flow")
    assert (message.topic, message.key, message.value, message.offset) == ("flow", "NZ.WEL", b"\x00\xff", 0)
    assert message.headers == (("reason", b"none"),)
    assert before_ns - 10**6 <= message.published_ns <= time.time_ns()


def test_ten_thousand_keys_keep_their_order(bus: Bus) -> None:
    keys = [f"NZ.S{number:04d}" for number in range(10_000)]
    for step in (b"1", b"2"):
        for key in keys:
            bus.publish("flow", key, step)
    bus.flush()
    with bus.subscribe(["flow"], "order") as stream:
        messages = read(stream, 20_000, limit=5_000)
    seen: dict[str, bytes] = {}
    for message in messages:
        seen[message.key] = seen.get(message.key, b"") + (message.value or b"")
    assert len(seen) == 10_000
    assert set(seen.values()) == {b"12"}


def test_a_key_has_the_partition_that_kafkas_own_clients_would_choose(bus: Bus) -> None:
    """Hashes from Apache Kafka's UtilsTest.testMurmur2: -790332482, 479470107 and -985981536."""
    for key in ("foobar", "abc", "a-little-bit-long-string"):
        publish(bus, "flow", key, b"")
    partitions = {message.key: message.partition for message in bus.read("flow")}
    assert partitions == {"foobar": 2, "abc": 3, "a-little-bit-long-string": 0}


def test_a_topic_placed_by_number_takes_the_partition_it_is_told(bus: Bus) -> None:
    bus.publish("placed", "kanto", b"a", partition=2)
    bus.flush()
    assert [message.partition for message in bus.read("placed")] == [2]
    with pytest.raises(DeliveryFailed, match="names partition None, expected 0 to 2"):
        bus.publish("placed", "kanto", b"a")


@pytest.mark.parametrize("year", YEARS)
def test_event_times_far_from_now_are_only_contents(bus: Bus, year: str) -> None:
    packet = WaveformPacket(network="NZ", station="WEL", start_ns=YEARS[year])
    publish(bus, "flow", "NZ.WEL", packet.SerializeToString())
    (message,) = bus.read("flow")
    assert WaveformPacket.FromString(message.value or b"").start_ns == YEARS[year]
    assert abs(message.published_ns - time.time_ns()) < HOUR_NS


def test_a_refused_message_takes_nothing_else_with_it(place: Place) -> None:
    """A broker refuses record timestamps more than an hour ahead, and its idempotent producer then fails for good."""
    clock_ns = [time.time_ns]
    bus = place.open(clock_ns=lambda: clock_ns[0]())
    for number in range(200):
        clock_ns[0] = (lambda: time.time_ns() + 2 * HOUR_NS) if number == 100 else time.time_ns
        bus.publish("flow", f"NZ.S{number % 7}", b"%d" % number)
    refused = {int(refusal.value or b"") for refusal in _refusals(bus)}
    bus.publish("single", "later", b"still works")
    bus.flush()
    delivered = [int(message.value or b"") for message in bus.read("flow")]
    assert refused <= {100}
    assert sorted(set(delivered) | refused) == list(range(200))
    for key in range(7):
        mine = [number for number in delivered if number % 7 == key]
        assert [number for position, number in enumerate(mine) if number not in mine[:position]] == sorted(set(mine))
    assert [message.value for message in bus.read("single")] == [b"still works"]


def _refusals(bus: Bus) -> tuple[Refusal, ...]:
    try:
        bus.flush()
    except MessagesRefused as refused:
        return refused.refusals
    return ()


def test_a_commit_puts_a_refused_message_aside_and_goes_on(place: Place) -> None:
    ahead_ns = [0]
    bus = place.open(clock_ns=lambda: time.time_ns() + ahead_ns[0])
    publish(bus, "single", "NZ.WEL", b"waveform")
    with bus.subscribe(["single"], "picker") as stream:
        batch = read(stream, 1)
        ahead_ns[0] = 2 * HOUR_NS
        bus.publish("flow", "NZ.WEL", b"pick")
        ahead_ns[0] = 0
        stream.commit(after(batch))
    assert sum(bus.lag("single", "picker").values()) == 0
    rejected = list(bus.read("flow.rejected"))
    assert len(list(bus.read("flow"))) + len(rejected) == 1
    assert all(b"timestamp" in dict(message.headers)["reason"].lower() for message in rejected)


def test_a_message_beyond_the_limit_is_refused_at_once(bus: Bus) -> None:
    with pytest.raises(DeliveryFailed, match=r"has 2000005 bytes, expected at most 1000000"):
        bus.publish("flow", "large", bytes(2_000_000))
    publish(bus, "flow", "small", b"fits")
    assert [message.key for message in bus.read("flow")] == ["small"]


def test_what_many_stations_picked_fits_into_a_topic_for_it(bus: Bus) -> None:
    publish(bus, "large", "event", bytes(14_000_000))
    (message,) = bus.read("large")
    assert len(message.value or b"") == 14_000_000
    with pytest.raises(DeliveryFailed, match=r"expected at most 15000000; split it"):
        bus.publish("large", "event", bytes(15_000_001))


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [("k", bytes(1_020_000), ""), ("k" * 1_020_000, b"", ""), ("k", bytes(600_000), "é" * 300_000)],
    ids=["value", "key", "reason"],
)
def test_a_message_too_large_to_be_put_aside_is_named_there(bus: Bus, key: str, value: bytes, found: str) -> None:
    publish(bus, "large", key, value)
    with bus.subscribe(["large"], "group") as stream:
        batch = read(stream, 1)
        stream.reject(batch[0], f"found zeros{found}")
        stream.commit(after(batch))
    assert sum(bus.lag("large", "group").values()) == 0
    (rejected,) = bus.read("large.rejected")
    reason = dict(rejected.headers)["reason"].decode()
    assert (rejected.key, rejected.value) == (key[:1000], None)
    assert reason.startswith("found zeros")
    assert re.search(r"; its 1[0-9]{6} bytes are too many to be kept here$", reason)
    assert len(reason) < 1100


def test_a_topic_nobody_declared_is_named(bus: Bus) -> None:
    with pytest.raises(TopicUnknown, match=r"found topic '.*waveform', expected one of .*flow.*topics apply"):
        bus.publish("waveform", "NZ.WEL", b"")
    with pytest.raises(TopicUnknown):
        bus.subscribe(["flow", "waveform"], "group")
    with pytest.raises(TopicUnknown):
        bus.read("waveform")
    with pytest.raises(TopicUnknown):
        bus.table("waveform")
    with pytest.raises(TopicUnknown):
        bus.lag("waveform", "group")


def test_a_poison_message_is_put_aside_and_the_rest_goes_on(bus: Bus) -> None:
    packet = WaveformPacket(network="NZ", station="WEL").SerializeToString()
    publish(bus, "single", "NZ.WEL", packet, b"\xff\xff\xff\xff\x7f", packet)
    counted = _counted_rejects()
    good = 0
    with bus.subscribe(["single"], "picker") as stream:
        for message in (batch := read(stream, 3)):
            try:
                WaveformPacket.FromString(message.value or b"")
                good += 1
            except DecodeError as error:
                stream.reject(message, f"not a WaveformPacket: {error}")
        stream.commit(after(batch))
    assert good == 2
    (rejected,) = bus.read("single.rejected")
    assert (rejected.key, rejected.value) == ("NZ.WEL", b"\xff\xff\xff\xff\x7f")
    headers = dict(rejected.headers)
    assert headers["reason"].startswith(b"not a WaveformPacket")
    assert (headers["origin"], headers["group"]) == (b"single/0/1", b"picker")
    assert sum(bus.lag("single", "picker").values()) == 0
    assert _counted_rejects() == counted + 1


def _counted_rejects() -> float:
    labels = {"topic": "single", "group": "picker"}
    return REGISTRY.get_sample_value("bus_rejected_messages_total", labels) or 0.0
