"""The ground of a training window when nothing happens: as `noise` has it, but of half a minute, and faster."""

import functools
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import scipy.fft

from kensoku.simulation.propagation import ComplexArray
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sites import (
    OCEAN_END_HZ,
    TICKS_A_S,
    Site,
    horizontal_ratio,
    ocean_db,
    site_db,
    wind_db,
)

BURST_S = 2  # between knots of the envelope
WORKING = 0.6  # of the time machines do
_KNOTS_HZ = np.geomspace(0.01, 60.0, 180)  # spectra are smooth: between these they are straight


def make_noise(
    site: Site, busy_db: float, louder: FloatArray, rate_hz: int, chance: np.random.Generator
) -> ComplexArray:
    """Spectrum of ground velocity (m/s), (ZNE, frequencies), of as many samples as `louder`, a factor, has."""
    count = louder.size
    knots = np.exp(np.log(10) / 20 * site.burst_db * chance.standard_normal(count // (BURST_S * rate_hz) + 2))
    bursts = np.interp(np.arange(count) / (BURST_S * rate_hz), np.arange(knots.size), knots)
    white = chance.standard_normal((3, count), dtype=np.float32) * (bursts * louder).astype(np.float32)
    spectrum: ComplexArray = scipy.fft.rfft(white) * _colours(site, busy_db, count, rate_hz)
    _add_machines(spectrum, site, count, rate_hz, chance)
    if site.tick_m:
        ticks = np.zeros(count)
        ticks[chance.integers(rate_hz // TICKS_A_S) :: rate_hz // TICKS_A_S] = site.tick_m * rate_hz
        spectrum += scipy.fft.rfft(ticks)
    return spectrum


def _colours(site: Site, busy_db: float, count: int, rate_hz: int) -> FloatArray:
    """Velocity over white noise of variance 1."""
    hz = _KNOTS_HZ
    above = site_db(site, hz) + np.where(hz > OCEAN_END_HZ, busy_db, 0.0)
    if site.wind_db is not None:
        above += 10 * np.log10(1 + 10 ** ((site.wind_db + wind_db(hz)) / 10))
    ocean, ground = 10 ** (ocean_db(site, hz) / 10), 10 ** (above / 10)
    tilt = 1 + 10 ** (site.tilt_db / 10) * (0.03 / hz) ** 4
    level = horizontal_ratio(replace(site, horizontal_db=0.0), hz) ** 2
    horizontal = level * (ocean * tilt + ground * 10 ** (site.horizontal_db / 10))
    log_density = np.log(np.stack([ocean + ground, horizontal, horizontal]) * rate_hz / 2 / (2 * np.pi * hz) ** 2)
    index, share = _between_knots(count, rate_hz)
    return np.asarray(np.exp(0.5 * (log_density[:, index] * (1 - share) + log_density[:, index + 1] * share)))


@functools.cache
def _between_knots(count: int, rate_hz: int) -> tuple[npt.NDArray[np.intp], FloatArray]:
    hz = np.maximum(np.fft.rfftfreq(count, 1 / rate_hz), _KNOTS_HZ[0])
    index = np.searchsorted(_KNOTS_HZ, hz, side="right") - 1
    return index, np.log(hz / _KNOTS_HZ[index]) / np.log(_KNOTS_HZ[1] / _KNOTS_HZ[0])


def _add_machines(spectrum: ComplexArray, site: Site, count: int, rate_hz: int, chance: np.random.Generator) -> None:
    for machine in site.machines:
        working, *phases = chance.random(1 + len(machine.harmonics))
        if working > WORKING:
            continue
        for harmonic, (velocity_m_s, phase) in enumerate(zip(machine.harmonics, phases, strict=True), 1):
            line = round(harmonic * machine.frequency_hz * count / rate_hz)
            if line < spectrum.shape[1]:
                spectrum[:, line] += np.array(velocity_m_s) * (count / 2 * np.exp(2j * np.pi * phase))
