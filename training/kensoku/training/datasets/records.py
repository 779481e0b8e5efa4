"""What collectors find: where a record comes from, and the record itself once somebody wants it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kensoku.training.datasets.split import Side
from kensoku.training.examples import Example, Origin


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The split and the conditions look at origins alone; samples are read when they are needed."""

    origin: Origin
    load: Callable[[], Example]
    load_to_judge: Callable[[], Example] | None = None  # without labels that a model made; none: there are none
    time_s: float | None = None  # of its earthquake or its first sample, since 1970: earthquakes close in time are one

    def load_for(self, side: Side) -> Example:
        """What a model labelled may be taught; it must not judge, nor must the silence that it leaves elsewhere."""
        return self.load() if side == "train" or self.load_to_judge is None else self.load_to_judge()


def load_all(records: Iterable[Record]) -> Iterator[Example]:
    return (record.load() for record in records)
