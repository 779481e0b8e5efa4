"""How much later than the velocity model says waves come to each station: learned from events, kept in a file."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from kensoku.errors import InputInvalid
from kensoku.traveltime import Wave

FIELDS = ("station", "phase", "correction_s")
ALL_FIELDS = (*FIELDS, "standard_error_s", "arrivals")
MOST_TOLD = 20
WAVES: Sequence[str] = get_args(Wave)

Key = tuple[str, str]  # NET.STA, P or S


@dataclass(frozen=True, slots=True)
class TimeCorrection:
    correction_s: float  # added to the predicted time
    standard_error_s: float
    arrivals: int


def load_time_corrections(path: str | Path) -> dict[Key, float]:
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        expected = f"expected a csv file of {','.join(FIELDS)}, as `kensoku corrections learn` writes it"
        raise InputInvalid(f"station corrections {str(path)!r} cannot be read: found {error}; {expected}") from None
    return read_time_corrections(text, str(path))


def read_time_corrections(text: str, file: str) -> dict[Key, float]:
    rows = csv.DictReader(text.splitlines())
    if missing := [name for name in FIELDS if name not in (rows.fieldnames or ())]:
        raise InputInvalid(f"{file}, line 1: found no column {', '.join(missing)}; expected {','.join(FIELDS)}")
    found: dict[Key, float] = {}
    mistakes = []
    for row in rows:
        station, phase, correction_s = (row[name] or "" for name in FIELDS)
        number = _number(correction_s)
        if number is None or phase not in WAVES or station.count(".") != 1:
            told = ",".join((station, phase, correction_s))
            mistakes.append(f"{file}, line {rows.line_num}: found {told}; expected NET.STA, P or S, and seconds")
        elif (station, phase) in found:
            mistakes.append(f"{file}, line {rows.line_num}: found {station} {phase} again; expected each once")
        else:
            found[station, phase] = number
    if mistakes:
        raise InputInvalid("\n".join(mistakes[:MOST_TOLD]))
    return found


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def write_time_corrections(corrections: Mapping[Key, TimeCorrection]) -> str:
    """As `read_time_corrections` reads them."""
    lines = [
        f"{station},{phase},{each.correction_s:.4f},{each.standard_error_s:.4f},{each.arrivals}"
        for (station, phase), each in sorted(corrections.items())
    ]
    return "\n".join([",".join(ALL_FIELDS), *lines, ""])
