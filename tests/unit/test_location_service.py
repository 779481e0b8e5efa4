"""The location service over a memory bus: every revision once, in its order, whatever happens on the way."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import kensoku.solving
from kensoku.bus import Bus, Stream, open_bus
from kensoku.errors import InputInvalid
from kensoku.events import status_name
from kensoku.location import service
from kensoku.location.service import run
from kensoku.location.settings import LocationServiceSettings
from kensoku.runtime import Pulse
from kensoku.settings import load_settings
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import (
    EVENT_STATUS_FINAL,
    EVENT_STATUS_MERGED,
    EVENT_STATUS_RETRACTED,
    EVENT_STATUS_UPDATED,
    Event,
)
from tests import services
from tests.associations import T0_NS, S, make_association, make_picks, publish_stations
from tests.services import decoded

FOUR = ("A", "B", "C", "D")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps the tables of travel times for all tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def settings(home: Path) -> LocationServiceSettings:
    given = {"home": str(home), "location_velocity_model": "homogeneous", "location_deepest_km": 30}
    return load_settings(LocationServiceSettings, given)


@pytest.fixture(autouse=True)
def known_stations(bus: Bus) -> None:
    publish_stations(bus)


def publish(bus: Bus, *associations: Association) -> None:
    services.publish(bus, "associations", ((association.region, association) for association in associations))


def serve(settings: LocationServiceSettings, bus: Bus) -> None:
    services.serve_all(partial(run, settings, bus, Pulse()), bus, "associations", "location")


def told(bus: Bus, topic: str = "events") -> list[tuple[str, int, str]]:
    return [(event.id, event.revision, status_name(event)) for event in decoded(bus, topic, Event)]


def a_life() -> Sequence[Association]:
    return (
        make_association(make_picks(FOUR), 1),
        make_association(make_picks(nm=4000.0), 2, EVENT_STATUS_UPDATED),
        make_association(make_picks(nm=4000.0), 3, EVENT_STATUS_UPDATED),
        make_association(make_picks(nm=4000.0), 4, EVENT_STATUS_FINAL),
    )


LIFE = [("e1", 1, "PRELIMINARY"), ("e1", 2, "UPDATED"), ("e1", 3, "FINAL")]


def test_a_candidate_becomes_preliminary_updated_and_final(settings: LocationServiceSettings, bus: Bus) -> None:
    publish(bus, *a_life())
    serve(settings, bus)
    assert told(bus) == LIFE
    latest = decoded(bus, "catalogue", Event)[-1]
    assert (latest.revision, latest.provenance.association_revision) == (3, 4)
    assert latest.latency.associated_ns < latest.latency.located_ns <= latest.latency.published_ns
    assert latest.preferred_magnitude == "ML"


@pytest.mark.parametrize("together", [1, 2, 3])
def test_a_restart_on_the_way_gives_the_same_revisions(
    settings: LocationServiceSettings, bus: Bus, together: int
) -> None:
    life = a_life()
    for start in range(0, len(life), together):
        publish(bus, *life[start : start + together])
        serve(settings, bus)
    assert told(bus) == LIFE


def crash_at(commit_number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = []
    commit = Stream.commit

    def crash(stream: Stream, oldest_needed: Any) -> None:
        commits.append(oldest_needed)
        if len(commits) == commit_number:
            raise RuntimeError("killed here")
        commit(stream, oldest_needed)

    monkeypatch.setattr(Stream, "commit", crash)


@pytest.mark.parametrize("commit_number", [1, 2, 3, 4, 5, 6])
def test_a_crash_at_any_commit_loses_no_revision_and_makes_no_other(
    settings: LocationServiceSettings, bus: Bus, monkeypatch: pytest.MonkeyPatch, commit_number: int
) -> None:
    one_by_one = settings.model_copy(update={"location_batch": 1})
    publish(bus, *a_life())
    with monkeypatch.context() as patched:
        crash_at(commit_number, patched)
        with pytest.raises(RuntimeError, match="killed here"):
            serve(one_by_one, bus)
    serve(one_by_one, bus)
    assert sorted(set(told(bus))) == LIFE
    assert told(bus, "catalogue")[-1] == LIFE[-1]
    revisions = [revision for _, revision, _ in told(bus, "catalogue")]
    assert revisions == sorted(revisions)


def test_what_comes_again_changes_nothing(settings: LocationServiceSettings, bus: Bus) -> None:
    publish(bus, *a_life(), *a_life(), make_association(make_picks(FOUR), 1, owner_epoch=9))
    serve(settings, bus)
    publish(bus, *a_life())
    serve(settings, bus)
    assert told(bus) == LIFE


def test_an_event_under_the_name_of_another_is_not_believed(settings: LocationServiceSettings, bus: Bus) -> None:
    services.publish(bus, "catalogue", [("e2", Event(id="e1", revision=9, owner_epoch=9))])
    publish(bus, *a_life())
    serve(settings, bus)
    assert told(bus) == LIFE


def test_events_end_merged_or_retracted_with_the_reason(settings: LocationServiceSettings, bus: Bus) -> None:
    publish(
        bus,
        make_association(make_picks(FOUR), 1, event_id="a"),
        make_association(make_picks(at_ns=T0_NS + 20 * S), 1, event_id="b"),
        make_association([], 2, EVENT_STATUS_MERGED, "a", merged_into="b", reason="one earthquake"),
        make_association([], 2, EVENT_STATUS_RETRACTED, "b", reason="its picks were noise"),
        make_association([], 2, EVENT_STATUS_RETRACTED, "never"),
    )
    serve(settings, bus)
    assert sorted(told(bus)) == [
        ("a", 1, "PRELIMINARY"),
        ("a", 2, "MERGED"),
        ("b", 1, "PRELIMINARY"),
        ("b", 2, "RETRACTED"),
    ]
    events = {event.id: event for event in decoded(bus, "events", Event)}
    ends = [events["a"], events["b"]]
    assert [(end.merged_into, end.reason) for end in ends] == [("b", "one earthquake"), ("", "its picks were noise")]
    assert ends[1].origin.stations_used == 8


def test_what_nobody_can_solve_is_put_aside_with_its_reason(settings: LocationServiceSettings, bus: Bus) -> None:
    bus.publish("associations", "here", b"\xff\xff")
    bus.publish("associations", "here", None)
    publish(bus, make_association(make_picks(FOUR), 0), make_association(make_picks(FOUR), 1))
    serve(settings, bus)
    reasons = [dict(message.headers)["reason"].decode() for message in bus.read("associations.rejected")]
    assert reasons[0] == "found 2 bytes, expected an Association"
    assert "found revision 0" in reasons[1]
    assert told(bus) == [("e1", 1, "PRELIMINARY")]


def test_what_location_refuses_alone_is_put_aside(
    settings: LocationServiceSettings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    solve_many = kensoku.solving.solve_many

    def refuse(associations: Sequence[Association], *more: Any, **named: Any) -> Any:
        if any(association.event_id == "bad" for association in associations):
            raise InputInvalid("a number that cannot be")
        return solve_many(associations, *more, **named)

    monkeypatch.setattr(service, "solve_many", refuse)
    publish(bus, *(make_association(make_picks(FOUR), 1, event_id=name) for name in ("a", "bad", "b")))
    serve(settings, bus)
    assert sorted(told(bus)) == [("a", 1, "PRELIMINARY"), ("b", 1, "PRELIMINARY")]
    assert len(list(bus.read("associations.rejected"))) == 1


def test_stations_that_are_published_later_are_known_then(settings: LocationServiceSettings) -> None:
    with open_bus("memory://") as bus:
        publish(bus, make_association(make_picks(FOUR), 1))
        serve(settings, bus)
        assert told(bus) == []
        publish_stations(bus)
        publish(bus, make_association(make_picks(FOUR), 2, EVENT_STATUS_UPDATED))
        serve(settings, bus)
        assert told(bus) == [("e1", 1, "PRELIMINARY")]


def test_an_event_that_was_forgotten_is_asked_for_in_the_catalogue(settings: LocationServiceSettings, bus: Bus) -> None:
    forgetful = settings.model_copy(update={"location_events": 1, "location_batch": 1})
    later = make_association(make_picks(FOUR, at_ns=T0_NS + 300 * S), event_id="e2")
    publish(bus, a_life()[0], later, a_life()[1])
    serve(forgetful, bus)
    assert sorted(told(bus)) == [("e1", 1, "PRELIMINARY"), ("e1", 2, "UPDATED"), ("e2", 1, "PRELIMINARY")]


def test_every_revision_is_in_events_before_it_is_the_latest(
    settings: LocationServiceSettings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(bus, *a_life())
    with monkeypatch.context() as patched:
        crash_at(1, patched)
        with pytest.raises(RuntimeError, match="killed here"):
            serve(settings, bus)
    assert told(bus) == LIFE
    assert told(bus, "catalogue") == []


def test_a_file_that_cannot_be_read_is_told_at_the_start(settings: LocationServiceSettings, bus: Bus) -> None:
    lost = settings.model_copy(update={"location_corrections": Path("/nowhere/corrections.csv")})
    with pytest.raises(InputInvalid, match=r"station corrections '/nowhere/corrections.csv' cannot be read"):
        serve(lost, bus)


def test_figures_count_what_was_published_and_why_not(settings: LocationServiceSettings, bus: Bus) -> None:
    def value(metric: Any, **labels: str) -> float:
        return float(metric.labels(**labels)._value.get())

    before = value(service.PUBLISHED, status="final"), value(service.NOT_PUBLISHED, reason="unchanged")
    publish(bus, *a_life())
    serve(settings, bus)
    after = value(service.PUBLISHED, status="final"), value(service.NOT_PUBLISHED, reason="unchanged")
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1)
