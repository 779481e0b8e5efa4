"""What is told of picks, to all and to the regions that they concern; and where stations and regions lie."""

import time
from collections.abc import Callable

from prometheus_client import Counter

from kensoku.bus import Bus, Table
from kensoku.detection import Found
from kensoku.events import decision_name
from kensoku.inventory import published_stations
from kensoku.lateness import Latency
from kensoku.regions import Destination, destinations, read_regions
from kensoku.v1.control_pb2 import Region
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import PHASE_P, Pick, PickMeasurement, PickMessage

PICKS, BY_REGION = "picks", "picks.by-region"
REFRESH_S = 1.0

FOUND = Counter("triggering_picks", "Picks published", ["phase", "decision", "late"])
MEASURED = Counter("triggering_measurements", "Measurements of picks published")
HEARD_AGAIN = Counter("triggering_heard_again", "Picks heard again with all that surrounds them", ["is_confirmed"])
LATENCY_SECONDS = Latency(
    "triggering_latency_seconds",
    "From the arrival of the live packet that completed a second to the publication of its picks",
)


class Teller:
    """Puts picks and measurements on the bus, for all and for the regions that they concern."""

    def __init__(
        self,
        bus: Bus,
        directory: "Directory",
        clock_ns: Callable[[], int],
        is_live: Callable[[str], bool] = lambda station: False,
    ) -> None:
        self._bus, self._directory, self._clock_ns, self._is_live = bus, directory, clock_ns, is_live

    def tell(self, found: Found, epoch: int) -> None:
        key = f"{found.instrument.network}.{found.instrument.station}"
        found.latency.published_ns = self._clock_ns()
        message = PickMessage(owner_epoch=epoch)
        if isinstance(found, Pick):
            message.pick.CopyFrom(found)
            decision = decision_name(found).lower()
            FOUND.labels("P" if found.phase == PHASE_P else "S", decision, str(found.late).lower()).inc()
            if self._is_live(key):
                LATENCY_SECONDS.tell(found.latency.packet_arrival_ns, found.latency.published_ns)
        else:
            message.measurement.CopyFrom(found)
            MEASURED.inc()
            if len(found.models) > 1:
                HEARD_AGAIN.labels(str(_is_confirmed(found)).lower()).inc()
        value = message.SerializeToString()
        self._bus.publish(PICKS, key, value)
        for region in self._directory.regions(key):
            self._bus.publish(BY_REGION, region.name, value, partition=region.partition)


class Directory:
    """Stations and regions as they are published, looked up at most once a second."""

    def __init__(self, inventory: Table, control: Table, clock: Callable[[], float] = time.monotonic) -> None:
        self._inventory = inventory
        self._control = control
        self._clock = clock
        self._due_s = -1.0
        self._seen = (-1, -1)  # editions of both
        self._stations: dict[str, Station] = {}
        self._regions: tuple[Region, ...] = ()
        self._heard: dict[str, tuple[Destination, ...]] = {}  # as long as neither station nor regions change

    def refresh(self) -> None:
        if self._clock() < self._due_s:
            return
        self._due_s = self._clock() + REFRESH_S
        self._inventory.refresh()
        self._control.refresh()
        before, self._seen = self._seen, (self._inventory.edition, self._control.edition)
        if self._seen[0] != before[0]:
            stations = published_stations(self._inventory)
            self._heard = {key: one for key, one in self._heard.items() if stations.get(key) == self._stations.get(key)}
            self._stations = stations
        if self._seen[1] != before[1] and (regions := read_regions(self._control)) != self._regions:
            self._regions, self._heard = regions, {}

    def station(self, key: str) -> Station | None:
        return self._stations.get(key)

    def regions(self, key: str) -> tuple[Destination, ...]:
        if key not in self._heard:
            self._heard[key] = destinations(self._regions, self._stations.get(key))
        return self._heard[key]


def _is_confirmed(measurement: PickMeasurement) -> bool:
    """Whether its own phase is what the models still hold for the most probable."""
    said = measurement.probabilities
    own, other = (said.p, said.s) if measurement.phase == PHASE_P else (said.s, said.p)
    return own > max(said.noise, other)
