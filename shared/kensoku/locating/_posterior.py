"""What the nodes say together: mean, covariance, depth interval; and more nodes where the first were not enough."""

from dataclasses import dataclass

import numpy as np

from kensoku.locating._batch import Batch
from kensoku.locating._lattice import SPACING, Nodes, Shape, around, ball, evaluate, shape_of
from kensoku.locating._polish import Peaks
from kensoku.locating._sphere import Frame
from kensoku.locating._values import BoolArray, FloatArray, IntArray, LocationSettings, Tables

# Radius of the lattice, where its edge begins (standard deviations), and the share of the probability that may lie there
# (a normal distribution has 0.006 and 0.0001). The later passes begin with the covariance that the one before found.
PASSES = ((4.2, 3.5, 0.012), (5.6, 4.6, 0.003), (5.6, 4.6, 0.003))
TOGETHER = 16  # events at a time, so that what is in between stays in the processor's cache
GROWS_FROM = 1e-4  # of the greatest probability of a node: its neighbours are looked at
MOST_NODES = 8000
FINE = 32  # steps of depth within a slice
SECOND_HILL = 1e-3  # of the probability: it counts
FEWER_NODES = 0.4  # than a normal distribution would fill: the posterior is narrower than was thought
LIKELY_68 = 0.6827


@dataclass(frozen=True, slots=True)
class Posterior:
    """(event, ...); kilometres from the maximum, depths and times as they are."""

    mean: FloatArray  # time s, north km, east km, depth km
    covariance: FloatArray
    depth_lower_km: FloatArray
    depth_upper_km: FloatArray
    nodes: IntArray
    is_multimodal: BoolArray


def explore(
    batch: Batch, tables: Tables, settings: LocationSettings, peaks: Peaks, limits: Limits
) -> Posterior:
    """Around the first of the peaks of each event; where others count, around them too."""
    parts = []
    for start in range(0, len(batch.first), TOGETHER):
        events = np.arange(start, min(start + TOGETHER, len(batch.first)))
        rows = np.arange(batch.rows_of(start).start, batch.rows_of(int(events[-1])).stop)
        some = batch.take(events), peaks.select(events, rows), (limits[0][events], limits[1][events])
        parts.append(_explore(some[0], tables, settings, *some[1:]))
    return Posterior(*(np.concatenate(arrays) for arrays in zip(*map(_arrays, parts), strict=True)))


def _explore(
    batch: Batch, tables: Tables, settings: LocationSettings, peaks: Peaks, limits: Limits
) -> Posterior:
    best = peaks.reorder(batch, np.zeros((len(batch.first), 1), np.intp))
    highest, events = best.fit.log_posterior[:, 0], np.arange(len(batch.first))
    alone = ~_others_count(peaks)
    middle = np.stack([np.zeros(len(events)), np.zeros(len(events)), best.depth[:, 0]], axis=1)
    covariance, frame, whole, parts = _covariances(best.information[:, 0], limits), _first(best.frame), batch, [
    ]
    result: Posterior | None = None
    weight = best.fit.weight
    for radius, edge, share_at_edge in PASSES:
        shape = shape_of(frame, middle, covariance, limits)
        nodes = evaluate(batch, tables, settings, shape, around(shape, radius), weight)
        share = _shares(nodes.log_posterior)
        found = _summarise(nodes, share, shape)
def _others_count(peaks: Peaks) -> BoolArray:
    """Another peak that is neither the same nor far less probable."""
    return np.asarray(_other_hills(peaks).any(axis=1))


def _other_hills(peaks: Peaks) -> BoolArray:
    """(event, start)."""
    _, log_volume = np.linalg.slogdet(peaks.information + 1e-6 * np.eye(3))
    log_mass = peaks.fit.log_posterior - 0.5 * log_volume
    counts = log_mass > log_mass[:, :1] + np.log(SECOND_HILL)
    counts &= peaks.fit.log_posterior > peaks.fit.log_posterior[:, :1] - 20
    apart = np.arccos(np.clip((peaks.frame.centre * peaks.frame.centre[:, :, :1]).sum(axis=0), -1, 1)) * 6371.0
    offset = np.hypot(apart, peaks.depth - peaks.depth[:, :1])
    width = np.sqrt(np.trace(np.linalg.inv(peaks.information[:, 0] + 1e-6 * np.eye(3)), axis1=1, axis2=2))
    return np.asarray(counts & (offset > np.maximum(0.5 * width[:, None], 0.5)))


# --- one event, growing -------------------------------------------------------------------------------------------------


