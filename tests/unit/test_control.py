"""Operators' switches: what one decides, every replica follows, and the log says who and why."""

import logging
from dataclasses import dataclass

import pytest

from kensoku.bus import Bus
from kensoku.control import REFRESH_S, StationSwitches, split_station, station_decision, station_decisions
from kensoku.control import switch_station as publish
from kensoku.errors import SettingInvalid
from kensoku.v1.control_pb2 import Control, ModelPromotions


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def switch(bus: Bus, code: str, *, disabled: bool, reason: str = "spikes", author: str = "mia") -> None:
    decision = station_decision(code, disabled=disabled, author=author, reason=reason, decided_ns=1_700_000_000 * 10**9)
    publish(bus, code, decision)
    bus.flush()


def test_a_station_that_nobody_decided_about_is_enabled(bus: Bus) -> None:
    assert StationSwitches(bus.table("control")).is_enabled("NZ.WEL")


def test_a_decision_of_before_the_start_holds(bus: Bus) -> None:
    switch(bus, "NZ.WEL", disabled=True)
    switches = StationSwitches(bus.table("control"))
    assert not switches.is_enabled("NZ.WEL")
    assert switches.is_enabled("NZ.SNZO")


def test_a_decision_acts_within_the_refresh_time_in_two_replicas(bus: Bus) -> None:
    clock = Clock()
    replicas = [StationSwitches(bus.table("control"), clock) for _ in range(2)]
    assert all(replica.is_enabled("NZ.WEL") for replica in replicas)
    switch(bus, "NZ.WEL", disabled=True)
    assert all(replica.is_enabled("NZ.WEL") for replica in replicas)  # looked up once a second, not per packet
    clock.now_s += REFRESH_S
    assert not any(replica.is_enabled("NZ.WEL") for replica in replicas)
    switch(bus, "NZ.WEL", disabled=False)
    clock.now_s += REFRESH_S
    assert all(replica.is_enabled("NZ.WEL") for replica in replicas)


def test_every_change_is_logged_once_with_its_author_and_reason(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    switches = StationSwitches(bus.table("control"), clock)
    switch(bus, "NZ.WEL", disabled=True, reason="cable is cut", author="mia")
    for _ in range(3):
        switches.is_enabled("NZ.WEL")
        clock.now_s += REFRESH_S
    switch(bus, "NZ.WEL", disabled=False, reason="cable is mended", author="noah")
    switches.is_enabled("NZ.WEL")
    assert caplog.messages == [
        "station NZ.WEL is disabled by mia: cable is cut",
        "station NZ.WEL is enabled by noah: cable is mended",
    ]


def test_a_withdrawn_decision_enables_the_station(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    switch(bus, "NZ.WEL", disabled=True)
    switches = StationSwitches(bus.table("control"), clock)
    assert not switches.is_enabled("NZ.WEL")
    bus.publish("control", "station/NZ.WEL", None)
    clock.now_s += REFRESH_S
    assert switches.is_enabled("NZ.WEL")
    assert "withdrawn" in caplog.messages[-1]


@pytest.mark.parametrize(
    "value",
    [b"\xff\xff rubbish", b"", Control(model_promotions=ModelPromotions(model="phase")).SerializeToString()],
    ids=["rubbish", "empty", "another decision"],
)
def test_a_decision_that_cannot_be_read_disturbs_no_other(
    bus: Bus, value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    bus.publish("control", "station/NZ.BAD", value)
    switch(bus, "NZ.WEL", disabled=True)
    switches = StationSwitches(bus.table("control"))
    assert switches.is_enabled("NZ.BAD")
    assert not switches.is_enabled("NZ.WEL")
    assert any("station/NZ.BAD" in message for message in caplog.messages)


def test_decisions_about_models_do_not_concern_stations(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bus.publish("control", "model/phase", Control(model_promotions=ModelPromotions(model="phase")).SerializeToString())
    switches = StationSwitches(bus.table("control"))
    assert switches.is_enabled("NZ.WEL")
    assert caplog.messages == []


def test_the_newest_decision_about_a_station_is_the_one_listed(bus: Bus) -> None:
    switch(bus, "NZ.WEL", disabled=True, reason="spikes")
    switch(bus, "NZ.WEL", disabled=False, reason="mended")
    with bus.table("control") as table:
        table.refresh()
        listed = list(station_decisions(table))
    assert [(code, d.station_switch.disabled, d.reason) for code, d in listed] == [("NZ.WEL", False, "mended")]


@pytest.mark.parametrize("code", ["WEL", "NZ.", ".WEL", "nz.wel", "NZ.WEL.10", "NZ.WEL\n", "NETWORKXX.WEL"])
def test_a_code_that_is_no_station_is_refused(code: str) -> None:
    with pytest.raises(SettingInvalid, match="expected network and station such as NZ.WEL"):
        split_station(code)


def test_a_decision_acts_also_where_another_has_looked_at_the_table_first(bus: Bus) -> None:
    """In triggering the switches, the regions and the promotions follow one table."""
    clock = Clock()
    with bus.table("control") as table:
        switches = StationSwitches(table, clock)
        for disabled in (True, False, True):
            switch(bus, "NZ.WEL", disabled=disabled)
            clock.now_s += REFRESH_S
            table.refresh()
            assert switches.is_enabled("NZ.WEL") is not disabled
