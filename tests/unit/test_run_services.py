"""What `kensoku run` starts besides the model server: the catalogue's writer, and stations that everybody knows."""

import argparse
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kensoku.bus import Bus, open_bus
from kensoku.catalog.settings import CatalogSettings
from kensoku.catalogue_store import open_store
from kensoku.cli._run_inventory import publish_inventory
from kensoku.cli._run_services import Chosen, add_service_flags, catalog_service, location_service
from kensoku.cli.inventory import read_files
from kensoku.cli.run import published_messages, status_line
from kensoku.runtime import Pulse
from kensoku.supervision import Supervisor
from tests.associations import make_association, make_picks, publish_stations
from tests.catalogue import ids, make_event
from tests.services import all_read, publish, wait_until

LIMIT_S = 240.0  # the first location compiles its loops, on a machine with other things to do


@pytest.fixture
def bus() -> Bus:
    return open_bus("memory://")


def test_events_on_the_bus_are_soon_in_the_database(bus: Bus, tmp_path: Path) -> None:
    settings = CatalogSettings(home=tmp_path)
    stop = threading.Event()
    with bus, Supervisor(Pulse(), stop).running([catalog_service(settings, bus)]):
        publish(bus, "events", [("abc", make_event("abc"))])
        wait_until(all_read(bus, "events", "catalog"), LIMIT_S)
    with open_store(settings.database_address, must_exist=True) as store:
        assert ids(store) == ["abc"]


def test_an_association_on_the_bus_is_soon_an_event_in_the_database(bus: Bus, tmp_path: Path) -> None:
    given = {"home": tmp_path, "location_velocity_model": "homogeneous", "location_deepest_km": 30}
    chosen = Chosen.load(argparse.Namespace(**given))
    publish_stations(bus)
    services = [location_service(chosen.locating, bus), catalog_service(chosen.keeping, bus)]
    pulse, stop = Pulse(), threading.Event()
    with bus, Supervisor(pulse, stop).running(services):
        association = make_association(make_picks())
        publish(bus, "associations", [(association.region, association)])
        is_kept = all_read(bus, "events", "catalog")
        wait_until(lambda: len(list(bus.read("events"))) == 1 and is_kept(), LIMIT_S)
        wait_until(lambda: not pulse.waiting(), LIMIT_S)
    with open_store(chosen.keeping.database_address, must_exist=True) as store:
        assert ids(store) == [association.event_id]


def test_each_setting_has_one_option_which_all_services_obey() -> None:
    parser = argparse.ArgumentParser()
    add_service_flags(parser, set())
    names = [action.dest for action in parser._actions]
    assert len(names) == len(set(names))
    chosen = Chosen.load(
        parser.parse_args(["--deepest-km", "45", "--velocity-model", "japan", "--corrections", "late.csv"])
    )
    assert chosen.associating.location_deepest_km == chosen.locating.location_deepest_km == 45
    assert chosen.associating.location_velocity_model == chosen.locating.location_velocity_model == "japan"
    assert chosen.associating.location_corrections == chosen.locating.location_corrections == Path("late.csv")


def test_stations_that_are_published_already_are_not_published_again(bus: Bus, tmp_path: Path) -> None:
    file = tmp_path / "stations.csv"
    file.write_text("id,lat,lon,elev_m\nNZ.WEL,-41.284,174.768,138\n")
    with bus:
        for _ in range(2):
            publish_inventory(bus, read_files([file]))
        publish_inventory(bus, None)
        assert len(list(bus.read("inventory"))) == 1


def test_the_status_names_only_topics_in_which_something_happened() -> None:
    before, after = {"inventory": 6.0, "picks": 10.0}, {"inventory": 6.0, "picks": 160.0, "waveforms": 3.0}
    assert status_line(before, after, {}) == "messages in the last 30 s: picks 150, waveforms 3; ready"
    assert status_line(after, after, {}) == "messages in the last 30 s: nothing; ready"
    assert all(count >= 0 for count in published_messages().values())


def test_the_first_line_of_the_log_has_the_settings_of_every_part_and_mistakes_of_all_are_told_together() -> None:
    def run(*options: str) -> list[str]:
        program = [sys.executable, "-m", "kensoku.cli.main", "run", "--inventory", "nothing.xml", *options]
        return subprocess.run(program, stderr=subprocess.PIPE, text=True, timeout=120).stderr.splitlines()

    first, *_ = run("--source", "archive", "--velocity-model", "japan")
    for told in ("triton_port=8001", "acquisition_source=archive", "triggering_hold_s=3.0", "catalog_agency=local"):
        assert f" {told}" in first
    assert first.count("location_velocity_model=japan") == first.count(" bus_wait_s=") == 1
    mistakes = run("--speed", "fast", "--hold-s", "-1", "--least-picks", "1", "--velocity-model", "", "--port", "x")
    options = ["--port", "--speed", "--hold-s", "--velocity-model", "--least-picks"]
    assert [line.split(":")[0].strip() for line in mistakes] == ["kensoku", *options]
