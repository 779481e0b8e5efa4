"""The loop of association: the picks of a region from the bus, candidates on to it, and a commit when they are safe."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from prometheus_client import Counter, Gauge, Histogram

from kensoku.associating import Network, Watch, check_pick_message, network_of
from kensoku.association.atlas import Atlas
from kensoku.association.memory import ASSOCIATIONS, Memory
from kensoku.association.settings import AssociationServiceSettings
from kensoku.bus import Bus, Message, Position, Stream
from kensoku.control import TOPIC as CONTROL
from kensoku.errors import InputInvalid
from kensoku.events import status_name
from kensoku.lateness import Lag, Latency
from kensoku.locating import Site, load_time_corrections
from kensoku.runtime import Pulse
from kensoku.times import Every
from kensoku.traveltime import TravelTimeTable, Wave, build_table, grid_for, load_model
from kensoku.v1.association_pb2 import Association
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Pick, PickMessage

log = logging.getLogger("kensoku.association")

PICKS, GROUP = "picks.by-region", "association"
NS_PER_S = 10**9
NS_PER_DAY = 86_400 * NS_PER_S
REFRESH_S = 5.0  # of the inventory and the regions
COMMIT_S = 1.0
NOTHING_NEEDED_NS = 1 << 62  # of a position whose regions are followed by nobody
TOO_FEW = "too few stations are published: picks wait in the log; `kensoku inventory apply FILE`"
WAVES: tuple[Wave, Wave] = ("P", "S")

READ = Counter("association_messages", "Picks, measurements and progress that were read")
REJECTS = Counter("association_rejects", "Messages that could not be used")
LEFT_OUT = Counter("association_left_out_picks", "Picks that cannot belong to an event: rejected, known, or no station")
TOLD = Counter("association_candidates", "States of candidates published", ["status"])
STEP_SECONDS = Histogram("association_step_seconds", "Time to think over what is new")
AGE_SECONDS = Latency(
    "association_latency_seconds", "From the publication of the newest pick of a first declaration to the declaration"
)
LAG_SECONDS = Lag("association_lag_seconds", "the newest message that was read was published")
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
    pulse.wait_for("tables", "loops are being compiled, about a minute at the first start")
    warm_up(tables, settings)
    pulse.found("tables")
    with bus.table("inventory") as inventory, bus.table(CONTROL) as control:
        corrections = load_time_corrections(settings.location_corrections) if settings.location_corrections else None
        atlas = Atlas(inventory, control, tables, settings.engine, corrections)
        service = Service(settings, bus, atlas, Memory(bus, settings.association_events, pulse.beat), clock_ns)
        while not stop.is_set():
            follow(service, bus, pulse, stop, settings.association_batch)


def follow(service: "Service", bus: Bus, pulse: Pulse, stop: threading.Event, most: int) -> None:
    """Until told to stop, or until picks that came before the stations can be read again."""
    with bus.subscribe([PICKS], GROUP, on_assigned=service.assigned, on_revoked=service.revoked) as stream:
        for batch in stream.batches(most):
            pulse.beat()
            if stop.is_set() or service.must_read_again:
                return
            service.turn(stream, batch)
            pulse.note("stations", TOO_FEW if service.has_passed_over else "")


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


@dataclass
class Watched:
    """A region that is followed here."""

    watch: Watch
    position: Position
    heard_ns: int  # wall-clock, of the last message


class Service:
    """Between the bus and the watches of the regions, which know no bus."""

    def __init__(
        self,
        settings: AssociationServiceSettings,
        bus: Bus,
        atlas: Atlas,
        memory: Memory,
        clock_ns: Callable[[], int],
    ) -> None:
        self._settings, self._bus, self._clock_ns = settings, bus, clock_ns
        self._atlas, self._memory = atlas, memory
        self._watched: dict[str, Watched] = {}  # by region
        self._held: dict[Position, Held] = {}
        self.has_passed_over = False  # picks, because stations were not known
        self._touched: set[str] = set()  # regions of which something is new
        self._has_map_changed = False  # since the watches were told of it
        self._refreshes, self._commits = Every(REFRESH_S), Every(COMMIT_S)

    @property
    def must_read_again(self) -> bool:
        self._touched |= self._refresh()
        return self.has_passed_over and self._atlas.has_enough

    def assigned(self, positions: frozenset[Position]) -> None:
        """Read what the last owner of these has told."""
        since_ns = self._clock_ns() - round(self._settings.association_recall_days * NS_PER_DAY)
        self._has_map_changed |= self._atlas.refresh()
        numbers = {None, *(number for _, number in self._held.keys() | positions)}
        self._memory.read_back(
            max(since_ns, 0),
            lambda region: region not in self._watched and self._atlas.partition(region) in numbers,
        )
        for position in positions:
            self._held[position] = Held(epoch=self._clock_ns())
        self.has_passed_over = False

    def revoked(self, positions: frozenset[Position]) -> None:
        for name in [name for name, one in self._watched.items() if one.position in positions]:
            self._forget(name)
        for position in positions:
            self._held.pop(position, None)

    def turn(self, stream: Stream, batch: Sequence[Message]) -> None:
        READ.inc(len(batch))
        self._touched |= self._refresh()
        if not self._atlas.has_enough:
            self.has_passed_over |= bool(batch)
            return  # nothing is committed, so that it comes again
        self._touched |= {name for message in batch if (name := self._read(stream, message))}
        for told in self._memory.news():
            self._pass_on(told)
        touched, self._touched = self._touched & self._watched.keys(), set()
        has_told = any([self._step(self._watched[name]) for name in sorted(touched)])
        LAG_SECONDS.tell((message.published_ns for message in batch), self._clock_ns())
        if self._commits.has_passed(self._clock_ns()) or has_told:
            stream.commit(self._needed())

    def _pass_on(self, told: Association) -> None:
        """To the other regions that are followed here."""
        self._touched |= {name for name, one in self._watched.items() if one.watch.hear_neighbour(told)}

    def _refresh(self) -> set[str]:
        """Follow what operators decide and where stations are; the regions that this touches."""
        if not self._refreshes.has_passed(self._clock_ns()):
            return set()
        self._drop_gone()
        self._has_map_changed |= self._atlas.refresh()
        is_new, self._has_map_changed = self._has_map_changed, False
        touched = set()
        for name, one in self._watched.items():
            network = self._network(name, one.watch)
            if is_new or network is not one.watch.network:  # a station may have moved as its next epoch began
                one.watch.replace_network(network, self._atlas.ground(name))
                touched.add(name)
        return touched

    def _network(self, region: str, watch: Watch) -> Network:
        """With the stations where they stand at the event time that has come; the old one if there are too few."""
        is_known = watch.tick_ns and self._atlas.is_on_the_map(region)
        return (self._atlas.network(region, watch.tick_ns) if is_known else None) or watch.network

    def _drop_gone(self) -> None:
        """A region that was taken off the map, and from which nothing comes any more, has told its last."""
        silent_ns = self._clock_ns() - round(self._settings.association_lateness_s * NS_PER_S)
        for name, one in list(self._watched.items()):
            if not self._atlas.is_on_the_map(name) and one.heard_ns < silent_ns:
                self._tell(one, one.watch.finish())
                self._forget(name)
                log.info("region %s is off the map: its events are final", name)

    def _forget(self, region: str) -> None:
        del self._watched[region]
        with suppress(KeyError):  # of which nothing was told yet
            HELD.remove(region)

    def _read(self, stream: Stream, message: Message) -> str | None:
        """The region of what was understood."""
        position = message.topic, message.partition
        held = self._held.setdefault(position, Held(epoch=self._clock_ns()))
        held.next_offset = message.offset + 1
        content = read(stream, message)
        if content is None:
            return None
        watch = self._watch(message.key, position, _time_ns(content))
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

    def _watch(self, region: str, position: Position, at_ns: int) -> Watch | None:
        if region not in self._watched:
            network = self._atlas.network(region, at_ns)
            if network is None:
                return None
            watch = Watch(region, network, self._settings.watch, self._atlas.ground(region))
            for told in self._memory.all_last():
                watch.hear_neighbour(told)
            watch.recall(self._memory.take_own(region))
            self._watched[region] = Watched(watch, position, self._clock_ns())
        self._watched[region].heard_ns = self._clock_ns()
        return self._watched[region].watch

    def _step(self, one: Watched) -> bool:
        with STEP_SECONDS.time():
            found = one.watch.step()
        HELD.labels(one.watch.region).set(len(one.watch))
        return self._tell(one, found)

    def _tell(self, one: Watched, found: Sequence[Association]) -> bool:
        for association in found:
            association.owner_epoch, association.decided_ns = self._held[one.position].epoch, self._clock_ns()
            self._bus.publish(ASSOCIATIONS, association.seam or association.region, association.SerializeToString())
            self._pass_on(association)
            TOLD.labels(status_name(association).lower()).inc()
            if association.revision == 1:
                newest_ns = max((each.pick.latency.published_ns for each in association.picks), default=0)
                AGE_SECONDS.tell(newest_ns, association.decided_ns)
        return bool(found)

    def _needed(self) -> Mapping[Position, int]:
        """Two regions share a position while one follows on the other."""
        oldest_ns: dict[Position, int] = {}
        for one in self._watched.values():
            needed_ns = one.watch.oldest_needed_ns
            oldest_ns[one.position] = min(needed_ns, oldest_ns.get(one.position, needed_ns))
        return {
            position: held.oldest(oldest_ns.get(position, NOTHING_NEEDED_NS))
            for position, held in self._held.items()
            if held.next_offset
        }


def read(stream: Stream, message: Message) -> PickMessage | None:
    """None of what was put aside."""
    try:
        content = PickMessage.FromString(message.value or b"")
        check_pick_message(content, message.published_ns)
    except DecodeError:
        reason = f"found {len(message.value or b'')} bytes, expected a PickMessage"
    except InputInvalid as error:
        reason = str(error)
    else:
        return content
    REJECTS.inc()
    stream.reject(message, reason)
    return None


def _time_ns(message: PickMessage) -> int:
    """Event time of what is told."""
    match message.WhichOneof("content"):
        case "pick":
            return message.pick.onset_ns
        case "measurement":
            return message.measurement.onset_ns
        case _:
            return max((each.evaluated_to_ns for each in message.progress.instruments), default=0)
