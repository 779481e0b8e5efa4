"""What an earthquake, a blast or a glacier sends out: moment, corner frequency, spectrum, duration, radiation.

Axes are north, east and down (Aki & Richards, 2002). Take-off angles count from straight down, azimuths from north.
Spectra are shapes, 1 where the source looks like a point in time; times the seismic moment they are moment rates.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from kensoku.simulation.quantities import Count, NotNegative, Positive
from kensoku.simulation.randomness import FloatArray

ComplexArray = npt.NDArray[np.complex128]
Motion = Literal["displacement", "velocity", "acceleration"]

BRUNE_CORNER = 0.3724 * (16 / 7) ** (1 / 3)  # 2.34 / 2 pi, Brune (1970), over the radius of Eshelby's (1957) crack
RUPTURE_SPEED = 0.8  # of the S velocity, Geller (1976)
EXTENDED_FROM_MW = 5.0  # smaller ruptures are points, which last as long as their corner says
PARTS_A_MW = 0.6  # of log10: four sub-events at Mw 6, sixteen at Mw 7
UNEVEN_PARTS = 0.5  # standard deviation of the logarithms of their moments
NUCLEATION = (0.3, 0.6)  # along strike and down dip: deep and off the middle, Mai et al. (2005)
NODAL = 0.1  # share of the largest P below which nobody reads a polarity


class SourceKind(StrEnum):
    """As QuakeML names event types, where it has a name."""

    EARTHQUAKE = "earthquake"
    BLAST = "quarry blast"
    TELESEISM = "teleseism"
    LOW_FREQUENCY = "low-frequency earthquake"
    LONG_PERIOD = "volcanic long-period"
    ICEQUAKE = "ice quake"


# --- size -------------------------------------------------------------------------------------------------------------


def moment_nm(mw: npt.ArrayLike) -> FloatArray:
    """Seismic moment in N m (IASPEI, 2005)."""
    moment: FloatArray = 10 ** (1.5 * np.asarray(mw, dtype=np.float64) + 9.1)
    return moment


# --- spectrum ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StressDrop:
    """Stress drops are log-normal, and grow with magnitude above Mw 3 (Trugman & Shearer, 2017)."""

    median_mpa: Positive = 3.0
    deviation_log10: NotNegative = 0.3
    growth: Annotated[float, Field(ge=-1, le=1)] = 0.2  # of log10, a unit of Mw
    p_over_s_corner: Positive = 1.4  # Madariaga (1976): 1.5; observed: 1.2 to 1.6

    def draw_mpa(self, mw: FloatArray, chance: np.random.Generator) -> FloatArray:
        scatter = self.deviation_log10 * np.clip(chance.standard_normal(mw.shape), -3, 3)
        return self.median(mw) * 10**scatter

    def median(self, mw: FloatArray) -> FloatArray:
        """In MPa."""
        median: FloatArray = self.median_mpa * 10 ** (self.growth * np.maximum(mw - 3, 0))
        return median


def corner_hz(moment_nm: npt.ArrayLike, stress_drop_mpa: npt.ArrayLike, beta_km_s: npt.ArrayLike) -> FloatArray:
    """Brune's (1970) corner of S."""
    stress_pa = 1e6 * np.asarray(stress_drop_mpa, dtype=np.float64)
    corner: FloatArray = BRUNE_CORNER * 1e3 * np.asarray(beta_km_s) * np.cbrt(stress_pa / np.asarray(moment_nm))
    return corner


def low_frequency_corner_hz(moment_nm: npt.ArrayLike) -> FloatArray:
    """Low-frequency earthquakes last about as long whatever their moment (Bostock et al., 2015)."""
    corner: FloatArray = 3.0 * (np.asarray(moment_nm, dtype=np.float64) / 1e12) ** -0.1
    return corner


def source_spectrum(hz: FloatArray, corner_hz: float | FloatArray, motion: Motion = "displacement") -> FloatArray:
    """Brune's (1970) omega-square shape."""
    powers = {"displacement": 0, "velocity": 1, "acceleration": 2}
    shape: FloatArray = (2 * np.pi * hz) ** powers[motion] / (1 + (hz / corner_hz) ** 2)
    return shape


