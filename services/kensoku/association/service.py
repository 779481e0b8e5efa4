"""The loop of association: the picks of a region from the bus, candidates on to it, and a commit when they are safe."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from prometheus_client import Counter, Gauge, Histogram

from kensoku.associating import Network, Watch, network_of
from kensoku.association.settings import AssociationServiceSettings
from kensoku.bus import Bus, Message, Position, Stream, Table
from kensoku.events import status_name
from kensoku.inventory import published_stations
from kensoku.locating import Site
from kensoku.runtime import Pulse
from kensoku.traveltime import TravelTimeTable, Wave, build_table, grid_for, load_model
from kensoku.v1.association_pb2 import Association
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Pick, PickMessage

log = logging.getLogger("kensoku.association")

PICKS, ASSOCIATIONS, GROUP = "picks.by-region", "associations", "association"
NS_PER_S = 10**9
NS_PER_DAY = 86_400 * NS_PER_S
REFRESH_S = 5.0  # of the inventory: a network is made anew when stations change
COMMIT_S = 1.0
WAVES: tuple[Wave, Wave] = ("P", "S")

READ = Counter("association_messages", "Picks, measurements and progress that were read")
REJECTS = Counter("association_rejects", "Messages that could not be used")
LEFT_OUT = Counter("association_left_out_picks", "Picks that cannot belong to an event: rejected, known, or no station")
TOLD = Counter("association_candidates", "States of candidates published", ["status"])
STEP_SECONDS = Histogram("association_step_seconds", "Time to think over what is new")
AGE_SECONDS = Histogram(
    "association_latency_seconds",
    "From the publication of the newest pick of a first declaration to the declaration",
    buckets=[0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 300],
)
LAG_SECONDS = Gauge("association_lag_seconds", "Wall-clock time since the newest message that was read was published")
HELD = Gauge("association_held_picks", "Picks in memory", ["region"])


def run(
    settings: AssociationServiceSettings,
    bus: Bus,
    pulse: Pulse,
    stop: threading.Event,
    clock_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Associate what comes until told to stop; what is not committed comes again."""
    pulse.wait_for("tables", "travel times are being computed")
    tables = tables_of(settings)
    pulse.wait_for("tables", "loops are being compiled")
    warm_up(tables, settings)
    pulse.found("tables")
    with bus.table("inventory") as inventory:
        service = Service(settings, bus, tables, inventory, clock_ns)
        with bus.subscribe([PICKS], GROUP, on_assigned=service.assigned, on_revoked=service.revoked) as stream:
            for batch in stream.batches(settings.association_batch):
                pulse.beat()
                if stop.is_set():
                    return
                service.turn(stream, batch)


def tables_of(settings: AssociationServiceSettings) -> Mapping[Wave, TravelTimeTable]:
    model = load_model(settings.location_velocity_model)
    grid = grid_for(settings.location_deepest_km)
    return {wave: build_table(model, wave, grid, settings.home / "traveltime") for wave in WAVES}


def warm_up(tables: Mapping[Wave, TravelTimeTable], settings: AssociationServiceSettings) -> None:
    """Compile the loops before the first earthquake waits for it: one is found among four stations."""
    corners = {"A.A": (0.0, 0.0), "A.B": (0.0, 0.2), "A.C": (0.2, 0.0), "A.D": (0.2, 0.2), "A.E": (0.1, 0.25)}
    network = network_of({code: Site(*place, 0.0) for code, place in corners.items()}, tables, settings.engine)
    watch = Watch("none", network, settings.watch)
    for code, (latitude_deg, longitude_deg) in corners.items():
        distance_km = 111.2 * math.hypot(latitude_deg - 0.1, longitude_deg - 0.1)
        for phase, wave in ((PHASE_P, WAVES[0]), (PHASE_S, WAVES[1])):
            onset_s = float(tables[wave].lookup(distance_km, 10.0).time_s)
            pick = Pick(id=f"{code}{wave}", phase=phase, onset_ns=10**18 + round(onset_s * NS_PER_S))
            pick.instrument.network, _, pick.instrument.station = code.partition(".")
            watch.add(pick)
    watch.finish()


@dataclass
class Held:
    """Of one partition: what must be read again after a restart."""

    next_offset: int = 0
    picks: deque[tuple[int, int]] = field(default_factory=deque)  # offset and onset
    epoch: int = 0

    def oldest(self, needed_ns: int) -> int:
        """Picks come nearly in the order of their onsets: what stands behind a needed one is kept with it."""
        while self.picks and self.picks[0][1] < needed_ns:
            self.picks.popleft()
        return self.picks[0][0] if self.picks else self.next_offset


