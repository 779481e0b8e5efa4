"""The catalogue in a database: the same tests on SQLite and on a real PostgreSQL."""

import random
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from kensoku.catalogue_store import Area, Selection, Store, address, open_store
from kensoku.catalogue_store._engine import _engine
from kensoku.errors import DatabaseUnavailable, InputInvalid
from kensoku.times import parse_time_ns
from kensoku.v1.event_pb2 import EVENT_STATUS_RETRACTED, Event
from tests.catalogue import everything, ids, make_event
from tests.database import Database, needs_postgresql

# --- writing ----------------------------------------------------------------------------------------------------------


def test_an_event_is_kept_whole(store: Store) -> None:
    event = make_event()
    store.write([event])
    assert store.event("5f2d9c") == event
    assert list(store.events()) == [event]


def test_writing_twice_changes_nothing(store: Store, catalogue_url: str) -> None:
    events = [make_event("a"), make_event("a", 2), make_event("b")]
    first = store.write(events)
    before = everything(catalogue_url)
    assert (first.new, first.known) == (3, 0)
    second = store.write(events)
    assert (second.new, second.known, second.replaced) == (0, 3, 0)
    assert everything(catalogue_url) == before


def test_every_revision_is_kept_and_the_greatest_stands(store: Store) -> None:
    store.write([make_event("a", 2, magnitude=2.5)])
    store.write([make_event("a", 1, magnitude=1.5), make_event("a", 3, magnitude=3.5)])
    revisions = store.revisions("a")
    assert [(one.event.revision, one.is_current) for one in revisions] == [(1, False), (2, False), (3, True)]
    current = store.event("a")
    assert current is not None
    assert current.magnitudes[0].value == 3.5


def test_of_two_owners_with_one_revision_the_later_epoch_wins(store: Store) -> None:
    store.write([make_event("a", 2, epoch=7, magnitude=2.0)])
    store.write([make_event("a", 2, epoch=6, magnitude=1.0)])
    store.write([make_event("a", 1, epoch=9, magnitude=1.0)])
    current = store.event("a")
    assert current is not None
    assert (current.revision, current.owner_epoch, current.magnitudes[0].value) == (2, 7, 2.0)
    assert len(store.revisions("a")) == 3


