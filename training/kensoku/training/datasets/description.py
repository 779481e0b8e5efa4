"""Reads the description of a data set; what is wrong in it is told with its line, all at once."""

import difflib
import json
import tomllib
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from kensoku import toml_lines
from kensoku.errors import InputInvalid
from kensoku.training.datasets import sources
from kensoku.training.datasets.completing import Completion
from kensoku.training.datasets.conditions import Conditions
from kensoku.training.datasets.continuous import PickColumns
from kensoku.training.datasets.labels import LabelRule
from kensoku.training.datasets.shards import FORMATS, Format
from kensoku.training.datasets.split import SplitPlan
from kensoku.training.datasets.windows_file import Columns

MOST_TOLD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    develop_share: sources.Share = 0.15
    left_out: tuple[str, ...] = ()  # regions


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    seed: Annotated[int, Field(ge=0)] = 0
    longest_s: sources.Length | None = None  # records are cut to this, around their labels
    shard_examples: Annotated[int, Field(gt=0)] = 250
    formats: Annotated[tuple[Format, ...], Field(min_length=1)] = FORMATS
    split: Split = field(default_factory=Split)
    sources: Annotated[tuple[sources.Source, ...], Field(min_length=1)]

    def templates(self) -> tuple[str, ...]:
        """The paths, in which folders are named in braces."""
        return tuple(template for source in self.sources for template in source.templates())

    def plan(self) -> SplitPlan:
        shares = {
            source.name: self.split.develop_share if source.develop_share is None else source.develop_share
            for source in self.sources
        }
        return SplitPlan(seed=self.seed, develop_share=shares, left_out=frozenset(self.split.left_out))


def load_description(path: Path) -> Description:
    try:
        return read_description(path.read_text("utf-8-sig"), str(path))
    except OSError as error:
        raise InputInvalid(f"{path}: found {error.strerror}; expected a readable file") from None
    except UnicodeDecodeError:
        raise InputInvalid(f"{path}: found bytes that are no UTF-8; expected TOML; save it as UTF-8") from None


def read_description(text: str, name: str) -> Description:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # numbers of over 4,300 digits, arrays within arrays
        raise InputInvalid(f"{name}: found no TOML, whose reader says: {error}; expected a description") from None
    lines = toml_lines.find_lines(text)
    try:
        description = TypeAdapter(Description).validate_json(json.dumps(document, default=str))
        mistakes = _contradictions(description)
    except ValidationError as error:
        mistakes = [(toml_lines.path_of(each), _explain(each)) for each in error.errors(include_url=False)]
    if mistakes:
        places = sorted({toml_lines.place_of(path, lines) + (mistake,) for path, mistake in mistakes})
        told = [f"line {line}{where}: {mistake}" for line, where, mistake in places]
        more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
        count = f"{len(told)} mistake{'s' * (len(told) > 1)}"
        raise InputInvalid("\n  ".join([f"{name}: {count}", *told[:MOST_TOLD], *more]))
    return description


# --- mistakes ---------------------------------------------------------------------------------------------------------


def _contradictions(description: Description) -> list[tuple[toml_lines.Path, str]]:
    mistakes: list[tuple[toml_lines.Path, str]] = []
    names = [source.name for source in description.sources]
    regions = {source.region for source in description.sources}
    for index, name in enumerate(names):
        if name in names[:index]:
            told = f"found {name!r}, which sources[{names.index(name)}] has; expected another name"
            mistakes.append((("sources", index, "name"), told))
    for index, source in enumerate(description.sources):
        for condition in ("magnitude", "distance_km", "snr"):
            limits = getattr(source.conditions, condition)
            if limits is not None and limits[0] > limits[1]:
                told = f"found {[*limits]}, which nothing meets; expected the smaller one first"
                mistakes.append((("sources", index, "conditions", condition), told))
    for index, region in enumerate(description.split.left_out):
        if region not in regions:
            told = f"found {region!r}; expected the region of a source: {', '.join(sorted(regions))}"
            mistakes.append((("split", "left_out", index), told))
    return mistakes


def _explain(problem: Any) -> str:
    """One of pydantic's mistakes in our words."""
    kind, last = problem["type"], problem["loc"][-1] if problem["loc"] else ""
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        near = difflib.get_close_matches(str(last), _all_keys(), 1)
        hint = f"did you mean {near[0]}?" if near else "expected a call without it"
        return f"found an unknown key {last}; {hint}"
    if kind.startswith("missing"):
        return f"found no {last}; expected one"
    if kind.startswith("union_tag"):
        found = f"kind {problem['ctx']['tag']!r}" if "tag" in problem.get("ctx", {}) else "no kind"
        return f"found {found}; expected one of {', '.join(_kinds())}"
    message = str(problem["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    found = "a table" if isinstance(problem["input"], dict) else json.dumps(problem["input"], default=str)[:60]
    return f"found {found}; expected {message}"


def _classes() -> list[Any]:
    return list(get_args(get_args(sources.Source)[0]))


def _kinds() -> list[str]:
    return [each.__dataclass_fields__["kind"].default for each in _classes()]


def _all_keys() -> set[str]:
    tables = [Description, Split, Conditions, LabelRule, Columns, Completion, PickColumns, *_classes()]
    return {column.name for table in tables if is_dataclass(table) for column in fields(table)}
