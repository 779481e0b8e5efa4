"""Continuous records become examples: with somebody's picks, or as noise."""

from pathlib import Path

import numpy as np
import obspy
import pytest

from kensoku.training.datasets.continuous import Continuous, PickColumns, find_continuous
from kensoku.training.datasets.labels import LabelRule
from kensoku.training.datasets.records import load_all
from kensoku.training.datasets.streams import to_tracks
from kensoku.training.examples import Example, Onset

START = obspy.UTCDateTime("2024-01-01T00:00:00Z")


def write(path: Path, stations: str = "ABCD", burst_s: float | None = None, rate_hz: float = 100.0) -> None:
    chance = np.random.default_rng(1)
    traces = []
    for number, station in enumerate(stations):
        for component in "ZNE":
            samples = chance.normal(scale=100, size=round(180 * rate_hz))
            if burst_s is not None and number < 3:
                samples[round((burst_s + number) * rate_hz) :][: round(3 * rate_hz)] *= 20
            header = {"network": "XX", "station": station, "channel": f"HH{component}", "starttime": START}
            traces.append(obspy.Trace(samples.astype(np.int32), {**header, "sampling_rate": rate_hz}))
    obspy.Stream(traces).write(str(path), format="MSEED")


def read(path: Path, picks: Path | None, is_noise: bool, rule: LabelRule | None = None) -> list[Example]:
    columns = PickColumns(score="{score}", event="{event}", no_event="-1")
    file = Continuous(
        path=path,
        picks=picks,
        source="test",
        region="here",
        window_s=60,
        is_noise=is_noise,
        columns=columns,
        rule=rule or LabelRule(),
    )
    return list(load_all(find_continuous(file)))


def test_picks_of_an_event_are_onsets_and_all_else_is_unknown(tmp_path: Path) -> None:
    path, picks = tmp_path / "day.mseed", tmp_path / "picks.csv"
    write(path, "A")
    rows = [
        "XX.A,P,2024-01-01T00:01:10Z,0.9,7",
        "XX.A,S,2024-01-01T00:01:13Z,0.5,7",
        "XX.A,P,2024-01-01T00:01:14Z,0.4,-1",
    ]
    picks.write_text("\n".join(["station,phase,time,score,event", *rows]))
    [example] = read(path, picks, False, LabelRule(known_before_s=2, known_after_s=2))
    assert example.onsets == (Onset("P", 1000, 0.9), Onset("S", 1300, 0.5))
    assert [(span.first, span.last) for span in example.unknown if span.phase == "P"] == [(-6000, 799), (1300, 11999)]
    assert (example.origin.station, example.length) == ("XX.A", 6000)
    assert example.origin.event == "test 2024-01-01T00:01:00.000+00:00"


def test_stations_that_begin_later_share_the_earthquakes_of_the_others(tmp_path: Path) -> None:
    path, picks = tmp_path / "day.mseed", tmp_path / "picks.csv"
    write(path, "AB")
    stream = obspy.read(str(path))
    for trace in stream.select(station="B"):
        trace.trim(START + 60.01)
    stream.write(str(path), format="MSEED")
    rows = [f"XX.{station},P,2024-01-01T00:01:30Z,0.9,7" for station in "AB"]
    picks.write_text("\n".join(["station,phase,time,score,event", *rows]))
    examples = read(path, picks, False)
    events = {each.origin.station: each.origin.event for each in examples if each.onsets}
    assert events["XX.A"] == events["XX.B"]


def test_what_three_stations_saw_is_not_noise_at_a_fourth(tmp_path: Path) -> None:
    path = tmp_path / "day.mseed"
    write(path, burst_s=80.0)
    examples = read(path, None, True)
    fourth = [example for example in examples if example.origin.station == "XX.D"]
    assert [len(example.unknown) for example in fourth] == [0, 2, 0]
    span = fourth[1].unknown[0]
    assert (span.first, span.last) == pytest.approx((1500, 5200), abs=60)
    assert {example.origin.kind for example in examples} == {"noise"}


def test_records_of_another_rate_are_resampled_in_place(tmp_path: Path) -> None:
    path = tmp_path / "day.mseed"
    write(path, "A", burst_s=80.0, rate_hz=250.0)
    [track] = to_tracks(obspy.read(str(path)))
    assert track.counts.shape == (3, 18000)
    assert track.sample(START.timestamp + 80) == pytest.approx(8000)
    loud = np.abs(track.counts[0]) > 1000
    assert np.flatnonzero(loud)[0] == pytest.approx(8000, abs=10)


def test_a_gap_is_missing() -> None:
    trace = obspy.Trace(np.arange(1000, dtype=np.int32), {"channel": "HHZ", "starttime": START, "sampling_rate": 100})
    later = obspy.Trace(
        np.arange(500, dtype=np.int32), {"channel": "HHZ", "starttime": START + 20, "sampling_rate": 100}
    )
    [track] = to_tracks([trace, later])
    missing = np.isnan(track.counts)
    assert missing[1:].all()
    assert np.flatnonzero(missing[0]).tolist() == list(range(1000, 2000))
