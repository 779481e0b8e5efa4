"""What every bus promises to the members of a group."""

import threading
import time
from collections import defaultdict

import pytest
from prometheus_client import REGISTRY

from kensoku.bus import Bus, Gap, Message, Position, _interface
from tests.contract.conftest import Place
from tests.contract.reading import PATIENCE_S, after, publish, read, read_nothing, read_until, settle
from tests.services import wait_until

FLOW = frozenset(("flow", number) for number in range(4))


def test_without_a_commit_a_subscriber_starts_at_the_earliest_message(bus: Bus) -> None:
    publish(bus, "flow", "NZ.WEL", b"1", b"2")
    with bus.subscribe(["flow"], "group") as stream:
        assert [message.value for message in read(stream, 2)] == [b"1", b"2"]


def test_a_subscriber_starts_at_its_commit_and_repeats_only_what_came_after(bus: Bus) -> None:
    publish(bus, "single", "NZ.WEL", b"0", b"1", b"2", b"3")
    with bus.subscribe(["single"], "group") as stream:
        assert len(read(stream, 4)) == 4
        stream.commit({("single", 0): 2})  # the oldest still needed; 2 and 3 were read and will come again
    with bus.subscribe(["single"], "group") as stream:
        assert [message.value for message in read(stream, 2)] == [b"2", b"3"]


def test_what_was_not_committed_comes_again(bus: Bus) -> None:
    publish(bus, "single", "NZ.WEL", b"0", b"1")
    for _ in range(2):
        with bus.subscribe(["single"], "group") as stream:
            assert len(read(stream, 2)) == 2


def test_groups_do_not_disturb_each_other(bus: Bus) -> None:
    publish(bus, "single", "NZ.WEL", b"0", b"1")
    for group in ("triggering", "gateway"):
        with bus.subscribe(["single"], group) as stream:
            stream.commit(after(read(stream, 2)))


def test_members_share_the_partitions_and_hand_them_over(place: Place) -> None:
    told: dict[str, list[tuple[str, frozenset[Position]]]] = defaultdict(list)

    def listen(name: str) -> dict[str, object]:
        return {
            "on_assigned": lambda positions: told[name].append(("assigned", positions)),
            "on_revoked": lambda positions: told[name].append(("revoked", positions)),
        }

    first = place.open().subscribe(["flow"], "group", **listen("first"))  # type: ignore[arg-type]
    settle(first)
    assert first.assignment == FLOW
    second = place.open().subscribe(["flow"], "group", **listen("second"))  # type: ignore[arg-type]
    settle(first, second)
    assert first.assignment | second.assignment == FLOW
    assert len(first.assignment) == len(second.assignment) == 2
    assert told["first"] == [("assigned", FLOW), ("revoked", second.assignment)]
    assert told["second"] == [("assigned", second.assignment)]
    first.close()
    settle(second)
    read_until(second, lambda _: second.assignment == FLOW)


def test_a_member_can_commit_what_it_gives_up(place: Place) -> None:
    bus = place.open()
    publish(bus, "flow", "abc", b"0")
    publish(bus, "flow", "foobar", b"1")
    done: list[Message] = []
    first = bus.subscribe(["flow"], "group", on_revoked=lambda _: first.commit(after(done)))
    done += read(first, 2)
    with place.open() as other, other.subscribe(["flow"], "group") as second:
        turns = second.batches(10)
        read_until(first, lambda _: bool(next(turns)) or len(second.assignment) == 2)
        read_nothing(second)
    assert sum(bus.lag("flow", "group").values()) == 0


def test_a_commit_for_a_position_of_another_member_changes_nothing(place: Place) -> None:
    bus = place.open()
    publish(bus, "single", "NZ.WEL", b"0")
    with bus.subscribe(["single"], "group") as stream:
        read(stream, 1)
        stream.commit({("flow", 0): 7, ("single", 0): 1})
    assert bus.lag("single", "group") == {0: 0}
    assert bus.lag("flow", "group") == {0: 0, 1: 0, 2: 0, 3: 0}


def test_members_come_and_go_while_messages_are_published(place: Place) -> None:
    """Nothing is lost, and a key's messages arrive in order but for repeats."""
    keys, steps = [f"NZ.S{number}" for number in range(50)], 40
    arrivals: list[tuple[str, int]] = []
    lock, enough = threading.Lock(), threading.Event()

    def publish_all() -> None:
        with place.open() as bus:
            for step in range(steps):
                for key in keys:
                    bus.publish("flow", key, b"%d" % step)
                bus.flush()

    def consume(turns: int) -> None:
        with place.open() as bus, bus.subscribe(["flow"], "group") as stream:
            for turn, batch in enumerate(stream.batches(200)):
                with lock:
                    arrivals.extend((message.key, int(message.value or b"")) for message in batch)
                stream.commit(after(batch))
                if enough.is_set() or (turns and turn > turns):
                    return

    threads = [threading.Thread(target=consume, args=(turns,)) for turns in (0, 8, 15)]
    threads.append(threading.Thread(target=publish_all))
    place.open()
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(set(arrivals)) == len(keys) * steps, 180.0)  # a broker may await a member for 45 s
    finally:
        enough.set()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert_in_order(arrivals, steps)


def assert_in_order(arrivals: list[tuple[str, int]], steps: int) -> None:
    firsts: dict[str, list[int]] = defaultdict(list)
    for key, step in arrivals:
        if step not in firsts[key]:
            firsts[key].append(step)
    assert all(found == list(range(steps)) for found in firsts.values())


