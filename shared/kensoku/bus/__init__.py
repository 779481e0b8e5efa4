"""The bus: everything that one part of the system tells another goes through here, over Kafka or in memory."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kensoku.bus._interface import (
    Bus,
    Callbacks,
    Gap,
    Headers,
    Message,
    MessagesRefused,
    Position,
    Refusal,
    Start,
    Stream,
)
from kensoku.bus._log import MemoryLog
from kensoku.bus._memory import MemoryBus
from kensoku.bus._options import Options
from kensoku.bus._table import News, Table
from kensoku.bus.topics import TOPICS, Topic
from kensoku.errors import SettingInvalid

__all__ = [
    "Bus",
    "Callbacks",
    "Gap",
    "Headers",
    "Message",
    "MessagesRefused",
    "News",
    "Options",
    "Position",
    "Refusal",
    "Start",
    "Stream",
    "Table",
    "open_bus",
    "serve_bus",
]


DEFAULTS = Options()
SERVER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})")


def open_bus(url: str, namespace: str = "", options: Options = DEFAULTS, table: Iterable[Topic] = TOPICS) -> Bus:
    """Open a bus, and close it when done.

    `memory://` is a new one in this process, `memory:///path` the one that another process serves at that socket, and
    `kafka://host:port[,host:port]` a cluster.
    """
    check_namespace(namespace)
    scheme, separator, place = url.partition("://")
    servers = place.rstrip("/").split(",")
    if scheme == "memory" and separator and not place:
        return open_memory_bus(namespace, options, table)
    if scheme == "memory" and place.startswith("/"):
        from kensoku.bus._socket import RemoteLog

        return MemoryBus(RemoteLog(Path(place)), namespace)
    if scheme == "kafka" and all(map(SERVER.fullmatch, servers)):
        from kensoku.bus._kafka import KafkaBus  # only now: a system in memory needs no Kafka client

        return KafkaBus(tuple(servers), namespace, options, table)
    raise SettingInvalid(
        f"found bus {url!r}, expected memory://, memory:///path/of/a/socket or kafka://host:port[,host:port]; set "
        "KENSOKU_BUS"
    )


@contextmanager
def serve_bus(bus: Bus, socket: Path) -> Iterator[None]:
    """Let other programs of this user on this machine share a memory bus; any other bus they reach by themselves."""
    if not isinstance(bus, MemoryBus):
        yield
        return
    from kensoku.bus._socket import serve_log

    with serve_log(bus.log, socket):
        yield


def open_memory_bus(namespace: str, options: Options, table: Iterable[Topic]) -> MemoryBus:
    prefix = f"{namespace}." if namespace else ""
    named = [replace(topic, name=prefix + topic.name) for topic in table]
    return MemoryBus(MemoryLog(named, options), namespace)


def check_namespace(namespace: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,64}", namespace):
        raise SettingInvalid(
            f"found namespace {namespace!r}, expected at most 64 of A-Z, a-z, 0-9, _ and -; set KENSOKU_NAMESPACE"
        )
