"""What a station stands on and beside, and the spectrum that its ground has in quiet hours."""

import functools
from dataclasses import dataclass, field, replace

import numpy as np

from kensoku.simulation.disturbances import Rates
from kensoku.simulation.networks import SiteResponse
from kensoku.simulation.propagation import amplify
from kensoku.simulation.quantities import NotNegative, Positive, Share, UtcOffsetH
from kensoku.simulation.randomness import FloatArray

OCEAN_END_HZ = 1.0
LINE_WIDTH_HZ = 0.03  # what its wander makes of a machine's line
TICKS_A_S = 2
TICKING_SHARE = 0.05  # of stations: 2 of 41 recorded ones have a comb of lines at whole hertz

Amplitudes = tuple[float, float, float]  # of velocity on Z, N and E, m/s


@dataclass(frozen=True, slots=True)
class Machine:
    """Its frequency wanders by some hundredths of a hertz, its harmonics with it, and it rests at times."""

    frequency_hz: Positive
    harmonics: tuple[Amplitudes, ...]  # of once, twice ... the frequency


@dataclass(frozen=True, slots=True)
class Site:
    """What a station stands on and beside. Levels: 0 is the new low noise model, 1 the new high one."""

    ocean_level: Share = 0.2  # below 1 Hz
    site_level: Share = 0.4  # above 1 Hz, in the small hours
    microseism_db: float = 4.0
    microseism_period_s: Positive = 5.5
    microseism_octaves: Positive = 0.5  # standard deviation of its width
    ocean_azimuth_deg: float = 0.0
    rayleigh_share: Share = 0.5  # of the horizontal microseism that follows the vertical, a quarter of a period apart
    tilt_db: float = 15.0  # of the horizontals over the vertical at 0.03 Hz
    storm_db: NotNegative = 2.0  # standard deviation over days
    horizontal_db: float = 2.0
    rise_db: float = 18.0  # of acceleration, a decade, from 6 to 40 Hz: the median of quiet records of three networks
    ripple_db: tuple[float, ...] = ()  # departures at equal steps of log frequency from 1 to 100 Hz
    culture_db: NotNegative = 10.0  # of working hours over the small hours
    burst_db: NotNegative = (
        3.0  # standard deviation of culture from one `BURST_S` to the next: what makes it non-Gaussian
    )
    utc_offset_h: UtcOffsetH = 0.0
    wind_db: float | None = 0.0  # mean over the small hours; None: out of the wind, as in a borehole
    gust_db: NotNegative = 5.0
    machines: tuple[Machine, ...] = ()
    tick_m: NotNegative = 0.0  # area of a pulse of the electronics, which come twice a second: lines at whole hertz
    ground: SiteResponse | None = None  # whose layer resonates: H/V of noise has a peak where that of S has
    disturbances: Rates = field(default_factory=Rates)


def draw_site(
    chance: np.random.Generator, utc_offset_h: float, *, borehole: bool = False, ground: SiteResponse | None = None
) -> Site:
    """A plausible place for a station: most are fair, some are beside a road, all are different."""
    town = chance.random() ** 2
    site = Site(
        ocean_level=chance.uniform(0.08, 0.35),
        site_level=chance.uniform(0.18, 0.45) + 0.1 * town - 0.1 * borehole,
        microseism_db=chance.uniform(0.0, 9.0),
        microseism_period_s=chance.uniform(2.5, 8.0),
        microseism_octaves=chance.uniform(0.3, 0.9),
        ocean_azimuth_deg=chance.uniform(0.0, 360.0),
        rayleigh_share=chance.uniform(0.3, 0.7),
        tilt_db=0.0 if borehole else chance.uniform(5.0, 25.0),
        storm_db=chance.uniform(1.0, 3.0),
        horizontal_db=chance.uniform(0.0, 5.0),
        rise_db=chance.normal(18.0, 7.0),
        ripple_db=tuple(float(db) for db in chance.normal(0.0, 4.5, 13)),
        culture_db=4.0 + 14.0 * town,
        burst_db=chance.uniform(0.3, 2.0) + 1.5 * town,
        utc_offset_h=utc_offset_h,
        wind_db=None if borehole else chance.uniform(-18.0, 4.0),
        gust_db=chance.uniform(1.5, 5.0),
        ground=ground,
        disturbances=Rates(footsteps=20 * town, vehicle=(0 if borehole else 200) * town),
    )
    machines = [_draw_machine(chance, site) for _ in range(chance.poisson(1.2 + 3.0 * town))]
    is_ticking = chance.random() < TICKING_SHARE
    return replace(site, machines=tuple(machines), tick_m=_draw_tick_m(chance, site) if is_ticking else 0.0)


