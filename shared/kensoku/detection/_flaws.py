"""What in the samples around an onset no ground can have made: then the onset is the recorder's or the line's."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from kensoku.continuous import RATE_HZ, AsRecorded, Timeline

BEFORE, AFTER = 8 * RATE_HZ, RATE_HZ  # samples around an onset that are looked at
NEAR_BEFORE_S, NEAR_AFTER_S = 0.6, 0.6  # of an onset, where a jump makes one
STUCK_S = 0.5  # without a change
STUCK_BEFORE_S = 1.2  # of an onset: so late a network may still take the end of it for one
OFTEN = 0.3  # share of steps of zero in a record from which on nothing is stuck: quiet ground, counted coarsely
AROUND = 8  # steps to both sides of one that jumps
SUDDEN = 12.0  # times the median step to both sides; the onset of a wave is followed by steps of its own size
LEAST_JUMP = 20.0  # counts
IMPOSSIBLE = 2.0**22  # counts from one sample to the next: half of what a converter of 24 bits can tell
EXTREME = 20.0  # times the usual size: there a record is clipped, not stuck

FloatArray = npt.NDArray[np.floating[Any]]
Flaw = str  # for people; empty: none


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
    steps = np.abs(np.diff(counts.astype(np.float64)))
    near = np.nan_to_num(steps[first:last])
    if int((near > IMPOSSIBLE).sum()) > 1:
        return f"steps of up to {near.max():.0f} counts between samples"
    for place in np.argsort(near)[-4:][::-1] + first:
        if steps[place] >= LEAST_JUMP and _is_sudden(steps, int(place)):
            return f"a step of {steps[place]:.0f} counts in between smooth samples"
    return ""


def _is_sudden(steps: FloatArray, place: int) -> bool:
    """Its neighbours are left out: a single wrong sample makes two steps."""
    sides = steps[max(place - 1 - AROUND, 0) : max(place - 1, 0)], steps[place + 2 : place + 2 + AROUND]
    usual = [float(np.median(side[np.isfinite(side)])) for side in sides if np.isfinite(side).sum() >= AROUND // 2]
    return len(usual) == len(sides) and steps[place] >= SUDDEN * max(*usual, 1.0)


def _stuck(counts: FloatArray, least: int, earliest: int, latest: int) -> Flaw:
    """A value that stays, in a record that else changes, and begins or ends near the onset."""
    is_same = np.concatenate([[False], np.diff(counts) == 0, [False]]).astype(np.int8)
    runs = np.flatnonzero(np.diff(is_same)).reshape(-1, 2)  # of the first sample, and of the last one
    long = [(begin, end) for begin, end in runs.tolist() if end - begin + 1 >= least]
    near = [
        (begin, end)
        for begin, end in long
        if earliest <= begin <= latest or (earliest <= end <= latest and end < len(counts) - 1)
    ]
    rest = counts.astype(np.float64)
    for begin, end in long:
        rest[begin : end + 1] = np.nan
    for begin, end in near:
        if _is_lively(rest, float(counts[begin])):
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
