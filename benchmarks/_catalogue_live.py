"""The whole way of a packet to an event, with the code of the services, in the time of a simulated network.

Packets arrive when telemetry brings them; triggering, association and location each take what has come when they are
free, and are busy for as long as the processor is (`benchmarks._catalogue_queue`).
"""

import hashlib
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks._catalogue_queue import Load, served
from benchmarks._catalogue_records import CACHE, Cut
from kensoku.associating import AssociationSettings, Network, Watch, WatchSettings, network_of
from kensoku.batch import open_picker
from kensoku.continuous import NOWHERE, time_of
from kensoku.detection import Cascade, Detector, Found, Picker, SecondLook, Stage
from kensoku.inference import Models, open_models, versions_in
from kensoku.locating import Site
from kensoku.models import default_repository, file_sha256
from kensoku.packets import decode_packets
from kensoku.picking import read_card
from kensoku.settings import ServiceSettings, load_settings
from kensoku.solving import Book, Context, solve_many
from kensoku.traveltime import EarthModel, Grid, TravelTimeTable, Wave, build_table, load_model
from kensoku.v1.association_pb2 import Association
from kensoku.v1.event_pb2 import Event
from kensoku.v1.inventory_pb2 import Station
from kensoku.v1.pick_pb2 import InstrumentProgress, Pick, PickMeasurement, PickMessage, Progress
from kensoku.v1.waveform_pb2 import WaveformPacket

NS_PER_S = 10**9
PROGRESS_NS = NS_PER_S
MEASURED_AT_ONCE = 32
DEEPEST_KM = 62.0
REGION = "all"
PICKER, FIRST, SECOND, BLAST = "picker_live", "picker_first", "picker", "blast_long"

Told = Pick | PickMeasurement | Progress
Timed = tuple[int, Told]


@dataclass
class Run:
    """What each program told, and when."""

    picks: list[tuple[int, Pick]] = field(default_factory=list)
    associations: list[tuple[int, Association]] = field(default_factory=list)
    events: list[tuple[int, Event]] = field(default_factory=list)
    loads: dict[str, Load] = field(default_factory=dict)


@dataclass(frozen=True)
class Earth:
    model: EarthModel
    tables: Mapping[Wave, TravelTimeTable]


def earth_of(name: str) -> Earth:
    model, cache = load_model(name), load_settings(ServiceSettings).home / "traveltime"
    waves: tuple[Wave, Wave] = ("P", "S")
    return Earth(model, {wave: build_table(model, wave, Grid(deepest_km=DEEPEST_KM), cache) for wave in waves})


def network_for(stations: Mapping[str, Station], earth: Earth, settings: AssociationSettings) -> Network:
    epochs = {key: station.epochs[-1] for key, station in stations.items()}
    sites = {key: Site(one.latitude_deg, one.longitude_deg, one.elevation_m / 1000) for key, one in epochs.items()}
    return network_of(sites, earth.tables, settings)


def context_for(stations: Mapping[str, Station], earth: Earth) -> Context:
    return Context(model=earth.model, tables=earth.tables, stations=stations)


# --- picks ------------------------------------------------------------------------------------------------------------


def picked(cut: Cut, load: Load) -> list[Timed]:
    """As triggering tells them; kept, for what follows is tried more often than they are."""
    repository = default_repository()
    hashes = [file_sha256(repository, name, _newest(repository, name)) for name in (PICKER, FIRST, SECOND, BLAST)]
    hashes += [read_card(repository, name).to_json() for name in (PICKER, FIRST, SECOND, BLAST)]
    path = CACHE / f"picks-{cut.identity}-{hashlib.sha256(' '.join(hashes).encode()).hexdigest()[:12]}.pickle"
    if not path.is_file():
        told = [(at_ns, each.SerializeToString()) for at_ns, each in _picked(cut, load, repository)]
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(pickle.dumps((told, load)))
        partial.replace(path)
    kept, spent = pickle.loads(path.read_bytes())
    load.__dict__.update(spent.__dict__)
    return [(at_ns, _content(PickMessage.FromString(each))) for at_ns, each in kept]


