"""How events of the scenario `quarries` are typed: blasts that are called earthquakes, and earthquakes that are lost.

`python -m benchmarks.event_types [--json]`, some seconds. Times, places and depths are the scenario's, of as many
seeds; locations err by their stated uncertainties. Votes of stations are drawn, with a skill that is stated here: no
model is run, so that this measures the rules, not a model.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.report import Figures, main
from kensoku.magnitudes import Quarry, TypeEvidence, TypeSettings, classify
from kensoku.polygons import polygon
from kensoku.simulation.engine import make_world
from kensoku.simulation.scenario import BUNDLED, load_scenario
from kensoku.simulation.sequences import Quarry as Working
from kensoku.simulation.sources import SourceKind
from kensoku.v1.event_pb2 import EVENT_TYPE_BLAST, EVENT_TYPE_EARTHQUAKE

SEEDS = 20
EPICENTRE_KM, DEPTH_KM = 1.0, 2.5  # errors of locations, one standard deviation each way
STATIONS = 6  # that vote on each event
SKILL = 1.8  # of a station, by which the log odds of blasts are above those of earthquakes, in standard deviations
COMMON = 0.3  # share of their variance that all stations of an event have together
KM_A_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class Case:
    is_blast: bool
    evidence: TypeEvidence


@functools.cache
def everything() -> tuple[tuple[Case, ...], tuple[Quarry, ...]]:
    scenario, chance, cases = load_scenario("quarries"), np.random.default_rng(3), list[Case]()
    for seed in range(SEEDS):
        catalogue = make_world(replace(scenario, seed=seed), BUNDLED).catalogue
        for row in range(len(catalogue)):
            is_blast = bool(catalogue.kind[row] == SourceKind.BLAST)
            north_km, east_km = EPICENTRE_KM * chance.standard_normal(2)
            latitude = float(catalogue.latitude_deg[row])
            evidence = TypeEvidence(
                time_ns=int(catalogue.time_ns[row]),
                latitude_deg=latitude + north_km / KM_A_DEGREE,
                longitude_deg=float(catalogue.longitude_deg[row])
                + east_km / KM_A_DEGREE / float(np.cos(np.radians(latitude))),
                horizontal_uncertainty_km=EPICENTRE_KM,
                depth_km=abs(float(catalogue.depth_km[row]) + DEPTH_KM * float(chance.standard_normal())),
                depth_sd_km=DEPTH_KM,
                blast_probabilities=_votes(is_blast, chance),
                magnitude=float(catalogue.ml[row]),
                s_stations=STATIONS,
            )
            cases.append(Case(is_blast, evidence))
    places = [each for each in scenario.sequences if isinstance(each, Working)]
    quarries = [Quarry(each.name, (polygon(((each.longitude_deg, each.latitude_deg),)),), 1.0) for each in places]
    return tuple(cases), tuple(quarries)


def _votes(is_blast: bool, chance: np.random.Generator) -> tuple[float, ...]:
    """Log odds that are what they say of each station alone: half the square of the skill above or below zero."""
    own, common = chance.standard_normal(STATIONS), chance.standard_normal()
    error = np.sqrt(1 - COMMON) * own + np.sqrt(COMMON) * common
    odds = (1 if is_blast else -1) * SKILL**2 / 2 + SKILL * error
    return tuple((1 / (1 + np.exp(-odds))).tolist())


def measure() -> Figures:
    cases, quarries = everything()
    figures: dict[str, float] = {"blasts": sum(case.is_blast for case in cases)}
    figures["earthquakes"] = len(cases) - figures["blasts"]
    none, one = ([_with_votes(case, count) for case in cases] for count in (0, 1))
    figures |= _count("hour_and_depth", none, ()) | _count("and_quarries", none, quarries)
    figures |= _count("and_quarries_and_one_vote", one, quarries)
    figures |= _count("votes_without_quarries", cases, ()) | _count("votes_and_quarries", cases, quarries)
    return figures


def _with_votes(case: Case, count: int) -> Case:
    votes = case.evidence.blast_probabilities[:count]
    return replace(case, evidence=replace(case.evidence, blast_probabilities=votes))


def _count(name: str, cases: Sequence[Case], quarries: Sequence[Quarry]) -> dict[str, float]:
    found = [(case.is_blast, classify(case.evidence, quarries, SETTINGS)) for case in cases]
    blasts = [each for is_blast, each in found if is_blast]
    quakes = [each for is_blast, each in found if not is_blast]
    share = [abs(is_blast - each.probabilities.blast) for is_blast, each in found]
    return {
        f"{name}_blasts_typed_blast": float(np.mean([each.type == EVENT_TYPE_BLAST for each in blasts])),
        f"{name}_blasts_typed_earthquake": float(np.mean([each.type == EVENT_TYPE_EARTHQUAKE for each in blasts])),
        f"{name}_earthquakes_typed_blast": float(np.mean([each.type == EVENT_TYPE_BLAST for each in quakes])),
        f"{name}_earthquakes_typed_earthquake": float(np.mean([each.type == EVENT_TYPE_EARTHQUAKE for each in quakes])),
        f"{name}_mean_of_blast_probability": float(np.mean([each.probabilities.blast for _, each in found])),
        f"{name}_mean_error_of_probability": float(np.mean(share)),
    }


SETTINGS = TypeSettings(utc_offset_h=9.0)

if __name__ == "__main__":
    main("Types of the events of the scenario quarries, by the rules of kensoku.magnitudes", measure)
