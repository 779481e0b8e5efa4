"""What every front end makes of complete seconds: arrivals, each decided by one of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from kensoku.continuous import SAMPLE_NS, Instrument, Step, Timeline, time_of
from kensoku.picking import Phase
from kensoku.v1.pick_pb2 import DECISION_FAINT, DECISION_KEPT, METHOD_CNN, Decision, Method, ModelReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An onset on an instrument's record, and what is known of it at the moment of its decision."""

    step: Step  # that decided it
    phase: Phase
    sample: float  # on the absolute grid: samples since 1970
    score: float  # 0 to 1
    uncertainty_s: float
    noise: float  # probabilities as the model says them at the onset
    p: float
    s: float
    model: ModelReference
    used_to: int  # the decision depends on samples before this one
    method: Method = METHOD_CNN
    decision: Decision = DECISION_KEPT
    decision_reason: str = ""  # for people
    judges: tuple[ModelReference, ...] = ()  # other models that were asked

    @property
    def instrument(self) -> Instrument:
        return self.step.timeline.instrument

    @property
    def index(self) -> int:
        """Of the sample nearest to the onset."""
        return round(self.sample)

    @property
    def id(self) -> str:
        return pick_id(self.instrument, self.phase, self.index, self.model.name, is_faint=self.is_faint)

    @property
    def is_faint(self) -> bool:
        return self.decision == DECISION_FAINT

    @property
    def onset_ns(self) -> int:
        return onset_ns(self.step.timeline, self.sample)


def onset_ns(timeline: Timeline, sample: float) -> int:
    """UTC, with the offset of the station's clock from the grid, and without the delay of a filter."""
    whole = int(sample // 1)
    fraction_ns = round((sample - whole) * SAMPLE_NS)
    return time_of(whole) + fraction_ns + timeline.offset_ns(whole) - timeline.delay_ns(whole)


class FrontEnd(Protocol):
    """Looks at seconds of records. What it says of a step depends on the `reach` samples before its end alone."""

    @property
    def reach(self) -> int: ...

    def evaluate(self, steps: Sequence[Step]) -> list[Arrival]:
        """The arrivals that these steps decide; those of one instrument come in the order of time.

        Steps that are known were told before a restart and are left out. A step that comes again is looked at as if it
        were the first time.
        """
        ...


@runtime_checkable
class Sieve(FrontEnd, Protocol):
    """A front end whose first stage says how much a step promises, so that some may be decided later."""

    def sift(self, steps: Sequence[Step], least: float) -> tuple[list[Arrival], list[Step]]:
        """As `evaluate`; and the steps left for later because they promise less than `least`, a probability."""
        ...

    def decide(self, steps: Sequence[Step]) -> list[Arrival]:
        """The arrivals of steps that were left for later."""
        ...


def pick_id(instrument: Instrument, phase: str, onset_index: int, model: str, *, is_faint: bool = False) -> str:
    """The same data give the same id, whoever finds the pick and whenever. A faint pick has one of its own: late
    samples may show that it is more than that."""
    content = f"{instrument.code}/{phase}/{onset_index}/{model}{'/faint' if is_faint else ''}"
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
