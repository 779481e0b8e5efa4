"""Picks without records: of noise, of a scenario's earthquakes by rays, or of the arrivals of a cut with errors."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from benchmarks._association_cases import (
    DECAY,
    FALSE_A_STATION_HOUR,
    PER_KM,
    S_OVER_P,
    SIMULATED_ERROR_S,
    Shocks,
    distances_km,
    noise,
    pick,
)
from benchmarks._catalogue_live import Timed
from benchmarks._catalogue_records import Cut
from kensoku.locating import Site
from kensoku.simulation.engine import World
from kensoku.v1.inventory_pb2 import ChannelEpoch, Station
from kensoku.v1.pick_pb2 import (
    DECISION_FAINT,
    DECISION_KEPT,
    PHASE_P,
    PHASE_S,
    Instrument,
    InstrumentProgress,
    Pick,
    PickLatency,
    Progress,
)

NS_PER_S = 10**9
PHASES = (PHASE_P, PHASE_S)
NEEDED_S = (0.95, 1.8)  # of the record behind an onset, of P and S
TELEMETRY_S = (1.0, 1.2)
PICKED_SNR = 2.0
CODA_DECAY, CODA_PER_S = 1.5, 1 / 55  # log10 of a coda over lapse time, and a second (5 Hz, a quality of 360)
CODA_S = 600.0  # after which nothing is left of it
ABOVE_CODA = np.log10(1.5)

Row = tuple[str, int, float, int]  # station, phase, onset in s since 1970, event


def told_of(
    rows: Sequence[Row], sites: Mapping[str, Site], until_s: float, seed: int = 1, faint: Sequence[Row] = ()
) -> list[Timed]:
    """As a picker would tell them, a progress each second between them."""
    chance, told = np.random.default_rng(seed), list[Timed]()
    began_s = until_s
    for number, (station, wave, onset_s, _) in enumerate([*rows, *faint]):
        network, _, code = station.partition(".")
        full_s = np.ceil(onset_s + NEEDED_S[wave])
        came_ns = round((full_s + chance.uniform(*TELEMETRY_S)) * NS_PER_S)
        found = Pick(
            id=f"{number:07d}",
            instrument=Instrument(network=network, station=code, band_instrument="HH"),
            phase=PHASES[wave],
            onset_ns=round(onset_s * NS_PER_S),
            onset_uncertainty_s=SIMULATED_ERROR_S[wave],
            decision=DECISION_KEPT if number < len(rows) else DECISION_FAINT,
            latency=PickLatency(last_sample_ns=round((onset_s + NEEDED_S[wave]) * NS_PER_S), packet_arrival_ns=came_ns),
        )
        told.append((came_ns, found))
        began_s = min(began_s, onset_s)
    told += [
        (round((second + 1.3) * NS_PER_S), _progress(sites, second)) for second in range(int(began_s), int(until_s))
    ]
    return sorted(told, key=lambda each: each[0])


def _progress(sites: Iterable[str], second: int) -> Progress:
    codes = [station.partition(".") for station in sites]
    instruments = [
        InstrumentProgress(
            instrument=Instrument(network=network, station=code, band_instrument="HH"),
            evaluated_to_ns=second * NS_PER_S,
        )
        for network, _, code in codes
    ]
    return Progress(instruments=instruments)


def stations_of(sites: Mapping[str, Site]) -> dict[str, Station]:
    found = {}
    for name, site in sites.items():
        network, _, code = name.partition(".")
        epoch = ChannelEpoch(code="HHZ", latitude_deg=site.latitude_deg, longitude_deg=site.longitude_deg)
        found[name] = Station(network=network, station=code, epochs=[epoch])
    return found


def of_noise(
    sites: dict[str, Site], start_s: float, length_s: float, seed: int = 13, an_hour: float = FALSE_A_STATION_HOUR
) -> list[Row]:
    return noise(sites, start_s, length_s, np.random.default_rng(seed), an_hour)


def of_world(world: World, sites: dict[str, Site], start_s: float, length_s: float, seed: int = 5) -> list[Row]:
    """What stations pick of its earthquakes falls with distance and rises with magnitude, and is above the codas of
    others; event: row of the catalogue."""
    catalogue = world.catalogue
    rows = np.flatnonzero(
        (catalogue.time_ns >= start_s * NS_PER_S) & (catalogue.time_ns < (start_s + length_s) * NS_PER_S)
    )
    shocks = Shocks(
        catalogue.latitude_deg[rows],
        catalogue.longitude_deg[rows],
        catalogue.depth_km[rows],
        catalogue.time_ns[rows] / NS_PER_S,
        catalogue.ml[rows],
    )
    found = pick(sites, world.scenario.earth, shocks, np.random.default_rng(seed))
    found = [found[k] for k in above_codas(found, sites, shocks)]
    return [(station, wave, onset_s, int(rows[event])) for station, wave, onset_s, event in found]


def above_codas(found: Sequence[Row], sites: Mapping[str, Site], shocks: Shocks) -> list[int]:
    """Which arrivals are not hidden by what is left of larger ones at their station."""
    number = {name: index for index, name in enumerate(sorted(sites))}
    station = np.array([number[name] for name, *_ in found], dtype=np.int64)
    wave, onset_s, event = (np.array([row[k] for row in found]) for k in (1, 2, 3))
    r_km = np.hypot(distances_km(sites, shocks)[event, station], shocks.depth_km[event])
    size = shocks.magnitude[event] - DECAY * np.log10(r_km) - PER_KM * r_km + S_OVER_P * wave
    lapse_s = np.maximum(onset_s - shocks.time_s[event], 1.0)
    kept = list[int]()
    for each in range(len(number)):
        own = np.flatnonzero(station == each)
        own = own[np.argsort(onset_s[own])]
        first = np.searchsorted(onset_s[own], onset_s[own] - CODA_S)
        for k in range(len(own)):
            here, before = own[k], own[first[k] : k]
            before = before[event[before] != event[here]]
            after_s = onset_s[here] - onset_s[before]
            fallen = CODA_DECAY * np.log10(1 + after_s / lapse_s[before]) + CODA_PER_S * after_s
            if not before.size or size[here] > (size[before] - fallen).max() + ABOVE_CODA:
                kept.append(int(here))
    return sorted(kept)


def of_cut(cut: Cut, seed: int = 7) -> list[Row]:
    """Of the arrivals that stand out, with errors: what a picker without faults would find."""
    chance, found = np.random.default_rng(seed), list[Row]()
    for station, arrivals in cut.arrivals.items():
        for row, wave, time_ns in arrivals[["row", "phase", "time_ns"]][arrivals["snr"] > PICKED_SNR].tolist():
            found.append((station, wave, time_ns / NS_PER_S + chance.normal(0, SIMULATED_ERROR_S[wave]), row))
    return found
