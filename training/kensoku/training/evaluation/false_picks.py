"""How many picks planted faults make in quiet records."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kensoku.picking import Pick
from kensoku.training.evaluation.asking import Ask
from kensoku.training.evaluation.planted import PLANTED, Planted
from kensoku.training.examples import RATE_HZ, Example
from kensoku.training.scores import quiet_of

EACH = 100
BEFORE_S, AFTER_S = 1.0, 3.0  # of a fault, within which a pick is its doing
ROOM_S = 14.0  # of quiet that a fault is planted into
LEAST = 3000  # samples: shorter records show little of what lies around


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    planted: Planted
    record: int
    picks: Sequence[Pick]  # that the fault made


@dataclass(frozen=True, slots=True, eq=False)
class FaultFigures:
    kind: str
    faults: Sequence[Fault]

    @property
    def false(self) -> int:
        return sum(len(each.picks) for each in self.faults)

    @property
    def deceived(self) -> int:
        """Faults with a pick or more."""
        return sum(bool(each.picks) for each in self.faults)


def judge_faults(ask: Ask, examples: Sequence[Example], each: int = EACH) -> list[FaultFigures]:
    """So many of every kind, each in another place of the quiet; none where there is no such place."""
    places = [(record, start) for record, example in enumerate(examples) for start in _places(example)]
    before = ask([example.counts for example in examples])
    found = []
    for number, (kind, plant) in enumerate(PLANTED.items()):
        chance = np.random.default_rng([0, number])
        chosen = [places[place] for place in chance.integers(0, len(places), each if places else 0)]
        planted = [
            (record, plant(examples[record].counts, start + int(chance.integers(1, 2 * RATE_HZ)), chance))
            for record, start in chosen
        ]
        after = ask([made.counts for _, made in planted])
        found.append(
            FaultFigures(
                kind,
                [
                    Fault(made, record, _made(made, before[record], picks))
                    for (record, made), picks in zip(planted, after, strict=True)
                ],
            )
        )
    return found


def _places(example: Example) -> list[int]:
    """Starts of quiet stretches of some seconds, apart from the record's start."""
    room = round(ROOM_S * RATE_HZ)
    is_quiet = quiet_of(example) & ~np.isnan(example.counts).all(axis=0)
    if example.length < LEAST:
        return []
    starts = np.flatnonzero(np.convolve(is_quiet, np.ones(room, dtype=np.int64), "valid") == room)
    return [int(start) for start in starts[starts >= 5 * RATE_HZ][:: 2 * RATE_HZ]]


def _made(planted: Planted, before: Sequence[Pick], after: Sequence[Pick]) -> list[Pick]:
    first, end = planted.first - BEFORE_S * RATE_HZ, planted.end + AFTER_S * RATE_HZ
    old = [pick.sample for pick in before]
    return [
        pick
        for pick in after
        if first <= pick.sample <= end and all(abs(pick.sample - other) > RATE_HZ / 2 for other in old)
    ]