def _draw_machine(chance: np.random.Generator, site: Site) -> Machine:
    """Each has some harmonics, which stand out of the site's own noise by up to 35 dB."""
    frequency_hz = float(np.exp(chance.uniform(np.log(2.0), np.log(30.0))))
    drawn = chance.random((min(chance.geometric(0.25), 12), 4))
    above_db, shares = 35.0 * drawn[:, 0], 0.4 + 0.6 * drawn[:, 1:]
    density = _velocity_density(site, frequency_hz * np.arange(1, len(drawn) + 1), above_db)
    harmonics = np.sqrt(2 * density * LINE_WIDTH_HZ)[:, np.newaxis] * shares * (1, 1, -1)
    return Machine(frequency_hz, tuple((z, n, e) for z, n, e in harmonics.tolist()))


def _draw_tick_m(chance: np.random.Generator, site: Site) -> float:
    """Lines of a pulse of area a have the power 2 (a times pulses a second)^2: here spread over 0.1 Hz."""
    density = _velocity_density(site, np.array([10.0]), chance.uniform(5.0, 25.0))[0]
    return float(np.sqrt(density * 0.1 / 2) / TICKS_A_S)


def _velocity_density(site: Site, hz: FloatArray, above_db: FloatArray | float) -> FloatArray:
    """(m/s)2/Hz, so many decibels above the site's own noise."""
    density: FloatArray = 10 ** ((site_db(site, hz) + above_db) / 10) / (2 * np.pi * hz) ** 2
    return density


# --- spectra ----------------------------------------------------------------------------------------------------------


@functools.cache
def _peterson() -> tuple[FloatArray, FloatArray, FloatArray]:
    """log10 of frequency, ascending, and the new low and high noise models there, dB relative to 1 (m/s2)2/Hz."""
    from obspy.signal.spectral_estimation import get_nhnm, get_nlnm  # here: it imports matplotlib

    period_s, low_db = get_nlnm()
    _, high_db = get_nhnm()
    return -np.log10(period_s), low_db, high_db


def noise_models_db(hz: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Peterson's (1993) new low and high noise models of acceleration, which end at 10 Hz and are level above."""
    log_hz, low_db, high_db = _peterson()
    return np.interp(np.log10(hz), log_hz, low_db), np.interp(np.log10(hz), log_hz, high_db)


def ocean_db(site: Site, hz: FloatArray) -> FloatArray:
    """Acceleration on the vertical below `OCEAN_END_HZ`: the level between the models and the station's own peak."""
    low, high = noise_models_db(hz)
    octaves = np.log2(hz * site.microseism_period_s)
    level = (
        low
        + site.ocean_level * (high - low)
        + site.microseism_db * np.exp(-0.5 * (octaves / site.microseism_octaves) ** 2)
    )
    ended: FloatArray = np.clip(level, low + 2, high - 2) - 10 * np.log10(1 + (hz / OCEAN_END_HZ) ** 6)
    return ended


def site_db(site: Site, hz: FloatArray) -> FloatArray:
    """Acceleration on the vertical above `OCEAN_END_HZ`, in the small hours and without wind."""
    low, high = noise_models_db(hz)
    level = low + site.site_level * (high - low) + site.rise_db * np.log10(np.clip(hz, 6, 40) / 10)
    if site.ripple_db:
        level += np.interp(np.log10(hz), np.linspace(0.0, 2.0, len(site.ripple_db)), site.ripple_db)
    begun: FloatArray = np.maximum(level, low + 2) - 10 * np.log10(1 + (OCEAN_END_HZ / hz) ** 6)
    return begun


def horizontal_ratio(site: Site, hz: FloatArray) -> FloatArray:
    """Amplitude of the horizontals over the vertical: a level, and the resonance of the layer below."""
    level = 10 ** (site.horizontal_db / 20)
    if site.ground is None:
        return np.full(hz.shape, level)
    _, resonance = amplify(replace(site.ground, amplification=1.0), hz)
    return level * resonance


def wind_db(hz: FloatArray) -> FloatArray:
    """Wind over quiet: nothing below half a hertz, and more the higher the frequency."""
    shape: FloatArray = 3 * np.log10(hz / 5) - 10 * np.log10(1 + (0.5 / hz) ** 4)
    return shape
