"""Sequences: background, mainshocks with aftershocks, swarms, quarries and the rest, as scenarios ask for them."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
import scipy.special
from pydantic import Field

from kensoku.simulation import sources
from kensoku.simulation.catalogue import DAY_S, Columns, Conditions, Shocks, alone, scatter_angles
from kensoku.simulation.etas import GutenbergRichter, Triggering, trigger
from kensoku.simulation.geography import Outline, move, scatter_inside, travel
from kensoku.simulation.quantities import (
    Count,
    DepthKm,
    DipDeg,
    LatitudeDeg,
    LengthKm,
    LongitudeDeg,
    Magnitude,
    Name,
    NotNegative,
    PerDay,
    Positive,
    RakeDeg,
    Share,
    StartH,
    StrikeDeg,
    UtcOffsetH,
)
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.sources import Ripple

# --- what sequences are made of ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """Normal, cut off at both ends."""

    mean_km: DepthKm = 9.0
    deviation_km: LengthKm = 4.0
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
        return scatter_angles(strike, dip, rake, self.scatter_deg, chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rectangle; its place is the middle of its upper edge."""

    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    top_km: DepthKm = 2.0
    strike_deg: StrikeDeg
    dip_deg: DipDeg
    rake_deg: RakeDeg
    length_km: LengthKm
    width_km: LengthKm

    def place(self, spots: FloatArray) -> Columns:
        """Latitudes, longitudes and depths of `spots`, (..., 2) of 0 to 1 along strike and down dip."""
        along, down_dip = sources.plane_axes(self.strike_deg, self.dip_deg)
        offset_km = (spots[:, :1] - 0.5) * self.length_km * along + spots[:, 1:] * self.width_km * down_dip
        latitude, longitude = move(self.latitude_deg, self.longitude_deg, offset_km[:, 0], offset_km[:, 1])
        return latitude, longitude, self.top_km + offset_km[:, 2]


# --- the sequences ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Earthquakes at random times, evenly over an outline or over faults, with or without aftershocks."""

    kind: Literal["background"] = "background"
    name: Name
    rate_per_day: PerDay
    magnitudes: GutenbergRichter
    outline: Outline = ()
    faults: tuple[Fault, ...] = ()
    depths: Depths = field(default_factory=Depths)
    mechanism: Mechanism = field(default_factory=Mechanism)
    triggering: Triggering | None = None

    def __post_init__(self) -> None:
        if bool(self.outline) == bool(self.faults):
            raise ValueError("both or none of outline and faults; expected one of them")
        if self.triggering:
            self.triggering.require_end(self.magnitudes)

    def draw(self, conditions: Conditions) -> Shocks:
        chance = draw(conditions.seed, self.name, "background", 0)
        count = int(chance.poisson(self.rate_per_day * conditions.days))
        day = chance.uniform(0, conditions.days, count)
        place, mechanism = self._place_on_faults(count, chance) if self.faults else self._place_inside(count, chance)
        shocks = alone(day, *place, self.magnitudes.draw(count, chance), *mechanism)
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
        mechanism = scatter_angles(angles[0], angles[1], angles[2], self.mechanism.scatter_deg, chance)
        return (places[:, 0], places[:, 1], places[:, 2]), mechanism


