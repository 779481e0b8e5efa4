"""The replay over a memory bus: everything arrives, nothing twice, and a fault or a stop costs no more than it must."""

import errno
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from obspy import Stream, Trace, UTCDateTime

from kensoku.acquisition import position
from kensoku.acquisition.replay import run
from kensoku.acquisition.settings import AcquisitionSettings
from kensoku.bus import Bus, Message, open_bus
from kensoku.errors import InputInvalid, SourceUnavailable
from kensoku.packets import decode_packet, read_packet
from kensoku.runtime import Pulse
from kensoku.settings import load_settings
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, TIME_KIND_REPLAY, WaveformPacket

START = UTCDateTime(2019, 7, 4, 15, 50)
SECOND_NS = 10**9
Tune = Callable[..., AcquisitionSettings]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two stations of two channels, 20 seconds; one begins five seconds later and a little off the grid."""
    folder = tmp_path / "archive"
    folder.mkdir()
    random = np.random.default_rng(1)
    for station, start in (("ADO", START), ("PASC", START + 5.002986)):
        for code in ("HHN", "HHZ"):
            counts = np.cumsum(random.normal(0, 30, 2000)).astype(np.int32)
            header = {"network": "CI", "station": station, "channel": code, "sampling_rate": 100.0, "starttime": start}
            Stream([Trace(counts, header)]).write(str(folder / f"{station}.{code}.mseed"), format="MSEED", reclen=512)
    return folder


@pytest.fixture
def tune(tmp_path: Path, archive: Path) -> Tune:
    given: dict[str, object] = {
        "home": tmp_path,
        "acquisition_source": archive,
        "acquisition_speed": "max",
        "acquisition_packet_s": 1,
    }

    def settings(**changes: object) -> AcquisitionSettings:
        named = {f"acquisition_{name}": value for name, value in changes.items()}
        return load_settings(AcquisitionSettings, {**given, **named})

    return settings


def messages(bus: Bus, topic: str) -> list[Message]:
    return list(bus.read(topic, start="earliest", follow=False))


def packets(bus: Bus) -> list[WaveformPacket]:
    return [read_packet(message.value or b"") for message in messages(bus, "waveforms")]


def seconds(bus: Bus) -> list[tuple[str, float]]:
    return sorted((p.station, (p.start_ns - START.ns) // SECOND_NS) for p in packets(bus))


ALL = [("ADO", k) for k in range(20)] + [("PASC", k) for k in range(5, 25)]


class Clock:
    """Time passes only when somebody waits."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns


class Stop(threading.Event):
    """Waiting moves the clock; is set when the bus holds so many packets."""

    def __init__(self, clock: Clock | None = None, after: Callable[[], bool] = lambda: False) -> None:
        super().__init__()
        self._clock = clock
        self._after = after

    def wait(self, timeout: float | None = None) -> bool:
        assert self._clock is not None
        assert timeout is not None
        self._clock.now_ns += round(timeout * 1e9)
        return self.is_set()

    def is_set(self) -> bool:
        return super().is_set() or self._after()


def test_every_sample_of_the_archive_arrives(bus: Bus, tune: Tune) -> None:
    run(tune(), bus, Pulse(), threading.Event())
    assert seconds(bus) == ALL
    decoded = [channel for packet in packets(bus) for channel in decode_packet(packet)]
    assert sum(channel.samples.size for channel in decoded) == 8000
    assert {message.key for message in messages(bus, "waveforms")} == {"CI.ADO", "CI.PASC"}
    assert all(packet.time_kind == TIME_KIND_REPLAY for packet in packets(bus))


