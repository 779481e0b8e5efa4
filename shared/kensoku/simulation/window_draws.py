"""The dice of training windows: how far, how large, through what, on what ground and with which instrument.

Everything is drawn independently and wider than any one network is, so that a picker learns what earthquakes have in
common.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from kensoku.simulation.envelopes import Scattering
from kensoku.simulation.events import Event
from kensoku.simulation.instruments import SENSORS, Digitiser, Instrument, Sensor
from kensoku.simulation.networks import GROUND_CLASSES, SiteResponse, Station, draw_site_response
from kensoku.simulation.propagation import Earth, Path, Ray
from kensoku.simulation.scenario import Attenuation
from kensoku.simulation.sites import Site, draw_site
from kensoku.simulation.sources import Ripple, SourceKind
from kensoku.traveltime import EarthModel, load_model

RATE_HZ = 100
RECORDED_HZ = (50, 100, 100, 200, 250)  # of the digitiser, resampled to RATE_HZ by a filter without a slope
S_MINUS_P_KM_S = 8.2  # distance over S-P in the crust
VP_KM_S, VS_KM_S = 6.0, 3.46
INCIDENCE_DEG = (0.0, 60.0)
KAPPA_S_S = (0.0005, 0.08)
THIN, THIN_HZ = 0.2, (10.0, 45.0)  # share of grounds with a thin layer, and where it resonates
BOREHOLES_M = (30.0, 100.0, 250.0)  # depths of sensors
BORED = 1 / 6  # share of stations
Q_S_1HZ = (35.0, 400.0)  # of paths of some tens of km: volcanoes and fault zones to old crust
Q_P_OVER_Q_S = (0.8, 1.6)  # at 1 Hz; S fades faster than P at equal Q, for it travels longer
KAPPA_P_OVER_S = (0.3, 0.9)
PEAK_DELAY_S = (0.45, 3.5)  # of S at 100 km: mountain roots to volcanic fronts, Takahashi et al. (2007)
CODA_PER_KM = (0.012, 0.15)  # scattering coefficients: 0.001 to 0.1 in the lithosphere, more in the upper crust
MIXED = (0.015, 0.06)  # see `Scattering`
TORN = 0.6  # correlation of what makes the three
NOISE_RISE_DB = (9.0, 10.0)  # a decade: picked windows have less above 15 Hz than the quiet hours of `sites`


@dataclass(frozen=True, slots=True)
class Draw:
    """What the dice said of source, way and station: for plots of coverage, and all that a record needs but noise."""

    kind: SourceKind | None  # None: nothing happens
    s_minus_p_s: float
    p_corner_hz: float
    s_over_p_corner: float
    mw: float
    incidence_deg: float
    sensor: str
    gain_errors: tuple[float, float, float]
    digitiser: Digitiser
    borehole_m: float  # depth of the sensor, 0: at the surface
    site: SiteResponse
    attenuation: Attenuation
    scattering: Scattering

    @property
    def earth(self) -> Earth:
        return Earth(_half_space(), self.attenuation, self.scattering)

    @property
    def instrument(self) -> Instrument:
        return Instrument(SENSORS[self.sensor], self.digitiser, self.gain_errors)

    @property
    def station(self) -> Station:
        return Station("XX", "WINDO", 0.0, 0.0, 0.0, self.borehole_m, self.sensor, RATE_HZ, 3, self.site)


@dataclass(frozen=True, slots=True)
class _Habit:
    """How large, how sharp, how near and how deep sources of a kind are."""

    share: float  # of all windows
    s_minus_p_s: tuple[float, float] = (0.3, 60.0)
    p_corner_hz: tuple[float, float] = (1.0, 80.0)
    mw: tuple[float, float] = (0.0, 7.5)
    depth_km: tuple[float, float] = (1.0, 20.0)


_HABITS = {
    None: _Habit(0.12),
    SourceKind.EARTHQUAKE: _Habit(0.66),
    SourceKind.BLAST: _Habit(0.06, (0.5, 25.0), (1.5, 15.0), (1.0, 3.8), (0.0, 0.05)),
    SourceKind.LOW_FREQUENCY: _Habit(0.04, (1.0, 15.0), (1.0, 5.0), (0.5, 3.5), (10.0, 40.0)),
    SourceKind.LONG_PERIOD: _Habit(0.04, (0.3, 5.0), (1.0, 5.0), (0.5, 3.5), (0.2, 3.0)),
    SourceKind.ICEQUAKE: _Habit(0.04, (0.3, 5.0), (8.0, 30.0), (-0.5, 2.5), (0.0, 0.3)),
    SourceKind.TELESEISM: _Habit(0.04, (300.0, 700.0), (0.05, 1.0), (6.2, 7.5), (5.0, 300.0)),
}
# A blast, or an earthquake that could be taken for one: as large, as near, at the same stations; sharp ones as well.
_LIKE_BLASTS = {
    SourceKind.BLAST: replace(_HABITS[SourceKind.BLAST], share=0.5),
    SourceKind.EARTHQUAKE: _Habit(0.5, (0.5, 25.0), (1.5, 40.0), (1.0, 3.8), (0.0, 15.0)),
}
_AFTERSHOCK = _Habit(1.0, (0.7, 12.0), (5.0, 80.0))
AFTERSHOCKS = (1.0, 30.0)  # in 50 s, of those that are large enough
MOST_AFTERSHOCKS = 30
SPREAD = (0.03, 0.35)  # of S-P, as a share
B_VALUES = (0.7, 1.1)
SAME_PLACE = 0.5  # share of earthquakes after others
LEAST_MW, LEAST_MW_A_DECADE = 0.3, 1.9  # seen at 1 s between S and P, and at ten times as many
TOO_NEAR = 0.06  # share of windows whose magnitude does not mind what the sensor can hold


def _log_uniform(low: float, high: float, chance: np.random.Generator) -> float:
    return float(np.exp(chance.uniform(np.log(low), np.log(high))))


def _between(low: float, high: float, share: float) -> float:
    return float(low * (high / low) ** share)


def draw_window(chance: np.random.Generator) -> Draw:
    kind = draw_kind(chance)
    habit = _HABITS[kind]
    s_minus_p_s = _log_uniform(*habit.s_minus_p_s, chance)
    sensor = list(SENSORS)[chance.integers(len(SENSORS))]
    least, most = np.clip(_magnitudes(s_minus_p_s, SENSORS[sensor]), *habit.mw)
    if chance.random() < TOO_NEAR:
        most = habit.mw[1]
    return _draw_station(kind, habit, s_minus_p_s, sensor, (float(least), float(most)), chance)


def draw_like_blasts(event: np.random.Generator, chance: np.random.Generator) -> Draw:
    """What `event` says is the same at all stations of an event; these are as far away as it could be seen."""
    kind = list(_LIKE_BLASTS)[event.integers(len(_LIKE_BLASTS))]
    habit = _LIKE_BLASTS[kind]
    mw, s_over_p = float(event.uniform(*habit.mw)), float(event.uniform(0.4, 1.0))
    p_corner_hz = _log_uniform(*habit.p_corner_hz, event)
    nearest_s, farthest_s = habit.s_minus_p_s
    farthest_s = float(np.clip(10 ** ((mw - LEAST_MW) / LEAST_MW_A_DECADE), 1.5 * nearest_s, farthest_s))
    s_minus_p_s = _log_uniform(nearest_s, farthest_s, chance)
    sensors = [name for name, sensor in SENSORS.items() if mw >= _magnitudes(s_minus_p_s, sensor)[0]] or list(SENSORS)
    sensor = sensors[chance.integers(len(sensors))]
    drawn = _draw_station(kind, habit, s_minus_p_s, sensor, (mw, mw), chance)
    return replace(drawn, p_corner_hz=p_corner_hz, s_over_p_corner=s_over_p)


def draw_aftershocks(chance: np.random.Generator) -> tuple[Draw, ...]:
    """What one station has of a swarm within 20 s before a window and in it: near each other, most of them small."""
    habit = _AFTERSHOCK
    near_s = _log_uniform(*habit.s_minus_p_s, chance)
    sensor = list(SENSORS)[chance.integers(len(SENSORS))]
    least, most = _magnitudes(near_s, sensor=SENSORS[sensor])
    first = _draw_station(SourceKind.EARTHQUAKE, habit, near_s, sensor, (least, least), chance)
    spread, b = float(chance.uniform(*SPREAD)), float(chance.uniform(*B_VALUES))
    count = 1 + int(min(chance.poisson(_log_uniform(*AFTERSHOCKS, chance)), MOST_AFTERSHOCKS))
    drawn = []
    for _ in range(count):
        above = min(float(chance.exponential(1 / (b * np.log(10)))), most - least)
        sharper = 10 ** (0.15 * float(chance.standard_normal()) - 0.4 * above)
        drawn.append(
            replace(
                first,
                s_minus_p_s=near_s * float(np.exp(spread * chance.standard_normal())),
                mw=least + above,
                p_corner_hz=float(np.clip(first.p_corner_hz * sharper, *_HABITS[SourceKind.EARTHQUAKE].p_corner_hz)),
                s_over_p_corner=float(chance.uniform(0.4, 1.0)),
                incidence_deg=float(np.clip(first.incidence_deg + 10 * chance.standard_normal(), *INCIDENCE_DEG)),
            )
        )
    return tuple(drawn)


def _draw_station(
    kind: SourceKind | None,
    habit: _Habit,
    s_minus_p_s: float,
    sensor: str,
    mw: tuple[float, float],
    chance: np.random.Generator,
) -> Draw:
    least, most = mw
    borehole_m = float(chance.choice(BOREHOLES_M)) if chance.random() < BORED else 0.0
    earth, instrument = draw_earth(chance), draw_instrument(sensor, chance)
    return Draw(
        kind=kind,
        s_minus_p_s=s_minus_p_s,
        p_corner_hz=_log_uniform(*habit.p_corner_hz, chance),
        s_over_p_corner=float(chance.uniform(0.4, 1.0)),
        mw=least + (most - least) * chance.random() ** 2,
        incidence_deg=float(chance.uniform(*(INCIDENCE_DEG if kind is not SourceKind.TELESEISM else (12.0, 30.0)))),
        sensor=sensor,
        gain_errors=instrument.gain_errors,
        digitiser=instrument.digitiser,
        borehole_m=borehole_m,
        site=_draw_ground(borehole_m, chance),
        attenuation=earth.attenuation,
        scattering=earth.scattering,
    )


def draw_kind(chance: np.random.Generator) -> SourceKind | None:
    kinds = list(_HABITS)
    return kinds[chance.choice(len(kinds), p=[habit.share for habit in _HABITS.values()])]


def _draw_ground(borehole_m: float, chance: np.random.Generator) -> SiteResponse:
    """Of any class, but with any kappa, and now and then a thin layer that resonates as high as is recorded."""
    site = draw_site_response(GROUND_CLASSES[chance.integers(len(GROUND_CLASSES))], borehole_m, chance)
    kappa_s_s = _log_uniform(*KAPPA_S_S, chance)
    resonance_hz = _log_uniform(*THIN_HZ, chance) if chance.random() < THIN and not borehole_m else site.resonance_hz
    kappa_p_s = kappa_s_s * float(chance.uniform(*KAPPA_P_OVER_S))
    return replace(site, kappa_s_s=kappa_s_s, kappa_p_s=kappa_p_s, resonance_hz=resonance_hz)


def _magnitudes(s_minus_p_s: float, sensor: Sensor) -> tuple[float, float]:
    """Smaller ones would mostly be noise on such a sensor, and larger ones clipped."""
    strong = sensor.is_accelerometer
    least = LEAST_MW + LEAST_MW_A_DECADE * np.log10(s_minus_p_s) + (1.2 if strong else 0.0)
    most = (6.0 if strong else 4.3) + 1.8 * np.log10(s_minus_p_s)
    return float(np.clip(least, 0.0, 4.5)), float(np.clip(most, 3.5, 7.5))


def draw_path(draw: Draw, chance: np.random.Generator) -> Path:
    """P, S and at times what goes before or after them, as far apart as drawn."""
    reach_km = draw.s_minus_p_s * S_MINUS_P_KM_S
    p_s, azimuth = reach_km / VP_KM_S, float(chance.uniform(0, 360))
    slow, take_off = float(np.sin(np.radians(draw.incidence_deg))), float(chance.uniform(30, 150))
    if draw.kind is SourceKind.TELESEISM:
        ray = Ray("teleseismic P", "P", p_s, 25.0, slow / VP_KM_S, 1.0)
        return Path(reach_km, reach_km, azimuth, azimuth, (ray,))
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
    """Q from geothermal fields to shields; rock that is torn scatters P and S forwards and back alike."""
    q_s = _log_uniform(*Q_S_1HZ, chance)
    attenuation = Attenuation(
        q_s_1hz=q_s,
        q_s_exponent=float(chance.uniform(0.2, 0.8)),
        q_p_1hz=q_s * float(chance.uniform(*Q_P_OVER_Q_S)),
        q_p_exponent=float(chance.uniform(0.2, 0.8)),
    )
    own = chance.standard_normal(4)
    delays, coda, mixed = ndtr(TORN * own[0] + np.sqrt(1 - TORN**2) * own[1:]).tolist()
    scattering = Scattering(
        peak_delay_s=_between(*PEAK_DELAY_S, delays),
        growth=float(chance.uniform(0.6, 1.4)),
        p_share=float(chance.uniform(0.3, 0.7)),
        coda_per_km=_between(*CODA_PER_KM, coda),
        p_coda=float(chance.uniform(1.0, 3.0)),
        mixed=_between(*MIXED, mixed),
        local_share=float(chance.uniform(0.1, 0.5)),
        local_s=_log_uniform(0.12, 0.5, chance),
        p_turned=float(chance.uniform(0.15, 0.65)),
        late_share=0.6,
        uneven_amplitude=0.2,  # less than in a scenario, whose earth is one: here each window has its own
        uneven_coda=0.4,
    )
    return Earth(_half_space(), attenuation, scattering)


@functools.cache
def _half_space() -> EarthModel:
    return load_model("homogeneous")


def draw_event(draw: Draw, path: Path, chance: np.random.Generator, is_like_blasts: bool = False) -> Event:
    kind = draw.kind or SourceKind.EARTHQUAKE
    habit = (_LIKE_BLASTS if is_like_blasts else _HABITS)[kind]
    return Event(
        time_ns=1_600_000_000_000_000_000 + int(chance.integers(10**9)),
        latitude_deg=0.0,
        longitude_deg=0.0,
        depth_km=float(min(chance.uniform(*habit.depth_km), 0.9 * path.hypocentral_km)),
        mw=draw.mw,
        corner_hz=draw.p_corner_hz * draw.s_over_p_corner,
        kind=kind,
        p_over_s_corner=1 / draw.s_over_p_corner,
        strike_deg=float(chance.uniform(0, 360)),
        dip_deg=float(chance.uniform(20, 90)),
        rake_deg=float(chance.uniform(-180, 180)),
        ripple=_draw_ripple(chance) if kind is SourceKind.BLAST else Ripple(),
        resonance_hz=_log_uniform(0.5, 5.0, chance),
        quality=_log_uniform(4.0, 40.0, chance),
    )


def _draw_ripple(chance: np.random.Generator) -> Ripple:
    return Ripple(
        holes=int(chance.integers(1, 13)),
        hole_delay_ms=float(chance.uniform(15.0, 60.0)),
        rows=int(chance.integers(1, 4)),
        row_delay_ms=float(chance.uniform(60.0, 200.0)),
    )


def draw_instrument(sensor: str, chance: np.random.Generator) -> Instrument:
    mismatch = 0.5 if chance.random() < 0.1 else 0.05
    rate_hz = int(chance.choice(RECORDED_HZ))
    gain = _log_uniform(0.3, 40.0, chance) * min(100 / SENSORS[sensor].sensitivity, 1.0)
    digitiser = Digitiser(rate_hz, gain=gain, is_causal=chance.random() < 0.2)
    z, n, e = (float(error) for error in np.clip(mismatch * chance.standard_normal(3), -0.9, 2))
    return Instrument(SENSORS[sensor], digitiser, (z, n, e))


def draw_noise(draw: Draw, chance: np.random.Generator) -> tuple[Site, float]:
    """A place for a station, and how many decibels of its culture the hour has."""
    site = draw_site(chance, 0.0, borehole=draw.borehole_m > 0, ground=draw.site)
    site = replace(site, rise_db=chance.normal(*NOISE_RISE_DB))
    return site, float(chance.uniform(0, site.culture_db))


def draw_follower(draw: Draw, chance: np.random.Generator) -> Draw:
    """Another earthquake at the same station: of the same place as the first, or of another."""
    if draw.kind is SourceKind.EARTHQUAKE and chance.random() < SAME_PLACE:
        s_minus_p_s = draw.s_minus_p_s * float(chance.uniform(0.85, 1.15))
        return replace(draw, s_minus_p_s=s_minus_p_s, p_corner_hz=_log_uniform(*_HABITS[draw.kind].p_corner_hz, chance))
    habit = _HABITS[SourceKind.EARTHQUAKE]
    return replace(
        draw,
        kind=SourceKind.EARTHQUAKE,
        s_minus_p_s=_log_uniform(*habit.s_minus_p_s, chance),
        p_corner_hz=_log_uniform(*habit.p_corner_hz, chance),
        incidence_deg=float(chance.uniform(*INCIDENCE_DEG)),
    )
