"""What collectors find: where a record comes from, and the record itself once somebody wants it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kensoku.training.examples import Example, Origin


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The split and the conditions look at origins alone; samples are read when they are needed."""

    origin: Origin
    load: Callable[[], Example]


def load_all(records: Iterable[Record]) -> Iterator[Example]:
    return (record.load() for record in records)
