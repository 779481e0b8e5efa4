"""What a source sends to a station: three components of ground velocity, and the times at which P and S arrive.

Every phase is a direct pulse and what scattering makes of it. The pulse has the minimum phase that belongs to its
spectrum (source, absorption, ground), so it starts at the arrival and keeps the sign of the radiation; scattering is
noise under an envelope (`envelopes`), convolved with the same pulse. Nothing moves before the first arrival.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.fft

from kensoku.simulation import sources
from kensoku.simulation.audible import Floor, lasts_s
from kensoku.simulation.envelopes import BANDS_HZ, Float32Array, Luck, Onset, Scattering, draw_luck, scatter, shape
from kensoku.simulation.events import Event
from kensoku.simulation.networks import Station
from kensoku.simulation.propagation import TELESEISMIC, Earth, Path, Ray, station_motion, trace
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.spectra import RMS_RADIATION, Pulse, Shots, Way, absorption, make_pulses, round_up, s_over_p
from kensoku.simulation.surface_waves import rayleigh
from kensoku.traveltime import Wave

FADE_S = 3.0
CONVERTED = 0.2  # Sp over S, and Ps over P, at the base of the sediment
SHORTEST_LEAD_S = 0.05
WASHED_OUT = 0.4  # share of the energy that has forgotten the radiation pattern
BLAST_S = 0.35  # of what fills the nodes of S, of blasts over that of earthquakes
P_SHARES = (1.05, 0.97, 0.97)  # of Z, N and E in what has left P's polarisation
S_SHARES = (1.1, 0.95, 0.95)
DROWNED = 3.0  # S-P after P, what is left of P's coda is a tenth of the energy of that of S
TOGETHER = 16  # waves are made at a time, which fits into a cache
SHORTEST_DELAY_S = 0.02
FARTHEST_SCATTERED_KM = 200.0  # beyond, waves come through the mantle, which scatters little
UP = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True)
class Arrival:
    phase: str  # Pg, Pn, Sg, Sn, Sp; P and S from below the Moho
    time_ns: int  # theoretical, at the sensor


@dataclass(frozen=True, slots=True, eq=False)
class WaveTrain:
    start_ns: int  # a whole number of samples since 1970
    velocity_m_s: Float32Array  # (3, samples): Z, N, E
    arrivals: tuple[Arrival, ...]  # in order of time


def wave_train(
    event: Event, station: Station, earth: Earth, rate_hz: int, seed: int, floor: Floor | None = None
) -> WaveTrain | None:
    """None where nothing would rise above the floor: of the quietest of grounds, if it is not given."""
    (path,) = trace([event.hypocentre], [station], earth.model)
    return render(event, station, path, earth, rate_hz, seed, floor=floor)


def wave_trains(
    events: Sequence[Event], station: Station, earth: Earth, seed: int, floor: Floor | None = None
) -> Iterator[WaveTrain | None]:
    """Of many sources at one station, at its sampling rate, which is much faster than one after the other."""
    paths = trace([event.hypocentre for event in events], [station] * len(events), earth.model) if events else []
    yield from render_all(list(zip(events, paths, strict=True)), station, earth, station.rate_hz, seed, floor=floor)


def render(
    event: Event, station: Station, path: Path, earth: Earth, rate_hz: int, seed: int,
    lasts_s: float | None = None, floor: Floor | None = None,
) -> WaveTrain | None:  # fmt: skip
    """The waves of a path; `lasts_s` after the first of them they end, or when nobody could see them any more."""
    (train,) = render_all([(event, path)], station, earth, rate_hz, seed, lasts_s, floor)
    return train


def render_all(
    sources: Sequence[tuple[Event, Path]], station: Station, earth: Earth, rate_hz: int, seed: int,
    lasts_s: float | None = None, floor: Floor | None = None,
) -> list[WaveTrain | None]:  # fmt: skip
    """Waves of one length are made together; none depends on which others are made with it."""
    floor = floor or Floor.of_models()
    trains = []
    for event, path in sources:
        luck = _luck(earth.scattering, seed, station.name, event.cell)
        trains.append(_Train(Way(event, station, path, earth, luck), rate_hz, seed, floor, lasts_s))
    parts = [part for train in trains for part in train.parts]
    waves: dict[_Part, Float32Array] = {}
    for alike in _alike(parts):
        waves.update(zip(alike, _make(alike, rate_hz, earth.scattering.strength), strict=True))
    return [train.assemble([(part.sample, waves[part]) for part in train.parts]) for train in trains]


def _alike(parts: Sequence["_Part"]) -> Iterator[list["_Part"]]:
    groups: dict[tuple[int, int], list[_Part]] = {}
    for part in parts:
        groups.setdefault((part.count, part.pulse_count), []).append(part)
    for group in groups.values():
        for first in range(0, len(group), TOGETHER):
            yield group[first : first + TOGETHER]


def _make(parts: Sequence["_Part"], rate_hz: int, strength: float) -> Float32Array:
    """Velocity (parts, ZNE, samples) of parts of one length."""
    count, pulses = parts[0].count, make_pulses([part.pulse for part in parts], rate_hz)
    moved = np.zeros((len(parts), 3, count), dtype=np.float32)
    for part, row in zip(parts, moved, strict=True):
        part.add_direct(row, rate_hz)
    scattered = [number for number, part in enumerate(parts) if part.is_scattered]
    if scattered:
        decays = np.array([parts[number].decay_per_s for number in scattered])
        envelopes, kept = shape([parts[number].onset for number in scattered], decays, count, rate_hz, strength)
        for number, envelope, share in zip(scattered, envelopes, kept, strict=True):
            moved[number] *= share
            parts[number].add_scattered(moved[number], envelope, rate_hz)
    size = scipy.fft.next_fast_len(count + pulses.shape[2], real=True)
    spectra = scipy.fft.rfft(moved, size) * scipy.fft.rfft(pulses, size)[:, [0, 1, 1]]
    waves: Float32Array = scipy.fft.irfft(spectra, size)[..., :count]
    for part, wave in zip(parts, waves, strict=True):
        if part.pulse.late:
            wave[:, 0] = 0.0  # rounding of the transforms
    waves *= _fade(count, rate_hz)
    return waves


@functools.lru_cache(maxsize=4096)
def _luck(scattering: Scattering, seed: int, station: str, cell: str) -> Luck:
    return draw_luck(scattering, draw(seed, station, f"path {cell}", 0))


# --- one ray ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What one ray brings to a train."""

    pulse: Pulse
    onset: Onset
    decay_per_s: FloatArray  # of the coda's amplitude, by band
    sample: int  # since 1970, the last one before the arrival
    count: int
    pulse_count: int
    units: FloatArray  # polarisations (ZNE each) of P, or of SV and SH
    amplitudes: FloatArray  # along them, with the radiation's sign
    chance: np.random.Generator

    @property
    def is_scattered(self) -> bool:
        return self.pulse.way.earth.scattering.strength > 0 and self.pulse.ray.phase != "Sp"

    def add_direct(self, moved: Float32Array, rate_hz: int) -> None:
        """What is left of the direct pulse: high frequencies arrive late, and not in step."""
        motion = self.amplitudes @ self.units
        if not self.pulse.way.earth.scattering.strength:
            moved[:, 0] = motion
            return
        delay = self.onset.delay_s * rate_hz
        kept = np.exp(np.arange(min(self.count, int(12 * delay) + 2)) * (-1 / delay)) * -np.expm1(-1 / delay)
        for arriving, late_s in self._arriving(motion):
            late = round(late_s * rate_hz)
            moved[:, late : late + kept.size] += arriving[:, np.newaxis] * kept[: self.count - late]

    def _arriving(self, motion: FloatArray) -> Iterator[tuple[FloatArray, float]]:
        """S comes as a fast and a slow wave, and a part of it by a detour."""
        if self.pulse.ray.wave == "P":
            yield motion, 0.0
            return
        luck, angle = self.pulse.way.luck, np.radians(self.pulse.way.luck.fast_deg)
        slow = np.array([0.0, -np.sin(angle), np.cos(angle)])
        behind = slow * (slow @ motion)
        for share, late_s in ((1 - luck.late_share, 0.0), (luck.late_share, luck.detour_s)):
            yield share * (motion - behind), late_s
            yield share * behind, late_s + luck.split_s

    def add_scattered(self, moved: Float32Array, envelopes: Float32Array, rate_hz: int) -> None:
        along = np.abs(self.amplitudes)[:, np.newaxis] * self.units
        wave_shares = P_SHARES if self.pulse.ray.wave == "P" else S_SHARES
        shares = np.array(wave_shares) * np.sqrt(np.square(along).sum() / 3)
        weights = along.astype(np.float32), shares.astype(np.float32)
        polarised, isotropic = envelopes
        moved += scatter(polarised, isotropic, *weights, rate_hz, self.chance)


