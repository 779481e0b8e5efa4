"""The largest half cycles of a trace: how large, when, and of what period."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.measuring._stretch import RATE_HZ, FloatArray

LONGEST = 20 * RATE_HZ  # of half a cycle


@dataclass(frozen=True, slots=True)
class Peak:
    value: float
    sample: int  # of the trace
    period_s: float = 0.0  # 0: the cycle is not whole


def zero_to_peak(trace: FloatArray, begin: int, end: int) -> Peak:
    """The largest absolute value of the samples from `begin` to before `end`, and twice its half cycle."""
    sample = begin + int(np.abs(trace[begin:end]).argmax())
    return Peak(float(abs(trace[sample])), sample, _period_s(trace, sample, end))


def largest(trace: FloatArray, begin: int, end: int) -> float:
    return float(np.abs(trace[begin:end]).max())


def largest_swing(trace: FloatArray, begin: int, end: int) -> float:
    """As `half_peak_to_peak`."""
    _, sizes = _half_cycles(trace[begin:end])
    return float((sizes[:-1] + sizes[1:]).max(initial=sizes[0])) / 2


def half_peak_to_peak(trace: FloatArray, begin: int, end: int) -> Peak:
    """Half of the largest swing from an extreme to the next on the other side of zero (IASPEI, 2013).

    Its time is that of the larger of both; one half cycle alone counts half.
    """
    window = trace[begin:end]
    starts, sizes = _half_cycles(window)
    if len(starts) < 2:
        return Peak(float(sizes[0]) / 2, begin + int(np.abs(window).argmax()))
    swing = int((sizes[:-1] + sizes[1:]).argmax())
    edges = [*starts[swing : swing + 2], starts[swing + 2] if swing + 2 < len(starts) else len(window)]
    first, second = (
        begin + int(left + np.abs(window[left:right]).argmax()) for left, right in zip(edges, edges[1:], strict=False)
    )
    larger = first if abs(trace[first]) >= abs(trace[second]) else second
    return Peak(float(sizes[swing] + sizes[swing + 1]) / 2, larger, 2 * (second - first) / RATE_HZ)


def starts_of_half_cycles(trace: FloatArray) -> npt.NDArray[np.int64]:
    above = trace > 0
    return np.concatenate([[0], np.flatnonzero(above[1:] != above[:-1]) + 1])


def _half_cycles(trace: FloatArray) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Where they start and how large they are."""
    starts = starts_of_half_cycles(trace)
    return starts, np.maximum.reduceat(np.abs(trace), starts)


def _period_s(trace: FloatArray, sample: int, end: int) -> float:
    """Between the crossings of zero around a sample, straight between samples."""
    nearest = max(0, sample - LONGEST)
    same = trace[nearest : min(end, sample + LONGEST)] * (1.0 if trace[sample] > 0 else -1.0) > 0
    at = sample - nearest
    before, after = np.flatnonzero(~same[:at]), np.flatnonzero(~same[at:])
    if not len(before) or not len(after):
        return 0.0
    left, right = nearest + int(before[-1]), sample + int(after[0])
    return 2 * (_crossing(trace, right - 1) - _crossing(trace, left)) / RATE_HZ


def _crossing(trace: FloatArray, left: int) -> float:
    step = trace[left + 1] - trace[left]
    return left - float(trace[left] / step) if step else float(left)
