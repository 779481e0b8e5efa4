"""Windows that others cut and labelled: an HDF5 file of scaled integers, and a table with a row for each."""

import csv
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import h5py
import numpy as np
from pydantic import AfterValidator

from kensoku.errors import InputInvalid
from kensoku.training.datasets.completing import Completion, Found, complete, read_found
from kensoku.training.datasets.labels import LabelRule, Pick, apply_rule, doubt_triggers
from kensoku.training.datasets.missing import mark_missing
from kensoku.training.datasets.records import Record, load_all
from kensoku.training.datasets.triggers import find_triggers
from kensoku.training.examples import PHASES, RATE_HZ, Example, FloatArray, Kind, Origin


def _with_group(pattern: str) -> str:
    try:
        is_sound = not pattern or re.compile(pattern).groups > 0
    except re.error as error:
        raise ValueError(f"a regular expression: {error}") from None
    if not is_sound:
        raise ValueError("parentheses around what says the time")
    return pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the table says, as templates of its columns such as `{net}.{sta}`; empty where it says nothing."""

    station: str
    event: str = ""
    start: str = ""  # the moment of the earthquake or of the first sample; names the event if `event` does not
    start_pattern: Annotated[str, AfterValidator(_with_group)] = ""  # what to take from it, e.g. _([0-9]{16})
    start_format: str = ""  # of strptime; else ISO 8601
    magnitude: str = ""
    distance_km: str = ""
    flags: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowsFile:
    path: Path
    source: str
    region: str
    columns: Columns
    rule: LabelRule = field(default_factory=LabelRule)
    kind: Kind = "earthquake"
    found: Path | None = None  # a model's picks, for phases that nobody labelled
    trust: Completion | None = None


def read_windows_h5(file: WindowsFile) -> Iterator[Example]:
    """All windows of the file in its order."""
    return load_all(record for record, _ in find_windows(file))


def find_windows(file: WindowsFile) -> Iterator[tuple[Record, Mapping[str, str]]]:
    """Each window with its row of the table."""
    rows = _read_rows(file.path.with_suffix(".csv"))
    with _open(file.path) as content:
        p, s = content["p"][:], content["s"][:]
        if len(rows) != len(p):
            raise InputInvalid(
                f"{file.path}: found {len(p)} windows and {len(rows)} rows beside it; expected one for each"
            )
    moments = [_moment(file.columns, row, file.path) if file.columns.start else None for row in rows]
    origins = [_origin(file, row, moment) for row, moment in zip(rows, moments, strict=True)]
    found = read_found(file.found) if file.found else {}
    for number, (row, origin, moment) in enumerate(zip(rows, origins, moments, strict=True)):
        labels = (float(p[number]), float(s[number]))
        load = functools.partial(_load, file, number, labels, found.get(number, ()), origin)
        to_judge = functools.partial(_load, replace(file, trust=None), number, labels, (), origin)
        yield Record(origin, load, to_judge if file.trust else None, moment.timestamp() if moment else None), row


def _open(path: Path) -> h5py.File:
    try:
        content = h5py.File(path, "r")
    except OSError as error:
        raise InputInvalid(f"{path}: found {error}; expected HDF5 with X, scale, p and s") from None
    if found := _flaw(content):
        content.close()
        expected = "expected X (windows, 3, samples), scale (windows, 3), p and s (windows)"
        raise InputInvalid(f"{path}: found {found}; {expected} at {RATE_HZ} Hz")
    return content


def _flaw(content: h5py.File) -> str:
    """What is not as expected; empty: nothing."""
    arrays = {name: content[name] for name in ("X", "scale", "p", "s") if _is_array(content, name)}
    if missing := [name for name in ("X", "scale", "p", "s") if name not in arrays]:
        return f"no {', '.join(missing)}"
    count = arrays["p"].shape[:1]
    shapes = [array.shape for array in arrays.values()]
    if shapes != [(*count, 3, *shapes[0][2:3]), (*count, 3), count, count] or len(shapes[0]) != 3:
        return ", ".join(f"{name} of shape {array.shape}" for name, array in arrays.items())
    rate = content.attrs.get("sampling_rate", RATE_HZ)
    return f"a rate of {rate} Hz" if rate != RATE_HZ else ""


def _is_array(content: h5py.File, name: str) -> bool:
    try:
        return isinstance(content[name], h5py.Dataset)
    except (KeyError, OSError, RuntimeError):  # a link that leads nowhere, or to itself
        return False


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise InputInvalid(f"{path}: found {error.strerror}; expected a table with a row for each window") from None


def _load(
    file: WindowsFile, number: int, labels: tuple[float, float], found: Sequence[Found], origin: Origin
) -> Example:
    with _open(file.path) as content:
        counts: FloatArray = content["X"][number] * content["scale"][number][:, None].astype(np.float32)
    picks = [Pick(phase, sample) for phase, sample in zip(PHASES, labels, strict=True) if np.isfinite(sample)]
    if file.trust:
        picks = complete(picks, found, file.rule, file.trust)
    events = [picks] if picks else []
    counts = mark_missing(counts)
    triggers = [] if file.rule.is_searched else find_triggers(counts).tolist()
    if file.trust and not file.rule.is_searched:
        triggers += [each.sample for each in found if each.score >= file.trust.least_score]
    onsets, unknown = apply_rule(file.rule, events, doubt_triggers(file.rule, events, triggers), counts.shape[1])
    return Example(counts, onsets, unknown, origin)


# --- whose windows ----------------------------------------------------------------------------------------------------


def _origin(file: WindowsFile, row: Mapping[str, str], moment: datetime | None) -> Origin:
    columns = file.columns
    named = moment.isoformat(timespec="milliseconds") if moment and not columns.event else ""
    return Origin(
        source=file.source,
        region=file.region,
        station=fill(columns.station, row, file.path),
        event=named or fill(columns.event, row, file.path),
        kind=file.kind,
        magnitude=_number(fill(columns.magnitude, row, file.path)),
        distance_km=_number(fill(columns.distance_km, row, file.path)),
    )


def _moment(columns: Columns, row: Mapping[str, str], path: Path) -> datetime:
    text = fill(columns.start, row, path)
    if columns.start_pattern:
        match = re.search(columns.start_pattern, text)
        if match is None:
            raise InputInvalid(f"{path}: found {text!r}; expected something that matches {columns.start_pattern!r}")
        text = match[1] or ""
    try:
        moment = datetime.strptime(text, columns.start_format) if columns.start_format else datetime.fromisoformat(text)
    except ValueError as error:
        raise InputInvalid(f"{path}: found {text!r}; expected a time: {error}") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def fill(template: str, row: Mapping[str, str], path: Path) -> str:
    try:
        return template.format_map(row)
    except (KeyError, ValueError, AttributeError, IndexError, TypeError) as error:
        raise InputInvalid(
            f"{path}: found no column for {error} of {template!r}; expected some of {', '.join(row)}"
        ) from None


def _number(text: str) -> float:
    try:
        return float(text) if text else np.nan
    except ValueError:
        return np.nan
