"""Where stations and regions are, as they are published: of each region the network that it hears."""

import logging
from collections.abc import Mapping

from kensoku.associating import AssociationSettings, Network, network_of
from kensoku.bus import Table
from kensoku.inventory import published_stations
from kensoku.locating import Corrections, Site, site_at
from kensoku.regions import WHOLE_EARTH, Ground, destinations, read_regions
from kensoku.traveltime import TravelTimeTable, Wave
from kensoku.v1.control_pb2 import Region
from kensoku.v1.inventory_pb2 import Station

log = logging.getLogger("kensoku.association")


class Atlas:
    """A network is made anew when its own stations change, and no other is."""

    def __init__(
        self,
        inventory: Table,
        control: Table,
        tables: Mapping[Wave, TravelTimeTable],
        settings: AssociationSettings,
        corrections: Corrections | None = None,
    ) -> None:
        self._inventory, self._control = inventory, control
        self._tables, self._settings, self._corrections = tables, settings, corrections
        self._seen = (-1, -1)  # editions of the inventory and of what was decided
        self._stations: Mapping[str, Station] = {}
        self._networks: dict[str, tuple[Mapping[str, Site], Network]] = {}
        self._heard: dict[str, Mapping[str, Station]] = {}  # by region
        self._too_few: set[str] = set()
        self.regions: Mapping[str, Region] = {}

    def refresh(self) -> bool:
        """Whether anything has changed."""
        self._inventory.refresh()
        self._control.refresh()
        before, self._seen = self._seen, (self._inventory.edition, self._control.edition)
        if self._seen[0] != before[0]:
            self._stations = published_stations(self._inventory)
        if self._seen[1] != before[1]:
            self.regions = {region.name: region for region in read_regions(self._control)}
        if self._seen != before:
            self._heard = {}
        return self._seen != before

    @property
    def has_enough(self) -> bool:
        """Stations for an event, wherever they are."""
        return len(self._stations) >= self._settings.least_stations

    def is_on_the_map(self, region: str) -> bool:
        """Where nobody has decided about regions, the whole Earth is."""
        return region in self.regions if self.regions else region == WHOLE_EARTH.name

    def partition(self, region: str) -> int | None:
        """Of `picks.by-region`; None of a region that was taken off the map."""
        if region in self.regions:
            return self.regions[region].partition
        return WHOLE_EARTH.partition if self.is_on_the_map(region) else None

    def ground(self, region: str) -> Ground | None:
        """None of a former region where there is none any more: it stays as it was."""
        return Ground(region, self.regions) if self.regions or self.is_on_the_map(region) else None

    def network(self, region: str, at_ns: int) -> Network | None:
        """With the stations where they stood then; None of a region that hears too few."""
        places = self._places(region, at_ns)
        known = self._networks.get(region)
        if known and known[0] == places:
            return known[1]
        if len(places) < self._settings.least_stations:
            if region not in self._too_few:
                self._too_few.add(region)
                log.warning(
                    "region %s: left out its picks: found %d stations, expected %d; `kensoku inventory apply FILE`, or "
                    "enlarge its reach_km",
                    region,
                    len(places),
                    self._settings.least_stations,
                )
            return None
        self._too_few.discard(region)
        network = network_of(places, self._tables, self._settings)
        self._networks[region] = places, network
        reasons = "; ".join(f"{reason.name} {reason.value:g}" for reason in network.reasons)
        log.info("region %s: %d stations: %s", region, len(places), reasons)
        return network

    def _places(self, region: str, at_ns: int) -> Mapping[str, Site]:
        """Of the stations that it hears, by NET.STA."""
        if region not in self._heard:
            own = [self.regions[region]] if region in self.regions else []
            self._heard[region] = {
                key: station for key, station in self._stations.items() if station.epochs and destinations(own, station)
            }
        return {key: site_at(key, station, at_ns, self._corrections) for key, station in self._heard[region].items()}
