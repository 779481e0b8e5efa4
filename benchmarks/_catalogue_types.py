"""Blasts and earthquakes between quarries, with the blast model in the loop: how each is typed, and which are lost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks._catalogue_bars import Bar
from benchmarks._catalogue_live import Timed, context_for, earth_of, live, picked
from benchmarks._catalogue_queue import Load
from benchmarks._catalogue_records import Cut, nearest
from benchmarks._catalogue_scores import lives_of
from benchmarks._catalogue_truth import SEEN_STATIONS, seen_at, truth_of
from kensoku.catalogue_files import Limits, compare
from kensoku.magnitudes import Quarry, Rules, TypeSettings
from kensoku.polygons import polygon
from kensoku.simulation.engine import World, open_world
from kensoku.simulation.sequences import Quarry as Working
from kensoku.simulation.sources import SourceKind
from kensoku.solving import Book, solve_many
from kensoku.v1.event_pb2 import EVENT_STATUS_FINAL, EVENT_TYPE_BLAST, EVENT_TYPE_EARTHQUAKE, Event

NS_PER_S = 10**9
BEFORE_S, AFTER_S = 60, 120  # of an origin, that is looked at
UTC_OFFSET_H = 9.0
LEAST_ML = 1.0  # of earthquakes that are looked at
LIMITS = Limits(seconds=3.0, km=10.0)
TYPES = {EVENT_TYPE_EARTHQUAKE: "earthquake", EVENT_TYPE_BLAST: "blast"}


def quarries(days: float, stations: int) -> list[Bar]:
    world = open_world("quarries")
    middle = np.mean([(one.latitude_deg, one.longitude_deg) for one in world.stations], axis=0)
    chosen = nearest(world, float(middle[0]), float(middle[1]), stations)
    told, truth, seen = list[Timed](), dict[str, Event](), dict[str, int]()
    for start, end in spans(world, days):
        cut = Cut(world, chosen, start, end - start)
        told += picked(cut, Load())
        truth |= {event.id: event for event in truth_of(world, cut)}
        seen |= seen_at(cut)
    earth = earth_of(world.scenario.earth)
    run = live(told, cut.inventory, earth)
    final = [state for _, state in run.associations if state.status == EVENT_STATUS_FINAL]
    standing = {event.id for event in lives_of(run.events).standing}
    bars = []
    for name, known in (("without quarries known", ()), ("with quarries known", places(world))):
        rules = Rules(types=TypeSettings(utc_offset_h=UTC_OFFSET_H), quarries=known)
        context = replace(context_for(cut.inventory, earth), rules=rules)
        solved = [each.event for each in solve_many(final, context, Book()) if each.event is not None]
        found = [event for event in solved if event.id in standing]
        bars += typed(name, world, found, [event for event in truth.values() if seen.get(event.id, 0) >= SEEN_STATIONS])
    return bars


def spans(world: World, days: float) -> list[tuple[int, int]]:
    """Around each blast and each earthquake that is not small, without overlaps."""
    catalogue, found = world.catalogue, list[tuple[int, int]]()
    is_wanted = (catalogue.kind == SourceKind.BLAST) | (catalogue.ml >= LEAST_ML)
    for time_ns in catalogue.time_ns[is_wanted & (catalogue.time_ns < world.start_ns + days * 86_400 * NS_PER_S)]:
        second = int(time_ns) // NS_PER_S
        begin, end = max(second - BEFORE_S, world.start_ns // NS_PER_S), second + AFTER_S
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def places(world: World) -> tuple[Quarry, ...]:
    working = [each for each in world.scenario.sequences if isinstance(each, Working)]
    return tuple(Quarry(each.name, (polygon(((each.longitude_deg, each.latitude_deg),)),), 1.0) for each in working)


def typed(name: str, world: World, found: Sequence[Event], truth: Sequence[Event]) -> list[Bar]:
    bars = []
    types = {pair.b.id: TYPES.get(pair.a.type, "neither") for pair in compare(found, truth, LIMITS).pairs}
    for kind, word in ((SourceKind.BLAST, "blasts"), (SourceKind.EARTHQUAKE, "earthquakes")):
        asked = [event for event in truth if world.catalogue.kind[int(event.id)] == kind]
        counts = Counter(types.get(event.id, "not found") for event in asked)
        bars.append(Bar(f"{word} seen at {SEEN_STATIONS} stations", len(asked)))
        bars += [
            Bar(f"{word}, {name}: {told}", counts[told]) for told in ("earthquake", "blast", "neither", "not found")
        ]
    return bars