def _grow(
    batch: Batch, tables: Tables, settings: LocationSettings, peaks: Peaks, limits: tuple[FloatArray, FloatArray]
) -> Posterior:
    covariance = _covariances(peaks.information[:, 0], limits)
    frame, depth, spacing = _squeeze(peaks.frame), peaks.depth[:, 0], SPACING
    weight = peaks.fit.weight[:, :1]
    for _ in range(4):
        shape = shape_of(frame, depth, covariance, limits, spacing)
        nodes, was_whole = _flood(batch, tables, settings, shape, weight)
        share = _shares(nodes.log_posterior)
        result = _summarise(nodes, share, shape, limits)
        filled = 1 / (share**2).sum()
        if was_whole and filled > FEWER_NODES * shape.expected_nodes[0]:
            break
        covariance = result.covariance[:, 1:, 1:] + np.eye(3) * 1e-8
    hills = np.flatnonzero(_other_hills(peaks)[0])
    return _with_hills(batch, tables, settings, peaks, hills, shape, nodes, limits) if len(hills) else result


def _flood(
    batch: Batch, tables: Tables, settings: LocationSettings, shape: Shape, weight: FloatArray
) -> tuple[Nodes, bool]:
    """From the ball on, as long as a node at the edge has probability; and whether it came to an end."""
    fresh = around(shape, float(SPACING))
    fresh = fresh[:, :, (fresh[0, 0] >= 0) & (fresh[0, 0] < shape.slices[0])]
    known, parts = _keys(fresh[:, 0]), [evaluate(batch, tables, settings, shape, fresh, weight)]
    lattices = [fresh]
    while True:
        log_posterior = np.concatenate([part.log_posterior for part in parts], axis=1)[0]
        probable = log_posterior > log_posterior.max() + np.log(GROWS_FROM)
        lattice = np.concatenate(lattices, axis=2)[:, 0, probable]
        steps = np.concatenate([np.eye(3, dtype=np.intp), -np.eye(3, dtype=np.intp)])
        beside = (lattice[:, :, None] + steps.T[:, None, :]).reshape(3, -1)
        beside = beside[:, (beside[0] >= 0) & (beside[0] < shape.slices[0])]
        keys, first = np.unique(_keys(beside), return_index=True)
        new = ~np.isin(keys, known)
        if not new.any() or len(known) + new.sum() > MOST_NODES:
            break
        fresh = beside[:, None, first[new]]
        known = np.concatenate([known, keys[new]])
        lattices.append(fresh)
        parts.append(evaluate(batch, tables, settings, shape, fresh, weight))
    return _join(parts), not new.any()


def _keys(lattice: IntArray) -> IntArray:
    return np.asarray((lattice[0] * 100_003 + lattice[1] + 40_000) * 100_003 + lattice[2] + 40_000)


def _with_hills(
    batch: Batch,
    tables: Tables,
    settings: LocationSettings,
    peaks: Peaks,
    hills: IntArray,
    shape: Shape,
    nodes: Nodes,
    limits: tuple[FloatArray, FloatArray],
) -> Posterior:
    """The other hills on lattices of their own, with the same slices of depth; a hill that was reached counts once."""
    frame, volumes, counted = shape.frame, [np.full(nodes.depth.shape, _log_cell(shape))], 1
    parts = [nodes]
    for hill in hills:
        north, east = _coordinates(frame, peaks.frame.centre[:, 0, hill])
        gap = np.min((nodes.north - north) ** 2 + (nodes.east - east) ** 2 + (nodes.depth - peaks.depth[0, hill]) ** 2)
        if gap < _cell_km(shape) ** 2:
            continue
        covariance = _covariances(peaks.information[:, hill], limits)
        at = Frame(*(axis[:, :, hill] for axis in (peaks.frame.centre, peaks.frame.north, peaks.frame.east)))
        other = shape_of(at, peaks.depth[:, hill], covariance, limits, SPACING)
        other = Shape(at, other.depth, other.factor, shape.top, shape.slice_km, shape.slices, other.spacing)
        found, _ = _flood(batch, tables, settings, other, peaks.fit.weight[:, hill, None])
        north, east = _coordinates(frame, at.place(found.north, found.east)[:, 0])
        found = Nodes(
            found.slice, found.depth, north[None], east[None], found.log_posterior, found.time, found.time_variance
        )
        parts.append(found)
        volumes.append(np.full(found.depth.shape, _log_cell(other)))
        counted += 1
    joined, volume = _join(parts), np.concatenate(volumes, axis=1)
    share = _shares(joined.log_posterior + volume)
    result = _summarise(joined, share, shape, limits)
    first = share[:, : nodes.depth.shape[1]].sum()
    result.is_multimodal[:] = counted > 1 and 1 - first > SECOND_HILL
    return result


def _log_cell(shape: Shape) -> float:
    f = shape.factor[0]
    return float(np.log(shape.slice_km[0] * f[1, 1] * f[2, 2] * shape.spacing[0] ** 2))