def test_a_slow_consumer_loses_nothing(place: Place) -> None:
    """The publisher is far ahead; a full memory bus waits for the reader, a broker keeps the messages."""
    bus = place.open(memory_topic_messages=300)
    expired: list[Gap] = []
    with bus.subscribe(["single"], "slow", on_expired=expired.append) as stream:
        read_nothing(stream, turns=8)
        publisher = threading.Thread(
            target=lambda: publish(bus, "single", "NZ.WEL", *(b"%d" % n for n in range(2_000)))
        )
        publisher.start()
        messages = read(stream, 2_000, limit=50, pause_s=0.005)
        publisher.join(PATIENCE_S)
    assert [int(message.value or b"") for message in messages] == list(range(2_000))
    assert expired == []


def test_an_expired_position_is_reported_and_reading_goes_on_at_the_earliest(place: Place) -> None:
    bus = place.open()
    publish(bus, "single", "NZ.WEL", *(b"%d" % number for number in range(20)))
    with bus.subscribe(["single"], "group") as stream:
        read(stream, 20)
        stream.commit({("single", 0): 5})
    place.expire("single", 0, before=12)
    gaps: list[Gap] = []
    counted = _count_expired()
    with bus.subscribe(["single"], "group", on_expired=gaps.append) as stream:
        assert [int(message.value or b"") for message in read(stream, 8)] == list(range(12, 20))
    assert [(gap.first_offset, gap.next_offset, gap.messages, gap.was_committed) for gap in gaps] == [(5, 12, 7, True)]
    bus.flush()
    assert _count_expired() == counted + 7
    (told,) = bus.read("single.rejected")
    assert (told.value, dict(told.headers)["origin"]) == (None, b"single/0/5")
    assert b"7 messages of single/0 from offset 5 were deleted" in dict(told.headers)["reason"]


def test_a_position_that_expires_under_a_reader_is_reported(place: Place) -> None:
    bus = place.open()
    gaps: list[Gap] = []
    with bus.subscribe(["single"], "group", on_expired=gaps.append) as stream:
        publish(bus, "single", "NZ.WEL", b"0")
        stream.commit(after(read(stream, 1)))
        publish(bus, "flow", "NZ.WEL", b"")
        _publish_and_expire(place, bus, 50, before=31)
        publish(bus, "single", "NZ.WEL", b"last")
        messages = read_until(stream, lambda messages: bool(messages) and messages[-1].value == b"last")
    missing = set(range(1, 52)) - {message.offset for message in messages}
    assert missing == {offset for gap in gaps for offset in range(gap.first_offset, gap.next_offset)}


def _publish_and_expire(place: Place, bus: Bus, count: int, before: int) -> None:
    publish(bus, "single", "NZ.WEL", *(b"%d" % number for number in range(count)))
    place.expire("single", 0, before=before)


def test_a_group_without_a_commit_hears_of_what_it_never_saw(place: Place) -> None:
    bus = place.open()
    _publish_and_expire(place, bus, 10, before=4)
    gaps: list[Gap] = []
    with bus.subscribe(["single"], "late", on_expired=gaps.append) as stream:
        assert len(read(stream, 6)) == 6
    assert [(gap.first_offset, gap.next_offset, gap.was_committed) for gap in gaps] == [(0, 4, False)]


def test_lag_is_what_lies_between_the_commit_and_the_end(bus: Bus) -> None:
    publish(bus, "single", "NZ.WEL", b"0", b"1", b"2")
    assert bus.lag("single", "group") == {0: 3}
    with bus.subscribe(["single"], "group") as stream:
        read(stream, 3)
        stream.commit({("single", 0): 1})
    assert bus.lag("single", "group") == {0: 2}


def test_how_far_a_partition_was_read_is_known_also_where_nothing_comes(bus: Bus) -> None:
    publish(bus, "single", "NZ.WEL", b"0", b"1")
    with bus.subscribe(["single", "flow"], "group") as stream:
        assert stream.read_to_ns(("single", 0)) == 0
        first, second = read(stream, 2, limit=1)
        assert first.published_ns <= second.published_ns <= stream.read_to_ns(("single", 0))
        begun_ns = time.time_ns()
        positions = [("single", 0), *(("flow", number) for number in range(4))]
        read_until(stream, lambda _: all(stream.read_to_ns(each) >= begun_ns for each in positions))
        publish(bus, "single", "NZ.WEL", b"2")
        publish(bus, "single", "NZ.WEL", b"3")
        read(stream, 1, limit=1)
        while_one_waits_ns = stream.read_to_ns(("single", 0))
        [last] = read(stream, 1, limit=1)
        assert while_one_waits_ns <= last.published_ns <= stream.read_to_ns(("single", 0))


def test_a_partition_in_which_something_waits_was_read_to_the_last_message_alone(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_interface, "LAG_PERIOD_S", 0.0)
    publish(bus, "single", "NZ.WEL", b"0", b"1")
    with bus.subscribe(["single"], "group") as stream:
        [first] = read(stream, 1, limit=1)
        assert stream.read_to_ns(("single", 0)) == first.published_ns


def _count_expired() -> float:
    labels = {"topic": "single", "group": "group"}
    return REGISTRY.get_sample_value("bus_expired_messages_total", labels) or 0.0
