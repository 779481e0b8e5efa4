"""`kensoku associate`: from a csv of picks to the same with events, and sentences where that cannot be."""

import csv
from dataclasses import fields
from pathlib import Path

import pytest

from kensoku.associating import AssociationSettings
from kensoku.cli._locate_picks import read_picks
from kensoku.cli.main import main
from kensoku.times import iso_time
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S
from tests.shocks import Shock, onsets, sites


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("associate")
    rows = [f"{code},{site.latitude_deg:.6f},{site.longitude_deg:.6f},0" for code, site in sites().items()]
    (folder / "stations.csv").write_text("\n".join(["id,lat,lon,elev_m", *rows]))
    made, _ = onsets([Shock(40, 3, 4), Shock(90, -12, 8)])
    lines = [f"{each.id},{each.station},{each.phase},{iso_time(each.onset_ns)},0.1" for each in made]
    lines.append(f"strange,YY.NEW,P,{iso_time(made[0].onset_ns)},0.1")
    (folder / "picks.csv").write_text("\n".join(["id,station,phase,time,uncertainty_s", *lines]))
    return folder


def associate(
    folder: Path, picks: str = "picks.csv", out: str = "events.csv", *more: str, stations: str = "stations.csv"
) -> int:
    given = ["--inventory", str(folder / stations), "--velocity-model", "southern-california"]
    given += ["--cache", str(folder / "cache")]
    return main(["associate", str(folder / picks), *given, "--out", str(folder / out), *more])


