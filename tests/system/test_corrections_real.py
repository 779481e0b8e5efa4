"""Station corrections learned from recorded arrivals of one day make another day's earthquakes agree."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from kensoku.inventory import read_inventory
from kensoku.locating import (
    Location,
    LocationSettings,
    arrivals_of,
    learn_time_corrections,
    locate_many,
    sites_of,
)
from kensoku.times import parse_time_ns
from kensoku.traveltime import Grid, TravelTimeTable, Wave, build_table, load_model
from kensoku.v1.association_pb2 import AssociatedPick
from kensoku.v1.event_pb2 import Event
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Instrument, Pick

DATA = Path(__file__).parents[3] / "shared" / "data"
CATALOGUES = DATA / "catalogs"
needs_data = pytest.mark.skipif(
    not (CATALOGUES / "phase_20190705-20190706.dat").exists(), reason="needs ../shared/data, which is not here"
)
UNCERTAINTY_S = 0.1


def read(path: Path) -> Iterator[list[AssociatedPick]]:
    """The picks of each event: a line of it, then one a station."""
    picks: list[AssociatedPick] = []
    for line in path.read_text().splitlines():
        station, *times = line.split(",")[:3]
        if station.startswith("20"):  # the origin time
            if picks:
                yield picks
            picks = []
            continue
        network, _, code = station.partition(".")
        instrument = Instrument(network=network, station=code, band_instrument="HH")
        for phase, time in zip((PHASE_P, PHASE_S), times, strict=True):
            pick = Pick(instrument=instrument, onset_ns=parse_time_ns(time), onset_uncertainty_s=UNCERTAINTY_S)
            picks.append(AssociatedPick(pick=pick, phase=phase, probability=1.0))
    if picks:
        yield picks


def as_event(picks: list[AssociatedPick]) -> Event:
    event = Event()
    for each in picks:
        event.arrivals.add(
            phase=each.phase, onset_ns=each.pick.onset_ns, onset_uncertainty_s=UNCERTAINTY_S,
            instrument=each.pick.instrument,
        )  # fmt: skip
    return event


@needs_data
def test_corrections_of_one_day_explain_the_arrivals_of_another() -> None:
    stations = read_inventory({"stations.csv": (DATA / "continuous" / "ridgecrest_stations.csv").read_bytes()}).stations
    model = load_model("southern-california")
    waves: tuple[Wave, Wave] = ("P", "S")
    tables: dict[Wave, TravelTimeTable] = {wave: build_table(model, wave, Grid(300, deepest_km=60)) for wave in waves}
    settings = LocationSettings()
    later = [as_event(picks) for picks in islice(read(CATALOGUES / "phase_20190705-20190706.dat"), 150)]
    learned = learn_time_corrections(later, stations, tables, settings)
    assert learned.rms_after_s < 0.5 * learned.rms_before_s
    corrections = {key: one.correction_s for key, one in learned.corrections.items()}
    rms, disagree = [], []
    for known in ({}, corrections):
        found = []
        for picks in read(CATALOGUES / "phase_20190704_until_1710.dat"):
            reference_ns = min(each.pick.onset_ns for each in picks)
            sites = sites_of([each.pick.instrument for each in picks], stations, reference_ns, known)
            found += locate_many([arrivals_of(picks, reference_ns)], sites, tables, settings)
        located = [one for one in found if isinstance(one, Location)]
        assert len(located) == len(found) == 7
        rms.append(np.median([one.rms_s for one in located]))
        disagree.append(sum(arrival.is_outlier for one in located for arrival in one.arrivals))
    assert rms[1] < 0.5 * rms[0]
    assert disagree[1] < disagree[0]
