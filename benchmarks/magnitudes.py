"""Magnitudes of simulated earthquakes, from what is measured of picks, beside those of the catalogue.

`python -m benchmarks.magnitudes [--json]`, a minute. Picks err by 0.03 s (S 0.06 s), origins by 0.5 km, 1 km in depth.
"""

import functools
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from benchmarks.report import Figures, main
from benchmarks.sizes import SCENARIO, Ladder, make_ladder
from kensoku.inventory import read_inventory
from kensoku.magnitudes import (
    DEFAULT_FORMULAS,
    Example,
    Formula,
    Reading,
    calibrate,
    estimate,
    estimate_all,
    evidence_of,
    load_formula,
    preferred_magnitude,
    readings_of,
)
from kensoku.measuring import FULL, LEAD, Channels, describe_pick, measure, pick_measurement
from kensoku.simulation import propagation
from kensoku.simulation.engine import Block, World, block_at, instrument_of, make_world, record
from kensoku.simulation.metadata import published_inventory
from kensoku.simulation.networks import Station
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.scenario import BUNDLED, read_scenario
from kensoku.simulation.stationxml import channel_codes
from kensoku.traveltime import Wave
from kensoku.v1.event_pb2 import Arrival, Magnitude, Origin
from kensoku.v1.pick_pb2 import PHASE_P, PHASE_S, Amplitude, Instrument, Phase, Pick, PickMeasurement

MAGNITUDES, EACH, STATIONS = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0), 6, 12
RATE_HZ = 100
PICK_ERROR_S = {"P": 0.03, "S": 0.06}  # standard deviations, as those of origins:
WAVES: tuple[Wave, Wave] = ("P", "S")
PHASES: Mapping[Wave, Phase] = {"P": PHASE_P, "S": PHASE_S}
EPICENTRE_KM, DEPTH_KM = 0.5, 1.0  # north, east; down
CROWD, APART_S, CROWD_ML = 40, 12.0, (1.0, 4.0)
EARLY = RATE_HZ  # samples after P that the first message of a pick has seen
SPOILED = 30.0  # times too large: a wrong sensitivity
FORMULAS = {
    "ml": "iaspei-2013",
    "mv": "watanabe-1971",
    "mpd": "kuyuk-allen-2013",
    "mpd_wu_zhao": "wu-zhao-2006",
    "mpv": "simulated-pv",
    "mtauc": "wu-kanamori-2005",
}


@dataclass(frozen=True, slots=True)
class Shock:
    """An earthquake as its picks tell it."""

    ml: float
    depth_km: float  # with its error
    early: tuple[Reading, ...]  # when there is the first message of P alone
    readings: tuple[Reading, ...]


@dataclass(slots=True)
class _Picked:
    arrivals: list[Arrival] = field(default_factory=list)
    picks: list[Pick] = field(default_factory=list)
    measurements: list[PickMeasurement] = field(default_factory=list)


def listen(world: World, chance: np.random.Generator) -> list[Shock]:
    count = len(world.catalogue)
    error_km = chance.standard_normal((count, 3)) * (EPICENTRE_KM, EPICENTRE_KM, DEPTH_KM)
    picked = [_Picked() for _ in range(count)]
    minutes = int((world.end_ns - world.start_ns) / 60e9) + 2
    for station in world.stations:
        blocks = list(islice(record(world, station, block_at(world.start_ns)), minutes))
        _pick(world, station, blocks, error_km, picked, chance)
    onsets = [
        (f"{a.instrument.network}.{a.instrument.station}", a.onset_ns, row)
        for row, each in enumerate(picked)
        for a in each.arrivals
    ]
    shocks = []
    for row, found in enumerate(picked):
        others: dict[str, list[int]] = {}
        for name, onset_ns, of_row in onsets:
            if of_row != row:
                others.setdefault(name, []).append(onset_ns)
        origin = Origin(depth_km=max(0.0, world.catalogue.depth_km[row] + error_km[row, 2]))
        of_p = [each for each in found.arrivals if each.phase == PHASE_P]
        shocks.append(
            Shock(
                ml=float(world.catalogue.ml[row]),
                depth_km=origin.depth_km,
                early=readings_of(origin, of_p, found.picks, []),
                readings=readings_of(origin, found.arrivals, found.picks, found.measurements, others_ns=others),
            )
        )
    return shocks


