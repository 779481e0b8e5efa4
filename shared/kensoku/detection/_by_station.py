"""Two front ends, of which the station decides."""

from collections.abc import Callable, Sequence

from kensoku.continuous import Step
from kensoku.detection._arrivals import Arrival, FrontEnd, Sieve


class ByStation:
    """A front end: `other` listens to the stations (NET.STA) for which `is_others` holds, `usual` to all else."""

    def __init__(self, usual: FrontEnd, other: FrontEnd, is_others: Callable[[str], bool]) -> None:
        self._usual, self._other, self._is_others = usual, other, is_others

    @property
    def reach(self) -> int:
        return max(self._usual.reach, self._other.reach)

    def evaluate(self, steps: Sequence[Step]) -> list[Arrival]:
        usual, other = self._shared(steps)
        return [*self._usual.evaluate(usual), *self._other.evaluate(other)]

    def sift(self, steps: Sequence[Step], least: float) -> tuple[list[Arrival], list[Step]]:
        """Only what the usual one listens to is left for later."""
        if not isinstance(self._usual, Sieve):
            return self.evaluate(steps), []
        usual, other = self._shared(steps)
        arrivals, later = self._usual.sift(usual, least)
        return [*arrivals, *self._other.evaluate(other)], later

    def decide(self, steps: Sequence[Step]) -> list[Arrival]:
        return self._usual.decide(steps) if isinstance(self._usual, Sieve) else self._usual.evaluate(steps)

    def _shared(self, steps: Sequence[Step]) -> tuple[list[Step], list[Step]]:
        theirs = [self._is_others(step.timeline.instrument.key) for step in steps]
        usual = [step for step, is_theirs in zip(steps, theirs, strict=True) if not is_theirs]
        other = [step for step, is_theirs in zip(steps, theirs, strict=True) if is_theirs]
        return usual, other