@dataclass(frozen=True, slots=True, kw_only=True)
class Mainshock:
    at_h: StartH
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

    def draw(self, conditions: Conditions) -> Shocks:
        rows = [
            (s.at_h / 24, s.latitude_deg, s.longitude_deg, s.depth_km, s.ml, s.strike_deg, s.dip_deg, s.rake_deg)
            for s in self.mainshocks
        ]
        first = alone(*np.array(rows, dtype=np.float64).T)
        chance = draw(conditions.seed, self.name, "aftershocks", 0)
        return trigger(first, self.triggering, self.magnitudes, conditions, chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """Earthquakes behind a front of fluid that diffuses along a plane: r = sqrt(4 pi D t) (Shapiro et al., 1997)."""

    kind: Literal["swarm"] = "swarm"
    name: Name
    count: Count  # on average
    at_h: StartH = 0.0
    lasts_days: Annotated[float, Field(gt=0, le=366)]
    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    depth_km: DepthKm
    diffusivity_m2_s: Annotated[float, Field(gt=0, le=1000)] = 1.0
    magnitudes: GutenbergRichter
    mechanism: Mechanism = field(default_factory=Mechanism)

    def draw(self, conditions: Conditions) -> Shocks:
        chance = draw(conditions.seed, self.name, "swarm", 0)
        count = int(chance.poisson(self.count))
        since_days = self.lasts_days * chance.beta(1.2, 2.0, count)  # swells fast, ends slowly
        front_km = np.sqrt(4 * np.pi * self.diffusivity_m2_s * since_days * DAY_S) / 1e3
        radius_km, angle = front_km * np.sqrt(chance.random(count)), chance.uniform(0, 2 * np.pi, count)
        along, down_dip = sources.plane_axes(self.mechanism.strike_deg, self.mechanism.dip_deg)
        offset_km = np.outer(radius_km * np.cos(angle), along) + np.outer(radius_km * np.sin(angle), down_dip)
        latitude, longitude = move(self.latitude_deg, self.longitude_deg, offset_km[:, 0], offset_km[:, 1])
        return alone(
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
    blasts_a_week: PerDay = 3.0
    hours: tuple[Annotated[float, Field(ge=0, le=24)], Annotated[float, Field(ge=0, le=24)]] = (9.0, 16.5)
    works_saturdays: bool = False
    radius_km: LengthKm = 0.3
    ml: Magnitude = 1.6
    deviation: NotNegative = 0.3
    spall: Share = 0.3
    ripple: Ripple = field(default_factory=Ripple)

    def __post_init__(self) -> None:
        if self.hours[0] >= self.hours[1]:
            raise ValueError(f"hours from {self.hours[0]} to {self.hours[1]}; expected the first before the last")

    def draw(self, conditions: Conditions) -> Shocks:
        start_day = (conditions.start_ns / 1e9 + 3600 * self.utc_offset_h) / DAY_S  # local, since 1970
        days = range(int(np.floor(start_day)), int(np.ceil(start_day + conditions.days)))
        blasts = np.concatenate([np.empty((0, 5)), *(self._draw_day(conditions.seed, day) for day in days)])
        day, north, east, ml, strike_deg = blasts.T
        latitude, longitude = move(self.latitude_deg, self.longitude_deg, self.radius_km * north, self.radius_km * east)
        vertical, shallow = np.full(len(blasts), 90.0), np.zeros(len(blasts))
        return alone(day - start_day, latitude, longitude, shallow, ml, strike_deg, vertical, shallow)

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
    rate_per_day: PerDay
    latitude_deg: LatitudeDeg
    longitude_deg: LongitudeDeg
    radius_km: LengthKm = 2.0
    depths: Depths
    magnitudes: GutenbergRichter
    mechanism: Mechanism = field(default_factory=Mechanism)
    resonance_hz: Positive = 1.5  # of long-period events
    quality: Positive = 15.0

    def draw(self, conditions: Conditions) -> Shocks:
        chance = draw(conditions.seed, self.name, "emitter", 0)
        count = int(chance.poisson(self.rate_per_day * conditions.days))
        day = chance.uniform(0, conditions.days, count)
        radius_km, azimuth = self.radius_km * np.sqrt(chance.random(count)), chance.uniform(0, 2 * np.pi, count)
        latitude, longitude = move(
            self.latitude_deg, self.longitude_deg, radius_km * np.cos(azimuth), radius_km * np.sin(azimuth)
        )
        depth_km, ml = self.depths.draw(count, chance), self.magnitudes.draw(count, chance)
        return alone(day, latitude, longitude, depth_km, ml, *self.mechanism.draw(count, chance))


@dataclass(frozen=True, slots=True, kw_only=True)
class Teleseisms:
    """Great earthquakes far away; magnitudes are Mw."""

    kind: Literal["teleseisms"] = "teleseisms"
    name: Name
    rate_per_day: PerDay
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

    def draw(self, conditions: Conditions) -> Shocks:
        chance = draw(conditions.seed, self.name, "teleseisms", 0)
        count = int(chance.poisson(self.rate_per_day * conditions.days))
        limits = np.cos(np.radians([self.farthest_deg, self.nearest_deg]))
        distance_deg = np.degrees(np.arccos(chance.uniform(limits[0], limits[1], count)))  # even over the globe
        place = travel((self.latitude_deg, self.longitude_deg), distance_deg, chance.uniform(0, 360, count))
        day, depth_km = chance.uniform(0, conditions.days, count), self.depths.draw(count, chance)
        ml = conditions.relation.to_ml(self.magnitudes.draw(count, chance))
        return alone(day, *place, depth_km, ml, *self.mechanism.draw(count, chance))


AnySequence = Background | Aftershocks | Swarm | Quarry | Emitter | Teleseisms
