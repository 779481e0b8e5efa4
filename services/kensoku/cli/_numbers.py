"""Numbers on a command line and in tables: within their limits, or a sentence that says which those are."""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping

from kensoku.errors import InputInvalid

MOST_WHOLE = 2**63 - 1


def whole(least: int = 0, most: int = MOST_WHOLE) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            expected = f"of {least} or more" if most == MOST_WHOLE else f"from {least} to {most}"
            raise ArgumentTypeError(f"found {text!r}, expected a whole number {expected}")
        return int(text)

    return read


def real(least: float, most: float, what: str = "a number") -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise ArgumentTypeError(f"found {text!r}, expected {what} from {least:g} to {most:g}")
        return value

    return read


share = real(0.001, 1)  # a threshold of 0 would take everything


# --- in tables --------------------------------------------------------------------------------------------------------

Row = Mapping[str, str | None]


def positive_in(row: Row, name: str) -> float | None:
    """None where the cell is empty, as below."""
    return _number_in(row, name, lambda value: 0 < value < math.inf, "a number above 0")


def probability_in(row: Row, name: str) -> float | None:
    return _number_in(row, name, lambda value: 0 <= value <= 1, "a number from 0 to 1")


def number_in(row: Row, name: str) -> float | None:
    return _number_in(row, name, math.isfinite, "a number")


def _number_in(row: Row, name: str, is_allowed: Callable[[float], bool], expected: str) -> float | None:
    text = (row.get(name) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not is_allowed(value):
        raise InputInvalid(f"found {name} {text!r}, expected {expected} or an empty cell")
    return value
