"""A stretch of record and what is known of the arrivals in it: data sets consist of these, and networks learn them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Phase = Literal["P", "S"]
Kind = Literal["earthquake", "blast", "noise", "unknown"]

RATE_HZ = 100
PHASES: tuple[Phase, Phase] = ("P", "S")
LABEL_S = 0.1  # standard deviation of a label on the curve that a network learns


@dataclass(frozen=True, slots=True)
class Onset:
    """A pick that somebody made; it may lie before the first sample or after the last."""

    phase: Phase
    sample: float  # fractional, counted from the record's first
    weight: float = 1.0  # how far it is to be trusted, 0 to 1


@dataclass(frozen=True, slots=True)
class Span:
    """Samples among which nobody knows whether a phase begins: neither onset nor noise may be taught there."""

    phase: Phase
    first: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an example comes from, so that splits do not leak and results can be told apart."""

    source: str  # of the data set's description
    region: str
    station: str  # NET.STA, or the source's own name for it
    event: str = ""  # of the source, empty: none known
    kind: Kind = "unknown"
    magnitude: float = np.nan
    distance_km: float = np.nan
    is_simulated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Raw counts on Z, N and E at 100 Hz; NaN where a sample or a component is missing."""

    counts: FloatArray  # (3, samples)
    onsets: tuple[Onset, ...]
    unknown: tuple[Span, ...]
    origin: Origin

    @property
    def length(self) -> int:
        return self.counts.shape[1]


def curves(onsets: Iterable[Onset], length: int) -> FloatArray:
    """(3, samples): probabilities of noise, P and S, a Gaussian around each onset; they add up to 1."""
    sample = np.arange(length)
    found = np.zeros((3, length), dtype=np.float32)
    for onset in onsets:
        shape = np.exp(-0.5 * np.square((sample - onset.sample) / (LABEL_S * RATE_HZ)))
        row = found[1 + PHASES.index(onset.phase)]
        np.maximum(row, shape, out=row)
    found[1:] /= np.maximum(found[1:].sum(axis=0), 1)
    found[0] = 1 - found[1:].sum(axis=0)
    return found


def known(unknown: Iterable[Span], length: int) -> BoolArray:
    """(2, samples): False where it is not known whether P (S) begins."""
    sample, found = np.arange(length), np.ones((2, length), dtype=np.bool_)
    for span in unknown:
        found[PHASES.index(span.phase), (sample >= span.first) & (sample <= span.last)] = False
    return found
