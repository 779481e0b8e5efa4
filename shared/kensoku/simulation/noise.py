"""The ground when nothing happens: ocean, people and wind, between Peterson's low and high noise models.

White noise, drawn a block of absolute time at a time, is first given its envelope (storms, working hours, gusts) and
then its colour, by a zero-phase filter of at most a minute. So the spectrum is exact however fast the envelope changes,
and a sample depends on two blocks of white noise alone: there are no seams, and no trace of where a run began.
"""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.fft  # transforms float32 as float32; numpy only does from release 2

from kensoku.simulation.disturbances import (
    BLOCK_NS,
    ON_GROUND,
    Disturbance,
    Kind,
    activity,
    add_footsteps,
    list_disturbances,
    vehicle_power,
)
from kensoku.simulation.randomness import BLOCK_S, FloatArray, draw, vary
from kensoku.simulation.sites import TICKS_A_S, Site, horizontal_ratio, ocean_db, site_db, wind_db

Float32Array = npt.NDArray[np.float32]
Complex64Array = npt.NDArray[np.complex64]

OCEAN_RATE_HZ = 20  # of the ocean's white noise, which its filter ends below 8 Hz
LOWEST_HZ = 1 / BLOCK_S  # filters are a minute long: below, the ground is silent

GUST_S = 7.0
BURST_S = 2.0
WEATHER_S = 6 * 3600.0
WANDER_S = 300.0
WEATHER_DB = 4.0
STORM_SHARED = 0.8  # of the variance, by the stations of a network: storms are larger than networks
WIND_SHARED = 0.5  # valleys and trees are not


# --- filters ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Colours:
    """Filters from white noise to velocity, on the frequencies of two blocks."""

    ocean_z: Float32Array
    ocean_h: Float32Array
    site_z: Float32Array
    site_h: Float32Array
    wind: Float32Array  # follows those of the site; the same for all stations


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
    return _filter(10 ** (wind_db(_two_blocks_hz(rate_hz)) / 20), half_s=5.0)


def _colour(site: Site, rate_hz: int) -> _Colours:
    hz = _two_blocks_hz(OCEAN_RATE_HZ)
    # The transform of the slow white noise has a rate's ratio fewer terms for the same amplitude.
    ocean = _to_velocity(ocean_db(site, hz), hz, OCEAN_RATE_HZ) * (rate_hz / OCEAN_RATE_HZ)
    tilt = np.sqrt(1 + 10 ** (site.tilt_db / 10) * (0.03 / hz) ** 4)
    ocean_h = ocean * tilt * horizontal_ratio(replace(site, horizontal_db=0.0), hz)
    hz = _two_blocks_hz(rate_hz)
    above = _to_velocity(site_db(site, hz), hz, rate_hz)
    return _Colours(
        ocean_z=_filter(ocean, half_s=30.0),
        ocean_h=_filter(ocean_h, half_s=30.0),
        site_z=_filter(above, half_s=25.0),
        site_h=_filter(above * horizontal_ratio(site, hz), half_s=25.0),
        wind=_wind_filter(rate_hz),
    )


# --- envelopes --------------------------------------------------------------------------------------------------------


def _lognormal(normal: FloatArray, deviation_db: float) -> FloatArray:
    """A factor of power whose mean is 1."""
    sigma = deviation_db * (np.log(10) / 10)
    factor: FloatArray = np.exp(sigma * normal - sigma**2 / 2)
    return factor


def _at_samples(by_second: FloatArray, rate_hz: int) -> Float32Array:
    """Straight lines from second to second; `numpy.interp` takes ten times as long."""
    ramp = np.arange(rate_hz, dtype=np.float32) / rate_hz
    start, rise = by_second[:-1, np.newaxis], np.diff(by_second)[:, np.newaxis]
    return (start.astype(np.float32) + rise.astype(np.float32) * ramp).reshape(-1)


def _frame_s(block: int) -> FloatArray:
    """The seconds of a frame's white noise."""
    seconds: FloatArray = block * BLOCK_S + BLOCK_S / 2 + np.arange(BLOCK_S + 1.0)
    return seconds


@functools.lru_cache(maxsize=16)  # all stations of a network ask for the same
def _weather_of(seed: int, network: str, purpose: str, block: int) -> FloatArray:
    return vary(seed, network, purpose, _frame_s(block), WEATHER_S)


