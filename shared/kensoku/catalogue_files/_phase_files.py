"""Events and arrivals as other programs' locators read them: HypoDD and NonLinLoc."""

import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import IO

from kensoku.catalogue_files._stations import PlaceOf, Places, nowhere, write_gtsrce, write_station_dat
from kensoku.errors import InputInvalid
from kensoku.events import PHASES, preferred_magnitude
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.event_pb2 import Arrival, Event
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, POLARITY_DOWN, POLARITY_UP

LONGEST_STATION = {"HypoDD": 7, "NonLinLoc": 6, "GrowClust": 7}  # characters
FIRST_MOTIONS = {POLARITY_UP: "U", POLARITY_DOWN: "D"}
LEAST_ERROR_S = 0.001
UNKNOWN_ERROR_S = {PHASE_P: 0.1, PHASE_S: 0.2}  # of an onset whose error nobody says, as `kensoku locate` takes it
EVENTS_WITHOUT_ARRIVALS = "events without an origin or arrivals"
STATIONS_WITHOUT_PLACE = "stations without a place, as no arrival has a distance; name them in an --inventory"


class StationNames:
    """One short name a station, as these programs have no networks."""

    def __init__(self, program: str, with_network: bool) -> None:
        self._program = program
        self._with_network = with_network
        self._networks: dict[str, str] = {}

    def __call__(self, arrival: Arrival) -> str:
        network, station = arrival.instrument.network, arrival.instrument.station
        name = network + station if self._with_network else station
        if self._networks.setdefault(name, network) != network:
            raise InputInvalid(
                f"found {self._networks[name]}.{station} and {network}.{station}, expected one station a name: "
                f"{self._program} knows no networks; give --with-network"
            )
        if not 0 < len(name) <= LONGEST_STATION[self._program]:
            raise InputInvalid(
                f"found the station {name!r}, expected 1 to {LONGEST_STATION[self._program]} characters, as "
                f"{self._program} reads no more" + ("; leave --with-network away" if self._with_network else "")
            )
        return name


def write_hypodd(
    file: IO[str],
    ids: IO[str],
    stations: IO[str],
    events: Iterable[Event],
    left_out: Counter[str],
    with_network: bool = False,
    place_of: PlaceOf = nowhere,
) -> None:
    """A phase file for ph2dt, and its stations; its numbers and our ids go to `ids` as a table."""
    places = Places(place_of)
    station_name, table = StationNames("HypoDD", with_network), csv.writer(ids, lineterminator="\n")
    table.writerow(["number", "event_id"])
    for number, event in enumerate(located(events, left_out), 1):
        table.writerow([number, event.id])
        origin, magnitude = event.origin, preferred_magnitude(event)
        moment, rest_ns = split(to_tenth_ms(origin.time_ns))
        depth_error_km = (origin.depth_upper_km - origin.depth_lower_km) / 2
        file.write(
            f"# {moment:%Y %m %d %H %M} {moment.second + rest_ns / NS_PER_S:7.4f} {origin.latitude_deg:9.5f} "
            f"{origin.longitude_deg:10.5f} {origin.depth_km:7.3f} {magnitude.value if magnitude else 0.0:5.2f} "
            f"{known(origin.horizontal_uncertainty_km):6.3f} {known(depth_error_km):6.3f} {known(origin.rms_s):6.3f} "
            f"{number:9d}\n"
        )
        for arrival in usable(event, left_out):
            travel_time_s = (arrival.onset_ns - origin.time_ns) / NS_PER_S
            name, phase = station_name(arrival), PHASES[arrival.phase]
            file.write(f"{name:<7} {travel_time_s:10.4f} {known(arrival.weight):6.3f} {phase}\n")
            places.add(name, origin, arrival)
    left_out[STATIONS_WITHOUT_PLACE] += len(places.unknown())
    write_station_dat(stations, places)


def write_obs(
    file: IO[str],
    stations: IO[str],
    events: Iterable[Event],
    left_out: Counter[str],
    with_network: bool = False,
    place_of: PlaceOf = nowhere,
) -> None:
    """NLLOC_OBS: a block an event, with an empty line behind it; and the stations."""
    station_name, places = StationNames("NonLinLoc", with_network), Places(place_of)
    for event in located(events, left_out):
        file.write(f"# event_id {' '.join(event.id.split())} origin {iso_time(event.origin.time_ns)}\n")
        for arrival in usable(event, left_out):
            moment, rest_ns = split(to_tenth_ms(arrival.onset_ns))
            error_s = max(known(arrival.onset_uncertainty_s) or UNKNOWN_ERROR_S[arrival.phase], LEAST_ERROR_S)
            name = station_name(arrival)
            places.add(name, event.origin, arrival)
            file.write(
                f"{name:<6} {arrival.instrument.band_instrument or '?':<4} ?    ? "
                f"{PHASES[arrival.phase]:<6} {FIRST_MOTIONS.get(arrival.polarity, '?')} {moment:%Y%m%d %H%M} "
                f"{moment.second + rest_ns / NS_PER_S:7.4f} GAU {error_s:9.2e} {-1:9.2e} {-1:9.2e} {-1:9.2e}\n"
            )
        file.write("\n")
    left_out[STATIONS_WITHOUT_PLACE] += len(places.unknown())
    write_gtsrce(stations, places)


def located(events: Iterable[Event], left_out: Counter[str]) -> Iterator[Event]:
    for event in events:
        if event.HasField("origin") and event.arrivals:
            yield event
        else:
            left_out[EVENTS_WITHOUT_ARRIVALS] += 1


def usable(event: Event, left_out: Counter[str]) -> Iterator[Arrival]:
    """P and S that the locator believed."""
    for arrival in event.arrivals:
        if arrival.phase not in PHASES:
            left_out["arrivals that are neither P nor S"] += 1
        elif arrival.is_outlier:
            left_out["arrivals that are outliers"] += 1
        else:
            yield arrival


def known(value: float) -> float:
    """These formats have no word for what is no number, and Fortran ends of it."""
    return max(value, 0.0) if math.isfinite(value) else 0.0


def to_tenth_ms(time_ns: int) -> int:
    """As the formats have it, before the seconds are split off: 59.99996 s must not become 60."""
    return (time_ns + 50_000) // 100_000 * 100_000


def split(time_ns: int) -> tuple[datetime, int]:
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    return datetime(1970, 1, 1) + timedelta(seconds=seconds), rest_ns
