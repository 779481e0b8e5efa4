"""What each part of a recipe is worth: the same short training with and without it, from several seeds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import t as student

from kensoku.errors import SettingInvalid
from kensoku.training.batches import Recipe
from kensoku.training.datasets import read_finished
from kensoku.training.datasets.split import Side
from kensoku.training.networks import ClassifierConfig, NetworkConfig
from kensoku.training.run_settings import Tables, read_tables
from kensoku.training.training_loop import Plan

Changes = Mapping[str, Mapping[str, Any]]

BASE = "as it is"
COVERED = 0.9  # of the intervals
SHOWN = {
    "p1_recall": "P",
    "p1_near": "P within 0.1 s",
    "p1_mae_s": "P MAE, s",
    "p3_recall": "P, 3 x slower",
    "s1_recall": "S",
    "s1_near": "S within 0.1 s",
    "s1_mae_s": "S MAE, s",
    "s3_recall": "S, 3 x slower",
    "merit": "merit",
}


class Variant(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    changes: dict[str, dict[str, Any]]  # table, key: value


class Ablation(BaseModel):
    """The table [ablation]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: Path  # settings of a run, beside the ablation's file
    model: str = "picker"
    windows: Annotated[int, Field(gt=0)] = 50_000
    seeds: Annotated[tuple[int, ...], Field(min_length=2)] = (1, 2, 3)
    judged_by: Side = "left_out"
    batch: Annotated[int, Field(gt=0)] = 32
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    variant: str
    seed: int
    folder: str  # below that of the ablation
    changes: Changes


def read_ablation(tables: Tables) -> Ablation:
    tables.refuse_others(("ablation",))
    ablation = tables.read("ablation", Ablation)
    names = [BASE, *(each.name for each in ablation.variants)]
    for name in names:
        if names.count(name) > 1:
            raise SettingInvalid(
                f"{tables.path}: found {names.count(name)} variants {name!r}, expected one; rename one"
            )
    return ablation.model_copy(update={"config": tables.path.parent / ablation.config})


def trials(ablation: Ablation) -> Iterator[Trial]:
    """All variants of one seed, then the next, so that whoever stops early has something to compare."""
    steps = -(-ablation.windows // ablation.batch)
    common = {"steps": steps, "batch": ablation.batch, "epoch_steps": min(500, steps), "judge_epochs": steps}
    for seed in ablation.seeds:
        for number, (name, changes) in enumerate(
            [(BASE, {}), *((each.name, each.changes) for each in ablation.variants)]
        ):
            training = {**common, **changes.get("training", {}), "seed": seed}
            yield Trial(name, seed, f"{number:02}-{seed}", {**changes, "training": training})


def refuse_mistakes(ablation: Ablation, tables: Tables) -> None:
    """Reads the settings of all variants; what is wrong with a change is told with its line in the ablation's file."""
    network = NetworkConfig if ablation.model == "picker" else ClassifierConfig
    for number, trial in enumerate(islice(trials(ablation), 1 + len(ablation.variants))):
        settings = read_tables(ablation.config, trial.changes)
        if number:
            place = ("ablation", "variants", number - 1)
            of = {path[4:]: line for path, line in tables.lines.items() if path[:4] == (*place, "changes")}
            settings = replace(settings, path=tables.path, lines={**of, (): tables.lines[place]})
        settings.refuse_others(("network", "recipe", "training"))
        settings.read("network", network)
        settings.read("recipe", Recipe)
        settings.read("training", Plan)


def refuse_unjudged(ablation: Ablation, dataset: Path) -> None:
    if not any(row["split"] == ablation.judged_by and row["examples"] for row in read_finished(dataset)["counts"]):
        raise SettingInvalid(
            f"{dataset}: found no example in split {ablation.judged_by!r}, expected some to judge by; build it with "
            f"[split] left_out, or name another judged_by in [ablation]"
        )


def table(found: Mapping[tuple[str, int], Mapping[str, float]]) -> str:
    """Markdown, from figures by variant and seed: those of the base, and by how much the others differ from it."""
    names = list(dict.fromkeys(name for name, _ in found))
    columns = [name for name in SHOWN if all(name in row for row in found.values())]
    lines = [
        "| | seeds | " + " | ".join(SHOWN[name] for name in columns) + " |",
        "| --- |" + " --- |" * (len(columns) + 1),
    ]
    for name in names:
        seeds = [seed for variant, seed in found if variant == name and (BASE, seed) in found]
        cells = [cell(found, name, seeds, column) for column in columns]
        lines.append(f"| {name} | {len(seeds)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def cell(found: Mapping[tuple[str, int], Mapping[str, float]], name: str, seeds: Sequence[int], column: str) -> str:
    values = np.array([found[name, seed][column] for seed in seeds])
    if name == BASE:
        return f"{values.mean():.3f} ± {half_width(values):.3f}"
    apart = values - np.array([found[BASE, seed][column] for seed in seeds])
    return f"{apart.mean():+.3f} ± {half_width(apart):.3f}"


def half_width(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Of the interval in which the mean of many seeds would lie; infinite from one."""
    if len(values) < 2:
        return float("inf")
    return float(student.ppf((1 + COVERED) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
