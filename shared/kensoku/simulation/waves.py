"""What a source sends to a station: three components of ground velocity, and the times at which P and S arrive.

Every phase is a direct pulse and what scattering makes of it. The pulse has the minimum phase that belongs to its
spectrum (source, absorption, ground), so it starts at the arrival and keeps the sign of the radiation; scattering is
noise under an envelope (`envelopes`), convolved with the same pulse. Nothing moves before the first arrival.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from kensoku.simulation import sources
from kensoku.simulation.catalogue import Catalogue, Happening
from kensoku.simulation.envelopes import BANDS_HZ, Onset, draw_bands, energy, shape
from kensoku.simulation.networks import Station
from kensoku.simulation.propagation import (
    ComplexArray,
    Earth,
    Hypocentre,
    Path,
    Ray,
    absorb,
    amplify,
    far_field_m_per_nm,
    quality,
    reverberate,
    spreading_per_m,
    station_motion,
    trace,
)
from kensoku.simulation.randomness import FloatArray, draw
from kensoku.simulation.sequences import Emitter, Quarry
from kensoku.simulation.sites import noise_models_db
from kensoku.simulation.sources import Ripple, SourceKind, Subevents

QUIETEST = 0.1  # of the way from the new low to the new high noise model
VISIBLE = 0.3  # over the quietest noise
LONGEST_S = 900.0
FADE_S = 3.0
CONVERTED = 0.2  # Sp over S, and Ps over P, at the base of the sediment
SHORTEST_LEAD_S = 0.05
RMS_RADIATION = {"P": 0.516, "S": 0.632}  # of double couples, Aki & Richards (2002)
WASHED_OUT = 0.5  # share of the scattered energy that has forgotten the radiation pattern
BLAST_S = 0.35  # scattered S of blasts over that of earthquakes
NYQUIST_LOSS = 5.0  # in the logarithm; a digitiser cuts more
FINER = 4  # a pulse is made at this multiple of the rate, so that it may begin between two samples
RAYLEIGH_Q = 45.0
BLAST_RAYLEIGH = 4.0  # over a buried source's: spall works on the surface itself
RAYLEIGH_DEEPEST_KM = 8.0


@dataclass(frozen=True, slots=True)
class Arrival:
    phase: str  # Pg, Pn, Sg, Sn, Sp; P and S from below the Moho
    time_ns: int  # theoretical, at the sensor


@dataclass(frozen=True, slots=True, eq=False)
class WaveTrain:
    start_ns: int  # a whole number of samples since 1970
    velocity_m_s: FloatArray  # (3, samples): Z, N, E
    arrivals: tuple[Arrival, ...]  # in order of time


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One source."""

    time_ns: int
    latitude_deg: float
    longitude_deg: float
    depth_km: float
    mw: float
    corner_hz: float  # of S
    kind: SourceKind = SourceKind.EARTHQUAKE
    strike_deg: float = 0.0
    dip_deg: float = 90.0
    rake_deg: float = 0.0
    p_over_s_corner: float = 1.4
    ripple: Ripple = field(default_factory=Ripple)  # of a blast
    resonance_hz: float = 1.5  # of a volcanic long-period event
    quality: float = 15.0

    @property
    def identity(self) -> str:
        return f"{self.time_ns}/{self.latitude_deg:.5f}/{self.longitude_deg:.5f}/{self.mw:.4f}"

    @property
    def hypocentre(self) -> Hypocentre:
        return Hypocentre(self.latitude_deg, self.longitude_deg, self.depth_km, self.kind)


def events_of(catalogue: Catalogue, sequences: Sequence[Happening] = ()) -> Iterator[Event]:
    """The rows of a catalogue, in its order; quarries and volcanoes among the sequences say how they sound."""
    named = {sequence.name: sequence for sequence in sequences}
    for row in range(len(catalogue)):
        sequence = named.get(str(catalogue.sequence[row]))
        yield Event(
            time_ns=int(catalogue.time_ns[row]),
            latitude_deg=float(catalogue.latitude_deg[row]),
            longitude_deg=float(catalogue.longitude_deg[row]),
            depth_km=float(catalogue.depth_km[row]),
            mw=float(catalogue.mw[row]),
            corner_hz=float(catalogue.corner_hz[row]),
            kind=SourceKind(str(catalogue.kind[row])),
            strike_deg=float(catalogue.strike_deg[row]),
            dip_deg=float(catalogue.dip_deg[row]),
            rake_deg=float(catalogue.rake_deg[row]),
            ripple=sequence.ripple if isinstance(sequence, Quarry) else Ripple(),
            resonance_hz=sequence.resonance_hz if isinstance(sequence, Emitter) else 1.5,
            quality=sequence.quality if isinstance(sequence, Emitter) else 15.0,
        )


