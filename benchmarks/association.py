"""Our associator beside PyOcto and GaMMA: the same picks, stations and travel times, one process each.

`python -m benchmarks.association [--json] [--cases NAME,...] [--data DIR] [--threads N]`

DIR is the folder of recorded data; cases that need it are skipped without. An event is found when it made more than
half of the picks of a group and the group holds 60 % of its own. Recall is over the events with eight picks or more,
precision over all groups; of planted events over the groups that are mostly planted. Seconds are of the processor.
`--choose` tries the grid of the others' settings on the day before the one that is reported, and prints the best.
"""

import argparse
import contextlib
import io
import itertools
import json
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._association_cases import DEVELOPED, RECORDED, SIMULATED, Case, ridgecrest, sequence, spoil
from benchmarks._association_engines import ENGINES, Setting
from benchmarks._association_runs import LIMIT_S, Failed, Run, run
from benchmarks._association_scores import agreement, changed, match, own_share, planted_only, score, separated
from benchmarks.report import machine_name
from kensoku.errors import InputInvalid

AWAY_S = 120.0  # from the cut: groups that begin later must be the same without the picks before it
SEED = 3
CHOOSING = {  # false picks a pick, labels swapped, hours of the day; GaMMA takes more than a minute for one hour
    "pyocto": ((0, 0.0, 3.0), (1, 0.05, 3.0), (3, 0.0, 2.0)),
    "gamma": ((0, 0.0, 0.5), (1, 0.05, 0.25)),
}
CHOOSING_LIMIT_S = {"pyocto": 60.0, "gamma": 150.0, "pyocto_tuned": 60.0}
GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "pyocto": {
        "least": ((7, 3, 2, 2), (8, 3, 3, 3), (8, 4, 4, 4), (10, 4, 4, 4)),  # picks, P, S, stations with both
        "within_s": ((1.0, 1.0), (1.0, 1.5), (1.5, 1.5), (1.5, 2.0), (2.0, 2.0)),  # of the search, of picks taken
    },
    "gamma": {
        "eps_s": (5, 10),
        "least": (8,),
        "sigma_s": (1.0, 2.0),
        "oversample": (5,),
    },
    "pyocto_tuned": {
        "least": ((7, 3, 2, 2), (8, 3, 3, 3), (10, 4, 4, 4)),
        "within_s": ((0.3, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)),
    },
}
PARTS = {"least": ("n_picks", "p", "s", "both"), "within_s": ("tolerance_s", "match_s")}  # of PyOcto's


def settings_of(engine: str) -> Iterator[Setting]:
    for values in itertools.product(*GRIDS[engine].values()):
        setting: dict[str, Any] = {}
        for name, value in zip(GRIDS[engine], values, strict=True):
            setting |= dict(zip(PARTS[name], value, strict=True)) if isinstance(value, tuple) else {name: value}
        yield setting


# --- the table --------------------------------------------------------------------------------------------------------


def measure(case: Case, engines: Sequence[str], folder: Path, threads: int, limit_s: float) -> dict[str, Any]:
    runs = {engine: run(engine, case, folder, threads, ENGINES[engine].setting, limit_s) for engine in engines}
    told: dict[str, Any] = {"name": case.name, "picks": len(case.onset_s)}
    told |= {engine: judge(case, result) for engine, result in runs.items()}
    if case.is_background:
        told["agreement"] = agreements(case, {name: each for name, each in runs.items() if isinstance(each, Run)})
    return told


def judge(case: Case, result: Run | Failed) -> dict[str, Any]:
    if isinstance(result, Failed):
        return {"f1": None, "recall": None, "precision": None, "seconds": None, "dnf": result.reason}
    told: dict[str, Any] = {"seconds": result.seconds, "wall_s": result.wall_s, "groups": len(result.groups)}
    if not (case.event >= 0).any():
        return {"f1": None, "recall": None, "precision": None, **told, "false_events": len(result.groups)}
    groups = planted_only(result.groups, case.event) if case.is_background else result.groups
    matched = match(groups, case.event)
    scored = score(matched, np.random.default_rng(SEED))
    told |= {"recall": scored.recall, "precision": scored.precision, "f1": scored.f1, "events": scored.events}
    told |= {"recall_95": scored.recall_95, "precision_95": scored.precision_95, "f1_95": scored.f1_95}
    told["own"] = own_share(groups, case.event)
    if case.name == "pairs":
        told["separated"] = separated(matched.is_found)
    if case.cut_s is not None and result.after_cut is not None:
        away = case.cut_s + AWAY_S
        told["changed_by_cut"], told["groups_after_cut"] = changed(result.groups, result.after_cut, case.onset_s, away)
    return told


def agreements(case: Case, runs: dict[str, Run]) -> dict[str, dict[str, float]]:
    """Of the groups that are not planted: share that is in one group of the other engine."""
    groups = {name: [g for g in each.groups if (case.event[g] < 0).all()] for name, each in runs.items()}
    return {
        one: {other: agreement(groups[one], runs[other].groups, len(case.onset_s)) for other in runs if other != one}
        for one in runs
    }


def show(told: dict[str, Any], engines: Sequence[str]) -> None:
    print(f"{told['name']}: {told['picks']} picks", flush=True)
    for engine in engines:
        print(f"  {engine:<8} {_line(told[engine])}", flush=True)
    for one, others in told.get("agreement", {}).items():
        print(f"  of the rest of {one}: " + ", ".join(f"{v:.3f} in {other}" for other, v in others.items()), flush=True)


