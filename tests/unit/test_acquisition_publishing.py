"""Never too far ahead of the bus, too much rubbish of a file ends it, and a place on disk is whole or not there."""

import os
from pathlib import Path

import pytest

from kensoku.acquisition.position import SourcePosition, load, position_path, save
from kensoku.acquisition.publishing import Publisher
from kensoku.acquisition.waveform_files import Fault
from kensoku.bus import Bus, MessagesRefused, Refusal

FILE = Path("CI.PASC.mseed")
POSITION = SourcePosition(second=1_562_255_400, station="CI.PASC", shift_ns=7, turn=2)


def fault(number: int = 0) -> Fault:
    return Fault(FILE, 512 * number, "found a header that no record has", b"rubbish")


def test_what_is_rejected_counts_as_unanswered_until_the_bus_has_it(bus: Bus) -> None:
    publisher = Publisher(bus, "test", max_unflushed=2, max_rejects=10)
    is_full = []
    for number in range(2):
        publisher.reject(fault(number))
        is_full.append(publisher.is_full)
    publisher.flush()
    assert [*is_full, publisher.is_full] == [False, True, False]


def test_a_file_is_left_out_from_so_many_rejects_on(bus: Bus) -> None:
    publisher = Publisher(bus, "test", max_unflushed=100, max_rejects=3)
    is_left_out = []
    for number in range(3):
        publisher.reject(fault(number))
        is_left_out.append(publisher.is_quarantined(FILE))
    assert is_left_out == [False, False, True]
    assert not publisher.is_quarantined(Path("another.mseed"))


def test_a_file_whose_name_is_no_utf_8_is_rejected_as_any_other(bus: Bus, caplog: pytest.LogCaptureFixture) -> None:
    path = Path(os.fsdecode(b"s\xe9isme.dat"))
    publisher = Publisher(bus, "test", max_unflushed=2, max_rejects=1)
    publisher.reject(Fault(path, 0, f"found no waveforms in {path}", b"rubbish"))
    publisher.flush()
    (rejected,) = bus.read("waveforms.rejected")
    assert rejected.key == r"s\udce9isme.dat"
    assert dict(rejected.headers)["reason"] == rb"found no waveforms in s\udce9isme.dat"
    assert [message.encode().count(rb"s\udce9isme.dat") for message in caplog.messages] == [2, 1]


def test_that_a_packet_was_refused_is_safe_when_the_flush_returns(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes = []

    def refuse_once(*_: object) -> None:
        flushes.append(len(list(bus.read("waveforms.rejected"))))
        if len(flushes) == 1:
            raise MessagesRefused([Refusal("waveforms", "CI.PASC", b"", "it is too large")])

    monkeypatch.setattr(bus, "flush", refuse_once)
    Publisher(bus, "test", max_unflushed=100, max_rejects=3).flush()
    assert flushes == [0, 1]
    (rejected,) = bus.read("waveforms.rejected")
    assert dict(rejected.headers)["reason"] == b"it is too large"


def test_a_position_is_read_as_it_was_saved_and_a_failure_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = position_path(tmp_path, "archive", "CI.*")
    save(path, POSITION)

    def disk_is_full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", disk_is_full)
    with pytest.raises(OSError, match="no space left"):
        save(path, SourcePosition(second=0, station="", shift_ns=0))
    assert load(path) == POSITION
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_two_selections_have_two_positions_though_they_read_the_same_in_a_row(tmp_path: Path) -> None:
    assert position_path(tmp_path, "ab", "c") != position_path(tmp_path, "a", "bc")
