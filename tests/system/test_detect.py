"""`kensoku detect` on a recorded swarm: the earthquakes of its catalogue are found where they were."""

import csv
import math
from datetime import datetime
from pathlib import Path

import pytest

from kensoku.cli.main import main

CONTINUOUS = Path(__file__).parents[3] / "shared" / "data" / "continuous"
RECORDS = CONTINUOUS / "ridgecrest_20190704_1550.mseed"
needs_data = pytest.mark.skipif(not RECORDS.exists(), reason="needs ../shared/data, which is not here")
# of the PAL catalogue
KNOWN = (("2019-07-04T17:02:54.8", 35.69, -117.45), ("2019-07-04T17:09:19.6", 35.69, -117.45))


@needs_data
def test_known_earthquakes_are_found_and_drawn(tmp_path: Path) -> None:
    span = ["--start", "2019-07-04T17:02:00Z", "--end", "2019-07-04T17:10:30Z"]
    given = ["--inventory", str(CONTINUOUS / "ridgecrest_stations.csv"), "--velocity-model", "southern-california"]
    assert main(["detect", str(RECORDS), *given, *span, "--model-error", "0.05", "--out", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "events.csv").open() as file:
        events = list(csv.DictReader(file))
    for time, latitude, longitude in KNOWN:
        near = [event for event in events if abs(seconds(event["time"]) - seconds(time)) < 2]
        assert len(near) == 1, time
        north = (float(near[0]["latitude"]) - latitude) * 111.2
        east = (float(near[0]["longitude"]) - longitude) * 111.2 * math.cos(math.radians(latitude))
        assert math.hypot(north, east) < 8
    assert len(list((tmp_path / "out" / "pictures").glob("*.png"))) == len(events)
    assert (tmp_path / "out" / "events.xml").read_text().count("<event ") == len(events)
    with (tmp_path / "out" / "arrivals.csv").open() as file, (tmp_path / "out" / "picks.csv").open() as picks:
        assert {row["pick_id"] for row in csv.DictReader(file)} <= {row["id"] for row in csv.DictReader(picks)}


def seconds(text: str) -> float:
    return datetime.fromisoformat(text[:21] + "+00:00").timestamp()
