"""Formulas of magnitudes and corrections of stations from files; whatever is wrong in one is told at once."""

import csv
import math
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kensoku.errors import InputInvalid
from kensoku.magnitudes._formula import Formula

FORMULAS = (
    "iaspei-2013",
    "hutton-boore-1987",
    "bobbio-2009",
    "watanabe-1971",
    "tsuboi-1954",
    "kuyuk-allen-2013",
    "wu-zhao-2006",
    "wu-kanamori-2005",
    "simulated-pv",
)
FIELDS = ("formula", "station", "correction")
MOST_TOLD = 20

Corrections = Mapping[str, float]  # by "NET.STA", magnitude units, added to what the station reads
NO_CORRECTIONS: Corrections = MappingProxyType({})


def load_formula(name: str | Path) -> Formula:
    """One that comes with the library, or a TOML file."""
    if name in FORMULAS:
        text = (files("kensoku.magnitudes") / "formulas" / f"{name}.toml").read_text(encoding="utf-8")
        return read_formula(text, f"{name}.toml")
    expected = f"expected a TOML file or one of {', '.join(FORMULAS)}"
    return read_formula(_text(name, "magnitude formula", expected), str(name))


def read_formula(text: str, file: str) -> Formula:
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of over 4,300 digits, arrays within arrays
        raise InputInvalid(f"{file}: found {error}; expected TOML") from None
    try:
        return TypeAdapter(Formula).validate_python(content)
    except ValidationError as error:
        raise InputInvalid("\n".join(f"{file}: {_explain(problem)}" for problem in error.errors())) from None


def _explain(problem: Any) -> str:
    place = ".".join(map(str, problem["loc"])) or "formula"
    if problem["type"] == "missing":
        return f"{place}: found nothing; expected a value"
    if "unexpected" in problem["type"] or problem["type"] == "extra_forbidden":
        return f"{place}: found a name that no formula has; expected one of docs/magnitudes.md"
    if problem["type"] == "value_error":
        return f"{place}: {problem['msg'].removeprefix('Value error, ')}"
    return f"{place}: found {problem['input']!r:.60}; expected otherwise: {problem['msg']}"


def load_corrections(path: str | Path) -> Mapping[str, Corrections]:
    """By formula; a csv file of formula, station (NET.STA) and correction."""
    text = _text(path, "station corrections", f"expected a csv file of {','.join(FIELDS)}")
    return read_corrections(text, str(path))


def read_corrections(text: str, file: str) -> Mapping[str, Corrections]:
    rows = csv.DictReader(text.splitlines())
    if missing := [name for name in FIELDS if name not in (rows.fieldnames or ())]:
        raise InputInvalid(f"{file}, line 1: found no column {', '.join(missing)}; expected {','.join(FIELDS)}")
    found: dict[str, dict[str, float]] = {}
    mistakes = []
    for row in rows:
        correction = _number(row["correction"])
        if correction is None or not row["formula"] or (row["station"] or "").count(".") != 1:
            shown = ",".join(row[name] or "" for name in FIELDS)
            mistakes.append(f"{file}, line {rows.line_num}: found {shown}; expected NAME/VERSION,NET.STA and a number")
        elif row["station"] in (stations := found.setdefault(row["formula"], {})):
            mistakes.append(f"{file}, line {rows.line_num}: found {row['station']} again; expected each station once")
        else:
            stations[row["station"]] = correction
    if mistakes:
        raise InputInvalid("\n".join(mistakes[:MOST_TOLD]))
    return found


def write_corrections(corrections: Mapping[str, Corrections]) -> str:
    """As `read_corrections` reads them."""
    lines = [
        f"{formula},{station},{correction:.3f}"
        for formula, stations in sorted(corrections.items())
        for station, correction in sorted(stations.items())
    ]
    return "\n".join([",".join(FIELDS), *lines, ""])


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _text(path: str | Path, what: str, expected: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{what} {str(path)!r} cannot be read: found {error}; {expected}") from None