def _cell_km(shape: Shape) -> float:
    f = shape.factor[0]
    return float(max(shape.slice_km[0], shape.spacing[0] * max(f[1, 1], f[2, 2])))


def _coordinates(frame: Frame, places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of places (3, ...) in the first frame, about: along great circles from its centre."""
    north, east, up = (np.tensordot(axis[:, 0], places, axes=1) for axis in (frame.north, frame.east, frame.centre))
    level = np.hypot(north, east)
    longer = 6371.0 * np.arctan2(level, up) / np.maximum(level, 1e-15)
    return north * longer, east * longer


# --- summing up -----------------------------------------------------------------------------------------------------------


def _shares(log_posterior: FloatArray) -> FloatArray:
    share = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def _summarise(nodes: Nodes, share: FloatArray, shape: Shape, limits: tuple[FloatArray, FloatArray]) -> Posterior:
    values = np.stack([nodes.time, nodes.north, nodes.east, nodes.depth], axis=1)
    mean = np.einsum("en,evn->ev", share, values)
    centred = values - mean[..., None]
    covariance = np.einsum("evn,en,ewn->evw", centred, share, centred)
    covariance[:, 0, 0] += (share * nodes.time_variance).sum(axis=1)
    lower, upper = _depth_intervals(nodes, share, shape)
    count, events = np.full(len(mean), nodes.depth.shape[1]), len(mean)
    return Posterior(mean, covariance, lower, upper, count, np.zeros(events, np.bool_))


def _depth_intervals(nodes: Nodes, share: FloatArray, shape: Shape) -> tuple[FloatArray, FloatArray]:
    """The shortest that hold 68 %, from the slices, the logarithm of whose sums goes as a parabola from one to the next."""
    first = nodes.slice.min(axis=1)
    number = nodes.slice - first[:, None]
    width = int(number.max()) + 1
    flat = np.arange(len(first))[:, None] * width + number
    mass = np.bincount(flat.ravel(), share.ravel(), len(first) * width).reshape(len(first), width)
    log_mass = np.log(np.maximum(mass, 1e-12))
    index = np.arange(width) + first[:, None]
    is_there = (index >= 0) & (index < shape.slices[:, None])
    before, after = np.full_like(log_mass, -30), np.full_like(log_mass, -30)
    before[:, 1:], after[:, :-1] = log_mass[:, :-1], log_mass[:, 1:]
    before, after = (
        np.where(index == 0, 2 * log_mass - after, before),
        np.where(index == shape.slices[:, None] - 1, 2 * log_mass - before, after),
    )
    f = (np.arange(FINE) + 0.5) / FINE - 0.5
    curve, slope = (after + before - 2 * log_mass) / 2, (after - before) / 2
    fine = log_mass[..., None] + f * (slope[..., None] + f * curve[..., None])
    fine = np.where(is_there[..., None], fine, -100).reshape(len(first), -1)
    density = np.exp(fine - fine.max(axis=1, keepdims=True))
    falling = -np.sort(-density, axis=1)
    reached = (falling.cumsum(axis=1) < LIKELY_68 * falling.sum(axis=1, keepdims=True)).sum(axis=1)
    inside = density >= falling[np.arange(len(first)), reached][:, None]
    start, end = inside.argmax(axis=1), inside.shape[1] - inside[:, ::-1].argmax(axis=1)
    top, step = shape.top + first * shape.slice_km, shape.slice_km / FINE
    return top + start * step, top + end * step


def _covariances(information: FloatArray, limits: tuple[FloatArray, FloatArray]) -> FloatArray:
    """No wider than the allowed depths, or than is of use."""
    depth = (limits[1] - limits[0]) / 3
    least = np.zeros_like(information)
    least[:, 0, 0] = least[:, 1, 1] = 1e-5
    least[:, 2, 2] = depth**-2
    return np.asarray(np.linalg.inv(information + least))


def _arrays(posterior: Posterior) -> tuple[FloatArray | IntArray | BoolArray, ...]:
    p = posterior
    return p.mean, p.covariance, p.depth_lower_km, p.depth_upper_km, p.nodes, p.is_multimodal


def _join(parts: list[Nodes]) -> Nodes:
    names = ("slice", "depth", "north", "east", "log_posterior", "time", "time_variance")
    return Nodes(*(np.concatenate([getattr(part, name) for part in parts], axis=1) for name in names))


def _one(limits: tuple[FloatArray, FloatArray], event: int) -> tuple[FloatArray, FloatArray]:
    return limits[0][event : event + 1], limits[1][event : event + 1]


def _squeeze(frame: Frame) -> Frame:
    return Frame(frame.centre[..., 0], frame.north[..., 0], frame.east[..., 0])
