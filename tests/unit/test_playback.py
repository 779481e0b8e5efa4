"""A playback: the same picks from the same log, another catalogue, and a live system that notices nothing."""

import argparse
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kensoku.associating import Watch
from kensoku.association import service as association
from kensoku.bus import Bus, open_bus, serve_bus
from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_store import migrate, open_store
from kensoku.cli import _playback_log, _playback_stages
from kensoku.cli._playback_log import LoggedSpan
from kensoku.cli._playback_stages import Stage, Stopped
from kensoku.cli._run_services import Chosen
from kensoku.cli.main import main
from kensoku.cli.playback import copy_tables, never_behind, picks_in, play, promote, stages_of
from kensoku.detection import pick_packets
from kensoku.errors import InputInvalid, ModelServerUnavailable
from kensoku.models import Decision, PromotionLog
from kensoku.runtime import Pulse
from kensoku.settings import load_settings, socket_path
from kensoku.supervision import Service
from kensoku.times import NS_PER_S
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_STATUS_PRELIMINARY
from kensoku.v1.pick_pb2 import PickMessage
from kensoku.v1.waveform_pb2 import TIME_KIND_LIVE, WaveformPacket
from tests import services
from tests.catalogue import ids, make_event
from tests.services import decoded
from tests.shocks import Shock, network, onsets, pick, progress
from tests.stand_in_models import StandIn, write_folders
from tests.streams import START_NS, packet, picks, record, seconds, two_stages

RECORD = record(6000, events=((1800, 0), (2400, 1), (4600, 0)))
STATIONS = ("STA", "STB", "STC")


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads the last Progress here, and nothing is associated, for which loops would be compiled."""
    monkeypatch.setattr(_playback_stages, "SETTLE_S", 0.1)
    monkeypatch.setattr(association, "warm_up", lambda *_: None)


@pytest.fixture
def live() -> Iterator[Bus]:
    with open_bus("memory://") as opened:
        yield opened


@pytest.fixture
def apart() -> Iterator[Bus]:
    with open_bus("memory://", "trial") as opened:
        yield opened


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Travel times, which are traced once."""
    return tmp_path_factory.mktemp("traveltime")


@pytest.fixture
def home(tmp_path: Path, tables: Path) -> Path:
    (tmp_path / "traveltime").symlink_to(tables)
    return tmp_path


@pytest.fixture
def chosen(home: Path, tmp_path: Path) -> Chosen:
    write_folders(tmp_path, versions=("1", "2"))
    return Chosen.load(argparse.Namespace(model_repository=tmp_path, home=home), "trial")


def publish(bus: Bus, packets: Sequence[WaveformPacket]) -> None:
    services.publish(bus, "waveforms", ((f"{one.network}.{one.station}", one) for one in packets))


def of_all_stations(last_s: int = 60) -> list[WaveformPacket]:
    by_station = [seconds(RECORD[:, : last_s * 100], station=station) for station in STATIONS]
    return [one for second in zip(*by_station, strict=True) for one in second]


def span(bus: Bus, first_s: float, last_s: float) -> LoggedSpan:
    return LoggedSpan(bus, START_NS + round(first_s * NS_PER_S), START_NS + round(last_s * NS_PER_S))


def pick_ids(bus: Bus) -> set[str]:
    read = decoded(bus, "picks", PickMessage)
    return {message.pick.id for message in read if message.WhichOneof("content") == "pick"}


def test_a_playback_finds_what_batch_finds_and_leaves_the_live_topics_alone(
    live: Bus, apart: Bus, chosen: Chosen
) -> None:
    publish(live, of_all_stations())
    played = span(live, 0, 60)
    played.begin()
    play(played, apart, stages_of(chosen, apart, StandIn()), threading.Event())
    expected = {one.id for one in picks(pick_packets(of_all_stations(), two_stages()))}
    assert len(expected) >= 6
    assert pick_ids(apart) == expected
    assert sum(picks_in(apart, played).values()) == len(expected)
    assert (played.played.packets, played.played.stations) == (180, {"XX.STA", "XX.STB", "XX.STC"})
    assert pick_ids(live) == set()
    assert sum(live.lag("waveforms", "triggering").values()) == 180, "nobody has committed anything"


def test_what_is_old_is_not_postponed(chosen: Chosen) -> None:
    assert never_behind(chosen).picking.triggering_postpone_after_s == 0.0
    assert never_behind(chosen).picking.model_repository == chosen.picking.model_repository


