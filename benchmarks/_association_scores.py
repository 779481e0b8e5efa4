"""How well groups of picks agree with the events that made them, and with one another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MOST, HELD = 0.5, 0.6  # of the group's picks from one event; of the event's picks in the group
LEAST_PICKS = 8  # of an event that must be found
DRAWS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    is_found: Flags  # of the events with eight picks or more
    is_right: Flags  # of the groups


@dataclass(frozen=True, slots=True)
class Score:
    """With the limits that hold 95 % of what other events and groups of the kind would give."""

    recall: float
    precision: float
    f1: float
    recall_95: tuple[float, float]
    precision_95: tuple[float, float]
    f1_95: tuple[float, float]
    events: int
    groups: int


def match(groups: Sequence[IntArray], event: IntArray, least_picks: int = LEAST_PICKS) -> Match:
    """A group is right, and its event found, when that event made more than half of the group's picks and the group
    holds 60 % of the event's; the surest first, one to one."""
    sizes = np.bincount(event[event >= 0], minlength=1)
    candidates = []
    for number, picks in enumerate(groups):
        made = event[picks][event[picks] >= 0]
        if not len(made):
            continue
        events, counts = np.unique(made, return_counts=True)
        best = int(counts.argmax())
        held = counts[best] / sizes[events[best]]
        if counts[best] > MOST * len(picks) and held >= HELD:
            candidates.append((-held, number, int(events[best])))
    is_right, found = np.zeros(len(groups), bool), np.zeros(len(sizes), bool)
    for _, number, best in sorted(candidates):
        if not found[best]:
            found[best], is_right[number] = True, True
    return Match(found[sizes >= least_picks], is_right)


def planted_only(groups: Sequence[IntArray], event: IntArray) -> list[IntArray]:
    """The groups more than half of whose picks were planted: what is right or wrong of the others nobody knows."""
    return [picks for picks in groups if (event[picks] >= 0).mean() > MOST]


def score(result: Match, chance: np.random.Generator) -> Score:
    """Events and groups drawn again and again, with replacement, for the limits."""
    recall, precision = _mean(result.is_found), _mean(result.is_right)
    recalls = _redraw(recall, len(result.is_found), chance)
    precisions = _redraw(precision, len(result.is_right), chance)
    return Score(
        recall,
        precision,
        float(_f1(np.array(recall), np.array(precision))),
        _limits(recalls),
        _limits(precisions),
        _limits(_f1(recalls, precisions)),
        len(result.is_found),
        len(result.is_right),
    )


def _mean(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else 0.0


def _redraw(share: float, count: int, chance: np.random.Generator) -> npt.NDArray[np.float64]:
    """Drawing flags with replacement is a binomial trial."""
    return chance.binomial(count, share, DRAWS) / max(count, 1)


def _f1(recall: npt.NDArray[np.float64], precision: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(2 * recall * precision / np.maximum(recall + precision, 1e-12))


def _limits(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def separated(found: Flags) -> float:
    """Share of pairs, each two events after one another, of which both are found."""
    return float(found.reshape(-1, 2).all(axis=1).mean())


def own_share(groups: Sequence[IntArray], event: IntArray) -> float:
    """Share of a group's picks that one event made, on the average over groups."""
    shares = [np.bincount(event[g][event[g] >= 0], minlength=1).max() / len(g) for g in groups]
    return float(np.mean(shares)) if shares else 0.0


def agreement(groups: Sequence[IntArray], others: Sequence[IntArray], picks: int) -> float:
    """Share of the groups more than half of whose picks are in one group of the others."""
    holder = np.full(picks, -1)
    for number, each in enumerate(others):
        holder[each] = number
    agreed = 0
    for each in groups:
        held = holder[each][holder[each] >= 0]
        agreed += bool(len(held)) and np.unique(held, return_counts=True)[1].max() > MOST * len(each)
    return agreed / max(len(groups), 1)


def changed(
    groups: Sequence[IntArray], again: Sequence[IntArray], onset_s: npt.NDArray[np.float64], from_s: float
) -> tuple[int, int]:
    """Groups that begin after `from_s` and are not the same, pick by pick, in the other run; and how many there are."""
    first, second = ({frozenset(g.tolist()) for g in each if onset_s[g].min() > from_s} for each in (groups, again))
    return len(first - second) + len(second - first), len(first)
