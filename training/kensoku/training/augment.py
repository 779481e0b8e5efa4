"""Other records that could have been: moved, stretched, on top of each other and in other noise.

Functions of an example and a generator of chance; onsets and unknown spans go along, and what is missing stays so.
"""

import functools
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d
from scipy.signal import firwin, upfirdn

from kensoku.training.examples import RATE_HZ, BoolArray, Example, FloatArray, Onset, Span

VISIBLE = 2.0  # peak of an onset's first half second over the rms of what was laid over it
UNSURE = (50, 200)  # samples before and after an onset that is no longer seen
STEPS = 20  # factors of time are multiples of 1 / 20
HALF_LENGTH = 10  # of the resampling filter, in samples of the slower side


def cut(example: Example, length: int, start: int) -> Example:
    """`length` samples from `start` on; before and behind the record they are missing."""
    counts = np.full((3, length), np.nan, dtype=np.float32)
    first, last = max(start, 0), min(start + length, example.length)
    if last > first:
        counts[:, first - start : last - start] = example.counts[:, first:last]
    onsets = (Onset(each.phase, each.sample - start, each.weight) for each in example.onsets)
    spans = (Span(each.phase, each.first - start, each.last - start) for each in example.unknown)
    return Example(
        counts,
        tuple(onset for onset in onsets if -RATE_HZ <= onset.sample < length + RATE_HZ),
        tuple(span for span in spans if span.last >= 0 and span.first < length),
        example.origin,
    )


def random_start(example: Example, length: int, chance: np.random.Generator, anywhere: float = 0.1) -> int:
    """So that some onset lies anywhere in the cut; now and then, and without onsets, anywhere in the record."""
    inside = [onset.sample for onset in example.onsets if 0 <= onset.sample < example.length]
    latest = example.length - length
    if not inside or chance.random() < anywhere:
        return int(chance.integers(min(0, latest), max(0, latest) + 1))
    start = round(inside[chance.integers(len(inside))]) - int(chance.integers(length))
    return min(max(start, min(0, latest)), max(0, latest))


# --- time -------------------------------------------------------------------------------------------------------------