def _pick(
    world: World, station: Station, blocks: Sequence[Block], error_km: FloatArray, picked: Sequence[_Picked],
    chance: np.random.Generator,
) -> None:  # fmt: skip
    counts, start_ns = np.concatenate([block.counts for block in blocks], axis=1), blocks[0].start_ns
    codes, written = channel_codes(instrument_of(world.scenario.seed, station)), io.BytesIO()
    published_inventory(world, [station]).write(written, format="STATIONXML")
    known = read_inventory({"stations.xml": written.getvalue()}).stations[station.name]
    heard = [arrival for block in blocks for arrival in reversed(block.arrivals)]
    first = {(each.row, wave): each.time_ns for wave in WAVES for each in heard if each.phase[0] == wave}
    instrument = Instrument(network=station.network, station=station.code, band_instrument=codes[0][:2])
    for (row, wave), time_ns in sorted(first.items()):
        onset = (time_ns - start_ns) * RATE_HZ / 1e9 + RATE_HZ * PICK_ERROR_S[wave] * chance.standard_normal()
        if not LEAD < onset < counts.shape[1] - FULL - 1:
            continue
        channels = Channels.of(known, "", codes[0][:2], time_ns)
        pick = Pick(id=f"{station.name}/{row}/{wave}", instrument=instrument, phase=PHASES[wave])
        so_far, whole = (
            measure(counts, onset, int(onset) + length, channels, wave, PICK_ERROR_S[wave]) for length in (EARLY, FULL)
        )
        describe_pick(pick, so_far, start_ns)
        picked[row].picks.append(pick)
        picked[row].measurements.append(pick_measurement(pick, whole, start_ns))
        picked[row].arrivals.append(
            Arrival(
                pick_id=pick.id,
                instrument=instrument,
                phase=pick.phase,
                onset_ns=start_ns + round(onset * 1e9 / RATE_HZ),
                distance_km=_epicentral_km(world, station, row, error_km[row]),
            )
        )


def _epicentral_km(world: World, station: Station, row: int, error_km: FloatArray) -> float:
    catalogue = world.catalogue
    north, east = error_km[0] / 111.2, error_km[1] / 111.2 / np.cos(np.radians(catalogue.latitude_deg[row]))
    source = np.array([[catalogue.latitude_deg[row] + north, catalogue.longitude_deg[row] + east]])
    (distance_km,), _, _ = propagation.measure(source, np.array([[station.latitude_deg, station.longitude_deg]]))
    return float(np.squeeze(distance_km))


@dataclass(frozen=True, slots=True)
class Crowd(Ladder):
    """Large and small ones in turn, some seconds apart."""

    @property
    def minutes(self) -> FloatArray:
        return 1 + APART_S / 60 * np.arange(len(self.magnitudes) * self.each)


def make_crowd() -> World:
    hours = (CROWD * APART_S / 60 + 4) / 3600 * 60
    scenario = read_scenario(SCENARIO.format(hours=hours, stations=STATIONS), "sizes", BUNDLED)
    magnitudes = tuple(np.random.default_rng(2).uniform(*CROWD_ML, CROWD).round(2).tolist())
    # A ladder is a Happening, as make_catalogue wants them, but none that a scenario's file could name.
    return make_world(replace(scenario, sequences=(Crowd(magnitudes, 1),)), BUNDLED)  # type: ignore[arg-type]


@functools.cache
def everything() -> list[Shock]:
    return listen(make_ladder(MAGNITUDES, EACH, STATIONS), np.random.default_rng(11))


# --- figures ----------------------------------------------------------------------------------------------------------


def read(shocks: Sequence[Shock], formula: Formula, early: bool = False) -> list[tuple[Shock, Magnitude]]:
    """Those that have a value."""
    found = [(each, estimate(each.early if early else each.readings, each.depth_km, formula)) for each in shocks]
    return [(shock, one.magnitude) for shock, one in found if one.has_value]


def measure_all() -> Figures:
    shocks, figures = everything(), dict[str, float]()
    formulas = {name: load_formula(file) for name, file in FORMULAS.items()}
    for name, formula in formulas.items():
        for ml in MAGNITUDES:
            figures |= _compare(f"{name}_of_ml_{ml:g}", read([s for s in shocks if s.ml == ml], formula))
        figures |= _honest(name, read(shocks, formula))
    for name in ("mpd", "mpv"):
        figures |= _calibrated(name, shocks, formulas[name])
    figures |= _crowd(formulas["ml"])
    return figures | _spoil(shocks, formulas["ml"]) | _periods(shocks)


def _calibrated(name: str, shocks: Sequence[Shock], formula: Formula) -> dict[str, float]:
    """With the first message of P alone; and of every second earthquake, by what the others say of this network."""
    figures: dict[str, float] = {}
    known = [Example(shock.early, shock.depth_km, shock.ml) for shock in shocks]
    half, whole = calibrate(known[::2], formula), calibrate(known, formula)
    for ml in MAGNITUDES:
        here = [shock for shock in shocks if shock.ml == ml]
        figures |= _compare(f"{name}_after_1_s_of_ml_{ml:g}", read(here, formula, early=True))
        figures |= _compare(f"{name}_calibrated_after_1_s_of_ml_{ml:g}", read(here[1::2], half, early=True))
    found = {each: float(getattr(whole, each)) for each in ("slope", "log_distance", "constant", "scatter")}
    return figures | {f"{name}_calibrated_{each}": value for each, value in found.items()}


