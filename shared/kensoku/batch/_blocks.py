"""Which stretches of record a model with full context is asked about: the same ones wherever a record begins.

A block is a number of the model's windows side by side on the absolute grid. They have one length, with NaN where
nothing was recorded, so that an answer depends on the samples alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.picking import Geometry, Model, ModelCard, apart_from_gaps, horizontals, with_missing

BLOCK_SAMPLES = 96_000  # asked about one instrument at once, about: a quarter of an hour
BESIDE = 256  # samples on either side in which a gap or a dead component must be known; a multiple of every stride
DECISION = 256  # samples on either side of a pick on which it depends at the most: see kensoku.picking.Rule

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says of a stretch: rows of P and S, and where a pick may be."""

    probabilities: FloatArray  # (2, samples)
    allowed: BoolArray
    horizontals: IntArray  # components that were recorded

    def last(self, samples: int) -> "Said":
        return Said(self.probabilities[:, -samples:], self.allowed[-samples:], self.horizontals[-samples:])

    def followed_by(self, other: "Said") -> "Said":
        probabilities = np.concatenate((self.probabilities, other.probabilities), axis=1)
        allowed = np.concatenate((self.allowed, other.allowed))
        return Said(probabilities, allowed, np.concatenate((self.horizontals, other.horizontals)))


@dataclass(frozen=True, slots=True)
class Blocks:
    """The grid of a model; numbers of samples are those of the 100 Hz grid since 1970."""

    geometry: Geometry

    @property
    def windows(self) -> int:
        return max(1, BLOCK_SAMPLES // self.geometry.step)

    @property
    def samples(self) -> int:
        """That are decided in a block."""
        return self.windows * self.geometry.step

    @property
    def _lead(self) -> int:
        return self.geometry.before // self.geometry.stride * self.geometry.stride + BESIDE

    def block_of(self, index: int) -> int:
        return (index - self.geometry.before % self.geometry.stride) // self.samples

    def first(self, block: int) -> int:
        """The first sample that is decided in it."""
        return block * self.samples + self.geometry.before % self.geometry.stride

    def given(self, block: int) -> tuple[int, int]:
        """First sample that must be read, and the one after the last."""
        start = block * self.samples - self._lead
        return start, start + 2 * BESIDE + (self.windows - 1) * self.geometry.step + self.geometry.window

    def ask(self, counts: FloatArray, model: Model) -> Said:
        """Of what `given` names, about the samples of the block. Windows without a record are not asked."""
        geometry, shown = self.geometry, with_missing(counts, is_causal=False)
        said = np.full((2, self.samples), np.nan, dtype=np.float32)
        recorded = ~np.all(np.isnan(shown), axis=0)
        allowed = apart_from_gaps(shown) & recorded
        inner = BESIDE + geometry.before
        asked = [n for n in range(self.windows) if recorded[inner + n * geometry.step :][: geometry.step].any()]
        for place in range(0, len(asked), geometry.batch):
            numbers = asked[place : place + geometry.batch]
            starts = [BESIDE + number * geometry.step for number in numbers]
            answers = model(np.stack([shown[:, start : start + geometry.window] for start in starts]))
            for number, answer in zip(numbers, answers, strict=True):
                decided = answer[-2:, geometry.before : geometry.before + geometry.step]
                said[:, number * geometry.step : (number + 1) * geometry.step] = decided
        told = slice(inner, inner + self.samples)
        return Said(said, allowed[told], horizontals(shown)[told])

    def nothing(self) -> Said:
        """Of a block without a record."""
        nothing = np.full((2, self.samples), np.nan, dtype=np.float32)
        return Said(nothing, np.zeros(self.samples, dtype=np.bool_), np.zeros(self.samples, dtype=np.int8))


def kept_of(card: ModelCard) -> int:
    """How many samples of a block's answers the next one needs, to decide what lies across their border."""
    return 2 * DECISION + max(card.delay.p, card.delay.s)