def _picked(cut: Cut, load: Load, repository: Path) -> Iterator[tuple[int, PickMessage]]:
    url = f"local:{repository}"
    with open_models(url) as models, open_picker(repository, url, PICKER) as picker:
        second = SecondLook(_stage(repository, models, SECOND), _stage(repository, models, BLAST))
        listener = Listener(picker, second, cut.inventory)
        packets = ((packet.arrival_ns, packet) for packet in cut.packets())
        last_ns = 0
        for last_ns, told in served(packets, listener.turn, load):
            yield last_ns, told
        for each in listener.rest():
            yield last_ns, each


def _stage(repository: Path, models: Models, name: str) -> Stage:
    version = _newest(repository, name)

    def ask(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(models.infer(name, {"counts": counts}, version=version)["probabilities"], np.float32)

    return Stage(name, read_card(repository, name), ask, version, file_sha256(repository, name, version))


def _newest(repository: Path, name: str) -> str:
    return max(versions_in(repository, name), key=int, default="1")


def _content(message: PickMessage) -> Told:
    match message.WhichOneof("content"):
        case "pick":
            return message.pick
        case "measurement":
            return message.measurement
        case _:
            return message.progress


class Listener:
    def __init__(self, picker: Picker, second: SecondLook, stations: Mapping[str, Station]) -> None:
        self._detector = Detector(Cascade(picker), stations=stations.get, second_look=second)
        self._due_ns = 0

    def turn(self, now_ns: int, packets: Sequence[WaveformPacket]) -> Iterator[PickMessage]:
        for packet, channels in zip(packets, decode_packets(packets), strict=True):
            if isinstance(channels, list):
                self._detector.feed(packet, channels)
        yield from map(_message, self._detector.picked())
        yield from map(_message, self._detector.measured(MEASURED_AT_ONCE))
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + PROGRESS_NS
            yield self._progress()

    def rest(self) -> list[PickMessage]:
        return [*map(_message, self._detector.finish()), self._progress()]

    def _progress(self) -> PickMessage:
        instruments = [
            InstrumentProgress(instrument=timeline.instrument.to_message(), evaluated_to_ns=time_of(end), idle=idle)
            for timeline, end, idle in self._detector.network.evaluated(NOWHERE)
            if end
        ]
        return PickMessage(progress=Progress(instruments=instruments))


def _message(found: Found) -> PickMessage:
    return PickMessage(pick=found) if isinstance(found, Pick) else PickMessage(measurement=found)


# --- events -----------------------------------------------------------------------------------------------------------


def live(
    told: Iterable[Timed],
    stations: Mapping[str, Station],
    earth: Earth,
    settings: AssociationSettings | None = None,
    watch: WatchSettings | None = None,
    spent: Callable[[], int] = time.process_time_ns,
    most: int = sys.maxsize,
) -> Run:
    """Everything that picks lead to; the end of the picks is the end of the world. `spent`: the clock that says for
    how long a program is busy, ns; `most` messages are associated together."""
    run = Run(loads={name: Load() for name in ("association", "location")})
    network = network_for(stations, earth, settings or AssociationSettings())
    associating = Watch(REGION, network, watch or WatchSettings())
    context = context_for(stations, earth)
    book = Book()

    def noted() -> Iterator[Timed]:
        for at_ns, each in told:
            if isinstance(each, Pick):
                run.picks.append((at_ns, each))
            yield at_ns, each

    def associate(now_ns: int, messages: Sequence[Told]) -> list[Association]:
        for each in messages:
            if isinstance(each, Pick):
                associating.add(each)
            elif isinstance(each, PickMeasurement):
                associating.measure(each)
            else:
                associating.hear(each)
        return stamped(associating.step(), now_ns)

    def locate(now_ns: int, associations: Sequence[Association]) -> list[Event]:
        solved = solve_many(associations, context, book, located_ns=now_ns)
        return [each.event for each in solved if each.event is not None]

    def states() -> Iterator[tuple[int, Association]]:
        at_ns = 0
        for at_ns, each in served(noted(), associate, run.loads["association"], spent, most):
            run.associations.append((at_ns, each))
            yield at_ns, each
        for each in stamped(associating.finish(), at_ns):
            run.associations.append((at_ns, each))
            yield at_ns, each

    run.events.extend(served(states(), locate, run.loads["location"], spent))
    return run


def stamped(associations: Sequence[Association], now_ns: int) -> list[Association]:
    for each in associations:
        each.decided_ns, each.owner_epoch = now_ns, 1
    return list(associations)
