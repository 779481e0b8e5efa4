"""What models that hear all around a pick say of it half a minute later: where it begins, and what made it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from kensoku.continuous import RATE_HZ, Timeline, time_of
from kensoku.detection._stages import FloatArray, Stage, Version
from kensoku.errors import InputInvalid
from kensoku.measuring import FULL
from kensoku.picking import PHASES, find_picks, horizontals_at, with_missing
from kensoku.v1 import pick_pb2

AROUND = 256  # samples to both sides of a pick whose answers are used: a lobe half a second off depends on no others
SAME = RATE_HZ // 2  # samples: a pick so near is the same onset
FAINTEST = 0.05  # of a lobe that is looked at
BEFORE_BLAST = 10 * RATE_HZ  # of a long window: P lies in its first half
PRESENT = 0.9  # share of a window that must have been recorded

Asked = tuple[pick_pb2.Pick, Timeline]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refined:
    """What is not said stays as the first message has it."""

    sample: float | None = None  # absolute; none where no lobe of the phase is near
    uncertainty_s: float = 0.0
    probabilities: pick_pb2.PhaseProbabilities | None = None
    blast: float | None = None  # probability
    models: tuple[pick_pb2.ModelReference, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cut:
    """A stretch of one record, on the absolute grid."""

    asked: int  # place of the pick among those that are asked
    begin: int
    counts: FloatArray


class SecondLook:
    """Every pick is asked about in a stretch of its own, at a place that its onset alone decides."""

    def __init__(self, picker: Stage | None = None, blast: Stage | None = None) -> None:
        """A picker that looks at all that follows; a classifier of long windows around P: earthquake or blast."""
        self._picker, self._blast = picker, blast
        self._before, self._length = _stretch(picker) if picker else (0, 0)
        if blast is not None and blast.card.geometry.window > BEFORE_BLAST + FULL:
            raise InputInvalid(
                f"model {blast.name!r}: found windows of {blast.card.geometry.window} samples, expected "
                f"{BEFORE_BLAST + FULL} or less: {BEFORE_BLAST} before P, and half a minute after it"
            )

    @property
    def reach(self) -> int:
        """Samples before the end of the half minute that are needed."""
        stride = self._picker.card.geometry.stride if self._picker else 0
        return max(self._before + stride, BEFORE_BLAST if self._blast else 0) + FULL

    def refine(self, asked: Sequence[Asked]) -> list[Refined]:
        refined = [Refined() for _ in asked]
        if self._picker is not None:
            cuts = [self._around(place, pick, timeline) for place, (pick, timeline) in enumerate(asked)]
            for cut, answers, version in _answered(self._picker, cuts):
                pick = asked[cut.asked][0]
                refined[cut.asked] = _heard(self._picker, answers, cut, pick.onset_index, pick.phase, version)
        if self._blast is not None:
            window = self._blast.card.geometry.window
            cuts = [
                _Cut(place, pick.onset_index - BEFORE_BLAST, _read(timeline, pick.onset_index - BEFORE_BLAST, window))
                for place, (pick, timeline) in enumerate(asked)
                if pick.phase == pick_pb2.PHASE_P
            ]
            there = [cut for cut in cuts if np.isfinite(cut.counts).any(axis=0).mean() >= PRESENT]
            for cut, answers, version in _answered(self._blast, there):
                models = (*refined[cut.asked].models, _reference(self._blast, version))
                refined[cut.asked] = replace(refined[cut.asked], blast=float(answers[1, 0]), models=models)
        return refined

    def _around(self, place: int, pick: pick_pb2.Pick, timeline: Timeline) -> _Cut:
        assert self._picker is not None
        stride = self._picker.card.geometry.stride
        begin = (pick.onset_index - self._before) // stride * stride
        return _Cut(place, begin, _read(timeline, begin, self._length))


def _stretch(stage: Stage) -> tuple[int, int]:
    """Samples before a pick, and of the whole stretch."""
    card, geometry = stage.card, stage.card.geometry
    after = AROUND + max(card.delay.p, card.delay.s) + geometry.after
    before = geometry.before + AROUND
    length = -(-(before + after) // geometry.stride) * geometry.stride + geometry.stride
    if card.kind != "picker" or geometry.is_fixed or after + geometry.stride > FULL or length > geometry.window:
        raise InputInvalid(
            f"model {stage.name!r}: found a {card.kind} that is given {geometry.window} samples, {after} after "
            f"an onset; expected a picker of any length that needs {FULL - geometry.stride} or fewer"
        )
    return before, length


def _read(timeline: Timeline, begin: int, length: int) -> FloatArray:
    return with_missing(timeline.read(begin, begin + length), is_causal=False)


def _answered(stage: Stage, cuts: Sequence[_Cut]) -> Iterator[tuple[_Cut, FloatArray, Version]]:
    """Each with the answers to it, by the version in force at its start, in as few requests as may be."""
    geometry = stage.card.geometry
    for version, alike in groupby(cuts, lambda cut: stage.version_at(time_of(cut.begin))):
        same = list(alike)
        at_once = max(1, geometry.batch * geometry.window // same[0].counts.shape[1])
        for place in range(0, len(same), at_once):
            group = same[place : place + at_once]
            answers = version.model(np.stack([cut.counts for cut in group]))
            yield from ((cut, answer, version) for cut, answer in zip(group, answers, strict=True))


def _heard(stage: Stage, answers: FloatArray, cut: _Cut, index: int, phase: int, version: Version) -> Refined:
    card, wanted, begin = stage.card, PHASES[0 if phase == pick_pb2.PHASE_P else 1], cut.begin
    said, first = card.aligned(answers), index - begin - AROUND
    near = [
        pick
        for pick in find_picks(
            said[:, max(first, 0) : first + 2 * AROUND], replace(card.rule, p_threshold=FAINTEST, s_threshold=FAINTEST)
        )
        if pick.phase == wanted and abs(pick.sample + max(first, 0) + begin - index) <= SAME
    ]
    best = max(near, key=lambda pick: pick.score, default=None)
    place = round(best.sample) + max(first, 0) if best else index - begin
    noise, p, s = (float(row[min(place, answers.shape[1] - 1)]) for row in answers)
    probabilities = share_out(wanted, best.score if best else 0.0, noise, s if wanted == "P" else p)
    models = (_reference(stage, version),)
    if best is None:
        return Refined(probabilities=probabilities, models=models)
    sample = best.sample + max(first, 0)
    uncertainty_s = card.calibration.uncertainty_s(best, horizontals_at(cut.counts, sample))
    return Refined(sample=sample + begin, uncertainty_s=uncertainty_s, probabilities=probabilities, models=models)


def share_out(phase: str, own: float, noise: float, other: float) -> pick_pb2.PhaseProbabilities:
    """Of its own phase what the whole lobe says; noise and the other phase share the rest as they do at the onset."""
    share = (1 - own) / (noise + other) if noise + other > 0 else 0.0
    noise, other = (noise * share, other * share) if share else (1 - own, 0.0)
    p, s = (own, other) if phase == "P" else (other, own)
    return pick_pb2.PhaseProbabilities(noise=noise, p=p, s=s)


def _reference(stage: Stage, version: Version) -> pick_pb2.ModelReference:
    return pick_pb2.ModelReference(name=stage.name, version=version.version, sha256=version.sha256)
