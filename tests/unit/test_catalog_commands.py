"""What a person does with `kensoku catalog`: look, hand out, take in, compare; and the mistakes they may make."""

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from obspy import read_events

from kensoku.catalogue_files import Limits, Signature, compare, read_catalogue
from kensoku.catalogue_store import migrate, open_store
from kensoku.cli._catalog_diff import compared
from kensoku.cli._catalog_show import STEPS, describe
from kensoku.cli.main import main
from kensoku.v1.event_pb2 import EVENT_STATUS_RETRACTED, Creation
from tests.catalogue import make_event
from tests.resident import resident_bytes

EVENTS = [make_event(f"{n:03d}", revision, time_s=n * 10.0) for n in range(40) for revision in (1, 2)]
Command = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KENSOKU_HOME", str(tmp_path))
    monkeypatch.delenv("KENSOKU_DATABASE", raising=False)
    return tmp_path


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """What it prints; with events in the database."""
    with open_store(f"sqlite:///{home / 'catalogue.sqlite'}") as store:
        store.write(EVENTS)

    def run(*arguments: str) -> str:
        code = main(["catalog", *arguments])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        return captured.out

    return run


def test_a_catalogue_goes_out_and_comes_in_again(command: Command, home: Path) -> None:
    other, out = f"sqlite:///{home / 'other.sqlite'}", home / "catalogue.xml"
    command("export", "--out", str(out), "--agency", "org.example", "--author", "me")
    assert len(read_events(str(out), format="QUAKEML")) == 40
    assert "40 events would be stored" in command("import", str(out), "--database", other, "--dry-run")
    assert not (home / "other.sqlite").exists()
    assert "40 events stored" in command("import", str(out), "--database", other)
    assert "40 are known already" in command("import", str(out), "--database", other)
    command(
        "export", "--out", str(home / "again.xml"), "--agency", "org.example", "--author", "me", "--database", other
    )
    assert (home / "again.xml").read_bytes() == out.read_bytes()
    told = json.loads(command("diff", "database", other, "--json"))
    assert (told["in_both"], told["only_in_a"], told["only_in_b"]) == (40, [], [])
    assert not any(pair["moved_km"] or pair["later_s"] or pair["larger"] for pair in told["pairs"])


def test_phase_files_come_with_the_stations_of_an_inventory(command: Command, home: Path) -> None:
    (home / "stations.csv").write_text("id,lat,lon,elev_m\nCI.TOW2,35.80856,-117.76488,685\n")
    command("export", "--out", str(home / "x.pha"), "--inventory", str(home / "stations.csv"))
    lines = (home / "x.pha.station.dat").read_text().splitlines()
    assert len(lines) == 6
    assert lines[-1].split() == ["TOW2", "35.80856", "-117.76488", "685.0"]


def test_another_agencys_catalogue_goes_out_signed_by_its_makers(command: Command, home: Path) -> None:
    theirs, event = f"sqlite:///{home / 'theirs.sqlite'}", make_event("foreign")
    event.creation.CopyFrom(Creation(agency="XA", author="Jo", created_ns=event.latency.published_ns))
    event.origin.creation.CopyFrom(Creation(agency="XB", author="Jörg", created_ns=event.origin.time_ns))
    event.magnitudes[0].creation.agency, event.arrivals[0].creation.agency = "XC", "XD"
    with open_store(f"sqlite:///{home / 'first.sqlite'}") as store:
        store.write([event])
    for name in ("theirs.xml", "theirs.txt", "theirs.csv"):
        command("export", "--out", str(home / name), "--database", f"sqlite:///{home / 'first.sqlite'}")
    command("import", str(home / "theirs.xml"), "--database", theirs)
    command("export", "--out", str(home / "again.xml"), "--database", theirs, "--agency", "org.example")
    (found,) = read_events(str(home / "again.xml"), format="QUAKEML")
    made = [found, found.preferred_origin(), found.magnitudes[0], found.picks[0]]
    assert [each.creation_info.agency_id for each in made] == ["XA", "XB", "XC", "XD"]
    assert [each.creation_info.author for each in made] == ["Jo", "Jörg", None, None]
    assert found.preferred_origin().creation_info.creation_time.ns == event.origin.time_ns
    assert found.picks[1].creation_info is None
    assert "|Jo|XA|XA|foreign|ML|1.64|XC|" in (home / "theirs.txt").read_text()
    for name in ("theirs.txt", "theirs.csv"):
        (table,) = read_catalogue(home / name).events
        assert (table.creation, table.magnitudes[0].creation) == (
            Creation(agency="XA", author="Jo"),
            Creation(author="XC"),
        )
    assert "made by     XB Jörg, " in command("show", "foreign", "--database", theirs)


