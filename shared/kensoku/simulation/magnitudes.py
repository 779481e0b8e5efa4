"""ML of local earthquakes: what Wood-Anderson seismographs at a network's stations show of a moment.

For a small source a magnitude of Mw is one and a half of ML, for a large one hardly one; how many depends on how waves
fade, on stress drops and on the ground of those who measure (Deichmann, 2017). So each scenario has its own relation:
theory says how spectra differ, and the peaks of the simulator's own waves how large a peak such a spectrum has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kensoku.simulation import sources
from kensoku.simulation.attenuation import quality, spread_per_m
from kensoku.simulation.networks import Station
from kensoku.simulation.propagation import Earth, Ray, amplify, far_field_m_per_nm, reverberate
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sources import StressDrop

PERIOD_S, DAMPING = 0.8, 0.7  # of a Wood-Anderson seismograph (IASPEI, 2013)
FARTHEST_KM = 150.0
FADES_FROM_MW = 2.5  # of smaller ones, distant stations see nothing
DEPTH_KM = 9.0  # as most sources have it
MW = np.arange(-1.0, 6.01, 0.5)
SATURATED_MW = 8.0  # from the last of MW to here ML grows as Mw does, whatever such an old instrument would show
SHARES_OF_REACH = np.array([0.1, 0.2, 0.35, 0.6, 1.0])
MOST_STATIONS = 250  # whose mean is that of all
HZ = np.geomspace(0.05, 50, 72)
UP = Ray("S", "S", 0.0, 180.0, 0.0, 1.0)

# What the largest of a horizontal is, in log10, over the root of twice the integral of its spectrum's square: made by
# `python -m tools.magnitudes` from waves, and proved by tests.
PEAK_MW = (0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.0)
PEAK_LOG = (0.26, 0.19, 0.10, 0.01, -0.02, -0.09, -0.13)


@dataclass(frozen=True, slots=True, kw_only=True)
class MagnitudeRelation:
    """ML and Mw of the same earthquakes, straight between the knots and beyond them."""

    ml: Annotated[tuple[float, ...], Field(min_length=2)]
    mw: Annotated[tuple[float, ...], Field(min_length=2)]

    def __post_init__(self) -> None:
        if len(self.ml) != len(self.mw):
            raise ValueError(f"{len(self.ml)} knots of ml and {len(self.mw)} of mw; expected as many of both")
        for knots in (self.ml, self.mw):
            if any(first >= second for first, second in pairwise(knots)):
                raise ValueError(f"{list(knots)}, which does not ascend; expected each knot above the one before")

    def to_mw(self, ml: npt.ArrayLike) -> FloatArray:
        return _interpolate(np.asarray(ml, dtype=np.float64), np.array(self.ml), np.array(self.mw))

    def to_ml(self, mw: npt.ArrayLike) -> FloatArray:
        return _interpolate(np.asarray(mw, dtype=np.float64), np.array(self.mw), np.array(self.ml))

    def up_to(self, other: "MagnitudeRelation") -> "MagnitudeRelation":
        """This one as far as the other's first knot, then the other."""
        own = [knot for knot in zip(self.ml, self.mw, strict=True) if knot[0] < other.ml[0] and knot[1] < other.mw[0]]
        ml, mw = zip(*own, *zip(other.ml, other.mw, strict=True), strict=True)
        return MagnitudeRelation(ml=ml, mw=mw)


def _interpolate(x: FloatArray, knots_x: FloatArray, knots_y: FloatArray) -> FloatArray:
    left = np.clip(np.searchsorted(knots_x, x) - 1, 0, knots_x.size - 2)
    slopes = np.diff(knots_y) / np.diff(knots_x)
    y: FloatArray = knots_y[left] + slopes[left] * (x - knots_x[left])
    return y


# --- Wood-Anderson seismographs ---------------------------------------------------------------------------------------


def local_magnitude(displacement_nm: npt.ArrayLike, hypocentral_km: npt.ArrayLike) -> FloatArray:
    """IASPEI's (2013), from the largest of either horizontal of a Wood-Anderson seismograph of magnification 1."""
    reach_km = np.asarray(hypocentral_km, dtype=np.float64)
    ml: FloatArray = np.log10(displacement_nm) + 1.11 * np.log10(reach_km) + 0.00189 * reach_km - 2.09
    return ml


def pendulum_response(hz: FloatArray) -> npt.NDArray[np.complex128]:
    """Of a Wood-Anderson seismograph of magnification 1, to displacement."""
    s, own = 2j * np.pi * hz, 2 * np.pi / PERIOD_S
    response: npt.NDArray[np.complex128] = s**2 / (s**2 + 2 * DAMPING * own * s + own**2)
    return response


def reach_km(mw: npt.ArrayLike) -> FloatArray:
    """Within which stations read a magnitude."""
    smaller: FloatArray = np.minimum(0.4 * (np.asarray(mw, dtype=np.float64) - FADES_FROM_MW), 0.0)
    return FARTHEST_KM * 10**smaller


def relate(earth: Earth, stress_drop: StressDrop, stations: Sequence[Station]) -> MagnitudeRelation:
    """ML is the mean of what these stations show, over distance, of sources of the median stress drop."""
    moment_nm = sources.moment_nm(MW)
    beta_km_s = earth.model.layer_at(DEPTH_KM).vs_km_s[0]
    corner_hz = sources.corner_hz(moment_nm, stress_drop.median(MW), beta_km_s)
    distances_km = np.maximum(np.multiply.outer(reach_km(MW), SHARES_OF_REACH), DEPTH_KM)
    some = stations[:: -(-len(stations) // MOST_STATIONS)]
    shown = show_ml(earth, some, moment_nm[:, np.newaxis], corner_hz[:, np.newaxis], distances_km)
    ml = shown.mean(axis=(1, 2)) + np.interp(MW, PEAK_MW, PEAK_LOG)
    largest = float(ml[-1]) + SATURATED_MW - float(MW[-1])
    return MagnitudeRelation(ml=(*ml.tolist(), largest), mw=(*MW.tolist(), SATURATED_MW))


def show_ml(
    earth: Earth, stations: Sequence[Station], moment_nm: FloatArray, corner_hz: FloatArray, distance_km: FloatArray
) -> FloatArray:
    """ML at each station, but for how large the peak of such a spectrum is; the last axis is that of the stations."""
    beta_km_s = earth.model.layer_at(DEPTH_KM).vs_km_s[0]
    spread = far_field_m_per_nm(earth, "S", DEPTH_KM) * spread_per_m(distance_km, earth.attenuation)
    absorbed = np.exp(-np.pi * HZ / quality(earth.attenuation, "S", HZ) * (distance_km / beta_km_s)[..., np.newaxis])
    source = sources.source_spectrum(HZ, corner_hz[..., np.newaxis]) * np.abs(pendulum_response(HZ))
    arrives = (moment_nm * spread)[..., np.newaxis] * source * absorbed
    energy = arrives**2 * np.gradient(HZ) @ np.stack([_ground_power(station) for station in stations], axis=-1)
    return local_magnitude(1e9 * np.sqrt(2 * energy), distance_km[..., np.newaxis])


def _ground_power(station: Station) -> FloatArray:
    lost = np.exp(-np.pi * HZ * station.site.kappa_s_s) * np.abs(reverberate(station, UP, HZ))
    power: FloatArray = (amplify(station.site, HZ)[1] * lost) ** 2
    return power
