"""How `kensoku detect` sizes and types events: by the files that the live service takes."""

import argparse
from pathlib import Path

import pytest

from kensoku.cli import detect
from kensoku.cli._associating import Earth
from kensoku.errors import InputInvalid
from kensoku.solving import Context
from tests.associations import PLACES, STATIONS, make_context
from tests.time_grids import write_grids

QUARRY = """{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point",
    "coordinates": [137.0, 37.0]}, "properties": {"name": "Pit", "radius_km": 2}}]}"""


def context_with(*given: str) -> Context:
    parser = argparse.ArgumentParser()
    detect.configure(parser)
    options = parser.parse_args(["none", "--inventory", "none.xml", "--out", "none", *given])
    return detect.context_of(options, STATIONS, Earth(make_context().model, make_context().tables))


def test_formulas_corrections_quarries_and_working_hours_are_those_that_are_given(tmp_path: Path) -> None:
    quarries, corrections = tmp_path / "quarries.json", tmp_path / "corrections.csv"
    quarries.write_text(QUARRY)
    corrections.write_text("formula,station,correction\nhutton-boore/1987,XX.A,0.2\n")
    given = ["--quarries", str(quarries), "--magnitude-corrections", str(corrections), "--utc-offset-h", "9"]
    rules = context_with("--formulas", "hutton-boore-1987,tsuboi-1954", *given).rules
    assert [each.name for each in rules.formulas] == ["hutton-boore", "tsuboi"]
    assert [each.name for each in rules.quarries] == ["Pit"]
    assert rules.types.utc_offset_h == 9.0
    assert "hutton-boore/1987" in rules.corrections


def test_without_them_they_are_those_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quarries = tmp_path / "quarries.json"
    quarries.write_text(QUARRY)
    assert context_with().rules.quarries == ()
    monkeypatch.setenv("KENSOKU_LOCATION_QUARRIES", str(quarries))
    assert len(context_with().rules.quarries) == 1
    with pytest.raises(InputInvalid, match="cannot be read"):
        context_with("--quarries", str(tmp_path / "none.json"))


def test_time_grids_are_those_of_stations_that_are_known(tmp_path: Path) -> None:
    assert context_with().grids_sha256 == ""
    context = context_with("--time-grids", str(write_grids(tmp_path / "grids", PLACES)))
    assert {code for code, _ in context.grids} == set(STATIONS)
    assert context.grids_sha256
