"""Find the first ray of a source and a station: straight up, turning below them, or along an interface."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

import numpy as np

from kensoku.traveltime._integrals import RISING, BoolArray, IntArray, Rays, cut, reach
from kensoku.traveltime._model import Column, EarthModel, FloatArray, Wave
from kensoku.traveltime._turning import ROUGH_S, SAME, Brackets, Grazing, make_fan

Lines = TypeVar("Lines", "Rays", "Found", "_Sought")

ITERATIONS = 100  # two to five are usual
NEAR = 1e-5  # km and relative: how near the last step but one must come, so that the last is exact
FLATTEST = 1e12  # p / y


class Kind(IntEnum):
    DIRECT = 0  # rises all the way from the deeper end to the other
    TURNING = 1  # goes down, turns and comes up
    HEAD = 2  # goes along an interface, at or below the deeper end
    CREEPING = 3  # goes on where a fast layer's last ray grazes its bottom: counts only where nothing else arrives


@dataclass(frozen=True, slots=True)
class Found:
    pair: IntArray
    kind: IntArray
    rays: Rays
    p: FloatArray
    y: FloatArray
    time_s: FloatArray

    def take(self, index: IntArray) -> "Found":
        p, y, time_s = (values[index] for values in (self.p, self.y, self.time_s))
        return Found(self.pair[index], self.kind[index], self.rays.take(index), p, y, time_s)


@dataclass(frozen=True, slots=True)
class _Sought:
    """Rays to be bent: by p / y where they rise, else by y, from 0 to the most."""

    pair: IntArray
    kind: IntArray
    rays: Rays
    bend: FloatArray
    most: FloatArray

    def bent(self, bend: FloatArray) -> tuple[FloatArray, FloatArray]:
        """p and y."""
        limit, rises = self.rays.limit, self.kind == Kind.DIRECT
        y = np.where(rises, limit / np.sqrt(1 + bend * bend), bend)
        return np.where(rises, y * bend, np.sqrt(np.maximum((limit - y) * (limit + y), 0))), y

    def take(self, index: IntArray) -> "_Sought":
        return _Sought(self.pair[index], self.kind[index], self.rays.take(index), self.bend[index], self.most[index])


def search(
    model: EarthModel, wave: Wave, upper: FloatArray, lower: FloatArray, distance: FloatArray,
    kinds: Collection[Kind], wanted: BoolArray,
) -> Found:  # fmt: skip
    """Between two flattened depths, upper < lower, by way of sub-layers that are wanted: at most one ray a pair."""
    column = model.column(wave)
    fan = make_fan(model, wave, tuple(np.flatnonzero(wanted).tolist()), Kind.TURNING in kinds, Kind.HEAD in kinds)
    flattest = Rays(upper, lower, np.full(len(lower), RISING), column.limit(upper, lower))
    farthest, longest, _ = reach(cut(column, flattest), flattest.limit, np.zeros(len(lower)))
    level_s = np.where(np.isfinite(longest), longest + flattest.limit * (distance - farthest), -np.inf)
    grazing = Grazing(flattest.limit, farthest, level_s)
    starts_well = wanted[column.above(lower)]
    is_direct = (distance <= farthest) & starts_well & (Kind.DIRECT in kinds)
    latest = np.where(is_direct, fan.straight_s(distance, upper, lower), np.inf)
    brackets = fan.near(distance, upper, lower, grazing, latest)
    is_direct &= level_s <= brackets.latest_s + ROUGH_S  # rays that rise are later than that
    sought = _join(
        [_rising(flattest, np.flatnonzero(is_direct), distance, farthest), _bracketed(upper, lower, brackets)]
    )
    found = _first(_bend(column, sought, distance), len(distance))
    if Kind.CREEPING not in kinds or len(found.pair) == len(distance):
        return found
    is_dark = np.ones(len(distance), np.bool_)
    is_dark[found.pair] = False
    beyond = np.flatnonzero(is_dark & starts_well & (distance > farthest))
    creeping = [_creeping(beyond, flattest.take(beyond), level_s[beyond])]
    slows_below = (np.diff(column.zone) > 0) & (column.u_top[1:] >= column.u_bottom[:-1])
    if bottoms := np.flatnonzero(slows_below & wanted[:-1] & (column.decay[:-1] > 0)).tolist():
        creeping.append(_along_undersides(column, flattest, np.flatnonzero(is_dark), distance, np.array(bottoms)))
    return _join([found, _first(_join(creeping), len(distance))])


def _rising(flattest: Rays, pair: IntArray, distance: FloatArray, farthest: FloatArray) -> _Sought:
    rays = flattest.take(pair)
    straight = distance[pair] / (rays.lower - rays.upper)  # flatter far away, where they graze the lower end
    start = straight / np.maximum(1 - (distance[pair] / farthest[pair]) ** 2, 0.01)
    kind, most = np.full(len(pair), Kind.DIRECT, np.intp), np.full(len(pair), FLATTEST)
    return _Sought(pair, kind, rays, start, most)


def _bracketed(upper: FloatArray, lower: FloatArray, brackets: Brackets) -> _Sought:
    pair = brackets.pair
    rays = Rays(upper[pair], lower[pair], brackets.lowest, brackets.limit)
    kind = np.where(brackets.is_head, Kind.HEAD, Kind.TURNING).astype(np.intp)
    return _Sought(pair, kind, rays, brackets.start, brackets.last)


def _bend(column: Column, sought: _Sought, distance: FloatArray) -> Found:
    """Each ray to meet its distance, by Newton's method; a step that would leave the bracket halves it. Rays that
    cannot meet it are left out.

    X grows with the bend: of rays that rise ever more slowly, so that from one that is too steep no step goes too far.
    """
    count = len(sought.pair)
    at, time_s, arrives = sought.bend.copy(), np.empty(count), np.zeros(count, np.bool_)
    low, high, wished = np.zeros(count), sought.most, distance[sought.pair]
    stretches, left = cut(column, sought.rays), np.arange(count)
    part = sought
    for _ in range(ITERATIONS):
        here = at[left]
        p, y = part.bent(here)
        reached, taken_s, spread = reach(stretches, p, y)
        lacking = wished - reached
        low, high = np.where(lacking >= 0, here, low), np.where(lacking <= 0, here, high)
        rises, is_head = part.kind == Kind.DIRECT, part.kind == Kind.HEAD
        near = np.where(is_head, lacking >= 0, np.abs(lacking) < NEAR * (1 + wished))
        step = here + lacking / (spread * np.where(rises, y * y * y / (part.rays.limit * part.rays.limit), -y / p))
        inside = (step > low) & (step < high)  # not at an end, lest it go to and fro
        at[left] = np.where(inside, step, np.where(near, here, (low + high) / 2))
        time_s[left] = taken_s + p * lacking
        arrives[left] = near
        going_on = np.flatnonzero(~near & (low < high))
        if not len(going_on):
            break
        if len(going_on) < len(left):
            stretches = stretches.keep(going_on, len(left))
            left, part = left[going_on], part.take(going_on)
            low, high, wished = low[going_on], high[going_on], wished[going_on]
    p, y = sought.bent(at)
    met = np.flatnonzero(arrives)
    return Found(sought.pair, sought.kind, sought.rays, p, y, time_s).take(met)


def _creeping(pair: IntArray, rays: Rays, time_s: FloatArray) -> Found:
    return Found(pair, np.full(len(pair), Kind.CREEPING, np.intp), rays, rays.limit, np.zeros(len(pair)), time_s)


def _along_undersides(column: Column, flattest: Rays, dark: IntArray, distance: FloatArray, bottoms: IntArray) -> Found:
    """Into the shadow of a slow layer, along the fast layer above it."""
    row, which = np.nonzero(flattest.lower[dark][:, None] <= column.bottom[bottoms])
    pair, lowest = dark[row], bottoms[which]
    limit = column.u_bottom[lowest]
    rays = Rays(flattest.upper[pair], flattest.lower[pair], lowest, limit)
    critical_km, time_s, _ = reach(cut(column, rays), limit, np.zeros(len(pair)))
    able = column.limit(rays.upper, column.bottom[lowest]) >= limit * (1 - SAME)
    able &= critical_km <= distance[pair]
    found = _creeping(pair, rays, time_s + limit * (distance[pair] - critical_km))
    return found.take(np.flatnonzero(able))


def _first(found: Found, pairs: int) -> Found:
    """The earliest of each pair, in the order of pairs."""
    earliest, chosen = np.full(pairs, np.inf), np.full(pairs, -1)
    np.minimum.at(earliest, found.pair, found.time_s)
    is_first = np.flatnonzero(found.time_s == earliest[found.pair])
    chosen[found.pair[is_first]] = is_first
    return found.take(chosen[chosen >= 0])


def _join(parts: Sequence[Lines]) -> Lines:
    def joined(values: Sequence[Any]) -> Any:
        return _join(values) if isinstance(values[0], Rays) else np.concatenate(values)

    return type(parts[0])(*(joined([getattr(part, name) for part in parts]) for name in parts[0].__slots__))
