"""Cuts of a few seconds out of records, each with the answer that a classifier should give."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from kensoku.training.batches import Batch
from kensoku.training.examples import RATE_HZ, Example, FloatArray

Task = Literal["phase", "denoiser", "blast"]
Chance = np.random.Generator

CLASSES: dict[Task, tuple[str, ...]] = {
    "phase": ("noise", "P", "S"),
    "denoiser": ("noise", "onset"),
    "blast": ("earthquake", "blast"),
}
NOISE, P, S = 0, 1, 2
CENTRE_S: dict[Task, float] = {"phase": 1.0, "denoiser": 0.5, "blast": 1.0}  # how far from it an onset may lie
APART_S = 1.0  # from the centre: a denoiser is asked about an onset nearer than that, or about none
PRESENT = 0.9  # share of samples that must be there
SHORT_S, LONG_S = 0.3, 3.0  # of the ratio by which classic pickers are triggered
TRIES = 4
CLEAR, DIM = 3.0, 1.5  # rms after an onset over that before it: taught to a denoiser in full, not at all
RISES, APART = 6, 150  # of a record's strongest rises a denoiser is shown any; samples between them
LATE = 30  # samples by which a rise may come after the onset that a classic picker would find
EXTREMA = 1000  # samples: single components no longer than that are spikes to be laid over others
SPIKE_SIZES = (3.0, 300.0)  # in rms of the steps from sample to sample
SPIKED = 0.2  # of a denoiser's noise


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    counts: FloatArray  # (3, window)
    answer: int  # place in CLASSES
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A row of a batch."""

    counts: FloatArray
    onsets: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]  # samples of P and of S
    is_known: npt.NDArray[np.bool_]  # (samples,): of both phases
    weight: float

    @property
    def length(self) -> int:
        return self.counts.shape[1]


def records_of(batch: Batch) -> list[Record]:
    rows = zip(*batch, strict=True)
    return [
        Record(counts, (_peaks(targets[P]), _peaks(targets[S])), known.all(axis=0), float(weight))
        for counts, targets, known, weight in rows
    ]


def _peaks(curve: FloatArray) -> npt.NDArray[np.intp]:
    inner = curve[1:-1]
    return np.flatnonzero((inner > 0.5) & (inner > curve[:-2]) & (inner >= curve[2:])) + 1


def cut_classes(records: Iterable[Record], task: Task, window: int, each: int, chance: Chance) -> list[Cut]:
    """Up to `each` cuts of every record, of classes in turn."""
    made = []
    for record in records:
        first = int(chance.integers(len(CLASSES[task])))
        for number in range(each):
            cut = cut_as(record, task, (first + number) % len(CLASSES[task]), window, chance)
            made += [cut] if cut is not None else []
    return made


def cut_as(record: Record, task: Task, answer: int, window: int, chance: Chance) -> Cut | None:
    """None where the record has nothing of the kind."""
    for _ in range(TRIES):
        centre = _centre(record, task, answer, window, chance)
        if centre is None:
            return None
        if (cut := _cut_at(record, centre, window, answer)) is not None and _fits(record, task, answer, centre, window):
            return weighed(cut, record, centre) if task == "denoiser" and answer != NOISE else cut
    return None


def weighed(cut: Cut, record: Record, centre: int) -> Cut | None:
    """By how well its nearest onset is seen: a denoiser shall lose no clear one; of dim ones nobody can tell."""
    onsets = np.concatenate(record.onsets)
    snr = loudness(record.counts, int(onsets[np.abs(onsets - centre).argmin()]))
    share = float(np.clip((snr - DIM) / (CLEAR - DIM), 0, 1))
    return replace(cut, weight=cut.weight * share) if share else None


def loudness(counts: FloatArray, sample: int) -> float:
    """The rms of the steps from sample to sample in the second after it over that in two seconds before."""
    steps = np.diff(counts[:, max(0, sample - 2 * RATE_HZ) : sample + RATE_HZ].astype(np.float64), axis=1)
    middle = min(sample, 2 * RATE_HZ)
    before, after = np.square(steps[:, : max(middle - 10, 1)]), np.square(steps[:, middle:])
    if not after.shape[1]:
        return 0.0
    live = ~np.isnan(before).all(axis=1) & ~np.isnan(after).all(axis=1)
    if not live.any():
        return 0.0
    ratio = np.nanmean(after[live], axis=1) / np.maximum(np.nanmean(before[live], axis=1), 1e-30)
    return float(np.sqrt(ratio.max()))


