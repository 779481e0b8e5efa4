"""Training examples: 30 s of a station nobody has seen, with every P and S, and how well they can be seen.

What the dice say of sources, ways and stations is in `window_draws`, noise in `window_noise`, and what spoils records
in `window_mishaps`; here all of it becomes counts, and arrivals become labels. A window is a function of its generator.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy.fft

from kensoku.simulation.disturbances import Disturbance
from kensoku.simulation.instruments import SENSORS, Digitiser, Instrument
from kensoku.simulation.propagation import ComplexArray
from kensoku.simulation.randomness import FloatArray
from kensoku.simulation.recorder import LARGEST_COUNT, SHIFT_A_S, SHIFT_WEIGHTS, SHIFTS_FROM_M_S2
from kensoku.simulation.sources import SourceKind
from kensoku.simulation.visibility import SEEN_HZ, UNKNOWN, VISIBLE_SNR, judge
from kensoku.simulation.waves import WaveTrain, render
from kensoku.simulation.window_draws import (
    RATE_HZ,
    Draw,
    draw_aftershocks,
    draw_event,
    draw_follower,
    draw_like_blasts,
    draw_noise,
    draw_path,
    draw_window,
)
from kensoku.simulation.window_mishaps import (
    Gap,
    Mishaps,
    disturb_ground,
    disturb_sensor,
    draw_mishaps,
    interrupt,
    loudness,
    silence,
    spoil,
)
from kensoku.simulation.window_noise import make_noise

Wave = Literal["P", "S"]

WINDOW_S = 30
UNSURE_S = (0.5, 2.0)  # before and after an arrival that is no label: an analyst would be as unsure
UNSURE_SHARE = 0.2  # of S-P, if that is more: distant arrivals are softer

P_INSIDE, S_INSIDE = 0.57, 0.38  # shares of windows in which the first P, or the last S, is; else the coda is
LATEST_CODA_S = 20.0  # before the window, of an S whose coda alone is left
P_OF_BLASTS_S = (2.0, 14.0)  # of windows of blasts and their like: 30 s of a record's middle hold what follows
FOLLOWERS = (0.8, 0.15, 0.05)  # shares of windows with none, one and two further earthquakes
CLOSE = 0.6  # share of those that come within FOLLOWER_S before or after the first
FOLLOWER_S = (0.3, 20.0)
FOLLOWER_DECADES = 1.5  # by which one is at most louder or fainter than the first

COARSE = 0.12  # share of digitisers that have 16 bits
COARSE_COUNTS = (0.3, 4.0)  # rms of their quiet ground, 2 to 20 Hz
COARSE_LARGEST = 2**15 - 1
COARSE_NOISE = 0.3  # counts
REMEMBERED = 4  # lengths of the record in which a broadband sensor comes to rest
TURNED = 0.5  # share of sensors whose horizontals are not north and east

_WARM_UP = 400  # samples before the window
_COUNT = 3600  # samples that are made
_LENGTH = RATE_HZ * WINDOW_S
_WITHIN = slice(_WARM_UP, _WARM_UP + _LENGTH)
_START_NS = -_WARM_UP * 10**9 // RATE_HZ  # counted from the window's first sample


@dataclass(frozen=True, slots=True)
class Label:
    """An arrival, also one before or after the window."""

    source: int  # counted from 0
    phase: str  # Pg, Pn, Sg, Sn; Sp is none of both
    sample: float  # of the window, in theory
    snr: float  # see `visibility`; NaN outside of the window
    record_snr: float

    @property
    def wave(self) -> Wave | None:
        if self.phase == "Sp":
            return None
        return "P" if self.phase.startswith("P") else "S"

    @property
    def is_visible(self) -> bool:
        return self.snr >= VISIBLE_SNR


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    counts: npt.NDArray[np.int32]  # (3, samples): Z, N, E
    labels: tuple[Label, ...]  # in order of time
    kinds: tuple[SourceKind, ...]  # of the sources, which labels count
    disturbances: tuple[Disturbance, ...]  # `start_ns` counts from the window's first sample
    gaps: tuple[Gap, ...]
    draw: Draw  # of the first source

    def picks(self, wave: Wave) -> tuple[Label, ...]:
        """What an analyst could pick: of each source the first visible arrival of this wave, if it is in the window."""
        found: dict[int, Label] = {}
        for label in self.labels:
            if label.wave == wave and label.is_visible:
                found.setdefault(label.source, label)
        return tuple(found.values())

    def known(self, wave: Wave) -> npt.NDArray[np.bool_]:
        """False where nobody can say whether this wave arrives: around arrivals that are no picks, and in gaps."""
        known: npt.NDArray[np.bool_] = self.recorded().any(axis=0)
        picks = self.picks(wave)
        for label in self.labels:
            if label.wave == wave and label not in picks:
                before_s, after_s = UNSURE_S
                after_s = max(after_s, UNSURE_SHARE * self._s_minus_p_s(label.source))
                first, last = label.sample - RATE_HZ * before_s, label.sample + RATE_HZ * after_s
                known[max(int(first), 0) : max(int(last), 0)] = False
        return known

    def recorded(self) -> npt.NDArray[np.bool_]:
        """(3, samples): False where nothing came, and counts are 0."""
        recorded = np.ones(self.counts.shape, dtype=np.bool_)
        interrupt(recorded, self.gaps)
        return recorded

    def _s_minus_p_s(self, source: int) -> float:
        samples = [label.sample for label in self.labels if label.source == source]
        return (max(samples) - min(samples)) / RATE_HZ


def simulate_window(chance: np.random.Generator) -> Window:
    draw = draw_window(chance)
    return _simulate(draw, lambda: _draw_sources(draw, chance), chance)


def simulate_like_blasts(event: np.random.Generator, chance: np.random.Generator) -> Window:
    """A blast, or an earthquake that could be taken for one, alone: `event` is alike for all its stations."""
    draw = draw_like_blasts(event, chance)
    return _simulate(draw, lambda: [_send(draw, chance.uniform(*P_OF_BLASTS_S), "first", chance, event)], chance)


def simulate_aftershocks(chance: np.random.Generator) -> Window:
    """A station near a swarm: earthquake upon earthquake, most of them small, each in the coda of others."""
    draws = draw_aftershocks(chance)
    return _simulate(draws[0], lambda: _send_all(draws, chance), chance)


def _send_all(draws: tuple[Draw, ...], chance: np.random.Generator) -> list["_Source"]:
    return [_send(each, chance.uniform(-LATEST_CODA_S, WINDOW_S), "first", chance) for each in draws]


def _simulate(draw: Draw, draw_sources: Callable[[], list["_Source"]], chance: np.random.Generator) -> Window:
    site, busy_db = draw_noise(draw, chance)
    mishaps = draw_mishaps(SENSORS[draw.sensor], WINDOW_S, RATE_HZ, chance)
    sources = draw_sources()
    waves = np.array([source.ground for source in sources]).reshape(-1, 3, _COUNT)
    noise = make_noise(site, busy_db, loudness(mishaps, _times_s()), RATE_HZ, chance)
    record = _record(draw.instrument, waves, noise, mishaps, chance)
    return Window(
        counts=record.counts[:, _WITHIN].copy(),
        labels=_label(sources, record),
        kinds=tuple(source.kind for source in sources),
        disturbances=mishaps.disturbances,
        gaps=mishaps.gaps,
        draw=replace(draw, digitiser=record.digitiser),
    )


# --- sources ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    kind: SourceKind
    ground: FloatArray  # velocity (m/s) from it alone, (ZNE, samples that are made)
    arrivals: tuple[tuple[str, float], ...]  # phase, and sample of the window

    @property
    def loudest(self) -> float:
        return float(np.abs(self.ground).max())


def _draw_sources(draw: Draw, chance: np.random.Generator) -> list[_Source]:
    if draw.kind is None:
        return []
    where = chance.random()
    place_s = chance.uniform(0.0, WINDOW_S) if where < P_INSIDE + S_INSIDE else chance.uniform(-LATEST_CODA_S, 0.0)
    first = _send(draw, place_s, "first" if where < P_INSIDE else "last", chance)
    sources = [first]
    for _ in range(chance.choice(len(FOLLOWERS), p=FOLLOWERS)):
        after_s = np.exp(chance.uniform(*np.log(FOLLOWER_S))) * chance.choice([-1.0, 1.0, 1.0])
        begins_s = min(sample for _, sample in first.arrivals) / RATE_HZ
        place_s = max(begins_s, 0.0) + after_s if chance.random() < CLOSE else chance.uniform(-10.0, WINDOW_S)
        if place_s < WINDOW_S:
            follower = _send(draw_follower(draw, chance), max(place_s, -LATEST_CODA_S), "first", chance)
            ratio = 10 ** chance.uniform(-FOLLOWER_DECADES, FOLLOWER_DECADES)
            if first.loudest and follower.loudest:
                follower.ground[:] *= ratio * first.loudest / follower.loudest
            sources.append(follower)
    return sources


def _send(
    draw: Draw,
    place_s: float,
    anchor: Literal["first", "last"],
    chance: np.random.Generator,
    event_chance: np.random.Generator | None = None,
) -> _Source:
    """One source, whose first P or last S arrives at `place_s` of the window."""
    path = draw_path(draw, chance)
    event = draw_event(draw, path, event_chance or chance, is_like_blasts=event_chance is not None)
    times_s = sorted(ray.time_s for ray in path.rays)
    reaches_s = times_s[0 if anchor == "first" else -1] - place_s + _START_NS / 1e9  # travel time at the first sample
    start = round((event.time_ns / 1e9 + reaches_s) * RATE_HZ)
    lasts_s = _COUNT / RATE_HZ + max(reaches_s - times_s[0], 0.0)
    train = render(event, draw.station, path, draw.earth, RATE_HZ, int(chance.integers(2**31)), lasts_s)
    arrivals = train.arrivals if train else ()
    samples = ((each.phase, each.time_ns * RATE_HZ / 1e9 - start - _WARM_UP) for each in arrivals)
    return _Source(event.kind, _place(train, start), tuple(samples))


def _place(train: WaveTrain | None, start: int) -> FloatArray:
    """The train on the samples from `start` on; it fades in if it had begun before, and out at the end."""
    ground = np.zeros((3, _COUNT))
    if train is None:
        return ground
    offset = train.start_ns * RATE_HZ // 10**9 - start
    skipped, first = max(-offset, 0), max(offset, 0)
    placed = train.velocity_m_s[:, skipped : skipped + max(_COUNT - first, 0)]
    ground[:, first : first + placed.shape[1]] = placed
    if skipped:
        ground[:, : _fade().size] *= _fade()
    ground[:, -_fade().size :] *= _fade()[::-1]
    return ground


@functools.cache
def _fade() -> FloatArray:
    fade: FloatArray = np.sin(np.linspace(0, np.pi / 2, _COUNT - _WARM_UP - _LENGTH)) ** 2
    return fade


# --- records ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Record:
    counts: npt.NDArray[np.int32]  # all samples that are made
    waves: FloatArray  # the counts that the waves of each source alone would make, (sources, ZNE, samples)
    digitiser: Digitiser


@functools.cache
def _times_s() -> FloatArray:
    """Of the samples that are made, from the window's first."""
    return (np.arange(_COUNT) - _WARM_UP) / RATE_HZ


