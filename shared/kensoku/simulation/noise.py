"""The ground when nothing happens: ocean, people and wind, between Peterson's low and high noise models.

White noise, drawn a block of absolute time at a time, is first given its envelope (storms, working hours, gusts) and
then its colour, by a zero-phase filter of at most a minute. So the spectrum is exact however fast the envelope changes,
and a sample depends on two blocks of white noise alone: there are no seams, and no trace of where a run began.
"""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import scipy.fft  # transforms float32 as float32; numpy only does from release 2

from kensoku.simulation.disturbances import (
    BLOCK_NS,
    ON_GROUND,
    Disturbance,
    Kind,
    Rates,
    activity,
    add_footsteps,
    list_disturbances,
    vehicle_power,
)
from kensoku.simulation.randomness import BLOCK_S, FloatArray, draw, vary

Float32Array = npt.NDArray[np.float32]
Complex64Array = npt.NDArray[np.complex64]

OCEAN_RATE_HZ = 20  # of the ocean's white noise, which its filter ends below 8 Hz
OCEAN_END_HZ = 1.0
LOWEST_HZ = 1 / BLOCK_S  # filters are a minute long: below, the ground is silent

GUST_S = 7.0
BURST_S = 2.0
WEATHER_S = 6 * 3600.0
WANDER_S = 300.0
LINE_WIDTH_HZ = 0.03  # what the wander makes of a line


@dataclass(frozen=True, slots=True)
class Line:
    """A machine: one frequency, which wanders by some hundredths of a hertz, and the machine rests at times."""

    frequency_hz: float
    velocity_m_s: tuple[float, float, float]  # amplitudes on Z, N and E


@dataclass(frozen=True, slots=True)
class Site:
    """What a station stands on and beside. Levels: 0 is the new low noise model, 1 the new high one."""

    ocean_level: float = 0.2  # below 1 Hz
    site_level: float = 0.4  # above 1 Hz, in the small hours
    microseism_db: float = 4.0
    microseism_period_s: float = 5.5
    microseism_octaves: float = 0.5  # standard deviation of its width
    ocean_azimuth_deg: float = 0.0
    rayleigh_share: float = 0.5  # of the horizontal microseism that follows the vertical, a quarter of a period apart
    tilt_db: float = 15.0  # of the horizontals over the vertical at 0.03 Hz
    storm_db: float = 2.0  # standard deviation over days
    horizontal_db: float = 2.0
    rise_db: float = 16.0  # of acceleration, a decade, from 10 to 40 Hz: what quiet records of four networks show
    ripple_db: tuple[float, ...] = ()  # departures at equal steps of log frequency from 1 to 100 Hz
    culture_db: float = 10.0  # of working hours over the small hours
    burst_db: float = 3.0  # standard deviation of culture from one `BURST_S` to the next: what makes it non-Gaussian
    utc_offset_h: float = 0.0
    wind_db: float | None = 0.0  # mean over the small hours; None: out of the wind, as in a borehole
    gust_db: float = 5.0
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
        burst_db=chance.uniform(0.3, 2.5),
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
    level = low + site.site_level * (high - low) + site.rise_db * np.log10(np.clip(hz, 10, 40) / 10)
    if site.ripple_db:
        level += np.interp(np.log10(hz), np.linspace(0.0, 2.0, len(site.ripple_db)), site.ripple_db)
    begun: FloatArray = np.maximum(level, low + 2) - 10 * np.log10(1 + (OCEAN_END_HZ / hz) ** 6)
    return begun


def _wind_db(hz: FloatArray) -> FloatArray:
    """Wind over quiet: nothing below half a hertz, and more the higher the frequency."""
    shape: FloatArray = 3 * np.log10(hz / 5) - 10 * np.log10(1 + (0.5 / hz) ** 4)
    return shape


@dataclass(frozen=True, slots=True)
class _Colours:
    """Filters from white noise to velocity, on the frequencies of two blocks."""

    ocean_z: Float32Array
    ocean_h: Float32Array
    site: Float32Array
    wind: Float32Array  # follows `site`; the same for all stations


