"""Events by travel times from 3-D grids, in batch and live."""

import math
from functools import partial
from pathlib import Path

import pytest

from kensoku.bus import Bus
from kensoku.cli._time_grids import NamedGrids, open_grids, require_grids
from kensoku.errors import InputInvalid
from kensoku.location.service import WITH_GRIDS, run
from kensoku.location.settings import LocationServiceSettings
from kensoku.runtime import Pulse
from kensoku.settings import load_settings
from kensoku.solving import Book, solve, solve_many
from kensoku.v1.association_pb2 import AssociatedPick
from kensoku.v1.event_pb2 import Event, Origin
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S
from tests import services
from tests.associations import (
    KM_PER_DEG,
    PLACES,
    STATIONS,
    T0_NS,
    VP,
    VS,
    S,
    make_association,
    make_context,
    make_pick,
    make_picks,
    publish_stations,
)
from tests.services import decoded
from tests.time_grids import write_grids

SOURCE = (2.0, 3.0, 8.0)
SLOWER = {code: 0.08 for code, (_, east) in PLACES.items() if east > 0}  # in the east


def late_picks(source: tuple[float, float, float] = SOURCE) -> list[AssociatedPick]:
    return [
        make_pick(code, phase, T0_NS + round(math.dist((*place, 0.0), source) / velocity * (1 + late) * S))
        for code, place in PLACES.items()
        for late in [SLOWER.get(code, 0.0)]
        for phase, velocity in ((PHASE_P, VP), (PHASE_S, VS))
    ]  # fmt: skip


def off_km(origin: Origin) -> float:
    north, east = origin.latitude_deg * KM_PER_DEG, origin.longitude_deg * KM_PER_DEG
    return math.dist((north, east, origin.depth_km), SOURCE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_grids(tmp_path / "grids", PLACES, SLOWER)


def test_events_are_where_the_grids_put_them_and_say_by_what(folder: Path) -> None:
    grids = open_grids(folder, STATIONS)
    context = make_context.__wrapped__(grids=grids.by_station, grids_sha256=grids.sha256)
    association = make_association(late_picks())
    by_layers, by_grids = solve(association, make_context()), solve(association, context)
    assert by_layers is not None
    assert by_grids is not None
    assert off_km(by_layers.origin) > 1
    assert off_km(by_grids.origin) < 0.1
    assert by_grids.provenance.velocity_model == "homogeneous and 3-D grids"
    assert by_grids.provenance.velocity_model_hash != by_layers.provenance.velocity_model_hash


def test_many_together_are_what_they_are_one_by_one(folder: Path) -> None:
    grids = open_grids(folder, STATIONS)
    context = make_context.__wrapped__(grids=grids.by_station, grids_sha256=grids.sha256)
    sources = [(2.0, 3.0, 8.0), (-10.0, 12.0, 5.0), (11.0, -4.0, 14.0)]
    swarm = [make_association(late_picks(source), event_id=f"e{n}") for n, source in enumerate(sources)]
    swarm.append(make_association(make_picks(), event_id="e3"))  # that the grids explain badly
    together = [each.event for each in solve_many(swarm, context, Book())]
    assert together == [solve_many([each], context, Book())[0].event for each in swarm]


def test_one_without_grids_is_where_the_layers_put_it(folder: Path) -> None:
    codes = [code for code in PLACES if code not in SLOWER]
    some = {key: grid for key, grid in open_grids(folder, STATIONS).by_station.items() if key[0][3:] in SLOWER}
    association = make_association(make_picks(codes))
    event, layers = solve(association, make_context.__wrapped__(grids=some)), solve(association, make_context())
    assert event == layers


def serve(folder: Path, home: Path, bus: Bus) -> Event:
    given = {"home": str(home), "location_velocity_model": "homogeneous", "location_time_grids": str(folder)}
    settings = load_settings(LocationServiceSettings, given)
    association = make_association(late_picks())
    services.publish(bus, "associations", [(association.region, association)])
    services.serve_all(partial(run, settings, bus, Pulse()), bus, "associations", "location")
    return decoded(bus, "events", Event)[-1]


def test_the_live_service_locates_by_them(folder: Path, tmp_path: Path, bus: Bus) -> None:
    publish_stations(bus)
    event = serve(folder, tmp_path, bus)
    assert off_km(event.origin) < 0.1
    assert event.provenance.velocity_model == "homogeneous and 3-D grids"
    assert WITH_GRIDS._value.get() == len(PLACES)


def test_a_name_that_two_stations_have_is_told_and_the_layers_serve(
    folder: Path, tmp_path: Path, bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    for path in folder.glob("*.hdr"):
        path.write_text(path.read_text().replace("XX_", ""))
    publish_stations(bus)
    other = Station(network="YY", station="A", hash="other", epochs=STATIONS["XX.B"].epochs)
    bus.publish("inventory", "YY.A", other.SerializeToString())
    assert off_km(serve(folder, tmp_path, bus).origin) < 5
    assert WITH_GRIDS._value.get() == len(PLACES) - 1
    assert "found a grid of A, which may be XX.A or YY.A" in caplog.text


def test_a_folder_without_grids_stops_the_service_at_its_start(tmp_path: Path, bus: Bus) -> None:
    publish_stations(bus)
    with pytest.raises(InputInvalid, match="found no NAME"):
        serve(tmp_path, tmp_path, bus)


def test_batch_refuses_names_that_two_stations_have_and_grids_of_other_stations(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in folder.glob("*.hdr"):
        path.write_text(path.read_text().replace("XX_", ""))
    with pytest.raises(InputInvalid, match="found a grid of A, which may be XX.A or YY.A; call it XX_A"):
        open_grids(folder, [*STATIONS, "YY.A"])
    grids = open_grids(folder, STATIONS)
    with pytest.raises(InputInvalid, match=r"found no grid of YY\.Q among the --time-grids"):
        require_grids(grids, ["YY.Q"])
    require_grids(grids, ["XX.A", "YY.Q"])
    assert "no grid, so the velocity model serves: YY.Q" in capsys.readouterr().err
    require_grids(NamedGrids({}, ""), ["YY.Q"])