@functools.cache
def _response(sensor: str, digitiser_hz: int, is_causal: bool, count: int) -> ComplexArray:
    """At gain 1."""
    return Instrument(SENSORS[sensor], Digitiser(digitiser_hz, is_causal=is_causal)).response(_hz(count))


@functools.cache
def _digitiser_response(digitiser_hz: int, is_causal: bool) -> ComplexArray:
    return Digitiser(digitiser_hz, is_causal=is_causal).response(_hz(_COUNT))


@functools.cache
def _hz(count: int) -> FloatArray:
    hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    hz[0] = hz[1] / 2  # nobody looks at what is slower than the record
    return hz


def _sense(ground: FloatArray, instrument: Instrument) -> FloatArray:
    """Counts at gain 1; a pendulum of many seconds must not swing on from the end of the record into its start."""
    digitiser = instrument.digitiser
    count = _COUNT * (REMEMBERED if instrument.sensor.is_broadband else 1)
    response = _response(instrument.sensor.name, digitiser.rate_hz, digitiser.is_causal, count)
    sensed: FloatArray = scipy.fft.irfft(scipy.fft.rfft(ground, count) * response, count)[..., :_COUNT]
    return sensed


def _record(
    instrument: Instrument, ground: FloatArray, noise: ComplexArray, mishaps: Mishaps, chance: np.random.Generator
) -> _Record:
    """Turned, unequal, clipped, rounded, and spoilt."""
    digitiser = instrument.digitiser
    noise = (noise + _footsteps(mishaps)) * _response(
        instrument.sensor.name, digitiser.rate_hz, digitiser.is_causal, _COUNT
    )
    largest, gain, converter = LARGEST_COUNT, digitiser.gain, instrument.noise_counts
    if chance.random() < COARSE:
        wanted = np.exp(chance.uniform(*np.log(COARSE_COUNTS)))
        largest, gain, converter = COARSE_LARGEST, float(wanted / _seen_rms(noise[0])), COARSE_NOISE
    recorded = np.concatenate([_sense(ground, instrument), scipy.fft.irfft(noise, _COUNT)[np.newaxis]])
    turned = _turn(gain * recorded, instrument.gain_errors, chance)
    signal, quiet = turned[:-1].sum(axis=0), turned[-1]
    tuned = replace(instrument, digitiser=replace(digitiser, gain=gain))
    if instrument.sensor.is_accelerometer:
        quiet += _shift(signal, tuned, chance)
    quiet += _disturb(tuned, mishaps)
    quiet += converter * chance.standard_normal(quiet.shape) + np.array(mishaps.offset_counts)[:, np.newaxis]
    limit = min(tuned.full_scale * tuned.sensitivity, largest)
    counts = np.rint(np.clip(signal + quiet, -limit, limit)).astype(np.int32)
    seen = np.clip(turned[:-1], -limit, limit)
    spoil(counts[:, _WITHIN], RATE_HZ, mishaps)
    for waves_of_one in seen:
        silence(waves_of_one[:, _WITHIN], mishaps)
    return _Record(counts, seen, tuned.digitiser)


