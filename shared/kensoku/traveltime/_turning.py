"""Rays that go down and turn, or run along an interface: where to look for those that reach a distance.

For a pair of depths, h(p) = tau(p) + p x has a minimum at every ray that arrives, but for those that come nearer as
they go deeper, which are never first. A fan of rays, whose tau is known down to every depth from a table, shows for
each pair near which of them h is least; there the search bends a ray until it arrives.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from kensoku.traveltime._integrals import BoolArray, IntArray
from kensoku.traveltime._model import Column, EarthModel, FloatArray, Wave, fall_of_square

Float32Array = npt.NDArray[np.float32]

PIECES = 4  # of the rays that turn in one sub-layer
PIECES_UNDER_LID = 8  # of those that graze a fast layer above, which come nearer at first
STEPS_KM = ((-10.0, 100.0, 0.5), (100.0, 1000.0, 5.0), (1000.0, 2890.0, 50.0))  # of the table: from, to, step
ROUGH_KM, ROUGH_S = 2.0, 0.05  # how far off distances and times in the table may be
SAME = 1e-12  # relative
CHUNK = 512  # pairs at a time, so that what is in between stays in the processor's cache


@dataclass(frozen=True, slots=True)
class Grazing:
    """The flattest ray between the two depths of each pair, carried on to its distance as if it ran on level."""

    limit: FloatArray
    distance_km: FloatArray
    time_s: FloatArray

    def take(self, part: slice) -> "Grazing":
        return Grazing(self.limit[part], self.distance_km[part], self.time_s[part])


@dataclass(frozen=True, slots=True)
class Brackets:
    """Where a ray may arrive: y = sqrt(limit² - p²) from 0 to `last`."""

    pair: IntArray
    is_head: BoolArray
    lowest: IntArray  # sub-layer that it may reach
    limit: FloatArray
    start: FloatArray  # y
    last: FloatArray
    latest_s: FloatArray  # for each pair, by when a ray arrives


@dataclass(frozen=True)
class Fan:
    """Rays from the flattest to the steepest, branch by branch: those that turn between one jump of velocity and the
    next. A branch of one ray is a head wave."""

    p: FloatArray
    lowest: IntArray  # the sub-layer in which the next ray turns
    past: IntArray  # of a head wave, the last ray that turns below, since one that does is earlier; else its own
    opens: BoolArray  # the first in its branch
    closes: BoolArray
    from_depth: FloatArray  # the least depth from which it comes, below all that is too fast
    to_depth: FloatArray  # where it turns
    has_lids: bool  # somewhere slowness grows with depth
    depths: FloatArray  # of the table; as all here, flattened
    slowness: FloatArray  # its sum from the surface
    tau_s: Float32Array  # depth, ray: T - p X from the surface down
    tau_step_s: Float32Array  # to the next depth
    turned_s: Float32Array  # tau down and up again
    distance_km: FloatArray  # depth, ray: from the surface down
    turned_km: FloatArray
    slack_s: FloatArray  # how far h may fall from a ray to its neighbours

    def near(
        self, x: FloatArray, upper: FloatArray, lower: FloatArray, grazing: Grazing, latest_s: FloatArray
    ) -> Brackets:
        above, below = (_Place.of(self, depth) for depth in (upper, lower))
        parts = [
            self._lows(slice(first, first + CHUNK), x, above, below, grazing) for first in range(0, len(x) or 1, CHUNK)
        ]
        pair, ray, value, starts = (np.concatenate(column) for column in zip(*parts, strict=True))
        opens, closes = self.opens[ray], self.closes[ray]
        latest = latest_s.copy()
        sure = np.flatnonzero(~(starts | opens | closes))
        np.minimum.at(latest, pair[sure], value[sure])
        early = np.flatnonzero(value - self.slack_s[ray] <= latest[pair])
        pair, ray, value, starts, opens, closes = (
            values[early] for values in (pair, ray, value, starts, opens, closes)
        )

        wished, is_head = x[pair], opens & closes
        before, after = ray - ~opens, ray + ~closes
        limit = np.where(starts, grazing.limit[pair], self.p[before])
        near, here, far = (
            self._distance(index, pair, above, below)
            for index in (before, ray, np.where(is_head, self.past[ray], after))
        )
        near = np.where(starts, grazing.distance_km[pair], near)
        rough = self.to_depth[ray] <= below.next_depth[pair]
        possible = ~starts | self.has_lids | (wished > near) | (value < grazing.time_s[pair])
        possible &= ~is_head | (wished > far - ROUGH_KM) | (self.to_depth[self.past[ray]] <= below.next_depth[pair])
        possible &= ~opens | rough | (wished > here - ROUGH_KM)
        possible &= ~closes | rough | opens | (wished < here + ROUGH_KM)

        middle, last = (np.sqrt(np.maximum((limit - p) * (limit + p), 0)) for p in (self.p[ray], self.p[after]))
        deeper = middle + (last - middle) * _between((wished - here) / (far - here))
        flatter = middle * _between((wished - near) / (here - near))
        start = np.where((wished > here) & ~closes | opens, deeper, flatter)
        unsure = (opens | closes) & (rough | (np.abs(wished - here) < ROUGH_KM))
        start = np.where(np.isfinite(start) & ~unsure, start, middle)
        kept, lowest = np.flatnonzero(possible), self.lowest[ray]
        return Brackets(pair[kept], is_head[kept], lowest[kept], limit[kept], start[kept], last[kept], latest)

    def straight_s(self, distance: FloatArray, upper: FloatArray, lower: FloatArray) -> FloatArray:
        """Along the straight line between two ends: no ray that only rises is later."""
        above, below = (np.interp(depth, self.depths, self.slowness) for depth in (upper, lower))
        return np.asarray(np.hypot(distance, lower - upper) * (below - above) / (lower - upper))

    def _lows(
        self, part: slice, x: FloatArray, upper: "_Place", lower: "_Place", grazing: Grazing
    ) -> tuple[IntArray, IntArray, FloatArray, BoolArray]:
        """Pair, ray and h where h is least among neighbours, and whether the ray before is too flat for the pair."""
        h = self.turned_s - self._tau(lower, part)
        h -= self._tau(upper, part)
        h += x[part, None].astype(np.float32) * self.p.astype(np.float32)
        able = self.p <= grazing.limit[part, None] * (1 + SAME)
        if self.has_lids:
            able &= (lower.depth[part, None] >= self.from_depth) & (lower.depth[part, None] <= self.to_depth)
        np.copyto(h, np.float32(np.inf), where=~able)
        falls, low = h[:, 1:] < h[:, :-1], able.copy()
        low[:, 1:] &= falls | self.opens[1:]
        low[:, :-1] &= ~falls | self.closes[:-1]
        flat = np.flatnonzero(low)
        pair, ray = np.divmod(flat, max(len(self.p), 1))
        opens = self.opens[ray]
        return part.start + pair, ray, h.ravel()[flat].astype(np.float64), ~opens & ~able.ravel()[flat - ~opens]

    def _tau(self, place: "_Place", part: slice) -> Float32Array:
        row = place.row[part]
        tau = self.tau_step_s.take(row, axis=0)
        tau *= place.share[part, None].astype(np.float32)
        tau += self.tau_s.take(row, axis=0)
        return tau

    def _distance(self, ray: IntArray, pair: IntArray, upper: "_Place", lower: "_Place") -> FloatArray:
        distance = self.turned_km[ray]
        for place in (upper, lower):
            row = place.row[pair]
            above, below = self.distance_km[row, ray], self.distance_km[row + 1, ray]
            distance = distance - (above + place.share[pair] * (below - above))
        return distance


@dataclass(frozen=True, slots=True)
class _Place:
    """Depths among those of the table."""

    depth: FloatArray
    next_depth: FloatArray
    row: IntArray
    share: FloatArray

    @staticmethod
    def of(fan: Fan, depth: FloatArray) -> "_Place":
        row = np.minimum(np.searchsorted(fan.depths, depth, side="right") - 1, len(fan.depths) - 2)
        above, below = fan.depths[row], fan.depths[row + 1]
        return _Place(depth, below, row, (depth - above) / (below - above))


def _between(share: FloatArray) -> FloatArray:
    return np.minimum(np.maximum(share, 0.01), 0.99)


@dataclass(frozen=True, slots=True)
class _Branch:
    p: FloatArray
    sublayer: IntArray  # that it turns in
    to_depth: FloatArray


@lru_cache(maxsize=64)
def make_fan(model: EarthModel, wave: Wave, sublayers: tuple[int, ...], turning: bool, along: bool) -> Fan:
    """Of rays that turn in those sub-layers, and of head waves along their tops."""
    column = model.column(wave)
    branches = [*_turning(column, sublayers)] if turning else []
    branches += [*_heads(column, sublayers)] if along else []
    p, sublayer, to_depth = (
        np.concatenate([getattr(branch, name) for branch in branches] or [np.empty(0)])
        for name in ("p", "sublayer", "to_depth")
    )
    sublayer = sublayer.astype(np.intp)
    lengths = np.array([len(branch.p) for branch in branches], np.intp)
    ends = np.cumsum(lengths)
    opens, closes = np.zeros(len(p), np.bool_), np.zeros(len(p), np.bool_)
    opens[ends - lengths] = closes[ends - 1] = True
    past = np.arange(len(p))
    for head in np.flatnonzero(opens & closes):
        same = np.flatnonzero(opens & ~closes & (p == p[head]) & (to_depth == to_depth[head]))
        past[head] = ends[np.searchsorted(ends, same[0], side="right")] - 1 if len(same) else head
    depths, slowness = _depths(column), np.column_stack([column.u_top, column.u_bottom]).ravel()
    tau, distance = _tabulate(column, depths, p)
    vertical_s, _ = _tabulate(column, depths, np.zeros(1))
    row = np.searchsorted(depths, to_depth)
    every = np.arange(len(p))
    turned_km = 2 * distance[row, every]
    wide = np.abs(np.diff(p) * np.diff(turned_km)) / 2
    slack = np.maximum(np.append(0, wide) * ~opens, np.append(wide, 0) * ~closes) + ROUGH_S
    from_depth = np.array([_from_depth(column, *ray) for ray in zip(p, to_depth, strict=True)])
    ends = np.flatnonzero(closes & ~opens)
    from_depth[ends] = from_depth[ends - 1]  # the fast layer that parts two branches stops the rays of one alone
    return Fan(
        p=p, lowest=sublayer, past=past, opens=opens, closes=closes, from_depth=from_depth, to_depth=to_depth,
        has_lids=bool((np.diff(slowness) > SAME).any()), depths=depths, slowness=vertical_s[:, 0],
        tau_s=tau.astype(np.float32), tau_step_s=np.diff(tau, axis=0).astype(np.float32),
        turned_s=2 * tau[row, every].astype(np.float32), distance_km=distance, turned_km=turned_km, slack_s=slack,
    )  # fmt: skip


def _turning(column: Column, sublayers: tuple[int, ...]) -> Iterator[_Branch]:
    parts: list[_Branch] = []
    for s in sublayers:
        if column.decay[s] <= 0:
            continue
        top, bottom = column.u_top[s], column.u_bottom[s]
        above = np.concatenate([column.u_top[:s], column.u_bottom[:s]])
        caps = np.unique(above[(above > bottom * (1 + SAME)) & (above < top * (1 - SAME))])[::-1]
        edges = np.array([top, *caps, bottom])
        goes_on = bool(parts) and parts[-1].sublayer[-1] == s - 1 and column.zone[s - 1] == column.zone[s]
        for number, (most, least) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            part = _spread_rays(column, s, most, least, is_capped=number > 0)
            if parts and not (goes_on and number == 0):
                yield _join(parts)
                parts = []
            parts.append(part)
    if parts:
        yield _join(parts)


def _spread_rays(column: Column, sublayer: int, most: float, least: float, is_capped: bool) -> _Branch:
    share = (np.arange(PIECES_UNDER_LID + 1) / PIECES_UNDER_LID) ** 3 if is_capped else np.arange(PIECES + 1) / PIECES
    p = np.sqrt(most**2 - (most**2 - least**2) * share**2)
    p[0], p[-1] = most, least
    of = np.full(len(p), sublayer)
    depth = np.clip(column.turning_depth(p, of), column.top[sublayer], column.bottom[sublayer])
    ends = {column.u_top[sublayer]: column.top[sublayer], column.u_bottom[sublayer]: column.bottom[sublayer]}
    depth = np.array([ends.get(slowness, w) for slowness, w in zip(p, depth, strict=True)])
    return _Branch(p, of, depth)


def _join(parts: list[_Branch]) -> _Branch:
    """One after the other, of which each begins with the ray with which that before ends."""
    names = ("p", "sublayer", "to_depth")
    p, sublayer, depth = (
        np.concatenate([*(getattr(part, name)[:-1] for part in parts), getattr(parts[-1], name)[-1:]]) for name in names
    )
    return _Branch(p, sublayer, depth)


def _heads(column: Column, sublayers: tuple[int, ...]) -> Iterator[_Branch]:
    for s in sublayers:
        if s and column.zone[s] > column.zone[s - 1] and column.u_top[s] < column.u_bottom[s - 1]:
            yield _Branch(column.u_top[s : s + 1], np.array([s - 1]), column.top[s : s + 1])


def _from_depth(column: Column, p: float, to_depth: float) -> float:
    above = np.flatnonzero(column.top < to_depth)
    blocked = above[np.minimum(column.u_top, column.u_bottom)[above] < p * (1 - SAME)]
    blocked = blocked[column.bottom[blocked] <= to_depth]
    if not len(blocked):
        return -np.inf
    last = blocked[-1]
    if column.u_bottom[last] < p:
        return float(column.bottom[last])
    return float(column.turning_depth(np.array(p), last))


def _depths(column: Column) -> FloatArray:
    even = [column.flatten(np.arange(start, end, step)) for start, end, step in STEPS_KM]
    return np.asarray(np.unique(np.concatenate([*even, column.top, column.bottom[-1:]])))


def _tabulate(column: Column, depths: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Tau and distance from the uppermost depth down, of which nothing counts where p is too large."""
    of = column.below(depths[:-1])
    start, end = column.slowness(depths[:-1], of)[:, None], column.slowness(depths[1:], of)[:, None]
    decay = column.decay[of][:, None]
    fall = fall_of_square(start, np.diff(depths)[:, None], decay)
    q1, q2 = (np.sqrt(np.maximum((u - p) * (u + p), 0)) for u in (start, end))
    with np.errstate(divide="ignore", invalid="ignore"):
        time = np.where((q1 > 0) & (q2 > 0), fall / (q1 + q2), np.where(q1 == q2, 0, (q1 - q2) / decay))
        tangent = np.where(time > 0, p * time / (p**2 + q1 * q2), 0)
        distance = np.where(decay == 0, tangent, np.arctan(decay * tangent) / decay)
    nothing = np.zeros((1, len(p)))
    tau = np.concatenate([nothing, np.cumsum(time - p * distance, axis=0)])
    return tau, np.concatenate([nothing, np.cumsum(distance, axis=0)])
