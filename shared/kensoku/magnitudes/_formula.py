"""How a magnitude follows from an amplitude and a distance, as somebody published it."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

AmplitudeName = Literal[
    "wood-anderson",
    "jma-velocity",
    "displacement",
    "early-displacement",
    "early-velocity",
    "characteristic-period",
]
Components = Literal["vertical", "larger-horizontal", "mean-horizontal", "vector-horizontal"]
Span = tuple[float, float]

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Table:
    """What is added to the formula at distances and depths; straight between them, and the last value beyond."""

    distances_km: Annotated[tuple[float, ...], Field(min_length=2)]
    correction: Annotated[tuple[tuple[float, ...], ...], Field(min_length=1)]  # a row for each depth
    depths_km: Annotated[tuple[float, ...], Field(min_length=1)] = (0.0,)

    @model_validator(mode="after")
    def _check(self) -> "Table":
        for name, knots in (("distances_km", self.distances_km), ("depths_km", self.depths_km)):
            if any(first >= second for first, second in pairwise(knots)):
                raise ValueError(f"expected {name} to ascend")
        if len(self.correction) != len(self.depths_km):
            raise ValueError(f"expected {len(self.depths_km)} rows of correction, one a depth")
        if any(len(row) != len(self.distances_km) for row in self.correction):
            raise ValueError(f"expected {len(self.distances_km)} corrections in each row, one a distance")
        return self

    def at(self, distance_km: float, depth_km: float) -> float:
        rows = [_between(distance_km, self.distances_km, row) for row in self.correction]
        return _between(depth_km, self.depths_km, rows)


def _between(x: float, knots: Sequence[float], values: Sequence[float]) -> float:
    if len(knots) == 1 or x <= knots[0]:
        return values[0]
    if x >= knots[-1]:
        return values[-1]
    right = bisect_right(knots, x)
    share = (x - knots[right - 1]) / (knots[right] - knots[right - 1])
    return values[right - 1] + share * (values[right] - values[right - 1])


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Formula:
    """M = slope log10(amplitude / unit) + log_distance log10 R + per_km R + constant + table(R, depth)."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    version: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
    type: Annotated[str, Field(min_length=1)]  # of the magnitude: "ML"
    reference: Annotated[str, Field(min_length=1)]
    guess: str = ""  # what of it nobody published
    amplitude: AmplitudeName
    unit: Annotated[float, Field(gt=0)] = 1.0  # in m, m/s or s
    components: Components
    slope: Annotated[float, Field(gt=0)] = 1.0
    distance: Literal["hypocentral", "epicentral", "none"] = "hypocentral"
    log_distance: float = 0.0
    per_km: float = 0.0
    constant: float
    table: Table | None = None
    distances_km: Span  # it was made for, of `distance`; of "none" hypocentral
    depths_km: Span
    scatter: Annotated[float, Field(gt=0)] = 0.3  # of one station's magnitude around the network's
    event_scatter: Annotated[float, Field(ge=0)] = 0.0  # of networks' magnitudes, however many the stations
    window_s: Annotated[float, Field(ge=0)] = 0.0  # of P that it takes; 0: all that comes
    magnitudes: Span = (-10.0, 10.0)  # of others it says nothing

    @model_validator(mode="after")
    def _check(self) -> "Formula":
        for name, (low, high) in (
            ("distances_km", self.distances_km),
            ("depths_km", self.depths_km),
            ("magnitudes", self.magnitudes),
        ):
            if low >= high:
                raise ValueError(f"expected {name} to be [least, largest]")
        if self.is_early != (self.window_s > 0):
            raise ValueError("expected window_s above 0 with amplitudes of early P, and with no others")
        return self

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"

    @property
    def is_early(self) -> bool:
        """Whether it is of the first seconds of P alone."""
        return self.amplitude in {"early-displacement", "early-velocity", "characteristic-period"}

    def reach_km(self, epicentral_km: float, hypocentral_km: float) -> float:
        """The distance that it means."""
        return epicentral_km if self.distance == "epicentral" else hypocentral_km

    def magnitude(self, amplitude: float, distance_km: float, depth_km: float) -> float:
        """Of an amplitude in m, m/s or s."""
        value = self.slope * math.log10(amplitude / self.unit) + self.constant
        if self.distance != "none":
            value += self.log_distance * math.log10(max(distance_km, 0.1)) + self.per_km * distance_km
        return value + (self.table.at(distance_km, depth_km) if self.table else 0.0)