def wave_train(event: Event, station: Station, earth: Earth, rate_hz: int, seed: int) -> WaveTrain | None:
    """None where nothing would rise above the quietest noise."""
    return render(event, station, trace([event.hypocentre], [station], earth.model)[0], earth, rate_hz, seed)


def wave_trains(events: Sequence[Event], station: Station, earth: Earth, seed: int) -> Iterator[WaveTrain | None]:
    """Of many sources at one station, at its sampling rate: rays are traced together, which is much faster."""
    paths = trace([event.hypocentre for event in events], [station] * len(events), earth.model) if events else []
    for event, path in zip(events, paths, strict=True):
        yield render(event, station, path, earth, station.rate_hz, seed)


def render(
    event: Event, station: Station, path: Path, earth: Earth, rate_hz: int, seed: int, lasts_s: float | None = None
) -> WaveTrain | None:
    """The waves of a path; `lasts_s` after the first of them they end, or when nobody could see them any more."""
    first = path.first("P")
    lasts_s = _duration_s(event, station, path, earth, rate_hz) if lasts_s is None else lasts_s
    if first is None or not lasts_s:
        return None
    step_ns = 10**9 // rate_hz
    begins_ns = event.time_ns + round(first.time_s * 1e9)
    start = begins_ns // step_ns
    train = _Train(event, station, path, earth, rate_hz, start, int(lasts_s * rate_hz), seed)
    velocity = np.zeros((3, train.count))
    arrivals = []
    for ray in train.rays():
        train.add(velocity, ray)
        arrivals.append(Arrival(ray.phase.removeprefix("teleseismic "), event.time_ns + round(ray.time_s * 1e9)))
    train.add_rayleigh(velocity)
    fade = np.cos(np.linspace(0, np.pi / 2, int(FADE_S * rate_hz))) ** 2
    velocity[:, -fade.size :] *= fade
    arrivals.sort(key=lambda arrival: arrival.time_ns)
    return WaveTrain(start * step_ns, velocity, tuple(arrivals))


# --- spectra ----------------------------------------------------------------------------------------------------------


def _source_shape(event: Event, ray: Ray, hz: FloatArray, mw: float) -> FloatArray:
    """Moment rate of a source of this magnitude and the event's stress drop, over its moment."""
    if event.kind is SourceKind.LONG_PERIOD:
        return np.abs(sources.resonance_spectrum(hz, event.resonance_hz, event.quality))
    corner = event.corner_hz * (event.p_over_s_corner if ray.wave == "P" else 1.0)
    return sources.source_spectrum(hz, corner * 10 ** (0.5 * (event.mw - mw)))


def _radiation(tensor: FloatArray, path: Path, ray: Ray) -> tuple[float, float, float]:
    """P, SV and SH of the ray's own wave."""
    p, sv, sh = sources.radiate(tensor, ray.take_off_deg, path.azimuth_deg)
    return (float(p), 0.0, 0.0) if ray.wave == "P" else (0.0, float(sv), float(sh))


def _tensor(event: Event) -> FloatArray:
    if event.kind is SourceKind.BLAST:
        return sources.blast_tensor()
    if event.kind in (SourceKind.ICEQUAKE, SourceKind.LONG_PERIOD):
        along, _ = sources.plane_axes(event.strike_deg, event.dip_deg)
        return sources.crack_tensor(np.array([-along[1], along[0], 0.0]))
    return sources.moment_tensor(event.strike_deg, event.dip_deg, event.rake_deg)


def _log_spectrum(event: Event, station: Station, path: Path, ray: Ray, earth: Earth, hz: FloatArray) -> FloatArray:
    """Of displacement (m s) in rock for a radiation of 1, before the free surface and the ground."""
    scale = far_field_m_per_nm(earth, ray.wave, event.depth_km) * spreading_per_m(path, earth.attenuation) * ray.share
    shape_ = _source_shape(event, ray, hz, _leading_mw(event))
    log: FloatArray = np.log(scale * float(sources.moment_nm(event.mw)) * shape_)
    return log + absorb(path, ray, station.site, earth.attenuation, hz)


