"""Seconds whose decision is put off while there is more to do than time: those that promise least."""

from collections.abc import Callable, Collection, Iterable, Iterator
from heapq import nsmallest

from kensoku.continuous import RATE_HZ, Instrument, Step

MOST = 20_000  # seconds of all instruments
LONGEST = 300 * RATE_HZ  # samples of an instrument's record after which nothing is put off any longer


class Postponed:
    """Bounded: what is too old, or one too many, is overdue."""

    def __init__(self, most: int = MOST, longest: int = LONGEST) -> None:
        self._most, self._longest = most, longest
        self._steps: dict[Instrument, list[Step]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self._steps.setdefault(step.timeline.instrument, []).append(step)
            self._count += 1

    def remove(self, steps: Collection[Step]) -> None:
        gone = frozenset(steps)
        for instrument in {step.timeline.instrument for step in steps}:
            left = [step for step in self._steps.pop(instrument, []) if step not in gone]
            if left:
                self._steps[instrument] = left
        self._count = sum(map(len, self._steps.values()))

    def keep(self, is_ours: Callable[[Instrument], bool]) -> None:
        """The others are somebody else's now."""
        self._steps = {instrument: steps for instrument, steps in self._steps.items() if is_ours(instrument)}
        self._count = sum(map(len, self._steps.values()))

    def first(self, instrument: Instrument) -> int | None:
        """The sample at which the oldest step of an instrument begins."""
        return self._steps[instrument][0].start if instrument in self._steps else None

    def of(self, instrument: Instrument) -> list[Step]:
        return list(self._steps.get(instrument, ()))

    def of_station(self, key: str) -> list[Step]:
        return [step for instrument, steps in self._steps.items() if instrument.key == key for step in steps]

    def oldest(self, most: int) -> list[Step]:
        return nsmallest(most, self._all(), key=lambda step: step.end)

    def overdue(self, reached: Callable[[Instrument], int]) -> list[Step]:
        """What can wait no longer, where each instrument's record has been looked at so far."""
        old = [
            step
            for instrument, steps in self._steps.items()
            if steps[0].end < reached(instrument) - self._longest
            for step in steps
            if step.end < reached(instrument) - self._longest
        ]
        too_many = self.oldest(self._count - self._most) if self._count > self._most else []
        return list(dict.fromkeys([*old, *too_many]))

    def _all(self) -> Iterator[Step]:
        for steps in self._steps.values():
            yield from steps
