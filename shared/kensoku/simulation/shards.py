"""Training windows as files, written once: shards of some hundred windows, each a table of counts and tables of truth.

A window depends on the seed and its number alone, so the number of processes changes no byte, and a run that was
stopped goes on with the shards that are missing. The manifest is there from the start; its hashes say that all is done.
"""

import functools
import hashlib
import json
import multiprocessing
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from importlib.metadata import version
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy
from pydantic import TypeAdapter

from kensoku.errors import InputInvalid, SettingInvalid
from kensoku.simulation.disturbances import Disturbance
from kensoku.simulation.randomness import draw
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.window_draws import RATE_HZ, Draw
from kensoku.simulation.window_mishaps import Gap
from kensoku.simulation.windows import (
    WINDOW_S,
    Label,
    Window,
    simulate_aftershocks,
    simulate_like_blasts,
    simulate_window,
)
from kensoku.whole_files import written_whole

Columns = Mapping[str, npt.NDArray[Any]]

Of = Literal["any", "aftershocks", "blasts"]  # what windows are of; with blasts, half are of earthquakes like them

MANIFEST = "manifest.json"
UNFINISHED = f".{MANIFEST}.tmp"  # all that a call that was killed at its very start leaves
STATIONS_A_BLAST = 4  # windows of one event, one after the other


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    count: int  # windows
    windows_a_shard: int = 250  # 9 MB
    of: Of = "any"

    @property
    def shards(self) -> range:
        return range(-(-self.count // self.windows_a_shard))

    def windows(self, shard: int) -> range:
        first = shard * self.windows_a_shard
        return range(first, min(first + self.windows_a_shard, self.count))


@dataclass(frozen=True, slots=True)
class Progress:
    """Counted in windows."""

    done: int
    count: int
    written: int  # in this run


def window(seed: int, number: int, of: Of = "any") -> Window:
    if of == "any":
        return simulate_window(draw(seed, "windows", "window", number))
    if of == "aftershocks":
        return simulate_aftershocks(draw(seed, of, "window", number))
    event = draw(seed, of, "event", number // STATIONS_A_BLAST)
    return simulate_like_blasts(event, draw(seed, of, "window", number))


# --- all shards -------------------------------------------------------------------------------------------------------


def write_shards(folder: Path, plan: Plan, jobs: int) -> Iterator[Progress]:
    """Writes what is missing in the folder, and tells after each shard how far it is."""
    identity = _describe(plan)
    if not _begin(folder, identity):
        yield Progress(plan.count, plan.count, 0)
        return
    missing = [shard for shard in plan.shards if not _path(folder, shard).exists()]
    done = first = plan.count - sum(len(plan.windows(shard)) for shard in missing)
    yield Progress(done, plan.count, 0)
    for size in _write_missing(folder, plan, missing, jobs):
        done += size
        yield Progress(done, plan.count, done - first)
    hashes = {_path(folder, shard).name: _sha256(_path(folder, shard)) for shard in plan.shards}
    _write_manifest(folder, {**identity, "files": hashes})


def _write_missing(folder: Path, plan: Plan, missing: Sequence[int], jobs: int) -> Iterator[int]:
    write = functools.partial(write_shard, folder, plan)
    if min(jobs, len(missing)) <= 1:
        yield from map(write, missing)
        return
    context = multiprocessing.get_context("spawn")
    has_ended = context.Event()
    pool = context.Pool(min(jobs, len(missing)), _begin_worker, (has_ended,))
    try:
        yield from pool.imap_unordered(functools.partial(_write_unless_ended, folder, plan), missing)
    finally:
        has_ended.set()
        pool.close()
        pool.join()


_has_ended: Event | None = None  # of a worker


def _begin_worker(has_ended: Event) -> None:
    """Signals may go to the whole group. A worker that ended by one would take its shard along, for which the parent
    would wait for ever; it is the parent that says when to end."""
    global _has_ended
    _has_ended = has_ended
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _write_unless_ended(folder: Path, plan: Plan, shard: int) -> int:
    return 0 if _has_ended is not None and _has_ended.is_set() else write_shard(folder, plan, shard)


def write_shard(folder: Path, plan: Plan, shard: int) -> int:
    """Its number of windows."""
    path = _path(folder, shard)
    numbers = plan.windows(shard)
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **to_columns([window(plan.seed, number, plan.of) for number in numbers]))
    return len(numbers)


def _describe(plan: Plan) -> dict[str, object]:
    """All that the bytes depend on."""
    return {
        "synthetic": True,
        **asdict(plan),
        "rate_hz": RATE_HZ,
        "window_s": WINDOW_S,
        "kensoku": version("kensoku"),
        "simulation_sha256": _code_sha256(),
        "libraries": {"numpy": np.__version__, "scipy": scipy.__version__},
    }


def _code_sha256() -> str:
    """Of the simulator: other code makes other windows."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _begin(folder: Path, identity: dict[str, object]) -> bool:
    """Whether there is something to do; a folder with something else in it is left alone."""
    manifest = folder / MANIFEST
    kept = _read_manifest(folder) if manifest.exists() else None
    if kept is not None:
        other = [key for key, value in identity.items() if kept.get(key) != value]
        if other:
            found = ", ".join(f"{key} {kept.get(key)}" for key in other)
            raise SettingInvalid(f"{folder}: found windows of {found}; expected a new folder, or the call that made it")
        return "files" not in kept
    if folder.exists() and any(path.name != UNFINISHED for path in folder.iterdir()):
        raise SettingInvalid(f"{folder}: found files that are none of ours; expected a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    _write_manifest(folder, identity)
    return True


def _write_manifest(folder: Path, content: dict[str, object]) -> None:
    temporary = folder / UNFINISHED
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    temporary.replace(folder / MANIFEST)


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise InputInvalid(f"{folder}: found no {MANIFEST}; expected what `kensoku simulate windows` writes") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{folder / MANIFEST}: found {error}; expected JSON; write the windows again") from None
    return manifest


def _path(folder: Path, shard: int) -> Path:
    return folder / f"windows-{shard:05d}.npz"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- reading ----------------------------------------------------------------------------------------------------------


def read_shards(folder: Path) -> Iterator[Window]:
    """All windows in order of their numbers, a shard in memory at a time."""
    manifest = _read_manifest(folder)
    if "files" not in manifest:
        raise InputInvalid(f"{folder}: found an unfinished run; call `kensoku simulate windows` again as before")
    for name in manifest["files"]:
        with np.load(folder / name) as columns:
            yield from from_columns(columns)


# --- one shard --------------------------------------------------------------------------------------------------------


def to_columns(windows: Sequence[Window]) -> dict[str, npt.NDArray[Any]]:
    """Counts, a column for each number of the draws, and tables whose column `window` counts within the shard."""
    columns = {"counts": np.stack([each.counts for each in windows])}
    columns |= _table("draw", [_flat(asdict(each.draw)) for each in windows], _names(Draw))
    kinds = [{"window": n, "kind": kind} for n, each in enumerate(windows) for kind in each.kinds]
    columns |= _table("sources", kinds, ["window", "kind"])
    for name, of in _TABLES.items():
        rows = [{"window": n, **_flat(asdict(row))} for n, each in enumerate(windows) for row in getattr(each, name)]
        columns |= _table(name, rows, ["window", *_names(of)])
    return columns


def from_columns(columns: Columns) -> Iterator[Window]:
    counts = columns["counts"]
    draws = _rows(columns, "draw", _names(Draw))
    kinds = _group([(row["window"], SourceKind(row["kind"])) for row in _rows(columns, "sources", ["window", "kind"])])
    tables = {
        name: _group([(row.pop("window"), _build(of, row)) for row in _rows(columns, name, ["window", *_names(of)])])
        for name, of in _TABLES.items()
    }
    for number, row in enumerate(draws):
        parts = {name: groups.get(number, ()) for name, groups in tables.items()}
        made = _build(Draw, {**row, "kind": row["kind"] or None})
        yield Window(counts=counts[number], kinds=kinds.get(number, ()), draw=made, **parts)


_TABLES: Mapping[str, type] = {"labels": Label, "disturbances": Disturbance, "gaps": Gap}


def _names(of: type) -> list[str]:
    """Of the fields, `site.kappa_s_s` where a field has fields."""
    names = []
    for field in fields(of):
        inner = field.type if isinstance(field.type, type) and is_dataclass(field.type) else None
        names += [f"{field.name}.{name}" for name in _names(inner)] if inner else [field.name]
    return names


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        flat |= (
            {f"{name}.{inner}": of for inner, of in _flat(value).items()} if isinstance(value, dict) else {name: value}
        )
    return flat


def _table(table: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    return {f"{table}.{name}": np.array(["" if row[name] is None else row[name] for row in rows]) for name in names}


def _rows(columns: Columns, table: str, names: Sequence[str]) -> list[dict[str, Any]]:
    lists = [columns[f"{table}.{name}"].tolist() for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*lists, strict=True)]


def _build(of: type, row: Mapping[str, Any]) -> Any:
    nested: dict[str, Any] = {}
    for name, value in row.items():
        *outer, last = name.split(".")
        inner = functools.reduce(lambda level, key: level.setdefault(key, {}), outer, nested)
        inner[last] = value
    return _adapter(of).validate_python(nested)


@functools.cache
def _adapter(of: type) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def _group(pairs: Sequence[tuple[int, Any]]) -> dict[int, tuple[Any, ...]]:
    groups: dict[int, tuple[Any, ...]] = {}
    for number, value in pairs:
        groups[number] = (*groups.get(number, ()), value)
    return groups
