"""What was found beside what is asked, a line each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks._catalogue_queue import Load

NS_PER_S = 10**9


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    found: float
    asked: float | None = None  # None: no bar
    at_most: bool = True

    @property
    def is_passed(self) -> bool:
        return self.asked is None or bool(self.found <= self.asked if self.at_most else self.found >= self.asked)


def least(name: str, found: float, asked: float) -> Bar:
    return Bar(name, found, asked, at_most=False)


def median(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def bars_of_loads(loads: Mapping[str, Load]) -> list[Bar]:
    bars = []
    for name, load in loads.items():
        bars.append(Bar(f"{name}, processor, s", load.spent_ns / NS_PER_S))
        p99_ns = float(np.quantile(load.lags_ns, 0.99)) if load.lags_ns else np.nan  # it was asked for nothing
        bars.append(Bar(f"{name}, lag, p99, s", p99_ns / NS_PER_S))
    return bars


def show(part: str, bars: Sequence[Bar]) -> None:
    print(f"\n{part}")
    width = max(len(bar.name) for bar in bars)
    for bar in bars:
        sign = "at most" if bar.at_most else "at least"
        asked = "" if bar.asked is None else f"  {sign} {bar.asked:g}{'' if bar.is_passed else '  NOT PASSED'}"
        print(f"  {bar.name:<{width}}  {bar.found:>10,.3f}{asked}", flush=True)
