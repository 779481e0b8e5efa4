"""Compare a broker's topics with the declared table, and change what a plan says."""

import re
from collections.abc import Callable, Mapping, Sequence

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError
from kafka.protocol.consumer import OffsetSpec

from kensoku.bus._kafka_client import Connection
from kensoku.bus.topics import Action, AddPartitions, ChangeSettings, CreateTopic, ExistingTopic
from kensoku.errors import BusError

MIN_IN_SYNC = {"min.insync.replicas": "2"}  # with three replicas: one may be away without loss or refusal


def existing_topics(connection: Connection, prefix: str) -> list[ExistingTopic]:
    """Under their plain names, with the number of messages between the first and the last offset."""
    found: list[ExistingTopic] = connection.patiently(lambda: _existing(connection, prefix))
    return found


def _existing(connection: Connection, prefix: str) -> list[ExistingTopic]:
    """Whatever of it fails, as where a topic is deleted meanwhile, all is asked for anew."""
    replicas = {
        topic["name"]: [len(partition["replica_nodes"]) for partition in topic["partitions"]]
        for topic in connection.admin.describe_topics()
        if topic["name"].startswith(prefix) and not topic["is_internal"]
    }
    if not replicas:
        return []
    positions = [(name, number) for name, counts in replicas.items() for number in range(len(counts))]
    first, ends = (connection.offsets(positions, at) for at in (OffsetSpec.EARLIEST, OffsetSpec.LATEST))
    settings = _settings(connection, list(replicas))
    return [
        ExistingTopic(
            name=name.removeprefix(prefix),
            partitions=len(counts),
            messages=sum(ends[name, number] - first[name, number] for number in range(len(counts))),
            settings=settings[name],
            replicas=min(counts, default=0),
        )
        for name, counts in sorted(replicas.items())
    ]


def apply(connection: Connection, prefix: str, actions: Sequence[Action], replication: int) -> None:
    created = {prefix + a.topic.name: _new_topic(a, replication) for a in actions if isinstance(a, CreateTopic)}
    if created:
        _change(connection, lambda: connection.admin.create_topics(created, wait_for_metadata=True))
    grown = {prefix + a.topic.name: a.topic.partitions for a in actions if isinstance(a, AddPartitions)}
    if grown:
        _change(connection, lambda: connection.admin.create_partitions(grown))
    changed = [
        ConfigResource(ConfigResourceType.TOPIC, prefix + a.topic.name, dict(a.changes))
        for a in actions
        if isinstance(a, ChangeSettings)
    ]
    if changed:
        _change(connection, lambda: _changed(connection.admin.alter_configs(changed)))


def _change(connection: Connection, act: Callable[[], object]) -> None:
    try:
        connection.patiently(act)
    except KafkaError as error:  # whose text has the whole request and answer: every topic with every setting
        reason = re.search(r"error_message=['\"](.+?)\.?['\"],", str(error))
        raise _refused(f"{type(error).__name__}: {reason[1] if reason else error.description}") from None


def _changed(answers: Mapping[str, Mapping[str, str]]) -> None:
    """The client raises nothing where the broker leaves settings as they are."""
    refusals = [f"{name}: {answer}" for name, answer in answers.get("topic", {}).items() if answer != "OK"]
    if refusals:
        raise _refused("; ".join(refusals))


def _refused(reason: str) -> BusError:
    return BusError(
        f"the broker refused a change of the topics, {reason}; expected as many brokers as --replication asks for, the "
        "right to change topics, and nobody else who changes them now; mend that, and apply them again"
    )


def _new_topic(action: CreateTopic, replication: int) -> Mapping[str, object]:
    settings = dict(action.topic.broker_settings()) | (MIN_IN_SYNC if replication >= 3 else {})
    return {"num_partitions": action.topic.partitions, "replication_factor": replication, "configs": settings}


def _settings(connection: Connection, names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    described = connection.admin.describe_configs(resources, config_filter="all")
    return {name: {setting: entry["value"] for setting, entry in described["topic"][name].items()} for name in names}
