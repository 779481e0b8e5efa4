"""Which version of a model judges which stretch of event time: decided by operators, the same for every replica."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kensoku.bus import Bus
from kensoku.errors import ModelRefused, ModelUnknown
from kensoku.times import NS_PER_S, iso_time
from kensoku.v1.control_pb2 import Control, ModelPromotion, ModelPromotions

TOPIC = "control"
# A window this old can still come in: `waveforms.backfill` keeps packets two days. One more, for an operator to notice.
NEEDED_FOR_NS = 3 * 86_400 * NS_PER_S
KEPT_PROMOTIONS = 64  # of one model; what is older than all of them is judged by the first of them

Promotions = Sequence[ModelPromotion]  # effective_ns strictly increasing


def version_in_force(promotions: Promotions, event_time_ns: int) -> ModelPromotion | None:
    """The version for a window that starts at this time; None before the first promotion."""
    return max(
        (promotion for promotion in promotions if promotion.effective_ns <= event_time_ns),
        key=lambda promotion: promotion.effective_ns,
        default=None,
    )


def with_promotion(promotions: Promotions, new: ModelPromotion) -> Promotions:
    """The promotions with one more, which must come after them: what is decided about the past stays as it was."""
    if promotions and new.effective_ns <= promotions[-1].effective_ns:
        raise ModelRefused(
            f"version {new.version} from {iso_time(new.effective_ns)}: found version {promotions[-1].version} in force "
            f"from {iso_time(promotions[-1].effective_ns)}, expected a later time; withdraw that one with `rollback`"
        )
    for earlier in promotions:
        if earlier.version == new.version and earlier.sha256 != new.sha256:
            raise ModelRefused(
                f"version {new.version}: found a file with sha256 {new.sha256[:12]}, expected {earlier.sha256[:12]}, "
                "with which it was promoted before; give a changed model a version of its own"
            )
    first, *others = [*promotions, new][-KEPT_PROMOTIONS:]
    since_ns = promotions[0].effective_ns if promotions else first.effective_ns
    return [ModelPromotion(version=first.version, sha256=first.sha256, effective_ns=since_ns), *others]


def without_latest(promotions: Promotions, now_ns: int) -> Promotions:
    """Take back the latest decision: withdraw it if it is not in force yet, else promote what was in force before."""
    if not promotions:
        raise ModelRefused("found no promotion, expected one to roll back")
    latest = promotions[-1]
    if latest.effective_ns > now_ns:
        return promotions[:-1]
    before = [promotion for promotion in promotions if promotion.version != latest.version]
    if not before:
        raise ModelRefused(
            f"found no version promoted before {latest.version}, expected one to roll back to; promote the one that "
            "shall be in force"
        )
    return with_promotion(
        promotions, ModelPromotion(version=before[-1].version, sha256=before[-1].sha256, effective_ns=now_ns)
    )


def needed_versions(promotions: Promotions, since_ns: int) -> frozenset[str]:
    """Versions that a window starting at this time or later can need."""
    later = {promotion.version for promotion in promotions if promotion.effective_ns > since_ns}
    now = version_in_force(promotions, since_ns)
    return frozenset(later | ({now.version} if now else set()))


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided about a model, and why."""

    author: str
    reason: str = ""


class PromotionLog:
    """The promotions on the bus, as they are now."""

    def __init__(self, bus: Bus, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._bus = bus
        self._now_ns = now_ns

    def read(self) -> Mapping[str, Promotions]:
        """The promotions of every model."""
        with self._bus.table(TOPIC) as table:
            table.refresh()
            decisions = [Control.FromString(value) for key, value in table.items() if key.startswith("model/")]
        return {d.model_promotions.model: list(d.model_promotions.promotions) for d in decisions}

    def promote(
        self, model: str, version: str, sha256: str, effective_ns: int | None, decision: Decision
    ) -> Promotions:
        """Put a version in force from an event time on: by default now, and a model's first one from the beginning."""
        promotions = self.read().get(model, [])
        if effective_ns is None:
            effective_ns = self._now_ns() if promotions else 0
        new = ModelPromotion(version=version, sha256=sha256, effective_ns=effective_ns)
        return self._write(model, with_promotion(promotions, new), decision)

    def replace(self, model: str, version: str, sha256: str, decision: Decision) -> Promotions:
        """One version for all times, whatever was decided before: for a playback, never for the live system."""
        return self._write(model, [ModelPromotion(version=version, sha256=sha256, effective_ns=0)], decision)

    def roll_back(self, model: str, decision: Decision) -> Promotions:
        return self._write(model, without_latest(self.read().get(model, []), self._now_ns()), decision)

    def _write(self, model: str, promotions: Promotions, decision: Decision) -> Promotions:
        control = Control(
            model_promotions=ModelPromotions(model=model, promotions=promotions),
            author=decision.author,
            reason=decision.reason,
            decided_ns=self._now_ns(),
        )
        self._bus.publish(TOPIC, f"model/{model}", control.SerializeToString())
        self._bus.flush()
        return promotions


def default_repository() -> Path:
    """The models that come with Kensoku: beside the code in a checkout, inside the package in an installation."""
    package = Path(__file__).resolve().parent
    checkout = package.parents[1] / "model_repository"
    return checkout if checkout.is_dir() else package / "model_repository"


def file_sha256(repository: Path, model: str, version: str) -> str:
    path = repository / model / version / "model.onnx"
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelUnknown(
            f"version {version!r} of model {model!r}: cannot read {path} ({error.strerror}); "
            "expected the file that is served"
        ) from None