def cut_blasts(records: Iterable[Record], answer: int, window: int, chance: Chance) -> list[Cut]:
    """Around a P: at the centre of a short window, in the first half of a long one."""
    made = []
    for record in records:
        if not record.onsets[0].size:
            continue
        onset = int(chance.choice(record.onsets[0]))
        most = window // 2 + (RATE_HZ if window < 10 * RATE_HZ else 0)
        least = max(RATE_HZ, onset + window - record.length)  # so that the record does not end within the cut
        if least >= (end := min(most, onset + 1)):
            continue
        before = int(chance.integers(least, end))
        cut = _cut_at(record, onset - before + window // 2, window, answer)
        made += [cut] if cut is not None else []
    return made


def is_of_extrema(example: Example) -> bool:
    """Whether it holds peaks of a shaken instrument, one a sample, and no waves."""
    is_noise = example.origin.kind == "noise" and not example.onsets
    return is_noise and example.length <= EXTREMA and bool(np.isnan(example.counts[1:]).all())


def spiked(cut: Cut, peaks: Sequence[FloatArray], chance: Chance) -> Cut:
    """The same noise with such peaks on one component or on all, which begin near its centre."""
    chosen = peaks[chance.integers(len(peaks))]
    counts, window = cut.counts.copy(), cut.counts.shape[1]
    steps = np.diff(counts.astype(np.float64), axis=1)
    steps = steps[~np.isnan(steps).all(axis=1)]
    if not len(steps) or not (largest_step := np.nanstd(steps, axis=1).max()) > 0:
        return cut
    size = largest_step * np.exp(chance.uniform(*np.log(SPIKE_SIZES)))
    row = 0 if chance.random() < 0.6 else slice(None)
    largest = int(np.abs(chosen).argmax()) if chance.random() < 0.5 else 0
    at = window // 2 - largest + int(chance.integers(-LATE, LATE + 1))
    part = chosen[max(0, -at) : window - at] / max(float(np.abs(chosen).max()), 1e-9)
    counts[row, max(0, at) : max(0, at) + len(part)] += (part * size).astype(np.float32)
    return replace(cut, counts=counts)


def stacked(cuts: Sequence[Cut], classes: int) -> tuple[FloatArray, FloatArray]:
    """Counts (cuts, 3, window) and lessons (cuts, classes + 1): the answer, and how far it is to be trusted."""
    lessons = np.zeros((len(cuts), classes + 1), dtype=np.float32)
    lessons[np.arange(len(cuts)), [cut.answer for cut in cuts]] = 1
    lessons[:, -1] = [cut.weight for cut in cuts]
    return np.stack([cut.counts for cut in cuts]), lessons


def _centre(record: Record, task: Task, answer: int, window: int, chance: Chance) -> int | None:
    if answer != NOISE:
        return _near(record, task, answer, chance)
    return _rise(record, window, chance) if task == "denoiser" else _centre_of_noise(record, window, chance)


def _near(record: Record, task: Task, answer: int, chance: Chance) -> int | None:
    """So that an onset of the class lies near the centre."""
    onsets = np.concatenate(record.onsets) if task == "denoiser" else record.onsets[answer - 1]
    if not onsets.size:
        return None
    reach = int(CENTRE_S[task] * RATE_HZ)
    return int(chance.choice(onsets)) + int(chance.integers(-reach, reach + 1))


def _centre_of_noise(record: Record, window: int, chance: Chance) -> int | None:
    """Half of them where a classic picker would be triggered."""
    first, end = window // 2, record.length - window // 2
    if end <= first:
        return first if end == first else None
    if chance.random() < 0.5:
        return int(chance.integers(first, end))
    start = int(chance.integers(first, end))
    part = triggered(record.counts)[start : min(end, start + 5 * RATE_HZ)]
    return start + int(np.argmax(part)) if part.size else start


def _rise(record: Record, window: int, chance: Chance) -> int | None:
    """One of the record's strongest rises, or any place: what a classic picker would ask about."""
    first, end = window // 2, record.length - window // 2
    if end <= first:
        return first if end == first else None
    if chance.random() < 0.15:
        return int(chance.integers(first, end))
    ratio = triggered(record.counts)[first:end]
    places = []
    for _ in range(int(chance.integers(1, RISES + 1))):
        places.append(int(np.argmax(ratio)))
        ratio[max(0, places[-1] - APART) : places[-1] + APART] = 0
    return int(np.clip(first + places[-1] - chance.integers(LATE), first, end))


def triggered(counts: FloatArray) -> npt.NDArray[np.float64]:
    """Mean absolute change of the last 0.3 s over that of the last 3 s."""
    change = np.nan_to_num(np.abs(np.diff(counts, axis=1, prepend=counts[:, :1]))).sum(axis=0, dtype=np.float64)
    total = np.concatenate([[0.0], np.cumsum(change)])
    place = np.arange(1, len(total))
    short, long = (
        (total[place] - total[np.maximum(place - count, 0)]) / np.minimum(place, count)
        for count in (int(SHORT_S * RATE_HZ), int(LONG_S * RATE_HZ))
    )
    ratio: npt.NDArray[np.float64] = np.divide(short, long, out=np.zeros_like(short), where=long > 0)
    return ratio


def _fits(record: Record, task: Task, answer: int, centre: int, window: int) -> bool:
    """Whether nothing near the centre, or in noise anywhere, contradicts the answer."""
    if answer == NOISE:
        inside = slice(max(0, centre - window // 2), centre + window // 2)
        apart = APART_S * RATE_HZ if task == "denoiser" else window // 2
        distances = np.abs(np.concatenate(record.onsets) - centre)
        return bool(record.is_known[inside].all() and (distances > apart).all())
    if task == "denoiser":
        return True
    others = np.abs(record.onsets[P - 1 if answer == S else S - 1] - centre)
    return bool((others > CENTRE_S[task] * RATE_HZ).all())


def _cut_at(record: Record, centre: int, window: int, answer: int) -> Cut | None:
    first = centre - window // 2
    if first < 0 or first + window > record.length:
        return None
    counts = record.counts[:, first : first + window]
    if np.isfinite(counts).any(axis=0).mean() < PRESENT:
        return None
    return Cut(counts, answer, record.weight)
