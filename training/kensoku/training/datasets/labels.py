"""What a source's labels say of a record, and what they leave open: onsets, and where nobody knows of a phase."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from kensoku.training.examples import PHASES, RATE_HZ, BoolArray, Onset, Phase, Span

Stretch = tuple[float, float]  # first and last sample
Trust = Annotated[float, Field(ge=0, le=1)]
Shift = Annotated[float, Field(allow_inf_nan=False)]
Reach = Annotated[float, Field(ge=0)]  # seconds, which may have no end


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRule:
    """How far one source's labels are to be trusted; measured for the source, stated in the description."""

    shift_p_samples: Shift = 0.0  # added to what the source says
    shift_s_samples: Shift = 0.0
    weight_p: Trust = 1.0
    weight_s: Trust = 1.0
    known_before_s: Reach = math.inf  # of an event's first label: earlier nobody looked
    known_after_s: Reach = math.inf  # of its last
    missing_s: Reach = 0.3  # from a label on (before it, for P) the unlabelled phase of the event may lie
    longest_s_minus_p_s: Reach = math.inf  # and at most so far from it
    is_searched: bool = True  # False: the record may hold other earthquakes, so where it grows loud nothing is known


@dataclass(frozen=True, slots=True)
class Pick:
    """As the source has it, in samples of the record."""

    phase: Phase
    sample: float
    weight: float = 1.0


def is_direct(name: str) -> bool:
    """Whether a phase went straight down or sideways from its source, not up to the surface first, as pP and sP."""
    return name[:1] not in ("p", "s") or not any(letter.isupper() for letter in name)


def apply_rule(
    rule: LabelRule, events: Iterable[Sequence[Pick]], doubtful: Iterable[Stretch], length: int
) -> tuple[tuple[Onset, ...], tuple[Span, ...]]:
    """Onsets of the events that the source knows, and the spans of which it says nothing.

    In doubtful stretches, of which no event is the reason, both phases are unknown.
    """
    moved = [[_move(rule, pick) for pick in picks] for picks in events]
    known = np.full((2, length), not any(math.isfinite(x) for x in (rule.known_before_s, rule.known_after_s)))
    for picks in moved:
        known[:, _within(rule, picks, length)] = True
    for picks in moved:
        _forget_missing(rule, picks, known)
    for first, last in doubtful:
        known[:, _slice(first, last, length)] = False
    onsets = tuple(sorted((o for picks in moved for o in picks), key=lambda onset: onset.sample))
    for onset in onsets:
        around = _slice(onset.sample - RATE_HZ * CERTAIN_S, onset.sample + RATE_HZ * CERTAIN_S, length)
        known[PHASES.index(onset.phase), around] = True
    return onsets, to_spans(known)


LOUD_S = (2.0, 10.0)  # before and after a trigger: where its reason may have begun, and its second phase lie
OWN_S = (1.0, 1.5)  # before P and after S, where a trigger is the labelled earthquake's
CERTAIN_S = (
    0.3  # on either side of an onset its own phase is known: the curve that is taught there has three deviations
)


def doubt_triggers(rule: LabelRule, events: Iterable[Sequence[Pick]], triggers: Iterable[float]) -> list[Stretch]:
    """Stretches around the triggers that none of the events explains; they end where the next event begins."""
    own = [_reach(rule, [_move(rule, pick) for pick in picks]) for picks in events]
    stretches = []
    for sample in triggers:
        if not any(first <= sample <= last for first, last in own):
            end = min([sample + RATE_HZ * LOUD_S[1], *(first for first, _ in own if first > sample)])
            stretches.append((sample - RATE_HZ * LOUD_S[0], end))
    return stretches


def _reach(rule: LabelRule, picks: Sequence[Onset]) -> Stretch:
    phases, samples = {pick.phase for pick in picks}, [pick.sample for pick in picks]
    early = 0.0 if "P" in phases else rule.longest_s_minus_p_s
    late = 0.0 if "S" in phases else rule.longest_s_minus_p_s
    return min(samples) - RATE_HZ * (early + OWN_S[0]), max(samples) + RATE_HZ * (late + OWN_S[1])


def to_spans(known: BoolArray) -> tuple[Span, ...]:
    """Runs of what is not known, of each phase."""
    spans = []
    for phase, row in zip(PHASES, known, strict=True):
        edges = np.flatnonzero(np.diff(np.concatenate([[True], row, [True]]).astype(np.int8)))
        spans += [Span(phase, float(a), float(b - 1)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return tuple(spans)


def _move(rule: LabelRule, pick: Pick) -> Onset:
    shift, weight = (
        (rule.shift_p_samples, rule.weight_p) if pick.phase == "P" else (rule.shift_s_samples, rule.weight_s)
    )
    return Onset(pick.phase, pick.sample + shift, weight * pick.weight)


def _within(rule: LabelRule, picks: Sequence[Onset], length: int) -> slice:
    samples = [pick.sample for pick in picks]
    first, last = min(samples) - RATE_HZ * rule.known_before_s, max(samples) + RATE_HZ * rule.known_after_s
    return _slice(first, last, length)


def _forget_missing(rule: LabelRule, picks: Sequence[Onset], known: BoolArray) -> None:
    """Where the phase that an event's labels lack can be: S after P, P before S."""
    phases, length = {pick.phase for pick in picks}, known.shape[1]
    if "S" not in phases:
        first = min(pick.sample for pick in picks) + RATE_HZ * rule.missing_s
        known[1, _slice(first, first + RATE_HZ * rule.longest_s_minus_p_s, length)] = False
    if "P" not in phases:
        last = max(pick.sample for pick in picks) - RATE_HZ * rule.missing_s
        known[0, _slice(last - RATE_HZ * rule.longest_s_minus_p_s, last, length)] = False


def _slice(first: float, last: float, length: int) -> slice:
    return slice(math.ceil(min(max(first, 0), length)), math.floor(min(max(last, -1), length - 1)) + 1)
