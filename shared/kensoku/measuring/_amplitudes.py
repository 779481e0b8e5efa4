"""The amplitudes of which magnitudes are made, of ground motion and, where no response is known, of counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kensoku.measuring._ground import ACCELERATION, DISPLACEMENT, VELOCITY
from kensoku.measuring._peaks import Peak, half_peak_to_peak, largest, largest_swing, zero_to_peak
from kensoku.measuring._seismographs import high_passed, short_period
from kensoku.measuring._stretch import RATE_HZ, FloatArray
from kensoku.measuring._traces import GUARD, NOISE, WOOD_ANDERSON, Component, Trace
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_JMA_VELOCITY,
    AMPLITUDE_KIND_PEAK_ACCELERATION,
    AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    AMPLITUDE_KIND_PEAK_RAW,
    AMPLITUDE_KIND_PEAK_VELOCITY,
    AMPLITUDE_KIND_WOOD_ANDERSON,
    AmplitudeKind,
)

LEAST_NOISE = RATE_HZ  # samples: of fewer the largest says nothing
CLEAR = 3.0  # peak over that of the noise
WOOD_ANDERSON_HIGH_PASSES_HZ = (0.5, 1.0, 2.0)  # the lowest that makes an amplitude clear
MOTIONS = (
    (AMPLITUDE_KIND_PEAK_DISPLACEMENT, DISPLACEMENT),
    (AMPLITUDE_KIND_PEAK_VELOCITY, VELOCITY),
    (AMPLITUDE_KIND_PEAK_ACCELERATION, ACCELERATION),
)


@dataclass(frozen=True, slots=True)
class Amplitude:
    """In m and s, or in counts if it is of PEAK_RAW."""

    kind: AmplitudeKind
    channel: str
    value: float
    sample: int  # after the first sample that is not before the onset
    period_s: float  # 0: not measured
    window_s: float
    noise: float  # the same of what was there before the onset; 0: not known
    high_pass_hz: float  # 0: none
    is_clipped: bool


def raw_amplitude(component: Component) -> Amplitude:
    stretch = component.stretch
    counts, onset = stretch.centred, stretch.before
    quiet = max(0, onset - NOISE - GUARD), max(0, onset - GUARD)
    peak = zero_to_peak(counts, onset, len(counts))
    return Amplitude(
        kind=AMPLITUDE_KIND_PEAK_RAW,
        channel=component.channel.code,
        value=peak.value,
        sample=peak.sample - onset,
        period_s=peak.period_s,
        window_s=stretch.after / RATE_HZ,
        noise=_of_noise(largest, counts, quiet),
        high_pass_hz=0.0,
        is_clipped=component.is_clipped,
    )


def ground_amplitudes(trace: Trace, is_vertical: bool) -> Iterator[Amplitude]:
    for kind, motion in MOTIONS:
        yield _peak(kind, trace, trace.motions[motion])
    yield _wood_anderson(trace)
    if is_vertical:
        yield _peak(AMPLITUDE_KIND_JMA_VELOCITY, trace, short_period(trace.motions[VELOCITY]))


def _peak(kind: AmplitudeKind, trace: Trace, motion: FloatArray) -> Amplitude:
    noise = _of_noise(largest, motion, trace.quiet)
    return _amplitude(kind, trace, trace.high_pass_hz, zero_to_peak(motion, trace.onset, trace.end), noise)


def _wood_anderson(trace: Trace) -> Amplitude:
    """As it is; where it does not stand out of the noise, without what is long in it."""
    swung, high_pass = trace.motions[WOOD_ANDERSON], trace.high_pass_hz
    noise = _of_noise(largest_swing, swung, trace.quiet)
    if largest_swing(swung, trace.onset, trace.end) < CLEAR * noise:
        swung, high_pass, noise = next(_clearer(trace), (swung, high_pass, noise))
    peak = half_peak_to_peak(swung, trace.onset, trace.end)
    return _amplitude(AMPLITUDE_KIND_WOOD_ANDERSON, trace, high_pass, peak, noise)


def _clearer(trace: Trace) -> Iterator[tuple[FloatArray, float, float]]:
    """High-passed ones that stand out of the noise."""
    for high_pass in WOOD_ANDERSON_HIGH_PASSES_HZ:
        if high_pass > trace.high_pass_hz:
            swung = high_passed(trace.motions[WOOD_ANDERSON], high_pass)
            noise = _of_noise(largest_swing, swung, trace.quiet)
            if largest_swing(swung, trace.onset, trace.end) >= CLEAR * noise:
                yield swung, high_pass, noise


def _of_noise(read: Callable[[FloatArray, int, int], float], motion: FloatArray, quiet: tuple[int, int]) -> float:
    begin, end = quiet
    return read(motion, begin, end) if end - begin >= LEAST_NOISE else 0.0


def _amplitude(kind: AmplitudeKind, trace: Trace, high_pass_hz: float, peak: Peak, noise: float) -> Amplitude:
    return Amplitude(
        kind=kind,
        channel=trace.code,
        value=peak.value,
        sample=peak.sample - trace.onset,
        period_s=peak.period_s,
        window_s=(trace.end - trace.onset) / RATE_HZ,
        noise=noise,
        high_pass_hz=high_pass_hz,
        is_clipped=trace.is_clipped,
    )
