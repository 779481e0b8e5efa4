"""The models as triggering asks them: the version in force at each window's start, waited for while they are away."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError
from prometheus_client import Counter

from kensoku.bus import Table
from kensoku.classic import ClassicFrontEnd
from kensoku.detection import ByStation, Cascade, FrontEnd, Picker, SecondLook, Stage, Version
from kensoku.errors import ModelRefused, ModelServerUnavailable, ModelUnknown, SettingInvalid
from kensoku.inference import Models
from kensoku.models import file_sha256, version_in_force
from kensoku.packets import station_filter
from kensoku.picking import CARD, read_card
from kensoku.runtime import Pulse
from kensoku.triggering.settings import TriggeringSettings
from kensoku.v1.control_pb2 import Control, ModelPromotion

log = logging.getLogger("kensoku.triggering")

FloatArray = npt.NDArray[np.float32]

DEADLINE_S = 5.0  # of one call: between calls the service shows that it lives, and may be stopped
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
REFRESH_S = 1.0

UNUSABLE = Counter("triggering_unusable_answers", "Windows of which a model said what is no number", ["model"])


class Stopped(Exception):
    """While the models were away the service was told to stop."""


class PatientModels:
    """Asks again with back-off while no server answers, up to a limit."""

    def __init__(self, models: Models, pulse: Pulse, stop: threading.Event, wait_s: float) -> None:
        self._models = models
        self._pulse = pulse
        self._stop = stop
        self._wait_s = wait_s
        self._unusable: set[str] = set()  # models whose last answer was no number
        self.are_away = True  # as far as is known

    def look(self) -> None:
        """Nobody is ready while no server is, also before the first window is asked."""
        self.are_away = not self._models.is_ready()
        if self.are_away:
            self._pulse.wait_for("models", "found no model server that is ready")
        else:
            self._pulse.found("models")

    def ask(self, model: str, version: str, counts: FloatArray) -> FloatArray:
        """The probabilities that a version gives; raises ModelServerUnavailable when the limit has passed."""
        since, pause_s = time.monotonic(), FIRST_PAUSE_S
        while True:
            try:
                answers = self._models.infer(model, {"counts": counts}, version=version, deadline_s=DEADLINE_S)
            except ModelServerUnavailable as error:
                if time.monotonic() - since > self._wait_s:
                    raise
                if pause_s == FIRST_PAUSE_S:
                    log.warning("waiting for the models: %s", error)
                self._pulse.wait_for("models", str(error))
                self._pulse.beat()
                if self._stop.wait(pause_s):
                    raise Stopped from None
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                if pause_s > FIRST_PAUSE_S:
                    log.info("the models answer again")
                    self._pulse.found("models")
                if "probabilities" not in answers:
                    raise ModelRefused(f"model {model!r}: found outputs {', '.join(answers)}, expected probabilities")
                return self._numbers(model, version, np.asarray(answers["probabilities"], dtype=np.float32))

    def _numbers(self, model: str, version: str, said: FloatArray) -> FloatArray:
        """What is no number promises nothing, and is told: it would look like a quiet network."""
        unusable = int((~np.isfinite(said)).any(axis=tuple(range(1, said.ndim))).sum())
        if unusable:
            UNUSABLE.labels(model).inc(unusable)
            sentence = f"{model} version {version} answers what is no number; look at its records, or roll it back"
            if model not in self._unusable:
                log.warning("%s", sentence)
            self._pulse.note(model, sentence)
            self._unusable.add(model)
            return np.nan_to_num(said, nan=0.0, posinf=0.0, neginf=0.0)
        if model in self._unusable:
            self._pulse.note(model, "")
            self._unusable.discard(model)
        return said

    def hash_of(self, repository: Path, model: str, version: str, promoted: str) -> str:
        """Of the file that answers, where it can be read: it may not be the one that was promoted."""
        try:
            found = file_sha256(repository, model, version)
        except ModelUnknown:
            return promoted  # the server has a repository of its own
        if found != promoted:
            sentence = (
                f"{model} version {version}: found a file with sha256 {found[:12]}, expected {promoted[:12]}, with "
                "which it was promoted; put that file back, or promote the other as a version of its own"
            )
            log.warning("%s", sentence)
            self._pulse.note(f"{model} version {version}", sentence)
        return found


class Promoted:
    """What operators have decided about versions, looked up at most once a second."""

    def __init__(self, control: Table, clock: Callable[[], float] = time.monotonic) -> None:
        self._control = control
        self._clock = clock
        self._due_s = -1.0
        self._promotions: dict[str, tuple[ModelPromotion, ...]] = {}

    def at(self, model: str, start_ns: int) -> ModelPromotion | None:
        """The version for a window that starts then; None while nobody has decided."""
        if self._clock() >= self._due_s:
            self._due_s = self._clock() + REFRESH_S
            self._control.refresh()
            self._promotions = {}
        if model not in self._promotions:
            self._promotions[model] = _promotions(self._control, model)
        return version_in_force(self._promotions[model], start_ns)


def _promotions(control: Mapping[str, bytes], model: str) -> tuple[ModelPromotion, ...]:
    try:
        return tuple(Control.FromString(control.get(f"model/{model}", b"")).model_promotions.promotions)
    except DecodeError:
        log.warning("left out the promotions of %s, which cannot be read; promote it again", model)
        return ()


@dataclass(frozen=True, slots=True)
class Listening:
    """Who listens to the stations, and who listens again."""

    cascade: Cascade
    front_end: FrontEnd  # the cascade, but for stations that a classic picker listens to
    second_look: SecondLook


def listening(settings: TriggeringSettings, models: PatientModels, promoted: Promoted) -> Listening:
    cascade = Cascade(live_picker(settings, models, promoted))
    front_end: FrontEnd = cascade
    if settings.triggering_classic:
        denoiser = _stage_if_there(settings, "triggering_denoiser", models, promoted, "classifier")
        front_end = ByStation(cascade, ClassicFrontEnd(denoiser), station_filter(settings.triggering_classic))
    return Listening(cascade, front_end, second_look(settings, models, promoted))


def live_picker(settings: TriggeringSettings, models: PatientModels, promoted: Promoted) -> Picker:
    """The live picker; with the first stage, where the repository has it or somebody insists on one."""
    final = _stage(settings.model_repository, settings.triggering_model, models, promoted)
    if final.card.look_ahead_s is None:
        raise SettingInvalid(
            f"found model {final.name!r}, which looks at all that follows; expected one with a look-ahead for live "
            "picking; set KENSOKU_TRIGGERING_MODEL"
        )
    return Picker(final, _stage_if_there(settings, "triggering_first", models, promoted))


def second_look(settings: TriggeringSettings, models: PatientModels, promoted: Promoted) -> SecondLook:
    """What is asked half a minute later, of what the repository has or somebody insists on."""
    return SecondLook(
        _stage_if_there(settings, "triggering_second", models, promoted),
        _stage_if_there(settings, "triggering_blast", models, promoted, "classifier"),
    )


def _stage_if_there(
    settings: TriggeringSettings, setting: str, models: PatientModels, promoted: Promoted, kind: str = "picker"
) -> Stage | None:
    repository, name = settings.model_repository, getattr(settings, setting)
    is_wanted = name and ((repository / name / CARD).is_file() or setting in settings.model_fields_set)
    return _stage(repository, name, models, promoted, kind) if is_wanted else None


def _stage(repository: Path, model: str, models: PatientModels, promoted: Promoted, kind: str = "picker") -> Stage:
    card = read_card(repository, model)
    if card.kind != kind:
        raise SettingInvalid(f"found model {model!r}, a {card.kind}; expected a {kind}; name another")
    latest = max((path.parent.name for path in (repository / model).glob("*/model.onnx")), key=_number, default="")
    if not latest:
        raise ModelUnknown(f"found no version of {model!r} in {repository}, expected a folder 1 with model.onnx in it")

    @lru_cache(maxsize=16)
    def version(name: str, promoted_sha256: str) -> Version:
        sha256 = models.hash_of(repository, model, name, promoted_sha256)
        return Version(lambda counts: models.ask(model, name, counts), name, sha256)

    shipped = version(latest, file_sha256(repository, model, latest))

    def at(start_ns: int) -> Version:
        promotion = promoted.at(model, start_ns)
        return version(promotion.version, promotion.sha256) if promotion else shipped

    return Stage(model, card, shipped.model, shipped.version, shipped.sha256, promoted=at)


def _number(name: str) -> int:
    return int(name) if name.isdecimal() else -1
