"""What people get wrong, and what machines run out of: one clear sentence, an exit code, never a traceback."""

import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import obspy
import pytest

from kensoku.bus import open_bus, serve_bus
from kensoku.settings import socket_path
from tests.broker import free_ports
from tests.system.commands import KENSOKU, LIMIT_S, acquisition, environment, kensoku

MISUSED, FAILED = 2, 1


def check(done: "subprocess.CompletedProcess[str]", code: int, *parts: str) -> None:
    assert done.returncode == code, done.stderr
    for part in parts:
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" not in done.stdout


def no_broker() -> dict[str, str]:
    return {"KENSOKU_BUS": f"kafka://127.0.0.1:{free_ports(1)[0]}", "KENSOKU_BUS_WAIT_S": "1"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A minute of one channel."""
    folder = tmp_path / "archive"
    folder.mkdir()
    header = {"network": "NZ", "station": "WEL", "channel": "HHZ", "sampling_rate": 100.0}
    samples = np.arange(6_000, dtype=np.int32) % 97
    obspy.Stream([obspy.Trace(samples, header)]).write(str(folder / "wel.mseed"), "MSEED")
    return folder


@pytest.fixture
def system(tmp_path: Path) -> Iterator[None]:
    with open_bus("memory://") as bus, serve_bus(bus, socket_path(tmp_path)):
        yield


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["tale"], "invalid choice: 'tale'"),
        (["tail"], "TOPIC"),
        (["tail", "waves"], "found topic 'waves', expected one of waveforms, "),
        (["tail", "picks", "--from", "yesterday"], "found 'yesterday', expected a time such as"),
        (["tail", "picks", "--count", "0"], "found '0', expected a whole number of 1 or more"),
        (["tail", "picks", "--bus", "http://x"], "--bus: found 'http://x'"),
        (["inventory"], "ACTION"),
        (["inventory", "apply"], "FILE"),
        (["run", "--port", "http"], "--port: found 'http'"),
        (["run", "--speed", "fast"], "--speed: found 'fast'"),
        (["topics"], "ACTION"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_misuse(tmp_path: Path, arguments: list[str], said: str) -> None:
    source = ["--source", str(tmp_path)] if "--speed" in arguments else []
    check(kensoku(tmp_path, *arguments, *source), MISUSED, said)


def test_help_answers_at_once(tmp_path: Path) -> None:
    done = kensoku(tmp_path, "--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("run", "tail", "topics", "models", "inventory", "stations"))
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", KENSOKU, "--help"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
    ).stderr
    assert not [name for name in ("numpy", "pydantic", "grpc", "kafka", "obspy") if f" {name}\n" in listed]


# --- nothing to talk to -----------------------------------------------------------------------------------------------

LOOKING = [["tail", "picks"], ["stations", "list"], ["inventory", "show"], ["topics", "list"]]


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_without_a_running_system_there_is_nothing_to_look_at(tmp_path: Path, arguments: list[str]) -> None:
    check(kensoku(tmp_path, *arguments), FAILED, "no system is running here", "start `kensoku run`", "KENSOKU_BUS")


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_without_a_broker_a_command_waits_and_says_so(tmp_path: Path, arguments: list[str]) -> None:
    check(kensoku(tmp_path, *arguments, **no_broker()), FAILED, "no broker answered at 127.0.0.1:", "check KENSOKU_BUS")


def test_acquisition_without_a_broker_ends_with_a_reason(tmp_path: Path, archive: Path) -> None:
    done = acquisition(tmp_path, "--source", str(archive), **no_broker())
    check(done, FAILED, "no broker answered at 127.0.0.1:", "for 1 s", "check KENSOKU_BUS")


def test_run_without_a_broker_ends_with_a_reason(tmp_path: Path) -> None:
    done = kensoku(tmp_path, "run", "--models", "local", **no_broker())
    check(done, FAILED, "no broker answered at 127.0.0.1:", "for 1 s", "check KENSOKU_BUS")


# --- wrong settings ---------------------------------------------------------------------------------------------------


def test_a_service_tells_its_own_misspelt_variables_and_leaves_those_of_others(tmp_path: Path, archive: Path) -> None:
    given = {"KENSOKU_ACQUISITION_SPED": "2", "KENSOKU_ASSOCIATION_SPEED": "2"}
    done = acquisition(tmp_path, "--source", str(archive), **no_broker(), **given)
    check(done, FAILED, "KENSOKU_ACQUISITION_SPED, which is no setting; did you mean KENSOKU_ACQUISITION_SPEED?")
    assert "KENSOKU_ASSOCIATION_SPEED" not in done.stderr


def test_all_wrong_settings_are_told_at_once(tmp_path: Path) -> None:
    done = acquisition(tmp_path, KENSOKU_PORT="http", KENSOKU_LOG_FORMAT="xml", KENSOKU_BUS="rabbit://x")
    check(done, MISUSED, "4 wrong settings", "KENSOKU_PORT: found 'http'", "KENSOKU_LOG_FORMAT: found 'xml'")
    check(done, MISUSED, "KENSOKU_BUS: found 'rabbit://x'", "KENSOKU_ACQUISITION_SOURCE or --source: found nothing")


def test_a_password_is_in_no_line(tmp_path: Path, archive: Path) -> None:
    url = "kafka://mia:sesame@127.0.0.1:9"
    done = acquisition(tmp_path, "--source", str(archive), KENSOKU_BUS=url, KENSOKU_BUS_WAIT_S="1")
    assert done.returncode in (FAILED, MISUSED)
    assert "sesame" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("program", ["acquisition", "run"])
def test_a_port_in_use_is_the_users_to_change(tmp_path: Path, archive: Path, program: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        if program == "run":
            done = kensoku(tmp_path, "run", "--models", "local", "--port", port)
        else:
            done = acquisition(tmp_path, "--source", str(archive), "--port", port)
    check(done, MISUSED, f"cannot listen on 127.0.0.1:{port}", "expected a free port", "set KENSOKU_PORT")


# --- wrong files ------------------------------------------------------------------------------------------------------


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    check(acquisition(tmp_path, "--source", str(tmp_path / "nowhere")), FAILED, str(tmp_path / "nowhere"), "expected")


@pytest.mark.parametrize("name", ["empty", "notes.txt"])
def test_a_folder_without_waveforms_is_told(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if name != "empty":
        (folder / name).write_text("no waveform\n")
    check(acquisition(tmp_path, "--source", str(folder)), FAILED, "found", "expected", str(folder))


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,lat,lon,elev_m\nNZ.WEL,-91,174,1\n", "line 2: found latitude -91, expected -90 to 90 degrees"),
        (b"station,lat\n", "line 1: found the columns 'station,lat', expected id,lat,lon,elev_m"),
        (b"<FDSNStationXML", "found XML that cannot be read"),
        (b"", "found no station"),
    ],
    ids=["latitude", "columns", "xml", "empty"],
)
def test_a_wrong_inventory_is_told_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "stations.csv"
    path.write_bytes(content)
    check(kensoku(tmp_path, "inventory", "apply", str(path)), FAILED, str(path), said)


def test_an_inventory_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = kensoku(tmp_path, "inventory", "apply", str(tmp_path / "a.xml"), str(tmp_path))
    check(done, FAILED, "a.xml: No such file or directory", f"{tmp_path}: Is a directory", "check the paths")


# --- a full disk ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("system")
def test_output_that_fits_nowhere_is_told(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [KENSOKU, "stations", "list"],
            env=environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT_S,
        )
    assert done.returncode == FAILED
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.usefixtures("system")
def test_a_reader_that_has_seen_enough_is_no_mistake(tmp_path: Path) -> None:
    command = f"{KENSOKU} stations list | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], env=environment(tmp_path), capture_output=True, text=True, timeout=LIMIT_S
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_acquisition_on_a_full_disk_publishes_on_and_says_so(tmp_path: Path, archive: Path) -> None:
    """A limit on the size of files stands for the disk: whoever writes a position gets the same kind of error."""
    done = subprocess.run(
        [sys.executable, "-m", "kensoku.acquisition", "--source", str(archive), "--speed", "max"],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    assert "came to the end: 12 packets" in done.stderr
    assert done.stderr.count("File too large") == 1
    assert "KENSOKU_HOME" in done.stderr
    assert not list(tmp_path.rglob("*.json"))  # no position that is half a one
