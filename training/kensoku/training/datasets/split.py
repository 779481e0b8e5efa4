"""Who learns and who judges: no earthquake and no station is on both sides.

Records that share an earthquake or a station hang together, and small groups of them go to one side as a whole. A
group that is larger than that, as a dense network records it, is cut: stations draw their side, each earthquake goes
to the side on which more records are kept, and a record whose station and earthquake disagree is on neither side.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, get_args

from kensoku.errors import InputInvalid
from kensoku.training.examples import Origin

Side = Literal["train", "develop", "mixed", "left_out"]
SIDES: tuple[Side, ...] = get_args(Side)

SAME_EVENT_S = 60.0  # events this close in time may be one, of two catalogues, or lie in each other's records
LONGEST_EVENT_S = 3600.0  # between records of one earthquake; beyond, two collections use one name
LARGE = 0.1  # share of its source's records from which on a group is cut
DRAWS = 400  # of the stations of a group that is cut
_Node = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    seed: int
    develop_share: Mapping[str, float]  # by source
    left_out: frozenset[str] = frozenset()  # regions


def join_events(origins: Sequence[Origin], times_s: Sequence[float | None]) -> list[Origin]:
    """Events that are close in time get one name: that of the first, or, of several regions, the moment of the first.

    The time of an event is that of any record of it; none: the one that its name says in ISO 8601, if it does.
    """
    spans: dict[tuple[str, str], tuple[float, float]] = {}
    for origin, said_s in zip(origins, times_s, strict=True):
        time_s = _moment(origin.event) if said_s is None else said_s
        if origin.event and time_s is not None:
            first_s, last_s = spans.get((origin.region, origin.event), (time_s, time_s))
            spans[origin.region, origin.event] = (min(first_s, time_s), max(last_s, time_s))
    names: dict[tuple[str, str], str] = {}
    for close in _close({event: span for event, span in spans.items() if span[1] - span[0] <= LONGEST_EVENT_S}):
        name = close[0][1]
        if len({region for region, _ in close}) > 1:
            name = datetime.fromtimestamp(spans[close[0]][0], UTC).isoformat(timespec="milliseconds")
        names.update(dict.fromkeys(close, name))
    return [replace(each, event=names.get((each.region, each.event), each.event)) for each in origins]


def _close(spans: Mapping[tuple[str, str], tuple[float, float]]) -> list[list[tuple[str, str]]]:
    """Events of which each begins within a minute of the end of those before it, the first one first."""
    groups: list[list[tuple[str, str]]] = []
    until_s = -math.inf
    for event, (first_s, last_s) in sorted(spans.items(), key=lambda item: (item[1], item[0])):
        if first_s - until_s > SAME_EVENT_S:
            groups.append([])
            until_s = last_s
        groups[-1].append(event)
        until_s = max(until_s, last_s)
    return groups


def split(origins: Sequence[Origin], plan: SplitPlan) -> list[Side]:
    """The side of each; the same names make the same sides, in whatever order they come."""
    kept_apart = {node for each in origins if each.region in plan.left_out for node in _event_nodes(each)}
    sides = [_first_side(origin, plan, kept_apart) for origin in origins]
    sizes = Counter(origin.source for origin in origins)
    inside = [number for number, side in enumerate(sides) if side == "train"]
    for group in _groups(origins, inside):
        share = sum(plan.develop_share.get(origins[number].source, 0.0) for number in group) / len(group)
        is_large = len(group) > max(1.0, LARGE * max(sizes[origins[number].source] for number in group))
        members = [origins[number] for number in group]
        can_be_cut = 0 < share < 1 and len({member.station for member in members}) > 1
        found = (_cut if is_large and can_be_cut else _whole)(members, share, plan.seed)
        for number, side in zip(group, found, strict=True):
            sides[number] = side
    refuse_leaks(origins, sides)
    return sides


def _first_side(origin: Origin, plan: SplitPlan, kept_apart: Container[_Node]) -> Side:
    if origin.region in plan.left_out:
        return "left_out"
    return "mixed" if any(node in kept_apart for node in _event_nodes(origin)) else "train"


def refuse_leaks(origins: Iterable[Origin], sides: Iterable[Side]) -> None:
    """What teaches and what judges must not share an earthquake or a station."""
    of: dict[_Node, set[Side]] = defaultdict(set)
    for origin, side in zip(origins, sides, strict=True):
        for node in _nodes(origin):
            of[node].add(side)
    leaks = [node for node, found in of.items() if "train" in found and found & {"develop", "left_out"}]
    if leaks:
        told = "; ".join(" ".join(node) for node in leaks[:3])
        raise InputInvalid(f"found {len(leaks)} in training and beside it: {told}; expected each on one side")


# --- groups -----------------------------------------------------------------------------------------------------------


def _nodes(origin: Origin) -> tuple[_Node, ...]:
    return (("station", origin.station), *_event_nodes(origin))


def _event_nodes(origin: Origin) -> tuple[_Node, ...]:
    """Names are of a region; a moment is the same everywhere."""
    if not origin.event:
        return ()
    named: _Node = ("event", origin.region, origin.event)
    return (named,) if _moment(origin.event) is None else (named, ("moment", origin.event))


def _groups(origins: Sequence[Origin], inside: Iterable[int]) -> Iterator[list[int]]:
    """Numbers of records that hang together."""
    parents: dict[_Node, _Node] = {}

    def root(node: _Node) -> _Node:
        parents.setdefault(node, node)
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    numbers = list(inside)
    for number in numbers:
        first, *others = (root(node) for node in _nodes(origins[number]))
        for other in others:
            parents[other] = first
    groups: dict[_Node, list[int]] = defaultdict(list)
    for number in numbers:
        groups[root(_nodes(origins[number])[0])].append(number)
    yield from groups.values()


def _whole(members: Sequence[Origin], share: float, seed: int) -> list[Side]:
    name = min(node for origin in members for node in _nodes(origin))
    return ["develop" if _dice(seed, *name) < share else "train"] * len(members)


def _cut(members: Sequence[Origin], share: float, seed: int) -> list[Side]:
    """Of many draws of the stations the one that keeps most for training and enough for judging."""
    best: list[Side] = ["train"] * len(members)
    score = (0.0, float(len(members)))  # none judges
    for draw in range(DRAWS):
        sides = _draw_sides(members, seed, draw)
        judging, teaching = sides.count("develop"), sides.count("train")
        fitting = round(1 - abs(judging / (share * len(members)) - 1), 1)
        if teaching and (fitting, float(teaching)) > score:
            best, score = sides, (fitting, float(teaching))
    return best


def _draw_sides(members: Sequence[Origin], seed: int, draw: int) -> list[Side]:
    stations = 0.1 + 0.5 * _dice(seed, str(draw), "stations")  # share that judges
    weight = 0.3 + 2.0 * _dice(seed, str(draw), "weight")  # of a record that judges against one that teaches
    judges = {name for name in {each.station for each in members} if _dice(seed, str(draw), name) < stations}
    records: dict[str, list[bool]] = defaultdict(list)
    for each in members:
        records[each.event].append(each.station in judges)
    events = {event for event, of in records.items() if event and sum(of) * weight > len(of) - sum(of)}
    return [_agree(each.station in judges, each.event in events if each.event else None) for each in members]


def _agree(judges: bool, event_judges: bool | None) -> Side:
    if event_judges is not None and judges != event_judges:
        return "mixed"
    return "develop" if judges else "train"


def _dice(seed: int, *names: str) -> float:
    """0 to 1, of the names alone."""
    digest = hashlib.sha256("\0".join((str(seed), *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _moment(event: str) -> float | None:
    try:
        moment = datetime.fromisoformat(event)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
