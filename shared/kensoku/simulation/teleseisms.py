"""The first waves of distant earthquakes, and those that the surface above them sends after P: pP and sP.

Times are ObsPy's TauP's in iasp91. TauP traces its rays once for each depth; a distance then lies between two of them.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from kensoku.simulation.randomness import FloatArray
from kensoku.traveltime import EarthModel, Wave, load_model

MODEL = "iasp91"
EARTH_KM = 6371.0
DEPTH_STEP_KM = 0.1  # between depths that share their rays
T_STAR_S: Mapping[Wave, float] = {"P": 0.8, "S": 3.2}  # by the wave on most of the way: S loses four times as much


@dataclass(frozen=True, slots=True)
class TeleseismicRay:
    phase: str
    wave: Wave  # as which it arrives
    leaves_as: Wave
    time_s: float
    take_off_deg: float  # of the wave as which it leaves, from straight down
    ray_parameter_s_km: float
    amplitude: float  # beside a P or S that leaves as it does and goes straight down; the radiation comes on top
    t_star_s: float


@dataclass(frozen=True, slots=True)
class _Family:
    """What arrives as one phase: the earliest of these of TauP's."""

    phase: str
    wave: Wave
    leaves_as: Wave
    members: tuple[str, ...]


FAMILIES = (
    _Family("P", "P", "P", ("P", "p", "Pdiff", "PKIKP")),
    _Family("pP", "P", "P", ("pP", "pPdiff", "pPKIKP")),
    _Family("sP", "P", "S", ("sP", "sPdiff", "sPKIKP")),
    _Family("S", "S", "S", ("S", "s", "Sdiff")),
)


def teleseismic_rays(distance_km: float, depth_km: float) -> Sequence[TeleseismicRay]:
    """In order of time; along the surface, from a depth to the surface. In the shadow of the core S may be missing, and
    so are reflections at the surface above sources that are too far down, or that are at it."""
    rays = []
    depth_km = round(max(depth_km, 0.0) / DEPTH_STEP_KM) * DEPTH_STEP_KM
    for family, members in zip(FAMILIES, _curves(depth_km), strict=True):
        arrivals = [arrival for curve in members for arrival in curve.at(distance_km / EARTH_KM)]
        if arrivals:
            time_s, p_s_rad, goes_up = min(arrivals)
            rays.append(_ray(family, time_s, p_s_rad, goes_up, depth_km))
    return sorted(rays, key=lambda ray: ray.time_s)


def _ray(family: _Family, time_s: float, p_s_rad: float, goes_up: bool, depth_km: float) -> TeleseismicRay:
    sine = p_s_rad / (EARTH_KM - depth_km) * float(_earth().velocity(family.leaves_as, depth_km))
    steep_deg = float(np.degrees(np.arcsin(min(sine, 1.0))))
    return TeleseismicRay(
        phase=family.phase,
        wave=family.wave,
        leaves_as=family.leaves_as,
        time_s=time_s,
        take_off_deg=180 - steep_deg if goes_up else steep_deg,
        ray_parameter_s_km=p_s_rad / EARTH_KM,
        amplitude=_reflected(family.phase, p_s_rad, depth_km),
        t_star_s=T_STAR_S[family.wave],
    )


# --- times ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """Rays of one phase in the order of their take-off, so that it may pass a distance more than once."""

    angle_rad: FloatArray
    time_s: FloatArray
    p_s_rad: FloatArray
    goes_up: bool  # at the source

    def at(self, angle_rad: float) -> Iterator[tuple[float, float, bool]]:
        """Time and ray parameter of each ray: the cubic through its neighbours' times that has their slopes."""
        near, far = self.angle_rad[:-1], self.angle_rad[1:]
        for i in np.flatnonzero(((near - angle_rad) * (far - angle_rad) <= 0) & (near != far)):
            width = far[i] - near[i]
            share = (angle_rad - near[i]) / width
            (t0, t1), (p0, p1) = self.time_s[i : i + 2], self.p_s_rad[i : i + 2]
            mean = (t1 - t0) / width
            a, b = p0 - mean, p1 - mean
            time_s = t0 + share * width * (mean + (1 - share) * (a - share * (a + b)))
            yield float(time_s), float(p0 + share * (p1 - p0)), self.goes_up


@functools.lru_cache(maxsize=256)
def _curves(depth_km: float) -> tuple[tuple[_Curve, ...], ...]:
    """By family."""
    from obspy.taup.seismic_phase import SeismicPhase

    model = _taup_model().depth_correct(depth_km)
    families = []
    for family in FAMILIES:
        phases = [(name, SeismicPhase(name, model)) for name in family.members]
        families.append(
            tuple(_Curve(phase.dist, phase.time, phase.ray_param, name[0] in "ps") for name, phase in phases)
        )
    return tuple(families)


@functools.cache
def _taup_model() -> Any:
    from obspy.taup import TauPyModel  # here: it takes a second, and few scenarios have teleseisms

    return cast("Any", TauPyModel(MODEL)).model


@functools.cache
def _earth() -> EarthModel:
    return load_model(MODEL)


# --- amplitudes -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FreeSurface:
    """What comes down of a unit wave that goes up; SV counts towards growing take-off angles, P along its way."""

    p_to_p: float
    sv_to_p: float


def reflect(ray_parameter_s_km: float, vp_km_s: float, vs_km_s: float) -> FreeSurface:
    """Plane waves below their critical angles (Aki & Richards, 2002, section 5.2)."""
    p = ray_parameter_s_km
    xi, eta = (np.sqrt(max(velocity**-2 - p**2, 0.0)) for velocity in (vp_km_s, vs_km_s))
    bend = eta**2 - p**2
    coupled = 4 * p**2 * xi * eta
    rayleigh = bend**2 + coupled
    return FreeSurface(
        p_to_p=float((coupled - bend**2) / rayleigh),
        sv_to_p=float(-4 * vs_km_s / vp_km_s * p * eta * bend / rayleigh),
    )


def _reflected(phase: str, p_s_rad: float, depth_km: float) -> float:
    """S that goes on as P fills another tube of rays than P, and keeps its energy (Langston & Helmberger, 1975)."""
    if phase in ("P", "S"):
        return 1.0
    (vp, vs), (vp_deep, vs_deep) = (
        [float(_earth().velocity(wave, depth)) for wave in ("P", "S")] for depth in (0.0, depth_km)
    )
    surface = reflect(p_s_rad / EARTH_KM, vp, vs)
    if phase == "pP":
        return surface.p_to_p
    cos_p, cos_s = (_cosine(p_s_rad / EARTH_KM * velocity) for velocity in (vp, vs))
    cos_p_deep, cos_s_deep = (_cosine(p_s_rad / (EARTH_KM - depth_km) * velocity) for velocity in (vp_deep, vs_deep))
    tubes = (vs_deep / vp_deep) ** 3 * cos_p_deep / cos_s_deep * vp * cos_p / (vs * cos_s)
    return float(surface.sv_to_p * np.sqrt(tubes))


def _cosine(sine: float) -> float:
    return float(np.sqrt(max(1 - sine**2, 0.0)))
