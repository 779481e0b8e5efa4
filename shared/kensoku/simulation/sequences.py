"""Catalogues: background, mainshocks with aftershocks that have aftershocks, swarms, quarries and the rest.

Aftershocks follow ETAS (Ogata, 1988), drawn generation by generation: an earthquake of magnitude M has on average
`productivity` * 10^(alpha (M - minimum)) direct aftershocks for all time, their delays have the density
(p - 1)/c (1 + t/c)^-p (Omori-Utsu), and they lie on its rupture and about it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import scipy.special
from pydantic import Field

from kensoku.errors import InputInvalid
from kensoku.simulation import sources
from kensoku.simulation.geography import move, require_area, scatter_inside, travel
from kensoku.simulation.quantities import (
    Count,
    DepthKm,
    DipDeg,
    LatitudeDeg,
    LongitudeDeg,
    Magnitude,
    Name,
    NotNegative,
    Place,
    Positive,
    RakeDeg,
    Share,
    StrikeDeg,
    UtcOffsetH,
)
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.sources import MagnitudeRelation, Ripple, SourceKind, StressDrop

DAY_S = 86_400
LARGEST_CATALOGUE = 2_000_000
ICE_BETA_KM_S = 1.9
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
    relation: MagnitudeRelation = field(default_factory=MagnitudeRelation)


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


# --- what sequences are made of ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GutenbergRichter:
    """Magnitudes between two limits."""

    b: Positive = 1.0
    minimum: Magnitude
    maximum: Magnitude

    def __post_init__(self) -> None:
        if self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum} and maximum {self.maximum}; expected the maximum above")

    def draw(self, count: int, chance: np.random.Generator) -> FloatArray:
        cut = 1 - 10 ** (-self.b * (self.maximum - self.minimum))
        ml: FloatArray = self.minimum - np.log10(1 - cut * chance.random(count)) / self.b
        return ml


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """Normal, cut off at both ends."""

    mean_km: DepthKm = 9.0
    deviation_km: Positive = 4.0
    minimum_km: DepthKm = 1.0
    maximum_km: DepthKm = 25.0

    def __post_init__(self) -> None:
        if self.minimum_km >= self.maximum_km:
            raise ValueError(f"minimum {self.minimum_km} and maximum {self.maximum_km} km; expected the maximum below")

    def draw(self, count: int, chance: np.random.Generator) -> FloatArray:
        limits = (np.array([self.minimum_km, self.maximum_km]) - self.mean_km) / self.deviation_km
        shallowest, deepest = scipy.special.ndtr(limits)
        normal = scipy.special.ndtri(chance.uniform(shallowest, deepest, count))
        depth_km: FloatArray = np.clip(self.mean_km + self.deviation_km * normal, self.minimum_km, self.maximum_km)
        return depth_km


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """Where slips go, give or take."""

    strike_deg: StrikeDeg = 225.0
    dip_deg: DipDeg = 75.0
    rake_deg: RakeDeg = -160.0
    scatter_deg: NotNegative = 20.0

    def draw(self, count: int, chance: np.random.Generator) -> Columns:
        strike, dip, rake = (np.full(count, angle) for angle in (self.strike_deg, self.dip_deg, self.rake_deg))
        return _scatter_angles(strike, dip, rake, self.scatter_deg, chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rectangle; its place is the middle of its upper edge."""

    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    top_km: DepthKm = 2.0
    strike_deg: StrikeDeg
    dip_deg: DipDeg
    rake_deg: RakeDeg
    length_km: Positive
    width_km: Positive

    def place(self, spots: FloatArray) -> Columns:
        """Latitudes, longitudes and depths of `spots`, (..., 2) of 0 to 1 along strike and down dip."""
        along, down_dip = sources.plane_axes(self.strike_deg, self.dip_deg)
        offset_km = (spots[:, :1] - 0.5) * self.length_km * along + spots[:, 1:] * self.width_km * down_dip
        latitude, longitude = move(self.latitude_deg, self.longitude_deg, offset_km[:, 0], offset_km[:, 1])
        return latitude, longitude, self.top_km + offset_km[:, 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggering:
    """ETAS; the module's head says what the first four mean."""

    productivity: Positive = 0.03
    alpha: NotNegative = 0.8
    c_days: Positive = 0.01
    p: Annotated[float, Field(gt=1)] = 1.1
    reach_km: Positive = 0.5  # half of the aftershocks of a point lie nearer
    scatter_deg: NotNegative = 20.0  # of an aftershock's mechanism about its parent's
    maximum_km: DepthKm = 25.0

    def branching_ratio(self, magnitudes: GutenbergRichter) -> float:
        """Direct aftershocks of an average earthquake."""
        span = magnitudes.maximum - magnitudes.minimum
        rest = magnitudes.b - self.alpha
        cut = 1 - 10 ** (-magnitudes.b * span)
        mean = magnitudes.b / cut * (span * np.log(10) if abs(rest) < 1e-9 else (1 - 10 ** (-rest * span)) / rest)
        return float(self.productivity * mean)

    def require_end(self, magnitudes: GutenbergRichter) -> None:
        if (ratio := self.branching_ratio(magnitudes)) >= 1:
            raise ValueError(
                f"an average earthquake that triggers {ratio:.2f} others, so that they never end; "
                "expected less than 1: lower productivity or alpha, or raise b"
            )

    def reached(self, after_days: FloatArray) -> FloatArray:
        """The share of direct aftershocks that has come by then."""
        share: FloatArray = 1 - (1 + after_days / self.c_days) ** (1 - self.p)
        return share

    def delay_days(self, share: FloatArray) -> FloatArray:
        delay: FloatArray = self.c_days * ((1 - share) ** (1 / (1 - self.p)) - 1)
        return delay


def trigger(
    first: Shocks,
    triggering: Triggering,
    magnitudes: GutenbergRichter,
    conditions: Conditions,
    chance: np.random.Generator,
) -> Shocks:
    """These earthquakes and all that follow from them before the scenario ends."""
    generations, total, ancestors = [first], len(first), 0
    while len(parents := generations[-1]):
        reached = triggering.reached(np.maximum(conditions.days - parents.day, 0))
        mean = triggering.productivity * 10 ** (triggering.alpha * (parents.ml - magnitudes.minimum)) * reached
        total += round(mean.sum())
        if total > LARGEST_CATALOGUE:
            raise InputInvalid(
                f"found more than {LARGEST_CATALOGUE} aftershocks; lower productivity or raise the minimum"
            )
        parent = np.repeat(np.arange(len(parents)), chance.poisson(mean))
        delay_days = triggering.delay_days(chance.random(parent.size) * reached[parent])
        chosen = parents.rows(parent)
        place = _place_aftershocks(chosen, triggering, conditions.relation, chance)
        mechanism = _scatter_angles(chosen.strike_deg, chosen.dip_deg, chosen.rake_deg, triggering.scatter_deg, chance)
        ml = magnitudes.draw(parent.size, chance)
        generations.append(Shocks(chosen.day + delay_days, *place, ml, *mechanism, parent + ancestors))
        ancestors += len(parents)
    return _join(generations)


def _place_aftershocks(
    parents: Shocks, triggering: Triggering, relation: MagnitudeRelation, chance: np.random.Generator
) -> Columns:
    """A spot on the parent's rupture, and a way off it: 1 / (1 + (r / reach)^2) of them lie beyond r."""
    spots = np.column_stack([chance.beta(1.4, 1.4, len(parents)), chance.beta(2, 2, len(parents))])  # fewer at the rims
    offset_km = sources.place_on_rupture(
        relation.to_mw(parents.ml), parents.strike_deg, parents.dip_deg, parents.depth_km, spots
    )
    away_km = triggering.reach_km * np.sqrt(1 / (1 - chance.random(len(parents))) - 1)
    azimuth = chance.uniform(0, 2 * np.pi, len(parents))
    north_km = offset_km[:, 0] + away_km * np.cos(azimuth)
    east_km = offset_km[:, 1] + away_km * np.sin(azimuth)
    deeper_km = offset_km[:, 2] + triggering.reach_km * chance.standard_normal(len(parents))
    latitude, longitude = move(parents.latitude_deg, parents.longitude_deg, north_km, east_km)
    deepest_km = np.maximum(triggering.maximum_km, parents.depth_km)
    return latitude, longitude, _fold(parents.depth_km + deeper_km, deepest_km)


def _fold(depth_km: FloatArray, deepest_km: FloatArray) -> FloatArray:
    """Reflects at the surface and at the bottom of what breaks."""
    folded: FloatArray = np.clip(deepest_km - np.abs(deepest_km - np.abs(depth_km)), 0, None)
    return folded


def _scatter_angles(
    strike: FloatArray, dip: FloatArray, rake: FloatArray, scatter_deg: float, chance: np.random.Generator
) -> Columns:
    normal = scatter_deg * chance.standard_normal((3, strike.size))
    steep = 90 - np.abs(90 - np.abs(dip + normal[1] / 2))
    return (strike + normal[0]) % 360, np.clip(steep, 1, 90), (rake + normal[2] + 180) % 360 - 180


def _join(parts: Sequence[Sized]) -> Sized:
    columns = {
        column.name: np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(parts[0])
    }
    return type(parts[0])(**columns)


def _alone(*columns: FloatArray) -> Shocks:
    """Sources that no earthquake triggered, from the columns of Shocks in their order."""
    names = (column.name for column in fields(Shocks))
    return Shocks(**dict(zip(names, columns, strict=False)), parent=np.full(len(columns[0]), -1))


# --- the sequences ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Earthquakes at random times, evenly over an outline or over faults, with or without aftershocks."""

    kind: Literal["background"] = "background"
    name: Name
    rate_per_day: Positive
    magnitudes: GutenbergRichter
    outline: tuple[Place, ...] = ()
    faults: tuple[Fault, ...] = ()
    depths: Depths = field(default_factory=Depths)
    mechanism: Mechanism = field(default_factory=Mechanism)
    triggering: Triggering | None = None

    def __post_init__(self) -> None:
        if bool(self.outline) == bool(self.faults):
            raise ValueError("found both or none of outline and faults; expected one of them")
        if self.outline:
            require_area(self.outline)
        if self.triggering:
            self.triggering.require_end(self.magnitudes)

    @property
    def source(self) -> SourceKind:
        return SourceKind.EARTHQUAKE

    def draw(self, conditions: Conditions) -> Shocks:
        chance = draw(conditions.seed, self.name, "background", 0)
        count = int(chance.poisson(self.rate_per_day * conditions.days))
        day = chance.uniform(0, conditions.days, count)
        place, mechanism = self._place_on_faults(count, chance) if self.faults else self._place_inside(count, chance)
        shocks = _alone(day, *place, self.magnitudes.draw(count, chance), *mechanism)
        if self.triggering is None:
            return shocks
        return trigger(shocks, self.triggering, self.magnitudes, conditions, chance)

    def _place_inside(self, count: int, chance: np.random.Generator) -> tuple[Columns, Columns]:
        latitude, longitude = scatter_inside(self.outline, count, chance)
        return (latitude, longitude, self.depths.draw(count, chance)), self.mechanism.draw(count, chance)

    def _place_on_faults(self, count: int, chance: np.random.Generator) -> tuple[Columns, Columns]:
        area = np.array([fault.length_km * fault.width_km for fault in self.faults])
        chosen = chance.choice(len(self.faults), count, p=area / area.sum())
        spots = chance.random((count, 2))
        places = np.array([fault.place(spots) for fault in self.faults])[chosen, :, np.arange(count)]
        angles = np.array([(fault.strike_deg, fault.dip_deg, fault.rake_deg) for fault in self.faults])[chosen].T
        mechanism = _scatter_angles(angles[0], angles[1], angles[2], self.mechanism.scatter_deg, chance)
        return (places[:, 0], places[:, 1], places[:, 2]), mechanism


@dataclass(frozen=True, slots=True, kw_only=True)
class Mainshock:
    at_h: float  # after the start of the scenario; before it, if negative
    ml: Magnitude
    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    depth_km: DepthKm
    strike_deg: StrikeDeg
    dip_deg: DipDeg
    rake_deg: RakeDeg


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftershocks:
    """Earthquakes that the scenario wants, and what follows from them."""

    kind: Literal["aftershocks"] = "aftershocks"
    name: Name
    mainshocks: Annotated[tuple[Mainshock, ...], Field(min_length=1)]
    magnitudes: GutenbergRichter
    triggering: Triggering = field(default_factory=Triggering)

    def __post_init__(self) -> None:
        self.triggering.require_end(self.magnitudes)

    @property
    def source(self) -> SourceKind:
        return SourceKind.EARTHQUAKE

    def draw(self, conditions: Conditions) -> Shocks:
        rows = [
            (s.at_h / 24, s.latitude_deg, s.longitude_deg, s.depth_km, s.ml, s.strike_deg, s.dip_deg, s.rake_deg)
            for s in self.mainshocks
        ]
        first = _alone(*np.array(rows, dtype=np.float64).T)
        chance = draw(conditions.seed, self.name, "aftershocks", 0)
        return trigger(first, self.triggering, self.magnitudes, conditions, chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """Earthquakes behind a front of fluid that diffuses along a plane: r = sqrt(4 pi D t) (Shapiro et al., 1997)."""

    kind: Literal["swarm"] = "swarm"
    name: Name
    count: Count  # on average
    at_h: float = 0.0
    lasts_days: Positive
    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    depth_km: DepthKm
    diffusivity_m2_s: Positive = 1.0
    magnitudes: GutenbergRichter
    mechanism: Mechanism = field(default_factory=Mechanism)

    @property
    def source(self) -> SourceKind:
        return SourceKind.EARTHQUAKE

    def draw(self, conditions: Conditions) -> Shocks:
        chance = draw(conditions.seed, self.name, "swarm", 0)
        count = int(chance.poisson(self.count))
        since_days = self.lasts_days * chance.beta(1.2, 2.0, count)  # swells fast, ends slowly
        front_km = np.sqrt(4 * np.pi * self.diffusivity_m2_s * since_days * DAY_S) / 1e3
        radius_km, angle = front_km * np.sqrt(chance.random(count)), chance.uniform(0, 2 * np.pi, count)
        along, down_dip = sources.plane_axes(self.mechanism.strike_deg, self.mechanism.dip_deg)
        offset_km = np.outer(radius_km * np.cos(angle), along) + np.outer(radius_km * np.sin(angle), down_dip)
        latitude, longitude = move(self.latitude_deg, self.longitude_deg, offset_km[:, 0], offset_km[:, 1])
        return _alone(
            self.at_h / 24 + since_days,
            latitude,
            longitude,
            np.abs(self.depth_km + offset_km[:, 2]),
            self.magnitudes.draw(count, chance),
            *self.mechanism.draw(count, chance),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarry:
    """Blasts in working hours; a day's are the same wherever the scenario starts."""

    kind: Literal["quarry"] = "quarry"
    name: Name
    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    utc_offset_h: UtcOffsetH
    blasts_a_week: Positive = 3.0
    hours: tuple[Annotated[float, Field(ge=0, le=24)], Annotated[float, Field(ge=0, le=24)]] = (9.0, 16.5)
    works_saturdays: bool = False
    radius_km: NotNegative = 0.3
    ml: Magnitude = 1.6
    deviation: NotNegative = 0.3
    spall: Share = 0.3
    ripple: Ripple = field(default_factory=Ripple)

    def __post_init__(self) -> None:
        if self.hours[0] >= self.hours[1]:
            raise ValueError(f"hours from {self.hours[0]} to {self.hours[1]}; expected the first before the last")

    @property
    def source(self) -> SourceKind:
        return SourceKind.BLAST

    def draw(self, conditions: Conditions) -> Shocks:
        start_day = (conditions.start_ns / 1e9 + 3600 * self.utc_offset_h) / DAY_S  # local, since 1970
        days = range(int(np.floor(start_day)), int(np.ceil(start_day + conditions.days)))
        blasts = np.concatenate([np.empty((0, 5)), *(self._draw_day(conditions.seed, day) for day in days)])
        day, north, east, ml, strike_deg = blasts.T
        latitude, longitude = move(self.latitude_deg, self.longitude_deg, self.radius_km * north, self.radius_km * east)
        vertical, shallow = np.full(len(blasts), 90.0), np.zeros(len(blasts))
        return _alone(day - start_day, latitude, longitude, shallow, ml, strike_deg, vertical, shallow)

    def _draw_day(self, seed: int, day: int) -> FloatArray:
        working_days = 6 if self.works_saturdays else 5
        chance = draw(seed, self.name, "blasts", day)
        works = (day + 3) % 7 < working_days  # 1970 began on a Thursday
        count = int(chance.poisson(self.blasts_a_week / working_days)) if works else 0
        return np.column_stack(
            [
                day + chance.uniform(*self.hours, count) / 24,
                chance.uniform(-1, 1, (count, 2)),
                chance.normal(self.ml, self.deviation, count),
                chance.uniform(0, 360, count),  # of the face
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitter:
    """Low-frequency earthquakes, volcanic long-period events or icequakes about one place."""

    kind: Literal["low-frequency", "long-period", "icequake"]
    name: Name
    rate_per_day: Positive
    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    radius_km: NotNegative = 2.0
    depths: Depths
    magnitudes: GutenbergRichter
    mechanism: Mechanism = field(default_factory=Mechanism)
    resonance_hz: Positive = 1.5  # of long-period events, give or take a tenth
    quality: Positive = 15.0

    @property
    def source(self) -> SourceKind:
        kinds = {"low-frequency": SourceKind.LOW_FREQUENCY, "long-period": SourceKind.LONG_PERIOD}
        return kinds.get(self.kind, SourceKind.ICEQUAKE)

    def draw(self, conditions: Conditions) -> Shocks:
        chance = draw(conditions.seed, self.name, "emitter", 0)
        count = int(chance.poisson(self.rate_per_day * conditions.days))
        day = chance.uniform(0, conditions.days, count)
        radius_km, azimuth = self.radius_km * np.sqrt(chance.random(count)), chance.uniform(0, 2 * np.pi, count)
        latitude, longitude = move(
            self.latitude_deg, self.longitude_deg, radius_km * np.cos(azimuth), radius_km * np.sin(azimuth)
        )
        depth_km, ml = self.depths.draw(count, chance), self.magnitudes.draw(count, chance)
        return _alone(day, latitude, longitude, depth_km, ml, *self.mechanism.draw(count, chance))


@dataclass(frozen=True, slots=True, kw_only=True)
class Teleseisms:
    """Great earthquakes far away; magnitudes are Mw."""

    kind: Literal["teleseisms"] = "teleseisms"
    name: Name
    rate_per_day: Positive
    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    nearest_deg: Annotated[float, Field(ge=15, le=95)] = 30.0
    farthest_deg: Annotated[float, Field(ge=15, le=95)] = 90.0
    magnitudes: GutenbergRichter = field(default_factory=lambda: GutenbergRichter(minimum=5.5, maximum=8.5))
    depths: Depths = field(default_factory=lambda: Depths(mean_km=10, deviation_km=60, minimum_km=5, maximum_km=300))
    mechanism: Mechanism = field(default_factory=lambda: Mechanism(dip_deg=30, rake_deg=90, scatter_deg=60))

    def __post_init__(self) -> None:
        if self.nearest_deg >= self.farthest_deg:
            raise ValueError(f"from {self.nearest_deg} to {self.farthest_deg} deg; expected the nearest first")

    @property
    def source(self) -> SourceKind:
        return SourceKind.TELESEISM

    def draw(self, conditions: Conditions) -> Shocks:
        chance = draw(conditions.seed, self.name, "teleseisms", 0)
        count = int(chance.poisson(self.rate_per_day * conditions.days))
        limits = np.cos(np.radians([self.farthest_deg, self.nearest_deg]))
        distance_deg = np.degrees(np.arccos(chance.uniform(limits[0], limits[1], count)))  # even over the globe
        place = travel((self.latitude_deg, self.longitude_deg), distance_deg, chance.uniform(0, 360, count))
        day, depth_km = chance.uniform(0, conditions.days, count), self.depths.draw(count, chance)
        ml = conditions.relation.to_ml(self.magnitudes.draw(count, chance))
        return _alone(day, *place, depth_km, ml, *self.mechanism.draw(count, chance))


AnySequence = Background | Aftershocks | Swarm | Quarry | Emitter | Teleseisms


# --- the catalogue ----------------------------------------------------------------------------------------------------


def make_catalogue(
    sequences: Sequence[AnySequence],
    conditions: Conditions,
    stress_drop: StressDrop,
    beta_km_s: Callable[[FloatArray], FloatArray],
) -> Catalogue:
    """All that happens within the scenario; `beta_km_s` is the S velocity at depths in km."""
    drawn = [("", SourceKind.EARTHQUAKE, _alone(*np.empty((8, 0))))]  # so that there is always one
    drawn += [(sequence.name, sequence.source, sequence.draw(conditions)) for sequence in sequences]
    parts = [_describe(*part, conditions, stress_drop, beta_km_s) for part in drawn]
    for part, earlier in zip(parts, np.cumsum([0, *map(len, parts)]), strict=False):
        part.parent[part.parent >= 0] += earlier
    catalogue = _join(parts)
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
