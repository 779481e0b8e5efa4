"""Station corrections: learned from events that were made with some, kept in a file, used by who locates."""

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pytest

from kensoku.catalogue_files import Signature, write_catalogue
from kensoku.cli.main import main
from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.locating import (
    Learned,
    LearningSettings,
    LocationSettings,
    TimeCorrection,
    learn_time_corrections,
    read_time_corrections,
    write_time_corrections,
)
from kensoku.v1.event_pb2 import Event
from tests.associations import PLACES, STATIONS, T0_NS, S, make_association, make_context, make_picks

FloatArray = npt.NDArray[np.float64]

PLANTED_S = {"A": 0.30, "B": -0.25, "C": 0.10, "D": -0.15, "E": 0.20, "F": -0.20, "G": 0.05, "H": -0.05}
EXACT = LocationSettings(model_error=0.0, model_error_s=0.05, shallowest_km=0.0, deepest_km=40.0, assumed_depth_km=8.0)


def planted(station: str, phase: str) -> float:
    """Of S 1.7 times that of P, as slow ground below a station makes it."""
    return PLANTED_S[station.removeprefix("XX.")] * (1.7 if phase == "S" else 1.0)


def catalogue(
    count: int, seed: int = 3, outliers: float = 0.0, late_s: Mapping[str, float] = MappingProxyType({})
) -> list[Event]:
    """Earthquakes all over the network, whose picks err by 0.03 s and are late by what is planted, and `late_s` more; a
    share of them errs by up to 3 s instead."""
    chance, events = np.random.default_rng(seed), []
    for number in range(count):
        source = (*chance.uniform(-28, 28, 2), chance.uniform(4, 15))
        picks = make_picks(source=source, at_ns=T0_NS + number * 3600 * S)
        event = Event(id=f"e{number}", revision=1)
        event.origin.time_ns, event.origin.depth_km = T0_NS, 5.0
        for one in make_association(picks).picks:
            arrival = event.arrivals.add(pick_id=one.pick.id, phase=one.phase, onset_uncertainty_s=0.03)
            arrival.instrument.CopyFrom(one.pick.instrument)
            station = one.pick.instrument.station
            error_s = chance.uniform(-3, 3) if outliers and chance.random() < outliers else chance.normal(0, 0.03)
            error_s += planted(station, "PS"[one.phase - 1]) + late_s.get(station, 0.0)
            arrival.onset_ns = one.pick.onset_ns + round(error_s * S)
        events.append(event)
    return events


def test_planted_corrections_are_found_within_their_standard_error() -> None:
    learned = learn_time_corrections(catalogue(80), STATIONS, make_context().tables, EXACT)
    assert learned.is_settled
    assert learned.events >= 70
    missed = []
    for phase in "PS":
        mean_s = np.mean([planted(station, phase) for station in STATIONS])
        for station in STATIONS:
            found = learned.corrections[station, phase]
            assert found.arrivals >= 65
            missed.append((found.correction_s - planted(station, phase) + mean_s) / found.standard_error_s)
    assert np.mean(np.abs(missed) < 1) >= 0.5
    assert np.abs(missed).max() < 4
    assert max(one.standard_error_s for one in learned.corrections.values()) < 0.01
    assert learned.rms_after_s < 0.6 * learned.rms_before_s


def missed(learned: Learned, late_s: Mapping[str, float] = MappingProxyType({})) -> FloatArray:
    """In stated errors; what all stations share is nobody's."""
    found = learned.corrections
    off = np.array([found[key].correction_s - planted(*key) - late_s.get(key[0][3:], 0.0) for key in found])
    return np.asarray((off - off.mean()) / [one.standard_error_s for one in found.values()])


def test_the_stated_errors_are_the_real_ones_where_a_tenth_of_the_onsets_is_wrong() -> None:
    settings, tables = LocationSettings(deepest_km=40), make_context().tables
    rms = [
        np.sqrt(np.mean(missed(learn_time_corrections(catalogue(60, seed, 0.1), STATIONS, tables, settings)) ** 2))
        for seed in range(4)
    ]
    assert np.mean(rms) < 1.3


@pytest.mark.parametrize("outliers", [0.0, 0.1])
def test_a_station_that_is_a_second_late_is_learned(outliers: float) -> None:
    late_s = {"A": 0.8, "D": 2.0}
    events = catalogue(60, 1, outliers, late_s)
    learned = learn_time_corrections(events, STATIONS, make_context().tables, EXACT)
    assert learned.corrections.keys() == {(station, phase) for station in STATIONS for phase in "PS"}
    assert learned.is_settled
    assert not learned.unsuitable
    assert np.abs(missed(learned, late_s)).max() < 4


def test_a_station_that_was_hardly_heard_needs_no_correction_yet() -> None:
    events = catalogue(4)
    with_four = learn_time_corrections(events, STATIONS, make_context().tables, EXACT)
    assert not with_four.corrections
    few = LearningSettings(fewest=2, spread_s=0.001)
    drawn = learn_time_corrections(events, STATIONS, make_context().tables, EXACT, few)
    assert max(abs(one.correction_s) for one in drawn.corrections.values()) < 0.003


