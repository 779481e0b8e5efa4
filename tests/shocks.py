"""Earthquakes under a small network, and the picks that they make, for tests of association."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from kensoku.associating import AssociationSettings, Network, Onset, network_of
from kensoku.locating import Site
from kensoku.traveltime import Grid, TravelTimeTable, Wave, build_table, load_model
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Instrument, InstrumentProgress, Pick, Progress

NS_PER_S = 10**9
BEGIN_NS = 1_700_000_000 * NS_PER_S
WAVES: tuple[Wave, Wave] = ("P", "S")


@dataclass(frozen=True)
class Shock:
    after_s: float
    north_km: float
    east_km: float
    depth_km: float = 8.0


@cache
def tables() -> dict[Wave, TravelTimeTable]:
    model = load_model("southern-california")
    grid = Grid(farthest_km=400, deepest_km=45, distance_step_km=2, depth_step_km=1)
    return {wave: build_table(model, wave, grid) for wave in WAVES}


@cache
def sites(rows: int = 4) -> dict[str, Site]:
    """Twenty kilometres apart, around 35° N, 118° W."""
    return {
        f"XX.S{row}{column}": Site(*place(20.0 * (row - 1.5), 20.0 * (column - 1.5)))
        for row in range(rows)
        for column in range(4)
    }


@cache
def network(settings: AssociationSettings | None = None) -> Network:
    return network_of(sites(), tables(), settings)


def place(north_km: float, east_km: float) -> tuple[float, float]:
    return 35 + north_km / 111.19, -118 + east_km / (111.19 * np.cos(np.radians(35)))


def onsets(shocks: Sequence[Shock], seed: int = 1, detected: float = 0.9) -> tuple[list[Onset], list[int]]:
    """And the shock that made each."""
    chance = np.random.default_rng(seed)
    made: list[Onset] = []
    of: list[int] = []
    for number, shock in enumerate(shocks):
        for code, site in sites().items():
            north = (site.latitude_deg - 35) * 111.19 - shock.north_km
            east = (site.longitude_deg + 118) * 111.19 * np.cos(np.radians(35)) - shock.east_km
            for wave, error_s in zip(WAVES, (0.05, 0.1), strict=True):
                time_s = tables()[wave].lookup(np.hypot(north, east), shock.depth_km).time_s
                if chance.random() < detected:
                    onset_s = shock.after_s + float(time_s) + chance.normal(0, error_s)
                    made.append(onset(len(made), code, wave, onset_s, error_s))
                    of.append(number)
    return made, of


def noise(count: int, length_s: float, seed: int = 2) -> list[Onset]:
    chance, codes = np.random.default_rng(seed), sorted(sites())
    draws = zip(chance.integers(len(codes), size=count), chance.integers(2, size=count), strict=True)
    times = chance.uniform(0, length_s, count)
    return [onset(10_000 + k, codes[s], WAVES[w], float(times[k]), 0.1) for k, (s, w) in enumerate(draws)]


def onset(number: int, code: str, wave: Wave, onset_s: float, error_s: float) -> Onset:
    return Onset(f"{number:06d}", code, wave, BEGIN_NS + round(onset_s * NS_PER_S), error_s)


def pick(given: Onset, *, late: bool = False) -> Pick:
    network_code, station = given.station.split(".")
    phase = PHASE_P if given.phase == "P" else PHASE_S
    made = Pick(id=given.id, phase=phase, onset_ns=given.onset_ns, onset_uncertainty_s=given.uncertainty_s, late=late)
    made.instrument.CopyFrom(Instrument(network=network_code, station=station, band_instrument="HH"))
    made.latency.last_sample_ns = given.onset_ns + NS_PER_S
    return made


def progress(after_s: float, codes: Sequence[str] = ()) -> Progress:
    until_ns = BEGIN_NS + round(after_s * NS_PER_S)
    return Progress(
        instruments=[
            InstrumentProgress(
                instrument=Instrument(network="XX", station=code[3:], band_instrument="HH"), evaluated_to_ns=until_ns
            )
            for code in codes or sites()
        ]
    )
