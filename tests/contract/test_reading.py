"""What every bus promises to those who read without a group."""

import time

from prometheus_client import REGISTRY

from kensoku.bus import Bus
from tests.contract.conftest import Place
from tests.contract.reading import publish
from tests.services import wait_until


def test_reading_ends_at_the_present_end(bus: Bus) -> None:
    publish(bus, "flow", "NZ.WEL", b"0", b"1")
    reading = bus.read("flow")
    publish(bus, "flow", "NZ.WEL", b"2")
    assert [message.value for message in reading] in ([b"0", b"1"], [b"0", b"1", b"2"])
    assert [message.value for message in bus.read("flow")] == [b"0", b"1", b"2"]


def test_a_follower_sees_what_is_published_after_it_began(place: Place) -> None:
    bus = place.open()
    publish(bus, "single", "NZ.WEL", b"before")
    reading = bus.read("single", start="latest", follow=True)
    publish(place.open(), "single", "NZ.WEL", b"1", b"2")
    assert [next(reading).value, next(reading).value] == [b"1", b"2"]


def test_news_are_what_came_since_one_looked_and_nobody_waits_for_them(place: Place) -> None:
    bus = place.open()
    publish(bus, "flow", "NZ.WEL", b"before")
    news = bus.news("flow")
    assert list(news.read()) == []
    publish(place.open(), "flow", "NZ.WEL", b"1", b"2")
    found: list[bytes | None] = []

    def has_come() -> bool:
        found.extend(message.value for message in news.read())
        return len(found) >= 2

    wait_until(has_come)
    assert found == [b"1", b"2"]
    assert list(news.read()) == []


def test_reading_starts_at_a_time_of_publication(bus: Bus) -> None:
    publish(bus, "flow", "NZ.WEL", b"old")
    time.sleep(0.02)  # a record carries its time in milliseconds
    start_ns = time.time_ns()
    time.sleep(0.02)
    publish(bus, "flow", "NZ.WEL", b"new")
    assert [message.value for message in bus.read("flow", start=start_ns)] == [b"new"]
    assert list(bus.read("flow", start=time.time_ns() + 10**9)) == []


def test_the_messages_of_one_key_can_be_read_alone(bus: Bus) -> None:
    keys = [f"NZ.S{number}" for number in range(20)]
    for key in keys:
        publish(bus, "flow", key, key.encode(), b"more")
    for key in keys:
        assert [message.value for message in bus.read("flow", key=key)] == [key.encode(), b"more"]
    assert list(bus.read("flow", key="NZ.NONE")) == []


def test_partitions_are_read_together_in_the_order_of_publication(bus: Bus) -> None:
    keys = [f"NZ.S{number}" for number in (0, 1, 2, 3, 4, 5, 0, 2, 4, 0, 1, 0)]
    for key in keys:
        publish(bus, "flow", key, key.encode())
        time.sleep(0.002)  # a record carries its time in milliseconds
    start_ns = time.time_ns()
    time.sleep(0.002)
    publish(bus, "flow", "NZ.S3", b"new")
    assert [message.key for message in bus.read_in_order("flow")] == [*keys, "NZ.S3"]
    assert [message.value for message in bus.read_in_order("flow", start=start_ns)] == [b"new"]
    assert list(bus.read_in_order("single")) == []


def test_what_a_member_has_finished_is_counted_when_it_asks_for_more(bus: Bus) -> None:
    def handled() -> float:
        labels = {"topic": "single", "group": "counting"}
        return REGISTRY.get_sample_value("bus_handled_messages_total", labels) or 0.0

    before = handled()
    publish(bus, "single", "NZ.WEL", b"1", b"2", b"3")
    with bus.subscribe(["single"], "counting") as stream:
        turns, seen = stream.batches(10), 0
        while seen < 3:
            assert handled() - before == 0 or seen > 0
            seen += len(next(turns))
        assert handled() - before < 3, "the last batch is still in hand"
        next(turns)
        assert handled() - before == 3


def test_a_table_holds_the_latest_value_of_every_key(place: Place) -> None:
    bus = place.open()
    publish(bus, "latest", "NZ.WEL", b"epoch 1", b"epoch 2")
    publish(bus, "latest", "NZ.SNZO", b"epoch 1")
    with bus.table("latest") as table:
        table.refresh()
        assert dict(table) == {"NZ.WEL": b"epoch 2", "NZ.SNZO": b"epoch 1"}
        seen = table.edition
        table.refresh()
        assert table.edition == seen
        other = place.open()
        other.publish("latest", "NZ.SNZO", None)
        other.publish("latest", "NZ.WEL", b"epoch 3")
        other.flush()
        table.refresh()
        assert table.edition > seen
        assert dict(table) == {"NZ.WEL": b"epoch 3"}


def test_a_compacted_topic_keeps_every_key_through_many_changes(bus: Bus) -> None:
    publish(bus, "latest", "NZ.WEL", b"first")
    for number in range(3_000):
        bus.publish("latest", "control", b"%d" % number)
    bus.flush()
    with bus.table("latest") as table:
        table.refresh()
        assert dict(table) == {"NZ.WEL": b"first", "control": b"2999"}
