"""Four regions that meet in one corner, a network across them, earthquakes along their edges, and who tells them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np

from kensoku.associating import Network, Onset, Watch, network_of
from kensoku.associating._seams import GONE
from kensoku.locating import Site
from kensoku.regions import Ground, destinations
from kensoku.v1.association_pb2 import Association
from kensoku.v1.control_pb2 import Region, Vertex
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station
from kensoku.v1.pick_pb2 import Instrument, InstrumentProgress, Pick, Progress
from tests.shocks import BEGIN_NS, NS_PER_S, WAVES, Shock, onset, pick, place, tables

ROWS, SPACING_KM = 6, 22.0
REACH_KM = 45.0  # beyond their edges regions hear so far: each misses a row and a column of stations
HEARD_KM = 38.0  # earthquakes are picked so far
CORNERS_KM = {
    "ne": [(0, 0), (0, 200), (200, 200), (200, 0)],
    "nw": [(0, 0), (200, 0), (200, -200), (0, -200)],
    "se": [(0, 0), (-200, 0), (-200, 200), (0, 200)],
    "sw": [(0, 0), (0, -200), (-200, -200), (-200, 0)],
}  # north and east of the corner where they meet


@cache
def sites() -> dict[str, Site]:
    middle = (ROWS - 1) / 2
    return {
        f"XX.S{row}{column}": Site(*place(SPACING_KM * (row - middle), SPACING_KM * (column - middle)))
        for row in range(ROWS)
        for column in range(ROWS)
    }


@cache
def regions() -> dict[str, Region]:
    return {
        name: Region(name=name, polygon=[vertex(*corner) for corner in corners], reach_km=REACH_KM, partition=number)
        for number, (name, corners) in enumerate(CORNERS_KM.items())
    }


def vertex(north_km: float, east_km: float) -> Vertex:
    latitude_deg, longitude_deg = place(north_km, east_km)
    return Vertex(latitude_deg=latitude_deg, longitude_deg=longitude_deg)


def station_message(code: str) -> Station:
    site, (network, station) = sites()[code], code.split(".")
    epoch = ChannelEpoch(code="HHZ", latitude_deg=site.latitude_deg, longitude_deg=site.longitude_deg)
    return Station(network=network, station=station, hash=code, epochs=[epoch])


@cache
def heard_by(name: str) -> frozenset[str]:
    """Stations of a region; of a name that is not on the map all of them."""
    own = [regions()[name]] if name in regions() else []
    return frozenset(code for code in sites() if destinations(own, station_message(code)))


@cache
def network_heard_by(name: str) -> Network:
    return network_of({code: sites()[code] for code in heard_by(name)}, tables())


def shocks_along_seams(count: int, seed: int, every_s: float = 15.0) -> list[Shock]:
    """0 to 5 km to either side of the four seams, a fifth of them around the corner."""
    chance = np.random.default_rng(seed)
    made = []
    for number in range(count):
        across_km = float(chance.uniform(-5, 5))
        along_km = float(chance.uniform(-5, 5) if number % 5 == 0 else chance.uniform(-30, 30))
        places = (across_km, along_km) if number % 2 else (along_km, across_km)
        made.append(Shock(20 + every_s * number + float(chance.uniform(0, 8)), *places, float(chance.uniform(5, 12))))
    return made


def onsets_of(shocks: Sequence[Shock], seed: int, detected: float = 0.9) -> list[Onset]:
    """By their onsets, with errors, some missing."""
    chance = np.random.default_rng(seed)
    made: list[Onset] = []
    for shock in shocks:
        for code, site in sites().items():
            north_km = (site.latitude_deg - 35) * 111.19 - shock.north_km
            east_km = (site.longitude_deg + 118) * 111.19 * np.cos(np.radians(35)) - shock.east_km
            for wave, error_s in zip(WAVES, (0.05, 0.1), strict=True):
                time_s = tables()[wave].lookup(np.hypot(north_km, east_km), shock.depth_km).time_s
                if np.hypot(north_km, east_km) <= HEARD_KM and chance.random() < detected:
                    onset_s = shock.after_s + float(time_s) + chance.normal(0, error_s)
                    made.append(onset(len(made), code, wave, onset_s, error_s))
    return sorted(made, key=lambda each: each.onset_ns)


def progress_of(after_s: float, codes: Iterable[str]) -> Progress:
    until_ns = BEGIN_NS + round(after_s * NS_PER_S)
    return Progress(
        instruments=[
            InstrumentProgress(
                instrument=Instrument(network="XX", station=code[3:], band_instrument="HH"), evaluated_to_ns=until_ns
            )
            for code in sorted(codes)
        ]
    )


def watches(names: Iterable[str]) -> dict[str, Watch]:
    return {name: Watch(name, network_heard_by(name), ground=Ground(name, regions())) for name in names}


def tell(
    followed: dict[str, Watch], given: Sequence[Onset], *, every_s: float = 2.0, deaf: bool = False, seed: int = 0
) -> list[Association]:
    """What the regions tell, step by step; each hears the others a step or two later, in any order, unless `deaf`."""
    chance = np.random.default_rng(seed)
    told: list[Association] = []
    on_the_way: dict[str, list[Association]] = {name: [] for name in followed}
    end_s = (given[-1].onset_ns - BEGIN_NS) / NS_PER_S
    steps = [*np.arange(every_s, end_s + every_s, every_s), end_s + 600, end_s + 601, end_s + 602, end_s + 603]
    first = 0
    for now_s in map(float, steps):
        last = first
        while last < len(given) and given[last].onset_ns <= BEGIN_NS + now_s * NS_PER_S:
            last += 1
        for number in chance.permutation(len(followed)):
            name = sorted(followed)[number]
            watch, heard = followed[name], heard_by(name)
            for each in given[first:last]:
                if each.station in heard:
                    watch.add(pick(each))
            watch.hear(progress_of(now_s - 2, heard))
            kept: list[Association] = []
            for other_told in on_the_way[name]:
                if not deaf and (chance.random() < 0.7 or now_s > end_s + 300):
                    watch.hear_neighbour(other_told)
                else:
                    kept.append(other_told)
            found = watch.step()
            on_the_way[name] = kept
            told += found
            for other in followed.keys() - {name}:
                on_the_way[other] += found
        first = last
    return told


class Apart:
    """A region that reads picks and what the others tell when it likes; killed, it goes on from what is committed."""

    def __init__(self, name: str, given: Sequence[Onset], log: list[Association]) -> None:
        self.name, self.log, self.committed, self.epoch = name, log, 0, 0
        self.messages = list(messages_of(given, name))
        self.start()

    def start(self) -> None:
        [self.watch] = watches([self.name]).values()
        self.next, self.heard, self.epoch = self.committed, len(self.log), self.epoch + 1
        self.held: list[tuple[int, int]] = []  # number and onset
        for told in self.log:
            self.watch.hear_neighbour(told)
        self.watch.recall(told for told in self.log if told.region == self.name)

    def turn(self, most: int) -> bool:
        """Whether something was told."""
        for number in range(self.next, min(self.next + most, len(self.messages))):
            match self.messages[number]:
                case Pick() as one:
                    if self.watch.add(one):
                        self.held.append((number, one.onset_ns))
                case Progress() as progress:
                    self.watch.hear(progress)
            self.next = number + 1
        for told in self.log[self.heard :]:
            self.watch.hear_neighbour(told)
        self.heard = len(self.log)
        found = self.watch.step()
        for association in found:
            association.owner_epoch = self.epoch
            self.log.append(Association.FromString(association.SerializeToString()))
        return bool(found)

    def commit(self) -> None:
        while self.held and self.held[0][1] < self.watch.oldest_needed_ns:
            self.held.pop(0)
        self.committed = self.held[0][0] if self.held else self.next

    @property
    def is_done(self) -> bool:
        return self.next == len(self.messages)


def messages_of(given: Sequence[Onset], name: str) -> Iterator[Pick | Progress]:
    """What a region reads, second by second, until all is final."""
    heard = heard_by(name)
    end_s = (given[-1].onset_ns - BEGIN_NS) // NS_PER_S + 700
    own = [each for each in given if each.station in heard]
    for second in range(end_s):
        yield from (pick(each) for each in own if second == (each.onset_ns - BEGIN_NS) // NS_PER_S)
        yield progress_of(second - 1, heard)


def tell_apart(given: Sequence[Onset], *, seed: int, restarts: int) -> list[Association]:
    """What the regions tell, each at a pace of its own that may be fifty times another's, some killed on the way."""
    chance = np.random.default_rng(seed)
    log: list[Association] = []
    apart = [Apart(name, given, log) for name in sorted(regions())]
    pace = chance.choice([0.02, 0.1, 0.5, 1.0], len(apart))
    most = int(chance.choice([30, 100, 400]))
    killed = set(chance.integers(10, 10 + 4 * len(apart[0].messages) // most, restarts).tolist())
    turns = 0
    while not all(each.is_done for each in apart):
        one = apart[chance.choice(len(apart), p=pace / pace.sum())]
        if one.is_done and chance.random() < 0.8:
            continue
        one.turn(int(chance.integers(1, most)))
        if chance.random() < 0.7:
            one.commit()
        if (turns := turns + 1) in killed:
            one.start()
    while any([each.turn(0) for each in apart]):
        pass
    return sorted(log, key=lambda each: (each.revision, each.owner_epoch))


def catalogue(told: Iterable[Association]) -> list[Association]:
    """The last state of each event that is one, by origin time."""
    last = {each.event_id: each for each in told}
    return sorted((each for each in last.values() if each.status not in GONE), key=lambda each: each.trial.time_ns)


def pick_ids(association: Association) -> frozenset[str]:
    return frozenset(each.pick.id for each in association.picks)


def square(name: str, west_deg: float, reach_km: float = 0.0, partition: int = 0) -> Region:
    """A degree at the equator."""
    corners = ((0, west_deg), (0, west_deg + 1), (1, west_deg + 1), (1, west_deg))
    polygon = [Vertex(latitude_deg=latitude, longitude_deg=longitude) for latitude, longitude in corners]
    return Region(name=name, polygon=polygon, reach_km=reach_km, partition=partition)
