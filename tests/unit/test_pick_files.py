"""Which files `kensoku pick` looks at, in which groups, and how picks are sorted and progress is told."""

import io
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kensoku.acquisition.seconds import Span
from kensoku.acquisition.waveform_files import Fault, Stretch
from kensoku.batch import FoundPick
from kensoku.cli import _pick_output
from kensoku.cli._pick_files import TOLD, Faults, Wanted, find, groups
from kensoku.cli._pick_output import in_order
from kensoku.cli._pick_progress import Bar, duration
from kensoku.cli.pick import tell_unknown
from kensoku.times import parse_time_ns
from kensoku.v1.inventory_pb2 import ChannelEpoch, Response, Station

DAY = Span(parse_time_ns("2024-05-14T00:00:00Z"), parse_time_ns("2024-05-15T00:00:00Z"))


def found(time_ns: int, instrument: str = "XX.AAA..HH") -> FoundPick:
    nothing = dict.fromkeys(
        (
            "probability",
            "snr",
            "blast_probability",
            "polarity_confidence",
            "peak_counts",
            "peak_displacement_m",
            "peak_velocity_m_s",
        ),
        None,
    )
    words = (
        "polarity",
        "decision",
        "decision_reason",
        "channels",
        "model",
        "version",
        "model_sha256",
        "inventory_hash",
    )
    texts = dict.fromkeys((*words, "time", "clipped"), "")
    numbers = dict.fromkeys(("score", "uncertainty_s", "noise_probability", "p_probability", "s_probability"), 0.5)
    given: dict[str, object] = {**nothing, **texts, **numbers, "wood_anderson_mm": None, "phase": "P"}
    names = {"station": "XX.AAA", "instrument": instrument, "id": f"{instrument}{time_ns}", "time_ns": time_ns}
    return FoundPick(**given, **names)  # type: ignore[arg-type]  # a row of which only the order matters


def test_picks_are_sorted_with_few_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pick_output, "RUN_PICKS", 7)
    times = np.random.default_rng(0).permutation(50).tolist()
    picks = [found(time) for time in times]
    assert [pick.time_ns for pick in in_order(picks)] == list(range(50))
    assert [pick.time_ns for pick in in_order(picks[:14])] == sorted(times[:14])
    assert list(in_order([])) == []
    together = [found(1, "XX.BBB..HH"), found(1, "XX.AAA..HH")]
    assert [pick.instrument for pick in in_order(together)] == ["XX.AAA..HH", "XX.BBB..HH"]


@pytest.mark.parametrize(
    ("name", "is_looked_at"),
    [
        ("XX.AAA..HHZ.D.2024.135", True),
        ("XX.AAA..HHZ.D.2024.134", True),  # records may cross midnight
        ("XX.AAA..HHZ.D.2024.132", False),
        ("XX.AAA..HHZ.D.2024.137", False),
        ("YY.AAA..HHZ.D.2024.135", False),
        ("anything.mseed", True),
    ],
)
def test_names_of_an_archive_say_what_need_not_be_read(name: str, is_looked_at: bool) -> None:
    assert Wanted("XX.*", DAY).may_hold(Path(name)) is is_looked_at


def test_patterns_are_of_stations_or_of_channels() -> None:
    wanted = Wanted("XX.A*, YY.BBB.10.HH?")
    assert wanted.has_station("XX.AAA")
    assert wanted.has_station("YY.BBB")
    assert not wanted.has_station("YY.CCC")
    assert wanted.has_channel("XX.AAA", "00", "HNZ")
    assert wanted.has_channel("YY.BBB", "10", "HHZ")
    assert not wanted.has_channel("YY.BBB", "", "HHZ")


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    for name in "ba":
        (tmp_path / name).write_text("x")
    assert [path.name for path in find([str(tmp_path / "b"), str(tmp_path), f"{tmp_path}/*"], Wanted())] == ["a", "b"]


def stretch(*stations: str) -> Stretch:
    return Stretch(Path("/".join(stations)), 0, 1, 512, 0, 1, {f"{station}..HHZ": 100.0 for station in stations})


