"""The dice of training windows: how far, how large, through what, on what ground and with which instrument.

Everything is drawn independently and wider than any one network is, so that a picker learns what earthquakes have in
common.
"""

import functools
from dataclasses import dataclass

import numpy as np

from kensoku.simulation.envelopes import Scattering
from kensoku.simulation.instruments import SENSORS, Digitiser, Instrument, Sensor
from kensoku.simulation.networks import GROUND_CLASSES, SiteResponse, draw_site_response
from kensoku.simulation.propagation import Earth, Path, Ray
from kensoku.simulation.scenario import Attenuation
from kensoku.simulation.sites import Site, draw_site
from kensoku.simulation.waves import Event
from kensoku.traveltime import EarthModel, load_model

RATE_HZ = 100
RECORDED_HZ = (50, 100, 100, 100, 200)  # of the digitiser, resampled to RATE_HZ
S_MINUS_P_KM_S = 8.2  # distance over S-P in the crust
VP_KM_S, VS_KM_S = 6.0, 3.46


@dataclass(frozen=True, slots=True)
class Draw:
    """What the dice said: for plots of coverage."""

    s_minus_p_s: float
    p_corner_hz: float
    s_over_p_corner: float
    mw: float
    incidence_deg: float
    sensor: str
    site: SiteResponse


def _log_uniform(low: float, high: float, chance: np.random.Generator) -> float:
    return float(np.exp(chance.uniform(np.log(low), np.log(high))))


def draw_window(chance: np.random.Generator) -> Draw:
    s_minus_p_s = _log_uniform(0.3, 60.0, chance)
    sensor = list(SENSORS)[chance.integers(len(SENSORS))]
    least, most = _magnitudes(s_minus_p_s, SENSORS[sensor])
    ground = GROUND_CLASSES[chance.integers(len(GROUND_CLASSES))]
    return Draw(
        s_minus_p_s=s_minus_p_s,
        p_corner_hz=_log_uniform(1.0, 30.0, chance),
        s_over_p_corner=float(chance.uniform(0.4, 1.0)),
        mw=least + (most - least) * float(chance.random() ** 2),
        incidence_deg=float(chance.uniform(0.0, 60.0)),
        sensor=sensor,
        site=draw_site_response(ground, 0.0, chance),
    )


def _magnitudes(s_minus_p_s: float, sensor: Sensor) -> tuple[float, float]:
    """Smaller ones would mostly be noise on such a sensor, and larger ones clipped."""
    strong = sensor.is_accelerometer
    least = 0.3 + 1.9 * np.log10(s_minus_p_s) + (1.2 if strong else 0.0)
    most = (6.0 if strong else 4.3) + 1.8 * np.log10(s_minus_p_s)
    return float(np.clip(least, 0.0, 4.5)), float(np.clip(most, 3.5, 7.5))


def draw_path(draw: Draw, chance: np.random.Generator) -> Path:
    """P, S and at times what goes before or after them, as far apart as drawn."""
    reach_km = draw.s_minus_p_s * S_MINUS_P_KM_S
    p_s, azimuth = reach_km / VP_KM_S, float(chance.uniform(0, 360))
    slow, take_off = float(np.sin(np.radians(draw.incidence_deg))), float(chance.uniform(30, 150))
    rays = [
        Ray("Pg", "P", p_s, take_off, slow / VP_KM_S, 1.0),
        Ray("Sg", "S", p_s + draw.s_minus_p_s, take_off, slow / VS_KM_S, 1.0),
    ]
    if reach_km > 130 and chance.random() < 0.7:  # then what is drawn is between the first of both
        ahead_s = float(chance.uniform(0.02, 0.06)) * reach_km / VP_KM_S
        rays[0], later = Ray("Pn", "P", p_s, 50.0, slow / VP_KM_S, 0.35), rays[0]
        rays.insert(1, Ray("Pg", "P", later.time_s + ahead_s, take_off, slow / VP_KM_S, 1.0))
    return Path(reach_km, reach_km, azimuth, azimuth, tuple(rays))


def draw_earth(chance: np.random.Generator) -> Earth:
    q_s = _log_uniform(30.0, 400.0, chance)
    attenuation = Attenuation(
        q_s_1hz=q_s,
        q_s_exponent=float(chance.uniform(0.4, 0.9)),
        q_p_1hz=q_s * float(chance.uniform(0.5, 1.5)),
        q_p_exponent=float(chance.uniform(0.4, 0.9)),
    )
    scattering = Scattering(
        peak_delay_s=_log_uniform(0.2, 1.5, chance),
        growth=float(chance.uniform(0.9, 1.8)),
        coda_per_km=_log_uniform(0.01, 0.1, chance),
        local_share=float(chance.uniform(0.4, 0.8)),
        local_s=_log_uniform(0.2, 1.0, chance),
    )
    return Earth(_half_space(), attenuation, scattering)


@functools.cache
def _half_space() -> EarthModel:
    return load_model("homogeneous")


def draw_event(draw: Draw, path: Path, chance: np.random.Generator) -> Event:
    return Event(
        time_ns=1_600_000_000_000_000_000 + int(chance.integers(10**9)),
        latitude_deg=0.0,
        longitude_deg=0.0,
        depth_km=float(min(chance.uniform(1.0, 20.0), 0.9 * path.hypocentral_km)),
        mw=draw.mw,
        corner_hz=draw.p_corner_hz * draw.s_over_p_corner,
        p_over_s_corner=1 / draw.s_over_p_corner,
        strike_deg=float(chance.uniform(0, 360)),
        dip_deg=float(chance.uniform(20, 90)),
        rake_deg=float(chance.uniform(-180, 180)),
    )


def draw_instrument(sensor: str, chance: np.random.Generator) -> Instrument:
    mismatch = 0.5 if chance.random() < 0.1 else 0.05
    rate_hz = int(chance.choice(RECORDED_HZ))
    gain = _log_uniform(0.3, 40.0, chance) * min(100 / SENSORS[sensor].sensitivity, 1.0)
    digitiser = Digitiser(min(rate_hz, RATE_HZ), gain=gain, is_causal=chance.random() < 0.2)
    z, n, e = (float(error) for error in np.clip(mismatch * chance.standard_normal(3), -0.9, 2))
    return Instrument(SENSORS[sensor], digitiser, (z, n, e))


def draw_noise(chance: np.random.Generator, *, borehole: bool) -> tuple[Site, float]:
    """A place for a station, and how many decibels of its culture the hour has."""
    site = draw_site(chance, chance.uniform(-12, 12), borehole=borehole)
    return site, float(chance.uniform(0, site.culture_db))
