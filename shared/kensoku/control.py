"""Which stations operators have switched off: decided once on the topic `control`, followed by every replica."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping

from google.protobuf.message import DecodeError

from kensoku.bus import Bus, Table
from kensoku.errors import SettingInvalid
from kensoku.v1.control_pb2 import Control, StationSwitch

log = logging.getLogger("kensoku.control")

TOPIC = "control"
PREFIX = "station/"
REFRESH_S = 1.0

_STATION = re.compile(r"([A-Z0-9]{1,8})\.([A-Z0-9-]{1,8})")  # FDSN source identifiers, 2.0


def split_station(code: str) -> tuple[str, str]:
    """Network and station of `NET.STA`."""
    if not (found := _STATION.fullmatch(code)):
        raise SettingInvalid(f"found station {code!r}, expected network and station such as NZ.WEL; correct the code")
    return found[1], found[2]


def switch_station(bus: Bus, code: str, decision: Control) -> None:
    """Publish a decision about a station; the decision carries who, why, and when."""
    bus.publish(TOPIC, PREFIX + code, decision.SerializeToString(deterministic=True))


def station_decision(code: str, *, disabled: bool, author: str, reason: str, decided_ns: int) -> Control:
    network, station = split_station(code)
    switch = StationSwitch(network=network, station=station, disabled=disabled)
    return Control(station_switch=switch, author=author, reason=reason, decided_ns=decided_ns)


def station_decisions(values: Mapping[str, bytes]) -> Iterator[tuple[str, Control]]:
    """The latest decision about every station that anybody decided about; what cannot be read is logged."""
    for key in sorted(values):
        if key.startswith(PREFIX):
            decision = read_decision(key, values[key])
            if decision is not None:
                yield key.removeprefix(PREFIX), decision


def read_decision(key: str, value: bytes) -> Control | None:
    try:
        decision = Control.FromString(value)
    except DecodeError:
        decision = Control()
    if decision.WhichOneof("decision") == "station_switch":
        return decision
    log.warning("left out %s: found %d bytes that are no station switch; decide about it again", key, len(value))
    return None


class StationSwitches:
    """What is in force, looked up at most once a second, so that a decision acts within two."""

    def __init__(self, table: Table, clock: Callable[[], float] = time.monotonic) -> None:
        self._table = table
        self._clock = clock
        self._due_s = clock()
        self._seen = -1  # edition of the table
        self._disabled: frozenset[str] = frozenset()

    def is_enabled(self, station: str) -> bool:
        """Whether data of this NET.STA shall be used now."""
        if self._clock() >= self._due_s:
            self._refresh()
        return station not in self._disabled

    def _refresh(self) -> None:
        self._table.refresh()
        self._due_s = self._clock() + REFRESH_S
        if self._table.edition == self._seen:
            return
        self._seen = self._table.edition
        decisions = dict(station_decisions(self._table))
        disabled = frozenset(code for code, decision in decisions.items() if decision.station_switch.disabled)
        for code in sorted(disabled ^ self._disabled):
            word = "disabled" if code in disabled else "enabled"
            if decision := decisions.get(code):
                log.warning("station %s is %s by %s: %s", code, word, decision.author, decision.reason)
            else:
                log.warning("station %s is %s: the decision about it was withdrawn", code, word)
        self._disabled = disabled
