"""Recorded sets against simulated records that are alike in S-P, SNR and frequency, and against each other."""

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.realism_classifier import Match, Records, Separation, match, separate
from benchmarks.realism_features import NAMES
from benchmarks.realism_pool import balanced, held_out_set, recorded_sets, simulated_pool

MATCHED = tuple(NAMES.index(name) for name in ("p_snr", "p_centroid_hz"))  # beside S-P
FARTHEST = 1.0  # standard deviations, between records of two recorded sets that are called alike
FEWEST = 40  # pairs
POOL = "all sets"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Of a recorded set with as many simulated records."""

    match: Match
    separation: Separation


@dataclass(frozen=True, slots=True)
class Between:
    """Two recorded sets, as they are and matched (NaN where too few are alike)."""

    names: tuple[str, str]
    unmatched: float
    matched: float


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    sets: dict[str, Comparison]
    pool: Comparison  # as many records of each set
    held_out: dict[str, Comparison]
    between: tuple[Between, ...]

    @property
    def median_unmatched(self) -> float:
        return float(np.median([pair.unmatched for pair in self.between]))

    @property
    def median_matched(self) -> float:
        return float(np.nanmedian([pair.matched for pair in self.between]))


def compare(recorded: Records, simulated: Records) -> Comparison:
    matched = match(recorded, simulated, MATCHED)
    return Comparison(matched, separate(matched.first, matched.second))


@functools.cache
def study() -> Study:
    simulated, sets = simulated_pool(), recorded_sets()
    return Study(
        {name: compare(records, simulated) for name, records in sets.items()},
        compare(balanced(sets.values()), simulated),
        {name: compare(records, simulated) for name, records in held_out_set().items()},
        compare_recorded(sets),
    )


def compare_recorded(sets: Mapping[str, Records]) -> tuple[Between, ...]:
    """Each recorded set with each other."""
    between = []
    for (first, one), (second, other) in itertools.combinations(sets.items(), 2):
        alike = match(one, other, MATCHED, FARTHEST)
        matched = separate(alike.first, alike.second, repeats=1).auc if len(alike.first) >= FEWEST else np.nan
        between.append(Between((first, second), separate(one, other, repeats=1).auc, matched))
    return tuple(between)
