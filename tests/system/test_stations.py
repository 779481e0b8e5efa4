"""An operator's switch, from the command in one process to every replica in others."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import obspy
import pytest

from kensoku.bus import Bus, open_bus, serve_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.settings import socket_path
from tests.broker import Broker, free_ports
from tests.system.commands import acquisition, environment, kensoku

ACTS_WITHIN_S = 5.0
LOADED_S = 60.0  # when the machine has other things to do

REPLICA = """
import sys, time
from kensoku.bus import open_bus
from kensoku.control import StationSwitches
from kensoku.runtime import configure_logs

configure_logs()
with open_bus(sys.argv[1], sys.argv[2]) as bus, bus.table("control") as table:
    switches = StationSwitches(table)
    before = None
    while True:
        if (enabled := switches.is_enabled("NZ.WEL")) != before:
            print("enabled" if enabled else "disabled", time.time(), flush=True)
        before = enabled
        time.sleep(0.05)
"""


@contextmanager
def replica(home: Path, url: str, namespace: str) -> Iterator["subprocess.Popen[str]"]:
    with (home / f"replica-{uuid.uuid4().hex}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", REPLICA, url, namespace],
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_state(process: "subprocess.Popen[str]") -> tuple[str, float]:
    assert process.stdout is not None
    state, moment_s = process.stdout.readline().split()
    return state, float(moment_s)


def logs(home: Path) -> list[str]:
    return [path.read_text() for path in home.glob("replica-*.log")]


def check_switching(home: Path, url: str, namespace: str = "") -> None:
    settings = {"KENSOKU_BUS": url, "KENSOKU_NAMESPACE": namespace}
    with replica(home, url, namespace) as one, replica(home, url, namespace) as other:
        assert [next_state(process)[0] for process in (one, other)] == ["enabled", "enabled"]
        for verb, state in (("disable", "disabled"), ("enable", "enabled")):
            done = kensoku(home, "stations", verb, "NZ.WEL", "--reason", f"{verb} it", "--by", "mia", **settings)
            decided_s = time.time()
            assert (done.returncode, done.stdout) == (0, f"NZ.WEL is {state}\n"), done.stderr
            for process in (one, other):
                found, moment_s = next_state(process)
                assert found == state
                limit_s = ACTS_WITHIN_S if os.getloadavg()[0] < 2 else LOADED_S
                assert moment_s - decided_s < limit_s
            listed = kensoku(home, "stations", "list", **settings)
            assert f"{verb} it" in listed.stdout
    for log in logs(home):
        assert "station NZ.WEL is disabled by mia: disable it" in log
        assert "station NZ.WEL is enabled by mia: enable it" in log


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    with open_bus("memory://") as opened, serve_bus(opened, socket_path(tmp_path)):
        yield opened


@pytest.mark.usefixtures("bus")
def test_a_switch_acts_in_every_process_of_a_machine(tmp_path: Path) -> None:
    check_switching(tmp_path, f"memory://{socket_path(tmp_path)}")


@pytest.mark.kafka
def test_a_switch_acts_in_every_replica_over_kafka(tmp_path: Path, broker: Broker) -> None:
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    with open_bus(broker.url, namespace) as opened:
        wanted = [topic for topic in TOPICS if topic.name in ("control", "inventory")]
        opened.apply_topics(plan(wanted, opened.existing_topics()))
    check_switching(tmp_path, broker.url, namespace)


def test_a_disabled_station_is_left_out_of_a_replay(tmp_path: Path, bus: Bus) -> None:
    for station in ("WEL", "SNZO"):
        header = {"network": "NZ", "station": station, "channel": "HHZ", "sampling_rate": 100.0}
        trace = obspy.Trace(np.arange(1_000, dtype=np.int32), header)
        obspy.Stream([trace]).write(str(tmp_path / f"{station}.mseed"), "MSEED")
    assert kensoku(tmp_path, "stations", "disable", "NZ.WEL", "--reason", "spikes").returncode == 0
    url = f"memory://{socket_path(tmp_path)}"
    done = acquisition(tmp_path, "--source", str(tmp_path), "--speed", "max", KENSOKU_BUS=url)
    assert done.returncode == 0, done.stderr
    assert {message.key for message in bus.read("waveforms")} == {"NZ.SNZO"}
    assert "station NZ.WEL is disabled by" in done.stderr
    assert "spikes" in done.stderr


@pytest.mark.usefixtures("bus")
def test_a_station_that_the_inventory_does_not_have_is_doubted(tmp_path: Path) -> None:
    table = tmp_path / "stations.csv"
    table.write_text("id,lat,lon,elev_m\nNZ.WEL,-41.284,174.768,138\n")
    assert kensoku(tmp_path, "inventory", "apply", str(table)).returncode == 0
    done = kensoku(tmp_path, "stations", "disable", "NZ.WEL", "NZ.WLE", "--reason", "spikes")
    assert done.stdout.splitlines() == [
        "NZ.WEL is disabled",
        "NZ.WLE is disabled; the inventory has no such station, check the code",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["disable", "WEL", "--reason", "x"], "found station 'WEL', expected network and station such as NZ.WEL"),
        (["disable", "NZ.WEL", "--reason", " "], "found an empty --reason, expected why"),
        (["disable", "NZ.WEL"], "--reason"),
        (["disable", "--reason", "x"], "CODE"),
        (["destroy"], "destroy"),
    ],
)
def test_a_mistaken_switch_is_misuse(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = kensoku(tmp_path, "stations", *arguments, KENSOKU_BUS=f"kafka://127.0.0.1:{free_ports(1)[0]}")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