def test_a_fast_replay_sends_five_seconds_together_and_the_same_samples(tune: Tune) -> None:
    sent: list[dict[tuple[str, str, int], int]] = []
    for packet_s in (1, 0):
        with open_bus("memory://") as bus:
            run(tune(packet_s=packet_s), bus, Pulse(), threading.Event())
            found = packets(bus)
            samples = {
                (packet.station, channel.code, channel.start_ns + round(i * 1e9 / channel.rate_hz)): int(count)
                for packet in found
                for channel in decode_packet(packet)
                for i, count in enumerate(channel.samples)
            }
        assert len(samples) == 8000
        sent.append(samples)
    assert sent[0] == sent[1]
    firsts = sorted((packet.station, (packet.start_ns - START.ns) // SECOND_NS) for packet in found)
    assert firsts == [("ADO", k) for k in (0, 5, 10, 15)] + [("PASC", k) for k in (5, 10, 15, 20)]


@pytest.mark.parametrize(("speed", "packet_s"), [("1", 1), ("5", 1), ("6", 5), ("max", 5)])
def test_real_time_is_sent_second_by_second(tune: Tune, speed: str, packet_s: int) -> None:
    assert tune(speed=speed, packet_s=0).packet_s == packet_s


def test_a_replay_repeats_to_the_byte(tune: Tune) -> None:
    sent = []
    for _ in range(2):
        with open_bus("memory://") as bus:
            run(tune(), bus, Pulse(), threading.Event())
            sent.append([message.value for message in messages(bus, "waveforms")])
    assert sent[0] == sent[1]


@pytest.mark.parametrize(("speed", "lasts_s"), [("1", 25.0), ("10", 2.5)])
def test_the_speed_is_kept(bus: Bus, tune: Tune, speed: str, lasts_s: float) -> None:
    clock = Clock(1_700_000_000 * SECOND_NS)
    run(tune(speed=speed), bus, Pulse(), Stop(clock), clock_ns=clock)
    assert (clock.now_ns - 1_700_000_000 * SECOND_NS) / 1e9 == pytest.approx(lasts_s)


def test_shifted_times_begin_now_by_whole_seconds(bus: Bus, tune: Tune) -> None:
    clock = Clock(1_700_000_000_300_000_000)
    run(tune(times="now", speed="1"), bus, Pulse(), Stop(clock), clock_ns=clock)
    found = packets(bus)
    assert min(p.start_ns for p in found) == 1_700_000_000 * SECOND_NS
    assert {p.start_ns % SECOND_NS for p in found if p.station == "PASC"} >= {2_986_000}
    assert all(p.time_kind == TIME_KIND_LIVE for p in found)
    assert all(0 <= p.arrival_ns - p.start_ns <= 1.1 * SECOND_NS for p in found)


@pytest.mark.parametrize("stopped_after", [1, 7, 19, 30])
def test_a_stopped_replay_goes_on_where_it_was(bus: Bus, tune: Tune, stopped_after: int) -> None:
    run(tune(), bus, Pulse(), Stop(after=lambda: len(messages(bus, "waveforms")) >= stopped_after))
    assert len(messages(bus, "waveforms")) == stopped_after
    run(tune(), bus, Pulse(), threading.Event())
    assert seconds(bus) == ALL


def test_after_a_crash_nothing_is_lost_and_little_comes_again(bus: Bus, tune: Tune) -> None:
    def fail_at_the_thirtieth(station: str) -> bool:
        if len(messages(bus, "waveforms")) == 29:
            raise RuntimeError("crash")
        return True

    with pytest.raises(RuntimeError, match="crash"):
        run(tune(max_unflushed=10), bus, Pulse(), threading.Event(), fail_at_the_thirtieth)
    run(tune(max_unflushed=10), bus, Pulse(), threading.Event())
    assert sorted(set(seconds(bus))) == ALL
    assert len(seconds(bus)) - len(ALL) < 10


def test_a_finished_replay_begins_anew(bus: Bus, tune: Tune, tmp_path: Path) -> None:
    for _ in range(2):
        run(tune(), bus, Pulse(), threading.Event())
    assert len(seconds(bus)) == 2 * len(ALL)
    assert not list(tmp_path.glob("acquisition/*"))


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"second": 1}'])
def test_from_a_damaged_position_the_source_begins_anew(
    bus: Bus, tune: Tune, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    run(tune(), bus, Pulse(), Stop(after=lambda: len(messages(bus, "waveforms")) >= 3))
    before = len(messages(bus, "waveforms"))
    (path,) = tmp_path.glob("acquisition/*.json")
    path.write_text(damage)
    run(tune(acquisition_speed=None), bus, Pulse(), threading.Event())
    assert any("the source begins anew" in line for line in caplog.messages)
    values = [message.value for message in messages(bus, "waveforms")]
    assert values[:before] == values[before : 2 * before]


def test_a_full_disk_silences_no_station(
    bus: Bus, tune: Tune, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "kensoku")
    save, pulse, notes = position.save, Pulse(), list[str]()

    def save_later(path: Path, reached: position.SourcePosition) -> None:
        notes.append(pulse.notes().get("position", ""))
        if len(notes) <= 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(path, reached)

    monkeypatch.setattr(position, "save", save_later)
    run(tune(max_unflushed=5), bus, pulse, threading.Event())
    assert seconds(bus) == ALL
    told = "not kept, a restart repeats what comes: No space left on device"
    assert notes[:6] == ["", told, told, told, "", ""]
    kept = [record.message for record in caplog.records if " kept" in record.message]
    assert [message.partition(" is ")[2][:10] for message in kept] == ["not kept, ", "kept again"]


def test_a_place_that_cannot_be_written_at_all_ends_acquisition(bus: Bus, tune: Tune, tmp_path: Path) -> None:
    (tmp_path / "acquisition").touch()
    with pytest.raises(FileExistsError):
        run(tune(max_unflushed=5), bus, Pulse(), threading.Event())


@pytest.mark.parametrize(("is_same_bus", "warnings"), [(True, 0), (False, 1)])
def test_only_a_new_memory_bus_has_forgotten_what_was_published(
    is_same_bus: bool, warnings: int, bus: Bus, tune: Tune, caplog: pytest.LogCaptureFixture
) -> None:
    run(tune(), bus, Pulse(), Stop(after=lambda: len(messages(bus, "waveforms")) >= 3))
    run(tune(), bus if is_same_bus else open_bus("memory://"), Pulse(), threading.Event())
    assert sum("forgot" in record.message for record in caplog.records) == warnings


def test_a_loop_repeats_until_it_is_stopped(bus: Bus, tune: Tune) -> None:
    run(tune(loop=True), bus, Pulse(), Stop(after=lambda: len(messages(bus, "waveforms")) >= 100))
    assert len(seconds(bus)) == 100
    assert set(seconds(bus)) == set(ALL)


def test_stations_and_times_can_be_chosen(bus: Bus, tune: Tune) -> None:
    run(tune(stations="NN.*, CI.P*", start="2019-07-04T15:50:08Z", end="2019-07-04T15:50:10Z"), bus, Pulse(), Stop())
    assert {p.station for p in packets(bus)} == {"PASC"}
    assert sum(c.samples.size for p in packets(bus) for c in decode_packet(p)) == 400


def test_a_disabled_station_is_left_out_from_then_on(bus: Bus, tune: Tune) -> None:
    run(tune(), bus, Pulse(), threading.Event(), lambda station: station != "CI.ADO")
    assert {p.station for p in packets(bus)} == {"PASC"}


def test_a_bad_file_is_rejected_and_the_others_go_on(bus: Bus, tune: Tune, archive: Path) -> None:
    (archive / "empty.mseed").touch()
    (archive / "readme.txt").write_text("no waveform")
    run(tune(), bus, Pulse(), threading.Event())
    assert seconds(bus) == ALL
    rejected = {message.key: (message.value, dict(message.headers)) for message in messages(bus, "waveforms.rejected")}
    assert rejected.keys() == {"empty.mseed", "readme.txt"}
    assert rejected["readme.txt"][0] == b"no waveform"
    assert rejected["empty.mseed"][1]["reason"].startswith(b"found an empty file, expected waveforms")
    assert rejected["empty.mseed"][1]["origin"] == b"files/empty.mseed/0"


def test_a_file_of_rejects_is_quarantined(
    bus: Bus, tune: Tune, archive: Path, caplog: pytest.LogCaptureFixture
) -> None:
    random = np.random.default_rng(2)
    counts = np.cumsum(random.normal(0, 100_000, 300_000)).astype(np.int32)
    header = {"network": "CI", "station": "BAD", "channel": "HHZ", "sampling_rate": 100.0, "starttime": START}
    path = archive / "bad.mseed"
    Stream([Trace(counts, header)]).write(str(path), format="MSEED", reclen=512)
    content = bytearray(path.read_bytes())
    for record in range(1, len(content) // 512):
        content[512 * record + 75] ^= 0xFF  # the last sample as the record has it
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        run(tune(max_rejects=20), bus, Pulse(), threading.Event())
    assert 20 <= len(messages(bus, "waveforms.rejected")) < 200 < len(content) // 512
    assert [line for line in caplog.messages if "quarantined after 20 rejects" in line and "bad.mseed" in line]
    assert {s for s in seconds(bus) if s[0] != "BAD"} == set(ALL)


def test_a_missing_sample_is_told_and_travels(
    bus: Bus, tune: Tune, archive: Path, caplog: pytest.LogCaptureFixture
) -> None:
    floats = np.ones(100, np.float32)
    floats[50] = np.nan
    header = {"network": "CI", "station": "NAN", "channel": "HHZ", "sampling_rate": 100.0, "starttime": START}
    Stream([Trace(floats, header)]).write(str(archive / "nan.mseed"), format="MSEED")
    with caplog.at_level(logging.WARNING):
        run(tune(), bus, Pulse(), threading.Event())
    (packet,) = [p for p in packets(bus) if p.station == "NAN"]
    assert np.flatnonzero(np.isnan(decode_packet(packet)[0].samples)).tolist() == [50]
    assert "CI.NAN..HHZ has samples that are no finite number; they travel as missing" in caplog.messages


def test_a_folder_without_waveforms_is_an_error(bus: Bus, tune: Tune, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing")
    with pytest.raises(InputInvalid, match="found 1 files and no waveform in .*, expected miniSEED .*; check the path"):
        run(tune(source=folder), bus, Pulse(), threading.Event())


def test_a_choice_without_waveforms_is_an_error(bus: Bus, tune: Tune) -> None:
    with pytest.raises(InputInvalid, match="expected stations 'XX.*'"):
        run(tune(stations="XX.*"), bus, Pulse(), threading.Event())


@pytest.mark.real_data
def test_recorded_archives_arrive_whole(tune: Tune) -> None:
    folder = Path(__file__).parents[3] / "shared/data/continuous"
    if not folder.is_dir():
        pytest.skip(f"the recorded waveforms are not at {folder}")
    for path in sorted(folder.glob("*.mseed")):
        begin = {"colombia": "2017-10-15T06:30", "ghana": "2012-10-09T12:10"}.get(path.name.split("_")[0])
        begin = begin or ("2019-07-04T16:00" if "20190704" in path.name else "2019-07-07T08:00")
        settings = tune(source=path, start=f"{begin}:00Z", end=f"{begin}:20Z")
        with open_bus("memory://") as bus:
            run(settings, bus, Pulse(), threading.Event())
            found = packets(bus)
        stations = {packet.station for packet in found}
        assert len(stations) >= 6
        # Sample times off the second may leave one sample of a channel on either side of the chosen stretch.
        assert sum(c.samples.size for p in found for c in decode_packet(p)) == pytest.approx(
            6000 * len(stations), abs=99
        )


def test_turns_of_a_fast_loop_follow_each_other(bus: Bus, tune: Tune) -> None:
    """At ten times the speed the first has come 22 s further than the clock when the second begins."""
    clock = Clock(1_700_000_000_300_000_000)
    stop = Stop(clock, after=lambda: len(messages(bus, "waveforms")) >= 2 * len(ALL))
    run(tune(times="now", speed="10", loop=True), bus, Pulse(), stop, clock_ns=clock)
    for station, count in (("ADO", 20), ("PASC", 20)):
        starts = sorted(p.start_ns for p in packets(bus) if p.station == station)
        turns = starts[:count], starts[count:]
        assert len(set(starts)) == 2 * count
        assert {after - before for before, after in zip(*turns, strict=True)} == {25 * SECOND_NS}


def test_a_file_that_vanishes_is_left_out_and_the_others_go_on(bus: Bus, tune: Tune, archive: Path) -> None:
    def remove_one(station: str) -> bool:
        (archive / "PASC.HHN.mseed").unlink(missing_ok=True)
        (archive / "PASC.HHZ.mseed").unlink(missing_ok=True)
        return True

    run(tune(), bus, Pulse(), threading.Event(), remove_one)
    assert [second for second in seconds(bus) if second[0] == "ADO"] == [one for one in ALL if one[0] == "ADO"]
    reasons = {dict(message.headers)["reason"].decode() for message in messages(bus, "waveforms.rejected")}
    assert any("found that it cannot be read (No such file or directory)" in reason for reason in reasons)


def test_an_archive_that_vanishes_is_waited_for(bus: Bus, tune: Tune, archive: Path, tmp_path: Path) -> None:
    def move(station: str) -> bool:
        if archive.exists():
            archive.rename(tmp_path / "away")
        return True

    with pytest.raises(SourceUnavailable, match="found no .*archive any more"):
        run(tune(), bus, Pulse(), threading.Event(), move)
    (tmp_path / "away").rename(archive)
    run(tune(), bus, Pulse(), threading.Event())
    assert sorted(set(seconds(bus))) == ALL
