"""What happens in a scenario, one row a source: when, where, how large and which way it slips."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from kensoku.simulation import sources
from kensoku.simulation.magnitudes import MagnitudeRelation
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.sources import SourceKind, StressDrop

DAY_S = 86_400
ICE_BETA_KM_S = 1.9
SOURCES = {  # by kind of sequence; of the others, earthquakes
    "quarry": SourceKind.BLAST,
    "low-frequency": SourceKind.LOW_FREQUENCY,
    "long-period": SourceKind.LONG_PERIOD,
    "icequake": SourceKind.ICEQUAKE,
    "teleseisms": SourceKind.TELESEISM,
}
LITTLE_STRESS = {SourceKind.BLAST: 0.3, SourceKind.ICEQUAKE: 0.03}  # of an earthquake's: slow detonation, weak ice

IntArray = npt.NDArray[np.int64]
Columns = tuple[FloatArray, FloatArray, FloatArray]  # a place (latitude, longitude, depth) or a mechanism
Sized = TypeVar("Sized", bound="Shocks")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all sequences of a scenario share."""

    seed: int
    start_ns: int
    days: float
    relation: MagnitudeRelation


@dataclass(frozen=True, slots=True, eq=False)
class Shocks:
    """One row per source."""

    day: FloatArray  # since the start of the scenario
    latitude_deg: FloatArray
    longitude_deg: FloatArray
    depth_km: FloatArray
    ml: FloatArray
    strike_deg: FloatArray
    dip_deg: FloatArray
    rake_deg: FloatArray
    parent: IntArray  # the row of the earthquake that triggered it, -1: none, or one before the start

    def __len__(self) -> int:
        return self.day.size

    def rows(self: Sized, rows: npt.NDArray[np.intp]) -> Sized:
        return type(self)(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})

    def reorder(self: Sized, rows: npt.NDArray[np.intp]) -> Sized:
        """These rows, each at most once, in this order; a parent that is not among them is forgotten."""
        new_row = np.full(len(self) + 1, -1)  # the last is what a parent of -1 finds
        new_row[rows] = np.arange(rows.size)
        reordered = self.rows(rows)
        return replace(reordered, parent=new_row[reordered.parent])


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue(Shocks):
    """What happens in a scenario, in order of time."""

    time_ns: IntArray
    mw: FloatArray
    stress_drop_mpa: FloatArray
    corner_hz: FloatArray  # of S
    kind: npt.NDArray[np.str_]  # SourceKind
    sequence: npt.NDArray[np.str_]


class Happening(Protocol):
    """A sequence, as `kensoku.simulation.sequences` has them."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    def draw(self, conditions: Conditions) -> Shocks: ...


def join(parts: Sequence[Sized]) -> Sized:
    columns = {
        column.name: np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(parts[0])
    }
    return type(parts[0])(**columns)


def alone(*columns: FloatArray) -> Shocks:
    """Sources that no earthquake triggered, from the columns of Shocks in their order."""
    names = (column.name for column in fields(Shocks))
    return Shocks(**dict(zip(names, columns, strict=False)), parent=np.full(len(columns[0]), -1))


def scatter_angles(
    strike: FloatArray, dip: FloatArray, rake: FloatArray, scatter_deg: float, chance: np.random.Generator
) -> Columns:
    normal = scatter_deg * chance.standard_normal((3, strike.size))
    steep = 90 - np.abs(90 - np.abs(dip + normal[1] / 2))
    return (strike + normal[0]) % 360, np.clip(steep, 1, 90), (rake + normal[2] + 180) % 360 - 180


def make_catalogue(
    sequences: Sequence[Happening],
    conditions: Conditions,
    stress_drop: StressDrop,
    beta_km_s: Callable[[FloatArray], FloatArray],
) -> Catalogue:
    """All that happens within the scenario; `beta_km_s` is the S velocity at depths in km."""
    drawn = [("", SourceKind.EARTHQUAKE, alone(*np.empty((8, 0))))]  # so that there is always one
    drawn += [
        (sequence.name, SOURCES.get(sequence.kind, SourceKind.EARTHQUAKE), sequence.draw(conditions))
        for sequence in sequences
    ]
    parts = [_describe(*part, conditions, stress_drop, beta_km_s) for part in drawn]
    for part, earlier in zip(parts, np.cumsum([0, *map(len, parts)]), strict=False):
        part.parent[part.parent >= 0] += earlier
    catalogue = join(parts)
    return catalogue.reorder(np.argsort(catalogue.time_ns, kind="stable"))


def _describe(
    name: str,
    source: SourceKind,
    drawn: Shocks,
    conditions: Conditions,
    stress_drop: StressDrop,
    beta_km_s: Callable[[FloatArray], FloatArray],
) -> Catalogue:
    shocks = drawn.reorder(np.flatnonzero((drawn.day >= 0) & (drawn.day < conditions.days)))
    mw = conditions.relation.to_mw(shocks.ml)
    moment_nm = sources.moment_nm(mw)
    stress_mpa = stress_drop.draw_mpa(mw, draw(conditions.seed, name, "stress drop", 0))
    stress_mpa *= LITTLE_STRESS.get(source, 1.0)
    beta = beta_km_s(shocks.depth_km)
    corner_hz = sources.corner_hz(moment_nm, stress_mpa, ICE_BETA_KM_S if source is SourceKind.ICEQUAKE else beta)
    if source is SourceKind.LOW_FREQUENCY:
        corner_hz = sources.low_frequency_corner_hz(moment_nm)
    return Catalogue(
        **{column.name: getattr(shocks, column.name) for column in fields(shocks)},
        time_ns=conditions.start_ns + np.rint(shocks.day * DAY_S * 1e9).astype(np.int64),
        mw=mw,
        stress_drop_mpa=stress_mpa,
        corner_hz=corner_hz,
        kind=np.full(len(shocks), str(source)),
        sequence=np.full(len(shocks), name),
    )
