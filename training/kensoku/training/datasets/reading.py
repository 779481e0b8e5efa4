"""Examples of a data set that was built."""

from collections.abc import Collection, Iterator
from pathlib import Path

from kensoku.training.datasets.building import read_finished
from kensoku.training.datasets.shards import read_shard
from kensoku.training.datasets.split import Side
from kensoku.training.examples import Example


def read(
    folder: Path, split: Side | Collection[Side] | None = None, sources: Collection[str] | None = None
) -> Iterator[Example]:
    """In the order of the shards; `split` None: all sides."""
    manifest = read_finished(folder)
    sides = (split,) if isinstance(split, str) else split
    form = manifest["description"]["formats"][0]
    for name in manifest["files"]:
        side, _, rest = name.rpartition("-")
        if rest.endswith(form) and (sides is None or side in sides):
            for example in read_shard(folder / name):
                if sources is None or example.origin.source in sources:
                    yield example
