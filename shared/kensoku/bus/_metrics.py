"""What the bus counts, whichever it is."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from kensoku.bus._interface import Message, Position

PUBLISHED = Counter("bus_published_messages", "Messages handed to the bus", ["topic"])
READ = Counter("bus_read_messages", "Messages given to a member of a group", ["topic", "group"])
HANDLED = Counter("bus_handled_messages", "Messages of batches that a member has finished", ["topic", "group"])
REJECTED = Counter("bus_rejected_messages", "Messages put aside as unusable", ["topic", "group"])
EXPIRED = Counter("bus_expired_messages", "Messages deleted before the group read them", ["topic", "group"])
LAG = Gauge("bus_lag_messages", "Messages between the group's commit and the end", ["topic", "group", "partition"])
COMMIT_FAILURES = Counter("bus_commit_failures", "Commits that did not happen and were tried again", ["group"])
REFUSED = Counter("bus_refused_messages", "Published messages that the broker will never take", ["topic"])
REPLACED_PRODUCERS = Counter("bus_replaced_producers", "Producers closed after an error they could not recover from")


@cache  # looking up a label costs more than counting
def published(topic: str) -> Counter:
    return PUBLISHED.labels(topic)


def by_topic(batch: Sequence[Message]) -> Mapping[str, int]:
    return Tally([message.topic for message in batch])


def count_read(group: str, counts: Mapping[str, int]) -> None:
    for topic, count in counts.items():
        READ.labels(topic, group).inc(count)


def count_handled(group: str, counts: Mapping[str, int]) -> None:
    for topic, count in counts.items():
        HANDLED.labels(topic, group).inc(count)


def forget_lag(group: str, position: Position) -> None:
    try:
        LAG.remove(position[0], group, str(position[1]))
    except KeyError:  # none was shown yet
        return