def resonance_spectrum(hz: FloatArray, resonance_hz: float, quality: float) -> ComplexArray:
    """A crack of fluid that rings after a step of pressure and forgets it: 1 at 0 Hz, about `quality` at its own."""
    ratio = hz / resonance_hz
    rings: ComplexArray = np.reciprocal(1 - ratio**2 + 1j * ratio / quality)
    return rings


# --- blasts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ripple:
    """How a quarry fires its holes: one after the other along a row, and row after row."""

    holes: Count = 12
    hole_delay_ms: Positive = 42.0
    rows: Count = 2
    row_delay_ms: Positive = 125.0
    scatter_ms: NotNegative = 2.0  # of pyrotechnic detonators

    def draw_delays_s(self, chance: np.random.Generator) -> FloatArray:
        nominal_ms = np.add.outer(np.arange(self.rows) * self.row_delay_ms, np.arange(self.holes) * self.hole_delay_ms)
        fired_ms = np.sort(nominal_ms.ravel() + chance.normal(0, self.scatter_ms, nominal_ms.size))
        delays_s: FloatArray = (fired_ms - fired_ms[0]) / 1e3
        return delays_s


def blast_tensor(spall: float = 0.3) -> FloatArray:
    """An explosion and the rock that it lifts: pressure on all sides, and a horizontal crack that opens."""
    return (1 - spall) * np.eye(3) + spall * crack_tensor(np.array([0.0, 0.0, 1.0]))


def crack_tensor(normal: FloatArray) -> FloatArray:
    """A crack that opens along `normal` in a Poisson solid, largest P 1: icequakes, spall, volcanic cracks."""
    return (np.eye(3) + 2 * np.outer(normal, normal)) / 3


# --- radiation --------------------------------------------------------------------------------------------------------


def moment_tensor(strike_deg: npt.ArrayLike, dip_deg: npt.ArrayLike, rake_deg: npt.ArrayLike) -> FloatArray:
    """A double couple of moment 1, (..., 3, 3)."""
    along, down_dip = plane_axes(strike_deg, dip_deg)
    rake = np.radians(rake_deg)[..., np.newaxis]
    slip = np.cos(rake) * along - np.sin(rake) * down_dip
    normal = np.cross(down_dip, along)  # from the foot wall up into the hanging wall
    couple = slip[..., :, np.newaxis] * normal[..., np.newaxis, :]
    tensor: FloatArray = couple + np.swapaxes(couple, -1, -2)
    return tensor


