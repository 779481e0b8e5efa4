"""What stands out of a station's quietest noise, and for how long: all that wave trains need to be made of."""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.simulation import sources
from kensoku.simulation.attenuation import spread_per_m
from kensoku.simulation.catalogue import Catalogue
from kensoku.simulation.envelopes import Onset, energy
from kensoku.simulation.instruments import Instrument
from kensoku.simulation.networks import SiteResponse, Station
from kensoku.simulation.propagation import (
    NEAREST_KM,
    Earth,
    Ray,
    amplify,
    far_field_m_per_nm,
    measure,
)
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.sites import Site, noise_models_db, ocean_db, site_db
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.spectra import RMS_RADIATION, Way, absorption, corner_hz, log_spectrum
from kensoku.traveltime import Wave

HZ = np.geomspace(0.3, 40, 10)
VISIBLE = 0.3  # peak over the quietest noise
HEARD = 1.0  # rms of a coda over the quietest noise
LUCKY = 0.4  # of what is visible: what some paths and radiation add to the mean
QUIETER_DB = 3.0  # than its quiet hours a station hardly ever is
QUIETEST = 0.1  # of the way from the new low to the new high noise model
LONGEST_S = 900.0
FASTEST_KM_S = {"P": 8.0, "S": 4.6}
HIGHER_CORNER = 2.0  # P's over that of S, or of a rupture's parts
HIGHEST = 0.45  # of the sampling rate
ALWAYS = (SourceKind.TELESEISM, SourceKind.LONG_PERIOD)
_TIMES_S = np.geomspace(0.5, LONGEST_S, 48)


@dataclass(frozen=True, slots=True, eq=False)
class Floor:
    """Ground velocity (m/s rms) in a band of an octave around each of HZ."""

    rms_m_s: FloatArray

    @classmethod
    def of_models(cls) -> "Floor":
        """For a station of which nothing is known."""
        low, high = noise_models_db(HZ)
        return cls(_octave_rms(low + QUIETEST * (high - low)))

    @classmethod
    def of_station(cls, site: Site, instrument: Instrument) -> "Floor":
        quiet = np.logaddexp(*(np.log(10) / 10 * level for level in (ocean_db(site, HZ), site_db(site, HZ))))
        ground = _octave_rms(10 / np.log(10) * quiet - QUIETER_DB)
        counts = instrument.noise_counts * np.sqrt(0.7 * HZ / (instrument.digitiser.rate_hz / 2))
        response = np.abs(instrument.response(HZ))
        return cls(np.hypot(ground, counts / np.maximum(response, 1e-3 * response.max())))


def _octave_rms(acceleration_db: FloatArray) -> FloatArray:
    rms: FloatArray = 10 ** (acceleration_db / 20) / (2 * np.pi * HZ) * np.sqrt(0.7 * HZ)
    return rms


def lasts_s(way: Way, ray: Ray, onset: Onset, floor: Floor, share: float = 1.0) -> float:
    """From its onset to when its coda sinks below the floor; 0 where it never rises above it."""
    loud = np.exp(log_spectrum(way, ray, HZ)) * _ground(way.station.site, way.station.rate_hz) / floor.rms_m_s
    loud *= share * RMS_RADIATION[ray.wave]
    if (loud * HZ).max() < VISIBLE:
        return 0.0
    coda = _fading(way.earth) * np.sqrt(sum(energy(onset, _TIMES_S[:, np.newaxis], HZ))) * loud
    heard_s = _TIMES_S[coda.max(axis=1) > HEARD].max(initial=0.5)
    source_s = float(sources.rupture_duration_s(way.event.mw, way.event.corner_hz, 3.5)) + 2 / corner_hz(way.event)
    return float(min(max(1.25 * heard_s, source_s + 4.0), LONGEST_S))


@functools.lru_cache(maxsize=256)
def _ground(site: SiteResponse, rate_hz: int) -> FloatArray:
    """Ground velocity over displacement in rock."""
    over = amplify(site, HZ)[1] * 2 * 2 * np.pi * HZ
    return np.where(rate_hz * HIGHEST > HZ, over, 0.0)


@functools.lru_cache(maxsize=16)
def _fading(earth: Earth) -> FloatArray:
    """Of a coda's octaves, (times, frequencies)."""
    absorbed = earth.scattering.absorbed * absorption(earth.attenuation, "S", HZ)
    faded: FloatArray = np.exp(-np.outer(_TIMES_S, absorbed)) * np.sqrt(1.4 * HZ)
    return faded


def could_be_seen(catalogue: Catalogue, station: Station, earth: Earth, floor: Floor) -> npt.NDArray[np.bool_]:
    """False for sources of which a station of this distance and ground sees nothing, whatever the path, by a margin."""
    places = np.stack([catalogue.latitude_deg, catalogue.longitude_deg], axis=1)
    here = np.broadcast_to([station.latitude_deg, station.longitude_deg], places.shape)
    distance_km, _, _ = measure(places, here)
    reach_km = np.maximum(np.hypot(distance_km, catalogue.depth_km + 1e-3 * station.elevation_m), NEAREST_KM)
    tops_km = [layer.top_km for layer in earth.model.layers]
    layer = np.maximum(np.searchsorted(tops_km, catalogue.depth_km, side="right") - 1, 0)
    ground = _ground(station.site, station.rate_hz) * HZ / floor.rms_m_s
    seen: npt.NDArray[np.bool_] = np.isin(catalogue.kind, ALWAYS)
    waves: tuple[Wave, Wave] = ("P", "S")
    for wave in waves:
        kappa_s = station.site.kappa_p_s if wave == "P" else station.site.kappa_s_s
        far_field = np.array([far_field_m_per_nm(earth, wave, each.top_km) for each in earth.model.layers])
        plateau = sources.moment_nm(catalogue.mw) * spread_per_m(reach_km, earth.attenuation) * far_field[layer]
        shape = sources.source_spectrum(HZ, HIGHER_CORNER * catalogue.corner_hz[:, np.newaxis])
        way = np.outer(reach_km / FASTEST_KM_S[wave], absorption(earth.attenuation, wave, HZ))
        loudest = (plateau[:, np.newaxis] * shape * np.exp(-way - np.pi * kappa_s * HZ) * ground).max(axis=1)
        seen = seen | (loudest > LUCKY * VISIBLE)
    return seen
