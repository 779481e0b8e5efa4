"""Two front ends, of which the station decides."""

from collections.abc import Callable, Sequence

from kensoku.continuous import Step
from kensoku.detection._arrivals import Arrival, FrontEnd


class ByStation:
    """A front end: `other` listens to the stations (NET.STA) for which `is_others` holds, `usual` to all else."""

    def __init__(self, usual: FrontEnd, other: FrontEnd, is_others: Callable[[str], bool]) -> None:
        self._usual, self._other, self._is_others = usual, other, is_others

    @property
    def reach(self) -> int:
        return max(self._usual.reach, self._other.reach)

    def evaluate(self, steps: Sequence[Step]) -> list[Arrival]:
        theirs = [self._is_others(step.timeline.instrument.key) for step in steps]
        usual = [step for step, is_theirs in zip(steps, theirs, strict=True) if not is_theirs]
        other = [step for step, is_theirs in zip(steps, theirs, strict=True) if is_theirs]
        return [*self._usual.evaluate(usual), *self._other.evaluate(other)]