def test_events_of_a_playback_are_in_a_catalogue_of_its_own(live: Bus, apart: Bus, chosen: Chosen, home: Path) -> None:
    publish(live, of_all_stations(2))
    apart.publish("events", "abc", make_event("abc").SerializeToString())
    played = span(live, 0, 60)
    played.begin()
    play(played, apart, stages_of(chosen, apart, StandIn()), threading.Event())
    with open_store(chosen.keeping.database_address, "trial", must_exist=True) as store:
        assert ids(store) == ["abc"]
    assert not (home / "catalogue.sqlite").exists(), "that is where the live catalogue would be"


def test_associations_of_a_playback_are_dealt_with(live: Bus, apart: Bus, chosen: Chosen) -> None:
    publish(live, of_all_stations(2))
    apart.publish("associations", "west", b"\x99rubbish")
    played = span(live, 0, 60)
    played.begin()
    play(played, apart, stages_of(chosen, apart, StandIn()), threading.Event())
    assert len(list(apart.read("associations.rejected"))) == 1


def test_stations_and_decisions_are_those_of_the_live_system_but_for_the_chosen_versions(
    live: Bus, apart: Bus, chosen: Chosen
) -> None:
    PromotionLog(live).promote("picker_live", "1", "0" * 64, None, Decision("operator"))
    live.publish("inventory", "XX.STA", b"a station")
    publish(live, of_all_stations(30))
    copy_tables(live, apart)
    promote(apart, {"picker_live": ("2", "f" * 64)})
    with apart.table("inventory") as table:
        table.refresh()
        assert dict(table) == {"XX.STA": b"a station"}
    models = StandIn()
    played = span(live, 0, 30)
    played.begin()
    play(played, apart, stages_of(chosen, apart, models), threading.Event())
    assert "picker_live/2" in models.versions
    assert "picker_live/1" not in models.versions
    assert [one.version for one in PromotionLog(live).read()["picker_live"]] == ["1"]


def test_only_the_span_and_what_its_picks_need_is_played(live: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_playback_log, "LEAD_IN_NS", 5 * NS_PER_S)
    monkeypatch.setattr(_playback_log, "LEAD_OUT_NS", 3 * NS_PER_S)
    publish(live, seconds(RECORD))
    live.publish("waveforms", "XX.STA", b"\x99rubbish")
    played = span(live, 20, 30)
    played.begin()
    packets = [WaveformPacket.FromString(message.value or b"") for message in played.messages()]
    assert [(one.start_ns - START_NS) / NS_PER_S for one in packets] == list(range(15, 33))
    assert (played.played.packets, played.log.packets) == (10, 60)


def test_what_is_played_behind_the_span_makes_its_last_event_final() -> None:
    watch, picks = Watch("default", network()), onsets([Shock(0, 3, 4)])[0]
    for each in picks:
        watch.add(pick(each))
    watch.hear(progress(60))
    assert {one.status for one in watch.step()} == {EVENT_STATUS_PRELIMINARY}
    watch.hear(progress(_playback_log.LEAD_OUT_NS / NS_PER_S))
    assert EVENT_STATUS_FINAL in {one.status for one in watch.step()}


def test_the_stations_are_played_in_the_order_in_which_they_sent(live: Bus) -> None:
    publish(live, of_all_stations(20))
    played = span(live, 0, 20)
    played.begin()
    keys = [message.key for message in played.messages()]
    assert keys == ["XX.STA", "XX.STB", "XX.STC"] * 20


def test_of_a_live_log_only_what_was_published_since_then_is_read(live: Bus) -> None:
    old = packet(RECORD, 0, 100)
    old.time_kind = TIME_KIND_LIVE
    publish(live, [old])  # published now: years before START_NS
    played = LoggedSpan(live, START_NS + 3600 * NS_PER_S, START_NS + 3700 * NS_PER_S)
    with pytest.raises(InputInvalid, match="found waveforms from 2030-03-17T17:46:40.000Z to 2030-03-17T17:46:41.000Z"):
        played.begin()


def test_an_empty_log_and_a_span_beside_it_are_told(live: Bus) -> None:
    with pytest.raises(InputInvalid, match="found no waveforms in the log"):
        span(live, 0, 10).begin()
    publish(live, seconds(RECORD))
    with pytest.raises(InputInvalid, match=r"found waveforms from .*40\.000Z to .*40\.000Z, expected some between"):
        span(live, 60, 70).begin()


