"""Recorded earthquakes are picked where analysts picked them, whatever files, order and start."""

import csv
from pathlib import Path

import obspy
import pytest
from obspy import Stream, UTCDateTime

from kensoku.cli.main import main

DATA = Path(__file__).parents[3] / "shared" / "data"
RECORDS = DATA / "continuous" / "ridgecrest_20190704_1550.mseed"
CATALOGUE = DATA / "catalogs" / "phase_20190704_until_1710.dat"
STATIONS = ("WBM", "CLC", "B921")  # one of which starts 2.99 ms beside the grid
START, END = UTCDateTime("2019-07-04T16:02:00Z"), UTCDateTime("2019-07-04T16:30:00Z")

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not RECORDS.exists(), reason="found no recorded waveforms beside the project"),
]


@pytest.fixture(scope="module")
def stream() -> Stream:
    whole = obspy.read(str(RECORDS), starttime=START, endtime=END)
    return Stream(trace for trace in whole if trace.stats.station in STATIONS)


def picked(tmp_path: Path, records: Path, *more: str) -> list[dict[str, str]]:
    assert main(["pick", str(records), f"--out={tmp_path / 'picks.csv'}", *more]) == 0
    with (tmp_path / "picks.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(stream: Stream, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    folder = tmp_path_factory.mktemp("whole")
    stream.write(str(folder / "records.mseed"), format="MSEED")
    return picked(folder, folder / "records.mseed")


def test_picks_lie_where_analysts_put_them(whole: list[dict[str, str]]) -> None:
    """Of the event at 16:13:42 there are P and S at two of these stations, to 0.1 s and 0.2 s."""
    of_event = [line.split(",") for line in CATALOGUE.read_text().splitlines()[1:20] if "T16:13:" in line]
    expected = [(row[0], phase, UTCDateTime(row[n])) for row in of_event for n, phase in ((1, "P"), (2, "S"))]
    expected = [one for one in expected if one[0].split(".")[1] in STATIONS]
    assert len(expected) == 4
    for station, phase, time in expected:
        near = [
            abs(UTCDateTime(row["time"]) - time) for row in whole if (row["station"], row["phase"]) == (station, phase)
        ]
        assert min(near) < (0.1 if phase == "P" else 0.2)


def test_other_files_in_another_order_give_the_same_picks(
    stream: Stream, whole: list[dict[str, str]], tmp_path: Path
) -> None:
    pieces = tmp_path / "pieces"
    pieces.mkdir()
    edges = [START, START + 137.3, START + 11 * 60 + 49.1, START + 1301.03, END + 1]
    for number, (first, last) in enumerate(zip(edges, edges[1:], strict=False)):
        for trace in stream.slice(first, last):
            trace.write(str(pieces / f"{9 - number}.{trace.id}.mseed"), format="MSEED")
    assert picked(tmp_path, pieces) == whole


def test_another_start_gives_the_same_picks(stream: Stream, whole: list[dict[str, str]], tmp_path: Path) -> None:
    """From where the model, and a measurement, no longer see the start."""
    later = START + 217.77
    stream.slice(later).write(str(tmp_path / "later.mseed"), format="MSEED")
    seen_s = 60.0
    expected = [row for row in whole if UTCDateTime(row["time"]) > later + seen_s]
    found = [row for row in picked(tmp_path, tmp_path / "later.mseed") if UTCDateTime(row["time"]) > later + seen_s]
    assert [row["id"] for row in found] == [row["id"] for row in expected]
    for one, other in zip(found, expected, strict=True):
        assert abs(UTCDateTime(one["time"]) - UTCDateTime(other["time"])) < 1e-3
        assert float(one["score"]) == pytest.approx(float(other["score"]), abs=1e-3)
