"""How well a classifier tells two sets of records apart by their summary numbers: 0.5 is not at all, 1 always."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold

from kensoku.simulation.randomness import FloatArray

IntArray = npt.NDArray[np.intp]

FOLDS, REPEATS = 5, 3
TREES = 120  # of each of two kinds of forest
SMALLEST_LEAF = 2
RESAMPLED = 300  # times, for intervals


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Summary numbers and curves of records, and the station of each."""

    numbers: FloatArray  # (records, numbers)
    stations: npt.NDArray[np.str_]
    s_minus_p_s: FloatArray
    leaving_db: FloatArray  # (records, times after P)
    fading_db: FloatArray  # (records, times after S)

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, chosen: IntArray) -> "Records":
        return Records(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Separation:
    auc: float
    low: float  # 90 % interval
    high: float
    importance: FloatArray  # of each number: what the AUC loses when it is shuffled


def pool(sets: Sequence[Records]) -> Records:
    return Records(*(np.concatenate([getattr(each, field.name) for each in sets]) for field in fields(Records)))


# --- matching ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """As many records of both, pair by pair."""

    first: Records
    second: Records
    offsets: FloatArray  # means of second minus first, in standard deviations of the first, of what was matched
    largest: FloatArray  # Kolmogorov's distances between both


def match(first: Records, second: Records, columns: Sequence[int], farthest: float = np.inf) -> Match:
    """To each record of the smaller set its own one of the larger, so that all are as near as can be.

    Near in S-P and in the numbers of `columns`, which are logarithms, over their standard deviations; pairs farther
    apart than `farthest` are left out.
    """
    a, b = _traits(first, columns), _traits(second, columns)
    scale = a.std(axis=0)
    apart = np.linalg.norm((a[:, np.newaxis] - b[np.newaxis]) / scale, axis=-1)
    rows, others = linear_sum_assignment(apart**2)
    near = apart[rows, others] <= farthest
    rows, others = rows[near], others[near]
    return Match(first.take(rows), second.take(others), *_compare(a[rows], b[others], scale))


def _compare(a: FloatArray, b: FloatArray, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    if not len(a):
        return np.full(scale.size, np.nan), np.full(scale.size, np.nan)
    return (b - a).mean(axis=0) / scale, np.array([_kolmogorov(x, y) for x, y in zip(a.T, b.T, strict=True)])


def _traits(records: Records, columns: Sequence[int]) -> FloatArray:
    return np.column_stack([np.log10(records.s_minus_p_s), records.numbers[:, columns]])


def _kolmogorov(first: FloatArray, second: FloatArray) -> float:
    both = np.sort(np.concatenate([first, second]))
    shares = [np.searchsorted(np.sort(each), both, side="right") / each.size for each in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())


# --- telling apart ----------------------------------------------------------------------------------------------------


def separate(first: Records, second: Records, seed: int = 0, repeats: int = REPEATS) -> Separation:
    """Two forests of trees, asked about records whose stations they have not seen."""
    numbers = np.concatenate([first.numbers, second.numbers])
    truth = np.repeat([0, 1], [len(first), len(second)])
    stations = np.unique(np.concatenate([first.stations, second.stations]), return_inverse=True)[1]
    chance = np.random.default_rng(seed)
    votes, lost = np.zeros(truth.size), np.zeros(numbers.shape[1])
    for repeat in range(repeats):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed + repeat)
        for known, asked in folds.split(numbers, truth, stations):
            forests = _grow(numbers[known], truth[known], seed + repeat)
            found = _vote(forests, numbers[asked])
            votes[asked] += found / repeats
            if repeat == 0:
                lost += _importance(forests, numbers[asked], truth[asked], chance) / FOLDS
    low, high = _interval(truth, votes, stations, chance)
    return Separation(area(truth, votes), low, high, lost)


def area(truth: IntArray, votes: FloatArray) -> float:
    """Under the curve of true against false positives: how often one of the second set has more votes than another."""
    second = truth == 1
    ranks, count = rankdata(votes)[second].sum(), int(second.sum())
    return float((ranks - count * (count + 1) / 2) / (count * (truth.size - count)))


def _grow(numbers: FloatArray, truth: IntArray, seed: int) -> list[RandomForestClassifier | ExtraTreesClassifier]:
    kinds = (RandomForestClassifier, ExtraTreesClassifier)
    return [
        kind(TREES, min_samples_leaf=SMALLEST_LEAF, class_weight="balanced", random_state=seed).fit(numbers, truth)
        for kind in kinds
    ]


def _vote(forests: Sequence[RandomForestClassifier | ExtraTreesClassifier], numbers: FloatArray) -> FloatArray:
    return np.asarray(np.mean([forest.predict_proba(numbers)[:, 1] for forest in forests], axis=0))


def _importance(
    forests: Sequence[RandomForestClassifier | ExtraTreesClassifier],
    numbers: FloatArray,
    truth: IntArray,
    chance: np.random.Generator,
) -> FloatArray:
    """All shuffled copies are asked about at once, which is much faster."""
    columns = numbers.shape[1]
    if np.unique(truth).size < 2:
        return np.zeros(columns)
    copies = np.repeat(numbers[np.newaxis], columns + 1, axis=0)
    for column in range(columns):
        copies[column, :, column] = chance.permutation(numbers[:, column])
    votes = _vote(forests, copies.reshape(-1, columns)).reshape(columns + 1, -1)
    found = np.array([area(truth, each) for each in votes])
    return np.asarray(found[-1] - found[:-1])


def _interval(
    truth: IntArray, votes: FloatArray, stations: IntArray, chance: np.random.Generator
) -> tuple[float, float]:
    """Stations are drawn anew, with all that they recorded."""
    members = [np.flatnonzero(stations == station) for station in range(stations.max() + 1)]
    found = []
    for _ in range(RESAMPLED):
        drawn = np.concatenate([members[station] for station in chance.integers(0, len(members), len(members))])
        if np.unique(truth[drawn]).size == 2:
            found.append(area(truth[drawn], votes[drawn]))
    low, high = np.quantile(found, [0.05, 0.95])
    return float(low), float(high)