def test_a_service_that_fails_ends_the_playback_with_its_reason(live: Bus, apart: Bus, chosen: Chosen) -> None:
    publish(live, of_all_stations(30))
    impatient = replace(chosen, picking=chosen.picking.model_copy(update={"models_wait_s": 0.01}))
    away = StandIn(error=ModelServerUnavailable("found nobody, expected an answer; wait"))
    played = span(live, 0, 30)
    played.begin()
    with pytest.raises(ModelServerUnavailable):
        play(played, apart, stages_of(impatient, apart, away), threading.Event())


def test_whoever_stops_a_playback_need_not_wait_for_its_end(live: Bus, apart: Bus) -> None:
    publish(live, of_all_stations(10))
    stop = threading.Event()

    def never_read(pulse: Pulse, own: threading.Event) -> None:
        stop.set()
        own.wait()

    played = span(live, 0, 10)
    played.begin()
    with pytest.raises(Stopped):
        play(played, apart, [Stage(Service("idle", never_read), "waveforms", "idle")], stop)


# --- as a person starts it --------------------------------------------------------------------------------------------


SPAN = ("--from", "2030-03-17T17:46:40", "--to", "2030-03-17T17:47:40")


def command(home: Path, *arguments: str) -> int:
    return main(["playback", "--home", str(home), "--bus", "memory://", "--database", "", *arguments])


def test_the_command_says_what_it_played_and_found(live: Bus, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(live, [one for one in of_all_stations() if one.station == "STA"])
    with serve_bus(live, socket_path(home)):
        assert command(home, *SPAN, "--namespace", "trial") == 0
    told = capsys.readouterr().out
    assert "played 60 packets of 1 stations, 2030-03-17T17:46:40.000Z to 2030-03-17T17:47:40.000Z" in told
    assert "the log ends" not in told
    assert "events none" in told
    assert "kensoku catalog diff database database:trial --from 2030-03-17T17:46:40.000Z" in told
    assert (home / "catalogue-trial.sqlite").exists()


def test_a_span_that_the_log_does_not_fill_is_told(live: Bus, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(live, seconds(RECORD[:, 1000:3000]))
    with serve_bus(live, socket_path(home)):
        assert (
            command(home, "--from", "2030-03-17T17:46:00", "--to", "2030-03-17T17:48:00", "--namespace", "trial") == 0
        )
    told = capsys.readouterr().out
    assert "the log begins at 2030-03-17T17:46:40.000Z: what was before is missing" in told
    assert "the log ends at 2030-03-17T17:47:00.000Z: what is later is missing" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*SPAN, "--namespace", ""), "which is the live system's; expected another"),
        ((*SPAN, "--namespace", "Trial!"), "--namespace: found 'Trial!', expected at most 31"),
        ((*SPAN, "--namespace", "t", "--models", "picker"), "expected NAME=VERSION such as picker_live=2"),
        ((*SPAN, "--namespace", "t", "--models", "nobody=2"), "found model 'nobody' in --models, expected one of"),
        ((*SPAN, "--namespace", "t", "--models", "picker_live=99"), "version '99' of model 'picker_live': cannot read"),
        ((*SPAN, "--namespace", "t", "--model", "nobody"), "found no model 'nobody'"),
        ((*SPAN[2:], "--from", "2031-01-01", "--namespace", "t"), "expected --from before --to"),
        ((*SPAN[2:], "--from", "yesterday", "--namespace", "t"), "expected a time such as"),
        ((*SPAN, "--namespace", "t"), "no system is running here"),
    ],
)
def test_mistakes_are_told_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], sentence: str
) -> None:
    assert command(tmp_path, *arguments) in (1, 2)
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.glob("*.sqlite")) == []


def test_a_namespace_whose_catalogue_an_earlier_version_made_is_not_taken_for_a_new_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(CatalogSettings, {"home": tmp_path, "namespace": "trial", "database": ""})
    migrate(settings.database_address, "trial", to="0001")
    assert command(tmp_path, *SPAN, "--namespace", "trial") == 1
    assert "found tables of version 0001" in capsys.readouterr().err


def test_a_namespace_that_has_a_catalogue_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings(CatalogSettings, {"home": tmp_path, "namespace": "trial", "database": ""})
    with open_store(settings.database_address, "trial") as store:
        store.write([make_event("abc")])
    assert command(tmp_path, *SPAN, "--namespace", "trial") == 2
    assert "found 1 events in the catalogue of namespace 'trial', expected a new namespace" in capsys.readouterr().err
