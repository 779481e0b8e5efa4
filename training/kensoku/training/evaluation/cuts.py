"""How well a classifier tells noise, P and S from short cuts of records."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.picking import Model, ModelCard, with_missing
from kensoku.training.datasets.conditions import onset_snr
from kensoku.training.evaluation.figures import Panel, Step, as_many_of_each, reliable_steps
from kensoku.training.evaluation.summary import DRAWS, INTERVAL
from kensoku.training.examples import PHASES, RATE_HZ, BoolArray, Example, FloatArray, Onset, Phase
from kensoku.training.scores import labels_of, quiet_of

KINDS = ("noise", *PHASES)
CODA = len(KINDS)  # of which nobody can say what it should be called
WAS = (*KINDS, "coda")
EACH = 2  # cuts of a label, and at most as many of a record's quiet
CODA_S = (3.0, 15.0)  # after S
CLEAR_SNR = 20.0
AT_ONCE = 256
SNRS = (0.0, 3.0, 10.0, 20.0)
WORST = 4  # of each kind


@dataclass(frozen=True, slots=True)
class CutResults:
    kind: npt.NDArray[np.int64]  # of WAS
    said: FloatArray  # (cuts, 3)
    snr: npt.NDArray[np.float64]  # of the onset; NaN without one
    record: npt.NDArray[np.int64]
    is_centred: npt.NDArray[np.bool_]  # the onset lies in the middle; such cuts are counted apart
    onset: npt.NDArray[np.float64]  # its sample in the cut; NaN without one
    counts: Sequence[FloatArray]
    station: Sequence[str]  # and source

    @property
    def chosen(self) -> npt.NDArray[np.int64]:
        return np.asarray(np.argmax(self.said, axis=1), dtype=np.int64)

    def confusion(self) -> npt.NDArray[np.int64]:
        """(4, 3): what it was, and what it was called."""
        counts = np.zeros((len(WAS), 3), dtype=np.int64)
        np.add.at(counts, (self.kind[~self.is_centred], self.chosen[~self.is_centred]), 1)
        return counts

    def balanced(self) -> tuple[float, float, float]:
        """Mean share of right answers of the kinds, coda apart, and its 90 % interval over records."""
        counted = ~self.is_centred & (self.kind != CODA)
        kind, chosen = self.kind[counted], self.chosen[counted]
        numbers, places = np.unique(self.record[counted], return_inverse=True)
        totals = np.zeros((2, len(numbers), 3))
        np.add.at(totals[0], (places, kind), kind == chosen)
        np.add.at(totals[1], (places, kind), 1)
        if not len(numbers):
            return math.nan, math.nan, math.nan
        drawn = np.random.default_rng(0).integers(0, len(numbers), (DRAWS, len(numbers)))
        with np.errstate(invalid="ignore"):
            shares = totals[:, drawn].sum(axis=2)
            low, high = np.nanpercentile(np.nanmean(shares[0] / shares[1], axis=1), INTERVAL)
            middle = np.nanmean(totals[0].sum(axis=0) / totals[1].sum(axis=0))
        return float(middle), float(low), float(high)

    def reliability(self) -> dict[str, list[Step]]:
        """Of each class against the others."""
        counted = ~self.is_centred & (self.kind != CODA)
        if not counted.any():
            return {}
        said, kind = self.said[counted], self.kind[counted]
        weight = as_many_of_each(kind)
        return {name: reliable_steps(said[:, n], kind == n, weight) for n, name in enumerate(KINDS)}

    def worst(self) -> list[Panel]:
        """The surest wrong answers of each kind, one of a record."""
        panels = []
        for number, name in enumerate(KINDS):
            wrong = np.flatnonzero((self.kind == number) & (self.chosen != number) & ~self.is_centred)
            seen: dict[int, int] = {}
            for cut in wrong[np.argsort(-self.said[wrong].max(axis=1), kind="stable")].tolist():
                seen.setdefault(int(self.record[cut]), cut)
            for cut in list(seen.values())[:WORST]:
                snr = f", SNR {self.snr[cut]:.1f}" if math.isfinite(self.snr[cut]) else ""
                told = f"{name}{snr}: {KINDS[self.chosen[cut]]} {self.said[cut].max():.2f}"
                phase: Phase = "S" if name == "S" else "P"
                panels.append(Panel(f"{self.station[cut]}: {told}", self.counts[cut], float(self.onset[cut]), phase))
        return panels

    def clear_centred(self) -> tuple[float, int]:
        """Share of right answers to onsets of SNR 20 and more in the middle of the cut, and how many there are."""
        return self._right(self.is_centred & (self.snr >= CLEAR_SNR))

    def right_above(self, snr: float) -> tuple[float, int]:
        """Share of right answers to onsets of at least this SNR, and how many there are."""
        return self._right(~self.is_centred & np.isin(self.kind, (1, 2)) & (self.snr >= snr))

    def _right(self, chosen: npt.NDArray[np.bool_]) -> tuple[float, int]:
        count = int(chosen.sum())
        return (float((self.kind == self.chosen)[chosen].mean()) if count else math.nan), count


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    kind: int
    snr: float
    counts: FloatArray
    is_centred: bool = False
    onset: float = math.nan


def judge_cuts(card: ModelCard, model: Model, examples: Sequence[Example]) -> CutResults:
    """Cuts with an onset anywhere in the middle half and the other outside, and cuts of quiet and of coda."""
    chance, window = np.random.default_rng(0), card.geometry.window
    cuts = [(n, cut) for n, example in enumerate(examples) for cut in _cuts(example, window, chance)]
    counts = [with_missing(cut.counts, is_causal=False) for _, cut in cuts]
    groups = (counts[first : first + AT_ONCE] for first in range(0, len(counts), AT_ONCE))
    said = [model(np.stack(group)).reshape(len(group), -1)[:, :3] for group in groups]
    return CutResults(
        kind=np.array([cut.kind for _, cut in cuts], dtype=np.int64),
        said=np.concatenate(said) if said else np.zeros((0, 3), np.float32),
        snr=np.array([cut.snr for _, cut in cuts]),
        record=np.array([record for record, _ in cuts], dtype=np.int64),
        is_centred=np.array([cut.is_centred for _, cut in cuts], dtype=np.bool_),
        onset=np.array([cut.onset for _, cut in cuts]),
        counts=[cut.counts for _, cut in cuts],
        station=[f"{examples[n].origin.source} {examples[n].origin.station}" for n, _ in cuts],
    )


def _cuts(example: Example, window: int, chance: np.random.Generator) -> Iterator[_Cut]:
    labels = labels_of(example)
    for onset in labels:
        kind, snr = 1 + PHASES.index(onset.phase), onset_snr(example.counts, onset)
        places = [chance.uniform(window / 4, 3 * window / 4) for _ in range(EACH)]
        for number, before in enumerate([*places, window / 2]):
            first = round(onset.sample - before)
            if 0 <= first <= example.length - window and not _has_other(labels, onset, first, window):
                cut = example.counts[:, first : first + window]
                yield _Cut(kind, snr, cut, is_centred=number == EACH, onset=onset.sample - first)
    is_quiet = quiet_of(example) & ~np.isnan(example.counts).all(axis=0)
    for first in _starts(is_quiet, window, chance):
        yield _Cut(0, math.nan, example.counts[:, first : first + window])
    for first in _starts(_coda_of(example), window, chance):
        yield _Cut(CODA, math.nan, example.counts[:, first : first + window])


def _starts(is_inside: BoolArray, window: int, chance: np.random.Generator) -> list[int]:
    """Of cuts that lie wholly inside."""
    if len(is_inside) < window:
        return []
    starts = np.flatnonzero(np.convolve(is_inside, np.ones(window, dtype=np.int64), "valid") == window)
    return [int(first) for first in chance.permutation(starts)[:EACH]]


def _coda_of(example: Example) -> BoolArray:
    """Soon after S, where all phases are labelled; somebody else's earthquake may lie there."""
    is_coda = np.zeros(example.length, dtype=np.bool_)
    labels = labels_of(example)
    if {label.phase for label in labels} == set(PHASES):
        last = max(label.sample for label in labels)
        first, end = (round(last + after_s * RATE_HZ) for after_s in CODA_S)
        is_coda[first:end] = True
    is_coda &= ~np.isnan(example.counts).all(axis=0)
    return is_coda


def _has_other(labels: Sequence[Onset], onset: Onset, first: int, window: int) -> bool:
    return any(other is not onset and first <= other.sample < first + window for other in labels)
