"""Examples of a data set that was built."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kensoku.errors import SettingInvalid
from kensoku.training.datasets.building import read_finished
from kensoku.training.datasets.shards import read_shard
from kensoku.training.datasets.split import SIDES, Side
from kensoku.training.examples import Example


def read(
    folder: Path, split: Side | Collection[Side] | None = None, sources: Collection[str] | None = None
) -> Iterator[Example]:
    """In the order of the shards; `split` None: all sides."""
    manifest = read_finished(folder)
    sides = (split,) if isinstance(split, str) else split
    if sides is not None:
        _refuse_unknown(folder, "split", sides, SIDES)
    if sources is not None:
        _refuse_unknown(folder, "source", sources, _sources(manifest))
    form = manifest["description"]["formats"][0]
    for name in manifest["files"]:
        side, _, rest = name.rpartition("-")
        if rest.endswith(form) and (sides is None or side in sides):
            for example in read_shard(folder / name):
                if sources is None or example.origin.source in sources:
                    yield example


def sources_but(folder: Path, without: Collection[str]) -> list[str]:
    """Of a data set, for `read`."""
    names = _sources(read_finished(folder))
    _refuse_unknown(folder, "source", without, names)
    return [name for name in names if name not in without]


def _sources(manifest: Mapping[str, Any]) -> list[str]:
    return [source["name"] for source in manifest["description"]["sources"]]


def _refuse_unknown(folder: Path, what: str, names: Collection[str], known: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in known]:
        raise SettingInvalid(f"{folder}: found no {what} {', '.join(unknown)}, expected some of {', '.join(known)}")