def _turn(recorded: FloatArray, gain_errors: tuple[float, float, float], chance: np.random.Generator) -> FloatArray:
    """To where the sensor's components look, each with a gain of its own."""
    angle = chance.uniform(0, 2 * np.pi) if chance.random() < TURNED else 0.0
    turn = np.array([[1, 0, 0], [0, np.cos(angle), np.sin(angle)], [0, -np.sin(angle), np.cos(angle)]])
    turned: FloatArray = (turn * (1 + np.array(gain_errors)[:, np.newaxis])) @ recorded
    return turned


def _seen_rms(spectrum: ComplexArray) -> float:
    """Of the band in which arrivals are judged."""
    seen = spectrum[(_hz(_COUNT) > SEEN_HZ[0]) & (_hz(_COUNT) < SEEN_HZ[1])]
    return float(np.sqrt(2 * np.square(np.abs(seen)).sum()) / _COUNT)


def _footsteps(mishaps: Mishaps) -> ComplexArray | float:
    walked = np.zeros((3, _COUNT))
    disturb_ground(walked, _START_NS, RATE_HZ, mishaps)
    return scipy.fft.rfft(walked) if walked.any() else 0.0


def _disturb(instrument: Instrument, mishaps: Mishaps) -> FloatArray | float:
    """Counts of what comes in between sensor and digitiser, whose filter rings before and after it."""
    output = disturb_sensor((3, _COUNT), _START_NS, RATE_HZ, instrument.sensor, mishaps)
    if not output.any():
        return 0.0
    full_counts = instrument.full_scale * instrument.sensitivity
    fade = np.concatenate([_fade(), np.ones(_COUNT - 2 * _fade().size), _fade()[::-1]])
    digitiser = instrument.digitiser
    spectrum = scipy.fft.rfft(output * fade) * _digitiser_response(digitiser.rate_hz, digitiser.is_causal)
    counts: FloatArray = full_counts * scipy.fft.irfft(spectrum, _COUNT)
    return counts


def _shift(counts: FloatArray, instrument: Instrument, chance: np.random.Generator) -> FloatArray | float:
    """Of an accelerometer's baseline, by strong shaking: as `recorder` has it."""
    above = np.maximum(np.abs(counts) / instrument.sensitivity - SHIFTS_FROM_M_S2, 0.0)
    if not above.any():
        return 0.0
    direction = SHIFT_WEIGHTS * chance.standard_normal((3, 1))
    shift: FloatArray = SHIFT_A_S / RATE_HZ * instrument.sensitivity * direction * np.cumsum(above, axis=1)
    return shift


# --- labels -----------------------------------------------------------------------------------------------------------


def _label(sources: list[_Source], record: _Record) -> tuple[Label, ...]:
    """An arrival is judged by the waves of its own source: those of another are noise to it."""
    labels = []
    for number, source in enumerate(sources):
        for phase, sample in source.arrivals:
            seen = UNKNOWN
            if 0 <= sample < _LENGTH:
                seen = judge(record.counts, record.waves[number], int(np.ceil(sample)) + _WARM_UP, RATE_HZ)
            labels.append(Label(number, phase, sample, seen.snr, seen.record_snr))
    return tuple(sorted(labels, key=lambda label: label.sample))
