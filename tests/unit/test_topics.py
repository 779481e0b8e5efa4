"""The declared table, and what `kensoku topics apply` makes of a difference."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import InvalidReplicationFactorError

from kensoku.bus import _kafka_topics
from kensoku.bus.topics import (
    TOPICS,
    AddPartitions,
    ChangeSettings,
    Cleanup,
    CreateTopic,
    ExistingTopic,
    Placement,
    Topic,
    declared_topics,
    kept_by_fewer,
    plan,
)
from kensoku.errors import BusError, SettingInvalid

DAY_MS = 86_400_000
PICKS = Topic("picks", 12)
BY_NAME = {topic.name: topic for topic in TOPICS}


def existing(topic: Topic, messages: int = 0, **changes: int) -> ExistingTopic:
    found = ExistingTopic(topic.name, topic.partitions, messages, topic.broker_settings())
    return replace(found, **changes)  # type: ignore[arg-type]


def test_the_table_is_the_architectures() -> None:
    kept = {name: topic.broker_settings() for name, topic in BY_NAME.items()}
    assert BY_NAME["waveforms"].partitions == 48
    assert kept["waveforms"]["retention.ms"] == "21600000"
    assert int(kept["waveforms"]["retention.bytes"]) * 48 > 25e9  # six hours of 2,000 stations
    assert kept["waveforms.backfill"]["retention.ms"] == str(2 * DAY_MS)
    for name in ("picks", "picks.by-region", "associations", "events"):
        assert kept[name]["retention.ms"] == str(30 * DAY_MS)
    for name in ("catalogue", "inventory", "control"):
        assert kept[name]["cleanup.policy"] == "compact"
    assert kept["catalogue"]["delete.retention.ms"] == str(90 * DAY_MS)
    assert kept["picks.rejected"]["retention.ms"] == str(7 * DAY_MS)
    assert BY_NAME["picks.by-region"].placement is Placement.BY_NUMBER


def test_every_topic_has_a_place_for_its_rejects() -> None:
    flowing = {name for name in BY_NAME if not name.endswith(".rejected")}
    assert {f"{name}.rejected" for name in flowing} == BY_NAME.keys() - flowing


def test_a_region_is_a_partition() -> None:
    by_name = {topic.name: topic for topic in declared_topics(regions=5)}
    assert by_name["picks.by-region"].partitions == 5
    with pytest.raises(SettingInvalid, match="found 0 regions, expected at least 1"):
        declared_topics(regions=0)


def test_an_empty_broker_gets_every_topic() -> None:
    assert plan(TOPICS, []) == [CreateTopic(topic) for topic in TOPICS]


def test_a_broker_that_agrees_is_left_alone() -> None:
    assert plan(TOPICS, [existing(topic, messages=5) for topic in TOPICS]) == []


def test_topics_of_somebody_else_are_left_alone() -> None:
    assert plan([PICKS], [existing(PICKS), existing(Topic("their.topic", 3))]) == []


def test_a_different_retention_is_changed() -> None:
    (action,) = plan([PICKS], [existing(replace(PICKS, retention_ms=DAY_MS), messages=7)])
    assert isinstance(action, ChangeSettings)
    assert action.changes["retention.ms"] == str(30 * DAY_MS)


def test_a_topic_is_made_compacted_by_a_setting() -> None:
    declared = replace(PICKS, cleanup=Cleanup.COMPACT)
    (action,) = plan([declared], [existing(PICKS)])
    assert str(action).startswith("set cleanup.policy=compact, delete.retention.ms=")


def test_a_keyed_topic_without_data_may_grow() -> None:
    assert plan([PICKS], [existing(PICKS, partitions=6)]) == [AddPartitions(PICKS, found=6)]


def test_a_keyed_topic_with_data_keeps_its_partitions() -> None:
    with pytest.raises(SettingInvalid, match=r"'picks': found 6 partitions, expected 12, and it holds 3 messages"):
        plan([PICKS], [existing(PICKS, messages=3, partitions=6)])


def test_a_topic_placed_by_number_may_grow_with_data() -> None:
    regions = Topic("picks.by-region", 8, placement=Placement.BY_NUMBER)
    assert plan([regions], [existing(regions, messages=3, partitions=4)]) == [AddPartitions(regions, found=4)]


def test_a_topic_placed_by_number_may_have_more_partitions_than_are_asked_for() -> None:
    """As where regions were added, and somebody applies the table again without --regions."""
    regions = Topic("picks.by-region", 16, placement=Placement.BY_NUMBER)
    assert plan([regions], [existing(regions, messages=3, partitions=32)]) == []


def test_topics_that_fewer_brokers_keep_than_are_asked_for_are_told() -> None:
    alone, both, theirs = existing(PICKS), existing(Topic("events", 12)), existing(Topic("their.topic", 3))
    found = [replace(alone, replicas=1), replace(both, replicas=2), replace(theirs, replicas=1)]
    assert [topic.name for topic in kept_by_fewer([PICKS, Topic("events", 12)], found, 2)] == ["picks"]


def test_topics_that_carry_progress_are_packed_also_where_they_exist() -> None:
    """Each second it names the same stations, and is kept for 30 days."""
    packed = {topic.name for topic in TOPICS if topic.broker_settings().get("compression.type") == "gzip"}
    assert packed == {"picks", "picks.by-region"}
    (action,) = plan([BY_NAME["picks"]], [existing(PICKS, messages=7)])
    assert str(action) == "set compression.type=gzip on picks"


def test_no_topic_can_shrink() -> None:
    with pytest.raises(SettingInvalid, match="found 24 partitions, expected 12; a broker cannot remove partitions"):
        plan([PICKS], [existing(PICKS, partitions=24)])


def test_what_a_broker_refuses_is_told_in_its_own_words_and_without_the_whole_request() -> None:
    answer = "[CreatableTopicResult(name='waveforms', error_message='only 1 broker(s) are registered.', configs=[])]"
    request = f"Request 'CreateTopicsRequest({'config ' * 1000})' failed with response '{answer}'"

    def refuse(*_: object, **__: object) -> None:
        raise InvalidReplicationFactorError(request)

    connection: Any = SimpleNamespace(admin=SimpleNamespace(create_topics=refuse), patiently=lambda act: act())
    with pytest.raises(BusError, match=r"Error: only 1 broker\(s\) are registered; expected as many brokers") as raised:
        _kafka_topics.apply(connection, "", [CreateTopic(PICKS)], replication=3)
    assert len(str(raised.value)) < 400
