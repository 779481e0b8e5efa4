"""How many blasts a model removes where it loses one earthquake in a hundred, and which real earthquakes it accuses."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.picking import Model, ModelCard, with_missing
from kensoku.training.batches import to_batch
from kensoku.training.cuts import CLASSES, cut_blasts, records_of
from kensoku.training.datasets.conditions import onset_snr
from kensoku.training.evaluation.summary import interval, mean
from kensoku.training.examples import Example, FloatArray
from kensoku.training.scores import labels_of

LOST = 0.01  # of earthquakes
VOTERS = 3  # stations at least that judge an event together
AT_ONCE = 256
SNRS, DISTANCES_KM = (3.0, 10.0, 30.0), (20.0, 50.0, 100.0)
SURE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One record around its P."""

    example: Example
    counts: FloatArray  # that the model was given
    blast: float  # probability
    snr: float

    @property
    def is_blast(self) -> bool:
        return self.example.origin.kind == "blast"

    @property
    def is_simulated(self) -> bool:
        return self.example.origin.is_simulated


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    group: str
    earthquakes: int
    lost: float  # share of them called blasts
    blasts: int
    removed: float  # share of them called blasts
    low: float  # 90 % interval by drawing records again
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Accused:
    """Recorded earthquakes."""

    group: str
    earthquakes: int
    accused: float  # share called blasts
    low: float
    high: float


def judge_blasts(card: ModelCard, model: Model, examples: Sequence[Example]) -> list[Judged]:
    """Records of earthquakes and blasts with a P, cut as they are in training: P in the first half of the window."""
    chance, found = np.random.default_rng(0), list[tuple[Example, FloatArray, float]]()
    for example in examples:
        p = next((onset for onset in labels_of(example) if onset.phase == "P"), None)
        if p is None or example.origin.kind not in CLASSES["blast"]:
            continue
        answer = CLASSES["blast"].index(example.origin.kind)
        for cut in cut_blasts(records_of(to_batch([example])), answer, card.geometry.window, chance):
            shown = with_missing(cut.counts[:, : card.geometry.window], is_causal=False)
            found.append((example, shown, onset_snr(example.counts, p)))
    said: list[float] = []
    for first in range(0, len(found), AT_ONCE):
        counts = np.stack([counts for _, counts, _ in found[first : first + AT_ONCE]])
        said += model(counts).reshape(len(counts), -1)[:, 1].astype(float).tolist()
    return [Judged(example, counts, blast, snr) for (example, counts, snr), blast in zip(found, said, strict=True)]


def threshold_of(judged: Sequence[Judged]) -> float:
    """The probability of a blast that one simulated earthquake in a hundred surpasses."""
    earthquakes = [each.blast for each in judged if each.is_simulated and not each.is_blast]
    return float(np.quantile(earthquakes, 1 - LOST)) if earthquakes else math.nan


def removed(judged: Sequence[Judged], threshold: float) -> list[Removed]:
    """Of simulated records: all, and by ranges of SNR and of distance, at one threshold."""
    simulated = [each for each in judged if each.is_simulated]
    rows = [_removed("all", simulated, threshold)]
    ranges = {
        "SNR": (SNRS, [each.snr for each in simulated]),
        "km": (DISTANCES_KM, [each.example.origin.distance_km for each in simulated]),
    }
    for name, (limits, values) in ranges.items():
        for low, high in itertools.pairwise((0.0, *limits, math.inf)):
            inside = [each for each, value in zip(simulated, values, strict=True) if low <= value < high]
            rows.append(_removed(f"{name} {low:g} to {high:g}", inside, threshold))
    return rows


def _removed(group: str, judged: Sequence[Judged], threshold: float) -> Removed:
    earthquakes = [each.blast > threshold for each in judged if not each.is_blast]
    blasts = [each.blast > threshold for each in judged if each.is_blast]
    low, high = interval(list(range(len(blasts))), blasts)
    return Removed(
        group=group,
        earthquakes=len(earthquakes),
        lost=mean(earthquakes),
        blasts=len(blasts),
        removed=mean(blasts),
        low=low,
        high=high,
    )


def accused(judged: Sequence[Judged], threshold: float) -> list[Accused]:
    """Of recorded earthquakes: all, and by source."""
    recorded = [each for each in judged if not each.is_simulated and not each.is_blast]
    groups: dict[str, list[bool]] = {"all": []}
    for each in recorded:
        for name in ("all", each.example.origin.source):
            groups.setdefault(name, []).append(each.blast > threshold)
    rows = []
    for name, claims in groups.items():
        low, high = interval(list(range(len(claims))), claims)
        rows.append(Accused(group=name, earthquakes=len(claims), accused=mean(claims), low=low, high=high))
    return rows


def by_event(judged: Sequence[Judged]) -> Removed:
    """Events whose stations vote with the mean of their log odds, at the threshold that loses as many of these."""
    votes: dict[str, list[Judged]] = {}
    for each in judged:
        if each.is_simulated and each.example.origin.event:
            votes.setdefault(each.example.origin.event, []).append(each)
    events = [each for each in votes.values() if len(each) >= VOTERS]
    odds = np.array([_log_odds(each) for each in events])
    is_blast = np.array([each[0].is_blast for each in events], dtype=np.bool_)
    threshold = float(np.quantile(odds[~is_blast], 1 - LOST)) if (~is_blast).any() else math.nan
    called: npt.NDArray[np.bool_] = odds > threshold
    low, high = interval(list(range(int(is_blast.sum()))), called[is_blast].tolist())
    return Removed(
        group=f"events of {VOTERS} stations or more",
        earthquakes=int((~is_blast).sum()),
        lost=mean(called[~is_blast]),
        blasts=int(is_blast.sum()),
        removed=mean(called[is_blast]),
        low=low,
        high=high,
    )


def _log_odds(votes: Sequence[Judged]) -> float:
    shares = np.clip([each.blast for each in votes], SURE, 1 - SURE)
    return float(np.mean(np.log(shares / (1 - shares))))


def counts_of(judged: Sequence[Judged]) -> Mapping[str, int]:
    return {
        "simulated earthquakes": sum(each.is_simulated and not each.is_blast for each in judged),
        "simulated blasts": sum(each.is_simulated and each.is_blast for each in judged),
        "recorded earthquakes": sum(not each.is_simulated and not each.is_blast for each in judged),
    }
