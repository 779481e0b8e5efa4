"""Measure what magnitudes, mechanisms and people want of a pick, from a finite stretch of its record."""

from dataclasses import dataclass
from typing import Literal

from kensoku.measuring._amplitudes import LEAST_NOISE, Amplitude, ground_amplitudes, raw_amplitude
from kensoku.measuring._channels import Channels
from kensoku.measuring._ground import ACCELERATION, DISPLACEMENT, VELOCITY
from kensoku.measuring._peaks import largest
from kensoku.measuring._periods import FIRST, STANDS_OUT, tau_c_s, tau_p_max_s
from kensoku.measuring._polarity import FirstMotion, first_motion
from kensoku.measuring._stretch import Counts, Stretch, first_sample, stretch_around
from kensoku.measuring._traces import Component, Trace, traces_of
from kensoku.measuring.snr import local_snr


@dataclass(frozen=True, slots=True)
class Measured:
    first: int  # sample from which amplitudes count theirs: the first that is not before the onset
    snr: float  # 0: not known
    amplitudes: tuple[Amplitude, ...]
    first_motion: FirstMotion | None  # of P
    tau_c_s: float  # of P; 0: not measured
    tau_p_max_s: float


def measure(
    counts: Counts, onset: float, end: int, channels: Channels, phase: Literal["P", "S"], uncertainty_s: float
) -> Measured:
    """Of a pick at the sample `onset` of (3, samples) at 100 Hz, Z, N and E, NaN where a sample is missing.

    The answer depends on the samples from LEAD before the onset's to before `end`, and on nothing else.
    """
    first, is_p = first_sample(onset), phase == "P"
    stretches = [stretch_around(row, first, end) for row in counts]
    components = [
        Component.of(stretch, channel) if stretch is not None else None
        for stretch, channel in zip(stretches, channels.channels, strict=True)
    ]
    amplitudes = [raw_amplitude(component) for component in components if component is not None]
    vertical, *horizontals = traces_of(components, channels)
    for trace in (vertical, *horizontals):
        if trace is not None:
            amplitudes += ground_amplitudes(trace, is_vertical=trace is vertical)
    tau_c, tau_p_max = _periods_s(vertical) if is_p and vertical is not None else (0.0, 0.0)
    return Measured(
        first=first,
        snr=local_snr(stretches),
        amplitudes=tuple(amplitudes),
        first_motion=_first_motion(stretches[0], onset - first, uncertainty_s, channels) if is_p else None,
        tau_c_s=tau_c,
        tau_p_max_s=tau_p_max,
    )


def _first_motion(
    vertical: Stretch | None, fraction: float, uncertainty_s: float, channels: Channels
) -> FirstMotion | None:
    if vertical is None:
        return None
    motion = first_motion(vertical, vertical.before + fraction, uncertainty_s)
    return motion.turned if channels.vertical.is_upside_down else motion


def _periods_s(vertical: Trace) -> tuple[float, float]:
    """tau_c and tau_p; of a wave that hardly stands out of the noise neither says anything."""
    onset, last = vertical.onset, vertical.onset + FIRST
    begin, end = vertical.quiet
    displacement = vertical.motions[DISPLACEMENT]
    if last > vertical.end or end - begin < LEAST_NOISE:
        return 0.0, 0.0
    noise = largest(displacement, begin, end)
    if largest(displacement, onset, last) < STANDS_OUT * noise:
        return 0.0, 0.0
    velocity, acceleration = vertical.motions[VELOCITY], vertical.motions[ACCELERATION]
    tau_c = tau_c_s(displacement[onset:last], velocity[onset:last])
    return tau_c, tau_p_max_s(velocity, acceleration, onset, last)
