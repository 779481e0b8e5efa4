"""A scenario as a source of waveforms, simulated as it is asked for."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from kensoku.acquisition.position import SourcePosition
from kensoku.acquisition.seconds import SECOND_NS, Span, StationSecond
from kensoku.acquisition.simulated import seconds_of
from kensoku.acquisition.sources import SIMULATED, STATIONS_ARE_SIMULATED, iso
from kensoku.acquisition.waveform_files import Fault
from kensoku.errors import InputInvalid
from kensoku.inventory import read_inventory
from kensoku.simulation.engine import World, open_world
from kensoku.simulation.metadata import published_inventory
from kensoku.simulation.telemetry import deliver, longest_delay_s
from kensoku.v1.inventory_pb2 import Station

log = logging.getLogger("kensoku.acquisition")


class SimulatedSource:
    kind = "simulation"

    def __init__(
        self,
        scenario: str,
        stations: str,
        is_selected: Callable[[str], bool],
        span: Span,
        packet_s: int,
        goes_on: Callable[[], bool],
    ) -> None:
        self._scenario, self._patterns, self._is_selected = scenario, stations, is_selected
        self._span, self._packet_s, self._goes_on = span, packet_s, goes_on
        self._world: World | None = None

    @property
    def identity(self) -> str:
        return SIMULATED + self._scenario

    def scan(self) -> Iterator[Fault | None]:
        world = open_world(self._scenario)
        stations = [station for station in world.stations if self._is_selected(station.name)]
        if not stations or not self._span.touches(world.start_ns, world.end_ns - 1):
            raise InputInvalid(
                f"found {len(world.stations)} stations from {iso(world.start_ns)} to {iso(world.end_ns)} in "
                f"{self.identity}, expected stations {self._patterns!r} between {iso(self._span.start_ns)} and "
                f"{iso(self._span.end_ns)}; choose other stations or times"
            )
        self._world = replace(world, stations=stations)
        log.info("simulating %d stations of %s", len(stations), self.identity)
        yield None

    def stations(self) -> Mapping[str, Station]:
        """As the operators of the simulated network would publish them."""
        xml = BytesIO()
        published_inventory(self.world, self.world.stations).write(xml, format="STATIONXML")
        return read_inventory({f"{Path(self._scenario).name} {STATIONS_ARE_SIMULATED}": xml.getvalue()}).stations

    @property
    def world(self) -> World:
        if self._world is None:
            raise RuntimeError("asked for what is not scanned yet")
        return self._world

    def first_ns(self, after: SourcePosition | None) -> int:
        begin = max(self.world.start_ns, self._span.start_ns)
        return max(begin, after.second * SECOND_NS) if after else begin

    def items(self, after: SourcePosition | None) -> Iterator[StationSecond | Fault]:
        """Behind a position come all packets that are due in its second or later, however long they were on their way:
        a few of its second may come again."""
        begin = max(self.world.start_ns, self._span.start_ns)
        telemetry, seed = self.world.scenario.telemetry, self.world.scenario.seed
        if after:
            begin = max(begin, after.second * SECOND_NS - round(longest_delay_s(telemetry) * SECOND_NS))
        end = min(self.world.end_ns, self._span.end_ns)
        packets = seconds_of(self.world, begin // SECOND_NS, -(-end // SECOND_NS), self._packet_s, self._goes_on)
        for delivery in deliver(packets, telemetry, seed):
            packet = delivery.packet
            delay_ns = delivery.due_ns - packet.end_ns
            item = StationSecond(
                packet.second, packet.network, packet.station, packet.channels, packet.seconds, delay_ns
            )
            if after is None or item.due_second >= after.second:
                yield item
