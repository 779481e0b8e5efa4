"""The amplitude of one instrument that a formula asks for, of all that was measured of its picks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite, prod, sqrt

from kensoku.magnitudes._formula import Formula
from kensoku.magnitudes._network import Bound
from kensoku.magnitudes._readings import NS_PER_S, Reading
from kensoku.v1.pick_pb2 import (
    AMPLITUDE_KIND_JMA_VELOCITY,
    AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    AMPLITUDE_KIND_PEAK_RAW,
    AMPLITUDE_KIND_PEAK_VELOCITY,
    AMPLITUDE_KIND_WOOD_ANDERSON,
    PHASE_P,
    Amplitude,
)

KINDS = {
    "wood-anderson": AMPLITUDE_KIND_WOOD_ANDERSON,
    "jma-velocity": AMPLITUDE_KIND_JMA_VELOCITY,
    "displacement": AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    "early-displacement": AMPLITUDE_KIND_PEAK_DISPLACEMENT,
    "early-velocity": AMPLITUDE_KIND_PEAK_VELOCITY,
    "characteristic-period": AMPLITUDE_KIND_PEAK_DISPLACEMENT,  # which must stand out for a period to mean anything
}
CLEAR = 3.0  # over its noise; below, an amplitude is an upper bound
CLEAR_PERIOD = 5.0  # of displacement: below, the period is that of microseisms
AFTER_S_S = 1.2  # of S that must be recorded: else the largest may still have come
LITTLE_S_S = 0.9  # the same, where later there is another event
LATEST_S, LATEST_KM_S = 15.0, 15.0  # after S that the largest may come: of a long rupture, of surface waves
LEAST_EARLY_S = 0.3  # of P
MOST_HIGH_PASS_HZ = 0.4  # of displacement: a geophone's own 0.3 Hz is let pass, a record without lead is not
LONGEST_S = 100.0  # period of anything that an inventory's sensor shows
UNKNOWN_NOISE = 1 / CLEAR  # of an amplitude whose noise was not measured


class LeftOut(Exception):
    """Why an instrument has no amplitude for a formula, in words that follow a colon."""


@dataclass(frozen=True, slots=True)
class Found:
    """Of one instrument."""

    value: float  # m, m/s or s
    noise_share: float  # noise over it
    bound: Bound
    pick_id: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    reading: Reading
    amplitude: Amplitude
    after_s_s: float = AFTER_S_S

    @property
    def is_complete(self) -> bool:
        return self.amplitude.window_s >= self.reading.latest_s_s + self.after_s_s

    @property
    def may_be_of_another(self) -> bool:
        """Whether the peak comes after the onset of another event, or too late after S."""
        reading, at_ns = self.reading, self.amplitude.time_ns
        if reading.next_ns is not None and at_ns >= reading.next_ns:
            return True
        latest_s = reading.latest_s_s + LATEST_S + reading.hypocentral_km / LATEST_KM_S
        return (at_ns - reading.onset_ns) / NS_PER_S > latest_s

    @property
    def noise(self) -> float:
        return self.amplitude.noise or UNKNOWN_NOISE * self.amplitude.value

    @property
    def is_clear(self) -> bool:
        return self.amplitude.value >= CLEAR * self.amplitude.noise


def find_amplitude(readings: Sequence[Reading], formula: Formula) -> Found:
    """Of the readings of one instrument; raises LeftOut."""
    if not any(amplitude.kind != AMPLITUDE_KIND_PEAK_RAW for each in readings for amplitude in each.amplitudes):
        raise LeftOut("no response is known" if any(each.amplitudes for each in readings) else "nothing was measured")
    if formula.amplitude == "characteristic-period":
        return _period(readings, formula)
    if formula.is_early:
        best = _early(readings, formula)
        return _found([best], best.amplitude.value, best.amplitude.clipped)
    return _largest(list(_candidates(readings, formula)), formula)


def _candidates(readings: Sequence[Reading], formula: Formula) -> Iterator[_Candidate]:
    kind, ends = KINDS[formula.amplitude], "Z" if formula.components == "vertical" else "NE12"
    is_long = kind == AMPLITUDE_KIND_PEAK_DISPLACEMENT
    for reading in readings:
        for amplitude in reading.amplitudes:
            is_heard = not is_long or amplitude.high_pass_hz <= MOST_HIGH_PASS_HZ
            is_number = amplitude.value > 0 and isfinite(amplitude.value) and isfinite(amplitude.noise)
            if amplitude.kind == kind and amplitude.channel[-1:] in set(ends) and is_heard and is_number:
                yield _Candidate(reading, amplitude)


# --- of all that comes ------------------------------------------------------------------------------------------------


def _largest(candidates: Sequence[_Candidate], formula: Formula) -> Found:
    by_channel: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        by_channel.setdefault(candidate.amplitude.channel, []).append(candidate)
    if not by_channel:
        raise LeftOut(f"no {'vertical' if formula.components == 'vertical' else 'horizontal'} was measured")
    turned = [code for code in by_channel if code[-1] in "NE"]  # of which one that stayed as it was is a part
    chosen = [_choose(by_channel[code]) for code in sorted(turned or by_channel)]
    values = [candidate.amplitude.value for candidate in chosen]
    if formula.components == "vector-horizontal" and len(values) < 2:
        raise LeftOut("one horizontal alone was measured")
    largest = max(chosen, key=lambda each: each.amplitude.value)
    is_lower = any(each.amplitude.clipped or not each.is_complete for each in chosen)
    return _found(chosen, JOIN[formula.components](values), is_lower, largest.may_be_of_another)


JOIN: dict[str, Callable[[Sequence[float]], float]] = {
    "vertical": max,
    "larger-horizontal": max,
    "mean-horizontal": lambda values: prod(values) ** (1 / len(values)),  # of logarithms
    "vector-horizontal": lambda values: sqrt(sum(value**2 for value in values)),
}


def _choose(candidates: Sequence[_Candidate]) -> _Candidate:
    """Of one component: the largest of those that have seen S, with the least noise: before S there may be P."""
    complete = [each for each in candidates if each.is_complete]
    seen = [each for each in complete if not each.may_be_of_another]
    if complete and not seen:
        shorter = [replace(each, after_s_s=LITTLE_S_S) for each in candidates]
        seen = [each for each in shorter if each.is_complete and not each.may_be_of_another] or complete
    seen = seen or list(candidates)
    largest = max(seen, key=lambda each: (each.amplitude.value, each.reading.phase == PHASE_P))
    noises = [
        each.amplitude.noise
        for each in candidates
        if each.amplitude.noise > 0 and each.amplitude.high_pass_hz == largest.amplitude.high_pass_hz
    ]
    if not noises or min(noises) == largest.amplitude.noise:
        return largest
    quieter = Amplitude()
    quieter.CopyFrom(largest.amplitude)
    quieter.noise = min(noises)
    return replace(largest, amplitude=quieter)


def _found(chosen: Sequence[_Candidate], value: float, is_lower: bool, is_upper: bool = False) -> Found:
    strongest = max(chosen, key=lambda each: each.amplitude.value / each.noise)
    share = strongest.noise / strongest.amplitude.value
    if is_lower and (is_upper or not strongest.is_clear):
        raise LeftOut("clipped or S not recorded yet, and hardly above its noise or in the waves of another event")
    if strongest.is_clear:
        bound: Bound = "lower" if is_lower else "upper" if is_upper else "none"
        return Found(value, share, bound, strongest.reading.pick_id)
    return Found(value * max(share, 1.0), 0.0, "upper", strongest.reading.pick_id)


# --- of the first seconds of P ----------------------------------------------------------------------------------------


def _early(readings: Sequence[Reading], formula: Formula) -> _Candidate:
    """What has seen most of P without S."""
    usable = []
    for candidate in _candidates([each for each in readings if each.phase == PHASE_P], formula):
        heard_s = _heard_s(candidate, formula.window_s)
        if heard_s >= LEAST_EARLY_S:
            usable.append((heard_s, candidate.amplitude.value, candidate))
    if not usable:
        raise LeftOut("no P was measured before S")
    return max(usable, key=lambda each: each[:2])[2]


def _heard_s(candidate: _Candidate, window_s: float) -> float:
    """How much of P, and nothing else, the amplitude is of; 0: it may be of S, or of later."""
    amplitude, until_s = candidate.amplitude, min(window_s, candidate.reading.earliest_s_s)
    if amplitude.window_s <= until_s:
        return amplitude.window_s
    return until_s if (amplitude.time_ns - candidate.reading.onset_ns) / NS_PER_S <= until_s else 0.0


def _period(readings: Sequence[Reading], formula: Formula) -> Found:
    known = [each for each in readings if each.phase == PHASE_P and 0 < each.period_s < LONGEST_S]
    if not known:
        raise LeftOut("no period of P was measured")
    if all(each.earliest_s_s < formula.window_s for each in known):
        raise LeftOut(f"S is within {formula.window_s:g} s of P")
    best = max(known, key=lambda each: each.earliest_s_s)
    early = _early([best], formula).amplitude
    if early.value < CLEAR_PERIOD * early.noise:
        raise LeftOut(f"displacement of P is below {CLEAR_PERIOD:g} times its noise")
    return Found(best.period_s, 0.0, "none", best.pick_id)
