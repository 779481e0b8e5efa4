"""The parts of the bus that need no broker."""

import random
import socket as sockets
from pathlib import Path

import pytest
from kafka.errors import KafkaTimeoutError, TopicAuthorizationFailedError, UnknownBrokerIdError
from kafka.partitioner import murmur2 as kafkas_murmur2

from kensoku.bus import Options, open_bus, serve_bus
from kensoku.bus._groups import share
from kensoku.bus._kafka_client import is_passing
from kensoku.bus._log import unknown_topic
from kensoku.bus._partitioner import murmur2
from kensoku.errors import BusUnavailable, SettingInvalid

FLOW, BACKFILL = frozenset({"flow"}), frozenset({"backfill"})


def test_keys_are_hashed_as_kafkas_client_hashes_them() -> None:
    chance = random.Random(2011)
    for length in range(40):
        key = chance.randbytes(length)
        assert murmur2(key) == kafkas_murmur2(key)


@pytest.mark.parametrize("url", ["", "memory", "memory://relative", "redis://host:1", "kafka://host", "kafka://a:1,b"])
def test_a_wrong_url_is_refused_with_what_was_expected(url: str) -> None:
    with pytest.raises(SettingInvalid, match=r"found bus .*, expected memory://.*kafka://host:port.*KENSOKU_BUS"):
        open_bus(url)


def test_a_wrong_namespace_is_refused() -> None:
    with pytest.raises(SettingInvalid, match="found namespace 'a.b'"):
        open_bus("memory://", "a.b")


def test_an_absent_broker_is_waited_for_and_then_named() -> None:
    with pytest.raises(BusUnavailable, match=r"no broker answered at 127.0.0.1:9 for 0.5 s.*check KENSOKU_BUS"):
        open_bus("kafka://127.0.0.1:9", options=Options(wait_s=0.5))


def test_an_absent_system_is_named(tmp_path: Path) -> None:
    with pytest.raises(BusUnavailable, match="no system is running here.*start `kensoku run`"):
        open_bus(f"memory://{tmp_path}/bus.sock")


def test_partitions_are_shared_evenly_and_stay_where_they_are() -> None:
    shares = share({1: FLOW, 2: FLOW}, {"flow": 5}, {})
    assert sorted(list(shares.values()).count(member) for member in (1, 2)) == [2, 3]
    again = share({1: FLOW, 2: FLOW, 3: FLOW}, {"flow": 5}, shares)
    assert sorted(list(again.values()).count(member) for member in (1, 2, 3)) == [1, 2, 2]
    assert sum(again[position] != member for position, member in shares.items()) == 1


def test_a_member_gets_only_what_it_subscribed_to() -> None:
    shares = share({1: FLOW | BACKFILL, 2: BACKFILL}, {"flow": 2, "backfill": 2}, {})
    assert {shares["flow", 0], shares["flow", 1]} == {1}
    assert {shares["backfill", 0], shares["backfill", 1]} == {2}


def test_two_systems_do_not_share_a_socket(tmp_path: Path) -> None:
    socket = tmp_path / "run" / "bus.sock"
    with open_bus("memory://") as bus, serve_bus(bus, socket):
        assert socket.stat().st_mode & 0o777 == 0o600
        assert socket.parent.stat().st_mode & 0o777 == 0o700
        with pytest.raises(SettingInvalid, match="expected no running system"), serve_bus(bus, socket):
            pass
    assert not socket.exists()


def test_a_deserted_socket_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "bus.sock"
    with sockets.socket(sockets.AF_UNIX) as deserted:
        deserted.bind(str(path))
    with open_bus("memory://") as bus, serve_bus(bus, path), open_bus(f"memory://{path}") as other:
        other.publish("control", "key", b"value")
        other.flush()
        assert [message.value for message in bus.read("control")] == [b"value"]


def test_namespaces_keep_apart() -> None:
    with open_bus("memory://", "replay") as bus:
        bus.publish("picks", "NZ.WEL", b"")
        assert [message.topic for message in bus.read("picks")] == ["picks"]


def test_a_partition_without_a_leader_is_waited_for() -> None:
    assert is_passing(UnknownBrokerIdError(-1))
    assert is_passing(KafkaTimeoutError())
    assert not is_passing(TopicAuthorizationFailedError("flow"))


def test_a_broker_without_topics_is_told_as_one() -> None:
    assert str(unknown_topic("picks", [])).startswith("found no topic at all, expected 'picks'; ")
    assert str(unknown_topic("pick", ["picks"])).startswith("found topic 'pick', expected one of picks; ")
