"""What of a record is missing, and how near to a gap nothing may be picked."""

import math
from collections.abc import Iterator

import numpy as np

from kensoku.picking._picks import RATE_HZ, BoolArray, Counts, FloatArray, IntArray

EDGE = 50  # samples: half a second, in which a picker may take a gap's edge for an onset
FILLED = 40  # samples at 100 Hz of zeros on all components are a gap that somebody has filled
COMMON = 0.25  # share of zeros before a gap from which on they say nothing
SHORT = (
    10  # samples at 100 Hz of zeros are one already where a record drops to them from afar, and had none just before
)
AFAR = 4.0  # times the smallest value of those just before
FEWEST = 4  # samples of any rate that are zero by chance no more
LARGEST = 1e18  # counts; squares of more than 1.8e19 are infinite in a model
DEAD = 100  # samples at 100 Hz without a change since a record's start: the component records nothing


def with_missing(counts: Counts, *, is_causal: bool, rate_hz: float = RATE_HZ) -> Counts:
    """(3, samples) with NaN also where a format without NaN hides that nothing was recorded.

    That is a component which does not change from the record's start on, and stretches in which all that live are zero,
    unless zeros were common before: quiet ground, counted coarsely, is no gap. Of one component alone, stretches of
    zeros before which it never stood still, and zeros to which it falls from an offset. Causal: a stretch of zeros is
    missing from where it can be told, so nothing depends on what follows.
    """
    filled, short, dead = (max(FEWEST, round(samples * rate_hz / RATE_HZ)) for samples in (FILLED, SHORT, DEAD))
    shown = counts.astype(np.promote_types(counts.dtype, np.float32))
    for component in shown:
        first, least = int(np.argmin(np.isnan(component))), min(dead, len(component))
        if _changes(component[first : first + least], component[first]):
            continue
        changes = np.flatnonzero(~np.isnan(component) & (component != component[first]))
        alive = int(changes[0]) if len(changes) else len(component)
        if alive - first >= least:
            component[:alive] = np.nan
    missing = np.isnan(shown)
    silent = np.all(missing | (shown == 0), axis=0) & ~np.all(missing, axis=0)
    for first, last in zip(*(edges.tolist() for edges in _runs(silent, len(silent), short)), strict=True):
        before = shown[:, max(0, first - filled) : first]
        silent_before = int(silent[max(0, first - filled) : first].sum())
        is_long = last - first >= filled and silent_before < COMMON * filled
        is_short = not silent_before and before.shape[1] == filled and _drops(before)
        if is_long or is_short:
            told_after = short if is_short else filled
            shown[:, first + (told_after if is_causal else 0) : last] = np.nan
    for row, first, last, told_after in _fallen(shown, shown == 0, filled):
        shown[row, first + (told_after if is_causal else 0) : last] = np.nan
    return shown