def test_stations_that_share_files_are_read_together() -> None:
    stretches = [stretch("XX.A", "XX.B"), stretch("XX.C"), stretch("XX.B", "XX.D"), stretch("XX.E"), stretch("XX.C")]
    assert [{station for one in group for station in one.stations} for group in groups(stretches, 1)] == [
        {"XX.A", "XX.B", "XX.D"},
        {"XX.C"},
        {"XX.E"},
    ]
    assert [len(group) for group in groups(stretches, 2)] == [4, 1]


def test_the_first_fault_of_a_file_is_told_and_all_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    faults = Faults()
    fault = Fault(Path("a.mseed"), 512, "found a damaged record", b"")
    faults.add(fault)
    faults.add(replace(fault, offset=1024))
    for number in range(TOLD + 5):
        faults.add(replace(fault, path=Path(f"{number}")))
    told = capsys.readouterr().err
    assert "left out: a.mseed at byte 512: found a damaged record" in told
    assert "1024" not in told
    assert len(told.splitlines()) == TOLD + 1
    assert (faults.parts, len(faults.files)) == (TOLD + 7, TOLD + 6)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_moves_on_a_terminal_and_lines_are_told_elsewhere() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        clock = itertools.count(0, 5).__next__  # looked at once a step, and once a line
        with Bar("picking", 100, stream, clock) as bar:
            for _ in range(4):
                bar.step(25)
    assert "\rpicking " in terminal.getvalue()
    assert "100%" in terminal.getvalue()
    assert [line.split()[2] for line in file.getvalue().splitlines()] == ["50%,", "75%,", "100%,"]
    assert "picks" not in file.getvalue(), "where nothing is picked"
    assert [duration(seconds) for seconds in (5, 65, 3725)] == ["5 s", "1 min 05 s", "1 h 02 min"]


def test_patterns_that_no_channel_meets_are_known() -> None:
    wanted = Wanted("XX.A*,YY.BBB.10.HH?,YY.*")
    assert wanted.has_channel("XX.AAA", "", "HHZ")
    assert wanted.has_channel("YY.BBB", "00", "HHZ")  # by its station's pattern
    assert wanted.unmet == ["YY.BBB.10.HH?"]
    assert wanted == Wanted("XX.A*,YY.BBB.10.HH?,YY.*")
    assert Wanted().unmet == [], "where no file can be read, that is what is told"


@pytest.mark.parametrize(("named", "told"), [(("XX.AAA", "XX.BBB"), ""), ((), ""), (("XX.AAA",), "XX.BBB")])
def test_stations_that_the_inventory_lacks_are_told(
    named: Sequence[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """But not without an inventory, nor those that nobody wants."""
    rates = {"XX.AAA..HHZ": 100.0, "XX.BBB..HHZ": 100.0, "YY.CCC..HHZ": 100.0}
    stretch = Stretch(Path("day"), 0, 512, 512, 0, 1, rates)
    tell_unknown([stretch], Wanted("XX.*"), {code: Station(epochs=[ChannelEpoch()]) for code in named})
    said = capsys.readouterr().err
    assert said.startswith(f"note: --inventory: found no {told}, so amplitudes stay in counts") if told else said == ""


@pytest.mark.parametrize(
    ("epoch", "told"),
    [
        (ChannelEpoch(), False),
        (ChannelEpoch(code="HHZ", end_ns=11), False),
        (ChannelEpoch(end_ns=10), True),
        (ChannelEpoch(start_ns=20), True),
        (ChannelEpoch(location="00", code="HHZ"), False),
        (ChannelEpoch(location="00", code="HHZ", response=Response(sensitivity=1.0)), True),
        (ChannelEpoch(code="EHZ", response=Response(sensitivity=1.0)), True),
        (ChannelEpoch(response=Response(sensitivity=1.0)), False),
    ],
)
def test_channels_without_an_epoch_at_the_time_of_their_record_are_told(
    epoch: ChannelEpoch, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    stretch = Stretch(
        Path("day"),
        0,
        512,
        512,
        10,
        20,
        {"XX.AAA..HHZ": 100.0, "XX.AAA..LOG": 1.0, "YY.B..HHZ": 1.0, "XX.AAA.x..HHZ": 1.0},
    )
    tell_unknown([stretch], Wanted("XX.*"), {"XX.AAA": Station(epochs=[epoch]), "YY.B": Station(epochs=[epoch])})
    said = capsys.readouterr().err
    assert said.startswith("note: --inventory: found no epoch of XX.AAA..HHZ at") if told else said == ""
