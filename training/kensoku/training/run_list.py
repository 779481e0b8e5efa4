"""The steps from recorded data to every model that is shipped: simulate, build, train, pick, associate, build, train.

Each step fills a folder of its name, which later steps read as `{name}`.
"""

import hashlib
import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kensoku.errors import InputInvalid
from kensoku.simulation.shards import Of
from kensoku.training.datasets.description import load_description
from kensoku.training.run_settings import Tables
from kensoku.whole_files import written_whole

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9]\w*$")]
Template = str  # a path, `{recorded}/windows/a.h5`
Share = Annotated[float, Field(gt=0, le=1)]


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name

    def reads(self) -> tuple[Template, ...]:
        return ()


class Simulate(_Step):
    """`kensoku simulate windows`."""

    kind: Literal["simulate"]
    of: Of = "any"
    count: Annotated[int, Field(gt=0)]
    seed: Annotated[int, Field(ge=0)] = 1


class Build(_Step):
    """`kensoku dataset build`."""

    kind: Literal["build"]
    description: Path  # beside the list

    def reads(self) -> tuple[Template, ...]:
        return load_description(self.description).templates()


class Train(_Step):
    """`kensoku train`, `kensoku models ship`, and what completes the card of a model that is shipped."""

    kind: Literal["train"]
    model: str
    config: Path  # beside the list
    dataset: Name  # of a step before
    description: str
    last: Annotated[int, Field(gt=0)] | None = None  # answers of a live picker's cut
    start: Name | None = None  # of a step before, whose weights it begins with
    way_down: Name | None = None  # of a step before: a picker whose way down a classifier begins with
    teachers: tuple[Name, ...] = ()  # of steps before: pickers whose answers it is taught beside the labels
    settled_by: Name | None = None  # of a first stage: the live picker, of a step before
    records: tuple[Template, ...] = ()  # of a denoiser: FILE[,PICKS[,EXCLUDED]] of which its threshold is settled
    is_shipped: bool = True  # False: it serves later steps alone

    def reads(self) -> tuple[Template, ...]:
        names = (self.dataset, self.start, self.way_down, *self.teachers, self.settled_by)
        return (*(f"{{{name}}}" for name in names if name), *self.records)


class Pick(_Step):
    """`kensoku dataset pick`: a table for each file."""

    kind: Literal["pick"]
    models: Annotated[tuple[Name, ...], Field(min_length=1)]  # of steps before; several vote
    files: Annotated[dict[Name, Template], Field(min_length=1)]  # by the tables' names
    threshold: Share = 0.3

    def reads(self) -> tuple[Template, ...]:
        return (*(f"{{{name}}}" for name in self.models), *self.files.values())


class Associate(_Step):
    """`kensoku dataset associate`: `picks.csv`."""

    kind: Literal["associate"]
    stations: Template
    picks: Annotated[tuple[Template, ...], Field(min_length=1)]
    least_score: Share = 0.5
    p_velocity_km_s: Annotated[float, Field(gt=0)] = 6.0
    s_velocity_km_s: Annotated[float, Field(gt=0)] = 3.45

    def reads(self) -> tuple[Template, ...]:
        return (self.stations, *self.picks)


Step = Simulate | Build | Train | Pick | Associate
KINDS = ("simulate", "build", "train", "pick", "associate")


def read_list(tables: Tables, models: Sequence[str]) -> list[Step]:
    """With the paths of descriptions and settings whole; every mistake is told with its line."""
    tables.refuse_others(("steps",))
    try:
        steps = TypeAdapter(list[Annotated[Step, Field(discriminator="kind")]]).validate_python(
            tables.content.get("steps", [])
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = tuple(each for each in first["loc"] if each not in KINDS)
        raise tables.mistake(("steps", *place), f"found {first['input']!r}: {first['msg']}") from None
    steps, names = [_with_paths(step, tables.path.parent) for step in steps], [step.name for step in steps]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise tables.mistake(("steps", number, "name"), f"found {name!r} twice, expected another name")
    for number, step in enumerate(steps):
        if isinstance(step, Train) and step.model not in models:
            what = f"found {step.model!r}, expected one of {', '.join(models)}"
            raise tables.mistake(("steps", number, "model"), what)
        later = names_in(step.reads()) & set(names[number:])
        if later:
            what = f"found {{{min(later)}}}, which is made later or here, expected a step before"
            raise tables.mistake(("steps", number, "name"), what)
    return steps


def _with_paths(step: Step, folder: Path) -> Step:
    if isinstance(step, Build):
        return step.model_copy(update={"description": folder / step.description})
    if isinstance(step, Train):
        return step.model_copy(update={"config": folder / step.config})
    return step


def names_in(templates: Sequence[Template]) -> set[str]:
    """What stands in braces."""
    return {name for each in templates for _, name, _, _ in string.Formatter().parse(each) if name}


# --- what is done -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """How far a step is, beside its folder."""

    identity: str
    is_done: bool


def identify(step: BaseModel, texts: Sequence[str], before: Mapping[str, str]) -> str:
    """A hash of a step's settings, of the texts that it reads, and of the steps before it; not of recorded data."""
    settings = step.model_dump(mode="json", exclude={"description", "config"} if texts else None)
    content = {"step": settings, "texts": list(texts), "before": dict(sorted(before.items()))}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_state(path: Path) -> State | None:
    try:
        return TypeAdapter(State).validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise InputInvalid(f"{path}: found no state of a step; remove it and what it stands beside") from None


def write_state(path: Path, state: State) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(asdict(state)) + "\n")
