"""Live association places stations where they stood at the time, as batch does, and follows what operators change."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest
from prometheus_client import REGISTRY

from kensoku.associating import Network
from kensoku.association.atlas import Atlas
from kensoku.association.memory import Memory
from kensoku.association.service import Service, tables_of
from kensoku.association.settings import AssociationServiceSettings
from kensoku.bus import Bus, Stream
from kensoku.regions import PREFIX as REGION
from kensoku.v1.association_pb2 import AssociatedPick
from kensoku.v1.control_pb2 import Control, Region, Vertex
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import PickMessage
from tests import services
from tests.associations import STATIONS, T0_NS, S, make_picks, service_settings

PICKS = "picks.by-region"
HERE, THERE = (PICKS, 0), (PICKS, 1)
YEAR_NS = 365 * 86_400 * S


@dataclass
class Clock:
    now_ns: int = T0_NS

    def __call__(self) -> int:
        self.now_ns += 6 * S
        return self.now_ns


@dataclass
class Place:
    """A service, and what it was made of."""

    service: Service
    atlas: Atlas
    stream: Stream
    bus: Bus

    def hear(self, *picks: AssociatedPick) -> None:
        """The region is followed from then on."""
        messages = [PickMessage(pick=each.pick) for each in picks]
        services.publish(self.bus, PICKS, (("default", message) for message in messages), partition=0)
        left = len(messages)
        for batch in self.stream.batches(100):
            self.service.turn(self.stream, batch)
            left -= len(batch)
            if not left:
                return

    @property
    def network(self) -> Network:
        found = self.atlas.network("default", T0_NS)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> AssociationServiceSettings:
    return service_settings(tmp_path_factory.mktemp("home"))


@pytest.fixture
def open_place(settings: AssociationServiceSettings, bus: Bus) -> Iterator[Callable[..., Place]]:
    tables = tables_of(settings)
    with bus.table("inventory") as inventory, bus.table("control") as control:

        def opened(
            stations: Mapping[str, Station], corrections: Mapping[tuple[str, str], float] | None = None
        ) -> Place:
            services.publish(bus, "inventory", stations.items())
            atlas = Atlas(inventory, control, tables, settings.engine, corrections)
            service = Service(settings, bus, atlas, Memory(bus, 1000), Clock())
            stream = bus.subscribe([PICKS], "association", on_assigned=service.assigned)
            return Place(service, atlas, stream, bus)

        yield opened


def moved(code: str, at_ns: int, north_deg: float) -> dict[str, Station]:
    stations = copy.deepcopy(STATIONS)
    before = stations[code].epochs[0]
    after = stations[code].epochs.add()
    after.CopyFrom(before)
    before.end_ns = after.start_ns = at_ns
    after.latitude_deg += north_deg
    return stations


def latitude(network: Network, code: str) -> float:
    return float(network.stations.latitude[network.number[code]])


def test_an_epoch_that_begins_next_year_moves_no_station_today(open_place: Callable[..., Place]) -> None:
    place = open_place(moved("XX.A", T0_NS + YEAR_NS, 0.3))
    place.atlas.refresh()
    assert latitude(place.network, "XX.A") == STATIONS["XX.A"].epochs[0].latitude_deg
    later = place.atlas.network("default", T0_NS + 2 * YEAR_NS)
    assert later is not None
    assert latitude(later, "XX.A") == pytest.approx(STATIONS["XX.A"].epochs[0].latitude_deg + 0.3)
    assert place.network is place.atlas.network("default", T0_NS + S), "and is not made anew at each look"


def test_sensors_below_ground_and_corrections_are_those_of_location(open_place: Callable[..., Place]) -> None:
    sunk, buried = copy.deepcopy(STATIONS), copy.deepcopy(STATIONS)
    sunk["XX.B"].epochs[0].elevation_m = -1500.0
    buried["XX.B"].epochs[0].burial_depth_m = 1500.0
    corrections = {("XX.B", "P"): 0.25}
    plain, below, in_hole, late = (
        delays(open_place(stations, late))
        for stations, late in ((STATIONS, None), (sunk, None), (buried, None), (STATIONS, corrections))
    )
    assert in_hole == below != plain
    assert late == pytest.approx([plain[0] + 0.25, plain[1]])


def delays(place: Place) -> list[float]:
    place.atlas.refresh()
    found: list[float] = place.network.stations.delay[:, place.network.number["XX.B"]].tolist()
    return found


def test_a_change_that_a_rebalance_reads_first_is_followed(open_place: Callable[..., Place]) -> None:
    place = open_place(STATIONS)
    place.hear(*make_picks())
    new = copy.deepcopy(STATIONS["XX.A"])
    new.station, new.epochs[0].latitude_deg = "NEW", new.epochs[0].latitude_deg + 0.01
    services.publish(place.bus, "inventory", [("XX.NEW", new)])
    place.service.assigned(frozenset({THERE}))
    first = make_picks()[0]
    first.pick.id, first.pick.instrument.station = "of the new one", "NEW"
    place.hear(first)
    assert held() == len(make_picks()) + 1


def test_what_is_held_is_told_by_the_owner_alone(open_place: Callable[..., Place]) -> None:
    place = open_place(STATIONS)
    place.hear(*make_picks())
    assert held() == len(make_picks())
    place.service.revoked(frozenset({HERE}))
    assert held() is None


def test_of_a_region_off_the_map_nothing_is_needed_any_more(open_place: Callable[..., Place]) -> None:
    place = open_place(STATIONS)
    place.hear(*make_picks())
    one = Region(name="elsewhere", partition=5, reach_km=10)
    one.polygon.extend(Vertex(latitude_deg=60 + north, longitude_deg=east) for north, east in ((0, 0), (0, 1), (1, 1)))
    services.publish(place.bus, "control", [(REGION + one.name, Control(region=one))])
    for _ in range(20):  # two minutes by the clock of these tests
        place.service.turn(place.stream, [])
    assert held() is None
    assert place.bus.lag(PICKS, "association")[0] == 0


def test_a_region_that_was_the_last_is_read_back_by_whoever_has_its_picks(open_place: Callable[..., Place]) -> None:
    """Of one off the map nobody knows which partition it had, so that every member reads what it has told."""
    place = open_place(STATIONS)
    place.atlas.refresh()
    assert (place.atlas.partition("default"), place.atlas.partition("former")) == (0, None)


def held() -> float | None:
    return REGISTRY.get_sample_value("association_held_picks", {"region": "default"})
