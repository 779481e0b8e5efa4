"""What `kensoku train all` does in each step: the same as the command that does one thing, with folders of its own."""

import argparse
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kensoku.cli import _dataset_pick
from kensoku.cli.train import run
from kensoku.errors import SettingInvalid
from kensoku.picking import CARD
from kensoku.whole_files import written_whole

if TYPE_CHECKING:
    from kensoku.training.run_list import Associate, Build, Pick, Simulate, Step, Train

T = TypeVar("T")
JUDGED = "judged"  # folder of a report, within that of a training
MODELS = "models"  # folder of all that was trained, as a repository
FALSE_PER_HOUR = "3.9"  # of quiet, at the threshold of a picker that is shipped


@dataclass(frozen=True, slots=True)
class Clock:
    """When to stop: if somebody says so, or at a moment."""

    stop: threading.Event
    ends_s: float | None
    now: Callable[[], float] = time.monotonic

    def minutes_left(self) -> float | None:
        return None if self.ends_s is None else max(0.0, (self.ends_s - self.now()) / 60)

    def has_struck(self) -> bool:
        return self.stop.is_set() or (self.ends_s is not None and self.now() >= self.ends_s)

    def until(self, items: Iterator[T]) -> Iterator[T]:
        for item in items:
            yield item
            if self.has_struck():
                return


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where things are."""

    options: argparse.Namespace
    made: Mapping[str, Path]  # folders of the steps
    given: Mapping[str, Path]  # those that the call names, also in the place of a step's

    @property
    def folders(self) -> Mapping[str, Path]:
        return {**self.made, **self.given}

    def model(self, name: str) -> Path:
        return self.given.get(name, self.options.out / MODELS / name)

    def place(self, template: str) -> Path:
        from kensoku.training.datasets.sources import resolve

        return resolve(template, self.folders)

    def state_path(self, name: str) -> Path:
        return Path(self.options.out / f"{name}.json")


def do_step(step: "Step", workshop: Workshop, clock: Clock) -> bool:
    """Whether it is done now; what was done before is left alone."""
    from kensoku.training.run_list import State, read_state, write_state

    if step.name in workshop.given:
        print(f"{step.name}: {workshop.given[step.name]}", flush=True)
        return True
    path, identity = workshop.state_path(step.name), identity_of(step, workshop)
    state = read_state(path)
    if state is not None and state.identity != identity:
        raise SettingInvalid(
            f"{path}: found {step.name} made with other settings or of other steps, expected those of the list; "
            f"give another --out, or remove {path} and {path.with_suffix('')} to make it anew"
        )
    if state is None or not state.is_done:
        print(f"{step.name}: {step.kind}", file=sys.stderr, flush=True)
        write_state(path, State(identity, is_done=False))
        DO[step.kind](step, workshop, clock)
        if clock.has_struck():
            return False
        write_state(path, State(identity, is_done=True))
    print(f"{step.name}: done", flush=True)
    return True


def identity_of(step: "Step", workshop: Workshop) -> str:
    from kensoku.training.run_list import Build, Train, identify, names_in, read_state

    files = [step.description] if isinstance(step, Build) else [step.config] if isinstance(step, Train) else []
    states = {name: read_state(workshop.state_path(name)) for name in names_in(step.reads()) & set(workshop.made)}
    before = {name: state.identity for name, state in states.items() if state and name not in workshop.given}
    return identify(step, [file.read_text() for file in files], before)


# --- the kinds --------------------------------------------------------------------------------------------------------


def simulate(step: "Simulate", workshop: Workshop, clock: Clock) -> None:
    from kensoku.cli.simulate import tell_windows
    from kensoku.simulation.shards import Plan, write_shards

    jobs = max(workshop.options.processes, os.cpu_count() or 1)
    tell_windows(clock.until(write_shards(workshop.made[step.name], Plan(step.seed, step.count, of=step.of), jobs)))


def build(step: "Build", workshop: Workshop, clock: Clock) -> None:
    from kensoku.cli.dataset import tell
    from kensoku.training import datasets

    description = datasets.load_description(step.description)
    tell(clock.until(datasets.build(workshop.made[step.name], description, workshop.folders)))


def pick(step: "Pick", workshop: Workshop, clock: Clock) -> None:
    folder = workshop.made[step.name]
    folder.mkdir(exist_ok=True)
    for name, template in step.files.items():
        path, out = workshop.place(template), folder / f"{name}.csv"
        if not out.exists() and not clock.has_struck():
            models = [workshop.model(each) for each in step.models]
            for _ in _dataset_pick.tell_picks(
                path, clock.until(_dataset_pick.pick_file(path, models, out, step.threshold))
            ):
                pass


def associate(step: "Associate", workshop: Workshop, _: Clock) -> None:
    from kensoku.training.datasets.association import Ground

    tables, out = [workshop.place(each) for each in step.picks], workshop.made[step.name] / "picks.csv"
    ground = Ground(p_km_s=step.p_velocity_km_s, s_km_s=step.s_velocity_km_s)
    told = _dataset_pick.associate_tables(tables, workshop.place(step.stations), out, step.least_score, ground)
    print(told, file=sys.stderr, flush=True)


def train(step: "Train", workshop: Workshop, clock: Clock) -> None:
    out, dataset = workshop.made[step.name], workshop.place(f"{{{step.dataset}}}")
    minutes = clock.minutes_left()
    start = None if step.start is None else start_of(step.start, workshop)
    if step.way_down is not None:
        start = graph_in(workshop.model(step.way_down), step.way_down)
    order: dict[str, Any] = {"config": step.config, "dataset": dataset, "out": out, "minutes": minutes, "start": start}
    if step.teachers:
        order["teachers"] = tuple(map(workshop.model, step.teachers))
    state = run(step.model, workshop.options, clock.stop, **order)
    print(f"{out}: {state.step:,} steps, merit {state.best_merit:.4f} at step {state.best_step:,}", flush=True)
    if not clock.has_struck():
        ship(step, workshop, dataset)


def start_of(name: str, workshop: Workshop) -> Path:
    """Weights of a run, or the graph of a model that was given in the place of one."""
    folder = workshop.place(f"{{{name}}}")
    if (weights := folder / "best.weights.h5").is_file() or name not in workshop.given:
        return weights
    return graph_in(folder, name)


def graph_in(folder: Path, name: str) -> Path:
    """Of a model's newest version."""
    from kensoku.inference import versions_in

    versions = versions_in(folder.parent, folder.name)
    if not versions:
        raise SettingInvalid(f"--data {name}={folder}: found neither weights of a run nor a model in it, expected one")
    return folder / max(versions, key=int) / "model.onnx"


