"""Size and type of one event, of its origin and of the picks that belong to it, by the rules of a network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kensoku.magnitudes._estimate import Estimate, estimate_all
from kensoku.magnitudes._event_type import TypeDecision, TypeSettings, classify
from kensoku.magnitudes._evidence import evidence_of
from kensoku.magnitudes._formula import Formula
from kensoku.magnitudes._formula_files import Corrections, load_formula
from kensoku.magnitudes._preferred import Preference, preferred_magnitude
from kensoku.magnitudes._quarries import Quarry
from kensoku.magnitudes._readings import NO_OTHERS, SEA_LEVEL, readings_of
from kensoku.v1.association_pb2 import AssociatedPick
from kensoku.v1.event_pb2 import Arrival, Magnitude, Origin

DEFAULT_FORMULAS = ("iaspei-2013", "watanabe-1971", "simulated-pv", "kuyuk-allen-2013", "wu-kanamori-2005")


def default_formulas() -> tuple[Formula, ...]:
    return tuple(load_formula(name) for name in DEFAULT_FORMULAS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Read once, used for every event."""

    formulas: tuple[Formula, ...] = field(default_factory=default_formulas)
    corrections: Mapping[str, Corrections] = field(default_factory=dict)  # by NAME/VERSION of a formula
    preference: Preference = field(default_factory=Preference)
    types: TypeSettings = field(default_factory=TypeSettings)
    quarries: tuple[Quarry, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """As `Event` wants it: `magnitudes`, `preferred`, `decision.type` and `decision.probabilities`."""

    estimates: tuple[Estimate, ...]
    preferred: str  # type of a magnitude, empty: none
    preferred_reason: str
    decision: TypeDecision

    @property
    def magnitudes(self) -> tuple[Magnitude, ...]:
        """Those without a value too, with the reason."""
        return tuple(each.magnitude for each in self.estimates)

    @property
    def magnitude(self) -> float | None:
        """The preferred one."""
        return next((each.value for each in self.magnitudes if each.type == self.preferred), None)


def judge(
    origin: Origin,
    arrivals: Sequence[Arrival],
    picks: Sequence[AssociatedPick],
    rules: Rules,
    elevations_km: Mapping[str, float] = SEA_LEVEL,
    others_ns: Mapping[str, Sequence[int]] = NO_OTHERS,
) -> Judgement:
    """By "NET.STA": `elevations_km`, and `others_ns`, onsets of picks of other events."""
    measurements = [each.measurement for each in picks if each.HasField("measurement")]
    readings = readings_of(origin, arrivals, [each.pick for each in picks], measurements, elevations_km, others_ns)
    estimates = estimate_all(readings, origin.depth_km, rules.formulas, rules.corrections)
    preferred, reason = preferred_magnitude(estimates, rules.preference)
    magnitude = next((each.magnitude.value for each in estimates if each.magnitude.type == preferred), None)
    decision = classify(evidence_of(origin, arrivals, readings, magnitude), rules.quarries, rules.types)
    return Judgement(estimates, preferred, reason, decision)