def test_nothing_to_learn_from_is_told() -> None:
    with pytest.raises(InputInvalid, match="found no event with arrivals at stations of the inventory"):
        learn_time_corrections(catalogue(2), {}, make_context().tables, EXACT)
    with pytest.raises(SettingInvalid, match="qualities of ABCD"):
        LearningSettings(qualities="AE")


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_file_is_read_as_it_was_written() -> None:
    text = write_time_corrections(
        {("XX.B", "S"): TimeCorrection(-0.25, 0.01, 7), ("XX.A", "P"): TimeCorrection(1, 2, 3)}
    )
    assert text.splitlines()[1] == "XX.A,P,1.0000,2.0000,3"
    assert read_time_corrections(text, "c.csv") == {("XX.B", "S"): -0.25, ("XX.A", "P"): 1.0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("station,phase\n", "c.csv, line 1: found no column correction_s"),
        ("station,phase,correction_s\nXX.A,P,late\n", "line 2: found XX.A,P,late; expected NET.STA, P or S"),
        ("station,phase,correction_s\nXX.A,Q,1\n", "line 2: found XX.A,Q,1"),
        ("station,phase,correction_s\nA,P,1\n", "line 2: found A,P,1"),
        ("station,phase,correction_s\nXX.A,P,nan\n", "line 2: found XX.A,P,nan"),
        ("station,phase,correction_s\nXX.A,P,1\nXX.A,P,2\n", "line 3: found XX.A P again"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        read_time_corrections(text, "c.csv")
    assert sentence in str(refused.value)


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "stations.csv"
    rows = []
    for code in PLACES:
        epoch = STATIONS[f"XX.{code}"].epochs[0]
        rows.append(f"XX.{code},{epoch.latitude_deg:.6f},{epoch.longitude_deg:.6f},0")
    path.write_text("\n".join(["id,lat,lon,elev_m", *rows]))
    return path


def test_the_command_learns_and_locate_uses_it(
    tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, out = tmp_path / "events.xml", tmp_path / "corrections.csv"
    write_catalogue(events, catalogue(40), Signature(), "quakeml")
    common = ["--inventory", str(inventory), "--velocity-model", "homogeneous", "--deepest-km", "40"]
    common += ["--cache", str(tmp_path / "tables")]
    magnitudes = tmp_path / "magnitudes.csv"
    command = ["corrections", "learn", "--catalogue", str(events), "--out", str(out), *common]
    assert main([*command, "--magnitudes-out", str(magnitudes)]) == 0
    told = capsys.readouterr().out
    assert " of 40 events well located with the velocity model homogeneous" in told
    assert "16 corrections in" in told
    assert magnitudes.read_text().startswith("formula,station,correction")
    picks = tmp_path / "arrivals.csv"
    write_catalogue(picks, catalogue(3, seed=9), Signature(), "arrivals")
    rms = []
    for number, more in enumerate(([], ["--corrections", str(out)])):
        folder = tmp_path / f"out{number}"
        assert main(["locate", str(picks), "--out", str(folder), *common, *more]) == 0
        with (folder / "events.csv").open() as file:
            rms.append(np.mean([float(row["rms_s"]) for row in csv.DictReader(file)]))
    assert rms[1] < 0.5 * rms[0]


def test_a_station_whose_clock_strays_is_told(
    tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance, strayed = np.random.default_rng(5), catalogue(40)
    for event in strayed:
        stray_ns = round(chance.uniform(-20, 20) * S)
        for arrival in event.arrivals:
            arrival.onset_ns += stray_ns if arrival.instrument.station == "C" else 0
    events, out = tmp_path / "events.xml", tmp_path / "corrections.csv"
    write_catalogue(events, strayed, Signature(), "quakeml")
    command = ["corrections", "learn", "--catalogue", str(events), "--out", str(out), "--inventory", str(inventory)]
    assert main([*command, "--velocity-model", "homogeneous", "--deepest-km", "40"]) == 0
    told = capsys.readouterr()
    assert "14 corrections in" in told.out
    assert re.search(r"no correction of XX.C P: found [0-4] of \d+ arrivals that suit the others", told.err)
    assert "XX.C" not in out.read_text()


def test_a_file_that_may_not_be_written_is_told_before_anything_is_learned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    out = tmp_path / "corrections.csv"
    assert main(["corrections", "learn", "--inventory", "none.csv", "--out", str(out)]) == 2
    assert f"found that {out} may not be written, expected one that may" in capsys.readouterr().err


def test_a_catalogue_without_arrivals_is_refused(
    tmp_path: Path, inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.csv"
    write_catalogue(events, catalogue(2), Signature(), "csv")
    command = ["corrections", "learn", "--catalogue", str(events), "--inventory", str(inventory)]
    assert main([*command, "--out", str(tmp_path / "c.csv")]) != 0
    assert "found 2 events without any arrivals" in capsys.readouterr().err
    assert main([*command, "--out", str(tmp_path / "no" / "c.csv")]) == 2
    assert "expected the name of a csv file in a folder that exists" in capsys.readouterr().err
