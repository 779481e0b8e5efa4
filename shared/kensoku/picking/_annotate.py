"""What a model says of records of any length: windows on an absolute grid, asked, and stitched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from kensoku.errors import InputInvalid
from kensoku.picking._picks import FloatArray

Model = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Which stretch of record a model is given at once, and how much of it counts; all in samples at 100 Hz."""

    window: int  # the longest it is given
    before: int  # an answer depends on this much before it
    after: int  # and on this much after it
    stride: int = 16  # lengths and starts of windows are multiples of it
    is_fixed: bool = False  # it takes windows of just this length
    batch: int = 32  # windows asked at once at the most; of shorter records as many more

    def __post_init__(self) -> None:
        if self.window % self.stride or min(self.before, self.after) < 0 or self.stride < 1 or self.step < self.stride:
            raise InputInvalid(
                f"geometry of model: found windows of {self.window} samples, {self.before} before, {self.after} after; "
                f"expected a multiple of {self.stride} that leaves at least {self.stride} in between"
            )

    @property
    def step(self) -> int:
        """From one window to the next."""
        return (self.window - self.before - self.after) // self.stride * self.stride


def annotate(counts: FloatArray, model: Model, geometry: Geometry, start: int = 0) -> FloatArray:
    """(3, samples): probabilities of noise, P and S; or for (records, 3, samples) of equal length those of each.

    `start` is the absolute number of the first sample. Records that fit into one window are asked whole; of longer ones
    windows lie on a grid that does not depend on `start`, so what is said of a sample further from the record's ends
    than the model sees does not depend on where the record was cut.
    """
    if counts.ndim == 2:
        single: FloatArray = annotate(counts[np.newaxis], model, geometry, start)[0]
        return single
    samples = counts.shape[2]
    if counts.shape[1] != 3 or not samples:
        raise InputInvalid(f"record: found counts of shape {counts.shape}, expected three components with samples")
    lead = start % geometry.stride
    if geometry.is_fixed or samples + lead > geometry.window:
        return _stitched(counts, model, geometry, start)
    padded = _cut(counts, -lead, -(-(samples + lead) // geometry.stride) * geometry.stride)
    return _asked(padded, model, geometry.batch * geometry.window // padded.shape[2])[..., lead : lead + samples]


@dataclass(frozen=True, slots=True)
class _Window:
    """Samples of a record: those that a model is given, and those of which its answer counts."""

    record: int
    given: range
    counts: range


def _stitched(counts: FloatArray, model: Model, geometry: Geometry, start: int) -> FloatArray:
    said = np.full(counts.shape, np.nan, dtype=np.float32)
    windows = [_Window(n, *ranges) for ranges in _ranges(counts.shape[2], geometry, start) for n in range(len(counts))]
    for length, alike in groupby(
        sorted(windows, key=lambda window: len(window.given)), lambda window: len(window.given)
    ):
        same, at_once = list(alike), geometry.batch * geometry.window // length
        for place in range(0, len(same), at_once):
            group = same[place : place + at_once]
            cuts = np.empty((len(group), 3, length), dtype=np.float32)
            for cut, window in zip(cuts, group, strict=True):
                _cut_into(cut, counts[window.record], window.given.start)
            answers = model(cuts)
            for window, answer in zip(group, answers, strict=True):
                first, end = window.counts.start, window.counts.stop
                told = window.given.stop - answer.shape[1]  # live models tell of the end of their window alone
                said[window.record, :, first:end] = answer[:, first - told : end - told]
    return said


def _ranges(samples: int, geometry: Geometry, start: int) -> Iterator[tuple[range, range]]:
    """Windows whose inner parts cover the record without overlap; those at its ends only as long as they must be."""
    stride, step = geometry.stride, geometry.step
    first = (start // step) * step - start - geometry.before // stride * stride
    while first + geometry.before > 0:
        first -= step
    lowest = -(start % stride)
    highest = lowest + -(-(samples - lowest) // stride) * stride
    for place in range(first, samples - geometry.before, step):
        given = range(place, place + geometry.window)
        if not geometry.is_fixed:
            given = range(max(place, lowest), min(place + geometry.window, highest))
        inner = place + geometry.before
        yield given, range(max(inner, 0), min(inner + step, samples))


def _cut(counts: FloatArray, first: int, length: int) -> FloatArray:
    cut = np.empty((*counts.shape[:-1], length), dtype=np.float32)
    _cut_into(cut, counts, first)
    return cut


def _cut_into(cut: FloatArray, counts: FloatArray, first: int) -> None:
    """A stretch of the last axis; NaN where it lies outside of the record."""
    length, samples = cut.shape[-1], counts.shape[-1]
    low = min(max(-first, 0), length)
    high = max(min(samples - first, length), low)
    cut[..., :low], cut[..., high:] = np.nan, np.nan
    cut[..., low:high] = counts[..., first + low : first + high]


def _asked(windows: FloatArray, model: Model, batch: int) -> FloatArray:
    return np.concatenate([model(windows[place : place + batch]) for place in range(0, len(windows), batch)])
