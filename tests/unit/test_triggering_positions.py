"""What triggering commits of partitions, what it hands over to their next owner, and whom it believes about them."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from kensoku.bus import Bus, Message
from kensoku.continuous import Instrument, index_of
from kensoku.control import station_decision, switch_station
from kensoku.models import Decision, PromotionLog, file_sha256
from kensoku.regions import PREFIX, Destination, destinations
from kensoku.runtime import Pulse
from kensoku.settings import load_settings
from kensoku.triggering.models import PatientModels, Promoted, listening, live_picker
from kensoku.triggering.recall import recall
from kensoku.triggering.service import GROUP, Triggering, run
from kensoku.triggering.settings import TriggeringSettings
from kensoku.triggering.telling import Directory, Teller
from kensoku.v1.control_pb2 import Control, Region
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station
from kensoku.v1.pick_pb2 import InstrumentProgress, Pick, PickMessage, Progress
from tests import services
from tests.regions import square
from tests.stand_in_models import StandIn, write_folders
from tests.streams import START_NS, FloatArray, packet, record, seconds

RECORD = record(9000, events=())
PACKETS = seconds(RECORD)
SENSOR = Instrument("XX", "STA", "", "HH")
LIMIT_S = 60.0


@pytest.fixture
def settings(tmp_path: Path) -> TriggeringSettings:
    write_folders(tmp_path)
    given = {"model_repository": tmp_path, "home": tmp_path, "triggering_lateness_s": 10.0}
    return load_settings(TriggeringSettings, given)


@pytest.fixture
def service(bus: Bus, settings: TriggeringSettings) -> Iterator[Triggering]:
    """Its clock stands still: after the first turn none tells how far it is, or commits what is needed no more."""
    with bus.table("inventory") as inventory, bus.table("control") as control:
        pulse = Pulse()
        models = PatientModels(StandIn(), pulse, threading.Event(), 0.0)
        listens = listening(settings, models, Promoted(control))
        yield Triggering(settings, bus, listens, inventory, control, pulse, lambda: PACKETS[-1].arrival_ns)


def hand_over(service: Triggering, bus: Bus) -> None:
    """After two turns, of a packet and of all the others."""
    services.publish(bus, "waveforms", [("XX.STA", one) for one in PACKETS])
    with bus.subscribe(["waveforms"], GROUP, on_assigned=service.assigned) as stream:
        read = list[Message]()
        for batch in stream.batches(1000):
            read += batch
            if len(read) == len(PACKETS):
                break
        service.turn(stream, read[:1])
        service.turn(stream, read[1:])
        service.revoked(stream, stream.assignment)


def test_the_next_owner_of_a_partition_is_told_how_far_it_was_looked_at(bus: Bus, service: Triggering) -> None:
    hand_over(service, bus)
    last = services.decoded(bus, "picks", PickMessage)[-1].progress
    assert last.next_offset == len(PACKETS)
    assert last.instruments[0].evaluated_to_ns == START_NS + 90 * 10**9


def test_the_next_owner_of_a_partition_reads_what_is_still_needed_alone(bus: Bus, service: Triggering) -> None:
    hand_over(service, bus)
    assert sum(bus.lag("waveforms", GROUP).values()) < 80


def test_of_a_partition_that_was_handed_over_nothing_is_held(bus: Bus, service: Triggering) -> None:
    hand_over(service, bus)
    assert list(service._detector.network.instruments()) == []


def progress(epoch: int, evaluated_to_ns: int) -> PickMessage:
    heard = InstrumentProgress(instrument=SENSOR.to_message(), evaluated_to_ns=evaluated_to_ns)
    return PickMessage(progress=Progress(partition=3, instruments=[heard], next_offset=epoch), owner_epoch=epoch)


def test_an_owner_before_the_last_is_believed_no_more_though_it_speaks_later(bus: Bus) -> None:
    told = [progress(2, START_NS + 10**9), progress(2, START_NS + 2 * 10**9), progress(1, START_NS + 9 * 10**9)]
    services.publish(bus, "picks", [("XX.STA", one) for one in told])
    before = recall(bus.read("picks")).of(3).before
    assert (before.next_offset, before.known_to) == (2, {SENSOR: index_of(START_NS + 2 * 10**9)})


def serve_all(settings: TriggeringSettings, bus: Bus) -> None:
    services.serve(partial(run, settings, bus, StandIn(), Pulse()), services.all_read(bus, "waveforms", GROUP), LIMIT_S)


def test_rubbish_that_comes_alone_is_committed(bus: Bus, settings: TriggeringSettings) -> None:
    bus.publish("waveforms", "XX.STA", b"\xff\xff rubbish")
    bus.flush()
    serve_all(settings, bus)


def test_what_a_disabled_station_sends_alone_is_committed(bus: Bus, settings: TriggeringSettings) -> None:
    decision = station_decision("XX.STA", disabled=True, author="noah", reason="a cable is loose", decided_ns=1)
    switch_station(bus, "XX.STA", decision)
    services.publish(bus, "waveforms", [("XX.STA", packet(RECORD, 0, 100))])
    serve_all(settings, bus)


def test_a_pick_is_told_to_each_region_that_hears_its_station(bus: Bus) -> None:
    regions = [square("a", 139, 25.0, 11), square("b", 140, 0.0, 12)]
    services.publish(bus, "control", [(PREFIX + one.name, Control(region=one)) for one in regions])
    with bus.table("inventory") as inventory, bus.table("control") as control:
        directory = Directory(inventory, control)
        directory.refresh()
        Teller(bus, directory, lambda: 1).tell(Pick(instrument=SENSOR.to_message()), 1)
    bus.flush()
    assert sorted(message.key for message in bus.read("picks.by-region")) == ["a", "b"]


def test_who_hears_a_station_is_worked_out_again_only_where_it_or_the_regions_change(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 2,000 stations and 16 regions that takes seconds."""
    asked: list[str] = []

    def counted(regions: Sequence[Region], station: Station | None) -> tuple[Destination, ...]:
        asked.append(station.station if station else "")
        return destinations(regions, station)

    def decide(*regions: Region) -> None:
        services.publish(bus, "control", [(PREFIX + one.name, Control(region=one)) for one in regions])

    def place(code: str, longitude_deg: float) -> None:
        epoch = ChannelEpoch(latitude_deg=0.5, longitude_deg=longitude_deg)
        services.publish(bus, "inventory", [(f"XX.{code}", Station(network="XX", station=code, epochs=[epoch]))])

    def heard() -> dict[str, list[str]]:
        asked.clear()
        directory.refresh()
        return {code: [one.name for one in directory.regions(f"XX.{code}")] for code in ("A", "B")}

    monkeypatch.setattr("kensoku.triggering.telling.destinations", counted)
    ticks = itertools.count()
    with bus.table("inventory") as inventory, bus.table("control") as control:
        directory = Directory(inventory, control, lambda: 2.0 * next(ticks))
        decide(square("a", 139, 25.0, 1))
        place("A", 139.5)
        place("B", 145.5)
        assert (heard(), asked) == ({"A": ["a"], "B": []}, ["A", "B"])
        switch_station(bus, "XX.B", station_decision("XX.B", disabled=True, author="noah", reason="", decided_ns=1))
        assert (heard(), asked) == ({"A": ["a"], "B": []}, [])
        place("B", 139.5)
        assert (heard(), asked) == ({"A": ["a"], "B": ["a"]}, ["B"])
        decide(square("b", 139, 25.0, 2))
        assert (heard(), asked) == ({"A": ["a", "b"], "B": ["a", "b"]}, ["A", "B"])


