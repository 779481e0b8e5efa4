"""Cuts to teach a reviewer with: each ends as long after an onset, or after what may be taken for one, as a live
picker's finds are reviewed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from kensoku.picking import Delay, Pick, ReviewTerms
from kensoku.training.augment import cut
from kensoku.training.batches import Mixture, make_example, recorded
from kensoku.training.cuts import triggered
from kensoku.training.examples import PHASES, Example, Phase, Span, known

Chance = np.random.Generator
Share = Annotated[float, Field(ge=0, le=1)]
Samples = Annotated[int, Field(ge=0)]

FAR = 60  # samples: so far from all onsets of its phase a pick is a mistake
CLEAR = 50  # samples to both sides of it in which all must be known
OFF = (7.0, 25.0)  # samples by which picks lie beside onsets: standard deviation, most
MISSED_BY = 20  # the same of a mistake, at most
FIRST, LAST = 800, 200  # samples from the start and to the end of a record between which nothing is asked about
SEARCHED = 800  # samples of which the largest rise is asked about


class ReviewConfig(BaseModel):
    """The table [review] of a training run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: Annotated[int, Field(gt=0)] = 3072  # samples of a cut
    after: tuple[Samples, Samples] = (70, 160)  # of P and S, to the end of the cut
    delay: tuple[Samples, Samples] = (50, 140)  # of the live picker
    move: tuple[Samples, Samples] = (5, 15)  # by which a pick may be moved
    lowest: Annotated[float, Field(gt=0, le=1)] = 0.1
    own_share: Share = 0.25
    taught: Annotated[int, Field(gt=0)] = 400  # samples at the end of a cut
    mistakes: Share = 0.3  # of cuts, where the live picker finds what is not there
    onsets: Share = 0.75  # of the rest, if there are any
    other_phase: Share = 0.15  # of those, asked about as if they were of the other phase
    rises: Share = 0.6  # of what remains, at the largest rise near a place by chance

    @property
    def terms(self) -> ReviewTerms:
        after, move = (Delay(p=p, s=s) for p, s in (self.after, self.move))
        return ReviewTerms(after=after, move=move, lowest=self.lowest, own_share=self.own_share)


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where a live picker finds an onset that is none."""

    example: Example
    sample: int
    phase: Phase


@dataclass(frozen=True, slots=True)
class CutMaker:
    """In the place of `make_example`."""

    config: ReviewConfig
    mistakes: Sequence[Sequence[Mistake]]  # by source, each of which counts alike

    def __call__(self, mixture: Mixture, chance: Chance) -> Example:
        if self.mistakes and chance.random() < self.config.mistakes:
            return self._of_mistake(mixture, chance)
        example = make_example(mixture, chance)
        inside = [onset for onset in example.onsets if 0 <= onset.sample < example.length]
        if inside and chance.random() < self.config.onsets:
            onset = inside[chance.integers(len(inside))]
            phase = PHASES.index(onset.phase)
            phase = 1 - phase if chance.random() < self.config.other_phase else phase
            place = round(onset.sample + float(np.clip(chance.normal(scale=OFF[0]), -OFF[1], OFF[1])))
        else:
            phase, place = int(chance.integers(2)), self._anywhere(example, chance)
        return self._ending(example, min(example.length, place + self.config.after[phase]))

    def _of_mistake(self, mixture: Mixture, chance: Chance) -> Example:
        source = self.mistakes[chance.integers(len(self.mistakes))]
        mistake = source[chance.integers(len(source))]
        place = mistake.sample + int(chance.integers(-MISSED_BY, MISSED_BY + 1))
        end = place + self.config.after[PHASES.index(mistake.phase)]
        return self._ending(
            recorded(cut(mistake.example, self.config.window, end - self.config.window), mixture.recipe, chance),
            self.config.window,
        )

    def _anywhere(self, example: Example, chance: Chance) -> int:
        first, last = min(FIRST, example.length // 2), max(example.length - LAST, example.length // 2 + 1)
        place = int(chance.integers(first, last))
        if chance.random() >= self.config.rises:
            return place
        return place + int(np.argmax(triggered(example.counts)[place : min(last, place + SEARCHED)]))

    def _ending(self, example: Example, end: int) -> Example:
        part = cut(example, self.config.window, end - self.config.window)
        before = tuple(Span(phase, -1, self.config.window - self.config.taught) for phase in PHASES)
        return replace(part, unknown=(*part.unknown, *before))


def mistakes_of(pools: Mapping[str, Iterable[tuple[Example, Sequence[Pick]]]]) -> list[list[Mistake]]:
    """By source, of what a live picker finds in records; sources without any are left out."""
    found = [
        [mistake for example, picks in records for mistake in _mistakes(example, picks)] for records in pools.values()
    ]
    return [mistakes for mistakes in found if mistakes]


def _mistakes(example: Example, picks: Sequence[Pick]) -> Iterable[Mistake]:
    is_known = known(example.unknown, example.length)
    for pick in picks:
        place = round(pick.sample)
        apart = (abs(onset.sample - place) for onset in example.onsets if onset.phase == pick.phase)
        if is_known[:, max(0, place - CLEAR) : place + CLEAR + 1].all() and min(apart, default=FAR + 1) > FAR:
            yield Mistake(example, place, pick.phase)
