"""The one declared table of topics: what flows between the services, under which key, and how long it is kept.

`kensoku topics apply` makes a broker agree with it, the memory bus creates its logs from it, the deployment reads it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kensoku.errors import SettingInvalid

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MIB = 1024**2
GIB = 1024**3
MAX_MESSAGE_BYTES = 1_000_000  # a broker's default limit is 1 MiB for a record with its envelope
ENVELOPE_BYTES = 48_588  # what a broker's default leaves for it
MANY_PICKS_BYTES = 15_000_000  # of one earthquake: P and S of 2,000 stations, 3 kB each with their amplitudes

REJECTED = ".rejected"


class Cleanup(StrEnum):
    DELETE = "delete"  # old messages go
    COMPACT = "compact"  # the latest message of every key stays


class Placement(StrEnum):
    BY_KEY = "by key"  # murmur2 of the key; the number of partitions is part of the contract once there is data
    BY_NUMBER = "by number"  # the publisher names the partition, so partitions may be added


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as declared. Limits hold for one partition, as a broker applies them."""

    name: str
    partitions: int
    retention_ms: int = 30 * DAY_MS  # of a tombstone, if compacted
    retention_bytes: int | None = None
    cleanup: Cleanup = Cleanup.DELETE
    placement: Placement = Placement.BY_KEY
    max_message_bytes: int = MAX_MESSAGE_BYTES
    is_packed: bool = False  # by the broker, with gzip, which every client reads: messages that are much alike

    @property
    def is_compacted(self) -> bool:
        return self.cleanup is Cleanup.COMPACT

    def broker_settings(self) -> Mapping[str, str]:
        """What Kafka must be told, by the names of its topic configuration."""
        settings = {
            "cleanup.policy": str(self.cleanup),
            "segment.bytes": str(64 * MIB),
            "max.message.bytes": str(self.max_message_bytes + ENVELOPE_BYTES),
        }
        if self.is_packed:
            settings["compression.type"] = "gzip"
        if self.is_compacted:
            return settings | {
                "delete.retention.ms": str(self.retention_ms),
                "segment.ms": str(HOUR_MS),  # only closed segments are compacted
                "min.cleanable.dirty.ratio": "0.1",
            }
        return settings | {
            "retention.ms": str(self.retention_ms),
            "retention.bytes": str(-1 if self.retention_bytes is None else self.retention_bytes),
            "segment.ms": str(max(self.retention_ms // 12, HOUR_MS // 6)),  # only closed segments expire
        }


def _declare(regions: int) -> tuple[Topic, ...]:
    flowing = (
        # 2,000 stations are 100 GB a day, so 6 h are 25 GB; the limit leaves a third of head room.
        Topic("waveforms", 48, retention_ms=6 * HOUR_MS, retention_bytes=700 * MIB),
        Topic("waveforms.backfill", 48, retention_ms=2 * DAY_MS, retention_bytes=350 * MIB),
        # Progress of 2,000 stations is 7 GB a day, packed 3.
        Topic("picks", 12, is_packed=True),
        Topic("picks.by-region", regions, placement=Placement.BY_NUMBER, is_packed=True),
        Topic("associations", 12, max_message_bytes=MANY_PICKS_BYTES),
        Topic("events", 12, max_message_bytes=MANY_PICKS_BYTES),
        Topic(
            "catalogue",
            12,
            retention_ms=90 * DAY_MS,
            cleanup=Cleanup.COMPACT,
            max_message_bytes=MANY_PICKS_BYTES,
        ),
        Topic("stations", 12, retention_ms=DAY_MS, cleanup=Cleanup.COMPACT),
        Topic("inventory", 1, retention_ms=7 * DAY_MS, cleanup=Cleanup.COMPACT),
        Topic("control", 1, retention_ms=7 * DAY_MS, cleanup=Cleanup.COMPACT),
    )
    rejected = (Topic(t.name + REJECTED, 1, retention_ms=7 * DAY_MS, retention_bytes=GIB) for t in flowing)
    return (*flowing, *rejected)


def declared_topics(regions: int = 16) -> tuple[Topic, ...]:
    """The table, for so many regions."""
    if regions < 1:
        raise SettingInvalid(f"found {regions} regions, expected at least 1; give --regions the number you run")
    return _declare(regions)


TOPICS = declared_topics()


# --- from what is declared and what exists to what must be done -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExistingTopic:
    """A topic as a broker has it."""

    name: str
    partitions: int
    messages: int
    settings: Mapping[str, str]
    placement: Placement = Placement.BY_KEY  # as far as it is known: a broker does not keep it
    replicas: int = 0  # of the partition that the fewest brokers keep; 0: nobody counts them

    @property
    def declared(self) -> Topic:
        """As far as who publishes must know it."""
        limit = int(self.settings["max.message.bytes"]) - ENVELOPE_BYTES
        return Topic(self.name, self.partitions, placement=self.placement, max_message_bytes=limit)


@dataclass(frozen=True, slots=True)
class CreateTopic:
    topic: Topic

    def __str__(self) -> str:
        return f"create {self.topic.name} with {self.topic.partitions} partitions, cleanup {self.topic.cleanup}"


@dataclass(frozen=True, slots=True)
class AddPartitions:
    topic: Topic
    found: int

    def __str__(self) -> str:
        return f"give {self.topic.name} {self.topic.partitions} partitions instead of {self.found}"


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    topic: Topic
    changes: Mapping[str, str]

    def __str__(self) -> str:
        return f"set {', '.join(f'{name}={value}' for name, value in self.changes.items())} on {self.topic.name}"


Action = CreateTopic | AddPartitions | ChangeSettings


def plan(declared: Iterable[Topic], existing: Iterable[ExistingTopic]) -> list[Action]:
    """What makes a broker agree with the table; nothing if it does. Topics that nobody declared are left alone."""
    found = {topic.name: topic for topic in existing}
    actions: list[Action] = []
    for topic in declared:
        if topic.name in found:
            actions += _reconcile(topic, found[topic.name])
        else:
            actions.append(CreateTopic(topic))
    return actions


def kept_by_fewer(
    declared: Iterable[Topic], existing: Iterable[ExistingTopic], replication: int
) -> list[ExistingTopic]:
    """Topics that fewer brokers keep than are asked for. No plan changes that: brokers have tools for it."""
    names = {topic.name for topic in declared}
    return [topic for topic in existing if topic.name in names and 0 < topic.replicas < replication]


def _reconcile(topic: Topic, found: ExistingTopic) -> list[Action]:
    actions: list[Action] = []
    has_room = topic.placement is Placement.BY_NUMBER and found.partitions > topic.partitions  # for regions to come
    if topic.partitions != found.partitions and not has_room:
        _check_partitions_may_change(topic, found)
        actions.append(AddPartitions(topic, found.partitions))
    changes = {name: value for name, value in topic.broker_settings().items() if found.settings.get(name) != value}
    if changes:
        actions.append(ChangeSettings(topic, changes))
    return actions


def _check_partitions_may_change(topic: Topic, found: ExistingTopic) -> None:
    counts = f"topic {topic.name!r}: found {found.partitions} partitions, expected {topic.partitions}"
    if topic.placement is Placement.BY_KEY and found.messages > 0:
        raise SettingInvalid(
            f"{counts}, and it holds {found.messages} messages; a key would move to another partition and lose its "
            "order. Let consumers read to the end, delete the topic, and apply again, or use another namespace"
        )
    if topic.partitions < found.partitions:
        raise SettingInvalid(f"{counts}; a broker cannot remove partitions. Delete the topic, and apply again")