def _compare(name: str, found: Sequence[tuple[Shock, Magnitude]]) -> dict[str, float]:
    figures: dict[str, float] = {f"{name}_events": len(found)}
    if found:
        errors = np.array([magnitude.value - shock.ml for shock, magnitude in found])
        figures |= {f"{name}_mean_error": float(errors.mean()), f"{name}_scatter": float(errors.std())}
        figures[f"{name}_stations"] = float(np.mean([magnitude.stations for _, magnitude in found]))
    return figures


def _honest(name: str, found: Sequence[tuple[Shock, Magnitude]]) -> dict[str, float]:
    """The scatter of stations around networks, and errors (less the mean, which is the formula's) in stated ones."""
    residuals = [each.residual for _, m in found for each in m.contributions if each.weight > 0.5]
    errors = np.array([m.value - shock.ml for shock, m in found])
    in_stated = (errors - errors.mean()) / np.array([m.uncertainty for _, m in found])
    return {
        f"{name}_station_scatter": float(np.std(residuals)),
        f"{name}_errors_in_stated_uncertainties_rms": float(np.sqrt(np.mean(in_stated**2))),
    }


def _crowd(formula: Formula) -> dict[str, float]:
    """ML of earthquakes that follow each other; and if nobody told which onsets are of others."""
    shocks = listen(make_crowd(), np.random.default_rng(12))
    untold = [replace(each, readings=tuple(replace(r, next_ns=None) for r in each.readings)) for each in shocks]
    figures: dict[str, float] = {"crowd_earthquakes": len(shocks)}
    all_formulas = [load_formula(name) for name in DEFAULT_FORMULAS]
    preferred = [(shock, _preferred(shock, all_formulas)) for shock in shocks]
    for name, found in (
        ("crowd", read(shocks, formula)),
        ("crowd_untold", read(untold, formula)),
        ("crowd_preferred", [(shock, magnitude) for shock, magnitude in preferred if magnitude is not None]),
    ):
        errors = np.array([magnitude.value - shock.ml for shock, magnitude in found])
        figures |= {f"{name}_with_value": len(errors), f"{name}_mean_error": float(errors.mean())}
        figures |= {f"{name}_scatter": float(errors.std()), f"{name}_over_half": float(np.mean(np.abs(errors) > 0.5))}
    return figures


def _preferred(shock: Shock, formulas: Sequence[Formula]) -> Magnitude | None:
    estimates = estimate_all(shock.readings, shock.depth_km, formulas)
    kind, _ = preferred_magnitude(estimates)
    return next((each.magnitude for each in estimates if each.magnitude.type == kind), None)


def _spoil(shocks: Sequence[Shock], formula: Formula) -> dict[str, float]:
    """One station of each earthquake reads thirty times too much; how far does that move the network, or a mean?"""
    moved, moved_mean = [], []
    for shock in (each for each in shocks if each.ml >= 2):
        name = shock.readings[0].station
        spoiled = [_enlarge(each) if each.station == name else each for each in shock.readings]
        true, wrong = (estimate(readings, shock.depth_km, formula).magnitude for readings in (shock.readings, spoiled))
        moved.append(wrong.value - true.value)
        means = [np.mean([each.value for each in magnitude.contributions]) for magnitude in (true, wrong)]
        moved_mean.append(means[1] - means[0])
    return {"one_station_30_times_too_large_moves": float(np.mean(moved)), "and_a_mean": float(np.mean(moved_mean))}


def _enlarge(reading: Reading) -> Reading:
    def larger(amplitude: Amplitude) -> Amplitude:
        copy = Amplitude()
        copy.CopyFrom(amplitude)
        copy.value, copy.noise = SPOILED * copy.value, SPOILED * copy.noise
        return copy

    return replace(reading, amplitudes=tuple(larger(each) for each in reading.amplitudes))


def _periods(shocks: Sequence[Shock]) -> dict[str, float]:
    """How much log tau_c is above that of Wu & Kanamori (2005)."""
    figures: dict[str, float] = {}
    for ml in MAGNITUDES:
        found = [evidence_of(Origin(), [], each.readings, ml).periods_s for each in shocks if each.ml == ml]
        over = [float(np.log10(np.median(periods))) - (0.221 * ml - 1.113) for periods in found if periods]
        if over:
            figures |= {f"log_period_over_relation_of_ml_{ml:g}": float(np.mean(over)), f"events_{ml:g}": len(over)}
            figures[f"log_period_of_ml_{ml:g}_scatter"] = float(np.std(over))
    return figures


if __name__ == "__main__":
    main("Magnitudes of simulated earthquakes, of what was measured of their picks", measure_all)