def _filter(amplitude: FloatArray, half_s: float) -> Float32Array:
    """The amplitudes of the zero-phase filter of this length that comes nearest."""
    impulse = np.fft.irfft(amplitude)
    half = int(half_s * impulse.size / (2 * BLOCK_S))
    window = np.zeros(impulse.size)
    window[: half + 1] = np.cos(np.linspace(0, np.pi / 2, half + 1)) ** 2
    window[-half:] = window[half:0:-1]
    return np.fft.rfft(impulse * window).real.astype(np.float32)


def _two_blocks_hz(rate_hz: int) -> FloatArray:
    hz = np.fft.rfftfreq(2 * BLOCK_S * rate_hz, 1 / rate_hz)
    return np.maximum(hz, hz[1] / 2)


def _to_velocity(acceleration_db: FloatArray, hz: FloatArray, white_rate_hz: int) -> FloatArray:
    """White noise of variance 1 has the one-sided density 2 over its rate."""
    amplitude = 10 ** (acceleration_db / 20) / (2 * np.pi * hz) * np.sqrt(white_rate_hz / 2)
    silent: FloatArray = np.where(hz < LOWEST_HZ, 0.0, amplitude)
    return silent


@functools.cache
def _wind_filter(rate_hz: int) -> Float32Array:
    return _filter(10 ** (_wind_db(_two_blocks_hz(rate_hz)) / 20), half_s=5.0)


def _colour(site: Site, rate_hz: int) -> _Colours:
    hz = _two_blocks_hz(OCEAN_RATE_HZ)
    # The transform of the slow white noise has a rate's ratio fewer terms for the same amplitude.
    ocean = _to_velocity(ocean_db(site, hz), hz, OCEAN_RATE_HZ) * (rate_hz / OCEAN_RATE_HZ)
    tilt = np.sqrt(1 + 10 ** (site.tilt_db / 10) * (0.03 / hz) ** 4)
    hz = _two_blocks_hz(rate_hz)
    return _Colours(
        ocean_z=_filter(ocean, half_s=30.0),
        ocean_h=_filter(ocean * tilt, half_s=30.0),
        site=_filter(_to_velocity(site_db(site, hz), hz, rate_hz), half_s=25.0),
        wind=_wind_filter(rate_hz),
    )


# --- envelopes --------------------------------------------------------------------------------------------------------


def _lognormal(normal: FloatArray, deviation_db: float) -> FloatArray:
    """A factor of power whose mean is 1."""
    sigma = deviation_db * (np.log(10) / 10)
    factor: FloatArray = np.exp(sigma * normal - sigma**2 / 2)
    return factor


