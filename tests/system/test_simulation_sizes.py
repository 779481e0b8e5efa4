"""From counts and StationXML back to the catalogue's sizes, by ObsPy."""

import numpy as np
import pytest

from benchmarks.simulation_sizes import Readings, read_all

MAGNITUDES = (0.5, 2.0, 3.5, 5.0)


@pytest.fixture(scope="module")
def readings() -> Readings:
    return read_all(MAGNITUDES, events=5, stations=10)


def test_stations_read_the_magnitude_of_the_catalogue(readings: Readings) -> None:
    over = np.array([reading.over for reading in readings.magnitudes])
    assert np.mean(over) == pytest.approx(0.0, abs=0.06)  # a standard error of about 0.02
    assert 0.15 < np.std(over) < 0.38
    for ml in MAGNITUDES:
        assert np.mean([each.over for each in readings.magnitudes if each.ml == ml]) == pytest.approx(0.0, abs=0.15)


def test_spectra_of_s_give_the_stress_drop(readings: Readings) -> None:
    ratios = list(readings.stress_ratios("S").values())
    assert len(ratios) >= 5
    assert 0.7 < np.median(ratios) < 1.3
