"""`kensoku simulate` as a person calls it: records agree with tables, twice the same, and mistakes are told."""

import csv
import hashlib
import io
import json
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import obspy
import pytest
from google.protobuf.proto import parse_length_prefixed

from kensoku.cli.main import main
from kensoku.packets import decode_packet
from kensoku.v1.waveform_pb2 import WaveformPacket
from tests.system.commands import KENSOKU, environment, kensoku, run

SCENARIO = """
name = "small"
seed = 11
start = 2024-01-15T23:58:00Z
duration_h = 0.05
earth = "japan"

[[networks]]
kind = "layout"
code = "XX"
count = 3
spacing_km = 12
latitude_deg = 36
longitude_deg = 137
equipment = { sensors = ["geophone-1hz", "accelerometer"], components = [3], rates_hz = [100] }

[[sequences]]
kind = "background"
name = "crust"
rate_per_day = 2000
magnitudes = { minimum = 1.5, maximum = 4.0 }
outline = [[35.9, 136.9], [35.9, 137.1], [36.1, 137.1], [36.1, 136.9]]

[noise.disturbances]
lightning = 4000

[telemetry]
wrong_metadata = 0.0
"""
STATIONS = ("1", "2", "3")
START, DURATION_S = obspy.UTCDateTime("2024-01-15T23:58:00Z"), 180


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenario") / "small.toml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture(scope="module")
def archive(scenario: Path) -> Path:
    folder = scenario.parent / "archive"
    done = kensoku(scenario.parent, "simulate", str(scenario), "--out", str(folder), "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "3 of 3 stations" in done.stderr
    return folder


def table(path: Path) -> Sequence[Mapping[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def records(archive: Path) -> obspy.Stream:
    return obspy.read(str(archive / "*/*/*/*/*")).merge(-1)


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_every_channel_is_whole_and_lies_where_sds_wants_it(archive: Path) -> None:
    stream = records(archive)
    assert len(stream) == 9
    for trace in stream:
        assert trace.stats.starttime == START
        assert (trace.stats.npts, trace.stats.sampling_rate) == (DURATION_S * 100, 100)
        assert trace.data.dtype == np.int32
        for day in ("2024.015", "2024.016"):
            assert (archive / f"2024/XX/{trace.stats.station}/{trace.stats.channel}.D/{trace.id}.D.{day}").is_file()


def test_the_response_turns_counts_into_motion_of_the_ground(archive: Path) -> None:
    inventory = obspy.read_inventory(str(archive / "stations.xml"))
    for trace in records(archive):
        assert inventory.get_channel_metadata(trace.id, START)["dip"] in (-90.0, 0.0)
        trace.remove_response(inventory, output="VEL", pre_filt=(0.5, 1, 30, 40))
        assert 1e-9 < np.median(np.abs(trace.data)) < 1e-3


def test_quakeml_and_tables_tell_the_same_events(archive: Path) -> None:
    events = table(archive / "events.csv")
    catalogue = obspy.read_events(str(archive / "events.xml"))
    assert len(catalogue) == len(events) > 2
    for event, row in zip(catalogue, events, strict=True):
        assert event.preferred_origin().time == obspy.UTCDateTime(row["time"])
        assert event.preferred_origin().depth == pytest.approx(1e3 * float(row["depth_km"]))
        magnitudes = {magnitude.magnitude_type: magnitude.mag for magnitude in event.magnitudes}
        assert magnitudes == {"Mw": float(row["mw"]), "ML": float(row["ml"])}


def test_arrivals_are_where_the_record_rises(archive: Path) -> None:
    arrivals, events = table(archive / "arrivals.csv"), {row["event_id"] for row in table(archive / "events.csv")}
    assert {row["event_id"] for row in arrivals} <= events
    assert {row["station"] for row in arrivals} == {f"XX.{station}" for station in STATIONS}
    strong = [row for row in arrivals if row["phase"].startswith("P") and row["snr"] and float(row["snr"]) > 50]
    assert strong
    stream = records(archive)
    for row in strong:
        time = obspy.UTCDateTime(row["time"])
        seen = stream.select(station=row["station"][3:]).slice(time - 1, time + 1).copy()
        rises = []
        for trace in seen.detrend("demean").filter("highpass", freq=2):
            before, after = np.split(np.abs(trace.data), [100])
            rises.append(after[:60].max() / before[40:90].max())
        assert max(rises) > 5


def test_disturbances_are_told(archive: Path) -> None:
    lightning = [row for row in table(archive / "disturbances.csv") if row["kind"] == "lightning"]
    assert 5 < len(lightning) < 60
    assert all(START <= obspy.UTCDateTime(row["time"]) < START + DURATION_S for row in lightning)


def test_the_manifest_says_that_it_is_synthetic_and_knows_every_file(archive: Path) -> None:
    manifest = json.loads((archive / "manifest.json").read_text())
    assert (manifest["synthetic"], manifest["seed"], manifest["scenario"]) == (True, 11, "small")
    assert manifest["files"] == {name: value for name, value in hashes(archive).items() if name != "manifest.json"}
    assert "nothing in this folder was recorded" in (archive / "README.md").read_text()


# --- again ------------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_processes(archive: Path, scenario: Path) -> None:
    again = scenario.parent / "again"
    done = kensoku(scenario.parent, "simulate", str(scenario), "--out", str(again), "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert hashes(again) == hashes(archive)


def test_a_run_that_was_killed_goes_on_and_ends_with_the_same_bytes(archive: Path, scenario: Path) -> None:
    folder = scenario.parent / "killed"
    command = [KENSOKU, "simulate", str(scenario), "--out", str(folder), "--jobs", "1"]
    running = subprocess.Popen(command, env=environment(scenario.parent), stderr=subprocess.PIPE, text=True)
    try:
        assert running.stderr is not None
        while not list(folder.glob(".unfinished/*.arrivals.csv")):
            assert running.poll() is None, running.stderr.read()
    finally:
        running.send_signal(signal.SIGKILL)
        running.communicate()
    done = kensoku(scenario.parent, *command[1:])
    assert done.returncode == 0, done.stderr
    assert "stations were written before" in done.stderr
    assert hashes(folder) == hashes(archive)


def test_a_part_of_it_is_the_same_samples(archive: Path, scenario: Path) -> None:
    folder = scenario.parent / "part"
    chosen = ("--start", "2024-01-15T23:59:30Z", "--end", "2024-01-16T00:00:30Z", "--stations", "XX.2")
    done = kensoku(scenario.parent, "simulate", str(scenario), "--out", str(folder), "--jobs", "1", *chosen)
    assert done.returncode == 0, done.stderr
    whole = records(archive).select(station="2").slice(START + 90, START + 149.99).sort()
    for part, trace in zip(records(folder).sort(), whole, strict=True):
        assert np.array_equal(part.data, trace.data)


def test_packets_hold_the_samples_of_the_archive_in_the_order_of_arrival(archive: Path, scenario: Path) -> None:
    path = scenario.parent / "packets.bin"
    assert main(["simulate", str(scenario), "--packets", "--out", str(path)]) == 0
    found: list[WaveformPacket] = []
    messages = io.BytesIO(path.read_bytes())
    while packet := parse_length_prefixed(WaveformPacket, messages):
        found.append(packet)
    arrived = [packet.arrival_ns for packet in found]
    assert arrived == sorted(arrived)
    assert len(found) == 3 * DURATION_S
    (vertical,) = records(archive).select(station="1", component="Z")
    seconds = [decode_packet(packet)[0].samples for packet in found if packet.station == "1"]
    assert np.array_equal(np.concatenate(seconds), vertical.data)


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "found no SCENARIO or no --out DIR, expected both"),
        (("nowhere", "--out", "OUT"), "scenario 'nowhere': found no such file; expected a path, or one of aftershocks"),
        (("quiet", "--out", "OUT", "--stations", "ZZ.*"), "found no station 'ZZ.*' in quiet; expected some of XQ.01"),
        (
            ("quiet", "--out", "OUT", "--start", "2020-01-01"),
            "expected a stretch of the scenario's 2024-05-14T00:00:00",
        ),
        (("quiet", "--out", "."), "found files that are none of ours; expected a new or an empty folder"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    places = {"OUT": str(tmp_path / "out"), ".": str(tmp_path)}
    assert main(["simulate", *(places.get(argument, argument) for argument in arguments)]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_every_mistake_of_a_scenario_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(SCENARIO.replace("seed = 11", "sede = 11").replace("count = 3", "count = -3"))
    done = kensoku(tmp_path, "simulate", str(path), "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "line 3, sede: found an unknown key sede; did you mean seed?" in done.stderr
    assert "count: found -3; expected greater than 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_of_another_simulation_is_left_alone(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(archive)
    assert main(["simulate", "quiet", "--out", str(archive)]) == 2
    assert "found another simulation" in capsys.readouterr().err
    assert hashes(archive) == before


def test_a_full_disk_is_told_and_the_same_call_goes_on(archive: Path, scenario: Path) -> None:
    """No file may be larger than 20 kB, which to a program is a full disk."""
    folder = scenario.parent / "full"
    command = [KENSOKU, "simulate", str(scenario), "--out", str(folder), "--jobs", "1"]
    limited = ["bash", "-c", f"trap '' XFSZ; ulimit -f 20; exec {shlex.join(command)}"]
    done = run(scenario.parent, limited)
    assert done.returncode == 1, done.stderr
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "manifest.json").exists()
    assert kensoku(scenario.parent, *command[1:]).returncode == 0
    assert hashes(folder) == hashes(archive)


def test_the_bundled_scenarios_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["aftershocks", "bad-day", "kumamoto", "national", "quarries", "quiet"]
