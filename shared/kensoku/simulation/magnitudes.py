"""How large local earthquakes look on Wood-Anderson records, for the way in which a scenario's waves fade."""

import numpy as np

from kensoku.simulation import sources
from kensoku.simulation.attenuation import Attenuation, quality, spread_per_m
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sources import MagnitudeRelation, StressDrop

HZ = np.geomspace(0.05, 50, 120)
DISTANCES_KM = np.array([15.0, 30.0, 60.0, 100.0])
BETA_KM_S = 3.4
KAPPA_S = 0.035
PERIOD_S, DAMPING = 0.8, 0.7  # of a Wood-Anderson seismograph (Uhrhammer & Collins, 1990)
ABSOLUTE = 2.09


def local_magnitude(displacement_nm: FloatArray, hypocentral_km: FloatArray) -> FloatArray:
    """IASPEI's (2013), from the largest displacement of a Wood-Anderson seismograph without its magnification."""
    reach = 1.11 * np.log10(hypocentral_km) + 0.00189 * hypocentral_km
    ml: FloatArray = np.log10(displacement_nm) + reach - ABSOLUTE
    return ml


def relate(attenuation: Attenuation, stress_drop: StressDrop) -> MagnitudeRelation:
    """The standard relation, moved by what another attenuation or stress drop makes of Wood-Anderson records."""
    standard = MagnitudeRelation()
    if (attenuation, stress_drop) == (Attenuation(), StressDrop()):
        return standard
    mw = np.array(standard.mw)
    moved = _log_shown(mw, attenuation, stress_drop) - _log_shown(mw, Attenuation(), StressDrop())
    ml = np.array(standard.ml) + moved
    return MagnitudeRelation(ml=tuple(ml.tolist()), mw=standard.mw)


def _log_shown(mw: FloatArray, attenuation: Attenuation, stress_drop: StressDrop) -> FloatArray:
    """log10 of the rms of what is shown, the mean over DISTANCES_KM: of it a peak is about the same multiple."""
    moment = sources.moment_nm(mw)
    stress_mpa = stress_drop.median_mpa * 10 ** (stress_drop.growth * np.maximum(mw - 3, 0))
    corner = sources.corner_hz(moment, stress_mpa, BETA_KM_S)
    absorbed = np.pi * HZ * (DISTANCES_KM[:, np.newaxis] / BETA_KM_S / quality(attenuation, "S", HZ) + KAPPA_S)
    way = spread_per_m(DISTANCES_KM, attenuation)[:, np.newaxis] * np.exp(-absorbed)
    own_hz = 1 / PERIOD_S
    pendulum = HZ**2 / np.abs(own_hz**2 - HZ**2 + 2j * DAMPING * own_hz * HZ)
    shown = moment[:, np.newaxis] * sources.source_spectrum(HZ, corner[:, np.newaxis]) * pendulum
    rms = np.sqrt(((shown[:, np.newaxis] * way) ** 2 * np.gradient(HZ)).sum(axis=-1))
    mean: FloatArray = np.log10(rms).mean(axis=1)
    return mean
