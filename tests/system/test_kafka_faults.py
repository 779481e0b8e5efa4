"""Consumers and the broker are killed; nothing is lost, and a key's messages keep their order."""

import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from kensoku.bus import Bus, Options, open_bus, serve_bus
from kensoku.bus.topics import ChangeSettings, Cleanup, Placement, Topic, plan
from kensoku.cli.main import main
from kensoku.errors import BusError, BusUnavailable
from kensoku.runtime import Pulse
from tests.broker import Broker, free_ports, running_broker
from tests.services import wait_until

TABLE = (Topic("flow", 4), Topic("flow.rejected", 1))
KEYS = [f"NZ.S{number}" for number in range(40)]
DEADLINE_S = 90.0


@pytest.fixture
def namespace(broker: Broker) -> str:
    return make_topics(broker)


def make_topics(broker: Broker) -> str:
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    with open_bus(broker.url, namespace) as bus:
        bus.apply_topics(plan(TABLE, bus.existing_topics()))
    return namespace


@contextmanager
def member(url: str, namespace: str, output: Path, wait_s: float = 60.0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.system.bus_member", url, namespace, "group", str(output), str(wait_s)]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def publish_steps(bus: Bus, first: int, last: int) -> None:
    for step in range(first, last):
        for key in KEYS:
            bus.publish("flow", key, b"%d" % step)
    bus.flush(60.0)


def lines(*paths: Path) -> list[str]:
    return [line for path in paths if path.exists() for line in path.read_text().splitlines(keepends=True)]


def wait_for_all(steps: int, *paths: Path) -> None:
    wait_until(lambda: len({line for line in lines(*paths) if line.endswith("\n")}) >= len(KEYS) * steps, DEADLINE_S)


def assert_in_order(path: Path) -> None:
    """One member's own messages; a member that takes over starts at the commit, so repeats come first."""
    firsts: dict[str, list[int]] = defaultdict(list)
    for line in lines(path):
        key, _, step = line.strip().partition(" ")
        if step and int(step) not in firsts[key]:
            firsts[key].append(int(step))
    assert all(steps == sorted(steps) for steps in firsts.values())


@pytest.mark.parametrize("kind", ["socket", pytest.param("kafka", marks=pytest.mark.kafka)])
def test_a_consumer_killed_in_the_middle_of_a_batch_loses_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with ExitStack() as closing:
        if kind == "kafka":
            url, namespace = request.getfixturevalue("broker").url, request.getfixturevalue("namespace")
            bus = closing.enter_context(open_bus(url, namespace))
        else:
            url, namespace = f"memory://{tmp_path / 'bus.sock'}", ""
            bus = closing.enter_context(open_bus("memory://", table=TABLE))
            closing.enter_context(serve_bus(bus, tmp_path / "bus.sock"))
        publish_steps(bus, 0, 200)
        with member(url, namespace, first) as victim:
            wait_until(lambda: len(lines(first)) > 150, DEADLINE_S)
            victim.kill()  # lines are written one by one and committed by the hundred
            victim.wait()
        publish_steps(bus, 200, 210)
        with member(url, namespace, second):
            wait_for_all(210, first, second)
            wait_until(lambda: sum(bus.lag("flow", "group").values()) == 0, DEADLINE_S)
    repeats = len(lines(first)) + len(lines(second)) - len(KEYS) * 210
    assert -1 <= repeats <= 101  # at most the batch in hand, whose last line may be cut
    assert_in_order(first)
    assert_in_order(second)


@pytest.mark.kafka
def test_a_broker_killed_and_started_again_loses_nothing(tmp_path: Path) -> None:
    output = tmp_path / "output"
    (tmp_path / "broker").mkdir()
    with running_broker(tmp_path / "broker") as broker:
        namespace = make_topics(broker)
        with open_bus(broker.url, namespace) as bus, member(broker.url, namespace, output) as consumer:
            publish_steps(bus, 0, 20)
            wait_until(lambda: len(lines(output)) > 100, DEADLINE_S)
            broker.kill()
            failures: list[BaseException] = []

            def publish_meanwhile() -> None:
                try:
                    publish_steps(bus, 20, 40)
                except Exception as error:
                    failures.append(error)

            publisher = threading.Thread(target=publish_meanwhile)
            publisher.start()
            broker.start()
            publisher.join(DEADLINE_S)
            assert failures == []
            wait_for_all(40, output)
            wait_until(lambda: sum(bus.lag("flow", "group").values()) == 0, DEADLINE_S)
            assert consumer.poll() is None
    assert_in_order(output)


@pytest.mark.kafka
def test_nobody_is_ready_while_the_broker_is_silent(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    with running_broker(tmp_path / "broker") as broker, ExitStack() as closing:
        namespace, publishers, readers = make_topics(broker), Pulse(), Pulse()
        flow = closing.enter_context(
            open_bus(broker.url, namespace, Options(wait_s=120.0, on_contact=publishers.hear_of_bus))
        )
        stream = closing.enter_context(
            closing.enter_context(open_bus(broker.url, namespace, Options(on_contact=readers.hear_of_bus))).subscribe(
                ["flow"], "group"
            )
        )
        batches = stream.batches(100)
        broker.pause()
        try:
            publisher = threading.Thread(target=publish_steps, args=(flow, 0, 1))
            publisher.start()
            wait_until(
                lambda: next(batches) == [] and "bus" in publishers.waiting() and "bus" in readers.waiting(), 30.0
            )
            assert publishers.waiting() == {"bus": f"no broker answers at 127.0.0.1:{broker.port}"}
        finally:
            broker.resume()
        publisher.join(DEADLINE_S)
        wait_until(lambda: next(batches) is not None and publishers.waiting() == readers.waiting() == {}, 30.0)


def test_who_waits_for_a_broker_can_be_told_to_stop(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "kensoku.location", f"--bus=kafka://127.0.0.1:{port}", "--port=0"]
    service = subprocess.Popen([*command, f"--home={tmp_path}"], stderr=subprocess.PIPE, text=True)
    try:
        assert service.stderr is not None
        next(line for line in service.stderr if "no broker answers" in line)
        service.terminate()
        assert service.wait(20) == 1
        assert service.stderr.read() == (
            f"kensoku: told to stop while no broker answers at 127.0.0.1:{port}; what was not committed comes again\n"
        )
    finally:
        service.kill()
        service.communicate()


@pytest.mark.kafka
def test_a_broker_away_beyond_the_limit_ends_consumer_and_publisher(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    with running_broker(tmp_path / "broker") as broker:
        namespace = make_topics(broker)
        output = tmp_path / "output"
        with ExitStack() as closing:
            bus = open_bus(broker.url, namespace, Options(wait_s=4.0))
            publish_steps(bus, 0, 1)
            consumer = closing.enter_context(member(broker.url, namespace, output, wait_s=4.0))
            wait_for_all(1, output)
            broker.kill()
            bus.publish("flow", "NZ.WEL", b"never arrives")
            began_s = time.monotonic()
            with pytest.raises(BusUnavailable, match=r"1 messages wait for an answer.*no broker answered"):
                bus.flush(4.0)
            assert time.monotonic() - began_s < 20
            assert consumer.wait(60) == 2
            assert consumer.stderr is not None
            told = consumer.stderr.read()
            assert "no broker answered at 127.0.0.1" in told
            assert "Traceback" not in told
            with pytest.raises(BusUnavailable):
                bus.close()


@pytest.mark.kafka
def test_a_commit_while_the_broker_is_away_is_tried_again(broker: Broker, namespace: str) -> None:
    with open_bus(broker.url, namespace) as bus, bus.subscribe(["flow"], "group") as stream:
        publish_steps(bus, 0, 1)
        needed = {}
        for batch in stream.batches(100):
            needed.update({(message.topic, message.partition): message.offset + 1 for message in batch})
            if sum(needed.values()) == len(KEYS):
                break
        broker.pause()
        try:
            stream.commit(needed)
        finally:
            broker.resume()
        deadline_s = time.monotonic() + DEADLINE_S
        for _ in stream.batches(100):
            stream.commit(needed)
            if sum(bus.lag("flow", "group").values()) == 0:
                break
            assert time.monotonic() < deadline_s


@pytest.mark.kafka
def test_applying_the_declared_topics_twice_changes_nothing(broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    namespace = f"table-{uuid.uuid4().hex[:8]}"
    arguments = ["--bus", broker.url, "--namespace", namespace]
    assert main(["topics", "apply", "--dry-run", *arguments]) == 0
    assert "would create waveforms with 48 partitions" in capsys.readouterr().out
    assert main(["topics", "apply", *arguments]) == 0
    assert "create waveforms with 48 partitions" in capsys.readouterr().out
    assert main(["topics", "apply", *arguments]) == 0
    assert capsys.readouterr().out == "all topics are as declared\n"
    assert main(["topics", "list", "--group", "triggering", *arguments]) == 0
    assert "6 h, 700 MiB a partition" in capsys.readouterr().out


@pytest.mark.kafka
def test_a_setting_that_the_broker_refuses_is_told(broker: Broker) -> None:
    namespace, wanted = f"table-{uuid.uuid4().hex[:8]}", Topic("picks", 1)
    with open_bus(broker.url, namespace) as bus:
        bus.apply_topics(plan([wanted], []))
        assert [topic.replicas for topic in bus.existing_topics()] == [1]
        with pytest.raises(BusError, match=r"picks: .*Invalid value 5 for configuration segment\.bytes"):
            bus.apply_topics([ChangeSettings(wanted, {"segment.bytes": "5"})])


@pytest.mark.kafka
def test_a_keyed_topic_with_data_is_not_repartitioned(broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    namespace = f"table-{uuid.uuid4().hex[:8]}"
    with open_bus(broker.url, namespace) as bus:
        bus.apply_topics(plan([Topic("picks", 3)], bus.existing_topics()))
        bus.publish("picks", "NZ.WEL", b"")
        bus.flush()
    assert main(["topics", "apply", "--bus", broker.url, "--namespace", namespace]) == 2
    assert "found 3 partitions, expected 12, and it holds 1 messages" in capsys.readouterr().err


@pytest.mark.kafka
def test_a_table_follows_a_topic_that_was_deleted_and_made_again(broker: Broker) -> None:
    namespace, table = f"table-{uuid.uuid4().hex[:8]}", (Topic("latest", 1, cleanup=Cleanup.COMPACT),)
    with open_bus(broker.url, namespace, table=table) as bus:
        bus.apply_topics(plan(table, []))
        with bus.table("latest") as latest:
            for number in range(20):
                bus.publish("latest", f"old-{number}", b"before")
            bus.flush()
            latest.refresh()
            with KafkaAdminClient(bootstrap_servers=broker.url.removeprefix("kafka://")) as admin:
                admin.delete_topics([f"{namespace}.latest"])
            wait_until(lambda: not bus.existing_topics())
            bus.apply_topics(plan(table, []))
            with open_bus(broker.url, namespace, table=table) as other:
                other.publish("latest", "new", b"after")
            latest.refresh()
            assert latest["new"] == b"after"


@pytest.mark.kafka
def test_partitions_added_for_regions_are_used_by_those_who_publish_already(broker: Broker) -> None:
    namespace = f"table-{uuid.uuid4().hex[:8]}"
    two, four = (Topic("placed", count, placement=Placement.BY_NUMBER) for count in (2, 4))
    with open_bus(broker.url, namespace, table=(two,)) as bus:
        bus.apply_topics(plan([two], []))
        bus.publish("placed", "north", b"", partition=1)
        bus.flush()
        with open_bus(broker.url, namespace, table=(four,)) as operator:
            operator.apply_topics(plan([four], operator.existing_topics()))
        bus.publish("placed", "south", b"", partition=3)
        bus.flush()
        with open_bus(broker.url, namespace, table=(four,)) as reader:
            assert {message.partition for message in reader.read("placed")} == {1, 3}
