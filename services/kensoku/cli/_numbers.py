"""Numbers on a command line: within their limits, or a sentence that says which those are."""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable

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
