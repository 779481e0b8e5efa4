"""Builds a data set from its description: what is found, is taken, goes to one side, and is written in shards.

Shards that are there stay, so a build that was stopped goes on; another description or other files are refused.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.training.datasets.cutting import cut
from kensoku.training.datasets.description import Description
from kensoku.training.datasets.records import Record
from kensoku.training.datasets.shards import read_shard, sha256, write_shard
from kensoku.training.datasets.sources import Folders
from kensoku.training.datasets.split import SIDES, Side, join_events, split
from kensoku.training.examples import PHASES, Example, Origin

MANIFEST = "manifest.json"
UNFINISHED = f".{MANIFEST}.tmp"  # all that a call that was killed at its very start leaves


@dataclass(frozen=True, slots=True)
class Progress:
    """Counted in examples, or in records looked at while `what` is being found."""

    what: str
    done: int
    count: int | None


@dataclass(frozen=True, slots=True, eq=False)
class _Shard:
    side: Side
    name: str  # without an ending
    records: Sequence[tuple[Record, Origin]]


def build(folder: Path, description: Description, folders: Folders) -> Iterator[Progress]:
    """Writes what is missing in the folder, and tells how far it is."""
    identity = _identify(description, folders)
    if not _begin(folder, identity):
        return
    records: list[Record] = []
    for source in description.sources:
        for record in source.records(folders):
            if source.conditions.take_origin(record.origin) and source.conditions.take_example(record):
                records.append(record)
            yield Progress(source.name, len(records), None)
    shards = _arrange(description, records)
    done, counts = 0, _Counts()
    for shard in shards:
        counts.add(shard, _write(folder, description, shard))
        done += len(shard.records)
        yield Progress("writing", done, len(records))
    files = {path.name: sha256(path) for shard in shards for path in _paths(folder, description, shard)}
    _write_manifest(folder, {**identity, "counts": counts.rows(), "files": files})


def _arrange(description: Description, records: Sequence[Record]) -> list[_Shard]:
    """Shards of each side; within a side records are as the sources have them."""
    if not records:
        raise InputInvalid(f"{description.name}: found no record that meets the conditions; expected some")
    origins = join_events([record.origin for record in records], [record.time_s for record in records])
    sides = split(origins, description.plan())
    size, shards = description.shard_examples, []
    for side in SIDES:
        of = [(r, o) for r, o, s in zip(records, origins, sides, strict=True) if s == side]
        shards += [_Shard(side, f"{side}-{n // size:05d}", of[n : n + size]) for n in range(0, len(of), size)]
    return shards


def _write(folder: Path, description: Description, shard: _Shard) -> list[Example]:
    """What the shard has; files that are there stay."""
    paths = _paths(folder, description, shard)
    missing = [path for path in paths if not path.exists()]
    if not missing:
        return list(read_shard(paths[0]))
    examples = [replace(record.load_for(shard.side), origin=origin) for record, origin in shard.records]
    if description.longest_s is not None:
        examples = [cut(example, description.longest_s) for example in examples]
    for path in missing:
        write_shard(path, examples)
    return examples


def _paths(folder: Path, description: Description, shard: _Shard) -> list[Path]:
    return [folder / f"{shard.name}.{form}" for form in description.formats]


class _Counts:
    """By side and source: examples, picks, events, stations, hours."""

    def __init__(self) -> None:
        self._of: dict[tuple[Side, str], Counter[str]] = {}
        self._names: dict[tuple[Side, str], tuple[set[str], set[str]]] = {}

    def add(self, shard: _Shard, examples: Sequence[Example]) -> None:
        for example in examples:
            key = (shard.side, example.origin.source)
            counts = self._of.setdefault(key, Counter())
            stations, events = self._names.setdefault(key, (set(), set()))
            counts["examples"] += 1
            counts["samples"] += example.length
            for phase in PHASES:
                counts[phase] += sum(onset.phase == phase for onset in example.onsets)
            stations.add(example.origin.station)
            events.add(example.origin.event)

    def rows(self) -> list[dict[str, object]]:
        return [
            {
                "split": side,
                "source": source,
                **{name: counts[name] for name in ("examples", *PHASES, "samples")},
                "stations": len(self._names[side, source][0]),
                "events": len(self._names[side, source][1] - {""}),
            }
            for (side, source), counts in self._of.items()
        ]


# --- manifest ---------------------------------------------------------------------------------------------------------


def _identify(description: Description, folders: Folders) -> dict[str, object]:
    """All that the bytes depend on."""
    inputs = {}
    for source in description.sources:
        paths = source.inputs(folders)
        names = [path.name for path in paths]
        for path in paths:
            told = path.name if names.count(path.name) == 1 else f"{path.parent.name}/{path.name}"
            try:
                inputs[f"{source.name}/{told}"] = sha256(path)
            except OSError as error:
                raise InputInvalid(
                    f"{path}: found {error.strerror}; expected what source {source.name} reads"
                ) from None
    return {
        "name": description.name,
        "seed": description.seed,
        "description": json.loads(json.dumps(asdict(description))),
        "licences": {source.name: source.licence for source in description.sources},
        "inputs": inputs,
        "versions": {"kensoku": version("kensoku"), "numpy": np.__version__},
    }


def _begin(folder: Path, identity: dict[str, object]) -> bool:
    """Whether there is something to do; a folder with something else in it is left alone."""
    if (folder / MANIFEST).exists():
        kept = read_manifest(folder)
        other = [key for key, value in identity.items() if kept.get(key) != value]
        if other:
            found = f"a data set that differs in {', '.join(other)}"
            raise SettingInvalid(f"{folder}: found {found}; expected a new folder, or the call that made it")
        return "files" not in kept or _lacks_shards(folder, kept["files"])
    if folder.exists() and any(path.name != UNFINISHED for path in folder.iterdir()):
        raise SettingInvalid(f"{folder}: found files that are none of ours; expected a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    _write_manifest(folder, identity)
    return True


def _lacks_shards(folder: Path, files: Mapping[str, str]) -> bool:
    """Of a data set that was whole; damaged ones are told."""
    missing = [name for name in files if not (folder / name).exists()]
    if wrong := [name for name in files if name not in missing and sha256(folder / name) != files[name]]:
        raise InputInvalid(
            f"{folder}: found {', '.join(wrong)} damaged, expected them as they were built; delete these files and "
            "call `kensoku dataset build` again as before, which makes them anew"
        )
    return bool(missing)


def _write_manifest(folder: Path, content: dict[str, object]) -> None:
    temporary = folder / UNFINISHED
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    temporary.replace(folder / MANIFEST)


def read_finished(folder: Path) -> dict[str, Any]:
    """The manifest of a data set that is whole."""
    manifest = read_manifest(folder)
    if "files" not in manifest:
        raise InputInvalid(f"{folder}: found an unfinished build; call `kensoku dataset build` again as before")
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise InputInvalid(f"{folder}: found no {MANIFEST}; expected what `kensoku dataset build` writes") from None
    except ValueError as error:
        raise InputInvalid(f"{folder / MANIFEST}: found {error}; expected JSON; build the data set again") from None
    return manifest
