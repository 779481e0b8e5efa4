"""Classic picking of live records, second by second, in the place of networks over every sample."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from kensoku.classic._judging import (
    JudgedPick,
    also_loud,
    cut_around,
    judged,
    refine,
    refining_stretch,
)
from kensoku.classic._picks import ClassicPick, pick_trigger
from kensoku.classic._settings import ClassicSettings, FloatArray
from kensoku.classic._triggers import iterate_triggers
from kensoku.continuous import STEP, Step, Timeline, time_of
from kensoku.detection import Arrival, Stage
from kensoku.detection._stages import Version
from kensoku.picking import ModelCard, with_missing
from kensoku.v1.pick_pb2 import (
    DECISION_KEPT,
    DECISION_REJECTED_NOISE,
    METHOD_CLASSIC,
    METHOD_CLASSIC_REFINED,
    ModelReference,
)

NAME = "classic"
EARLIEST, LATEST = 1, 1  # samples by which rounding may move a cut


@dataclass(frozen=True, slots=True)
class _Due:
    """A classic pick in the second that decides it."""

    step: Step
    pick: ClassicPick


class ClassicFrontEnd:
    """A `kensoku.detection.FrontEnd`: triggers and onsets; a denoiser and a picker judge and refine them, if given.

    A pick is decided once all that the models are shown has come: 2 s after it for a denoiser of 4 s, more where the
    picker looks further ahead.
    """

    def __init__(
        self, denoiser: Stage | None = None, picker: Stage | None = None, settings: ClassicSettings | None = None
    ) -> None:
        self._settings = settings or ClassicSettings()
        self._denoiser = denoiser
        self._picker = picker

    @property
    def reach(self) -> int:
        """Samples before the end of a second."""
        span = self._settings.after + self._latest()
        triggers = self._settings.reach + span + STEP
        return max(triggers, self._earliest() + self._settings.before + span + STEP)

    def evaluate(self, steps: Sequence[Step]) -> list[Arrival]:
        wanted = (step for step in steps if not step.is_known)
        due = [one for _, alike in groupby(wanted, self._from) for one in self._due(list(alike))]
        judged_picks = self._judged(due)
        if (picker := self._picker) is not None:
            judged_picks = [self._refined(one.step, pick, picker) for one, pick in zip(due, judged_picks, strict=True)]
        return [self._arrival(one.step, pick) for one, pick in zip(due, judged_picks, strict=True)]

    # --- which picks a second decides -----------------------------------------------------------------------------

    def _oldest(self, step: Step) -> int:
        """No trigger before it is decided as late as in this second."""
        return step.start - self._settings.after - self._latest()

    def _from(self, step: Step) -> tuple[Timeline, int]:
        """Where the averages begin that this second is judged by: seconds with the same are looked at together."""
        settings = self._settings
        return step.timeline, self._oldest(step) // settings.block * settings.block - settings.warm_up

    def _due(self, steps: Sequence[Step]) -> list[_Due]:
        """Of seconds whose averages begin together, each with what it decides; later samples change no earlier pick."""
        settings, (timeline, first) = self._settings, self._from(steps[0])
        oldest, end = min(map(self._oldest, steps)), max(step.end for step in steps)
        counts = with_missing(timeline.read(first, end), is_causal=True)
        if np.isnan(counts[:, oldest - first :]).all():
            return []
        triggers = iterate_triggers(counts, settings, first, oldest + settings.after - 1, end)
        picks = [pick for each in triggers if (pick := pick_trigger(each, counts, settings, first)) is not None]
        return [_Due(step, pick) for step in steps for pick in picks if step.start < self._used_to(pick) <= step.end]

    def _used_to(self, pick: ClassicPick) -> int:
        """The sample before which all lies that is looked at."""
        ends = [pick.decided]
        if self._denoiser is not None:
            ends.append(round(pick.sample) + (self._denoiser.card.geometry.window + 1) // 2)
        if self._picker is not None:
            begin, length = refining_stretch(pick.sample, self._picker.card)
            ends.append(begin + length)
        return max(ends)

    def _latest(self) -> int:
        """How much later than a trigger at the most a pick is decided, beyond the trigger's own `after`."""
        return self._shown()[1] + LATEST

    def _earliest(self) -> int:
        return self._shown()[0] + EARLIEST

    def _shown(self) -> tuple[int, int]:
        """Samples before and after a pick that models are shown."""
        before = after = 0
        if self._denoiser is not None:
            before = after = (self._denoiser.card.geometry.window + 1) // 2
        if self._picker is not None:
            begin, length = refining_stretch(0, self._picker.card)
            before, after = max(before, -begin), max(after, begin + length)
        return before, after

    # --- what the models make of them -----------------------------------------------------------------------------

    def _judged(self, due: Sequence[_Due]) -> list[JudgedPick]:
        denoiser = self._denoiser
        if denoiser is None:
            return [judged(one.pick, 0.0, 0.0) for one in due]
        said: list[JudgedPick] = []
        for version, alike in groupby(due, lambda one: self._version(denoiser, one.pick)):
            same, at_once = list(alike), denoiser.card.geometry.batch
            for place in range(0, len(same), at_once):
                said += self._asked(denoiser.card, version, same[place : place + at_once])
        return said

    def _asked(self, card: ModelCard, version: Version, group: Sequence[_Due]) -> Iterator[JudgedPick]:
        cuts = np.stack([self._cut(one, card.geometry.window) for one in group])
        for one, answer in zip(group, also_loud(version.model)(cuts).reshape(len(group), -1), strict=True):
            yield judged(one.pick, float(1 - answer[-1]), card.threshold.p)

    def _version(self, stage: Stage, pick: ClassicPick) -> Version:
        """In force at the onset, for both models."""
        return stage.version_at(time_of(round(pick.sample)))

    def _cut(self, one: _Due, length: int) -> FloatArray:
        first = round(one.pick.sample) - length // 2
        counts = with_missing(one.step.timeline.read(first, first + length), is_causal=True)
        return cut_around(counts, first, one.pick.sample, length)

    def _refined(self, step: Step, pick: JudgedPick, picker: Stage) -> JudgedPick:
        """Unless it is noise."""
        if pick.is_noise:
            return pick
        begin, length = refining_stretch(pick.classic.sample, picker.card)
        counts = with_missing(step.timeline.read(begin, begin + length), is_causal=True)
        return refine(pick, counts, begin, self._version(picker, pick.classic).model, picker.card)

    def _arrival(self, step: Step, pick: JudgedPick) -> Arrival:
        onset = 1 - pick.noise_probability if self._denoiser is not None else 0.0
        own = self._reference(self._picker, pick) if self._picker and pick.score else ModelReference(name=NAME)
        return Arrival(
            step=step,
            phase=pick.phase,
            sample=pick.sample,
            score=pick.score or onset,
            uncertainty_s=pick.uncertainty_s,
            noise=pick.noise_probability,
            p=onset if pick.phase == "P" else 0.0,
            s=onset if pick.phase == "S" else 0.0,
            model=own,
            used_to=self._used_to(pick.classic),
            method=METHOD_CLASSIC_REFINED if pick.score else METHOD_CLASSIC,
            decision=DECISION_REJECTED_NOISE if pick.is_noise else DECISION_KEPT,
            decision_reason=self._reason(pick),
            judges=(self._reference(self._denoiser, pick),) if self._denoiser else (),
        )

    def _reason(self, pick: JudgedPick) -> str:
        if not pick.is_noise or self._denoiser is None:
            return ""
        least = self._denoiser.card.threshold.p
        return (
            f"{self._denoiser.name}: an onset with probability {1 - pick.noise_probability:.2f}, expected {least:.2f}"
        )

    def _reference(self, stage: Stage, pick: JudgedPick) -> ModelReference:
        version = self._version(stage, pick.classic)
        return ModelReference(name=stage.name, version=version.version, sha256=version.sha256)
