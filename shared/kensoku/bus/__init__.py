"""The bus: everything that one part of the system tells another goes through here, over Kafka or in memory."""

from collections.abc import Iterable
from dataclasses import replace

from kensoku.bus._interface import (
    Bus,
    Callbacks,
    Gap,
    Headers,
    Message,
    MessagesRefused,
    Options,
    Position,
    Refusal,
    Start,
    Stream,
)
from kensoku.bus._log import MemoryLog
from kensoku.bus._memory import MemoryBus
from kensoku.bus._table import Table
from kensoku.bus.topics import TOPICS, Topic
from kensoku.errors import SettingInvalid

__all__ = [
    "Bus",
    "Callbacks",
    "Gap",
    "Headers",
    "Message",
    "MessagesRefused",
    "Options",
    "Position",
    "Refusal",
    "Start",
    "Stream",
    "Table",
    "open_bus",
]


DEFAULTS = Options()


def open_bus(url: str, namespace: str = "", options: Options = DEFAULTS, table: Iterable[Topic] = TOPICS) -> Bus:
    """Open `memory://` (a new one, in this process) or `kafka://host:port[,host:port]`; close it when done."""
    if url == "memory://":
        prefix = f"{namespace}." if namespace else ""
        named = [replace(topic, name=prefix + topic.name) for topic in table]
        return MemoryBus(MemoryLog(named, options), namespace, options)
    raise SettingInvalid(f"found bus {url!r}, expected memory:// or kafka://host:port[,host:port]; set KENSOKU_BUS")