def plane_axes(strike_deg: npt.ArrayLike, dip_deg: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Unit vectors along strike and down dip; the plane dips to the right of its strike."""
    strike, dip = np.broadcast_arrays(np.radians(strike_deg), np.radians(dip_deg))
    along = np.stack([np.cos(strike), np.sin(strike), np.zeros_like(strike)], axis=-1)
    down_dip = np.stack([-np.sin(strike) * np.cos(dip), np.cos(strike) * np.cos(dip), np.sin(dip)], axis=-1)
    return along, down_dip


def radiate(
    tensor: FloatArray, takeoff_deg: npt.ArrayLike, azimuth_deg: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Far-field amplitudes of P, SV and SH on rays that leave a source of moment 1.

    P is positive outwards, SV towards growing take-off angles (upwards on a level ray), SH clockwise seen from above.
    """
    angle, azimuth = np.broadcast_arrays(np.radians(takeoff_deg), np.radians(azimuth_deg))
    sin_a, cos_a, sin_z, cos_z = np.sin(angle), np.cos(angle), np.sin(azimuth), np.cos(azimuth)
    ray = np.stack([sin_a * cos_z, sin_a * sin_z, cos_a], axis=-1)
    vertical = np.stack([cos_a * cos_z, cos_a * sin_z, -sin_a], axis=-1)
    horizontal = np.stack([-sin_z, cos_z, np.zeros_like(angle)], axis=-1)
    traction = np.einsum("...ij,...j->...i", tensor, ray)
    p, sv, sh = (np.einsum("...i,...i->...", axis, traction) for axis in (ray, vertical, horizontal))
    return p, sv, sh


def polarity(p_amplitude: npt.ArrayLike) -> npt.NDArray[np.int8]:
    """1 where the first motion is up, -1 where it is down, 0 where it is too near a nodal plane to tell."""
    p = np.asarray(p_amplitude)
    return np.where(np.abs(p) < NODAL, 0, np.sign(p)).astype(np.int8)


# --- extent -----------------------------------------------------------------------------------------------------------


def rupture_size_km(mw: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Length and width of faults between plates (Leonard, 2010): square to 5.5 km, then ever more elongated."""
    log_moment = 1.5 * np.asarray(mw, dtype=np.float64) + 9.1
    log_length_m = np.maximum((log_moment - 6.10) / 3, 0.0)
    log_length_m = np.where(log_length_m < np.log10(5500), log_length_m, (log_moment - 7.96) / 2.5)
    length_m = 10**log_length_m
    width_m = np.minimum(length_m, 17.5 * length_m ** (2 / 3))
    return length_m / 1e3, width_m / 1e3


def count_parts(mw: npt.ArrayLike) -> FloatArray:
    """How many sub-events a rupture has, not a whole number: the last to fire is as much smaller than the others."""
    return np.maximum(1.0, 10 ** (PARTS_A_MW * (np.asarray(mw, dtype=np.float64) - EXTENDED_FROM_MW)))


def part_corner_hz(corner_hz: npt.ArrayLike, mw: npt.ArrayLike) -> FloatArray:
    """Of S of each sub-event, so that high frequencies, which add up at random, are those of the whole's corner."""
    corner: FloatArray = np.asarray(corner_hz) * count_parts(mw) ** 0.25
    return corner


def rupture_duration_s(mw: npt.ArrayLike, corner_hz: npt.ArrayLike, beta_km_s: float) -> FloatArray:
    """Of the moment rate: until the front, which starts at the hypocentre, has fired the last sub-event."""
    length_km, _ = rupture_size_km(mw)
    runs_s = (1 - 1 / count_parts(mw)) * (1 - NUCLEATION[0]) * length_km / (RUPTURE_SPEED * beta_km_s)
    duration: FloatArray = 1 / part_corner_hz(corner_hz, mw) + runs_s
    return duration


def place_on_rupture(
    mw: npt.ArrayLike, strike_deg: npt.ArrayLike, dip_deg: npt.ArrayLike, depth_km: npt.ArrayLike, spots: FloatArray
) -> FloatArray:
    """Offsets in km north, east and down from the hypocentre to `spots`, (..., 2) of 0 to 1 along strike and down dip.

    The rupture ends at the surface: one that would stick out is shifted down.
    """
    length_km, width_km = rupture_size_km(mw)
    along, down_dip = plane_axes(strike_deg, dip_deg)
    above_km = np.minimum(NUCLEATION[1] * width_km, np.asarray(depth_km) / np.maximum(down_dip[..., 2], 1e-6))
    along_km = (spots[..., 0] - NUCLEATION[0]) * length_km
    down_km = spots[..., 1] * width_km - above_km
    offset_km: FloatArray = along_km[..., np.newaxis] * along + down_km[..., np.newaxis] * down_dip
    return offset_km


@dataclass(frozen=True, slots=True, eq=False)
class Subevents:
    """A rupture as point sources that follow one another; the first is the hypocentre."""

    moment_nm: FloatArray
    delay_s: FloatArray
    offset_km: FloatArray  # (sub-events, 3): north, east, down


def split_rupture(
    mw: float, strike_deg: float, dip_deg: float, depth_km: float, beta_km_s: float, chance: np.random.Generator
) -> Subevents:
    """One sub-event up to Mw 5, then ever more along the plane, whose moments add up to the earthquake's."""
    parts = float(count_parts(mw))
    count = int(np.ceil(parts))
    spots = chance.random((count, 2))
    spots[:, 0] = (np.arange(count) + spots[:, 0]) / count  # everywhere along strike
    offset_km = place_on_rupture(mw, strike_deg, dip_deg, depth_km, spots)
    offset_km[np.argmin(np.linalg.norm(offset_km, axis=1))] = 0.0
    speed_km_s = RUPTURE_SPEED * beta_km_s * chance.uniform(0.9, 1.1, count)
    delay_s = np.linalg.norm(offset_km, axis=1) / speed_km_s
    order = np.argsort(delay_s)
    weights = np.exp(UNEVEN_PARTS * chance.standard_normal(count))
    weights[-1] *= parts - (count - 1)
    return Subevents(float(moment_nm(mw)) * weights / weights.sum(), delay_s[order], offset_km[order])