def stretch(example: Example, twentieths: int) -> Example:
    """Slower by twentieths / 20, without a delay; above the old Nyquist frequency there is nothing then."""
    if twentieths == STEPS:
        return example
    up, down = _reduce(twentieths)
    factor = up / down
    length = -(-example.length * up // down)
    counts, missing = fill(example.counts)
    counts = resample(counts, up, down)
    counts[missing[:, np.minimum((np.arange(length) / factor).round().astype(int), example.length - 1)]] = np.nan
    return replace(
        example,
        counts=counts,
        onsets=tuple(Onset(each.phase, each.sample * factor, each.weight) for each in example.onsets),
        unknown=tuple(Span(each.phase, each.first * factor, each.last * factor) for each in example.unknown),
    )


def resample(rows: FloatArray, up: int, down: int) -> FloatArray:
    """Rows end where they ended; beyond their ends they are taken to stay as they are."""
    edge = 4 * HALF_LENGTH * max(up, down) // up + 1
    edge += -edge % down  # so that the first sample falls on one of the new ones
    padded = np.pad(rows, ((0, 0), (edge, edge)), mode="edge")
    filtered = upfirdn(_kernel(up, down), padded, up, down, axis=1)
    half = HALF_LENGTH * max(up, down)
    first = (edge * up + half + -half % down) // down
    length = -(-rows.shape[1] * up // down)
    found: FloatArray = filtered[:, first : first + length].astype(np.float32)
    return found


@functools.cache
def _kernel(up: int, down: int) -> npt.NDArray[np.float32]:
    """Linear phase; its delay, in samples between the old and the new ones, is a multiple of `down`."""
    slower = max(up, down)
    half = HALF_LENGTH * slower
    kernel: npt.NDArray[np.float32] = (firwin(2 * half + 1, 1 / slower, window=("kaiser", 5.0)) * up).astype(np.float32)
    return np.concatenate([np.zeros(-half % down, np.float32), kernel])


@functools.cache
def _reduce(twentieths: int) -> tuple[int, int]:
    divisor = int(np.gcd(twentieths, STEPS))
    return twentieths // divisor, STEPS // divisor


# --- one on the other -------------------------------------------------------------------------------------------------


def superimpose(example: Example, other: Example, ratio: float) -> Example:
    """Both at once, the other's loudest sample `ratio` times the first's; whichever hides an onset makes it unknown."""
    heard = _where_recorded(other.counts, example.counts)
    own, theirs = loudest(example.counts), loudest(heard)
    if not (own > 0 and theirs > 0):
        return example
    added = without_offset(heard) * np.float32(ratio * own / theirs)
    kept = hide(example.onsets, example.counts, added)
    laid = hide(other.onsets, added, example.counts)
    return replace(
        example,
        counts=example.counts + np.nan_to_num(added),
        onsets=kept[0] + laid[0],
        unknown=example.unknown + other.unknown + kept[1] + laid[1],
    )


def add_noise(example: Example, noise: Example, snr: float) -> Example:
    """Noise whose rms above 1 Hz is 1 / snr of the record's loudest sample; onsets that it hides become unknown."""
    heard = _where_recorded(noise.counts, example.counts)
    size = rms(without_slow(heard))
    if not (size > 0 and loudest(example.counts) > 0):
        return example
    added = without_offset(heard) * np.float32(loudest(example.counts) / (snr * size))
    onsets, spans = hide(example.onsets, example.counts, added)
    return replace(
        example,
        counts=example.counts + np.nan_to_num(added),
        onsets=onsets,
        unknown=example.unknown + noise.unknown + spans,
    )


def _where_recorded(counts: FloatArray, record: FloatArray) -> FloatArray:
    """NaN where the record has nothing: what it lacks shows no onset and hides none."""
    return np.where(np.isnan(record), np.float32(np.nan), counts)


def hide(
    onsets: tuple[Onset, ...], signal: FloatArray, added: FloatArray
) -> tuple[tuple[Onset, ...], tuple[Span, ...]]:
    """Onsets that are still seen, and spans around the others."""
    if not onsets:
        return (), ()
    above, below = without_slow(signal), without_slow(added)
    seen, spans = [], []
    for onset in onsets:
        at = round(onset.sample)
        if at < 0 or at >= signal.shape[1] or _is_seen(above, below, at):
            seen.append(onset)
        else:
            spans.append(Span(onset.phase, at - UNSURE[0], at + UNSURE[1]))
    return tuple(seen), tuple(spans)


def _is_seen(signal: FloatArray, added: FloatArray, at: int) -> bool:
    peaks = np.abs(signal[:, at : at + 50]).max(axis=1, initial=0)
    around = added[:, max(at - 100, 0) : at + 50]
    sizes = np.sqrt(np.square(around).mean(axis=1))
    return bool(((peaks >= VISIBLE * sizes) & (peaks > 0)).any())


# --- sizes ------------------------------------------------------------------------------------------------------------


def fill(counts: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Straight lines where samples are missing, zeros for missing components; and where that is."""
    missing = np.isnan(counts)
    if not missing.any():
        return counts, missing
    filled = counts.copy()
    sample = np.arange(counts.shape[1])
    for row, gone in zip(filled, missing, strict=True):
        row[gone] = 0 if gone.all() else np.interp(sample[gone], sample[~gone], row[~gone])
    return filled, missing


def without_offset(counts: FloatArray) -> FloatArray:
    """Less the median of each component; NaN stays."""
    filled, missing = fill(counts)
    found: FloatArray = filled - np.median(filled[:, ::8], axis=1, keepdims=True)
    found[missing] = np.nan
    return found


def without_slow(counts: FloatArray) -> FloatArray:
    """Less the mean of the second around; 0 where missing."""
    filled, missing = fill(counts)
    found: FloatArray = filled - uniform_filter1d(filled, RATE_HZ, axis=1, mode="nearest")
    found[missing] = 0
    return found


def loudest(counts: FloatArray) -> float:
    return float(np.abs(without_slow(counts)).max())


def quiet(counts: FloatArray) -> float:
    """Rms of a second, such that a quarter of those in which something moves are quieter."""
    rows = without_slow(counts)
    seconds = rows[:, : rows.shape[1] // RATE_HZ * RATE_HZ].reshape(-1, RATE_HZ)
    sizes = np.sqrt(np.square(seconds, dtype=np.float64).mean(axis=1))
    moving = sizes[sizes > 0]
    return float(np.quantile(moving, 0.25)) if moving.size else 0.0


def rms(rows: FloatArray) -> float:
    """Of the components that move."""
    sizes = np.sqrt(np.square(rows, dtype=np.float64).mean(axis=1))
    live = sizes[sizes > 0]
    return float(np.sqrt(np.square(live).mean())) if live.size else 0.0