def _leading_mw(event: Event) -> float:
    """The size of the sub-events whose corner an earthquake has."""
    count = round(4 * 10 ** (0.5 * (event.mw - sources.SEVERAL_FROM_MW))) if event.mw > sources.SEVERAL_FROM_MW else 1
    return event.mw - math.log10(count) / 1.5


def minimum_phase(log_amplitude: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.complexfloating[Any, Any]]:
    """The spectrum of the causal pulse that has these amplitudes and as much of its energy as early as can be."""
    count = 2 * (log_amplitude.shape[-1] - 1)
    cepstrum = scipy.fft.irfft(np.maximum(log_amplitude, log_amplitude.max() - 23.0), count)
    cepstrum[..., 1 : count // 2] *= 2
    cepstrum[..., count // 2 + 1 :] = 0
    pulse: npt.NDArray[np.complexfloating[Any, Any]] = np.exp(scipy.fft.rfft(cepstrum))
    return pulse


def _log_of_derivative(hz: FloatArray, rate_hz: float) -> FloatArray:
    """What the difference of two samples, which is causal, lacks as a derivative."""
    angle = np.pi * hz / rate_hz
    lacking: FloatArray = np.log(np.where(angle > 0, angle / np.sin(np.maximum(angle, 1e-9)), 1.0))
    return lacking


# --- how long ---------------------------------------------------------------------------------------------------------


def _duration_s(event: Event, station: Station, path: Path, earth: Earth, rate_hz: int) -> float:
    """From the first arrival to when the coda sinks below the quietest noise; 0 where nothing rises above it."""
    hz = np.geomspace(0.3, 0.4 * rate_hz, 10)
    noise = 10 ** ((_quietest_db(tuple(hz)) - 20 * np.log10(2 * np.pi * hz)) / 20) * np.sqrt(0.7 * hz)
    first = path.first("P")
    lasts_s = 0.0
    for ray in path.rays:
        log = _log_spectrum(event, station, path, ray, earth, hz) + np.log(2 * amplify(station.site, hz)[1])
        velocity = np.exp(log) * 2 * np.pi * hz * RMS_RADIATION[ray.wave]
        if (velocity * hz / noise).max() < VISIBLE or first is None:
            continue
        onset = _onset(event, station, path, ray, earth)
        time_s = np.geomspace(0.5, LONGEST_S, 60)
        absorbed = np.exp(-np.outer(time_s, np.pi * hz / quality(earth.attenuation, "S", hz)))
        coda = velocity / noise * absorbed * np.sqrt(1.4 * hz * energy(onset, time_s)[:, np.newaxis])
        seen = time_s[coda.max(axis=1) > VISIBLE]
        source_s = float(sources.rupture_duration_s(event.mw, event.corner_hz, 3.5)) + 2 / event.corner_hz
        ends_s = ray.time_s - first.time_s + max(seen.max(initial=0.5), source_s + 4.0)
        lasts_s = max(lasts_s, min(ends_s, LONGEST_S) + FADE_S)
    return lasts_s


@functools.lru_cache(maxsize=16)
def _quietest_db(hz: tuple[float, ...]) -> FloatArray:
    low, high = noise_models_db(np.array(hz))
    level: FloatArray = low + QUIETEST * (high - low)
    return level


def _onset(event: Event, station: Station, path: Path, ray: Ray, earth: Earth) -> Onset:
    """Paths differ: the same for all events of a place would be another lie, so each draws its own."""
    scattering = earth.scattering
    delay_s = scattering.peak_delay_s * (path.hypocentral_km / 100) ** scattering.growth
    if ray.wave == "P":
        delay_s *= scattering.p_share
    velocity_km_s = path.hypocentral_km / ray.time_s
    soft = float(np.clip(0.5 / station.site.resonance_hz, 0.1, 1.0))
    return Onset(
        delay_s=float(np.clip(delay_s, 0.07 if ray.wave == "S" else 0.05, 3.0)),
        travel_s=ray.time_s,
        coda_per_s=scattering.coda_per_km * velocity_km_s * (scattering.p_coda if ray.wave == "P" else 1.0),
        local_s=scattering.local_s + soft / 2,
        local_share=scattering.local_share,
        turned=scattering.turned,
        turned_s=scattering.turned_s,
    )


@functools.lru_cache(maxsize=64)
def _delays(frequencies: int) -> npt.NDArray[np.complex64]:
    """Spectrum of a delay of one sample."""
    delay: npt.NDArray[np.complex64] = np.exp(-1j * np.pi * np.linspace(0, 1, frequencies)).astype(np.complex64)
    return delay


# --- the train --------------------------------------------------------------------------------------------------------


class _Train:
    """One source at one station, ray after ray."""

    def __init__(
        self, event: Event, station: Station, path: Path, earth: Earth, rate_hz: int, start: int, count: int, seed: int
    ) -> None:
        self.event, self.station, self.path, self.earth, self.count = event, station, path, earth, count
        self._rate_hz, self._start = rate_hz, start
        self._chance = draw(seed, station.name, f"waves {event.identity}", 0)
        self._seed, self._tensor = seed, _tensor(event)
        self._subevents = self._split() if event.mw > sources.SEVERAL_FROM_MW else None
        away = np.radians(path.arriving_deg)
        self._away = np.array([0.0, np.cos(away), np.sin(away)])
        self._across = np.array([0.0, -np.sin(away), np.cos(away)])

    def _source_chance(self) -> np.random.Generator:
        """The same for all stations."""
        return draw(self._seed, self.event.identity, "rupture", 0)

    def rays(self) -> Iterator[Ray]:
        yield from self.path.rays
        lead_s = self.station.site.sediment_sp_s
        first, shear = self.path.first("P"), self.path.first("S")
        if not first or not shear or self.station.borehole_m:
            return
        if SHORTEST_LEAD_S < lead_s < shear.time_s - first.time_s:
            yield replace(shear, phase="Sp", time_s=shear.time_s - lead_s)

    def add(self, velocity: FloatArray, ray: Ray) -> None:
        """Adds what one ray brings, from its sample on."""
        step_ns = 10**9 // self._rate_hz
        sample, late_ns = divmod(self.event.time_ns + round(ray.time_s * 1e9) - self._start * step_ns, step_ns)
        count = self.count - sample
        if count < 2:
            return
        pulse = self._pulse(ray, count, late_ns / step_ns)  # (Z, H; frequencies)
        motion = self._motion(ray)
        size = 2 * (pulse.shape[1] - 1)
        components = pulse[[0, 1, 1]]
        spectrum = self._coherent(ray, pulse.shape[1]) * motion.sum(axis=0).astype(np.float32)[:, np.newaxis]
        if self.earth.scattering.strength and ray.phase != "Sp":
            spectrum = spectrum + scipy.fft.rfft(self._scattered(ray, motion, count), size)
        added = scipy.fft.irfft(spectrum * components, size)[:, :count]
        if late_ns:
            added[:, 0] = 0.0  # rounding of the transforms
        velocity[:, sample:] += added

    def _motion(self, ray: Ray) -> FloatArray:
        """Of the direct wave, (polarisations, ZNE): P, or SV and SH, with the radiation's sign."""
        surface = station_motion(self.station, ray, self.earth.model)
        p, sv, sh = _radiation(self._tensor, self.path, ray)
        up = np.array([1.0, 0.0, 0.0])
        if ray.phase == "Sp":
            return np.array([2 * CONVERTED * (abs(sv) + 0.2) * up])
        if ray.wave == "P":
            return np.array([p * (surface.p_up * up + surface.p_away * self._away)])
        return np.array([sv * (surface.sv_up * up + surface.sv_away * self._away), sh * surface.sh * self._across])

    def _pulse(self, ray: Ray, count: int, fraction: float) -> ComplexArray:
        """Velocity spectra of the vertical and the horizontals, for `count` samples and no wrap-around."""
        rate_hz, event = self._rate_hz, self.event
        fine_hz = FINER * rate_hz
        lasts = scipy.fft.next_fast_len(int(fine_hz * self._pulse_s()), real=True)
        lasts += lasts % 2
        hz = np.fft.rfftfreq(lasts, 1 / fine_hz)
        log = _log_spectrum(event, self.station, self.path, ray, self.earth, hz) + _log_of_derivative(hz, fine_hz)
        log -= NYQUIST_LOSS * np.minimum(2 * hz / rate_hz, 2.0) ** 12
        ground = np.log(np.array(amplify(self.station.site, hz)))
        displacement = scipy.fft.irfft(minimum_phase((log + ground).astype(np.float32)), lasts) * np.float32(fine_hz)
        velocity = np.diff(displacement, prepend=np.float32(0.0)) * np.float32(fine_hz)
        starts = int(np.ceil(fraction * FINER))
        pulse = np.pad(velocity, ((0, 0), (starts, 0)))[:, ::FINER][:, :count]
        length = scipy.fft.next_fast_len(2 * count, real=True)
        length += length % 2
        spectrum: ComplexArray = scipy.fft.rfft(pulse.astype(np.float32), length)
        return spectrum * self._timing(ray, count, length)

    def _pulse_s(self) -> float:
        """After which source and ground are at rest."""
        event = self.event
        if event.kind is SourceKind.LONG_PERIOD:
            return 3.0 + 4.0 * event.quality / event.resonance_hz
        corner_hz = event.corner_hz * 10 ** (0.5 * (event.mw - _leading_mw(event)))
        return 2.0 + max(2.0 / corner_hz, 4.0 / self.station.site.resonance_hz)

    def _timing(self, ray: Ray, count: int, length: int) -> ComplexArray | float:
        """Delays: sub-events, the holes of a blast, the surface above a borehole."""
        hz = np.fft.rfftfreq(length, 1 / self._rate_hz)
        factor: ComplexArray | float = reverberate(self.station, ray, hz) if self.station.borehole_m else 1.0
        if self.event.kind is SourceKind.BLAST:
            factor = factor * sources.ripple_spectrum(hz, self.event.ripple.draw_delays_s(self._source_chance()))
        if self._subevents:
            delays_s = np.maximum(self._subevents.delay_s - self._ahead_s(ray), 0)
            taps = np.minimum(np.rint(delays_s * self._rate_hz).astype(np.intp), count - 1)
            weights = self._subevents.moment_nm / self._subevents.moment_nm.sum()
            factor = factor * scipy.fft.rfft(np.bincount(taps, weights), length)
        return factor

    def _ahead_s(self, ray: Ray) -> FloatArray:
        """How much sooner each sub-event's waves arrive for being nearer: directivity."""
        assert self._subevents
        angle, azimuth = np.radians(ray.take_off_deg), np.radians(self.path.azimuth_deg)
        direction = np.array([np.sin(angle) * np.cos(azimuth), np.sin(angle) * np.sin(azimuth), np.cos(angle)])
        layer = self.earth.model.layer_at(self.event.depth_km)
        velocity_km_s = (layer.vp_km_s if ray.wave == "P" else layer.vs_km_s)[0]
        return np.asarray(self._subevents.offset_km @ direction / velocity_km_s)

    def _split(self) -> Subevents:
        event = self.event
        beta = self.earth.model.layer_at(event.depth_km).vs_km_s[0]
        return sources.split_rupture(
            event.mw, event.strike_deg, event.dip_deg, event.depth_km, beta, self._source_chance()
        )

    def _coherent(self, ray: Ray, frequencies: int) -> npt.NDArray[np.complex64]:
        """What is left of the direct pulse: high frequencies arrive late, and not in step."""
        if not self.earth.scattering.strength:
            return np.ones(frequencies, dtype=np.complex64)
        delay = _onset(self.event, self.station, self.path, ray, self.earth).delay_s * self._rate_hz
        keeps = np.exp(-1 / delay)
        left: npt.NDArray[np.complex64] = np.complex64(1 - keeps) / (1 - np.complex64(keeps) * _delays(frequencies))
        return left

    def _scattered(self, ray: Ray, motion: FloatArray, count: int) -> npt.NDArray[np.float32]:
        """(ZNE, samples): first along the ray's polarisation, later on all components."""
        onset = _onset(self.event, self.station, self.path, ray, self.earth)
        qualities = quality(self.earth.attenuation, "S", np.array(BANDS_HZ))
        envelopes, turned = shape(onset, qualities, count, self._rate_hz, self.earth.scattering.strength)
        along = self._washed_out(ray, motion)
        noise = draw_bands(len(along) + 3, count, self._rate_hz, self._chance)
        enveloped = np.einsum("bn,bkn->kn", envelopes, noise)
        level = np.sqrt((along**2).sum() / 3)
        shares = np.array([1.2, 0.9, 0.9]) if ray.wave == "P" else np.array([1.1, 0.95, 0.95])
        polarised = np.einsum("kc,kn->cn", along.astype(np.float32), enveloped[: len(along)])
        isotropic = (level * shares).astype(np.float32)[:, np.newaxis] * enveloped[len(along) :]
        scattered: npt.NDArray[np.float32] = np.sqrt(1 - turned) * polarised + np.sqrt(turned) * isotropic
        return scattered

    def _washed_out(self, ray: Ray, motion: FloatArray) -> FloatArray:
        """Polarisations with amplitudes between the ray's own and those of all rays together."""
        if ray.phase == "Sp":
            return motion
        surface = station_motion(self.station, ray, self.earth.model)
        mean = RMS_RADIATION[ray.wave] * (BLAST_S if ray.wave == "S" and self.event.kind is SourceKind.BLAST else 1.0)
        up = np.array([1.0, 0.0, 0.0])
        if ray.wave == "P":
            units = np.array([surface.p_up * up + surface.p_away * self._away])
        else:
            mean /= np.sqrt(2)
            units = np.array([surface.sv_up * up + surface.sv_away * self._away, surface.sh * self._across])
        own = np.linalg.norm(motion, axis=1) / np.linalg.norm(units, axis=1)
        blended = np.sqrt((1 - WASHED_OUT) * own**2 + WASHED_OUT * mean**2)
        return np.asarray(blended[:, np.newaxis] * units)

    def add_rayleigh(self, velocity: FloatArray) -> None:
        """Short-period Rayleigh waves of shallow sources: dispersed, retrograde, after S."""
        event, path, shear = self.event, self.path, self.path.first("S")
        if shear is None or path.is_teleseismic or event.depth_km > RAYLEIGH_DEEPEST_KM:
            return
        size = scipy.fft.next_fast_len(2 * self.count, real=True)
        size += size % 2
        hz = np.fft.rfftfreq(size, 1 / self._rate_hz)
        layer = self.earth.model.layers[0]
        fastest = 0.92 * layer.vs_km_s[0]
        speed = fastest * (0.7 + 0.3 / (1 + hz))  # of groups, km/s
        wavelength = fastest / np.maximum(hz, 0.1)
        log = _log_spectrum(event, self.station, path, replace(shear, time_s=0.0), self.earth, hz)
        excited = np.exp(-2 * np.pi * 0.8 * np.maximum(event.depth_km, 0.0) / wavelength)
        lost = np.exp(-np.pi * hz * path.distance_km / (speed * RAYLEIGH_Q))
        guided = 0.4 * np.sqrt(path.hypocentral_km / wavelength)
        strong = BLAST_RAYLEIGH if event.kind is SourceKind.BLAST else 1.0
        amplitude = strong * minimum_phase(log) * excited * lost * guided * 2 * np.pi * hz
        late_s = event.time_ns / 1e9 - self._start / self._rate_hz + path.distance_km / speed
        phase = -2 * np.pi * np.cumsum(late_s) * (hz[1] - hz[0]) + self._chance.uniform(0, 2 * np.pi)
        vertical = amplitude * np.exp(1j * phase) * self._timing(shear, self.count, size)
        vertical *= scipy.fft.rfft(self._spread(), size)
        waves = scipy.fft.irfft(np.array([vertical, 0.75j * vertical]), size)[:, : self.count] * self._rate_hz
        begins = int((event.time_ns / 1e9 + shear.time_s) * self._rate_hz - self._start)
        ramp = np.clip((np.arange(self.count) - begins) / (0.5 * self._rate_hz), 0, 1)
        velocity[0] += ramp * waves[0]
        velocity[1:] += ramp * waves[1] * self._away[1:, np.newaxis]

    def _spread(self) -> FloatArray:
        """Paths beside the straight one bring the same waves again, later and weaker."""
        times_s = np.arange(min(self.count, int(6 * self._rate_hz))) / self._rate_hz
        noise = self._chance.standard_normal(times_s.size) * np.exp(-times_s / 1.5) / np.sqrt(0.75 * self._rate_hz)
        noise[0] = 1.0
        return np.asarray(noise)