def test_what_we_have_signed_is_ours(command: Command, home: Path) -> None:
    for name in ("ours.xml", "ours.txt", "ours.csv"):
        command("export", "--out", str(home / name), "--agency", "org.example", "--author", "me")
        ours = read_catalogue(home / name, signature=Signature("org.example", "me")).events
        assert not any(event.HasField("creation") or event.origin.HasField("creation") for event in ours)
    assert all(event.creation.agency == "org.example" for event in read_catalogue(home / "ours.xml").events)
    assert "40 are known already" in command(
        "import", str(home / "ours.xml"), "--agency", "org.example", "--author", "me"
    )


def test_an_export_that_nobody_has_changed_is_known_already(command: Command, home: Path) -> None:
    event, place = make_event("fine"), f"sqlite:///{home / 'fine.sqlite'}"
    event.origin.time_ns += 456
    for number, arrival in enumerate(event.arrivals):
        arrival.onset_ns += 123 + number
        arrival.residual_s, arrival.distance_km = number / 7, 10 + number / 3
    event.comments.add(text="felt", author="A. Nalyst", time_ns=event.origin.time_ns + 1)
    with open_store(place) as store:
        store.write([event])
    out = home / "fine.xml"
    command("export", "--out", str(out), "--database", place)
    assert "1 are known already" in command("import", str(out), "--database", place)
    assert read_catalogue(out).events[0].origin.time_ns == event.origin.time_ns
    out.write_text(out.read_text().replace("<value>35.69</value>", "<value>35.6901</value>"))
    assert "1 are known and differ" in command("import", str(out), "--database", place)


def test_events_are_selected(command: Command, home: Path) -> None:
    table = home / "events.csv"
    command("export", "--out", str(table), "--from", "2019-07-04T15:55:00Z", "--to", "2019-07-04T15:56:00Z")
    with table.open(newline="") as file:
        assert [row["event_id"] for row in csv.DictReader(file)] == ["008", "009", "010", "011", "012", "013"]
    assert command("list", "--limit", "2").splitlines()[-1] == "2 of 40 events"
    assert command("list", "--box", "-20", "170", "-10", "-170").splitlines() == ["0 events"]


def test_an_event_is_shown_by_the_beginning_of_its_id(command: Command) -> None:
    shown = command("show", "007")
    assert "CI.TOW2..HH    P     2019-07-04T15:54:54.989Z" in shown
    assert "no value: no station was near enough" in shown
    assert shown.splitlines()[-1].startswith("  *   2 updated")
    assert json.loads(command("show", "007", "--json", "--revision", "1"))["revision"] == 1


def test_the_steps_of_a_live_event_are_shown_after_its_origin_and_none_of_a_replay() -> None:
    live, begin_ns = make_event("live"), make_event("live").origin.time_ns
    for number, name in enumerate(STEPS, 1):
        setattr(live.latency, name, begin_ns + number * 500_000_000)
    live.latency.ClearField("window_ready_ns")
    (told,) = (text for text in describe(live) if text.startswith("latency"))
    assert told == (
        "latency     last sample 0.50, its packet 1.00, pick told 2.00, associated 2.50, located 3.00, published 3.50 "
        "s after the origin"
    )
    live.latency.published_ns += 10 * 365 * 86_400 * 10**9
    assert not any(text.startswith("latency") for text in describe(live))


def test_what_nobody_said_of_an_event_is_not_shown_as_zero(command: Command, home: Path) -> None:
    table = home / "foreign.csv"
    table.write_text("event_id,time,latitude,longitude\nisc1,1904-04-04T10:02:34Z,41.8,23.2\n")
    command("import", str(table))
    shown = command("show", "isc1").splitlines()
    assert shown[1].startswith("1904-04-04T10:02:34.000Z  41.8000   23.2000      - ")
    assert shown[3:7] == [
        "time        1904-04-04T10:02:34.000Z",
        "epicentre   41.8000 23.2000",
        "depth       -",
        "geometry    -",
    ]


def test_what_a_sender_wrote_does_not_steer_the_terminal(command: Command, home: Path) -> None:
    event = make_event("bad\x1b[2J", time_s=1000)
    event.reason, event.status = "\x1b]0;owned\x07", EVENT_STATUS_RETRACTED
    with open_store(f"sqlite:///{home / 'catalogue.sqlite'}") as store:
        store.write([event])
    assert "\x1b" not in command("list", "--with-gone") + command("show", "bad")


