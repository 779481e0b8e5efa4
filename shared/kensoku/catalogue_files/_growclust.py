"""Events as GrowClust reads them (Trugman & Shearer 2017): lists of events and stations, and differential times."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from kensoku.catalogue_files._phase_files import StationNames, known, located, split, usable
from kensoku.catalogue_files._stations import FloatArray, PlaceOf, Places, nowhere, write_stlist
from kensoku.errors import InputInvalid
from kensoku.events import PHASES, preferred_magnitude
from kensoku.sphere import EARTH_RADIUS_KM
from kensoku.times import NS_PER_S
from kensoku.v1.event_pb2 import Event

NEIGHBOURS = 20  # of an event, the nearest
FARTHEST_KM = 5.0  # from hypocentre to hypocentre
FEWEST_PHASES = 8  # that two events have in common

Phase = tuple[str, str]  # name of a station, P or S


@dataclass(frozen=True, slots=True)
class _Heard:
    travel_time_s: float
    weight: float


@dataclass(frozen=True, slots=True)
class Files:
    """What is written; GrowClust calls their formats evlist_fmt 1, stlist_fmt 1, xcordat_fmt 1 with tdif_fmt 12."""

    events: IO[str]
    stations: IO[str]
    pairs: IO[str]
    ids: IO[str]


def write_growclust(
    files: Files,
    events: Iterable[Event],
    left_out: Counter[str],
    with_network: bool = False,
    place_of: PlaceOf = nowhere,
) -> None:
    """Numbers stand for our ids, which go to a table. Differential times are those of the catalogue's onsets, with the
    product of their weights in the place of a correlation."""
    station_name, ids = StationNames("GrowClust", with_network), csv.writer(files.ids, lineterminator="\n")
    ids.writerow(["number", "event_id"])
    heard: list[dict[Phase, _Heard]] = []
    hypocentres: list[tuple[float, float, float]] = []
    places = Places(place_of)
    for number, event in enumerate(located(events, left_out), 1):
        ids.writerow([number, event.id])
        files.events.write(_event_line(event, number))
        origin, phases = event.origin, {}
        for arrival in usable(event, left_out):
            name = station_name(arrival)
            travel_time_s = (arrival.onset_ns - origin.time_ns) / NS_PER_S
            phases[name, PHASES[arrival.phase]] = _Heard(travel_time_s, known(arrival.weight))
            places.add(name, origin, arrival)
        heard.append(phases)
        hypocentres.append((origin.latitude_deg, origin.longitude_deg, origin.depth_km))
    if lost := places.unknown():
        raise InputInvalid(
            f"found no distance of {', '.join(lost[:5])} in any arrival, expected one, since a catalogue has no other "
            "place of a station; name them in an --inventory, or locate the events again"
        )
    write_stlist(files.stations, places)
    for line in _pairs(np.array(hypocentres).reshape(-1, 3), heard):
        files.pairs.write(line)


def _event_line(event: Event, number: int) -> str:
    origin, magnitude = event.origin, preferred_magnitude(event)
    moment, rest_ns = split((origin.time_ns + 500_000) // 1_000_000 * 1_000_000)  # it reads milliseconds
    return (
        f"{moment:%Y %m %d %H %M} {moment.second + rest_ns / NS_PER_S:6.3f} {origin.latitude_deg:9.5f} "
        f"{origin.longitude_deg:10.5f} {origin.depth_km:7.3f} {magnitude.value if magnitude else 0.0:5.2f} "
        f"{known(origin.horizontal_uncertainty_km):6.3f} "
        f"{known((origin.depth_upper_km - origin.depth_lower_km) / 2):6.3f} {known(origin.rms_s):6.3f} {number:9d}\n"
    )


def _neighbours(points: FloatArray) -> Iterator[list[int]]:
    """Of each point the nearest others."""
    from scipy.spatial import KDTree  # only now: it takes as long to import as all the rest

    if not len(points):
        return
    apart_km, nearest = KDTree(points).query(points, k=NEIGHBOURS + 1)  # with itself
    for one, (others, so_far_km) in enumerate(zip(nearest.tolist(), apart_km.tolist(), strict=True)):
        near = [other for other, km in zip(others, so_far_km, strict=True) if other != one and km <= FARTHEST_KM]
        yield near[:NEIGHBOURS]


def _pairs(hypocentres: FloatArray, heard: Sequence[Mapping[Phase, _Heard]]) -> Iterator[str]:
    """A head and a line a phase for each pair of near events that share enough of them."""
    radius = EARTH_RADIUS_KM - hypocentres[:, 2]
    latitude, longitude = np.radians(hypocentres[:, 0]), np.radians(hypocentres[:, 1])
    level = radius * np.cos(latitude)
    points = np.stack([level * np.cos(longitude), level * np.sin(longitude), radius * np.sin(latitude)], axis=1)
    told: set[tuple[int, int]] = set()
    for one, near in enumerate(_neighbours(points)):
        for other in near:
            first, second = min(one, other), max(one, other)
            common = sorted(heard[first].keys() & heard[second].keys())
            if len(common) < FEWEST_PHASES or (first, second) in told:
                continue
            told.add((first, second))
            yield f"# {first + 1:9d} {second + 1:9d} 0.0\n"
            for station, phase in common:
                a, b = heard[first][station, phase], heard[second][station, phase]
                later_s = a.travel_time_s - b.travel_time_s
                yield f"{station:<7} {later_s:9.4f} {a.weight * b.weight:6.4f} {phase}\n"
