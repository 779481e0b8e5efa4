"""What in the samples around an onset no ground can have made: then the onset is the recorder's or the line's."""

from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.continuous import RATE_HZ, AsRecorded, Timeline
from kensoku.detection._arrivals import Arrival
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT, DECISION_REJECTED_QUALITY

BEFORE, AFTER = 8 * RATE_HZ, RATE_HZ  # samples around an onset that are looked at
NEAR_BEFORE_S, NEAR_AFTER_S = 0.6, 0.6  # of an onset, where a jump makes one
STUCK_S = 0.5  # without a change
STUCK_BEFORE_S = 1.2  # of an onset: so late a network may still take the end of it for one
OFTEN = 0.3  # share of steps of zero in a record from which on nothing is stuck: quiet ground, counted coarsely
MOST_LARGE = 4  # steps that are looked at closely
AROUND = 8  # steps to both sides of one that jumps
SUDDEN = 12.0  # times the median step to both sides; the onset of a wave is followed by steps of its own size
LEAST_JUMP = 20.0  # counts
FILLED = 0.25  # of the largest square: numbers drawn from all that can be told have a third, waves less
HUGE = 2.0**22  # counts from one sample to the next: half of what a converter of 24 bits can tell
ABRUPT = 50.0  # times the steps just before, or just after: no wave comes or goes so between two samples
WHITE = 1.7  # von Neumann's ratio: 2 for numbers that know nothing of each other, below 1 for waves up to 16 Hz
COMING = 40  # steps after one that jumps, in which a wave goes on; one that is clipped at once begins anew by then
EXTREME = 20.0  # times the usual size: there a record is clipped, not stuck

FloatArray = npt.NDArray[np.floating[Any]]
Flaw = str  # for people; empty: none


def judged(arrival: Arrival) -> Arrival:
    """Where the record itself is wrong nothing is told of the ground."""
    if arrival.decision not in (DECISION_KEPT, DECISION_FAINT):
        return arrival
    flaw = flaw_at(arrival.step.timeline, arrival.index, arrival.used_to)
    return replace(arrival, decision=DECISION_REJECTED_QUALITY, decision_reason=flaw) if flaw else arrival


def flaw_at(timeline: Timeline, sample: int, used_to: int) -> Flaw:
    """What is wrong near an onset, in the samples before `used_to`."""
    for recorded in timeline.as_recorded(sample - BEFORE, min(sample + AFTER, used_to)):
        onset = BEFORE / RATE_HZ * recorded.rate_hz
        told = next(filter(None, _flaws(recorded, onset)), "")
        if told:
            return f"{recorded.code}: {told}"
    return ""


def _flaws(recorded: AsRecorded, onset: float) -> Iterator[Flaw]:
    counts, rate_hz = recorded.counts, recorded.rate_hz
    first = max(round(onset - NEAR_BEFORE_S * rate_hz), 0)
    yield _jump(counts, first, round(onset + NEAR_AFTER_S * rate_hz))
    earliest = round(onset - STUCK_BEFORE_S * rate_hz)
    yield _stuck(counts, round(STUCK_S * rate_hz), earliest, round(onset + NEAR_AFTER_S * rate_hz))


def _jump(counts: FloatArray, first: int, last: int) -> Flaw:
    """One step between samples far beyond those to both sides of it; or several that nothing can make."""
    looked_at = counts[max(first - AROUND - 2, 0) : last + COMING + AROUND + 2].astype(np.float64)
    steps = np.abs(np.diff(looked_at))
    steps[np.isnan(steps)] = 0.0
    begin = min(first, AROUND + 2)
    near = steps[begin : begin + last - first]
    largest = sorted(zip(near.tolist(), range(begin, begin + len(near)), strict=True), reverse=True)[:MOST_LARGE]
    if len(largest) > 1 and largest[1][0] > HUGE and _is_rubbish(looked_at, steps):
        return f"steps of up to {largest[0][0]:.0f} counts between samples"
    around = steps.tolist()
    for step, place in largest:
        if step >= LEAST_JUMP and step >= SUDDEN * _usual(around, place):
            return f"a step of {step:.0f} counts in between smooth samples"
    return ""


def _usual(steps: list[float], place: int) -> float:
    """The median step before, after, or a little later, the largest: the onset of a strong wave may be clipped at once.

    A single wrong sample makes two steps: neighbours are left out.
    """
    before = steps[max(place - 1 - AROUND, 0) : max(place - 1, 0)]
    after = [steps[later : later + AROUND] for later in range(place + 2, place + 2 + COMING, AROUND)]
    if min(len(before), len(after[0])) < AROUND // 2:
        return float("inf")
    return max(1.0, *(median(part) for part in [before, *after] if len(part) >= AROUND // 2))


def _is_rubbish(counts: FloatArray, steps: FloatArray) -> bool:
    """Whether huge steps come or go from one sample to the next, or all of the samples are as if drawn by lot."""
    large = np.flatnonzero(steps > HUGE / 4)  # the first of wrong samples may lie nearer to the right ones
    first, last = int(large[0]), int(large[-1])
    before, after = steps[max(first - AROUND, 0) : first], steps[last + 1 : last + 1 + AROUND]
    is_at_limit = abs(counts[last + 1]) > np.nanmax(np.abs(counts)) / 2  # where a wave is clipped
    return (
        _is_far_below(before, steps[first])
        or (_is_far_below(after, steps[last]) and not is_at_limit)
        or _is_white(counts[first : last + 2])
    )


def _is_far_below(steps: FloatArray, step: float) -> bool:
    return len(steps) >= AROUND // 2 and bool(steps.max() * ABRUPT < step)


def _is_white(counts: FloatArray) -> bool:
    known = counts[np.isfinite(counts)]
    power = np.square(known - known.mean()).mean()
    return bool(np.square(np.diff(known)).mean() > WHITE * power and power > FILLED * np.square(known).max())


def _stuck(counts: FloatArray, least: int, earliest: int, latest: int) -> Flaw:
    """A value that stays, in a record that else changes, and begins or ends near the onset."""
    changes = np.flatnonzero(np.diff(counts) != 0)  # also beside what is missing
    ends = np.append(changes, len(counts) - 1)
    begins = np.append(0, changes + 1)
    is_long = ends - begins + 1 >= least
    if not is_long.any():
        return ""
    long = list(zip(begins[is_long].tolist(), ends[is_long].tolist(), strict=True))
    rest = counts.astype(np.float64)
    for begin, end in long:
        rest[begin : end + 1] = np.nan
    for begin, end in long:
        is_near = earliest <= begin <= latest or (earliest <= end <= latest and end < len(counts) - 1)
        if is_near and _is_lively(rest, float(counts[begin])):
            return f"{counts[begin]:.0f} counts in {end - begin + 1} samples one after the other"
    return ""


def _is_lively(rest: FloatArray, value: float) -> bool:
    """Whether the rest of the record changes, and what stays is not its limit, at which it is clipped."""
    steps = np.diff(rest)
    steps = steps[np.isfinite(steps)]
    if len(steps) < AROUND or float((steps == 0).mean()) > OFTEN:
        return False
    middle = float(np.nanmedian(rest))
    usual = float(np.nanmedian(np.abs(rest - middle)))
    return abs(value - middle) < EXTREME * max(usual, 1.0)
