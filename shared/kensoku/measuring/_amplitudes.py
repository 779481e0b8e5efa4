"""The amplitudes of which magnitudes are made, of ground motion and, where no response is known, of counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kensoku.measuring._ground import ACCELERATION, DISPLACEMENT, VELOCITY
from kensoku.measuring._peaks import Peak, half_peak_to_peak, zero_to_peak
from kensoku.measuring._seismographs import high_passed, short_period, wood_anderson
from kensoku.measuring._stretch import RATE_HZ, FloatArray
from kensoku.measuring._traces import GUARD, NOISE, Component, Trace
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

Reading = Callable[[FloatArray, int, int], Peak]


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
    peak, noise = _read(zero_to_peak, counts, onset, (max(0, onset - NOISE - GUARD), max(0, onset - GUARD)))
    return Amplitude(
        kind=AMPLITUDE_KIND_PEAK_RAW,
        channel=component.channel.code,
        value=peak.value,
        sample=peak.sample - onset,
        period_s=peak.period_s,
        window_s=stretch.after / RATE_HZ,
        noise=noise,
        high_pass_hz=0.0,
        is_clipped=component.is_clipped,
    )


def ground_amplitudes(trace: Trace, is_vertical: bool) -> Iterator[Amplitude]:
    for kind, motion in MOTIONS:
        yield _amplitude(kind, trace, trace.high_pass_hz, *_read_trace(zero_to_peak, trace, trace.motions[motion]))
    yield _wood_anderson(trace)
    if is_vertical:
        swung = short_period(trace.motions[VELOCITY])
        yield _amplitude(
            AMPLITUDE_KIND_JMA_VELOCITY, trace, trace.high_pass_hz, *_read_trace(zero_to_peak, trace, swung)
        )


def _wood_anderson(trace: Trace) -> Amplitude:
    """As it is; where it does not stand out of the noise, without what is long in it."""
    swung = wood_anderson(trace.motions[DISPLACEMENT])
    plain = trace.high_pass_hz, *_read_trace(half_peak_to_peak, trace, swung)
    for high_pass in (0.0, *WOOD_ANDERSON_HIGH_PASSES_HZ):
        if high_pass and high_pass <= trace.high_pass_hz:
            continue
        peak, noise = (
            plain[1:] if not high_pass else _read_trace(half_peak_to_peak, trace, high_passed(swung, high_pass))
        )
        if peak.value >= CLEAR * noise:
            return _amplitude(AMPLITUDE_KIND_WOOD_ANDERSON, trace, high_pass or trace.high_pass_hz, peak, noise)
    return _amplitude(AMPLITUDE_KIND_WOOD_ANDERSON, trace, *plain)


def _read_trace(read: Reading, trace: Trace, swung: FloatArray) -> tuple[Peak, float]:
    return _read(read, swung, trace.onset, trace.quiet)


def _read(read: Reading, swung: FloatArray, onset: int, quiet: tuple[int, int]) -> tuple[Peak, float]:
    """What is read from the onset on, and how large the same is of the noise."""
    begin, end = quiet
    noise = read(swung, begin, end).value if end - begin >= LEAST_NOISE else 0.0
    return read(swung, onset, len(swung)), noise


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