# --- one source -------------------------------------------------------------------------------------------------------


class _Train:
    """One source at one station, ray after ray."""

    def __init__(self, way: Way, rate_hz: int, seed: int, floor: Floor, lasts_s: float | None) -> None:
        self._way, self._rate_hz, self._seed, self._floor = way, rate_hz, seed, floor
        away = np.radians(way.path.arriving_deg)
        self._away = np.array([0.0, np.cos(away), np.sin(away)])
        self._across = np.array([0.0, -np.sin(away), np.cos(away)])
        self._tensor = way.event.tensor
        self._rupture = self._split()
        self._rays = [*way.path.rays, *self._converted()] if way.path.first("P") else []
        self._first_s = min((ray.time_s for ray in self._rays), default=0.0)
        self.parts = [part for ray in self._rays for part in self._part(ray, lasts_s)]

    def assemble(self, pieces: Sequence[tuple[int, Float32Array]]) -> WaveTrain | None:
        if not pieces:
            return None
        pieces = [*pieces, *self._surface_waves()]
        start, _ = self._sample(self._first_s)
        velocity = np.zeros((3, max(begin + piece.shape[1] for begin, piece in pieces) - start), dtype=np.float32)
        for begin, piece in pieces:
            velocity[:, begin - start : begin - start + piece.shape[1]] += piece
        arrivals = [Arrival(ray.phase.removeprefix(TELESEISMIC), self._time_ns(ray.time_s)) for ray in self._rays]
        arrivals.sort(key=lambda arrival: arrival.time_ns)
        return WaveTrain(start * (10**9 // self._rate_hz), velocity, tuple(arrivals))

    def _chance(self, phase: str) -> np.random.Generator:
        """Each wave its own, so that it does not matter which are made first."""
        return draw(self._seed, self._way.station.name, f"{phase} {self._way.event.identity}", 0)

    def _time_ns(self, travel_s: float) -> int:
        return self._way.event.time_ns + round(travel_s * 1e9)

    def _sample(self, travel_s: float) -> tuple[int, float]:
        """The last sample before an arrival, and how much of one passes until it comes."""
        step_ns = 10**9 // self._rate_hz
        sample, late_ns = divmod(self._time_ns(travel_s), step_ns)
        return sample, late_ns / step_ns

    def _converted(self) -> Iterator[Ray]:
        way = self._way
        lead_s = way.station.site.sediment_sp_s
        first, shear = way.path.first("P"), way.path.first("S")
        if first and shear and not way.station.borehole_m and SHORTEST_LEAD_S < lead_s < shear.time_s - first.time_s:
            yield replace(shear, phase="Sp", time_s=shear.time_s - lead_s)

    def _part(self, ray: Ray, lasts_s: float | None) -> Iterator[_Part]:
        """Nothing where nobody would see it."""
        way, scattering, rate_hz = self._way, self._way.earth.scattering, self._rate_hz
        onset = _onset(way, ray)
        asked_s = self._heard_s(ray, onset) if lasts_s is None else lasts_s - ray.time_s + self._first_s
        if asked_s <= 0:
            return
        sample, late = self._sample(ray.time_s)
        pulse = Pulse(way, ray, self._shots(ray), late)
        pulse_count = pulse.count(rate_hz)
        decay = scattering.absorbed * absorption(way.earth.attenuation, "S", np.array(BANDS_HZ))
        count = max(round_up(asked_s * rate_hz), pulse_count)
        yield _Part(pulse, onset, decay, sample, count, pulse_count, *self._motion(ray), self._chance(ray.phase))

    def _heard_s(self, ray: Ray, onset: Onset) -> float:
        shear = self._way.path.first("S")
        heard_s = lasts_s(self._way, ray, onset, self._floor, CONVERTED if ray.phase == "Sp" else 1.0)
        if ray.wave == "P" and shear:
            heard_s = min(heard_s, DROWNED * (shear.time_s - ray.time_s) + FADE_S)
        return heard_s

    def _motion(self, ray: Ray) -> tuple[FloatArray, FloatArray]:
        """Polarisations (ZNE each) of P, or of SV and SH, and their amplitudes with the radiation's sign."""
        surface = station_motion(self._way.station, ray, self._way.earth.model)
        p, sv, sh = (float(np.copysign(1, ray.share) * each) for each in self._radiate(ray))
        if ray.phase == "Sp":
            return UP[np.newaxis], np.array([2 * CONVERTED * (abs(sv) + 0.2)])
        if ray.wave == "P":
            radiated = sv if ray.leaves_as == "S" else p
            return (surface.p_up * UP + surface.p_away * self._away)[np.newaxis], self._blur(np.array([radiated]), "P")
        sideways = surface.sv_up * UP + surface.sv_away * self._away
        return np.array([sideways, surface.sh * self._across]), self._blur(np.array([sv, sh]), "S")

    def _blur(self, amplitudes: FloatArray, wave: Wave) -> FloatArray:
        """Waves that leave in other directions fill the nodes of a radiation pattern; the sign stays."""
        if not self._way.earth.scattering.strength:
            return amplitudes
        blast = BLAST_S if wave == "S" and self._way.event.kind is SourceKind.BLAST else 1.0
        mean = RMS_RADIATION[wave] * blast / np.sqrt(amplitudes.size)
        return np.copysign(np.sqrt((1 - WASHED_OUT) * amplitudes**2 + WASHED_OUT * mean**2), amplitudes)

    def _radiate(self, ray: Ray) -> tuple[FloatArray, FloatArray, FloatArray]:
        return sources.radiate(self._tensor, ray.take_off_deg, self._way.path.azimuth_deg)

    # --- the source in time

    def _split(self) -> sources.Subevents | None:
        """The same for all stations."""
        event = self._way.event
        if event.mw <= sources.EXTENDED_FROM_MW:
            return None
        beta_km_s = self._way.earth.model.layer_at(event.depth_km).vs_km_s[0]
        chance = draw(self._seed, event.identity, "rupture", 0)
        return sources.split_rupture(event.mw, event.strike_deg, event.dip_deg, event.depth_km, beta_km_s, chance)

    def _shots(self, ray: Ray) -> Shots | None:
        event = self._way.event
        if event.kind is SourceKind.BLAST:
            delays_s = event.ripple.draw_delays_s(draw(self._seed, event.identity, "rupture", 0))
            return Shots(delays_s, np.full(delays_s.size, 1 / delays_s.size))
        if not self._rupture:
            return None
        delays_s = np.maximum(self._rupture.delay_s - self._ahead_s(ray, self._rupture), 0.0)
        return Shots(delays_s, self._rupture.moment_nm / self._rupture.moment_nm.sum())

    def _ahead_s(self, ray: Ray, rupture: sources.Subevents) -> FloatArray:
        """How much sooner each sub-event's waves arrive for being nearer: directivity."""
        angle, azimuth = np.radians(ray.take_off_deg), np.radians(self._way.path.azimuth_deg)
        direction = np.array([np.sin(angle) * np.cos(azimuth), np.sin(angle) * np.sin(azimuth), np.cos(angle)])
        layer = self._way.earth.model.layer_at(self._way.event.depth_km)
        velocity_km_s = (layer.vp_km_s if ray.wave == "P" else layer.vs_km_s)[0]
        return np.asarray(rupture.offset_km @ direction / velocity_km_s)

    def _surface_waves(self) -> Iterator[tuple[int, Float32Array]]:
        shear = self._way.path.first("S")
        if shear is None:
            return
        waves = rayleigh(self._way, shear, self._shots(shear), self._rate_hz, self._floor, self._chance("Rayleigh"))
        if waves is not None:
            vertical, radial = waves
            away = self._away.astype(np.float32)
            yield self._sample(shear.time_s)[0], np.stack([vertical, away[1] * radial, away[2] * radial])


def _onset(way: Way, ray: Ray) -> Onset:
    """Paths differ: the same for all events of a place would be another lie, so each draws its own."""
    scattering, path, is_p = way.earth.scattering, way.path, ray.wave == "P"
    scattered_km = min(path.hypocentral_km, FARTHEST_SCATTERED_KM)
    delay_s = scattering.peak_delay_s * (scattered_km / 100) ** scattering.growth * way.luck.delay
    soft_s = min(max(0.5 / way.station.site.resonance_hz, 0.1), 1.0)
    coda_per_s = scattering.coda_per_km * scattered_km / ray.time_s * way.luck.coda(ray.wave)
    shear = path.first("S")
    mixed = scattering.mixed * way.luck.p_coda * s_over_p(way, ray, shear) if is_p and shear else 0.0
    return Onset(
        delay_s=min(max(delay_s * (scattering.p_share if is_p else 1.0), SHORTEST_DELAY_S), 3.0),
        travel_s=ray.time_s,
        coda_per_s=coda_per_s * (scattering.p_coda if is_p else 1.0),
        mixed=mixed,
        mixed_s=shear.time_s - ray.time_s if is_p and shear else 1.0,
        local_s=scattering.local_s + soft_s / 4,
        local_share=scattering.local_share,
        turned=scattering.p_turned if is_p else scattering.turned,
        turned_s=scattering.turned_s,
    )


@functools.lru_cache(maxsize=128)
def _fade(count: int, rate_hz: int) -> Float32Array:
    """1 until an end that comes gently."""
    fade = np.ones(count, dtype=np.float32)
    last = min(int(FADE_S * rate_hz), count // 3)
    fade[count - last :] = np.cos(np.linspace(0, np.pi / 2, last)) ** 2
    return fade
