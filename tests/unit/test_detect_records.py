"""The records that `kensoku detect` draws: those of the minutes around an event, whatever its files hold."""

import argparse
from pathlib import Path

import numpy as np
import pytest
from obspy import Trace, UTCDateTime

from kensoku.cli import _event_pictures
from kensoku.cli._associating import Earth
from kensoku.cli._event_pictures import draw, records_of
from kensoku.cli._pick_files import Faults, Wanted, find, scan
from kensoku.pictures import record_section
from tests.associations import make_context
from tests.catalogue import ORIGIN_NS, make_event


def test_a_channel_goes_on_at_another_rate_in_another_file(tmp_path: Path) -> None:
    about = {"network": "CI", "station": "TOW2", "channel": "HHZ"}
    samples, origin = np.random.default_rng(1).normal(0, 100, 10_000).astype(np.int32), UTCDateTime(ns=ORIGIN_NS)
    for number, (start, rate_hz) in enumerate([(origin - 30, 100.0), (origin + 70, 50.0)]):
        header = {**about, "sampling_rate": rate_hz, "starttime": start}
        Trace(samples, header).write(str(tmp_path / f"{number}.mseed"), format="MSEED")
    wanted = Wanted()
    stretches = scan(find([str(tmp_path)], wanted), wanted, Faults(), lambda _: None)
    stream = records_of(make_event(), "*", stretches)
    assert [(trace.stats.sampling_rate, trace.stats.starttime - origin) for trace in stream] == [(100, -10), (50, 70)]
    assert [trace.stats.endtime - origin for trace in stream] == [69.99, 89.98]
    record_section(make_event(), stream, tmp_path / "section.png")


def test_events_of_which_there_is_no_picture_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_event_pictures, "MOST_PICTURES", 1)
    small, large = make_event("small", time_s=60), make_event("large")
    del small.arrivals[4:]
    options = argparse.Namespace(out=tmp_path, stations="*")
    draw([large, small], options, [], {}, Earth(make_context().model, make_context().tables))
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["2019-07-04T155342_large.png"]
    assert "pictures: 1 of 2 events, those with the most arrivals" in capsys.readouterr().out
