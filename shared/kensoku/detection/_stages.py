"""Which stretch a network is given of each second, which answers it owes, and which picks that second decides."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kensoku.continuous import STEP, time_of
from kensoku.errors import InputInvalid, ModelRefused
from kensoku.picking import PHASES, Model, ModelCard, Phase

FloatArray = npt.NDArray[np.float32]

# What picking without these depends on, see kensoku.picking: the pick lies so near to its peak, and a gap is known so
# late after it.
SHIFT = 10
GAP = 92


@dataclass(frozen=True, slots=True)
class Version:
    """A network as it is asked: counts (windows, 3, n) to probabilities of noise, P and S (windows, 3, n or fewer).

    Fewer are the last ones.
    """

    model: Model
    version: str = ""
    sha256: str = ""  # of model.onnx


@dataclass(frozen=True, slots=True)
class Stage:
    """A model of one version for ever; or, with `promoted`, of the version in force at the start of a window."""

    name: str
    card: ModelCard
    model: Model
    version: str = ""
    sha256: str = ""
    promoted: Callable[[int], Version] | None = None  # of ns UTC

    def version_at(self, start_ns: int) -> Version:
        return self.promoted(start_ns) if self.promoted else Version(self.model, self.version, self.sha256)


@dataclass(frozen=True, slots=True)
class Picker:
    """A live picker; with a first stage, which is small and asked of every second, only where that sees something."""

    final: Stage
    first: Stage | None = None  # the thresholds of its card say from when on it sees something


@dataclass(frozen=True, slots=True)
class Cut:
    """The stretch that one stage is given of the second that ends at `end`; all in samples on the absolute grid."""

    stage: Stage
    answers: int  # at its end, that are used

    @property
    def length(self) -> int:
        geometry = self.stage.card.geometry
        return geometry.window if geometry.is_fixed else _up(geometry.before, geometry.stride) + self.answers

    def last(self, end: int) -> int:
        """Cuts end where a stride does, so that each is asked in the same phase."""
        return end // self.stage.card.geometry.stride * self.stage.card.geometry.stride

    def first(self, end: int) -> int:
        return self.last(end) - self.length

    def version(self, end: int) -> Version:
        return self.stage.version_at(time_of(self.first(end)))


def first_cut(stage: Stage) -> Cut:
    """Of the stage that looks at every second: the answers that are new."""
    return _cut(stage, _dropped(stage.card) + _up(STEP, stage.card.geometry.stride))


def final_cut(stage: Stage) -> Cut:
    """Of the stage that decides: answers as far back as any pick depends on that this second decides."""
    card, stride = stage.card, stage.card.geometry.stride
    latest = min(-GAP, *(_decided(card, phase, 0) for phase in PHASES))
    behind = 2 * card.rule.behind + 2 + SHIFT + card.rule.rival + STEP + stride
    needed = behind - latest - min(card.delay.p, card.delay.s)
    cut = _cut(stage, _up(max(needed, STEP), stride))
    if cut.answers < needed:
        raise ModelRefused(
            f"model {stage.name!r}: found {cut.answers} answers at a time, expected {needed} or more to decide about "
            "picks; it is a first stage: name the model that decides"
        )
    return cut


def _cut(stage: Stage, answers: int) -> Cut:
    geometry = stage.card.geometry
    shipped = geometry.window - geometry.before
    cut = Cut(stage, min(answers, shipped) if geometry.is_fixed else answers)
    if cut.length > geometry.window or cut.answers < STEP:
        raise InputInvalid(
            f"model {stage.name!r}: found windows of {geometry.window} samples with {shipped} answers, expected "
            f"{cut.length} with {_up(STEP, geometry.stride)} or more to look at each second of a record; "
            "use a model for live picking"
        )
    return cut


def decided_to(card: ModelCard, phase: Phase, end: int) -> int:
    """Picks of this phase up to this sample are decided once all before `end` is known."""
    stride = card.geometry.stride
    return min(end // stride * stride + _decided(card, phase, 0), end - GAP)


def used_to(card: ModelCard, phase: Phase, sample: int) -> int:
    """The sample before which everything lies that a pick here depends on."""
    return max(_up(sample - _decided(card, phase, 0), card.geometry.stride), sample + GAP)


def _decided(card: ModelCard, phase: Phase, known: int) -> int:
    """The same by the answers alone, when the samples before `known` were asked."""
    rule, other = card.rule, "S" if phase == "P" else "P"
    own = known - _dropped(card) - _delay(card, phase) - rule.ahead - SHIFT - 1
    if phase == "P" and not rule.p_yields:
        return own
    return min(own, known - _dropped(card) - _delay(card, other) - rule.rival - rule.ahead - SHIFT - 1)


def _delay(card: ModelCard, phase: str) -> int:
    return card.delay.p if phase == "P" else card.delay.s


def _dropped(card: ModelCard) -> int:
    """Answers at the end of a cut that lack what comes after: none of a network that looks ahead within its stride."""
    after, stride = card.geometry.after, card.geometry.stride
    return _up(after, stride) if after > stride else 0


def _up(samples: int, stride: int) -> int:
    return -(-samples // stride) * stride


def told(cut: Cut, answers: FloatArray) -> FloatArray:
    """(3, samples): the answers of a cut that are used, without those that lack what comes after."""
    used = answers[:, -cut.answers :]
    return used[:, : used.shape[1] - _dropped(cut.stage.card)]