class GroundNoise:
    """The noise of one station at one sampling rate; any block of it at any time."""

    def __init__(self, site: Site, seed: int, station: str, rate_hz: int, components: int = 3) -> None:
        self._site, self._seed, self._station = site, seed, station
        self._rate_hz, self._components = rate_hz, components
        self._count = BLOCK_S * rate_hz
        self._colours = _colour(site, rate_hz)

    def blocks(self, first: int) -> Iterator[Float32Array]:
        """Ground velocity in m/s, (components, samples), block after block without end.

        A frame is what the white noise of the middle half of two blocks becomes; a block needs two frames.
        """
        halves = [self._frame(first - 1)[:, self._count :].copy()]  # copied, or the other half would stay in memory
        for block in itertools.count(first):
            yield self._next_block(block, halves)

    def _next_block(self, block: int, halves: list[Float32Array]) -> Float32Array:
        frame = self._frame(block)
        ground = halves.pop() + frame[:, : self._count]
        halves.append(frame[:, self._count :].copy())
        self._add_lines(ground, block)
        self._add_footsteps(ground, block)
        return ground

    def block(self, block: int) -> Float32Array:
        return next(self.blocks(block))

    def disturbances(self, first: int, last: int) -> Iterator[Disturbance]:
        """Truth: those on the ground that start in these blocks, both included."""
        return self._list(first, last, ON_GROUND)

    def _frame(self, block: int) -> Float32Array:
        site, colours = self._site, self._colours
        second_s = block * BLOCK_S + BLOCK_S / 2 + np.arange(BLOCK_S + 1.0)
        spectrum = self._white("site", block, self._rate_hz, self._culture_power(block, second_s))
        if site.wind_db is not None:
            gusts = _lognormal(self._vary("gust", second_s, GUST_S), site.gust_db)
            weather = _lognormal(self._vary("weather", second_s, WEATHER_S), 4.0)
            power = 10 ** (site.wind_db / 10) * gusts * weather
            spectrum += self._white("wind", block, self._rate_hz, power) * colours.wind
        spectrum *= colours.site
        spectrum[1:] *= np.float32(10 ** (site.horizontal_db / 20))
        storm = _lognormal(self._vary("storm", second_s, WEATHER_S), site.storm_db)
        self._add_ocean(spectrum, self._white("ocean", block, OCEAN_RATE_HZ, storm))
        frame: Float32Array = scipy.fft.irfft(spectrum, 2 * self._count, overwrite_x=True)
        return frame

    def _white(self, purpose: str, block: int, rate_hz: int, power: FloatArray) -> Complex64Array:
        """The transform of white noise that stands in the middle of two blocks and has this power at every second."""
        count = BLOCK_S * rate_hz
        white = draw(self._seed, self._station, purpose, block).standard_normal(
            (self._components, count), dtype=np.float32
        )
        envelope = np.interp(np.arange(count) / rate_hz, np.arange(power.size), np.sqrt(power))
        padded = np.zeros((self._components, 2 * count), dtype=np.float32)
        np.multiply(white, envelope.astype(np.float32), out=padded[:, count // 2 : count // 2 + count])
        transform: Complex64Array = scipy.fft.rfft(padded, overwrite_x=True)
        return transform

    def _add_ocean(self, spectrum: Complex64Array, ocean: Complex64Array) -> None:
        """Rayleigh waves from one side, and on the horizontals what else the ocean sends, of the same power in all."""
        share, azimuth = self._site.rayleigh_share, np.radians(self._site.ocean_azimuth_deg)
        last = min(ocean.shape[1], spectrum.shape[1]) - 1
        for component, direction in zip(range(1, self._components), (np.cos(azimuth), np.sin(azimuth)), strict=False):
            follows = share * direction
            mixed = np.complex64(1j * follows) * ocean[0] + np.float32(np.sqrt(1 - follows**2)) * ocean[component]
            spectrum[component, :last] += (mixed * self._colours.ocean_h)[:last]
        spectrum[0, :last] += (ocean[0] * self._colours.ocean_z)[:last]

    def _culture_power(self, block: int, second_s: FloatArray) -> FloatArray:
        site = self._site
        bursts = _lognormal(self._vary("burst", second_s, BURST_S), site.burst_db)
        busy = activity(second_s + 3600 * site.utc_offset_h)
        power = bursts * (1 + (10 ** (site.culture_db / 10) - 1) * busy)
        for vehicle in self._list(block - 2, block + 1, frozenset({Kind.VEHICLE})):
            power += vehicle_power(vehicle, second_s)
        return power

    def _add_lines(self, ground: Float32Array, block: int) -> None:
        if not self._site.lines:
            return
        second_s = block * BLOCK_S + np.arange(BLOCK_S + 1.0)
        time_s = np.arange(self._count) / self._rate_hz
        for number, line in enumerate(self._site.lines):
            if line.frequency_hz >= 0.45 * self._rate_hz:
                continue
            wander = 20.0 * self._vary(f"line {number}", second_s, WANDER_S)
            works = 1 / (1 + np.exp(-8 * (self._vary(f"machine {number}", second_s, WEATHER_S) + 0.3)))
            cycles = line.frequency_hz * BLOCK_S * block % 1.0
            phase = 2 * np.pi * (cycles + line.frequency_hz * time_s) + np.interp(time_s, np.arange(61), wander)
            wave = (np.sin(phase) * np.interp(time_s, np.arange(61), works)).astype(np.float32)
            for component, velocity in zip(ground, line.velocity_m_s, strict=False):
                component += np.float32(velocity) * wave

    def _add_footsteps(self, ground: Float32Array, block: int) -> None:
        for walk in self._list(block - 1, block, frozenset({Kind.FOOTSTEPS})):
            add_footsteps(ground, block * BLOCK_NS, self._rate_hz, walk)

    def _list(self, first: int, last: int, kinds: frozenset[Kind]) -> Iterator[Disturbance]:
        site = self._site
        return list_disturbances(self._seed, self._station, site.disturbances, first, last, kinds, site.utc_offset_h)

    def _vary(self, purpose: str, times_s: FloatArray, knot_s: float) -> FloatArray:
        return vary(self._seed, self._station, purpose, times_s, knot_s)