def test_lines_get_the_event_that_they_belong_to(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert associate(folder, "picks.csv", "events.csv", "--explain") == 0
    with (folder / "events.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows][-1] == "strange"
    assert rows[-1]["event_id"] == ""
    assert len({row["event_id"] for row in rows[:-1] if row["event_id"]}) == 2
    assert all(abs(float(row["residual_s"])) < 1 for row in rows if row["event_id"])
    told = capsys.readouterr()
    assert "2 events with" in told.out
    assert "spacing_km 10.0: stations stand 20 km apart" in told.out
    assert "YY.NEW" in told.err
    explained = {line.partition(" ")[0] for line in told.out.splitlines()}
    names = {each.name for each in fields(AssociationSettings)} - {"deepest_km"}
    assert names <= explained, "each parameter, with its reason"
    assert "depths to" in told.out


def test_what_it_writes_can_be_located_and_associated_again(folder: Path) -> None:
    assert associate(folder) == 0
    first = (folder / "events.csv").read_text()
    assert associate(folder, "events.csv", "again.csv") == 0
    assert (folder / "again.csv").read_text() == first
    lines = [line for line in first.splitlines() if "YY.NEW" not in line]
    (folder / "known.csv").write_text("\n".join(lines))
    given = ["--inventory", str(folder / "stations.csv"), "--velocity-model", "southern-california"]
    assert main(["locate", str(folder / "known.csv"), *given, "--out", str(folder / "located")]) == 0
    assert len((folder / "located" / "events.csv").read_text().splitlines()) == 3


def test_a_pick_is_located_as_the_phase_and_as_surely_as_it_was_associated(folder: Path) -> None:
    head, first, second, *lines = (folder / "picks.csv").read_text().splitlines()
    swapped = [first.replace(",P,", ",S,"), second.replace(",S,", ",P,")]
    assert swapped != [first, second]
    of_picker = "\n".join(f"{line},0.01" for line in (*swapped, *lines))  # the picker's own probability
    (folder / "swapped.csv").write_text(f"{head},probability\n{of_picker}")
    assert associate(folder, "swapped.csv", "swapped_events.csv") == 0
    picks = {each.pick.id: each for event in read_picks(folder / "swapped_events.csv") for each in event.picks}
    relabelled = [picks[line.split(",")[0]] for line in swapped]
    assert [(each.pick.phase, each.phase) for each in relabelled] == [(PHASE_S, PHASE_P), (PHASE_P, PHASE_S)]
    assert all(each.probability > 0.5 for each in picks.values())


def test_rejected_picks_belong_to_no_event_and_stay_where_they_stood(folder: Path) -> None:
    head, *lines = (folder / "picks.csv").read_text().splitlines()
    judged = [f"{line},{'rejected_quality' if number % 4 == 1 else 'kept'}" for number, line in enumerate(lines)]
    (folder / "judged.csv").write_text("\n".join([f"{head},decision", *judged]))
    kept = [line for number, line in enumerate(lines) if number % 4 != 1]
    (folder / "kept.csv").write_text("\n".join([head, *kept]))
    assert associate(folder, "judged.csv", "of_judged.csv") == associate(folder, "kept.csv", "of_kept.csv") == 0
    with (folder / "of_judged.csv").open() as file, (folder / "of_kept.csv").open() as other:
        found, alone = list(csv.DictReader(file)), list(csv.DictReader(other))
    assert len(found) == len(lines)
    assert {row["event_id"] for row in found if row["decision"] != "kept"} == {""}
    events = [row["event_id"] for row in found if row["decision"] == "kept"]
    assert events == [row["event_id"] for row in alone]
    assert len({*events} - {""}) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("station,time\nXX.A,2026-01-31T12:00:00Z", "found no column phase"),
        ("station,phase,time\nXX.A,Q,2026-01-31T12:00:00Z", "line 2: found phase 'Q', expected P or S"),
        ("station,phase,time\nA,P,2026-01-31T12:00:00Z", "line 2: found station 'A', expected NET.STA"),
        ("station,phase,time", "found no pick"),
        (
            "station,phase,time,uncertainty_s\nXX.A,P,2026-01-31T12:00:00Z,nan",
            "line 2: found uncertainty_s 'nan', expected a number above 0 or an empty cell",
        ),
        ("station,phase,time,uncertainty_s\nXX.A,P,2026-01-31T12:00:00Z,-1", "line 2: found uncertainty_s '-1'"),
        ("station,phase,time,uncertainty_s\nXX.A,P,2026-01-31T12:00:00Z,inf", "line 2: found uncertainty_s 'inf'"),
        (
            "station,phase,time,p_probability\nXX.A,P,2026-01-31T12:00:00Z,7",
            "line 2: found p_probability '7', expected a number from 0 to 1",
        ),
        ("station,phase,time,s_probability\nXX.A,P,2026-01-31T12:00:00Z,nan", "line 2: found s_probability 'nan'"),
        ("station,phase,time,peak_velocity_m_s\nXX.A,P,2026-01-31T12:00:00Z,inf", "found peak_velocity_m_s 'inf'"),
        (
            "id,station,phase,time\na,XX.A,P,2026-01-31T12:00:00Z\na,XX.B,P,2026-01-31T12:00:00Z",
            "line 3: found the id 'a' of another pick, in line 2, expected one of its own or no column id",
        ),
        ("station,phase,time\nXX.A,P,2026-01-31T12:00:00Z", "places of 0 of 1 stations, expected 3"),
    ],
)
def test_mistakes_are_told(folder: Path, text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wrong.csv").write_text(text)
    assert associate(folder, "wrong.csv", "never.csv") == 1
    assert told in capsys.readouterr().err
    assert not (folder / "never.csv").exists()


def test_too_few_stations_are_no_matter_of_the_inventory(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "one.csv").write_text(f"station,phase,time\n{next(iter(sites()))},P,2026-01-31T12:00:00Z")
    assert associate(folder, "one.csv", "never.csv") == 1
    told = capsys.readouterr().err
    assert "found places of 1 of 1 stations" in told
    assert "add records or picks of other stations" in told
    assert "inventory" not in told


def test_a_line_that_stands_twice_is_one_pick(folder: Path) -> None:
    head, *lines = (folder / "picks.csv").read_text().splitlines()
    (folder / "twice.csv").write_text("\n".join([head, *lines, *lines]))
    assert associate(folder) == associate(folder, "twice.csv", "of_twice.csv") == 0
    once, twice = (folder / "events.csv").read_text(), (folder / "of_twice.csv").read_text()
    assert twice.startswith(once)


def test_picks_are_associated_by_where_their_stations_stood_then(folder: Path) -> None:
    """All stations change places between two earthquakes."""
    shocks, codes = [Shock(40, 3, 4), Shock(3640, 3, 4)], list(sites())
    made, of = onsets(shocks)
    places = {code: f"{site.latitude_deg:.6f},{site.longitude_deg:.6f},0" for code, site in sites().items()}
    other = {code: codes[7 * number % len(codes)] for number, code in enumerate(codes)}
    moved_at = iso_time(made[0].onset_ns + 1800 * 10**9)
    rows = [
        line
        for code in codes
        for line in (f"{code},{places[code]},,{moved_at}", f"{other[code]},{places[code]},{moved_at},")
    ]
    (folder / "moved.csv").write_text("\n".join(["id,lat,lon,elev_m,start,end", *rows]))
    stood = [each.station if number == 0 else other[each.station] for each, number in zip(made, of, strict=True)]
    lines = [
        f"{each.id},{code},{each.phase},{iso_time(each.onset_ns)},0.1" for each, code in zip(made, stood, strict=True)
    ]
    (folder / "of_both.csv").write_text("\n".join(["id,station,phase,time,uncertainty_s", *lines]))
    assert associate(folder, "of_both.csv", "grouped.csv", stations="moved.csv") == 0
    with (folder / "grouped.csv").open() as file:
        events = [row["event_id"] for row in csv.DictReader(file)]
    for number in (0, 1):
        own = {event for event, each in zip(events, of, strict=True) if each == number}
        assert len(own) == 1
        assert own != {""}
