"""`python -m kensoku.acquisition` as a user runs it: to the end, killed half way, and with settings that are wrong."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kensoku.bus import Bus, open_bus, serve_bus
from kensoku.bus.topics import TOPICS, plan
from kensoku.packets import read_packet
from tests.broker import Broker
from tests.services import wait_until
from tests.synthetic import START, STATIONS_KM, write_synthetic_archive

DURATION_S = 120
FIRST_SECOND = START.ns // 10**9
EXPECTED = len(STATIONS_KM) * DURATION_S


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    write_synthetic_archive(tmp_path / "archive", duration_s=DURATION_S)
    return tmp_path / "archive"


@contextmanager
def acquisition(home: Path, *arguments: object, **variables: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kensoku.acquisition", "--home", str(home), "--port", "0", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **variables},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def published(bus: Bus) -> list[tuple[str, int]]:
    packets = [read_packet(message.value or b"") for message in bus.read("waveforms")]
    return sorted((packet.station, packet.start_ns) for packet in packets)


def saved_second(home: Path) -> int:
    """How far the replay has come, by the position it saves."""
    return max((json.loads(path.read_text())["second"] for path in home.glob("acquisition/*.json")), default=0)


def kill_half_way_and_start_again(bus: Bus, url: str, home: Path, archive: Path, **variables: str) -> None:
    """At ten times real time the archive lasts 12 s."""
    arguments = ("--source", archive, "--bus", url, "--max-unflushed", 50, "--packet-s", 1)
    with acquisition(home, *arguments, "--speed", 10, **variables) as process:
        wait_until(lambda: saved_second(home) >= FIRST_SECOND + 10)
        process.kill()
    assert 60 <= len(published(bus)) < EXPECTED
    with acquisition(home, *arguments, "--speed", "max", **variables) as process:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
    assert "going on behind ZZ.SYN" in output
    assert len(set(published(bus))) == EXPECTED
    assert len(published(bus)) - EXPECTED <= 50


def test_killed_half_way_it_loses_nothing(tmp_path: Path, archive: Path) -> None:
    socket = tmp_path / "bus.sock"
    with open_bus("memory://") as bus, serve_bus(bus, socket):
        kill_half_way_and_start_again(bus, f"memory://{socket}", tmp_path, archive)


@pytest.mark.kafka
def test_killed_half_way_it_loses_nothing_on_kafka(tmp_path: Path, archive: Path, broker: Broker) -> None:
    namespace = f"test-{uuid.uuid4().hex[:8]}"
    with open_bus(broker.url, namespace) as bus:
        bus.apply_topics(plan(TOPICS, bus.existing_topics()))
        kill_half_way_and_start_again(bus, broker.url, tmp_path, archive, KENSOKU_NAMESPACE=namespace)


def test_a_signal_ends_it_cleanly(tmp_path: Path, archive: Path) -> None:
    socket = tmp_path / "bus.sock"
    arguments = ("--source", archive, "--bus", f"memory://{socket}", "--speed", 1)
    with open_bus("memory://") as bus, serve_bus(bus, socket), acquisition(tmp_path, *arguments) as process:
        wait_until(lambda: saved_second(tmp_path) >= FIRST_SECOND)
        process.terminate()
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "stopped behind ZZ.SYN" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "KENSOKU_ACQUISITION_SOURCE or --source: found nothing, expected a value"),
        (("--source", "nowhere"), "found nothing at nowhere, expected a waveform file or a folder"),
        (("--source", ".", "--speed", "-1"), "--speed: found '-1'"),
        (("--source", ".", "--start", "yesterday"), "--start: found 'yesterday'"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    with acquisition(tmp_path, *arguments) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode in (1, 2)
    assert words in output
    assert "Traceback" not in output
