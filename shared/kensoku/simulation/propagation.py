"""What lies between a source and a sensor: rays, spreading, absorption, the free surface, the ground."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kensoku.simulation.attenuation import Attenuation, spread_per_m
from kensoku.simulation.envelopes import Scattering
from kensoku.simulation.networks import VP_OVER_VS, SiteResponse, Station
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.teleseisms import teleseismic_rays
from kensoku.traveltime import Arrivals, EarthModel, Wave, first_arrivals, load_model

ComplexArray = npt.NDArray[np.complex128]

EARTH_KM = 6371.0
REGIONAL_KM = 1000.0  # beyond, and for teleseisms, times are ObsPy's TauP's
NEAREST_KM = 0.1
HEAD_SHARE = 0.35  # of Pn and Sn beside Pg and Sg
TELESEISMIC = "teleseismic "
TELESEISMIC_T_STAR_S = 0.8  # of P
TELESEISMIC_SPREADING = 0.35 / EARTH_KM  # of P from 30 to 90 degrees, Kanamori & Stewart (1976)
SITE_FROM_HZ = 0.5  # what the ground amplifies
VERTICAL = 0.75  # of the horizontals' amplification, as a power
DOWN_GOING = 0.85  # of the wave that comes back from the surface to a borehole's sensor


@dataclass(frozen=True, slots=True)
class Earth:
    """Times from the model, amplitudes from the scenario's attenuation."""

    model: EarthModel
    attenuation: Attenuation = Attenuation()
    scattering: Scattering = field(default_factory=Scattering)


@dataclass(frozen=True, slots=True)
class Hypocentre:
    latitude_deg: float
    longitude_deg: float
    depth_km: float
    kind: SourceKind = SourceKind.EARTHQUAKE


@dataclass(frozen=True, slots=True)
class Ray:
    phase: str
    wave: Wave
    time_s: float
    take_off_deg: float
    ray_parameter_s_km: float
    share: float  # of the amplitude that the distance allows
    leaves_as: Wave | None = None  # if it is another wave on its first leg
    t_star_s: float = TELESEISMIC_T_STAR_S  # of teleseismic rays


@dataclass(frozen=True, slots=True)
class Path:
    distance_km: float  # along the surface
    hypocentral_km: float
    azimuth_deg: float  # at the source
    arriving_deg: float  # the direction at the station in which the waves go on
    rays: tuple[Ray, ...]

    @property
    def is_teleseismic(self) -> bool:
        return any(ray.phase.startswith(TELESEISMIC) for ray in self.rays)

    def first(self, wave: Wave) -> Ray | None:
        return min((ray for ray in self.rays if ray.wave == wave), key=lambda ray: ray.time_s, default=None)


# --- rays -------------------------------------------------------------------------------------------------------------


def trace(hypocentres: Sequence[Hypocentre], stations: Sequence[Station], model: EarthModel) -> list[Path]:
    """The rays of each pair of a source and a station; as many of both, all at once."""
    sources = np.array([(h.latitude_deg, h.longitude_deg, h.depth_km) for h in hypocentres])
    places = np.array([(s.latitude_deg, s.longitude_deg, (s.elevation_m - s.borehole_m) / 1e3) for s in stations])
    distance, azimuth, arriving = measure(sources[:, :2], places[:, :2])
    far = np.array([h.kind is SourceKind.TELESEISM for h in hypocentres]) | (distance > REGIONAL_KM)
    rays: dict[int, tuple[Ray, ...]] = {
        int(i): _teleseismic(float(distance[i]), float(sources[i, 2])) for i in np.flatnonzero(far)
    }
    near = np.flatnonzero(~far)
    if near.size:
        ends = distance[near], sources[near, 2], places[near, 2]
        rays |= dict(zip(near.tolist(), _regional(model, *ends), strict=True))
    height = sources[:, 2] + places[:, 2]
    reach = np.maximum(np.hypot(distance, height), NEAREST_KM)
    return [
        Path(float(distance[i]), float(reach[i]), float(azimuth[i]), float(arriving[i]), rays[i])
        for i in range(len(stations))
    ]


