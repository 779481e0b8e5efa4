"""A reviewer is asked about what the live picker has found, each in a cut of its own that its place alone decides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from kensoku.continuous import Step, time_of
from kensoku.detection._stages import FloatArray, Stage, Version, used_to
from kensoku.errors import InputInvalid
from kensoku.picking import PHASES, ModelCard, Pick, Reviewed, cut_end, refuse_other, reviewed, rule_of_lobes, shown
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT, DECISION_REJECTED_NOISE, Decision, ModelReference

MOST_AT_ONCE = 256  # cuts: answers of the processor are the same bits for batches of up to so many


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An onset that one second decides."""

    step: Step
    pick: Pick  # with the sample on the absolute grid
    sample: float  # where the live picker saw it
    likely: tuple[float, float, float]  # noise, P and S at the onset
    decision: Decision = DECISION_KEPT
    reason: str = ""  # for people
    judges: tuple[ModelReference, ...] = ()


class Review:
    def __init__(self, stage: Stage, picker: ModelCard) -> None:
        """Of what a live picker with that card finds."""
        refuse_other(stage.card)
        for phase in PHASES:
            assert stage.card.review is not None
            after, latest = stage.card.review.after.of(phase), used_to(picker, phase, 0)
            if after > latest:
                raise InputInvalid(
                    f"model {stage.name!r}: found cuts to {after} samples after a {phase}, expected {latest} at "
                    "the most, which the live picker has heard when it tells of one"
                )
        self._stage, self.card = stage, stage.card
        self._picker = picker
        self.rule = rule_of_lobes(picker.rule, stage.card)
        self.asked = 0

    @property
    def length(self) -> int:
        return self.card.geometry.window

    def of(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The same in their order, without those of which neither model is sure."""
        answered: list[Candidate] = []
        for one, said, version in self._answered(candidates):
            self.asked += 1
            told = reviewed(one.pick, said, self.card)
            decision, reason = self._decided(one.pick, told)
            if reason or decision == DECISION_KEPT:
                judge = ModelReference(name=self._stage.name, version=version.version, sha256=version.sha256)
                answered.append(
                    replace(one, pick=told.pick, likely=told.likely, decision=decision, reason=reason, judges=(judge,))
                )
        return answered

    def _decided(self, pick: Pick, told: Reviewed) -> tuple[Decision, str]:
        """No reason and not kept: it is nothing."""
        if told.is_kept(self.card):
            return DECISION_KEPT, ""
        if told.pick.is_faint:
            return DECISION_FAINT, self.card.faint_reason(told.pick)
        if pick.score >= self._picker.rule.threshold(pick.phase):
            said = f"score {pick.score:.2f}, but {told.own_score:.2f} of {self._stage.name}"
            return DECISION_REJECTED_NOISE, f"{said}: together {told.pick.score:.2f}"
        return DECISION_REJECTED_NOISE, ""

    def _answered(self, candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, FloatArray, Version]]:
        """By the version in force at the start of each cut, in as few requests as may be."""
        at_once = min(MOST_AT_ONCE, self.card.geometry.batch)
        for version, alike in groupby(candidates, lambda one: self._stage.version_at(time_of(self._begin(one)))):
            same = list(alike)
            for place in range(0, len(same), at_once):
                group = same[place : place + at_once]
                cuts = np.stack([self._cut(one) for one in group])
                yield from ((one, said, version) for one, said in zip(group, version.model(cuts), strict=True))

    def _begin(self, one: Candidate) -> int:
        return cut_end(one.pick, self.card) - self.card.geometry.window

    def _cut(self, one: Candidate) -> FloatArray:
        begin = self._begin(one)
        return shown(one.step.timeline.read(begin, begin + self.card.geometry.window))