class GroundNoise:
    """The noise of one station at one sampling rate; any block of it at any time.

    Stations of a network, `XX.A` and `XX.B`, have waves of their own, but much of their weather in common.
    """

    def __init__(self, site: Site, seed: int, station: str, rate_hz: int, components: int = 3) -> None:
        self._site, self._seed, self._station = site, seed, station
        self._rate_hz, self._components = rate_hz, components
        self._network = station.partition(".")[0]
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
        self._add_machines(ground, block)
        self._add_ticks(ground)
        self._add_footsteps(ground, block)
        return ground

    def block(self, block: int) -> Float32Array:
        return next(self.blocks(block))

    def disturbances(self, first: int, last: int) -> Iterator[Disturbance]:
        """Truth: those on the ground that start in these blocks, both included."""
        return self._list(first, last, ON_GROUND)

    def _frame(self, block: int) -> Float32Array:
        site, colours = self._site, self._colours
        second_s = _frame_s(block)
        spectrum = self._white("site", block, self._rate_hz, self._culture_power(block, second_s))
        if site.wind_db is not None:
            gusts = _lognormal(self._vary("gust", second_s, GUST_S), site.gust_db)
            weather = _lognormal(self._vary_together("weather", block, WIND_SHARED), WEATHER_DB)
            power = 10 ** (site.wind_db / 10) * gusts * weather
            spectrum += self._white("wind", block, self._rate_hz, power) * colours.wind
        spectrum[0] *= colours.site_z
        spectrum[1:] *= colours.site_h
        storm = _lognormal(self._vary_together("storm", block, STORM_SHARED), site.storm_db)
        self._add_ocean(spectrum, self._white("ocean", block, OCEAN_RATE_HZ, storm))
        frame: Float32Array = scipy.fft.irfft(spectrum, 2 * self._count, overwrite_x=True)
        return frame

    def _white(self, purpose: str, block: int, rate_hz: int, power: FloatArray) -> Complex64Array:
        """The transform of white noise that stands in the middle of two blocks and has this power at every second."""
        count = BLOCK_S * rate_hz
        white = draw(self._seed, self._station, purpose, block).standard_normal(
            (self._components, count), dtype=np.float32
        )
        padded = np.zeros((self._components, 2 * count), dtype=np.float32)
        envelope = _at_samples(np.sqrt(power), rate_hz)
        np.multiply(white, envelope, out=padded[:, count // 2 : count // 2 + count])
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

    def _add_machines(self, ground: Float32Array, block: int) -> None:
        second_s = block * BLOCK_S + np.arange(BLOCK_S + 1.0)
        time_s = np.arange(self._count) / self._rate_hz
        for number, machine in enumerate(self._site.machines):
            wander = 20.0 * self._vary(f"line {number}", second_s, WANDER_S)
            works = 1 / (1 + np.exp(-8 * (self._vary(f"machine {number}", second_s, WEATHER_S) + 0.3)))
            cycles = (machine.frequency_hz * BLOCK_S * block + machine.frequency_hz * time_s) % 1.0
            phase = np.float32(2 * np.pi) * cycles.astype(np.float32) + _at_samples(wander, self._rate_hz)
            loudness = _at_samples(works, self._rate_hz)
            for harmonic, velocity_m_s in enumerate(machine.harmonics, 1):
                if harmonic * machine.frequency_hz >= 0.45 * self._rate_hz:
                    break
                wave = np.sin(np.float32(harmonic) * phase) * loudness
                for component, velocity in zip(ground, velocity_m_s, strict=False):
                    component += np.float32(velocity) * wave

    def _add_ticks(self, ground: Float32Array) -> None:
        """Every other pulse is a little larger, so even hertz stand out of the odd ones."""
        if self._site.tick_m:
            ground[:, :: self._rate_hz // TICKS_A_S] += np.float32(self._site.tick_m * self._rate_hz)
            ground[:, :: self._rate_hz] += np.float32(0.4 * self._site.tick_m * self._rate_hz)

    def _add_footsteps(self, ground: Float32Array, block: int) -> None:
        for walk in self._list(block - 1, block, frozenset({Kind.FOOTSTEPS})):
            add_footsteps(ground, block * BLOCK_NS, self._rate_hz, walk)

    def _list(self, first: int, last: int, kinds: frozenset[Kind]) -> Iterator[Disturbance]:
        site = self._site
        return list_disturbances(self._seed, self._station, site.disturbances, first, last, kinds, site.utc_offset_h)

    def _vary(self, purpose: str, times_s: FloatArray, knot_s: float) -> FloatArray:
        return vary(self._seed, self._station, purpose, times_s, knot_s)

    def _vary_together(self, purpose: str, block: int, shared: float) -> FloatArray:
        """A curve of hours, of which this share of the variance is the network's."""
        common = _weather_of(self._seed, self._network, purpose, block)
        own = self._vary(purpose, _frame_s(block), WEATHER_S)
        curve: FloatArray = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
        return curve