def _line(told: dict[str, Any]) -> str:
    if "dnf" in told:
        return f"DNF: {told['dnf']}"
    words = []
    if told["f1"] is not None:
        low, high = told["f1_95"]
        words += [f"F1 {told['f1']:.4f} ({low:.4f} to {high:.4f})"]
        words += [f"recall {told['recall']:.4f}  precision {told['precision']:.4f}"]
    words += [f"groups {told['groups']}", f"{told['seconds']:.1f} s"]
    words += [f"own picks {told['own']:.3f}"] if "own" in told else []
    words += [f"separated {told['separated']:.3f}"] if "separated" in told else []
    words += [f"false events {told['false_events']}"] if "false_events" in told else []
    if "changed_by_cut" in told:
        words += [f"changed by the cut {told['changed_by_cut']} of {told['groups_after_cut']}"]
    return "  ".join(words)


# --- the others' settings ---------------------------------------------------------------------------------------------


def choose(engine: str, data: Path | None, folder: Path, threads: int) -> None:
    """F1 of each setting on picks of the day before, kind after kind, the better third of them on the last; what does
    not finish counts 0."""
    left = [(setting, list[float]()) for setting in settings_of(engine)]
    cases = developed(engine, data)
    for number, case in enumerate(cases):
        for setting, f1s in left:
            f1, seconds = _try(engine, setting, case, folder, threads)
            f1s.append(f1)
            print(f"{case.name}: {f1:.4f} in {seconds:.1f} s, mean {np.mean(f1s):.4f}", setting, flush=True)
        left.sort(key=lambda each: -float(np.mean(each[1])))
        if number == len(cases) - 2:
            left = left[: max(len(left) // 3, 1)]
    print(f"{engine}: best {np.mean(left[0][1]):.4f} {left[0][0]}")


def developed(engine: str, data: Path | None) -> list[Case]:
    """On which settings are chosen: none of them is reported."""
    if engine == "pyocto_tuned":
        return [sequence("other_every_10_s", 10, 600, seed=5)]
    if data is None:
        raise InputInvalid(f"found no --data DIR, expected it to choose settings of {engine}")
    day, cases = ridgecrest(data, DEVELOPED), []
    for false, swapped, hours in CHOOSING[engine]:
        early = day.chosen(np.flatnonzero(day.onset_s < day.onset_s.min() + 3600 * hours))
        name = f"{hours:g} h, {false} false, {swapped:.0%} swapped"
        cases.append(replace(spoil(early, false, swapped), name=name))
    return cases


def _try(engine: str, setting: Setting, case: Case, folder: Path, threads: int) -> tuple[float, float]:
    """F1 and processor seconds, in this process: what takes long to begin would begin often."""
    associate = ENGINES[engine].prepare(case, folder, threads, setting)
    start = time.process_time()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            signal.setitimer(signal.ITIMER_PROF, CHOOSING_LIMIT_S[engine])
            groups = associate(case)
    except TimeoutError:
        return 0.0, CHOOSING_LIMIT_S[engine]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    f1 = score(match(groups, case.event), np.random.default_rng(SEED)).f1
    return f1, time.process_time() - start


def _give_up(*_: object) -> None:
    raise TimeoutError


def makers_of(data: Path | None) -> dict[str, Callable[[], Case] | None]:
    """None: cannot be made without recorded data."""
    recorded = {name: None if data is None else (lambda make=make: make(data)) for name, make in RECORDED.items()}
    return {**recorded, **SIMULATED}


def main() -> None:
    parser = argparse.ArgumentParser(description="Association: ours beside PyOcto and GaMMA on the same picks")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    parser.add_argument("--cases", help=f"some of {', '.join((*RECORDED, *SIMULATED))}, by comma")
    parser.add_argument("--engines", default="kensoku,pyocto,gamma", help=f"some of {', '.join(ENGINES)}, by comma")
    parser.add_argument("--data", type=Path, help="folder of recorded data, with catalogs/ and continuous/")
    parser.add_argument("--threads", type=int, default=1, help="of each engine")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="processor seconds of a case, then DNF")
    parser.add_argument("--choose", choices=sorted(GRIDS), help="try the grid of settings of one engine")
    options = parser.parse_args()
    makers, engines = makers_of(options.data), options.engines.split(",")
    wanted = options.cases.split(",") if options.cases else list(makers)
    if unknown := [name for name in wanted if name not in makers] + [name for name in engines if name not in ENGINES]:
        parser.error(f"found {', '.join(unknown)}; expected some of {', '.join((*makers, *ENGINES))}")
    with tempfile.TemporaryDirectory() as folder:
        if options.choose:
            signal.signal(signal.SIGPROF, _give_up)
            choose(options.choose, options.data, Path(folder), options.threads)
            return
        print(f"{parser.description}\n{machine_name()}")
        print(f"{options.threads} thread(s), DNF after {options.limit:.0f} s of processor\n", flush=True)
        cases = []
        for name in wanted:
            make = makers[name]
            if make is None:
                print(f"{name}: skipped, it needs recorded data: --data DIR")
                continue
            try:
                case = make()
            except FileNotFoundError as error:
                print(f"{name}: skipped, there is no {error.filename}")
                continue
            cases.append(measure(case, engines, Path(folder), options.threads, options.limit))
            show(cases[-1], engines)
    if options.json:
        print(
            json.dumps(
                {"machine": machine_name(), "threads": options.threads, "limit_s": options.limit, "cases": cases}
            )
        )


if __name__ == "__main__":
    main()