class Speechless(StandIn):
    """Says of windows that begin with zero what is no number."""

    def answer(self, model: str, counts: FloatArray) -> FloatArray:
        said = super().answer(model, counts)
        said[counts[:, 0, 0] == 0] = np.nan
        return said


def test_a_model_that_answers_what_is_no_number_is_named(caplog: pytest.LogCaptureFixture) -> None:
    pulse, counts = Pulse(), np.ones((3, 3, 400), dtype=np.float32)
    models = PatientModels(Speechless(), pulse, threading.Event(), 0.0)
    broken = counts.copy()
    broken[1] = 0
    for _ in range(2):
        assert np.isfinite(models.ask("picker_live", "7", broken)).all()
    assert pulse.notes() == {
        "picker_live": "picker_live version 7 answers what is no number; look at its records, or roll it back"
    }
    assert caplog.messages == [pulse.notes()["picker_live"]]
    models.ask("picker_live", "7", counts)
    assert pulse.notes() == {}


@pytest.mark.parametrize(("version", "is_named"), [("1", True), ("9", False)])
def test_picks_name_the_file_that_made_them_where_another_was_promoted(
    version: str, is_named: bool, bus: Bus, settings: TriggeringSettings
) -> None:
    """Version 9 is of a server with a repository of its own."""
    promoted = "ab" * 32
    PromotionLog(bus).promote("picker_live", version, promoted, None, Decision("noah"))
    with bus.table("control") as control:
        pulse = Pulse()
        final = live_picker(settings, PatientModels(StandIn(), pulse, threading.Event(), 0.0), Promoted(control)).final
        used = final.version_at(START_NS)
    assert (used.version, used.sha256 != promoted) == (version, is_named)
    assert ("picker_live version 1" in pulse.notes()) == is_named
    if is_named:
        assert used.sha256 == file_sha256(settings.model_repository, "picker_live", "1")
        assert "expected abababababab, with which it was promoted" in pulse.notes()["picker_live version 1"]
