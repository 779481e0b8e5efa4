"""The catalogue of simulated networks from their packets on, beside the truth, with every bar that it must pass.

`python -m benchmarks.catalogue [--parts aftershocks,quiet,...] [--after 5] [--minutes 10] [--out DIR] [--json]`

Packets come as late as the scenario's telemetry brings them; picker, association and location are those of the
services, in event time: each is busy for as long as its processor time says. Records and picks are kept in the cache.
Recall is over the events with SNR above 3 (of P or S) at six of the stations or more, precision beside all that
happened, both within 1 s and 5 km. With --out the catalogue, the truth and what was missed are written there as csv.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks._catalogue_bars import Bar, bars_of_loads, least, median, show
from benchmarks._catalogue_live import Run, Timed, earth_of, live, picked
from benchmarks._catalogue_loads import kumamoto, kumamoto_records, quiet
from benchmarks._catalogue_picks import of_cut, told_of
from benchmarks._catalogue_queue import Load
from benchmarks._catalogue_records import Cut, nearest
from benchmarks._catalogue_scores import (
    PARTS,
    Delay,
    Lives,
    Score,
    declared,
    delay_of,
    larger,
    lives_of,
    quantiles,
    score,
)
from benchmarks._catalogue_truth import SEEN_STATIONS, first_p_ns, seen_at, truth_of
from benchmarks._catalogue_types import quarries
from benchmarks.report import machine_name
from kensoku.catalogue_files import Pair, Signature, write_catalogue
from kensoku.locating import Site
from kensoku.simulation.engine import open_world
from kensoku.v1.event_pb2 import EVENT_STATUS_MERGED, EVENT_STATUS_RETRACTED

NS_PER_S = 10**9
BEGIN_S, END_S = 30, 60  # of a cut, in which nothing is judged
COMPILED_S = 90
PARTS_OF_ALL = ("aftershocks", "quiet", "kumamoto", "kumamoto-records", "quarries")


# --- aftershocks ------------------------------------------------------------------------------------------------------


def aftershocks(after: int, minutes: int, stations: int, out: Path | None, *, is_true: bool) -> list[Bar]:
    world = open_world("aftershocks")
    strongest = int(np.argmax(world.catalogue.mw))
    place = float(world.catalogue.latitude_deg[strongest]), float(world.catalogue.longitude_deg[strongest])
    start = int(world.catalogue.time_ns[strongest]) // NS_PER_S + 60 * after
    cut = Cut(world, nearest(world, *place, stations), start, 60 * minutes)
    picking = Load()
    told = told_of(of_cut(cut), sites_of(cut), cut.end) if is_true else picked(cut, picking)
    earth = earth_of(world.scenario.earth)
    live(first_of(told, COMPILED_S), cut.inventory, earth)  # loops are compiled before anything is timed
    run = live(told, cut.inventory, earth)
    if not is_true:
        run.loads["triggering"] = picking
    judged = judge(cut, run)
    if out is not None:
        write(out, cut, judged)
    return [*bars_of(judged), Bar("picks", len(run.picks)), *bars_of_loads(run.loads)]


def sites_of(cut: Cut) -> dict[str, Site]:
    return {one.name: Site(one.latitude_deg, one.longitude_deg, one.elevation_m / 1000) for one in cut.stations}


def first_of(told: Sequence[Timed], seconds: float) -> list[Timed]:
    return [each for each in told if each[0] < told[0][0] + seconds * NS_PER_S]


@dataclass(frozen=True, slots=True)
class Judged:
    score: Score
    lives: Lives
    clear: Sequence[str]  # events whose P stands out at as many stations
    delays: Sequence[Delay]
    firsts: Sequence[Pair]  # first revisions, and what is true
    never_early: int  # events that had no preliminary revision


def judge(cut: Cut, run: Run) -> Judged:
    truth, seen = truth_of(cut.world, cut), seen_at(cut)
    wanted = frozenset(row for row, count in seen.items() if count >= SEEN_STATIONS)
    lives = lives_of(run.events)
    scored = score(lives.standing, truth, wanted, ((cut.start + BEGIN_S) * NS_PER_S, (cut.end - END_S) * NS_PER_S))
    told_ns = {pick.id: at_ns for at_ns, pick in run.picks}
    states, p_ns, early = declared(run.associations), first_p_ns(cut), set(lives.early)
    delays, firsts = [], []
    for pair in scored.pairs:
        at_ns, event = lives.first[pair.a.id]
        if event.id not in early:
            continue
        associated_ns, state = states[event.id, event.provenance.association_revision]
        picks = [each.pick for each in state.picks]
        delays.append(delay_of(p_ns[pair.b.id], picks, told_ns, associated_ns, at_ns))
        firsts.append(Pair(event, pair.b))
    clear = [row for row, count in seen_at(cut, (0,)).items() if count >= SEEN_STATIONS]
    return Judged(scored, lives, clear, delays, firsts, len(scored.pairs) - len(firsts))


def bars_of(judged: Judged) -> list[Bar]:
    scored, lives = judged.score, judged.lives
    whole = quantiles([each.whole for each in judged.delays])
    sizes = [size for pair in scored.pairs if (size := larger(pair)) is not None]
    first_sizes = [size for pair in judged.firsts if (size := larger(pair)) is not None]
    early = max(len(lives.early), 1)
    bars = [
        Bar("events, that should be found", scored.wanted),
        Bar("events, found", scored.events),
        least("recall", scored.recall, 0.95),
        Bar("recall of those whose P stands out", recall_of(scored, judged.clear)),
        least("precision", scored.precision, 0.98),
        Bar("epicentre, median, km", median([pair.moved_km for pair in scored.pairs]), 1.0),
        Bar("depth, median, km", median([abs(pair.deeper_km) for pair in scored.pairs])),
        Bar("magnitudes, mean above the true ones", float(np.mean(sizes)) if sizes else np.nan),
        Bar("magnitudes, scatter", float(np.std(sizes)) if sizes else np.nan, 0.2),
        Bar("magnitudes, share of events", len(sizes) / max(len(scored.pairs), 1)),
        Bar("time to a first event, median, s", whole["median"], 4.0),
        Bar("time to a first event, p95, s", whole["p95"], 6.5),
        Bar("first events, epicentre, median, km", median([pair.moved_km for pair in judged.firsts]), 5.0),
        Bar("first events, magnitude, median error", median([abs(each) for each in first_sizes]), 0.5),
        Bar("first events, with a magnitude, share", len(first_sizes) / max(len(judged.firsts), 1)),
        Bar("first events, later retracted, share", len(lives.became(EVENT_STATUS_RETRACTED)) / early, 0.01),
        Bar("first events, later merged, share", len(lives.became(EVENT_STATUS_MERGED)) / early),
        Bar("events that were only told when final", judged.never_early),
    ]
    for part in PARTS:
        of_part = quantiles([getattr(each, part) for each in judged.delays])
        bars += [Bar(f"of the time: {part}, {name}, s", value) for name, value in of_part.items() if name != "longest"]
    return bars


def recall_of(scored: Score, rows: Sequence[str]) -> float:
    """Of these events of the span, which are among the wanted ones."""
    found = {pair.b.id for pair in scored.pairs}.intersection(rows)
    missed = {event.id for event in scored.missed}.intersection(rows)
    return len(found) / max(len(found) + len(missed), 1)


def write(out: Path, cut: Cut, judged: Judged) -> None:
    """For `score_catalog.py`, and to look at."""
    out.mkdir(parents=True, exist_ok=True)
    begin_ns, end_ns = (cut.start + BEGIN_S) * NS_PER_S, (cut.end - END_S) * NS_PER_S
    truth, seen = truth_of(cut.world, cut), seen_at(cut)
    inside = [event for event in truth if begin_ns <= event.origin.time_ns < end_ns]
    found = [event for event in judged.lives.standing if begin_ns <= event.origin.time_ns < end_ns]
    wanted = [event for event in inside if seen.get(event.id, 0) >= SEEN_STATIONS]
    tables = {"events": found, "truth": truth, "wanted": wanted, "missed": judged.score.missed}
    tables |= {"false": judged.score.false, "first": [pair.a for pair in judged.firsts]}
    for name, events in tables.items():
        write_catalogue(out / f"{name}.csv", list(events), Signature(), "csv")


# --- all --------------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description="The catalogue of simulated networks, beside the truth")
    parser.add_argument("--parts", default=",".join(PARTS_OF_ALL), help="by comma, default: %(default)s")
    parser.add_argument("--after", type=int, default=5, help="minutes between the strongest earthquake and the cut")
    parser.add_argument("--minutes", type=int, default=10, help="of the aftershocks, and of Kumamoto's")
    parser.add_argument(
        "--wall", action="store_true", help="Kumamoto by the wall clock: all cores, and nothing else on"
    )
    parser.add_argument("--hours", type=float, default=24, help="without events")
    parser.add_argument("--days", type=float, default=5, help="between quarries")
    parser.add_argument("--true-picks", action="store_true", help="aftershocks from their arrivals with errors instead")
    parser.add_argument("--stations", type=int, default=12, help="of the aftershocks, the nearest to the strongest")
    parser.add_argument("--out", type=Path, metavar="DIR", help="gets catalogue, truth, misses and false events as csv")
    parser.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    options = parser.parse_args()
    parts: dict[str, Callable[[], list[Bar]]] = {
        "aftershocks": lambda: aftershocks(
            options.after, options.minutes, options.stations, options.out, is_true=options.true_picks
        ),
        "quiet": lambda: quiet(options.hours),
        "kumamoto": lambda: kumamoto(options.minutes, time.perf_counter_ns if options.wall else time.process_time_ns),
        "kumamoto-records": kumamoto_records,
        "quarries": lambda: quarries(options.days, 2 * options.stations),
    }
    wanted = options.parts.split(",")
    if unknown := [name for name in wanted if name not in parts]:
        parser.error(f"found {', '.join(unknown)}; expected some of {', '.join(parts)}")
    print(f"{parser.description}\n{machine_name()}")
    found = {}
    for name in wanted:
        bars = parts[name]()
        show(name, bars)
        found[name] = {bar.name: {"found": bar.found, "asked": bar.asked, "passed": bar.is_passed} for bar in bars}
    if options.json:
        print(json.dumps({"machine": machine_name(), **found}))


if __name__ == "__main__":
    main()
