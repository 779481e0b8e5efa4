"""What a station stands on and beside, and the spectrum that its ground has in quiet hours."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from kensoku.simulation.disturbances import Rates
from kensoku.simulation.quantities import NotNegative, Positive, Share, UtcOffsetH
from kensoku.simulation.randomness import FloatArray

OCEAN_END_HZ = 1.0
LINE_WIDTH_HZ = 0.03  # what its wander makes of a machine's line


@dataclass(frozen=True, slots=True)
class Line:
    """A machine: one frequency, which wanders by some hundredths of a hertz, and the machine rests at times."""

    frequency_hz: Positive
    velocity_m_s: tuple[float, float, float]  # amplitudes on Z, N and E


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
    rise_db: float = 16.0  # of acceleration, a decade, from 6 to 40 Hz: the median of quiet records of three networks
    ripple_db: tuple[float, ...] = ()  # departures at equal steps of log frequency from 1 to 100 Hz
    culture_db: NotNegative = 10.0  # of working hours over the small hours
    burst_db: NotNegative = (
        3.0  # standard deviation of culture from one `BURST_S` to the next: what makes it non-Gaussian
    )
    utc_offset_h: UtcOffsetH = 0.0
    wind_db: float | None = 0.0  # mean over the small hours; None: out of the wind, as in a borehole
    gust_db: NotNegative = 5.0
    lines: tuple[Line, ...] = ()
    disturbances: Rates = field(default_factory=Rates)


def draw_site(chance: np.random.Generator, utc_offset_h: float, *, borehole: bool = False) -> Site:
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
        rise_db=chance.normal(16.0, 7.0),
        ripple_db=tuple(float(db) for db in chance.normal(0.0, 4.5, 13)),
        culture_db=4.0 + 14.0 * town,
        burst_db=chance.uniform(0.3, 2.0) + 1.5 * town,
        utc_offset_h=utc_offset_h,
        wind_db=None if borehole else chance.uniform(-18.0, 4.0),
        gust_db=chance.uniform(1.5, 5.0),
        disturbances=Rates(footsteps=20 * town, vehicle=(0 if borehole else 200) * town),
    )
    return replace(site, lines=tuple(_draw_lines(chance, site, machines=chance.poisson(0.7 + 2.0 * town))))


def _draw_lines(chance: np.random.Generator, site: Site, machines: int) -> Iterator[Line]:
    """Each machine has some harmonics, which stand out of the site's own noise by up to 35 dB."""
    for _ in range(machines):
        frequency_hz = float(np.exp(chance.uniform(np.log(2.0), np.log(30.0))))
        for harmonic in range(1, 1 + chance.integers(1, 4)):
            hz = np.array([harmonic * frequency_hz])
            density = 10 ** ((site_db(site, hz)[0] + chance.uniform(0.0, 35.0)) / 10)
            amplitude = np.sqrt(2 * density * LINE_WIDTH_HZ) / (2 * np.pi * hz[0])
            z, n, e = (float(amplitude * share) for share in chance.uniform(0.4, 1.0, 3))
            yield Line(float(hz[0]), (z, n, -e))


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


def wind_db(hz: FloatArray) -> FloatArray:
    """Wind over quiet: nothing below half a hertz, and more the higher the frequency."""
    shape: FloatArray = 3 * np.log10(hz / 5) - 10 * np.log10(1 + (0.5 / hz) ** 4)
    return shape