def ship(step: "Train", workshop: Workshop, dataset: Path) -> None:
    """Into the folder of all that was trained; once it is judged there, into the repository."""
    from kensoku.training.classifier_run import classes_of

    repository = workshop.options.out / MODELS
    weights = workshop.made[step.name] / "best.weights.h5"
    given = ["--config", str(step.config), "--weights", str(weights), "--description", step.description]
    given += [
        "--dataset",
        str(dataset),
        *(part for each in step.teachers for part in ("--teacher", str(workshop.model(each)))),
    ]
    given += [] if step.model == "picker" else ["--classes", ",".join(classes_of(step.model))]
    given += [] if step.last is None else ["--last", str(step.last)]
    if step.is_shipped and workshop.options.repository is not None:
        keep_words(workshop.options.repository / step.name, repository / step.name)
    call("models", "ship", step.name, *given, "--model-repository", str(repository))
    if step.is_shipped:
        complete(step, workshop, ["--dataset", str(dataset), "--models", f"local:{repository}"])
    if step.is_shipped and workshop.options.repository is not None:
        put(repository / step.name, workshop.options.repository / step.name)


def complete(step: "Train", workshop: Workshop, asked: Sequence[str]) -> None:
    """Its card: the threshold, and what the records that were kept apart say of the model."""
    report = ["--model", step.name, "--settle", "--out", str(workshop.made[step.name] / JUDGED)]
    if step.settled_by is not None:
        if step.settled_by in workshop.given:  # both are asked of one repository
            put(workshop.given[step.settled_by], workshop.options.out / MODELS / step.settled_by)
        call("models", "settle", step.name, "--final", step.settled_by, *asked)
    elif step.model == "picker":
        call("models", "judge", step.name, "--false-per-hour", FALSE_PER_HOUR, *asked)
    elif step.model == "phase":
        call("models", "judge", step.name, *asked)
    elif step.model == "denoiser":
        records = [part for each in step.records for part in ("--records", str(workshop.place(each)))]
        call("evaluate", "denoiser", *report, *records, *asked)
    else:
        call("evaluate", "blasts", *report, *asked)


def keep_words(shipped: Path, folder: Path) -> None:
    """What its card says of use, limits and licence goes on to the next model of the name."""
    if (shipped / CARD).is_file() and not (folder / CARD).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(folder / CARD) as temporary:
            shutil.copyfile(shipped / CARD, temporary)


def call(*arguments: str) -> None:
    """As a person would."""
    from kensoku.cli.main import parse

    options = parse(arguments)
    options.execute(options)


def put(source: Path, target: Path) -> None:
    """A copy of its newest version under its name when it is whole: the next beside several, in place of a single one.

    What a run that was killed left there is cleared away.
    """
    from kensoku.training.shipping import next_version

    version, *others = next_version(target.parent, target.name)
    temporary = target.parent / f".put-{target.name}"
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(source, temporary / "new")
    if others:
        newest = max((path.name for path in (temporary / "new").iterdir() if path.name.isdigit()), key=int)
        (temporary / "new" / newest).rename(temporary / "new" / version)
        for other in others:
            shutil.copytree(target / other, temporary / "new" / other)
    if target.exists():
        target.rename(temporary / "old")
    (temporary / "new").rename(target)
    shutil.rmtree(temporary)


DO: Mapping[str, Callable[[Any, Workshop, Clock], None]] = {
    "simulate": simulate,
    "build": build,
    "pick": pick,
    "associate": associate,
    "train": train,
}
