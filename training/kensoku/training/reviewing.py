"""What a live picker finds in records, and what comes of it with a reviewer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.picking import (
    Model,
    ModelCard,
    Pick,
    Reviewer,
    apart_from_gaps,
    find_picks,
    is_apart,
    review_records,
    rule_of_lobes,
    with_missing,
)
from kensoku.training.examples import BoolArray, Example, FloatArray
from kensoku.training.release import Picked, tell
from kensoku.training.scores import Told

NOTHING: FloatArray = np.zeros((3, 0), dtype=np.float32)
SHORTEST = 1000  # samples: in shorter records a live picker tells of nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed(Told):
    """Its picks are known; a threshold leaves some out."""

    found: tuple[Pick, ...]

    def picks(self, threshold: float) -> list[Pick]:
        return [pick for pick in self.found if pick.score >= threshold]


def picked_with(picker: ModelCard, model: Model, reviewing: Model) -> Picked:
    """The picks of a live picker and a reviewer, whose card is completed."""

    def picked(card: ModelCard, examples: Sequence[Example], stretch: int) -> list[Reviewed]:
        return list(review(finds(picker, model, card, examples, stretch), Reviewer(card, reviewing)))

    return picked


@dataclass(frozen=True, slots=True)
class Finds:
    """Of a live picker in one record."""

    example: Example
    picks: Sequence[Pick]
    allowed: BoolArray
    stretch: int


def finds(
    card: ModelCard, model: Model, reviewer: ModelCard, examples: Iterable[Example], stretch: int = 1
) -> Iterator[Finds]:
    """All that would be reviewed."""
    rule = rule_of_lobes(card.rule, reviewer)
    for one in tell(card, model, [each for each in examples if each.length >= SHORTEST], stretch):
        allowed = apart_from_gaps(with_missing(one.example.counts, is_causal=False))
        yield Finds(one.example, find_picks(one.probabilities, rule, allowed), allowed, stretch)


def review(found: Iterable[Finds], reviewer: Reviewer) -> Iterator[Reviewed]:
    for one in found:
        answers = review_records(one.example.counts[np.newaxis], [one.picks], reviewer)[0]
        kept = sorted(
            (told.pick for _, told in answers if is_apart(told.pick, one.allowed)), key=lambda pick: pick.sample
        )
        yield Reviewed(one.example, NOTHING, one.stretch, p_yields=False, found=tuple(kept))
