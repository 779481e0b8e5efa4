"""Triggers: where a station grows suddenly louder, in any band, on the vertical or on the horizontals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter1d

from kensoku.classic._ratios import ratios
from kensoku.classic._settings import RATE_HZ, ClassicSettings, FloatArray, Floats

GROWN_IN = RATE_HZ  # samples in which a ratio must grow
VERTICAL, HORIZONTAL = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Samples are absolute, since 1970 at 100 Hz or since whatever the record's first was numbered from."""

    sample: int  # the first band's
    band: int  # number of the band with the largest ratio
    ratio: float  # the largest until it is decided
    vertical: float  # the largest on the vertical; 0 without one
    horizontal: float  # on the horizontals, their mean
    bands: int  # that rose together
    previous: int  # the trigger before it; long ago, if its block and warm-up have none
    earlier: "Trigger | None" = None  # the same, without the one before that


def find_triggers(counts: FloatArray, settings: ClassicSettings, first: int = 0) -> list[Trigger]:
    """In a record (3, samples), Z N E at 100 Hz, NaN where missing, whose first sample has the absolute number `first`.

    A trigger depends on its block, until it is decided, and on the warm-up before the block; on nothing else.
    """
    end = first + counts.shape[1]
    return list(iterate_triggers(counts, settings, first, first, end))


def iterate_triggers(
    counts: FloatArray, settings: ClassicSettings, first: int, start: int, end: int
) -> Iterator[Trigger]:
    """Those that can be decided when the record has come as far as `end`, and could not when it had come to `start`."""
    ahead = settings.after
    for begin in range((start - ahead) // settings.block * settings.block, end, settings.block):
        low, high = max(begin - settings.warm_up, first), min(begin + settings.block + ahead, end)
        if high <= max(begin, low):
            continue
        for trigger in _in_block(counts[:, low - first : high - first], settings, low):
            is_own = begin <= trigger.sample < begin + settings.block
            if is_own and start < trigger.sample + ahead <= high:
                yield trigger


def _in_block(counts: FloatArray, settings: ClassicSettings, first: int) -> list[Trigger]:
    by_group = _groups(ratios(counts, settings))
    rises = [
        (int(sample), group, band)
        for group, rows in enumerate(by_group)
        for band, row in enumerate(rows)
        for sample in _rises(row, settings)
    ]
    found: list[Trigger] = []
    for some in _coincident(sorted(rises), settings.together):
        if len({band for _, _, band in some}) >= settings.least_bands:
            found.append(_trigger(some, by_group, settings, first, found[-1] if found else None))
    return found


def _groups(by_component: Floats) -> tuple[Floats, Floats]:
    """(bands, samples) of the vertical, and of the mean of those horizontals that are there."""
    north, east = by_component[:, 1], by_component[:, 2]
    both = np.where(np.isnan(north), east, np.where(np.isnan(east), north, (north + east) / 2))
    return by_component[:, 0], both


def _rises(ratio: Floats, settings: ClassicSettings) -> npt.NDArray[np.intp]:
    """Where the ratio has grown and is high, having not been so just before; not where it begins to be known."""
    if not (ratio >= settings.ratio).any():  # as in most minutes
        return np.zeros(0, dtype=np.intp)
    known = np.nan_to_num(ratio, nan=np.inf)
    lowest = minimum_filter1d(known, GROWN_IN, origin=(GROWN_IN - 1) // 2, mode="nearest")
    is_up = (ratio >= settings.ratio) & (ratio >= settings.growth * lowest)
    edges = np.flatnonzero(is_up[1:] & ~is_up[:-1]) + 1
    settled: npt.NDArray[np.intp] = edges[np.isfinite(ratio[edges - 1])]
    return settled


def _coincident(rises: Sequence[tuple[int, int, int]], together: int) -> Iterator[list[tuple[int, int, int]]]:
    """Each rise belongs to the first one within that time before it."""
    some: list[tuple[int, int, int]] = []
    for rise in rises:
        if some and rise[0] - some[0][0] > together:
            yield some
            some = []
        some.append(rise)
    if some:
        yield some


def _trigger(
    some: Sequence[tuple[int, int, int]],
    by_group: tuple[Floats, Floats],
    settings: ClassicSettings,
    first: int,
    earlier: Trigger | None,
) -> Trigger:
    start = some[0][0]
    highest = np.array(
        [np.nan_to_num(rows[:, start : start + settings.after]).max(axis=1) for rows in by_group]
    )  # (groups, bands)
    return Trigger(
        sample=first + start,
        band=int(highest.max(axis=0).argmax()),
        ratio=float(highest.max()),
        vertical=float(highest[VERTICAL].max()),
        horizontal=float(highest[HORIZONTAL].max()),
        bands=len({band for _, _, band in some}),
        previous=earlier.sample if earlier else first - settings.before,
        earlier=replace(earlier, earlier=None) if earlier else None,
    )
