"""What must be known of a model beside its graph, in `model_repository/<model>/model.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from kensoku.errors import InputInvalid, KensokuError, ModelUnknown
from kensoku.picking._annotate import Geometry
from kensoku.picking._calibration import Calibration
from kensoku.picking._picks import AHEAD_LIVE, AROUND, RATE_HZ, FloatArray, Pick, Rule

CARD = "model.json"
Share = Annotated[float, Field(ge=0, le=1)]
Samples = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePair:
    """A number for each phase."""

    p: float
    s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """By how many samples an answer comes after the sample it is about."""

    p: Samples = 0
    s: Samples = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """`picker` tells P and S of every sample of a record, `classifier` of a window as a whole."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    kind: Literal["picker", "classifier"]
    description: str
    classes: tuple[str, ...] = ()  # of a classifier: what its answers are called, in their order
    threshold: PhasePair
    faint: PhasePair | None = None  # from such scores on, up to the threshold, association is told of picks
    geometry: Geometry
    last: Samples = 0  # it tells of so many samples at the end of its window; 0: of all
    delay: Delay = field(default_factory=Delay)
    look_ahead_s: PhasePair | None = None  # no pick depends on what is later after its onset; none: full context
    label_s: Annotated[float, Field(ge=0)] = 0.1  # deviation of the curve taught around an onset; 0: a score is a peak
    p_yields: bool = True  # to an S that is more probable at the same place
    later: PhasePair = field(default_factory=lambda: PhasePair(p=0.0, s=0.0))  # samples: picks are moved by them
    calibration: Calibration = field(default_factory=Calibration)
    data_sha256: str = ""  # of the training data's manifest
    teachers: Mapping[str, str] = field(default_factory=dict)  # models that taught it: SHA-256 of each one's graph
    metrics: Mapping[str, float] = field(default_factory=dict)  # on the development split
    intended_use: str = ""
    limits: str = ""
    licence: str = ""

    @property
    def rule(self) -> Rule:
        return Rule(
            p_threshold=self.threshold.p,
            s_threshold=self.threshold.s,
            ahead=AHEAD_LIVE if self.look_ahead_s else AROUND,
            label=self.label_s * RATE_HZ,
            p_yields=self.p_yields,
            p_later=self.later.p,
            s_later=self.later.s,
        )

    @property
    def wide_rule(self) -> Rule:
        """With faint picks."""
        return replace(self.rule, p_faint=self.faint.p, s_faint=self.faint.s) if self.faint else self.rule

    def faint_reason(self, pick: Pick) -> str:
        """For people."""
        return f"score {pick.score:.2f}, below {self.rule.threshold(pick.phase):g}"

    def aligned(self, probabilities: FloatArray) -> FloatArray:
        """(2, samples): P and S at the samples they are about; NaN at the end, of which nothing is said yet."""
        said = np.full((2, probabilities.shape[1]), np.nan, dtype=np.float32)
        for row, probability, delay in zip(said, probabilities[-2:], (self.delay.p, self.delay.s), strict=True):
            row[: len(row) - delay] = probability[delay:]
        return said

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def read_card(repository: Path, model: str) -> ModelCard:
    """The card of a model in a repository."""
    path = repository / model / CARD
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(sorted(found.parent.name for found in repository.glob(f"*/{CARD}")))
        raise ModelUnknown(
            f"found no {path}, expected the card of the model {model!r}; models with one: {known or 'none'}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{path}: expected the card of a model, found: {error}") from None
    try:
        return TypeAdapter(ModelCard).validate_json(text, strict=True)
    except ValidationError as error:
        raise InputInvalid("; ".join([f"{path}: {_explain(problem)}" for problem in error.errors()])) from None
    except KensokuError as error:
        raise InputInvalid(f"{path}: {error}") from None


def _explain(problem: Any) -> str:
    place = ".".join(map(str, problem["loc"])) or "text"
    if problem["type"] == "missing":
        return f"{place}: found nothing, expected a value"
    if "unexpected" in problem["type"] or problem["type"] == "extra_forbidden":
        return f"{place}: found a name that no card has"
    return f"{place}: found {problem['input']!r:.60}, expected otherwise: {problem['msg']}"
