"""How well a classifier tells noise, P and S from short cuts of records."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.picking import Model, ModelCard, with_missing
from kensoku.training.datasets.conditions import onset_snr
from kensoku.training.evaluation.summary import DRAWS, INTERVAL
from kensoku.training.examples import PHASES, Example, FloatArray, Onset
from kensoku.training.scores import labels_of, quiet_of

KINDS = ("noise", *PHASES)
EACH = 2  # cuts of a label, and at most as many of a record's quiet
AT_ONCE = 256
SNRS = (0.0, 3.0, 10.0, 20.0)


@dataclass(frozen=True, slots=True)
class CutResults:
    kind: npt.NDArray[np.int64]  # of KINDS
    said: FloatArray  # (cuts, 3)
    snr: npt.NDArray[np.float64]  # of the onset; NaN for noise
    record: npt.NDArray[np.int64]

    @property
    def chosen(self) -> npt.NDArray[np.int64]:
        return np.asarray(np.argmax(self.said, axis=1), dtype=np.int64)

    def confusion(self) -> npt.NDArray[np.int64]:
        """(3, 3): what it was, and what it was called."""
        counts = np.zeros((3, 3), dtype=np.int64)
        np.add.at(counts, (self.kind, self.chosen), 1)
        return counts

    def balanced(self) -> tuple[float, float, float]:
        """Mean share of right answers of the kinds, and its 90 % interval over records."""
        numbers, places = np.unique(self.record, return_inverse=True)
        totals = np.zeros((2, len(numbers), 3))
        np.add.at(totals[0], (places, self.kind), self.kind == self.chosen)
        np.add.at(totals[1], (places, self.kind), 1)
        drawn = np.random.default_rng(0).integers(0, len(numbers), (DRAWS, len(numbers)))
        with np.errstate(invalid="ignore"):
            shares = totals[:, drawn].sum(axis=2)
            low, high = np.nanpercentile(np.nanmean(shares[0] / shares[1], axis=1), INTERVAL)
            middle = np.nanmean(totals[0].sum(axis=0) / totals[1].sum(axis=0))
        return float(middle), float(low), float(high)

    def right_above(self, snr: float) -> tuple[float, int]:
        """Share of right answers to onsets of at least this SNR, and how many there are."""
        chosen = (self.kind > 0) & (self.snr >= snr)
        count = int(chosen.sum())
        return (float((self.kind == self.chosen)[chosen].mean()) if count else math.nan), count


def judge_cuts(card: ModelCard, model: Model, examples: Sequence[Example], seed: int = 0) -> CutResults:
    """Cuts with an onset anywhere in the middle half and the other outside, and cuts of quiet."""
    chance, window = np.random.default_rng(seed), card.geometry.window
    cuts = [(n, *cut) for n, example in enumerate(examples) for cut in _cuts(example, window, chance)]
    counts = [with_missing(cut, is_causal=False) for _, _, _, cut in cuts]
    groups = (counts[first : first + AT_ONCE] for first in range(0, len(counts), AT_ONCE))
    said = [model(np.stack(group)).reshape(len(group), -1)[:, :3] for group in groups]
    return CutResults(
        kind=np.array([kind for _, kind, _, _ in cuts], dtype=np.int64),
        said=np.concatenate(said) if said else np.zeros((0, 3), np.float32),
        snr=np.array([snr for _, _, snr, _ in cuts]),
        record=np.array([record for record, _, _, _ in cuts], dtype=np.int64),
    )


def _cuts(example: Example, window: int, chance: np.random.Generator) -> Iterator[tuple[int, float, FloatArray]]:
    labels = labels_of(example)
    for onset in labels:
        for _ in range(EACH):
            first = round(onset.sample - chance.uniform(window / 4, 3 * window / 4))
            if 0 <= first <= example.length - window and not _has_other(labels, onset, first, window):
                snr = onset_snr(example.counts, onset)
                yield 1 + PHASES.index(onset.phase), snr, example.counts[:, first : first + window]
    is_quiet = quiet_of(example) & ~np.isnan(example.counts).all(axis=0)
    starts = np.flatnonzero(np.convolve(is_quiet, np.ones(window, dtype=np.int64), "valid") == window)
    for first in chance.permutation(starts)[:EACH] if len(starts) else ():
        yield 0, math.nan, example.counts[:, first : first + window]


def _has_other(labels: Sequence[Onset], onset: Onset, first: int, window: int) -> bool:
    return any(other is not onset and first <= other.sample < first + window for other in labels)