def test_comparing_holds_of_each_event_what_counts_alone() -> None:
    before = resident_bytes()
    held = [compared(make_event(f"{number}")) for number in range(10_000)]
    assert resident_bytes() - before < 50e6, "whole they are 100 MB"
    assert compare(held[:1], [make_event("0", magnitude=2.0)], Limits()).pairs[0].larger == pytest.approx(2.0 - 1.64)


def test_known_events_that_differ_are_left_alone_unless_told(command: Command, home: Path) -> None:
    table = home / "events.csv"
    command("export", "--out", str(table))
    changed = table.read_text().replace("\n003,", "\nnew,", 1)
    table.write_text(changed)
    assert "39 are known and differ" in command("import", str(table))
    assert "  *   2 updated" in command("show", "004")
    assert "0 events stored, 39 stored as a new revision" in command("import", str(table), "--update")
    assert "  *   3 updated" in command("show", "004")


def test_an_update_takes_no_live_revision_with_it(command: Command, home: Path) -> None:
    place, out = f"sqlite:///{home / 'live.sqlite'}", home / "changed.xml"
    begun_ns = time.time_ns()
    with open_store(place) as store:
        store.write([make_event("a")])
        command("export", "--out", str(out), "--database", place)
        out.write_text(out.read_text().replace("<value>35.69</value>", "<value>36.5</value>"))
        command("import", str(out), "--update", "--database", place)
        live = make_event("a", 2, latitude_deg=35.7)
        assert store.write([live]).new == 1
        revisions = store.revisions("a")
        assert [each.event.origin.latitude_deg for each in revisions] == [35.69, 35.7, 36.5]
        assert [each.is_current for each in revisions] == [False, False, True]
        assert revisions[-1].event.latency.published_ns >= begun_ns
        store.write([make_event("a", 3)])
        assert store.current(["a"])["a"].revision == 3


def test_a_catalogue_of_an_earlier_version_is_not_taken_for_an_empty_one(
    command: Command, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"sqlite:///{home / 'old.sqlite'}"
    migrate(place, to="0001")
    command("export", "--out", str(home / "out.csv"))
    assert main(["catalog", "import", str(home / "out.csv"), "--dry-run", "--database", place]) == 1
    assert "found tables of version 0001" in capsys.readouterr().err


def test_two_catalogues_are_compared(command: Command, home: Path) -> None:
    table = home / "events.csv"
    command("export", "--out", str(table))
    rows = table.read_text().splitlines()
    rows[3] = rows[3].replace("35.69000", "35.80000")
    rows[4] = rows[4].replace("1.64", "2.64")
    table.write_text("\n".join(rows[:-1]) + "\nlate,2020-01-01T00:00:00Z,1,2" + "," * (rows[0].count(",") - 3) + "\n")
    told = command("diff", "database", str(table))
    assert "in both 39, only in a 1, only in b 1" in told
    assert "moved by more than 5 km or 1 s: 1" in told
    assert "12.2 km away" in told
    assert "of another magnitude by more than 0.3: 1" in told


def test_tables_are_migrated_by_a_command(command: Command) -> None:
    assert command("migrate") == "the tables are of version 0004\n"


@pytest.mark.parametrize(
    ("code", "words", "arguments"),
    [
        (1, "found no database", "list"),
        (2, "expected one of .xml", "export --out x.doc"),
        (2, "expected --from before --to", "list --from 2020-01-02 --to 2020-01-01"),
        (2, "expected SOUTH WEST NORTH EAST", "list --box 5 0 4 0"),
        (2, "the lesser first", "list --min-magnitude nan"),
        (2, "expected 1 or more", "list --limit 0"),
        (1, "cannot read none.csv", "import none.csv"),
        (2, "expected sqlite:///path", "list --database mysql://x/y"),
        (2, "3 to 63", "export --out x.xml --agency NZ"),
        (2, "expected 0 or more", "diff a.csv b.csv --km -1"),
        (2, "found --seconds inf, expected 2e+10 at the most", "diff a.csv b.csv --seconds inf"),
        (2, "found --seconds 1e+300", "diff a.csv b.csv --seconds 1e300"),
        (1, "user:********@127.0.0.1", "list --database postgresql://user:secret@127.0.0.1:1/x"),
    ],
)
def test_a_mistake_is_told(
    code: int,
    words: str,
    arguments: str,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(home)
    assert main(["catalog", *arguments.split()]) == code
    told = capsys.readouterr().err
    assert words in told
    assert "secret" not in told
    assert list(home.iterdir()) == []