def measure(sources: FloatArray, places: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distance in km on a sphere, azimuth at the source, and the direction in which the great circle goes on."""
    (lat1, lon1), (lat2, lon2) = np.radians(sources).T, np.radians(places).T
    east = lon2 - lon1
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(east / 2) ** 2
    azimuth = np.arctan2(
        np.sin(east) * np.cos(lat2), np.cos(lat1) * np.sin(lat2) - np.sin(lat1) * np.cos(lat2) * np.cos(east)
    )
    back = np.arctan2(
        -np.sin(east) * np.cos(lat1), np.cos(lat2) * np.sin(lat1) - np.sin(lat2) * np.cos(lat1) * np.cos(east)
    )
    distance = 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return distance, np.degrees(azimuth) % 360, (180 + np.degrees(back)) % 360


def _regional(
    model: EarthModel, distance: FloatArray, depth: FloatArray, elevation: FloatArray
) -> Iterator[tuple[Ray, ...]]:
    crust, mantle = {}, {}
    waves: tuple[Wave, Wave] = ("P", "S")
    for wave in waves:
        crust[wave] = first_arrivals(model, wave, distance, depth, elevation, layers=model.crust)
        if model.mantle:
            mantle[wave] = first_arrivals(model, wave, distance, depth, elevation, layers=model.mantle)
    for index in range(len(distance)):
        rays: list[Ray] = []
        for wave in waves:
            rays += _choose(wave, crust[wave], mantle.get(wave), index)
        yield tuple(rays)


def _choose(wave: Wave, crust: Arrivals, mantle: Arrivals | None, index: int) -> Iterator[Ray]:
    """Pg, and Pn before it where it is first; below the Moho there is P alone."""
    in_crust = bool(np.isfinite(crust.time_s[index]))
    if mantle and np.isfinite(mantle.time_s[index]):
        if not in_crust:
            yield _ray(wave, wave, mantle, index, 1.0)
        elif mantle.time_s[index] < crust.time_s[index]:
            yield _ray(f"{wave}n", wave, mantle, index, HEAD_SHARE)
    if in_crust:
        yield _ray(f"{wave}g", wave, crust, index, 1.0)


def _ray(phase: str, wave: Wave, arrivals: Arrivals, index: int, share: float) -> Ray:
    return Ray(
        phase,
        wave,
        float(arrivals.time_s[index]),
        float(arrivals.take_off_deg[index]),
        float(arrivals.ray_parameter_s_km[index]),
        share,
    )


def _teleseismic(distance_km: float, depth_km: float) -> tuple[Ray, ...]:
    return tuple(
        Ray(
            f"{TELESEISMIC}{ray.phase}",
            ray.wave,
            ray.time_s,
            ray.take_off_deg,
            ray.ray_parameter_s_km,
            ray.amplitude,
            ray.leaves_as,
            ray.t_star_s,
        )
        for ray in teleseismic_rays(distance_km, depth_km)
    )


# --- amplitudes -------------------------------------------------------------------------------------------------------


def far_field_m_per_nm(earth: Earth, wave: Wave, depth_km: float) -> float:
    """Displacement at 1 m for a unit of moment rate: 1 / (4 pi rho v^3)."""
    layer = earth.model.layer_at(depth_km)
    velocity = 1e3 * (layer.vp_km_s if wave == "P" else layer.vs_km_s)[0]
    return float(1 / (4 * np.pi * layer.density_kg_m3 * velocity**3))


def spreading_per_m(path: Path, attenuation: Attenuation) -> float:
    if path.is_teleseismic:
        return TELESEISMIC_SPREADING / 1e3
    return float(spread_per_m(np.asarray(path.hypocentral_km), attenuation))


def amplify(site: SiteResponse, hz: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What the ground makes of waves from below: on the vertical and on the horizontals, which resonate."""
    begun = np.log(site.amplification) / (1 + (SITE_FROM_HZ / np.maximum(hz, 1e-3)) ** 2)
    peaks = np.zeros_like(hz)
    for mode in (1, 3, 5):
        ratio = np.maximum(hz, 1e-3) / (mode * site.resonance_hz)
        peaks += 1 / mode / (1 + (2.5 * (ratio - 1 / ratio)) ** 2)
    return np.exp(VERTICAL * begun), np.exp(begun) * (1 + (site.resonance - 1) * peaks)


def reverberate(station: Station, ray: Ray, hz: FloatArray) -> ComplexArray:
    """Up to a borehole's sensor, on to the surface and back; over twice the wave that comes up."""
    if not station.borehole_m:
        return np.ones(hz.shape, dtype=np.complex128)
    velocity = station.site.vs_m_s * (VP_OVER_VS if ray.wave == "P" else 1)
    steep = np.sqrt(max(1 - (ray.ray_parameter_s_km * velocity / 1e3) ** 2, 0.1))
    delay_s = 2 * station.borehole_m * steep / velocity
    both: ComplexArray = (1 + DOWN_GOING * np.exp(-2j * np.pi * hz * delay_s)) / 2
    return both


@dataclass(frozen=True, slots=True)
class SurfaceMotion:
    """Of a unit wave that comes from below: up, and away from the source."""

    p_up: float
    p_away: float
    sv_up: float
    sv_away: float
    sh: float = 2.0


def surface_motion(ray_parameter_s_km: float, vp_km_s: float, vs_km_s: float) -> SurfaceMotion:
    """Free surface (Aki & Richards, 2002, 5.40); SV counts as `sources.radiate` has it, towards growing angles.

    Beyond the critical angle S becomes elliptic; here it keeps its amplitudes and loses the phase.
    """
    p = ray_parameter_s_km
    xi, eta = np.sqrt(vp_km_s**-2 - p**2 + 0j), np.sqrt(vs_km_s**-2 - p**2 + 0j)
    bend = vs_km_s**-2 - 2 * p**2
    rayleigh = bend**2 + 4 * p**2 * xi * eta
    scale = 1 / (vs_km_s**2 * rayleigh)
    up, away = 2 * vp_km_s * xi * bend * scale, 4 * vp_km_s * p * xi * eta * scale
    sv_up, sv_away = 4 * vs_km_s * p * xi * eta * scale, -2 * vs_km_s * eta * bend * scale
    return SurfaceMotion(*(_keep_sign(factor) for factor in (up, away, sv_up, sv_away)))


def _keep_sign(factor: complex) -> float:
    return float(np.copysign(abs(factor), factor.real))


def station_motion(station: Station, ray: Ray, model: EarthModel) -> SurfaceMotion:
    """At velocities between the ground's and the rock's: waves of a hertz and more feel both."""
    layer = model.layers[0]
    vs = min(np.sqrt(station.site.vs_m_s / 1e3 * layer.vs_km_s[0]), layer.vs_km_s[0])
    vp = min(VP_OVER_VS * vs, layer.vp_km_s[0])
    return surface_motion(ray.ray_parameter_s_km, vp, vs)


def load_earth(name: str, attenuation: Attenuation | None = None) -> Earth:
    return Earth(load_model(name), attenuation or Attenuation())
