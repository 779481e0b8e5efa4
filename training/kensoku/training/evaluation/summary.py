"""Counts and shares with intervals, over all records and by groups of them."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.training.evaluation.results import Label, Made, Results
from kensoku.training.examples import PHASES, RATE_HZ, Example, Phase

NEAR_S = 0.1
DRAWS, INTERVAL = 400, (5.0, 95.0)
Groups = Mapping[str, Callable[[Example], float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFigures:
    labels: int
    recall: float
    recall_low: float  # 90 % interval by drawing records again
    recall_high: float
    recall_near: float  # within 0.1 s
    swapped: float
    mae_s: float
    median_s: float  # bias
    p95_s: float  # of the absolute residual
    held: float  # share of residuals within the stated uncertainty of 68 %
    excess: float  # share of picks around labelled onsets, of records with one P and one S, that match none


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    records: int
    quiet_hours: float
    false_per_hour: float
    p: PhaseFigures
    s: PhaseFigures

    def of(self, phase: Phase) -> PhaseFigures:
        return self.p if phase == "P" else self.s


def summarise(results: Results, records: Iterable[int] | None = None) -> Summary:
    """Of all records, or of some by their numbers."""
    chosen = set(range(len(results.examples)) if records is None else records)
    picked = [made for made in results.made if made.record in chosen and made.pick.score >= _threshold(results, made)]
    hours = sum(results.quiet_s[record] for record in chosen) / 3600
    false = sum(made.is_in_quiet for made in picked)
    p, s = (_figures(phase, [label for label in results.labels if label.record in chosen], picked) for phase in PHASES)
    return Summary(
        records=len(chosen),
        quiet_hours=hours,
        false_per_hour=false / hours if hours else math.nan,
        p=p,
        s=s,
    )


def _threshold(results: Results, made: Made) -> float:
    return results.threshold[PHASES.index(made.pick.phase)]


def _figures(phase: Phase, labels: Sequence[Label], picked: Sequence[Made]) -> PhaseFigures:
    own = [label for label in labels if label.phase == phase]
    residuals = np.array([label.residual_s for label in own if label.is_found])
    stated = np.array([label.uncertainty_s for label in own if label.is_found])
    near = [made for made in _around_pairs(labels, picked) if made.pick.phase == phase]
    low, high = interval([label.record for label in own], [label.is_found for label in own])
    return PhaseFigures(
        labels=len(own),
        recall=mean([label.is_found for label in own]),
        recall_low=low,
        recall_high=high,
        recall_near=mean([abs(label.residual_s) <= NEAR_S for label in own]),
        swapped=mean([label.is_swapped for label in own]),
        mae_s=mean(np.abs(residuals)),
        median_s=float(np.median(residuals)) if len(residuals) else math.nan,
        p95_s=float(np.quantile(np.abs(residuals), 0.95)) if len(residuals) else math.nan,
        held=mean(np.abs(residuals) <= stated),
        excess=mean([made.is_excess for made in near]),
    )


def _around_pairs(labels: Sequence[Label], picked: Sequence[Made]) -> list[Made]:
    """Picks between P - 1 s and S + 5 s of records with one of each."""
    phases: dict[int, list[Phase]] = {}
    for label in labels:
        phases.setdefault(label.record, []).append(label.phase)
    return [
        made
        for made in picked
        if (made.is_excess or made.is_right) and sorted(phases.get(made.record, ())) == ["P", "S"]
    ]


def mean(values: Iterable[float]) -> float:
    listed = [float(value) for value in values]
    return sum(listed) / len(listed) if listed else math.nan


def interval(records: Sequence[int], claims: Sequence[bool]) -> tuple[float, float]:
    """90 % of the share, if other records of this kind had been drawn."""
    if not records:
        return math.nan, math.nan
    numbers, places = np.unique(records, return_inverse=True)
    right = np.bincount(places, weights=np.array(claims, dtype=float), minlength=len(numbers))
    count = np.bincount(places, minlength=len(numbers))
    drawn = np.random.default_rng(0).integers(0, len(numbers), (DRAWS, len(numbers)))
    low, high = np.percentile(right[drawn].sum(axis=1) / count[drawn].sum(axis=1), INTERVAL)
    return float(low), float(high)


# --- groups -----------------------------------------------------------------------------------------------------------


def terciles(values: Mapping[int, float]) -> dict[str, list[int]]:
    """Records by a number of theirs, in three groups of as many; those without the number are left out."""
    known = {record: value for record, value in values.items() if math.isfinite(value)}
    if len(set(known.values())) < 3:
        return {}
    low, high = np.quantile(list(known.values()), [1 / 3, 2 / 3])
    names = (f"up to {low:.3g}", f"{low:.3g} to {high:.3g}", f"above {high:.3g}")
    groups: dict[str, list[int]] = {name: [] for name in names}
    for record, value in known.items():
        groups[names[int(value > low) + int(value > high)]].append(record)
    return groups


def by_snr(results: Results) -> dict[str, list[int]]:
    """By the best of a record's labels."""
    best: dict[int, float] = {}
    for label in results.labels:
        if math.isfinite(label.snr):
            best[label.record] = max(label.snr, best.get(label.record, 0.0))
    return terciles(best)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What is held of the uncertainties that the model states."""

    phase: Phase
    snr: str  # of the labels
    picks: int
    held: float  # share of residuals within the stated 68 %
    stated_s: float  # median


def stated(results: Results) -> list[Stated]:
    """Of picks of labels, by terciles of the labels' SNR, and of all."""
    rows = []
    for phase in PHASES:
        found = [label for label in results.labels if label.phase == phase and label.is_found]
        groups = {"all": list(range(len(found)))} | terciles({n: label.snr for n, label in enumerate(found)})
        for name, numbers in groups.items():
            own = [found[n] for n in numbers]
            rows.append(
                Stated(
                    phase=phase,
                    snr=name if name == "all" else f"SNR {name}",
                    picks=len(own),
                    held=mean([abs(label.residual_s) <= label.uncertainty_s for label in own]),
                    stated_s=float(np.median([label.uncertainty_s for label in own])) if own else math.nan,
                )
            )
    return rows


def by_distance(results: Results) -> dict[str, list[int]]:
    return terciles({record: each.origin.distance_km for record, each in enumerate(results.examples)})


def by_s_less_p(results: Results) -> dict[str, list[int]]:
    """Of records with one label of each: it grows with distance, which collections often leave out."""
    of: dict[int, list[Label]] = {}
    for label in results.labels:
        of.setdefault(label.record, []).append(label)
    pairs = {
        record: {label.phase: label.sample for label in own}
        for record, own in of.items()
        if sorted(label.phase for label in own) == ["P", "S"]
    }
    return terciles({record: (pair["S"] - pair["P"]) / RATE_HZ for record, pair in pairs.items()})


def by_magnitude(results: Results) -> dict[str, list[int]]:
    return terciles({record: each.origin.magnitude for record, each in enumerate(results.examples)})


def by_name(results: Results, name: Callable[[Example], str]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for record, example in enumerate(results.examples):
        groups.setdefault(name(example), []).append(record)
    return dict(sorted(groups.items()))


def live_components(example: Example) -> str:
    count = int((~np.isnan(example.counts)).any(axis=1).sum())
    return f"{count} of 3"


GROUPINGS: Mapping[str, Callable[[Results], Mapping[str, Sequence[int]]]] = {
    "SNR": by_snr,
    "distance, km": by_distance,
    "S less P, s": by_s_less_p,
    "magnitude": by_magnitude,
    "components": lambda results: by_name(results, live_components),
    "source": lambda results: by_name(results, lambda example: example.origin.source),
}