def test_of_a_repeat_that_differs_the_one_published_first_is_kept(store: Store, catalogue_url: str) -> None:
    early, late = make_event("a"), make_event("a")
    late.latency.published_ns += 10**9
    assert store.write([late]).new == 1
    assert store.write([early]).replaced == 1
    assert store.write([late]).known == 1
    assert store.event("a") == early
    assert len(everything(catalogue_url)["arrivals"]) == len(early.arrivals)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_order_repeats_and_batches_do_not_matter(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    events = [make_event(name, revision, epoch) for name in "ab" for revision in (1, 2, 3) for epoch in (1, 2)]
    late = make_event("a", 3, 2)
    late.latency.published_ns += 1
    events.append(late)
    urls = [f"sqlite:///{tmp_path / f'{seed}-{number}.sqlite'}" for number in range(2)]
    with open_store(urls[0]) as whole:
        whole.write(events)
    shuffled = events + chance.choices(events, k=6)
    chance.shuffle(shuffled)
    with open_store(urls[1]) as parted:
        while shuffled:
            size = chance.randint(1, 5)
            parted.write(shuffled[:size])
            del shuffled[:size]
    assert everything(urls[0]) == everything(urls[1])


def test_the_same_rows_stand_in_both_databases(catalogue_url: str, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    events = [make_event(name, revision) for name in "abc" for revision in (2, 1)]
    for place in (catalogue_url, other):
        with open_store(place) as store:
            store.write(events)
    assert everything(catalogue_url) == everything(other)


def test_who_made_what_came_with_another_catalogue_is_in_the_rows(store: Store, catalogue_url: str) -> None:
    event = make_event("theirs")
    event.creation.agency, event.origin.creation.author = "XA", "J\0o"
    event.arrivals[1].creation.agency, event.magnitudes[0].creation.agency = "XB", "XC"
    store.write([event, make_event("ours")])
    assert store.event("theirs") == event
    rows = everything(catalogue_url)
    assert {row[0]: row[-1] for row in rows["events"]} == {"theirs": "XA", "ours": ""}
    assert [("XB", "") in zip(row, row[1:], strict=False) for row in rows["arrivals"]].count(True) == 1
    assert [("XC", "") in zip(row, row[1:], strict=False) for row in rows["magnitudes"]].count(True) == 1
    assert [("", "J\N{REPLACEMENT CHARACTER}o") in zip(row, row[1:], strict=False) for row in rows["origins"]].count(
        True
    ) == 1


def test_what_is_no_number_or_no_text_of_a_database_is_kept_in_the_message(store: Store, catalogue_url: str) -> None:
    event = make_event("a")
    event.origin.rms_s = float("nan")
    event.reason = "zero\0byte"
    event.arrivals[0].residual_s = float("inf")
    store.write([event])
    found = store.event("a")
    assert found is not None
    assert found.SerializeToString(deterministic=True) == event.SerializeToString(deterministic=True)
    assert None in everything(catalogue_url)["origins"][0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": ""}, "without an id"),
        ({"revision": 0}, "expected 1 or more"),
        ({"owner_epoch": 2**63}, "owner_epoch"),
        ({"id": "a\0b"}, "zero byte"),
    ],
)
def test_what_no_catalogue_can_hold_is_refused_and_nothing_of_its_batch_is_stored(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    bad = make_event("bad")
    bad.MergeFrom(Event())
    for name, value in change.items():
        setattr(bad, name, value)
    with open_store(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        with pytest.raises(InputInvalid, match=words):
            store.write([make_event("good"), bad])
        assert store.count() == 0


def test_an_origin_outside_the_earth_is_refused(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'c.sqlite'}") as store, pytest.raises(InputInvalid, match="latitude nan"):
        store.write([make_event(latitude_deg=float("nan"))])


# --- reading ----------------------------------------------------------------------------------------------------------


def test_events_come_by_time_and_as_selected(store: Store) -> None:
    retracted = make_event("gone", time_s=5, magnitude=9)
    retracted.status = EVENT_STATUS_RETRACTED
    without = Event(id="empty", revision=1)
    fiji = make_event("fiji", time_s=60, latitude_deg=-18, longitude_deg=181, magnitude=6.1, depth_km=600)
    store.write(
        [fiji, retracted, make_event("small", magnitude=0.4), make_event("big", time_s=30, magnitude=4), without]
    )
    assert [one for one in ids(store) if one != "empty"] == ["small", "big", "fiji"]
    assert "empty" in ids(store)
    assert ids(store, min_magnitude=4) == ["big", "fiji"]
    assert ids(store, max_magnitude=1, with_gone=True) == ["small"]
    assert ids(store, statuses=("RETRACTED",)) == ["gone"]
    assert ids(store, min_depth_km=100) == ["fiji"]
    assert ids(store, area=Area(-20, 170, -10, -170)) == ["fiji"]
    assert ids(store, area=Area(35, -118, 36, -117)) == ["small", "big"]
    start_ns = parse_time_ns("2019-07-04T15:54:00Z")
    assert ids(store, start_ns=start_ns, end_ns=start_ns + 15 * 10**9) == ["big"]
    assert ids(store, types=("BLAST",)) == []
    assert ids(store, regions=("socal",), min_magnitude=5) == ["fiji"]


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"min_magnitude": 1.0},
        {"with_gone": True},
        {"area": Area(-20, 170, -10, -170)},
        {"statuses": ("RETRACTED",)},
        {"max_depth_km": 100.0},
        {"start_ns": 1},
    ],
)
def test_a_selection_says_of_a_message_what_the_database_says_of_its_rows(
    tmp_path: Path, conditions: dict[str, object]
) -> None:
    events = [make_event("a", magnitude=0.4), make_event("b", longitude_deg=181, latitude_deg=-18), Event(id="c")]
    events[2].revision, events[2].status = 1, EVENT_STATUS_RETRACTED
    selection = Selection(**conditions)  # type: ignore[arg-type]  # as named
    with open_store(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        store.write(events)
        assert {event.id for event in store.events(selection)} == {e.id for e in events if selection.holds(e)}


def test_names_longer_than_an_index_holds_are_cut_in_the_rows_alone(store: Store, catalogue_url: str) -> None:
    long = "".join(random.Random(1).choices(string.printable[:62], k=8000))
    event = make_event("long")
    event.region = event.arrivals[0].pick_id = event.arrivals[0].instrument.station = long
    event.arrivals[0].instrument.network = event.split_from = event.reason = long
    assert store.write([event]).new == 1
    assert store.event("long") == event
    assert long[:255] in next(row for row in everything(catalogue_url)["events"])
    with pytest.raises(InputInvalid, match="8000 characters, expected 255"):
        store.write([make_event(long)])


@needs_postgresql
def test_what_no_later_try_can_store_is_refused(postgresql: Database) -> None:
    """Nobody waits for a database that has answered."""
    url = postgresql.new_url()
    with open_store(url) as store:
        postgresql.execute("CREATE INDEX reasons ON kensoku.revisions (reason)", url.rpartition("/")[2])
        event = make_event()
        event.reason = "".join(random.Random(1).choices(string.printable[:62], k=8000))
        with pytest.raises(InputInvalid, match=r"refused what should be stored: index row size"):
            store.write([event])


@needs_postgresql
def test_a_server_that_has_become_a_standby_is_away_and_its_connections_are_not_kept(postgresql: Database) -> None:
    url = postgresql.new_url()
    name = url.rpartition("/")[2]
    with open_store(url) as before:
        before.write([make_event("first")])
    postgresql.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with open_store(url) as store:
        with pytest.raises(DatabaseUnavailable, match=r"found no answer .*read-only"):
            store.write([make_event("second")])
        postgresql.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
        assert store.write([make_event("second")]).new == 1


@needs_postgresql
def test_a_host_that_is_gone_without_a_word_is_given_up_after_seconds(postgresql: Database) -> None:
    """Else what is sent to it is sent again for a quarter of an hour."""
    place = address(postgresql.new_url())
    engine = _engine(place, must_exist=False)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        said = driver.info.get_parameters()
    engine.dispose()
    assert (said["tcp_user_timeout"], said["keepalives_idle"]) == ("20000", "20")


@pytest.mark.parametrize("area", [Area(-20, 170, -10, 180), Area(-20, -180, -10, -170), Area(-20, 180, -10, -170)])
def test_the_date_line_is_in_a_box_that_ends_there_whatever_its_sign(area: Area, store: Store) -> None:
    events = [make_event(f"{degrees}", latitude_deg=-15.0) for degrees in (180, -180, 0)]
    for event in events:
        event.origin.longitude_deg = float(event.id)
    store.write(events)
    assert sorted(ids(store, area=area)) == ["-180", "180"]
    assert [event.id for event in events if Selection(area=area).holds(event)] == ["180", "-180"]


def test_many_events_are_read_while_more_are_written(store: Store) -> None:
    store.write([make_event(f"{number:04d}", time_s=number) for number in range(40)])
    reading = store.events()
    first = next(reading)
    store.write([make_event("later", time_s=99)])
    assert [first.id, *(event.id for event in reading)] == [f"{number:04d}" for number in range(40)]
    assert store.count() == 41


def test_the_newest_are_the_last_by_time(store: Store) -> None:
    store.write([make_event(name, time_s=time_s) for name, time_s in (("a", 2), ("b", 3), ("c", 1))])
    store.write([Event(id="none", revision=1)])
    assert [event.id for event in store.newest(2)] == ["a", "b"]
    assert [event.id for event in store.newest(9)] == ["none", "c", "a", "b"]


def test_events_without_an_origin_come_first_in_any_database(store: Store) -> None:
    store.write([make_event("first"), Event(id="none", revision=1), make_event("last", time_s=1)])
    assert ids(store) == [event.id for event in store.newest(9)] == ["none", "first", "last"]


def test_ids_are_found_by_their_beginning(store: Store) -> None:
    store.write([make_event("ab_1"), make_event("abc2"), make_event("AB3"), make_event("b")])
    assert store.beginning_with("ab") == ["ab_1", "abc2"]
    assert store.beginning_with("ab_") == ["ab_1"]
    assert list(store.current(["b", "zz"])) == ["b"]


def test_the_questions_of_the_documentation_are_answered(catalogue_url: str) -> None:
    with open_store(catalogue_url) as store:
        store.write([make_event("5f2d9c", revision, magnitude=3.4) for revision in (1, 2)])
    page = (Path(__file__).parents[2] / "docs" / "catalog.md").read_text("utf-8")
    questions = page.partition("```sql\n")[2].partition("```")[0].split(";")[:2]
    place = address(catalogue_url)
    engine = _engine(place, must_exist=True)
    with engine.connect() as connection:
        asked = [text(one.replace("kensoku.", "") if place.is_sqlite else one) for one in questions]
        stations, moves = (connection.execute(one).all() for one in asked)
    engine.dispose()
    assert {row.station for row in stations} == {"TOW2", "SRT", "CA06", "GWY", "JRC2", "CCC"}
    assert [row.revision for row in moves] == [1, 2]


# --- SQLite where nothing may be written ------------------------------------------------------------------------------


@pytest.mark.parametrize("is_writable", [True, False], ids=["folder is ours", "folder is not"])
def test_who_reads_a_catalogue_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_writable: bool
) -> None:
    url = f"sqlite:///{tmp_path / 'a catalogue.sqlite'}"
    with open_store(url) as store:
        store.write([make_event("a")])
    before = contents(tmp_path)
    monkeypatch.setattr("os.access", lambda *_: is_writable)
    with open_store(url, must_exist=True) as store:
        assert ids(store) == ["a"]
        if not is_writable:
            assert contents(tmp_path) == before, "nothing beside it, as on a medium that cannot be written"
        with pytest.raises(DatabaseUnavailable, match="readonly"):
            store.write([make_event("b")])
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_catalogue_is_read_while_it_is_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    with open_store(url) as writing, open_store(url, must_exist=True) as reading:
        for number in range(3):
            writing.write([make_event(str(number), time_s=number)])
            assert len(ids(reading)) == number + 1
