"""Aftershocks that have aftershocks (ETAS; Ogata, 1988), drawn generation by generation.

An earthquake of magnitude M has on average `productivity` * 10^(alpha (M - minimum)) direct aftershocks for all time,
their delays have the density (p - 1)/c (1 + t/c)^-p (Omori-Utsu), and they lie on its rupture and about it.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from kensoku.errors import InputInvalid
from kensoku.simulation import sources
from kensoku.simulation.catalogue import Columns, Conditions, Shocks, join, scatter_angles
from kensoku.simulation.geography import move
from kensoku.simulation.magnitudes import MagnitudeRelation
from kensoku.simulation.quantities import DepthKm, LengthKm, Magnitude, NotNegative, Positive
from kensoku.simulation.randomness import FloatArray

LARGEST_CATALOGUE = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GutenbergRichter:
    """Magnitudes between two limits."""

    b: Annotated[float, Field(gt=0, le=5)] = 1.0
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
class Triggering:
    """ETAS; the module's head says what the first four mean."""

    productivity: Positive = 0.03
    alpha: Annotated[float, Field(ge=0, le=5)] = 0.8
    c_days: Positive = 0.01
    p: Annotated[float, Field(gt=1, le=10)] = 1.1
    reach_km: LengthKm = 0.5  # half of the aftershocks of a point lie nearer
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
        mechanism = scatter_angles(chosen.strike_deg, chosen.dip_deg, chosen.rake_deg, triggering.scatter_deg, chance)
        ml = magnitudes.draw(parent.size, chance)
        generations.append(Shocks(chosen.day + delay_days, *place, ml, *mechanism, parent + ancestors))
        ancestors += len(parents)
    return join(generations)


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
    return latitude, longitude, fold_depth(parents.depth_km + deeper_km, deepest_km)


def fold_depth(depth_km: FloatArray, deepest_km: FloatArray) -> FloatArray:
    """Reflects at the surface and at the bottom of what breaks."""
    folded: FloatArray = np.clip(deepest_km - np.abs(deepest_km - np.abs(depth_km)), 0, None)
    return folded
