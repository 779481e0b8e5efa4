"""One magnitude of many stations, which one station that errs cannot move far, and clipped ones pull one way only."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

HUBER = 1.345  # scales beyond which a station pulls no more than at it: 95 % efficient if errors are normal
PRIOR_STATIONS = 4.0  # as many stations' worth the formula's own scatter is
MAD_SCALE = 1.4826  # of the median absolute deviation, if errors are normal
# Of normal errors, those above a bound z scales off lie phi(z) / (1 - Phi(z)) above the mean (Tobin, 1958); a straight
# line, 0.6 (z + 1.345), is within 0.2 of that from -1.345 scales up to where a station pulls no more.
ABOVE_A_BOUND = 0.6

Bound = Literal["none", "lower", "upper"]


@dataclass(frozen=True, slots=True)
class Vote:
    """What one station says."""

    value: float
    weight: float = 1.0  # 0 to 1
    bound: Bound = "none"  # "lower": it is at least so large


@dataclass(frozen=True, slots=True)
class NetworkValue:
    value: float
    uncertainty: float
    scale: float  # of one station
    weights: tuple[float, ...]  # 0 to 1, as each vote counted


def combine(votes: Sequence[Vote], scatter: float) -> NetworkValue | None:
    """Huber's estimate; an upper bound, which is an amplitude in noise, pulls only where the value would break it, a
    lower one as what lies above it does in the mean. None: no vote is more than a bound.

    The scale of Huber's rule is what the formula's `scatter` and the stations' median absolute deviation say together.
    """
    firm = [vote.value for vote in votes if vote.bound == "none" and vote.weight > 0]
    if not firm:
        return None
    scale = _scale(firm, scatter)
    value = _balance(votes, HUBER * scale)
    weights = tuple(_weight(vote, value, HUBER * scale) for vote in votes)
    counted = [(vote, w) for vote, w in zip(votes, weights, strict=True) if w > 0]
    total = sum(w for _, w in counted)
    squares = sum(w * _beyond(vote, value) ** 2 for vote, w in counted)
    variance = (PRIOR_STATIONS * scatter**2 + squares) / (PRIOR_STATIONS + max(total - 1, 0.0))
    return NetworkValue(value, math.sqrt(variance / max(total, 1e-3)), scale, weights)


def _scale(firm: Sequence[float], scatter: float) -> float:
    middle = median(firm)
    seen = MAD_SCALE * median(abs(value - middle) for value in firm)
    count = len(firm) - 1
    return math.sqrt((PRIOR_STATIONS * scatter**2 + count * seen**2) / (PRIOR_STATIONS + count))


def _balance(votes: Sequence[Vote], most: float) -> float:
    """Where the pulls of all votes add up to nothing: they fall in straight pieces; of a level piece its middle."""
    kink = (1 - 1 / ABOVE_A_BOUND) * most  # of a lower bound
    knots = sorted({vote.value + shift for vote in votes for shift in (-most, kink, 0.0, most)})

    def pulls(knot: float) -> float:
        return math.fsum(vote.weight * _pull(vote, knot, most) for vote in votes)

    first = bisect_left(knots, True, key=lambda knot: pulls(knot) <= 0)
    last = bisect_left(knots, True, key=lambda knot: pulls(knot) < 0) - 1
    if last >= first:  # level
        return (knots[first] + knots[last]) / 2
    before, after = pulls(knots[first - 1]), pulls(knots[first])
    return knots[first - 1] + (knots[first] - knots[first - 1]) * before / (before - after)


def _pull(vote: Vote, value: float, most: float) -> float:
    if vote.bound == "lower":
        return max(0.0, min(most, ABOVE_A_BOUND * (vote.value + most - value)))
    return max(-most, min(most, _beyond(vote, value)))


def _beyond(vote: Vote, value: float) -> float:
    """How far the vote is from the value; of a bound, by how much the value breaks it."""
    off = vote.value - value
    return {"none": off, "lower": max(off, 0.0), "upper": min(off, 0.0)}[vote.bound]


def _weight(vote: Vote, value: float, most: float) -> float:
    pull = _pull(vote, value, most)
    if pull == 0:
        return vote.weight if vote.bound == "none" else 0.0
    towards = vote.value + most if vote.bound == "lower" else vote.value
    return vote.weight * pull / (towards - value)