def may_hide_gaps(windows: Counts) -> BoolArray:
    """(windows,): where `with_missing` may change these (windows, 3, samples) at 100 Hz, in a fraction of its time."""
    length, missing, zero = windows.shape[2], np.isnan(windows), windows == 0
    begins = missing[:, :, 1:DEAD] | (windows[:, :, 1:DEAD] == windows[:, :, :1])
    may_hide: BoolArray = np.any(begins.all(axis=2) & ~missing[:, :, 0], axis=1)
    for place, row in np.argwhere(missing[:, :, 0] & ~missing.all(axis=2)):
        component = windows[place, row]
        first = int(np.argmin(missing[place, row]))
        may_hide[place] |= not _changes(component[first : first + DEAD], component[first])
    silent = (np.all(missing | zero, axis=1) & zero.any(axis=1)).ravel()
    starts, ends = _runs(silent, length, SHORT)
    if len(starts):
        so_far = np.concatenate(([0], np.cumsum(silent)))
        silent_before = so_far[starts] - so_far[np.maximum(starts - FILLED, starts // length * length)]
        is_long = (ends - starts >= FILLED) & (silent_before < COMMON * FILLED)
        may_hide[starts[is_long | (silent_before == 0)] // length] = True
    for row, *_ in _fallen(windows.reshape(-1, length), zero, FILLED):
        may_hide[row // windows.shape[1]] = True
    return may_hide


def less_offset(shown: Counts) -> FloatArray:
    """Counts of double precision in single, less each component's first sample, which may be large."""
    if shown.dtype == np.float32:
        return np.asarray(shown, dtype=np.float32)
    first = np.argmin(np.isnan(shown), axis=-1)[..., np.newaxis]
    return np.asarray(shown - np.take_along_axis(shown, first, axis=-1), dtype=np.float32)


def _fallen(shown: Counts, zero: BoolArray, filled: int) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of zeros that one component does not hold by itself, and after how many samples that can be told."""
    flat, length = shown.ravel(), shown.shape[1]
    starts, ends = _runs(zero.ravel(), length)
    if not len(starts):
        return
    is_long = ends - starts >= filled
    is_asked = (starts % length >= filled) & (is_long | (starts - np.append(-filled, ends[:-1]) >= filled))
    starts, ends, is_long = starts[is_asked], ends[is_asked], is_long[is_asked]  # few of all: others had zeros before
    before = flat[starts[:, np.newaxis] + np.arange(-filled, 0)]
    sizes, steps = np.abs(before), np.abs(np.diff(before, axis=1))
    is_far = sizes.min(axis=1) > AFAR * steps.max(axis=1)  # NaN compares as False
    stood = np.maximum((sizes == 0).sum(axis=1), (steps == 0).sum(axis=1))
    is_held = is_long & (stood < COMMON * filled) & ~np.isnan(before).any(axis=1)
    for place in np.flatnonzero(is_far | is_held):
        row, first = divmod(int(starts[place]), length)
        yield row, first, first + int(ends[place] - starts[place]), 0 if is_far[place] else filled


def _drops(before: Counts) -> bool:
    """Whether the last of these samples is far from zero, and no slow wave that passes through it."""
    size = np.abs(before).max(axis=0, initial=0, where=~np.isnan(before))
    return bool(size[-1] >= AFAR * size.min() > 0)


def _changes(component: Counts, value: float) -> bool:
    return bool(np.any(~np.isnan(component) & (component != value)))


def apart_from_gaps(counts: Counts) -> BoolArray:
    """(samples,): False within half a second of where the record or one of its components begins or stops.

    The end of the record is no such place: more may come.
    """
    recorded = ~np.isnan(counts)
    edges = {0}
    for component in recorded:
        edges.update(np.flatnonzero(component[1:] != component[:-1]) + 1)
    is_allowed = np.ones(counts.shape[1], dtype=np.bool_)
    for edge in edges:  # each lies before the sample of its number: as far to both sides
        is_allowed[max(0, edge - EDGE) : edge + EDGE] = False
    return is_allowed


def horizontals(counts: FloatArray) -> IntArray:
    """(samples,): how many of the two were recorded."""
    return np.asarray((~np.isnan(counts[1:])).sum(axis=0), dtype=np.int8)


def horizontals_at(counts: FloatArray, sample: float) -> int:
    return int(horizontals(counts[:, (at := math.floor(sample)) : at + 1])[0])


def _runs(flags: BoolArray, length: int, least: int = 1) -> tuple[IntArray, IntArray]:
    """First places and those after the last of each stretch of so many True or more, in rows of a length."""
    places = np.flatnonzero(flags)
    is_first = np.ones(len(places) + 1, dtype=np.bool_)
    is_first[1:-1] = (np.diff(places) != 1) | (places[1:] % length == 0)
    starts, ends = places[is_first[:-1]], places[is_first[1:]] + 1
    return starts[ends - starts >= least], ends[ends - starts >= least]