class Service:
    """Between the bus and the watches of the regions, which know no bus."""

    def __init__(
        self,
        settings: AssociationServiceSettings,
        bus: Bus,
        tables: Mapping[Wave, TravelTimeTable],
        inventory: Table,
        clock_ns: Callable[[], int],
    ) -> None:
        self._settings, self._bus, self._tables = settings, bus, tables
        self._inventory, self._clock_ns = inventory, clock_ns
        self._network: Network | None = None
        self._places: Mapping[str, Site] = {}
        self._watches: dict[str, tuple[Watch, Position]] = {}  # by region
        self._held: dict[Position, Held] = {}
        self._recalled: dict[str, list[Association]] = {}
        self._refresh_ns = self._commit_ns = 0
        self._has_told = False

    def assigned(self, positions: frozenset[Position]) -> None:
        """Read what the last owner of these has told."""
        since_ns = self._clock_ns() - round(self._settings.association_recall_days * NS_PER_DAY)
        self._recalled = {}
        for message in self._bus.read(ASSOCIATIONS, start=max(since_ns, 0)):
            try:
                told = Association.FromString(message.value or b"")
            except DecodeError:
                continue  # somebody else's rubbish
            self._recalled.setdefault(told.region, []).append(told)
        for position in positions:
            self._held[position] = Held(epoch=self._clock_ns())

    def revoked(self, positions: frozenset[Position]) -> None:
        self._watches = {name: one for name, one in self._watches.items() if one[1] not in positions}
        for position in positions:
            self._held.pop(position, None)

    def turn(self, stream: Stream, batch: Sequence[Message]) -> None:
        READ.inc(len(batch))
        self._refresh()
        touched = {name for message in batch if (name := self._read(stream, message))}
        told = False
        for name in sorted(touched):
            told |= self._step(*self._watches[name])
        if batch:
            LAG_SECONDS.set(max(self._clock_ns() - max(m.published_ns for m in batch), 0) / NS_PER_S)
        if told or self._clock_ns() >= self._commit_ns:
            self._commit_ns = self._clock_ns() + round(COMMIT_S * NS_PER_S)
            stream.commit(self._needed())

    def _refresh(self) -> None:
        if self._clock_ns() < self._refresh_ns:
            return
        self._refresh_ns = self._clock_ns() + round(REFRESH_S * NS_PER_S)
        if not self._inventory.refresh() and self._network is not None:
            return
        places = places_of(published_stations(self._inventory))
        if places == self._places or len(places) < self._settings.association_least_stations:
            return
        self._places = places
        self._network = network_of(places, self._tables, self._settings.engine)
        log.info("%d stations: %s", len(places), "; ".join(f"{r.name} {r.value:g}" for r in self._network.reasons))
        for watch, _ in self._watches.values():
            watch.replace_network(self._network)

    def _read(self, stream: Stream, message: Message) -> str | None:
        """The region of what was understood."""
        position = message.topic, message.partition
        held = self._held.setdefault(position, Held(epoch=self._clock_ns()))
        held.next_offset = message.offset + 1
        try:
            content = PickMessage.FromString(message.value or b"")
        except DecodeError:
            REJECTS.inc()
            stream.reject(message, f"found {len(message.value or b'')} bytes, expected a PickMessage")
            return None
        watch = self._watch(message.key, position)
        if watch is None:
            LEFT_OUT.inc(content.WhichOneof("content") == "pick")
            return None
        match content.WhichOneof("content"):
            case "pick":
                if watch.add(content.pick):
                    held.picks.append((message.offset, content.pick.onset_ns))
                else:
                    LEFT_OUT.inc()
            case "measurement":
                watch.measure(content.measurement)
            case "progress":
                watch.hear(content.progress)
        return message.key

    def _watch(self, region: str, position: Position) -> Watch | None:
        if self._network is None:
            if not self._has_told:
                self._has_told = True
                log.warning("left out picks: too few stations are published; `kensoku inventory apply FILE`")
            return None
        if region not in self._watches:
            watch = Watch(region, self._network, self._settings.watch)
            watch.recall(self._recalled.pop(region, ()))
            self._watches[region] = watch, position
        return self._watches[region][0]

    def _step(self, watch: Watch, position: Position) -> bool:
        with STEP_SECONDS.time():
            found = watch.step()
        for association in found:
            association.owner_epoch, association.decided_ns = self._held[position].epoch, self._clock_ns()
            self._bus.publish(ASSOCIATIONS, association.region, association.SerializeToString())
            TOLD.labels(status_name(association).lower()).inc()
            if association.revision == 1:
                newest_ns = max((each.pick.latency.published_ns for each in association.picks), default=0)
                AGE_SECONDS.observe(max(association.decided_ns - newest_ns, 0) / NS_PER_S)
        HELD.labels(watch.region).set(len(watch))
        return bool(found)

    def _needed(self) -> Mapping[Position, int]:
        oldest_ns = {position: watch.oldest_needed_ns for watch, position in self._watches.values()}
        return {
            position: held.oldest(oldest_ns.get(position, 0))
            for position, held in self._held.items()
            if held.next_offset
        }


def places_of(stations: Mapping[str, Station]) -> Mapping[str, Site]:
    """By NET.STA, where the latest epoch has it."""
    return {
        key: Site(epoch.latitude_deg, epoch.longitude_deg, epoch.elevation_m / 1000)
        for key, station in stations.items()
        if station.epochs and (epoch := station.epochs[-1])
    }
